//! Collecting what an endpoint needs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringtrue_net::{AwsLcCrypto, Fetcher, HttpSettings};
use ringtrue_session::{KeySource, Policy};
use ringtrue_stir::NumberContext;
use ringtrue_stir::crypto::{CryptoProvider, KeyAgreement, Signer};
use zeroize::Zeroizing;

use crate::relay::RelaySettings;
use crate::trust::TrustSettings;
use crate::{Clock, StateStore, SystemClock, Transport};

/// Collects the parts of an [`Endpoint`](crate::Endpoint). Errors are kept until
/// [`EndpointBuilder::build`].
#[must_use]
pub struct EndpointBuilder {
    pub(crate) numbers: Vec<String>,
    pub(crate) number_context: Option<NumberContext>,
    pub(crate) credential: Option<(String, String)>,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) agreement: Option<Arc<dyn KeyAgreement>>,
    pub(crate) anchors_pem: Vec<String>,
    pub(crate) services: Vec<String>,
    pub(crate) directory: Option<String>,
    pub(crate) placement: Option<String>,
    pub(crate) mirror: Option<String>,
    pub(crate) state_file: Option<PathBuf>,
    pub(crate) store: Option<Arc<dyn StateStore>>,
    pub(crate) state_key: Option<Zeroizing<[u8; 32]>>,
    pub(crate) http: HttpSettings,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) fetcher: Option<Fetcher>,
    pub(crate) trust: TrustSettings,
    pub(crate) relay: RelaySettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) provider: Arc<dyn CryptoProvider>,
    pub(crate) policy: Policy,
    pub(crate) token_issuer: Option<String>,
    pub(crate) token_stock: Option<usize>,
}

impl EndpointBuilder {
    pub(crate) fn new() -> Self {
        Self {
            numbers: Vec::new(),
            number_context: None,
            credential: None,
            signer: None,
            agreement: None,
            anchors_pem: Vec::new(),
            services: Vec::new(),
            directory: None,
            placement: None,
            mirror: None,
            state_file: None,
            store: None,
            state_key: None,
            http: HttpSettings::default(),
            transport: None,
            fetcher: None,
            trust: TrustSettings::default(),
            relay: RelaySettings::default(),
            clock: Arc::new(SystemClock),
            provider: Arc::new(AwsLcCrypto),
            policy: Policy::default(),
            token_issuer: None,
            token_stock: None,
        }
    }

    /// Adds an own number, 1 to 32 in all.
    pub fn number(mut self, number: impl Into<String>) -> Self {
        self.numbers.push(number.into());
        self
    }

    /// States how numbers are written here, for every number that is given as text. Without it they
    /// must be global: nothing is guessed.
    pub fn number_context(mut self, context: NumberContext) -> Self {
        self.number_context = Some(context);
        self
    }

    /// The STIR credential: a PEM chain, signer first, and the https URL where others find it. Without
    /// a credential the endpoint can verify but neither place nor answer.
    ///
    /// One that was installed later
    /// ([`Endpoint::install_certificate`](crate::Endpoint::install_certificate)) and lasts longer is used
    /// instead.
    pub fn credential(mut self, chain_pem: impl Into<String>, x5u: impl Into<String>) -> Self {
        self.credential = Some((chain_pem.into(), x5u.into()));
        self
    }

    /// The private key of the credential. A signer alone is enough to ask for one
    /// ([`Endpoint::certificate_request`](crate::Endpoint::certificate_request)).
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// A hardware encryption key for suite S1, instead of keys in the state store.
    pub fn key_agreement(mut self, agreement: Arc<dyn KeyAgreement>) -> Self {
        self.agreement = Some(agreement);
        self
    }

    /// Adds STI trust anchors, PEM. A trust bundle takes their place as soon as one is accepted; without
    /// [`EndpointBuilder::trust_bundle`] at least one is required.
    pub fn anchors_pem(mut self, pem: impl Into<String>) -> Self {
        self.anchors_pem.push(pem.into());
        self
    }

    /// Adds a base URL of an own placement service, 1 to 4 in order of preference. The first is the
    /// key directory as well, unless [`EndpointBuilder::directory`] names another.
    pub fn service(mut self, base_url: impl Into<String>) -> Self {
        self.services.push(base_url.into());
        self
    }

    /// The base URL of the key directory.
    pub fn directory(mut self, base_url: impl Into<String>) -> Self {
        self.directory = Some(base_url.into());
        self
    }

    /// The base URL of a second key directory, of another operator. Lookups ask both and compare what they
    /// say, and own keys are published in both: a directory that hides keys, shows old ones or tells
    /// callers different things is found out
    /// ([`Reason::DirectoryInconsistent`](crate::Reason::DirectoryInconsistent)).
    pub fn mirror_directory(mut self, base_url: impl Into<String>) -> Self {
        self.mirror = Some(base_url.into());
        self
    }

    /// Leaves every announcement at this service, instead of the one that the callee's key statement
    /// names.
    pub fn placement(mut self, base_url: impl Into<String>) -> Self {
        self.placement = Some(base_url.into());
        self
    }

    /// Keeps state in this file; see [`SqliteStore`](crate::SqliteStore). One of this and
    /// [`EndpointBuilder::store`] is required. Without [`EndpointBuilder::state_key`] the key that seals
    /// the records is in a file beside it, with `.key` at the end of its name, readable by its owner only
    /// and made if there is none: leave that one out of backups.
    pub fn state_file(mut self, path: impl AsRef<Path>) -> Self {
        self.state_file = Some(path.as_ref().to_owned());
        self
    }

    /// Seals the state records, values and names, with this key: 32 octets of a secure generator, from
    /// the platform's key store where there is one. The store and its backups then show no number, no
    /// key and no sign of what is kept.
    ///
    /// All processes that share a store give the same key. With another key, after the first was lost,
    /// the endpoint begins anew and makes new encryption keys at its next publication; calls that are
    /// sealed to the ones before cannot be verified until then. So a key is changed by beginning anew
    /// with an empty store.
    pub fn state_key(mut self, key: [u8; 32]) -> Self {
        self.state_key = Some(Zeroizing::new(key));
        self
    }

    /// Keeps state in a store of the application's own. Needs [`EndpointBuilder::state_key`].
    pub fn store(mut self, store: Arc<dyn StateStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// How the built-in HTTP client connects.
    pub fn http(mut self, settings: HttpSettings) -> Self {
        self.http = settings;
        self
    }

    /// Sends requests through HTTP of the application's own.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Fetches certificates that did not travel with a token from where its `x5u` points; off
    /// otherwise, unless [`Policy::fetch_certificates`] says so, which then uses a fetcher with
    /// [`FetchSettings::default`](crate::FetchSettings::default).
    ///
    /// Whoever calls chooses the host that is asked, and the host learns that and from which address
    /// a telephone with this library verifies a call now. Endpoints of this protocol send their
    /// certificates along, so this is for callers of other kinds. An application that wants neither
    /// gives a fetcher with a source of its own ([`Fetcher::with_source`]) or one that it fills ahead
    /// and keeps offline ([`Fetcher::provide`], [`Fetcher::set_offline`]). A fetcher may be shared
    /// between endpoints (CRT-46).
    pub fn fetching(mut self, fetcher: Fetcher) -> Self {
        self.fetcher = Some(fetcher);
        self
    }

    /// Takes whom to believe from an operator's trust bundle at this https URL (docs/trust-bundle.md),
    /// signed by one of `keys_pem`: 1 to 8 `PUBLIC KEY` blocks, one key in use and others for a change
    /// of keys.
    ///
    /// Nothing is fetched until [`Endpoint::update_trust`](crate::Endpoint::update_trust) is called. What
    /// it accepted is used again after a restart, and no older bundle ever after. The bundle says
    /// everything: configured anchors and the policy's certificate profile only count until the first one
    /// was accepted.
    pub fn trust_bundle<I>(mut self, url: impl Into<String>, keys_pem: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.trust.url = Some(url.into());
        self.trust.keys_pem = keys_pem.into_iter().map(Into::into).collect();
        self
    }

    /// A bundle that comes with the application: used until a newer one was accepted, if it is still in
    /// its time.
    pub fn shipped_trust_bundle(mut self, text: impl Into<String>) -> Self {
        self.trust.shipped = Some(text.into());
        self
    }

    /// Gets trust bundles and revocation lists through this fetcher, which may have a source of the
    /// application's own; otherwise through the one of [`EndpointBuilder::fetching`], or else one with
    /// [`FetchSettings::default`](crate::FetchSettings::default). Unlike that one this switches nothing on
    /// during calls.
    pub fn trust_fetching(mut self, fetcher: Fetcher) -> Self {
        self.trust.fetcher = Some(fetcher);
        self
    }

    /// Sends lookups, publications, stores and retrievals through the relay at this base URL, which sees who asks and
    /// not what; services see what is asked and not by whom. Its operator should be another than the
    /// services' (docs/protocol.md section 19.2).
    ///
    /// One of this, [`EndpointBuilder::relay_for`] and [`EndpointBuilder::allow_direct`] is required.
    pub fn relay(mut self, base_url: impl Into<String>) -> Self {
        self.relay.relay = Some(base_url.into());
        self
    }

    /// Reaches the service at one base URL through the relay at another, which knows the service's
    /// gateway by `name`, instead of the relay and the name by the rule
    /// ([`gateway_name`](crate::gateway_name)).
    pub fn relay_for(
        mut self,
        service: impl Into<String>,
        relay: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        let named = [service.into(), relay.into(), name.into()];
        self.relay.services.push(named);
        self
    }

    /// Whether services may be asked directly: where no relay is configured, none is for that service,
    /// or it fails. Not allowed by default. Services then see the address of this telephone together
    /// with the numbers that it calls and is called at. Where there is a relay, each use is told with
    /// [`Reason::DirectConnection`](crate::Reason::DirectConnection).
    pub const fn allow_direct(mut self, allow: bool) -> Self {
        self.relay.allow_direct = allow;
        self
    }

    /// Asks for the keys of others in a way of the application's own: prefix buckets, private
    /// information retrieval, whatever its directory offers (PRV-41).
    pub fn key_source(mut self, source: Arc<dyn KeySource>) -> Self {
        self.relay.key_source = Some(source);
        self
    }

    /// Takes the calendar time from the application.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Uses another cryptographic library than aws-lc.
    pub fn provider(mut self, provider: Arc<dyn CryptoProvider>) -> Self {
        self.provider = provider;
        self
    }

    /// Sets limits, times and suites.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The issuer whose storage tokens the own services want, by the authority of its base URL. The own
    /// key statement names it, so that callers bring tokens.
    pub fn token_issuer(mut self, name: impl Into<String>) -> Self {
        self.token_issuer = Some(name.into());
        self
    }

    /// How many storage tokens are kept in stock for each issuer and service: 20 to 100, 40 by default.
    pub fn token_stock(mut self, tokens: usize) -> Self {
        self.token_stock = Some(tokens);
        self
    }
}
