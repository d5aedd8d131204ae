//! What the service answers: from a request, through the pure parts, to an answer. No sockets.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use ringtrue_oob::http::placement::RetrieveForm;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::route::{ItemId, Route};
use ringtrue_oob::http::{HttpResponse, directory, health, placement};
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::admission::StoreAdmission;
use crate::clock::Clock;
use crate::config::SharedProvider;
use crate::directory::{Directory, PutRefusal};
use crate::directory_file::DirectoryFile;
use crate::mailbox::{PlacementCounts, PlacementStore};
use crate::metrics::{Metrics, RequestLabels};
use crate::rate::RateLimiter;
use crate::statement_check::check_statement;

/// What is read and thrown away of a body that is too large, so that its sender gets to see the answer.
const MAX_DISCARDED: usize = 1024 * 1024;

/// Numbers cleaned up in one go while the store is locked.
const SWEPT_AT_ONCE: usize = 64;

/// The client did not send its request in time, or broke it off: the connection ends without an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request did not arrive")
    }
}

impl std::error::Error for Cut {}

/// The state of a service.
pub(crate) struct App {
    pub(crate) prefix: String,
    pub(crate) anchors: TrustAnchors,
    pub(crate) profile: Profile,
    pub(crate) provider: SharedProvider,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) admission: StoreAdmission,
    pub(crate) metrics: Metrics,
    pub(crate) placement: Mutex<PlacementStore>,
    pub(crate) directory: Mutex<Directory>,
    pub(crate) directory_file: Option<DirectoryFile>,
    pub(crate) limiter: Mutex<RateLimiter>,
    pub(crate) limit_loopback: bool,
    pub(crate) body_timeout: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) draining: AtomicBool,
}

/// A lock that a panic elsewhere does not take away: each holder leaves the state whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    /// Answers one request and leaves a trace of it that names nobody.
    pub(crate) async fn handle<B>(
        &self,
        client: IpAddr,
        request: Request<B>,
    ) -> Result<Response<Full<Bytes>>, Cut>
    where
        B: Body + Unpin,
    {
        let start = Instant::now();
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let route = Route::decode(&self.prefix, parts.method.as_str(), path);
        let template = template(&route, &self.prefix, path);
        let over_rate = match &route {
            Ok(Route::Health) => None,
            _ => self.over_rate(client),
        };
        let (answer, received) = match (&route, over_rate) {
            (_, Some(seconds)) => {
                let after = Duration::from_secs(seconds);
                (Problem::OverLimit.encode_with_retry_after(after), 0)
            }
            (Ok(Route::Health), None) => (health::encode_answer(!self.is_draining()), 0),
            (Ok(route), None) => self.answer(route, &parts.headers, body).await?,
            (Err(problem @ Problem::MethodNotAllowed), None) => {
                let allowed = Route::allowed(&self.prefix, path).unwrap_or("GET");
                (problem.encode().with_header("allow", allowed), 0)
            }
            (Err(problem), None) => (problem.encode(), 0),
        };
        let method = method_label(&parts.method);
        self.note(method, template, &answer, received, start);
        Ok(http_response(answer))
    }

    async fn answer<B>(
        &self,
        route: &Route,
        headers: &HeaderMap,
        body: B,
    ) -> Result<(HttpResponse, usize), Cut>
    where
        B: Body + Unpin,
    {
        let accept = accept_header(headers);
        let accept = accept.as_deref();
        let content_type = headers
            .get(hyper::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let max_len = route.max_body_len();
        let body = if max_len == 0 {
            Some(Vec::new())
        } else {
            tokio::time::timeout(self.body_timeout, read_body(body, max_len))
                .await
                .map_err(|_| Cut)??
        };
        let Some(body) = body else {
            return Ok((Problem::BodyTooLarge.encode(), max_len));
        };
        let answer = match route {
            Route::Store { number } => self.store(number, content_type, &body),
            Route::Retrieve { number } => self.retrieve(number, accept),
            Route::Item { number, id } => self.item(number, id, accept),
            Route::Publish { number } => self.publish(number, content_type, &body).await,
            Route::Lookup { number } => self.lookup(number, accept),
            _ => Err(Problem::NotFound.encode()),
        };
        Ok((answer.unwrap_or_else(|refusal| refusal), body.len()))
    }

    fn store(
        &self,
        number: &TelephoneNumber,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<HttpResponse, HttpResponse> {
        let blobs = placement::decode_store(content_type, body).map_err(Problem::encode)?;
        self.admission.admit(number, &blobs)?;
        let count = u64::try_from(blobs.len()).unwrap_or_default();
        let now_ms = self.clock.steady_ms();
        let stored = lock(&self.placement).store(number, blobs, now_ms);
        match stored {
            Ok(ids) => {
                self.metrics.stores.inc();
                self.metrics.blobs_stored.inc_by(count);
                Ok(placement::encode_stored(&self.prefix, number, &ids))
            }
            Err(Reason::MalformedBlob) => Err(Problem::MalformedBlob.encode()),
            Err(_) => Err(Problem::Unavailable.encode_with_retry_after(self.lifetime)),
        }
    }

    fn retrieve(
        &self,
        number: &TelephoneNumber,
        accept: Option<&str>,
    ) -> Result<HttpResponse, HttpResponse> {
        let form = placement::decode_retrieve(accept).map_err(Problem::encode)?;
        let view = lock(&self.placement)
            .view(number, self.clock.steady_ms())
            .map_err(unavailable)?;
        let answer = match form {
            RetrieveForm::References => {
                let ids: Vec<ItemId> = view.ids().collect();
                placement::encode_references(&self.prefix, number, &ids)
            }
            RetrieveForm::Blobs => {
                let items = view.items(&*self.provider.0).map_err(unavailable)?;
                let blobs: Vec<_> = items.into_iter().map(|(_, blob)| blob).collect();
                placement::encode_blobs(&blobs)
            }
        };
        self.metrics.retrievals.inc();
        Ok(answer)
    }

    fn item(
        &self,
        number: &TelephoneNumber,
        id: &ItemId,
        accept: Option<&str>,
    ) -> Result<HttpResponse, HttpResponse> {
        placement::decode_item_request(accept).map_err(Problem::encode)?;
        self.metrics.item_reads.inc();
        let now_ms = self.clock.steady_ms();
        let live = lock(&self.placement).item(number, id, now_ms);
        let live = live.ok_or_else(|| Problem::NotFound.encode())?;
        let blob = live.blob(&*self.provider.0).map_err(unavailable)?;
        Ok(placement::encode_item(&self.prefix, number, &blob))
    }

    async fn publish(
        &self,
        number: &TelephoneNumber,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<HttpResponse, HttpResponse> {
        let text = directory::decode_publish(content_type, body).map_err(Problem::encode)?;
        let now = self.now();
        let statement = check_statement(
            &*self.provider.0,
            text,
            &self.anchors,
            now,
            number,
            self.profile,
        )
        .map_err(Problem::encode)?;
        let (put, served, change) = {
            let mut directory = lock(&self.directory);
            (
                directory.put(number, statement, now),
                directory.served(number, now),
                directory.changes(),
            )
        };
        match put {
            Ok(()) => {}
            Err(PutRefusal::Superseded) => return Err(Problem::SupersededStatement.encode()),
            Err(PutRefusal::Full) => return Err(Problem::Unavailable.encode()),
        }
        self.serve(number, &served);
        if let Some(file) = &self.directory_file {
            // Published means: known after a restart, too.
            file.save(change, || lock(&self.directory).snapshot())
                .await
                .map_err(unavailable)?;
        }
        self.metrics.publications.inc();
        Ok(directory::encode_published())
    }

    fn lookup(
        &self,
        number: &TelephoneNumber,
        accept: Option<&str>,
    ) -> Result<HttpResponse, HttpResponse> {
        directory::decode_lookup(accept).map_err(Problem::encode)?;
        self.metrics.lookups.inc();
        let directory = lock(&self.directory);
        let live = directory.live(number, self.now());
        let texts: Vec<&str> = live
            .iter()
            .map(|statement| statement.text.as_str())
            .collect();
        Ok(directory::encode_statements(&texts))
    }

    /// Tells the mailbox for which keys a number is served, now and as far as it is known.
    fn serve(&self, number: &TelephoneNumber, served: &[(UnixTime, crate::ServedKeys)]) {
        let (wall, steady) = (self.clock.wall_ms(), self.clock.steady_ms());
        let steps: Vec<_> = served
            .iter()
            .map(|(at, keys)| {
                let ahead = at.as_secs().saturating_mul(1000).saturating_sub(wall);
                (steady.saturating_add(ahead), *keys)
            })
            .collect();
        lock(&self.placement).serve(number, &steps, steady);
    }

    /// Serves every number of the directory for its keys; after a restart.
    pub(crate) fn serve_all(&self) {
        let now = self.now();
        let all: Vec<_> = {
            let directory = lock(&self.directory);
            directory
                .numbers()
                .map(|number| (number.clone(), directory.served(number, now)))
                .collect()
        };
        for (number, served) in all {
            self.serve(&number, &served);
        }
    }

    /// Frees the memory of what has aged out.
    pub(crate) async fn sweep(&self) {
        let now_ms = self.clock.steady_ms();
        while lock(&self.placement).sweep(now_ms, SWEPT_AT_ONCE) {
            tokio::task::yield_now().await;
        }
        lock(&self.directory).forget_ended(self.now());
    }

    pub(crate) fn placement_counts(&self) -> PlacementCounts {
        lock(&self.placement).counts()
    }

    pub(crate) fn statement_count(&self) -> usize {
        lock(&self.directory).len()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn limits_apply(&self, client: IpAddr) -> bool {
        self.limit_loopback || !client.to_canonical().is_loopback()
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.clock.wall_ms() / 1000)
    }

    /// Counts the request; the seconds to wait if it is one too many.
    fn over_rate(&self, client: IpAddr) -> Option<u64> {
        if !self.limits_apply(client) {
            return None;
        }
        lock(&self.limiter)
            .check(client, self.clock.steady_ms())
            .err()
    }

    /// Counts and logs a request: what kind, how it went, how long it took. Never for whom.
    fn note(
        &self,
        method: &'static str,
        route: &'static str,
        answer: &HttpResponse,
        received: usize,
        start: Instant,
    ) {
        let labels = RequestLabels {
            method,
            route,
            status: answer.status,
        };
        self.metrics.requests.get_or_create(&labels).inc();
        if answer.status >= 400 {
            self.metrics.refusals.inc();
        }
        let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
        self.metrics.octets_received.inc_by(count(received));
        self.metrics.octets_sent.inc_by(count(answer.body.len()));
        tracing::info!(
            method,
            route,
            status = answer.status,
            duration_us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
            octets_received = received,
            octets_sent = answer.body.len(),
            "request"
        );
    }
}

/// The name of a route in logs and metrics.
fn template(route: &Result<Route, Problem>, prefix: &str, path: &str) -> &'static str {
    match route {
        Ok(Route::Health) => "/health",
        Ok(Route::Item { .. }) => "/cps/{number}/ppts/{id}",
        Ok(Route::Store { .. } | Route::Retrieve { .. }) => "/cps/{number}/ppts",
        Ok(Route::Lookup { .. } | Route::Publish { .. }) => "/keys/{number}",
        Err(Problem::MalformedNumber | Problem::MethodNotAllowed)
            if Route::allowed(prefix, path).is_some() =>
        {
            match Route::allowed(prefix, path) {
                Some("GET, PUT") => "/keys/{number}",
                Some("GET, POST") => "/cps/{number}/ppts",
                _ => "other",
            }
        }
        _ => "other",
    }
}

/// Methods that nobody defined are one label: a client must not be able to grow the metrics.
fn method_label(method: &hyper::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// The body, or `None` if it is longer than `max_len`.
async fn read_body<B>(mut body: B, max_len: usize) -> Result<Option<Vec<u8>>, Cut>
where
    B: Body + Unpin,
{
    let mut octets = Vec::new();
    let mut len = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(|_| Cut)?.into_data() else {
            continue;
        };
        len = len.saturating_add(bytes::Buf::remaining(&data));
        if len > max_len.saturating_add(MAX_DISCARDED) {
            break;
        }
        if len > max_len {
            octets = Vec::new();
            continue;
        }
        octets.extend_from_slice(&bytes::Buf::copy_to_bytes(
            &mut data,
            len.saturating_sub(octets.len()),
        ));
    }
    Ok((len <= max_len).then_some(octets))
}

/// All `Accept` headers as one (RFC 9110 section 5.3); what is not text names no supported type.
fn accept_header(headers: &HeaderMap) -> Option<String> {
    let values: Vec<&str> = headers
        .get_all(hyper::header::ACCEPT)
        .iter()
        .map(|value| value.to_str().unwrap_or("invalid"))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn unavailable(reason: Reason) -> HttpResponse {
    tracing::error!(reason = reason.name(), "request could not be served");
    Problem::Unavailable.encode()
}

fn http_response(answer: HttpResponse) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
