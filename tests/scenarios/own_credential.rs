//! The device's own credential: from a key that never leaves its store to a verified call, and on to
//! the next certificate.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringtrue::{
    CertificateRequest, Clock, CredentialState, Endpoint, MemoryStore, Placement, Reason,
    RequestSubject, Saved, Signer, SqliteStore, StateStore, TelephoneNumber, UnixTime, Verdict,
    WallClock,
};
use ringtrue_lab::{Authority, CaSpec, LeafSpec, Validity};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::CertificateBag;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, SecretKey};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use zeroize::Zeroizing;

use crate::support::keys::{DeviceSigner, Form, Temper};
use crate::support::world::{STATE_KEY, World, X5U, number, patiently, place, told};
use crate::support::{PATIENT, ends};

const DAY: Duration = Duration::from_secs(86_400);

fn secret() -> SecretKey {
    AwsLcCrypto.generate(Curve::P256).unwrap().secret
}

fn device(secret: &SecretKey) -> Arc<dyn Signer> {
    DeviceSigner::new(secret, Form::Der, Temper::Works)
}

/// An endpoint that has a key and nothing else.
fn keyed(world: &World, index: usize, signer: Arc<dyn Signer>) -> Endpoint {
    kept(world, index, signer, Arc::new(MemoryStore::new()))
}

fn kept(
    world: &World,
    index: usize,
    signer: Arc<dyn Signer>,
    store: Arc<dyn StateStore>,
) -> Endpoint {
    let builder = world.unsigned(&number(index)).signer(signer).store(store);
    builder.build().unwrap()
}

async fn request(endpoint: &Endpoint) -> Result<CertificateRequest, Reason> {
    ends(endpoint.certificate_request(&RequestSubject::empty())).await
}

/// What the lab's CA makes of a request.
fn issue(world: &World, request: &CertificateRequest, validity: Validity) -> String {
    let ca = &world.authority.intermediate;
    ca.issue_request(request, validity).unwrap().chain_pem
}

/// A chain for the key of `endpoint`, as the CA of this authority issues it.
async fn chain(world: &World, endpoint: &Endpoint) -> String {
    let request = request(endpoint).await.unwrap();
    issue(world, &request, Validity::of_leaf(world.now))
}

async fn install(endpoint: &Endpoint, chain_pem: &str) -> Result<(), Reason> {
    ends(endpoint.install_certificate(chain_pem, X5U)).await
}

/// A chain for this secret key, otherwise as `spec` and `above` say.
fn issued_for(secret: &SecretKey, authority: &Authority, scope: Option<TnAuthList>) -> String {
    let public = AwsLcCrypto.public_key(Curve::P256, secret).unwrap();
    let public = ringtrue::P256PublicKey::from_sec1(&public).unwrap();
    let list = scope.unwrap();
    let request = CertificateRequest::new(&public, &RequestSubject::empty(), &list).unwrap();
    let request = request.sign(&AwsLcCrypto, device(secret).as_ref()).unwrap();
    let validity = Validity::of_leaf(crate::support::now());
    let issued = authority.intermediate.issue_request(&request, validity);
    issued.unwrap().chain_pem
}

fn one(number: TelephoneNumber) -> Option<TnAuthList> {
    TnAuthList::new(vec![Entry::One(number)]).ok()
}

fn leaf_serial_key(chain_pem: &str) -> Vec<u8> {
    let bag = CertificateBag::from_pem(chain_pem).unwrap();
    bag.certificates()[0].der().to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_alone_becomes_a_credential_and_its_calls_are_verified() {
    for form in [Form::Der, Form::Raw] {
        let world = World::new().await;
        let callee = world.published(1).await;
        let signer = DeviceSigner::new(&secret(), form, Temper::Works);
        let caller = keyed(&world, 0, signer.clone());
        let status = caller.credential_status();
        assert_eq!(status.state, CredentialState::Missing);
        let placed = place(&caller, 0, 1, patiently()).await;
        assert_eq!(placed.placement, Placement::Unprotected);
        assert_eq!(told(&placed), [Reason::CredentialUnavailable]);

        let request = request(&caller).await.unwrap();
        assert_eq!(*request.public_key(), signer.public_key());
        assert_eq!(request.tn_auth_list().entries(), [Entry::One(number(0))]);
        // Whoever gets it reads the same.
        let read = CertificateRequest::from_pem(&AwsLcCrypto, &request.to_pem()).unwrap();
        assert_eq!(read.der(), request.der());
        let chain = issue(&world, &read, Validity::of_leaf(world.now));
        install(&caller, &chain).await.unwrap();
        let status = caller.credential_status();
        assert_eq!(
            (status.state, status.reason),
            (CredentialState::Valid, None)
        );
        assert_eq!(status.expires, Some(world.now.plus(DAY * 90)));

        let published = ends(caller.publish_keys(Some(PATIENT))).await.unwrap();
        assert_eq!(published.notices, []);
        let placed = place(&caller, 0, 1, patiently()).await;
        assert_eq!(
            (placed.placement, told(&placed)),
            (Placement::Stored, vec![])
        );
        let from = number(0);
        let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT))).await;
        assert_eq!(call.unwrap().verdict().verdict, Verdict::Verified);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_names_every_own_number_and_the_subject_that_was_asked_for() {
    let world = World::new().await;
    let builder = world.unsigned(&number(0)).number(number(1).as_str());
    let endpoint = builder
        .signer(device(&secret()))
        .store(Arc::new(MemoryStore::new()))
        .build()
        .unwrap();
    let subject = RequestSubject::common_name("Front desk").unwrap();
    let request = ends(endpoint.certificate_request(&subject)).await.unwrap();
    assert_eq!(
        request.tn_auth_list().entries(),
        [Entry::One(number(0)), Entry::One(number(1))]
    );
    let der = request.der();
    assert!(der.windows(10).any(|part| part == b"Front desk"));
    // A certificate for one of them is not enough.
    let chain = issue(&world, &request, Validity::of_leaf(world.now));
    install(&endpoint, &chain).await.unwrap();
}

// PRV-22: a signature that does not verify never leaves the endpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_needs_a_signer_that_signs_it() {
    let world = World::new().await;
    for (form, temper, reason) in [
        (Form::HashedTwice, Temper::Works, Reason::SignerFailed),
        (Form::Der, Temper::Fails, Reason::SignerFailed),
        (Form::Der, Temper::Panics, Reason::SignerFailed),
        (Form::Short, Temper::Works, Reason::SignerFailed),
    ] {
        let signer = DeviceSigner::new(&secret(), form, temper);
        let made = request(&keyed(&world, 0, signer)).await;
        assert_eq!(made.err(), Some(reason));
    }
    let builder = world.unsigned(&number(0));
    let silent = builder.store(Arc::new(MemoryStore::new())).build().unwrap();
    assert_eq!(request(&silent).await.err(), Some(Reason::SignerFailed));
    let secret = secret();
    let chain = issued_for(&secret, &world.authority, one(number(0)));
    let refused = install(&silent, &chain).await;
    assert_eq!(refused, Err(Reason::SignerFailed));
}

// CRT-34, CRT-39
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installs_nothing_whose_key_path_or_scope_does_not_hold() {
    let world = World::new().await;
    let secret = secret();
    let endpoint = keyed(&world, 0, device(&secret));
    let good = chain(&world, &endpoint).await;
    let request = request(&endpoint).await.unwrap();
    let now = world.now;
    let ended = Validity {
        not_before: now.minus(DAY * 2),
        not_after: now.minus(DAY),
    };
    let to_begin = Validity {
        not_before: now.plus(DAY),
        not_after: now.plus(DAY * 2),
    };
    let elsewhere = Authority::for_numbers(&[number(0)], now).unwrap();
    let spc = TnAuthList::new(vec![Entry::Spc("709J".to_owned())]).unwrap();
    let anyone = world.authority.root.subordinate(&CaSpec::new(None, now));
    let anyone = Authority {
        intermediate: anyone.unwrap(),
        root: Authority::for_numbers(&[number(0)], now).unwrap().root,
    };
    let other_key = world.credential(&number(0)).chain_pem;
    let leaf_alone = good.split_inclusive("-----END CERTIFICATE-----\n").next();
    let ca_first = {
        let mut blocks: Vec<_> = good
            .split_inclusive("-----END CERTIFICATE-----\n")
            .collect();
        blocks.reverse();
        blocks.concat()
    };
    let no_list = world.authority.issue(&LeafSpec::for_scope(None, now));
    let cases = [
        ("another key", other_key, Reason::KeyMismatch),
        (
            "no list and another key",
            no_list.unwrap().chain_pem,
            Reason::KeyMismatch,
        ),
        (
            "another root",
            issued_for(&secret, &elsewhere, one(number(0))),
            Reason::NoPathToAnchor,
        ),
        (
            "issuer missing",
            leaf_alone.unwrap().to_owned(),
            Reason::ChainIncomplete,
        ),
        ("issuer first", ca_first, Reason::ConfigurationInvalid),
        (
            "expired",
            issue(&world, &request, ended),
            Reason::CertificateExpired,
        ),
        (
            "not yet valid",
            issue(&world, &request, to_begin),
            Reason::CertificateNotYetValid,
        ),
        (
            "another number",
            issued_for(&secret, &world.authority, one(number(1))),
            Reason::NumberNotCovered,
        ),
        (
            "provider code only",
            issued_for(&secret, &anyone, Some(spc)),
            Reason::AuthorityBySpc,
        ),
        ("empty", String::new(), Reason::MalformedPem),
        ("a request", request.to_pem(), Reason::MalformedPem),
        (
            "cut",
            good[..good.len() / 3].to_owned(),
            Reason::MalformedPem,
        ),
        (
            "spoilt",
            good.replacen("MII", "AAA", 1),
            Reason::MalformedCertificate,
        ),
    ];
    for (name, chain, reason) in cases {
        let installed = install(&endpoint, &chain).await;
        assert_eq!(installed, Err(reason), "{name}");
        let state = endpoint.credential_status().state;
        assert_eq!(state, CredentialState::Missing, "{name}");
    }
    for x5u in [
        "",
        "http://certs.example/c.pem",
        "https://certs.example:81/c",
    ] {
        let installed = ends(endpoint.install_certificate(&good, x5u)).await;
        assert_eq!(installed, Err(Reason::MalformedUrl), "{x5u}");
    }
    install(&endpoint, &good).await.unwrap();
    // What is in use stays when the next one is refused.
    let refused = install(&endpoint, "").await;
    assert_eq!(refused, Err(Reason::MalformedPem));
    let state = endpoint.credential_status().state;
    assert_eq!(state, CredentialState::Valid);
}

/// A store that can be made to fail.
#[derive(Default)]
struct Moody {
    inner: MemoryStore,
    mood: Mutex<Option<Result<Saved, Reason>>>,
}

impl StateStore for Moody {
    fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
        self.inner.load(name)
    }

    fn save(&self, name: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<Saved, Reason> {
        match *self.mood.lock().unwrap() {
            Some(instead) => instead,
            None => self.inner.save(name, expected, value),
        }
    }

    fn claim(&self, name: &str, expires: u64, now: u64) -> Result<bool, Reason> {
        self.inner.claim(name, expires, now)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_kept_is_not_used_and_the_one_before_is() {
    let world = World::new().await;
    let store = Arc::new(Moody::default());
    let endpoint = kept(&world, 0, device(&secret()), store.clone());
    let request = request(&endpoint).await.unwrap();
    let short = issue(&world, &request, Validity::days(world.now, 10));
    let long = issue(&world, &request, Validity::days(world.now, 80));
    install(&endpoint, &short).await.unwrap();
    for instead in [Err(Reason::StateUnavailable), Ok(Saved::Changed)] {
        *store.mood.lock().unwrap() = Some(instead);
        let refused = install(&endpoint, &long).await;
        assert_eq!(refused, Err(Reason::StateUnavailable));
        let expires = endpoint.credential_status().expires;
        assert_eq!(expires, Some(world.now.plus(DAY * 10)));
    }
    *store.mood.lock().unwrap() = None;
    install(&endpoint, &long).await.unwrap();
    let expires = endpoint.credential_status().expires;
    assert_eq!(expires, Some(world.now.plus(DAY * 80)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installed_credential_is_there_again_after_a_restart() {
    let world = World::new().await;
    let callee = world.published(1).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let secret = secret();
    let open = || -> Arc<dyn StateStore> { Arc::new(SqliteStore::open(&file).unwrap()) };
    let caller = kept(&world, 0, device(&secret), open());
    let chain = chain(&world, &caller).await;
    install(&caller, &chain).await.unwrap();
    drop(caller);
    let caller = kept(&world, 0, device(&secret), open());
    let state = caller.credential_status().state;
    assert_eq!(state, CredentialState::Valid);
    let placed = place(&caller, 0, 1, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored);
    let from = number(0);
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT))).await;
    assert_eq!(call.unwrap().verdict().verdict, Verdict::Verified);
    drop(caller);
    // With another key, or for another number, or under another anchor, it is of no use and left alone.
    let rekeyed = kept(&world, 0, device(&self::secret()), open());
    let state = rekeyed.credential_status().state;
    assert_eq!(state, CredentialState::Missing);
    let renumbered = kept(&world, 2, device(&secret), open());
    let state = renumbered.credential_status().state;
    assert_eq!(state, CredentialState::Missing);
    let other = Authority::for_numbers(&[number(0)], world.now).unwrap();
    let elsewhere = Endpoint::builder()
        .allow_direct(true)
        .number(number(0).as_str())
        .anchors_pem(other.root.pem())
        .service(world.gateway.base())
        .signer(device(&secret))
        .store(open())
        .state_key(STATE_KEY)
        .build()
        .unwrap();
    let state = elsewhere.credential_status().state;
    assert_eq!(state, CredentialState::Missing);
    // And it is still there for who can use it.
    let caller = kept(&world, 0, device(&secret), open());
    let state = caller.credential_status().state;
    assert_eq!(state, CredentialState::Valid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_configured_and_an_installed_credential_the_one_that_lasts_longer_is_used() {
    let world = World::new().await;
    let secret = secret();
    let store = Arc::new(MemoryStore::new());
    let endpoint = kept(&world, 0, device(&secret), store.clone());
    let request = request(&endpoint).await.unwrap();
    let of_days = |days| issue(&world, &request, Validity::days(world.now, days));
    install(&endpoint, &of_days(30)).await.unwrap();
    for (configured, used) in [(10, 30), (60, 60)] {
        let builder = world.unsigned(&number(0));
        let endpoint = builder
            .credential(of_days(configured), X5U)
            .signer(device(&secret))
            .store(store.clone())
            .build()
            .unwrap();
        let expires = endpoint.credential_status().expires;
        assert_eq!(expires, Some(world.now.plus(DAY * used)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_record_of_the_credential_does_not_keep_the_endpoint_from_starting() {
    let world = World::new().await;
    let store = Arc::new(MemoryStore::new());
    let name = ringtrue_session::RecordKey::new(&STATE_KEY)
        .name(&ringtrue_session::RecordName::credential());
    store.save(name.as_str(), None, b"{\"v\":1").unwrap();
    let endpoint = kept(&world, 0, device(&secret()), store);
    let state = endpoint.credential_status().state;
    assert_eq!(state, CredentialState::Missing);
    // And is replaced by the next one.
    let chain = chain(&world, &endpoint).await;
    install(&endpoint, &chain).await.unwrap();
    let state = endpoint.credential_status().state;
    assert_eq!(state, CredentialState::Valid);
}

struct Hand(Mutex<WallClock>);

impl Clock for Hand {
    fn now(&self) -> WallClock {
        *self.0.lock().unwrap()
    }
}

// SCT-40
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_tells_when_to_ask_for_the_next_certificate() {
    let world = World::new().await;
    let at = |time: UnixTime| WallClock::UnixMs(time.as_secs() * 1000);
    let clock = Arc::new(Hand(Mutex::new(at(world.now))));
    let builder = world.unsigned(&number(0)).signer(device(&secret()));
    let endpoint = builder
        .store(Arc::new(MemoryStore::new()))
        .clock(clock.clone())
        .build()
        .unwrap();
    let request = request(&endpoint).await.unwrap();
    let validity = Validity {
        not_before: world.now,
        not_after: world.now.plus(DAY * 9),
    };
    install(&endpoint, &issue(&world, &request, validity))
        .await
        .unwrap();
    let cases = [
        (world.now.minus(DAY), CredentialState::NotYetValid),
        (world.now, CredentialState::Valid),
        (world.now.plus(DAY * 5), CredentialState::Valid),
        (world.now.plus(DAY * 6), CredentialState::Expiring),
        (world.now.plus(DAY * 9), CredentialState::Expiring),
        (world.now.plus(DAY * 10), CredentialState::Expired),
    ];
    for (time, state) in cases {
        *clock.0.lock().unwrap() = at(time);
        let status = endpoint.credential_status();
        assert_eq!(status.state, state);
        assert_eq!(status.renew_from, Some(world.now.plus(DAY * 6)));
    }
    *clock.0.lock().unwrap() = WallClock::Unset;
    let state = endpoint.credential_status().state;
    assert_eq!(state, CredentialState::NotYetValid, "as of 1970");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_used_by_the_next_call() {
    let world = World::new().await;
    world.published(1).await;
    let caller = keyed(&world, 0, device(&secret()));
    let request = request(&caller).await.unwrap();
    let first = issue(&world, &request, Validity::days(world.now, 10));
    let second = issue(&world, &request, Validity::days(world.now, 20));
    assert_ne!(leaf_serial_key(&first), leaf_serial_key(&second));
    install(&caller, &first).await.unwrap();
    let placed = place(&caller, 0, 1, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored);
    install(&caller, &second).await.unwrap();
    let expires = caller.credential_status().expires;
    assert_eq!(expires, Some(world.now.plus(DAY * 20)));
    crate::support::next_second().await;
    let placed = place(&caller, 0, 1, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored);
}
