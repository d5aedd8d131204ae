//! A few certificates that came together.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Certificate, MAX_CERTIFICATE_LEN, MAX_CERTIFICATES};
use crate::Reason;

/// Standard base64, padded, without line breaks: the spelling of `x5c` (RFC 7515 section 4.1.6).
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Base64 characters of the largest certificate.
const MAX_BASE64_LEN: usize = MAX_CERTIFICATE_LEN.div_ceil(3) * 4;

/// The largest PEM file of a path that is read (CRT-42).
const MAX_PEM_LEN: usize = 64 * 1024;

/// One to eight certificates from which signers are found and paths are built (W-1).
///
/// The order is kept: the signer comes first (CRT-35), and whether it does is
/// [`CertificateBag::first_is`]. Paths are found whatever the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateBag {
    certificates: Vec<Certificate>,
}

impl CertificateBag {
    /// Makes a bag.
    ///
    /// # Errors
    ///
    /// [`Reason::TooManyCertificates`] for more than [`MAX_CERTIFICATES`],
    /// [`Reason::MalformedCertificate`] for none.
    pub fn from_certificates(certificates: Vec<Certificate>) -> Result<Self, Reason> {
        match certificates.len() {
            0 => Err(Reason::MalformedCertificate),
            1..=MAX_CERTIFICATES => Ok(Self { certificates }),
            _ => Err(Reason::TooManyCertificates),
        }
    }

    /// Reads the `x5c` form: base64 DER, padded, one text per certificate.
    ///
    /// # Errors
    ///
    /// Those of [`CertificateBag::from_certificates`] and [`Certificate::from_der`];
    /// [`Reason::MalformedCertificate`] for a text that is not base64.
    pub fn from_base64_der<T: AsRef<str>>(texts: &[T]) -> Result<Self, Reason> {
        // Before any is decoded.
        if texts.len() > MAX_CERTIFICATES {
            return Err(Reason::TooManyCertificates);
        }
        let certificate = |text: &T| {
            let text = text.as_ref();
            if text.len() > MAX_BASE64_LEN {
                return Err(Reason::TooLong);
            }
            let der = BASE64
                .decode(text)
                .map_err(|_| Reason::MalformedCertificate)?;
            Certificate::from_der(der)
        };
        Self::from_certificates(texts.iter().map(certificate).collect::<Result<_, _>>()?)
    }

    /// Reads a path file: PEM blocks, text between them ignored, the root there or not (CRT-36).
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedPem`] if there is no block, a damaged one or one that is no certificate (a
    /// private key has no business there); [`Reason::TooLong`] above 64 KiB; and those of
    /// [`CertificateBag::from_certificates`] and [`Certificate::from_der`].
    ///
    /// Source: RFC 9060 section 7.
    pub fn from_pem(text: &str) -> Result<Self, Reason> {
        Self::from_certificates(certificates_from_pem(text, MAX_PEM_LEN, MAX_CERTIFICATES)?)
    }

    /// Writes the `x5c` form. Roots are left out, as in sealed contents (W-1).
    #[must_use]
    pub fn to_x5c(&self) -> Vec<String> {
        self.certificates
            .iter()
            .filter(|certificate| !(certificate.is_ca() && certificate.is_self_issued()))
            .map(|certificate| BASE64.encode(certificate.der()))
            .collect()
    }

    /// All certificates in their order.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Whether `signer` is the first certificate, as it has to be in a path file. Strict readers
    /// refuse another order as [`Reason::SignerNotFirst`] (CRT-36).
    ///
    /// Source: RFC 9060 section 7.
    #[must_use]
    pub fn first_is(&self, signer: &Certificate) -> bool {
        self.certificates.first() == Some(signer)
    }

    /// Those that may sign tokens: not the CAs.
    pub fn end_entities(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates
            .iter()
            .filter(|certificate| !certificate.is_ca())
    }
}

/// The certificates of a PEM text.
pub(super) fn certificates_from_pem(
    text: &str,
    max_len: usize,
    max_certificates: usize,
) -> Result<Vec<Certificate>, Reason> {
    if text.len() > max_len {
        return Err(Reason::TooLong);
    }
    // The PEM reader stops at the first block it does not understand; the count shows it.
    let begun = text.matches("-----BEGIN ").count();
    if begun == 0 {
        return Err(Reason::MalformedPem);
    }
    if begun > max_certificates {
        return Err(Reason::TooManyCertificates);
    }
    let blocks = pem::parse_many(text).map_err(|_| Reason::MalformedPem)?;
    if blocks.len() != begun || blocks.iter().any(|block| block.tag() != "CERTIFICATE") {
        return Err(Reason::MalformedPem);
    }
    blocks
        .into_iter()
        .map(|block| Certificate::from_der(block.into_contents()))
        .collect()
}
