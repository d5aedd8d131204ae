//! A signing key in memory, for endpoints without a key store.

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider as _, DeviceSignature, P256PublicKey, SecretKey, Signer,
};

use ringtrue_net::AwsLcCrypto;

/// A credential key in memory. Prefer a hardware key where there is one.
pub struct SoftwareSigner {
    secret: SecretKey,
    public: P256PublicKey,
}

impl SoftwareSigner {
    /// Takes a P-256 scalar.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] if it is zero or beyond the group order.
    pub fn new(secret: SecretKey) -> Result<Self, Reason> {
        let public = AwsLcCrypto.public_key(ringtrue_stir::crypto::Curve::P256, &secret)?;
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

impl Signer for SoftwareSigner {
    fn public_key(&self) -> P256PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8], _digest: &[u8; 32]) -> Result<DeviceSignature, Reason> {
        let signature = AwsLcCrypto.sign_es256(&self.secret, message)?;
        Ok(DeviceSignature::Raw(signature.as_raw().to_vec()))
    }
}
