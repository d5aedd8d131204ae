//! Makes tokens, contents and blobs by hand, right ones and wrong ones.

use ringtrue_lab::Credential as LabCredential;
use ringtrue_oob::http::directory;
use ringtrue_oob::statement::{SignedStatement, StatementDraft, VerifiedStatement};
use ringtrue_oob::{
    Blob, CallNonce, CallPhase, CallState, Content, Destination, RecipientKey, Suite, seal,
};
use ringtrue_session::{Action, Input, Role};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, RustCrypto, SecretKey};
use ringtrue_stir::{Reason, UnixTime, X5u, base64url, json};
use serde_json::{Map, Value};

use crate::phone::{Phone, Reply};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, DIRECTORY, START_MS, World, base, number};

/// A PASSporT to be made. Starts right; each test makes it wrong.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) header: Map<String, Value>,
    pub(crate) payload: Map<String, Value>,
    /// Whose key signs.
    pub(crate) signer: LabCredential,
    /// The certificates that go along.
    pub(crate) x5c: Vec<String>,
    pub(crate) nonce: [u8; 16],
    /// Whether the signature is made by nobody's key.
    pub(crate) spoilt_signature: bool,
    /// Appended to the payload text before it is signed.
    pub(crate) trailer: &'static str,
}

impl Forged {
    /// A right PASSporT of a call from the caller to the callee, made now.
    pub(crate) fn call(world: &World, signer: &LabCredential) -> Self {
        let header = serde_json::json!({"alg": "ES256", "typ": "passport", "x5u": "https://certs.example/c.pem"});
        let payload = serde_json::json!({
            "dest": {"tn": [CALLEE]},
            "iat": (START_MS + world.ms) / 1000,
            "orig": {"tn": CALLER},
        });
        Self {
            header: header.as_object().unwrap().clone(),
            payload: payload.as_object().unwrap().clone(),
            signer: signer.clone(),
            x5c: signer.bag().unwrap().to_x5c(),
            nonce: [7; 16],
            spoilt_signature: false,
            trailer: "",
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Moves `iat` by so many seconds.
    pub(crate) fn aged(self, secs: i64) -> Self {
        self.with(|forged| {
            let iat = forged.payload["iat"].as_i64().unwrap();
            forged.payload["iat"] = Value::from(iat - secs);
        })
    }

    pub(crate) fn token(&self) -> String {
        let encode = |members: &Map<String, Value>, trailer: &str| {
            let text = json::canonical(&Value::Object(members.clone())) + trailer;
            base64url::encode(text.as_bytes())
        };
        let input = format!(
            "{}.{}",
            encode(&self.header, ""),
            encode(&self.payload, self.trailer)
        );
        let signed = if self.spoilt_signature {
            "other"
        } else {
            &input
        };
        let signature = RustCrypto
            .sign_es256(&self.signer.secret, signed.as_bytes())
            .unwrap();
        format!("{input}.{}", base64url::encode(signature.as_raw()))
    }

    pub(crate) fn content(&self) -> Content {
        Content {
            ppts: vec![self.token()],
            x5c: self.x5c.clone(),
            ..Content::new(CallNonce::from_octets(self.nonce))
        }
    }
}

/// A report about the call attempt `nonce`.
pub(crate) fn report(nonce: [u8; 16], s: CallPhase) -> Content {
    Content {
        st: Some(CallState {
            s,
            t_ms: START_MS,
            u_ms: None,
        }),
        ..Content::new(CallNonce::from_octets(nonce))
    }
}

/// The statements that the directory holds for a number.
pub(crate) fn statements(world: &mut World, of: &str) -> Vec<VerifiedStatement> {
    let directory = world.net.service(DIRECTORY);
    directory.statements.get(of).cloned().unwrap_or_default()
}

/// The first key of a number.
pub(crate) fn key_of(world: &mut World, of: &str) -> RecipientKey {
    statements(world, of)[0].keys()[0].clone()
}

pub(crate) fn sealed(key: &RecipientKey, for_number: &str, content: &[u8]) -> Blob {
    let destination = Destination::TelephoneNumber(number(for_number));
    seal(&RustCrypto, key, &destination, content).unwrap()
}

/// Leaves a content for the callee, sealed to the key that the directory holds.
pub(crate) fn leave(world: &mut World, content: &Content) {
    leave_at(world, CPS_CALLEE, CALLEE, content);
}

/// Leaves a content for any number at any service.
pub(crate) fn leave_at(world: &mut World, service: &str, of: &str, content: &Content) {
    let key = key_of(world, of);
    let blob = sealed(&key, of, &content.to_octets().unwrap());
    let ms = world.ms;
    world.net.service(service).leave(of, blob, ms);
}

/// A key statement signed by `signer`, issued now and good for an hour, as `change` changes it.
pub(crate) fn statement(
    world: &World,
    signer: &LabCredential,
    change: impl FnOnce(&mut StatementDraft),
) -> SignedStatement {
    let mut draft = StatementDraft {
        iat: world.unix(),
        exp: UnixTime::from_secs(world.unix().as_secs() + 3600),
        seq: 1,
        numbers: vec![number(CALLEE)],
        cps: vec![base(CPS_CALLEE)],
        keys: vec![fresh_key(Suite::S1)],
        prev: None,
        tok: None,
    };
    change(&mut draft);
    let x5u = X5u::parse("https://certs.example/c.pem").unwrap();
    let bag = signer.bag().unwrap();
    let unsigned = draft.build(&x5u, &bag).unwrap();
    let sign = |input: &str| RustCrypto.sign_es256(&signer.secret, input.as_bytes());
    let directory = sign(unsigned.directory_signing_input()).unwrap();
    let inline = sign(unsigned.inline_signing_input()).unwrap();
    let key = *bag.certificates()[0].public_key().unwrap();
    unsigned
        .complete(&RustCrypto, &key, &directory, &inline)
        .unwrap()
}

/// A key whose secret half nobody keeps.
pub(crate) fn fresh_key(suite: Suite) -> RecipientKey {
    ringtrue_oob::generate_key(&RustCrypto, suite).unwrap().1
}

/// Answers every lookup of a telephone with these texts, newest first.
pub(crate) fn answer_lookups(phone: &mut Phone, texts: &[&str]) {
    let answer = directory::encode_statements(texts);
    phone.on(move |action, _| match action {
        Action::Request {
            id,
            role: Role::Lookup,
            ..
        } => Some(Reply::With(Input::Response(*id, Ok(answer.clone())))),
        _ => None,
    });
}

/// Lets every action of one kind end in an error.
pub(crate) fn fail_requests(phone: &mut Phone, of: Role, reason: Reason) {
    phone.on(move |action, _| match action {
        Action::Request { id, role, .. } if *role == of => {
            Some(Reply::With(Input::Response(*id, Err(reason))))
        }
        _ => None,
    });
}

/// Opens a blob with the keys of a telephone's record, as the telephone itself does.
pub(crate) fn opened(phone: &Phone, of: &str, blob: &Blob) -> Option<Content> {
    let record = phone.own_keys()?;
    let destination = Destination::TelephoneNumber(number(of));
    let keys = [&record["current"], &record["previous"]];
    keys.into_iter()
        .flat_map(|keys| keys.as_array().unwrap())
        .filter_map(|key| {
            let suite = Suite::from_name(key["suite"].as_str()?)?;
            let octets = |name: &str| base64url::decode(key[name].as_str().unwrap()).unwrap();
            let recipient = RecipientKey::new(suite, &octets("public")).ok()?;
            let secret = SecretKey::from_slice(&octets("secret")).ok()?;
            ringtrue_oob::open(&RustCrypto, blob, &secret, &recipient, &destination).ok()
        })
        .find_map(|octets| Content::parse(&octets).ok())
}

/// A P-256 key pair for a phone whose key is in hardware.
pub(crate) fn hardware_key() -> (SecretKey, Vec<u8>) {
    let generated = RustCrypto.generate(Curve::P256).unwrap();
    (generated.secret, generated.public)
}

/// Leaves a right announcement of a call from the caller to the callee.
pub(crate) fn leave_call(world: &mut World, signer: &LabCredential) -> Forged {
    let forged = Forged::call(world, signer);
    leave(world, &forged.content());
    forged
}
