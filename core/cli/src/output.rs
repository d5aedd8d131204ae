//! How results are shown: JSON for programs (a documented contract), text for people.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use ringtrue::{CallVerdict, Check, CheckResult, Reason, Verdict};
use serde::Serialize;

/// The JSON of `place` and `ring`. Members are only ever added.
#[derive(Serialize)]
pub(crate) struct CallReport {
    /// A verdict, or for a placed call `stored` or `unprotected`.
    pub(crate) verdict: &'static str,
    /// Stable reason names.
    pub(crate) reasons: Vec<&'static str>,
    /// The steps of verification, in order.
    pub(crate) checks: Vec<CheckReport>,
    /// The calling number, `null` if withheld.
    pub(crate) orig: Option<String>,
    /// The called number.
    pub(crate) dest: Option<String>,
    /// How much was received and opened.
    pub(crate) blobs: BlobReport,
    /// The time until the result, in milliseconds.
    pub(crate) elapsed_ms: u64,
    /// For `place`: what came of the announcement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) placement: Option<PlacementReport>,
    /// For `ring --answer`: what came of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<AnswerReport>,
}

#[derive(Serialize)]
pub(crate) struct CheckReport {
    pub(crate) check: &'static str,
    pub(crate) result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
pub(crate) struct BlobReport {
    pub(crate) received: u32,
    pub(crate) opened: u32,
}

#[derive(Serialize)]
pub(crate) struct PlacementReport {
    pub(crate) result: &'static str,
    pub(crate) copies: usize,
    pub(crate) elapsed_ms: u64,
}

#[derive(Serialize)]
pub(crate) struct AnswerReport {
    pub(crate) sent: bool,
    pub(crate) reasons: Vec<&'static str>,
}

impl CallReport {
    /// The report of a verdict.
    pub(crate) fn of(verdict: &CallVerdict, elapsed: Duration) -> Self {
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

    /// Prints it, as JSON or for people.
    pub(crate) fn print(&self, json: bool) {
        if json {
            // Plain strings and numbers always serialise.
            anstream::println!("{}", serde_json::to_string(self).unwrap_or_default());
            return;
        }
        let style = verdict_style(self.verdict);
        anstream::println!(
            "{style}{}{style:#}  after {} ms",
            self.verdict,
            self.elapsed_ms
        );
        let unknown = "withheld".to_owned();
        let orig = self.orig.as_ref().unwrap_or(&unknown);
        anstream::println!("  from {orig} to {}", self.dest.as_deref().unwrap_or("-"));
        for check in &self.checks {
            let reason = check
                .reason
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            anstream::println!("  {:<11} {}{reason}", check.check, check.result);
        }
        if !self.reasons.is_empty() {
            anstream::println!("  reasons: {}", self.reasons.join(", "));
        }
        anstream::println!(
            "  blobs: {} received, {} opened",
            self.blobs.received,
            self.blobs.opened
        );
        if let Some(placement) = &self.placement {
            anstream::println!(
                "  announcement: {}, {} cop{} in {} ms",
                placement.result,
                placement.copies,
                if placement.copies == 1 { "y" } else { "ies" },
                placement.elapsed_ms
            );
        }
        if let Some(answer) = &self.answer {
            let sent = if answer.sent { "sent" } else { "not sent" };
            anstream::println!("  answer: {sent} {}", answer.reasons.join(", "));
        }
    }
}

impl CheckReport {
    pub(crate) fn of(check: &Check) -> Self {
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

/// The stable names of reasons.
pub(crate) fn names(reasons: &[Reason]) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.name()).collect()
}

/// Whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How a verdict is coloured. `anstream` drops colours where there is no terminal.
pub(crate) fn verdict_style(verdict: &str) -> Style {
    let colour = match verdict {
        "verified" | "confirmed" | "stored" => AnsiColor::Green,
        "refused" | "conflicting" => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    };
    colour.on_default().bold()
}

/// The exit status of a verdict.
pub(crate) const fn exit_of(verdict: Verdict) -> crate::exit::Exit {
    if verdict.is_good() {
        crate::exit::Exit::Good
    } else {
        crate::exit::Exit::OtherVerdict
    }
}
