//! What performs the actions of sessions.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ringtrue_net::{FetchKind, Fetcher};
use ringtrue_session::{
    Action, Context, FoundCertificates, Input, Monotonic, Now, TrustFile, TrustSource,
};
use ringtrue_stir::crypto::{KeyAgreement, Signer};
use ringtrue_stir::{Reason, UnixTime, X5u};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::Clock;
use crate::records::Records;
use crate::transport::Carrier;

/// The endpoint's surroundings. Shared by its sessions.
pub(crate) struct Host {
    pub(crate) context: RwLock<Arc<Context>>,
    pub(crate) carrier: Carrier,
    /// None where fetching is off.
    pub(crate) fetcher: Option<Fetcher>,
    /// None where trust is configured and nothing else.
    pub(crate) trust_source: Option<TrustSource>,
    pub(crate) trust_fetcher: Option<Fetcher>,
    pub(crate) records: Records,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) agreement: Option<Arc<dyn KeyAgreement>>,
    pub(crate) origin: Instant,
}

impl Host {
    /// What sessions that begin now know of the endpoint.
    pub(crate) fn context(&self) -> Arc<Context> {
        let context = self.context.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&context)
    }

    /// Puts what `change` makes of the context in its place; sessions under way keep theirs.
    pub(crate) fn replace_context(
        &self,
        change: impl FnOnce(Context) -> Result<Context, Reason>,
    ) -> Result<(), Reason> {
        let mut context = self.context.write().unwrap_or_else(PoisonError::into_inner);
        let changed = change(context.as_ref().clone())?;
        *context = Arc::new(changed);
        Ok(())
    }

    /// The calendar time; `None` while the clock is not set.
    pub(crate) fn unix_now(&self) -> Option<UnixTime> {
        self.now().unix(self.context().policy().earliest_time)
    }

    pub(crate) fn now(&self) -> Now {
        let elapsed = Instant::now().duration_since(self.origin).as_millis();
        Now {
            monotonic: Monotonic::from_ms(u64::try_from(elapsed).unwrap_or(u64::MAX)),
            wall: self.clock.now(),
        }
    }

    /// When `monotonic` is on tokio's clock. Beyond a year it is never.
    pub(crate) fn instant(&self, monotonic: Monotonic) -> Instant {
        let limit = Duration::from_secs(31_536_000);
        let after = Duration::from_millis(monotonic.as_ms()).min(
            Instant::now()
                .duration_since(self.origin)
                .saturating_add(limit),
        );
        self.origin.checked_add(after).unwrap_or(self.origin)
    }

    /// Performs one action. Device keys and the store are called on a thread that may block. `None`
    /// for an action of a later version, which the session's deadline then ends.
    pub(crate) async fn perform(&self, action: Action) -> Option<Input> {
        Some(match action {
            Action::Request {
                id,
                role,
                request,
                max_answer_octets,
                deadline,
            } => {
                let time_left = deadline.since(self.now().monotonic);
                let sent = self
                    .carrier
                    .execute(role, request, max_answer_octets, time_left);
                let result = tokio::time::timeout_at(self.instant(deadline), sent)
                    .await
                    .unwrap_or(Err(Reason::DeadlinePassed));
                Input::Response(id, result)
            }
            Action::FetchCertificates {
                id,
                x5u,
                refresh,
                deadline,
            } => {
                let fetched = self.certificates(&x5u, refresh);
                let result = tokio::time::timeout_at(self.instant(deadline), fetched)
                    .await
                    .unwrap_or(Err(Reason::DeadlinePassed));
                Input::Certificates(id, result)
            }
            Action::FetchTrust {
                id,
                file,
                url,
                deadline,
            } => {
                let fetched = self.trust_file(file, &url);
                let result = tokio::time::timeout_at(self.instant(deadline), fetched)
                    .await
                    .unwrap_or(Err(Reason::DeadlinePassed));
                Input::TrustFile(id, result)
            }
            Action::Sign { id, message } => {
                let signer = self.signer.clone();
                let sign = move || {
                    let digest: [u8; 32] = Sha256::digest(&message).into();
                    signer.ok_or(Reason::SignerFailed)?.sign(&message, &digest)
                };
                Input::Signature(id, blocking(Reason::SignerFailed, sign).await)
            }
            Action::Agree { id, peer } => {
                let agreement = self.agreement.clone();
                let agree = move || {
                    let agreement = agreement.ok_or(Reason::KeyAgreementFailed)?;
                    agreement.agree(&peer).map(Zeroizing::new)
                };
                Input::Agreement(id, blocking(Reason::KeyAgreementFailed, agree).await)
            }
            Action::Load { id, record } => {
                let store = Arc::clone(&self.records.store);
                let load = move || store.load(record.as_str());
                Input::Loaded(id, blocking(Reason::StateUnavailable, load).await)
            }
            Action::Save {
                id,
                record,
                expected,
                value,
            } => {
                let store = Arc::clone(&self.records.store);
                let save = move || {
                    let expected = expected.as_ref().map(|held| held.as_slice());
                    store.save(record.as_str(), expected, &value)
                };
                Input::Saved(id, blocking(Reason::StateUnavailable, save).await)
            }
            Action::Claim {
                id,
                record,
                expires,
            } => {
                let store = Arc::clone(&self.records.store);
                let now = self.unix_now().unwrap_or_default().as_secs();
                let claim = move || store.claim(record.as_str(), expires, now);
                Input::Claimed(id, blocking(Reason::StateUnavailable, claim).await)
            }
            _ => return None,
        })
    }

    /// Asks the host: what is kept would be no update.
    async fn trust_file(&self, file: TrustFile, url: &str) -> Result<Vec<u8>, Reason> {
        let fetcher = self.trust_fetcher.as_ref().ok_or(Reason::FetchingOff)?;
        let kind = match file {
            TrustFile::Bundle => FetchKind::TrustBundle,
            TrustFile::RevocationList => FetchKind::Crl,
            // Sessions of this version ask for nothing else.
            _ => return Err(Reason::Internal),
        };
        let fetched = fetcher.refresh(kind, url).await?;
        Ok(fetched.octets().to_vec())
    }

    async fn certificates(&self, x5u: &X5u, refresh: bool) -> Result<FoundCertificates, Reason> {
        let fetcher = self.fetcher.as_ref().ok_or(Reason::FetchingOff)?;
        let (kind, url) = (FetchKind::CertificatePath, x5u.as_str());
        let fetched = if refresh {
            fetcher.refresh(kind, url).await?
        } else {
            fetcher.fetch(kind, url).await?
        };
        Ok(FoundCertificates {
            bag: fetched.certificates().ok_or(Reason::Internal)?.clone(),
            from_cache: fetched.is_from_cache(),
        })
    }
}

/// Runs what may block, or panic in foreign code, apart from the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(
    failure: Reason,
    work: impl FnOnce() -> Result<T, Reason> + Send + 'static,
) -> Result<T, Reason> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(failure))
}
