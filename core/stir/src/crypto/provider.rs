//! The seam between the project and a cryptographic library.

use std::sync::Arc;

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

/// How an authority signed a certificate or a list: a curve and a digest, in any combination.
///
/// Tokens know ES256 alone. Authorities of the live ecosystem also have P-384 and P-521 keys, and one
/// signs with a digest shorter than its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IssuerEcdsa {
    /// The curve of the authority's key.
    pub curve: IssuerCurve,
    /// What the signed octets are hashed with.
    pub digest: IssuerDigest,
}

/// The curves of authorities' keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssuerCurve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

/// The digests of authorities' signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssuerDigest {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A key pair fresh from the provider.
#[derive(Debug)]
pub struct GeneratedKey {
    /// The secret scalar, 32 octets.
    pub secret: SecretKey,
    /// The public key in the encoding of its [`Curve`].
    pub public: Vec<u8>,
}

/// A secret key that was made ready for many agreements.
///
/// Implementations overwrite it when it is dropped.
pub trait PreparedKey: Send + Sync {
    /// As [`CryptoProvider::agree`], with this key.
    ///
    /// # Errors
    ///
    /// As there.
    fn agree(&self, peer: &[u8]) -> Result<SharedSecret, Reason>;
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

    /// Makes a secret key ready for many agreements, where that saves work: an answer of a service may
    /// hold hundreds of blobs to try with one key.
    ///
    /// `None`: nothing is saved, or `secret` is no scalar of `curve`; [`Self::agree`] does as well. So
    /// by default.
    fn prepare(&self, curve: Curve, secret: &SecretKey) -> Option<Arc<dyn PreparedKey>> {
        let _ = (curve, secret);
        None
    }

    /// Whether `signature`, a DER `ECDSA-Sig-Value`, over `message` is by the authority whose key is
    /// the uncompressed SEC1 `point`. Only for certificates and revocation lists, never for tokens.
    ///
    /// `None`: the provider does not support the combination, as all but ES256's by default.
    fn verify_issuer_ecdsa(
        &self,
        algorithm: IssuerEcdsa,
        point: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let _ = (algorithm, point, message, signature);
        None
    }

    /// Whether `signature` over `message` is RSASSA-PKCS1-v1_5 with SHA-256 by the key of
    /// `spki_der`, a DER SubjectPublicKeyInfo of 2048 to 8192 bits. Only for certificates, lists and
    /// logs, never for tokens (CRT-75).
    ///
    /// `None`: the provider does not support RSA, as by default.
    fn verify_rs256(&self, spki_der: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
        let _ = (spki_der, message, signature);
        None
    }
}
