//! A client: what does not change from call to call, and its sessions.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringtrue_oob::{BaseUrl, CallPhase};
use ringtrue_session::{
    AnswerSession, AwaitAnswerSession, CallId, Context, GatewayKeysSession, LookupSession,
    Monotonic, Now, PeerKeys, PlaceSession, PublishMode, PublishSession, RefillSession,
    RingSession, Session, StateReportSession,
};
use ringtrue_stir::{Reason, TelephoneNumber};

use crate::code::Code;
use crate::configuration::{Prepared, number};
use crate::conversation;
use crate::found::{Found, Keys, published};
use crate::live_session::{Answer, LiveSession};
use crate::table::Table;
use crate::types::{Action, Outcome, Verdict};

/// One endpoint. May be used from several threads, one at a time per session: the lock is held to look a
/// session up, never while it works.
pub(crate) struct Client {
    prepared: Prepared,
    table: Mutex<Table>,
}

/// Which way a session goes on to its end.
pub(crate) struct Place<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) want_answer: bool,
    pub(crate) fresh_keys: bool,
}

impl Client {
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`].
    pub(crate) fn new(prepared: Prepared) -> Result<Self, Reason> {
        let mut tag = [0; 2];
        prepared.context.provider().fill_random(&mut tag)?;
        let table = Table::new(u16::from_be_bytes(tag), prepared.max_sessions);
        Ok(Self {
            prepared,
            table: Mutex::new(table),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn context(&self) -> std::sync::Arc<Context> {
        std::sync::Arc::clone(&self.prepared.context)
    }

    fn number(&self, text: &str) -> Result<TelephoneNumber, Reason> {
        number(self.prepared.numbers.as_ref(), text)
    }

    /// Begins to verify a call that rings. `to` is empty where the host cannot tell which own number is
    /// called. A calling number that is none counts as withheld: what a network delivers is nobody's
    /// misuse.
    pub(crate) fn ring(
        &self,
        from: &str,
        to: &str,
        follow: bool,
        within_ms: u32,
        now: Now,
    ) -> Result<u64, Code> {
        let from = self.number(from).ok();
        let to = match to {
            "" => None,
            text => Some(self.number(text)?),
        };
        let deadline = self.until(within_ms, |context| context.policy().ring_deadline, now);
        let session = RingSession::new(self.context(), from.clone(), to, deadline, now)?;
        let session = if follow {
            session.staying(now)
        } else {
            session
        };
        let ring = |found| Found::Ring(Box::new(found));
        self.begin(session, ring, ring, |table| {
            Some(table.calls.ring(from, now.monotonic))
        })
    }

    /// Begins to announce a call.
    pub(crate) fn place(&self, place: &Place<'_>, within_ms: u32, now: Now) -> Result<u64, Code> {
        let deadline = self.until(within_ms, |context| context.policy().place_deadline, now);
        let session = PlaceSession::new(
            self.context(),
            self.number(place.from)?,
            self.number(place.to)?,
            PeerKeys::default(),
            place.want_answer,
            place.fresh_keys,
            deadline,
        )?;
        let placed = |found| Found::Placed(Box::new(found));
        self.begin(session, placed, |never| match never {}, |_| None)
    }

    /// Begins to wait for who answers a call that `placed` announced.
    pub(crate) fn await_answer(
        &self,
        placed: u64,
        follow: bool,
        within_ms: u32,
        now: Now,
    ) -> Result<u64, Code> {
        let expected = self.of_placed(placed, |found| found.answer.clone())?;
        let orig = self.of_placed(placed, |found| Some(found.orig.clone()))?;
        let deadline = self.until(within_ms, |context| context.policy().await_answer, now);
        let session = AwaitAnswerSession::new(self.context(), expected, deadline, now);
        let session = if follow {
            session.staying(now)
        } else {
            session
        };
        let answer = |found| Found::Answer(Box::new(found));
        self.begin(session, answer, answer, |table| {
            Some(table.calls.dial(orig, now.monotonic))
        })
    }

    /// Begins to report what became of a call that `placed` announced.
    pub(crate) fn report(&self, placed: u64, state: CallPhase, now: Now) -> Result<u64, Code> {
        let call = self.of_placed(placed, |found| found.call.clone())?;
        let deadline = self.until(0, |context| context.policy().answer_deadline, now);
        let session =
            StateReportSession::new(self.context(), call, state, now.monotonic, deadline)?;
        self.begin(session, Found::Reported, |never| match never {}, |_| None)
    }

    /// Begins to show the caller of the verified call `ring` who is here.
    pub(crate) fn answer(
        &self,
        ring: u64,
        state: CallPhase,
        within_ms: u32,
        now: Now,
    ) -> Result<u64, Code> {
        let call = match self.table().look(ring)?.found() {
            Some(Found::Ring(outcome)) => outcome.call.clone().ok_or(Reason::NotVerified)?,
            _ => return Err(Code::ORDER),
        };
        let deadline = self.until(within_ms, |context| context.policy().answer_deadline, now);
        let session = AnswerSession::new(self.context(), call, state, deadline)?;
        let session = session.since(now.monotonic);
        self.table().require_room()?;
        if state == CallPhase::Answered {
            // The session looks into the mailbox by itself.
            self.table().answered(ring, now.monotonic, false)?;
        }
        self.begin(session, Found::Answered, |never| match never {}, |_| None)
    }

    /// Begins to publish the own encryption keys.
    pub(crate) fn publish(&self, mode: PublishMode, within_ms: u32, now: Now) -> Result<u64, Code> {
        let deadline = self.until(within_ms, |it| it.policy().directory_deadline, now);
        let session = PublishSession::new(self.context(), mode, deadline);
        self.begin(session, published, |never| match never {}, |_| None)
    }

    /// Begins to learn the keys of a number ahead of a call. `now` is when they are counted.
    pub(crate) fn prefetch(&self, to: &str, within_ms: u32, now: Now) -> Result<u64, Code> {
        let deadline = self.until(within_ms, |it| it.policy().directory_deadline, now);
        let session = LookupSession::new(self.context(), self.number(to)?, true, deadline);
        let session = Counting {
            session,
            unix: now.unix(self.prepared.context.policy().earliest_time),
        };
        self.begin(session, Found::Keys, |never| match never {}, |_| None)
    }

    /// Begins to learn the keys of the gateway of `service` ahead of calls; empty: the key directory's.
    pub(crate) fn gateway(&self, service: &str, within_ms: u32, now: Now) -> Result<u64, Code> {
        let service = match service {
            "" => self.prepared.context.services().directory.clone(),
            text => BaseUrl::parse(text)?,
        };
        let deadline = self.until(within_ms, |it| it.policy().directory_deadline, now);
        let session = GatewayKeysSession::new(self.context(), &service, deadline);
        let learned = |result: Result<(), Reason>| match result {
            Ok(()) => Found::Gateway(Ok(()), Vec::new()),
            Err(reason) => Found::Gateway(Err(reason), vec![reason]),
        };
        self.begin(session, learned, |never| match never {}, |_| None)
    }

    /// Begins to fill a wallet that the finished session `of` named: there may be several.
    pub(crate) fn refill(&self, of: u64, at: u32, within_ms: u32, now: Now) -> Result<u64, Code> {
        let unix = now.unix(self.prepared.context.policy().earliest_time);
        let unix = unix.ok_or(Reason::ClockUnset)?;
        let wallets = match self.table().look(of)?.found() {
            Some(Found::Placed(placed)) => placed.keys.wallets(&self.prepared.context, unix),
            Some(Found::Keys(keys)) => keys.peer.wallets(&self.prepared.context, unix),
            Some(Found::Answered(answered)) => answered.refill.iter().cloned().collect(),
            _ => return Err(Code::ORDER),
        };
        let at = usize::try_from(at).map_err(|_| Code::ORDER)?;
        let name = wallets.into_iter().nth(at).ok_or(Code::ORDER)?;
        let deadline = self.until(within_ms, |it| it.policy().refill_deadline, now);
        let session = RefillSession::new(self.context(), name, deadline);
        self.begin(session, Found::Refilled, |never| match never {}, |_| None)
    }

    fn until(&self, ms: u32, default: impl Fn(&Context) -> Duration, now: Now) -> Monotonic {
        now.monotonic.plus(match ms {
            0 => default(&self.prepared.context),
            ms => Duration::from_millis(ms.into()),
        })
    }

    fn begin<S: Session + Send + 'static>(
        &self,
        session: S,
        done: fn(S::Output) -> Found,
        report: fn(S::Report) -> Found,
        call: impl FnOnce(&mut Table) -> Option<CallId>,
    ) -> Result<u64, Code> {
        let prepared = &self.prepared;
        let talk = conversation::begin(session, &prepared.context, &prepared.records, done, report);
        let mut table = self.table();
        table.require_room()?;
        let call = call(&mut table);
        table.insert(LiveSession::new(talk), call)
    }

    /// A part of what a finished announcement left.
    fn of_placed<T>(
        &self,
        handle: u64,
        part: impl FnOnce(&ringtrue_session::Placed) -> Option<T>,
    ) -> Result<T, Code> {
        match self.table().look(handle)?.found() {
            Some(Found::Placed(placed)) => part(placed).ok_or(Code::ORDER),
            _ => Err(Code::ORDER),
        }
    }

    /// The next action of a session.
    pub(crate) fn next(&self, handle: u64, now: Now) -> Result<Action, Code> {
        let prepared = &self.prepared;
        let (provider, signer) = (prepared.context.provider().as_ref(), &prepared.signer);
        self.work(handle, now, |session| {
            Ok(session.next(now, provider, signer.as_ref()))
        })
    }

    /// Takes the answer to an action.
    pub(crate) fn input(&self, handle: u64, id: u32, answer: Answer, now: Now) -> Result<(), Code> {
        self.work(handle, now, |session| session.answer(id, answer, now))
    }

    /// Works on a session outside of the lock.
    fn work<T>(
        &self,
        handle: u64,
        now: Now,
        work: impl FnOnce(&mut LiveSession) -> Result<T, Code>,
    ) -> Result<T, Code> {
        let (mut session, events) = self.table().take(handle)?;
        // If the work panics the session is lost with it; its place is not.
        let mut guard = Abandon(Some((self, handle)));
        for event in events {
            session.event(event, now);
        }
        let result = work(&mut session);
        guard.0 = None;
        self.table().put_back(handle, session);
        result
    }

    /// Notes that the call of a session was answered or ended.
    pub(crate) fn event(&self, handle: u64, state: CallPhase, now: Now) -> Result<(), Code> {
        match state {
            CallPhase::Answered => self.table().answered(handle, now.monotonic, true),
            CallPhase::Gone => self.table().ended(handle),
            CallPhase::Alerting => Err(Code::UNKNOWN),
        }
    }

    /// The verdict that a session has by now.
    pub(crate) fn verdict(&self, handle: u64) -> Result<Verdict, Code> {
        let mut table = self.table();
        let found = table.look(handle)?.found();
        found.and_then(Found::verdict).ok_or(Code::ORDER)
    }

    /// What a session ended with.
    pub(crate) fn outcome(&self, handle: u64) -> Result<Outcome, Code> {
        let mut table = self.table();
        let session = table.look(handle)?;
        let found = session.found().filter(|_| session.is_done());
        found.and_then(Found::outcome).ok_or(Code::ORDER)
    }

    /// Frees a session.
    pub(crate) fn free(&self, handle: u64) -> Result<(), Code> {
        let session = self.table().free(handle)?;
        // Dropped outside of the lock.
        drop(session);
        Ok(())
    }
}

/// Frees the place of a session whose work did not come to its end.
struct Abandon<'a>(Option<(&'a Client, u64)>);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        if let Some((client, handle)) = self.0.take() {
            client.table().abandon(handle);
        }
    }
}

/// A lookup that ends with how many can read what is sealed for the number.
struct Counting {
    session: LookupSession,
    unix: Option<ringtrue_stir::UnixTime>,
}

impl Session for Counting {
    type Output = Keys;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> ringtrue_session::Step<Self::Output> {
        use ringtrue_session::Step;
        match self.session.next(now) {
            Step::Act(action) => Step::Act(action),
            Step::Wait(until) => Step::Wait(until),
            Step::Done(found) => {
                let readers = self.unix.map_or(0, |unix| found.keys.readers(unix));
                let mut reasons = found.notices;
                if readers == 0 && reasons.is_empty() {
                    reasons.push(Reason::NoUsableKey);
                }
                Step::Done(Keys {
                    peer: found.keys,
                    readers,
                    reasons,
                })
            }
            // Sessions of this version take no other steps.
            _ => Step::Wait(now.monotonic),
        }
    }

    fn input(&mut self, input: ringtrue_session::Input, now: Now) {
        self.session.input(input, now);
    }
}
