//! What a log signed: the certificate without its timestamps, rebuilt from its own octets.

use super::list::{SctList, u16_framed};
use crate::Reason;
use crate::certificate::Certificate;
use crate::der::{self, Reader};

/// 1.3.6.1.4.1.11129.2.4.2, the extension with the list.
const SCT_LIST: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];

/// What a log signs for a precertificate.
///
/// `tbs` is the DER TBSCertificate without timestamps and without the poison extension,
/// `issuer_key_hash` the SHA-256 of the final issuer's SubjectPublicKeyInfo, `timestamp_ms`
/// milliseconds since 1970, `extensions` those of the timestamp.
///
/// # Errors
///
/// [`Reason::MalformedSctList`] if `tbs` or `extensions` do not fit their length fields.
///
/// Source: RFC 6962 section 3.2.
pub fn precertificate_signing_input(
    tbs: &[u8],
    issuer_key_hash: &[u8; 32],
    timestamp_ms: u64,
    extensions: &[u8],
) -> Result<Vec<u8>, Reason> {
    // v1, certificate_timestamp.
    let mut signed = vec![0, 0];
    signed.extend(timestamp_ms.to_be_bytes());
    // precert_entry.
    signed.extend([0, 1]);
    signed.extend(issuer_key_hash);
    let [first @ .., a, b, c] = u32::try_from(tbs.len())
        .map_err(|_| Reason::MalformedSctList)?
        .to_be_bytes();
    if first != [0] {
        return Err(Reason::MalformedSctList);
    }
    signed.extend([a, b, c]);
    signed.extend(tbs);
    signed.extend(u16_framed(extensions).ok_or(Reason::MalformedSctList)?);
    Ok(signed)
}

/// The timestamps of a certificate and what remains of its TBSCertificate without them.
///
/// Only the lengths of the three structures around the extension are written anew; every other octet
/// is the certificate's own. `None`: it has no such extension.
pub(super) fn split(certificate: &Certificate) -> Result<Option<(SctList, Vec<u8>)>, Reason> {
    // Whatever this cannot take apart is no certificate that was parsed.
    let parts = Parts::read(certificate.der()).ok_or(Reason::MalformedCertificate)?;
    let Some(value) = parts.value else {
        return Ok(None);
    };
    let list = SctList::decode(value)?;
    // RFC 5280 has no empty extensions, and RFC 6962 does not say what a log would sign then.
    if parts.others.is_empty() {
        return Err(Reason::MalformedSctList);
    }
    let extensions = der::element(
        der::context(3),
        &der::element(der::SEQUENCE, &parts.others.concat()),
    );
    let tbs = der::element(der::SEQUENCE, &[parts.before, &extensions].concat());
    Ok(Some((list, tbs)))
}

struct Parts<'a> {
    /// The content of the TBSCertificate up to its extensions.
    before: &'a [u8],
    /// The value of the extension with the list.
    value: Option<&'a [u8]>,
    /// All other extensions with their headers.
    others: Vec<&'a [u8]>,
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut certificate = Reader::new(der::only(der, der::SEQUENCE)?);
        let content = certificate.expect(der::SEQUENCE)?;
        let mut parts = Self {
            before: content,
            value: None,
            others: Vec::new(),
        };
        let mut members = Reader::new(content);
        // Version, serial number, algorithm, issuer, validity, subject, key and two identifiers that
        // may be absent stand before the extensions, which are the last.
        while !members.is_empty() {
            let before = content.len().checked_sub(members.remaining())?;
            let (tag, value) = members.next()?;
            if tag != der::context(3) {
                continue;
            }
            parts.before = content.get(..before)?;
            if !members.is_empty() {
                return None;
            }
            let mut extensions = Reader::new(der::only(value, der::SEQUENCE)?);
            while !extensions.is_empty() {
                let extension = extensions.expect_whole(der::SEQUENCE)?;
                match sct_list(extension)? {
                    // Repeated extensions make no certificate.
                    Some(_) if parts.value.is_some() => return None,
                    Some(value) => parts.value = Some(value),
                    None => parts.others.push(extension),
                }
            }
        }
        Some(parts)
    }
}

/// The value of the extension, if it is the one with the list.
fn sct_list(extension: &[u8]) -> Option<Option<&[u8]>> {
    let mut members = Reader::new(der::only(extension, der::SEQUENCE)?);
    if members.expect(der::OBJECT_IDENTIFIER)? != SCT_LIST {
        return Some(None);
    }
    let value = match members.next()? {
        (der::BOOLEAN, _) => members.expect(der::OCTET_STRING)?,
        (der::OCTET_STRING, value) => value,
        _ => return None,
    };
    Some(Some(value))
}
