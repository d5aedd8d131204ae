//! Runs a tool, passes its output on, and counts the tests it reports.

use std::fmt;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::counts::{Counts, Tally};

/// Why a step ended early.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// Something that should work does not.
    Failed(String),
    /// A tool chain is not on this machine, so there is nothing to judge.
    Skipped(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(reason) => write!(f, "failed: {reason}"),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
        }
    }
}

/// Prints the command, runs it, passes its output on and adds the tests it reports to `counts`, also
/// when it fails.
///
/// # Errors
///
/// [`Stop::Failed`] if it cannot be started or ends with another status than success; the text names
/// the command.
pub(crate) fn run(command: &mut Command, counts: &mut Counts) -> Result<(), Stop> {
    println!("$ {}", describe(command));
    run_to(command, counts, std::io::stdout(), std::io::stderr())
}

/// As [`run`], but passes the output to `out` and `err` and prints nothing itself.
fn run_to(
    command: &mut Command,
    counts: &mut Counts,
    out: impl Write + Send,
    err: impl Write + Send,
) -> Result<(), Stop> {
    let shown = describe(command);
    leave_out_own_package(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|fault| Stop::Failed(format!("`{shown}` did not start: {fault}")))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        if let Some(stdout) = stdout {
            scope.spawn(|| pass_on(stdout, out, &tally));
        }
        if let Some(stderr) = stderr {
            scope.spawn(|| pass_on(stderr, err, &tally));
        }
    });
    let status = child
        .wait()
        .map_err(|fault| Stop::Failed(format!("`{shown}` was lost: {fault}")))?;
    counts.add(
        tally
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .counts(),
    );
    if status.success() {
        Ok(())
    } else {
        Err(Stop::Failed(format!("`{shown}`: {status}")))
    }
}

/// Runs a command silently and returns what it printed to standard output, `None` if it cannot be
/// started or fails. For questions such as `java -version`.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    leave_out_own_package(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether output goes to a person's terminal, so that tools behind a pipe may still use colours.
pub(crate) fn wants_colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// The command as one would type it.
fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![
        program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    ];
    words.extend(
        command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// `cargo run` describes xtask's own package in the environment. Build scripts of other packages
/// must not see that: some would take it for theirs and build again.
fn leave_out_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

fn pass_on(from: impl Read, mut to: impl Write, tally: &Mutex<Tally>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while matches!(from.read_until(b'\n', &mut line), Ok(length) if length > 0) {
        // A closed terminal must not stop the tests.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        let text = String::from_utf8_lossy(&line);
        tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .line(text.trim_end());
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io::sink;

    use super::*;

    /// What the tools of these tests report must not be taken for results of real tests.
    fn quietly(command: &mut Command, counts: &mut Counts) -> Result<(), Stop> {
        run_to(command, counts, sink(), sink())
    }

    #[test]
    fn a_tool_that_is_not_there_fails_and_is_named() {
        let mut counts = Counts::default();
        let result = quietly(Command::new("no-such-tool-here").arg("--flag"), &mut counts);
        let Err(Stop::Failed(reason)) = result else {
            panic!("{result:?}")
        };
        assert!(
            reason.starts_with("`no-such-tool-here --flag` did not start"),
            "{reason}"
        );
        assert_eq!(ask(&mut Command::new("no-such-tool-here")), None);
    }

    #[cfg(unix)]
    #[test]
    fn counts_the_tests_of_both_streams() {
        let script = "echo '2 passed, 0 failed'; echo 'Ran 3 tests in 1s' >&2; echo OK >&2";
        let mut counts = Counts::default();
        assert_eq!(
            quietly(Command::new("sh").args(["-c", script]), &mut counts),
            Ok(())
        );
        assert_eq!(
            counts,
            Counts {
                passed: 5,
                failed: 0,
                skipped: 0
            }
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_tool_that_fails_is_counted_too() {
        let script = "echo '2 passed, 1 failed'; exit 1";
        let mut counts = Counts::default();
        assert!(quietly(Command::new("sh").args(["-c", script]), &mut counts).is_err());
        assert_eq!(
            counts,
            Counts {
                passed: 2,
                failed: 1,
                skipped: 0
            }
        );
    }
}
