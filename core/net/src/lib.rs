//! TLS configuration, the HTTP client, address rules and the fast crypto provider.
//!
//! What the pure crates leave to their host and every host on a network stack needs: a
//! [`ringtrue_stir::crypto::CryptoProvider`] on the TLS back end ([`AwsLcCrypto`]), a client that
//! sends the messages of [`ringtrue_oob::http`] ([`HttpClient`]), the fetcher of certificates and of
//! what else a URL refers to ([`Fetcher`]), the rule for the addresses that both may connect to
//! ([`AddressPolicy`]) and the TLS side of a service ([`server_config`]).
//!
//! Nothing here knows what a message means, and the client retries, caches and waits for nothing:
//! deadlines are the caller's, who drops the future. Only the fetcher keeps what it got.
#![forbid(unsafe_code)]

mod address;
mod client;
mod crypto;
mod fetch;
mod pem;
mod resolver;
mod server;
mod tls;

pub use address::AddressPolicy;
pub use client::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_IDLE_CONNECTIONS, HttpClient, HttpSettings, USER_AGENT,
};
pub use crypto::AwsLcCrypto;
pub use fetch::{
    Delivered, FetchKind, FetchSettings, FetchSource, Fetched, Fetcher, REFRESH_PERIOD,
};
pub use resolver::NameResolver;
pub use ringtrue_oob::http::Role;
pub use server::{ReloadableCertificate, reloadable_server_config, server_config};
