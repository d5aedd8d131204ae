//! Collecting what a verification finds.

use super::Verdict;
use crate::Reason;

/// Reasons and warnings, each once, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    refusals: Vec<Reason>,
    undecided: Vec<Reason>,
    warnings: Vec<Reason>,
    is_ignored: bool,
}

impl Findings {
    /// Something is wrong, or, for a reason of that kind, left to a policy.
    pub(super) fn fault(&mut self, reason: Reason) {
        let list = if is_policy(reason) {
            &mut self.undecided
        } else {
            &mut self.refusals
        };
        if !list.contains(&reason) {
            list.push(reason);
        }
    }

    /// As [`Findings::fault`], if there is one.
    pub(super) fn check(&mut self, checked: Result<(), Reason>) {
        if let Err(reason) = checked {
            self.fault(reason);
        }
    }

    /// Worth reporting, decides nothing.
    pub(super) fn warn(&mut self, reason: Reason) {
        if !self.warnings.contains(&reason) {
            self.warnings.push(reason);
        }
    }

    /// The token is of a type that is not supported.
    pub(super) const fn ignore(&mut self) {
        self.is_ignored = true;
    }

    /// The verdict, the reasons for it (those that decide first), and the warnings.
    pub(super) fn conclude(self) -> (Verdict, Vec<Reason>, Vec<Reason>) {
        if self.is_ignored {
            return (Verdict::Ignore, vec![Reason::PptUnsupported], self.warnings);
        }
        let verdict = if !self.refusals.is_empty() {
            Verdict::Refuse
        } else if !self.undecided.is_empty() {
            Verdict::Policy
        } else {
            Verdict::Accept
        };
        let mut reasons = self.refusals;
        reasons.extend(self.undecided);
        (verdict, reasons, self.warnings)
    }
}

/// What another policy, or more data, would let pass (CRT-9, CRT-11, CRT-33, CRT-61, RSP-2, SCT-20).
const fn is_policy(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::AuthorityBySpc
            | Reason::AuthorityUnknown
            | Reason::CrlStale
            | Reason::CrlUnavailable
            | Reason::EncompassUnknown
            | Reason::SctDeferred
            | Reason::UnexpectedRsp
    )
}
