//! The claims of a PASSporT in checked form.

use core::fmt;

use serde_json::{Map, Value};

use super::PassportType;
use crate::{Reason, TelephoneNumber, UnixTime};

/// The longest URI identity; like `x5u`.
const MAX_URI_LEN: usize = 2048;

/// Who: a telephone number or a URI. [`fmt::Debug`] hides which.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// `tn`: a canonical telephone number.
    Tn(TelephoneNumber),
    /// `uri`: a URI, compared as text.
    Uri(String),
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tn(_) => "Tn(..)",
            Self::Uri(_) => "Uri(..)",
        })
    }
}

impl Identity {
    /// The number, if it is one.
    #[must_use]
    pub const fn tn(&self) -> Option<&TelephoneNumber> {
        match self {
            Self::Tn(number) => Some(number),
            Self::Uri(_) => None,
        }
    }

    fn from_claim(claim: &Value) -> Result<Self, Reason> {
        let members = claim.as_object().ok_or(Reason::MalformedClaims)?;
        let mut members = members.iter();
        // Exactly one member (PPT-7).
        match (members.next(), members.next()) {
            (Some((name, Value::String(text))), None) => match name.as_str() {
                "tn" => TelephoneNumber::from_canonical(text).map(Self::Tn),
                "uri" => checked_uri(text).map(Self::Uri),
                _ => Err(Reason::MalformedClaims),
            },
            _ => Err(Reason::MalformedClaims),
        }
    }

    pub(super) fn to_claim(&self) -> Value {
        let (name, text) = match self {
            Self::Tn(number) => ("tn", number.as_str()),
            Self::Uri(uri) => ("uri", uri.as_str()),
        };
        Value::Object(Map::from_iter([(name.to_owned(), Value::from(text))]))
    }
}

/// Whom a call is for. [`fmt::Debug`] hides whom.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Destinations {
    /// Canonical telephone numbers.
    pub tn: Vec<TelephoneNumber>,
    /// URIs.
    pub uri: Vec<String>,
}

impl fmt::Debug for Destinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Destinations(..)")
    }
}

impl Destinations {
    /// One number.
    #[must_use]
    pub fn of(number: TelephoneNumber) -> Self {
        Self {
            tn: vec![number],
            uri: Vec::new(),
        }
    }

    /// Whether `number` is among them (W-26).
    #[must_use]
    pub fn contains(&self, number: &TelephoneNumber) -> bool {
        self.tn.contains(number)
    }

    /// Whether both arrays are in lexicographic order, as a signer writes them (PPT-9).
    pub(super) fn is_sorted(&self) -> bool {
        self.tn.is_sorted() && self.uri.is_sorted()
    }

    /// In lexicographic order, each once (PPT-9).
    pub(super) fn sorted(mut self) -> Self {
        self.tn.sort_unstable();
        self.tn.dedup();
        self.uri.sort_unstable();
        self.uri.dedup();
        self
    }

    fn from_claim(claim: &Value) -> Result<Self, Reason> {
        let members = claim
            .as_object()
            .filter(|members| !members.is_empty())
            .ok_or(Reason::MalformedClaims)?;
        let mut destinations = Self::default();
        for (name, values) in members {
            let texts = values
                .as_array()
                .filter(|values| !values.is_empty())
                .ok_or(Reason::MalformedClaims)?
                .iter()
                .map(|value| value.as_str().ok_or(Reason::MalformedClaims));
            match name.as_str() {
                "tn" => {
                    destinations.tn = texts
                        .map(|text| TelephoneNumber::from_canonical(text?))
                        .collect::<Result<_, _>>()?;
                }
                "uri" => {
                    destinations.uri = texts
                        .map(|text| checked_uri(text?))
                        .collect::<Result<_, _>>()?;
                }
                _ => return Err(Reason::MalformedClaims),
            }
        }
        Ok(destinations)
    }

    pub(super) fn to_claim(&self) -> Value {
        let mut members = Map::new();
        if !self.tn.is_empty() {
            let numbers = self.tn.iter().map(TelephoneNumber::as_str);
            members.insert("tn".to_owned(), numbers.map(Value::from).collect());
        }
        if !self.uri.is_empty() {
            let uris = self.uri.iter().map(String::as_str);
            members.insert("uri".to_owned(), uris.map(Value::from).collect());
        }
        Value::Object(members)
    }
}

/// A scheme, a colon and visible ASCII.
fn checked_uri(text: &str) -> Result<String, Reason> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let well_formed = text.len() <= MAX_URI_LEN
        && text.bytes().all(|b| b.is_ascii_graphic())
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(Reason::MalformedClaims)
    }
}

/// How sure a provider is of a caller. For display and statistics, never a verdict (PPT-45).
///
/// Source: RFC 8588 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attestation {
    /// `A`: knows the customer and its right to the number.
    Full,
    /// `B`: knows the customer, not its right to the number.
    Partial,
    /// `C`: knows only where the call came in.
    Gateway,
}

impl Attestation {
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "A" => Some(Self::Full),
            "B" => Some(Self::Partial),
            "C" => Some(Self::Gateway),
            _ => None,
        }
    }

    /// The claim's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "A",
            Self::Partial => "B",
            Self::Gateway => "C",
        }
    }
}

/// The claims of a PASSporT, in checked form. [`fmt::Debug`] prints none of them.
///
/// Source: RFC 8225 section 5; RFC 8588 sections 4 and 5.
#[derive(Clone)]
pub struct Claims {
    iat: UnixTime,
    orig: Identity,
    dest: Destinations,
    attest: Option<Attestation>,
    payload: Value,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(..)")
    }
}

impl Claims {
    pub(super) fn from_payload(kind: PassportType, payload: Value) -> Result<Self, Reason> {
        let claim = |name: &str| payload.get(name).ok_or(Reason::MalformedClaims);
        let iat = claim("iat")?.as_u64().ok_or(Reason::IatNotNumber)?;
        let orig = Identity::from_claim(claim("orig")?)?;
        let dest = Destinations::from_claim(claim("dest")?)?;
        let attest = if kind == PassportType::Shaken {
            if !claim("origid")?.as_str().is_some_and(is_uuid) {
                return Err(Reason::MalformedClaims);
            }
            let attest = claim("attest")?.as_str().and_then(Attestation::from_text);
            Some(attest.ok_or(Reason::MalformedClaims)?)
        } else {
            None
        };
        Ok(Self {
            iat: UnixTime::from_secs(iat),
            orig,
            dest,
            attest,
            payload,
        })
    }

    /// When the call was originated.
    #[must_use]
    pub const fn iat(&self) -> UnixTime {
        self.iat
    }

    /// Who calls.
    #[must_use]
    pub const fn orig(&self) -> &Identity {
        &self.orig
    }

    /// Who is called.
    #[must_use]
    pub const fn dest(&self) -> &Destinations {
        &self.dest
    }

    /// The attestation of a `shaken` PASSporT; `None` in any other, whatever it claims.
    #[must_use]
    pub const fn attest(&self) -> Option<Attestation> {
        self.attest
    }

    /// The origination identifier of a `shaken` PASSporT: a UUID.
    #[must_use]
    pub fn origid(&self) -> Option<&str> {
        self.attest
            .and_then(|_| self.payload.get("origid"))
            .and_then(Value::as_str)
    }

    /// Any claim by its name. Claims nobody knows are ignored, not refused (PPT-15).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.payload.get(name)
    }

    /// The payload object.
    pub(crate) const fn payload(&self) -> &Value {
        &self.payload
    }
}

/// 8-4-4-4-12 hexadecimal digits (RFC 4122 section 3).
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, b)| match index {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}
