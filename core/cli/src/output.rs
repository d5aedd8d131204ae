//! How results are shown: JSON for programs (a documented contract), text for people.

use anstyle::{AnsiColor, Style};
use ringtrue::Verdict;
pub(crate) use ringtrue_daemon::{AnswerReport, CallReport, PlacementReport, names};

/// Prints the report of a call, as JSON or for people.
pub(crate) fn print(report: &CallReport, json: bool) {
    if json {
        // Plain strings and numbers always serialise.
        anstream::println!("{}", serde_json::to_string(report).unwrap_or_default());
        return;
    }
    let style = verdict_style(report.verdict);
    anstream::println!(
        "{style}{}{style:#}  after {} ms",
        report.verdict,
        report.elapsed_ms
    );
    let unknown = "withheld".to_owned();
    let orig = report.orig.as_ref().unwrap_or(&unknown);
    anstream::println!("  from {orig} to {}", report.dest.as_deref().unwrap_or("-"));
    for check in &report.checks {
        let reason = check
            .reason
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        anstream::println!("  {:<11} {}{reason}", check.check, check.result);
    }
    if !report.reasons.is_empty() {
        anstream::println!("  reasons: {}", report.reasons.join(", "));
    }
    anstream::println!(
        "  blobs: {} received, {} opened",
        report.blobs.received,
        report.blobs.opened
    );
    if let Some(placement) = &report.placement {
        anstream::println!(
            "  announcement: {}, {} cop{} in {} ms",
            placement.result,
            placement.copies,
            if placement.copies == 1 { "y" } else { "ies" },
            placement.elapsed_ms
        );
    }
    if let Some(answer) = &report.answer {
        let sent = if answer.sent { "sent" } else { "not sent" };
        anstream::println!("  answer: {sent} {}", answer.reasons.join(", "));
    }
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
