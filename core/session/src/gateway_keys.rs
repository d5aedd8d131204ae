//! The keys of a gateway: asked for twice, compared, kept.
//!
//! A gateway that showed each client another key would recognise its clients by the key they use. So
//! the keys are asked for directly, which proves whose they are, and through the relay, which hides who
//! asks; only a key that both answers show is used (RFC 9458 section 7.1; threat T9).

use std::sync::Arc;

use ringtrue_oob::BaseUrl;
use ringtrue_oob::http::{HttpResponse, Role};
use ringtrue_oob::ohttp::{
    KeyConfig, MAX_KEY_CONFIGS_LEN, encode_key_configs, messages, parse_key_configs,
};
use ringtrue_stir::{Reason, UnixTime, base64url};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::step::Ids;
use crate::{Action, ActionId, Context, Input, Monotonic, Now, RecordName, Session, Step};

/// Keys older than this are not used: gateways keep a key for a day after its last use.
const MAX_AGE: u64 = 20 * 3600;

/// Keys older than this are asked for again, ahead of need.
const REFRESH_AGE: u64 = 8 * 3600;

/// A record holds one list and a time.
const MAX_RECORD_LEN: usize = 2 * MAX_KEY_CONFIGS_LEN;

/// Octets of the answer with the keys, with room for a problem.
const MAX_ANSWER_LEN: usize = MAX_KEY_CONFIGS_LEN;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    v: u32,
    /// The list, base64url.
    keys: String,
    /// When it was asked for, Unix seconds.
    at: u64,
}

impl Record {
    fn read(octets: &[u8]) -> Result<(Vec<KeyConfig>, u64), Reason> {
        let malformed = Reason::MalformedRecord;
        if octets.len() > MAX_RECORD_LEN {
            return Err(malformed);
        }
        let record: Self = serde_json::from_slice(octets).map_err(|_| malformed)?;
        let list = base64url::decode(&record.keys).map_err(|_| malformed)?;
        if record.v != 1 {
            return Err(malformed);
        }
        let keys = parse_key_configs(&list).map_err(|_| malformed)?;
        Ok((keys, record.at))
    }

    fn write(keys: &[KeyConfig], at: UnixTime) -> Result<Vec<u8>, Reason> {
        let record = Self {
            v: 1,
            keys: base64url::encode(&encode_key_configs(keys)),
            at: at.as_secs(),
        };
        serde_json::to_vec(&record).map_err(|_| Reason::Internal)
    }
}

enum Stage {
    Start,
    Loading(ActionId),
    Asking { direct: ActionId, relayed: ActionId },
    Done(Result<KeyConfig, Reason>),
}

/// Gets the key of one gateway, for a session that needs it or ahead of that.
pub(crate) struct KeysFetch {
    service: BaseUrl,
    relay_url: String,
    deadline: Monotonic,
    /// The age, in seconds, beyond which a kept key is asked for again.
    max_age: u64,
    stage: Stage,
    asked: bool,
    stored: Option<Zeroizing<Vec<u8>>>,
    direct: Option<Vec<KeyConfig>>,
    relayed: Option<Vec<KeyConfig>>,
    saving: Option<ActionId>,
}

impl KeysFetch {
    /// `fresh`: whatever is kept is out of date.
    pub(crate) fn new(
        service: BaseUrl,
        relay_url: String,
        fresh: bool,
        deadline: Monotonic,
    ) -> Self {
        Self {
            service,
            relay_url,
            deadline,
            max_age: if fresh { 0 } else { MAX_AGE },
            stage: Stage::Start,
            asked: false,
            stored: None,
            direct: None,
            relayed: None,
            saving: None,
        }
    }

    pub(crate) const fn service(&self) -> &BaseUrl {
        &self.service
    }

    /// The key, once it is there or will not come.
    pub(crate) const fn result(&self) -> Option<&Result<KeyConfig, Reason>> {
        match &self.stage {
            Stage::Done(result) => Some(result),
            _ => None,
        }
    }

    /// Whether the gateway was asked: there was no key at hand.
    pub(crate) const fn asked(&self) -> bool {
        self.asked
    }

    /// The first action.
    pub(crate) fn start(&mut self, ids: &mut Ids) -> Action {
        let id = ids.next();
        self.stage = Stage::Loading(id);
        Action::Load {
            id,
            record: RecordName::gateway_keys(self.service.as_str()),
        }
    }

    /// Takes an input, if it is for this; gives what is to be done next.
    pub(crate) fn input(
        &mut self,
        input: Input,
        now: Option<UnixTime>,
        ids: &mut Ids,
    ) -> Result<Vec<Action>, Input> {
        match (&self.stage, input) {
            (Stage::Loading(awaited), Input::Loaded(id, result)) if *awaited == id => {
                // What cannot be read is asked for; a store that fails does not stop a call.
                Ok(self.loaded(result.unwrap_or_default(), now, ids))
            }
            (Stage::Asking { direct, relayed }, Input::Response(id, result))
                if *direct == id || *relayed == id =>
            {
                let is_direct = *direct == id;
                Ok(self.answered(is_direct, result, now, ids))
            }
            (_, Input::Saved(id, _)) if self.saving == Some(id) => {
                // Losing a race loses nothing: the other learned the same.
                self.saving = None;
                Ok(Vec::new())
            }
            (_, other) => Err(other),
        }
    }

    fn loaded(
        &mut self,
        octets: Option<Zeroizing<Vec<u8>>>,
        now: Option<UnixTime>,
        ids: &mut Ids,
    ) -> Vec<Action> {
        let kept = octets
            .as_deref()
            .and_then(|octets| Record::read(octets).ok());
        self.stored = octets;
        if let (Some((keys, at)), Some(now)) = (kept, now) {
            // From the future: the clock was set back since, so the age is not known.
            let age = now.as_secs().checked_sub(at);
            if let (Some(age), Some(key)) = (age, keys.into_iter().next())
                && age < self.max_age
            {
                self.stage = Stage::Done(Ok(key));
                return Vec::new();
            }
        }
        self.asked = true;
        let (direct, relayed) = (ids.next(), ids.next());
        self.stage = Stage::Asking { direct, relayed };
        let ask = |id, request| Action::Request {
            id,
            role: Role::Configuration,
            request,
            max_answer_octets: MAX_ANSWER_LEN,
            deadline: self.deadline,
        };
        vec![
            ask(direct, messages::encode_keys_request(&self.service)),
            ask(
                relayed,
                messages::encode_relayed_keys_request(self.relay_url.clone()),
            ),
        ]
    }

    fn answered(
        &mut self,
        is_direct: bool,
        result: Result<HttpResponse, Reason>,
        now: Option<UnixTime>,
        ids: &mut Ids,
    ) -> Vec<Action> {
        let keys = match result.and_then(|answer| messages::decode_keys(&answer)) {
            Ok(keys) => keys,
            Err(reason) => {
                self.stage = Stage::Done(Err(reason));
                return Vec::new();
            }
        };
        if is_direct {
            self.direct = Some(keys);
        } else {
            self.relayed = Some(keys);
        }
        let (Some(direct), Some(relayed)) = (&self.direct, &self.relayed) else {
            return Vec::new();
        };
        let common = match common(direct, relayed) {
            Ok(common) => common,
            Err(reason) => {
                self.stage = Stage::Done(Err(reason));
                return Vec::new();
            }
        };
        let Some(key) = common.first().cloned() else {
            self.stage = Stage::Done(Err(Reason::GatewayKeysInconsistent));
            return Vec::new();
        };
        self.stage = Stage::Done(Ok(key));
        let record = now.and_then(|now| Record::write(&common, now).ok());
        record.map_or_else(Vec::new, |value| {
            let id = ids.next();
            self.saving = Some(id);
            vec![Action::Save {
                id,
                record: RecordName::gateway_keys(self.service.as_str()),
                expected: self.stored.take(),
                value: value.into(),
            }]
        })
    }
}

/// The keys that both answers show. Around a change of keys one answer may lack the newest; two keys
/// under one name are never honest.
fn common(direct: &[KeyConfig], relayed: &[KeyConfig]) -> Result<Vec<KeyConfig>, Reason> {
    for one in direct {
        let contradicts = |other: &&KeyConfig| other.key_id() == one.key_id() && *other != one;
        if relayed.iter().find(contradicts).is_some() {
            return Err(Reason::GatewayKeysInconsistent);
        }
    }
    let shown = |one: &&KeyConfig| relayed.contains(one);
    Ok(direct.iter().filter(shown).cloned().collect())
}

/// Makes sure that the key of a service's gateway is at hand when a call needs it.
///
/// Gives at once what is kept and younger than 8 hours, else asks. Run ahead of calls: whoever asks at
/// dial time shows the service's operator an address at the time of a call.
///
/// Ends with whether there is a key: what went wrong otherwise, [`Reason::GatewayKeysInconsistent`]
/// among it; [`Reason::RelayRequired`] if the policy has no relay for the service;
/// [`Reason::DeadlinePassed`].
pub struct GatewayKeysSession {
    context: Arc<Context>,
    ids: Ids,
    fetch: Option<KeysFetch>,
    deadline: Monotonic,
    outbox: Vec<Action>,
}

impl GatewayKeysSession {
    /// Begins for the gateway of `service`, to be done by `deadline`.
    #[must_use]
    pub fn new(context: Arc<Context>, service: &BaseUrl, deadline: Monotonic) -> Self {
        let url = context.relay().url_for(service);
        let mut ids = Ids::default();
        let mut fetch = url.map(|url| {
            let mut fetch = KeysFetch::new(service.clone(), url, false, deadline);
            fetch.max_age = REFRESH_AGE;
            fetch
        });
        let outbox = fetch
            .iter_mut()
            .map(|fetch| fetch.start(&mut ids))
            .collect();
        Self {
            context,
            ids,
            fetch,
            deadline,
            outbox,
        }
    }
}

impl Session for GatewayKeysSession {
    type Output = Result<(), Reason>;
    type Report = core::convert::Infallible;

    fn next(&mut self, now: Now) -> Step<Self::Output> {
        if let Some(action) = self.outbox.pop() {
            return Step::Act(action);
        }
        let Some(fetch) = &self.fetch else {
            return Step::Done(Err(Reason::RelayRequired));
        };
        match fetch.result() {
            Some(result) if fetch.saving.is_none() => {
                Step::Done(result.as_ref().map(|_| ()).map_err(|reason| *reason))
            }
            Some(Ok(_)) if now.monotonic >= self.deadline => Step::Done(Ok(())),
            _ if now.monotonic >= self.deadline => Step::Done(Err(Reason::DeadlinePassed)),
            _ => Step::Wait(self.deadline),
        }
    }

    fn input(&mut self, input: Input, now: Now) {
        let unix = now.unix(self.context.policy().earliest_time);
        if let Some(fetch) = &mut self.fetch
            && let Ok(actions) = fetch.input(input, unix, &mut self.ids)
        {
            self.outbox.extend(actions);
        }
    }
}
