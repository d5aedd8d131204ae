//! Making a bundle.

use core::fmt;

use serde_json::json;

use super::{MAX_TRUST_BUNDLE_LEN, TYP, TrustData, payload};
use crate::crypto::{CryptoProvider, Es256Signature, P256PublicKey, Signer};
use crate::jws::UnsignedJws;
use crate::{Reason, UnixTime};

/// What a bundle is to say.
#[derive(Clone, Debug)]
pub struct TrustBundleDraft {
    /// Higher than in every bundle before.
    pub version: u64,
    /// Now.
    pub iat: UnixTime,
    /// The end, at most [`MAX_LIFE`](super::MAX_LIFE) later.
    pub exp: UnixTime,
    /// Everything else.
    pub data: TrustData,
}

impl TrustBundleDraft {
    /// Serialises the bundle.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedTrustBundle`] if a reader would refuse it: no anchor, a life that is not
    /// positive or longer than [`MAX_LIFE`](super::MAX_LIFE), or more than the limits of this module.
    pub fn build(&self) -> Result<UnsignedTrustBundle, Reason> {
        let payload = payload::write(self);
        let unsigned = UnsignedJws::new(&json!({ "typ": TYP }), &payload);
        let is_readable = unsigned.signed_len() <= MAX_TRUST_BUNDLE_LEN
            && payload::read(&payload, &[])
                .is_some_and(|bundle| bundle.version.number == self.version);
        if is_readable {
            Ok(UnsignedTrustBundle(unsigned))
        } else {
            Err(Reason::MalformedTrustBundle)
        }
    }
}

/// A bundle that lacks its signature.
#[derive(Clone)]
pub struct UnsignedTrustBundle(UnsignedJws);

impl fmt::Debug for UnsignedTrustBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsignedTrustBundle(..)")
    }
}

impl UnsignedTrustBundle {
    /// What the signature is over.
    #[must_use]
    pub fn signing_input(&self) -> &str {
        self.0.signing_input()
    }

    /// The SHA-256 of [`UnsignedTrustBundle::signing_input`], for keys that sign digests.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.0.digest()
    }

    /// Adds the signature after checking it. Gives the bundle's text.
    ///
    /// # Errors
    ///
    /// [`Reason::SignerFailed`] if the signature is not by `key` over this bundle.
    pub fn complete(
        self,
        provider: &dyn CryptoProvider,
        key: &P256PublicKey,
        signature: &Es256Signature,
    ) -> Result<String, Reason> {
        self.0.complete(provider, key, signature)
    }

    /// Lets `signer` sign and completes the bundle. Gives its text.
    ///
    /// # Errors
    ///
    /// What [`Signer::sign`] returns; [`Reason::SignerFailed`] if the signature has the wrong form or
    /// does not verify.
    pub fn sign(
        self,
        provider: &dyn CryptoProvider,
        signer: &dyn Signer,
    ) -> Result<String, Reason> {
        self.0.sign(provider, signer)
    }
}
