//! The digest that names a key statement.

use sha2::{Digest as _, Sha256};

/// SHA-256 over the payload octets of a key statement, the same for both of its encodings (W-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatementDigest([u8; 32]);

impl StatementDigest {
    /// Takes a digest that was computed or stored before.
    #[must_use]
    pub const fn from_octets(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// Computes the digest of a decoded payload.
    #[must_use]
    pub fn of_payload(payload: &[u8]) -> Self {
        Self(Sha256::digest(payload).into())
    }

    /// The 32 octets.
    #[must_use]
    pub const fn as_octets(&self) -> &[u8; 32] {
        &self.0
    }
}
