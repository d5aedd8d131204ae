//! Tests from the inside: what C cannot measure or provoke. Everything else is in `bindings/c/tests`.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "helpers of tests may fail like the tests themselves"
)]

mod memory;
mod panics;
mod phone;
mod registry;
