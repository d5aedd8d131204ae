//! The tools for tokens and certificates as separate processes, over every vector of `stir-*`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

mod bundles;
mod chains;
mod documented;
mod explained;
mod headers;
mod hostile;
mod live;
mod null_parameters;
mod rich_data;
mod signing;
mod syntax;
mod tokens;
mod verifying;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What a command ended with.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ended {
    /// The one JSON object of the output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.output)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.output, self.errors))
    }

    /// The verdict, its exit status checked.
    pub(crate) fn verdict(&self) -> String {
        let json = self.json();
        let verdict = json["verdict"].as_str().unwrap().to_owned();
        let expected = if verdict == "accept" { 0 } else { 3 };
        assert_eq!(self.code, expected, "{json}");
        verdict
    }

    /// The stable names in `member`.
    pub(crate) fn names(&self, member: &str) -> Vec<String> {
        let json = self.json();
        let names = json[member].as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }
}

/// Runs the command to its end, without colours or input.
pub(crate) fn ringtrue<T: AsRef<std::ffi::OsStr>>(arguments: &[T]) -> Ended {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_ringtrue"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ended {
        // No code: a signal, as an abort is.
        code: status.code().unwrap(),
        output: String::from_utf8(stdout).unwrap(),
        errors: String::from_utf8(stderr).unwrap(),
    }
}

/// Runs the command with `--json`.
pub(crate) fn tool(arguments: &[&str]) -> Ended {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    ringtrue(&arguments)
}

/// The folder of a set of vectors.
pub(crate) fn vectors(set: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors")
        .join(set)
}

/// A JSON file of a set of vectors.
pub(crate) fn vector_file(set: &str, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(vectors(set).join(name)).unwrap()).unwrap()
}
