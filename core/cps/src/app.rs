//! What the service answers: from a request, through the pure parts, to an answer. No sockets.

mod labels;
mod storing;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, Response};
use ringtrue_oob::http::placement::RetrieveForm;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::route::{ItemId, Route};
use ringtrue_oob::http::{HttpResponse, directory, health, media, placement};
use ringtrue_oob::ohttp::messages;
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::sip::date::format_date;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use self::labels::{method_label, template};
use crate::clock::Clock;
use crate::config::SharedProvider;
use crate::connection::{Answering, ConnectionCounts};
use crate::directory::{Directory, PutRefusal};
use crate::directory_file::DirectoryFile;
use crate::gateway::Gateway;
use crate::http_message::{Cut, accept_header, header_pairs, http_response, read_body};
use crate::mailbox::{PlacementCounts, PlacementStore};
use crate::metrics::{Metrics, RequestLabels};
use crate::rate::RateLimiter;
use crate::statement_check::check_statement;
use crate::tokens::TokenService;
use crate::tokens::redemption::RedemptionDesk;

/// Numbers cleaned up in one go while the store is locked.
const SWEPT_AT_ONCE: usize = 64;

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

fn unavailable(reason: Reason) -> HttpResponse {
    tracing::error!(reason = reason.name(), "request could not be served");
    Problem::Unavailable.encode()
}
