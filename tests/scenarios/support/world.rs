//! A small world: a test authority, the real service, a gateway in front of it, and endpoints.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{
    AddressPolicy, Endpoint, HttpSettings, KeyAgreement, MemoryStore, PlaceOptions, Placed, Policy,
    Reason, Signer, SoftwareSigner, TelephoneNumber, UnixTime,
};
use ringtrue::{BaseUrl, EndpointBuilder};
use ringtrue_cps::{DummyLevel, NetworkLimits, RunningService, Service, ServiceConfig};
use ringtrue_lab::{Authority, Credential, TlsIdentity, tls_identity};
use ringtrue_net::{HttpClient, Role};
use ringtrue_oob::Blob;
use ringtrue_oob::http::placement::RetrieveForm;
use ringtrue_oob::http::{HttpResponse, directory, placement};
use ringtrue_oob::statement::KeyStatement;
use ringtrue_stir::certificate::Profile;

use super::gateway::{Gateway, Watch};
use super::secrets::assert_quiet;
use super::{PATIENT, ends, logs, now};

/// Where the certificates of every credential are said to be. Nothing is there.
pub(crate) const X5U: &str = "https://certs.example/chain.pem";

/// What seals the state of every endpoint here.
pub(crate) const STATE_KEY: [u8; 32] = [0x5e; 32];

/// A number of the authority's block, 0 to 99.
pub(crate) fn number(index: usize) -> TelephoneNumber {
    TelephoneNumber::from_canonical(&format!("12025550{:03}", 100 + index)).unwrap()
}

pub(crate) struct World {
    pub(crate) now: UnixTime,
    pub(crate) authority: Authority,
    pub(crate) tls: TlsIdentity,
    pub(crate) gateway: Gateway,
    pub(crate) service: RunningService,
    /// Fails the test if anything of its calls was logged.
    _quiet: Watch,
    /// Reaches the real service past the gateway.
    client: HttpClient,
    base: BaseUrl,
}

fn client(tls: &TlsIdentity) -> HttpClient {
    HttpClient::new(&lab_http(&tls.root_pem)).unwrap()
}

/// How lab endpoints connect: to loopback, trusting this root alone.
pub(crate) fn lab_http(root_pem: &str) -> HttpSettings {
    HttpSettings {
        addresses: AddressPolicy::public_only().allow_loopback(),
        extra_roots_pem: vec![root_pem.to_owned()],
        web_roots: false,
        // Whether a connection comes about at all is asked, not how soon.
        connect_timeout: PATIENT,
        ..HttpSettings::default()
    }
}

/// The usual rules, with time for what endpoints do by themselves: reports, cover traffic.
pub(crate) fn patient_policy() -> Policy {
    let mut policy = Policy::default();
    policy.place_deadline = PATIENT;
    policy.answer_deadline = PATIENT;
    policy
}

/// Limits of a service whose clients are on the same busy machine.
pub(crate) fn patient_network() -> NetworkLimits {
    NetworkLimits {
        handshake_timeout: PATIENT,
        body_timeout: PATIENT,
        answer_timeout: PATIENT,
        ..NetworkLimits::default()
    }
}

/// The tools of whoever holds a credential, for [`EndpointBuilder`].
pub(crate) fn signer_of(credential: &Credential) -> Arc<dyn Signer> {
    Arc::new(SoftwareSigner::new(credential.secret.clone()).unwrap())
}

impl World {
    pub(crate) async fn new() -> Self {
        let now = now();
        let authority = Authority::for_numbers(&[number(0)], now).unwrap();
        let tls = tls_identity(&["127.0.0.1", "localhost"], now).unwrap();
        Self::with(authority, tls).await
    }

    pub(crate) async fn with(authority: Authority, tls: TlsIdentity) -> Self {
        let mut config = ServiceConfig::new(authority.anchors().unwrap());
        config.profile = Profile::Stir;
        config.placement.lifetime = Duration::from_secs(60);
        Self::configured(authority, tls, config).await
    }

    /// A world whose service hides calls at a constant rate.
    pub(crate) async fn at_constant_rate() -> Self {
        let now = now();
        let authority = Authority::for_numbers(&[number(0)], now).unwrap();
        let tls = tls_identity(&["127.0.0.1", "localhost"], now).unwrap();
        let mut config = ServiceConfig::new(authority.anchors().unwrap());
        config.profile = Profile::Stir;
        config.placement.dummies = DummyLevel::constant();
        Self::configured(authority, tls, config).await
    }

    async fn configured(authority: Authority, tls: TlsIdentity, mut config: ServiceConfig) -> Self {
        logs::record();
        config.network = patient_network();
        let identity = ringtrue_cps::TlsIdentity {
            chain_pem: tls.chain_pem.clone(),
            key_pem: tls.key_pem.clone(),
        };
        let service = Service::start(config, &identity).await.unwrap();
        let base = service.base_url().clone();
        let upstream = (client(&tls), base.as_str().to_owned());
        let gateway = Gateway::start(&tls, Some(upstream));
        let since = logs::length();
        Self {
            now: now(),
            _quiet: gateway.watch(move |exchanges| assert_quiet(exchanges, since)),
            gateway,
            client: client(&tls),
            authority,
            tls,
            service,
            base,
        }
    }

    pub(crate) fn credential(&self, number: &TelephoneNumber) -> Credential {
        self.authority.issue_number(number, self.now).unwrap()
    }

    /// An endpoint for `number` with that credential, but for what the caller adds.
    pub(crate) fn builder(
        &self,
        number: &TelephoneNumber,
        credential: &Credential,
    ) -> EndpointBuilder {
        self.builder_without_store(number, credential)
            .store(Arc::new(MemoryStore::new()))
    }

    pub(crate) fn builder_without_store(
        &self,
        number: &TelephoneNumber,
        credential: &Credential,
    ) -> EndpointBuilder {
        self.unsigned(number)
            .credential(credential.chain_pem.clone(), X5U)
            .signer(signer_of(credential))
    }

    /// An endpoint that lacks credential, signer and store.
    pub(crate) fn unsigned(&self, number: &TelephoneNumber) -> EndpointBuilder {
        Endpoint::builder()
            .number(number.as_str())
            .anchors_pem(self.authority.root.pem())
            .service(self.gateway.base())
            .state_key(STATE_KEY)
            .policy(patient_policy())
            .allow_direct(true)
            .http(lab_http(&self.tls.root_pem))
    }

    /// An ordinary endpoint for a number of the block.
    pub(crate) fn endpoint(&self, index: usize) -> Endpoint {
        let number = number(index);
        let credential = self.credential(&number);
        self.builder(&number, &credential).build().unwrap()
    }

    /// The same with published keys.
    pub(crate) async fn published(&self, index: usize) -> Endpoint {
        let endpoint = self.endpoint(index);
        endpoint.publish_keys(Some(PATIENT)).await.unwrap();
        endpoint
    }

    /// The same with a hardware encryption key, published.
    pub(crate) async fn with_agreement(
        &self,
        index: usize,
        agreement: Arc<dyn KeyAgreement>,
    ) -> Endpoint {
        let number = number(index);
        let credential = self.credential(&number);
        let builder = self.builder(&number, &credential);
        let endpoint = builder.key_agreement(agreement).build().unwrap();
        endpoint.publish_keys(Some(PATIENT)).await.unwrap();
        endpoint
    }

    async fn ask(&self, role: Role, request: ringtrue::HttpRequest) -> HttpResponse {
        let answer = ends(self.client.execute(role, request, 4 << 20)).await;
        answer.unwrap()
    }

    /// The statements that the real directory serves.
    pub(crate) async fn statements(&self, number: &TelephoneNumber) -> Vec<KeyStatement> {
        let request = directory::encode_lookup(&self.base, number);
        let answer = self.ask(Role::Lookup, request).await;
        let texts = directory::decode_statements(&answer).unwrap();
        let parse = |text: String| KeyStatement::parse(&text).unwrap();
        texts.into_iter().map(parse).collect()
    }

    /// Publishes at the real directory, as anyone can.
    pub(crate) async fn put_statement(&self, number: &TelephoneNumber, text: &str) -> HttpResponse {
        let request = directory::encode_publish(&self.base, number, text);
        self.ask(Role::Publish, request).await
    }

    /// Stores at the real service, as anyone can.
    pub(crate) async fn post(&self, number: &TelephoneNumber, blobs: &[Blob]) -> HttpResponse {
        let request = placement::encode_store(&self.base, number, blobs).unwrap();
        self.ask(Role::Store, request).await
    }

    /// The same, which has to succeed.
    pub(crate) async fn leave(&self, number: &TelephoneNumber, blobs: &[Blob]) {
        assert_eq!(self.post(number, blobs).await.status, 201);
    }

    /// What the real service shows of a mailbox.
    pub(crate) async fn mailbox(&self, number: &TelephoneNumber) -> Vec<Blob> {
        let request = placement::encode_retrieve(&self.base, number, RetrieveForm::Blobs);
        let answer = self.ask(Role::Retrieve, request).await;
        placement::decode_blobs(&answer).unwrap().blobs
    }
}

/// Options of a call that has time.
pub(crate) fn patiently() -> PlaceOptions {
    PlaceOptions::default().within(PATIENT)
}

/// The same, asking who answers.
pub(crate) fn patiently_with_answer() -> PlaceOptions {
    PlaceOptions::with_answer().within(PATIENT)
}

/// Places a call between two numbers of the block.
pub(crate) async fn place(
    endpoint: &Endpoint,
    from: usize,
    to: usize,
    options: PlaceOptions,
) -> Placed {
    let (from, to) = (number(from), number(to));
    ends(endpoint.place(from.as_str(), to.as_str(), options))
        .await
        .unwrap()
}

/// The reasons of a placed call, but for the one that the directory was asked during it: most calls of
/// the scenarios are first ones.
pub(crate) fn told(placed: &Placed) -> Vec<Reason> {
    let told = placed.reasons.iter().copied();
    told.filter(|reason| *reason != Reason::KeysJustInTime)
        .collect()
}
