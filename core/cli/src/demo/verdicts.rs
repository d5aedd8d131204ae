//! What somebody learned, in words: verdict, reason and checks.

use ringtrue::Reason;

use super::scene::{Outcome, Who};
use super::text::{PROSE, bold, fit, green, line_to, paint, prose, red, short_ms, wrapped};
use crate::output::{CallReport, verdict_style};

/// Columns of the text of a row.
pub(super) const TEXT: usize = 58;

/// Columns of what stands under a row.
const UNDER: usize = PROSE - 8;

/// A row of a scene that is told as a list.
pub(super) fn row(who: Who, text: &str, took_ms: f64) -> String {
    format!("    {:<8}{text} {:>8}\n", who.name(), short_ms(took_ms))
}

/// What somebody learned, with why.
pub(super) fn learned(outcome: &Outcome) -> String {
    let got = &outcome.got;
    let reason = outcome
        .expected
        .reason
        .filter(|reason| got.reasons.contains(reason))
        .or(got.reasons.first().copied());
    let verdict = got.verdict.to_uppercase();
    let verdict = reason.map_or(verdict.clone(), |reason| format!("{verdict}: {reason}"));
    let verdict = paint(verdict_style(got.verdict), &fit(&verdict, TEXT));
    let mut text = row(outcome.who, &verdict, outcome.elapsed_ms);
    for line in why(outcome, reason) {
        for line in wrapped(&line, UNDER) {
            line_to(&mut text, &format!("            {line}"));
        }
    }
    text
}

fn why(outcome: &Outcome, reason: Option<&str>) -> Vec<String> {
    let got = &outcome.got;
    let due = format!("due within {}", short_ms(outcome.deadline_ms));
    match got.verdict {
        "no_record" => vec![format!(
            "kept looking: {} blobs, {} opened; nothing vouches for this call",
            got.blobs.received, got.blobs.opened
        )],
        "unprotected" => vec![format!("not announced, dialled all the same; {due}")],
        "unavailable" => vec![format!("shown as not verified; {due}")],
        _ => {
            let about = reason.and_then(Reason::from_name).map(Reason::describe);
            let mut lines: Vec<String> = about.map(str::to_owned).into_iter().collect();
            if !got.checks.is_empty() {
                lines.push(told_checks(got));
            }
            lines
        }
    }
}

/// Which checks passed, and which one did not.
fn told_checks(got: &CallReport) -> String {
    let named = |result: &str| -> Vec<&str> {
        let found = got.checks.iter().filter(|check| check.result == result);
        found.map(|check| check.check).collect()
    };
    let (passed, failed) = (named("passed"), named("failed"));
    if failed.is_empty() {
        return checks_passed(got);
    }
    let passed = match passed.as_slice() {
        [] => "no check passed".to_owned(),
        some => format!("passed {}", some.join(", ")),
    };
    format!("{passed}; failed {}", failed.join(", "))
}

/// How many checks passed.
pub(super) fn checks_passed(got: &CallReport) -> String {
    let passed = got.checks.iter().filter(|check| check.result == "passed");
    format!("{} of {} checks", passed.count(), got.checks.len())
}

/// Every check of both verdicts.
pub(super) fn checks(outcomes: &[Outcome], in_full: bool) -> String {
    let [ring, answer] = outcomes else {
        return String::new();
    };
    let mut text = String::from("\n");
    let good = |outcome: &Outcome| outcome.got.checks.iter().all(|one| one.result == "passed");
    if !in_full && good(ring) && good(answer) {
        let names: Vec<&str> = ring.got.checks.iter().map(|one| one.check).collect();
        let all = format!(
            "{} checked the call, {} the answer, and both passed: {}.",
            ring.who.name(),
            answer.who.name(),
            names.join(", ")
        );
        prose(&mut text, &all);
        return text;
    }
    let heads = format!(
        "    {:<11}{:<42}{:<11}{}",
        "check",
        "what it means",
        format!("by {}", ring.who.name()),
        format_args!("by {}", answer.who.name())
    );
    line_to(&mut text, &paint(bold(), &heads));
    for (of_ring, of_answer) in ring.got.checks.iter().zip(&answer.got.checks) {
        let cell = |result: &str, width: usize| {
            let style = if result == "passed" { green() } else { red() };
            paint(style, &format!("{result:<width$}"))
        };
        line_to(
            &mut text,
            &format!(
                "    {:<11}{:<42}{}{}",
                of_ring.check,
                meaning(of_ring.check),
                cell(of_ring.result, 11),
                cell(of_answer.result, 0)
            ),
        );
    }
    text
}

fn meaning(check: &str) -> &'static str {
    match check {
        "ppt" => "a PASSporT of a known type",
        "orig" => "names the calling number",
        "credential" => "its signer leads to a trusted root",
        "authority" => "and speaks for the number concerned",
        "freshness" => "signed just now",
        "signature" => "by that signer, and not changed since",
        "dest" => "names the called number",
        "replay" => "never seen before",
        "state" => "the call is still going on",
        _ => "",
    }
}
