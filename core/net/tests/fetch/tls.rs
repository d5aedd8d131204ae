//! The TLS of fetches: hosts of others, the web's roots, and no weaker than it has to be (CRT-45).

use std::sync::Arc;

use ringtrue_net::{FetchSettings, Fetcher, HttpClient, Role};
use ringtrue_oob::http::{HttpRequest, Method};
use ringtrue_stir::Reason;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::lab::{Lab, chain, get, ok};
use crate::service::{Answer, Identity, Service};

fn config(identity: &Identity, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.collect::<Result<_, _>>().unwrap(), key)
        .unwrap()
}

fn request(service: &Service) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: service.url("localhost"),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

#[tokio::test]
async fn a_host_with_tls_1_2_serves_fetches_and_never_placement() {
    let lab = Lab::new();
    let config = config(&lab.identity(), &[&version::TLS12]);
    let service = Service::start_with(config, Answer::Once(ok("", chain()))).await;
    assert!(get(&lab.fetcher(), &service).await.is_ok());
    let client = HttpClient::new(&lab.settings().http).unwrap();
    for role in [Role::Lookup, Role::Publish, Role::Retrieve, Role::Store] {
        let refused = client.execute(role, request(&service), 1 << 20).await;
        assert_eq!(refused.err(), Some(Reason::TlsFailed), "{role:?}");
    }
    assert_eq!(service.requests().len(), 1);
}

#[tokio::test]
async fn a_host_with_both_versions_is_spoken_to_in_the_newer() {
    let lab = Lab::new();
    let both = config(&lab.identity(), &[&version::TLS12, &version::TLS13]);
    let service = Service::start_with(both, Answer::Once(ok("", chain()))).await;
    assert!(get(&lab.fetcher(), &service).await.is_ok());
    let client = HttpClient::new(&lab.settings().http).unwrap();
    let answer = client.execute(Role::Retrieve, request(&service), 1 << 20);
    assert!(answer.await.is_ok());
}

/// Reads numbers and lists of a ClientHello.
struct Hello(Vec<u8>);

impl Hello {
    fn take(&mut self, len: usize) -> Vec<u8> {
        self.0.drain(..len).collect()
    }

    fn number(&mut self, len: usize) -> usize {
        let octets = self.take(len);
        octets
            .iter()
            .fold(0, |sum, octet| sum * 256 + usize::from(*octet))
    }
}

/// The cipher suites that a fetcher offers, and the names of its extensions.
async fn offered(fetcher: &Fetcher) -> (Vec<usize>, Vec<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/c",
        listener.local_addr().unwrap().port()
    );
    let (fetched, hello) = tokio::join!(get_url(fetcher, &url), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 5];
        stream.read_exact(&mut head).await.unwrap();
        let mut record = vec![0; usize::from(head[3]) * 256 + usize::from(head[4])];
        stream.read_exact(&mut record).await.unwrap();
        record
    });
    assert!(fetched.is_some());
    let mut hello = Hello(hello);
    hello.take(4 + 2 + 32);
    let session = hello.number(1);
    hello.take(session);
    let suites = hello.number(2);
    let suites: Vec<usize> = (0..suites / 2).map(|_| hello.number(2)).collect();
    let compressions = hello.number(1);
    assert_eq!(hello.take(compressions), [0], "no compression");
    let mut extensions = Vec::new();
    hello.take(2);
    while !hello.0.is_empty() {
        extensions.push(hello.number(2));
        let len = hello.number(2);
        hello.take(len);
    }
    (suites, extensions)
}

async fn get_url(fetcher: &Fetcher, url: &str) -> Option<Reason> {
    let kind = ringtrue_net::FetchKind::CertificatePath;
    fetcher.fetch(kind, url).await.err()
}

#[tokio::test]
async fn offers_forward_secrecy_alone_and_nothing_to_resume() {
    let (suites, extensions) = offered(&Lab::new().fetcher()).await;
    let tls_1_3 = [0x1301, 0x1302, 0x1303];
    let ecdhe = [0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9];
    // TLS_EMPTY_RENEGOTIATION_INFO_SCSV is no suite.
    let mut found: Vec<usize> = suites
        .into_iter()
        .filter(|suite| *suite != 0x00ff)
        .collect();
    found.sort_unstable();
    assert_eq!(found, [&tls_1_3[..], &ecdhe].concat());
    // session_ticket and pre_shared_key.
    assert!(
        !extensions.contains(&35) && !extensions.contains(&41),
        "{extensions:?}"
    );
}

#[tokio::test]
async fn refuses_certificates_that_the_web_would_refuse() {
    let lab = Lab::new();
    let stranger = Lab::new();
    for identity in [
        lab.authority.expired_identity(&["localhost"]),
        lab.authority.identity(&["other.test"]),
        stranger.authority.identity(&["localhost"]),
    ] {
        for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
            let config = config(&identity, versions);
            let service = Service::start_with(config, Answer::Once(ok("", chain()))).await;
            let refused = get(&lab.fetcher(), &service).await.err();
            assert_eq!(refused, Some(Reason::TlsFailed));
            assert_eq!(service.requests(), []);
        }
    }
}

/// The roots of the web and the anchors of STIR are different lists: neither stands in for the other.
#[tokio::test]
async fn the_roots_of_the_web_do_not_trust_a_laboratory() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let mut settings = lab.settings();
    settings.http.web_roots = true;
    settings.http.extra_roots_pem.clear();
    let fetcher = Fetcher::new(&settings).unwrap();
    let refused = get(&fetcher, &service).await.err();
    assert_eq!(refused, Some(Reason::TlsFailed));
    settings.http.web_roots = false;
    let refused = Fetcher::new(&settings).err();
    assert_eq!(refused, Some(Reason::ConfigurationInvalid));
    assert!(Fetcher::new(&FetchSettings::default()).is_ok());
}
