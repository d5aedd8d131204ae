//! What both sides of a TLS connection share, and the client's configuration.

use std::sync::Arc;

use ringtrue_stir::Reason;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{ClientConfig, RootCertStore};

use crate::pem;

/// HTTP/1.1 in ALPN: all that either side speaks.
pub(crate) const ALPN_HTTP_1_1: &[u8] = b"http/1.1";

/// The keys of a side that shows no certificate: none. A client that could load some would carry what
/// signs with RSA, which nothing calls.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("clients have no key".to_owned()))
    }
}

/// The cryptography of a client's connection: TLS 1.3 suites only, the post-quantum hybrid first.
///
/// Stated in full instead of taken from the library's defaults, whose order depends on a feature that
/// any crate in the tree may set. Source: docs/protocol.md section 3.6 (PRV-50).
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![
            kx_group::X25519MLKEM768,
            kx_group::X25519,
            kx_group::SECP256R1,
            kx_group::SECP384R1,
        ],
        key_provider: &NoKeys,
        ..aws_lc_rs::default_provider()
    }
}

/// The same for a service, which has a key.
pub(crate) fn service_provider() -> CryptoProvider {
    CryptoProvider {
        key_provider: aws_lc_rs::default_provider().key_provider,
        ..provider()
    }
}

/// The certificates that a service's TLS certificate may lead to.
///
/// These are roots of the web or of a company, never STIR anchors (CRT-45).
pub(crate) fn roots(web_roots: bool, extra_pem: &[String]) -> Result<RootCertStore, Reason> {
    let mut roots = RootCertStore::empty();
    if web_roots {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for text in extra_pem {
        for certificate in pem::certificates(text)? {
            roots
                .add(certificate)
                .map_err(|_| Reason::MalformedCertificate)?;
        }
    }
    if roots.is_empty() {
        return Err(Reason::ConfigurationInvalid);
    }
    Ok(roots)
}

/// A client configuration of its own, for one role.
///
/// Sessions are not resumed at all: a ticket tells the service that two connections are of one
/// endpoint, even after its address has changed, and in TLS 1.3 saves no round trip without early
/// data. So nothing is ever resumed across roles either.
pub(crate) fn client_config(
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
) -> Result<ClientConfig, Reason> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| Reason::Internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The configuration of fetches, for hosts that are not ours: TLS 1.3, and TLS 1.2 with forward
/// secrecy and authenticated encryption, because certificate hosts in use speak no other.
///
/// Suites are stated in full: only ECDHE key exchange, so a recorded fetch cannot be read with a key
/// that a host loses later. Nothing is resumed, as in [`client_config`].
pub(crate) fn fetch_config(roots: Arc<RootCertStore>) -> Result<ClientConfig, Reason> {
    let mut provider = provider();
    provider.cipher_suites.extend([
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]);
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|_| Reason::Internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ringtrue_stir::Reason;
    use rustls::NamedGroup;
    use rustls::pki_types::PrivatePkcs8KeyDer;

    use super::{client_config, provider, roots, service_provider};

    #[test]
    fn prefers_the_post_quantum_hybrid() {
        let groups: Vec<_> = provider()
            .kx_groups
            .iter()
            .map(|group| group.name())
            .collect();
        assert_eq!(groups.first(), Some(&NamedGroup::X25519MLKEM768));
    }

    #[test]
    fn clients_have_no_use_for_a_key_and_services_do() {
        let key = PrivatePkcs8KeyDer::from(vec![0x30, 0x00]);
        let refused = |provider: super::CryptoProvider| {
            let loaded = provider
                .key_provider
                .load_private_key(key.clone_key().into());
            loaded.unwrap_err().to_string()
        };
        assert!(refused(provider()).contains("clients have no key"));
        assert!(!refused(service_provider()).contains("clients have no key"));
    }

    #[test]
    fn web_roots_alone_make_a_configuration() {
        let roots = roots(true, &[]).unwrap();
        assert!(client_config(Arc::new(provider()), Arc::new(roots)).is_ok());
    }

    #[test]
    fn refuses_roots_that_are_none() {
        let reason = |web, extra: &str| roots(web, &[extra.to_owned()]).err();
        assert_eq!(roots(false, &[]).err(), Some(Reason::ConfigurationInvalid));
        assert_eq!(reason(true, ""), Some(Reason::MalformedPem));
        assert_eq!(reason(true, "no PEM"), Some(Reason::MalformedPem));
        let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        assert_eq!(reason(true, broken), Some(Reason::MalformedPem));
        let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(reason(true, not_der), Some(Reason::MalformedCertificate));
        assert_eq!(
            reason(true, &not_der.repeat(65)),
            Some(Reason::TooManyCertificates)
        );
        assert_eq!(reason(true, &" ".repeat(300_000)), Some(Reason::TooLong));
    }
}
