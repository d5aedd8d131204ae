//! The TLS side of a lab: a root of its own and the service's certificate.

use core::fmt;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
use ringtrue_stir::{Reason, UnixTime};
use zeroize::Zeroizing;

use crate::Validity;
use crate::issuing::{self, internal};

/// The names of a lab's service.
pub(crate) const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const TLS_ROOT_NAME: &str = "RingTrue lab TLS root";

/// A service's TLS certificate with its key, and the root that clients have to trust.
///
/// The root is not the STIR anchor: the two trust stores never mix (CRT-45). Its key is thrown away
/// after this one certificate.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The service's certificate, PEM.
    pub chain_pem: String,
    /// The service's private key, PKCS#8 PEM.
    pub key_pem: Zeroizing<String>,
    /// The root, PEM.
    pub root_pem: String,
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsIdentity(..)")
    }
}

/// Makes a TLS root and one certificate for `names` (host names and IP addresses), valid one year.
///
/// # Errors
///
/// [`Reason::ConfigurationInvalid`] for a name that no certificate can carry or a time beyond the year
/// 9999; [`Reason::RandomnessUnavailable`] if the platform generator fails.
pub fn tls_identity(names: &[&str], now: UnixTime) -> Result<TlsIdentity, Reason> {
    let root_key = issuing::generate_key()?;
    let mut root = issuing::params(TLS_ROOT_NAME, Validity::of_root(now))?;
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root = root.self_signed(&root_key).map_err(internal)?;

    let key = issuing::generate_key()?;
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut leaf = issuing::params("RingTrue lab service", Validity::days(now, 365))?;
    leaf.subject_alt_names = CertificateParams::new(names)
        .map_err(|_| Reason::ConfigurationInvalid)?
        .subject_alt_names;
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let leaf = leaf
        .signed_by(&key, &issuing::issuer(TLS_ROOT_NAME, &root_key))
        .map_err(internal)?;
    Ok(TlsIdentity {
        chain_pem: leaf.pem(),
        key_pem: issuing::key_pem(&key),
        root_pem: root.pem(),
    })
}
