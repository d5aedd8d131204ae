//! Sending connected identity back to a verified caller.

use std::collections::VecDeque;
use std::sync::Arc;

use core::time::Duration;

use ringtrue_oob::http::placement;
use ringtrue_oob::statement::{KeyStatement, VerifiedStatement};
use ringtrue_oob::{BaseUrl, CallPhase, Content, Destination, RspRequest, seal};
use ringtrue_stir::crypto::Es256Signature;
use ringtrue_stir::passport::{Mky, PassportBuilder, UnsignedPassport};
use ringtrue_stir::{Reason, UnixTime};
use zeroize::Zeroizing;

use crate::mailbox::Mailboxes;
use crate::own_iat::OwnIat;
use crate::paid_store::{PaidStore, issuer_of};
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{
    Action, ActionId, Context, Input, Monotonic, Now, PeerKeys, RecordName, Session, Step,
    VerifiedCall, WalletName, filler, jitter,
};

/// The mailbox and own actions draw ids from different ranges, as they may be outstanding together.
const OWN_IDS: u32 = 1 << 16;

/// How long the last look into the mailbox may hold the answer up.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// What came of answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whether the caller can now fetch who answered.
    pub sent: bool,
    /// Whether the caller has reported meanwhile that it ended its call: then this one is not its
    /// call, nothing was sent, and the verdict is `conflicting`.
    pub caller_gone: bool,
    /// The wallet that a token was taken from, or would have been: to be filled at a random later time.
    pub refill: Option<WalletName>,
    /// Why nothing was sent, or what else is worth knowing.
    pub reasons: Vec<Reason>,
}

enum Stage {
    Start,
    /// The last look is out, and the date of the answer is being found.
    Dating,
    Signing(ActionId, Box<UnsignedPassport>),
    /// Signed; the last look into the mailbox is still out, or the random delay is not over.
    Signed {
        token: String,
        store_at: Monotonic,
    },
    Storing {
        store: Box<PaidStore>,
        service: BaseUrl,
        count: usize,
    },
    Done {
        sent: bool,
    },
}

/// Signs an `rsp` PASSporT, seals it to the caller's key statement and leaves it at the caller's
/// service, after a last look into the own mailbox (W-32) for a caller that is gone.
///
/// Source: RFC 9970 section 4; the profile is this project's own: docs/protocol.md
/// section 13.2.
pub struct AnswerSession {
    context: Arc<Context>,
    call: VerifiedCall,
    state: CallPhase,
    since: Option<Monotonic>,
    looks: bool,
    media: Option<Mky>,
    deadline: Monotonic,
    look_until: Monotonic,
    mailboxes: Mailboxes,
    ids: Ids,
    outbox: VecDeque<Action>,
    iat: OwnIat,
    stage: Stage,
    caller_gone: bool,
    /// The reading of what is remembered of the caller's statements.
    loading: Option<ActionId>,
    known: PeerKeys,
    refill: Option<WalletName>,
    reasons: Vec<Reason>,
}

impl AnswerSession {
    /// Begins to answer `call` at `now`, to be done by `deadline`. `state` says what the call does:
    /// [`CallPhase::Alerting`] or [`CallPhase::Answered`].
    ///
    /// # Errors
    ///
    /// [`Reason::RspNotRequested`] if the caller did not ask; [`Reason::ConfigurationInvalid`] for
    /// [`CallPhase::Gone`], which is the caller's to say.
    pub fn new(
        context: Arc<Context>,
        call: VerifiedCall,
        state: CallPhase,
        deadline: Monotonic,
    ) -> Result<Self, Reason> {
        if !call.wants_answer() {
            return Err(Reason::RspNotRequested);
        }
        if state == CallPhase::Gone {
            return Err(Reason::ConfigurationInvalid);
        }
        let iat = OwnIat::new("rsp", call.orig.as_str(), call.dest.as_str());
        let mailboxes = Mailboxes::new(Arc::clone(&context), core::slice::from_ref(&call.dest));
        Ok(Self {
            context,
            call,
            state,
            since: None,
            looks: true,
            media: None,
            deadline,
            look_until: deadline,
            mailboxes,
            ids: Ids::starting_at(OWN_IDS),
            outbox: VecDeque::new(),
            iat,
            stage: Stage::Start,
            caller_gone: false,
            loading: None,
            known: PeerKeys::default(),
            refill: None,
            reasons: Vec::new(),
        })
    }

    /// States since when the call is in its state, if not since the session began.
    #[must_use]
    pub fn since(mut self, at: Monotonic) -> Self {
        self.since = Some(at);
        self
    }

    /// Leaves the last look out: somebody else has just looked, or does.
    #[must_use]
    pub fn without_look(mut self) -> Self {
        self.looks = false;
        self
    }

    /// For a call whose media travel over IP: names the own media keys in the `rsp`, so that the caller
    /// can compare them with those of the session (PRV-47).
    #[must_use]
    pub fn with_media(mut self, media: Mky) -> Self {
        self.media = Some(media);
        self
    }

    fn fail(&mut self, reason: Reason) {
        add_reason(&mut self.reasons, reason);
        self.stage = Stage::Done { sent: false };
    }

    fn start(&mut self, now: Now) -> Result<(), Reason> {
        let unix = now
            .unix(self.context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)?;
        // Before anything is asked: who cannot sign need not look.
        self.context.signer_for(&self.call.dest, unix)?;
        self.since.get_or_insert(now.monotonic);
        self.look_until = self.deadline.min(now.monotonic.plus(LAST_LOOK));
        if self.looks {
            self.mailboxes.poll(self.look_until, now);
        }
        self.outbox
            .extend(self.iat.action(unix, now.monotonic, &mut self.ids));
        let id = self.ids.next();
        self.loading = Some(id);
        self.outbox.push_back(Action::Load {
            id,
            record: RecordName::statements(&self.call.orig),
        });
        self.stage = Stage::Dating;
        Ok(())
    }

    fn dated(&mut self, iat: UnixTime, unix: UnixTime) -> Result<(), Reason> {
        let signer = self.context.signer_for(&self.call.dest, unix)?;
        let claims = self.call.passport.claims();
        // Both as in the caller's PASSporT: they are not swapped (RSP-20).
        let builder = PassportBuilder::rsp(claims.orig(), claims.dest().clone(), iat, signer.x5u());
        let unsigned = match &self.media {
            Some(media) => builder.mky(media).build()?,
            None => builder.build()?,
        };
        let id = self.ids.next();
        let message = unsigned.signing_input().as_bytes().to_vec();
        self.outbox.push_back(Action::Sign { id, message });
        self.stage = Stage::Signing(id, Box::new(unsigned));
        Ok(())
    }

    fn signed(
        &self,
        unsigned: UnsignedPassport,
        signature: &Es256Signature,
        now: Now,
    ) -> Result<String, Reason> {
        let unix = now
            .unix(self.context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)?;
        let signer = self.context.signer_for(&self.call.dest, unix)?;
        unsigned.complete(
            self.context.provider.as_ref(),
            signer.public_key(),
            signature,
        )
    }

    /// The statement to seal to. It came inside the sealed content; its signer has to cover the
    /// calling number, must not have said something newer or other before (PRV-37), and the answer may
    /// only go to a service that it names (W-5).
    fn reader(&self, rsp: &RspRequest, now: Now) -> Result<(BaseUrl, VerifiedStatement), Reason> {
        let unix = now
            .unix(self.context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)?;
        let statement = KeyStatement::parse(&rsp.eks)?;
        let bag = self.call.bag.as_ref().ok();
        let statement = self
            .context
            .verify_statement(&statement, &self.call.orig, bag, unix)?;
        self.context.require_reader(&statement, unix)?;
        self.known.clone().learn(statement.clone())?;
        let service = BaseUrl::parse(&rsp.to)?;
        if !statement.cps().contains(&service) {
            return Err(Reason::RspServiceNotAllowed);
        }
        Ok((service, statement))
    }

    fn store(&mut self, token: &str, now: Now) -> Result<(), Reason> {
        let earliest = self.context.policy.earliest_time;
        let since = self.since.unwrap_or(now.monotonic);
        // The service of the call, not the one where this goes: both sides know that one's clock.
        let seen = self.mailboxes.clock(&self.call.service);
        let moment = self.call.clock.and(seen).moment(since, now, earliest);
        let state = moment.ok_or(Reason::ClockUnset)?.state(self.state);
        let unix = now
            .unix(self.context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)?;
        let rsp = self.call.rsp.as_ref().ok_or(Reason::RspNotRequested)?;
        let (service, statement) = self.reader(rsp, now)?;
        let signer = self.context.signer_for(&self.call.dest, unix)?;
        let content = Content {
            ppts: vec![token.to_owned()],
            x5c: signer.bag().to_x5c(),
            cps: Some(service.authority().to_owned()),
            ksd: Some(*statement.digest()),
            st: Some(state),
            ..Content::new(self.call.nonce)
        };
        let content = content.to_octets()?;
        let destination = Destination::TelephoneNumber(self.call.orig.clone());
        let keys = statement.recipients();
        if keys.len() > placement::MAX_STORE_BLOBS {
            add_reason(&mut self.reasons, Reason::KeysTruncated);
        }
        let blobs = keys
            .iter()
            .take(placement::MAX_STORE_BLOBS)
            .map(|key| seal(self.context.provider.as_ref(), key, &destination, &content))
            .collect::<Result<Vec<_>, Reason>>()?;
        if blobs.is_empty() {
            return Err(Reason::NoUsableKey);
        }
        let blobs = filler::round_up(self.context.provider.as_ref(), blobs)?;
        let count = blobs.len();
        let issuer = issuer_of(&statement);
        self.refill = issuer
            .clone()
            .map(|issuer| WalletName::new(issuer, service.authority()));
        let mut store = PaidStore::new(
            Arc::clone(&self.context),
            service.clone(),
            issuer,
            self.call.dest.clone(),
            0,
            self.deadline,
        );
        store.send(&self.call.orig, blobs, self.deadline);
        self.stage = Stage::Storing {
            store: Box::new(store),
            service,
            count,
        };
        Ok(())
    }

    /// The next action of the store; takes in its end.
    fn store_action(&mut self, now: Now) -> Option<Action> {
        let Stage::Storing {
            store,
            service,
            count,
        } = &mut self.stage
        else {
            return None;
        };
        if let Some(action) = store.action(now) {
            return Some(action);
        }
        let end = store.take_end()?;
        for reason in store.reasons() {
            add_reason(&mut self.reasons, *reason);
        }
        let stored = end
            .answer
            .and_then(|answer| placement::decode_stored(service, &answer, *count));
        match stored {
            Ok(_) => self.stage = Stage::Done { sent: true },
            Err(reason) => self.fail(reason),
        }
        None
    }
}

impl Session for AnswerSession {
    type Output = Answered;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Answered> {
        if let Stage::Start = self.stage
            && let Err(reason) = self.start(now)
        {
            self.fail(reason);
        }
        if let Stage::Dating = self.stage
            && let Some(unix) = now.unix(self.context.policy.earliest_time)
            && let Some(iat) = self.iat.settled(unix, now.monotonic)
            && let Err(reason) = self.dated(iat, unix)
        {
            self.fail(reason);
        }
        if let Some(action) = self.outbox.pop_front().or_else(|| self.mailboxes.action()) {
            return Step::Act(action);
        }
        if self.mailboxes.work() {
            return Step::Wait(now.monotonic);
        }
        if let Some(action) = self.mailboxes.action() {
            // For a key in hardware, opening asks for agreements.
            return Step::Act(action);
        }
        for opened in self.mailboxes.take_opened() {
            let gone = opened
                .content
                .st
                .is_some_and(|report| report.s == CallPhase::Gone);
            if gone && opened.content.n == self.call.nonce {
                self.caller_gone = true;
                self.fail(Reason::CallerGone);
            }
        }
        let looking = now.monotonic < self.look_until;
        if !looking && !self.mailboxes.is_idle() {
            // The state store and a key in hardware have no deadline of their own.
            self.mailboxes.give_up(now);
        }
        if !looking && self.loading.take().is_some() {
            add_reason(&mut self.reasons, Reason::DeadlinePassed);
        }
        let store_at = match &self.stage {
            Stage::Signed { store_at, .. } => *store_at,
            _ => self.deadline,
        };
        if let Stage::Signed { token, .. } = &self.stage
            && self.mailboxes.is_idle()
            && self.loading.is_none()
            && now.monotonic >= store_at
        {
            let token = token.clone();
            if let Err(reason) = self.store(&token, now) {
                self.fail(reason);
            }
        }
        if let Some(action) = self.store_action(now) {
            return Step::Act(action);
        }
        if now.monotonic >= self.deadline && !matches!(self.stage, Stage::Done { .. }) {
            if let Stage::Storing { store, .. } = &self.stage
                && store.is_paying()
            {
                add_reason(&mut self.reasons, Reason::WalletEmpty);
            }
            self.fail(Reason::DeadlinePassed);
        }
        if let Stage::Done { sent } = self.stage {
            for reason in self.mailboxes.reasons() {
                add_reason(&mut self.reasons, *reason);
            }
            return Step::Done(Answered {
                sent,
                caller_gone: self.caller_gone,
                refill: self.refill.take(),
                reasons: core::mem::take(&mut self.reasons),
            });
        }
        let wake = if looking && !(self.mailboxes.is_idle() && self.loading.is_none()) {
            self.look_until
        } else {
            store_at.min(self.deadline)
        };
        Step::Wait(if let Stage::Dating = self.stage {
            self.iat.wake(now.monotonic, wake)
        } else {
            wake
        })
    }

    fn input(&mut self, input: Input, now: Now) {
        match input {
            Input::Signature(id, result) if matches!(&self.stage, Stage::Signing(awaited, _) if *awaited == id) =>
            {
                let stage = core::mem::replace(&mut self.stage, Stage::Done { sent: false });
                let Stage::Signing(_, unsigned) = stage else {
                    return;
                };
                let token = result
                    .and_then(|signature| signature.to_es256())
                    .and_then(|signature| self.signed(*unsigned, &signature, now));
                match token {
                    Ok(token) => {
                        let store_at = jitter::store_at(&self.context, now, self.deadline);
                        self.stage = Stage::Signed { token, store_at };
                    }
                    Err(reason) => self.fail(reason),
                }
            }
            Input::Loaded(id, result) if self.loading == Some(id) => {
                self.loading = None;
                let read = |octets: Zeroizing<Vec<u8>>| PeerKeys::from_record(&octets);
                match result.and_then(|octets| octets.map(read).transpose()) {
                    Ok(known) => self.known = known.map(|(keys, _)| keys).unwrap_or_default(),
                    // An answer is not worth less than an announcement, which goes on as well.
                    Err(reason) => add_reason(&mut self.reasons, reason),
                }
            }
            Input::Claimed(id, result) => {
                let unix = now
                    .unix(self.context.policy.earliest_time)
                    .unwrap_or_default();
                let next = self.iat.claimed(id, result, unix, &mut self.ids);
                self.outbox.extend(next);
            }
            other => {
                let other = match &mut self.stage {
                    Stage::Storing { store, .. } => store.input(other, now),
                    _ => Some(other),
                };
                if let Some(other) = other {
                    drop(self.mailboxes.input(other, now));
                }
            }
        }
    }
}
