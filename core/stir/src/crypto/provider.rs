//! The seam between the project and a cryptographic library.

use super::{Es256Signature, P256PublicKey, SecretKey, SharedSecret};
use crate::Reason;

/// The curves of the sealed-PASSporT suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256: public keys are 65 octets, uncompressed SEC1.
    P256,
    /// X25519: public keys are 32 octets.
    X25519,
}

/// A key pair fresh from the provider.
#[derive(Debug)]
pub struct GeneratedKey {
    /// The secret scalar, 32 octets.
    pub secret: SecretKey,
    /// The public key in the encoding of its [`Curve`].
    pub public: Vec<u8>,
}

/// Everything the project asks of a cryptographic library.
///
/// All operations are synchronous and short. Implementations hold no per-call state, so one value
/// serves every session of a process. Tests and model checkers supply their own.
pub trait CryptoProvider: Send + Sync {
    /// Fills `out` from a cryptographically secure generator.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`] if the platform generator fails.
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason>;

    /// Whether `signature` over `message` (hashed with SHA-256 inside) is by `key`.
    ///
    /// High-S signatures are accepted: JOSE has no low-S rule (PRV-23).
    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], signature: &Es256Signature)
    -> bool;

    /// Signs `message` (hashed with SHA-256 inside) with a software key.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] if `secret` is not a P-256 scalar.
    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason>;

    /// Makes a key pair for signatures (P-256) or key agreement.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`] if the platform generator fails.
    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason>;

    /// The public key of `secret`.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] if `secret` is not a scalar of `curve`.
    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason>;

    /// Raw Diffie-Hellman: the X coordinate (P-256) or the shared u-coordinate (X25519).
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] if `peer` is not a valid point of `curve`, is the identity, or gives
    /// the all-zero result (PRV-9).
    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason>;
}
