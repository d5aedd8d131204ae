//! A second implementation of the HPKE key schedule, for the values that are shown nowhere else.

use hmac::{Hmac, KeyInit as _, Mac as _};
use ringtrue_oob::Suite;
use ringtrue_stir::crypto::SharedSecret;
use sha2::Sha256;

pub(crate) struct Schedule {
    pub(crate) shared_secret: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) base_nonce: Vec<u8>,
    #[cfg_attr(
        not(feature = "pq"),
        expect(dead_code, reason = "recorded for S3 and S4")
    )]
    pub(crate) exporter_secret: Vec<u8>,
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> Vec<u8> {
    hmac(salt, &[b"HPKE-v1", suite, label, ikm])
}

fn expand(suite: &[u8], prk: &[u8], label: &[u8], info: &[u8], len: u16) -> Vec<u8> {
    let parts = [
        &len.to_be_bytes(),
        b"HPKE-v1".as_slice(),
        suite,
        label,
        info,
        &[1],
    ];
    let mut block = hmac(prk, &parts);
    block.truncate(usize::from(len));
    block
}

pub(crate) fn of(
    suite: Suite,
    agreed: &SharedSecret,
    enc: &[u8],
    recipient: &[u8],
    info: &[u8],
) -> Schedule {
    let ids = suite.id_bytes();
    let kem = [b"KEM", &ids[..2]].concat();
    let prk = extract(&kem, &[], b"eae_prk", agreed.expose());
    let context = [enc, recipient].concat();
    let shared_secret = expand(&kem, &prk, b"shared_secret", &context, 32);
    from_kem(suite, shared_secret, info)
}

/// The key schedule after any KEM.
pub(crate) fn from_kem(suite: Suite, shared_secret: Vec<u8>, info: &[u8]) -> Schedule {
    let ids = suite.id_bytes();
    let id = [b"HPKE".as_slice(), &ids].concat();
    let mut context = vec![0];
    context.extend(extract(&id, &[], b"psk_id_hash", &[]));
    context.extend(extract(&id, &[], b"info_hash", info));
    let secret = extract(&id, &shared_secret, b"secret", &[]);
    let key_len = match suite {
        Suite::S1 | Suite::S4 => 16,
        _ => 32,
    };
    Schedule {
        key: expand(&id, &secret, b"key", &context, key_len),
        base_nonce: expand(&id, &secret, b"base_nonce", &context, 12),
        exporter_secret: expand(&id, &secret, b"exp", &context, 32),
        shared_secret,
    }
}
