//! The rules of certificates, paths and tokens, each by the reason it refuses with, on certificates
//! that are made here.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests may fail like the tests themselves"
)]

mod building;
mod bundles;
mod certificates;
mod diversions;
mod diverted_answers;
mod diverting;
mod identities;
mod issuers;
mod issuing;
mod let_through_elsewhere;
mod paths;
mod profiles;
mod references;
mod requests;
mod revocation;
mod rich_call_data;
mod rich_call_data_building;
mod rich_call_data_content;
mod scopes;
mod signing;
mod sip;
mod strictness;
mod timestamps;
mod tokens;
mod types;
mod verdicts;

use std::sync::atomic::{AtomicUsize, Ordering};

use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};
use ringtrue_stir::{Reason, TelephoneNumber};

fn tn(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

/// Counts signature checks.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Counting {
    fn checks(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl CryptoProvider for Counting {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        RustCrypto.fill_random(out)
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        RustCrypto.verify_es256(key, message, sig)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        RustCrypto.generate(curve)
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        RustCrypto.agree(curve, secret, peer)
    }
}
