//! The TLS identity in files, read again when they change.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ringtrue_stir::Reason;
use zeroize::Zeroizing;

use crate::config::TlsIdentity;
use crate::running::Running;

/// The longest PEM file that is read.
const MAX_PEM_LEN: u64 = 256 * 1024;

/// Where certificate chain and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, PEM, the service's own certificate first.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads both files.
    ///
    /// # Errors
    ///
    /// [`Reason::StateUnavailable`] if one cannot be read or is no text, [`Reason::TooLong`] above
    /// 256 KiB.
    pub fn read(&self) -> Result<TlsIdentity, Reason> {
        let text = |path: &PathBuf| {
            let len = std::fs::metadata(path)
                .map_err(|_| Reason::StateUnavailable)?
                .len();
            if len > MAX_PEM_LEN {
                return Err(Reason::TooLong);
            }
            std::fs::read_to_string(path).map_err(|_| Reason::StateUnavailable)
        };
        Ok(TlsIdentity {
            chain_pem: text(&self.certificate)?,
            key_pem: Zeroizing::new(text(&self.key)?),
        })
    }

    /// Reads both files and gives them to `service`. After an error the old certificate stays in use.
    ///
    /// # Errors
    ///
    /// As [`TlsFiles::read`] and [`Running::reload_tls`].
    pub fn reload(&self, service: &impl Running) -> Result<(), Reason> {
        service.reload_tls(&self.read()?)
    }

    /// When the files changed last, as far as the file system tells.
    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|path| {
            std::fs::metadata(path)
                .and_then(|metadata| metadata.modified())
                .ok()
        })
    }

    /// Looks at the files every `interval` and reloads them after a change. Never returns. A pair that
    /// does not fit, because only one file is new yet, is tried again next time.
    pub async fn watch(&self, service: &impl Running, interval: Duration) {
        let mut seen = self.changed();
        loop {
            tokio::time::sleep(interval).await;
            let now = self.changed();
            if now != seen {
                match self.reload(service) {
                    Ok(()) => {
                        seen = now;
                        tracing::info!("tls certificate reloaded");
                    }
                    Err(reason) => {
                        tracing::warn!(reason = reason.name(), "tls certificate not reloaded");
                    }
                }
            }
        }
    }
}
