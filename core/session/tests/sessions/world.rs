//! Where everything is: two telephones, the lab's PKI, the services and the time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ringtrue_lab::{Authority, Credential as LabCredential, LeafSpec};
use ringtrue_oob::BaseUrl;
use ringtrue_session::{
    Context, ContextBuilder, Credential, LookupSession, Monotonic, PeerKeys, PlaceSession, Placed,
    Placement, Policy, PublishMode, PublishSession, Published, RingOutcome, RingSession, Services,
};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::jitter::{FixedJitter, NOMINAL};
use crate::net::Net;
use crate::phone::Phone;
use crate::sim::{Running, run, run_all};

/// What the calendar shows when the monotonic clock shows nought.
pub(crate) const START_MS: u64 = 1_800_000_000_000;

pub(crate) const CALLER: &str = "12025550143";
pub(crate) const CALLEE: &str = "12025550199";
pub(crate) const STRANGER: &str = "12025550111";

/// Where the caller has its mailbox.
pub(crate) const CPS_CALLER: &str = "cps.caller.example";
/// Where the callee has its mailbox.
pub(crate) const CPS_CALLEE: &str = "cps.callee.example";
/// A second one of the callee.
pub(crate) const CPS_SPARE: &str = "spare.callee.example";
/// The key directory.
pub(crate) const DIRECTORY: &str = "keys.example";

pub(crate) fn number(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

pub(crate) fn base(authority: &str) -> BaseUrl {
    BaseUrl::parse(&format!("https://{authority}")).unwrap()
}

fn without_store_jitter() -> Policy {
    let mut policy = Policy::default();
    policy.store_jitter = Duration::ZERO;
    policy
}

pub(crate) struct World {
    /// The monotonic time.
    pub(crate) ms: u64,
    pub(crate) net: Net,
    pub(crate) authority: Authority,
}

impl World {
    pub(crate) fn new() -> Self {
        let at = UnixTime::from_secs(START_MS / 1000);
        let authority = Authority::for_numbers(&[number(CALLER), number(CALLEE)], at).unwrap();
        let services = [CPS_CALLER, CPS_CALLEE, CPS_SPARE, DIRECTORY]
            .map(|name| (name.to_owned(), crate::net::Service::default()));
        Self {
            ms: 1000,
            net: Net {
                services: BTreeMap::from(services),
                issuers: BTreeMap::new(),
                sent: Vec::new(),
                latency_ms: 20,
                date_ahead_ms: None,
                anchors: authority.anchors().unwrap(),
                certificates: BTreeMap::new(),
                trust_files: BTreeMap::new(),
                trust_fetched: Vec::new(),
                fetched: Vec::new(),
                relay: crate::relay::Relay::default(),
            },
            authority,
        }
    }

    /// A world with both telephones, both of which have published.
    pub(crate) fn with_phones() -> (Self, Phone, Phone) {
        let mut world = Self::new();
        let mut caller = world.phone(&[CALLER], &[CPS_CALLER]);
        let mut callee = world.phone(&[CALLEE], &[CPS_CALLEE]);
        world.publish(&mut caller).unwrap();
        world.publish(&mut callee).unwrap();
        world.net.sent.clear();
        (world, caller, callee)
    }

    /// The calendar time.
    pub(crate) fn unix(&self) -> UnixTime {
        UnixTime::from_secs((START_MS + self.ms) / 1000)
    }

    pub(crate) fn in_ms(&self, ms: u64) -> Monotonic {
        Monotonic::from_ms(self.ms + ms)
    }

    /// A credential that covers these numbers.
    pub(crate) fn credential(&self, numbers: &[&str]) -> LabCredential {
        let entries = numbers.iter().map(|text| Entry::One(number(text)));
        let scope = TnAuthList::new(entries.collect()).unwrap();
        let at = UnixTime::from_secs(START_MS / 1000);
        self.authority
            .issue(&LeafSpec::for_scope(Some(scope), at))
            .unwrap()
    }

    pub(crate) fn phone(&self, numbers: &[&str], services: &[&str]) -> Phone {
        self.phone_with(numbers, services, self.credential(numbers), |_| {})
    }

    /// A telephone whose settings `change` changes.
    pub(crate) fn phone_with(
        &self,
        numbers: &[&str],
        services: &[&str],
        credential: LabCredential,
        change: impl FnOnce(&mut ContextBuilder),
    ) -> Phone {
        let context = self
            .context(numbers, services, &credential, change)
            .unwrap();
        Phone::new(context, credential)
    }

    pub(crate) fn context(
        &self,
        numbers: &[&str],
        services: &[&str],
        credential: &LabCredential,
        change: impl FnOnce(&mut ContextBuilder),
    ) -> Result<Arc<Context>, Reason> {
        let x5u = "https://certs.example/chain.pem";
        let mut builder = ContextBuilder {
            provider: Arc::new(FixedJitter(NOMINAL)),
            anchors: self.authority.anchors().unwrap(),
            // Whoever tests delays asks for them.
            policy: without_store_jitter(),
            numbers: numbers.iter().map(|text| number(text)).collect(),
            services: Services {
                own: services.iter().map(|name| base(name)).collect(),
                directory: base(DIRECTORY),
                placement: None,
                mirror: None,
            },
            credential: Some(Credential::new(credential.bag().unwrap(), x5u).unwrap()),
            hardware_key: None,
        };
        change(&mut builder);
        builder.build(Some(self.unix())).map(Arc::new)
    }

    pub(crate) fn publish(&mut self, phone: &mut Phone) -> Result<Published, Reason> {
        self.publish_as(phone, PublishMode::Publish)
    }

    pub(crate) fn publish_as(
        &mut self,
        phone: &mut Phone,
        mode: PublishMode,
    ) -> Result<Published, Reason> {
        let session = PublishSession::new(Arc::clone(&phone.context), mode, self.in_ms(10_000));
        run(self, phone, session)
    }

    pub(crate) fn lookup(&self, phone: &Phone, of: &str, fresh: bool) -> LookupSession {
        let context = Arc::clone(&phone.context);
        LookupSession::new(context, number(of), fresh, self.in_ms(10_000))
    }

    /// Everything that a place session needs, with nothing known and an answer wanted.
    pub(crate) fn placing(&self, phone: &Phone, to: &str) -> PlaceSession {
        self.placing_with(phone, to, PeerKeys::default(), true)
    }

    pub(crate) fn placing_with(
        &self,
        phone: &Phone,
        to: &str,
        known: PeerKeys,
        want_answer: bool,
    ) -> PlaceSession {
        let from = phone.context.numbers()[0].clone();
        PlaceSession::new(
            Arc::clone(&phone.context),
            from,
            number(to),
            known,
            want_answer,
            false,
            self.in_ms(1500),
        )
        .unwrap()
    }

    /// Places a call from the phone's first number.
    pub(crate) fn place(&mut self, phone: &mut Phone, to: &str) -> Placed {
        let session = self.placing(phone, to);
        run(self, phone, session)
    }

    /// Places a call that must get stored.
    pub(crate) fn place_well(&mut self, phone: &mut Phone, to: &str) -> Placed {
        let placed = self.place(phone, to);
        assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
        placed
    }

    /// A session for a call that rings at a phone with one number.
    pub(crate) fn ringing(&self, phone: &Phone, from: &str) -> RingSession {
        self.ringing_with(phone, Some(from), Some(phone.context.numbers()[0].as_str()))
    }

    pub(crate) fn ringing_with(
        &self,
        phone: &Phone,
        from: Option<&str>,
        to: Option<&str>,
    ) -> RingSession {
        RingSession::new(
            Arc::clone(&phone.context),
            from.map(number),
            to.map(number),
            self.in_ms(2500),
            phone.now(self.ms),
        )
        .unwrap()
    }

    /// Lets a call ring to the end of the session and gives everything.
    pub(crate) fn ring_all(&mut self, phone: &mut Phone, from: &str) -> Running<RingSession> {
        let session = self.ringing(phone, from);
        run_all(self, phone, session)
    }

    /// Lets a call ring and gives the first verdict.
    pub(crate) fn ring(&mut self, phone: &mut Phone, from: &str) -> RingOutcome {
        first(self.ring_all(phone, from))
    }
}

/// The first verdict of a call that rang.
pub(crate) fn first(rang: Running<RingSession>) -> RingOutcome {
    rang.reports.into_iter().next().expect("a verdict").1
}

/// The reasons of a placed call, but for the one that the directory was asked during it. Most calls
/// here are first ones; [`crate::placing`] tests that reason itself.
pub(crate) fn told(placed: &Placed) -> Vec<Reason> {
    let told = placed.reasons.iter().copied();
    told.filter(|reason| *reason != Reason::KeysJustInTime)
        .collect()
}
