//! Making, keeping, rotating and publishing the endpoint's own encryption keys.

use std::collections::VecDeque;
use std::sync::Arc;

use ringtrue_oob::http::directory;
use ringtrue_oob::statement::{StatementDraft, UnsignedStatement};
use ringtrue_oob::{RecipientKey, StatementDigest, Suite, generate_key};
use ringtrue_stir::crypto::{DeviceSignature, Es256Signature};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};
use zeroize::Zeroizing;

use crate::own_keys::{OwnKey, OwnStatement, Secret};
use crate::step::Ids;
use crate::verdict::add_reason;
use crate::{
    Action, ActionId, Context, CredentialState, Input, Monotonic, Now, OwnKeys, RecordName, Role,
    Saved, Session, Step, key_overlap, statement_subject,
};

/// How often a record that another process changed meanwhile is read again.
const MAX_RESTARTS: u32 = 3;

/// Whether new keys are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PublishMode {
    /// Publish the keys that are there; make new ones only where there are none, where their
    /// statement is in the last third of its life, or where the endpoint's settings changed.
    Publish,
    /// Make and publish new keys; the ones before still open what is sealed to them. A rotation that
    /// was interrupted before every directory answered is completed instead of starting another.
    Rotate,
}

/// What came of publishing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The numbers whose directory entry is now the current statement.
    pub numbers: Vec<TelephoneNumber>,
    /// When the statement expires. Publish again before.
    pub exp: UnixTime,
    /// Whether new keys were made.
    pub rotated: bool,
    /// What is worth knowing; [`Reason::CredentialExpiring`] in the last third of the credential's life.
    pub notices: Vec<Reason>,
}

enum Stage {
    Start,
    Loading(ActionId),
    Signing {
        keys: Vec<OwnKey>,
        unsigned: Box<UnsignedStatement>,
        pending: Pending,
    },
    /// Keys and statement go to the state store before anything is published.
    Saving(ActionId, Box<OwnKeys>),
    Publishing {
        keys: Box<OwnKeys>,
        requests: Vec<(ActionId, TelephoneNumber, Place)>,
    },
    Marking(ActionId),
    Done(Result<(), Reason>),
}

/// Where a statement is sent to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Directory,
    Mirror,
}

/// The two signatures that a statement needs (W-2).
#[derive(Default)]
struct Pending {
    directory: Option<ActionId>,
    inline: Option<ActionId>,
    directory_signature: Option<Es256Signature>,
    inline_signature: Option<Es256Signature>,
}

/// Publishes the endpoint's encryption keys in the key directory, under every own number.
///
/// Crash safety: new secret keys and the statement that names them are written in one transaction
/// before the statement leaves the device, so a key that anybody can know is never lost; what was
/// not acknowledged is published again, octet for octet.
pub struct PublishSession {
    context: Arc<Context>,
    mode: PublishMode,
    deadline: Monotonic,
    ids: Ids,
    outbox: VecDeque<Action>,
    stage: Stage,
    stored: Option<Zeroizing<Vec<u8>>>,
    before: Option<OwnKeys>,
    restarts: u32,
    rotated: bool,
    about: String,
    exp: UnixTime,
    numbers: Vec<TelephoneNumber>,
    notices: Vec<Reason>,
}

impl PublishSession {
    /// Begins to publish, to be done by `deadline`.
    #[must_use]
    pub fn new(context: Arc<Context>, mode: PublishMode, deadline: Monotonic) -> Self {
        Self {
            context,
            mode,
            deadline,
            ids: Ids::default(),
            outbox: VecDeque::new(),
            stage: Stage::Start,
            stored: None,
            before: None,
            restarts: 0,
            rotated: false,
            about: String::new(),
            exp: UnixTime::default(),
            numbers: Vec::new(),
            notices: Vec::new(),
        }
    }

    fn load(&mut self) {
        let id = self.ids.next();
        self.stage = Stage::Loading(id);
        self.outbox.push_back(Action::Load {
            id,
            record: RecordName::own_keys(),
        });
    }

    fn loaded(&mut self, octets: Option<Zeroizing<Vec<u8>>>, now: Now) -> Result<(), Reason> {
        let unix = now
            .unix(self.context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)?;
        let about = statement_subject::about(&self.context, unix)?;
        // Publishing comes round daily, so this is told often enough to be seen and not with every call.
        if self.context.credential_status(unix).state == CredentialState::Expiring {
            add_reason(&mut self.notices, Reason::CredentialExpiring);
        }
        self.before = None;
        if let Some(octets) = &octets {
            // A record that cannot be read may hold published keys: it is not overwritten.
            self.before = Some(OwnKeys::from_record(octets)?);
        }
        self.stored = octets;
        let reusable = self.before.as_ref().filter(|keys| {
            let wanted = match self.mode {
                PublishMode::Publish => true,
                PublishMode::Rotate => !keys.published,
            };
            wanted && key_overlap::is_current(&keys.statement, &about, unix)
        });
        match reusable.cloned() {
            Some(keys) => {
                self.publish(keys, now.monotonic);
                Ok(())
            }
            None => self.renew(about, unix),
        }
    }

    /// Makes new keys and the statement that names them, and asks for its two signatures. Keys that no
    /// directory has acknowledged are named again instead: however often settings change while the
    /// directory is away, the keys that callers find there are never pushed out.
    fn renew(&mut self, about: String, now: UnixTime) -> Result<(), Reason> {
        let first = self
            .context
            .numbers
            .first()
            .ok_or(Reason::ConfigurationInvalid)?;
        let signer = self.context.signer_for(first, now)?;
        let mut keys = Vec::new();
        let mut made_new = false;
        let suites = statement_subject::suites(&self.context);
        for suite in suites.iter().copied() {
            keys.push(match self.unacknowledged_key(suite) {
                Some(key) => key.clone(),
                None => {
                    made_new = true;
                    self.new_key(suite)?
                }
            });
        }
        let before = self.before.as_ref().map(|keys| &keys.statement);
        // Seconds since the epoch keep rising even if the state record is lost.
        let seq = before
            .map_or(0, |statement| statement.seq.saturating_add(1))
            .max(now.as_secs());
        let overlap = key_overlap::classical_keys(self.before.as_ref(), &suites, now);
        let mut life = self.context.policy.statement_life;
        if key_overlap::is_mixed(&suites) {
            add_reason(&mut self.notices, Reason::ClassicalBesideHybrid);
        }
        let about = if overlap.is_empty() {
            about
        } else {
            life = life.min(key_overlap::MAX_OVERLAP);
            key_overlap::marked(about)
        };
        let exp = now.plus(life).min(signer.not_after());
        let issuer = self.context.policy.token_issuer.as_ref();
        let unsigned = StatementDraft {
            iat: now,
            exp,
            seq,
            numbers: self.context.numbers.clone(),
            cps: self.context.services.own.clone(),
            keys: keys
                .iter()
                .map(|key| key.recipient.clone())
                .chain(overlap)
                .collect(),
            prev: self
                .before
                .as_ref()
                .and_then(OwnKeys::last_acknowledged)
                .map(StatementDigest::from_octets),
            tok: issuer.map(ToString::to_string),
        }
        .build(signer.x5u(), signer.bag())?;
        let directory = self.ids.next();
        let inline = self.ids.next();
        for (id, message) in [
            (directory, unsigned.directory_signing_input()),
            (inline, unsigned.inline_signing_input()),
        ] {
            self.outbox.push_back(Action::Sign {
                id,
                message: message.as_bytes().to_vec(),
            });
        }
        self.rotated = made_new;
        self.about = about;
        self.stage = Stage::Signing {
            keys,
            unsigned: Box::new(unsigned),
            pending: Pending {
                directory: Some(directory),
                inline: Some(inline),
                ..Pending::default()
            },
        };
        Ok(())
    }

    /// A key that is named again, because nobody has acknowledged it.
    fn unacknowledged_key(&self, suite: Suite) -> Option<&OwnKey> {
        if self.context.hardware_key.is_some() {
            return None;
        }
        self.before.as_ref()?.unacknowledged_key(suite)
    }

    fn new_key(&self, suite: Suite) -> Result<OwnKey, Reason> {
        if let Some(key) = &self.context.hardware_key {
            let recipient = RecipientKey::new(suite, key.as_sec1())?;
            return Ok(OwnKey {
                recipient,
                secret: Secret::Hardware,
                prepared: None,
            });
        }
        let (secret, recipient) =
            generate_key(self.context.provider.as_ref(), suite).map_err(|reason| match reason {
                Reason::SuiteUnsupported => Reason::ConfigurationInvalid,
                other => other,
            })?;
        Ok(OwnKey {
            recipient,
            secret: Secret::Software(secret),
            prepared: None,
        })
    }

    fn signature(
        &mut self,
        id: ActionId,
        result: Result<DeviceSignature, Reason>,
        now: Now,
    ) -> Result<(), Reason> {
        let Stage::Signing { pending, .. } = &mut self.stage else {
            return Ok(());
        };
        if pending.directory != Some(id) && pending.inline != Some(id) {
            return Ok(());
        }
        let signature = result?.to_es256()?;
        if pending.directory == Some(id) {
            pending.directory_signature = Some(signature);
        } else {
            pending.inline_signature = Some(signature);
        }
        let (Some(directory), Some(inline)) =
            (pending.directory_signature, pending.inline_signature)
        else {
            return Ok(());
        };
        let Stage::Signing { keys, unsigned, .. } =
            core::mem::replace(&mut self.stage, Stage::Done(Err(Reason::Internal)))
        else {
            return Ok(());
        };
        let unix = now
            .unix(self.context.policy.earliest_time)
            .ok_or(Reason::ClockUnset)?;
        let first = self
            .context
            .numbers
            .first()
            .ok_or(Reason::ConfigurationInvalid)?;
        let signer = self.context.signer_for(first, unix)?;
        let (iat, exp, seq) = (unsigned.iat(), unsigned.exp(), unsigned.seq());
        let digest = *unsigned.digest().as_octets();
        let signed = unsigned.complete(
            self.context.provider.as_ref(),
            signer.public_key(),
            &directory,
            &inline,
        )?;
        let before = self.before.as_ref();
        let previous = before.map_or_else(Vec::new, |before| before.kept_beside(&keys));
        let keys = OwnKeys {
            current: keys,
            previous,
            statement: OwnStatement {
                directory: signed.directory,
                inline: signed.inline,
                digest,
                iat: iat.as_secs(),
                exp: exp.as_secs(),
                seq,
                about: core::mem::take(&mut self.about),
            },
            previous_digest: before.map(|before| before.statement.digest),
            acknowledged: before.and_then(OwnKeys::last_acknowledged),
            published: false,
        };
        let value = keys.to_record()?;
        let id = self.ids.next();
        self.outbox.push_back(Action::Save {
            id,
            record: RecordName::own_keys(),
            expected: self.stored.take(),
            value: value.clone(),
        });
        self.stored = Some(value);
        self.stage = Stage::Saving(id, Box::new(keys));
        Ok(())
    }

    fn publish(&mut self, keys: OwnKeys, now: Monotonic) {
        self.exp = UnixTime::from_secs(keys.statement.exp);
        let left = self.deadline.since(now);
        // A mirror that is silent must not hold up what the directory has acknowledged.
        let sooner = now.plus(left.checked_div(2).unwrap_or(left));
        let services = &self.context.services;
        let mut places = vec![(Place::Directory, &services.directory, self.deadline)];
        places.extend(
            services
                .mirror
                .iter()
                .map(|mirror| (Place::Mirror, mirror, sooner)),
        );
        let mut requests = Vec::new();
        for number in &self.context.numbers {
            for (place, base, deadline) in &places {
                let id = self.ids.next();
                self.outbox.push_back(Action::Request {
                    id,
                    role: Role::Publish,
                    request: directory::encode_publish(base, number, &keys.statement.directory),
                    max_answer_octets: directory::MAX_PUBLISH_ANSWER_LEN,
                    deadline: *deadline,
                });
                requests.push((id, number.clone(), *place));
            }
        }
        self.stage = Stage::Publishing {
            keys: Box::new(keys),
            requests,
        };
    }

    fn acknowledged(&mut self, id: ActionId, result: Result<(), Reason>) -> Result<(), Reason> {
        let Stage::Publishing { keys, requests } = &mut self.stage else {
            return Ok(());
        };
        let Some(at) = requests.iter().position(|(awaited, ..)| *awaited == id) else {
            return Ok(());
        };
        let (_, number, place) = requests.swap_remove(at);
        match result {
            Ok(()) if place == Place::Directory => self.numbers.push(number),
            Ok(()) => {}
            Err(reason) => add_reason(&mut self.notices, reason),
        }
        if !requests.is_empty() {
            return Ok(());
        }
        if self.numbers.len() < self.context.numbers.len() {
            // The keys are kept as unpublished; the next publication sends the same statement.
            return Err(self
                .notices
                .first()
                .copied()
                .unwrap_or(Reason::StatementRejected));
        }
        if keys.published {
            self.stage = Stage::Done(Ok(()));
            return Ok(());
        }
        keys.published = true;
        keys.acknowledged = None;
        let value = keys.to_record()?;
        let id = self.ids.next();
        self.outbox.push_back(Action::Save {
            id,
            record: RecordName::own_keys(),
            expected: self.stored.take(),
            value,
        });
        self.stage = Stage::Marking(id);
        Ok(())
    }

    fn saved(
        &mut self,
        id: ActionId,
        result: Result<Saved, Reason>,
        now: Monotonic,
    ) -> Result<(), Reason> {
        match core::mem::replace(&mut self.stage, Stage::Done(Err(Reason::Internal))) {
            Stage::Saving(awaited, keys) if awaited == id => match result? {
                Saved::Written => self.publish(*keys, now),
                Saved::Changed => {
                    // Another process of this endpoint was quicker: go on with what it wrote.
                    self.restarts = self.restarts.saturating_add(1);
                    if self.restarts > MAX_RESTARTS {
                        return Err(Reason::StateUnavailable);
                    }
                    self.rotated = false;
                    self.mode = PublishMode::Publish;
                    self.load();
                }
            },
            Stage::Marking(awaited) if awaited == id => {
                // The mark only saves a repetition; published it is in any case.
                if let Err(reason) = result {
                    add_reason(&mut self.notices, reason);
                }
                self.stage = Stage::Done(Ok(()));
            }
            other => self.stage = other,
        }
        Ok(())
    }
}

impl Session for PublishSession {
    type Output = Result<Published, Reason>;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Self::Output> {
        if let Stage::Start = self.stage {
            match now.unix(self.context.policy.earliest_time) {
                Some(_) => self.load(),
                None => self.stage = Stage::Done(Err(Reason::ClockUnset)),
            }
        }
        if let Some(action) = self.outbox.pop_front() {
            return Step::Act(action);
        }
        match &self.stage {
            Stage::Done(Ok(())) => Step::Done(Ok(Published {
                numbers: core::mem::take(&mut self.numbers),
                exp: self.exp,
                rotated: self.rotated,
                notices: core::mem::take(&mut self.notices),
            })),
            Stage::Done(Err(reason)) => Step::Done(Err(*reason)),
            _ if now.monotonic >= self.deadline => Step::Done(Err(Reason::DeadlinePassed)),
            _ => Step::Wait(self.deadline),
        }
    }

    fn input(&mut self, input: Input, now: Now) {
        let result = match input {
            Input::Loaded(id, result) => match self.stage {
                Stage::Loading(awaited) if awaited == id => {
                    result.and_then(|octets| self.loaded(octets, now))
                }
                _ => Ok(()),
            },
            Input::Signature(id, result) => self.signature(id, result, now),
            Input::Saved(id, result) => self.saved(id, result, now.monotonic),
            Input::Response(id, result) => {
                let result = result.and_then(|response| directory::decode_published(&response));
                self.acknowledged(id, result)
            }
            _ => Ok(()),
        };
        if let Err(reason) = result {
            self.stage = Stage::Done(Err(reason));
        }
    }
}
