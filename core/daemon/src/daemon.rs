//! The process: its sockets, its clients, its end.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ringtrue::Endpoint;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Code;
use crate::config::{DaemonConfig, SocketAccess};
use crate::connection::{DRAIN, refusal};
use crate::desk::Desk;
use crate::request::Id;
use crate::socket::ClaimedSocket;
use crate::{agi_connection, connection, service_manager, upkeep};

/// How long the end may take beyond what requests have: writing what is left.
const WIND_UP: Duration = Duration::from_secs(3);

/// How long after the system had no more sockets a new one is asked for.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// How long a client that is refused is waited for.
const REFUSING: Duration = Duration::from_millis(100);

/// A daemon that listens.
pub struct Daemon {
    desk: Arc<Desk>,
    socket: ClaimedSocket,
    agi: Option<TcpListener>,
    signals: Signals,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Daemon {
    /// Claims the socket and the port. Asks no service anything yet. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a configuration that does not go together
    /// ([`DaemonConfig::check`]); [`ErrorKind::AddrInUse`] if another process listens there;
    /// [`ErrorKind::AlreadyExists`] if something else than a socket is there; what the system says.
    pub async fn start(config: DaemonConfig, endpoint: Endpoint) -> Result<Self> {
        config
            .check()
            .map_err(|reason| Error::new(ErrorKind::InvalidInput, reason.describe()))?;
        let signals = Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        };
        let socket = ClaimedSocket::claim(&config.socket, &config.access)?;
        let agi = match &config.agi {
            Some(agi) => Some(TcpListener::bind(agi.listen).await?),
            None => None,
        };
        Ok(Self {
            desk: Desk::new(endpoint, config),
            socket,
            agi,
            signals,
        })
    }

    /// Where the socket is.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.desk.config.socket
    }

    /// Where FastAGI is.
    #[must_use]
    pub fn agi(&self) -> Option<SocketAddr> {
        self.agi.as_ref()?.local_addr().ok()
    }

    /// Serves until SIGTERM, SIGINT or the method `shutdown`; requests under way then have some seconds
    /// to end. SIGHUP changes nothing, and says so.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for cover traffic that is out of range; what the system says.
    pub async fn run(self) -> Result<()> {
        let Self {
            desk,
            socket,
            agi,
            mut signals,
        } = self;
        let upkeep = upkeep::begin(&desk)
            .map_err(|reason| Error::new(ErrorKind::InvalidInput, reason.describe()))?;
        let listener = UnixListener::from_std(socket.listener.try_clone()?)?;
        let owner = own_user()?;
        let mut clients = JoinSet::new();
        let mut next_client = 0_u64;
        let room = Arc::new(Semaphore::new(desk.config.connections));
        let agi_room = Arc::new(Semaphore::new(desk.config.connections));
        // Those that are told that there is no room are few, too.
        let refusals = Arc::new(Semaphore::new(desk.config.connections));
        service_manager::tell(service_manager::READY);
        tracing::info!("serving");
        loop {
            next_client = next_client.wrapping_add(1);
            tokio::select! {
                biased;
                () = desk.stopped() => break,
                _ = signals.terminate.recv() => break,
                _ = signals.interrupt.recv() => break,
                _ = signals.hangup.recv() => {
                    tracing::warn!("SIGHUP: nothing is read again; restart the daemon for that");
                }
                Some(_) = clients.join_next(), if !clients.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        desk.record.socket_client();
                        let admitted = admit(&stream, owner, &desk.config.access, &room);
                        match admitted {
                            Ok(place) => {
                                clients.spawn(socket_client(stream, Arc::clone(&desk), next_client, place));
                            }
                            Err(code) => refuse(stream, &desk, code).await,
                        }
                    }
                    Err(_) => sleep(EXHAUSTED).await,
                },
                accepted = accept(agi.as_ref()) => match accepted {
                    Ok((stream, peer)) => {
                        desk.record.agi_client();
                        let is_welcome = desk.config.agi.as_ref().is_some_and(|agi| agi.admits(peer.ip()));
                        let place = Arc::clone(&agi_room).try_acquire_owned();
                        let (refused, place) = match (is_welcome, place) {
                            (false, _) => (Some(Code::NotPermitted), None),
                            (true, Ok(place)) => (None, Some(place)),
                            (true, Err(_)) => (Some(Code::TooManyConnections), None),
                        };
                        let place = place.or_else(|| Arc::clone(&refusals).try_acquire_owned().ok());
                        if let Some(place) = place {
                            clients.spawn(agi_client(stream, Arc::clone(&desk), next_client, refused, place));
                        }
                    }
                    Err(_) => sleep(EXHAUSTED).await,
                },
            }
        }
        service_manager::tell(service_manager::STOPPING);
        tracing::info!("ending");
        // Nobody comes any more.
        drop((listener, agi, socket, upkeep));
        desk.stop();
        let all = async { while clients.join_next().await.is_some() {} };
        // Who does not read then is not waited for.
        let _ = timeout(DRAIN.saturating_add(WIND_UP), all).await;
        Ok(())
    }
}

async fn socket_client(
    stream: UnixStream,
    desk: Arc<Desk>,
    client: u64,
    _place: OwnedSemaphorePermit,
) {
    connection::serve(stream, desk, client).await;
}

async fn agi_client(
    stream: TcpStream,
    desk: Arc<Desk>,
    client: u64,
    refused: Option<Code>,
    _place: OwnedSemaphorePermit,
) {
    agi_connection::serve(stream, desk, client, refused).await;
}

async fn accept(listener: Option<&TcpListener>) -> Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// The user that the daemon runs as: who the kernel says is at the other end of a socket of its own.
fn own_user() -> Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}

/// Whether the user at the other end may use the socket, and whether there is room.
fn admit(
    stream: &UnixStream,
    owner: u32,
    access: &SocketAccess,
    room: &Arc<Semaphore>,
) -> core::result::Result<OwnedSemaphorePermit, Code> {
    const ROOT: u32 = 0;
    let peer = stream.peer_cred().map_err(|_| Code::NotPermitted)?.uid();
    let is_named = peer == owner || peer == ROOT || access.user_ids.contains(&peer);
    // Without a list the file system has let in whom it lets in.
    let is_group_open = access.group && access.user_ids.is_empty();
    if !(is_named || is_group_open) {
        return Err(Code::NotPermitted);
    }
    Arc::clone(room)
        .try_acquire_owned()
        .map_err(|_| Code::TooManyConnections)
}

async fn refuse(mut stream: UnixStream, desk: &Desk, code: Code) {
    desk.record.refused();
    tracing::info!(code = code.name(), "client refused");
    let line = refusal(&Id::None, code);
    // The buffer of a new connection is empty: this waits for nobody.
    let _ = timeout(REFUSING, stream.write_all(line.as_bytes())).await;
}
