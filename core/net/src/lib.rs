//! TLS configuration, the HTTP client, address rules and the fast crypto provider.
//!
//! What the pure crates leave to their host and every host on a network stack needs: a
//! [`ringtrue_stir::crypto::CryptoProvider`] on the TLS back end ([`AwsLcCrypto`]), a client that
//! sends the messages of [`ringtrue_oob::http`] ([`HttpClient`]), the rule for the addresses that it
//! may connect to ([`AddressPolicy`]) and the TLS side of a service ([`server_config`]).
//!
//! Nothing here knows what a message means, and nothing here retries, caches or waits: deadlines are
//! the caller's, who drops the future.
#![forbid(unsafe_code)]

mod address;
mod client;
mod crypto;
mod pem;
mod resolver;
mod server;
mod tls;

pub use address::AddressPolicy;
pub use client::{DEFAULT_CONNECT_TIMEOUT, HttpClient, HttpSettings, USER_AGENT};
pub use crypto::AwsLcCrypto;
pub use ringtrue_oob::http::Role;
pub use server::{ReloadableCertificate, reloadable_server_config, server_config};
