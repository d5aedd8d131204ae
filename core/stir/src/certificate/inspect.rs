//! What a certificate says, for people and tools. Checks do not depend on anything here.

use super::{Certificate, IssuerKey, KeyUsage, name};
use crate::X5u;
use crate::crypto::IssuerCurve;
use crate::der::{self, Reader};

/// The contents of object identifiers.
mod oid {
    pub(super) const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
    pub(super) const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
    pub(super) const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
    pub(super) const STIR_TN_LIST: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 14];
    pub(super) const SCT_LIST: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];
    /// The extensions that have a meaning to this library, beside those above.
    pub(super) const KNOWN: [&[u8]; 8] = [
        &[0x55, 0x1d, 0x0e],
        &[0x55, 0x1d, 0x0f],
        &[0x55, 0x1d, 0x11],
        &[0x55, 0x1d, 0x13],
        &[0x55, 0x1d, 0x23],
        &[0x2b, 6, 1, 5, 5, 7, 1, 26],
        &[0x2b, 6, 1, 5, 5, 7, 1, 27],
        &[0x2b, 6, 1, 5, 5, 7, 1, 33],
    ];
}

/// `[6]` IMPLICIT IA5String of a GeneralName.
const URI: u8 = 0x86;

/// `[4]` EXPLICIT Name of a GeneralName.
pub(super) const DIRECTORY_NAME: u8 = der::context(4);

/// The names of keyUsage's bits, from the highest.
const KEY_USAGES: [(u16, &str); 9] = [
    (KeyUsage::DIGITAL_SIGNATURE, "digitalSignature"),
    (0x4000, "nonRepudiation"),
    (0x2000, "keyEncipherment"),
    (0x1000, "dataEncipherment"),
    (0x0800, "keyAgreement"),
    (KeyUsage::KEY_CERT_SIGN, "keyCertSign"),
    (KeyUsage::CRL_SIGN, "cRLSign"),
    (0x0100, "encipherOnly"),
    (0x0080, "decipherOnly"),
];

/// The kind of a subject's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// NIST P-256, the only one that signs tokens.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// RSA with a modulus of so many bits.
    Rsa(usize),
    /// Anything else, compressed points among them.
    Other,
}

/// Where revocation lists for a certificate are, as the certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlDistributionPoint {
    /// The URLs, as they stand there; characters that are not visible ASCII are replaced.
    pub urls: Vec<String>,
    /// Who signs the list, if that is not the certificate's issuer, as text. Live certificates spell
    /// one administrator in many ways: never compare it (CRT-57, CRT-60).
    pub issuer: Option<String>,
}

/// An extension of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionSummary {
    /// The object identifier, dotted.
    pub oid: String,
    /// Whether a reader that does not know it must refuse the certificate.
    pub is_critical: bool,
    /// Whether this library knows it.
    pub is_known: bool,
}

impl Certificate {
    /// The subject as RFC 4514 writes names, control characters escaped, at most 256 characters.
    #[must_use]
    pub fn subject_text(&self) -> String {
        name::text(&self.0.subject)
    }

    /// The issuer, as [`Certificate::subject_text`].
    #[must_use]
    pub fn issuer_text(&self) -> String {
        name::text(&self.0.issuer)
    }

    /// The serial number's octets in hexadecimal, lower case.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        base16ct::lower::encode_string(&self.0.serial)
    }

    /// The X.509 version, 1 to 3.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// The kind of the subject's key.
    #[must_use]
    pub fn key_kind(&self) -> KeyKind {
        match &self.0.issuer_key {
            IssuerKey::Ec(IssuerCurve::P256, _) => KeyKind::P256,
            IssuerKey::Ec(IssuerCurve::P384, _) => KeyKind::P384,
            IssuerKey::Ec(IssuerCurve::P521, _) => KeyKind::P521,
            IssuerKey::Rsa(bits) => KeyKind::Rsa(*bits),
            IssuerKey::Other => KeyKind::Other,
        }
    }

    /// How many CA certificates may follow below, where basicConstraints says it.
    #[must_use]
    pub fn path_len(&self) -> Option<u64> {
        self.0.path_len
    }

    /// The names of the key usages as in RFC 5280 section 4.2.1.3. `None`: there is no such extension.
    #[must_use]
    pub fn key_usages(&self) -> Option<Vec<&'static str>> {
        let usage = self.0.key_usage?;
        let set = KEY_USAGES.iter().filter(|(bit, _)| usage.has(*bit));
        Some(set.map(|(_, name)| *name).collect())
    }

    /// The subject key identifier.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.subject_key_id.as_deref()
    }

    /// The key identifier of the authority key identifier (CRT-35).
    #[must_use]
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.0.authority_key_id.as_deref()
    }

    /// The certificate policies, dotted. Empty if there are none or they cannot be read.
    #[must_use]
    pub fn policies(&self) -> Vec<String> {
        self.extension(oid::CERTIFICATE_POLICIES)
            .and_then(policies)
            .unwrap_or_default()
    }

    /// The distribution points. Empty if there are none or they cannot be read.
    #[must_use]
    pub fn crl_distribution_points(&self) -> Vec<CrlDistributionPoint> {
        self.extension(oid::CRL_DISTRIBUTION_POINTS)
            .and_then(distribution_points)
            .unwrap_or_default()
    }

    /// Whether there are embedded signed certificate timestamps. Nothing of them is checked.
    #[must_use]
    pub fn has_sct_list(&self) -> bool {
        self.extension(oid::SCT_LIST).is_some()
    }

    /// All extensions in their order.
    #[must_use]
    pub fn extensions(&self) -> Vec<ExtensionSummary> {
        let known = |name: &[u8]| {
            [
                oid::CRL_DISTRIBUTION_POINTS,
                oid::CERTIFICATE_POLICIES,
                oid::AUTHORITY_INFO_ACCESS,
                oid::SCT_LIST,
            ]
            .contains(&name)
                || oid::KNOWN.contains(&name)
        };
        let summary = |extension: &super::Extension| ExtensionSummary {
            oid: der::object_identifier_text(&extension.name),
            is_critical: extension.critical,
            is_known: known(&extension.name),
        };
        self.0.extensions.iter().map(summary).collect()
    }
}

fn policies(value: &[u8]) -> Option<Vec<String>> {
    let mut elements = Reader::new(der::only(value, der::SEQUENCE)?);
    let mut policies = Vec::new();
    while !elements.is_empty() {
        let mut policy = Reader::new(elements.expect(der::SEQUENCE)?);
        let name = policy.expect(der::OBJECT_IDENTIFIER)?;
        policies.push(der::object_identifier_text(name));
    }
    Some(policies)
}

fn distribution_points(value: &[u8]) -> Option<Vec<CrlDistributionPoint>> {
    /// `[2]` IMPLICIT GeneralNames.
    const CRL_ISSUER: u8 = der::context(2);
    let mut elements = Reader::new(der::only(value, der::SEQUENCE)?);
    let mut points = Vec::new();
    while !elements.is_empty() {
        let mut members = Reader::new(elements.expect(der::SEQUENCE)?);
        let mut point = CrlDistributionPoint {
            urls: Vec::new(),
            issuer: None,
        };
        while !members.is_empty() {
            match members.next()? {
                // distributionPoint [0], its choice fullName [0].
                (tag, content) if tag == der::context(0) => {
                    if let Some(names) = der::only(content, der::context(0)) {
                        point.urls = urls(names)?;
                    }
                }
                (CRL_ISSUER, content) => point.issuer = directory_name(content)?.map(name::text),
                _ => {}
            }
        }
        points.push(point);
    }
    Some(points)
}

fn urls(general_names: &[u8]) -> Option<Vec<String>> {
    let mut names = Reader::new(general_names);
    let mut urls = Vec::new();
    while !names.is_empty() {
        if let (URI, url) = names.next()? {
            urls.push(visible(url));
        }
    }
    Some(urls)
}

/// The first directory name among general names.
pub(super) fn directory_name(general_names: &[u8]) -> Option<Option<&[u8]>> {
    let mut names = Reader::new(general_names);
    while !names.is_empty() {
        if let (DIRECTORY_NAME, name) = names.next()? {
            return Some(Some(name));
        }
    }
    Some(None)
}

fn visible(text: &[u8]) -> String {
    let visible = |octet: &u8| {
        if octet.is_ascii_graphic() {
            char::from(*octet)
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    text.iter().map(visible).collect()
}

/// The first stirTNList access location that is an https URL in the form of `x5u`.
pub(super) fn tn_auth_list_url(certificate: &Certificate) -> Option<X5u> {
    let value = certificate.extension(oid::AUTHORITY_INFO_ACCESS)?;
    let mut elements = Reader::new(der::only(value, der::SEQUENCE)?);
    while !elements.is_empty() {
        let mut access = Reader::new(elements.expect(der::SEQUENCE)?);
        let method = access.expect(der::OBJECT_IDENTIFIER)?;
        let (tag, location) = access.next()?;
        if method == oid::STIR_TN_LIST && tag == URI {
            let url = core::str::from_utf8(location).ok();
            if let Some(url) = url.and_then(|url| X5u::parse(url).ok()) {
                return Some(url);
            }
        }
    }
    None
}
