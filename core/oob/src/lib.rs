//! What travels out of band: sealed PASSporTs, key statements and the HTTP messages.
//!
//! * A [`Content`] (PASSporTs, certificates, state) is sealed into a [`Blob`] for a [`RecipientKey`] and a
//!   [`Destination`] with [`seal`], and opened with [`open`] or, where the key is in hardware, with
//!   [`open_with_shared_secret`].
//! * [`statement`] makes, reads and verifies key statements: which keys a number has, and where it looks.
//! * [`ohttp`] puts such messages into others that a relay can carry without reading them.
//! * A [`token`] lets an anonymous sender store.
//! * The [`http`] messages carry blobs and statements between endpoints and services at a [`BaseUrl`].
//!
//! This crate is pure: no I/O, no clock, no global. Randomness and group operations come from a
//! [`ringtrue_stir::crypto::CryptoProvider`].
#![forbid(unsafe_code)]

mod base_url;
mod blob;
mod content;
mod destination;
mod digest;
mod dummy;
mod frame;
mod hpke_raw;
pub mod http;
#[cfg_attr(not(feature = "pq"), path = "hybrid_absent.rs")]
mod hybrid;
mod hybrid_key;
pub mod ohttp;
mod recipient_key;
mod rounding;
mod seal;
pub mod statement;
mod suite;
pub mod token;

pub use base_url::BaseUrl;
pub use blob::Blob;
pub use content::{
    CallNonce, CallPhase, CallState, Content, MAX_CERTIFICATES, MAX_PPTS, RspRequest,
};
pub use destination::Destination;
pub use digest::StatementDigest;
pub use dummy::{dummy, dummy_from_seed};
pub use recipient_key::RecipientKey;
pub use rounding::{filler_suites, rounded_copies};
pub use seal::{generate_key, open, open_prepared, open_with_shared_secret, seal, seal_in_class};
pub use suite::{SizeClass, Suite};
