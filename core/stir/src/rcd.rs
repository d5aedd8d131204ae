//! Rich call data: a caller's name, icon, card and reason for the call, and what protects them.
//!
//! [`RichCallData::from_claims`] reads the claims `rcd`, `rcdi` and `crn` and checks everything that
//! can be checked without a network. Content behind URLs is not fetched here: by default nobody
//! fetches it, because that tells the caller's host that the telephone is ringing (PPT-84). An
//! application that wants to show some asks [`RichCallData::wanted_fetches`], and hands over what it
//! got with [`RichCallData::accept_fetched`].
//!
//! A failure here never touches the PASSporT: its call may still be a verified one, without rich data
//! (PPT-77). Whether the signer may be believed at all is decided before: see [`may_use`] for data
//! that another party signed.
//!
//! All texts are a stranger's. [`display_text`] makes them fit to be shown (PPT-83).

mod builder;
mod content;
mod digests;
mod display;
mod image;
mod jcard;
mod pointer;
mod protection;
mod third_party;

use core::fmt;

use serde_json::{Map, Value};

pub use self::builder::{RcdClaims, RichCallDataBuilder};
use self::content::{Content, State};
pub use self::content::{RcdContent, RcdContentKind, RcdFetch};
use self::digests::Digests;
pub use self::digests::digest_of;
pub use self::display::{MAX_CALL_REASON_CHARS, MAX_NAME_CHARS, display_text};
pub use self::image::{ImageFormat, MAX_IMAGE_LEN, MAX_IMAGE_SIDE, check_image};
pub use self::jcard::{JCard, MAX_JCARD_LEN};
pub use self::protection::are_protected_by;
pub use self::third_party::{ThirdPartyPolicy, may_use};
use crate::{Reason, TelephoneNumber, x5u};

/// The most octets of `nam` or `crn`: many times what is shown.
const MAX_TEXT_LEN: usize = 1024;

/// What a caller says about itself, as far as it holds. [`fmt::Debug`] hides all of it.
///
/// Source: RFC 9795 sections 5, 6 and 8.2.
#[derive(Clone)]
pub struct RichCallData {
    name: Option<String>,
    alternate_number: Option<TelephoneNumber>,
    card: Option<JCard>,
    call_reason: Option<String>,
    digests: Digests,
    contents: Vec<Content>,
    is_compactable: bool,
}

impl fmt::Debug for RichCallData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RichCallData(..)")
    }
}

impl RichCallData {
    /// Reads the claims of a PASSporT of any type; `Ok(None)` if it has no rich call data.
    ///
    /// Digests over values in the claims themselves are checked here. Content behind a URL without a
    /// digest becomes [`RcdContent::Void`], the rest stays usable. Unknown members of `rcd` are
    /// ignored.
    ///
    /// # Errors
    ///
    /// Each means that none of the rich call data may be used:
    ///
    /// - [`Reason::MalformedRcd`]: a claim has another form than it must have, `nam` is missing, `jcd`
    ///   and `jcl` are both there, `icn` is no https or data URL, `jcl` no https URL, or a digest is
    ///   for something that is not there.
    /// - [`Reason::MalformedNumber`] (`apn`), [`Reason::MalformedJcard`], [`Reason::MalformedDigest`].
    /// - [`Reason::TooLong`], [`Reason::TooDeep`]: beyond a limit.
    /// - [`Reason::DigestMismatch`]: a value in the claims is not what its digest is over.
    ///
    /// Source: RFC 9795 sections 5.1 and 6 (PPT-70, PPT-71, PPT-73 to PPT-77).
    pub fn from_claims(claims: &Value) -> Result<Option<Self>, Reason> {
        let claims = claims.as_object().ok_or(Reason::MalformedClaims)?;
        let call_reason = claims.get("crn").map(read_text).transpose()?;
        let digests = Digests::from_claim(claims.get("rcdi"))?;
        match claims.get("rcd") {
            Some(rcd) => {
                let mut data = Self::from_rcd(rcd, digests)?;
                data.is_compactable &= !claims.contains_key("rcdi");
                data.call_reason = call_reason;
                Ok(Some(data))
            }
            // Digests of nothing.
            None if claims.contains_key("rcdi") => Err(Reason::MalformedRcd),
            None => Ok(call_reason.map(|text| Self {
                name: None,
                alternate_number: None,
                card: None,
                call_reason: Some(text),
                digests,
                contents: Vec::new(),
                is_compactable: true,
            })),
        }
    }

    /// Like [`RichCallData::from_claims`] for a PASSporT of type `rcd`, which must have some.
    ///
    /// # Errors
    ///
    /// As [`RichCallData::from_claims`], and [`Reason::MalformedRcd`] if neither `rcd` nor `crn` is
    /// there.
    ///
    /// Source: RFC 9795 section 8 (PPT-79).
    pub fn of_rcd_passport(claims: &Value) -> Result<Self, Reason> {
        Self::from_claims(claims)?.ok_or(Reason::MalformedRcd)
    }

    fn from_rcd(rcd: &Value, digests: Digests) -> Result<Self, Reason> {
        let members = rcd.as_object().ok_or(Reason::MalformedRcd)?;
        let name = members.get("nam").ok_or(Reason::MalformedRcd)?;
        let alternate_number = optional_text(members, "apn")?
            .map(TelephoneNumber::from_canonical)
            .transpose()?;
        let mut contents = Vec::new();
        if let Some(url) = optional_text(members, "icn")? {
            if !(x5u::is_https(url) || image::is_data_url(url)) {
                return Err(Reason::MalformedRcd);
            }
            let pointer = "/icn".to_owned();
            contents.extend(Content::new(pointer, url, RcdContentKind::Icon, &digests));
        }
        let card = match (members.get("jcd"), optional_text(members, "jcl")?) {
            (None, None) => None,
            (Some(card), None) => {
                let card = JCard::from_value(card)?;
                contents.extend(Content::of_card("/jcd", &card, &digests));
                Some(card)
            }
            (None, Some(url)) if x5u::is_https(url) => {
                let pointer = "/jcl".to_owned();
                contents.extend(Content::new(pointer, url, RcdContentKind::Card, &digests));
                None
            }
            _ => return Err(Reason::MalformedRcd),
        };
        let data = Self {
            name: Some(read_text(name)?),
            alternate_number,
            card,
            call_reason: None,
            digests,
            contents,
            is_compactable: !members.contains_key("jcd") && !members.contains_key("jcl"),
        };
        // What digests say about a linked card waits for that card.
        data.check_values(rcd, members.contains_key("jcl"), false)?;
        Ok(data)
    }

    /// Compares the digests of values that are at hand. `rcd` is what pointers start from; with a
    /// linked card, they are either those into it or all others.
    fn check_values(&self, rcd: &Value, has_link: bool, inside_link: bool) -> Result<(), Reason> {
        for (pointer, digest) in self.digests.iter() {
            if has_link && pointer.is_inside_linked_card() != inside_link {
                continue;
            }
            let content = self
                .contents
                .iter()
                .find(|content| content.pointer == pointer.as_str());
            match content {
                // Compared when the content is there.
                Some(content) if content.is_remote => continue,
                // The RFC says the octets; the value that spells them binds them just as well.
                Some(Content {
                    state: State::Held(octets),
                    ..
                }) if digest.matches(octets) => continue,
                _ => {}
            }
            let value = pointer.resolve(rcd).ok_or(Reason::MalformedRcd)?;
            if !digests::is_over_value(digest, value) {
                return Err(Reason::DigestMismatch);
            }
        }
        Ok(())
    }

    /// `nam` as it was signed; empty if the caller states no name, `None` without `rcd`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `nam` as it may be shown (PPT-83); `None` if nothing is left of it.
    #[must_use]
    pub fn shown_name(&self) -> Option<String> {
        let shown = display_text(self.name.as_deref()?, MAX_NAME_CHARS);
        (!shown.is_empty()).then_some(shown)
    }

    /// `crn`, the reason for the call, as it was signed.
    #[must_use]
    pub fn call_reason(&self) -> Option<&str> {
        self.call_reason.as_deref()
    }

    /// `crn` as it may be shown (PPT-83); `None` if nothing is left of it.
    #[must_use]
    pub fn shown_call_reason(&self) -> Option<String> {
        let shown = display_text(self.call_reason.as_deref()?, MAX_CALL_REASON_CHARS);
        (!shown.is_empty()).then_some(shown)
    }

    /// `apn`: another number that the caller wants to be shown. Nobody has verified a right to it.
    #[must_use]
    pub const fn alternate_number(&self) -> Option<&TelephoneNumber> {
        self.alternate_number.as_ref()
    }

    /// The image of `icn`: a PNG or JPEG of bearable size if it is held.
    #[must_use]
    pub fn icon(&self) -> RcdContent<'_> {
        self.content("/icn")
    }

    /// The card: the inline one, or the linked one once it was fetched and holds.
    #[must_use]
    pub const fn card(&self) -> Option<&JCard> {
        self.card.as_ref()
    }

    /// The content at a pointer: `/icn`, `/jcl`, or that of a URI in a card, `/jcd/1/3/3`.
    #[must_use]
    pub fn content(&self, pointer: &str) -> RcdContent<'_> {
        self.contents
            .iter()
            .find(|content| content.pointer == pointer)
            .map_or(RcdContent::Absent, Content::view)
    }

    /// Every reference to content: its pointer, what it is for, and how it stands.
    pub fn contents(&self) -> impl Iterator<Item = (&str, RcdContentKind, RcdContent<'_>)> {
        self.contents
            .iter()
            .map(|content| (content.pointer.as_str(), content.kind, content.view()))
    }

    /// What could be fetched. Fetch only what is going to be shown, and never only to check a digest
    /// (PPT-78); the URIs of a linked card appear once that card was accepted.
    #[must_use]
    pub fn wanted_fetches(&self) -> Vec<RcdFetch> {
        self.contents.iter().filter_map(Content::fetch).collect()
    }

    /// Takes what was fetched for `pointer`. If it is refused, that content alone is void; if it
    /// could not be fetched, leave it as it is: it counts as not verified.
    ///
    /// # Errors
    ///
    /// - [`Reason::EventUnexpected`]: not one of [`RichCallData::wanted_fetches`].
    /// - [`Reason::DigestMismatch`]: other content than was signed.
    /// - [`Reason::TooLong`], [`Reason::UnsupportedMediaType`]: not a bearable PNG or JPEG image;
    ///   other forms might refer to further content.
    /// - [`Reason::MalformedJcard`], [`Reason::MalformedRcd`] and the reasons of JSON: not a card, or
    ///   one that its digests do not fit.
    ///
    /// Source: RFC 9795 sections 5.1.4, 6.1 and 8.2 (PPT-72, PPT-74, PPT-77, PPT-84).
    pub fn accept_fetched(&mut self, pointer: &str, octets: &[u8]) -> Result<(), Reason> {
        let wanted = self
            .contents
            .iter()
            .filter(|content| content.pointer == pointer)
            .find_map(Content::fetch)
            .ok_or(Reason::EventUnexpected)?;
        let checked = self.check_fetched(&wanted, octets);
        let state = match checked {
            Ok(()) => State::Held(octets.to_vec()),
            Err(reason) => State::Void(reason),
        };
        let mut contents = self.contents.iter_mut();
        if let Some(content) = contents.find(|content| content.pointer == pointer) {
            content.state = state;
        }
        checked
    }

    fn check_fetched(&mut self, wanted: &RcdFetch, octets: &[u8]) -> Result<(), Reason> {
        if octets.len() > wanted.max_len {
            return Err(Reason::TooLong);
        }
        if !wanted.digest.matches(octets) {
            return Err(Reason::DigestMismatch);
        }
        if wanted.kind == RcdContentKind::Card {
            self.accept_card(octets)
        } else {
            check_image(octets).map(|_| ())
        }
    }

    fn accept_card(&mut self, octets: &[u8]) -> Result<(), Reason> {
        let (card, value) = JCard::parse(octets)?;
        let known = self.contents.len();
        let new = Content::of_card("/jcl", &card, &self.digests);
        self.contents.extend(new);
        let rcd = Value::Object(Map::from_iter([("jcl".to_owned(), value)]));
        let checked = self.check_values(&rcd, true, true);
        match checked {
            Ok(()) => self.card = Some(card),
            // Nothing of a void card is used.
            Err(_) => self.contents.truncate(known),
        }
        checked
    }

    /// What to report beside the verdict, each once: content that was not fetched, that has no digest
    /// ([`Reason::RcdDigestMissing`]), or that is void for another reason.
    #[must_use]
    pub fn warnings(&self) -> Vec<Reason> {
        let mut warnings: Vec<_> = self
            .contents
            .iter()
            .filter_map(|content| match content.view() {
                RcdContent::NotFetched => Some(Reason::RcdNotChecked),
                RcdContent::Void(reason) => Some(reason),
                RcdContent::Absent | RcdContent::Held(_) => None,
            })
            .collect();
        warnings.sort_unstable();
        warnings.dedup();
        warnings
    }

    /// Whether a signer may sign these claims: every reference to content has a digest and can be
    /// followed, also those in a linked card, which must have been accepted before.
    ///
    /// # Errors
    ///
    /// - [`Reason::RcdDigestMissing`]: a URL has no digest.
    /// - [`Reason::RcdNotChecked`]: the linked card was not looked at.
    /// - Any other reason for which content is void.
    ///
    /// Source: RFC 9795 sections 6.1.2 to 6.1.4 (PPT-75).
    pub fn check_for_signing(&self) -> Result<(), Reason> {
        for (_, kind, content) in self.contents() {
            match content {
                RcdContent::Void(reason) => return Err(reason),
                RcdContent::NotFetched if kind == RcdContentKind::Card => {
                    return Err(Reason::RcdNotChecked);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a PASSporT with these claims may be sent in compact form: not with `rcdi`, `jcd` or
    /// `jcl`, which a reader cannot rebuild.
    ///
    /// Source: RFC 9795 section 9 (PPT-80).
    #[must_use]
    pub const fn allows_compact_form(&self) -> bool {
        self.is_compactable
    }
}

/// The rich call data of a verified PASSporT, as far as they may be used, and what to report beside
/// the verdict. `may` is what [`may_use`] said. Nothing here changes the verdict.
///
/// Source: RFC 9795 section 8.2 (PPT-77, PPT-81).
#[must_use]
pub fn usable(claims: &Value, may: Result<(), Reason>) -> (Option<RichCallData>, Vec<Reason>) {
    match (RichCallData::from_claims(claims), may) {
        (Ok(None), _) => (None, Vec::new()),
        (Ok(Some(data)), Ok(())) => {
            let warnings = data.warnings();
            (Some(data), warnings)
        }
        (Err(reason), _) | (Ok(Some(_)), Err(reason)) => (None, vec![reason]),
    }
}

fn optional_text<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, Reason> {
    members
        .get(name)
        .map(|value| value.as_str().ok_or(Reason::MalformedRcd))
        .transpose()
}

fn read_text(value: &Value) -> Result<String, Reason> {
    let text = value.as_str().ok_or(Reason::MalformedRcd)?;
    if text.len() > MAX_TEXT_LEN {
        return Err(Reason::TooLong);
    }
    Ok(text.to_owned())
}
