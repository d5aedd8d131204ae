//! Whom the endpoint believes: an operator's trust bundle.

use std::time::Duration;

use crate::outcome::count;
use crate::reason::reasons;
use crate::{Endpoint, Reason, RingTrueError};

/// Where trust bundles come from, and whose signature counts. A bundle replaces the configured anchors
/// as soon as one is accepted.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TrustConfig {
    /// The https URL of the bundle.
    pub bundle_url: String,
    /// 1 to 8 public keys, each text one PEM block `PUBLIC KEY`: one in use, others for a change of keys.
    pub keys_pem: Vec<String>,
    /// A bundle that comes with the application, for the time before the first one is fetched.
    #[uniffi(default)]
    pub shipped_bundle: Option<String>,
}

/// Whom an endpoint believes at present.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TrustStatus {
    /// The number of the trust bundle in use; nothing while the configured anchors are.
    pub version: Option<u64>,
    /// When the bundle ends, in seconds since the Unix epoch. From then on nobody is verified until a
    /// newer one was got.
    pub expires_unix_s: Option<u64>,
    /// How many revocation lists are at hand.
    pub revocation_lists: u32,
    /// When the first of them is outdated, in seconds since the Unix epoch.
    pub next_update_unix_s: Option<u64>,
}

impl From<ringtrue::TrustStatus> for TrustStatus {
    fn from(status: ringtrue::TrustStatus) -> Self {
        Self {
            version: status.version,
            expires_unix_s: status.expires.map(ringtrue::UnixTime::as_secs),
            revocation_lists: count(status.revocation_lists),
            next_update_unix_s: status.next_update.map(ringtrue::UnixTime::as_secs),
        }
    }
}

/// What came of an update of trust.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TrustUpdated {
    /// The number of the bundle in use.
    pub version: u64,
    /// Whether it is another one than before.
    pub is_new: bool,
    /// When it ends, in seconds since the Unix epoch. Update again well before.
    pub expires_unix_s: u64,
    /// How many revocation lists are at hand.
    pub revocation_lists: u32,
    /// When the first of them is outdated, in seconds since the Unix epoch. Update again before.
    pub next_update_unix_s: Option<u64>,
    /// What went wrong with single revocation lists. The ones before stay in use.
    pub reasons: Vec<Reason>,
}

impl From<ringtrue::TrustUpdated> for TrustUpdated {
    fn from(updated: ringtrue::TrustUpdated) -> Self {
        Self {
            version: updated.version,
            is_new: updated.is_new,
            expires_unix_s: updated.expires.as_secs(),
            revocation_lists: count(updated.revocation_lists),
            next_update_unix_s: updated.next_update.map(ringtrue::UnixTime::as_secs),
            reasons: reasons(updated.reasons),
        }
    }
}

#[uniffi::export]
impl Endpoint {
    /// Gets the operator's trust bundle and the revocation lists that it names, keeps them and takes
    /// them into use. Not while a call is set up; once a day is enough for most bundles.
    ///
    /// # Errors
    ///
    /// Then the bundle before stays in use until it expires. `configuration_invalid` without a trust
    /// configuration; `bundle_untrusted`, `malformed_trust_bundle`, `bundle_expired`;
    /// `bundle_rollback` for one that is older than another accepted before; `fetching_off` and reasons
    /// of the network; `state_unavailable`; `clock_unset`; `deadline_passed`; `cancelled` if the
    /// endpoint was shut down.
    #[uniffi::method(default(deadline_ms = None))]
    pub async fn update_trust(
        &self,
        deadline_ms: Option<u64>,
    ) -> Result<TrustUpdated, RingTrueError> {
        let core = self.core().clone();
        let updated = async move {
            core.update_trust(deadline_ms.map(Duration::from_millis))
                .await
        };
        Ok(self.work().run(updated).await??.into())
    }

    /// Whom the endpoint believes at present, and until when.
    #[must_use]
    pub fn trust_status(&self) -> TrustStatus {
        self.core().trust_status().into()
    }
}
