//! One client of the socket.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::Reason;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Code;
use crate::calls::{Call, Owner};
use crate::desk::{Desk, Done};
use crate::lines::{Line, Lines};
use crate::method::Method;
use crate::report::CallReport;
use crate::request::{Id, MAX_LINE_OCTETS, Refusal, Request, VERSION};

/// The most requests of one client that are under way.
const MAX_UNDER_WAY: usize = 16;

/// The most responses and events that wait for a client to read them.
const MAX_WAITING: usize = 64;

/// How long a client may take for one line, and how long it may leave one unread.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long requests that are under way have when the daemon ends.
pub(crate) const DRAIN: Duration = Duration::from_secs(5);

/// How often a client that sends no more is looked at, whether it still reads.
const LOOK: Duration = Duration::from_millis(200);

/// The line with which a request was refused.
pub(crate) fn refusal(id: &Id, code: Code) -> String {
    line(&json!({"id": Value::from(id), "error": code.name()}))
}

fn line(value: &Value) -> String {
    let mut text = value.to_string();
    text.push('\n');
    text
}

/// The client does not read what it is sent.
struct TooSlow;

/// What a task of a connection came to.
enum Ended {
    /// A request, with the call that is to be followed from now on.
    Request(Option<String>),
    /// What was followed is over.
    Follow,
    /// The client reads too slowly.
    TooSlow,
}

/// Serves one client until it goes, or the daemon ends.
pub(crate) async fn serve(stream: UnixStream, desk: Arc<Desk>, client: u64) {
    let (read, write) = stream.into_split();
    let (outbox, waiting) = channel(MAX_WAITING);
    let writer = tokio::spawn(write_lines(write, waiting));
    let connection = Connection {
        desk: Arc::clone(&desk),
        client,
        outbox,
    };
    connection.run(read).await;
    desk.calls.release(client);
    drop(connection);
    // It ends when everything is written, or cannot be.
    let _ = writer.await;
}

async fn write_lines(mut write: OwnedWriteHalf, mut waiting: Receiver<String>) {
    while let Some(line) = waiting.recv().await {
        match timeout(PATIENCE, write.write_all(line.as_bytes())).await {
            Ok(Ok(())) => {}
            // Gone, or not reading.
            _ => return,
        }
    }
}

struct Connection {
    desk: Arc<Desk>,
    client: u64,
    outbox: Sender<String>,
}

impl Connection {
    async fn run(&self, read: OwnedReadHalf) {
        let mut lines = Lines::new(read, MAX_LINE_OCTETS, PATIENCE);
        let hello = json!({"event": "hello", "version": VERSION});
        let _ = self.outbox.try_send(line(&hello));
        let mut requests = JoinSet::new();
        let mut follows = JoinSet::new();
        let mut reads = true;
        loop {
            if !reads && requests.is_empty() {
                return;
            }
            tokio::select! {
                biased;
                () = self.desk.stopped() => break,
                () = self.outbox.closed() => return,
                Some(ended) = requests.join_next(), if !requests.is_empty() => match ended {
                    Ok(Ended::Request(call)) => {
                        if let Some(found) = call.and_then(|name| self.found(name)) {
                            follows.spawn(follow(found, self.outbox.clone()));
                        }
                    }
                    Ok(Ended::TooSlow) => return self.give_up(Code::TooSlow),
                    _ => {}
                },
                Some(ended) = follows.join_next(), if !follows.is_empty() => {
                    if matches!(ended, Ok(Ended::TooSlow)) {
                        return self.give_up(Code::TooSlow);
                    }
                }
                read = lines.next(), if reads => match read {
                    Line::Text(text) if text.is_empty() => {}
                    Line::Text(text) => {
                        if self.begin(&text, &mut requests).is_err() {
                            return self.give_up(Code::TooSlow);
                        }
                    }
                    Line::End => reads = false,
                    Line::TooLong => return self.give_up(Reason::TooLong.into()),
                    Line::TooSlow => return self.give_up(Code::TooSlow),
                },
                // A client that sends no more may still wait for responses, or be gone.
                () = sleep(LOOK), if !reads => {
                    let socket: &UnixStream = lines.inner().as_ref();
                    let state = socket.ready(Interest::WRITABLE).await;
                    if state.is_ok_and(|state| state.is_write_closed()) {
                        return;
                    }
                }
            }
        }
        // Requests end by themselves until then, with a code of their own.
        while requests.join_next().await.is_some() {}
        let _ = self.outbox.try_send(line(&json!({"event": "shutdown"})));
    }

    /// Begins what a line asks for.
    fn begin(&self, text: &[u8], requests: &mut JoinSet<Ended>) -> Result<(), TooSlow> {
        let request = match Request::parse(text) {
            Ok(request) => request,
            Err(Refusal { id, code }) => return self.refuse(&id, code),
        };
        if requests.len() >= MAX_UNDER_WAY {
            return self.refuse(&request.id, Code::TooManyRequests);
        }
        let (desk, outbox) = (Arc::clone(&self.desk), self.outbox.clone());
        requests.spawn(perform(desk, request, Owner::Client(self.client), outbox));
        Ok(())
    }

    fn refuse(&self, id: &Id, code: Code) -> Result<(), TooSlow> {
        self.desk.record.refused();
        self.outbox.try_send(refusal(id, code)).map_err(|_| TooSlow)
    }

    /// Ends the connection, and says why where that can be said.
    fn give_up(&self, code: Code) {
        tracing::info!(code = code.name(), "client given up");
        let _ = self.refuse(&Id::None, code);
    }

    /// A call with its name, to be followed; none if it has ended meanwhile.
    fn found(&self, name: String) -> Option<(String, Call)> {
        let call = self.desk.calls.find(&name).ok()?;
        Some((name, call))
    }
}

async fn perform(desk: Arc<Desk>, request: Request, owner: Owner, outbox: Sender<String>) -> Ended {
    let Request { id, method } = request;
    let is_shutdown = method == Method::Shutdown;
    let result = tokio::select! {
        biased;
        result = desk.perform(method, owner) => result,
        () = drained(&desk) => Err(Code::ShuttingDown),
    };
    let (text, call) = match &result {
        Ok(done) => {
            let text = line(&json!({"id": Value::from(&id), "result": done.value()}));
            let call = match done {
                Done::Began(call) => call.call.clone(),
                _ => None,
            };
            (text, call)
        }
        Err(code) => {
            desk.record.refused();
            (refusal(&id, *code), None)
        }
    };
    if outbox.try_send(text).is_err() {
        return Ended::TooSlow;
    }
    if is_shutdown {
        desk.stop();
    }
    Ended::Request(call)
}

/// Waits until the daemon has been ending for as long as requests may still take.
pub(crate) async fn drained(desk: &Desk) {
    desk.stopped().await;
    sleep(DRAIN).await;
}

/// Tells every change of a verdict, and when there can be none any more.
async fn follow((name, mut call): (String, Call), outbox: Sender<String>) -> Ended {
    let started = tokio::time::Instant::now();
    while let Some(verdict) = call.changed().await {
        let report = CallReport::of(&verdict, started.elapsed());
        let mut event = serde_json::to_value(&report).unwrap_or_default();
        if let Value::Object(members) = &mut event {
            members.insert("event".to_owned(), "verdict".into());
            members.insert("call".to_owned(), name.as_str().into());
        }
        if outbox.try_send(line(&event)).is_err() {
            return Ended::TooSlow;
        }
    }
    let last = json!({"event": "settled", "call": name});
    if outbox.try_send(line(&last)).is_err() {
        return Ended::TooSlow;
    }
    Ended::Follow
}
