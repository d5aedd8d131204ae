//! Who a URI of signalling means: a telephone number or a URI, in canonical form.
//!
//! Source: RFC 8224 sections 8.1 to 8.5.

use core::fmt;

use super::verstat;
use crate::number::MAX_NUMBER_LEN;
use crate::passport::Identity;
use crate::{NumberContext, Reason, TelephoneNumber};

/// The longest URI that is read; that of a claim.
pub const MAX_URI_LEN: usize = 2048;

/// Which user parts count as telephone numbers although the URI does not say `user=phone`.
///
/// Source: RFC 8224 section 8.1, which leaves it to local policy (SIP-30).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnmarkedUser {
    /// None.
    Never,
    /// Those with a leading `+`.
    GlobalOnly,
    /// Those with a leading `+`, and those of dialable characters only (`0-9 * #`). What carriers send.
    #[default]
    Dialable,
}

/// Leading digits that a network puts before or into a number to route it, and what stands there in
/// the number itself. Applied to numbers of more than 15 digits only.
///
/// Source: practice of number portability in France (SIP-36).
#[derive(Clone, PartialEq, Eq)]
pub struct RoutingPrefix {
    written: String,
    instead: String,
}

impl fmt::Debug for RoutingPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoutingPrefix(..)")
    }
}

impl RoutingPrefix {
    /// Numbers that begin with `written` are those that begin with `instead`, which may be empty.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for anything but at most 15 digits, and an empty `written`.
    pub fn new(written: &str, instead: &str) -> Result<Self, Reason> {
        let is_prefix =
            |text: &str| text.len() <= MAX_NUMBER_LEN && text.bytes().all(|b| b.is_ascii_digit());
        if written.is_empty() || !is_prefix(written) || !is_prefix(instead) {
            return Err(Reason::ConfigurationInvalid);
        }
        Ok(Self {
            written: written.to_owned(),
            instead: instead.to_owned(),
        })
    }
}

/// The local choices in reading URIs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UriPolicy {
    /// What counts as a number without saying so.
    pub unmarked: UnmarkedUser,
    /// The length switch: empty, and a number of more than 15 digits is none (SIP-36).
    pub routing_prefixes: Vec<RoutingPrefix>,
}

/// The parts of a URI that matter here.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    /// Before the `@` of a SIP URI, with its parameters and password.
    pub(super) user: Option<&'a str>,
    /// What follows, with parameters; of a tel URI the number.
    pub(super) rest: &'a str,
    /// From the `?` on.
    pub(super) headers: &'a str,
}

impl<'a> Parts<'a> {
    /// `None` for text without a scheme.
    pub(super) fn of(uri: &'a str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let is_sip = scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips");
        // A user part may hold a question mark, so it is split off first (RFC 3261 section 25.1).
        let (user, rest) = match rest.split_once('@') {
            Some((user, rest)) if is_sip => (Some(user), rest),
            _ => (None, rest),
        };
        let at = rest.find('?').filter(|_| is_sip).unwrap_or(rest.len());
        let (rest, headers) = rest.split_at_checked(at)?;
        Some(Self {
            scheme,
            user,
            rest,
            headers,
        })
    }

    pub(super) fn is_sip(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("sip") || self.scheme.eq_ignore_ascii_case("sips")
    }

    pub(super) fn is_tel(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("tel")
    }

    fn is_marked_as(&self, kind: &str) -> bool {
        self.rest.split(';').skip(1).any(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("user") && value.eq_ignore_ascii_case(kind)
            })
        })
    }
}

/// Decides whether `uri` is a telephone number or a URI, and gives it in canonical form.
///
/// A number is what a `tel` URI or the user part of a SIP URI with `user=phone` holds, and what
/// `policy` takes for one: cut at the first `;`, percent signs decoded, separators dropped, converted by
/// `numbers`. Anything else, and what is meant as a number and is none, is a URI: without `verstat`,
/// normalised. Text without a scheme counts as a number.
///
/// `numbers` says how numbers are written where the message comes from. Without it a number without `+`
/// stays as it is, as no country is ever guessed; short codes such as 112 stay so either way.
///
/// # Errors
///
/// [`Reason::MalformedUri`]: neither, or longer than [`MAX_URI_LEN`].
///
/// Source: RFC 8224 sections 8.1, 8.3 and 8.5 (SIP-30 to SIP-36, SIP-74).
pub fn identity_of(
    uri: &str,
    numbers: Option<&NumberContext>,
    policy: &UriPolicy,
) -> Result<Identity, Reason> {
    if uri.len() > MAX_URI_LEN {
        return Err(Reason::MalformedUri);
    }
    let uri = uri.trim_matches(super::parameters::is_blank);
    let Some(parts) = Parts::of(uri) else {
        let number = number_of(uri, numbers, policy).ok_or(Reason::MalformedUri)?;
        return Ok(Identity::Tn(number));
    };
    // Of two `@` some readers take the first for the end of the user part and some the last, so they
    // disagree on who this is.
    if parts.is_sip() && parts.rest.contains('@') {
        return Err(Reason::MalformedUri);
    }
    let written = if parts.is_tel() {
        Some(parts.rest)
    } else {
        parts.user.filter(|user| {
            parts.is_marked_as("phone")
                || (!parts.is_marked_as("ip") && is_taken_for_number(user, policy.unmarked))
        })
    };
    if let Some(number) = written.and_then(|written| number_of(written, numbers, policy)) {
        return Ok(Identity::Tn(number));
    }
    let is_uri = uri.bytes().all(|b| b.is_ascii_graphic())
        && is_scheme(parts.scheme)
        && !parts.rest.is_empty()
        && parts.user != Some("");
    if !is_uri {
        return Err(Reason::MalformedUri);
    }
    Ok(Identity::Uri(verstat::strip(uri)).normalized())
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn is_taken_for_number(user: &str, unmarked: UnmarkedUser) -> bool {
    let user = user.split([';', ':']).next().unwrap_or_default();
    let is_global = user.starts_with('+') || user.starts_with("%2B") || user.starts_with("%2b");
    let is_dialable = !user.is_empty()
        && user
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'));
    match unmarked {
        UnmarkedUser::Never => false,
        UnmarkedUser::GlobalOnly => is_global,
        UnmarkedUser::Dialable => is_global || is_dialable,
    }
}

/// The canonical number of a user part or of what follows `tel:`.
fn number_of(
    written: &str,
    numbers: Option<&NumberContext>,
    policy: &UriPolicy,
) -> Option<TelephoneNumber> {
    // Also at a colon: what follows is a password.
    let written = written.split([';', ':']).next()?;
    let number = match numbers {
        Some(context) => context.canonical(written),
        None => TelephoneNumber::from_text(written),
    };
    number.ok().or_else(|| without_prefix(written, policy))
}

/// The number behind a routing prefix, where it is longer than a number can be.
fn without_prefix(written: &str, policy: &UriPolicy) -> Option<TelephoneNumber> {
    let digits: String = written
        .chars()
        .filter(|c| !matches!(c, '+' | '-' | '.' | '(' | ')' | ' '))
        .collect();
    if digits.len() <= MAX_NUMBER_LEN {
        return None;
    }
    policy.routing_prefixes.iter().find_map(|prefix| {
        let rest = digits.strip_prefix(&prefix.written)?;
        TelephoneNumber::from_canonical(&format!("{}{rest}", prefix.instead)).ok()
    })
}
