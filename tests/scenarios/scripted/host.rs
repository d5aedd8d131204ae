//! What a scenario file says of the endpoint's surroundings: transport, clock and keys that do it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use ringtrue::{
    Clock, DeviceSignature, HttpRequest, HttpResponse, KeyAgreement, P256PublicKey, Reason, Role,
    Signer, Transport, WallClock,
};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::base64url;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, SecretKey};
use serde_json::Value;

/// A request as it went out.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) body: Vec<u8>,
    /// Whether a rule was there for it.
    pub(super) expected: bool,
}

#[derive(Default)]
struct State {
    clock: Option<u64>,
    behaviours: HashMap<String, String>,
    /// By method and URL.
    rules: HashMap<(String, String), Value>,
    sent: Vec<Sent>,
    over: bool,
}

/// What the surroundings share; steps change it.
#[derive(Default)]
pub(super) struct Script {
    state: Mutex<State>,
    ended: Condvar,
}

impl Script {
    /// Takes what a step changes.
    pub(super) fn apply(&self, step: &Value) {
        let mut state = self.state.lock().unwrap();
        for (name, value) in step["set"].as_object().into_iter().flatten() {
            match name.as_str() {
                "clock_unix_ms" => state.clock = value.as_u64(),
                _ => drop(state.behaviours.insert(name.clone(), text(value))),
            }
        }
        for rule in step["answers"].as_array().into_iter().flatten() {
            let key = (text(&rule["method"]), text(&rule["url"]));
            state.rules.insert(key, rule.clone());
        }
    }

    pub(super) fn set_clock(&self, clock: &Value) {
        self.state.lock().unwrap().clock = clock.as_u64();
    }

    /// The requests since this was asked last.
    pub(super) fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.state.lock().unwrap().sent)
    }

    /// Lets go whatever does not return.
    pub(super) fn end(&self) {
        self.state.lock().unwrap().over = true;
        self.ended.notify_all();
    }

    fn never<T>(&self, failure: Reason) -> Result<T, Reason> {
        let state = self.state.lock().unwrap();
        drop(self.ended.wait_while(state, |state| !state.over).unwrap());
        Err(failure)
    }

    fn behaviour(&self, key: &str) -> String {
        let state = self.state.lock().unwrap();
        let behaviour = state.behaviours.get(key).cloned();
        behaviour.unwrap_or_else(|| "works".to_owned())
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Without the panic hook, whose output would look like a failure.
fn throw() -> ! {
    std::panic::resume_unwind(Box::new("what an application throws"))
}

pub(super) struct ScriptedTransport(pub(super) Arc<Script>);

impl Transport for ScriptedTransport {
    fn execute(
        &self,
        _: Role,
        request: HttpRequest,
        _: usize,
        _: Duration,
    ) -> Result<HttpResponse, Reason> {
        let rule = {
            let mut state = self.0.state.lock().unwrap();
            let key = (request.method.as_str().to_owned(), request.url.clone());
            let rule = state.rules.get(&key).cloned();
            state.sent.push(Sent {
                method: request.method.as_str(),
                url: request.url,
                body: request.body,
                expected: rule.is_some(),
            });
            rule.ok_or(Reason::ServiceUnreachable)?
        };
        match rule["fault"].as_str() {
            None => Ok(answer(&rule)),
            Some("throws") => throw(),
            Some("never") => self.0.never(Reason::ServiceUnreachable),
            Some("unreachable") => Err(Reason::ServiceUnreachable),
            Some(name) => Err(Reason::from_name(name).expect(name)),
        }
    }
}

fn answer(rule: &Value) -> HttpResponse {
    let headers = rule["headers"].as_array().into_iter().flatten();
    let body = match (&rule["text"], &rule["octets"], &rule["filler"]) {
        (Value::String(text), _, _) => text.clone().into_bytes(),
        (_, Value::String(octets), _) => base64url::decode(octets).unwrap(),
        (_, _, Value::Number(count)) => vec![b'x'; count.as_u64().unwrap().try_into().unwrap()],
        _ => Vec::new(),
    };
    HttpResponse {
        status: rule["status"].as_u64().unwrap().try_into().unwrap(),
        headers: headers
            .map(|pair| (text(&pair[0]), text(&pair[1])))
            .collect(),
        body,
    }
}

pub(super) struct ScriptedClock(pub(super) Arc<Script>);

impl Clock for ScriptedClock {
    fn now(&self) -> WallClock {
        let clock = self.0.state.lock().unwrap().clock;
        clock.map_or(WallClock::Unset, WallClock::UnixMs)
    }
}

/// One of the two keys.
pub(super) struct ScriptedKey {
    script: Arc<Script>,
    secret: SecretKey,
    other: Option<SecretKey>,
}

fn secret(pem: &Value) -> SecretKey {
    let block = pem::parse(pem.as_str().unwrap()).unwrap();
    // The scalar is the last of this form of key (RFC 5915, without optional parts).
    let der = block.contents();
    SecretKey::from_slice(&der[der.len() - 32..]).unwrap()
}

impl ScriptedKey {
    pub(super) fn new(script: &Arc<Script>, key: &Value) -> Arc<Self> {
        let other = &key["other_private_pem"];
        Arc::new(Self {
            script: Arc::clone(script),
            secret: secret(&key["private_pem"]),
            other: other.is_string().then(|| secret(other)),
        })
    }

    fn public(&self) -> P256PublicKey {
        let point = AwsLcCrypto.public_key(Curve::P256, &self.secret).unwrap();
        P256PublicKey::from_sec1(&point).unwrap()
    }
}

impl Signer for ScriptedKey {
    fn public_key(&self) -> P256PublicKey {
        self.public()
    }

    fn sign(&self, message: &[u8], _: &[u8; 32]) -> Result<DeviceSignature, Reason> {
        let behaviour = self.script.behaviour("signer");
        let secret = match behaviour.as_str() {
            "throws" => throw(),
            "never" => return self.script.never(Reason::SignerFailed),
            "wrong_key" => self.other.as_ref().unwrap(),
            _ => &self.secret,
        };
        let mut raw = AwsLcCrypto.sign_es256(secret, message)?.as_raw().to_vec();
        match behaviour.as_str() {
            "wrong_length" => drop(raw.pop()),
            "wrong_signature" => raw[63] ^= 1,
            "works" | "wrong_key" => {}
            other => panic!("a signer cannot be {other}"),
        }
        Ok(DeviceSignature::Raw(raw))
    }
}

impl KeyAgreement for ScriptedKey {
    fn public_key(&self) -> P256PublicKey {
        self.public()
    }

    fn agree(&self, peer: &P256PublicKey) -> Result<Vec<u8>, Reason> {
        let shared = AwsLcCrypto.agree(Curve::P256, &self.secret, peer.as_sec1())?;
        let mut shared = shared.expose().to_vec();
        match self.script.behaviour("key_agreement").as_str() {
            "works" => {}
            "throws" => throw(),
            "never" => return self.script.never(Reason::KeyAgreementFailed),
            "wrong_length" => drop(shared.pop()),
            "wrong_secret" => shared = vec![0x42; 32],
            other => panic!("a key agreement cannot be {other}"),
        }
        Ok(shared)
    }
}
