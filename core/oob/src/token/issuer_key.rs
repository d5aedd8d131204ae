//! An issuer's public key in the one form that everybody hashes.

use core::fmt;

use ringtrue_stir::Reason;
use sha2::{Digest as _, Sha256};

use super::blind::{RsaPublicKey, Variant};
use super::{TOKEN_INPUT_LEN, Token};

/// DER in front of the modulus: `id-RSASSA-PSS` with SHA-384, MGF1 of SHA-384 and a salt of 48
/// octets, each parameter written as RFC 9578 section 6.5 has it.
const SPKI_PREFIX: [u8; 81] = [
    0x30, 0x82, 0x01, 0x52, 0x30, 0x3d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x0a, 0x30, 0x30, 0xa0, 0x0d, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
    0x02, 0x02, 0xa1, 0x1a, 0x30, 0x18, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x08, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0xa2, 0x03,
    0x02, 0x01, 0x30, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01,
    0x00,
];

/// DER behind the modulus: the exponent 65537.
const SPKI_SUFFIX: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

/// Octets of a modulus of type 0x0002.
const MODULUS_LEN: usize = 256;

/// Octets of an issuer's SubjectPublicKeyInfo.
pub const SPKI_LEN: usize = SPKI_PREFIX.len() + MODULUS_LEN + SPKI_SUFFIX.len();

/// An issuer's public key: RSA with 2048 bits and the exponent 65537.
///
/// Source: RFC 9578 section 6.5; docs/protocol.md section 19.1 (PRV-29).
#[derive(Clone, PartialEq, Eq)]
pub struct IssuerKey {
    rsa: RsaPublicKey,
    spki: Vec<u8>,
    key_id: [u8; 32],
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuerKey(..)")
    }
}

impl IssuerKey {
    /// Makes the key of a modulus, 256 octets big-endian.
    ///
    /// # Errors
    ///
    /// [`Reason::IssuerKeyUnusable`] for another length, an even modulus, or one below 2^2047.
    pub fn from_modulus(modulus: &[u8]) -> Result<Self, Reason> {
        if modulus.len() != MODULUS_LEN {
            return Err(Reason::IssuerKeyUnusable);
        }
        let rsa = RsaPublicKey::from_modulus(modulus)?;
        let spki = [&SPKI_PREFIX, modulus, &SPKI_SUFFIX].concat();
        let key_id = Sha256::digest(&spki).into();
        Ok(Self { rsa, spki, key_id })
    }

    /// Reads a SubjectPublicKeyInfo in exactly the form that [`IssuerKey::spki`] has: a key id must be
    /// that of one key, however written.
    ///
    /// # Errors
    ///
    /// [`Reason::IssuerKeyUnusable`] for any other octets.
    pub fn from_spki(der: &[u8]) -> Result<Self, Reason> {
        der.strip_prefix(&SPKI_PREFIX)
            .and_then(|rest| rest.strip_suffix(&SPKI_SUFFIX))
            .ok_or(Reason::IssuerKeyUnusable)
            .and_then(Self::from_modulus)
    }

    /// The DER SubjectPublicKeyInfo, [`SPKI_LEN`] octets.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    #[must_use]
    pub const fn key_id(&self) -> &[u8; 32] {
        &self.key_id
    }

    /// The last octet of the key id: what a token request names the key by.
    #[must_use]
    pub const fn truncated_key_id(&self) -> u8 {
        let [.., last] = self.key_id;
        last
    }

    /// The RSA key.
    #[must_use]
    pub const fn rsa(&self) -> &RsaPublicKey {
        &self.rsa
    }

    /// Whether this key made the token.
    ///
    /// # Errors
    ///
    /// [`Reason::TokenInvalid`] if the token names another key or its authenticator is not this key's.
    pub fn verify(&self, token: &Token) -> Result<(), Reason> {
        if token.key_id() != &self.key_id {
            return Err(Reason::TokenInvalid);
        }
        let input: &[u8; TOKEN_INPUT_LEN] = token.input();
        self.rsa
            .verify(Variant::PssDeterministic, input, token.authenticator())
    }
}
