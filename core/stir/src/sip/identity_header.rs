//! The value of an Identity header field: a token, where its signer's certificate is, and parameters.

use core::fmt;

use super::parameters::{self, Parameter, Written};
use crate::passport::Passport;
use crate::{Reason, Strictness};

/// The longest value that is read (SIP-8). Room for a token with rich call data; SIP stacks rarely
/// take more in one header field.
pub const MAX_IDENTITY_HEADER_LEN: usize = 8 * 1024;

/// Above this a request no longer fits one datagram, and the header is reported (SIP-8).
pub const LONG_IDENTITY_HEADER_LEN: usize = 1331;

/// How many values a header field, or a request, may have. Carriers send one or two; a diverted call
/// has one more for each diversion.
pub const MAX_IDENTITY_HEADERS: usize = 16;

/// The longest `info` that is read, like that of `x5u` (PPT-22).
const MAX_INFO_LEN: usize = 2048;

/// What an absent `alg` means (SIP-3), and the one algorithm there is (PPT-4).
const ALG: &str = "ES256";

/// How the token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenForm {
    /// `..signature`: header and payload are rebuilt from the message (PPT-16).
    Compact,
    /// `header.payload.signature`.
    Full,
}

/// An Identity header field value that was parsed. Its token was not looked into.
///
/// [`fmt::Debug`] prints nothing of it.
///
/// Source: RFC 8224 section 4 (SIP-1 to SIP-8).
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityHeader {
    digest: String,
    info: String,
    alg: String,
    ppt: Option<String>,
    others: Vec<(String, Option<String>)>,
    warnings: Vec<Reason>,
}

impl fmt::Debug for IdentityHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityHeader(..)")
    }
}

impl IdentityHeader {
    /// Parses one value, without the header field's name and in one line.
    ///
    /// Parameter names are read in any case and order; unknown parameters are kept and mean nothing.
    /// The token is checked for its outer form only: three base64url parts, the first two empty or
    /// neither. Whether it agrees with the parameters is [`IdentityHeader::check_agreement`].
    ///
    /// # Errors
    ///
    /// - [`Reason::TooLong`]: more than [`MAX_IDENTITY_HEADER_LEN`] octets.
    /// - [`Reason::InfoNotBracketed`]: `info` without angle brackets, and nothing else wrong. Whether
    ///   such a header counts is a matter of policy: with [`Strictness::Lenient`] it parses and this is
    ///   a warning.
    /// - [`Reason::MalformedIdentityHeader`]: anything else, a missing or repeated `info` and a
    ///   repeated `alg` or `ppt` included.
    ///
    /// Source: RFC 8224 section 4 (SIP-2, SIP-3, SIP-5, SIP-6, SIP-8).
    pub fn parse(value: &str, strictness: Strictness) -> Result<Self, Reason> {
        if value.len() > MAX_IDENTITY_HEADER_LEN {
            return Err(Reason::TooLong);
        }
        Self::read(value, strictness).ok_or(Reason::MalformedIdentityHeader)?
    }

    fn read(value: &str, strictness: Strictness) -> Option<Result<Self, Reason>> {
        let (digest, parameters) = parameters::split(value.trim_matches(parameters::is_blank))?;
        form_of(digest)?;
        let (mut info, mut alg) = (None, None);
        let mut header = Self {
            digest: digest.to_owned(),
            info: String::new(),
            alg: String::new(),
            ppt: None,
            others: Vec::new(),
            warnings: Vec::new(),
        };
        for Parameter { name, value } in parameters {
            let seen = if name.eq_ignore_ascii_case("info") {
                info.replace(value).is_some()
            } else if name.eq_ignore_ascii_case("alg") {
                alg.replace(word(value)?).is_some()
            } else if name.eq_ignore_ascii_case("ppt") {
                header.ppt.replace(word(value)?).is_some()
            } else {
                header.others.push((name.to_owned(), other(value)?));
                false
            };
            if seen {
                return None;
            }
        }
        let (uri, is_bracketed) = match info? {
            Written::Bracketed(uri) => (uri, true),
            Written::Bare(uri) => (uri, false),
            Written::Absent | Written::Quoted(_) => return None,
        };
        uri.clone_into(&mut header.info);
        header.alg = alg.unwrap_or_else(|| ALG.to_owned());
        if !is_absolute_uri(uri) {
            return None;
        }
        if value.len() > LONG_IDENTITY_HEADER_LEN {
            header.warnings.push(Reason::HeaderLong);
        }
        if !is_bracketed {
            if strictness == Strictness::Strict {
                return Some(Err(Reason::InfoNotBracketed));
            }
            header.warnings.push(Reason::InfoNotBracketed);
        }
        Some(Ok(header))
    }

    /// The header for a token in full form: `info` is its `x5u`, `ppt` its own, the token unchanged
    /// (SIP-2, SIP-4, SIP-82).
    ///
    /// # Errors
    ///
    /// - [`Reason::MalformedPpt`]: the token's `ppt` is no token in the sense of SIP.
    /// - [`Reason::MalformedUrl`]: the token's `x5u` cannot stand in angle brackets.
    /// - [`Reason::TooLong`]: the value would have more than [`MAX_IDENTITY_HEADER_LEN`] octets.
    ///
    /// Source: RFC 8224 section 6.1 step 4; RFC 8946 section 4.1.
    pub fn for_passport(passport: &Passport) -> Result<Self, Reason> {
        if passport.ppt().is_some_and(|ppt| !parameters::is_token(ppt)) {
            return Err(Reason::MalformedPpt);
        }
        if !is_absolute_uri(passport.x5u()) {
            return Err(Reason::MalformedUrl);
        }
        let mut header = Self {
            digest: passport.text().to_owned(),
            info: passport.x5u().to_owned(),
            alg: ALG.to_owned(),
            ppt: passport.ppt().map(str::to_owned),
            others: Vec::new(),
            warnings: Vec::new(),
        };
        let len = header.to_value().len();
        if len > MAX_IDENTITY_HEADER_LEN {
            return Err(Reason::TooLong);
        }
        if len > LONG_IDENTITY_HEADER_LEN {
            header.warnings.push(Reason::HeaderLong);
        }
        Ok(header)
    }

    /// The token, in either form, as it is written.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The form of the token.
    #[must_use]
    pub fn form(&self) -> TokenForm {
        form_of(&self.digest).unwrap_or(TokenForm::Full)
    }

    /// The signature's text, the last part of the token: what stands for the token where a Reason
    /// header refers to it (SIP-63). Not an identity of the token: ES256 signatures are malleable.
    #[must_use]
    pub fn signature_text(&self) -> &str {
        signature_text(&self.digest)
    }

    /// Where the certificate is: an absolute URI, not necessarily https or one that may be fetched.
    #[must_use]
    pub fn info(&self) -> &str {
        &self.info
    }

    /// `alg`; `ES256` if the header does not say (SIP-3).
    #[must_use]
    pub fn alg(&self) -> &str {
        &self.alg
    }

    /// `ppt`, without its quotes; `None` for a token without extension (SIP-3).
    #[must_use]
    pub fn ppt(&self) -> Option<&str> {
        self.ppt.as_deref()
    }

    /// The parameters nobody knows, in their order, values without quotes (SIP-6).
    pub fn others(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.others
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// What deviates without refusing: [`Reason::HeaderLong`], [`Reason::InfoNotBracketed`].
    #[must_use]
    pub fn warnings(&self) -> &[Reason] {
        &self.warnings
    }

    /// Compares the parameters with the token they came with, in full form.
    ///
    /// A missing `alg` agrees with ES256. A missing `ppt` agrees only with a token without `ppt`. Values
    /// are compared without regard to case, as SIP compares parameter values.
    ///
    /// Returns what deviates without refusing: [`Reason::InfoMismatch`] where `strictness` lets it pass.
    ///
    /// # Errors
    ///
    /// - [`Reason::HeaderParameterMismatch`]: `alg` or `ppt` is not the token's.
    /// - [`Reason::InfoMismatch`]: `info` is not the token's `x5u`, with [`Strictness::Strict`].
    ///
    /// Source: RFC 8224 section 6.1; RFC 8946 section 4.1; practice of SHAKEN (SIP-4, SIP-7).
    pub fn check_agreement(
        &self,
        passport: &Passport,
        strictness: Strictness,
    ) -> Result<Option<Reason>, Reason> {
        // A Passport is ES256's, whatever it came in.
        let ppt_agrees = match (self.ppt(), passport.ppt()) {
            (None, None) => true,
            (Some(here), Some(there)) => here.eq_ignore_ascii_case(there),
            _ => false,
        };
        if !ppt_agrees || !self.alg().eq_ignore_ascii_case(ALG) {
            return Err(Reason::HeaderParameterMismatch);
        }
        if self.info == passport.x5u() {
            return Ok(None);
        }
        match strictness {
            Strictness::Strict => Err(Reason::InfoMismatch),
            Strictness::Lenient => Ok(Some(Reason::InfoMismatch)),
        }
    }

    /// Writes the value: `ppt` unquoted where it can be, `alg` always (SIP-5).
    #[must_use]
    pub fn to_value(&self) -> String {
        let mut value = format!(
            "{};info=<{}>;alg={}",
            self.digest,
            self.info,
            written(self.alg())
        );
        if let Some(ppt) = self.ppt() {
            value.push_str(";ppt=");
            value.push_str(&written(ppt));
        }
        for (name, text) in self.others() {
            value.push(';');
            value.push_str(name);
            if let Some(text) = text {
                value.push('=');
                value.push_str(&written(text));
            }
        }
        value
    }
}

/// Takes the values of one header field line apart.
///
/// The grammar has one value to a line. Where a proxy joined several by commas, they are separated with
/// [`Strictness::Lenient`] only; commas inside quotes and angle brackets separate nothing.
///
/// # Errors
///
/// - [`Reason::TooLong`]: more than [`MAX_IDENTITY_HEADERS`] times [`MAX_IDENTITY_HEADER_LEN`] octets, or
///   more than [`MAX_IDENTITY_HEADERS`] values.
/// - [`Reason::MalformedIdentityHeader`]: several values, with [`Strictness::Strict`].
pub fn split_header_values(line: &str, strictness: Strictness) -> Result<Vec<&str>, Reason> {
    const MAX_LINE_LEN: usize = MAX_IDENTITY_HEADERS * MAX_IDENTITY_HEADER_LEN;
    if line.len() > MAX_LINE_LEN {
        return Err(Reason::TooLong);
    }
    let values: Vec<_> = parameters::split_list(line)
        .take(MAX_IDENTITY_HEADERS.saturating_add(1))
        .collect();
    match values.len() {
        0 | 1 => Ok(values),
        _ if strictness == Strictness::Strict => Err(Reason::MalformedIdentityHeader),
        2..=MAX_IDENTITY_HEADERS => Ok(values),
        _ => Err(Reason::TooLong),
    }
}

/// The form of a token's text, if it has the outer form of one.
pub(super) fn form_of(digest: &str) -> Option<TokenForm> {
    let mut parts = digest.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let is_base64url = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let whole = parts.next().is_none()
        && !signature.is_empty()
        && [header, payload, signature].into_iter().all(is_base64url);
    match (header.is_empty(), payload.is_empty()) {
        (true, true) if whole => Some(TokenForm::Compact),
        (false, false) if whole => Some(TokenForm::Full),
        _ => None,
    }
}

/// The last part of a token.
pub(super) fn signature_text(digest: &str) -> &str {
    digest.rsplit('.').next().unwrap_or_default()
}

/// The value of `alg` and `ppt`: a token, with or without quotes around it.
fn word(value: Written<'_>) -> Option<String> {
    let word = match value {
        Written::Bare(word) => word.to_owned(),
        Written::Quoted(inside) => parameters::unquote(inside)?,
        Written::Absent | Written::Bracketed(_) => return None,
    };
    parameters::is_token(&word).then_some(word)
}

/// The value of a parameter that nobody knows, as the grammar of `gen-value` has it.
pub(super) fn other(value: Written<'_>) -> Option<Option<String>> {
    match value {
        Written::Absent => Some(None),
        Written::Quoted(inside) => parameters::unquote(inside).map(Some),
        // A host may be an IPv6 reference.
        Written::Bare(text) => text
            .chars()
            .all(|c| {
                parameters::is_token(c.encode_utf8(&mut [0; 4])) || matches!(c, '[' | ']' | ':')
            })
            .then(|| Some(text.to_owned())),
        Written::Bracketed(_) => None,
    }
}

/// A value as it can be written: a token as it is, anything else quoted.
pub(super) fn written(text: &str) -> String {
    if parameters::is_token(text) {
        text.to_owned()
    } else {
        parameters::quote(text)
    }
}

/// A scheme, a colon, and something behind it: visible ASCII that can stand in angle brackets.
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    text.len() <= MAX_INFO_LEN
        && !rest.is_empty()
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        && rest
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"'))
}
