//! The named steps of verification, so that a result shows what was looked at.

use ringtrue_stir::Reason;

/// A step of verification, in the order in which it is made.
///
/// Source: RFC 8816 section 8.2; for an answer, RFC 9970 sections 4 to 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckName {
    /// The token parses and is of a supported type (step 2).
    Ppt,
    /// `orig` is the calling number (step 3).
    Orig,
    /// The signer's certificate leads to an anchor and may sign (step 4).
    Credential,
    /// The signer's TNAuthList covers the number it speaks for (step 4).
    Authority,
    /// `iat` is inside the window (step 5).
    Freshness,
    /// The signature holds and the token is canonical (step 6).
    Signature,
    /// `dest` holds the called number.
    Dest,
    /// The PASSporT was not used for another call.
    Replay,
    /// Nothing else contradicts: no report that the call attempt ended, no second call, no other state,
    /// time or media key.
    State,
}

impl CheckName {
    /// Every check, in order.
    pub const ORDER: [Self; 9] = [
        Self::Ppt,
        Self::Orig,
        Self::Credential,
        Self::Authority,
        Self::Freshness,
        Self::Signature,
        Self::Dest,
        Self::Replay,
        Self::State,
    ];

    /// The stable name, `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ppt => "ppt",
            Self::Orig => "orig",
            Self::Credential => "credential",
            Self::Authority => "authority",
            Self::Freshness => "freshness",
            Self::Signature => "signature",
            Self::Dest => "dest",
            Self::Replay => "replay",
            Self::State => "state",
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckResult {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed(Reason),
    /// An earlier step failed, so this one was not made.
    NotReached,
}

impl CheckResult {
    /// The stable name: `passed`, `failed`, `not_reached`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::NotReached => "not_reached",
        }
    }
}

/// One step and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// The step.
    pub check: CheckName,
    /// How it ended.
    pub result: CheckResult,
}

/// Collects steps while they are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checks(Vec<Check>);

impl Checks {
    /// Notes that `check` holds.
    pub(crate) fn pass(&mut self, check: CheckName) {
        self.0.push(Check {
            check,
            result: CheckResult::Passed,
        });
    }

    /// Notes `result` and hands it back, so that `?` ends the verification.
    pub(crate) fn note<T>(
        &mut self,
        check: CheckName,
        result: Result<T, Reason>,
    ) -> Result<T, Reason> {
        match result {
            Ok(value) => {
                self.pass(check);
                Ok(value)
            }
            Err(reason) => {
                self.0.push(Check {
                    check,
                    result: CheckResult::Failed(reason),
                });
                Err(reason)
            }
        }
    }

    /// Turns a step that held into one that failed: a token may parse and still be of no use.
    pub(crate) fn redo<T>(&mut self, check: CheckName, reason: Reason) -> Result<T, Reason> {
        self.0.retain(|made| made.check != check);
        self.note(check, Err(reason))
    }

    /// How many steps held: the larger, the further a PASSporT came.
    pub(crate) fn passed(&self) -> usize {
        self.0
            .iter()
            .filter(|check| check.result == CheckResult::Passed)
            .count()
    }

    /// All steps in order; those not made are [`CheckResult::NotReached`].
    pub(crate) fn complete(&self) -> Vec<Check> {
        CheckName::ORDER
            .into_iter()
            .map(|check| {
                let made = self.0.iter().find(|made| made.check == check);
                made.copied().unwrap_or(Check {
                    check,
                    result: CheckResult::NotReached,
                })
            })
            .collect()
    }
}
