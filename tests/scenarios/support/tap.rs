//! What somebody sees who watches a connection: which TLS records go which way, and how long they are.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What TLS 1.3 adds to the content of a record: the content type and the tag (RFC 8446 section 5.2).
const RECORD_OVERHEAD: usize = 1 + 16;

/// The type of records whose content is encrypted (RFC 8446 section 5.1).
const APPLICATION_DATA: u8 = 23;

/// The length of an alert (RFC 8446 section 6): what a connection ends with is no part of an exchange.
const ALERT: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

/// One record of one connection.
#[derive(Clone, Copy, Debug)]
struct Record {
    connection: usize,
    way: Way,
    kind: u8,
    len: usize,
}

/// How many octets of content went there, and came back for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Exchange {
    pub(crate) request: usize,
    pub(crate) answer: usize,
}

/// Passes TCP connections on, octet by octet, and notes the records in them. Ends when dropped.
pub(crate) struct Tap {
    records: Arc<Mutex<Vec<Record>>>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Tap {
    /// On the way to `target`.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let records: Arc<Mutex<Vec<Record>>> = Arc::default();
        let noted = Arc::clone(&records);
        let accepting = tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((from, _)) = listener.accept().await {
                let Ok(to) = TcpStream::connect(target).await else {
                    continue;
                };
                connection += 1;
                let (from_read, from_write) = from.into_split();
                let (to_read, to_write) = to.into_split();
                for (way, read, write) in [
                    (Way::There, from_read, to_write),
                    (Way::Back, to_read, from_write),
                ] {
                    tokio::spawn(pass(Arc::clone(&noted), connection, way, read, write));
                }
            }
        });
        Self {
            records,
            address,
            accepting,
        }
    }

    /// The base URL of what is behind it.
    pub(crate) fn base(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where the notes end as of now.
    pub(crate) fn mark(&self) -> usize {
        self.records.lock().unwrap().len()
    }

    /// The requests that began after `mark`, each with its answer, but for the first of a connection:
    /// that comes with the handshake and with what the other side sends after it.
    pub(crate) fn exchanges(&self, mark: usize) -> Vec<Exchange> {
        let records = self.records.lock().unwrap().clone();
        let connections = records.iter().map(|record| record.connection).max();
        let mut exchanges = Vec::new();
        for connection in 1..=connections.unwrap_or_default() {
            // Request and answer take turns.
            let mut turns: Vec<(usize, Exchange)> = Vec::new();
            let mut last = Way::Back;
            for (at, record) in records.iter().enumerate() {
                let is_alert = record.len == RECORD_OVERHEAD + ALERT;
                if record.connection != connection || record.kind != APPLICATION_DATA || is_alert {
                    continue;
                }
                if record.way == Way::There && last == Way::Back {
                    let nothing = Exchange {
                        request: 0,
                        answer: 0,
                    };
                    turns.push((at, nothing));
                }
                last = record.way;
                // The server's side of the handshake comes before the client's first encrypted record.
                let Some((_, exchange)) = turns.last_mut() else {
                    continue;
                };
                let len = record.len - RECORD_OVERHEAD;
                match record.way {
                    Way::There => exchange.request += len,
                    Way::Back => exchange.answer += len,
                }
            }
            let later = turns.into_iter().skip(1).filter(|(at, _)| *at >= mark);
            exchanges.extend(later.map(|(_, exchange)| exchange));
        }
        exchanges
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Passes one way of a connection on, record by record.
async fn pass(
    records: Arc<Mutex<Vec<Record>>>,
    connection: usize,
    way: Way,
    mut read: OwnedReadHalf,
    mut write: OwnedWriteHalf,
) -> Option<()> {
    loop {
        let mut record = vec![0; 5];
        read.read_exact(&mut record).await.ok()?;
        let len = usize::from(u16::from_be_bytes([record[3], record[4]]));
        record.resize(5 + len, 0);
        read.read_exact(&mut record[5..]).await.ok()?;
        records.lock().unwrap().push(Record {
            connection,
            way,
            kind: record[0],
            len,
        });
        write.write_all(&record).await.ok()?;
    }
}
