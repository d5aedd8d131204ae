//! A laboratory: a test PKI in memory ([`Authority`], [`tls_identity`]) and in a folder ([`Lab`]).
//!
//! For the command and for tests only. Private keys lie unencrypted in the folder and in memory, and
//! [`Ca`] issues wrong certificates as readily as right ones: tests need them.
//!
//! The time is always a parameter; only the command reads the clock.
#![forbid(unsafe_code)]

mod authority;
mod block;
mod config;
mod credential;
mod error;
mod files;
mod issuing;
mod lab;
mod tls;

pub use authority::{Authority, Ca, CaSpec, LeafSpec, Validity};
pub use block::blocks_around;
pub use config::{
    DEFAULT_BASE_URL, DEFAULT_X5U_BASE, LabConfig, LabOptions, LabPolicy, LabProfile,
};
pub use credential::Credential;
pub use error::LabError;
pub use lab::Lab;
pub use tls::{TlsIdentity, tls_identity};
