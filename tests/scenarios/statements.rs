//! A key directory that lies: what callers make of statements that do not hold.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{
    AddressPolicy, HttpResponse, HttpSettings, MemoryStore, Placement, Reason, StateStore,
};
use ringtrue_lab::{Authority, Credential, LeafSpec, Validity};
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::RecipientKey;
use ringtrue_oob::Suite;
use ringtrue_oob::http::directory;
use ringtrue_oob::statement::KeyStatement;
use ringtrue_stir::base64url;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve};
use serde_json::{Value, json};

use crate::support::forge::{changed, statement, statement_payload, token_of_text, x5c};
use crate::support::gateway::{Behaviour, Gateway, Kind};
use crate::support::world::{World, lab_http, number, patiently, place, signer_of, told};
use crate::support::{PATIENT, ends, few_at_once};

/// The called number.
const CALLEE: usize = 50;

/// The directory answers every lookup with these.
fn serve(gateway: &Gateway, texts: &[String]) {
    let texts = texts.to_vec();
    let answer = move |_: &_| -> HttpResponse {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        directory::encode_statements(&texts)
    };
    gateway.set(Kind::Lookup, Behaviour::Answer(Arc::new(answer)));
}

fn new_key(suite: Suite) -> RecipientKey {
    let curve = match suite {
        Suite::S1 => Curve::P256,
        _ => Curve::X25519,
    };
    let generated = AwsLcCrypto.generate(curve).unwrap();
    RecipientKey::new(suite, &generated.public).unwrap()
}

/// What a lying directory has to work with.
struct Lie {
    world: Arc<World>,
    credential: Credential,
    payload: Value,
}

impl Lie {
    fn new(world: &Arc<World>) -> Self {
        let callee = number(CALLEE);
        let keys = [new_key(Suite::S1)];
        let payload = statement_payload(&callee, &world.gateway.base(), &keys, world.now);
        Self {
            credential: world.credential(&callee),
            payload,
            world: Arc::clone(world),
        }
    }

    fn now(&self) -> u64 {
        self.world.now.as_secs()
    }

    /// The statement with these members changed, well signed by its owner.
    fn with(&self, changes: &Value) -> String {
        statement(&changed(self.payload.clone(), changes), &self.credential)
    }

    fn right(&self) -> String {
        self.with(&json!({}))
    }

    /// An entry of `keys`.
    fn with_key(&self, suite: &str, public: &[u8]) -> String {
        let entry = json!({"suite": suite, "kid": "AAAAAAAAAAA", "pub": base64url::encode(public)});
        self.with(&json!({"keys": [entry]}))
    }

    fn by(&self, credential: &Credential) -> String {
        statement(&self.payload, credential)
    }
}

type Make = fn(&Lie) -> String;

fn lies() -> Vec<(&'static str, Reason, Make)> {
    vec![
        ("expired", Reason::StatementExpired, |lie| {
            lie.with(&json!({"iat": lie.now() - 600, "exp": lie.now() - 1}))
        }),
        ("from the future", Reason::StatementNotYetValid, |lie| {
            lie.with(&json!({"iat": lie.now() + 300, "exp": lie.now() + 900}))
        }),
        (
            "outlives its certificate",
            Reason::StatementOutlivesCertificate,
            |lie| {
                let mut spec = LeafSpec::for_number(&number(CALLEE), lie.world.now);
                spec.validity = Validity {
                    not_before: lie.world.now.minus(Duration::from_secs(60)),
                    not_after: lie.world.now.plus(Duration::from_secs(1800)),
                };
                lie.by(&lie.world.authority.issue(&spec).unwrap())
            },
        ),
        ("lives too long", Reason::MalformedStatement, |lie| {
            lie.with(&json!({"exp": lie.now() + 604_801}))
        }),
        ("ends before it begins", Reason::MalformedStatement, |lie| {
            lie.with(&json!({"exp": lie.now()}))
        }),
        (
            "for another number",
            Reason::StatementNumberMissing,
            |lie| {
                let other = number(51);
                let payload = changed(
                    lie.payload.clone(),
                    &json!({"sub": {"tn": [other.as_str()]}}),
                );
                statement(&payload, &lie.world.credential(&other))
            },
        ),
        (
            "for a further number that is not covered",
            Reason::NumberNotCovered,
            |lie| {
                let numbers = [number(CALLEE), number(51)];
                lie.with(&json!({"sub": {"tn": [numbers[0].as_str(), numbers[1].as_str()]}}))
            },
        ),
        (
            "by the holder of another number",
            Reason::NumberNotCovered,
            |lie| lie.by(&lie.world.credential(&number(51))),
        ),
        ("by another authority", Reason::NoPathToAnchor, |lie| {
            let other = Authority::for_numbers(&[number(CALLEE)], lie.world.now).unwrap();
            lie.by(&other.issue_number(&number(CALLEE), lie.world.now).unwrap())
        }),
        ("by a CA", Reason::SignatureInvalid, |lie| {
            lie.by(&lie.world.authority.intermediate.as_credential().unwrap())
        }),
        (
            "by an expired certificate",
            Reason::CertificateExpired,
            |lie| {
                let mut spec = LeafSpec::for_number(&number(CALLEE), lie.world.now);
                spec.validity.not_after = lie.world.now.minus(Duration::from_secs(60));
                lie.by(&lie.world.authority.issue(&spec).unwrap())
            },
        ),
        ("changed", Reason::SignatureInvalid, |lie| {
            let (right, other) = (lie.right(), lie.with(&json!({"seq": 7})));
            let parts: Vec<&str> = right.split('.').collect();
            let signature = other.rsplit('.').next().unwrap();
            format!("{}.{}.{signature}", parts[0], parts[1])
        }),
        (
            "without certificates",
            Reason::CredentialUnavailable,
            |lie| crate::support::forge::inline_statement(&lie.payload, &lie.credential),
        ),
        ("member repeated", Reason::DuplicateMember, |lie| {
            let header =
                json!({"alg": "ES256", "typ": "stir-eks+jwt", "x5c": x5c(&lie.credential)});
            let payload = lie.payload.to_string().replacen('{', r#"{"seq":1,"#, 1);
            token_of_text(&header.to_string(), &payload, &lie.credential.secret)
        }),
        ("no statement", Reason::MalformedToken, |_| "e30".to_owned()),
        ("a PASSporT", Reason::TypeMismatch, |lie| {
            let header = json!({"alg": "ES256", "typ": "passport", "x5c": x5c(&lie.credential)});
            token_of_text(
                &header.to_string(),
                &lie.payload.to_string(),
                &lie.credential.secret,
            )
        }),
        ("low-order key", Reason::MalformedKey, |lie| {
            lie.with_key("S2", &[0; 32])
        }),
        ("low-order key, one", Reason::MalformedKey, |lie| {
            let mut one = [0; 32];
            one[0] = 1;
            lie.with_key("S2", &one)
        }),
        ("point off the curve", Reason::MalformedKey, |lie| {
            lie.with_key("S1", &[&[4][..], &[1; 64]].concat())
        }),
        ("compressed point", Reason::MalformedKey, |lie| {
            lie.with_key("S1", &[&[2][..], &[1; 32]].concat())
        }),
        ("no keys", Reason::MalformedStatement, |lie| {
            lie.with(&json!({"keys": []}))
        }),
        ("http service", Reason::MalformedUrl, |lie| {
            lie.with(&json!({"cps": ["http://127.0.0.1"]}))
        }),
        ("service with credentials", Reason::MalformedUrl, |lie| {
            lie.with(&json!({"cps": ["https://user@127.0.0.1"]}))
        }),
        ("no services", Reason::MalformedStatement, |lie| {
            lie.with(&json!({"cps": []}))
        }),
    ]
}

// PRV-36, W-14: every reader verifies for itself; the directory is not trusted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seals_to_no_key_of_a_statement_that_does_not_hold() {
    let lied = lies().into_iter().map(|(name, reason, make)| async move {
        let world = Arc::new(World::new().await);
        let caller = world.endpoint(0);
        let lie = Lie::new(&world);
        serve(&world.gateway, &[make(&lie)]);
        let placed = place(&caller, 0, CALLEE, patiently()).await;
        assert_eq!(placed.placement, Placement::Unprotected, "{name}");
        let expected = [Reason::StatementRefused, reason, Reason::NoUsableKey];
        assert_eq!(told(&placed), expected, "{name}");
        let looked_up = ends(caller.prefetch_keys(number(CALLEE).as_str(), Some(PATIENT))).await;
        assert_eq!(looked_up, Err(Reason::StatementRefused), "{name}");
        assert_eq!(
            world.gateway.count(Kind::Store),
            0,
            "{name}: nothing is sent"
        );

        // A right one beside it counts, and nothing was remembered of the wrong one.
        serve(&world.gateway, &[make(&lie), lie.right()]);
        let placed = place(&caller, 0, CALLEE, patiently()).await;
        assert_eq!(
            placed.placement,
            Placement::Stored,
            "{name}: {:?}",
            placed.reasons
        );
        let expected = [Reason::StatementRefused, reason];
        assert_eq!(told(&placed), expected, "{name}");
        assert_eq!(placed.copies, 1, "{name}");
    });
    few_at_once(lied).await;
}

// The directory applies the same rules to what it takes in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_takes_in_no_statement_that_does_not_hold() {
    let world = Arc::new(World::new().await);
    let lie = Lie::new(&world);
    let callee = number(CALLEE);
    for (name, reason, make) in lies() {
        let answer = world.put_statement(&callee, &make(&lie)).await;
        let expected = match reason {
            // A publication has to carry its certificates.
            Reason::CredentialUnavailable => 400,
            reason if reason.kind() == ringtrue::Kind::Malformed => 400,
            _ => 403,
        };
        assert_eq!(answer.status, expected, "{name}");
        assert!(world.statements(&callee).await.is_empty(), "{name}");
    }
    assert_eq!(world.put_statement(&callee, &lie.right()).await.status, 204);
}

// PRV-37
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_goes_back_is_noticed_and_the_newer_keys_stay() {
    let world = Arc::new(World::new().await);
    let lie = Lie::new(&world);
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let number = number(0);
    let credential = world.credential(&number);
    let endpoint = || {
        let builder = world.builder_without_store(&number, &credential);
        builder.store(Arc::clone(&store)).build().unwrap()
    };
    let seq = lie.now();
    serve(&world.gateway, &[lie.with(&json!({"seq": seq}))]);
    let caller = endpoint();
    let placed = place(&caller, 0, CALLEE, patiently()).await;
    assert_eq!(told(&placed), []);

    let older = json!({"seq": seq - 1, "keys": [{"suite": "S1", "kid": "A",
        "pub": base64url::encode(new_key(Suite::S1).as_octets())}]});
    serve(&world.gateway, &[lie.with(&older)]);
    // The same process, and one that only knows what was stored.
    for caller in [caller, endpoint()] {
        let placed = place(&caller, 0, CALLEE, patiently().with_fresh_keys()).await;
        assert_eq!(placed.placement, Placement::Stored);
        assert_eq!(told(&placed), [Reason::SequenceRollback]);
    }

    // A directory that hides what was known does not make it forgotten.
    serve(&world.gateway, &[]);
    let placed = place(&endpoint(), 0, CALLEE, patiently().with_fresh_keys()).await;
    assert_eq!(
        (placed.placement, told(&placed)),
        (Placement::Stored, vec![])
    );
}

// PRV-37: on equivocation, not encrypt to that statement and report it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sealed_for_a_signer_that_says_two_things_until_it_says_a_third() {
    let other_key = || {
        json!({"keys": [{"suite": "S1", "kid": "A",
            "pub": base64url::encode(new_key(Suite::S1).as_octets())}]})
    };
    let world = Arc::new(World::new().await);
    let lie = Lie::new(&world);
    let (one, two) = (lie.right(), lie.with(&other_key()));
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let number = number(0);
    let credential = world.credential(&number);
    let endpoint = || {
        let builder = world.builder_without_store(&number, &credential);
        builder.store(Arc::clone(&store)).build().unwrap()
    };
    let caller = endpoint();
    serve(&world.gateway, &[one.clone(), two.clone()]);
    let placed = place(&caller, 0, CALLEE, patiently()).await;
    assert_eq!(placed.placement, Placement::Unprotected);
    assert_eq!(told(&placed), [Reason::Equivocation, Reason::NoUsableKey]);

    // Showing one of the two again, or one of them twice, helps nothing; not after a restart either.
    for caller in [caller, endpoint()] {
        for texts in [
            vec![one.clone()],
            vec![two.clone()],
            vec![one.clone(), two.clone(), one.clone()],
        ] {
            serve(&world.gateway, &texts);
            let placed = place(&caller, 0, CALLEE, patiently().with_fresh_keys()).await;
            assert_eq!(
                placed.placement,
                Placement::Unprotected,
                "{} texts",
                texts.len()
            );
            assert_eq!(told(&placed), [Reason::Equivocation, Reason::NoUsableKey]);
        }
    }
    assert_eq!(world.gateway.count(Kind::Store), 0);

    serve(&world.gateway, &[lie.with(&json!({"seq": lie.now() + 1}))]);
    let placed = place(&endpoint(), 0, CALLEE, patiently().with_fresh_keys()).await;
    assert_eq!(
        (placed.placement, told(&placed)),
        (Placement::Stored, vec![])
    );
}

// W-36, CRT-41
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_nothing_to_addresses_that_strangers_name_but_may_not() {
    for base in [
        "https://10.1.2.3",
        "https://192.168.0.1:8443",
        "https://169.254.169.254",
        "https://[fe80::1]",
        "https://[fc00::1]",
        "https://0.0.0.0",
        "https://224.0.0.1",
        "https://[::ffff:10.0.0.1]",
    ] {
        let world = Arc::new(World::new().await);
        let lie = Lie::new(&world);
        serve(&world.gateway, &[lie.with(&json!({"cps": [base]}))]);
        let placed = place(&world.endpoint(0), 0, CALLEE, patiently()).await;
        assert_eq!(placed.placement, Placement::Unprotected, "{base}");
        assert_eq!(told(&placed), [Reason::AddressNotAllowed], "{base}");
        assert_eq!(placed.copies, 0, "{base}");

        // With a second service that may be used, the call is announced there.
        let both = lie.with(&json!({"cps": [base, world.gateway.base()], "seq": lie.now() + 1}));
        serve(&world.gateway, &[both]);
        let placed = place(&world.endpoint(1), 1, CALLEE, patiently()).await;
        assert_eq!(placed.placement, Placement::Stored, "{base}");
        assert_eq!(told(&placed), [Reason::ServiceFailedOver], "{base}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_for_public_addresses_opens_no_connection_to_loopback() {
    let world = Arc::new(World::new().await);
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let number = number(0);
    let credential = world.credential(&number);
    // The keys get into the state store by an endpoint that may ask loopback.
    let lie = Lie::new(&world);
    let by_name = format!("https://localhost:{}", world.gateway.port());
    for (seq, base) in [world.gateway.base(), by_name].into_iter().enumerate() {
        let text = lie.with(&json!({"cps": [base.as_str()], "seq": seq}));
        serve(&world.gateway, &[text]);
        let trusting = world.builder_without_store(&number, &credential);
        let trusting = trusting.store(Arc::clone(&store)).build().unwrap();
        let callee = crate::support::world::number(CALLEE);
        ends(trusting.prefetch_keys(callee.as_str(), Some(PATIENT)))
            .await
            .unwrap();

        let http = HttpSettings {
            addresses: AddressPolicy::public_only(),
            ..lab_http(&world.tls.root_pem)
        };
        let strict = world.unsigned(&number);
        let strict = strict
            .credential(credential.chain_pem.clone(), crate::support::world::X5U)
            .signer(signer_of(&credential))
            .store(Arc::clone(&store))
            .http(http)
            .build()
            .unwrap();
        let before = world.gateway.connections();
        let placed = place(&strict, 0, CALLEE, patiently()).await;
        assert_eq!(placed.placement, Placement::Unprotected, "{base}");
        assert_eq!(told(&placed), [Reason::AddressNotAllowed], "{base}");
        assert_eq!(world.gateway.connections(), before, "{base}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seals_to_the_eight_newest_keys_and_says_so() {
    let world = Arc::new(World::new().await);
    let lie = Lie::new(&world);
    let entry = |key: RecipientKey| json!({"suite": "S1", "kid": key.kid(), "pub": base64url::encode(key.as_octets())});
    let keys =
        |count: usize| -> Vec<Value> { (0..count).map(|_| entry(new_key(Suite::S1))).collect() };
    let renewed = world.credential(&number(CALLEE));
    let older = changed(
        lie.payload.clone(),
        &json!({"keys": keys(5), "iat": lie.now() - 10}),
    );
    let texts = [
        lie.with(&json!({"keys": keys(5)})),
        statement(&older, &renewed),
    ];
    assert!(
        texts
            .iter()
            .all(|text| KeyStatement::parse(text).unwrap().keys().len() == 5)
    );
    serve(&world.gateway, &texts);
    world.put_statement(&number(CALLEE), &texts[0]).await;
    let placed = place(&world.endpoint(0), 0, CALLEE, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(told(&placed), [Reason::KeysTruncated]);
    assert_eq!(placed.copies, 8);
}
