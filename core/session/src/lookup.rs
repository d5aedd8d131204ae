//! Learning the encryption keys of a number: what is remembered first, then the key directory.

use std::sync::Arc;

use ringtrue_oob::http::directory;
use ringtrue_oob::statement::{KeyStatement, VerifiedStatement};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{
    Action, ActionId, Context, Input, Monotonic, Now, PeerKeys, RecordName, Role, Session, Step,
};

/// What a lookup found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The verified statements; none if the number has none or nothing could be asked.
    pub keys: PeerKeys,
    /// What went wrong or is worth knowing.
    pub notices: Vec<Reason>,
}

#[derive(Clone, Debug)]
enum Stage {
    Start,
    Loading(ActionId),
    Asking(ActionId),
    Saving(ActionId),
    Done,
}

/// Learns the keys of one number.
///
/// Order (PRV-38): the state record, then, only if it holds nothing live or a fresh look is wanted,
/// the key directory. Every statement is verified before it counts, also one that was stored.
pub struct LookupSession {
    context: Arc<Context>,
    number: TelephoneNumber,
    deadline: Monotonic,
    fresh: bool,
    ids: Ids,
    stage: Stage,
    keys: PeerKeys,
    stored: Option<zeroize::Zeroizing<Vec<u8>>>,
    notices: Vec<Reason>,
    outbox: Option<Action>,
}

impl LookupSession {
    /// Begins a lookup that ends by `deadline`. `fresh`: ask the directory in any case.
    #[must_use]
    pub fn new(
        context: Arc<Context>,
        number: TelephoneNumber,
        fresh: bool,
        deadline: Monotonic,
    ) -> Self {
        Self {
            context,
            number,
            deadline,
            fresh,
            ids: Ids::default(),
            stage: Stage::Start,
            keys: PeerKeys::default(),
            stored: None,
            notices: Vec::new(),
            outbox: None,
        }
    }

    /// Begins with what the host still holds in memory from an earlier lookup.
    pub(crate) fn with_known(mut self, known: PeerKeys) -> Self {
        self.keys = known;
        self
    }

    fn verify(&self, text: &str, now: UnixTime) -> Result<VerifiedStatement, Reason> {
        let statement = KeyStatement::parse(text)?;
        self.context
            .verify_statement(&statement, &self.number, None, now)
    }

    fn ask(&mut self) {
        let id = self.ids.next();
        self.stage = Stage::Asking(id);
        self.outbox = Some(Action::Request {
            id,
            role: Role::Lookup,
            request: directory::encode_lookup(&self.context.services.directory, &self.number),
            max_answer_octets: directory::MAX_ANSWER_LEN,
            deadline: self.deadline,
        });
    }

    fn loaded(&mut self, octets: Option<zeroize::Zeroizing<Vec<u8>>>, now: UnixTime) {
        if let Some(octets) = octets {
            match PeerKeys::from_record(&octets) {
                Ok((keys, texts)) => {
                    self.keys = keys;
                    for text in texts {
                        // Expired or no longer trusted: forgotten, as if never stored.
                        if let Ok(statement) = self.verify(&text, now) {
                            let _ = self.keys.learn(statement);
                        }
                    }
                }
                Err(reason) => add_reason(&mut self.notices, reason),
            }
            self.stored = Some(octets);
        }
        if self.fresh || !self.keys.has_live(now) {
            self.ask();
        } else {
            self.stage = Stage::Done;
        }
    }

    fn answered(&mut self, texts: Vec<String>, now: UnixTime) {
        let mut fetched = Vec::new();
        for text in texts {
            match self.verify(&text, now) {
                Ok(statement) => fetched.push(statement),
                Err(reason) => {
                    add_reason(&mut self.notices, Reason::StatementRefused);
                    add_reason(&mut self.notices, reason);
                }
            }
        }
        self.keys.refresh(fetched, &mut self.notices);
        self.keys.forget_expired(now);
        let id = self.ids.next();
        match self.keys.to_record() {
            Ok(value) => {
                self.stage = Stage::Saving(id);
                self.outbox = Some(Action::Save {
                    id,
                    record: RecordName::statements(&self.number),
                    expected: self.stored.take(),
                    value: value.into(),
                });
            }
            Err(reason) => {
                add_reason(&mut self.notices, reason);
                self.stage = Stage::Done;
            }
        }
    }
}

impl Session for LookupSession {
    type Output = Found;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Found> {
        if let Some(action) = self.outbox.take() {
            return Step::Act(action);
        }
        if let Stage::Start = self.stage {
            let live = now
                .unix(self.context.policy.earliest_time)
                .is_some_and(|now| self.keys.has_live(now));
            if live && !self.fresh {
                self.stage = Stage::Done;
            } else {
                let id = self.ids.next();
                self.stage = Stage::Loading(id);
                return Step::Act(Action::Load {
                    id,
                    record: RecordName::statements(&self.number),
                });
            }
        }
        let late = now.monotonic >= self.deadline;
        if late && !matches!(self.stage, Stage::Done | Stage::Saving(_)) {
            add_reason(&mut self.notices, Reason::DeadlinePassed);
        }
        if late || matches!(self.stage, Stage::Done) {
            self.stage = Stage::Done;
            return Step::Done(Found {
                keys: self.keys.clone(),
                notices: core::mem::take(&mut self.notices),
            });
        }
        Step::Wait(self.deadline)
    }

    fn input(&mut self, input: Input, now: Now) {
        let Some(unix) = now.unix(self.context.policy.earliest_time) else {
            add_reason(&mut self.notices, Reason::ClockUnset);
            self.stage = Stage::Done;
            return;
        };
        match (&self.stage, input) {
            (Stage::Loading(awaited), Input::Loaded(id, result)) if *awaited == id => {
                let octets = result.unwrap_or_else(|reason| {
                    add_reason(&mut self.notices, reason);
                    None
                });
                self.loaded(octets, unix);
            }
            (Stage::Asking(awaited), Input::Response(id, result)) if *awaited == id => {
                match result.and_then(|response| directory::decode_statements(&response)) {
                    Ok(texts) => self.answered(texts, unix),
                    Err(reason) => {
                        add_reason(&mut self.notices, reason);
                        self.stage = Stage::Done;
                    }
                }
            }
            (Stage::Saving(awaited), Input::Saved(id, result)) if *awaited == id => {
                // Losing a race against another process of this endpoint loses nothing: it learned
                // the same. Not being able to store at all is worth knowing.
                if let Err(reason) = result {
                    add_reason(&mut self.notices, reason);
                }
                self.stage = Stage::Done;
            }
            _ => {}
        }
    }
}
