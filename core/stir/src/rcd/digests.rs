//! `rcdi`: which digest belongs to which part of `rcd`.

use serde_json::{Map, Value};

use super::content::{Content, RcdContentKind, State};
use super::jcard::JCard;
use super::pointer::Pointer;
use crate::integrity::{DigestAlgorithm, IntegrityDigest};
use crate::{Reason, json};

/// The most digests. More than every member and every URI of a card has use for.
const MAX_DIGESTS: usize = 64;

/// The claim `rcdi` in checked form.
#[derive(Clone, Default)]
pub(super) struct Digests(Vec<(Pointer, IntegrityDigest)>);

impl Digests {
    /// An object of pointers and digests; no claim means none.
    ///
    /// Source: RFC 9795 section 6 (PPT-73).
    pub(super) fn from_claim(claim: Option<&Value>) -> Result<Self, Reason> {
        let Some(claim) = claim else {
            return Ok(Self::default());
        };
        let members = claim.as_object().ok_or(Reason::MalformedRcd)?;
        if members.len() > MAX_DIGESTS {
            return Err(Reason::TooDeep);
        }
        members
            .iter()
            .map(|(pointer, digest)| {
                let digest = digest.as_str().ok_or(Reason::MalformedDigest)?;
                Ok((Pointer::parse(pointer)?, IntegrityDigest::parse(digest)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The digest for what `pointer` names.
    pub(super) fn of(&self, pointer: &str) -> Option<&IntegrityDigest> {
        self.iter()
            .find(|(other, _)| other.as_str() == pointer)
            .map(|(_, digest)| digest)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Pointer, &IntegrityDigest)> {
        self.0.iter().map(|(pointer, digest)| (pointer, digest))
    }
}

/// Whether `digest` is over this JSON value: over its deterministic serialisation, in which a string
/// keeps its quotes.
///
/// Source: RFC 9795 section 6.1 (PPT-74).
pub(super) fn is_over_value(digest: &IntegrityDigest, value: &Value) -> bool {
    digest.matches(json::canonical(value).as_bytes())
}

/// The SHA-256 digest that `rcdi` has to hold for what is at `pointer`: a JSON value, or the image in
/// a data URL.
///
/// `claims` is a claim set with `rcd`, or the `rcd` object itself; `pointer` is relative to `rcd`:
/// `/nam`, `/jcd`. Nothing else of the object is checked.
///
/// # Errors
///
/// - [`Reason::MalformedRcd`]: no object, no pointer, or nothing there.
/// - [`Reason::RcdNotChecked`]: a URL stands there, or the pointer leads behind one: the digest is over
///   what the URL gives. [`IntegrityDigest::compute`] makes it from those octets.
/// - [`Reason::MalformedUrl`], [`Reason::UnsupportedMediaType`], [`Reason::TooLong`]: a data URL without
///   a usable image.
///
/// Source: RFC 9795 section 6.1 (PPT-74).
pub fn digest_of(claims: &Value, pointer: &str) -> Result<IntegrityDigest, Reason> {
    let claims = claims.as_object().ok_or(Reason::MalformedRcd)?;
    let members = match claims.get("rcd") {
        Some(rcd) => rcd.as_object().ok_or(Reason::MalformedRcd)?,
        None => claims,
    };
    let pointer = Pointer::parse(pointer)?;
    if pointer.is_inside_linked_card() && members.contains_key("jcl") {
        return Err(Reason::RcdNotChecked);
    }
    let rcd = Value::Object(members.clone());
    let value = pointer.resolve(&rcd).ok_or(Reason::MalformedRcd)?;
    let octets = match content_at(members, pointer.as_str(), value) {
        None => json::canonical(value).into_bytes(),
        Some(content) => match content.state {
            State::Held(octets) => octets,
            State::Void(reason) if !content.is_remote => return Err(reason),
            _ => return Err(Reason::RcdNotChecked),
        },
    };
    Ok(IntegrityDigest::compute(DigestAlgorithm::Sha256, &octets))
}

/// The content that the value at `pointer` stands for, if it stands for some and not for itself.
fn content_at(members: &Map<String, Value>, pointer: &str, value: &Value) -> Option<Content> {
    let no_digests = Digests::default();
    if matches!(pointer, "/icn" | "/jcl") {
        let kind = RcdContentKind::Icon;
        return Content::new(pointer.to_owned(), value.as_str()?, kind, &no_digests);
    }
    let card = JCard::from_value(members.get("jcd")?).ok()?;
    Content::of_card("/jcd", &card, &no_digests)
        .into_iter()
        .find(|content| content.pointer == pointer)
}
