//! The closing table: what ran, how long it took, what was left out and why.

use std::borrow::Cow;
use std::time::Duration;

use crate::counts::Counts;
use crate::process::Stop;

/// What became of one step, or of a part of it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) step: Cow<'static, str>,
    pub(crate) outcome: Result<(), Stop>,
    pub(crate) elapsed: Duration,
    pub(crate) counts: Counts,
}

/// All steps of one run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
    left_out: Vec<(&'static str, &'static str)>,
}

impl Report {
    /// Adds a step that ran or was skipped.
    pub(crate) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds a step that this run was not asked for.
    pub(crate) fn leave_out(&mut self, step: &'static str, why: &'static str) {
        self.left_out.push((step, why));
    }

    /// Whether nothing failed. A run without any step that passed is no success.
    pub(crate) fn is_success(&self) -> bool {
        self.steps().failed == 0 && self.steps().passed > 0
    }

    /// The tests of all steps together.
    pub(crate) fn counts(&self) -> Counts {
        let mut total = Counts::default();
        for line in &self.lines {
            total.add(line.counts);
        }
        total
    }

    /// The table, and as its last line the number of steps that passed, failed and were skipped.
    pub(crate) fn render(&self) -> String {
        let mut rows = vec![
            ["step", "result", "time", "tests"]
                .map(str::to_owned)
                .to_vec(),
        ];
        let mut time = Duration::ZERO;
        let mut notes = Vec::new();
        for line in &self.lines {
            time = time.saturating_add(line.elapsed);
            let result = match &line.outcome {
                Ok(()) => "passed",
                Err(stop) => {
                    notes.push(format!("{}: {stop}", line.step));
                    if matches!(stop, Stop::Failed(_)) {
                        "FAILED"
                    } else {
                        "skipped"
                    }
                }
            };
            rows.push(row(&line.step, result, line.elapsed, line.counts));
        }
        rows.push(row("all", "", time, self.counts()));
        for (step, why) in &self.left_out {
            rows.push(vec![
                (*step).to_owned(),
                "not run".to_owned(),
                String::new(),
                (*why).to_owned(),
            ]);
        }
        let mut text = align(&rows);
        if !notes.is_empty() {
            text.push('\n');
        }
        for note in notes {
            text.push_str(&note);
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.steps().to_string());
        text.push('\n');
        text
    }

    fn steps(&self) -> Counts {
        let mut steps = Counts::default();
        for line in &self.lines {
            let (passed, failed, skipped) = match line.outcome {
                Ok(()) => (1, 0, 0),
                Err(Stop::Failed(_)) => (0, 1, 0),
                Err(Stop::Skipped(_)) => (0, 0, 1),
            };
            steps.add(Counts {
                passed,
                failed,
                skipped,
            });
        }
        steps
    }
}

fn row(step: &str, result: &str, elapsed: Duration, counts: Counts) -> Vec<String> {
    let tests = if counts.is_empty() {
        String::new()
    } else {
        counts.to_string()
    };
    vec![step.to_owned(), result.to_owned(), clock(elapsed), tests]
}

/// Minutes and seconds.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Pads each column to its widest cell.
fn align(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows
                .iter()
                .filter_map(|other| other.get(column))
                .map(|other| other.chars().count())
                .max()
                .unwrap_or(0);
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: &'static str, outcome: Result<(), Stop>) -> Line {
        let counts = Counts {
            passed: 2,
            failed: 0,
            skipped: 0,
        };
        Line {
            step: step.into(),
            outcome,
            elapsed: Duration::from_secs(61),
            counts,
        }
    }

    #[test]
    fn the_last_line_counts_steps() {
        let mut report = Report::default();
        report.add(line("fmt", Ok(())));
        report.add(line("rust", Err(Stop::Failed("`cargo test`".to_owned()))));
        report.add(line("kotlin", Err(Stop::Skipped("no JDK".to_owned()))));
        report.leave_out("bench", "only with --all");
        let text = report.render();
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed, 1 skipped"));
        assert!(text.contains("rust: failed: `cargo test`"), "{text}");
        assert!(text.contains("kotlin: skipped: no JDK"), "{text}");
        let total = text
            .lines()
            .find(|line| line.starts_with("all "))
            .unwrap_or_default();
        let cells: Vec<&str> = total.split_whitespace().collect();
        assert_eq!(cells.join(" "), "all 3:03 6 passed, 0 failed, 0 skipped");
        assert!(!report.is_success());
    }

    #[test]
    fn skipping_everything_is_no_success() {
        let mut report = Report::default();
        report.add(line("kotlin", Err(Stop::Skipped("no JDK".to_owned()))));
        assert!(!report.is_success());
        report.add(line("fmt", Ok(())));
        assert!(report.is_success());
    }
}
