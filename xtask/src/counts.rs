//! Reads how many tests ran from what the test runners print.

use std::fmt;

/// Tests that a step, or all steps together, ran.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// Whether no runner counted anything.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Adds what another runner or step counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }

    /// Reads one line of output. Five runners are understood: cargo's (`test result: …`), Maven
    /// Surefire's (`Tests run: …`), Swift Testing's (`Test run with …`, which tells issues rather than
    /// failed tests), XCTest's (`Test Case '…' passed (…)`: it tells sums once for each suite, and suites
    /// hold suites), and any that ends in `N passed, N failed, N skipped`.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let line = strip_colours(line);
        let line = line.trim();
        if let Some((_, result)) = line.split_once("test result: ") {
            return Some(Self {
                passed: before(result, " passed")?,
                failed: before(result, " failed")?,
                skipped: before(result, " ignored")?,
            });
        }
        if let Some((_, result)) = line.split_once("Tests run: ") {
            // The line of one class says how long it took; the closing line of all does not.
            if result.contains("Time elapsed") {
                return None;
            }
            let run = before(result, ",")?;
            let failed = after(result, "Failures: ")?.saturating_add(after(result, "Errors: ")?);
            let skipped = after(result, "Skipped: ")?;
            let passed = run.saturating_sub(failed).saturating_sub(skipped);
            return Some(Self {
                passed,
                failed,
                skipped,
            });
        }
        if let Some((_, result)) = line.split_once("Test run with ") {
            let run = before(result, " test")?;
            let issues = after(result, " with ").unwrap_or(0);
            let failed = if result.contains("failed") {
                issues.clamp(1, run.max(1))
            } else {
                0
            };
            return Some(Self {
                passed: run.saturating_sub(failed),
                failed,
                skipped: 0,
            });
        }
        if let Some((_, result)) = line
            .strip_prefix("Test Case '")
            .and_then(|case| case.split_once("' "))
        {
            let is = |word: &str| u64::from(result.starts_with(word));
            let counts = Self {
                passed: is("passed ("),
                failed: is("failed ("),
                skipped: is("skipped ("),
            };
            return (!counts.is_empty()).then_some(counts);
        }
        if line.starts_with(|first: char| first.is_ascii_digit()) && line.contains(" passed, ") {
            return Some(Self {
                passed: before(line, " passed")?,
                failed: before(line, " failed")?,
                skipped: before(line, " skipped").unwrap_or(0),
            });
        }
        None
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// Adds up the counts of one runner's output.
///
/// Python's unittest needs two lines: `Ran N tests in …`, then `OK` or `FAILED` with the exceptions.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Counts,
    ran: Option<u64>,
}

impl Tally {
    /// Takes the next line.
    pub(crate) fn line(&mut self, line: &str) {
        if let Some(counts) = Counts::from_line(line) {
            self.counts.add(counts);
            return;
        }
        if let Some(result) = line.strip_prefix("Ran ") {
            self.ran = before(result, " test");
            return;
        }
        if (line.starts_with("OK") || line.starts_with("FAILED"))
            && let Some(ran) = self.ran.take()
        {
            let failed = after(line, "failures=")
                .unwrap_or(0)
                .saturating_add(after(line, "errors=").unwrap_or(0));
            let skipped = after(line, "skipped=").unwrap_or(0);
            let passed = ran.saturating_sub(failed).saturating_sub(skipped);
            self.counts.add(Counts {
                passed,
                failed,
                skipped,
            });
        }
    }

    /// What was counted.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }
}

/// The number that stands directly before `mark`.
fn before(text: &str, mark: &str) -> Option<u64> {
    let (head, _) = text.split_once(mark)?;
    let number = head.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    number.parse().ok()
}

/// The number that stands directly behind `mark`.
fn after(text: &str, mark: &str) -> Option<u64> {
    let (_, tail) = text.split_once(mark)?;
    let number = tail.split(|c: char| !c.is_ascii_digit()).next()?;
    number.parse().ok()
}

/// Removes terminal colour sequences (`ESC [ … m`).
fn strip_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            for inside in characters.by_ref() {
                if inside.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str) -> Counts {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.line(line));
        tally.counts()
    }

    #[test]
    fn adds_the_binaries_of_one_cargo_test() {
        let output = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
            test result: \u{1b}[31mFAILED\u{1b}[0m. 10 passed; 2 failed; 0 ignored; 0 measured";
        assert_eq!(
            tally(output),
            Counts {
                passed: 13,
                failed: 2,
                skipped: 1
            }
        );
    }

    #[test]
    fn takes_only_the_closing_line_of_surefire() {
        let output = "[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s\n\
            [ERROR] Tests run: 7, Failures: 1, Errors: 1, Skipped: 2";
        assert_eq!(
            tally(output),
            Counts {
                passed: 3,
                failed: 2,
                skipped: 2
            }
        );
    }

    #[test]
    fn reads_the_closing_line_of_swift() {
        let passed = "\u{2714} Test run with 27 tests passed after 11.4 seconds.";
        let failed = "\u{2718} Test run with 5 tests failed after 1.2 seconds with 2 issues.";
        let one = "\u{2718} Test run with 1 test failed after 1.2 seconds with 12 issues.";
        for (line, passed, failed) in [(passed, 27, 0), (failed, 3, 2), (one, 0, 1)] {
            let expected = Counts {
                passed,
                failed,
                skipped: 0,
            };
            assert_eq!(tally(line), expected);
        }
    }

    #[test]
    fn counts_the_cases_of_xctest_and_not_the_sums_of_suites() {
        let output = "Test Suite 'Selected tests' started at 2026-11-22 13:05:43.870\n\
            Test Case 'A.testOne' started at 2026-11-22 13:05:43.898\n\
            Test Case 'A.testOne' passed (43.116 seconds)\n\
            Test Case 'A.testTwo' failed (0.1 seconds)\n\
            Test Case 'A.testThree' skipped (0.1 seconds)\n\
            \u{9} Executed 3 tests, with 1 failure (0 unexpected) in 43.116 (43.116) seconds\n\
            Test Suite 'Selected tests' failed at 2026-11-22 13:06:27.015";
        assert_eq!(
            tally(output),
            Counts {
                passed: 1,
                failed: 1,
                skipped: 1
            }
        );
    }

    #[test]
    fn reads_unittest_with_and_without_exceptions() {
        assert_eq!(
            tally("Ran 5 tests in 0.100s\n\nOK"),
            Counts {
                passed: 5,
                failed: 0,
                skipped: 0
            }
        );
        assert_eq!(
            tally("Ran 6 tests in 0.100s\n\nFAILED (failures=1, errors=2, skipped=1)"),
            Counts {
                passed: 2,
                failed: 3,
                skipped: 1
            }
        );
        assert_eq!(tally("OK"), Counts::default());
    }

    #[test]
    fn reads_a_plain_closing_line() {
        assert_eq!(
            tally("12 passed, 1 failed, 3 skipped"),
            Counts {
                passed: 12,
                failed: 1,
                skipped: 3
            }
        );
        assert_eq!(
            tally("2 passed, 0 failed"),
            Counts {
                passed: 2,
                failed: 0,
                skipped: 0
            }
        );
    }

    #[test]
    fn ignores_everything_else() {
        assert_eq!(
            tally("test result: unknown\nall passed, honestly\nTests run: some"),
            Counts::default()
        );
    }
}
