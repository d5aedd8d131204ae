//! One telephone: its context, its key, its state records and what may go wrong with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringtrue_lab::Credential as LabCredential;
use ringtrue_session::{
    Action, ActionId, Context, Input, Monotonic, Now, RecordName, Saved, WallClock,
};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, DeviceSignature, RustCrypto, SecretKey};
use ringtrue_stir::{Reason, UnixTime};
use zeroize::Zeroizing;

use crate::net::Net;
use crate::world::START_MS;

/// What the host makes of an action instead of performing it.
pub(crate) enum Reply {
    /// Nothing comes of it, ever.
    Never,
    /// This comes of it at once, without the action having any effect.
    With(Input),
    /// It is performed, and what came of it is told so many milliseconds later.
    After(u64),
    /// The host gives a request up at the request's deadline.
    TimesOut,
}

/// Looks at an action and its time, and may interfere.
pub(crate) type Hook = Box<dyn FnMut(&Action, u64) -> Option<Reply>>;

/// One telephone.
pub(crate) struct Phone {
    pub(crate) context: Arc<Context>,
    pub(crate) credential: LabCredential,
    /// The state records.
    pub(crate) records: BTreeMap<String, Vec<u8>>,
    /// The claimed records and until when they are kept.
    pub(crate) claims: BTreeMap<String, u64>,
    /// The hardware encryption key.
    pub(crate) hardware: Option<SecretKey>,
    /// What the calendar clock shows, by the monotonic one.
    pub(crate) clock: Box<dyn Fn(u64) -> WallClock>,
    pub(crate) hook: Option<Hook>,
}

/// The id that an action's input has to carry.
pub(crate) fn id_of(action: &Action) -> ActionId {
    match action {
        Action::Request { id, .. }
        | Action::FetchCertificates { id, .. }
        | Action::FetchTrust { id, .. }
        | Action::Sign { id, .. }
        | Action::Agree { id, .. }
        | Action::Load { id, .. }
        | Action::Save { id, .. }
        | Action::Claim { id, .. } => *id,
        other => panic!("{other:?}"),
    }
}

impl Phone {
    pub(crate) fn new(context: Arc<Context>, credential: LabCredential) -> Self {
        Self {
            context,
            credential,
            records: BTreeMap::new(),
            claims: BTreeMap::new(),
            hardware: None,
            clock: Box::new(|ms| WallClock::UnixMs(START_MS + ms)),
            hook: None,
        }
    }

    pub(crate) fn now(&self, ms: u64) -> Now {
        Now {
            monotonic: Monotonic::from_ms(ms),
            wall: (self.clock)(ms),
        }
    }

    /// Lets `hook` interfere from now on.
    pub(crate) fn on(&mut self, hook: impl FnMut(&Action, u64) -> Option<Reply> + 'static) {
        self.hook = Some(Box::new(hook));
    }

    /// Performs an action at `ms`: what comes of it and after how many milliseconds; `None` if nothing
    /// ever does.
    pub(crate) fn perform(
        &mut self,
        net: &mut Net,
        action: Action,
        ms: u64,
    ) -> Option<(u64, Input)> {
        let interfered = self.hook.as_mut().and_then(|hook| hook(&action, ms));
        match interfered {
            None => {
                let delay = match &action {
                    Action::Request { .. }
                    | Action::FetchCertificates { .. }
                    | Action::FetchTrust { .. } => net.latency_ms,
                    _ => 0,
                };
                Some((delay, self.effect(net, action, ms)))
            }
            Some(Reply::Never) => None,
            Some(Reply::With(input)) => Some((0, input)),
            Some(Reply::TimesOut) => match action {
                Action::Request { id, deadline, .. } => {
                    let left = deadline.as_ms().saturating_sub(ms);
                    Some((left, Input::Response(id, Err(Reason::DeadlinePassed))))
                }
                Action::FetchCertificates { id, deadline, .. } => {
                    let left = deadline.as_ms().saturating_sub(ms);
                    Some((left, Input::Certificates(id, Err(Reason::DeadlinePassed))))
                }
                other => panic!("only requests have deadlines: {other:?}"),
            },
            Some(Reply::After(delay)) => Some((delay, self.effect(net, action, ms))),
        }
    }

    /// What the action does, and what comes of it.
    pub(crate) fn effect(&mut self, net: &mut Net, action: Action, ms: u64) -> Input {
        match action {
            Action::Request {
                id, role, request, ..
            } => {
                let now = UnixTime::from_secs((START_MS + ms) / 1000);
                Input::Response(id, net.answer(role, &request, ms, now))
            }
            Action::FetchCertificates {
                id, x5u, refresh, ..
            } => Input::Certificates(id, net.fetch(x5u.as_str(), refresh)),
            Action::FetchTrust { id, file, url, .. } => {
                Input::TrustFile(id, net.trust_file(file, &url))
            }
            Action::Sign { id, message } => {
                let signature = RustCrypto.sign_es256(&self.credential.secret, &message);
                let raw = signature.unwrap().as_raw().to_vec();
                Input::Signature(id, Ok(DeviceSignature::Raw(raw)))
            }
            Action::Agree { id, peer } => {
                let secret = self.hardware.as_ref().expect("a phone with a hardware key");
                let shared = RustCrypto.agree(Curve::P256, secret, peer.as_sec1());
                let octets = Zeroizing::new(shared.unwrap().expose().to_vec());
                Input::Agreement(id, Ok(octets))
            }
            Action::Load { id, record } => {
                let value = self.records.get(record.as_str()).cloned();
                Input::Loaded(id, Ok(value.map(Zeroizing::new)))
            }
            Action::Save {
                id,
                record,
                expected,
                value,
            } => Input::Saved(id, Ok(self.save(&record, expected.as_deref(), &value))),
            Action::Claim {
                id,
                record,
                expires,
            } => {
                let first = !self.claims.contains_key(record.as_str());
                self.claims
                    .entry(record.as_str().to_owned())
                    .or_insert(expires);
                Input::Claimed(id, Ok(first))
            }
            other => panic!("{other:?}"),
        }
    }

    fn save(&mut self, record: &RecordName, expected: Option<&Vec<u8>>, value: &[u8]) -> Saved {
        if self.records.get(record.as_str()) != expected {
            return Saved::Changed;
        }
        self.records
            .insert(record.as_str().to_owned(), value.to_vec());
        Saved::Written
    }

    /// The record of the own keys, as JSON.
    pub(crate) fn own_keys(&self) -> Option<serde_json::Value> {
        let record = self
            .records
            .iter()
            .find(|(name, _)| name.starts_with("keys."))?;
        Some(serde_json::from_slice(record.1).unwrap())
    }
}
