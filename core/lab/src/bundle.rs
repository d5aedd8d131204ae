//! The trust bundle of a lab.

use core::time::Duration;

use ringtrue_stir::certificate::TrustAnchors;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey, RustCrypto};
use ringtrue_stir::trust_bundle::{TrustBundleDraft, TrustData};
use ringtrue_stir::{Reason, UnixTime};

use crate::files::{self, Access};
use crate::{Lab, LabError, issuing};

const BUNDLE_KEY: &str = "bundle.key";

/// How long a lab's bundle lives.
const LIFE: Duration = Duration::from_secs(30 * 86_400);

impl Lab {
    /// What a bundle of this lab says: its root as the only anchor, and the profile of `lab.toml`.
    ///
    /// # Errors
    ///
    /// [`LabError::Io`] or [`LabError::Damaged`] for the root's file.
    pub fn trust_data(&self) -> Result<TrustData, LabError> {
        let anchors =
            TrustAnchors::from_pem(&self.anchor_pem()?).map_err(|reason| LabError::Damaged {
                file: "root.pem",
                reason,
            })?;
        let mut data = TrustData::new(anchors);
        data.profile = self.config().policy.profile.into();
        Ok(data)
    }

    /// Signs a bundle of `data` that is valid for 30 days. The key, `bundle.key` in the lab's folder, is
    /// made when the first bundle is. Gives the bundle and the key that endpoints are to be configured
    /// with.
    ///
    /// # Errors
    ///
    /// [`LabError::Issuing`] if `data` is not what a bundle can say; [`LabError::Io`] or
    /// [`LabError::Damaged`] for the key's file.
    pub fn sign_trust_bundle(
        &self,
        version: u64,
        data: TrustData,
        now: UnixTime,
    ) -> Result<(String, P256PublicKey), LabError> {
        let secret = self.bundle_key()?;
        let made = || {
            let public = RustCrypto.public_key(Curve::P256, &secret)?;
            let public = P256PublicKey::from_sec1(&public)?;
            let draft = TrustBundleDraft {
                version,
                iat: now,
                exp: now.plus(LIFE),
                data,
            };
            let unsigned = draft.build()?;
            let signature = RustCrypto.sign_es256(&secret, unsigned.signing_input().as_bytes())?;
            let text = unsigned.complete(&RustCrypto, &public, &signature)?;
            Ok((text, public))
        };
        made().map_err(LabError::Issuing)
    }

    fn bundle_key(&self) -> Result<ringtrue_stir::crypto::SecretKey, LabError> {
        let damaged = |reason: Reason| LabError::Damaged {
            file: BUNDLE_KEY,
            reason,
        };
        let key = if self.dir().join(BUNDLE_KEY).exists() {
            issuing::key_from_pem(&files::read(self.dir(), BUNDLE_KEY)?).map_err(damaged)?
        } else {
            let key = issuing::generate_key().map_err(LabError::Issuing)?;
            let pem = issuing::key_pem(&key);
            files::write(self.dir(), BUNDLE_KEY, &pem, Access::Owner)?;
            key
        };
        issuing::secret_of(&key).map_err(damaged)
    }
}
