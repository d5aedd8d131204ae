//! Trust bundles and revocation lists over real connections and through the application's own source.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringtrue::{
    CredentialState, Delivered, Endpoint, EndpointBuilder, FetchKind, FetchSettings, FetchSource,
    Fetcher, MemoryStore, Reason, SqliteStore, StateStore, UnixTime, Verdict,
};
use ringtrue_lab::{Authority, CrlSpec, RevocationAuthority, Revoked, Validity};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::X5u;
use ringtrue_stir::certificate::Certificate;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey, SecretKey};
use ringtrue_stir::trust_bundle::{CrlIssuer, TrustBundleDraft, TrustData};

use crate::support::faults::{answer, gives};
use crate::support::gateway::{Behaviour, Gateway, Kind};
use crate::support::scene::Scene;
use crate::support::world::{World, X5U, lab_http, number, signer_of};
use crate::support::{PATIENT, ends, now};

const LIST_URL: &str = "https://lists.example/all.crl";

const DAY: Duration = Duration::from_secs(86_400);

/// Who signs bundles.
struct Operator {
    secret: SecretKey,
    public: P256PublicKey,
}

impl Operator {
    fn new() -> Self {
        let pair = AwsLcCrypto.generate(Curve::P256).unwrap();
        Self {
            public: P256PublicKey::from_sec1(&pair.public).unwrap(),
            secret: pair.secret,
        }
    }

    fn bundle(&self, version: u64, data: TrustData) -> String {
        self.bundle_until(version, data, now().plus(DAY * 30))
    }

    fn bundle_until(&self, version: u64, data: TrustData, exp: UnixTime) -> String {
        let draft = TrustBundleDraft {
            version,
            iat: now().minus(DAY),
            exp,
            data,
        };
        let unsigned = draft.build().unwrap();
        let signature = AwsLcCrypto.sign_es256(&self.secret, unsigned.signing_input().as_bytes());
        unsigned
            .complete(&AwsLcCrypto, &self.public, &signature.unwrap())
            .unwrap()
    }
}

fn data(authority: &Authority) -> TrustData {
    TrustData::new(authority.anchors().unwrap())
}

/// Where bundles are, over real TLS.
struct Host {
    gateway: Gateway,
    root_pem: String,
}

impl Host {
    fn new(world: &World) -> Self {
        let gateway = Gateway::start(&world.tls, None);
        let root_pem = world.tls.root_pem.clone();
        Self { gateway, root_pem }
    }

    fn url(&self) -> String {
        format!("{}/bundle.jwt", self.gateway.base())
    }

    fn serve(&self, text: &str) {
        let answer = answer(200, "application/jose", text.as_bytes());
        self.gateway.set(Kind::Retrieve, gives(&answer));
    }

    /// Each endpoint has its own: one that was asked a moment ago is not asked again.
    fn fetcher(&self) -> Fetcher {
        let settings = FetchSettings {
            http: lab_http(&self.root_pem),
            ..FetchSettings::default()
        };
        Fetcher::new(&settings).unwrap()
    }
}

/// The application's own way to files, by URL.
#[derive(Default)]
struct Files(Mutex<Vec<(String, Vec<u8>)>>);

impl Files {
    fn put(&self, url: &str, octets: impl Into<Vec<u8>>) {
        let mut files = self.0.lock().unwrap();
        files.retain(|(known, _)| known != url);
        files.push((url.to_owned(), octets.into()));
    }

    fn fetcher(self: &Arc<Self>) -> Fetcher {
        let source: Arc<dyn FetchSource> = self.clone();
        // Updates are some minutes apart: a host that was asked a moment ago is not asked again.
        let clock = AtomicU64::new(now().as_secs());
        let settings = FetchSettings {
            clock: Arc::new(move || UnixTime::from_secs(clock.fetch_add(400, Ordering::SeqCst))),
            ..FetchSettings::default()
        };
        Fetcher::with_source(&settings, source)
    }
}

impl FetchSource for Files {
    fn get(&self, kind: FetchKind, url: &str, _: Duration) -> Result<Delivered, Reason> {
        assert!(matches!(kind, FetchKind::TrustBundle | FetchKind::Crl));
        let files = self.0.lock().unwrap();
        let found = files.iter().find(|(known, _)| known == url);
        Ok(Delivered {
            octets: found.ok_or(Reason::CredentialUnavailable)?.1.clone(),
            // Nothing is kept, so that the next question is a new one.
            keep: Some(Duration::ZERO),
            ..Delivered::default()
        })
    }
}

const BUNDLE_URL: &str = "https://trust.example/bundle.jwt";

/// An endpoint for the number of this index, its store, and bundles from the application's own source.
fn builder(
    world: &World,
    index: usize,
    operator: &Operator,
    store: &Arc<dyn StateStore>,
) -> EndpointBuilder {
    let number = number(index);
    let credential = world.credential(&number);
    world
        .builder_without_store(&number, &credential)
        .store(Arc::clone(store))
        .trust_bundle(BUNDLE_URL, [operator.public.to_spki_pem()])
}

fn memory() -> Arc<dyn StateStore> {
    Arc::new(MemoryStore::new())
}

async fn update(endpoint: &Endpoint) -> Result<ringtrue::TrustUpdated, Reason> {
    ends(endpoint.update_trust(Some(PATIENT))).await
}

/// A call to an endpoint with published keys.
async fn call(world: &Arc<World>, index: usize, callee: &Endpoint) -> (Verdict, Vec<Reason>) {
    callee.publish_keys(Some(PATIENT)).await.unwrap();
    crate::support::next_second().await;
    let scene = Scene::of(world, index, callee.clone()).await;
    scene.leave(&scene.content(scene.good())).await;
    let found = scene.last_verdict().await;
    (found.verdict, found.reasons)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_is_fetched_over_tls_kept_in_the_file_and_used_after_a_restart() {
    let world = Arc::new(World::new().await);
    let operator = Operator::new();
    let host = Host::new(&world);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let (to, key) = (number(1), operator.public.to_spki_pem());
    let credential = world.credential(&to);
    let open = |fetcher: Fetcher| {
        let store = Arc::new(SqliteStore::open(&file).unwrap());
        let builder = world.builder_without_store(&to, &credential).store(store);
        let builder = builder.trust_bundle(host.url(), [key.clone()]);
        builder.trust_fetching(fetcher).build().unwrap()
    };
    host.serve(&operator.bundle(7, data(&world.authority)));
    let endpoint = open(host.fetcher());
    assert_eq!(endpoint.trust_status().version, None);
    let updated = update(&endpoint).await.unwrap();
    assert_eq!((updated.version, updated.is_new), (7, true));
    assert_eq!(endpoint.trust_status().version, Some(7));
    assert_eq!(
        call(&world, 1, &endpoint).await,
        (Verdict::Verified, vec![])
    );
    drop(endpoint);

    // A host that plays an old bundle back gets nowhere, before the restart or after it.
    host.serve(&operator.bundle(6, data(&world.authority)));
    let endpoint = open(host.fetcher());
    assert_eq!(endpoint.trust_status().version, Some(7));
    assert_eq!(update(&endpoint).await.err(), Some(Reason::BundleRollback));
    assert_eq!(endpoint.trust_status().version, Some(7));
    // What the URL gives is looked at in full, whatever it is.
    for (behaviour, reason) in [
        (
            gives(&answer(404, "text/html", b"<html>")),
            Reason::ServiceError,
        ),
        (
            gives(&answer(200, "text/html", b"<html>")),
            Reason::MalformedTrustBundle,
        ),
        (
            gives(&answer(200, "a/b", &vec![b'A'; 1024 * 1024 + 1])),
            Reason::AnswerTooLarge,
        ),
        (Behaviour::Raw(Vec::new()), Reason::ServiceUnreachable),
    ] {
        host.gateway.set(Kind::Retrieve, behaviour);
        let endpoint = open(host.fetcher());
        assert_eq!(update(&endpoint).await.err(), Some(reason));
        assert_eq!(endpoint.trust_status().version, Some(7));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offline_fetcher_asks_nobody_and_the_bundle_before_stays() {
    let world = Arc::new(World::new().await);
    let (operator, files) = (Operator::new(), Arc::new(Files::default()));
    files.put(BUNDLE_URL, operator.bundle(1, data(&world.authority)));
    let fetcher = files.fetcher();
    let builder = builder(&world, 1, &operator, &memory());
    let endpoint = builder.trust_fetching(fetcher.clone()).build().unwrap();
    fetcher.set_offline(true);
    assert_eq!(update(&endpoint).await.err(), Some(Reason::FetchingOff));
    fetcher.set_offline(false);
    update(&endpoint).await.unwrap();
    fetcher.set_offline(true);
    assert_eq!(update(&endpoint).await.err(), Some(Reason::FetchingOff));
    assert_eq!(endpoint.trust_status().version, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anchors_come_and_go_with_the_bundle_and_calls_follow() {
    let world = Arc::new(World::new().await);
    let other = Authority::for_numbers(&[number(0)], world.now).unwrap();
    let (operator, files, store) = (Operator::new(), Arc::new(Files::default()), memory());
    let make = || {
        let builder = builder(&world, 1, &operator, &store);
        builder.trust_fetching(files.fetcher()).build().unwrap()
    };
    let endpoint = make();
    assert_eq!(
        call(&world, 1, &endpoint).await,
        (Verdict::Verified, vec![])
    );
    files.put(BUNDLE_URL, operator.bundle(1, data(&other)));
    update(&endpoint).await.unwrap();
    // The anchor of the own credential is gone as well: it signs nothing more.
    let status = endpoint.credential_status();
    assert_eq!(status.state, CredentialState::Untrusted);
    assert_eq!(status.reason, Some(Reason::NoPathToAnchor));
    let published = ends(endpoint.publish_keys(Some(PATIENT))).await;
    assert_eq!(published.err(), Some(Reason::NoPathToAnchor));
    // A restart changes nothing, and the endpoint can be made, or nothing could mend it.
    let endpoint = make();
    let state = endpoint.credential_status().state;
    assert_eq!(state, CredentialState::Untrusted);
    files.put(BUNDLE_URL, operator.bundle(2, data(&world.authority)));
    update(&endpoint).await.unwrap();
    let state = endpoint.credential_status().state;
    assert_eq!(state, CredentialState::Valid);
    assert_eq!(
        call(&world, 1, &endpoint).await,
        (Verdict::Verified, vec![])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_look_revocation_up_offline() {
    let world = Arc::new(World::new().await);
    let operator = Operator::new();
    let lists = lists(&world);
    let mut with_lists = data(&world.authority);
    with_lists.crl_issuers.push(CrlIssuer {
        certificate: Certificate::from_der(lists.der()).unwrap(),
        urls: vec![X5u::parse(LIST_URL).unwrap()],
    });
    let (files, store) = (Arc::new(Files::default()), memory());
    let fetcher = files.fetcher();
    let builder = builder(&world, 1, &operator, &store);
    let callee = builder.trust_fetching(fetcher.clone()).build().unwrap();
    files.put(BUNDLE_URL, operator.bundle(1, with_lists));
    let updated = update(&callee).await.unwrap();
    assert_eq!(updated.reasons, [Reason::CredentialUnavailable]);
    assert_eq!(
        call(&world, 1, &callee).await,
        (Verdict::Verified, vec![Reason::CrlUnavailable])
    );
    // An empty list.
    let at = now().minus(DAY * 2);
    files.put(
        LIST_URL,
        lists
            .revocation_list(&CrlSpec::indirect(vec![], at))
            .unwrap(),
    );
    let updated = update(&callee).await.unwrap();
    assert_eq!((updated.revocation_lists, updated.reasons), (1, vec![]));
    assert_eq!(
        call(&world, 1, &callee).await,
        (Verdict::Verified, vec![Reason::CrlStale])
    );
    let spec = CrlSpec::indirect(vec![], now().minus(DAY / 2));
    files.put(LIST_URL, lists.revocation_list(&spec).unwrap());
    update(&callee).await.unwrap();
    fetcher.set_offline(true);
    assert_eq!(call(&world, 1, &callee).await, (Verdict::Verified, vec![]));
    fetcher.set_offline(false);
    // The caller's issuer is revoked: every certificate of it goes.
    let issuer = world.authority.intermediate.der();
    let revoked = vec![Revoked::certificate(issuer, now()).unwrap()];
    let spec = CrlSpec::indirect(revoked, now().minus(Duration::from_secs(60)));
    files.put(LIST_URL, lists.revocation_list(&spec).unwrap());
    update(&callee).await.unwrap();
    let status = callee.credential_status();
    assert_eq!(
        (status.state, status.reason),
        (CredentialState::Untrusted, Some(Reason::CertificateRevoked))
    );
    let scene = Scene::of(&world, 1, callee.clone()).await;
    crate::support::next_second().await;
    let token = scene.token_at(now());
    scene.leave(&scene.content(token)).await;
    let found = scene.verdict().await;
    assert_eq!(found.verdict, Verdict::Refused);
    assert!(found.reasons.contains(&Reason::CertificateRevoked));
    // And so after a restart without any network.
    let builder = self::builder(&world, 1, &operator, &store);
    let restarted = builder.build().unwrap();
    assert_eq!(restarted.trust_status().revocation_lists, 1);
    let state = restarted.credential_status().state;
    assert_eq!(state, CredentialState::Untrusted);
}

fn lists(world: &World) -> RevocationAuthority {
    let root = &world.authority.root;
    root.revocation_authority("Lists", Validity::days(world.now, 30))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_with_nothing_but_a_bundle_url_verifies_nobody_until_its_first_update() {
    let world = Arc::new(World::new().await);
    let (operator, files) = (Operator::new(), Arc::new(Files::default()));
    let to = number(1);
    let credential = world.credential(&to);
    let endpoint = Endpoint::builder()
        .allow_direct(true)
        .number(to.as_str())
        .credential(credential.chain_pem.clone(), X5U)
        .signer(signer_of(&credential))
        .service(world.gateway.base())
        .http(lab_http(&world.tls.root_pem))
        .store(memory())
        .state_key(crate::support::world::STATE_KEY)
        .trust_bundle(BUNDLE_URL, [operator.public.to_spki_pem()])
        .trust_fetching(files.fetcher())
        .build()
        .unwrap();
    let status = endpoint.credential_status();
    assert_eq!(status.state, CredentialState::Untrusted);
    files.put(BUNDLE_URL, operator.bundle(1, data(&world.authority)));
    update(&endpoint).await.unwrap();
    assert_eq!(
        call(&world, 1, &endpoint).await,
        (Verdict::Verified, vec![])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_that_came_with_the_application_is_used_from_the_start() {
    let world = Arc::new(World::new().await);
    let operator = Operator::new();
    let shipped = operator.bundle(3, data(&world.authority));
    let builder = builder(&world, 1, &operator, &memory());
    let endpoint = builder.shipped_trust_bundle(shipped).build().unwrap();
    assert_eq!(endpoint.trust_status().version, Some(3));
    assert_eq!(
        call(&world, 1, &endpoint).await,
        (Verdict::Verified, vec![])
    );
    // One that has expired since is left alone, and the configured anchors count.
    let old = operator.bundle_until(3, data(&world.authority), now().minus(DAY / 2));
    let builder = self::builder(&world, 1, &operator, &memory());
    let endpoint = builder.shipped_trust_bundle(old).build().unwrap();
    assert_eq!(endpoint.trust_status().version, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_for_bundles_that_cannot_be_right_make_no_endpoint() {
    let world = World::new().await;
    let key = Operator::new().public.to_spki_pem();
    let to = number(1);
    let credential = world.credential(&to);
    let build = |change: &dyn Fn(EndpointBuilder) -> EndpointBuilder| {
        change(world.builder(&to, &credential)).build().err()
    };
    let invalid = Some(Reason::ConfigurationInvalid);
    let none: [String; 0] = [];
    assert_eq!(
        build(&|b| b.trust_bundle(BUNDLE_URL, none.clone())),
        invalid
    );
    let nine = vec![key.clone(); 9];
    assert_eq!(
        build(&|b| b.trust_bundle(BUNDLE_URL, nine.clone())),
        invalid
    );
    assert_eq!(build(&|b| b.shipped_trust_bundle("x")), invalid);
    let fetcher = Arc::new(Files::default()).fetcher();
    assert_eq!(build(&|b| b.trust_fetching(fetcher.clone())), invalid);
    assert_eq!(
        build(&|b| b.trust_bundle(BUNDLE_URL, ["key"])),
        Some(Reason::MalformedPem)
    );
    let endpoint = world.builder(&to, &credential).build().unwrap();
    assert_eq!(
        update(&endpoint).await.err(),
        Some(Reason::ConfigurationInvalid)
    );
    // The form of the URL is looked at when it is used.
    let builder = world.builder(&to, &credential);
    let endpoint = builder
        .trust_bundle("http://trust.example/b", [key])
        .build()
        .unwrap();
    assert_eq!(update(&endpoint).await.err(), Some(Reason::MalformedUrl));
}
