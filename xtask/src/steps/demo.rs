//! The demonstration: it exits with 0 only if every outcome is right.

use crate::options::TestOptions;
use crate::process::Stop;
use crate::workspace::Workspace;

pub(super) fn run(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    workspace.build()?;
    let command = workspace.ringtrue();
    workspace.run(workspace.command(&command).arg("demo"))?;
    workspace.run(workspace.command(command).args(["demo", "--json"]))
}

pub(super) fn release(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let mut cargo = workspace.cargo("run");
    workspace.run(cargo.args(["--locked", "--release", "--", "demo"]))
}
