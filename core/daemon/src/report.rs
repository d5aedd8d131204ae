//! The objects that results are told with: a documented contract, whose members are only ever added.

use std::time::Duration;

use ringtrue::{CallVerdict, Check, CheckResult, Placed, Reason};
use serde::Serialize;

/// What became of a call that was placed or rang. The command's JSON and the daemon's alike.
#[derive(Serialize)]
pub struct CallReport {
    /// A verdict, or for a placed call `stored` or `unprotected`.
    pub verdict: &'static str,
    /// Stable reason names.
    pub reasons: Vec<&'static str>,
    /// The steps of verification, in order.
    pub checks: Vec<CheckReport>,
    /// The calling number, `null` if withheld.
    pub orig: Option<String>,
    /// The called number.
    pub dest: Option<String>,
    /// How much was received and opened.
    pub blobs: BlobReport,
    /// The time until the result, in milliseconds.
    pub elapsed_ms: u64,
    /// For a placed call: what came of the announcement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<PlacementReport>,
    /// For a call that was answered: what came of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerReport>,
}

/// One step of verification.
#[derive(Serialize)]
pub struct CheckReport {
    /// Its stable name.
    pub check: &'static str,
    /// `passed`, `failed` or `not_reached`.
    pub result: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// How many blobs came and opened.
#[derive(Default, Serialize)]
pub struct BlobReport {
    /// All that came, dummies among them.
    pub received: u32,
    /// Those that one of the own keys opened.
    pub opened: u32,
}

/// What came of an announcement.
#[derive(Serialize)]
pub struct PlacementReport {
    /// `stored` or `unprotected`.
    pub result: &'static str,
    /// How many sealed copies are stored.
    pub copies: usize,
    /// The time it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// What came of an answer.
#[derive(Serialize)]
pub struct AnswerReport {
    /// Whether the caller can fetch it now.
    pub sent: bool,
    /// Why not, or what else is worth knowing.
    pub reasons: Vec<&'static str>,
}

impl CallReport {
    /// The report of a verdict.
    #[must_use]
    pub fn of(verdict: &CallVerdict, elapsed: Duration) -> Self {
        Self {
            verdict: verdict.verdict.name(),
            reasons: names(&verdict.reasons),
            checks: verdict.checks.iter().map(CheckReport::of).collect(),
            orig: verdict
                .orig
                .as_ref()
                .map(|number| number.as_str().to_owned()),
            dest: verdict
                .dest
                .as_ref()
                .map(|number| number.as_str().to_owned()),
            blobs: BlobReport {
                received: verdict.blobs.received,
                opened: verdict.blobs.opened,
            },
            elapsed_ms: millis(elapsed),
            placement: None,
            answer: None,
        }
    }

    /// The report of a call that was announced, or could not be, as of then.
    #[must_use]
    pub fn of_placed(placed: &Placed, verdict: &'static str, elapsed: Duration) -> Self {
        Self {
            verdict,
            reasons: names(&placed.reasons),
            checks: Vec::new(),
            orig: Some(placed.orig.as_str().to_owned()),
            dest: Some(placed.dest.as_str().to_owned()),
            blobs: BlobReport::default(),
            elapsed_ms: millis(elapsed),
            placement: Some(PlacementReport::of(placed, elapsed)),
            answer: None,
        }
    }
}

impl CheckReport {
    /// The report of one step.
    #[must_use]
    pub const fn of(check: &Check) -> Self {
        Self {
            check: check.check.name(),
            result: check.result.name(),
            reason: match check.result {
                CheckResult::Failed(reason) => Some(reason.name()),
                _ => None,
            },
        }
    }
}

impl PlacementReport {
    /// The report of an announcement.
    #[must_use]
    pub fn of(placed: &Placed, elapsed: Duration) -> Self {
        Self {
            result: placed.placement.name(),
            copies: placed.copies,
            elapsed_ms: millis(elapsed),
        }
    }
}

/// The stable names of reasons.
#[must_use]
pub fn names(reasons: &[Reason]) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.name()).collect()
}

/// Whole milliseconds.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
