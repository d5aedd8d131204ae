//! Starting and stopping a service.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringtrue_net::{ReloadableCertificate, reloadable_server_config};
use ringtrue_oob::BaseUrl;
use ringtrue_stir::{Reason, UnixTime};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::config::{ServiceConfig, TlsIdentity};
use crate::connection::{Server, accept_until_stopped, until_stopped};
use crate::directory::Directory;
use crate::directory_file::DirectoryFile;
use crate::gateway::Gateway;
use crate::mailbox::{PlacementCounts, PlacementStore};
use crate::metrics::{Metrics, Observed};
use crate::metrics_listener::serve_metrics;
use crate::rate::RateLimiter;
use crate::running::Running;
use crate::secret::ServiceSecret;
use crate::tokens::TokenService;

/// How often what has aged out is freed. Answers never hold it; this bounds how long memory does.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The Call Placement Service and key directory.
#[derive(Clone, Copy, Debug)]
pub struct Service;

impl Service {
    /// Starts a service on the current tokio runtime. It answers when this returns.
    ///
    /// # Errors
    ///
    /// - [`Reason::ConfigurationInvalid`] if it cannot listen where it is told to.
    /// - [`Reason::MalformedPem`] and the others of [`ReloadableCertificate::from_pem`] for `tls`.
    /// - [`Reason::StateUnavailable`] or [`Reason::MalformedRecord`] if the state folder cannot be read.
    /// - [`Reason::MalformedIssuerDirectory`] or [`Reason::IssuerKeyUnusable`] for another issuer's keys.
    /// - [`Reason::RandomnessUnavailable`] if the platform generator fails.
    pub async fn start(config: ServiceConfig, tls: &TlsIdentity) -> Result<RunningService, Reason> {
        let certificate = Arc::new(ReloadableCertificate::from_pem(
            &tls.chain_pem,
            &tls.key_pem,
        )?);
        let tls_config = reloadable_server_config(Arc::clone(&certificate))?;
        let secret = match config.secret {
            Some(secret) => secret,
            None => ServiceSecret::random(&*config.provider.0)?,
        };
        let mut directory = Directory::new(config.max_directory_bytes);
        let now = UnixTime::from_secs(config.clock.wall_ms() / 1000);
        let directory_file = config
            .state_folder
            .as_deref()
            .map(|folder| DirectoryFile::open(folder, &mut directory, now))
            .transpose()?;

        let (listener, local_addr) = listen(config.listen).await?;
        let metrics = match config.metrics_listen {
            Some(addr) => Some(listen(addr).await?),
            None => None,
        };
        let base_url = match config.base_url {
            Some(base_url) => base_url,
            None => BaseUrl::parse(&format!("https://{local_addr}"))?,
        };
        let placement =
            PlacementStore::new(&config.placement, secret, Arc::clone(&config.provider.0));
        let tokens = config
            .tokens
            .as_ref()
            .map(|settings| {
                let folder = config.state_folder.as_deref();
                TokenService::open(settings, &base_url, folder, placement.lifetime(), now)
            })
            .transpose()?
            .map(Arc::new);
        let gateway = Gateway::open(&*config.provider.0, config.state_folder.as_deref(), now)?;
        let app = Arc::new(App {
            gateway,
            relays: config.relays,
            prefix: base_url.prefix().to_owned(),
            anchors: config.anchors,
            profile: config.profile,
            provider: config.provider,
            clock: config.clock,
            tokens,
            metrics: Metrics::default(),
            lifetime: placement.lifetime(),
            placement: Mutex::new(placement),
            directory: Mutex::new(directory),
            directory_file,
            limiter: Mutex::new(RateLimiter::new(config.network.requests_per_minute)),
            limit_loopback: config.network.limit_loopback,
            body_timeout: config.network.body_timeout,
            draining: AtomicBool::new(false),
        });
        app.serve_all();

        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        let mut metrics_addr = None;
        if let Some((listener, addr)) = metrics {
            metrics_addr = Some(addr);
            let serving = serve_metrics(Arc::clone(&app), listener, stopped.clone());
            tasks.push(tokio::spawn(serving));
        }
        tasks.push(tokio::spawn(sweep(Arc::clone(&app), stopped.clone())));
        let drain_notice = config.network.drain_notice;
        let server = Arc::new(Server {
            app: Arc::clone(&app),
            tls: TlsAcceptor::from(Arc::new(tls_config)),
            limits: config.network,
            per_client: Mutex::new(HashMap::new()),
        });
        tasks.push(tokio::spawn(accept_until_stopped(
            server, listener, stopped,
        )));
        tracing::info!("service started");
        Ok(RunningService {
            app,
            base_url,
            local_addr,
            metrics_addr,
            certificate,
            drain_notice,
            stop,
            tasks,
        })
    }
}

pub(crate) async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), Reason> {
    let listener = TcpListener::bind(addr)
        .await
        .map_err(|_| Reason::ConfigurationInvalid)?;
    let addr = listener
        .local_addr()
        .map_err(|_| Reason::ConfigurationInvalid)?;
    Ok((listener, addr))
}

async fn sweep(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = until_stopped(&mut stop) => return,
            () = tokio::time::sleep(SWEEP_INTERVAL) => app.sweep().await,
        }
    }
}

/// A service that answers. Dropping it stops it without waiting; [`RunningService::shutdown`] waits.
pub struct RunningService {
    app: Arc<App>,
    base_url: BaseUrl,
    local_addr: SocketAddr,
    metrics_addr: Option<SocketAddr>,
    certificate: Arc<ReloadableCertificate>,
    drain_notice: Duration,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for RunningService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningService")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl RunningService {
    /// The address it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The address of `/metrics`, if that is configured.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// The base URL that clients use.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// What the service could see so far: counts only.
    #[must_use]
    pub fn observed(&self) -> Observed {
        self.app.metrics.observed()
    }

    /// How many spent storage tokens are remembered.
    #[must_use]
    pub fn spent_tokens(&self) -> usize {
        self.app.spent_count()
    }

    /// What the mailboxes hold now: counts only.
    #[must_use]
    pub fn placement_counts(&self) -> PlacementCounts {
        self.app.placement_counts()
    }

    /// Uses another TLS certificate for connections from now on. Open ones stay as they are.
    ///
    /// # Errors
    ///
    /// As [`ReloadableCertificate::replace`]; the old certificate then stays in use.
    pub fn reload_tls(&self, tls: &TlsIdentity) -> Result<(), Reason> {
        self.certificate.replace(&tls.chain_pem, &tls.key_pem)
    }

    /// Makes `/health` say 503 while everything else goes on, so that balancers look elsewhere.
    pub fn begin_drain(&self) {
        self.app.draining.store(true, Ordering::Relaxed);
    }

    /// Stops the service: `/health` says 503 for the notice time, then no connection is accepted, and
    /// requests that have begun may finish within the drain time.
    pub async fn shutdown(self) {
        self.begin_drain();
        if !self.drain_notice.is_zero() {
            tokio::time::sleep(self.drain_notice).await;
        }
        // Nobody listens any more only if everything has stopped already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
        tracing::info!("service stopped");
    }
}

impl Running for RunningService {
    fn reload_tls(&self, tls: &TlsIdentity) -> Result<(), Reason> {
        Self::reload_tls(self, tls)
    }

    fn shutdown(self) -> impl Future<Output = ()> + Send {
        Self::shutdown(self)
    }
}
