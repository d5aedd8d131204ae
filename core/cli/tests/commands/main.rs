//! `lab`, `cps serve`, `publish`, `place` and `ring` as separate processes.

#![cfg(unix)]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

mod calls;
mod configured;
mod laboratory;
#[path = "../support/processes.rs"]
mod processes;
mod serving;
