//! Running a service as a process of its own.

use std::time::Duration;

use ringtrue_stir::Reason;
use tokio::signal::unix::{SignalKind, signal};

use crate::running::Running;
use crate::tls_files::TlsFiles;

/// Runs until SIGTERM or SIGINT, then drains. SIGHUP, or a change of the files that is looked for every
/// `reload_interval`, reloads the TLS certificate.
///
/// # Errors
///
/// [`Reason::Internal`] if the system takes no signal handlers; the service is then stopped.
pub async fn run_until_terminated(
    service: impl Running,
    tls: Option<(TlsFiles, Duration)>,
) -> Result<(), Reason> {
    let signals = (|| {
        Ok::<_, std::io::Error>((
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        ))
    })();
    let Ok((mut terminate, mut interrupt, mut hangup)) = signals else {
        service.shutdown().await;
        return Err(Reason::Internal);
    };
    {
        let watch = async {
            match &tls {
                Some((files, interval)) => files.watch(&service, *interval).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(watch);
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                () = &mut watch => {}
                _ = hangup.recv() => {
                    if let Some((files, _)) = &tls {
                        reload(files, &service);
                    }
                }
            }
        }
    }
    service.shutdown().await;
    Ok(())
}

fn reload(files: &TlsFiles, service: &impl Running) {
    match files.reload(service) {
        Ok(()) => tracing::info!("tls certificate reloaded"),
        Err(reason) => {
            tracing::warn!(reason = reason.name(), "tls certificate not reloaded");
        }
    }
}
