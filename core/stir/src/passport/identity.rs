//! Who calls and who is called: a telephone number or a URI, and when two of them are the same.

use core::fmt;

use serde_json::{Map, Value};

use crate::{Reason, TelephoneNumber};

/// The longest URI identity; like `x5u`.
const MAX_URI_LEN: usize = 2048;

/// Who: a telephone number or a URI. [`fmt::Debug`] hides which.
///
/// `==` compares URIs as text; [`Identity::is_equivalent`] compares who is meant.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// `tn`: a canonical telephone number.
    Tn(TelephoneNumber),
    /// `uri`: a URI as it was written.
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

    /// Whether both mean the same party: equal numbers, or URIs that normalise to the same text.
    ///
    /// A number never is equivalent to a URI: whoever has signalling at hand decides first which of the
    /// two it holds.
    ///
    /// Source: RFC 8224 sections 8.3 and 8.5.
    #[must_use]
    pub fn is_equivalent(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tn(one), Self::Tn(other)) => one == other,
            (Self::Uri(one), Self::Uri(other)) => {
                one == other || normalized_uri(one) == normalized_uri(other)
            }
            _ => false,
        }
    }

    /// The same party in the form that a signer writes: of a SIP or SIPS URI scheme and host in lower
    /// case, without port, password, parameters and headers. A number is canonical already.
    ///
    /// Source: RFC 8224 section 8.5.
    #[must_use]
    pub fn normalized(&self) -> Self {
        match self {
            Self::Tn(number) => Self::Tn(number.clone()),
            Self::Uri(uri) => Self::Uri(normalized_uri(uri)),
        }
    }

    /// Reads an object with exactly one member, `tn` or `uri`, whose value is one string (PPT-7).
    pub(super) fn from_claim(claim: &Value, otherwise: Reason) -> Result<Self, Reason> {
        let members = claim.as_object().ok_or(otherwise)?;
        let mut members = members.iter();
        match (members.next(), members.next()) {
            (Some((name, Value::String(text))), None) => Self::from_member(name, text, otherwise),
            _ => Err(otherwise),
        }
    }

    pub(super) fn from_member(name: &str, text: &str, otherwise: Reason) -> Result<Self, Reason> {
        match name {
            "tn" => TelephoneNumber::from_canonical(text).map(Self::Tn),
            "uri" => checked_uri(text).map(Self::Uri).ok_or(otherwise),
            _ => Err(otherwise),
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

impl From<Identity> for Destinations {
    fn from(identity: Identity) -> Self {
        match identity {
            Identity::Tn(number) => Self::of(number),
            Identity::Uri(uri) => Self {
                tn: Vec::new(),
                uri: vec![uri],
            },
        }
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

    /// Whether the party is among them, URIs compared by [`Identity::is_equivalent`].
    #[must_use]
    pub fn includes(&self, identity: &Identity) -> bool {
        match identity {
            Identity::Tn(number) => self.contains(number),
            Identity::Uri(uri) => {
                self.uri.contains(uri) || {
                    let normalized = normalized_uri(uri);
                    self.uri.iter().any(|own| normalized_uri(own) == normalized)
                }
            }
        }
    }

    /// Each of them, numbers first.
    pub fn identities(&self) -> impl Iterator<Item = Identity> + '_ {
        let numbers = self.tn.iter().cloned().map(Identity::Tn);
        numbers.chain(self.uri.iter().cloned().map(Identity::Uri))
    }

    /// Whether both mean the same parties, whatever the order.
    #[must_use]
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.identities().all(|identity| other.includes(&identity))
            && other.identities().all(|identity| self.includes(&identity))
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

    /// Reads an object of arrays named `tn` and `uri` (PPT-8).
    pub(super) fn from_claim(claim: &Value) -> Result<Self, Reason> {
        let members = claim
            .as_object()
            .filter(|members| !members.is_empty())
            .ok_or(Reason::MalformedDest)?;
        let mut destinations = Self::default();
        for (name, values) in members {
            let texts = values
                .as_array()
                .filter(|values| !values.is_empty())
                .ok_or(Reason::MalformedDest)?
                .iter()
                .map(|value| value.as_str().ok_or(Reason::MalformedDest));
            match name.as_str() {
                "tn" => {
                    destinations.tn = texts
                        .map(|text| TelephoneNumber::from_canonical(text?))
                        .collect::<Result<_, _>>()?;
                }
                "uri" => {
                    destinations.uri = texts
                        .map(|text| checked_uri(text?).ok_or(Reason::MalformedDest))
                        .collect::<Result<_, _>>()?;
                }
                _ => return Err(Reason::MalformedDest),
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
fn checked_uri(text: &str) -> Option<String> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let well_formed = text.len() <= MAX_URI_LEN
        && text.bytes().all(|b| b.is_ascii_graphic())
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    well_formed.then(|| text.to_owned())
}

/// RFC 8224 section 8.5 for SIP and SIPS; of other schemes only the scheme itself, and the service
/// names that are case-insensitive by their definition (RFC 5031 section 5).
fn normalized_uri(text: &str) -> String {
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "urn" && starts_with_ignoring_case(rest, "service:") {
        return format!("{scheme}:{}", rest.to_ascii_lowercase());
    }
    if !matches!(scheme.as_str(), "sip" | "sips") {
        return format!("{scheme}:{rest}");
    }
    // The user part may hold `;` and `?` (RFC 3261 section 25.1), so it is split off first.
    let (user, host) = match rest.split_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, rest),
    };
    let host = host.split([';', '?', '/']).next().unwrap_or_default();
    let host = without_port(host).to_ascii_lowercase();
    match user {
        // Without the password.
        Some(user) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}:{}@{host}", unescaped(user))
        }
        None => format!("{scheme}:{host}"),
    }
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The host of `host[:port]`, where an IPv6 literal has colons of its own.
fn without_port(host: &str) -> &str {
    let end = if host.starts_with('[') {
        host.find(']').map(|bracket| bracket.saturating_add(1))
    } else {
        host.find(':')
    };
    end.and_then(|end| host.get(..end)).unwrap_or(host)
}

/// Percent escapes of unreserved characters undone: they mean the same (RFC 3986 section 6.2.2.2). The
/// hexadecimal digits of the others in upper case. What has a broken escape stays as it is.
fn unescaped(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    let mut rest = user;
    while let Some((before, after)) = rest.split_once('%') {
        let octet = after
            .get(..2)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(octet) = octet else {
            return user.to_owned();
        };
        out.push_str(before);
        let c = char::from(octet);
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~') {
            out.push(c);
        } else {
            out.push_str(&format!("%{octet:02X}"));
        }
        rest = after.get(2..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
