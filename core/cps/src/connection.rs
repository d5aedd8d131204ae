//! Accepting connections: TLS, HTTP/1.1, and every limit that keeps one client from using up the
//! service.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::config::NetworkLimits;
use crate::http_message::Cut;
use crate::rate::network;
use ringtrue_oob::token::redemption::MAX_TOKENS;

use crate::write_timeout::WriteTimeout;

/// Octets of a request's line and header fields. Ours have a few hundred; a storage token adds less than
/// one KiB, and as many may come as one store can be worth.
const MAX_HEADER_LEN: usize = 1024 * (16 + MAX_TOKENS);

/// Header fields of a request.
const MAX_HEADERS: usize = 64;

/// The pause after the system refuses a connection for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What answers the requests that come over connections.
pub(crate) trait Answering: Send + Sync + 'static {
    /// Answers one request.
    fn handle(
        &self,
        client: IpAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Full<Bytes>>, Cut>> + Send;

    /// Whether the limits per client hold for this address.
    fn limits_apply(&self, client: IpAddr) -> bool;

    /// Where connections are counted.
    fn connections(&self) -> &ConnectionCounts;
}

/// Counts of connections.
#[derive(Debug, Default)]
pub(crate) struct ConnectionCounts {
    pub(crate) accepted: Counter,
    pub(crate) open: Gauge,
    pub(crate) handshake_failures: Counter,
}

/// Everything that connections share.
pub(crate) struct Server<A> {
    pub(crate) app: Arc<A>,
    pub(crate) tls: TlsAcceptor,
    pub(crate) limits: NetworkLimits,
    pub(crate) per_client: Mutex<HashMap<IpAddr, usize>>,
}

/// One of the connections that a client may have; given back on drop.
struct ClientSlot<A> {
    server: Arc<Server<A>>,
    client: IpAddr,
}

impl<A: Answering> ClientSlot<A> {
    fn take(server: &Arc<Server<A>>, client: IpAddr) -> Option<Self> {
        let client = network(client);
        let mut counts = server
            .per_client
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(client).or_default();
        let limited = server.app.limits_apply(client);
        if limited && *count >= server.limits.max_connections_per_client {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Self {
            server: Arc::clone(server),
            client,
        })
    }
}

impl<A> Drop for ClientSlot<A> {
    fn drop(&mut self) {
        let mut counts = self
            .server
            .per_client
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

/// Returns once `stop` is true or its sender is gone.
pub(crate) async fn until_stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Accepts connections until `stop` turns true or its sender is gone, then lets requests finish within
/// the drain time.
pub(crate) async fn accept_until_stopped<A: Answering>(
    server: Arc<Server<A>>,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(server.limits.max_connections));
    let graceful = GracefulShutdown::new();
    let mut tasks = JoinSet::new();
    loop {
        let next = async {
            // Room first: what waits in the system's queue costs nothing.
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = until_stopped(&mut stop) => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            next = next => next,
        };
        match (permit, accepted) {
            (Ok(permit), Ok((stream, client))) => {
                let server = Arc::clone(&server);
                tasks.spawn(serve(server, stream, client, permit, graceful.watcher()));
            }
            (_, Err(_)) => tokio::time::sleep(ACCEPT_PAUSE).await,
            (Err(_), _) => break,
        }
    }
    drop(listener);
    let drained = timeout(server.limits.drain_timeout, graceful.shutdown()).await;
    if drained.is_err() {
        tracing::warn!("requests were cut off at the end of the drain time");
    }
    tasks.shutdown().await;
}

async fn serve<A: Answering>(
    server: Arc<Server<A>>,
    stream: TcpStream,
    client: SocketAddr,
    _permit: OwnedSemaphorePermit,
    watcher: Watcher,
) {
    let client = client.ip();
    let Some(_slot) = ClientSlot::take(&server, client) else {
        return;
    };
    // Answers are written at once; waiting for more would only add delay.
    let _ = stream.set_nodelay(true);
    let counts = server.app.connections();
    let tls = match timeout(server.limits.handshake_timeout, server.tls.accept(stream)).await {
        Ok(Ok(tls)) => tls,
        Ok(Err(_)) | Err(_) => {
            counts.handshake_failures.inc();
            return;
        }
    };
    counts.accepted.inc();
    counts.open.inc();
    let app = Arc::clone(&server.app);
    let service = service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { app.handle(client, request).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(server.limits.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_LEN)
        .half_close(false)
        .serve_connection(
            TokioIo::new(WriteTimeout::new(tls, server.limits.answer_timeout)),
            service,
        );
    // What goes wrong here is the client's doing, and nothing of it may be logged.
    let _ = watcher.watch(connection).await;
    counts.open.dec();
}
