//! What a token pays for: exactly one store.

use ringtrue_oob::Destination;
use ringtrue_oob::token::redemption::{Redemption, StoreProof};
use ringtrue_oob::token::{OneTimeKey, TokenChallenge};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::RustCrypto;

use crate::{AUTHORITY, blob, challenge, destination, issuer, issuer_key, proof, token};

fn verify(proof: &StoreProof, redemption: &Redemption) -> Result<(), Reason> {
    proof.verify(&RustCrypto, &issuer_key(0), &challenge(), redemption)
}

#[test]
fn a_proof_is_for_one_store_of_one_body_to_one_number_at_one_service() {
    let (token, key) = token();
    let blobs = [blob(), blob()];
    let paid = proof(&blobs).redeem(&RustCrypto, &token, &key, 0).unwrap();
    assert_eq!(verify(&proof(&blobs), &paid), Ok(()));

    let [first, second] = blobs.clone();
    let number = destination("12025550199");
    let others = [
        proof(&[second, first.clone()]),
        proof(core::slice::from_ref(&first)),
        proof(&[first.clone(), first]),
        proof(&[]),
        StoreProof::new(AUTHORITY, &destination("12025550198"), &blobs).unwrap(),
        StoreProof::new(AUTHORITY, &Destination::Uri("12025550199".into()), &blobs).unwrap(),
        StoreProof::new("cps.example.com:8443", &number, &blobs).unwrap(),
        StoreProof::new("CPS.example.com", &number, &blobs).unwrap(),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_eq!(verify(other, &paid), Err(Reason::TokenInvalid), "{index}");
    }
}

#[test]
fn every_member_of_a_redemption_counts() {
    let (good, key) = token();
    let (other_token, other_key) = token();
    let blobs = [blob()];
    let proof = proof(&blobs);
    let paid = proof.redeem(&RustCrypto, &good, &key, 0).unwrap();
    let other = proof
        .redeem(&RustCrypto, &other_token, &other_key, 0)
        .unwrap();
    type Change<'a> = &'a dyn Fn(&mut Redemption);
    let changes: [Change<'_>; 5] = [
        &|paid| paid.token = other.token.clone(),
        &|paid| paid.one_time_key = other.one_time_key,
        &|paid| paid.counter = 1,
        &|paid| paid.signature = other.signature,
        &|paid| {
            // A stolen token, signed for by the thief's own key.
            let thief = OneTimeKey::generate(&RustCrypto).unwrap();
            let signed = proof
                .redeem(&RustCrypto, &other_token, &other_key, 0)
                .unwrap();
            paid.one_time_key = *thief.public();
            paid.signature = signed.signature;
        },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut changed = paid.clone();
        change(&mut changed);
        assert_eq!(
            verify(&proof, &changed),
            Err(Reason::TokenInvalid),
            "{index}"
        );
    }
    assert_eq!(verify(&proof, &paid), Ok(()));
}

#[test]
fn tokens_of_another_issuer_key_or_challenge_do_not_pay() {
    let (token, key) = token();
    let blobs = [blob()];
    let proof = proof(&blobs);
    let paid = proof.redeem(&RustCrypto, &token, &key, 0).unwrap();
    let refused = proof.verify(&RustCrypto, &issuer_key(1), &challenge(), &paid);
    assert_eq!(refused, Err(Reason::TokenInvalid));
    let elsewhere = TokenChallenge::new(&issuer(), "other.example").unwrap();
    let refused = proof.verify(&RustCrypto, &issuer_key(0), &elsewhere, &paid);
    assert_eq!(refused, Err(Reason::TokenInvalid));
}

#[test]
fn a_token_is_paid_with_by_its_own_key_alone() {
    let (token, _) = token();
    let stranger = OneTimeKey::generate(&RustCrypto).unwrap();
    let refused = proof(&[blob()]).redeem(&RustCrypto, &token, &stranger, 0);
    assert_eq!(refused.err(), Some(Reason::TokenInvalid));
}

#[test]
fn a_second_use_is_signed_apart_from_the_first() {
    let (token, key) = token();
    let blobs = [blob()];
    let proof = proof(&blobs);
    let first = proof.redeem(&RustCrypto, &token, &key, 0).unwrap();
    let second = proof.redeem(&RustCrypto, &token, &key, 1).unwrap();
    assert!(first.signature != second.signature);
    assert_eq!(verify(&proof, &second), Ok(()));
}
