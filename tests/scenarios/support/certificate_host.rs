//! The host behind the `x5u` of every credential: real TLS, one path file, and a record of what it saw.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ringtrue::{FetchSettings, Fetcher, NameResolver, UnixTime};
use ringtrue_lab::tls_identity;
use ringtrue_net::server_config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::now;
use super::world::lab_http;

/// The host of [`X5U`](super::world::X5U).
const NAME: &str = "certs.example";

/// What the host serves and what it was asked.
#[derive(Default)]
struct Shared {
    chain_pem: Mutex<String>,
    requests: Mutex<Vec<String>>,
    /// Seconds by which the fetchers' clock is ahead.
    ahead: AtomicU64,
}

pub(crate) struct CertificateHost {
    shared: Arc<Shared>,
    address: SocketAddr,
    root_pem: String,
}

/// Leads the name to this machine, and no other name anywhere.
struct OneName(SocketAddr);

impl NameResolver for OneName {
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        if name == NAME {
            Ok(vec![self.0])
        } else {
            Err(io::Error::from(io::ErrorKind::NotFound))
        }
    }
}

impl CertificateHost {
    pub(crate) async fn start(chain_pem: &str) -> Self {
        let tls = tls_identity(&[NAME], now()).unwrap();
        let config = server_config(&tls.chain_pem, &tls.key_pem).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        *shared.chain_pem.lock().unwrap() = chain_pem.to_owned();
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, shared) = (acceptor.clone(), Arc::clone(&serving));
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await.ok()?;
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(stream.read_u8().await.ok()?);
                    }
                    let head = String::from_utf8(head).unwrap();
                    shared.requests.lock().unwrap().push(head);
                    let body = shared.chain_pem.lock().unwrap().clone();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(answer.as_bytes()).await.ok()?;
                    stream.shutdown().await.ok()
                });
            }
        });
        Self {
            shared,
            address,
            root_pem: tls.root_pem,
        }
    }

    /// Serves another path from now on.
    pub(crate) fn serve(&self, chain_pem: &str) {
        *self.shared.chain_pem.lock().unwrap() = chain_pem.to_owned();
    }

    /// Lets so many seconds pass for the fetchers' caches.
    pub(crate) fn pass(&self, seconds: u64) {
        self.shared.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The requests that came, each with its head as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// A fetcher that finds this host under its name.
    pub(crate) fn fetcher(&self) -> Fetcher {
        let shared = Arc::clone(&self.shared);
        let settings = FetchSettings {
            http: lab_http(&self.root_pem),
            resolver: Some(Arc::new(OneName(self.address))),
            clock: Arc::new(move || {
                let ahead = shared.ahead.load(Ordering::SeqCst);
                UnixTime::from_secs(now().as_secs() + ahead)
            }),
            ..FetchSettings::default()
        };
        Fetcher::new(&settings).unwrap()
    }
}
