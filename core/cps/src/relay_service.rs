//! Starting and stopping a relay.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use ringtrue_net::{HttpClient, ReloadableCertificate, reloadable_server_config};
use ringtrue_oob::BaseUrl;
use ringtrue_stir::Reason;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::config::TlsIdentity;
use crate::connection::{ConnectionCounts, Server, accept_until_stopped};
use crate::rate::RateLimiter;
use crate::relay::RelayApp;
use crate::relay_config::RelayConfig;
use crate::running::Running;
use crate::service::listen;

/// The relay of Oblivious HTTP. Run it on another machine, by another operator, than the services.
#[derive(Clone, Copy, Debug)]
pub struct RelayService;

impl RelayService {
    /// Starts a relay on the current tokio runtime. It answers when this returns.
    ///
    /// # Errors
    ///
    /// - [`Reason::ConfigurationInvalid`] if it cannot listen where it is told to, or for no gateway or
    ///   a name that no path can hold.
    /// - [`Reason::MalformedPem`] and the others of [`ReloadableCertificate::from_pem`] for `tls`, and of
    ///   [`HttpClient::new`].
    pub async fn start(config: RelayConfig, tls: &TlsIdentity) -> Result<RunningRelay, Reason> {
        config.check()?;
        let certificate = Arc::new(ReloadableCertificate::from_pem(
            &tls.chain_pem,
            &tls.key_pem,
        )?);
        let tls_config = reloadable_server_config(Arc::clone(&certificate))?;
        let client = HttpClient::new(&config.http)?;
        let (listener, local_addr) = listen(config.listen).await?;
        let base_url = match config.base_url {
            Some(base_url) => base_url,
            None => BaseUrl::parse(&format!("https://{local_addr}"))?,
        };
        let app = Arc::new(RelayApp {
            prefix: base_url.prefix().to_owned(),
            gateways: config.gateways,
            client,
            gateway_timeout: config.gateway_timeout,
            body_timeout: config.network.body_timeout,
            limiter: Mutex::new(RateLimiter::new(config.network.requests_per_minute)),
            limit_loopback: config.network.limit_loopback,
            origin: Instant::now(),
            draining: AtomicBool::new(false),
            connections: ConnectionCounts::default(),
            carried: Counter::default(),
            refused: Counter::default(),
        });
        let (stop, stopped) = watch::channel(false);
        let drain_notice = config.network.drain_notice;
        let server = Arc::new(Server {
            app: Arc::clone(&app),
            tls: TlsAcceptor::from(Arc::new(tls_config)),
            limits: config.network,
            per_client: Mutex::new(HashMap::new()),
        });
        let task = tokio::spawn(accept_until_stopped(server, listener, stopped));
        tracing::info!("relay started");
        Ok(RunningRelay {
            app,
            base_url,
            local_addr,
            certificate,
            drain_notice,
            stop,
            task,
        })
    }
}

/// What a relay could see so far: counts only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayObserved {
    /// Requests that a gateway answered.
    pub carried: u64,
    /// Requests that were answered with an error of the relay's own.
    pub refused: u64,
    /// TLS connections that were accepted.
    pub connections: u64,
}

/// A relay that answers. Dropping it stops it without waiting; [`RunningRelay::shutdown`] waits.
pub struct RunningRelay {
    app: Arc<RelayApp>,
    base_url: BaseUrl,
    local_addr: SocketAddr,
    certificate: Arc<ReloadableCertificate>,
    drain_notice: Duration,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for RunningRelay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningRelay")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl RunningRelay {
    /// The address it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The base URL that clients use.
    #[must_use]
    pub const fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// What the relay could see so far: counts only.
    #[must_use]
    pub fn observed(&self) -> RelayObserved {
        RelayObserved {
            carried: self.app.carried.get(),
            refused: self.app.refused.get(),
            connections: self.app.connections.accepted.get(),
        }
    }
}

impl Running for RunningRelay {
    fn reload_tls(&self, tls: &TlsIdentity) -> Result<(), Reason> {
        self.certificate.replace(&tls.chain_pem, &tls.key_pem)
    }

    async fn shutdown(self) {
        self.app.draining.store(true, Ordering::Relaxed);
        if !self.drain_notice.is_zero() {
            tokio::time::sleep(self.drain_notice).await;
        }
        // Nobody listens any more only if everything has stopped already.
        let _ = self.stop.send(true);
        let _ = self.task.await;
        tracing::info!("relay stopped");
    }
}
