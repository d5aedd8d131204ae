//! Making the claims of rich call data.

use core::fmt;

use serde_json::{Map, Value};

use super::display::is_clean;
use super::image::to_data_url;
use super::{RcdContentKind, RichCallData, check_image};
use crate::integrity::{DigestAlgorithm, IntegrityDigest};
use crate::{Reason, TelephoneNumber, X5u, json};

/// Collects what a caller says about itself. [`RichCallDataBuilder::build`] makes the digests and
/// checks everything with the reader's own rules.
#[derive(Clone, Default)]
pub struct RichCallDataBuilder {
    rcd: Map<String, Value>,
    call_reason: Option<String>,
    contents: Vec<(String, Vec<u8>)>,
    algorithm: DigestAlgorithm,
    digests_values: bool,
    /// An icon that cannot be one.
    refusal: Option<Reason>,
}

impl fmt::Debug for RichCallDataBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RichCallDataBuilder(..)")
    }
}

impl RichCallDataBuilder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `nam`. Without it, and with any other member, it is stated to be empty (PPT-70).
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.member("nam", Value::from(name))
    }

    /// `apn`: another number to be shown.
    #[must_use]
    pub fn alternate_number(self, number: &TelephoneNumber) -> Self {
        self.member("apn", Value::from(number.as_str()))
    }

    /// `icn`: an image behind a URL, PNG or JPEG. These octets are what it has to give.
    #[must_use]
    pub fn icon(self, url: &X5u, octets: &[u8]) -> Self {
        self.member("icn", Value::from(url.as_str()))
            .content(url, octets)
    }

    /// `icn`: an image inside the token. Small ones only: a token has 16 KiB.
    #[must_use]
    pub fn inline_icon(mut self, octets: &[u8]) -> Self {
        match check_image(octets) {
            Ok(format) => {
                let url = to_data_url(format, octets);
                return self.member("icn", Value::from(url));
            }
            Err(reason) => self.refusal = Some(reason),
        }
        self
    }

    /// `jcd`: a jCard. State what its URLs give by [`RichCallDataBuilder::content`].
    #[must_use]
    pub fn card(self, card: Value) -> Self {
        self.member("jcd", card)
    }

    /// `jcl`: a jCard behind a URL. State what the URLs in it give by
    /// [`RichCallDataBuilder::content`].
    #[must_use]
    pub fn linked_card(self, url: &X5u, octets: &[u8]) -> Self {
        self.member("jcl", Value::from(url.as_str()))
            .content(url, octets)
    }

    /// What a URL gives, exactly: the digest is over these octets.
    #[must_use]
    pub fn content(mut self, url: &X5u, octets: &[u8]) -> Self {
        self.contents
            .push((url.as_str().to_owned(), octets.to_vec()));
        self
    }

    /// `crn`: the reason for the call.
    #[must_use]
    pub fn call_reason(mut self, text: &str) -> Self {
        self.call_reason = Some(text.to_owned());
        self
    }

    /// The hash function of the digests; SHA-256 if not stated.
    #[must_use]
    pub const fn algorithm(mut self, algorithm: DigestAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Adds digests of `nam`, `apn` and `jcd` too. A certificate that constrains `rcdi` protects them
    /// by these (PPT-76).
    #[must_use]
    pub const fn with_digests_of_values(mut self) -> Self {
        self.digests_values = true;
        self
    }

    fn member(mut self, name: &str, value: Value) -> Self {
        self.rcd.insert(name.to_owned(), value);
        self
    }

    /// Makes the claims.
    ///
    /// # Errors
    ///
    /// - What a reader would say: see [`RichCallData::from_claims`] and
    ///   [`RichCallData::accept_fetched`]. [`Reason::MalformedRcd`] also if there is nothing to say, or
    ///   if a name or reason holds what is not shown (control or invisible characters, extra blanks).
    /// - [`Reason::RcdNotChecked`]: a URL whose content was not stated.
    /// - [`Reason::UnsupportedMediaType`]: content of a card that is no PNG or JPEG image: it might
    ///   refer to more content (PPT-72).
    ///
    /// Source: RFC 9795 sections 5.1 and 6.1 (PPT-70 to PPT-76).
    pub fn build(mut self) -> Result<RcdClaims, Reason> {
        if let Some(reason) = self.refusal {
            return Err(reason);
        }
        if self.rcd.is_empty() && self.call_reason.is_none() {
            return Err(Reason::MalformedRcd);
        }
        if !self.rcd.is_empty() && !self.rcd.contains_key("nam") {
            self = self.name("");
        }
        let name = self.rcd.get("nam").and_then(Value::as_str);
        let mut texts = name.into_iter().chain(self.call_reason.as_deref());
        if !texts.all(is_clean) {
            return Err(Reason::MalformedRcd);
        }
        let mut claims = RcdClaims {
            rcd: (!self.rcd.is_empty()).then(|| Value::Object(self.rcd.clone())),
            rcdi: None,
            crn: self.call_reason.clone(),
        };
        let mut digests = self.value_digests();
        // Once for what the claims refer to, once more for what a linked card does.
        self.add_content_digests(&claims, &mut digests)?;
        if self.rcd.contains_key("jcl") {
            self.add_content_digests(&claims, &mut digests)?;
        }
        claims.rcdi = (!digests.is_empty()).then_some(Value::Object(digests));
        self.read_back(&claims.to_value())?.check_for_signing()?;
        Ok(claims)
    }

    fn value_digests(&self) -> Map<String, Value> {
        if !self.digests_values {
            return Map::new();
        }
        let protected = ["nam", "apn", "jcd"].into_iter();
        protected
            .filter_map(|name| {
                let text = json::canonical(self.rcd.get(name)?);
                Some((format!("/{name}"), self.digest(text.as_bytes())))
            })
            .collect()
    }

    fn add_content_digests(
        &self,
        claims: &RcdClaims,
        digests: &mut Map<String, Value>,
    ) -> Result<(), Reason> {
        let mut so_far = claims.clone();
        so_far.rcdi = (!digests.is_empty()).then(|| Value::Object(digests.clone()));
        let data = self.read_back(&so_far.to_value())?;
        for content in data.contents.iter().filter(|content| content.is_remote) {
            // A digest for what no URL of the right form names would be of no use.
            X5u::parse(&content.uri)?;
            let octets = self.octets(&content.uri).ok_or(Reason::RcdNotChecked)?;
            if content.kind != RcdContentKind::Card {
                check_image(octets)?;
            }
            digests.insert(content.pointer.clone(), self.digest(octets));
        }
        Ok(())
    }

    /// What a reader makes of the claims, with all stated content fetched.
    fn read_back(&self, claims: &Value) -> Result<RichCallData, Reason> {
        let mut data = RichCallData::of_rcd_passport(claims)?;
        // The second round is for what a linked card refers to.
        for _ in 0..2 {
            for wanted in data.wanted_fetches() {
                if let Some(octets) = self.octets(wanted.url.as_str()) {
                    data.accept_fetched(&wanted.pointer, octets)?;
                }
            }
        }
        Ok(data)
    }

    fn octets(&self, url: &str) -> Option<&[u8]> {
        self.contents
            .iter()
            .find(|(other, _)| other == url)
            .map(|(_, octets)| octets.as_slice())
    }

    fn digest(&self, octets: &[u8]) -> Value {
        Value::from(IntegrityDigest::compute(self.algorithm, octets).to_text())
    }
}

/// Claims to put into a PASSporT of type `rcd`, or of another. [`fmt::Debug`] hides them.
#[derive(Clone, PartialEq)]
pub struct RcdClaims {
    rcd: Option<Value>,
    rcdi: Option<Value>,
    crn: Option<String>,
}

impl fmt::Debug for RcdClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RcdClaims(..)")
    }
}

impl RcdClaims {
    /// `rcd`, if there is more than a call reason.
    #[must_use]
    pub const fn rcd(&self) -> Option<&Value> {
        self.rcd.as_ref()
    }

    /// `rcdi`, if there is anything with a digest.
    #[must_use]
    pub const fn rcdi(&self) -> Option<&Value> {
        self.rcdi.as_ref()
    }

    /// `crn`.
    #[must_use]
    pub fn crn(&self) -> Option<&str> {
        self.crn.as_deref()
    }

    /// The claims by name, as [`PassportBuilder::claim`](crate::passport::PassportBuilder::claim)
    /// takes them.
    pub fn claims(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let crn = self.crn.as_deref().map(Value::from);
        [
            ("rcd", self.rcd.clone()),
            ("rcdi", self.rcdi.clone()),
            ("crn", crn),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// The claims as one object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let members = self.claims().map(|(name, value)| (name.to_owned(), value));
        Value::Object(members.collect())
    }
}
