//! The project's Oblivious HTTP against another implementation, in a workspace of its own.

use crate::options::TestOptions;
use crate::process::Stop;
use crate::workspace::Workspace;

const MANIFEST: &str = "tests/ohttp-peer/Cargo.toml";

pub(super) fn run(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let manifest = workspace.require(MANIFEST)?;
    let target = workspace.target("ohttp-peer");
    let mut command = workspace.cargo("test");
    command
        .args(["--locked", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", target);
    workspace.run(&mut command)
}
