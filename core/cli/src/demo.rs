//! `ringtrue demo`.

use crate::args::DemoArguments;
use crate::exit::{Exit, Failure};

/// Shows a verified call in both directions, and attacks that fail.
pub(crate) fn run(_arguments: &DemoArguments) -> Result<Exit, Failure> {
    Ok(Exit::Failed)
}
