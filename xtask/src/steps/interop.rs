//! An endpoint that shares no code with ours, written from the protocol's description, talks to the
//! service and to the endpoint as separate processes.

use super::foreign::find_python;
use crate::options::TestOptions;
use crate::process::Stop;
use crate::workspace::Workspace;

const RUNNER: &str = "tests/interop/run.py";
const REQUIREMENTS: &str = "tests/interop/requirements.txt";

pub(super) fn run(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let runner = workspace.require(RUNNER)?;
    let requirements = workspace.require(REQUIREMENTS)?;
    let python = find_python()?;
    workspace.build()?;

    let environment = workspace.target("interop-venv");
    let binaries = environment.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let own_python = binaries.join(format!("python{}", std::env::consts::EXE_SUFFIX));
    // Left over half-made, it has no pip yet.
    if !binaries
        .join(format!("pip{}", std::env::consts::EXE_SUFFIX))
        .exists()
    {
        let mut command = workspace.command(python);
        workspace.run(command.args(["-m", "venv", "--clear"]).arg(&environment))?;
    }
    let mut pip = workspace.command(&own_python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ]);
    workspace.run(pip.arg(requirements))?;

    let mut command = workspace.command(own_python);
    command
        .arg("-B")
        .arg(runner)
        .arg("--ringtrue")
        .arg(workspace.ringtrue());
    workspace.run(&mut command)
}
