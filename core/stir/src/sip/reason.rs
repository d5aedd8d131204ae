//! The value of a Reason header field: how a verification service tells of an error while the call
//! goes on, and how the signer learns of it.
//!
//! Source: RFC 9410; RFC 3326 section 2.

use core::fmt;

use super::ResponseCode;
use super::identity_header::{self, IdentityHeader, MAX_IDENTITY_HEADER_LEN};
use super::parameters::{self, Parameter, Written};
use crate::Reason;

/// The longest value that is read: room for a token in full form and a phrase.
pub const MAX_REASON_HEADER_LEN: usize = MAX_IDENTITY_HEADER_LEN + 1024;

/// How many values one line may have: one for each Identity header field that is read.
pub const MAX_REASON_HEADERS: usize = identity_header::MAX_IDENTITY_HEADERS;

/// How much of a token a Reason header shows to those who pass it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PpiForm {
    /// The signature alone, which tells the signer all and others nothing. Recommended.
    #[default]
    Compact,
    /// The whole token.
    Full,
    /// Nothing: the signer cannot tell which of its tokens is meant.
    Omitted,
}

/// A Reason header field value. [`fmt::Debug`] prints no token.
///
/// Source: RFC 3326 section 2; RFC 9410 sections 3 to 6 (SIP-61 to SIP-63).
#[derive(Clone, PartialEq, Eq)]
pub struct ReasonHeader {
    protocol: String,
    cause: Option<u16>,
    text: Option<String>,
    ppi: Option<String>,
    /// Parameters that nobody here knows, ready to be passed on (SIP-26).
    others: Vec<String>,
}

impl fmt::Debug for ReasonHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReasonHeader")
            .field("protocol", &self.protocol)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

impl ReasonHeader {
    /// An error of one Identity header field.
    ///
    /// A `ppi` belongs to one cause, so this takes one header and makes one value (SIP-62).
    ///
    /// Source: RFC 9410 sections 3 and 5.
    #[must_use]
    pub fn stir(code: ResponseCode, about: Option<&IdentityHeader>, form: PpiForm) -> Self {
        let ppi = about.and_then(|header| match form {
            PpiForm::Compact => Some(format!("..{}", header.signature_text())),
            PpiForm::Full => Some(header.digest().to_owned()),
            PpiForm::Omitted => None,
        });
        Self {
            protocol: "STIR".to_owned(),
            cause: Some(code.code()),
            text: Some(code.phrase().to_owned()),
            ppi,
            others: Vec::new(),
        }
    }

    /// Reads the values of one line, separated by commas, of any protocol.
    ///
    /// # Errors
    ///
    /// - [`Reason::TooLong`]: more than [`MAX_REASON_HEADERS`] values, or one longer than
    ///   [`MAX_REASON_HEADER_LEN`].
    /// - [`Reason::MalformedReasonHeader`]: a value in another form: no protocol, a repeated `cause`,
    ///   `text` or `ppi`, a `cause` that is no number, a `text` without quotes, a `ppi` that is no token
    ///   in quotes.
    pub fn parse_line(line: &str) -> Result<Vec<Self>, Reason> {
        const MAX_LINE_LEN: usize = MAX_REASON_HEADERS * MAX_REASON_HEADER_LEN;
        if line.len() > MAX_LINE_LEN {
            return Err(Reason::TooLong);
        }
        let values: Vec<_> = parameters::split_list(line)
            .take(MAX_REASON_HEADERS.saturating_add(1))
            .collect();
        if values.len() > MAX_REASON_HEADERS {
            return Err(Reason::TooLong);
        }
        values.into_iter().map(Self::parse).collect()
    }

    /// Reads one value.
    ///
    /// # Errors
    ///
    /// Those of [`ReasonHeader::parse_line`].
    pub fn parse(value: &str) -> Result<Self, Reason> {
        if value.len() > MAX_REASON_HEADER_LEN {
            return Err(Reason::TooLong);
        }
        Self::read(value).ok_or(Reason::MalformedReasonHeader)
    }

    fn read(value: &str) -> Option<Self> {
        let (protocol, parameters) = parameters::split(value.trim_matches(parameters::is_blank))?;
        let mut header = Self {
            protocol: Some(protocol)
                .filter(|protocol| parameters::is_token(protocol))?
                .to_owned(),
            cause: None,
            text: None,
            ppi: None,
            others: Vec::new(),
        };
        for Parameter { name, value } in parameters {
            let seen = if name.eq_ignore_ascii_case("cause") {
                header.cause.replace(cause(value)?).is_some()
            } else if name.eq_ignore_ascii_case("text") {
                header.text.replace(quoted(value)?).is_some()
            } else if name.eq_ignore_ascii_case("ppi") {
                let token = quoted(value)?;
                identity_header::form_of(&token)?;
                header.ppi.replace(token).is_some()
            } else {
                header.others.extend(passed_on(name, value));
                false
            };
            if seen {
                return None;
            }
        }
        Some(header)
    }

    /// The protocol: `STIR`, `SIP`, `Q.850`, …
    #[must_use]
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    /// `cause`.
    #[must_use]
    pub const fn cause(&self) -> Option<u16> {
        self.cause
    }

    /// `text`, without its quotes. By whoever sent it: hostile.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// `ppi`: a token in either form.
    #[must_use]
    pub fn ppi(&self) -> Option<&str> {
        self.ppi.as_deref()
    }

    /// What it says of an identity: the cause of protocol `STIR`, or of protocol `SIP` where it is one
    /// of 428, 436, 437, 438, since a major telephone system writes that (SIP-63).
    #[must_use]
    pub fn response_code(&self) -> Option<ResponseCode> {
        let code = ResponseCode::from_code(self.cause?)?;
        let counts = self.protocol.eq_ignore_ascii_case("STIR")
            || (self.protocol.eq_ignore_ascii_case("SIP") && code != ResponseCode::StaleDate);
        counts.then_some(code)
    }

    /// Whether `ppi` means the token of `header`: compared by the text of the signature, all that both
    /// forms have in common (SIP-63).
    #[must_use]
    pub fn is_about(&self, header: &IdentityHeader) -> bool {
        self.ppi
            .as_deref()
            .is_some_and(|ppi| identity_header::signature_text(ppi) == header.signature_text())
    }

    /// Writes the value.
    #[must_use]
    pub fn to_value(&self) -> String {
        let mut value = self.protocol.clone();
        if let Some(cause) = self.cause {
            value.push_str(&format!(" ;cause={cause}"));
        }
        for (name, text) in [("text", &self.text), ("ppi", &self.ppi)] {
            if let Some(text) = text {
                value.push_str(&format!(" ;{name}={}", parameters::quote(text)));
            }
        }
        for other in &self.others {
            value.push_str(&format!(" ;{other}"));
        }
        value
    }
}

/// What a signer finds in a response to a request with its own tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnReasons {
    /// Errors of own tokens: the index into the headers that were sent, and the code.
    pub own: Vec<(usize, ResponseCode)>,
    /// What is to be passed on: everything else, in its order.
    pub others: Vec<ReasonHeader>,
}

/// Takes the Reason header values that are about one's own tokens out of a response.
///
/// An authentication service acts on them and removes them before it passes the response on. Values
/// without `ppi` could be about anyone's token and stay.
///
/// Source: RFC 9410 section 7 (SIP-26, SIP-63).
#[must_use]
pub fn take_own(reasons: Vec<ReasonHeader>, sent: &[IdentityHeader]) -> OwnReasons {
    let mut taken = OwnReasons::default();
    for reason in reasons {
        let own = sent.iter().position(|header| reason.is_about(header));
        match (own, reason.response_code()) {
            (Some(index), Some(code)) => taken.own.push((index, code)),
            _ => taken.others.push(reason),
        }
    }
    taken
}

/// One to five digits.
fn cause(value: Written<'_>) -> Option<u16> {
    match value {
        Written::Bare(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

/// A parameter as it is written on. `None` for what the grammar of `generic-param` does not have, and
/// what could end this value or the header field.
fn passed_on(name: &str, value: Written<'_>) -> Option<String> {
    let value = identity_header::other(value)?;
    Some(match value {
        None => name.to_owned(),
        Some(text) => format!("{name}={}", identity_header::written(&text)),
    })
}

fn quoted(value: Written<'_>) -> Option<String> {
    match value {
        Written::Quoted(inside) => parameters::unquote(inside),
        _ => None,
    }
}
