//! PASSporTs and STIR certificates: parse, build, sign, verify.
//!
//! This crate is pure: it never reads a clock, a socket, an environment variable or a global. Time is
//! a parameter and cryptography a value ([`crypto::CryptoProvider`]). What was parsed and what was
//! checked have different types.
#![forbid(unsafe_code)]

pub mod base64url;
pub mod certificate;
pub mod crypto;
mod der;
pub mod integrity;
pub mod json;
pub mod jws;
mod number;
pub mod passport;
mod public_address;
pub mod rcd;
mod reason;
pub mod sip;
mod strictness;
mod time;
pub mod tn_auth_list;
pub mod trust_bundle;
pub mod verification;
mod x5u;

pub use number::{MAX_NUMBER_LEN, NumberContext, TelephoneNumber};
pub use public_address::Reach;
pub use reason::{Kind, Reason};
pub use strictness::Strictness;
pub use time::UnixTime;
pub use x5u::{MAX_X5U_LEN, X5u};
