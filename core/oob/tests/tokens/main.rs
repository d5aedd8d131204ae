//! Storage tokens: everything that must hold, wrong in turn.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests may fail like the tests themselves"
)]

mod authorization;
mod blinding;
mod directory;
mod headers;
mod proof;

use std::sync::OnceLock;

use ringtrue_oob::token::redemption::{Redemption, StoreProof};
use ringtrue_oob::token::{IssuerKey, IssuerName, OneTimeKey, PendingToken, Token, TokenChallenge};
use ringtrue_oob::{Blob, Destination, Suite, dummy};
use ringtrue_raw_rsa::RsaIssuerKey;
use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::crypto::RustCrypto;

const AUTHORITY: &str = "cps.example.com";

/// Keys take a while to make: all tests share two.
fn pair(index: usize) -> &'static RsaIssuerKey {
    static PAIRS: OnceLock<[RsaIssuerKey; 2]> = OnceLock::new();
    &PAIRS.get_or_init(|| [(); 2].map(|()| RsaIssuerKey::generate().unwrap()))[index]
}

fn issuer_key(index: usize) -> IssuerKey {
    IssuerKey::from_modulus(pair(index).modulus()).unwrap()
}

fn issuer() -> IssuerName {
    IssuerName::parse("issuer.example.com").unwrap()
}

fn challenge() -> TokenChallenge {
    TokenChallenge::new(&issuer(), AUTHORITY).unwrap()
}

fn destination(number: &str) -> Destination {
    Destination::from(TelephoneNumber::from_canonical(number).unwrap())
}

fn blob() -> Blob {
    dummy(&RustCrypto, Suite::S1).unwrap()
}

/// A token of key 0 for the challenge, with its one-time key.
fn token() -> (Token, OneTimeKey) {
    let key = OneTimeKey::generate(&RustCrypto).unwrap();
    let pending = PendingToken::new(&RustCrypto, &issuer_key(0), &challenge(), key).unwrap();
    let blinded = pending.blinded_message().try_into().unwrap();
    let signed = pair(0).private_operation(&blinded).unwrap();
    pending.complete(&signed).unwrap()
}

fn proof(blobs: &[Blob]) -> StoreProof {
    StoreProof::new(AUTHORITY, &destination("12025550199"), blobs).unwrap()
}

fn redemption() -> Redemption {
    let (token, key) = token();
    proof(&[blob()])
        .redeem(&RustCrypto, &token, &key, 0)
        .unwrap()
}
