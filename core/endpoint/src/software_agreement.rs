//! An encryption key in memory behind the interface of hardware keys.

use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, KeyAgreement, P256PublicKey, SecretKey};

/// A P-256 key for suite S1 that the application keeps and hands over: for tests, and where a platform
/// wraps a software key. An endpoint without key agreement makes its own keys and changes them.
pub struct SoftwareKeyAgreement {
    secret: SecretKey,
    public: P256PublicKey,
}

impl SoftwareKeyAgreement {
    /// Takes a P-256 scalar.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] if it is zero or beyond the group order.
    pub fn new(secret: SecretKey) -> Result<Self, Reason> {
        let public = AwsLcCrypto.public_key(Curve::P256, &secret)?;
        Ok(Self {
            public: P256PublicKey::from_sec1(&public)?,
            secret,
        })
    }

    /// Reads an unencrypted PKCS#8 `PRIVATE KEY` PEM block. The caller overwrites its own copy.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedPem`] unless it holds a P-256 key.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, Reason> {
        Self::new(SecretKey::from_pkcs8_pem(text)?)
    }
}

impl KeyAgreement for SoftwareKeyAgreement {
    fn public_key(&self) -> P256PublicKey {
        self.public
    }

    fn agree(&self, peer: &P256PublicKey) -> Result<Vec<u8>, Reason> {
        let shared = AwsLcCrypto.agree(Curve::P256, &self.secret, peer.as_sec1())?;
        Ok(shared.expose().to_vec())
    }
}
