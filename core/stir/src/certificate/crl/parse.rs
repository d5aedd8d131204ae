//! From DER to [`Parsed`], strictly: what is not understood could be what limits the list.

use core::ops::Range;
use std::collections::HashMap;

use super::{Entry, MAX_CRL_LEN, Parsed, Scope};
use crate::certificate::signature::Signature;
use crate::certificate::{inspect, name, parse as certificate};
use crate::der::{self, Reader};
use crate::{Reason, UnixTime};

/// The contents of object identifiers.
mod oid {
    pub(super) const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 0x14];
    pub(super) const REASON_CODE: &[u8] = &[0x55, 0x1d, 0x15];
    pub(super) const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 0x18];
    pub(super) const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 0x1b];
    pub(super) const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 0x1c];
    pub(super) const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 0x1d];
    pub(super) const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
}

pub(super) fn parse(der: Vec<u8>) -> Result<Parsed, Reason> {
    if der.len() > MAX_CRL_LEN {
        return Err(Reason::TooLong);
    }
    let read = read(&der).ok_or(Reason::MalformedCrl)?;
    Ok(Parsed { der, ..read })
}

/// Where `part`, a slice of `whole`, lies in it.
fn range_in(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

fn read(der: &[u8]) -> Option<Parsed> {
    let mut elements = Reader::new(der::only(der, der::SEQUENCE)?);
    let tbs = elements.expect_whole(der::SEQUENCE)?;
    let algorithm = elements.expect(der::SEQUENCE)?;
    let bits = elements.expect(der::BIT_STRING)?;
    if !elements.is_empty() {
        return None;
    }

    let mut members = Reader::new(der::only(tbs, der::SEQUENCE)?);
    // Only version 2 has extensions, and without them no list can be told from a delta of one.
    if der::unsigned(members.expect(der::INTEGER)?)? != 1 {
        return None;
    }
    // The same octets inside and outside (RFC 5280 section 5.1.1.2).
    if members.expect(der::SEQUENCE)? != algorithm {
        return None;
    }
    let issuer = members.expect_whole(der::SEQUENCE)?;
    let this_update = time(&mut members)?;
    // Without it, nobody could tell when the list is outdated (RFC 5280 section 5.1.2.5).
    let next_update = time(&mut members)?;
    let mut revoked: &[u8] = &[];
    let mut extensions: &[u8] = &[];
    let mut next = members.next_if_any()?;
    if let Some((der::SEQUENCE, content)) = next {
        revoked = content;
        next = members.next_if_any()?;
    }
    if let Some((tag, content)) = next {
        if tag != der::context(0) || !members.is_empty() {
            return None;
        }
        extensions = der::only(content, der::SEQUENCE)?;
    }

    let mut parsed = Parsed {
        der: Vec::new(),
        tbs: range_in(der, tbs)?,
        issuer: issuer.to_vec(),
        this_update,
        next_update,
        authority_key_id: None,
        scope: Scope::default(),
        issuers: HashMap::from([(name::folded(issuer), 0)]),
        entries: Vec::new(),
        signature: Signature::read(algorithm, bits)?,
    };
    read_extensions(extensions, |name, critical, value| {
        match name {
            oid::AUTHORITY_KEY_IDENTIFIER => {
                parsed.authority_key_id = certificate::authority_key_id(value)?;
            }
            oid::ISSUING_DISTRIBUTION_POINT => parsed.scope = scope(value)?,
            // Says nothing without the list that it changes.
            oid::DELTA_CRL_INDICATOR => return None,
            oid::CRL_NUMBER => {}
            _ if critical => return None,
            _ => {}
        }
        Some(())
    })?;
    read_entries(der, revoked, &mut parsed)?;
    Some(parsed)
}

fn time(members: &mut Reader<'_>) -> Option<UnixTime> {
    let (tag, content) = members.next()?;
    der::time(tag, content)
}

/// Walks over extensions; each at most once.
fn read_extensions<'a>(
    content: &'a [u8],
    mut read: impl FnMut(&'a [u8], bool, &'a [u8]) -> Option<()>,
) -> Option<()> {
    let mut elements = Reader::new(content);
    let mut seen: Vec<&[u8]> = Vec::new();
    while !elements.is_empty() {
        let mut members = Reader::new(elements.expect(der::SEQUENCE)?);
        let name = members.expect(der::OBJECT_IDENTIFIER)?;
        let (critical, value) = match members.next()? {
            (der::BOOLEAN, [0xff]) => (true, members.expect(der::OCTET_STRING)?),
            (der::OCTET_STRING, value) => (false, value),
            _ => return None,
        };
        // Lists of these extensions are short; a long one ends at the first repetition or the limit.
        if !members.is_empty() || seen.contains(&name) || seen.len() >= 32 {
            return None;
        }
        seen.push(name);
        read(name, critical, value)?;
    }
    Some(())
}

/// The issuing distribution point. Its name is not compared: who lists what is configured.
fn scope(value: &[u8]) -> Option<Scope> {
    let mut members = Reader::new(der::only(value, der::SEQUENCE)?);
    let mut scope = Scope::default();
    let mut last = None;
    while !members.is_empty() {
        let (tag, content) = members.next()?;
        let number = tag & 0x1f;
        if last.is_some_and(|last| number <= last) {
            return None;
        }
        last = Some(number);
        let is_true = content == [0xff];
        match tag {
            // distributionPoint.
            0xa0 => {}
            0x81 if is_true => scope.only_end_entities = true,
            0x82 if is_true => scope.only_authorities = true,
            0x84 if is_true => scope.is_indirect = true,
            // onlySomeReasons: says too little. onlyContainsAttributeCerts: says nothing.
            _ => return None,
        }
    }
    (!(scope.only_end_entities && scope.only_authorities)).then_some(scope)
}

/// The entries. An issuer that one names holds for the ones behind it too (CRT-60).
fn read_entries(der: &[u8], revoked: &[u8], parsed: &mut Parsed) -> Option<()> {
    let mut elements = Reader::new(revoked);
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    let mut issuer = 0usize;
    while !elements.is_empty() {
        let mut members = Reader::new(elements.expect(der::SEQUENCE)?);
        let serial = significant(members.expect(der::INTEGER)?);
        time(&mut members)?;
        if !members.is_empty() {
            let extensions = members.expect(der::SEQUENCE)?;
            let is_indirect = parsed.scope.is_indirect;
            let mut named = None;
            read_extensions(extensions, |name, critical, value| {
                match name {
                    oid::CERTIFICATE_ISSUER if is_indirect => {
                        let names = der::only(value, der::SEQUENCE)?;
                        named = Some(inspect::directory_name(names)??);
                    }
                    oid::CERTIFICATE_ISSUER => return None,
                    oid::REASON_CODE => reason_code(value)?,
                    oid::INVALIDITY_DATE => {}
                    _ if critical => return None,
                    _ => {}
                }
                Some(())
            })?;
            if let Some(name) = named {
                let issuers = &mut parsed.issuers;
                issuer = *known.entry(name).or_insert_with(|| {
                    let next = issuers.len();
                    *issuers.entry(name::folded(name)).or_insert(next)
                });
            }
        }
        if !members.is_empty() {
            return None;
        }
        let serial = range_in(der, serial)?;
        parsed.entries.push(Entry { issuer, serial });
    }
    let serial = |entry: &Entry| der.get(entry.serial.clone()).unwrap_or_default();
    parsed
        .entries
        .sort_unstable_by(|a, b| (a.issuer, serial(a)).cmp(&(b.issuer, serial(b))));
    Some(())
}

/// Every reason counts, a hold too. Taking an entry back belongs into delta lists.
fn reason_code(value: &[u8]) -> Option<()> {
    const REMOVE_FROM_CRL: u8 = 8;
    match der::only(value, der::ENUMERATED)? {
        [REMOVE_FROM_CRL] => None,
        [0..=10] => Some(()),
        _ => None,
    }
}

/// A serial number without leading zero octets, so that two encodings of one number are one.
pub(super) fn significant(serial: &[u8]) -> &[u8] {
    let start = serial.iter().position(|octet| *octet != 0);
    serial
        .get(start.unwrap_or(serial.len())..)
        .unwrap_or_default()
}
