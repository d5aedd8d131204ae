//! Blobs, what is inside them, and the keys they are sealed with.

use ringtrue_oob::statement::{KeyStatement, MAX_LIFE};
use ringtrue_oob::{Blob, Content, Destination, RecipientKey, Suite, open};
use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::crypto::{CryptoProvider, Curve, P256PublicKey, RustCrypto, SecretKey};

use super::text;

/// A fixed key: only that there is one matters here.
const SECRET: [u8; 32] = [7; 32];

pub(super) fn blob(octets: &[u8]) {
    if let Some(text) = text(octets)
        && let Ok(blob) = Blob::from_text(text)
    {
        assert_eq!(blob.to_text(), text, "one text for the same octets");
    }
    let Ok(blob) = Blob::from_octets(octets.to_vec()) else {
        return;
    };
    assert_eq!(blob.as_octets(), octets, "a blob is kept as received");
    let again = Blob::from_text(&blob.to_text());
    assert!(
        again.is_ok_and(|again| again == blob),
        "text and octets hold the same"
    );
    try_to_open(&blob);
}

/// A blob that nobody sealed does not open, whatever its encapsulated key is.
fn try_to_open(blob: &Blob) {
    let (Suite::S1 | Suite::S2) = blob.suite() else {
        return;
    };
    let curve = if blob.suite() == Suite::S1 {
        Curve::P256
    } else {
        Curve::X25519
    };
    let secret = SecretKey::new(SECRET);
    let key = RustCrypto
        .public_key(curve, &secret)
        .and_then(|public| RecipientKey::new(blob.suite(), &public));
    let Ok(key) = key else { return };
    let Ok(number) = TelephoneNumber::from_canonical("12025550199") else {
        return;
    };
    let opened = open(
        &RustCrypto,
        blob,
        &secret,
        &key,
        &Destination::TelephoneNumber(number),
    );
    assert!(opened.is_err(), "nobody sealed this for us");
}

pub(super) fn content(octets: &[u8]) {
    let Ok(content) = Content::parse(octets) else {
        return;
    };
    if let Ok(written) = content.to_octets() {
        assert!(
            Content::parse(&written) == Ok(content),
            "writing keeps the meaning"
        );
    }
}

pub(super) fn keys(octets: &[u8]) {
    if let Ok(key) = P256PublicKey::from_sec1(octets) {
        assert_eq!(key.as_sec1().as_slice(), octets, "one encoding of a point");
    }
    for suite in [Suite::S1, Suite::S2, Suite::S3, Suite::S4] {
        if let Ok(key) = RecipientKey::new(suite, octets) {
            assert_eq!(key.as_octets(), octets, "a key is kept as received");
        }
    }
}

pub(super) fn key_statement(octets: &[u8]) {
    let Some(text) = text(octets) else { return };
    let Ok(statement) = KeyStatement::parse(text) else {
        return;
    };
    assert_eq!(statement.text(), text, "a statement is kept as received");
    assert!(statement.iat() < statement.exp(), "a statement lives");
    let life = statement
        .exp()
        .as_secs()
        .saturating_sub(statement.iat().as_secs());
    assert!(life <= MAX_LIFE.as_secs(), "and not longer than it may");
}
