//! `ringtrue cps serve`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringtrue::{BaseUrl, Reason};
use ringtrue_cps::{
    ConfigFile, LoadedConfig, Service, ServiceConfig, TlsFiles, TokenSettings, run_until_terminated,
};
use ringtrue_lab::Lab;
use ringtrue_stir::certificate::TrustAnchors;

use crate::exit::{Exit, Failure};
use crate::service_args::CpsServeArguments;
use crate::settings::read;

/// Where a service listens if nothing else is said.
const DEFAULT_PORT: u16 = 8443;

/// How often the TLS files are looked at for a renewed certificate.
const TLS_WATCH: Duration = Duration::from_secs(60);

/// Where a lab's service keeps the issuer's keys and spent tokens.
const LAB_TOKENS: &str = "tokens";

/// Serves until the process is told to end.
pub(crate) fn serve(arguments: &CpsServeArguments) -> Result<Exit, Failure> {
    let mut loaded = match (&arguments.lab, &arguments.config) {
        (Some(dir), _) => from_lab(dir)?,
        (None, Some(file)) => from_file(file)?,
        (None, None) => from_arguments(arguments)?,
    };
    if let Some(listen) = arguments.listen {
        loaded.service.listen = listen;
        // A lab's base URL names its default port. Another one, asked for here, is where clients come.
        if loaded
            .service
            .base_url
            .as_ref()
            .is_some_and(|base| base.port() != listen.port())
        {
            loaded.service.base_url = rebased(loaded.service.base_url.as_ref(), listen);
        }
    }
    if let Some(seconds) = arguments.ttl {
        loaded.service.placement.lifetime = Duration::from_secs(seconds);
    }
    if arguments.metrics.is_some() {
        loaded.service.metrics_listen = arguments.metrics;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::System {
            what: "the runtime",
            error,
        })?;
    runtime.block_on(async {
        let tls = loaded
            .tls
            .read()
            .map_err(Failure::of("the TLS certificate"))?;
        let service = Service::start(loaded.service, &tls)
            .await
            .map_err(Failure::of("starting"))?;
        anstream::println!(
            "serving {} on {}",
            service.base_url().as_str(),
            service.local_addr()
        );
        if let Some(metrics) = service.metrics_addr() {
            anstream::println!("metrics on http://{metrics}/metrics");
        }
        run_until_terminated(service, Some((loaded.tls, loaded.reload_interval)))
            .await
            .map_err(Failure::of("serving"))
    })?;
    Ok(Exit::Good)
}

/// The same base URL with the port that is listened on; none, which means the address itself, for a
/// port that the system chooses.
fn rebased(base: Option<&BaseUrl>, listen: SocketAddr) -> Option<BaseUrl> {
    let base = base.filter(|_| listen.port() != 0)?;
    let url = format!("https://{}:{}{}", base.host(), listen.port(), base.prefix());
    BaseUrl::parse(&url).ok()
}

fn from_lab(dir: &Path) -> Result<LoadedConfig, Failure> {
    let lab = Lab::open(dir).map_err(Failure::Lab)?;
    let base = BaseUrl::parse(&lab.config().base_url).map_err(Failure::of("lab.toml"))?;
    let mut service = ServiceConfig::new(anchors(&[dir.join("root.pem")])?);
    service.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, base.port()));
    service.base_url = Some(base);
    service.profile = lab.config().policy.profile.into();
    if lab.config().storage_tokens {
        service.tokens = Some(TokenSettings {
            folder: Some(dir.join(LAB_TOKENS)),
            ..TokenSettings::required()
        });
    }
    let tls = TlsFiles {
        certificate: dir.join("tls.pem"),
        key: dir.join("tls.key"),
    };
    Ok(LoadedConfig {
        service,
        tls,
        reload_interval: TLS_WATCH,
    })
}

fn from_file(path: &Path) -> Result<LoadedConfig, Failure> {
    let file = ConfigFile::parse(&read(path)?).map_err(|detail| Failure::Configuration {
        path: path.to_owned(),
        detail,
    })?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    file.load(folder).map_err(Failure::of("the configuration"))
}

fn from_arguments(arguments: &CpsServeArguments) -> Result<LoadedConfig, Failure> {
    let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        return Err(Failure::of(
            "--lab, --config, or --anchor, --tls-cert and --tls-key",
        )(Reason::ConfigurationInvalid));
    };
    let mut service = ServiceConfig::new(anchors(&arguments.anchors)?);
    service.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
    let tls = TlsFiles {
        certificate: certificate.clone(),
        key: key.clone(),
    };
    Ok(LoadedConfig {
        service,
        tls,
        reload_interval: TLS_WATCH,
    })
}

fn anchors(paths: &[PathBuf]) -> Result<TrustAnchors, Failure> {
    let mut anchors = TrustAnchors::new();
    for path in paths {
        let roots = TrustAnchors::from_pem(&read(path)?).map_err(Failure::of("the anchors"))?;
        for root in roots.certificates() {
            anchors
                .add(root.clone())
                .map_err(Failure::of("the anchors"))?;
        }
    }
    Ok(anchors)
}
