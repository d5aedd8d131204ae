//! How requests get to services, and what is fetched of keys ahead of calls.

use std::sync::Arc;
use std::time::Duration;

use ringtrue_oob::BaseUrl;
use ringtrue_session::{GatewayKeysSession, KeySource, LookupSession, RelayPolicy, plan_contacts};
use ringtrue_stir::{Reason, TelephoneNumber};

use crate::Endpoint;
use crate::driver::drive;

/// What the builder collects about relays.
#[derive(Default)]
pub(crate) struct RelaySettings {
    pub(crate) relay: Option<String>,
    /// Service, relay, name.
    pub(crate) services: Vec<[String; 3]>,
    pub(crate) allow_direct: bool,
    pub(crate) key_source: Option<Arc<dyn KeySource>>,
}

impl RelaySettings {
    /// # Errors
    ///
    /// [`Reason::RelayRequired`] if no request could ever be sent; [`Reason::MalformedUrl`];
    /// [`Reason::ConfigurationInvalid`] for a name that no gateway can have.
    pub(crate) fn policy(&self) -> Result<RelayPolicy, Reason> {
        let mut policy = match &self.relay {
            Some(relay) => RelayPolicy::through(BaseUrl::parse(relay)?),
            None => RelayPolicy::default(),
        };
        for [service, relay, name] in &self.services {
            let (service, relay) = (BaseUrl::parse(service)?, BaseUrl::parse(relay)?);
            policy = policy.with_service(service, &relay, name)?;
        }
        let policy = policy.allowing_direct(self.allow_direct);
        if policy.has_relay() || policy.allows_direct() {
            Ok(policy)
        } else {
            Err(Reason::RelayRequired)
        }
    }
}

/// What came of looking contacts up ahead of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefetched {
    /// Contacts whose keys are known now.
    pub found: usize,
    /// Contacts that have none, as far as the directory shows.
    pub without_keys: usize,
    /// Contacts that could not be asked for.
    pub failed: usize,
}

impl Endpoint {
    /// Learns the keys of contacts ahead of calls, so that placing one takes a single request and the
    /// directory does not see a call begin. Keys live for a day or so; once a day is enough.
    ///
    /// The directory sees neither who asks (with a relay) nor the address book: the lookups are spread
    /// over `span` at random, in random order, among lookups of other numbers. Ends after about that
    /// time, at twice of it at the latest but for the network; dropping the future stops it.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedNumber`]; [`Reason::ConfigurationInvalid`] for over 4096 contacts;
    /// [`Reason::RandomnessUnavailable`].
    pub async fn prefetch_contacts(
        &self,
        contacts: &[&str],
        span: Duration,
    ) -> Result<Prefetched, Reason> {
        let numbers = contacts
            .iter()
            .map(|text| self.read_number(text))
            .collect::<Result<Vec<_>, _>>()?;
        let context = self.host().context();
        let plan = plan_contacts(context.provider().as_ref(), &numbers, span)?;
        let mut prefetched = Prefetched::default();
        for lookup in plan {
            tokio::time::sleep(lookup.pause).await;
            if lookup.is_decoy {
                let deadline = self.deadline(None, context.policy().directory_deadline);
                let session =
                    LookupSession::new(Arc::clone(&context), lookup.number, true, deadline);
                drive(self.host(), session.decoy(), |never| match never {}).await;
                continue;
            }
            let count = match self.learn_keys(lookup.number, None).await {
                Ok(_) => &mut prefetched.found,
                Err(Reason::NoUsableKey) => &mut prefetched.without_keys,
                Err(_) => &mut prefetched.failed,
            };
            *count = count.saturating_add(1);
        }
        Ok(prefetched)
    }

    /// Makes sure that the keys of the gateways of the own services and of the key directory are at
    /// hand. [`Endpoint::publish_keys`] does it too; nothing to do without a relay.
    ///
    /// # Errors
    ///
    /// What went wrong with one of them; the others are there all the same.
    /// [`Reason::GatewayKeysInconsistent`] for a gateway that shows different keys to different
    /// askers: it is not used.
    pub async fn refresh_gateways(&self, deadline: Option<Duration>) -> Result<(), Reason> {
        let context = self.host().context();
        let services = context.services();
        let all = services
            .own
            .iter()
            .chain([&services.directory])
            .chain(&services.mirror)
            .chain(&services.placement);
        self.learn_gateways(all.cloned().collect(), deadline).await
    }

    /// Learns the keys of one number, and those of the gateways to where its owner looks and to the issuers
    /// of the tokens that are wanted there.
    pub(crate) async fn learn_keys(
        &self,
        number: TelephoneNumber,
        deadline: Option<Duration>,
    ) -> Result<usize, Reason> {
        let host = self.host();
        let within = self.deadline(deadline, host.context().policy().directory_deadline);
        let session = LookupSession::new(host.context(), number.clone(), true, within);
        let found = drive(host, session, |never| match never {}).await;
        let now = host.unix_now();
        let (known, readers) = now.map_or((0, 0), |now| {
            let allowed = host.context().readers_of(&found.keys, now);
            (found.keys.readers(now), allowed)
        });
        let mut services = now.map_or_else(Vec::new, |now| found.keys.services(now));
        // An issuer's keys are looked at through its gateway.
        let wallets = now.map_or_else(Vec::new, |now| found.keys.wallets(&host.context(), now));
        services.extend(wallets.iter().map(|name| name.issuer().base_url().clone()));
        self.remember(number, found.keys);
        // Without them the call costs two requests more, and says so.
        let _ = self.learn_gateways(services, deadline).await;
        match readers {
            0 if known > 0 => Err(Reason::ReaderNotAllowed),
            0 => Err(found
                .notices
                .first()
                .copied()
                .unwrap_or(Reason::NoUsableKey)),
            readers => Ok(readers),
        }
    }

    async fn learn_gateways(
        &self,
        mut services: Vec<BaseUrl>,
        deadline: Option<Duration>,
    ) -> Result<(), Reason> {
        let host = self.host();
        let context = host.context();
        services.sort();
        services.dedup();
        services.retain(|service| context.relay().url_for(service).is_some());
        let mut outcome = Ok(());
        for service in services {
            let within = self.deadline(deadline, context.policy().directory_deadline);
            let session = GatewayKeysSession::new(Arc::clone(&context), &service, within);
            let learned = drive(host, session, |never| match never {}).await;
            outcome = outcome.and(learned);
        }
        outcome
    }
}
