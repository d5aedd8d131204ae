//! The steps about other platforms and about size: the subcommands of the same names.

use crate::cross;
use crate::options::{CrossOptions, SizeOptions, TestOptions};
use crate::process::Stop;
use crate::size;
use crate::workspace::Workspace;

pub(super) fn cross(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    cross::command(workspace, &CrossOptions::default())
}

pub(super) fn size(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    size::command(workspace, &SizeOptions::default())
}
