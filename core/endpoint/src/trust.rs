//! Whom the endpoint believes: taking trust over from an operator, outside of calls.

use std::time::Duration;

use ringtrue_net::Fetcher;
use ringtrue_session::{TrustSource, TrustStatus, TrustUpdateSession, TrustUpdated};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::P256PublicKey;

use crate::Endpoint;
use crate::driver::drive;

/// What the builder collects about trust bundles.
#[derive(Default)]
pub(crate) struct TrustSettings {
    pub(crate) url: Option<String>,
    pub(crate) keys_pem: Vec<String>,
    pub(crate) shipped: Option<String>,
    pub(crate) fetcher: Option<Fetcher>,
}

impl TrustSettings {
    /// Where bundles come from, if they are to be used.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for a bundle or a fetcher without a URL and keys;
    /// [`Reason::MalformedPem`] or [`Reason::MalformedKey`] for a key that cannot be read.
    pub(crate) fn source(&self) -> Result<Option<TrustSource>, Reason> {
        let Some(url) = &self.url else {
            return if self.shipped.is_none() && self.fetcher.is_none() {
                Ok(None)
            } else {
                Err(Reason::ConfigurationInvalid)
            };
        };
        let keys = self
            .keys_pem
            .iter()
            .map(|pem| P256PublicKey::from_spki_pem(pem))
            .collect::<Result<_, _>>()?;
        Ok(Some(TrustSource {
            url: url.clone(),
            keys,
            shipped: self.shipped.clone(),
        }))
    }
}

impl Endpoint {
    /// Gets the operator's trust bundle and the revocation lists that it names, keeps them in the state
    /// store and takes them into use. Never call it while a call is set up; once a day is enough for a
    /// bundle that lives for a month, more often where revocation lists are short-lived
    /// ([`TrustUpdated::next_update`]).
    ///
    /// Calls that begin afterwards are judged by what came; those under way end as they began. Nothing
    /// is fetched during calls. Ends within 30 s ([`Policy::trust_deadline`](crate::Policy)) unless
    /// `deadline` says otherwise. The bundle's and the lists' hosts learn that this telephone uses them,
    /// and nothing about calls.
    ///
    /// # Errors
    ///
    /// Then the bundle before stays in use until it expires; its revocation lists may have been renewed
    /// all the same.
    ///
    /// - [`Reason::ConfigurationInvalid`]: no [`EndpointBuilder::trust_bundle`](crate::EndpointBuilder).
    /// - [`Reason::BundleUntrusted`], [`Reason::MalformedTrustBundle`], [`Reason::BundleExpired`],
    ///   [`Reason::IatInFuture`]: what was fetched cannot be used.
    /// - [`Reason::BundleRollback`]: it is older than one that was accepted before.
    /// - [`Reason::FetchingOff`] while the fetcher is offline, and the other reasons of
    ///   [`Fetcher::fetch`].
    /// - [`Reason::StateUnavailable`]: it could not be kept, so it is not used.
    /// - [`Reason::ClockUnset`], [`Reason::DeadlinePassed`].
    pub async fn update_trust(&self, deadline: Option<Duration>) -> Result<TrustUpdated, Reason> {
        let host = self.host();
        let source = host
            .trust_source
            .clone()
            .ok_or(Reason::ConfigurationInvalid)?;
        let deadline = self.deadline(deadline, host.context().policy().trust_deadline);
        let session = TrustUpdateSession::new(host.context(), source, deadline)?;
        let update = drive(host, session, |never| match never {}).await;
        if let Some(trust) = update.trust {
            let now = host.unix_now();
            host.replace_context(|context| {
                // Another update may have been faster.
                Ok(if trust.is_at_least(context.trust()) {
                    context.with_trust(trust, now)
                } else {
                    context
                })
            })?;
            // Keys were learned from signers that may not hold any more.
            self.forget_known();
        }
        update.result
    }

    /// Whom the endpoint believes at present, and until when.
    #[must_use]
    pub fn trust_status(&self) -> TrustStatus {
        self.host().context().trust().status()
    }
}
