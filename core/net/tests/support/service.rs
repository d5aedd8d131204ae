//! A service for tests: real TLS on loopback, an answer written octet by octet, and a record of what
//! arrived.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use ringtrue_net::server_config;
use rustls::{HandshakeKind, NamedGroup, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// A root that issues TLS certificates.
pub(crate) struct TestAuthority {
    root_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate chain and its key, PEM.
pub(crate) struct Identity {
    pub(crate) chain_pem: String,
    pub(crate) key_pem: String,
}

impl TestAuthority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "test root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_pem = params.self_signed(&key).unwrap().pem();
        Self {
            root_pem,
            issuer: Issuer::new(params, key),
        }
    }

    pub(crate) fn root_pem(&self) -> String {
        self.root_pem.clone()
    }

    pub(crate) fn identity(&self, names: &[&str]) -> Identity {
        self.issue(names, |_| {})
    }

    pub(crate) fn expired_identity(&self, names: &[&str]) -> Identity {
        self.issue(names, |params| params.not_after = date_time_ymd(2024, 1, 1))
    }

    fn issue(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

/// What the service answers to every request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These octets, then end the connection in the middle of things.
    Break(Vec<u8>),
    /// One octet after the other, with this time between.
    Drip(Vec<u8>, Duration),
    /// `head`, then `chunk` again and again until the client has enough.
    Endless { head: Vec<u8>, chunk: Vec<u8> },
    /// These octets; the connection stays open for the next request.
    Once(Vec<u8>),
    /// These octets to the first request of a connection; the second ends it unanswered.
    OncePerConnection(Vec<u8>),
    /// These octets in turn, one for each request to the service; the last again and again. Empty:
    /// nothing, with the connection open.
    Script(Vec<Vec<u8>>),
    /// Nothing, with the connection open.
    Silent,
}

#[derive(Default)]
struct Record {
    arrived: Notify,
    closed: Notify,
    connections: AtomicUsize,
    groups: Mutex<Vec<NamedGroup>>,
    handshakes: Mutex<Vec<HandshakeKind>>,
    open: AtomicUsize,
    requests: Mutex<Vec<(String, Vec<u8>)>>,
}

pub(crate) struct Service {
    address: SocketAddr,
    record: Arc<Record>,
}

impl Service {
    pub(crate) async fn start(identity: &Identity, answer: Answer) -> Self {
        let config = server_config(&identity.chain_pem, &identity.key_pem).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(listener, config, answer)
    }

    pub(crate) async fn start_v6(identity: &Identity, answer: Answer) -> Option<Self> {
        let config = server_config(&identity.chain_pem, &identity.key_pem).unwrap();
        let listener = TcpListener::bind("[::1]:0").await.ok()?;
        Some(Self::serve(listener, config, answer))
    }

    pub(crate) async fn start_with_tickets(identity: &Identity, answer: Answer) -> Self {
        let mut config = server_config(&identity.chain_pem, &identity.key_pem).unwrap();
        config.session_storage = rustls::server::ServerSessionMemoryCache::new(16);
        config.send_tls13_tickets = 2;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(listener, config, answer)
    }

    /// With a TLS configuration of the test's own.
    pub(crate) async fn start_with(config: ServerConfig, answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(listener, config, answer)
    }

    fn serve(listener: TcpListener, config: ServerConfig, answer: Answer) -> Self {
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let shared = Arc::clone(&record);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, record) = (acceptor.clone(), Arc::clone(&shared));
                let answer = answer.clone();
                tokio::spawn(async move {
                    record.open.fetch_add(1, Ordering::SeqCst);
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        let tls = stream.get_ref().1;
                        let kind = tls.handshake_kind().unwrap();
                        record.handshakes.lock().unwrap().push(kind);
                        let group = tls.negotiated_key_exchange_group().unwrap().name();
                        record.groups.lock().unwrap().push(group);
                        converse(&mut stream, &record, &answer).await;
                    }
                    record.open.fetch_sub(1, Ordering::SeqCst);
                    record.closed.notify_one();
                });
            }
        });
        Self { address, record }
    }

    pub(crate) fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/path", self.address.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn connections(&self) -> usize {
        self.record.connections.load(Ordering::SeqCst)
    }

    /// What the keys of each connection were agreed on in.
    pub(crate) fn groups(&self) -> Vec<NamedGroup> {
        self.record.groups.lock().unwrap().clone()
    }

    pub(crate) fn handshakes(&self) -> Vec<HandshakeKind> {
        self.record.handshakes.lock().unwrap().clone()
    }

    pub(crate) fn requests(&self) -> Vec<(String, Vec<u8>)> {
        self.record.requests.lock().unwrap().clone()
    }

    pub(crate) async fn request_arrived(&self) {
        self.record.arrived.notified().await;
    }

    pub(crate) async fn all_connections_closed(&self) {
        while self.record.open.load(Ordering::SeqCst) != 0 {
            self.record.closed.notified().await;
        }
    }
}

async fn converse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    record: &Record,
    answer: &Answer,
) {
    let mut answered = false;
    while let Some(request) = read_request(stream).await {
        record.requests.lock().unwrap().push(request);
        record.arrived.notify_one();
        match answer {
            Answer::Once(octets) => {
                if stream.write_all(octets).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
                if octets.windows(17).any(|part| part == b"Connection: close") {
                    let _ = stream.shutdown().await;
                    return;
                }
            }
            Answer::Break(octets) => {
                let _ = stream.write_all(octets).await;
                let _ = stream.shutdown().await;
                return;
            }
            Answer::Endless { head, chunk } => {
                let mut written = stream.write_all(head).await;
                while written.is_ok() {
                    written = stream.write_all(chunk).await;
                }
                return;
            }
            Answer::OncePerConnection(octets) => {
                if answered || stream.write_all(octets).await.is_err() {
                    let _ = stream.shutdown().await;
                    return;
                }
                answered = true;
            }
            Answer::Drip(octets, pause) => {
                for octet in octets {
                    if stream.write_all(&[*octet]).await.is_err() || stream.flush().await.is_err() {
                        return;
                    }
                    tokio::time::sleep(*pause).await;
                }
            }
            Answer::Script(answers) => {
                let made = record.requests.lock().unwrap().len();
                let answer = answers.get(made.saturating_sub(1)).or(answers.last());
                if stream.write_all(answer.unwrap()).await.is_err() {
                    return;
                }
                let _ = stream.flush().await;
            }
            Answer::Silent => {}
        }
    }
}

/// One request with its head as text, or nothing at the end of the connection.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .to_ascii_lowercase()
        .split("\r\n")
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, body))
}

/// A port that nobody listens on.
pub(crate) async fn unused_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// A service that writes `answer` to every connection without TLS, after the client's first octets.
pub(crate) async fn start_plain(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut first = [0; 16];
            let _ = stream.read_exact(&mut first).await;
            let _ = stream.write_all(&answer).await;
            // Keep the connection until the client ends it.
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
    });
    port
}

/// The answer of a service that knows TLS 1.2 only: a ServerHello without `supported_versions`.
pub(crate) fn tls_1_2_server_hello() -> Vec<u8> {
    let mut hello = vec![0x03, 0x03];
    hello.extend_from_slice(&[0x11; 32]); // random
    hello.push(0); // no session id
    hello.extend_from_slice(&[0xc0, 0x2b, 0x00]); // ECDHE-ECDSA with AES-128-GCM, no compression
    let mut record = vec![0x16, 0x03, 0x03, 0, 42, 0x02, 0, 0];
    record.push(u8::try_from(hello.len()).unwrap());
    record.extend_from_slice(&hello);
    record
}
