//! Oblivious HTTP: a request goes through a relay that sees who asks, to a gateway that sees what is
//! asked, and neither sees both.
//!
//! | Part | What it is |
//! |---|---|
//! | [`binary`] | binary HTTP messages of known length (RFC 9292), padded to fixed lengths |
//! | [`KeyConfig`], [`encode_key_configs`], [`parse_key_configs`] | what a gateway tells its clients (`application/ohttp-keys`) |
//! | [`encapsulate`], [`GatewayKey`], [`decapsulate`] | the encapsulated request (RFC 9458 section 4.3) |
//! | [`AnswerKey`] | the encapsulated answer (RFC 9458 section 4.4) |
//! | [`shape`] | how long each kind of message is, whatever is in it |
//! | [`messages`] | the outer requests and answers of relay and gateway |
//!
//! Only what this project speaks: X25519 with HKDF-SHA256, AES-128-GCM or ChaCha20-Poly1305. The
//! example of RFC 9458 appendix A and messages of another implementation are test vectors
//! (`tests/vectors/ohttp`); why this is no foreign crate says docs/adr/0011-oblivious-http.md.
//!
//! Source: RFC 9458, RFC 9292; docs/protocol.md section 19.2 (PRV-38, PRV-40, PRV-41, W-30).

pub mod binary;
mod encapsulation;
mod key_config;
pub mod messages;
pub mod shape;

pub use encapsulation::{AnswerKey, GatewayKey, MAX_ENCAPSULATED_LEN, decapsulate, encapsulate};
pub use key_config::{
    KeyConfig, MAX_KEY_CONFIGS, MAX_KEY_CONFIGS_LEN, SymmetricSuite, encode_key_configs,
    parse_key_configs,
};
