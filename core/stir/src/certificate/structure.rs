//! The structure of a certificate: strict DER, and every octet in its place.
//!
//! What the fields mean is not looked at here. Two readers must not differ on what was signed, so
//! nothing is passed over: no element behind the expected ones, no length or number in a longer form,
//! no other form of time. Live certificates keep to that (CRT-70 and CRT-71 are about values).

use core::ops::Range;

use super::name;
use crate::UnixTime;
use crate::der::{self, Reader};

/// `[1]` and `[2]` IMPLICIT BIT STRING: identifiers that nobody uses.
const UNIQUE_IDS: [u8; 2] = [0x81, 0x82];

/// A certificate taken apart, all of it borrowed.
pub(super) struct Structure<'a> {
    /// Where the TBSCertificate lies, header included: what was signed.
    pub(super) tbs: Range<usize>,
    /// 1 to 3.
    pub(super) version: u32,
    /// The content of the INTEGER.
    pub(super) serial: &'a [u8],
    /// The content of the AlgorithmIdentifier, the same octets inside and outside the signed part.
    pub(super) algorithm: &'a [u8],
    /// The DER Name.
    pub(super) issuer: &'a [u8],
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
    /// The DER Name.
    pub(super) subject: &'a [u8],
    pub(super) key: SubjectKey<'a>,
    pub(super) extensions: Vec<RawExtension<'a>>,
    /// The content of the signature's BIT STRING.
    pub(super) signature: &'a [u8],
}

/// A SubjectPublicKeyInfo.
pub(super) struct SubjectKey<'a> {
    /// The whole element.
    pub(super) spki: &'a [u8],
    /// The content of the algorithm's object identifier.
    pub(super) algorithm: &'a [u8],
    /// The tag and the content of the algorithm's parameters.
    pub(super) parameters: Option<(u8, &'a [u8])>,
    /// The key, if it consists of whole octets.
    pub(super) octets: Option<&'a [u8]>,
}

/// An extension as it stands there.
pub(super) struct RawExtension<'a> {
    /// The content of the object identifier.
    pub(super) name: &'a [u8],
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

impl<'a> Structure<'a> {
    /// Takes a certificate apart. `None`: it is none in strict DER.
    ///
    /// Serial numbers may be zero, negative or long, as RFC 5280 section 4.1.2.2 asks of readers; an
    /// extension may state that it is not critical.
    ///
    /// Source: RFC 5280 section 4.1.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let content = der::only(der, der::SEQUENCE)?;
        let mut elements = Reader::new(content);
        let tbs = elements.expect_whole(der::SEQUENCE)?;
        let algorithm = elements.expect(der::SEQUENCE)?;
        let signature = elements.expect(der::BIT_STRING)?;
        if !elements.is_empty() {
            return None;
        }
        let start = der.len().checked_sub(content.len())?;

        let mut members = Reader::new(der::only(tbs, der::SEQUENCE)?);
        let (version, serial) = match members.next()? {
            (der::INTEGER, serial) => (1, serial),
            (tag, explicit) if tag == der::context(0) => {
                // The first version is stated by leaving it out.
                let version = match der::only(explicit, der::INTEGER)? {
                    [1] => 2,
                    [2] => 3,
                    _ => return None,
                };
                (version, members.expect(der::INTEGER)?)
            }
            _ => return None,
        };
        // The same octets inside and outside, so that none can be changed afterwards (RFC 5280
        // section 4.1.1.2).
        if !is_integer(serial) || members.expect(der::SEQUENCE)? != algorithm {
            return None;
        }
        let issuer = read_name(&mut members)?;
        let (not_before, not_after) = validity(members.expect(der::SEQUENCE)?)?;
        let subject = read_name(&mut members)?;
        let key = SubjectKey::read(members.expect_whole(der::SEQUENCE)?)?;
        let mut next = members.next_if_any()?;
        for unique_id in UNIQUE_IDS {
            if next.is_some_and(|(tag, _)| tag == unique_id && version > 1) {
                next = members.next_if_any()?;
            }
        }
        let extensions = match next {
            None => Vec::new(),
            Some((tag, explicit)) if tag == der::context(3) && version == 3 => {
                read_extensions(der::only(explicit, der::SEQUENCE)?)?
            }
            Some(_) => return None,
        };
        members.is_empty().then_some(Self {
            tbs: start..start.checked_add(tbs.len())?,
            version,
            serial,
            algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            key,
            extensions,
            signature,
        })
    }
}

impl<'a> SubjectKey<'a> {
    fn read(spki: &'a [u8]) -> Option<Self> {
        let mut members = Reader::new(der::only(spki, der::SEQUENCE)?);
        let mut identifier = Reader::new(members.expect(der::SEQUENCE)?);
        let (unused, octets) = members.expect(der::BIT_STRING)?.split_first()?;
        let algorithm = identifier.expect(der::OBJECT_IDENTIFIER)?;
        let parameters = identifier.next_if_any()?;
        let whole = members.is_empty() && identifier.is_empty();
        whole.then_some(Self {
            spki,
            algorithm,
            parameters,
            octets: Some(octets).filter(|_| *unused == 0),
        })
    }
}

/// The shortest two's complement form, of whatever sign and size.
fn is_integer(content: &[u8]) -> bool {
    match content {
        [] => false,
        [0x00, second, ..] => *second >= 0x80,
        [0xff, second, ..] => *second < 0x80,
        _ => true,
    }
}

fn read_name<'a>(members: &mut Reader<'a>) -> Option<&'a [u8]> {
    let name = members.expect_whole(der::SEQUENCE)?;
    name::is_well_formed(name).then_some(name)
}

fn validity(content: &[u8]) -> Option<(UnixTime, UnixTime)> {
    let mut times = Reader::new(content);
    let mut time = || {
        let (tag, content) = times.next()?;
        der::time(tag, content)
    };
    let validity = (time()?, time()?);
    times.is_empty().then_some(validity)
}

/// At least one extension.
fn read_extensions(content: &[u8]) -> Option<Vec<RawExtension<'_>>> {
    let mut elements = Reader::new(content);
    let mut extensions = Vec::new();
    while !elements.is_empty() {
        let mut members = Reader::new(elements.expect(der::SEQUENCE)?);
        let name = members.expect(der::OBJECT_IDENTIFIER)?;
        let (critical, value) = match members.next()? {
            (der::OCTET_STRING, value) => (false, value),
            (der::BOOLEAN, [flag @ (0x00 | 0xff)]) => {
                (*flag == 0xff, members.expect(der::OCTET_STRING)?)
            }
            _ => return None,
        };
        if !members.is_empty() {
            return None;
        }
        extensions.push(RawExtension {
            name,
            critical,
            value,
        });
    }
    (!extensions.is_empty()).then_some(extensions)
}
