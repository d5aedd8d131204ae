//! The two providers accept, refuse and compute the same: whichever an application takes, nothing
//! else changes.
#![cfg(test)]

use proptest::prelude::*;
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, P256PublicKey, RustCrypto, SecretKey,
};

const PROVIDERS: [&dyn CryptoProvider; 2] = [&AwsLcCrypto, &RustCrypto];
const PAIRS: [(&dyn CryptoProvider, &dyn CryptoProvider); 2] =
    [(&AwsLcCrypto, &RustCrypto), (&RustCrypto, &AwsLcCrypto)];
const CURVES: [Curve; 2] = [Curve::P256, Curve::X25519];

/// The order of P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn key(provider: &dyn CryptoProvider, secret: &SecretKey) -> P256PublicKey {
    P256PublicKey::from_sec1(&provider.public_key(Curve::P256, secret).unwrap()).unwrap()
}

#[test]
fn each_verifies_the_signatures_of_the_other() {
    for (signing, verifying) in PAIRS {
        for len in [0, 1, 55, 64, 1000] {
            let pair = signing.generate(Curve::P256).unwrap();
            let message = vec![0x5a; len];
            let signature = signing.sign_es256(&pair.secret, &message).unwrap();
            let public = P256PublicKey::from_sec1(&pair.public).unwrap();
            assert!(verifying.verify_es256(&public, &message, &signature));
            assert!(signing.verify_es256(&public, &message, &signature));
        }
    }
}

#[test]
fn both_refuse_a_signature_of_another_message_key_or_value() {
    for (signing, verifying) in PAIRS {
        let pair = signing.generate(Curve::P256).unwrap();
        let public = P256PublicKey::from_sec1(&pair.public).unwrap();
        let signature = signing.sign_es256(&pair.secret, b"message").unwrap();
        assert!(!verifying.verify_es256(&public, b"massage", &signature));
        let other = signing.generate(Curve::P256).unwrap();
        let other = P256PublicKey::from_sec1(&other.public).unwrap();
        assert!(!verifying.verify_es256(&other, b"message", &signature));
        for place in [0, 31, 32, 63] {
            let mut raw = *signature.as_raw();
            raw[place] ^= 1;
            if let Ok(changed) = Es256Signature::from_raw(&raw) {
                assert!(!verifying.verify_es256(&public, b"message", &changed));
            }
        }
    }
}

/// PRV-23: JOSE has no low-S rule, so n - s in the place of s verifies as well.
#[test]
fn both_accept_the_high_and_the_low_s() {
    let pair = AwsLcCrypto.generate(Curve::P256).unwrap();
    let public = P256PublicKey::from_sec1(&pair.public).unwrap();
    let mut raw = *AwsLcCrypto.sign_es256(&pair.secret, b"m").unwrap().as_raw();
    let mut borrow = 0;
    for place in (0..32).rev() {
        let difference = i16::from(ORDER[place]) - i16::from(raw[32 + place]) - borrow;
        borrow = i16::from(difference < 0);
        raw[32 + place] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    let mirrored = Es256Signature::from_raw(&raw).unwrap();
    for provider in PROVIDERS {
        assert!(provider.verify_es256(&public, b"m", &mirrored));
    }
}

#[test]
fn both_compute_the_same_public_keys_and_agreements() {
    for curve in CURVES {
        for (one, other) in PAIRS {
            let ours = one.generate(curve).unwrap();
            let theirs = other.generate(curve).unwrap();
            assert_eq!(other.public_key(curve, &ours.secret).unwrap(), ours.public);
            let first = one.agree(curve, &ours.secret, &theirs.public).unwrap();
            let second = other.agree(curve, &theirs.secret, &ours.public).unwrap();
            let third = other.agree(curve, &ours.secret, &theirs.public).unwrap();
            assert_eq!(first, second);
            assert_eq!(first, third);
        }
    }
}

/// PRV-9: the points of small order give the all-zero result, whatever the secret.
#[test]
fn both_refuse_x25519_points_of_small_order() {
    let mut one = [0; 32];
    one[0] = 1;
    // p - 1, p and p + 1 with p = 2^255 - 19.
    let near_p = |last: u8| {
        let mut octets = [0xff; 32];
        octets[0] = last;
        octets[31] = 0x7f;
        octets
    };
    let refused = [[0; 32], one, near_p(0xec), near_p(0xed), near_p(0xee)];
    for provider in PROVIDERS {
        let secret = provider.generate(Curve::X25519).unwrap().secret;
        for peer in refused {
            let result = provider.agree(Curve::X25519, &secret, &peer);
            assert_eq!(result, Err(Reason::MalformedKey));
        }
    }
}

#[test]
fn both_refuse_p256_points_off_the_curve_and_the_identity() {
    for provider in PROVIDERS {
        let pair = provider.generate(Curve::P256).unwrap();
        let mut off_curve = pair.public.clone();
        off_curve[64] ^= 1;
        let mut outside_the_field = vec![0xff; 65];
        outside_the_field[0] = 4;
        let mut zero = vec![0; 65];
        zero[0] = 4;
        let mut hybrid = pair.public.clone();
        hybrid[0] = 6 | (pair.public[64] & 1);
        for peer in [off_curve, outside_the_field, zero, hybrid, vec![0]] {
            let result = provider.agree(Curve::P256, &pair.secret, &peer);
            assert_eq!(result, Err(Reason::MalformedKey), "{peer:02x?}");
        }
    }
}

#[test]
fn both_refuse_keys_of_another_length() {
    for provider in PROVIDERS {
        for curve in CURVES {
            let pair = provider.generate(curve).unwrap();
            let longer = [&pair.public[..], &[0]].concat();
            for peer in [&[][..], &pair.public[1..], &pair.public[..31], &longer] {
                let result = provider.agree(curve, &pair.secret, peer);
                assert_eq!(result, Err(Reason::MalformedKey), "{} octets", peer.len());
            }
        }
    }
}

/// The back end would read these; the suites have one encoding per key (docs/protocol.md section 7.2).
#[test]
fn the_fast_one_refuses_other_encodings_of_a_good_key() {
    let pair = AwsLcCrypto.generate(Curve::P256).unwrap();
    let mut compressed = pair.public[..33].to_vec();
    compressed[0] = 2 | (pair.public[64] & 1);
    let mut spki = vec![
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    spki.extend_from_slice(&pair.public);
    for peer in [compressed, spki] {
        let result = AwsLcCrypto.agree(Curve::P256, &pair.secret, &peer);
        assert_eq!(result, Err(Reason::MalformedKey));
    }
}

#[test]
fn a_prepared_key_agrees_and_refuses_as_the_bare_one_does() {
    for curve in [Curve::P256, Curve::X25519] {
        let own = RustCrypto.generate(curve).unwrap();
        let prepared = AwsLcCrypto.prepare(curve, &own.secret).unwrap();
        let peer = RustCrypto.generate(curve).unwrap().public;
        for peer in [
            peer.clone(),
            vec![0; peer.len()],
            vec![0xff; peer.len()],
            peer[1..].to_vec(),
            [&[2], &peer[1..33.min(peer.len())]].concat(),
        ] {
            assert_eq!(
                prepared.agree(&peer),
                RustCrypto.agree(curve, &own.secret, &peer)
            );
        }
        // What saves nothing prepares nothing.
        assert!(RustCrypto.prepare(curve, &own.secret).is_none());
    }
    let out_of_range = SecretKey::new([0xff; 32]);
    assert!(AwsLcCrypto.prepare(Curve::P256, &out_of_range).is_none());
}

#[test]
fn both_refuse_secrets_that_are_no_p256_scalars() {
    let peer = RustCrypto.generate(Curve::P256).unwrap().public;
    for secret in [[0; 32], ORDER, [0xff; 32]].map(SecretKey::new) {
        for provider in PROVIDERS {
            let refused = Some(Reason::MalformedKey);
            assert_eq!(provider.public_key(Curve::P256, &secret).err(), refused);
            assert_eq!(provider.sign_es256(&secret, b"m").err(), refused);
            assert_eq!(provider.agree(Curve::P256, &secret, &peer).err(), refused);
        }
    }
}

#[test]
fn both_take_the_smallest_and_the_largest_scalar() {
    let mut one = [0; 32];
    one[31] = 1;
    let mut largest = ORDER;
    largest[31] -= 1;
    for secret in [one, largest].map(SecretKey::new) {
        let public = key(&RustCrypto, &secret);
        assert_eq!(key(&AwsLcCrypto, &secret), public);
        for (signing, verifying) in PAIRS {
            let signature = signing.sign_es256(&secret, b"m").unwrap();
            assert!(verifying.verify_es256(&public, b"m", &signature));
        }
    }
}

#[test]
fn randomness_fills_all_of_it_and_does_not_repeat() {
    let mut seen = [[0; 64]; 2];
    for octets in &mut seen {
        AwsLcCrypto.fill_random(octets).unwrap();
        assert!(octets.chunks(16).all(|part| part != [0; 16]));
    }
    assert_ne!(seen[0], seen[1]);
    assert_eq!(AwsLcCrypto.fill_random(&mut []), Ok(()));
}

proptest! {
    #[test]
    fn both_give_the_same_for_any_secret_and_peer(
        secret: [u8; 32],
        peer in prop_oneof![
            proptest::collection::vec(any::<u8>(), 32),
            any::<[u8; 32]>().prop_filter_map("a scalar", |scalar| {
                RustCrypto.public_key(Curve::P256, &SecretKey::new(scalar)).ok()
            }),
            proptest::collection::vec(any::<u8>(), 64).prop_map(|mut point| {
                point.insert(0, 4);
                point
            }),
        ],
    ) {
        let secret = SecretKey::new(secret);
        for curve in CURVES {
            prop_assert_eq!(
                AwsLcCrypto.public_key(curve, &secret),
                RustCrypto.public_key(curve, &secret)
            );
            prop_assert_eq!(
                AwsLcCrypto.agree(curve, &secret, &peer),
                RustCrypto.agree(curve, &secret, &peer)
            );
        }
    }

    #[test]
    fn both_judge_any_signature_alike(octets: [u8; 64], message: Vec<u8>, secret: [u8; 32]) {
        let (Ok(public), Ok(signature)) = (
            RustCrypto.public_key(Curve::P256, &SecretKey::new(secret)),
            Es256Signature::from_raw(&octets),
        ) else {
            return Ok(());
        };
        let public = P256PublicKey::from_sec1(&public).unwrap();
        prop_assert_eq!(
            AwsLcCrypto.verify_es256(&public, &message, &signature),
            RustCrypto.verify_es256(&public, &message, &signature)
        );
    }
}
