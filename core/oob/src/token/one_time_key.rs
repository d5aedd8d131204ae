//! K_temp: the key of one token.

use core::fmt;

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, Curve, Es256Signature, P256PublicKey, SecretKey};
use sha2::{Digest as _, Sha256};

/// The label in front of what a token's nonce is the hash of; the zero octet ends it.
const NONCE_LABEL: &[u8] = b"STIR-OOB K_temp v1\0";

/// *K_temp*: a P-256 key pair made for one token. The token's nonce is the hash of its public half, so
/// a token without the secret half is worth nothing.
///
/// [`fmt::Debug`] prints nothing of it; the secret is overwritten on drop.
///
/// Source: RFC 8816 section 7.5; docs/protocol.md section 19.1 (PRV-26).
#[derive(Clone)]
pub struct OneTimeKey {
    secret: SecretKey,
    public: P256PublicKey,
}

impl fmt::Debug for OneTimeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeKey(..)")
    }
}

impl OneTimeKey {
    /// Makes a fresh key.
    ///
    /// # Errors
    ///
    /// [`Reason::RandomnessUnavailable`].
    pub fn generate(provider: &dyn CryptoProvider) -> Result<Self, Reason> {
        let pair = provider.generate(Curve::P256)?;
        Ok(Self {
            public: P256PublicKey::from_sec1(&pair.public)?,
            secret: pair.secret,
        })
    }

    /// Takes a key that was made before.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] if it is no P-256 scalar.
    pub fn from_secret(provider: &dyn CryptoProvider, secret: SecretKey) -> Result<Self, Reason> {
        let public = provider.public_key(Curve::P256, &secret)?;
        Ok(Self {
            public: P256PublicKey::from_sec1(&public)?,
            secret,
        })
    }

    /// The secret half, for the wallet.
    #[must_use]
    pub const fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &P256PublicKey {
        &self.public
    }

    /// The nonce of this key's token.
    #[must_use]
    pub fn nonce(&self) -> [u8; 32] {
        nonce_of(&self.public)
    }

    pub(super) fn sign(
        &self,
        provider: &dyn CryptoProvider,
        message: &[u8],
    ) -> Result<Es256Signature, Reason> {
        provider.sign_es256(&self.secret, message)
    }
}

/// The nonce that binds a token to `public`: SHA-256 over label and compressed point.
pub(super) fn nonce_of(public: &P256PublicKey) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(NONCE_LABEL);
    hash.update(public.to_compressed());
    hash.finalize().into()
}
