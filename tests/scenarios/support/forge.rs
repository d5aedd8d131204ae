//! An attacker's tools: real keys, real sealing, and tokens, contents and statements of any kind.

use ringtrue::{TelephoneNumber, UnixTime};
use ringtrue_lab::Credential;
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::statement::KeyStatement;
use ringtrue_oob::{Blob, CallNonce, Content, Destination, RecipientKey, seal};
use ringtrue_stir::base64url;
use ringtrue_stir::certificate::CertificateBag;
use ringtrue_stir::crypto::{CryptoProvider as _, SecretKey};
use ringtrue_stir::json;
use serde_json::{Value, json};

use super::world::X5U;

/// `document` with the members of `changes`; null takes one away.
pub(crate) fn changed(mut document: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        let members = document.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    document
}

/// A header as it has to be.
pub(crate) fn header() -> Value {
    json!({"alg": "ES256", "typ": "passport", "x5u": X5U})
}

/// A payload as it has to be.
pub(crate) fn payload(orig: &TelephoneNumber, dest: &TelephoneNumber, iat: UnixTime) -> Value {
    json!({
        "dest": {"tn": [dest.as_str()]},
        "iat": iat.as_secs(),
        "orig": {"tn": orig.as_str()},
    })
}

/// A well signed token with exactly these octets in it.
pub(crate) fn token_of_text(header: &str, payload: &str, secret: &SecretKey) -> String {
    let header = base64url::encode(header.as_bytes());
    let payload = base64url::encode(payload.as_bytes());
    let input = format!("{header}.{payload}");
    let signature = AwsLcCrypto.sign_es256(secret, input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature.as_raw()))
}

/// A well signed token, canonical.
pub(crate) fn token(header: &Value, payload: &Value, secret: &SecretKey) -> String {
    token_of_text(&json::canonical(header), &json::canonical(payload), secret)
}

/// The certificates of a credential, as contents carry them.
pub(crate) fn x5c(credential: &Credential) -> Vec<String> {
    let bag = CertificateBag::from_pem(&credential.chain_pem).unwrap();
    bag.to_x5c()
}

/// A call attempt of its own.
pub(crate) fn nonce() -> CallNonce {
    CallNonce::generate(&AwsLcCrypto).unwrap()
}

/// A content with these tokens and the certificates of `credential`.
pub(crate) fn content(tokens: &[String], credential: &Credential) -> Content {
    Content {
        ppts: tokens.to_vec(),
        x5c: x5c(credential),
        ..Content::new(nonce())
    }
}

/// One copy for each key.
pub(crate) fn seal_to(keys: &[RecipientKey], number: &TelephoneNumber, octets: &[u8]) -> Vec<Blob> {
    let destination = Destination::TelephoneNumber(number.clone());
    let copy = |key| seal(&AwsLcCrypto, key, &destination, octets).unwrap();
    keys.iter().map(copy).collect()
}

/// The payload of a statement as it has to be: one hour, one service, these keys.
pub(crate) fn statement_payload(
    number: &TelephoneNumber,
    cps: &str,
    keys: &[RecipientKey],
    now: UnixTime,
) -> Value {
    let entry = |key: &RecipientKey| {
        json!({
            "kid": key.kid(),
            "pub": base64url::encode(key.as_octets()),
            "suite": key.suite().name(),
        })
    };
    json!({
        "cps": [cps],
        "exp": now.as_secs() + 3600,
        "iat": now.as_secs(),
        "keys": keys.iter().map(entry).collect::<Vec<_>>(),
        "seq": now.as_secs(),
        "sub": {"tn": [number.as_str()]},
    })
}

/// A statement in the encoding for directories.
pub(crate) fn statement(payload: &Value, credential: &Credential) -> String {
    let header = json!({"alg": "ES256", "typ": "stir-eks+jwt", "x5c": x5c(credential), "x5u": X5U});
    token(&header, payload, &credential.secret)
}

/// The same for inlining.
pub(crate) fn inline_statement(payload: &Value, credential: &Credential) -> String {
    let header = json!({"alg": "ES256", "typ": "stir-eks+jwt", "x5u": X5U});
    token(&header, payload, &credential.secret)
}

/// The keys of a statement's reader, from its text.
pub(crate) fn keys_of(text: &str) -> Vec<RecipientKey> {
    KeyStatement::parse(text).unwrap().keys().to_vec()
}
