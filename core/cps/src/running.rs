//! What every process of this crate can be told while it runs.

use ringtrue_stir::Reason;

use crate::config::TlsIdentity;

/// A service or a relay that answers.
pub trait Running: Send + Sync {
    /// Uses another TLS certificate for connections from now on. Open ones stay as they are.
    ///
    /// # Errors
    ///
    /// As [`ringtrue_net::ReloadableCertificate::replace`]; the old certificate then stays in use.
    fn reload_tls(&self, tls: &TlsIdentity) -> Result<(), Reason>;

    /// Stops it: no new connection is accepted, and requests that have begun may finish within the drain
    /// time.
    fn shutdown(self) -> impl Future<Output = ()> + Send;
}
