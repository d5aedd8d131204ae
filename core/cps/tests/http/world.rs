//! A service with everything around it that a test needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ringtrue_cps::{Clock, RunningService, Service, ServiceConfig, TlsIdentity};
use ringtrue_lab::{Authority, Credential, LeafSpec, Validity};
use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::statement::{SignedStatement, StatementDraft};
use ringtrue_oob::{BaseUrl, Blob, Suite, dummy, generate_key};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey, RustCrypto};
use ringtrue_stir::{TelephoneNumber, UnixTime, X5u};

use crate::client::Connection;

pub(crate) const NUMBER: &str = "12025550143";
pub(crate) const START_MS: u64 = 1_800_000_000_000;

/// A clock that stands until it is told to move.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(crate) fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> u64 {
        self.wall_ms()
    }
}

pub(crate) struct World {
    pub(crate) service: RunningService,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) authority: Authority,
    pub(crate) root_pem: String,
}

pub(crate) fn number(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

pub(crate) fn now() -> UnixTime {
    UnixTime::from_secs(START_MS / 1000)
}

pub(crate) fn blob(suite: Suite) -> Blob {
    dummy(&RustCrypto, suite).unwrap()
}

/// A TLS identity for loopback, valid in real time, and the root that signed it.
pub(crate) fn tls_identity() -> (TlsIdentity, String) {
    let real = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let identity = ringtrue_lab::tls_identity(
        &["localhost", "127.0.0.1"],
        UnixTime::from_secs(real.as_secs()),
    )
    .unwrap();
    let tls = TlsIdentity {
        chain_pem: identity.chain_pem.clone(),
        key_pem: identity.key_pem.clone(),
    };
    (tls, identity.root_pem)
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut ServiceConfig)) -> Self {
        let authority = Authority::for_numbers(&[number(NUMBER)], now()).unwrap();
        Self::with_authority(authority, change).await
    }

    pub(crate) async fn with_authority(
        authority: Authority,
        change: impl FnOnce(&mut ServiceConfig),
    ) -> Self {
        let clock = Arc::new(ManualClock(AtomicU64::new(START_MS)));
        let mut config = ServiceConfig::new(authority.anchors().unwrap());
        config.clock = Arc::<ManualClock>::clone(&clock);
        change(&mut config);
        let (tls, root_pem) = tls_identity();
        let service = Service::start(config, &tls).await.unwrap();
        Self {
            service,
            clock,
            authority,
            root_pem,
        }
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.service.local_addr(), &self.root_pem)
            .await
            .unwrap()
    }

    /// What the service's clock shows.
    pub(crate) fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.clock.wall_ms() / 1000)
    }

    pub(crate) fn credential(&self, of: &str) -> Credential {
        let mut spec = LeafSpec::for_number(&number(of), now());
        spec.validity = Validity::days(now(), 30);
        self.authority.issue(&spec).unwrap()
    }

    /// A statement over fresh keys of these suites, from now to `life_s` seconds later.
    pub(crate) fn statement(
        &self,
        credential: &Credential,
        numbers: &[&str],
        seq: u64,
        life_s: u64,
        suites: &[Suite],
    ) -> SignedStatement {
        let iat = UnixTime::from_secs(self.clock.wall_ms() / 1000);
        let keys = suites
            .iter()
            .map(|suite| generate_key(&RustCrypto, *suite).unwrap().1);
        let draft = StatementDraft {
            iat,
            exp: UnixTime::from_secs(iat.as_secs() + life_s),
            seq,
            numbers: numbers.iter().map(|text| number(text)).collect(),
            cps: vec![BaseUrl::parse("https://cps.example.com").unwrap()],
            keys: keys.collect(),
            prev: None,
            tok: None,
        };
        let x5u = X5u::parse("https://cert.example.com/chain.pem").unwrap();
        let unsigned = draft.build(&x5u, &credential.bag().unwrap()).unwrap();
        let sign = |input: &str| {
            RustCrypto
                .sign_es256(&credential.secret, input.as_bytes())
                .unwrap()
        };
        let (directory, inline) = (
            sign(unsigned.directory_signing_input()),
            sign(unsigned.inline_signing_input()),
        );
        let public = RustCrypto
            .public_key(Curve::P256, &credential.secret)
            .unwrap();
        let public = P256PublicKey::from_sec1(&public).unwrap();
        unsigned
            .complete(&RustCrypto, &public, &directory, &inline)
            .unwrap()
    }
}

/// Checks that an answer is this problem, whole: status, media type, type, and the headers of every
/// answer.
#[track_caller]
pub(crate) fn assert_problem(answer: &HttpResponse, problem: Problem) {
    assert_eq!(answer.status, problem.status());
    assert_eq!(Problem::decode(answer), Some(problem));
    assert_common(answer);
}

#[track_caller]
pub(crate) fn assert_common(answer: &HttpResponse) {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    for absent in [
        "server",
        "set-cookie",
        "content-encoding",
        "transfer-encoding",
        "etag",
    ] {
        assert_eq!(answer.header(absent), None, "{absent}");
    }
}
