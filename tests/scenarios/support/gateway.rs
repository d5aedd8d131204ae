//! The service as endpoints see it: real TLS in front of the real service, and every fault on demand.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringtrue::{HttpRequest, HttpResponse, Method, UnixTime};
use ringtrue_lab::TlsIdentity;
use ringtrue_net::{HttpClient, ReloadableCertificate, Role, reloadable_server_config};
use ringtrue_stir::sip::date::format_date;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The send buffer of the service's sockets, so that what it got rid of was wanted by the client or
/// fits the client's receive buffer.
const SEND_BUFFER: u32 = 65_536;

/// The time between two octets of a service that drips.
const DRIP: Duration = Duration::from_millis(5);

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Lookup,
    Publish,
    Retrieve,
    Store,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Lookup, Self::Publish, Self::Retrieve, Self::Store];

    fn of(method: &str, target: &str) -> Self {
        match (method, target.starts_with("/keys/")) {
            ("GET", true) => Self::Lookup,
            ("PUT", true) => Self::Publish,
            ("POST", false) => Self::Store,
            _ => Self::Retrieve,
        }
    }

    const fn role(self) -> Role {
        match self {
            Self::Lookup => Role::Lookup,
            Self::Publish => Role::Publish,
            Self::Retrieve => Role::Retrieve,
            Self::Store => Role::Store,
        }
    }
}

/// What the gateway does with a request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Lets the real service answer.
    Pass,
    /// Takes the request and never answers.
    Silent,
    /// Sends these octets and closes.
    Raw(Vec<u8>),
    /// Sends these octets one by one, the last ones again and again.
    Drip(Vec<u8>),
    /// Sends the head, then the chunk until the client hangs up.
    Flood { head: Vec<u8>, chunk: Vec<u8> },
    /// Answers by itself.
    Answer(Arc<dyn Fn(&Exchange) -> HttpResponse + Send + Sync>),
}

/// What the service's answers say about the time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dates {
    /// What the real service says.
    Honest,
    /// Nothing.
    Absent,
    /// A time so many seconds ahead.
    Ahead(i64),
    /// To those who store a time so many seconds ahead; to those who retrieve the true one.
    AheadForStores(i64),
}

impl Dates {
    fn apply(self, kind: Kind, answer: &mut HttpResponse) {
        let ahead = match self {
            Self::Honest => return,
            Self::Absent => None,
            Self::Ahead(seconds) => Some(seconds),
            Self::AheadForStores(seconds) if kind == Kind::Store => Some(seconds),
            Self::AheadForStores(_) => return,
        };
        answer.headers.retain(|(name, _)| name != "date");
        if let Some(seconds) = ahead {
            let shown = super::now().as_secs().checked_add_signed(seconds).unwrap();
            let date = format_date(UnixTime::from_secs(shown)).unwrap();
            answer.headers.push(("date".to_owned(), date));
        }
    }
}

/// A request that came, and the answer of the real service to it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) kind: Kind,
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
    /// Names in lower case.
    pub(crate) headers: Headers,
    /// Status and body, once there is an answer of the real service or of [`Behaviour::Answer`].
    pub(crate) answer: Option<(u16, Vec<u8>)>,
}

struct State {
    behaviours: Mutex<HashMap<Kind, Behaviour>>,
    exchanges: Mutex<Vec<Exchange>>,
    /// Counts requests that came and answers that there are.
    news: watch::Sender<usize>,
    connections: AtomicUsize,
    flooded: watch::Sender<Option<u64>>,
    is_plain: AtomicBool,
    dates: Mutex<Dates>,
    upstream: Option<(HttpClient, String)>,
}

/// A TLS service on loopback whose behaviour can be changed while it runs.
pub(crate) struct Gateway {
    state: Arc<State>,
    address: SocketAddr,
    certificate: Arc<ReloadableCertificate>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Gateway {
    /// In front of `upstream` (a client for it and its base URL), or alone.
    pub(crate) fn start(tls: &TlsIdentity, upstream: Option<(HttpClient, String)>) -> Self {
        let certificate = ReloadableCertificate::from_pem(&tls.chain_pem, &tls.key_pem).unwrap();
        let (listener, address) = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let gateway = Self {
            state: Arc::new(State {
                behaviours: Mutex::default(),
                exchanges: Mutex::default(),
                news: watch::channel(0).0,
                connections: AtomicUsize::new(0),
                flooded: watch::channel(None).0,
                is_plain: AtomicBool::new(false),
                dates: Mutex::new(Dates::Honest),
                upstream,
            }),
            address,
            certificate: Arc::new(certificate),
            accepting: Mutex::default(),
        };
        gateway.accept(listener);
        gateway
    }

    fn accept(&self, listener: TcpListener) {
        let config = reloadable_server_config(Arc::clone(&self.certificate)).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let state = Arc::clone(&self.state);
        let task = tokio::spawn(async move {
            // Dropped with this task, and every connection with it.
            let mut connections = JoinSet::new();
            loop {
                // A connection that came to nothing is no reason to stop listening.
                let Ok((stream, _)) = listener.accept().await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                state.connections.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(Arc::clone(&state), acceptor.clone(), stream));
            }
        });
        *self.accepting.lock().unwrap() = Some(task);
    }

    /// The base URL by address.
    pub(crate) fn base(&self) -> String {
        format!("https://{}", self.address)
    }

    /// `host:port`, as a content names the service.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    pub(crate) const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Behaves like this towards one kind of request from now on.
    pub(crate) fn set(&self, kind: Kind, behaviour: Behaviour) {
        let mut behaviours = self.state.behaviours.lock().unwrap();
        behaviours.insert(kind, behaviour);
    }

    /// Behaves like this towards every request from now on.
    pub(crate) fn set_all(&self, behaviour: &Behaviour) {
        for kind in Kind::ALL {
            self.set(kind, behaviour.clone());
        }
    }

    /// Shows this time in its answers from now on.
    pub(crate) fn show(&self, dates: Dates) {
        *self.state.dates.lock().unwrap() = dates;
    }

    /// Lets the real service answer everything again.
    pub(crate) fn heal(&self) {
        self.state.behaviours.lock().unwrap().clear();
    }

    /// Stops listening and breaks every connection.
    pub(crate) async fn go_down(&self) {
        let task = self.accepting.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }

    /// Listens again where it did.
    pub(crate) fn come_up(&self) {
        let (listener, _) = listen(self.address).unwrap();
        self.accept(listener);
    }

    /// Breaks every connection and shows another certificate from now on.
    pub(crate) async fn reidentify(&self, tls: &TlsIdentity) {
        self.go_down().await;
        self.certificate
            .replace(&tls.chain_pem, &tls.key_pem)
            .unwrap();
        self.come_up();
    }

    /// Breaks every connection and speaks HTTP without TLS, or with it, from now on.
    pub(crate) async fn speak_plainly(&self, is_plain: bool) {
        self.go_down().await;
        self.state.is_plain.store(is_plain, Ordering::SeqCst);
        self.come_up();
    }

    /// Everything that was asked so far.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.state.exchanges.lock().unwrap().clone()
    }

    /// Looks at everything that was asked when it is dropped.
    pub(crate) fn watch(&self, look: impl Fn(&[Exchange]) + Send + Sync + 'static) -> Watch {
        Watch {
            state: Arc::clone(&self.state),
            look: Box::new(look),
        }
    }

    /// How many requests of this kind came so far.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        let exchanges = self.state.exchanges.lock().unwrap();
        exchanges.iter().filter(|seen| seen.kind == kind).count()
    }

    /// How many connections were accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Waits until `count` requests of this kind have come in all.
    pub(crate) async fn until(&self, kind: Kind, count: usize) {
        let mut news = self.state.news.subscribe();
        super::ends(news.wait_for(|_| self.count(kind) >= count))
            .await
            .unwrap();
    }

    /// Waits until `count` requests of this kind have been answered in all. Only then has the service
    /// behind done what they asked for.
    pub(crate) async fn until_answered(&self, kind: Kind, count: usize) {
        let mut news = self.state.news.subscribe();
        let answered = || {
            let exchanges = self.state.exchanges.lock().unwrap();
            let done = |seen: &&Exchange| seen.kind == kind && seen.answer.is_some();
            exchanges.iter().filter(done).count()
        };
        super::ends(news.wait_for(|_| answered() >= count))
            .await
            .unwrap();
    }

    /// How many octets a flood got rid of before the client hung up.
    pub(crate) async fn flooded(&self) -> u64 {
        let mut flooded = self.state.flooded.subscribe();
        let octets = super::ends(flooded.wait_for(Option::is_some)).await;
        octets.unwrap().unwrap_or_default()
    }

    /// Forgets the last flood.
    pub(crate) fn forget_flood(&self) {
        self.state.flooded.send_replace(None);
    }
}

type Look = Box<dyn Fn(&[Exchange]) + Send + Sync>;

/// See [`Gateway::watch`].
pub(crate) struct Watch {
    state: Arc<State>,
    look: Look,
}

impl Drop for Watch {
    fn drop(&mut self) {
        // One failure is enough to say.
        if !std::thread::panicking() {
            let exchanges = self.state.exchanges.lock().unwrap().clone();
            (self.look)(&exchanges);
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(task) = self.accepting.lock().unwrap().take() {
            task.abort();
        }
    }
}

fn listen(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    let listener = socket.listen(128)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn serve(state: Arc<State>, acceptor: TlsAcceptor, mut stream: TcpStream) {
    if state.is_plain.load(Ordering::SeqCst) {
        // Read before it answers, and until the client hangs up: closing on unread octets resets the
        // connection, which is another fault.
        let mut octets = [0; 4096];
        let _ = stream.read(&mut octets).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        while stream.read(&mut octets).await.is_ok_and(|read| read > 0) {}
        return;
    }
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    while let Some((kind, method, mut exchange)) = read_request(&mut stream).await {
        let index = {
            let mut exchanges = state.exchanges.lock().unwrap();
            exchanges.push(exchange.clone());
            exchanges.len() - 1
        };
        state.news.send_modify(|count| *count += 1);
        let behaviour = state.behaviours.lock().unwrap().get(&kind).cloned();
        let mut answer = match behaviour.unwrap_or(Behaviour::Pass) {
            Behaviour::Pass => match forward(&state, kind, method, &exchange).await {
                Some(answer) => answer,
                // The service behind has ended, and so will this test.
                None => return,
            },
            Behaviour::Answer(answer) => answer(&exchange),
            fault => return misbehave(&state, &mut stream, fault).await,
        };
        state.dates.lock().unwrap().apply(kind, &mut answer);
        exchange.answer = Some((answer.status, answer.body.clone()));
        state.exchanges.lock().unwrap()[index] = exchange;
        state.news.send_modify(|count| *count += 1);
        if stream.write_all(&octets(&answer)).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn misbehave(state: &State, stream: &mut TlsStream<TcpStream>, fault: Behaviour) {
    match fault {
        Behaviour::Pass | Behaviour::Answer(_) => {}
        Behaviour::Silent => std::future::pending().await,
        Behaviour::Raw(octets) => {
            let _ = stream.write_all(&octets).await;
            let _ = stream.shutdown().await;
        }
        Behaviour::Drip(octets) => {
            let last = octets.last().copied().unwrap_or(b' ');
            for octet in octets.iter().copied().chain(std::iter::repeat(last)) {
                let sent = stream.write_all(&[octet]).await;
                if sent.is_err() || stream.flush().await.is_err() {
                    return;
                }
                tokio::time::sleep(DRIP).await;
            }
        }
        Behaviour::Flood { head, chunk } => {
            let mut sent = 0_u64;
            let mut next = head.as_slice();
            while stream.write_all(next).await.is_ok() && stream.flush().await.is_ok() {
                sent += next.len() as u64;
                next = chunk.as_slice();
            }
            state.flooded.send_replace(Some(sent));
        }
    }
}

pub(crate) type Headers = Vec<(String, String)>;

async fn read_request(stream: &mut TlsStream<TcpStream>) -> Option<(Kind, Method, Exchange)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?.to_owned());
    let headers: Headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let kind = Kind::of(method, &target);
    let exchange = Exchange {
        kind,
        target,
        body,
        headers,
        answer: None,
    };
    Some((kind, Method::from_name(method)?, exchange))
}

async fn forward(
    state: &State,
    kind: Kind,
    method: Method,
    exchange: &Exchange,
) -> Option<HttpResponse> {
    let (client, base) = state.upstream.as_ref().expect("a service behind");
    let request = HttpRequest {
        method,
        url: format!("{base}{}", exchange.target),
        headers: exchange
            .headers
            .iter()
            .filter(|(name, _)| name == "accept" || name == "content-type")
            .cloned()
            .collect(),
        body: exchange.body.clone(),
    };
    client.execute(kind.role(), request, 4 << 20).await.ok()
}

/// An answer as it is sent.
fn octets(answer: &HttpResponse) -> Vec<u8> {
    let mut octets = format!("HTTP/1.1 {} Status\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        if name != "content-length" && name != "transfer-encoding" {
            octets.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    if answer.status != 204 {
        octets.extend_from_slice(format!("content-length: {}\r\n", answer.body.len()).as_bytes());
    }
    octets.extend_from_slice(b"\r\n");
    octets.extend_from_slice(&answer.body);
    octets
}
