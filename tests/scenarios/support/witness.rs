//! What a party really received: a TLS server in front of it that writes down every octet of every
//! request, the address it came from, and every answer, and that can misbehave on the way.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringtrue::{HttpRequest, HttpResponse, Method};
use ringtrue_lab::TlsIdentity;
use ringtrue_net::{HttpClient, Role, server_config};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A request as it came, and the answer as it went.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Where the connection came from.
    pub(crate) from: IpAddr,
    /// Which connection it was, in the order in which they came.
    pub(crate) connection: usize,
    /// Request line and fields, as received.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Status, fields and content of the answer; `None` if none was given.
    pub(crate) answer: Option<HttpResponse>,
}

impl Seen {
    /// Method and target.
    pub(crate) fn line(&self) -> (&str, &str) {
        let mut words = self.head.split(' ');
        (words.next().unwrap(), words.next().unwrap())
    }

    /// The names of the fields, in lower case, in order.
    pub(crate) fn fields(&self) -> Vec<String> {
        let lines = self.head.lines().skip(1).filter(|line| !line.is_empty());
        lines
            .map(|line| line.split(':').next().unwrap().to_ascii_lowercase())
            .collect()
    }

    /// Whether these octets stand anywhere in what was received.
    pub(crate) fn shows(&self, octets: &[u8]) -> bool {
        let within = |all: &[u8]| all.windows(octets.len()).any(|part| part == octets);
        within(self.head.as_bytes()) || within(&self.body)
    }
}

/// What happens to a request on its way.
pub(crate) enum Fault {
    /// It gets no answer, and does not go on.
    Drop,
    /// It goes on after this time.
    Delay(Duration),
    /// It goes on twice; the second answer is given.
    Replay,
    /// It goes on when this says so.
    Hold(oneshot::Receiver<()>),
    /// It goes on, and its answer when this says so.
    HoldAnswer(oneshot::Receiver<()>),
    /// It goes on, and its answer is changed.
    Answer(Box<dyn FnOnce(HttpResponse) -> HttpResponse + Send>),
}

/// Decides what happens to a request.
pub(crate) type Decide = Box<dyn FnMut(&Seen) -> Option<Fault> + Send>;

struct Shared {
    seen: Mutex<Vec<Seen>>,
    decide: Mutex<Option<Decide>>,
    upstream: Mutex<Option<(HttpClient, String)>>,
}

/// The recording server. Ends when dropped.
pub(crate) struct Witness {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Witness {
    pub(crate) async fn start(tls: &TlsIdentity) -> Self {
        let config = server_config(&tls.chain_pem, &tls.key_pem).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            decide: Mutex::default(),
            upstream: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            let mut count = 0;
            while let Ok((stream, from)) = listener.accept().await {
                count += 1;
                let (acceptor, shared) = (acceptor.clone(), Arc::clone(&serving));
                tokio::spawn(serve(shared, acceptor, stream, from.ip(), count));
            }
        });
        Self {
            shared,
            address,
            accepting,
        }
    }

    /// Stands in front of the party at `base` from now on.
    pub(crate) fn lead_to(&self, client: HttpClient, base: &str) {
        *self.shared.upstream.lock().unwrap() = Some((client, base.to_owned()));
    }

    /// The base URL by address.
    pub(crate) fn base(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The name by which a relay knows a gateway here.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    /// Everything that came so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.shared.seen.lock().unwrap().clear();
    }

    /// Lets `decide` meddle from now on.
    pub(crate) fn meddle(&self, decide: impl FnMut(&Seen) -> Option<Fault> + Send + 'static) {
        *self.shared.decide.lock().unwrap() = Some(Box::new(decide));
    }

    /// Lets everything pass again.
    pub(crate) fn heal(&self) {
        *self.shared.decide.lock().unwrap() = None;
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    shared: Arc<Shared>,
    acceptor: TlsAcceptor,
    stream: TcpStream,
    from: IpAddr,
    connection: usize,
) -> Option<()> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    loop {
        let (head, body) = read_request(&mut stream).await?;
        let seen = Seen {
            from,
            connection,
            head,
            body,
            answer: None,
        };
        let index = {
            let mut all = shared.seen.lock().unwrap();
            all.push(seen.clone());
            all.len() - 1
        };
        let decided = shared.decide.lock().unwrap().as_mut().map(|d| d(&seen));
        let mut held = None;
        let mut change: Option<Box<dyn FnOnce(HttpResponse) -> HttpResponse + Send>> = None;
        match decided.flatten() {
            None => {}
            Some(Fault::Drop) => std::future::pending().await,
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::Replay) => {
                forward(&shared, &seen).await;
            }
            Some(Fault::Hold(until)) => drop(until.await),
            Some(Fault::HoldAnswer(until)) => held = Some(until),
            Some(Fault::Answer(changing)) => change = Some(changing),
        }
        let mut answer = forward(&shared, &seen).await?;
        if let Some(until) = held {
            let _ = until.await;
        }
        if let Some(change) = change {
            answer = change(answer);
        }
        if let Some(seen) = shared.seen.lock().unwrap().get_mut(index) {
            seen.answer = Some(answer.clone());
        }
        stream.write_all(&octets(&answer)).await.ok()?;
        stream.flush().await.ok()?;
    }
}

async fn read_request(stream: &mut TlsStream<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let len = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; len];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, body))
}

async fn forward(shared: &Shared, seen: &Seen) -> Option<HttpResponse> {
    let (client, base) = shared.upstream.lock().unwrap().clone()?;
    let (method, target) = seen.line();
    let wanted = ["accept", "content-type", "authorization"];
    let headers = seen
        .head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .filter(|(name, _)| wanted.contains(&name.as_str()) || name.starts_with("stir-oob"))
        .collect();
    let request = HttpRequest {
        method: Method::from_name(method)?,
        url: format!("{base}{target}"),
        headers,
        body: seen.body.clone(),
    };
    client.execute(Role::Store, request, 4 << 20).await.ok()
}

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
