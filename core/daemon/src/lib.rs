//! An endpoint as a process of its own, for PBXs and terminal adapters that prefer that to a library.
//!
//! [`Daemon`] listens on a Unix socket (JSON lines) and, if it is told to, on a FastAGI port. Both do
//! what [`ringtrue::Endpoint`] does, with limits on everything that a client can make it hold. It also
//! does what an endpoint has to do now and then: publish keys, fill wallets, renew trust.
//! `docs/daemon.md` is the contract with clients.
//!
//! The two parsers ([`Request::parse`], [`AgiRequest::parse`]) are pure and public for the fuzzer.
//! Configuration files are the command's business.
#![cfg_attr(
    not(unix),
    expect(dead_code, reason = "the daemon itself needs Unix sockets")
)]
#![forbid(unsafe_code)]

mod agi;
mod code;
mod method;
mod report;
mod request;

#[cfg(unix)]
mod agi_connection;
#[cfg(unix)]
mod calls;
#[cfg(unix)]
mod config;
#[cfg(unix)]
mod connection;
#[cfg(unix)]
mod daemon;
#[cfg(unix)]
mod desk;
#[cfg(unix)]
mod lines;
#[cfg(unix)]
mod service_manager;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod status;
#[cfg(unix)]
mod upkeep;

pub use agi::{AgiRequest, MAX_HEAD_OCTETS, Script};
pub use code::Code;
#[cfg(unix)]
pub use config::{AgiConfig, DaemonConfig, SocketAccess};
#[cfg(unix)]
pub use daemon::Daemon;
pub use method::Method;
pub use report::{
    AnswerReport, BlobReport, CallReport, CheckReport, PlacementReport, millis, names,
};
pub use request::{Id, MAX_LINE_OCTETS, Refusal, Request, VERSION};
