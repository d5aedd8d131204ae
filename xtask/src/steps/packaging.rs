//! The systemd unit and the shell scripts of the packages.

use crate::options::TestOptions;
use crate::process::Stop;
use crate::workspace::Workspace;

pub(super) fn run(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    if cfg!(not(target_os = "linux")) {
        return Err(Stop::Skipped("the packages are for Linux".to_owned()));
    }
    let script = workspace.path("packaging/check.sh");
    workspace.run(&mut workspace.command(script))
}
