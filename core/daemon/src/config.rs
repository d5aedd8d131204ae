//! What a daemon is told besides its endpoint.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ringtrue::{CoverPolicy, Reason};

/// The most contacts whose keys are learned ahead of calls: what the endpoint takes at once.
const MAX_CONTACTS: usize = 4096;

/// The most clients and calls that may be configured.
const MAX_LIMIT: usize = 4096;

/// The settings of a daemon.
#[derive(Clone)]
#[non_exhaustive]
pub struct DaemonConfig {
    /// Where the socket is. Beside it is a lock file with `.lock` at the end of its name.
    pub socket: PathBuf,
    /// Who may use the socket.
    pub access: SocketAccess,
    /// The FastAGI port; none without it.
    pub agi: Option<AgiConfig>,
    /// The most clients of the socket, and as many of the FastAGI port: 32.
    pub connections: usize,
    /// The most calls that are open at a time: 256.
    pub calls: usize,
    /// Numbers whose keys are learned every day, so that calls to them begin at once.
    pub contacts: Vec<String>,
    /// Cover traffic; none without it.
    pub cover: Option<CoverPolicy>,
    /// Whether the endpoint has a trust bundle to renew.
    pub renews_trust: bool,
}

/// Who may use the socket.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SocketAccess {
    /// Whether the socket's group may connect: mode 0660 rather than 0600.
    pub group: bool,
    /// The group that the socket is given to; the process's own without it.
    pub group_id: Option<u32>,
    /// With `group`: the users that may connect besides the daemon's own and root. Empty: whoever the
    /// file system lets in.
    pub user_ids: Vec<u32>,
}

/// The FastAGI port. `Debug` is left out: the key is in it.
#[derive(Clone)]
pub struct AgiConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who may connect; loopback alone if empty.
    pub peers: Vec<IpAddr>,
    /// What requests have to show in the argument `key`. Without it whoever can connect may place calls.
    pub key: Option<String>,
}

impl DaemonConfig {
    /// The defaults, with a socket there.
    #[must_use]
    pub fn new(socket: PathBuf) -> Self {
        Self {
            socket,
            access: SocketAccess::default(),
            agi: None,
            connections: 32,
            calls: 256,
            contacts: Vec::new(),
            cover: None,
            renews_trust: false,
        }
    }

    /// Whether the settings go together.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for a limit of 0 or more than 4096, more than 4096 contacts, users
    /// without a group, and a FastAGI port beyond loopback without a list of peers or without a key:
    /// FastAGI itself has neither names nor secrets.
    pub fn check(&self) -> Result<(), Reason> {
        let limits = [self.connections, self.calls];
        let are_limits_good = limits.iter().all(|limit| (1..=MAX_LIMIT).contains(limit));
        let is_agi_guarded = self.agi.as_ref().is_none_or(|agi| {
            let is_near =
                agi.listen.ip().is_loopback() && agi.peers.iter().all(IpAddr::is_loopback);
            let is_key_good = agi.key.as_ref().is_none_or(|key| key.len() >= 16);
            is_key_good && (is_near || (!agi.peers.is_empty() && agi.key.is_some()))
        });
        let is_access_good = self.access.group
            || (self.access.user_ids.is_empty() && self.access.group_id.is_none());
        if are_limits_good
            && is_agi_guarded
            && is_access_good
            && self.contacts.len() <= MAX_CONTACTS
        {
            Ok(())
        } else {
            Err(Reason::ConfigurationInvalid)
        }
    }
}

impl AgiConfig {
    /// Whether somebody at this address may connect.
    pub(crate) fn admits(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        if self.peers.is_empty() {
            peer.is_loopback()
        } else {
            self.peers.contains(&peer)
        }
    }
}
