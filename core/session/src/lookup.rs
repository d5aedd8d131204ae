//! Learning the encryption keys of a number: what is remembered first, then the key directory.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::statement::{KeyStatement, VerifiedStatement};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::key_source::KeyQuery;
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
    /// The digests of the verified statements that every directory showed; `None` if none answered.
    pub(crate) shown: Option<Vec<[u8; 32]>>,
    /// Signers that were not listed before, where readers are being listed.
    pub(crate) added: Vec<[u8; 32]>,
    /// Whether a directory was asked: nothing live was remembered.
    pub asked: bool,
}

enum Stage {
    Start,
    Loading(ActionId),
    Asking(Vec<Asked>),
    Saving(ActionId),
    Done,
}

/// A directory that was asked, and what it showed.
struct Asked {
    id: ActionId,
    query: Box<dyn KeyQuery>,
    answer: Option<Result<Vec<VerifiedStatement>, Reason>>,
}

/// Learns the keys of one number.
///
/// Order (PRV-38): the state record, then, only if it holds nothing live or a fresh look is wanted,
/// the key directory. Every statement is verified before it counts, also one that was stored.
///
/// With a second directory both are asked and compared: one that hides a statement, shows an old one or
/// another one than to others is found out ([`Reason::DirectoryInconsistent`]), and what the better one
/// shows is used.
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
    outbox: VecDeque<Action>,
    is_listing: bool,
    shown: Option<Vec<[u8; 32]>>,
    added: Vec<[u8; 32]>,
    asked: bool,
    is_decoy: bool,
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
            outbox: VecDeque::new(),
            is_listing: false,
            shown: None,
            added: Vec::new(),
            asked: false,
            is_decoy: false,
        }
    }

    /// Looks a number up that nobody will call, and keeps nothing of it: the request is all that it is
    /// for.
    #[must_use]
    pub fn decoy(mut self) -> Self {
        self.fresh = true;
        self.is_decoy = true;
        self
    }

    /// Marks whom it finds as listed.
    pub(crate) const fn listing(mut self) -> Self {
        self.is_listing = true;
        self
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

    fn ask(&mut self, now: Monotonic) {
        let services = &self.context.services;
        let mut deadline = self.deadline;
        if services.mirror.is_some() {
            // With another directory to fall back on, none may use up all the time.
            let left = self.deadline.since(now);
            deadline = now.plus(left.checked_div(2).unwrap_or(left));
        }
        self.asked = true;
        let mut asked = Vec::new();
        for directory in core::iter::once(&services.directory).chain(&services.mirror) {
            let query = match self.context.key_source.query(directory, &self.number) {
                Ok(query) => query,
                Err(reason) => {
                    add_reason(&mut self.notices, reason);
                    continue;
                }
            };
            let id = self.ids.next();
            self.outbox.push_back(Action::Request {
                id,
                role: Role::Lookup,
                request: query.request(),
                max_answer_octets: query.max_answer_octets(),
                deadline,
            });
            asked.push(Asked {
                id,
                query,
                answer: None,
            });
        }
        if asked.is_empty() {
            self.stage = Stage::Done;
            return;
        }
        self.stage = Stage::Asking(asked);
    }

    fn loaded(
        &mut self,
        octets: Option<zeroize::Zeroizing<Vec<u8>>>,
        now: UnixTime,
        monotonic: Monotonic,
    ) {
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
            self.ask(monotonic);
        } else {
            self.stage = Stage::Done;
        }
    }

    /// Takes in what one directory says, and concludes once all have said something.
    fn answered(&mut self, id: ActionId, result: Result<HttpResponse, Reason>, now: UnixTime) {
        let Stage::Asking(asked) = &self.stage else {
            return;
        };
        let Some(one) = asked.iter().find(|one| one.id == id) else {
            return;
        };
        let result = result.and_then(|response| one.query.statements(&response));
        let answer = result.map(|texts| self.verify_all(&texts, now));
        if let Err(reason) = &answer {
            add_reason(&mut self.notices, *reason);
        }
        let Stage::Asking(asked) = &mut self.stage else {
            return;
        };
        if let Some(one) = asked.iter_mut().find(|one| one.id == id) {
            one.answer = Some(answer);
        }
        if asked.iter().all(|one| one.answer.is_some()) {
            self.conclude(now);
        }
    }

    fn verify_all(&mut self, texts: &[String], now: UnixTime) -> Vec<VerifiedStatement> {
        let mut verified = Vec::new();
        for text in texts {
            match self.verify(text, now) {
                Ok(statement) => verified.push(statement),
                Err(reason) => {
                    add_reason(&mut self.notices, Reason::StatementRefused);
                    add_reason(&mut self.notices, reason);
                }
            }
        }
        verified
    }

    /// Every directory has answered or failed.
    fn conclude(&mut self, now: UnixTime) {
        let Stage::Asking(asked) = core::mem::replace(&mut self.stage, Stage::Done) else {
            return;
        };
        let mut answers: Vec<Vec<VerifiedStatement>> = asked
            .into_iter()
            .filter_map(|one| one.answer?.ok())
            .collect();
        if answers.is_empty() {
            return;
        }
        if self.is_decoy {
            return;
        }
        self.shown = Some(shown_by_all(&answers));
        let mut fetched = answers.swap_remove(0);
        if let Some(other) = answers.pop() {
            if digests(&fetched) != digests(&other) {
                add_reason(&mut self.notices, Reason::DirectoryInconsistent);
            }
            fetched.extend(other);
            // What only one of them has outrun is no rollback of the signer's.
            fetched.sort_by_key(|statement| statement.seq());
        }
        self.keys.refresh(fetched, &mut self.notices);
        self.keys.forget_expired(now);
        if self.is_listing {
            self.added = self.keys.mark_listed(now);
        }
        let id = self.ids.next();
        match self.keys.to_record() {
            Ok(value) => {
                self.stage = Stage::Saving(id);
                self.outbox.push_back(Action::Save {
                    id,
                    record: RecordName::statements(&self.number),
                    expected: self.stored.take(),
                    value: value.into(),
                });
            }
            Err(reason) => add_reason(&mut self.notices, reason),
        }
    }
}

fn digests(statements: &[VerifiedStatement]) -> BTreeSet<[u8; 32]> {
    let digests = statements.iter();
    digests.map(|one| *one.digest().as_octets()).collect()
}

fn shown_by_all(answers: &[Vec<VerifiedStatement>]) -> Vec<[u8; 32]> {
    let mut answers = answers.iter().map(|answer| digests(answer));
    let first = answers.next().unwrap_or_default();
    let all = answers.fold(first, |all, one| all.intersection(&one).copied().collect());
    all.into_iter().collect()
}

impl Session for LookupSession {
    type Output = Found;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Found> {
        if let Some(action) = self.outbox.pop_front() {
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
                shown: self.shown.take(),
                added: core::mem::take(&mut self.added),
                asked: self.asked,
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
                self.loaded(octets, unix, now.monotonic);
            }
            (Stage::Asking(asked), Input::Response(id, result))
                if asked.iter().any(|one| one.id == id && one.answer.is_none()) =>
            {
                self.answered(id, result, unix);
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
