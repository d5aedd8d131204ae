//! How a fetcher works.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringtrue_stir::UnixTime;

use crate::{HttpSettings, NameResolver};

/// The most entries that are kept when nothing else is configured: the signers of a busy week.
const DEFAULT_ENTRIES: usize = 256;

/// The most octets that are kept when nothing else is configured: the largest revocation list that is
/// read, with what was parsed of it, and some hundred paths.
const DEFAULT_OCTETS: usize = 16 * 1024 * 1024;

/// How a [`Fetcher`](super::Fetcher) connects and what it keeps.
#[derive(Clone)]
pub struct FetchSettings {
    /// Addresses, roots and connection time. The roots are those of the web, never STIR anchors
    /// (CRT-45). A rule that allows loopback, as laboratories do, allows any port as well; without it
    /// only 443 and 8443 are left (CRT-40).
    pub http: HttpSettings,
    /// Whether one redirect is followed, to a URL under the same rules. False by default (CRT-40).
    pub redirects: bool,
    /// Shortens the time limit of every kind; never lengthens one (CRT-42).
    pub time_limit: Option<Duration>,
    /// The most entries of the cache, failures included: 256 by default.
    pub max_entries: usize,
    /// The most octets of the cache: 16 MiB by default.
    pub max_octets: usize,
    /// Resolves names instead of the platform. Its answers are held to the same address rule.
    pub resolver: Option<Arc<dyn NameResolver>>,
    /// Tells the time for the cache: the platform's clock by default.
    pub clock: Arc<dyn Fn() -> UnixTime + Send + Sync>,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            http: HttpSettings::default(),
            redirects: false,
            time_limit: None,
            max_entries: DEFAULT_ENTRIES,
            max_octets: DEFAULT_OCTETS,
            resolver: None,
            clock: Arc::new(|| {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                since.map_or(UnixTime::default(), |since| {
                    UnixTime::from_secs(since.as_secs())
                })
            }),
        }
    }
}

impl fmt::Debug for FetchSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FetchSettings(..)")
    }
}
