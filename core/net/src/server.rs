//! The TLS side of a service.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use ringtrue_stir::Reason;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, ServerConfig};

use crate::{pem, tls};

/// The TLS certificate of a service, replaceable while connections are served.
///
/// New handshakes use the new certificate; connections that are open stay as they are.
pub struct ReloadableCertificate {
    current: RwLock<Arc<CertifiedKey>>,
}

impl ReloadableCertificate {
    /// Takes a certificate chain, the service's own certificate first, and its private key (PKCS#8,
    /// SEC1 or PKCS#1), both as PEM.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedPem`] or [`Reason::TooLong`] if one of them is not such PEM,
    /// [`Reason::MalformedCertificate`] or [`Reason::MalformedKey`] for what is inside, and
    /// [`Reason::KeyMismatch`] if the key is not the certificate's.
    pub fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Self, Reason> {
        Ok(Self {
            current: RwLock::new(certified_key(chain_pem, key_pem)?),
        })
    }

    /// Replaces the certificate and its key. After an error the old ones stay in use.
    ///
    /// # Errors
    ///
    /// As [`ReloadableCertificate::from_pem`].
    pub fn replace(&self, chain_pem: &str, key_pem: &str) -> Result<(), Reason> {
        let new = certified_key(chain_pem, key_pem)?;
        // The lock guards one pointer, which is whole even if a holder panicked.
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }
}

impl fmt::Debug for ReloadableCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReloadableCertificate(..)")
    }
}

impl ResolvesServerCert for ReloadableCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

fn certified_key(chain_pem: &str, key_pem: &str) -> Result<Arc<CertifiedKey>, Reason> {
    let chain = pem::certificates(chain_pem)?;
    let key = pem::private_key(key_pem)?;
    CertifiedKey::from_der(chain, key, &tls::service_provider())
        .map(Arc::new)
        .map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Reason::KeyMismatch,
            Error::InvalidCertificate(_) => Reason::MalformedCertificate,
            _ => Reason::MalformedKey,
        })
}

/// The TLS configuration of a service: TLS 1.3 only, HTTP/1.1, no client certificates, no session
/// tickets.
///
/// Without tickets the service has no means to tell that two connections come from one client.
///
/// # Errors
///
/// As [`ReloadableCertificate::from_pem`].
pub fn server_config(chain_pem: &str, key_pem: &str) -> Result<ServerConfig, Reason> {
    reloadable_server_config(Arc::new(ReloadableCertificate::from_pem(
        chain_pem, key_pem,
    )?))
}

/// The same with a certificate that the caller can replace later.
///
/// # Errors
///
/// [`Reason::Internal`] if the TLS library does not take its own settings.
pub fn reloadable_server_config(
    certificate: Arc<ReloadableCertificate>,
) -> Result<ServerConfig, Reason> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(tls::service_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| Reason::Internal)?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![tls::ALPN_HTTP_1_1.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}
