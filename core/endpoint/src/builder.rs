//! Collecting what an endpoint needs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, RwLock};

use ringtrue_net::{AwsLcCrypto, FetchSettings, Fetcher, HttpClient, HttpSettings};
use ringtrue_oob::BaseUrl;
use ringtrue_session::{
    Context, ContextBuilder, Credential, IssuerName, KeySource, Monotonic, Now, Policy, RecordKey,
    RecordName, Services,
};
use ringtrue_stir::certificate::{CertificateBag, TrustAnchors};
use ringtrue_stir::crypto::{CryptoProvider, KeyAgreement, Signer};
use ringtrue_stir::{NumberContext, Reason, UnixTime};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::endpoint::Inner;
use crate::host::Host;
use crate::key_file;
use crate::records::Records;
use crate::relay::RelaySettings;
use crate::tokens::Wallets;
use crate::transport::Carrier;
use crate::trust::TrustSettings;
use crate::{Clock, Endpoint, SqliteStore, StateStore, SystemClock, Transport};

/// Storage tokens in stock: enough for a day of calls, few enough to lose.
const TOKEN_STOCK: core::ops::RangeInclusive<usize> = 20..=100;

/// Collects the parts of an [`Endpoint`]. Errors are kept until [`EndpointBuilder::build`].
#[must_use]
pub struct EndpointBuilder {
    numbers: Vec<String>,
    number_context: Option<NumberContext>,
    credential: Option<(String, String)>,
    signer: Option<Arc<dyn Signer>>,
    agreement: Option<Arc<dyn KeyAgreement>>,
    anchors_pem: Vec<String>,
    services: Vec<String>,
    directory: Option<String>,
    placement: Option<String>,
    mirror: Option<String>,
    state_file: Option<PathBuf>,
    store: Option<Arc<dyn StateStore>>,
    state_key: Option<Zeroizing<[u8; 32]>>,
    http: HttpSettings,
    transport: Option<Arc<dyn Transport>>,
    fetcher: Option<Fetcher>,
    trust: TrustSettings,
    relay: RelaySettings,
    clock: Arc<dyn Clock>,
    provider: Arc<dyn CryptoProvider>,
    policy: Policy,
    token_issuer: Option<String>,
    token_stock: Option<usize>,
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
    /// One that was installed later ([`Endpoint::install_certificate`]) and lasts longer is used
    /// instead.
    pub fn credential(mut self, chain_pem: impl Into<String>, x5u: impl Into<String>) -> Self {
        self.credential = Some((chain_pem.into(), x5u.into()));
        self
    }

    /// The private key of the credential. A signer alone is enough to ask for one
    /// ([`Endpoint::certificate_request`]).
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

    /// The base URL of a second key directory, of another operator. Lookups ask both and compare what
    /// they say, and own keys are published in both: a directory that hides keys, shows old ones or
    /// tells callers different things is found out ([`Reason::DirectoryInconsistent`]).
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

    /// Keeps state in this file; see [`SqliteStore`]. One of this and [`EndpointBuilder::store`] is
    /// required. Without [`EndpointBuilder::state_key`] the key that seals the records is in a file
    /// beside it, with `.key` at the end of its name, readable by its owner only and made if there is
    /// none: leave that one out of backups.
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
    /// [`FetchSettings::default`].
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
    /// Nothing is fetched until [`Endpoint::update_trust`] is called. What it accepted is used again
    /// after a restart, and no older bundle ever after. The bundle says everything: configured anchors
    /// and the policy's certificate profile only count until the first one was accepted.
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
    /// [`FetchSettings::default`]. Unlike that one this switches nothing on during calls.
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
    /// [`Reason::DirectConnection`].
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

    /// Checks everything and makes the endpoint. Opens the state store, but no connection.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] if something is missing or contradicts something else;
    /// [`Reason::RelayRequired`] without any way to services;
    /// [`Reason::KeyMismatch`] if the credential is not for the signer's key;
    /// [`Reason::MalformedNumber`], [`Reason::MalformedUrl`], [`Reason::MalformedPem`] or
    /// [`Reason::MalformedCertificate`] for a part that cannot be read; what path verification says if
    /// the credential leads to no configured anchor or has expired, and none that was installed later
    /// takes its place; [`Reason::StateUnavailable`]. With a trust bundle in use a credential that does
    /// not hold is no error but a [`CredentialState`](crate::CredentialState).
    pub fn build(mut self) -> Result<Endpoint, Reason> {
        if let Some(name) = &self.token_issuer {
            self.policy.token_issuer = Some(IssuerName::parse(name)?);
        }
        if let Some(tokens) = self.token_stock {
            if !TOKEN_STOCK.contains(&tokens) {
                return Err(Reason::ConfigurationInvalid);
            }
            self.policy.token_stock = tokens;
        }
        let fetcher = match self.fetcher.take() {
            None if self.policy.fetch_certificates => {
                Some(Fetcher::new(&FetchSettings::default())?)
            }
            fetcher => fetcher,
        };
        self.policy.fetch_certificates = fetcher.is_some();
        let trust_source = self.trust.source()?;
        let trust_fetcher = match (&trust_source, self.trust.fetcher) {
            (None, _) => None,
            (Some(_), Some(own)) => Some(own),
            (Some(_), None) => match &fetcher {
                Some(fetcher) => Some(fetcher.clone()),
                None => Some(Fetcher::new(&FetchSettings::default())?),
            },
        };
        let relay = self.relay.policy()?;
        let urls = |texts: &[String]| -> Result<Vec<BaseUrl>, Reason> {
            texts.iter().map(|text| BaseUrl::parse(text)).collect()
        };
        let own = urls(&self.services)?;
        let directory = match &self.directory {
            Some(text) => BaseUrl::parse(text)?,
            None => own.first().ok_or(Reason::ConfigurationInvalid)?.clone(),
        };
        let placement = self.placement.as_deref().map(BaseUrl::parse).transpose()?;
        let mut anchors = TrustAnchors::new();
        for pem in &self.anchors_pem {
            for root in TrustAnchors::from_pem(pem)?.certificates() {
                anchors.add(root.clone())?;
            }
        }
        // Until the first bundle nobody is verified, then.
        if anchors.is_empty() && trust_source.is_none() {
            return Err(Reason::ConfigurationInvalid);
        }
        let numbers = self
            .numbers
            .iter()
            .map(|text| crate::endpoint::read_number(self.number_context.as_ref(), text))
            .collect::<Result<_, _>>()?;
        let configured = match (&self.credential, &self.signer) {
            (None, _) => None,
            (Some((chain_pem, x5u)), Some(signer)) => {
                let credential = Credential::new(CertificateBag::from_pem(chain_pem)?, x5u)?;
                credential.require_key(&signer.public_key())?;
                Some(credential)
            }
            (Some(_), None) => return Err(Reason::ConfigurationInvalid),
        };
        let now = Now {
            monotonic: Monotonic::default(),
            wall: self.clock.now(),
        };
        let context = ContextBuilder {
            provider: self.provider,
            anchors,
            numbers,
            services: Services {
                own,
                directory,
                placement,
                mirror: self.mirror.as_deref().map(BaseUrl::parse).transpose()?,
            },
            credential: None,
            hardware_key: self.agreement.as_ref().map(|key| key.public_key()),
            policy: self.policy,
        };
        let now = now.unix(context.policy.earliest_time);
        let mut context = context.build(now)?.with_relay(relay);
        if let Some(source) = self.relay.key_source {
            context = context.with_key_source(source);
        }
        let provider = context.provider().as_ref();
        let records = open_records(self.store, self.state_file, self.state_key, provider)?;
        let bundled = match &trust_source {
            None => None,
            Some(source) => {
                let load = |record: &RecordName| records.load(record);
                source.restore(context.provider().as_ref(), now, load)?
            }
        };
        let is_bundled = bundled.is_some();
        let context = match bundled {
            Some(trust) => context.with_trust(trust, now),
            None => context,
        };
        let with_configured = match configured {
            None => Ok(context.clone()),
            // Only an update can mend this, and for an update there has to be an endpoint.
            Some(credential) if is_bundled || context.trust().anchors().is_empty() => {
                Ok(context.clone().with_untried_credential(credential, now))
            }
            Some(credential) => context.clone().with_credential(credential, now),
        };
        let context = match (&self.signer, with_configured) {
            (None, with_configured) => with_configured?,
            (Some(signer), Ok(context)) => with_installed(context, &records, signer.as_ref(), now)?,
            // An application goes on stating the credential that it began with: once that has expired,
            // the one that was installed since carries on alone.
            (Some(signer), Err(reason)) => {
                let renewed = with_installed(context, &records, signer.as_ref(), now)?;
                renewed.credential().ok_or(reason)?;
                renewed
            }
        };
        let numbers = context.numbers().to_vec();
        let carrier = match self.transport {
            Some(transport) => Carrier::Application(transport),
            None => Carrier::BuiltIn(HttpClient::new(&self.http)?),
        };
        let host = Arc::new(Host {
            context: RwLock::new(Arc::new(context)),
            carrier,
            fetcher,
            trust_source,
            trust_fetcher,
            records,
            clock: self.clock,
            signer: self.signer,
            agreement: self.agreement,
            origin: Instant::now(),
        });
        Ok(Endpoint::from_inner(Inner {
            host,
            numbers,
            number_context: self.number_context,
            known: Mutex::new(HashMap::new()),
            wallets: Wallets::default(),
            announced: AtomicUsize::new(0),
            calls: Arc::default(),
            call_backs: Mutex::default(),
        }))
    }
}

/// The state store and its key.
fn open_records(
    store: Option<Arc<dyn StateStore>>,
    state_file: Option<PathBuf>,
    key: Option<Zeroizing<[u8; 32]>>,
    provider: &dyn CryptoProvider,
) -> Result<Records, Reason> {
    let (store, key): (Arc<dyn StateStore>, _) = match (store, state_file) {
        // What would keep a key for it nobody but the application knows.
        (Some(store), None) => (store, key.ok_or(Reason::ConfigurationInvalid)?),
        (None, Some(path)) => {
            let store = SqliteStore::open(&path)?;
            let key = match key {
                Some(key) => key,
                None => store.exclusively(|| key_file::read_or_make(&path, provider))?,
            };
            (Arc::new(store), key)
        }
        _ => return Err(Reason::ConfigurationInvalid),
    };
    Ok(Records {
        store,
        key: RecordKey::new(&key),
    })
}

/// The context with the credential that was installed earlier, if it is for this key, still holds and
/// lasts longer than the configured one. What no longer holds is left alone: it may again when the
/// clock is set or the anchors are back.
fn with_installed(
    context: Context,
    records: &Records,
    signer: &dyn Signer,
    now: Option<UnixTime>,
) -> Result<Context, Reason> {
    let record = match records.load(&RecordName::credential()) {
        Ok(Some(record)) => record,
        // It holds nothing secret and is replaced when the next one is installed.
        Ok(None) | Err(Reason::RecordNotOpened) => return Ok(context),
        Err(reason) => return Err(reason),
    };
    let Ok(installed) = Credential::from_record(&record) else {
        return Ok(context);
    };
    if installed.require_key(&signer.public_key()).is_err() {
        return Ok(context);
    }
    // A configured one that does not hold by the trust bundle stands back.
    let configured = context
        .credential()
        .filter(|_| context.require_scope().is_ok());
    if configured.is_some_and(|held| installed.leaf().not_after() <= held.leaf().not_after()) {
        return Ok(context);
    }
    match context.clone().with_credential(installed.clone(), now) {
        Ok(renewed) if renewed.require_scope().is_ok() => Ok(renewed),
        // With a bundle it may hold again after an update, as a configured one may.
        Err(_) if context.credential().is_none() && context.trust().version().is_some() => {
            Ok(context.with_untried_credential(installed, now))
        }
        _ => Ok(context),
    }
}
