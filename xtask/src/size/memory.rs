//! The memory of an endpoint daemon that has nothing to do: `packaging/memory.sh`, with the program as
//! packages build it.

use super::budget::Budget;
use crate::process::{self, Stop};
use crate::workspace::Workspace;

/// The script, which says what it does, and compares.
const SCRIPT: &str = "packaging/memory.sh";

/// Builds the endpoint as packages do, and the whole command quickly for the other side; runs the script
/// with the budget for `name`, and says in one line that it kept it.
///
/// # Errors
///
/// [`Stop::Failed`] if a build fails, the daemon does not work, or it takes more than its budget;
/// [`Stop::Skipped`] without Python, which the script speaks to the daemon with.
pub(super) fn measure(
    workspace: &mut Workspace,
    budget: &Budget,
    name: &str,
) -> Result<String, Stop> {
    let script = workspace.require(SCRIPT)?;
    let limit = budget.limit(name)?;
    if process::ask(workspace.command("python3").arg("--version")).is_none() {
        return Err(Stop::Skipped("no Python (`python3`)".to_owned()));
    }
    let mut endpoint = super::shipped(workspace, "rustc");
    endpoint.args(["--locked", "--package", "ringtrue-cli", "--bin", "ringtrue"]);
    endpoint.args(["--profile", "release-mobile", "--no-default-features"]);
    endpoint.args(["--", "-C", super::PACKED]);
    workspace.run(&mut endpoint)?;
    let mut whole = workspace.cargo("build");
    workspace.run(whole.args(["--locked", "--package", "ringtrue-cli"]))?;
    let program = |folder| workspace.target(folder).join("ringtrue");
    let programs = [program("release-mobile"), program("debug")];
    // The kernel counts in units of 1024 octets; the rest of one is left to the budget.
    let kib = |octets: u64| octets.checked_div(1024).unwrap_or_default();
    let limits = [kib(limit.goal), kib(limit.most())];
    let mut command = workspace.command(script);
    command
        .args(programs)
        .args(limits.map(|kib| kib.to_string()));
    workspace.run(&mut command)?;
    Ok(format!("{name}: figures and outcome above"))
}
