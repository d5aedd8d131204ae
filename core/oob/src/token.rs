//! Storage tokens: how an anonymous sender shows that some credential holder may store.
//!
//! A token is a Privacy Pass token of type 0x0002 whose nonce is the hash of a one-time key, *K_temp*.
//! The issuer signs it without seeing it ([`blind`]); the service verifies it without the issuer, and
//! takes a store only with a signature by K_temp over it. Neither can tell whose token it is.
//!
//! | Module | What |
//! |---|---|
//! | [`blind`] | blind RSA signatures, the half without a private key (RFC 9474) |
//! | [`issuance`] | asking an issuer for a token, and the credential's authorization of it |
//! | [`issuer_directory`] | the issuer's keys, and what a client believes of them |
//! | [`redemption`] | the headers of a store, and what a service asks for instead |
//!
//! No clock, no memory of spent tokens, no price: those are for whoever has them.
//!
//! Source: docs/protocol.md section 19.1 (PRV-25 to PRV-33, W-29, W-30); RFC 9577, RFC 9578.

pub mod blind;
mod challenge;
pub mod issuance;
pub mod issuer_directory;
mod issuer_key;
mod issuer_name;
mod one_time_key;
mod pss;
pub mod redemption;
mod storage_token;

pub use challenge::TokenChallenge;
pub use issuer_key::{IssuerKey, SPKI_LEN};
pub use issuer_name::IssuerName;
pub use one_time_key::OneTimeKey;
pub use storage_token::{
    AUTHENTICATOR_LEN, PendingToken, TOKEN_INPUT_LEN, TOKEN_LEN, Token, token_input,
};

/// The Privacy Pass token type: blind RSA with 2048 bits (RFC 9578 section 8.2.2).
pub const TOKEN_TYPE: u16 = 0x0002;

/// [`TOKEN_TYPE`] as it begins every structure.
const TOKEN_TYPE_OCTETS: [u8; 2] = TOKEN_TYPE.to_be_bytes();
