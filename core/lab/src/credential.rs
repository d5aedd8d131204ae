//! A certificate chain with its private key.

use core::fmt;

use ringtrue_stir::certificate::CertificateBag;
use ringtrue_stir::crypto::SecretKey;
use ringtrue_stir::{Reason, UnixTime};
use zeroize::Zeroizing;

/// A certificate with the path to, and without, its root, and the private key.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct Credential {
    /// The certificate itself, then its issuers upwards, DER, without the root.
    pub chain_der: Vec<Vec<u8>>,
    /// The same as PEM.
    pub chain_pem: String,
    /// The private key, PKCS#8 PEM, unencrypted.
    pub key_pem: Zeroizing<String>,
    /// The private key as the scalar alone.
    pub secret: SecretKey,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

impl Credential {
    /// The chain as the verifying code takes it.
    ///
    /// # Errors
    ///
    /// Those of [`CertificateBag::from_pem`]; none for a chain that a lab issued.
    pub fn bag(&self) -> Result<CertificateBag, Reason> {
        CertificateBag::from_pem(&self.chain_pem)
    }

    /// The last second at which the certificate is valid.
    ///
    /// # Errors
    ///
    /// As [`Credential::bag`].
    pub fn not_after(&self) -> Result<UnixTime, Reason> {
        self.bag()?
            .certificates()
            .first()
            .map(|leaf| leaf.not_after())
            .ok_or(Reason::MalformedPem)
    }
}

/// Certificates as PEM blocks in their order.
pub(crate) fn certificates_pem(chain: &[Vec<u8>]) -> String {
    let blocks: Vec<_> = chain
        .iter()
        .map(|der| pem::Pem::new("CERTIFICATE", der.as_slice()))
        .collect();
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_many_config(&blocks, config)
}
