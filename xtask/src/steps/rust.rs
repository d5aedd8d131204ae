//! Steps that are one cargo command each.

use std::fs;
use std::path::{Path, PathBuf};

use crate::options::TestOptions;
use crate::process::{self, Stop};
use crate::workspace::{SELECTION, Workspace};

/// How long each fuzz target runs in the fuzz step; as many run at a time as there are cores. The
/// `rust` step runs the same test with a small number of rounds instead.
const FUZZ_SECONDS: &str = "10";

/// Folder of the libFuzzer targets. It is a workspace of its own, so cargo does not format it here.
const FUZZ_FOLDER: &str = "tests/fuzz";

/// What an application or a service links: the crates whose documentation is read.
const LIBRARIES: [&str; 9] = [
    "ringtrue",
    "ringtrue-cps",
    "ringtrue-lab",
    "ringtrue-net",
    "ringtrue-oob",
    "ringtrue-raw-rsa",
    "ringtrue-session",
    "ringtrue-stir",
    "ringtrue-uniffi",
];

pub(super) fn fmt(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let mut cargo = workspace.cargo("fmt");
    let colour = if process::wants_colours() {
        "always"
    } else {
        "never"
    };
    workspace.run(cargo.args(["--all", "--check", "--", "--color", colour]))?;
    let folder = workspace.require(FUZZ_FOLDER)?;
    let mut rustfmt = workspace.command("rustfmt");
    workspace.run(
        rustfmt
            .args(["--check", "--edition", "2024"])
            .args(rust_files(&folder)),
    )
}

pub(super) fn clippy(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let mut cargo = workspace.cargo("clippy");
    cargo
        .arg("--locked")
        .args(SELECTION)
        .args(["--all-targets", "--", "-D", "warnings"]);
    workspace.run(&mut cargo)
}

pub(super) fn docs(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let mut cargo = workspace.cargo("doc");
    cargo
        .args(["--locked", "--no-deps", "--lib"])
        .env("RUSTDOCFLAGS", "-D warnings");
    for library in LIBRARIES {
        cargo.args(["--package", library]);
    }
    workspace.run(&mut cargo)
}

pub(super) fn build(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    workspace.build()
}

pub(super) fn test(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    workspace.build()?;
    let mut cargo = workspace.cargo("test");
    cargo.arg("--locked").args(SELECTION).arg("--no-fail-fast");
    // For tests of other packages than the command's own, where cargo does not name it.
    cargo.env("RINGTRUE_BIN", workspace.ringtrue());
    workspace.run(&mut cargo)?;
    workspace.require_tests()
}

pub(super) fn fuzz(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    workspace.build()?;
    let mut cargo = workspace.cargo("test");
    cargo
        .arg("--locked")
        .args(SELECTION)
        .args(["--test", "fuzz_smoke"]);
    cargo.env("RINGTRUE_FUZZ_SECONDS", FUZZ_SECONDS);
    workspace.run(&mut cargo)?;
    workspace.require_tests()
}

pub(super) fn bench(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let mut cargo = workspace.cargo("bench");
    workspace.run(cargo.arg("--locked"))
}

pub(super) fn alone(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    for package in LIBRARIES.into_iter().chain(["ringtrue-cli"]) {
        let mut cargo = workspace.cargo("check");
        workspace.run(cargo.args(["--locked", "--package", package]))?;
    }
    Ok(())
}

/// The Rust sources below a folder, without build folders.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if entry.file_name() != "target" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
