//! What a call turned out to be.

use crate::Reason;
use crate::reason::reasons;
use crate::show::show;

/// The verdict on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
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

#[uniffi::export]
impl Verdict {
    /// Whether the person may be told that the other side is who it says.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.to_core().is_good()
    }
}

impl Verdict {
    const fn to_core(self) -> ringtrue::Verdict {
        match self {
            Self::ClockUnset => ringtrue::Verdict::ClockUnset,
            Self::Conflicting => ringtrue::Verdict::Conflicting,
            Self::Confirmed => ringtrue::Verdict::Confirmed,
            Self::NoRecord => ringtrue::Verdict::NoRecord,
            Self::Refused => ringtrue::Verdict::Refused,
            Self::Unavailable => ringtrue::Verdict::Unavailable,
            Self::Verified => ringtrue::Verdict::Verified,
        }
    }
}

impl From<ringtrue::Verdict> for Verdict {
    fn from(verdict: ringtrue::Verdict) -> Self {
        match verdict {
            ringtrue::Verdict::ClockUnset => Self::ClockUnset,
            ringtrue::Verdict::Conflicting => Self::Conflicting,
            ringtrue::Verdict::Confirmed => Self::Confirmed,
            ringtrue::Verdict::NoRecord => Self::NoRecord,
            ringtrue::Verdict::Refused => Self::Refused,
            ringtrue::Verdict::Verified => Self::Verified,
            // Also for a verdict that this binding does not know: it must not look like a good one.
            _ => Self::Unavailable,
        }
    }
}

/// A step of verification, in the order in which it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CheckName {
    /// The token parses and is of a supported type.
    Ppt,
    /// `orig` is the calling number.
    Orig,
    /// The signer's certificate leads to an anchor and may sign.
    Credential,
    /// The signer's TNAuthList covers the number it speaks for.
    Authority,
    /// `iat` is inside the window.
    Freshness,
    /// The signature holds and the token is canonical.
    Signature,
    /// `dest` holds the called number.
    Dest,
    /// The PASSporT was not used for another call.
    Replay,
    /// The caller has not reported the call attempt as ended.
    State,
}

impl CheckName {
    /// `None` for a check that this binding does not know.
    const fn from_core(check: ringtrue::CheckName) -> Option<Self> {
        Some(match check {
            ringtrue::CheckName::Ppt => Self::Ppt,
            ringtrue::CheckName::Orig => Self::Orig,
            ringtrue::CheckName::Credential => Self::Credential,
            ringtrue::CheckName::Authority => Self::Authority,
            ringtrue::CheckName::Freshness => Self::Freshness,
            ringtrue::CheckName::Signature => Self::Signature,
            ringtrue::CheckName::Dest => Self::Dest,
            ringtrue::CheckName::Replay => Self::Replay,
            ringtrue::CheckName::State => Self::State,
            _ => return None,
        })
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CheckResult {
    /// It does not hold.
    Failed {
        /// Why not.
        reason: Reason,
    },
    /// An earlier step failed, so this one was not made.
    NotReached,
    /// It holds.
    Passed,
}

impl From<ringtrue::CheckResult> for CheckResult {
    fn from(result: ringtrue::CheckResult) -> Self {
        match result {
            ringtrue::CheckResult::Passed => Self::Passed,
            ringtrue::CheckResult::Failed(reason) => Self::Failed {
                reason: reason.into(),
            },
            // Also for a result that this binding does not know: it must not look like a good one.
            _ => Self::NotReached,
        }
    }
}

/// One step and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Check {
    /// The step.
    pub check: CheckName,
    /// How it ended.
    pub result: CheckResult,
}

/// How many blobs came and how many opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BlobCounts {
    /// Well-formed blobs in all answers together, dummies included.
    pub received: u32,
    /// Blobs that one of the own keys opened.
    pub opened: u32,
}

/// A verdict with everything that led to it. Its text shows the verdict only.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct CallVerdict {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, and what else is worth knowing; most telling first, without repetition.
    pub reasons: Vec<Reason>,
    /// The steps of RFC 8816 section 8.2 on the PASSporT that decided, or came furthest, in order.
    pub checks: Vec<Check>,
    /// The calling number as signalling gave it; never taken from a token.
    pub orig: Option<String>,
    /// The called number: the own one that the verdict is about.
    pub dest: Option<String>,
    /// How much was received and opened.
    pub blobs: BlobCounts,
}

show!(CallVerdict, |value, f| write!(
    f,
    "CallVerdict({})",
    value.verdict.to_core().name()
));

impl From<ringtrue::CallVerdict> for CallVerdict {
    fn from(call: ringtrue::CallVerdict) -> Self {
        let check = |made: ringtrue::Check| {
            let check = CheckName::from_core(made.check)?;
            Some(Check {
                check,
                result: made.result.into(),
            })
        };
        Self {
            verdict: call.verdict.into(),
            reasons: reasons(call.reasons),
            checks: call.checks.into_iter().filter_map(check).collect(),
            orig: call.orig.map(|number| number.as_str().to_owned()),
            dest: call.dest.map(|number| number.as_str().to_owned()),
            blobs: BlobCounts {
                received: call.blobs.received,
                opened: call.blobs.opened,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use ringtrue::{CheckName as CoreName, CheckResult as CoreResult, Verdict as CoreVerdict};

    use super::{CallVerdict, CheckName, CheckResult, Verdict};

    const VERDICTS: [CoreVerdict; 7] = [
        CoreVerdict::ClockUnset,
        CoreVerdict::Conflicting,
        CoreVerdict::Confirmed,
        CoreVerdict::NoRecord,
        CoreVerdict::Refused,
        CoreVerdict::Unavailable,
        CoreVerdict::Verified,
    ];

    fn number(text: &str) -> ringtrue::TelephoneNumber {
        ringtrue::TelephoneNumber::from_canonical(text).unwrap()
    }

    fn core_verdict() -> ringtrue::CallVerdict {
        ringtrue::CallVerdict {
            verdict: CoreVerdict::Refused,
            reasons: vec![
                ringtrue::Reason::NumberNotCovered,
                ringtrue::Reason::CpsMismatch,
            ],
            checks: CoreName::ORDER
                .into_iter()
                .map(|check| ringtrue::Check {
                    check,
                    result: match check {
                        CoreName::Ppt | CoreName::Orig | CoreName::Credential => CoreResult::Passed,
                        CoreName::Authority => {
                            CoreResult::Failed(ringtrue::Reason::NumberNotCovered)
                        }
                        _ => CoreResult::NotReached,
                    },
                })
                .collect(),
            orig: Some(number("12025550143")),
            dest: None,
            blobs: ringtrue::BlobCounts {
                received: 7,
                opened: 2,
            },
        }
    }

    #[test]
    fn every_verdict_converts_and_only_the_two_good_ones_are_good() {
        for verdict in VERDICTS {
            let converted = Verdict::from(verdict);
            assert_eq!(converted.to_core(), verdict);
            assert_eq!(converted.is_good(), verdict.is_good());
        }
        assert_eq!(
            VERDICTS.iter().filter(|verdict| verdict.is_good()).count(),
            2
        );
    }

    #[test]
    fn every_check_converts_in_order() {
        let names: Vec<_> = CoreName::ORDER
            .into_iter()
            .filter_map(CheckName::from_core)
            .collect();
        let expected = [
            CheckName::Ppt,
            CheckName::Orig,
            CheckName::Credential,
            CheckName::Authority,
            CheckName::Freshness,
            CheckName::Signature,
            CheckName::Dest,
            CheckName::Replay,
            CheckName::State,
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_verdict_keeps_everything_that_led_to_it() {
        let verdict = CallVerdict::from(core_verdict());
        assert_eq!(verdict.verdict, Verdict::Refused);
        let names: Vec<_> = verdict
            .reasons
            .iter()
            .map(|reason| reason.name.as_str())
            .collect();
        assert_eq!(names, ["number_not_covered", "cps_mismatch"]);
        assert_eq!(verdict.checks.len(), 9);
        assert_eq!(verdict.checks[2].result, CheckResult::Passed);
        let reason = ringtrue::Reason::NumberNotCovered.into();
        assert_eq!(verdict.checks[3].result, CheckResult::Failed { reason });
        assert_eq!(verdict.checks[4].result, CheckResult::NotReached);
        assert_eq!(verdict.orig.as_deref(), Some("12025550143"));
        assert_eq!(verdict.dest, None);
        assert_eq!((verdict.blobs.received, verdict.blobs.opened), (7, 2));
    }

    #[test]
    fn its_text_holds_no_number() {
        let verdict = CallVerdict::from(core_verdict());
        assert_eq!(verdict.to_string(), "CallVerdict(refused)");
        assert_eq!(format!("{verdict:?}"), "CallVerdict(refused)");
    }
}
