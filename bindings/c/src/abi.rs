//! The functions of the interface. Everything that touches a pointer of the caller's is below this module.
//!
//! Every function checks its pointers, writes its output on success only, and stops a panic at its
//! border: it returns `RINGTRUE_RESULT_INTERNAL` then, and the session that was worked on is gone.
#![expect(
    unsafe_code,
    reason = "C hands in pointers, and exported names are unsafe attributes"
)]

pub mod begin;
mod borrow;
pub mod client;
mod config;
pub mod drive;
pub mod input;
pub mod utility;

use std::panic::{AssertUnwindSafe, catch_unwind};

use ringtrue_stir::Reason;

use crate::code::{Code, RINGTRUE_RESULT_OK};

/// Runs a function's work and makes a code of what came of it.
fn guard(work: impl FnOnce() -> Result<(), Code>) -> u32 {
    // What a panic leaves half done is a session, and that is given up by whoever worked on it.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => RINGTRUE_RESULT_OK,
        Ok(Err(Code(code))) => code,
        Err(_) => Reason::Internal.number(),
    }
}
