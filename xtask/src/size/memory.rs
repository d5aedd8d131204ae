//! The memory of an endpoint daemon that has nothing to do: `packaging/memory.sh`, with the program as
//! packages build it.

use super::budget::Budget;
use crate::process::{self, Stop};
use crate::workspace::Workspace;

/// The script, which says what it does, and compares.
const SCRIPT: &str = "packaging/memory.sh";

/// Builds the command, runs the script with the budget for `name`, and says in one line that it kept it.
///
/// # Errors
///
/// [`Stop::Failed`] if the build fails, the daemon does not work, or it takes more than its budget;
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
    let mut cargo = workspace.cargo("build");
    cargo.args(["--locked", "--profile", "release-mobile"]);
    workspace.run(cargo.args(["--package", "ringtrue-cli"]))?;
    let ringtrue = workspace.target("release-mobile").join("ringtrue");
    // The kernel counts in units of 1024 octets; the rest of one is left to the budget.
    let limit_kib = limit.checked_div(1024).unwrap_or_default();
    let mut command = workspace.command(script);
    workspace.run(command.arg(ringtrue).arg(limit_kib.to_string()))?;
    Ok(format!("{name}: within {limit_kib} KiB, figures above"))
}
