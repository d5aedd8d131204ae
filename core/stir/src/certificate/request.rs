//! Certificate requests: what a device sends to a CA to get the credential of its numbers.
//!
//! A request is made in two steps, because its key may live in hardware:
//! [`UnsignedCertificateRequest`] holds what is to be signed, [`CertificateRequest`] carries a
//! signature that was checked. What is read is read strictly and has the same type.
//!
//! How a request travels to a CA, and what the CA checks before it issues, is not decided here.

use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::Reason;
use crate::crypto::{CryptoProvider, Es256Signature, P256PublicKey, Signer};
use crate::der::{self, Reader};
use crate::tn_auth_list::TnAuthList;

/// The largest request that is made or read: as large as the largest certificate, which has to carry
/// the same TNAuthList.
pub const MAX_CERTIFICATE_REQUEST_LEN: usize = 16 * 1024;

/// The largest PEM text that is read: the request in base64 with its line breaks, and some text
/// around it, as tools like to write.
const MAX_PEM_LEN: usize = 32 * 1024;

/// `ub-common-name` of RFC 5280 appendix A.1, in characters.
const MAX_COMMON_NAME_LEN: usize = 64;

/// As many digits in a row make a telephone number of a name; provider codes and years have four.
const NUMBER_DIGITS: usize = 7;

/// RFC 7468 section 7.
const PEM_LABEL: &str = "CERTIFICATE REQUEST";

/// The contents of object identifiers.
mod oid {
    pub(super) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    pub(super) const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    /// pkcs-9-at-extensionRequest, RFC 2985 section 5.4.2.
    pub(super) const EXTENSION_REQUEST: &[u8] =
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
    pub(super) const TN_AUTH_LIST: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 26];
}

/// The subject that a request asks for: a common name or nothing.
///
/// Names of certificates end up in logs, in transparency logs and on screens, and a verifier takes
/// numbers from the TNAuthList alone. So a name with a telephone number in it has to be asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestSubject(Option<String>);

impl fmt::Debug for RequestSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestSubject(..)")
    }
}

impl RequestSubject {
    /// No name at all. The CA chooses one, or leaves the subject empty.
    #[must_use]
    pub const fn empty() -> Self {
        Self(None)
    }

    /// A common name of 1 to 64 characters without a telephone number.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for another length, for control characters, and for seven or
    /// more digits that only spaces, dots, hyphens, slashes or brackets separate.
    pub fn common_name(name: &str) -> Result<Self, Reason> {
        if has_number(name) {
            return Err(Reason::ConfigurationInvalid);
        }
        Self::common_name_with_number(name)
    }

    /// A common name of 1 to 64 characters, telephone numbers allowed: for a CA that insists on it.
    ///
    /// The number then stands in clear wherever the certificate's name is shown or logged.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for another length and for control characters.
    pub fn common_name_with_number(name: &str) -> Result<Self, Reason> {
        let has_length = (1..=MAX_COMMON_NAME_LEN).contains(&name.chars().count());
        if has_length && !name.chars().any(char::is_control) {
            Ok(Self(Some(name.to_owned())))
        } else {
            Err(Reason::ConfigurationInvalid)
        }
    }

    /// The Name, DER.
    fn encode(&self) -> Vec<u8> {
        let relative_name = self.0.as_ref().map_or_else(Vec::new, |name| {
            let attribute = [
                der::element(der::OBJECT_IDENTIFIER, oid::COMMON_NAME),
                der::element(der::UTF8_STRING, name.as_bytes()),
            ];
            der::element(der::SET, &der::element(der::SEQUENCE, &attribute.concat()))
        });
        der::element(der::SEQUENCE, &relative_name)
    }
}

/// Whether a name spells a telephone number, in whatever grouping.
fn has_number(name: &str) -> bool {
    let mut digits = 0usize;
    for character in name.chars() {
        digits = match character {
            // Digits of all scripts read as numbers to people.
            _ if character.is_numeric() => digits.saturating_add(1),
            ' ' | '.' | '-' | '/' | '(' | ')' => digits,
            _ => 0,
        };
        if digits >= NUMBER_DIGITS {
            return true;
        }
    }
    false
}

/// A request that lacks its signature.
#[derive(Clone)]
pub struct UnsignedCertificateRequest {
    /// CertificationRequestInfo, DER: what the signature is over.
    info: Vec<u8>,
    key: P256PublicKey,
    tn_auth_list: TnAuthList,
}

impl fmt::Debug for UnsignedCertificateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsignedCertificateRequest(..)")
    }
}

impl UnsignedCertificateRequest {
    /// What the signature is over: the DER CertificationRequestInfo.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        &self.info
    }

    /// The SHA-256 of [`UnsignedCertificateRequest::signing_input`], for keys that sign digests.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.info).into()
    }

    /// Adds the signature after checking it: a key store that hashed twice, or used another key, is
    /// noticed here and not by the CA (PRV-22).
    ///
    /// # Errors
    ///
    /// [`Reason::SignerFailed`] if the signature is not by the key of the request over it.
    pub fn complete(
        self,
        provider: &dyn CryptoProvider,
        signature: &Es256Signature,
    ) -> Result<CertificateRequest, Reason> {
        if !provider.verify_es256(&self.key, &self.info, signature) {
            return Err(Reason::SignerFailed);
        }
        let algorithm = der::element(der::OBJECT_IDENTIFIER, oid::ECDSA_WITH_SHA256);
        let parts = [
            self.info,
            der::element(der::SEQUENCE, &algorithm),
            der::bit_string(&signature.to_der()),
        ];
        Ok(CertificateRequest {
            der: der::element(der::SEQUENCE, &parts.concat()),
            key: self.key,
            tn_auth_list: self.tn_auth_list,
        })
    }

    /// Lets `signer` sign and completes the request. The key never leaves its hardware.
    ///
    /// # Errors
    ///
    /// What [`Signer::sign`] returns; [`Reason::SignerFailed`] if the signer has another key than the
    /// request, or its signature has the wrong form or does not verify.
    pub fn sign(
        self,
        provider: &dyn CryptoProvider,
        signer: &dyn Signer,
    ) -> Result<CertificateRequest, Reason> {
        if signer.public_key() != self.key {
            return Err(Reason::SignerFailed);
        }
        let signature = signer
            .sign(&self.info, &self.digest())?
            .to_es256()
            .map_err(|_| Reason::SignerFailed)?;
        self.complete(provider, &signature)
    }
}

/// A PKCS #10 request for a certificate with a TNAuthList, whose signature was checked.
///
/// That proves possession of the key and nothing about the numbers; these are for the CA to check.
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
    key: P256PublicKey,
    tn_auth_list: TnAuthList,
}

impl fmt::Debug for CertificateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateRequest(..)")
    }
}

impl CertificateRequest {
    /// Begins a request for a certificate of `key`: version 1, the subject, the key, and the list as
    /// the only requested extension, not critical.
    ///
    /// # Errors
    ///
    /// [`Reason::TooLong`] if the list makes it longer than [`MAX_CERTIFICATE_REQUEST_LEN`]; the
    /// certificate would not be read either.
    ///
    /// Source: RFC 2986 section 4; RFC 2985 section 5.4.2; RFC 8226 section 9 (CRT-1).
    #[expect(
        clippy::new_ret_no_self,
        reason = "a request exists when it is signed, which the key's hardware does"
    )]
    pub fn new(
        key: &P256PublicKey,
        subject: &RequestSubject,
        tn_auth_list: &TnAuthList,
    ) -> Result<UnsignedCertificateRequest, Reason> {
        let extension = [
            der::element(der::OBJECT_IDENTIFIER, oid::TN_AUTH_LIST),
            der::element(der::OCTET_STRING, &tn_auth_list.encode()),
        ];
        let extensions = der::element(
            der::SEQUENCE,
            &der::element(der::SEQUENCE, &extension.concat()),
        );
        let attribute = [
            der::element(der::OBJECT_IDENTIFIER, oid::EXTENSION_REQUEST),
            der::element(der::SET, &extensions),
        ];
        let info = [
            der::unsigned_element(0),
            subject.encode(),
            key.to_spki_der(),
            der::element(
                der::context(0),
                &der::element(der::SEQUENCE, &attribute.concat()),
            ),
        ];
        let info = der::element(der::SEQUENCE, &info.concat());
        // Around it: at most 4 octets of header, 12 of algorithm and 75 of signature.
        if info.len().saturating_add(91) > MAX_CERTIFICATE_REQUEST_LEN {
            return Err(Reason::TooLong);
        }
        Ok(UnsignedCertificateRequest {
            info,
            key: *key,
            tn_auth_list: tn_auth_list.clone(),
        })
    }

    /// Reads one request: strict DER, nothing behind it, a P-256 key, a TNAuthList by value, and a
    /// signature by that key.
    ///
    /// Other attributes and other requested extensions are wishes that nobody has to grant; they are
    /// checked for their form and otherwise ignored.
    ///
    /// # Errors
    ///
    /// - [`Reason::TooLong`]: above [`MAX_CERTIFICATE_REQUEST_LEN`].
    /// - [`Reason::MalformedTnAuthList`]: the list is there and damaged (CRT-10).
    /// - [`Reason::UnsupportedCertificateKey`]: another kind of key or signature.
    /// - [`Reason::SignatureInvalid`]: not signed by the key in it.
    /// - [`Reason::MalformedCertificateRequest`]: anything else, a missing or critical list included.
    ///
    /// Source: RFC 2986 section 4; RFC 2985 section 5.4.2.
    pub fn from_der(provider: &dyn CryptoProvider, der: &[u8]) -> Result<Self, Reason> {
        if der.len() > MAX_CERTIFICATE_REQUEST_LEN {
            return Err(Reason::TooLong);
        }
        let parts = Parts::read(der).ok_or(Reason::MalformedCertificateRequest)?;
        let algorithm = der::element(der::OBJECT_IDENTIFIER, oid::ECDSA_WITH_SHA256);
        if parts.algorithm != algorithm {
            return Err(Reason::UnsupportedCertificateKey);
        }
        let key = P256PublicKey::from_spki_der(parts.spki)
            .map_err(|_| Reason::UnsupportedCertificateKey)?;
        let tn_auth_list = TnAuthList::decode(parts.tn_auth_list)?;
        let signature = Es256Signature::from_der(parts.signature)
            .map_err(|_| Reason::MalformedCertificateRequest)?;
        if !provider.verify_es256(&key, parts.info, &signature) {
            return Err(Reason::SignatureInvalid);
        }
        Ok(Self {
            der: der.to_vec(),
            key,
            tn_auth_list,
        })
    }

    /// Reads a text with one PEM block labelled `CERTIFICATE REQUEST`; text around it is ignored.
    ///
    /// # Errors
    ///
    /// [`Reason::TooLong`] above 32 KiB, [`Reason::MalformedPem`] for no block, several, or another
    /// label, and those of [`CertificateRequest::from_der`].
    ///
    /// Source: RFC 7468 section 7.
    pub fn from_pem(provider: &dyn CryptoProvider, text: &str) -> Result<Self, Reason> {
        if text.len() > MAX_PEM_LEN {
            return Err(Reason::TooLong);
        }
        // The PEM reader takes the first block it understands; the count shows what it passed over.
        if text.matches("-----BEGIN ").count() != 1 {
            return Err(Reason::MalformedPem);
        }
        let block = pem::parse(text).map_err(|_| Reason::MalformedPem)?;
        if block.tag() != PEM_LABEL {
            return Err(Reason::MalformedPem);
        }
        Self::from_der(provider, block.contents())
    }

    /// The request, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request as PEM, lines of 64 characters ended by LF.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new(PEM_LABEL, self.der.as_slice()), config)
    }

    /// The key that the certificate is wanted for.
    #[must_use]
    pub const fn public_key(&self) -> &P256PublicKey {
        &self.key
    }

    /// The numbers and providers that are asked for.
    #[must_use]
    pub const fn tn_auth_list(&self) -> &TnAuthList {
        &self.tn_auth_list
    }
}

/// What a request consists of, all of it borrowed.
struct Parts<'a> {
    /// CertificationRequestInfo with its header: what was signed.
    info: &'a [u8],
    /// SubjectPublicKeyInfo with its header.
    spki: &'a [u8],
    /// Content of the TNAuthList extension.
    tn_auth_list: &'a [u8],
    /// Content of the AlgorithmIdentifier.
    algorithm: &'a [u8],
    /// The signature inside its BIT STRING.
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut request = Reader::new(der::only(der, der::SEQUENCE)?);
        let info = request.expect_whole(der::SEQUENCE)?;
        let algorithm = request.expect(der::SEQUENCE)?;
        let (0, signature) = request
            .expect(der::BIT_STRING)?
            .split_first()
            .map(|(unused, bits)| (*unused, bits))?
        else {
            return None;
        };
        if !request.is_empty() {
            return None;
        }
        let mut members = Reader::new(der::only(info, der::SEQUENCE)?);
        if der::unsigned(members.expect(der::INTEGER)?) != Some(0) {
            return None;
        }
        check_name(members.expect(der::SEQUENCE)?)?;
        let spki = members.expect_whole(der::SEQUENCE)?;
        let attributes = members.expect(der::context(0))?;
        if !members.is_empty() {
            return None;
        }
        Some(Self {
            info,
            spki,
            tn_auth_list: tn_auth_list_of(attributes)?,
            algorithm,
            signature,
        })
    }
}

/// A Name's form: sets of pairs of a type and a value.
fn check_name(name: &[u8]) -> Option<()> {
    let mut name = Reader::new(name);
    while !name.is_empty() {
        let mut set = Reader::new(name.expect(der::SET)?);
        loop {
            let mut attribute = Reader::new(set.expect(der::SEQUENCE)?);
            attribute.expect(der::OBJECT_IDENTIFIER)?;
            attribute.next()?;
            if !attribute.is_empty() {
                return None;
            }
            if set.is_empty() {
                break;
            }
        }
    }
    Some(())
}

/// The TNAuthList among the requested extensions. Attributes and extensions stand once each.
fn tn_auth_list_of(attributes: &[u8]) -> Option<&[u8]> {
    let mut attributes = Reader::new(attributes);
    let mut requested = None;
    while !attributes.is_empty() {
        let mut attribute = Reader::new(attributes.expect(der::SEQUENCE)?);
        let name = attribute.expect(der::OBJECT_IDENTIFIER)?;
        let values = attribute.expect(der::SET)?;
        if !attribute.is_empty() {
            return None;
        }
        if name == oid::EXTENSION_REQUEST
            && requested
                .replace(der::only(values, der::SEQUENCE)?)
                .is_some()
        {
            return None;
        }
    }
    let mut extensions = Reader::new(requested?);
    let mut names = std::collections::HashSet::new();
    let mut list = None;
    while !extensions.is_empty() {
        let mut extension = Reader::new(extensions.expect(der::SEQUENCE)?);
        let name = extension.expect(der::OBJECT_IDENTIFIER)?;
        let (is_critical, value) = match extension.next()? {
            (der::BOOLEAN, [0xff]) => (true, extension.expect(der::OCTET_STRING)?),
            (der::OCTET_STRING, value) => (false, value),
            _ => return None,
        };
        if !extension.is_empty() || !names.insert(name) {
            return None;
        }
        if name == oid::TN_AUTH_LIST {
            // CRT-1: the extension is not critical.
            list = Some(value).filter(|_| !is_critical);
        }
    }
    list
}
