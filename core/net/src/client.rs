//! The HTTP client: sends one message of [`ringtrue_oob::http`] and reads the answer.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use ringtrue_oob::http::{HttpRequest, HttpResponse, Method, Role};
use ringtrue_stir::Reason;
use rustls::ClientConfig;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::connection::Connector;
use crate::connections::{Connections, Reply, Reuse, request};
use crate::resolver::{CheckedResolver, NameResolver};
use crate::{AddressPolicy, tls};

/// The `User-Agent` of every request. One constant for all versions and platforms: more would help a
/// service to tell endpoints apart.
pub const USER_AGENT: &str = "RingTrue";

/// How long a connection may take, with name resolution and TLS, when nothing else is configured.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle connections per service and role when nothing else is configured; requests of one role rarely
/// overlap.
pub const DEFAULT_IDLE_CONNECTIONS: usize = 2;

/// The most octets of header names and values in an answer. The services' own stay below 1 KiB.
const MAX_HEADERS_LEN: usize = 16 * 1024;

/// How the client connects.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Which addresses connections may go to. Public ones only by default.
    pub addresses: AddressPolicy,
    /// The longest time for one connection: name resolution, TCP and TLS. The time for the whole
    /// request is the caller's.
    pub connect_timeout: Duration,
    /// Roots in addition to the web's, each text PEM with one or more certificates.
    pub extra_roots_pem: Vec<String>,
    /// Whether the roots of the web, as built in, are trusted. True by default.
    pub web_roots: bool,
    /// The most idle connections that are kept per service and role, for 20 s: 2. A relay, whose clients share them, keeps more.
    pub idle_connections: usize,
    /// The own address that connections come from, on a host with several. The system chooses if `None`.
    pub local_address: Option<IpAddr>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            addresses: AddressPolicy::public_only(),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            extra_roots_pem: Vec::new(),
            web_roots: true,
            idle_connections: DEFAULT_IDLE_CONNECTIONS,
            local_address: None,
        }
    }
}

/// The client. Cheap to clone; clones share their connections.
///
/// TLS 1.3 and HTTP/1.1 only; no redirects, cookies, proxies, compression or session resumption.
#[derive(Clone)]
pub struct HttpClient {
    addresses: AddressPolicy,
    roles: Arc<Roles>,
}

/// The connections of each role, which no other uses.
struct Roles {
    configuration: Connections,
    issue: Connections,
    lookup: Connections,
    publish: Connections,
    retrieve: Connections,
    store: Connections,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient(..)")
    }
}

impl HttpClient {
    /// Makes a client; connects nowhere yet.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedPem`], [`Reason::MalformedCertificate`], [`Reason::TooManyCertificates`] or
    /// [`Reason::TooLong`] for the extra roots; [`Reason::ConfigurationInvalid`] if there are no roots
    /// at all.
    pub fn new(settings: &HttpSettings) -> Result<Self, Reason> {
        let roots = Arc::new(tls::roots(settings.web_roots, &settings.extra_roots_pem)?);
        let provider = Arc::new(tls::provider());
        let connections = || {
            let tls = tls::client_config(Arc::clone(&provider), Arc::clone(&roots))?;
            let connector = connector(settings, tls, None);
            Ok(Connections::new(connector, settings.idle_connections))
        };
        Ok(Self {
            addresses: settings.addresses,
            roles: Arc::new(Roles {
                configuration: connections()?,
                issue: connections()?,
                lookup: connections()?,
                publish: connections()?,
                retrieve: connections()?,
                store: connections()?,
            }),
        })
    }

    /// Sends `request` on a connection of `role` and reads the answer, whose body may have
    /// `max_answer_len` octets.
    ///
    /// Runs inside a tokio runtime with I/O and time. Has no deadline beyond the connection's: the
    /// caller drops the future, which closes the connection.
    ///
    /// # Errors
    ///
    /// - [`Reason::MalformedUrl`]: not an https URL with a host and without credentials.
    /// - [`Reason::AddressNotAllowed`]: the host is, or its name leads to, an address that the
    ///   configuration does not allow. Nothing was sent.
    /// - [`Reason::ServiceUnreachable`]: no such name, no connection, or it broke.
    /// - [`Reason::TlsFailed`]: no TLS 1.3, or a certificate that does not fit the name and the roots.
    /// - [`Reason::Redirected`]: any 3xx.
    /// - [`Reason::AnswerTooLarge`]: seen as soon as the announced or the received length shows it.
    /// - [`Reason::MalformedAnswer`]: no HTTP, or compressed although that was not asked for.
    pub async fn execute(
        &self,
        role: Role,
        request: HttpRequest,
        max_answer_len: usize,
    ) -> Result<HttpResponse, Reason> {
        let url = check_url(self.addresses, &request.url)?;
        let method = match request.method {
            Method::Get => hyper::Method::GET,
            Method::Post => hyper::Method::POST,
            Method::Put => hyper::Method::PUT,
        };
        let connections = match role {
            Role::Configuration => &self.roles.configuration,
            Role::Issue => &self.roles.issue,
            Role::Lookup => &self.roles.lookup,
            Role::Publish => &self.roles.publish,
            Role::Retrieve => &self.roles.retrieve,
            Role::Store => &self.roles.store,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            // Headers are written by this project, never taken from input.
            let name: HeaderName = name.parse().map_err(|_| Reason::Internal)?;
            let value: HeaderValue = value.parse().map_err(|_| Reason::Internal)?;
            headers.append(name, value);
        }
        let request = self::request(method, &url, headers, request.body)?;
        let reply = match connections
            .send(&url, request.clone(), Reuse::Allowed)
            .await
        {
            // A service may close an idle connection in the very moment it is used again. Sending once
            // more is safe: every request of the protocol may arrive twice.
            Err(fault) if fault.broke_unanswered => {
                connections.send(&url, request, Reuse::Never).await
            }
            sent => sent,
        };
        answer(reply.map_err(|fault| fault.reason)?, max_answer_len).await
    }
}

/// The same `Url` is checked and used, so no second parser can see another host in it. A literal
/// address never reaches the resolver, so it is checked here.
pub(crate) fn check_url(addresses: AddressPolicy, text: &str) -> Result<Url, Reason> {
    let url = Url::parse(text).map_err(|_| Reason::MalformedUrl)?;
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return Err(Reason::MalformedUrl);
    }
    let literal = match url.host().ok_or(Reason::MalformedUrl)? {
        Host::Domain(_) => return Ok(url),
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
    };
    if addresses.is_allowed(literal) {
        Ok(url)
    } else {
        Err(Reason::AddressNotAllowed)
    }
}

/// How clients of this crate connect. `names` resolves in the place of the platform.
pub(crate) fn connector(
    settings: &HttpSettings,
    tls: ClientConfig,
    names: Option<Arc<dyn NameResolver>>,
) -> Connector {
    Connector {
        tls: TlsConnector::from(Arc::new(tls)),
        resolver: CheckedResolver {
            policy: settings.addresses,
            names,
        },
        timeout: settings.connect_timeout,
        local_address: settings.local_address,
    }
}

pub(crate) async fn answer(reply: Reply, max_len: usize) -> Result<HttpResponse, Reason> {
    let status = reply.status();
    if status.is_redirection() {
        return Err(Reason::Redirected);
    }
    let identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !reply
        .headers()
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(identity)
    {
        return Err(Reason::MalformedAnswer);
    }
    Ok(HttpResponse {
        status: status.as_u16(),
        headers: headers(reply.headers())?,
        body: reply.body(max_len).await?,
    })
}

/// The headers whose values are text. Others mean nothing in this protocol.
fn headers(found: &HeaderMap) -> Result<Vec<(String, String)>, Reason> {
    let mut len = 0usize;
    let mut headers = Vec::new();
    for (name, value) in found {
        len = len
            .saturating_add(name.as_str().len())
            .saturating_add(value.len());
        if len > MAX_HEADERS_LEN {
            return Err(Reason::AnswerTooLarge);
        }
        if let Ok(value) = value.to_str() {
            headers.push((name.as_str().to_owned(), value.to_owned()));
        }
    }
    Ok(headers)
}
