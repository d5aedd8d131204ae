//! One connection to a service: its name resolved, its address checked, its certificate too.
//!
//! No HTTP library above the protocol's own: what those bring (proxies, redirects, cookies, other versions)
//! must not happen here, and what is not there cannot (docs/adr/0024-size.md).

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use ringtrue_stir::Reason;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::resolver::CheckedResolver;

/// What sends requests on a connection. The connection closes when it is dropped.
pub(crate) type Requests = SendRequest<Full<Bytes>>;

/// How long the first family of addresses has before the other one is tried besides (RFC 8305 section 5).
const SECOND_FAMILY_AFTER: Duration = Duration::from_millis(300);

/// Where a connection leads. Requests to the same may share one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    host: Host<String>,
    port: u16,
    /// Whether the URL names the port; a resolver's own then does not count.
    is_port_named: bool,
}

impl Origin {
    /// Of a URL that was checked.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedUrl`] without a host.
    pub(crate) fn of(url: &Url) -> Result<Self, Reason> {
        Ok(Self {
            host: url.host().ok_or(Reason::MalformedUrl)?.to_owned(),
            port: url.port_or_known_default().ok_or(Reason::MalformedUrl)?,
            is_port_named: url.port().is_some(),
        })
    }

    fn at(&self, mut address: SocketAddr) -> SocketAddr {
        if self.is_port_named || address.port() == 0 {
            address.set_port(self.port);
        }
        address
    }

    /// What the certificate has to be for.
    fn server_name(&self) -> Result<ServerName<'static>, Reason> {
        match &self.host {
            Host::Domain(name) => {
                ServerName::try_from(name.clone()).map_err(|_| Reason::ServiceUnreachable)
            }
            Host::Ipv4(address) => Ok(IpAddr::V4(*address).into()),
            Host::Ipv6(address) => Ok(IpAddr::V6(*address).into()),
        }
    }
}

/// How connections are made.
pub(crate) struct Connector {
    pub(crate) tls: TlsConnector,
    pub(crate) resolver: CheckedResolver,
    /// The longest time for name resolution, TCP and TLS together.
    pub(crate) timeout: Duration,
    pub(crate) local_address: Option<IpAddr>,
}

impl Connector {
    /// Makes a new connection, within the time for it.
    ///
    /// # Errors
    ///
    /// [`Reason::AddressNotAllowed`], [`Reason::TlsFailed`] or [`Reason::ServiceUnreachable`].
    pub(crate) async fn connect(&self, origin: &Origin) -> Result<Requests, Reason> {
        tokio::time::timeout(self.timeout, self.open(origin))
            .await
            .map_err(|_| Reason::ServiceUnreachable)?
    }

    async fn open(&self, origin: &Origin) -> Result<Requests, Reason> {
        let addresses = match &origin.host {
            Host::Domain(name) => self.resolver.resolve(name).await?,
            // A literal was checked with its URL.
            Host::Ipv4(address) => vec![SocketAddr::new(IpAddr::V4(*address), 0)],
            Host::Ipv6(address) => vec![SocketAddr::new(IpAddr::V6(*address), 0)],
        };
        let addresses = addresses.into_iter().map(|address| origin.at(address));
        let stream = self.reach(addresses.collect()).await;
        let stream = stream.map_err(|_| Reason::ServiceUnreachable)?;
        // Requests are small and waited for.
        stream
            .set_nodelay(true)
            .map_err(|_| Reason::ServiceUnreachable)?;
        let stream = self.tls.connect(origin.server_name()?, stream).await;
        let stream = stream.map_err(|error| reason_behind(&error))?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| reason_of(&error))?;
        tokio::spawn(async move {
            // Whoever waits for an answer is told what went wrong.
            let _ = connection.await;
        });
        Ok(requests)
    }

    /// Connects to the first of the addresses that answers; those of the second family come into play
    /// when the first fails or is slow.
    async fn reach(&self, mut addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
        if let Some(local) = self.local_address {
            addresses.retain(|address| address.is_ipv4() == local.is_ipv4());
        }
        let is_first = addresses.first().is_some_and(SocketAddr::is_ipv4);
        let each = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let each = self.timeout.checked_div(each).unwrap_or(self.timeout);
        let (first, second): (Vec<_>, Vec<_>) = addresses
            .into_iter()
            .partition(|address| address.is_ipv4() == is_first);
        let first_failed = Notify::new();
        let preferred = async {
            let stream = self.reach_one_of(first, each).await;
            if stream.is_err() {
                first_failed.notify_one();
            }
            stream
        };
        let other = async {
            tokio::select! {
                () = tokio::time::sleep(SECOND_FAMILY_AFTER) => {}
                () = first_failed.notified() => {}
            }
            self.reach_one_of(second, each).await
        };
        tokio::pin!(preferred, other);
        tokio::select! {
            biased;
            Ok(stream) = &mut preferred => Ok(stream),
            Ok(stream) = &mut other => Ok(stream),
            else => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Tries one address after the other.
    async fn reach_one_of(
        &self,
        addresses: Vec<SocketAddr>,
        each: Duration,
    ) -> io::Result<TcpStream> {
        let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
        for address in addresses {
            let connecting = async {
                let socket = match address {
                    SocketAddr::V4(_) => TcpSocket::new_v4()?,
                    SocketAddr::V6(_) => TcpSocket::new_v6()?,
                };
                if let Some(local) = self.local_address {
                    socket.bind(SocketAddr::new(local, 0))?;
                }
                socket.connect(address).await
            };
            outcome = match tokio::time::timeout(each, connecting).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(failed) => failed,
                Err(late) => Err(late.into()),
            };
        }
        outcome
    }
}

/// The reason behind an error of the HTTP library.
pub(crate) fn reason_of(error: &hyper::Error) -> Reason {
    if error.is_parse_too_large() {
        Reason::AnswerTooLarge
    } else if error.is_parse() {
        Reason::MalformedAnswer
    } else {
        reason_behind(error)
    }
}

/// Whether the TLS library is behind an error, or only the network.
fn reason_behind(error: &(dyn Error + 'static)) -> Reason {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if is_tls(current) {
            return Reason::TlsFailed;
        }
        cause = current.source();
    }
    Reason::ServiceUnreachable
}

/// TLS errors travel inside [`io::Error`], once or twice, whose `source` skips the error it wraps.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    wrapped.is_some_and(|inner| is_tls(inner))
}
