//! What the service answers: from a request, through the pure parts, to an answer. No sockets.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use ringtrue_oob::Blob;
use ringtrue_oob::http::placement::RetrieveForm;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::route::{ItemId, Route};
use ringtrue_oob::http::{HttpResponse, directory, health, media, placement};
use ringtrue_oob::ohttp::messages;
use ringtrue_oob::token::redemption::Redemption;
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::sip::date::format_date;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::clock::Clock;
use crate::config::SharedProvider;
use crate::connection::{Answering, ConnectionCounts};
use crate::directory::{Directory, PutRefusal};
use crate::directory_file::DirectoryFile;
use crate::gateway::Gateway;
use crate::mailbox::{PlacementCounts, PlacementStore};
use crate::metrics::{Metrics, RequestLabels};
use crate::rate::RateLimiter;
use crate::statement_check::check_statement;
use crate::tokens::TokenService;
use crate::tokens::issuer::{Issuer, Judge};
use crate::tokens::price::{price, units_of};
use crate::tokens::redemption::{Outcome, RedemptionDesk};

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
    pub(crate) tokens: Option<Arc<TokenService>>,
    pub(crate) metrics: Metrics,
    pub(crate) placement: Mutex<PlacementStore>,
    pub(crate) directory: Mutex<Directory>,
    pub(crate) directory_file: Option<DirectoryFile>,
    pub(crate) limiter: Mutex<RateLimiter>,
    pub(crate) gateway: Gateway,
    /// Addresses to which the limits per client do not apply: many clients are behind them.
    pub(crate) relays: Vec<IpAddr>,
    pub(crate) limit_loopback: bool,
    pub(crate) body_timeout: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) draining: AtomicBool,
}

/// A lock that a panic elsewhere does not take away: each holder leaves the state whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Answering for App {
    fn handle(
        &self,
        client: IpAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Full<Bytes>>, Cut>> + Send {
        self.handle_any(client, request)
    }

    fn limits_apply(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        !self.relays.contains(&client) && (self.limit_loopback || !client.is_loopback())
    }

    fn connections(&self) -> &ConnectionCounts {
        &self.metrics.connections
    }
}

impl App {
    /// Answers one request and leaves a trace of it that names nobody.
    async fn handle_any<B>(
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
        let route = self.route(parts.method.as_str(), path);
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

    pub(crate) async fn answer<B>(
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
        let redemptions = match (route, self.desk()) {
            (Route::Store { .. }, Some(desk)) => desk.read(header_pairs(headers), self.now()),
            _ => Ok(Vec::new()),
        };
        let redemptions = match redemptions {
            Ok(redemptions) => redemptions,
            Err(refusal) => {
                // Before any of the body is kept or looked at: this is what a flood costs.
                tokio::time::timeout(self.body_timeout, read_body(body, 0))
                    .await
                    .map_err(|_| Cut)??;
                self.metrics.token_refusals.inc();
                return Ok((refusal, 0));
            }
        };
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
            Route::Store { number } => self.store(number, content_type, &body, &redemptions),
            Route::Retrieve { number } => self.retrieve(number, accept),
            Route::Item { number, id } => self.item(number, id, accept),
            Route::Publish { number } => self.publish(number, content_type, &body).await,
            Route::Lookup { number } => self.lookup(number, accept),
            Route::IssuerDirectory => self.issuer_directory(accept),
            Route::TokenRequest => self.sign_token(headers, content_type, &body),
            Route::Gateway => self.oblivious(content_type, &body).await,
            Route::GatewayKeys => self.gateway_keys(accept),
            _ => Err(Problem::NotFound.encode()),
        };
        let answer = answer.unwrap_or_else(|refusal| refusal);
        Ok((self.dated(answer), body.len()))
    }

    /// With what this service's clock shows: the telephones of a call compare their times by it, also
    /// where the answer travels inside another and no server adds it
    /// (docs/protocol.md section 13.5).
    fn dated(&self, answer: HttpResponse) -> HttpResponse {
        match format_date(self.now()) {
            Ok(date) => answer.with_header("date", date),
            Err(_) => answer,
        }
    }

    fn store(
        &self,
        number: &TelephoneNumber,
        content_type: Option<&str>,
        body: &[u8],
        redemptions: &[Redemption],
    ) -> Result<HttpResponse, HttpResponse> {
        let blobs = placement::decode_store(content_type, body).map_err(Problem::encode);
        let now_ms = self.clock.steady_ms();
        let Some(desk) = self.desk() else {
            return self.store_blobs(number, blobs?, now_ms, None);
        };
        let paid = self.redeem(desk, number, blobs, redemptions, now_ms);
        if let Err(refusal) = &paid
            && refusal.status == Problem::TokenRejected.status()
        {
            self.metrics.token_refusals.inc();
        }
        paid
    }

    /// Stores for tokens: what the tokens say first, then the body, then whether they were spent, then
    /// the price, then the suites (docs/protocol.md section 19.1).
    fn redeem(
        &self,
        desk: &RedemptionDesk,
        number: &TelephoneNumber,
        blobs: Result<Vec<Blob>, HttpResponse>,
        redemptions: &[Redemption],
        now_ms: u64,
    ) -> Result<HttpResponse, HttpResponse> {
        let now = self.now();
        let blobs = match blobs {
            Ok(blobs) => blobs,
            Err(refusal) => {
                desk.check_tokens(redemptions, now)?;
                return Err(refusal);
            }
        };
        let tokens = desk.check(&*self.provider.0, number, &blobs, redemptions, now)?;
        desk.spend(&tokens, now_ms, |paid| {
            match self.store_blobs(number, blobs, now_ms, Some(paid)) {
                Ok(answer) => {
                    let spent = u64::try_from(paid).unwrap_or_default();
                    self.metrics.tokens_spent.inc_by(spent);
                    Outcome::Done(answer)
                }
                Err(refusal) => Outcome::NotDone(refusal),
            }
        })
    }

    /// Stores blobs, for the price if there is one. Price and store are one step: nobody comes between.
    fn store_blobs(
        &self,
        number: &TelephoneNumber,
        blobs: Vec<Blob>,
        now_ms: u64,
        paid: Option<usize>,
    ) -> Result<HttpResponse, HttpResponse> {
        let count = u64::try_from(blobs.len()).unwrap_or_default();
        let units = blobs.iter().map(units_of).sum();
        let stored = {
            let mut placement = lock(&self.placement);
            let price = price(placement.load(number, now_ms), units);
            let paid = paid.map(|paid| u32::try_from(paid).unwrap_or(u32::MAX));
            if paid.is_some_and(|paid| paid < price) {
                self.metrics.prices_named.inc();
                return Err(Problem::encode_price(price));
            }
            placement.store(number, blobs, now_ms)
        };
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

    fn issuer_directory(&self, accept: Option<&str>) -> Result<HttpResponse, HttpResponse> {
        self.issuer()
            .ok_or_else(|| Problem::NotFound.encode())?
            .directory(accept)
    }

    fn sign_token(
        &self,
        headers: &HeaderMap,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<HttpResponse, HttpResponse> {
        let issuer = self.issuer().ok_or_else(|| Problem::NotFound.encode())?;
        let judge = Judge {
            provider: &*self.provider.0,
            anchors: &self.anchors,
            rules: self.profile.into(),
            now: self.now(),
        };
        let authorization = headers
            .get(hyper::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let answer = issuer.sign(&judge, content_type, authorization, body)?;
        self.metrics.tokens_issued.inc();
        Ok(answer)
    }

    fn desk(&self) -> Option<&RedemptionDesk> {
        self.tokens.as_ref()?.desk()
    }

    fn issuer(&self) -> Option<&Issuer> {
        self.tokens.as_ref()?.issuer()
    }

    /// What the request line asks for. An issuer answers at the root, whatever the prefix of the rest:
    /// its name has no path (W-30). So does the gateway in front of it.
    pub(crate) fn route(&self, method: &str, path: &str) -> Result<Route, Problem> {
        match Route::decode(&self.prefix, method, path) {
            Err(Problem::NotFound) if self.issuer().is_some() => {
                match Route::decode("", method, path) {
                    Ok(
                        route @ (Route::IssuerDirectory
                        | Route::TokenRequest
                        | Route::Gateway
                        | Route::GatewayKeys),
                    ) => Ok(route),
                    _ => Err(Problem::NotFound),
                }
            }
            route => route,
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

    fn gateway_keys(&self, accept: Option<&str>) -> Result<HttpResponse, HttpResponse> {
        let wanted = media::negotiate(accept, &[media::OHTTP_KEYS]);
        wanted.ok_or_else(|| Problem::NotAcceptable.encode())?;
        Ok(messages::encode_keys(&self.gateway.configs()))
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
        if let Err(reason) = self.gateway.rotate(&*self.provider.0, self.now()) {
            tracing::error!(reason = reason.name(), "gateway keys not rotated");
        }
        if let Some(tokens) = &self.tokens {
            let (tokens, now) = (Arc::clone(tokens), self.now());
            // Files, and once a day a new key.
            let _ = tokio::task::spawn_blocking(move || tokens.tidy(now, now_ms)).await;
        }
    }

    pub(crate) fn placement_counts(&self) -> PlacementCounts {
        lock(&self.placement).counts()
    }

    pub(crate) fn statement_count(&self) -> usize {
        lock(&self.directory).len()
    }

    pub(crate) fn spent_count(&self) -> usize {
        self.desk().map_or(0, RedemptionDesk::spent_count)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
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
        Ok(Route::Gateway) => "/gateway",
        Ok(Route::GatewayKeys) => "/ohttp-keys",
        Ok(Route::IssuerDirectory) => "/.well-known/private-token-issuer-directory",
        Ok(Route::TokenRequest) => "/token-request",
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
pub(crate) async fn read_body<B>(mut body: B, max_len: usize) -> Result<Option<Vec<u8>>, Cut>
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

/// All headers that are text, in the order of the request as far as they have one name.
fn header_pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("invalid")))
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

pub(crate) fn http_response(answer: HttpResponse) -> Response<Full<Bytes>> {
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
