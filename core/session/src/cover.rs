//! Traffic that means nothing, between which real traffic hides: one store or one round of polls.

use std::sync::Arc;

use ringtrue_stir::{Reason, TelephoneNumber};

use crate::filler::below;
use crate::verdict::add_reason;
use crate::{
    Context, CoverKind, Input, Monotonic, Now, PeerKeys, PlaceSession, Placement, RingSession,
    Session, Step,
};

/// What came of a piece of cover traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// What it was.
    pub kind: CoverKind,
    /// Whether it went out as a real one would have. A store that was refused hides nothing.
    pub done: bool,
    /// Why not, or what else is worth knowing.
    pub reasons: Vec<Reason>,
}

/// One store or one round of polls that means nothing.
///
/// A store goes the way of [`PlaceSession`] with keys at hand: the same request, grouping, fillers,
/// delay and fall-back services, and blobs of the suites of the called number's keys, sealed to keys
/// that nobody has (PRV-49). Its storage tokens come from the wallet; with too few there is no cover,
/// because no issuer is asked for it. A round of polls is that of [`RingSession`] for a withheld number.
pub struct CoverSession(Kind);

enum Kind {
    Store(Box<PlaceSession>),
    Poll(Box<RingSession>),
}

impl CoverSession {
    /// A store for one of `destinations`, drawn at random: numbers whose verified keys are at hand.
    /// Done by `deadline`.
    ///
    /// # Errors
    ///
    /// [`Reason::CoverSkipped`] if none of them has a live key: a lookup would tell the directory
    /// about a call that there is not. [`Reason::ClockUnset`], [`Reason::RandomnessUnavailable`].
    pub fn store(
        context: Arc<Context>,
        destinations: &[(TelephoneNumber, PeerKeys)],
        deadline: Monotonic,
        now: Now,
    ) -> Result<Self, Reason> {
        let unix = now
            .unix(context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)?;
        let usable: Vec<_> = destinations
            .iter()
            .filter(|(_, keys)| keys.has_live(unix))
            .collect();
        let chosen = below(context.provider.as_ref(), usable.len())?;
        let (number, keys) = usable.get(chosen).ok_or(Reason::CoverSkipped)?;
        let session = PlaceSession::cover(context, number.clone(), keys.clone(), deadline)?;
        Ok(Self(Kind::Store(Box::new(session))))
    }

    /// A round of polls of one own number, drawn at random, at `now`.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`].
    pub fn poll(context: Arc<Context>, now: Now) -> Result<Self, Reason> {
        let numbers = context.numbers();
        let chosen = below(context.provider.as_ref(), numbers.len())?;
        let number = numbers.get(chosen).cloned();
        let deadline = now.monotonic.plus(context.policy.ring_deadline);
        let session = RingSession::new(context, None, number, deadline, now)?;
        Ok(Self(Kind::Poll(Box::new(session))))
    }
}

impl Session for CoverSession {
    type Output = Covered;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Covered> {
        match &mut self.0 {
            Kind::Store(session) => match session.next(now) {
                Step::Act(action) => Step::Act(action),
                Step::Wait(until) => Step::Wait(until),
                Step::Report(never) => match never {},
                Step::Done(placed) => {
                    let mut reasons = placed.reasons;
                    if reasons.contains(&Reason::WalletEmpty) {
                        add_reason(&mut reasons, Reason::CoverSkipped);
                    }
                    Step::Done(Covered {
                        kind: CoverKind::Store,
                        done: placed.placement == Placement::Stored,
                        reasons,
                    })
                }
            },
            Kind::Poll(session) => loop {
                match session.next(now) {
                    Step::Act(action) => return Step::Act(action),
                    Step::Wait(until) => return Step::Wait(until),
                    // Nobody rang: there is nobody to tell.
                    Step::Report(_) => {}
                    Step::Done(outcome) => {
                        return Step::Done(Covered {
                            kind: CoverKind::Poll,
                            done: true,
                            reasons: outcome.verdict.reasons,
                        });
                    }
                }
            },
        }
    }

    fn input(&mut self, input: Input, now: Now) {
        match &mut self.0 {
            Kind::Store(session) => session.input(input, now),
            Kind::Poll(session) => session.input(input, now),
        }
    }
}
