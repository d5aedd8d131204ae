//! Which octets are keys of the hybrid suites. The same in every build, so that a directory without the
//! suites takes in exactly the statements that one with them does (W-14, W-19).
//!
//! A public key is an ML-KEM-768 encapsulation key and a classical public key behind it; an
//! encapsulated key is an ML-KEM-768 ciphertext and a classical one.

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::P256PublicKey;

use crate::Suite;
use crate::recipient_key::refuse_low_order;

/// Octets of an ML-KEM-768 encapsulation key (FIPS 203 table 3).
const ENCAPSULATION_KEY_LEN: usize = 1184;

/// Octets of an ML-KEM-768 ciphertext (FIPS 203 table 3).
#[cfg(feature = "pq")]
const CIPHERTEXT_LEN: usize = 1088;

/// Octets at the end of an encapsulation key that are a seed; the ones before are coefficients.
const SEED_LEN: usize = 32;

/// The modulus of ML-KEM.
const Q: u16 = 3329;

/// Checks a public key of S3 or S4, whose length is right.
///
/// # Errors
///
/// [`Reason::MalformedKey`] for a coefficient that is not reduced (FIPS 203 section 7.2) or a classical
/// part that is of low order or no point.
pub(crate) fn check_public(suite: Suite, public: &[u8]) -> Result<(), Reason> {
    let (lattice, classical) = public
        .split_at_checked(ENCAPSULATION_KEY_LEN)
        .ok_or(Reason::MalformedKey)?;
    let coefficients = lattice
        .get(..ENCAPSULATION_KEY_LEN.saturating_sub(SEED_LEN))
        .ok_or(Reason::MalformedKey)?;
    if !coefficients.chunks_exact(3).all(are_reduced) {
        return Err(Reason::MalformedKey);
    }
    check_classical(suite, classical)
}

/// Checks the classical part of an encapsulated key of S3 or S4 (PRV-9). Any ML-KEM ciphertext of the
/// right length is one.
///
/// # Errors
///
/// [`Reason::MalformedKey`].
#[cfg(feature = "pq")]
pub(crate) fn check_encapsulated(suite: Suite, enc: &[u8]) -> Result<(), Reason> {
    let (_, classical) = enc
        .split_at_checked(CIPHERTEXT_LEN)
        .ok_or(Reason::MalformedKey)?;
    check_classical(suite, classical)
}

/// Two coefficients of twelve bits in three octets (FIPS 203 section 4.2.1).
fn are_reduced(pair: &[u8]) -> bool {
    let &[a, b, c] = pair else {
        return false;
    };
    let [a, b, c] = [a, b, c].map(u16::from);
    let first = a | (b & 0x0f) << 8;
    let second = b >> 4 | c << 4;
    first < Q && second < Q
}

fn check_classical(suite: Suite, classical: &[u8]) -> Result<(), Reason> {
    match suite {
        Suite::S3 => refuse_low_order(classical),
        Suite::S4 => P256PublicKey::from_sec1(classical).map(drop),
        Suite::S1 | Suite::S2 => Err(Reason::MalformedKey),
    }
}
