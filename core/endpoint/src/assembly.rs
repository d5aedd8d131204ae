//! From what was collected to an endpoint: everything is checked, the state store opened.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, RwLock};

use ringtrue_net::{FetchSettings, Fetcher, HttpClient};
use ringtrue_oob::BaseUrl;
use ringtrue_session::{
    Context, ContextBuilder, Credential, IssuerName, Monotonic, Now, RecordKey, RecordName,
    Services,
};
use ringtrue_stir::certificate::{CertificateBag, TrustAnchors};
use ringtrue_stir::crypto::{CryptoProvider, Signer};
use ringtrue_stir::{Reason, UnixTime};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::endpoint::Inner;
use crate::host::Host;
use crate::key_file;
use crate::records::Records;
use crate::tokens::Wallets;
use crate::transport::Carrier;
use crate::{Endpoint, EndpointBuilder, SqliteStore, StateStore};

/// Storage tokens in stock: enough for a day of calls, few enough to lose.
const TOKEN_STOCK: core::ops::RangeInclusive<usize> = 20..=100;

impl EndpointBuilder {
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
        let trust_fetcher = match (&trust_source, self.trust.fetcher.take()) {
            (None, _) => None,
            (Some(_), Some(own)) => Some(own),
            (Some(_), None) => match &fetcher {
                Some(fetcher) => Some(fetcher.clone()),
                None => Some(Fetcher::new(&FetchSettings::default())?),
            },
        };
        let relay = self.relay.policy()?;
        let services = self.services()?;
        let anchors = self.anchors()?;
        // Until the first bundle nobody is verified, then.
        if anchors.is_empty() && trust_source.is_none() {
            return Err(Reason::ConfigurationInvalid);
        }
        let numbers = self
            .numbers
            .iter()
            .map(|text| crate::endpoint::read_number(self.number_context.as_ref(), text))
            .collect::<Result<_, _>>()?;
        let configured = self.configured_credential()?;
        let now = Now {
            monotonic: Monotonic::default(),
            wall: self.clock.now(),
        };
        let context = ContextBuilder {
            provider: self.provider,
            anchors,
            numbers,
            services,
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
        let signer = self.signer.as_deref();
        let context = with_credential(context, configured, is_bundled, signer, &records, now)?;
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

    fn services(&self) -> Result<Services, Reason> {
        let own = self
            .services
            .iter()
            .map(|text| BaseUrl::parse(text))
            .collect::<Result<Vec<_>, _>>()?;
        let directory = match &self.directory {
            Some(text) => BaseUrl::parse(text)?,
            None => own.first().ok_or(Reason::ConfigurationInvalid)?.clone(),
        };
        Ok(Services {
            own,
            directory,
            placement: self.placement.as_deref().map(BaseUrl::parse).transpose()?,
            mirror: self.mirror.as_deref().map(BaseUrl::parse).transpose()?,
        })
    }

    fn anchors(&self) -> Result<TrustAnchors, Reason> {
        let mut anchors = TrustAnchors::new();
        for pem in &self.anchors_pem {
            for root in TrustAnchors::from_pem(pem)?.certificates() {
                anchors.add(root.clone())?;
            }
        }
        Ok(anchors)
    }

    /// The credential that the application states, if it is for the signer's key.
    fn configured_credential(&self) -> Result<Option<Credential>, Reason> {
        let Some((chain_pem, x5u)) = &self.credential else {
            return Ok(None);
        };
        let signer = self.signer.as_ref().ok_or(Reason::ConfigurationInvalid)?;
        let credential = Credential::new(CertificateBag::from_pem(chain_pem)?, x5u)?;
        credential.require_key(&signer.public_key())?;
        Ok(Some(credential))
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

/// The context with the credential that is to be used: the configured one or the one that was installed
/// since.
fn with_credential(
    context: Context,
    configured: Option<Credential>,
    is_bundled: bool,
    signer: Option<&dyn Signer>,
    records: &Records,
    now: Option<UnixTime>,
) -> Result<Context, Reason> {
    let with_configured = match configured {
        None => Ok(context.clone()),
        // Only an update can mend this, and for an update there has to be an endpoint.
        Some(credential) if is_bundled || context.trust().anchors().is_empty() => {
            Ok(context.clone().with_untried_credential(credential, now))
        }
        Some(credential) => context.clone().with_credential(credential, now),
    };
    match (signer, with_configured) {
        (None, with_configured) => with_configured,
        (Some(signer), Ok(context)) => with_installed(context, records, signer, now),
        // An application goes on stating the credential that it began with: once that has expired, the one
        // that was installed since carries on alone.
        (Some(signer), Err(reason)) => {
            let renewed = with_installed(context, records, signer, now)?;
            renewed.credential().ok_or(reason)?;
            Ok(renewed)
        }
    }
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
