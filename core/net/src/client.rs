//! The HTTP client: sends one message of [`ringtrue_oob::http`] and reads the answer.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use ringtrue_oob::http::{HttpRequest, HttpResponse, Method, Role};
use ringtrue_stir::Reason;
use rustls::ClientConfig;
use url::{Host, Url};

use crate::resolver::{AddressRefused, CheckedResolver};
use crate::{AddressPolicy, tls};

/// The `User-Agent` of every request. One constant for all versions and platforms: more would help a
/// service to tell endpoints apart.
pub const USER_AGENT: &str = "RingTrue";

/// How long a connection may take, with name resolution and TLS, when nothing else is configured.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept: a call's polls and the next call within a conversation find it
/// warm. Shorter than services keep theirs, and than most networks remember a quiet connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

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
    configuration: Client,
    issue: Client,
    lookup: Client,
    publish: Client,
    retrieve: Client,
    store: Client,
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
        let client = || {
            let tls = tls::client_config(Arc::clone(&provider), Arc::clone(&roots))?;
            client(settings, tls)
        };
        Ok(Self {
            addresses: settings.addresses,
            configuration: client()?,
            issue: client()?,
            lookup: client()?,
            publish: client()?,
            retrieve: client()?,
            store: client()?,
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
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let client = match role {
            Role::Configuration => &self.configuration,
            Role::Issue => &self.issue,
            Role::Lookup => &self.lookup,
            Role::Publish => &self.publish,
            Role::Retrieve => &self.retrieve,
            Role::Store => &self.store,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            // Headers are written by this project, never taken from input.
            let name: HeaderName = name.parse().map_err(|_| Reason::Internal)?;
            let value: HeaderValue = value.parse().map_err(|_| Reason::Internal)?;
            headers.append(name, value);
        }
        let send = || {
            let mut builder = client
                .request(method.clone(), url.clone())
                .headers(headers.clone());
            if !request.body.is_empty() {
                builder = builder.body(request.body.clone());
            }
            builder.send()
        };
        let response = match send().await {
            // A service may close an idle connection in the very moment it is used again. Sending once
            // more is safe: every request of the protocol may arrive twice.
            Err(error) if broke_unanswered(&error) => send().await,
            sent => sent,
        };
        answer(response.map_err(|error| reason_of(&error))?, max_answer_len).await
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

fn client(settings: &HttpSettings, tls: ClientConfig) -> Result<Client, Reason> {
    let resolver = CheckedResolver {
        policy: settings.addresses,
        names: None,
    };
    builder(tls, resolver)
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(settings.idle_connections)
        .local_address(settings.local_address)
        .build()
        .map_err(|_| Reason::Internal)
}

/// What every client of this crate is like: https only, no redirects, cookies, proxies, compression
/// or Referer, and the same few headers for all.
pub(crate) fn builder(tls: ClientConfig, resolver: CheckedResolver) -> ClientBuilder {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .http1_only()
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(USER_AGENT)
        .default_headers(headers)
        .dns_resolver(resolver)
}

pub(crate) async fn answer(mut response: Response, max_len: usize) -> Result<HttpResponse, Reason> {
    let status = response.status();
    if status.is_redirection() {
        return Err(Reason::Redirected);
    }
    let identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !response
        .headers()
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(identity)
    {
        return Err(Reason::MalformedAnswer);
    }
    let headers = headers(response.headers())?;
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |announced| announced > max_len) {
        return Err(Reason::AnswerTooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| reason_of(&error))? {
        if chunk.len() > max_len.saturating_sub(body.len()) {
            return Err(Reason::AnswerTooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse {
        status: status.as_u16(),
        headers,
        body,
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

/// The reason behind an error of the HTTP library. The error itself names the URL, and so a telephone
/// number, and goes no further.
pub(crate) fn reason_of(error: &reqwest::Error) -> Reason {
    if error.is_builder() {
        return Reason::MalformedUrl;
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if current.is::<AddressRefused>() {
            return Reason::AddressNotAllowed;
        }
        if is_tls(current) {
            return Reason::TlsFailed;
        }
        if let Some(http) = current.downcast_ref::<hyper::Error>() {
            if http.is_parse_too_large() {
                return Reason::AnswerTooLarge;
            }
            if http.is_parse() {
                return Reason::MalformedAnswer;
            }
        }
        cause = current.source();
    }
    Reason::ServiceUnreachable
}

/// Whether the connection stood and ended before anything of an answer came.
fn broke_unanswered(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        let http = current.downcast_ref::<hyper::Error>();
        if http.is_some_and(|http| http.is_incomplete_message() || http.is_canceled()) {
            return !error.is_connect();
        }
        cause = current.source();
    }
    false
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
