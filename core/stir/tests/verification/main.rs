//! The full verification of tokens, through the public interface.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests may fail like the tests themselves"
)]

mod constructed;
mod published;
mod support;
