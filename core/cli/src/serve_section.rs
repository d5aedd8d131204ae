//! The section `[serve]` of an endpoint's configuration file.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringtrue::{CoverPolicy, Reason};
use ringtrue_daemon::{AgiConfig, DaemonConfig, SocketAccess};
use serde::Deserialize;

use crate::exit::Failure;
use crate::settings::read;

/// Where the socket is if nothing else is said.
pub(crate) const DEFAULT_SOCKET: &str = "/run/ringtrue/endpoint.sock";

/// The most octets of the file of groups that are read.
const MAX_GROUPS_OCTETS: u64 = 1 << 20;

/// What `endpoint serve` needs besides an endpoint.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServeSection {
    /// The socket's path.
    socket: Option<PathBuf>,
    /// The group that may use the socket, by its name or number.
    group: Option<String>,
    /// The numbers of the users of that group that may.
    #[serde(default)]
    users: Vec<u32>,
    /// The address of the FastAGI port.
    agi: Option<SocketAddr>,
    /// Who may use it.
    #[serde(default)]
    agi_peers: Vec<IpAddr>,
    /// The file with the key that it asks for.
    agi_key: Option<PathBuf>,
    /// The most clients.
    connections: Option<usize>,
    /// The most open calls.
    calls: Option<usize>,
    /// Numbers that are called often.
    #[serde(default)]
    contacts: Vec<String>,
    /// Cover traffic.
    cover: Option<CoverSection>,
}

/// The section `[serve.cover]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoverSection {
    /// The mean time between stores, in minutes.
    stores_minutes: Option<u64>,
    /// The mean time between polls, in minutes.
    polls_minutes: Option<u64>,
    /// One more for so many real ones.
    real_per_cover: Option<u32>,
    /// The most stores a day.
    stores_per_day: Option<u32>,
}

impl ServeSection {
    /// With paths relative to the folder of the file.
    pub(crate) fn relative_to(mut self, base: &Path) -> Self {
        for path in [&mut self.socket, &mut self.agi_key] {
            *path = path.take().map(|path| base.join(path));
        }
        self
    }

    /// The settings of the daemon. Arguments come before the file.
    pub(crate) fn config(
        self,
        socket: Option<PathBuf>,
        agi: Option<SocketAddr>,
        renews_trust: bool,
    ) -> Result<DaemonConfig, Failure> {
        let socket = socket.or(self.socket);
        let mut config = DaemonConfig::new(socket.unwrap_or_else(|| DEFAULT_SOCKET.into()));
        let mut access = SocketAccess::default();
        if let Some(group) = &self.group {
            access.group = true;
            access.group_id = Some(group_id(group)?);
        }
        access.user_ids = self.users;
        config.access = access;
        let key = match &self.agi_key {
            Some(path) => Some(read(path)?.trim().to_owned()),
            None => None,
        };
        config.agi = agi.or(self.agi).map(|listen| AgiConfig {
            listen,
            peers: self.agi_peers,
            key,
        });
        config.connections = self.connections.unwrap_or(config.connections);
        config.calls = self.calls.unwrap_or(config.calls);
        config.contacts = self.contacts;
        config.cover = self.cover.map(CoverSection::policy);
        config.renews_trust = renews_trust;
        config.check().map_err(Failure::of("[serve]"))?;
        Ok(config)
    }
}

impl CoverSection {
    fn policy(self) -> CoverPolicy {
        let minutes = |minutes: u64| Duration::from_secs(minutes.saturating_mul(60));
        // A machine that serves others has power.
        let mut policy = CoverPolicy::enterprise();
        policy.stores = self.stores_minutes.map(minutes);
        policy.polls = self.polls_minutes.map(minutes);
        policy.real_per_cover = self.real_per_cover;
        policy.stores_per_day = self.stores_per_day.unwrap_or(policy.stores_per_day);
        policy
    }
}

/// The number of a group.
fn group_id(name: &str) -> Result<u32, Failure> {
    use std::io::Read as _;

    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let failed = |error| Failure::System {
        what: "the list of groups",
        error,
    };
    let mut text = String::new();
    let file = std::fs::File::open("/etc/group").map_err(failed)?;
    file.take(MAX_GROUPS_OCTETS)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(name);
        fields.nth(1)?.parse().ok().filter(|_| is_it)
    });
    found.ok_or_else(|| Failure::of("the group in [serve]")(Reason::ConfigurationInvalid))
}
