//! Tokens and what they are made of.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringtrue_stir::Reason;
use ringtrue_stir::base64url as coding;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, Es256Signature, RustCrypto, SecretKey};
use ringtrue_stir::json as strict;
use ringtrue_stir::jws::CompactJws;
use ringtrue_stir::passport::Passport;

use super::text;

/// A PKCS#8 key before its secret: version, algorithm, and of the key itself nothing but its version.
const SHORTEST_KEY: &[u8] = b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
    \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";

/// Larger than any limit in use, so that the parsers' own limits are what is tested.
const MAX_LEN: usize = 64 * 1024;

pub(super) fn base64url(octets: &[u8]) {
    let Some(text) = text(octets) else { return };
    if let Ok(decoded) = coding::decode(text) {
        assert_eq!(
            coding::encode(&decoded),
            text,
            "one text for the same octets"
        );
    }
}

pub(super) fn json(octets: &[u8]) {
    let Ok(value) = strict::parse(octets, MAX_LEN) else {
        return;
    };
    let canonical = strict::canonical(&value);
    // The canonical form may be longer than what was read (1e300 has no exponent to spare), not
    // without bound.
    let again = strict::parse(canonical.as_bytes(), MAX_LEN.saturating_mul(8));
    assert_eq!(
        again.as_ref(),
        Ok(&value),
        "the canonical form means the same"
    );
    assert_eq!(
        strict::canonical(&value),
        canonical,
        "the canonical form is one"
    );
}

pub(super) fn jws(octets: &[u8]) {
    let Some(text) = text(octets) else { return };
    let Ok(jws) = CompactJws::parse(text, MAX_LEN) else {
        return;
    };
    assert_eq!(jws.text(), text, "a token is kept as received");
    assert!(
        text.starts_with(jws.signing_input()),
        "what is signed is what was received"
    );
    // None of these may panic; what they say is the token's matter.
    let _ = (jws.payload_json(), jws.x5u(), jws.x5c());
}

pub(super) fn passport(octets: &[u8]) {
    let Some(text) = text(octets) else { return };
    let Ok(passport) = Passport::parse(text) else {
        return;
    };
    assert_eq!(passport.text(), text, "a token is kept as received");
    let scheme = passport.x5u().get(..8);
    assert!(
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")),
        "no other scheme"
    );
    let _ = passport.header_x5c();
}

pub(super) fn signature(octets: &[u8]) {
    if let Ok(signature) = Es256Signature::from_raw(octets) {
        assert_eq!(
            signature.as_raw().as_slice(),
            octets,
            "the raw form is kept"
        );
    }
    if let Ok(signature) = Es256Signature::from_der(octets) {
        let raw = Es256Signature::from_raw(signature.as_raw()).map(|again| *again.as_raw());
        assert_eq!(
            raw,
            Ok(*signature.as_raw()),
            "both forms accept the same values"
        );
    }
}

/// The octets as a key file, and as what is inside of one.
pub(super) fn private_key(octets: &[u8]) {
    if let Some(text) = text(octets) {
        readable(SecretKey::from_pkcs8_pem(text));
    }
    readable(SecretKey::from_pkcs8_pem(&key_file(octets)));
}

fn readable(key: Result<SecretKey, Reason>) {
    let Ok(key) = key else { return };
    assert!(
        RustCrypto.public_key(Curve::P256, &key).is_ok(),
        "what was read is a key of the curve"
    );
    let shortest = [SHORTEST_KEY, key.expose()].concat();
    let again = SecretKey::from_pkcs8_pem(&key_file(&shortest));
    assert!(
        again.is_ok_and(|again| again.expose() == key.expose()),
        "the shortest form holds the same key"
    );
}

fn key_file(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}
