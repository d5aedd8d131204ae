//! Listing who else can open calls to the own numbers.

use std::sync::Arc;

use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{
    Action, ActionId, Context, Found, Input, LookupSession, Monotonic, Now, OwnKeys, Reader,
    RecordName, Session, Step,
};

/// Lookups and the own action draw ids from different ranges.
const OWN_IDS: u32 = 1 << 16;

/// Who can open calls to one own number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberReaders {
    /// The own number.
    pub number: TelephoneNumber,
    /// Everybody whose statement is live, this endpoint among them.
    pub readers: Vec<Reader>,
    /// What is worth knowing: [`Reason::ReaderAdded`] if somebody is new,
    /// [`Reason::StatementSuperseded`] if somebody else signs with the own credential,
    /// [`Reason::KeysNotPublished`] if the directory does not show the own statement, alarms about
    /// statements and directories, and why a directory could not be asked.
    pub notices: Vec<Reason>,
}

enum Stage {
    Start,
    Loading(ActionId),
    Looking(Box<LookupSession>),
    Done,
}

/// Asks the key directory for the own numbers and lists who can open what callers seal for them.
///
/// Whom it listed is remembered, so that [`Reason::ReaderAdded`] is told once: somebody with a
/// certificate for the number, rightly or not, has published keys of his own (T27).
pub struct ReadersSession {
    context: Arc<Context>,
    deadline: Monotonic,
    ids: Ids,
    stage: Stage,
    load: Option<Action>,
    own: Option<OwnKeys>,
    own_failed: Option<Reason>,
    listed: Vec<NumberReaders>,
}

impl ReadersSession {
    /// Begins to list the readers of all own numbers, to be done by `deadline`.
    #[must_use]
    pub fn new(context: Arc<Context>, deadline: Monotonic) -> Self {
        Self {
            context,
            deadline,
            ids: Ids::starting_at(OWN_IDS),
            stage: Stage::Start,
            load: None,
            own: None,
            own_failed: None,
            listed: Vec::new(),
        }
    }

    /// Turns to the next number, or ends.
    fn look(&mut self) {
        let next = self.context.numbers().get(self.listed.len());
        self.stage = match next.cloned() {
            None => Stage::Done,
            Some(number) => {
                let context = Arc::clone(&self.context);
                let lookup = LookupSession::new(context, number, true, self.deadline);
                Stage::Looking(Box::new(lookup.listing()))
            }
        };
    }

    fn found(&mut self, found: &Found, now: Option<UnixTime>) {
        let Some(number) = self.context.numbers().get(self.listed.len()).cloned() else {
            return;
        };
        let mut notices = found.notices.clone();
        if let Some(reason) = self.own_failed {
            add_reason(&mut notices, reason);
        }
        let readers = now.map_or_else(Vec::new, |now| self.list(found, now, &mut notices));
        self.listed.push(NumberReaders {
            number,
            readers,
            notices,
        });
    }

    fn list(&self, found: &Found, now: UnixTime, notices: &mut Vec<Reason>) -> Vec<Reader> {
        let own_signer = self.context.signer_digest();
        let mut readers = found.keys.list(now);
        for (reader, statement) in readers.iter_mut().zip(found.keys.live(now)) {
            let digest = statement.digest().as_octets();
            reader.is_own = self
                .own
                .as_ref()
                .is_some_and(|own| own.knows_statement(digest));
            reader.is_new = found.added.contains(&reader.signer) && !reader.is_own;
            if reader.is_new {
                add_reason(notices, Reason::ReaderAdded);
            }
            if !reader.is_own && own_signer == Some(reader.signer) {
                // The own credential speaks, and not through this endpoint's keys: another device
                // of the number, a state that was lost, or a thief.
                add_reason(notices, Reason::StatementSuperseded);
            }
        }
        let published = self
            .own
            .as_ref()
            .filter(|own| own.published && own.statement.exp > now.as_secs());
        if let (Some(own), Some(shown)) = (published, &found.shown)
            && !shown.contains(&own.statement.digest)
        {
            add_reason(notices, Reason::KeysNotPublished);
        }
        readers
    }
}

impl Session for ReadersSession {
    type Output = Vec<NumberReaders>;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Self::Output> {
        if matches!(self.stage, Stage::Start) {
            let id = self.ids.next();
            self.stage = Stage::Loading(id);
            self.load = Some(Action::Load {
                id,
                record: RecordName::own_keys(),
            });
        }
        if let Some(action) = self.load.take() {
            return Step::Act(action);
        }
        let late = now.monotonic >= self.deadline;
        if late && matches!(self.stage, Stage::Loading(_)) {
            self.own_failed = Some(Reason::DeadlinePassed);
            self.look();
        }
        // One lookup after the other: a directory that sees them together learns whose numbers belong
        // together, but it learns that from the statement, which names them all.
        while let Stage::Looking(lookup) = &mut self.stage {
            match lookup.next(now) {
                Step::Act(action) => return Step::Act(action),
                Step::Wait(until) => return Step::Wait(until),
                Step::Report(never) => match never {},
                Step::Done(found) => {
                    self.found(&found, now.unix(self.context.policy.earliest_time));
                    self.look();
                }
            }
        }
        match self.stage {
            Stage::Done => Step::Done(core::mem::take(&mut self.listed)),
            _ => Step::Wait(self.deadline),
        }
    }

    fn input(&mut self, input: Input, now: Now) {
        match (&mut self.stage, input) {
            (Stage::Loading(awaited), Input::Loaded(id, result)) if *awaited == id => {
                match result.and_then(|octets| {
                    octets
                        .map(|octets| OwnKeys::from_record(&octets))
                        .transpose()
                }) {
                    Ok(own) => self.own = own,
                    Err(reason) => self.own_failed = Some(reason),
                }
                self.look();
            }
            (Stage::Looking(lookup), input) => lookup.input(input, now),
            _ => {}
        }
    }
}
