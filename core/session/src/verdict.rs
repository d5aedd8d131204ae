//! What a call turned out to be. A verdict is a value, never an error.

use ringtrue_stir::{Reason, TelephoneNumber};

use crate::Check;

/// The verdict on a call (W-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The device clock is not set, so nothing can be judged fresh.
    ClockUnset,
    /// Good evidence that another fact contradicts; to be shown as unverified, with a warning.
    Conflicting,
    /// Verified, and the other side's state and time agree.
    Confirmed,
    /// Nothing was found that names this call. Not a sign of fraud.
    NoRecord,
    /// Something named this call and failed a check.
    Refused,
    /// The service could not be asked in time.
    Unavailable,
    /// A PASSporT passed every check for this call.
    Verified,
}

impl Verdict {
    /// The stable name, `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClockUnset => "clock_unset",
            Self::Conflicting => "conflicting",
            Self::Confirmed => "confirmed",
            Self::NoRecord => "no_record",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Verified => "verified",
        }
    }

    /// Whether the person may be told that the other side is who it says.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Verified | Self::Confirmed)
    }
}

/// How many blobs came and how many opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BlobCounts {
    /// Well-formed blobs in all answers together, dummies included.
    pub received: u32,
    /// Blobs that one of the own keys opened.
    pub opened: u32,
}

/// A verdict with everything that led to it.
///
/// [`core::fmt::Debug`] shows no telephone number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallVerdict {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, and what else is worth knowing; most telling first, without repetition.
    pub reasons: Vec<Reason>,
    /// The steps of RFC 8816 section 8.2 on the PASSporT that decided (or came furthest), in order.
    pub checks: Vec<Check>,
    /// The calling number as signalling gave it; never taken from a token (SIP-41).
    pub orig: Option<TelephoneNumber>,
    /// The called number: the own one that the verdict is about.
    pub dest: Option<TelephoneNumber>,
    /// How much was received and opened.
    pub blobs: BlobCounts,
}

/// Adds a reason that is not there yet.
pub(crate) fn add_reason(reasons: &mut Vec<Reason>, reason: Reason) {
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}
