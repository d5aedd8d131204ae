//! The settings of a relay, as values and as a TOML file. Every key that is not known is an error.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringtrue_net::HttpSettings;
use ringtrue_oob::BaseUrl;
use ringtrue_oob::http::relay_route;
use ringtrue_stir::Reason;
use serde::Deserialize;

use crate::config::NetworkLimits;
use crate::tls_files::TlsFiles;

/// The longest configuration that is read.
const MAX_CONFIG_LEN: usize = 64 * 1024;

/// The most gateways of one relay.
const MAX_GATEWAYS: usize = 256;

/// Idle connections to each gateway: what a busy relay has under way at once.
const IDLE_CONNECTIONS: usize = 64;

/// Everything a relay needs to know beside its TLS identity.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The base URL that clients use. Without it the relay answers at the root and calls itself by the
    /// address it listens on.
    pub base_url: Option<BaseUrl>,
    /// The services whose gateways it carries requests to, by the names that clients give: 1 to 256.
    pub gateways: BTreeMap<String, BaseUrl>,
    /// How it connects to gateways: public addresses only, unless it is told otherwise.
    pub http: HttpSettings,
    /// Until a gateway must have answered.
    pub gateway_timeout: Duration,
    /// Limits of connections and clients.
    pub network: NetworkLimits,
}

impl RelayConfig {
    /// The defaults: loopback on a free port.
    #[must_use]
    pub fn new(gateways: BTreeMap<String, BaseUrl>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            base_url: None,
            gateways,
            http: HttpSettings {
                idle_connections: IDLE_CONNECTIONS,
                ..HttpSettings::default()
            },
            gateway_timeout: Duration::from_secs(10),
            network: NetworkLimits::default(),
        }
    }

    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for no gateway, too many, or a name that no path can hold.
    pub(crate) fn check(&self) -> Result<(), Reason> {
        let names_ok = self.gateways.keys().all(|name| relay_route::is_name(name));
        if names_ok && (1..=MAX_GATEWAYS).contains(&self.gateways.len()) {
            Ok(())
        } else {
            Err(Reason::ConfigurationInvalid)
        }
    }
}

/// A configuration file. Paths are relative to the folder it is in.
///
/// ```toml
/// listen = "0.0.0.0:443"                     # required
/// base_url = "https://relay.example.net"     # its path is the prefix of every route
/// gateway_timeout_ms = 10000
/// requests_per_minute = 1200                 # per client address
/// connections = 4096
/// connections_per_client = 128
/// limit_loopback = false                     # whether the limits per client hold for loopback clients
/// allow_loopback = false                     # whether gateways may be on this machine
/// allow_private = false                      # whether gateways may be in private networks
/// tls_root = "gateways-root.pem"             # trusted for gateways instead of the web's roots
///
/// [tls]
/// certificate = "tls.pem"                    # required: chain, the relay's own first
/// key = "tls.key"                            # required
/// reload_seconds = 60                        # how often the files are looked at
///
/// [gateways]                                 # required: name = base URL of the service behind it
/// "cps.example.com" = "https://cps.example.com"
/// ```
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayConfigFile {
    listen: SocketAddr,
    base_url: Option<String>,
    gateway_timeout_ms: Option<u64>,
    requests_per_minute: Option<u32>,
    connections: Option<usize>,
    connections_per_client: Option<usize>,
    #[serde(default)]
    limit_loopback: bool,
    #[serde(default)]
    allow_loopback: bool,
    #[serde(default)]
    allow_private: bool,
    tls_root: Option<PathBuf>,
    tls: TlsSection,
    gateways: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsSection {
    certificate: PathBuf,
    key: PathBuf,
    reload_seconds: Option<u64>,
}

/// What a [`RelayConfigFile`] says, with the files it names read.
#[derive(Debug)]
pub struct LoadedRelayConfig {
    /// The settings.
    pub relay: RelayConfig,
    /// Where the TLS identity is.
    pub tls: TlsFiles,
    /// How often the TLS files are to be looked at.
    pub reload_interval: Duration,
}

impl RelayConfigFile {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// What is wrong, for the operator: the parser's text with line and column.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_CONFIG_LEN {
            return Err("the configuration is longer than 64 KiB".to_owned());
        }
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// Turns it into settings; reads the TLS root. `folder` is where the file is.
    ///
    /// # Errors
    ///
    /// - [`Reason::ConfigurationInvalid`]: no gateway, a name that no path can hold, a limit of 0.
    /// - [`Reason::MalformedUrl`]: `base_url` or a gateway is none.
    /// - [`Reason::StateUnavailable`]: `tls_root` cannot be read.
    pub fn load(self, folder: &Path) -> Result<LoadedRelayConfig, Reason> {
        let gateways = self
            .gateways
            .into_iter()
            .map(|(name, url)| Ok((name, BaseUrl::parse(&url)?)))
            .collect::<Result<BTreeMap<_, _>, Reason>>()?;
        let mut relay = RelayConfig::new(gateways);
        relay.check()?;
        relay.listen = self.listen;
        relay.base_url = self.base_url.as_deref().map(BaseUrl::parse).transpose()?;
        if self.allow_loopback {
            relay.http.addresses = relay.http.addresses.allow_loopback();
        }
        if self.allow_private {
            relay.http.addresses = relay.http.addresses.allow_private();
        }
        if let Some(root) = self.tls_root {
            let pem =
                std::fs::read_to_string(folder.join(root)).map_err(|_| Reason::StateUnavailable)?;
            relay.http.extra_roots_pem = vec![pem];
            relay.http.web_roots = false;
        }
        let network = &mut relay.network;
        network.limit_loopback = self.limit_loopback;
        network.requests_per_minute = self
            .requests_per_minute
            .unwrap_or(network.requests_per_minute);
        network.max_connections = self.connections.unwrap_or(network.max_connections);
        network.max_connections_per_client = self
            .connections_per_client
            .unwrap_or(network.max_connections_per_client);
        if let Some(ms) = self.gateway_timeout_ms {
            relay.gateway_timeout = Duration::from_millis(ms);
        }
        let reload = self.tls.reload_seconds.unwrap_or(60);
        let works = network.requests_per_minute > 0
            && network.max_connections > 0
            && network.max_connections_per_client > 0
            && !relay.gateway_timeout.is_zero()
            && reload > 0;
        if !works {
            return Err(Reason::ConfigurationInvalid);
        }
        Ok(LoadedRelayConfig {
            relay,
            tls: TlsFiles {
                certificate: folder.join(self.tls.certificate),
                key: folder.join(self.tls.key),
            },
            reload_interval: Duration::from_secs(reload),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ringtrue_stir::Reason;

    use super::RelayConfigFile;

    const SMALLEST: &str = "listen = \"127.0.0.1:0\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"\n";
    const GATEWAYS: &str = "[gateways]\na = \"https://cps.example\"\n";

    fn load(text: &str) -> Result<super::LoadedRelayConfig, Reason> {
        RelayConfigFile::parse(text)
            .unwrap()
            .load(Path::new("/nowhere"))
    }

    #[test]
    fn every_documented_key_is_read() {
        let source = include_str!("relay_config.rs");
        let (_, example) = source.split_once("```toml\n").unwrap();
        let (example, _) = example.split_once("/// ```\n").unwrap();
        let example: String = example
            .lines()
            .map(|line| line.strip_prefix("///").unwrap_or(line))
            .filter(|line| !line.contains("tls_root ="))
            .fold(String::new(), |all, line| all + line + "\n");
        let loaded = load(&example).unwrap();
        let defaults = super::RelayConfig::new(loaded.relay.gateways.clone());
        assert_eq!(loaded.relay.network, defaults.network);
        assert_eq!(loaded.relay.gateway_timeout, defaults.gateway_timeout);
        assert_eq!(
            loaded.relay.gateways["cps.example.com"].as_str(),
            "https://cps.example.com"
        );
    }

    #[test]
    fn what_cannot_work_is_refused() {
        assert!(load(&format!("{SMALLEST}{GATEWAYS}")).is_ok());
        let invalid = Some(Reason::ConfigurationInvalid);
        assert_eq!(load(&format!("{SMALLEST}[gateways]\n")).err(), invalid);
        for name in ["a/b", "", "https://x"] {
            let text = format!("{SMALLEST}[gateways]\n\"{name}\" = \"https://cps.example\"\n");
            assert_eq!(load(&text).err(), invalid, "{name}");
        }
        let url = format!("{SMALLEST}[gateways]\na = \"http://cps.example\"\n");
        assert_eq!(load(&url).err(), Some(Reason::MalformedUrl));
        for zero in ["requests_per_minute", "connections", "gateway_timeout_ms"] {
            let text = format!("{zero} = 0\n{SMALLEST}{GATEWAYS}");
            assert_eq!(load(&text).err(), invalid, "{zero}");
        }
        let root = format!("tls_root = \"r.pem\"\n{SMALLEST}{GATEWAYS}");
        assert_eq!(load(&root).err(), Some(Reason::StateUnavailable));
        for text in [
            SMALLEST.to_owned(),
            format!("logs = \"x\"\n{SMALLEST}{GATEWAYS}"),
        ] {
            assert!(RelayConfigFile::parse(&text).is_err());
        }
    }
}
