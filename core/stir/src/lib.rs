//! PASSporTs and STIR certificates: parse, build, sign, verify.
//!
//! This crate is pure: it never reads a clock, a socket, an environment variable or a global. Time is
//! a parameter and cryptography a value ([`crypto::CryptoProvider`]). What was parsed and what was
//! checked have different types.
#![forbid(unsafe_code)]

pub mod crypto;
mod number;
mod reason;
mod time;

pub use number::{MAX_NUMBER_LEN, NumberContext, TelephoneNumber};
pub use reason::{Kind, Reason};
pub use time::UnixTime;
