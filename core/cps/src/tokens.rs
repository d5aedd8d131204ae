//! Storage tokens on the service: signing them, taking them for stores, and remembering the spent ones.
//!
//! | Module | What |
//! |---|---|
//! | `issuer`, `issuer_keys`, `quota` | the token issuer: its daily keys, who gets how many |
//! | `accepted_keys` | whose tokens are taken: this service's own or another issuer's |
//! | `redemption`, `spent`, `spent_file` | tokens against a store, each once, over restarts and replicas |
//! | `price` | how many tokens a store is worth |
//! | `digest_log` | the files of spent tokens and of counted issuances |
//!
//! The issuer knows credentials and sees blinded messages; the store sees tokens and no credential.
//! Nothing here is shared between the two but the keys.
//!
//! Source: docs/protocol.md section 19.1 (PRV-30 to PRV-34, W-29, W-30).

pub(crate) mod accepted_keys;
mod digest_log;
pub(crate) mod issuer;
pub(crate) mod issuer_keys;
pub(crate) mod price;
mod quota;
pub(crate) mod redemption;
pub(crate) mod settings;
pub(crate) mod spent;
pub(crate) mod spent_file;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ringtrue_oob::BaseUrl;
use ringtrue_oob::token::{IssuerName, TokenChallenge};
use ringtrue_stir::{Reason, UnixTime};

use accepted_keys::{AcceptedKeys, DirectoryOfAnother};
use issuer::Issuer;
use issuer_keys::IssuerKeys;
use redemption::RedemptionDesk;
use settings::{SpentMemory, TokenIssuer, TokenSettings};
use spent::{SpentInMemory, SpentTokens};
use spent_file::SpentInFolder;

/// How long the memory of spent tokens outlasts their issuer's key (PRV-32).
pub(crate) const SPENT_MARGIN: Duration = Duration::from_secs(120);

/// How far a client's clock may be ahead of ours: from so long before its time on, a key's tokens are
/// taken.
pub(crate) const MAX_SKEW: Duration = Duration::from_secs(60);

/// The folder of the issuer's keys and counts, below that of the tokens.
const ISSUER_FOLDER: &str = "issuer";

/// The folder of spent tokens, below that of the tokens.
const SPENT_FOLDER: &str = "spent";

/// What a service does with storage tokens: issue them, ask for them, or both.
#[derive(Debug)]
pub(crate) struct TokenService {
    keys: Option<Arc<IssuerKeys>>,
    issuer: Option<Issuer>,
    desk: Option<RedemptionDesk>,
}

impl TokenService {
    /// Sets it up; loads or makes keys. `lifetime` is that of blobs.
    ///
    /// # Errors
    ///
    /// Those of [`IssuerKeys::open`], [`DirectoryOfAnother::open`] and [`SpentInFolder::open`].
    pub(crate) fn open(
        settings: &TokenSettings,
        base_url: &BaseUrl,
        state_folder: Option<&Path>,
        lifetime: Duration,
        now: UnixTime,
    ) -> Result<Self, Reason> {
        let rotation = settings.rotation;
        let folder = settings.folder.as_deref().or(state_folder);
        let (name, keys, issuer, accepted) = match &settings.issuer {
            TokenIssuer::Own {
                quota,
                provider_quota,
            } => {
                let name = IssuerName::parse(base_url.authority())?;
                let folder = folder.map(|folder| folder.join(ISSUER_FOLDER));
                let folder = folder.as_deref();
                let keys = Arc::new(IssuerKeys::open(folder, rotation, now)?);
                let quotas = (*quota, *provider_quota);
                let issuer = Issuer::new(name.clone(), Arc::clone(&keys), quotas, folder);
                let accepted = AcceptedKeys::Own {
                    keys: Arc::clone(&keys),
                    rotation,
                };
                (name, Some(keys), Some(issuer), accepted)
            }
            TokenIssuer::Other { name, directory } => {
                let directory =
                    DirectoryOfAnother::open(name.clone(), directory.clone(), rotation)?;
                (name.clone(), None, None, AcceptedKeys::File(directory))
            }
        };
        let own_folder = folder.map(|folder| folder.join(SPENT_FOLDER));
        let in_folder = |folder: &Path| -> Result<Arc<dyn SpentTokens>, Reason> {
            Ok(Arc::new(SpentInFolder::open(folder, settings.max_spent)?))
        };
        let spent = match (&settings.spent, &own_folder) {
            (SpentMemory::Given(spent), _) => Arc::clone(spent),
            (SpentMemory::Folder(folder), _) | (SpentMemory::Own, Some(folder)) => {
                in_folder(folder)?
            }
            (SpentMemory::Own, None) => Arc::new(SpentInMemory::new(settings.max_spent)),
        };
        let challenge = TokenChallenge::new(&name, base_url.authority())?;
        let remembered_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        let desk = settings
            .required
            .then(|| RedemptionDesk::new(challenge, accepted, spent, remembered_ms));
        Ok(Self { keys, issuer, desk })
    }

    pub(crate) fn desk(&self) -> Option<&RedemptionDesk> {
        self.desk.as_ref()
    }

    pub(crate) fn issuer(&self) -> Option<&Issuer> {
        self.issuer.as_ref()
    }

    /// Everything that is done about once a second: forgetting, writing, and keys for the next period.
    pub(crate) fn tidy(&self, now: UnixTime, now_ms: u64) {
        if let Some(issuer) = &self.issuer {
            issuer.tidy(now);
        }
        if let Some(desk) = &self.desk {
            desk.tidy(now, now_ms);
        }
        if let Some(keys) = &self.keys
            && let Err(reason) = keys.advance(now)
        {
            tracing::error!(
                reason = reason.name(),
                "the issuer's keys could not be renewed"
            );
        }
    }
}
