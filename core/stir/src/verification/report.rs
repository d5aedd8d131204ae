//! What a verification found.

use core::fmt;

use crate::Reason;
use crate::passport::{DiversionChain, Passport, VerifiedPassport};
use crate::rcd::RichCallData;

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Everything holds.
    Accept,
    /// A type this library does not support: as if the token were not there (PPT-14).
    Ignore,
    /// Nothing is wrong, but whether it counts is a policy that was not stated.
    Policy,
    /// Something is wrong.
    Refuse,
}

impl Verdict {
    /// The verdict's name, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Ignore => "ignore",
            Self::Policy => "policy",
            Self::Refuse => "refuse",
        }
    }
}

/// What the signer may say about the number that it speaks for.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportedAuthority {
    /// The number is in its TNAuthList.
    Covered,
    /// Only this service provider code vouches (CRT-11).
    BySpc(String),
    /// It cannot be told: no certificate was looked at, or its list or an issuer's is not at hand.
    Unknown,
    /// None.
    None,
}

impl fmt::Debug for ReportedAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Covered => "Covered",
            Self::BySpc(_) => "BySpc(..)",
            Self::Unknown => "Unknown",
            Self::None => "None",
        })
    }
}

/// The result of [`verify`](super::verify). [`fmt::Debug`] prints nothing of the call.
#[derive(Clone)]
#[non_exhaustive]
pub struct Report {
    /// The outcome.
    pub verdict: Verdict,
    /// Why it is not [`Verdict::Accept`]: every reason that was found, the first decisive one first.
    pub reasons: Vec<Reason>,
    /// What deviates without deciding.
    pub warnings: Vec<Reason>,
    /// The token, if it could be parsed.
    pub passport: Option<Passport>,
    /// The token with its signer, if signature and path hold; also with another verdict.
    pub verified: Option<VerifiedPassport>,
    /// What the signer may say.
    pub authority: ReportedAuthority,
    /// The tokens of a diverted call, if they form a chain.
    pub diversions: Option<DiversionChain>,
    /// The rich call data, if there are any that may be used (PPT-77): never those of a token that is
    /// refused or ignored.
    pub rcd: Option<RichCallData>,
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("verdict", &self.verdict)
            .field("reasons", &self.reasons)
            .field("warnings", &self.warnings)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}
