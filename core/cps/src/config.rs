//! The settings of a service as values. `config_file` reads them from TOML.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::BaseUrl;
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::crypto::CryptoProvider;
use zeroize::Zeroizing;

use crate::clock::{Clock, SystemClock};
use crate::mailbox::PlacementLimits;
use crate::secret::ServiceSecret;
use crate::tokens::settings::TokenSettings;

/// The TLS certificate chain of a service, its own certificate first, and the private key, both PEM.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The chain.
    pub chain_pem: String,
    /// The key: PKCS#8, SEC1 or PKCS#1.
    pub key_pem: Zeroizing<String>,
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsIdentity(..)")
    }
}

/// How much of the network a client may use, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkLimits {
    /// Connections at once; more wait in the system's queue.
    pub max_connections: usize,
    /// Connections at once from one client address (one /64 in IPv6); more are closed.
    pub max_connections_per_client: usize,
    /// Requests a minute from one client address, that many at once; more get 429.
    pub requests_per_minute: u32,
    /// Whether the two limits per client hold for loopback addresses too. Usually not: a proxy on the
    /// same host, and a laboratory, have all their clients there.
    pub limit_loopback: bool,
    /// Until a TLS handshake must be done.
    pub handshake_timeout: Duration,
    /// From the end of one request, or the start of the connection, until the header of the next must
    /// be complete. So it also ends idle connections and those that drip a header.
    pub header_timeout: Duration,
    /// Until the body of a request must be complete.
    pub body_timeout: Duration,
    /// Until an answer must have been taken by the client.
    pub answer_timeout: Duration,
    /// On shutdown: how long `/health` says 503 before new connections are refused, for balancers.
    pub drain_notice: Duration,
    /// On shutdown: how long requests may take to finish.
    pub drain_timeout: Duration,
}

impl Default for NetworkLimits {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_connections_per_client: 128,
            requests_per_minute: 1200,
            limit_loopback: false,
            handshake_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(20),
            drain_notice: Duration::ZERO,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Everything a service needs to know beside its TLS identity.
#[derive(Debug)]
pub struct ServiceConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The base URL that clients use; its path is the prefix of every route. Without it the service
    /// answers at the root and calls itself by the address it listens on.
    pub base_url: Option<BaseUrl>,
    /// The STI anchors that key statements are verified with. Without any, no statement is accepted.
    pub anchors: TrustAnchors,
    /// The rules for the signers of key statements.
    pub profile: Profile,
    /// Lifetime and limits of blobs.
    pub placement: PlacementLimits,
    /// The most octets that all key statements together may hold, overhead included.
    pub max_directory_bytes: usize,
    /// Where published key statements, the token issuer's keys and spent tokens are kept over a restart;
    /// nowhere if absent. Blobs never are.
    pub state_folder: Option<PathBuf>,
    /// The addresses of relays, to which the limits per client do not apply: many clients are behind
    /// each.
    pub relays: Vec<IpAddr>,
    /// Limits of connections.
    pub network: NetworkLimits,
    /// Where to serve `/metrics`, in the clear: an address that only the operator reaches.
    pub metrics_listen: Option<SocketAddr>,
    /// What the dummies come from; a fresh one if absent.
    pub secret: Option<ServiceSecret>,
    /// Storage tokens. Without them everyone may store, and only rates are limited.
    pub tokens: Option<TokenSettings>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The cryptography.
    pub provider: SharedProvider,
}

/// A crypto provider that a service shares with nobody's logs: [`std::fmt::Debug`] shows nothing.
#[derive(Clone)]
pub struct SharedProvider(pub Arc<dyn CryptoProvider>);

impl std::fmt::Debug for SharedProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedProvider(..)")
    }
}

impl ServiceConfig {
    /// The defaults: loopback on a free port, the system's clocks, cryptography of the TLS back end.
    #[must_use]
    pub fn new(anchors: TrustAnchors) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            base_url: None,
            anchors,
            profile: Profile::Delegate,
            placement: PlacementLimits::default(),
            max_directory_bytes: 256 * 1024 * 1024,
            state_folder: None,
            relays: Vec::new(),
            network: NetworkLimits::default(),
            metrics_listen: None,
            secret: None,
            tokens: None,
            clock: Arc::new(SystemClock::new()),
            provider: SharedProvider(Arc::new(AwsLcCrypto)),
        }
    }
}
