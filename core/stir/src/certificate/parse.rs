//! From DER to [`Parsed`].

use core::ops::Range;
use std::collections::HashSet;

use sha2::{Digest as _, Sha256};
use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::certificate::{TbsCertificate, X509Certificate, X509CertificateParser};
use x509_parser::nom::Parser as _;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::{
    ClaimConstraints, Extension, IssuerKey, KeyUsage, MAX_CERTIFICATE_LEN, Parsed, Signature,
};
use crate::crypto::{IssuerCurve, P256PublicKey};
use crate::der::{self, Reader};
use crate::tn_auth_list::TnAuthList;
use crate::{Reason, UnixTime};

/// The contents of object identifiers.
mod oid {
    pub(super) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    pub(super) const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    pub(super) const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
    pub(super) const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
    pub(super) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    pub(super) const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
    pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
    pub(super) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
    pub(super) const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
    pub(super) const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
    pub(super) const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
    pub(super) const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
    pub(super) const TN_AUTH_LIST: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 26];
    pub(super) const JWT_CLAIM_CONSTRAINTS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 27];
    pub(super) const ENHANCED_JWT_CLAIM_CONSTRAINTS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 33];
    /// The access method of a TNAuthList by reference, with its tag and length.
    pub(super) const STIR_TN_LIST_ELEMENT: &[u8] = &[0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 48, 14];
}

pub(super) fn parse(der: Vec<u8>) -> Result<Parsed, Reason> {
    if der.len() > MAX_CERTIFICATE_LEN {
        return Err(Reason::TooLong);
    }
    // Extensions are read below, strictly, and only those that matter.
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
    let (rest, certificate) = parser
        .parse(&der)
        .map_err(|_| Reason::MalformedCertificate)?;
    let (tbs, signature) = layout(&der, &certificate).ok_or(Reason::MalformedCertificate)?;
    if !rest.is_empty() {
        return Err(Reason::MalformedCertificate);
    }
    let parts = &certificate.tbs_certificate;
    let extensions = Extensions::read(parts)?;
    let seconds = |timestamp: i64| UnixTime::from_secs(u64::try_from(timestamp).unwrap_or(0));
    let key = p256_key(&parts.subject_pki)?;
    let parsed = Parsed {
        tbs,
        version: parts.version.0.saturating_add(1),
        serial: parts.raw_serial().to_vec(),
        issuer: parts.issuer.as_raw().to_vec(),
        subject: parts.subject.as_raw().to_vec(),
        not_before: seconds(parts.validity.not_before.timestamp()),
        not_after: seconds(parts.validity.not_after.timestamp()),
        spki: parts.subject_pki.raw.to_vec(),
        spki_digest: Sha256::digest(parts.subject_pki.raw).into(),
        issuer_key: issuer_key(&parts.subject_pki, key.as_ref()),
        key,
        signature,
        is_ca: extensions.is_ca,
        path_len: extensions.path_len,
        key_usage: extensions.key_usage,
        subject_key_id: extensions.subject_key_id,
        authority_key_id: extensions.authority_key_id,
        tn_auth_list: extensions.tn_auth_list,
        has_list_by_reference: extensions.has_list_by_reference,
        has_ignored_constraints: extensions.is_ca && extensions.has_constraints,
        constraints: extensions.constraints.filter(|_| !extensions.is_ca),
        has_unknown_critical_extension: extensions.has_unknown_critical,
        extensions: extensions.all,
        der: Vec::new(),
    };
    Ok(Parsed { der, ..parsed })
}

/// Where the signed part lies, and the signature.
///
/// The signed part must be what the parser read, so that no octet is signed but not read, and the
/// unsigned algorithm the same octets as the signed one (RFC 5280 section 4.1.1.2), so that none can
/// be changed afterwards.
fn layout(der: &[u8], certificate: &X509Certificate<'_>) -> Option<(Range<usize>, Signature)> {
    let content = der::only(der, der::SEQUENCE)?;
    let start = der.len().checked_sub(content.len())?;
    let tbs: &[u8] = certificate.tbs_certificate.as_ref();
    let range = start..start.checked_add(tbs.len())?;
    let mut elements = Reader::new(content);
    let mut signed = Reader::new(elements.expect(der::SEQUENCE)?);
    let algorithm = elements.expect(der::SEQUENCE)?;
    let bits = elements.expect(der::BIT_STRING)?;
    // The version may be absent, the serial number not.
    if signed.next()?.0 == der::context(0) {
        signed.expect(der::INTEGER)?;
    }
    let whole = elements.is_empty()
        && signed.expect(der::SEQUENCE)? == algorithm
        && der.get(range.clone()) == Some(tbs)
        && der::only(tbs, der::SEQUENCE).is_some();
    if !whole {
        return None;
    }
    Some((range, Signature::read(algorithm, bits)?))
}

fn p256_key(spki: &SubjectPublicKeyInfo<'_>) -> Result<Option<P256PublicKey>, Reason> {
    let is_p256 = spki.algorithm.algorithm.as_bytes() == oid::EC_PUBLIC_KEY
        && parameters(&spki.algorithm)
            .is_some_and(|any| any.tag() == Tag::Oid && any.as_bytes() == oid::PRIME256V1);
    let point: &[u8] = spki.subject_public_key.as_ref();
    // RFC 5480 allows compressed points; no certificate of this ecosystem has one.
    if !is_p256 || point.first() != Some(&4) || spki.subject_public_key.unused_bits != 0 {
        return Ok(None);
    }
    P256PublicKey::from_sec1(point)
        .map(Some)
        .map_err(|_| Reason::MalformedCertificate)
}

/// The key as that of an authority. Encodings other than the uncompressed one read as unsupported.
fn issuer_key(spki: &SubjectPublicKeyInfo<'_>, p256: Option<&P256PublicKey>) -> IssuerKey {
    if let Some(key) = p256 {
        return IssuerKey::Ec(IssuerCurve::P256, key.as_sec1().to_vec());
    }
    let key: &[u8] = spki.subject_public_key.as_ref();
    if spki.subject_public_key.unused_bits != 0 {
        return IssuerKey::Other;
    }
    match spki.algorithm.algorithm.as_bytes() {
        oid::EC_PUBLIC_KEY => {
            let curve = parameters(&spki.algorithm)
                .filter(|any| any.tag() == Tag::Oid)
                .map(Any::as_bytes);
            match (curve, key.len(), key.first()) {
                (Some(oid::SECP384R1), 97, Some(4)) => {
                    IssuerKey::Ec(IssuerCurve::P384, key.to_vec())
                }
                (Some(oid::SECP521R1), 133, Some(4)) => {
                    IssuerKey::Ec(IssuerCurve::P521, key.to_vec())
                }
                _ => IssuerKey::Other,
            }
        }
        oid::RSA_ENCRYPTION => rsa_bits(key).map_or(IssuerKey::Other, IssuerKey::Rsa),
        _ => IssuerKey::Other,
    }
}

/// The length of the modulus of an RSAPublicKey.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let mut members = Reader::new(der::only(key, der::SEQUENCE)?);
    let modulus = members.expect(der::INTEGER)?;
    members.expect(der::INTEGER)?;
    let start = modulus.iter().position(|octet| *octet != 0)?;
    let significant = modulus.get(start..)?;
    let zeros = usize::try_from(significant.first()?.leading_zeros()).ok()?;
    let bits = significant.len().checked_mul(8)?.checked_sub(zeros)?;
    members.is_empty().then_some(bits)
}

fn parameters<'a>(algorithm: &'a AlgorithmIdentifier<'a>) -> Option<&'a Any<'a>> {
    algorithm.parameters.as_ref()
}

#[derive(Default)]
struct Extensions {
    is_ca: bool,
    path_len: Option<u64>,
    key_usage: Option<KeyUsage>,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    tn_auth_list: Option<TnAuthList>,
    has_list_by_reference: bool,
    constraints: Option<ClaimConstraints>,
    has_constraints: bool,
    has_unknown_critical: bool,
    all: Vec<Extension>,
}

impl Extensions {
    fn read(certificate: &TbsCertificate<'_>) -> Result<Self, Reason> {
        const MALFORMED: Reason = Reason::MalformedCertificate;
        let mut read = Self::default();
        let mut seen = HashSet::new();
        for extension in certificate.extensions() {
            let name = extension.oid.as_bytes();
            if !seen.insert(name) {
                return Err(MALFORMED);
            }
            let value = extension.value;
            match name {
                oid::BASIC_CONSTRAINTS => {
                    (read.is_ca, read.path_len) = basic_constraints(value).ok_or(MALFORMED)?;
                }
                oid::KEY_USAGE => read.key_usage = Some(key_usage(value).ok_or(MALFORMED)?),
                oid::TN_AUTH_LIST => read.tn_auth_list = Some(TnAuthList::decode(value)?),
                oid::JWT_CLAIM_CONSTRAINTS | oid::ENHANCED_JWT_CLAIM_CONSTRAINTS => {
                    // Never both in one certificate (CRT-24, CRT-25).
                    if core::mem::replace(&mut read.has_constraints, true) {
                        return Err(MALFORMED);
                    }
                    let enhanced = name == oid::ENHANCED_JWT_CLAIM_CONSTRAINTS;
                    read.constraints = ClaimConstraints::decode(value, enhanced)?;
                }
                oid::AUTHORITY_INFO_ACCESS => {
                    // Found wherever it stands: a list that limits must not go unnoticed.
                    read.has_list_by_reference = value
                        .windows(oid::STIR_TN_LIST_ELEMENT.len())
                        .any(|window| window == oid::STIR_TN_LIST_ELEMENT);
                }
                oid::SUBJECT_KEY_IDENTIFIER => {
                    let id = der::only(value, der::OCTET_STRING).ok_or(MALFORMED)?;
                    read.subject_key_id = Some(id.to_vec());
                }
                oid::AUTHORITY_KEY_IDENTIFIER => {
                    read.authority_key_id = authority_key_id(value).ok_or(MALFORMED)?;
                }
                // Names and policies limit nothing that is checked here; some live certificates mark
                // their policies critical (CRT-54).
                oid::SUBJECT_ALT_NAME
                | oid::CERTIFICATE_POLICIES
                | oid::CRL_DISTRIBUTION_POINTS => {}
                _ => read.has_unknown_critical |= extension.critical,
            }
            read.all.push(Extension {
                name: name.to_vec(),
                critical: extension.critical,
                value: value.to_vec(),
            });
        }
        Ok(read)
    }
}

/// `cA` and `pathLenConstraint`. An explicit FALSE is accepted: it is common and means the same.
fn basic_constraints(value: &[u8]) -> Option<(bool, Option<u64>)> {
    let mut members = Reader::new(der::only(value, der::SEQUENCE)?);
    if members.is_empty() {
        return Some((false, None));
    }
    let is_ca = match members.expect(der::BOOLEAN)? {
        [0x00] => false,
        [0xff] => true,
        _ => return None,
    };
    if members.is_empty() {
        return Some((is_ca, None));
    }
    let path_len = der::unsigned(members.expect(der::INTEGER)?)?;
    members.is_empty().then_some((is_ca, Some(path_len)))
}

/// The key identifier, if there is one among the issuer's name and serial number.
pub(super) fn authority_key_id(value: &[u8]) -> Option<Option<Vec<u8>>> {
    /// `[0]` IMPLICIT OCTET STRING.
    const KEY_IDENTIFIER: u8 = 0x80;
    let mut members = Reader::new(der::only(value, der::SEQUENCE)?);
    let mut id = None;
    while !members.is_empty() {
        let (tag, content) = members.next()?;
        if tag == KEY_IDENTIFIER {
            id = Some(content.to_vec());
        }
    }
    Some(id)
}

/// The named bits. A count of unused bits that is too small is let pass and remembered: live
/// certificates have it (CRT-71). Nothing else of DER is.
fn key_usage(value: &[u8]) -> Option<KeyUsage> {
    let (unused, octets) = der::only(value, der::BIT_STRING)?.split_first()?;
    let bits = match octets {
        [] => 0,
        [first] => u16::from_be_bytes([*first, 0]),
        [first, second] => u16::from_be_bytes([*first, *second]),
        _ => return None,
    };
    let due = match octets.last() {
        None => 0,
        // Named bits end with the last one that is set (X.690 section 11.2.2).
        Some(0) => return None,
        Some(last) => last.trailing_zeros(),
    };
    let unused = u32::from(*unused);
    (unused <= due).then_some(KeyUsage {
        bits,
        is_minimal: unused == due,
    })
}
