//! The cryptography that the project needs, as values.
//!
//! A [`CryptoProvider`] gives ES256, raw Diffie-Hellman and randomness. [`RustCrypto`] is the
//! pure-Rust default; the network layer brings a faster one on its TLS back end. A [`Signer`] and a
//! [`KeyAgreement`] stand for keys that never leave their hardware.
//!
//! Nothing here composes primitives into protocols: HPKE and the tokens live elsewhere.

mod device;
mod es256;
mod keys;
mod pkcs8;
mod provider;
mod rust_crypto;
mod signature_value;
mod spki;

pub use device::{DeviceSignature, KeyAgreement, Signer};
pub use es256::Es256Signature;
pub use keys::{P256PublicKey, SecretKey, SharedSecret};
pub use provider::{
    CryptoProvider, Curve, GeneratedKey, IssuerCurve, IssuerDigest, IssuerEcdsa, PreparedKey,
};
pub use rust_crypto::RustCrypto;
