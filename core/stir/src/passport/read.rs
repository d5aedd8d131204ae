//! Reading a token: everything that is wrong with its form, not only the first.

use std::sync::Arc;

use serde_json::Value;

use super::defects::Defects;
use super::{
    Claims, MAX_DIVERSIONS, MAX_NESTED_LEN, MAX_PASSPORT_LEN, Parsed, Passport, PassportType,
};
use crate::jws::{self, CompactJws};
use crate::{Reason, base64url, json, x5u};

/// Reads as leniently as any reader may; the token exists unless a defect refuses it in every case.
///
/// `level` counts the tokens around this one.
pub(super) fn read(text: &str, level: usize, defects: &mut Defects) -> Option<Passport> {
    if jws::is_compact_form(text) {
        defects.refuse(Reason::CompactFormNotAllowed);
        return None;
    }
    let parts = jws::take_apart(text, len_limit(text), &mut defects.refusals)?;
    let mut kind = PassportType::Unsupported;
    if let Some(header) = &parts.header {
        kind = read_header(header, defects);
    }
    let payload = parts
        .payload
        .as_ref()
        .and_then(|payload| defects.note(json::parse(payload, payload.len())));
    let claims = payload.and_then(|payload| Claims::read(kind, payload, level, defects));
    if !defects.refusals.is_empty() {
        return None;
    }
    let jws = CompactJws::from_parts(text, parts)?;
    let claims = claims?;
    if !jws.is_canonical(claims.payload()) {
        defects.deviates(Reason::NotCanonical);
    }
    Some(Passport(Arc::new(Parsed {
        jws,
        kind,
        claims,
        deviations: defects.deviations.clone(),
    })))
}

fn read_header(header: &Value, defects: &mut Defects) -> PassportType {
    if header.get("typ").and_then(Value::as_str) != Some("passport") {
        defects.refuse(Reason::TypeMismatch);
    }
    match header.get("x5u") {
        None => defects.refuse(Reason::X5uMissing),
        Some(Value::String(url)) if x5u::is_https(url) => {}
        Some(_) => defects.refuse(Reason::MalformedUrl),
    }
    let kind = match header.get("ppt") {
        None => PassportType::Base,
        Some(Value::String(ppt)) => PassportType::from_ppt(Some(ppt)),
        Some(_) => {
            defects.refuse(Reason::MalformedPpt);
            return PassportType::Unsupported;
        }
    };
    defects.is_unsupported = kind == PassportType::Unsupported;
    kind
}

/// Reads `opt`, the token inside a token (PPT-59, PPT-63).
pub(super) fn nested(
    claim: Option<&Value>,
    level: usize,
    defects: &mut Defects,
) -> Option<Passport> {
    let Some(text) = claim.and_then(Value::as_str) else {
        defects.refuse(Reason::MalformedOpt);
        return None;
    };
    let level = level.saturating_add(1);
    if level > MAX_DIVERSIONS {
        defects.refuse(Reason::DivTooDeep);
        return None;
    }
    let mut inner = Defects::default();
    let passport = read(text, level, &mut inner);
    if passport.is_none() {
        // One of too many is a token all the same.
        if inner.refusals.first() != Some(&Reason::DivTooDeep) {
            defects.refuse(Reason::MalformedOpt);
        }
        for reason in inner.refusals {
            defects.refuse(reason);
        }
    }
    passport
}

/// How long this token may be: only what carries another inside gets more.
fn len_limit(text: &str) -> usize {
    if text.len() <= MAX_PASSPORT_LEN {
        return MAX_PASSPORT_LEN;
    }
    if stated_kind(text) == Some(PassportType::DivO) {
        MAX_NESTED_LEN
    } else {
        MAX_PASSPORT_LEN
    }
}

/// The type that the header states, if it can be read: what the rest is like is not looked at.
pub(super) fn stated_kind(text: &str) -> Option<PassportType> {
    let (header, _) = text.split_once('.')?;
    if header.len() > MAX_PASSPORT_LEN {
        return None;
    }
    let header = json::parse(&base64url::decode(header).ok()?, MAX_PASSPORT_LEN).ok()?;
    match header.as_object()?.get("ppt") {
        None => Some(PassportType::Base),
        Some(ppt) => Some(PassportType::from_ppt(Some(ppt.as_str()?))),
    }
}
