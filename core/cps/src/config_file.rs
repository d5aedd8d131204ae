//! The settings of a service as a TOML file. Every key that is not known is an error.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringtrue_oob::BaseUrl;
use ringtrue_oob::token::IssuerName;
use ringtrue_stir::Reason;
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use serde::Deserialize;

use crate::config::ServiceConfig;
use crate::level::DummyLevel;
use crate::tls_files::TlsFiles;
use crate::tokens::issuer::DEFAULT_QUOTA;
use crate::tokens::settings::{SpentMemory, TokenIssuer, TokenSettings};

/// The longest configuration that is read.
const MAX_CONFIG_LEN: usize = 64 * 1024;

/// A configuration file. Paths are relative to the folder it is in.
///
/// ```toml
/// listen = "0.0.0.0:443"                     # required
/// base_url = "https://cps.example.com/v1"    # its path is the prefix of every route
/// anchors = ["sti-anchors.pem"]              # STI roots that key statements are verified with
/// profile = "delegate"                       # or "stir", "shaken"
/// ttl_seconds = 30                           # lifetime of a blob, at most 60
/// dummies = "d1"                             # or "d2": constant rate
/// # d2_epoch_ms = 2000                       # with "d2" only: length of an epoch
/// # d2_births = 1                            # with "d2" only: calls per epoch that are hidden
/// state = "state"                            # keeps key statements over a restart
/// metrics_listen = "127.0.0.1:9464"          # Prometheus; off without it
///
/// [tls]
/// certificate = "tls.pem"                    # required: chain, the service's own first
/// key = "tls.key"                            # required
/// reload_seconds = 60                        # how often the files are looked at
///
/// [tokens]                                   # storage tokens; without this section everyone may store
/// required = true                            # false: sign tokens, but take stores without
/// quota = 200                                # tokens a day for each credential, from this service
/// provider_quota = 2000                      # for each credential of a provider; none without it
/// spent = "spent"                            # folder that replicas share; otherwise in `state`
/// max_spent = 4000000                        # spent tokens that are remembered
/// # issuer = "issuer.example.com"            # instead of the quotas: another issuer's tokens are taken,
/// # directory = "issuer.json"                # and this is its directory, renewed by the operator
///
/// [limits]
/// connections = 4096
/// connections_per_client = 128
/// requests_per_minute = 1200                 # per client address
/// limit_loopback = false                     # whether the two above hold for loopback clients
/// relays = []                                # addresses of relays: the two above do not hold for them
/// blobs_per_number = 200                     # at most 200
/// blob_memory_mib = 256
/// statement_memory_mib = 256
///
/// [timeouts]                                 # in milliseconds
/// handshake_ms = 5000
/// header_ms = 30000                          # also ends idle connections
/// body_ms = 10000
/// answer_ms = 20000
/// drain_notice_ms = 0                        # /health says 503 this long before connections end
/// drain_ms = 10000
/// ```
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    listen: SocketAddr,
    base_url: Option<String>,
    #[serde(default)]
    anchors: Vec<PathBuf>,
    profile: Option<ProfileName>,
    ttl_seconds: Option<u64>,
    dummies: Option<DummyName>,
    d2_epoch_ms: Option<u64>,
    d2_births: Option<u8>,
    state: Option<PathBuf>,
    metrics_listen: Option<SocketAddr>,
    tls: TlsSection,
    tokens: Option<TokensSection>,
    #[serde(default)]
    limits: LimitsSection,
    #[serde(default)]
    timeouts: TimeoutsSection,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ProfileName {
    Delegate,
    Shaken,
    Stir,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DummyName {
    D1,
    D2,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsSection {
    certificate: PathBuf,
    key: PathBuf,
    reload_seconds: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokensSection {
    required: Option<bool>,
    quota: Option<u32>,
    provider_quota: Option<u32>,
    issuer: Option<String>,
    directory: Option<PathBuf>,
    spent: Option<PathBuf>,
    max_spent: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsSection {
    connections: Option<usize>,
    connections_per_client: Option<usize>,
    requests_per_minute: Option<u32>,
    limit_loopback: Option<bool>,
    #[serde(default)]
    relays: Vec<IpAddr>,
    blobs_per_number: Option<usize>,
    blob_memory_mib: Option<usize>,
    statement_memory_mib: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeoutsSection {
    handshake_ms: Option<u64>,
    header_ms: Option<u64>,
    body_ms: Option<u64>,
    answer_ms: Option<u64>,
    drain_notice_ms: Option<u64>,
    drain_ms: Option<u64>,
}

/// What a [`ConfigFile`] says, with the files it names read.
#[derive(Debug)]
pub struct LoadedConfig {
    /// The settings.
    pub service: ServiceConfig,
    /// Where the TLS identity is.
    pub tls: TlsFiles,
    /// How often the TLS files are to be looked at.
    pub reload_interval: Duration,
}

impl ConfigFile {
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

    /// Turns it into settings; reads the anchors. `folder` is where the file is.
    ///
    /// # Errors
    ///
    /// - [`Reason::ConfigurationInvalid`]: a lifetime of 0 or over 60 s, a limit, quota or timeout of 0,
    ///   settings of level D2 without it, what [`DummyLevel::check`] refuses, an issuer without its
    ///   directory, or with a quota.
    /// - [`Reason::MalformedUrl`]: `base_url` is none, or `issuer` no name of an issuer.
    /// - [`Reason::StateUnavailable`]: a file of `anchors` cannot be read.
    /// - [`Reason::MalformedPem`] and others of [`TrustAnchors::from_pem`].
    pub fn load(self, folder: &Path) -> Result<LoadedConfig, Reason> {
        let mut anchors = TrustAnchors::default();
        for path in &self.anchors {
            let pem =
                std::fs::read_to_string(folder.join(path)).map_err(|_| Reason::StateUnavailable)?;
            for root in TrustAnchors::from_pem(&pem)?.certificates() {
                anchors.add(root.clone())?;
            }
        }
        let mut service = ServiceConfig::new(anchors);
        service.listen = self.listen;
        service.base_url = self.base_url.as_deref().map(BaseUrl::parse).transpose()?;
        if let Some(profile) = self.profile {
            service.profile = match profile {
                ProfileName::Delegate => Profile::Delegate,
                ProfileName::Shaken => Profile::Shaken,
                ProfileName::Stir => Profile::Stir,
            };
        }
        if let Some(seconds) = self.ttl_seconds {
            if !(1..=60).contains(&seconds) {
                return Err(Reason::ConfigurationInvalid);
            }
            service.placement.lifetime = Duration::from_secs(seconds);
        }
        service.placement.dummies = dummy_level(self.dummies, self.d2_epoch_ms, self.d2_births)?;
        service
            .placement
            .dummies
            .check(service.placement.lifetime)?;
        service.state_folder = self.state.map(|state| folder.join(state));
        service.metrics_listen = self.metrics_listen;
        service.tokens = self.tokens.map(|tokens| tokens.load(folder)).transpose()?;
        self.limits.apply(&mut service)?;
        self.timeouts.apply(&mut service)?;
        let reload = self.tls.reload_seconds.unwrap_or(60);
        if reload == 0 {
            return Err(Reason::ConfigurationInvalid);
        }
        Ok(LoadedConfig {
            service,
            tls: TlsFiles {
                certificate: folder.join(self.tls.certificate),
                key: folder.join(self.tls.key),
            },
            reload_interval: Duration::from_secs(reload),
        })
    }
}

/// The level that the three keys state together.
fn dummy_level(
    name: Option<DummyName>,
    epoch_ms: Option<u64>,
    births: Option<u8>,
) -> Result<DummyLevel, Reason> {
    match name.unwrap_or(DummyName::D1) {
        // Whoever sets one of these means something that he would not get.
        DummyName::D1 if epoch_ms.is_some() || births.is_some() => {
            Err(Reason::ConfigurationInvalid)
        }
        DummyName::D1 => Ok(DummyLevel::D1),
        DummyName::D2 => Ok(DummyLevel::D2 {
            epoch: Duration::from_millis(epoch_ms.unwrap_or(2000)),
            births: births.unwrap_or(1),
        }),
    }
}

/// Sets what is given; zero, of which nothing would work, is refused.
fn set<T: PartialEq + Default, U>(
    target: &mut U,
    given: Option<T>,
    convert: impl FnOnce(T) -> Option<U>,
) -> Result<(), Reason> {
    if let Some(given) = given {
        if given == T::default() {
            return Err(Reason::ConfigurationInvalid);
        }
        *target = convert(given).ok_or(Reason::ConfigurationInvalid)?;
    }
    Ok(())
}

impl TokensSection {
    fn load(self, folder: &Path) -> Result<TokenSettings, Reason> {
        let mut settings = TokenSettings::required();
        settings.required = self.required.unwrap_or(settings.required);
        settings.issuer = match (self.issuer, self.directory) {
            (None, None) => {
                let mut quota = DEFAULT_QUOTA;
                set(&mut quota, self.quota, Some)?;
                let mut provider_quota = None;
                set(&mut provider_quota, self.provider_quota, |quota| {
                    Some(Some(quota))
                })?;
                TokenIssuer::Own {
                    quota,
                    provider_quota,
                }
            }
            (Some(name), Some(directory))
                if self.quota.is_none() && self.provider_quota.is_none() =>
            {
                TokenIssuer::Other {
                    name: IssuerName::parse(&name)?,
                    directory: folder.join(directory),
                }
            }
            _ => return Err(Reason::ConfigurationInvalid),
        };
        if let Some(spent) = self.spent {
            settings.spent = SpentMemory::Folder(folder.join(spent));
        }
        set(&mut settings.max_spent, self.max_spent, Some)?;
        Ok(settings)
    }
}

impl LimitsSection {
    fn apply(self, service: &mut ServiceConfig) -> Result<(), Reason> {
        let octets = |mib: usize| mib.checked_mul(1024 * 1024);
        let network = &mut service.network;
        set(&mut network.max_connections, self.connections, Some)?;
        let per_client = self.connections_per_client;
        set(&mut network.max_connections_per_client, per_client, Some)?;
        set(
            &mut network.requests_per_minute,
            self.requests_per_minute,
            Some,
        )?;
        network.limit_loopback = self.limit_loopback.unwrap_or(network.limit_loopback);
        service.relays = self.relays.iter().map(IpAddr::to_canonical).collect();
        let placement = &mut service.placement;
        set(
            &mut placement.max_stored_per_number,
            self.blobs_per_number,
            Some,
        )?;
        set(&mut placement.max_total_bytes, self.blob_memory_mib, octets)?;
        set(
            &mut service.max_directory_bytes,
            self.statement_memory_mib,
            octets,
        )
    }
}

impl TimeoutsSection {
    fn apply(self, service: &mut ServiceConfig) -> Result<(), Reason> {
        let millis = |ms| Some(Duration::from_millis(ms));
        let network = &mut service.network;
        set(&mut network.handshake_timeout, self.handshake_ms, millis)?;
        set(&mut network.header_timeout, self.header_ms, millis)?;
        set(&mut network.body_timeout, self.body_ms, millis)?;
        set(&mut network.answer_timeout, self.answer_ms, millis)?;
        if let Some(notice) = self.drain_notice_ms {
            network.drain_notice = Duration::from_millis(notice);
        }
        set(&mut network.drain_timeout, self.drain_ms, millis)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use ringtrue_stir::Reason;
    use ringtrue_stir::certificate::Profile;

    use super::ConfigFile;
    use crate::level::DummyLevel;

    const SMALLEST: &str = "listen = \"127.0.0.1:0\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"\n";

    #[test]
    fn every_documented_key_is_read() {
        // The example of the documentation, without its anchors.
        let source = include_str!("config_file.rs");
        let (_, example) = source.split_once("```toml\n").unwrap();
        let (example, _) = example.split_once("/// ```\n").unwrap();
        let example: String = example
            .lines()
            .map(|line| line.strip_prefix("///").unwrap_or(line))
            .filter(|line| !line.contains("anchors ="))
            .fold(String::new(), |all, line| all + line + "\n");
        let loaded = ConfigFile::parse(&example)
            .unwrap()
            .load(Path::new("/etc/ringtrue"))
            .unwrap();
        let defaults = super::ServiceConfig::new(super::TrustAnchors::default());
        assert_eq!(loaded.service.network, defaults.network);
        assert_eq!(loaded.service.placement, defaults.placement);
        assert_eq!(
            loaded.service.max_directory_bytes,
            defaults.max_directory_bytes
        );
        assert_eq!(loaded.service.profile, Profile::Delegate);
        assert_eq!(loaded.service.base_url.unwrap().prefix(), "/v1");
        assert_eq!(loaded.tls.key, Path::new("/etc/ringtrue/tls.key"));
        assert_eq!(loaded.reload_interval, Duration::from_secs(60));
        let tokens = loaded.service.tokens.unwrap();
        assert!(tokens.required);
        assert_eq!(tokens.max_spent, super::TokenSettings::required().max_spent);
        assert!(matches!(
            tokens.issuer,
            super::TokenIssuer::Own {
                quota: super::DEFAULT_QUOTA,
                provider_quota: Some(2000)
            }
        ));
        let spent = Path::new("/etc/ringtrue/spent");
        assert!(matches!(tokens.spent, super::SpentMemory::Folder(folder) if folder == spent));
    }

    #[test]
    fn storage_tokens_are_off_own_or_anothers() {
        let tokens = |text: &str| {
            ConfigFile::parse(&format!("{SMALLEST}{text}"))
                .unwrap()
                .load(Path::new("/etc"))
                .map(|loaded| loaded.service.tokens)
        };
        assert!(tokens("").unwrap().is_none());
        let own = tokens("[tokens]\n").unwrap().unwrap();
        assert!(own.required);
        assert!(matches!(own.issuer, super::TokenIssuer::Own { .. }));
        assert!(
            !tokens("[tokens]\nrequired = false\n")
                .unwrap()
                .unwrap()
                .required
        );
        let other = "[tokens]\nissuer = \"i.example\"\ndirectory = \"d.json\"\n";
        let other = tokens(other).unwrap().unwrap();
        assert!(matches!(
            other.issuer,
            super::TokenIssuer::Other { name, directory }
                if name.as_str() == "i.example" && directory == Path::new("/etc/d.json")
        ));
        for (text, reason) in [
            ("issuer = \"i.example\"", Reason::ConfigurationInvalid),
            ("directory = \"d.json\"", Reason::ConfigurationInvalid),
            ("quota = 0", Reason::ConfigurationInvalid),
            ("provider_quota = 0", Reason::ConfigurationInvalid),
            ("max_spent = 0", Reason::ConfigurationInvalid),
            (
                "issuer = \"i.example\"\ndirectory = \"d.json\"\nquota = 5",
                Reason::ConfigurationInvalid,
            ),
            (
                "issuer = \"https://i.example\"\ndirectory = \"d.json\"",
                Reason::MalformedUrl,
            ),
        ] {
            let refused = tokens(&format!("[tokens]\n{text}\n")).err();
            assert_eq!(refused, Some(reason), "{text}");
        }
    }

    #[test]
    fn unknown_keys_and_missing_ones_are_refused_with_their_place() {
        for (text, hint) in [
            (format!("tll_seconds = 3\n{SMALLEST}"), "tll_seconds"),
            (format!("{SMALLEST}password = \"x\"\n"), "password"),
            (
                format!("{SMALLEST}[limits]\nconections = 1\n"),
                "conections",
            ),
            (format!("profile = \"any\"\n{SMALLEST}"), "any"),
            ("listen = \"127.0.0.1:0\"".to_owned(), "tls"),
            (
                "[tls]\ncertificate = \"c\"\nkey = \"k\"\n".to_owned(),
                "listen",
            ),
            ("listen = 1".to_owned(), "listen"),
            ("=".to_owned(), "line 1"),
        ] {
            let error = ConfigFile::parse(&text).unwrap_err();
            assert!(error.contains(hint), "{error}");
        }
        assert!(ConfigFile::parse(&" ".repeat(70_000)).is_err());
    }

    #[test]
    fn the_dummy_level_is_read_and_its_settings_are_held_to_it() {
        let load = |text: &str| {
            ConfigFile::parse(&format!("{text}{SMALLEST}"))
                .unwrap()
                .load(Path::new("/nowhere"))
                .map(|loaded| loaded.service.placement.dummies)
        };
        assert_eq!(load("dummies = \"d1\"\n"), Ok(DummyLevel::D1));
        assert_eq!(load("dummies = \"d2\"\n"), Ok(DummyLevel::constant()));
        let shorter = DummyLevel::D2 {
            epoch: Duration::from_secs(1),
            births: 3,
        };
        let text = "ttl_seconds = 15\ndummies = \"d2\"\nd2_epoch_ms = 1000\nd2_births = 3\n";
        assert_eq!(load(text), Ok(shorter));
        for bad in [
            "d2_epoch_ms = 2000\n",
            "dummies = \"d1\"\nd2_births = 1\n",
            "dummies = \"d2\"\nd2_births = 0\n",
            "dummies = \"d2\"\nd2_epoch_ms = 1000\n",
            "dummies = \"d2\"\nttl_seconds = 60\n",
        ] {
            assert_eq!(load(bad), Err(Reason::ConfigurationInvalid), "{bad}");
        }
        assert!(ConfigFile::parse(&format!("dummies = \"d0\"\n{SMALLEST}")).is_err());
    }

    #[test]
    fn values_that_cannot_work_are_refused() {
        let reason = |text: String| {
            ConfigFile::parse(&text)
                .unwrap()
                .load(Path::new("/nowhere"))
                .err()
        };
        let invalid = Some(Reason::ConfigurationInvalid);
        assert_eq!(reason(SMALLEST.to_owned()), None);
        assert_eq!(reason(format!("ttl_seconds = 0\n{SMALLEST}")), invalid);
        assert_eq!(reason(format!("ttl_seconds = 61\n{SMALLEST}")), invalid);
        assert_eq!(reason(format!("{SMALLEST}reload_seconds = 0\n")), invalid);
        for limit in ["connections", "requests_per_minute", "blob_memory_mib"] {
            assert_eq!(
                reason(format!("{SMALLEST}[limits]\n{limit} = 0\n")),
                invalid
            );
        }
        assert_eq!(
            reason(format!("{SMALLEST}[timeouts]\nbody_ms = 0\n")),
            invalid
        );
        let url = reason(format!("base_url = \"http://x\"\n{SMALLEST}"));
        assert_eq!(url, Some(Reason::MalformedUrl));
        let anchors = reason(format!("anchors = [\"a.pem\"]\n{SMALLEST}"));
        assert_eq!(anchors, Some(Reason::StateUnavailable));
    }
}
