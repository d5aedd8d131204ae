//! The connections of one kind of requests: made when they are needed, and kept for a while if they may be.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::http::response::Parts;
use hyper::{Method, Request, StatusCode};
use ringtrue_stir::Reason;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use url::{Position, Url};

use crate::connection::{Connector, Origin, Requests, reason_of};

/// How long an idle connection is kept: a call's polls and the next call within a conversation find it
/// warm. Shorter than services keep theirs, and than most networks remember a quiet connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Whether an idle connection may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// If there is one.
    Allowed,
    /// A new connection.
    Never,
}

/// Why there is no answer.
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    /// Whether the connection stood and ended before anything of an answer came.
    pub(crate) broke_unanswered: bool,
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            broke_unanswered: false,
        }
    }
}

/// Connections that share their settings, and are shared with nobody else.
pub(crate) struct Connections {
    connector: Connector,
    /// The most idle ones that are kept for an origin.
    idle_limit: usize,
    idle: Arc<Mutex<Idle>>,
}

#[derive(Default)]
struct Idle {
    kept: Vec<Kept>,
    /// What closes those whose time is up.
    watcher: Option<JoinHandle<()>>,
}

struct Kept {
    origin: Origin,
    since: Instant,
    requests: Requests,
}

impl Connections {
    pub(crate) fn new(connector: Connector, idle_limit: usize) -> Self {
        Self {
            connector,
            idle_limit,
            idle: Arc::default(),
        }
    }

    /// Sends `request`, which [`request`] made for `url`, and waits for the head of the answer.
    pub(crate) async fn send(
        &self,
        url: &Url,
        request: Request<Full<Bytes>>,
        reuse: Reuse,
    ) -> Result<Reply, Fault> {
        let origin = Origin::of(url)?;
        let kept = match reuse {
            Reuse::Allowed => self.take(&origin).await,
            Reuse::Never => None,
        };
        let mut requests = match kept {
            Some(requests) => requests,
            None => self.connector.connect(&origin).await?,
        };
        let response = requests
            .send_request(request)
            .await
            .map_err(|error| Fault {
                reason: reason_of(&error),
                broke_unanswered: error.is_incomplete_message() || error.is_canceled(),
            })?;
        let (head, body) = response.into_parts();
        Ok(Reply {
            head,
            body,
            kept: Kept {
                origin,
                since: Instant::now(),
                requests,
            },
            idle: Arc::clone(&self.idle),
            idle_limit: self.idle_limit,
        })
    }

    /// The connection to `origin` that was used last and is still good.
    async fn take(&self, origin: &Origin) -> Option<Requests> {
        loop {
            let mut kept = {
                let mut idle = lock(&self.idle);
                idle.forget_old();
                let place = idle.kept.iter().rposition(|kept| kept.origin == *origin)?;
                idle.kept.remove(place)
            };
            if kept.requests.ready().await.is_ok() {
                return Some(kept.requests);
            }
        }
    }
}

/// A request as every request of this crate is: its header fields and the same few for all.
///
/// # Errors
///
/// [`Reason::MalformedUrl`] for a path that cannot be sent.
pub(crate) fn request(
    method: Method,
    url: &Url,
    mut headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, Reason> {
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let host = HeaderValue::from_str(host).map_err(|_| Reason::MalformedUrl)?;
    headers.insert(HOST, host);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static(crate::USER_AGENT));
    let any = HeaderValue::from_static("*/*");
    headers.entry(ACCEPT).or_insert(any);
    let mut request = Request::builder()
        .method(method)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .body(Full::from(body))
        .map_err(|_| Reason::MalformedUrl)?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// An answer whose head is there.
pub(crate) struct Reply {
    head: Parts,
    body: Incoming,
    kept: Kept,
    idle: Arc<Mutex<Idle>>,
    idle_limit: usize,
}

impl Reply {
    pub(crate) fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Reads the body, and keeps the connection if it may be kept.
    ///
    /// # Errors
    ///
    /// [`Reason::AnswerTooLarge`] as soon as the announced or the received length is above `max_len`;
    /// what is wrong with the connection or with the form of the answer.
    pub(crate) async fn body(mut self, max_len: usize) -> Result<Vec<u8>, Reason> {
        let announced = self.body.size_hint().lower();
        if usize::try_from(announced).map_or(true, |announced| announced > max_len) {
            return Err(Reason::AnswerTooLarge);
        }
        let mut octets = Vec::new();
        while let Some(frame) = self.body.frame().await {
            // Trailers mean nothing in this protocol.
            let Ok(chunk) = frame.map_err(|error| reason_of(&error))?.into_data() else {
                continue;
            };
            if chunk.len() > max_len.saturating_sub(octets.len()) {
                return Err(Reason::AnswerTooLarge);
            }
            octets.extend_from_slice(&chunk);
        }
        self.kept.since = Instant::now();
        keep(&self.idle, self.kept, self.idle_limit);
        Ok(octets)
    }
}

/// Keeps a connection whose answer is read, unless there are enough already.
fn keep(idle: &Arc<Mutex<Idle>>, kept: Kept, limit: usize) {
    let mut state = lock(idle);
    state.forget_old();
    let same = state.kept.iter().filter(|one| one.origin == kept.origin);
    if kept.requests.is_closed() || same.count() >= limit {
        return;
    }
    state.kept.push(kept);
    // A watcher ends with the runtime that it was started in.
    if state.watcher.as_ref().is_none_or(JoinHandle::is_finished) {
        state.watcher = Some(tokio::spawn(watch(Arc::downgrade(idle))));
    }
}

/// Closes idle connections when their time is up, until there are none.
async fn watch(idle: Weak<Mutex<Idle>>) {
    loop {
        let rest = {
            let Some(idle) = idle.upgrade() else { return };
            let mut state = lock(&idle);
            state.forget_old();
            let Some(oldest) = state.kept.iter().map(|kept| kept.since).min() else {
                state.watcher = None;
                return;
            };
            IDLE_TIMEOUT.saturating_sub(oldest.elapsed())
        };
        tokio::time::sleep(rest).await;
    }
}

impl Idle {
    fn forget_old(&mut self) {
        self.kept
            .retain(|kept| kept.since.elapsed() < IDLE_TIMEOUT && !kept.requests.is_closed());
    }
}

/// The lock guards a list that is whole even if a holder panicked.
fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
