//! The raw RSA private operation of the TLS back end, for the storage-token issuer alone.
//!
//! aws-lc-rs offers no RSA without padding, which blind signatures need (RFC 9474 section 4.3). This is
//! the one core crate that may contain `unsafe`.
