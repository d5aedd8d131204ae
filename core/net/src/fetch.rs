//! The one fetcher: what a token or a certificate refers to by URL.
//!
//! Certificate paths (`x5u`), lists of numbers by reference, revocation lists, trust bundles and, only
//! when an application asks, the images and jCards of rich call data. All go through [`Fetcher`], so
//! that one place keeps the rules: https to public addresses that stay pinned, small answers in little
//! time, a cache so that a host sees few calls, and nothing that tells one endpoint from another.
//!
//! Deliberately not here: proofs of certificate logs, which are never fetched on the way of a call
//! (SCT-21); the status of a single certificate (CRT-62); any decision about what was fetched. And
//! services fetch nothing: only endpoints make a [`Fetcher`].
//!
//! Source: RFC 8226 sections 7 and 10.1; RFC 9060 section 7; RFC 9111 (CRT-40 to CRT-48, PPT-84).

mod cache;
mod content;
mod fetcher;
mod freshness;
mod https;
mod kind;
mod settings;
mod source;

pub use content::Fetched;
pub use fetcher::{Fetcher, REFRESH_PERIOD};
pub use kind::FetchKind;
pub use settings::FetchSettings;
pub use source::{Delivered, FetchSource};
