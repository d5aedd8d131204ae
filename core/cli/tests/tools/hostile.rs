//! Arguments and files that nobody sends by mistake: an answer each time, never a panic.

use crate::{ringtrue, tool};

/// Nearly as much as an operating system passes in one argument.
const LARGE: usize = 120_000;

#[test]
fn large_and_odd_arguments_are_refused_or_wrong_usage() {
    let large = "A".repeat(LARGE);
    let digits = "1".repeat(LARGE);
    for (arguments, expected) in [
        (["tnauthlist", "decode", large.as_str()], 3),
        (["tnauthlist", "decode", ""], 3),
        (["tnauthlist", "decode", "30"], 3),
        (["tnauthlist", "decode", "3"], 2),
        (["tnauthlist", "decode", "zz"], 2),
        (["number", "canonical", large.as_str()], 3),
        (["number", "canonical", digits.as_str()], 3),
        (["number", "canonical", "\u{1b}[2J"], 3),
        (["url", "check-x5u", large.as_str()], 3),
        (["url", "check-x5u", ""], 3),
        (["url", "check-x5u", "https://\u{202e}/"], 3),
        (["url", "unknown", "https://c.example/"], 2),
    ] {
        let ended = tool(&arguments);
        assert_eq!(ended.code, expected, "{:.40}", arguments[2]);
        assert!(!ended.errors.contains("panicked"), "{}", ended.errors);
    }
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_no_text_is_wrong_usage() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    for command in [
        ["number", "canonical"],
        ["url", "check-x5u"],
        ["tnauthlist", "decode"],
    ] {
        let [tool, verb] = command.map(OsStr::new);
        let ended = ringtrue(&[
            tool,
            verb,
            OsStr::from_bytes(b"\xff\xfe"),
            OsStr::new("--json"),
        ]);
        assert_eq!(ended.code, 2);
        assert_eq!(ended.output, "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_cannot_be_written_is_a_failure() {
    use std::process::{Command, Stdio};

    for json in [&["--json"] as &[&str], &[]] {
        for command in [
            ["url", "check-x5u", "https://certs.example/sp.pem"],
            ["tnauthlist", "decode", "3000"],
            ["cert", "inspect", "/dev/null/missing"],
        ] {
            let full = std::fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap();
            let ended = Command::new(env!("CARGO_BIN_EXE_ringtrue"))
                .args(command)
                .args(json)
                .stdout(Stdio::from(full))
                .output()
                .unwrap();
            assert_eq!(ended.status.code(), Some(1), "{command:?}");
            let errors = String::from_utf8(ended.stderr).unwrap();
            assert!(!errors.contains("panicked"), "{errors}");
        }
    }
}
