//! What must never be seen, and what must be possible: a model in which nothing good ever happens
//! breaks no rule either.

use ringtrue_oob::CallPhase;
use ringtrue_session::{AnswerOutcome, Verdict};
use ringtrue_stir::Reason;

use crate::blobs::BlobId;
use crate::cast::{START_MS, Who};
use crate::state::{Leg, LegState, Mutation, State, Way};
use crate::world::World;

/// Something that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sight {
    /// A rule is broken.
    Broken(Rule),
    /// Something that is possible, and has to be.
    Possible(Feat),
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// P1: `verified` only within the freshness window of a call that C placed to D.
    VerifiedOnlyIfPlaced,
    /// P2: a call that is not C's is `confirmed` only where C's own call was answered elsewhere within
    /// two seconds of true time (case c of the substitution race).
    ConfirmedOnlyByCoincidence,
    /// P3: one PASSporT verifies one call.
    OnePassportOneCall,
    /// P4: of two calls that show C's number and ring at once none is believed, also later.
    ConcurrentIsNotGood,
    /// P5: what is gone is not verified.
    GoneIsNotGood,
    /// P6: C believes an answer only if D gave it.
    AnswersOnlyByTheCallee,
    /// P7: nobody spoils the verdict on C's call with what it leaves in the mailbox alone.
    StrangersSpoilNothing,
}

/// Something that is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Feat {
    /// C's call is verified at D.
    TrueCallVerified,
    /// C's call is verified at D after the attacker said something.
    TrueCallVerifiedUnderAttack,
    /// The attacker's call is verified at D, in the race that a PASSporT alone cannot prevent.
    SpoofVerified,
    /// C's call is confirmed at D.
    TrueCallConfirmed,
    /// Case c: the attacker's call is confirmed at D, as somebody else answered C's call at about the
    /// same time. The rule that `confirmed` says which call it is does not hold.
    SpoofConfirmed,
    /// Two calls ring at once, and both are shown as conflicting.
    BothConflicting,
    /// C gave up, and D is warned of the attacker's call.
    SpoofUnmasked,
    /// C sees that D answered the call that it placed, at the time at which it was answered.
    AnswerConfirmed,
    /// C sees that D answered.
    AnswerSeen,
    /// Something was refused.
    Refused,
    /// The attacker's call was refused, as the PASSporT was used before.
    ReplayRefused,
    /// The attacker's call was refused, as the PASSporT is too old.
    StaleRefused,
}

/// Within this of true time two answers may be taken for one (W-8).
const TOLERANCE_MS: u32 = 2000;

/// Which of the calls that C announced, by `iat`, are reported gone in these blobs.
pub(crate) fn gone_among(world: &World<'_>, blobs: &[BlobId]) -> Vec<u64> {
    let contents = blobs.iter().map(|blob| &world.blobs.get(*blob).content);
    contents
        .filter(|content| content.st.is_some_and(|st| st.s == CallPhase::Gone))
        .filter_map(|content| world.announced.get(content.n.as_octets()).copied())
        .collect()
}

/// D is shown a verdict on a call.
pub(crate) fn shown(world: &mut World<'_>, state: &State, at: u8, reasons: &[Reason]) {
    let leg = &state.legs[usize::from(at)];
    let Some(verdict) = leg.shown else { return };
    if verdict == Verdict::Refused {
        world.sights.push(Sight::Possible(Feat::Refused));
    }
    if verdict == Verdict::Refused && leg.call.is_none() {
        let refusals = [
            (Reason::Replayed, Feat::ReplayRefused),
            (Reason::IatStale, Feat::StaleRefused),
        ];
        let told = refusals
            .iter()
            .filter(|(reason, _)| reasons.contains(reason));
        let feats = told.map(|(_, feat)| Sight::Possible(*feat));
        world.sights.extend(feats);
    }
    // What spoils it otherwise: another call, a network that loses things, and who knows `n`.
    let is_strict = world.bounds.mutation == Some(Mutation::StricterRule);
    let is_secret = !world.bounds.with_k || is_strict;
    let is_alone = state.spoofs == 0 && state.faults == 0 && is_secret;
    let is_on = |call: u8| !matches!(state.calls[usize::from(call)].way, Way::Gone);
    if !verdict.is_good() && is_alone && leg.call.is_some_and(is_on) {
        world
            .sights
            .push(Sight::Broken(Rule::StrangersSpoilNothing));
    }
    if !verdict.is_good() {
        return;
    }
    world.sights.push(Sight::Possible(
        match (leg.call, verdict == Verdict::Confirmed) {
            (Some(_), false) => Feat::TrueCallVerified,
            (Some(_), true) => Feat::TrueCallConfirmed,
            (None, false) => Feat::SpoofVerified,
            (None, true) => Feat::SpoofConfirmed,
        },
    ));
    if leg.call.is_some() && state.messages > 0 {
        world
            .sights
            .push(Sight::Possible(Feat::TrueCallVerifiedUnderAttack));
    }
    if verdict == Verdict::Confirmed && leg.call.is_none() && !is_coincidence(world, state, leg) {
        world
            .sights
            .push(Sight::Broken(Rule::ConfirmedOnlyByCoincidence));
    }
    let now_s = (START_MS + u64::from(state.ms)) / 1000;
    let calls = state.calls.iter().filter(|call| call.to == Who::D);
    let placed = (0..).zip(calls).any(|(before, call)| {
        let begun_s = (START_MS + u64::from(call.begun_ms)) / 1000;
        // A call within the same second as one before is dated a second later.
        now_s - begun_s <= 60 + before
    });
    if !placed {
        world.sights.push(Sight::Broken(Rule::VerifiedOnlyIfPlaced));
    }
    let others = (0..).zip(&state.legs).filter(|(other, _)| *other != at);
    if others.into_iter().any(|(_, other)| other.iat == leg.iat) {
        world.sights.push(Sight::Broken(Rule::OnePassportOneCall));
    }
}

/// Case c: the call of C that this leg was taken for was answered by somebody else, within two seconds
/// of when D answered. What both sides compare are estimates; this is the true time.
fn is_coincidence(world: &World<'_>, state: &State, leg: &Leg) -> bool {
    let LegState::Answered(answered) = leg.state else {
        return false;
    };
    (0..).zip(&state.calls).any(|(at, call)| {
        let iat = world.dated.get(&(at, call.begun_ms)).copied();
        match call.way {
            Way::AnsweredElsewhere(elsewhere) => {
                iat == leg.iat && elsewhere.abs_diff(answered) <= TOLERANCE_MS
            }
            _ => false,
        }
    })
}

/// C is shown who answered its call.
pub(crate) fn who_answered(world: &mut World<'_>, state: &State, at: u8, outcome: &AnswerOutcome) {
    if !outcome.verdict.verdict.is_good() {
        return;
    }
    world
        .sights
        .push(Sight::Possible(match outcome.verdict.verdict {
            Verdict::Confirmed => Feat::AnswerConfirmed,
            _ => Feat::AnswerSeen,
        }));
    let call = state.calls[usize::from(at)];
    let iat = world.dated.get(&(at, call.begun_ms)).copied();
    if !state.legs.iter().any(|leg| leg.answers && leg.iat == iat) {
        world
            .sights
            .push(Sight::Broken(Rule::AnswersOnlyByTheCallee));
    }
}

/// Looks at a state as a whole.
pub(crate) fn look(world: &mut World<'_>, before: &State, state: &State) {
    let ringing = |state: &State| {
        let legs = state.legs.iter();
        let both = legs.filter(|leg| leg.state == LegState::Ringing);
        both.filter(|leg| leg.shown == Some(Verdict::Conflicting))
            .count()
    };
    if ringing(state) == 2 {
        world.sights.push(Sight::Possible(Feat::BothConflicting));
    }
    for (at, leg) in state.legs.iter().enumerate() {
        let is_good = leg.state != LegState::Over && leg.shown.is_some_and(Verdict::is_good);
        if is_good && leg.is_concurrent {
            world.sights.push(Sight::Broken(Rule::ConcurrentIsNotGood));
        }
        // Who reads what is meant for D can give it another name.
        let is_gone = !world.bounds.with_k && leg.iat.is_some_and(|iat| leg.gone.contains(&iat));
        if is_good && is_gone {
            world.sights.push(Sight::Broken(Rule::GoneIsNotGood));
        }
        let was = before.legs.get(at).and_then(|leg| leg.shown);
        let demoted = was == Some(Verdict::Verified) && leg.shown == Some(Verdict::Conflicting);
        if demoted && is_gone && leg.call.is_none() {
            world.sights.push(Sight::Possible(Feat::SpoofUnmasked));
        }
    }
}
