//! PEM for TLS: certificates and keys.

use ringtrue_stir::Reason;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The most certificates in one PEM file: a TLS chain has two to four, a folder of roots of a company
/// some dozens. The web's own roots are built in.
const MAX_CERTIFICATES: usize = 64;

/// The most octets of one PEM file; 64 certificates of ordinary size stay well below.
const MAX_LEN: usize = 256 * 1024;

/// Every certificate of `pem`, at least one. Other blocks and text between are ignored.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Reason> {
    if pem.len() > MAX_LEN {
        return Err(Reason::TooLong);
    }
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        if certificates.len() == MAX_CERTIFICATES {
            return Err(Reason::TooManyCertificates);
        }
        certificates.push(certificate.map_err(|_| Reason::MalformedPem)?);
    }
    if certificates.is_empty() {
        return Err(Reason::MalformedPem);
    }
    Ok(certificates)
}

/// The first private key of `pem`: PKCS#8, SEC1 or PKCS#1, not encrypted.
pub(crate) fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, Reason> {
    if pem.len() > MAX_LEN {
        return Err(Reason::TooLong);
    }
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| Reason::MalformedPem)
}
