//! What the tests share: a web PKI, certificates to serve, a clock to set.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ringtrue_lab::{Authority, Credential, CrlSpec};
use ringtrue_net::{
    AddressPolicy, FetchKind, FetchSettings, Fetched, Fetcher, HttpSettings, NameResolver,
};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::service::{Answer, Identity, Service, TestAuthority};

/// What the clock shows at first.
const START: u64 = 1_800_000_000;

pub(crate) const DAY: u64 = 86_400;

pub(crate) struct Lab {
    pub(crate) authority: TestAuthority,
    clock: Arc<AtomicU64>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            authority: TestAuthority::new(),
            clock: Arc::new(AtomicU64::new(START)),
        }
    }

    pub(crate) fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.clock.load(Ordering::SeqCst))
    }

    /// Lets so many seconds pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// A laboratory's settings: loopback, this authority alone, this clock.
    pub(crate) fn settings(&self) -> FetchSettings {
        let clock = Arc::clone(&self.clock);
        FetchSettings {
            http: HttpSettings {
                addresses: AddressPolicy::public_only().allow_loopback(),
                extra_roots_pem: vec![self.authority.root_pem()],
                web_roots: false,
                ..HttpSettings::default()
            },
            clock: Arc::new(move || UnixTime::from_secs(clock.load(Ordering::SeqCst))),
            ..FetchSettings::default()
        }
    }

    pub(crate) fn fetcher(&self) -> Fetcher {
        Fetcher::new(&self.settings()).unwrap()
    }

    /// The same, for public addresses only, with a resolver.
    pub(crate) fn public(&self, resolver: Option<Arc<dyn NameResolver>>) -> Fetcher {
        let mut settings = self.settings();
        settings.http.addresses = AddressPolicy::public_only();
        settings.resolver = resolver;
        Fetcher::new(&settings).unwrap()
    }

    pub(crate) fn identity(&self) -> Identity {
        self.authority
            .identity(&["localhost", "127.0.0.1", "certs.test"])
    }

    pub(crate) async fn serve(&self, answer: Answer) -> Service {
        Service::start(&self.identity(), answer).await
    }
}

/// Gets the certificates of a service.
pub(crate) async fn get(fetcher: &Fetcher, service: &Service) -> Result<Fetched, Reason> {
    let url = service.url("localhost");
    fetcher.fetch(FetchKind::CertificatePath, &url).await
}

/// What becomes of one answer.
pub(crate) async fn outcome(kind: FetchKind, answer: Answer) -> Result<Fetched, Reason> {
    let lab = Lab::new();
    let service = lab.serve(answer).await;
    lab.fetcher().fetch(kind, &service.url("localhost")).await
}

/// The reason why an answer is refused.
pub(crate) async fn refusal(kind: FetchKind, answer: Answer) -> Option<Reason> {
    outcome(kind, answer).await.err()
}

/// An answer with this body.
pub(crate) fn ok(headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A signer's certificate and its issuer's.
pub(crate) fn credential(index: usize) -> &'static Credential {
    static CREDENTIALS: OnceLock<[Credential; 2]> = OnceLock::new();
    &CREDENTIALS.get_or_init(|| {
        let number = TelephoneNumber::from_canonical("12025550143").unwrap();
        let at = UnixTime::from_secs(START);
        let authority = Authority::for_numbers(std::slice::from_ref(&number), at).unwrap();
        [0, 1].map(|_| authority.issue_number(&number, at).unwrap())
    })[index]
}

/// The path file of the first credential.
pub(crate) fn chain() -> &'static str {
    &credential(0).chain_pem
}

/// A revocation list that is issued at the start and due again after so many seconds.
pub(crate) fn revocation_list(seconds: u64) -> Vec<u8> {
    let start = UnixTime::from_secs(START);
    let number = TelephoneNumber::from_canonical("12025550143").unwrap();
    let authority = Authority::for_numbers(&[number], start).unwrap();
    let spec = CrlSpec {
        next_update: UnixTime::from_secs(START + seconds),
        ..CrlSpec::direct(Vec::new(), start)
    };
    authority.root.revocation_list(&spec).unwrap()
}
