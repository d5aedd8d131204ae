//! JWTClaimConstraints and EnhancedJWTClaimConstraints: which claims a certificate may sign.

use serde_json::Value;

use crate::der::{self, Reader};
use crate::{Reason, json};

/// Names that every PASSporT has; excluding one would exclude all tokens.
const BASE_CLAIMS: [&str; 3] = ["dest", "iat", "orig"];

/// What a signer's certificate demands of the claims it signs. Bounded by the certificate's size.
///
/// Source: RFC 8226 section 8; RFC 9118 section 3 (CRT-20 to CRT-26).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClaimConstraints {
    must_include: Vec<String>,
    permitted_values: Vec<(String, Vec<String>)>,
    must_exclude: Vec<String>,
}

impl ClaimConstraints {
    /// Reads the extension. `Ok(None)`: it is to be treated as absent, because it excludes a claim
    /// that every PASSporT has (CRT-23).
    pub(super) fn decode(der: &[u8], enhanced: bool) -> Result<Option<Self>, Reason> {
        let read = decode(der, enhanced).ok_or(Reason::MalformedCertificate)?;
        let void = read
            .must_exclude
            .iter()
            .any(|name| BASE_CLAIMS.contains(&name.as_str()));
        Ok((!void).then_some(read))
    }

    /// Whether these claims may be signed.
    pub(crate) fn check(&self, claims: &Value) -> Result<(), Reason> {
        let claim = |name: &String| claims.get(name.as_str());
        let permitted = self.permitted_values.iter().all(|(name, values)| {
            claim(name).is_none_or(|value| match value {
                Value::String(text) => values.contains(text),
                // How other values compare is left open; their deterministic form is (CRT-26).
                other => values.contains(&json::canonical(other)),
            })
        });
        let allowed = permitted
            && self.must_include.iter().all(|name| claim(name).is_some())
            && self.must_exclude.iter().all(|name| claim(name).is_none());
        if allowed {
            Ok(())
        } else {
            Err(Reason::ClaimConstraintViolated)
        }
    }
}

fn decode(der: &[u8], enhanced: bool) -> Option<ClaimConstraints> {
    let mut members = Reader::new(der::only(der, der::SEQUENCE)?);
    // At least one member is required.
    let mut next = Some(members.next()?);
    let mut take = |number: u8| -> Option<Option<&[u8]>> {
        let Some((_, content)) = next.filter(|(tag, _)| *tag == der::context(number)) else {
            return Some(None);
        };
        next = if members.is_empty() {
            None
        } else {
            Some(members.next()?)
        };
        der::only(content, der::SEQUENCE).map(Some)
    };
    let must_include = take(0)?.map_or(Some(Vec::new()), |names| strings(names, der::IA5_STRING));
    let permitted_values = take(1)?.map_or(Some(Vec::new()), permitted_values);
    let must_exclude = if enhanced {
        take(2)?.map_or(Some(Vec::new()), |names| strings(names, der::IA5_STRING))
    } else {
        Some(Vec::new())
    };
    if next.is_some() {
        return None;
    }
    Some(ClaimConstraints {
        must_include: must_include?,
        permitted_values: permitted_values?,
        must_exclude: must_exclude?,
    })
}

fn strings(content: &[u8], tag: u8) -> Option<Vec<String>> {
    let mut elements = Reader::new(content);
    let mut texts = Vec::new();
    while !elements.is_empty() {
        let text = core::str::from_utf8(elements.expect(tag)?).ok()?;
        if tag == der::IA5_STRING && !text.is_ascii() {
            return None;
        }
        texts.push(text.to_owned());
    }
    (!texts.is_empty()).then_some(texts)
}

fn permitted_values(content: &[u8]) -> Option<Vec<(String, Vec<String>)>> {
    let mut elements = Reader::new(content);
    let mut permitted = Vec::new();
    while !elements.is_empty() {
        let mut pair = Reader::new(elements.expect(der::SEQUENCE)?);
        let name = core::str::from_utf8(pair.expect(der::IA5_STRING)?).ok()?;
        let values = strings(pair.expect(der::SEQUENCE)?, der::UTF8_STRING)?;
        if !pair.is_empty() || !name.is_ascii() {
            return None;
        }
        permitted.push((name.to_owned(), values));
    }
    (!permitted.is_empty()).then_some(permitted)
}
