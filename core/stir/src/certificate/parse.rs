//! From DER to [`Parsed`].

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::structure::{RawExtension, Structure, SubjectKey};
use super::{
    ClaimConstraints, Extension, IssuerKey, KeyUsage, MAX_CERTIFICATE_LEN, Parsed, Signature,
};
use crate::Reason;
use crate::crypto::{IssuerCurve, P256PublicKey};
use crate::der::{self, Reader};
use crate::tn_auth_list::TnAuthList;

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
    let read = Structure::read(&der).ok_or(Reason::MalformedCertificate)?;
    let signature =
        Signature::read(read.algorithm, read.signature).ok_or(Reason::MalformedCertificate)?;
    let extensions = Extensions::read(&read.extensions)?;
    let key = p256_key(&read.key)?;
    let parsed = Parsed {
        tbs: read.tbs,
        version: read.version,
        serial: read.serial.to_vec(),
        issuer: read.issuer.to_vec(),
        subject: read.subject.to_vec(),
        not_before: read.not_before,
        not_after: read.not_after,
        spki: read.key.spki.to_vec(),
        spki_digest: Sha256::digest(read.key.spki).into(),
        issuer_key: issuer_key(&read.key, key.as_ref()),
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

fn p256_key(key: &SubjectKey<'_>) -> Result<Option<P256PublicKey>, Reason> {
    let is_p256 = key.algorithm == oid::EC_PUBLIC_KEY
        && key.parameters == Some((der::OBJECT_IDENTIFIER, oid::PRIME256V1));
    // RFC 5480 allows compressed points; no certificate of this ecosystem has one.
    let point = key
        .octets
        .filter(|point| is_p256 && point.first() == Some(&4));
    point
        .map(P256PublicKey::from_sec1)
        .transpose()
        .map_err(|_| Reason::MalformedCertificate)
}

/// The key as that of an authority. Encodings other than the uncompressed one read as unsupported.
fn issuer_key(key: &SubjectKey<'_>, p256: Option<&P256PublicKey>) -> IssuerKey {
    if let Some(key) = p256 {
        return IssuerKey::Ec(IssuerCurve::P256, key.as_sec1().to_vec());
    }
    let Some(octets) = key.octets else {
        return IssuerKey::Other;
    };
    match key.algorithm {
        oid::EC_PUBLIC_KEY => match (key.parameters, octets.len(), octets.first()) {
            (Some((der::OBJECT_IDENTIFIER, oid::SECP384R1)), 97, Some(4)) => {
                IssuerKey::Ec(IssuerCurve::P384, octets.to_vec())
            }
            (Some((der::OBJECT_IDENTIFIER, oid::SECP521R1)), 133, Some(4)) => {
                IssuerKey::Ec(IssuerCurve::P521, octets.to_vec())
            }
            _ => IssuerKey::Other,
        },
        oid::RSA_ENCRYPTION => rsa_bits(octets).map_or(IssuerKey::Other, IssuerKey::Rsa),
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
    fn read(extensions: &[RawExtension<'_>]) -> Result<Self, Reason> {
        const MALFORMED: Reason = Reason::MalformedCertificate;
        let mut read = Self::default();
        let mut seen = HashSet::new();
        for extension in extensions {
            let RawExtension {
                name,
                critical,
                value,
            } = *extension;
            if !seen.insert(name) {
                return Err(MALFORMED);
            }
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
                _ => read.has_unknown_critical |= critical,
            }
            read.all.push(Extension {
                name: name.to_vec(),
                critical,
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

/// The named bits. A count of 0 unused bits where there are some is let pass and remembered: live
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
    (unused == due || unused == 0).then_some(KeyUsage {
        bits,
        is_minimal: unused == due,
    })
}
