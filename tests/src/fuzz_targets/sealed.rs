//! Blobs, what is inside them, and the keys they are sealed with.

use ringtrue_oob::statement::{KeyStatement, MAX_LIFE};
use ringtrue_oob::{Blob, Content, Destination, RecipientKey, Suite, open};
use ringtrue_session::{RecordKey, RecordName};
use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::crypto::{CryptoProvider, Curve, P256PublicKey, RustCrypto, SecretKey};

use super::text;

/// A fixed key: only that there is one matters here.
const SECRET: [u8; 32] = [7; 32];

/// The key of `tests/vectors/records`, so that the seeds open.
const VECTORS_HOST_KEY: [u8; 32] = [
    0xce, 0xf4, 0xd4, 0xee, 0xba, 0xf8, 0x0a, 0x9a, 0x96, 0x54, 0xf6, 0xef, 0x17, 0xb8, 0xab, 0xa6,
    0x61, 0xdb, 0x46, 0x01, 0xa2, 0x93, 0xcc, 0xab, 0xd5, 0x4f, 0x32, 0x48, 0x79, 0x80, 0x4c, 0x1f,
];

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

/// A state record as its store gives it back: opens only as what it was, and seals to the same again.
pub(super) fn state_record(octets: &[u8]) {
    let key = RecordKey::new(&VECTORS_HOST_KEY);
    let record = RecordName::credential();
    if let Ok(value) = key.open(&record, octets) {
        let again = key.seal(&record, &value);
        assert_eq!(again.as_deref(), Ok(octets), "one form of the same value");
    }
}
