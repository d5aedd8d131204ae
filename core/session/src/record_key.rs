//! How state records are hidden from whoever keeps them.
//!
//! A store, its file, its backups and whoever reads them see names and octets that say nothing but a
//! size class. This module only computes; [`crate::Sealed`] puts it around a session.
//!
//! Source: `docs/adr/0012-sealed-records.md`; docs/protocol.md section 12.6.

use core::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce, Tag};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ringtrue_stir::{Reason, base64url};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::RecordName;

/// The first octet of every sealed record.
const VERSION: u8 = 1;

const NONCE_OCTETS: usize = 12;
const TAG_OCTETS: usize = 16;

/// What precedes the encrypted part: version and nonce.
const HEAD_OCTETS: usize = 1 + NONCE_OCTETS;

/// The length of the content precedes it, four octets, big endian.
const LENGTH_OCTETS: usize = 4;

/// The smallest size class: keys, statements of a number or a credential mostly fit.
const MIN_CLASS: usize = 4096;

/// The largest class, and so the largest record: a revocation list of 4 MiB fits.
const MAX_CLASS: usize = 8 * 1024 * 1024;

/// Marks expire at full hours, so that a store shows no time of a call.
const CLAIM_GRAIN_SECS: u64 = 3600;

/// Hides state records with a key of the host's.
///
/// Two processes with the same key understand each other's records. Cheap to clone; the derived keys are
/// overwritten when the last clone goes.
#[derive(Clone)]
pub struct RecordKey(Arc<Derived>);

struct Derived {
    names: Zeroizing<[u8; 32]>,
    nonces: Zeroizing<[u8; 32]>,
    values: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKey(..)")
    }
}

impl RecordKey {
    /// Derives what is needed from the host's key: 32 octets of a secure generator, which the host keeps
    /// apart from the store (a platform's key store; on Linux a file).
    #[must_use]
    pub fn new(host_key: &[u8; 32]) -> Self {
        let derived = |label: &[u8]| keyed(host_key, &[label]);
        Self(Arc::new(Derived {
            names: derived(b"RingTrue record names v1"),
            nonces: derived(b"RingTrue record nonces v1"),
            values: derived(b"RingTrue record values v1"),
        }))
    }

    /// The name under which the host keeps `record`: 43 characters that say nothing.
    #[must_use]
    pub fn name(&self, record: &RecordName) -> RecordName {
        RecordName::sealed(base64url::encode(self.hashed(record).as_slice()))
    }

    fn hashed(&self, record: &RecordName) -> Zeroizing<[u8; 32]> {
        keyed(&self.0.names, &[record.as_str().as_bytes()])
    }

    /// What the host keeps for `record` with this value. The same value gives the same octets, so that a
    /// host can compare what it holds with what a session expects, without any key.
    ///
    /// # Errors
    ///
    /// [`Reason::TooLong`] for more than 8 MiB.
    pub fn seal(&self, record: &RecordName, value: &[u8]) -> Result<Vec<u8>, Reason> {
        let class = class_of(value.len()).ok_or(Reason::TooLong)?;
        let length = u32::try_from(value.len()).map_err(|_| Reason::TooLong)?;
        let hashed = self.hashed(record);
        // One allocation of the final size, encrypted in place: no copy of the value stays behind.
        let size = class.saturating_add(HEAD_OCTETS + TAG_OCTETS);
        let mut sealed = Zeroizing::new(Vec::with_capacity(size));
        sealed.push(VERSION);
        sealed.extend_from_slice(&[0; NONCE_OCTETS]);
        sealed.extend_from_slice(&length.to_be_bytes());
        sealed.extend_from_slice(value);
        sealed.resize(class.saturating_add(HEAD_OCTETS), 0);
        let (head, content) = sealed
            .split_at_mut_checked(HEAD_OCTETS)
            .ok_or(Reason::Internal)?;
        let nonce = self.nonce(&hashed, content)?;
        let tag = self
            .cipher()
            .encrypt_inout_detached(&Nonce::from(nonce), &aad(&hashed), content.into())
            .map_err(|_| Reason::Internal)?;
        if let Some((_, place)) = head.split_first_mut() {
            place.copy_from_slice(&nonce);
        }
        sealed.extend_from_slice(&tag);
        Ok(core::mem::take(&mut *sealed))
    }

    /// What was sealed as `record`.
    ///
    /// # Errors
    ///
    /// [`Reason::RecordNotOpened`] for octets that were not sealed with this key for this record.
    pub fn open(&self, record: &RecordName, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Reason> {
        self.try_open(record, sealed).ok_or(Reason::RecordNotOpened)
    }

    fn try_open(&self, record: &RecordName, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (version, rest) = sealed.split_first()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_OCTETS>()?;
        let (content, tag) = rest.split_last_chunk::<TAG_OCTETS>()?;
        if *version != VERSION
            || class_of(content.len().checked_sub(LENGTH_OCTETS)?)? != content.len()
        {
            return None;
        }
        let hashed = self.hashed(record);
        let mut content = Zeroizing::new(content.to_vec());
        self.cipher()
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                &aad(&hashed),
                content.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .ok()?;
        let (length, rest) = content.split_first_chunk::<LENGTH_OCTETS>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (value, filler) = rest.split_at_checked(length)?;
        // Written by whoever has the key, so this guards against defects, not against attackers.
        if filler.iter().any(|octet| *octet != 0) {
            return None;
        }
        Some(Zeroizing::new(value.to_vec()))
    }

    /// When the mark of a used PASSporT may be forgotten, as the host is told: the end of the hour.
    #[must_use]
    pub const fn coarse_expiry(expires: u64) -> u64 {
        expires
            .div_ceil(CLAIM_GRAIN_SECS)
            .saturating_mul(CLAIM_GRAIN_SECS)
    }

    /// From name and content, so that no two contents meet one nonce even if a generator repeats itself.
    fn nonce(&self, hashed: &[u8; 32], content: &[u8]) -> Result<[u8; NONCE_OCTETS], Reason> {
        let digest = keyed(&self.0.nonces, &[hashed, content]);
        digest
            .first_chunk::<NONCE_OCTETS>()
            .copied()
            .ok_or(Reason::Internal)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        use chacha20poly1305::KeyInit as _;
        // The cipher and its copy of the key are overwritten on drop.
        ChaCha20Poly1305::new(<&Key>::from(&*self.0.values))
    }
}

/// Binds a record to its version and name: what is sealed for one opens as no other.
fn aad(hashed: &[u8; 32]) -> [u8; 33] {
    let mut aad = [VERSION; 33];
    if let Some((_, place)) = aad.split_first_mut() {
        place.copy_from_slice(hashed);
    }
    aad
}

/// The size class for a value of this length.
fn class_of(length: usize) -> Option<usize> {
    let needed = length.checked_add(LENGTH_OCTETS)?.max(MIN_CLASS);
    needed
        .checked_next_power_of_two()
        .filter(|class| *class <= MAX_CLASS)
}

/// HMAC-SHA-256 over the parts, which the callers keep apart by fixed lengths.
fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    // HMAC takes keys of every length; a failure cannot happen and would only give a fixed value.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        for part in parts {
            mac.update(part);
        }
        out.copy_from_slice(&mac.finalize().into_bytes());
    }
    out
}
