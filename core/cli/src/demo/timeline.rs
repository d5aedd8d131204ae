//! Two telephones side by side, 79 columns wide.

use anstyle::Style;

use super::scene::{Played, Who};
use super::text::{bold, faint, fit, paint, short_ms};
use super::verdicts::checks_passed;
use crate::output::verdict_style;

/// Columns of one telephone: what, then how long it took.
const WHAT: usize = 26;
const TOOK: usize = 8;
const SIDE: usize = WHAT + TOOK;

/// One side of a row, as long as the side is.
type Cell = String;

struct Row {
    at_ms: f64,
    left: Option<Cell>,
    right: Option<Cell>,
}

/// The steps and outcomes of a call: the caller's on the left, the callee's on the right.
pub(super) fn timeline(played: &Played, (caller, callee): (Who, Who)) -> String {
    let head = |who: Who| format!("{:<SIDE$}", format!("{}'s phone", who.name()));
    let mut text = format!(
        "{:>6}  {} | {}\n",
        "ms",
        paint(bold(), &head(caller)),
        paint(bold(), head(callee).trim_end())
    );
    let rule = "-".repeat(SIDE);
    text.push_str(&paint(faint(), &format!("------  {rule}-+-{rule}")));
    text.push('\n');
    for row in rows(played, caller) {
        let left = row.left.unwrap_or_else(|| " ".repeat(SIDE));
        let right = row.right.unwrap_or_default();
        // Whole milliseconds: how long each step took says more.
        let line = format!("{:>6.0}  {left} | {right}", row.at_ms);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn rows(played: &Played, caller: Who) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let outcomes = played.outcomes.iter().map(|outcome| {
        let style = verdict_style(outcome.got.verdict);
        let verdict = outcome.got.verdict.to_uppercase();
        let text = format!("{verdict}, {}", checks_passed(&outcome.got));
        (
            outcome.at_ms,
            outcome.who,
            cell(&text, Some(outcome.elapsed_ms), style),
        )
    });
    let steps = played.steps.iter().map(|step| {
        let side = match step.step {
            "dial" => paint(bold(), &arrow(&step.text)),
            "ring" | "answer" => cell(&step.text, None, bold()),
            _ => cell(&step.text, Some(step.elapsed_ms), Style::new()),
        };
        (step.at_ms, step.who, side)
    });
    // Outcomes first: a telephone rings and picks up at the moment of a verdict, not before.
    let mut all: Vec<(f64, Who, Cell)> = outcomes.chain(steps).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at_ms, who, side) in all {
        let is_left = who == caller;
        match rows.last_mut() {
            // What happens on both sides at once is one row: dialling and ringing.
            Some(last) if !is_left && last.right.is_none() && last.at_ms >= at_ms => {
                last.right = Some(side);
            }
            _ => rows.push(Row {
                at_ms,
                left: is_left.then(|| side.clone()),
                right: (!is_left).then_some(side),
            }),
        }
    }
    rows
}

fn cell(text: &str, took_ms: Option<f64>, style: Style) -> Cell {
    let took = took_ms.map(short_ms).unwrap_or_default();
    let text = fit(text, WHAT);
    // What fills the column stays outside the style, so that it can be cut off at the end of a line.
    let (said, filler) = text.split_at(text.trim_end().len());
    format!("{}{filler}{took:>TOOK$}", paint(style, said))
}

/// An arrow from one side to the other.
fn arrow(text: &str) -> String {
    let mut arrow = format!("{text} ");
    while arrow.len() < SIDE - 1 {
        arrow.push(if arrow.len() % 2 == 0 { '-' } else { ' ' });
    }
    arrow.push('>');
    arrow
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::{SIDE, arrow, timeline};
    use crate::demo::scene::{Played, Step, Who};

    fn step(who: Who, step: &'static str, at_ms: f64, text: &str) -> Step {
        Step {
            who,
            step,
            at_ms,
            elapsed_ms: 1.25,
            text: text.to_owned(),
        }
    }

    #[test]
    fn dialling_and_ringing_are_one_row_and_no_row_is_wider_than_79() {
        let played = Played {
            steps: vec![
                step(Who::Alice, "lookup", 0.0, "look up Bob's keys"),
                step(Who::Alice, "dial", 5.0, "DIAL"),
                step(Who::Bob, "ring", 5.0, "RINGS"),
                step(Who::Alice, "await", 5.0, "wait for the answer"),
                step(Who::Bob, "retrieve", 5.1, &"long ".repeat(20)),
            ],
            ..Played::default()
        };
        let text = strip_str(&timeline(&played, (Who::Alice, Who::Bob))).to_string();
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 6);
        assert!(rows[3].contains("DIAL") && rows[3].ends_with("RINGS"));
        assert!(rows[4].contains("wait for the answer"));
        assert!(rows.iter().all(|row| row.chars().count() <= 79));
        let bars: Vec<_> = rows.iter().filter_map(|row| row.find(" | ")).collect();
        assert!(bars.iter().all(|bar| *bar == bars[0]));
    }

    #[test]
    fn the_arrow_reaches_the_other_side() {
        let arrow = arrow("DIAL");
        assert_eq!(arrow.len(), SIDE);
        assert!(arrow.starts_with("DIAL ") && arrow.ends_with('>'));
    }
}
