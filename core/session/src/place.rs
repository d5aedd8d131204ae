//! Announcing a call before it is dialled.

mod delivery;

use std::collections::VecDeque;
use std::sync::Arc;

use ringtrue_oob::{CallNonce, RspRequest};
use ringtrue_stir::crypto::Es256Signature;
use ringtrue_stir::passport::{
    Destinations, Identity, Mky, Passport, PassportBuilder, UnsignedPassport,
};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use self::delivery::Group;
use crate::evaluate::ExpectedAnswer;
use crate::own_iat::OwnIat;
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{
    Action, ActionId, Context, Input, LookupSession, Monotonic, Now, OwnKeys, PeerKeys, PlacedCall,
    RecordName, Session, Step,
};

/// Lookup and own actions draw ids from different ranges, as they may be outstanding together.
const OWN_IDS: u32 = 1 << 16;

/// Whether a call was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// At least one copy is visible to the callee: dial.
    Stored,
    /// Nothing was announced. The call may still be dialled (PRV-42); the reasons say why.
    Unprotected,
}

impl Placement {
    /// The stable name, `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Unprotected => "unprotected",
        }
    }
}

/// What is needed to recognise the answer to a placed call.
#[derive(Clone, Debug)]
pub struct AnswerExpectation {
    pub(crate) answer: ExpectedAnswer,
    pub(crate) call: PlacedCall,
}

/// What came of placing a call.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Whether the call was announced.
    pub placement: Placement,
    /// Why not, or what else is worth knowing.
    pub reasons: Vec<Reason>,
    /// The calling number, one of the endpoint's own.
    pub orig: TelephoneNumber,
    /// The called number.
    pub dest: TelephoneNumber,
    /// How many sealed copies are stored.
    pub copies: usize,
    /// The callee's keys, for the host to keep in memory and hand to the next call.
    pub keys: PeerKeys,
    /// The announced call, to report what becomes of it. Also for a call that counts as unprotected
    /// because no service answered in time: one may have taken the announcement all the same.
    pub call: Option<PlacedCall>,
    /// What to wait for, if an answer was asked for.
    pub answer: Option<AnswerExpectation>,
}

enum Stage {
    /// Looking up keys and, beside it, loading the own ones.
    Preparing,
    Signing(ActionId, Box<UnsignedPassport>),
    Storing,
    Done,
}

/// Announces one call: look up keys, build and sign the PASSporT, seal one copy per key, store.
pub struct PlaceSession {
    context: Arc<Context>,
    orig: TelephoneNumber,
    dest: TelephoneNumber,
    /// Whether nobody is called: then every copy is sealed to a key that nobody has.
    is_cover: bool,
    want_answer: bool,
    deadline: Monotonic,
    ids: Ids,
    stage: Stage,
    lookup: Option<LookupSession>,
    loading: Option<ActionId>,
    own_keys: Option<OwnKeys>,
    iat: OwnIat,
    media: Option<Mky>,
    answer_to: Option<RspRequest>,
    keys: PeerKeys,
    asked_for_keys: bool,
    nonce: CallNonce,
    token: Option<String>,
    groups: Vec<Group>,
    outbox: VecDeque<Action>,
    reasons: Vec<Reason>,
}

impl PlaceSession {
    /// Begins to announce a call from `orig` to `dest`, to be done by `deadline`.
    ///
    /// `known` are keys that the host holds from an earlier call, empty if none. `want_answer` asks
    /// the callee for connected identity. `fresh` asks the key directory even if keys are at hand.
    ///
    /// # Errors
    ///
    /// [`Reason::NumberNotOwned`] if `orig` is not one of the endpoint's own numbers;
    /// [`Reason::RandomnessUnavailable`] if the platform generator fails.
    pub fn new(
        context: Arc<Context>,
        orig: TelephoneNumber,
        dest: TelephoneNumber,
        known: PeerKeys,
        want_answer: bool,
        fresh: bool,
        deadline: Monotonic,
    ) -> Result<Self, Reason> {
        if !context.owns(&orig) {
            return Err(Reason::NumberNotOwned);
        }
        let iat = OwnIat::new("call", orig.as_str(), dest.as_str());
        let nonce = CallNonce::generate(context.provider.as_ref())?;
        let lookup = LookupSession::new(Arc::clone(&context), dest.clone(), fresh, deadline)
            .with_known(known);
        let mut ids = Ids::starting_at(OWN_IDS);
        let mut outbox = VecDeque::new();
        let loading = want_answer.then(|| {
            let id = ids.next();
            outbox.push_back(Action::Load {
                id,
                record: RecordName::own_keys(),
            });
            id
        });
        Ok(Self {
            context,
            orig,
            dest,
            is_cover: false,
            want_answer,
            deadline,
            ids,
            stage: Stage::Preparing,
            lookup: Some(lookup),
            loading,
            own_keys: None,
            iat,
            media: None,
            answer_to: None,
            keys: PeerKeys::default(),
            asked_for_keys: false,
            nonce,
            token: None,
            groups: Vec::new(),
            outbox,
            reasons: Vec::new(),
        })
    }

    /// For a call whose media travel over IP: names the own media keys in the PASSporT, so that the
    /// callee can compare them with those of the session (PRV-47).
    #[must_use]
    pub fn with_media(mut self, media: Mky) -> Self {
        self.media = Some(media);
        self
    }

    /// A store that looks like the announcement of a call to `dest` whose keys `known` are at hand, and
    /// announces none. Nothing else is asked of anybody, as for such a call.
    pub(crate) fn cover(
        context: Arc<Context>,
        dest: TelephoneNumber,
        known: PeerKeys,
        deadline: Monotonic,
    ) -> Result<Self, Reason> {
        let orig = context.numbers().first().ok_or(Reason::NumberNotOwned)?;
        let orig = orig.clone();
        let mut session = Self::new(
            context,
            orig,
            dest,
            PeerKeys::default(),
            false,
            false,
            deadline,
        )?;
        session.is_cover = true;
        session.lookup = None;
        session.keys = known;
        Ok(session)
    }

    fn fail(&mut self, reason: Reason) {
        add_reason(&mut self.reasons, reason);
        self.stage = Stage::Done;
    }

    /// Plans a store that announces nothing.
    fn prepare_cover(&mut self, unix: UnixTime, now: Now) {
        self.groups = self.plan(unix);
        if self.groups.is_empty() {
            return self.fail(Reason::NoUsableKey);
        }
        self.begin_storing(now);
    }

    /// Keys are there, or will not come: build the PASSporT and ask for its signature.
    fn prepared(&mut self, iat: UnixTime, now: Now) {
        let Some(unix) = now.unix(self.context.policy.earliest_time) else {
            return self.fail(Reason::ClockUnset);
        };
        if !self.keys.has_live(unix) {
            return self.fail(Reason::NoUsableKey);
        }
        self.answer_to = self.answer_request(unix);
        if self.want_answer && self.answer_to.is_none() {
            // The call is announced all the same; only the answer cannot come.
            add_reason(&mut self.reasons, Reason::KeysNotPublished);
        }
        self.groups = self.plan(unix);
        if self.groups.is_empty() {
            return self.fail(Reason::NoUsableKey);
        }
        let unsigned = self
            .context
            .signer_for(&self.orig, unix)
            .and_then(|signer| {
                let orig = Identity::Tn(self.orig.clone());
                let dest = Destinations::of(self.dest.clone());
                let builder = PassportBuilder::base(&orig, dest, iat, signer.x5u());
                match &self.media {
                    Some(media) => builder.mky(media).build(),
                    None => builder.build(),
                }
            });
        match unsigned {
            Ok(unsigned) => {
                let id = self.ids.next();
                let message = unsigned.signing_input().as_bytes().to_vec();
                self.outbox.push_back(Action::Sign { id, message });
                self.stage = Stage::Signing(id, Box::new(unsigned));
            }
            Err(reason) => self.fail(reason),
        }
    }

    fn signed(&mut self, unsigned: UnsignedPassport, signature: &Es256Signature, now: Now) {
        let Some(unix) = now.unix(self.context.policy.earliest_time) else {
            return self.fail(Reason::ClockUnset);
        };
        let token = self
            .context
            .signer_for(&self.orig, unix)
            .and_then(|signer| {
                unsigned.complete(
                    self.context.provider.as_ref(),
                    signer.public_key(),
                    signature,
                )
            });
        match token {
            Ok(token) => {
                self.token = Some(token);
                self.begin_storing(now);
            }
            Err(reason) => self.fail(reason),
        }
    }

    /// Where the callee may answer, if it is asked to and the own keys are there.
    fn answer_request(&self, now: UnixTime) -> Option<RspRequest> {
        let keys = self
            .own_keys
            .as_ref()
            .filter(|keys| keys.statement.exp > now.as_secs())?;
        let service = self.context.services.own.first()?;
        Some(RspRequest {
            to: service.as_str().to_owned(),
            want: self.want_answer,
            eks: keys.statement.inline.clone(),
        })
    }

    fn finish(&mut self, now: Now) -> Placed {
        self.stage = Stage::Done;
        for group in self.groups.iter().filter(|group| group.result.is_none()) {
            for reason in group.store.reasons() {
                add_reason(&mut self.reasons, *reason);
            }
            if group.store.is_paying() {
                add_reason(&mut self.reasons, Reason::WalletEmpty);
            }
        }
        if self.asked_for_keys {
            // Last: it explains no failure, but whoever watches the directory saw the call begin.
            add_reason(&mut self.reasons, Reason::KeysJustInTime);
        }
        let copies = self
            .groups
            .iter()
            .filter(|group| group.result == Some(Ok(())))
            .map(|group| group.copies.len())
            .sum();
        let placement = if copies > 0 {
            Placement::Stored
        } else {
            Placement::Unprotected
        };
        let asked = self.answer_to.is_some();
        let passport = self
            .token
            .take()
            .and_then(|token| Passport::parse(&token).ok());
        let call = self.placed_call(now);
        let answer = match (placement, passport, &call) {
            (Placement::Stored, Some(passport), Some(call)) if asked => Some(AnswerExpectation {
                answer: ExpectedAnswer {
                    claims: passport.claims().clone(),
                    dialled: self.dest.clone(),
                },
                call: call.clone(),
            }),
            _ => None,
        };
        Placed {
            placement,
            reasons: core::mem::take(&mut self.reasons),
            orig: self.orig.clone(),
            dest: self.dest.clone(),
            copies,
            keys: self.keys.clone(),
            call,
            answer,
        }
    }
}

impl Session for PlaceSession {
    type Output = Placed;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Placed> {
        if let Some(action) = self.outbox.pop_front() {
            return Step::Act(action);
        }
        if now.unix(self.context.policy.earliest_time).is_none()
            && matches!(self.stage, Stage::Preparing)
        {
            // No answer would find this call fresh.
            self.fail(Reason::ClockUnset);
        }
        if let Some(lookup) = &mut self.lookup
            && matches!(self.stage, Stage::Preparing)
        {
            match lookup.next(now) {
                Step::Act(action) => return Step::Act(action),
                Step::Done(found) => {
                    self.lookup = None;
                    self.keys = found.keys;
                    self.asked_for_keys = found.asked;
                    for notice in found.notices {
                        add_reason(&mut self.reasons, notice);
                    }
                }
                Step::Wait(_) => {}
                Step::Report(never) => match never {},
            }
        }
        if matches!(self.stage, Stage::Preparing)
            && let Some(unix) = now.unix(self.context.policy.earliest_time)
        {
            if self.is_cover {
                self.prepare_cover(unix, now);
            } else if let Some(action) = self.iat.action(unix, now.monotonic, &mut self.ids) {
                return Step::Act(action);
            }
            if matches!(self.stage, Stage::Preparing)
                && self.lookup.is_none()
                && self.loading.is_none()
                && let Some(iat) = self.iat.settled(unix, now.monotonic)
            {
                self.prepared(iat, now);
                if let Some(action) = self.outbox.pop_front() {
                    return Step::Act(action);
                }
            }
        }
        if matches!(self.stage, Stage::Storing) && now.monotonic < self.deadline {
            self.send_what_is_due(now);
        }
        if matches!(self.stage, Stage::Signing(..) | Stage::Storing)
            && let Some(action) = self.store_action(now)
        {
            return Step::Act(action);
        }
        let stored = matches!(self.stage, Stage::Storing)
            && self.groups.iter().all(|group| group.result.is_some());
        let late = now.monotonic >= self.deadline;
        if late && !stored && !matches!(self.stage, Stage::Done) {
            add_reason(&mut self.reasons, Reason::DeadlinePassed);
        }
        if stored || late || matches!(self.stage, Stage::Done) {
            return Step::Done(self.finish(now));
        }
        Step::Wait(if matches!(self.stage, Stage::Preparing) {
            self.iat.wake(now.monotonic, self.deadline)
        } else {
            let next = self.groups.iter().filter_map(|group| group.due).min();
            next.map_or(self.deadline, |due| due.min(self.deadline))
        })
    }

    fn input(&mut self, input: Input, now: Now) {
        match input {
            Input::Claimed(id, result) => {
                let unix = now
                    .unix(self.context.policy.earliest_time)
                    .unwrap_or_default();
                let next = self.iat.claimed(id, result, unix, &mut self.ids);
                self.outbox.extend(next);
            }
            Input::Loaded(id, result) if self.loading == Some(id) => {
                self.loading = None;
                let keys = result.and_then(|octets| {
                    octets.map_or(Err(Reason::KeysNotPublished), |octets| {
                        OwnKeys::from_record(&octets)
                    })
                });
                match keys {
                    Ok(keys) => self.own_keys = Some(keys),
                    Err(reason) => add_reason(&mut self.reasons, reason),
                }
            }
            Input::Signature(id, result) if matches!(&self.stage, Stage::Signing(awaited, _) if *awaited == id) => {
                if let Stage::Signing(_, unsigned) =
                    core::mem::replace(&mut self.stage, Stage::Done)
                {
                    match result.and_then(|signature| signature.to_es256()) {
                        Ok(signature) => self.signed(*unsigned, &signature, now),
                        Err(reason) => self.fail(reason),
                    }
                }
            }
            other => {
                let mut other = Some(other);
                for group in &mut self.groups {
                    other = other.and_then(|input| group.store.input(input, now));
                }
                if let Some(other) = other
                    && let Some(lookup) = &mut self.lookup
                {
                    lookup.input(other, now);
                }
            }
        }
    }
}
