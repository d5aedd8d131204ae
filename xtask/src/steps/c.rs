//! The C interface: its header is what the sources say, and C programs use it as they should and as they
//! should not.

use std::path::PathBuf;
use std::process::Command;

use super::foreign::find_python;
use crate::options::TestOptions;
use crate::process::{self, Stop};
use crate::workspace::Workspace;

const TESTS: &str = "bindings/c/tests";
const HEADER: &str = "bindings/c/header/Cargo.toml";

/// What the tests need, by the command that shows that it is there and by its Debian package.
const TOOLS: [(&str, &str); 4] = [
    ("gcc", "gcc"),
    ("g++", "g++"),
    ("curl-config", "libcurl4-openssl-dev"),
    ("valgrind", "valgrind"),
];

pub(super) fn run(workspace: &mut Workspace, options: &TestOptions) -> Result<(), Stop> {
    let tests = workspace.require(TESTS)?;
    let python = find_python()?;
    install_missing(workspace)?;
    for compiler in ["gcc", "g++"] {
        if !is_there(compiler) {
            return Err(Stop::Skipped(format!("no C compiler (`{compiler}`)")));
        }
    }
    workspace.build()?;
    header(workspace, true)?;

    let mut command = workspace.command(python);
    command.args(["-B", "-m", "unittest", "discover", "--verbose"]);
    command.arg("--start-directory").arg(tests);
    command
        .env("RINGTRUE_BIN", workspace.ringtrue())
        .env("RINGTRUE_C_LIBRARY", workspace.target("debug"));
    if options.all {
        command.env("RINGTRUE_C_HOST_ALLOCATOR", host_allocator(workspace)?);
    }
    workspace.run(&mut command)?;
    workspace.require_tests()
}

/// Builds the library that takes all memory from the firmware, in a folder of its own: everything below it is
/// built again.
fn host_allocator(workspace: &mut Workspace) -> Result<PathBuf, Stop> {
    let target = workspace.target("c-host-allocator");
    let mut cargo = workspace.cargo("build");
    cargo
        .args(["--locked", "--package", "ringtrue-c"])
        .args(["--features", "host-allocator", "--target-dir"])
        .arg(&target);
    workspace.run(&mut cargo)?;
    Ok(target.join("debug"))
}

/// Writes the header, or only compares it with what is checked in.
///
/// # Errors
///
/// [`Stop::Failed`] if it differs or cannot be written.
pub(crate) fn header(workspace: &mut Workspace, check: bool) -> Result<(), Stop> {
    let manifest = workspace.require(HEADER)?;
    let target = workspace.target("c-header");
    let mut command = workspace.cargo("run");
    command
        .args(["--quiet", "--locked", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", target);
    if check {
        command.args(["--", "--check"]);
    }
    workspace.run(&mut command)
}

/// Installs what is missing, where this is Debian and the user may. The tests say themselves what they
/// leave out without the last two.
fn install_missing(workspace: &mut Workspace) -> Result<(), Stop> {
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|(command, _)| !is_there(command))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = process::ask(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !is_root || !is_there("apt-get") {
        println!("Not installed, and left out: {}", missing.join(", "));
        return Ok(());
    }
    let mut update = workspace.command("apt-get");
    workspace.run(update.args(["--quiet", "update"]))?;
    let mut install = workspace.command("apt-get");
    install.args(["--quiet", "--yes", "--no-install-recommends", "install"]);
    workspace.run(
        install
            .args(missing)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

fn is_there(command: &str) -> bool {
    process::ask(Command::new(command).arg("--version")).is_some()
}
