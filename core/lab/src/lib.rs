//! A laboratory: a test PKI in memory ([`Authority`], [`tls_identity`]) and in a folder ([`Lab`]).
//!
//! For the command and for tests only. Private keys lie unencrypted in the folder and in memory, and
//! [`Ca`] issues wrong certificates as readily as right ones: tests need them.
//!
//! The time is always a parameter; only the command reads the clock.
#![forbid(unsafe_code)]

mod authority;
mod block;
mod bundle;
mod config;
mod credential;
mod der;
mod error;
mod extension;
mod files;
mod issuing;
mod lab;
mod log;
mod request;
mod revocation;
mod spec;
mod tls;

pub use authority::{Authority, Ca};
pub use block::blocks_around;
pub use config::{
    DEFAULT_BASE_URL, DEFAULT_X5U_BASE, LabConfig, LabOptions, LabPolicy, LabProfile,
};
pub use credential::Credential;
pub use error::LabError;
pub use extension::ExtraExtension;
pub use lab::Lab;
pub use log::LabLog;
pub use request::IssuedChain;
pub use revocation::{CrlSpec, RevocationAuthority, Revoked, revocation_list_pem};
pub use spec::{AuthorityKeyId, CaSpec, LeafSpec, Validity};
pub use tls::{TlsIdentity, tls_identity};
