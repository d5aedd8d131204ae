//! Licences, bans and sources of the dependency tree, with cargo-deny.

use std::path::PathBuf;

use crate::options::TestOptions;
use crate::process::{self, Stop};
use crate::workspace::Workspace;

/// The version whose configuration `deny.toml` is written for.
const VERSION: &str = "0.20.2";

pub(super) fn run(workspace: &mut Workspace, options: &TestOptions) -> Result<(), Stop> {
    workspace.require("deny.toml")?;
    let tool = install(workspace)?;
    let mut command = workspace.command(tool);
    // Warnings too: an exception that nothing needs any more has to go.
    command.args([
        "--locked", "check", "-D", "warnings", "bans", "licenses", "sources",
    ]);
    if options.advisories {
        command.arg("advisories");
    }
    workspace.run(&mut command)
}

/// cargo-deny of our version: the installed one, or our own in the build folder, built if need be.
fn install(workspace: &mut Workspace) -> Result<PathBuf, Stop> {
    let root = workspace.target("tools");
    let own = root
        .join("bin")
        .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    for candidate in [own.clone(), PathBuf::from("cargo-deny")] {
        let version = process::ask(workspace.command(&candidate).arg("--version"));
        if version.is_some_and(|text| text.split_whitespace().any(|word| word == VERSION)) {
            return Ok(candidate);
        }
    }
    let mut cargo = workspace.cargo("install");
    cargo.args([
        "cargo-deny",
        "--locked",
        "--version",
        VERSION,
        "--no-default-features",
        "--root",
    ]);
    cargo.arg(root);
    // It runs for a second: building it without optimisation takes one minute instead of several.
    cargo
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    workspace.run(&mut cargo)?;
    Ok(own)
}
