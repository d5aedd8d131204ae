//! The fetcher against hosts that are honest, wrong, slow or lying, over real TLS on loopback.
#![cfg(test)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "tests may stop at an overflow as at any other surprise"
)]

#[path = "../support/service.rs"]
#[expect(dead_code, reason = "shared with the tests of the client")]
mod service;

mod answers;
mod keeping;
mod lab;
mod rules;
mod sources;
mod tls;
