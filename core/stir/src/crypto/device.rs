//! Keys that stay where they are: the two traits that an application implements.

use super::{Es256Signature, P256PublicKey};
use crate::Reason;

/// A signature in the form the key store gives it.
#[derive(Clone, PartialEq, Eq)]
pub enum DeviceSignature {
    /// A DER `ECDSA-Sig-Value`.
    Der(Vec<u8>),
    /// r then s, 32 octets each.
    Raw(Vec<u8>),
}

impl core::fmt::Debug for DeviceSignature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DeviceSignature(..)")
    }
}

impl DeviceSignature {
    /// The signature as ES256 wants it.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedSignature`] if the octets are not what the form says.
    pub fn to_es256(&self) -> Result<Es256Signature, Reason> {
        match self {
            Self::Der(der) => Es256Signature::from_der(der),
            Self::Raw(raw) => Es256Signature::from_raw(raw),
        }
    }
}

/// The private key of the STIR credential, wherever it lives.
///
/// Called on a thread that may block, never under a lock. Every signature is checked against
/// [`Signer::public_key`] before it is used, so that a key store which hashes twice is noticed.
pub trait Signer: Send + Sync {
    /// The public half of the key.
    fn public_key(&self) -> P256PublicKey;

    /// Signs. `message` is what the signature is over and `digest` its SHA-256: use whichever the key
    /// store's interface takes, and hash no further in the second case.
    ///
    /// # Errors
    ///
    /// [`Reason::SignerFailed`] if the key store is locked, was cancelled or failed.
    fn sign(&self, message: &[u8], digest: &[u8; 32]) -> Result<DeviceSignature, Reason>;
}

/// A P-256 key-agreement key in hardware, for suite S1.
///
/// Called on a thread that may block, never under a lock.
pub trait KeyAgreement: Send + Sync {
    /// The public half of the key.
    fn public_key(&self) -> P256PublicKey;

    /// Plain ECDH with `peer` (65 octets, already checked to be on the curve): the X coordinate,
    /// 32 octets, without any key derivation. Variants with a built-in KDF are wrong here.
    ///
    /// # Errors
    ///
    /// [`Reason::KeyAgreementFailed`] if the key store is locked, was cancelled or failed.
    fn agree(&self, peer: &P256PublicKey) -> Result<Vec<u8>, Reason>;
}
