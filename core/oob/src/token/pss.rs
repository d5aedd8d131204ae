//! EMSA-PSS with SHA-384 and MGF1 of SHA-384, for moduli of whole octets: the encoded message is one bit
//! shorter than the modulus.
//!
//! Source: RFC 8017 section 9.1.

use sha2::{Digest as _, Sha384};
use subtle::ConstantTimeEq as _;

/// Octets of SHA-384, and of the longer of the two salts.
pub(super) const HASH_LEN: usize = 48;

const TRAILER: u8 = 0xbc;

fn digest(message: &[u8], salt: &[u8]) -> [u8; HASH_LEN] {
    let mut hash = Sha384::new();
    hash.update([0; 8]);
    hash.update(Sha384::digest(message));
    hash.update(salt);
    hash.finalize().into()
}

/// Adds (and takes off) the mask that `seed` generates (RFC 8017 appendix B.2.1).
fn mask(data: &mut [u8], seed: &[u8]) {
    for (counter, block) in (0_u32..).zip(data.chunks_mut(HASH_LEN)) {
        let mut hash = Sha384::new();
        hash.update(seed);
        hash.update(counter.to_be_bytes());
        for (octet, mask) in block.iter_mut().zip(hash.finalize()) {
            *octet ^= mask;
        }
    }
}

/// `len` octets, which are below every modulus of that length with its highest bit set.
pub(super) fn encode(message: &[u8], salt: &[u8], len: usize) -> Vec<u8> {
    let hash = digest(message, salt);
    let block_len = len.saturating_sub(HASH_LEN + 1);
    let zeros = block_len.saturating_sub(salt.len()).saturating_sub(1);
    let mut encoded = vec![0; zeros];
    encoded.push(1);
    encoded.extend_from_slice(salt);
    mask(&mut encoded, &hash);
    if let Some(first) = encoded.first_mut() {
        *first &= 0x7f;
    }
    encoded.extend_from_slice(&hash);
    encoded.push(TRAILER);
    encoded
}

pub(super) fn verify(message: &[u8], encoded: &[u8], salt_len: usize) -> bool {
    let Some(block_len) = encoded.len().checked_sub(HASH_LEN + 1) else {
        return false;
    };
    let Some(zeros) = block_len
        .checked_sub(salt_len)
        .and_then(|n| n.checked_sub(1))
    else {
        return false;
    };
    let (block, rest) = encoded.split_at(block_len);
    let (hash, trailer) = rest.split_at(HASH_LEN);
    let mut block = block.to_vec();
    if trailer != [TRAILER] || block.first().is_none_or(|first| first & 0x80 != 0) {
        return false;
    }
    mask(&mut block, hash);
    if let Some(first) = block.first_mut() {
        *first &= 0x7f;
    }
    let (padding, salt) = block.split_at(zeros.saturating_add(1));
    let padded = padding
        .split_last()
        .is_some_and(|(last, zeros)| *last == 1 && zeros.iter().all(|octet| *octet == 0));
    padded && bool::from(digest(message, salt).ct_eq(hash))
}
