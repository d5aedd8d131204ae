//! `verstat`: what a network tells the telephone of its own verification.
//!
//! It is a word in a URI that anyone can write. It counts as far as the hop it came from is trusted, and
//! it says nothing that this library has checked.
//!
//! Source: 3GPP TS 24.229 section 7.2A.20, by public descriptions.

use core::fmt;

use super::uri::Parts;
use super::verification::Outcome;

/// Longer values are not read; the registered ones have 20 characters, suffixes of vendors a few more.
const MAX_VALUE_LEN: usize = 64;

/// The result that a network states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verstat {
    /// `TN-Validation-Failed`.
    Failed,
    /// `No-TN-Validation`.
    NotValidated,
    /// `TN-Validation-Passed`.
    Passed,
}

impl Verstat {
    /// The value as it is written, without any suffix.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "TN-Validation-Failed",
            Self::NotValidated => "No-TN-Validation",
            Self::Passed => "TN-Validation-Passed",
        }
    }

    /// What a network that has verified itself states: from the summary of the verification, never from
    /// an attestation (SIP-72).
    #[must_use]
    pub const fn of_summary(summary: Outcome) -> Self {
        match summary {
            Outcome::Valid => Self::Passed,
            Outcome::None | Outcome::NoCredential | Outcome::Unsupported => Self::NotValidated,
            _ => Self::Failed,
        }
    }
}

/// How far the hop is trusted that a message came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HopTrust {
    /// Configured as one whose statements count.
    Trusted,
    /// Any other.
    #[default]
    Untrusted,
}

/// A `verstat` as a trusted hop has written it.
#[derive(Clone, PartialEq, Eq)]
pub struct VerstatClaim {
    verstat: Verstat,
    raw: String,
}

impl fmt::Debug for VerstatClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerstatClaim").field(&self.verstat).finish()
    }
}

impl VerstatClaim {
    /// Reads `verstat` of a tel or SIP URI: as a parameter of the URI, and in the user part.
    ///
    /// `None` if there is none, if its value is unknown, if several disagree, and always where the hop is
    /// not trusted.
    ///
    /// Source: TS 24.229 section 7.2A.20 (SIP-70 to SIP-73).
    #[must_use]
    pub fn read(uri: &str, trust: HopTrust) -> Option<Self> {
        if trust == HopTrust::Untrusted || uri.len() > super::uri::MAX_URI_LEN {
            return None;
        }
        let parts = Parts::of(uri).filter(|parts| parts.is_tel() || parts.is_sip())?;
        let user = parts.user.unwrap_or_default().split(';').skip(1);
        let mut values = user
            .chain(parts.rest.split(';').skip(1))
            .filter_map(|parameter| parameter.split_once('='))
            .filter(|(name, _)| name.eq_ignore_ascii_case("verstat"))
            .map(|(_, value)| value);
        let raw = values.next()?;
        if !values.all(|other| other.eq_ignore_ascii_case(raw)) {
            return None;
        }
        Self::of_value(raw)
    }

    fn of_value(raw: &str) -> Option<Self> {
        let is_value = raw.len() <= MAX_VALUE_LEN
            && raw
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        let begins_with = |verstat: &Verstat| {
            let word = verstat.as_str();
            let suffix = raw.get(word.len()..);
            raw.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
                && suffix.is_some_and(|suffix| suffix.is_empty() || suffix.starts_with('-'))
        };
        [Verstat::Failed, Verstat::NotValidated, Verstat::Passed]
            .into_iter()
            .find(|verstat| is_value && begins_with(verstat))
            .map(|verstat| Self {
                verstat,
                raw: raw.to_owned(),
            })
    }

    /// The result.
    #[must_use]
    pub const fn verstat(&self) -> Verstat {
        self.verstat
    }

    /// The value as it was written, with what vendors append (`-A`, `-Diverted`): for display beside the
    /// result, never instead of it (SIP-73).
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }
}

/// The URI without `verstat`, wherever it stands: before a number is made canonical, and before a message
/// leaves for another domain (SIP-74). Text that is no tel or SIP URI stays as it is.
#[must_use]
pub fn strip(uri: &str) -> String {
    let Some(parts) = Parts::of(uri).filter(|parts| parts.is_tel() || parts.is_sip()) else {
        return uri.to_owned();
    };
    let mut stripped = format!("{}:", parts.scheme);
    if let Some(user) = parts.user {
        stripped.push_str(&without_verstat(user));
        stripped.push('@');
    }
    stripped.push_str(&without_verstat(parts.rest));
    stripped.push_str(parts.headers);
    stripped
}

fn without_verstat(text: &str) -> String {
    let mut kept = text.split(';').enumerate().filter_map(|(index, part)| {
        let name = part.split('=').next().unwrap_or_default();
        (index == 0 || !name.eq_ignore_ascii_case("verstat")).then_some(part)
    });
    let mut text = kept.next().unwrap_or_default().to_owned();
    for part in kept {
        text.push(';');
        text.push_str(part);
    }
    text
}
