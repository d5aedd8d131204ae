//! Sealing and opening: round trips, and everything that must not open.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;

use proptest::prelude::*;
use ringtrue_oob::{
    Blob, Destination, RecipientKey, SizeClass, Suite, dummy, dummy_from_seed, generate_key, open,
    open_with_shared_secret, seal, seal_in_class,
};
#[cfg(feature = "pq")]
use ringtrue_stir::crypto::{Curve, Es256Signature, GeneratedKey, P256PublicKey};
use ringtrue_stir::crypto::{RustCrypto, SecretKey, SharedSecret};
use ringtrue_stir::{Reason, TelephoneNumber};

fn key_pair(suite: Suite) -> (SecretKey, RecipientKey) {
    generate_key(&RustCrypto, suite).unwrap()
}

fn number(text: &str) -> Destination {
    TelephoneNumber::from_canonical(text).unwrap().into()
}

fn outcome(blob: &Blob, pair: &(SecretKey, RecipientKey), to: &Destination) -> Result<(), Reason> {
    open(&RustCrypto, blob, &pair.0, &pair.1, to).map(drop)
}

/// The platform's cryptography, whose generator fails after so many draws.
#[cfg(feature = "pq")]
struct FailingAfter(std::sync::atomic::AtomicU32);

#[cfg(feature = "pq")]
impl ringtrue_stir::crypto::CryptoProvider for FailingAfter {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        use std::sync::atomic::Ordering::Relaxed;
        let left = self.0.load(Relaxed);
        self.0.store(left.saturating_sub(1), Relaxed);
        if left == 0 {
            return Err(Reason::RandomnessUnavailable);
        }
        RustCrypto.fill_random(out)
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
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

#[test]
fn every_tampered_octet_is_refused() {
    let to = number("12025550143");
    for suite in Suite::SUPPORTED {
        let pair = key_pair(*suite);
        let blob = seal(&RustCrypto, &pair.1, &to, b"content").unwrap();
        assert_eq!(outcome(&blob, &pair, &to), Ok(()));
        let good = blob.as_octets();
        // Every octet of the header and of the last of the key share, which is the classical one, then
        // a sample of the rest with all of the tag.
        let fixed = 8 + suite.enc_len();
        let indices = (0..8)
            .chain((8..fixed).step_by(if suite.is_hybrid() { 29 } else { 1 }))
            .chain(fixed - suite.enc_len().min(66)..fixed + 4)
            .chain((fixed..good.len()).step_by(211))
            .chain(good.len() - 17..good.len());
        for index in indices {
            for mask in [1, 0x80] {
                let mut octets = good.to_vec();
                octets[index] ^= mask;
                // RFC 7748 ignores the top bit of a u-coordinate; the KEM context still holds it.
                match Blob::from_octets(octets) {
                    Err(reason) => assert_eq!(reason, Reason::MalformedBlob),
                    Ok(changed) => assert!(
                        outcome(&changed, &pair, &to).is_err(),
                        "{suite:?}: octet {index}"
                    ),
                }
            }
        }
    }
}

#[test]
fn only_the_right_number_and_the_right_key_open() {
    for suite in Suite::SUPPORTED {
        let pair = key_pair(*suite);
        let blob = seal(&RustCrypto, &pair.1, &number("12025550143"), b"x").unwrap();
        for other in [
            number("12025550144"),
            number("1202555014"),
            Destination::Uri("12025550143".into()),
        ] {
            assert_eq!(outcome(&blob, &pair, &other), Err(Reason::BlobNotOpened));
        }
        let to = number("12025550143");
        let stranger = key_pair(*suite);
        assert_eq!(outcome(&blob, &stranger, &to), Err(Reason::BlobNotOpened));
        // The right secret with another public key, and the other way round.
        let mixed = (pair.0.clone(), stranger.1.clone());
        assert_eq!(outcome(&blob, &mixed, &to), Err(Reason::BlobNotOpened));
        let mixed = (stranger.0, pair.1);
        assert_eq!(outcome(&blob, &mixed, &to), Err(Reason::BlobNotOpened));
    }
}

#[test]
fn keys_of_another_suite_do_not_open() {
    let to = number("1");
    for suite in Suite::SUPPORTED {
        let pair = key_pair(*suite);
        let blob = seal(&RustCrypto, &pair.1, &to, b"x").unwrap();
        for other in Suite::SUPPORTED.iter().filter(|other| *other != suite) {
            let stranger = key_pair(*other);
            assert_eq!(
                outcome(&blob, &stranger, &to),
                Err(Reason::SuiteUnsupported)
            );
        }
    }
    let s1 = key_pair(Suite::S1);
    let s2 = key_pair(Suite::S2);
    let blob = seal(&RustCrypto, &s1.1, &to, b"x").unwrap();
    assert_eq!(outcome(&blob, &s2, &to), Err(Reason::SuiteUnsupported));
    let agreed = SharedSecret::new([1; 32]);
    assert_eq!(
        open_with_shared_secret(&blob, &agreed, &s2.1, &to).map(drop),
        Err(Reason::SuiteUnsupported)
    );
}

/// PRV-9: the encapsulated key is validated before anything is computed with it.
#[test]
fn invalid_encapsulated_keys_are_refused_before_use() {
    let to = number("1");
    let with_enc = |suite: Suite, enc: &[u8]| {
        let pair = key_pair(suite);
        let mut octets = seal(&RustCrypto, &pair.1, &to, b"x").unwrap().into_octets();
        octets[8..8 + enc.len()].copy_from_slice(enc);
        let blob = Blob::from_octets(octets).unwrap();
        let agreed = SharedSecret::new([1; 32]);
        (
            outcome(&blob, &pair, &to),
            open_with_shared_secret(&blob, &agreed, &pair.1, &to).map(drop),
        )
    };
    let mut identity = [0; 65];
    identity[0] = 4;
    let mut compressed = [0; 65];
    compressed[0] = 2;
    for enc in [[0; 65], identity, compressed, [0xff; 65]] {
        let malformed = Err(Reason::MalformedKey);
        assert_eq!(with_enc(Suite::S1, &enc), (malformed, malformed));
    }
    // Zero, one and the point of order 8 give the all-zero agreement.
    let mut one = [0; 32];
    one[0] = 1;
    for enc in [[0; 32], one] {
        assert_eq!(with_enc(Suite::S2, &enc).0, Err(Reason::MalformedKey));
    }
}

/// PRV-9 for the classical half of S3 and S4. Any octets are an ML-KEM ciphertext: a changed one gives
/// another secret, with which nothing opens.
#[cfg(feature = "pq")]
#[test]
fn invalid_classical_halves_of_hybrid_shares_are_refused_before_use() {
    let to = number("1");
    let with_end = |suite: Suite, end: &[u8]| {
        let pair = key_pair(suite);
        let mut octets = seal(&RustCrypto, &pair.1, &to, b"x").unwrap().into_octets();
        let behind = 8 + suite.enc_len();
        octets[behind - end.len()..behind].copy_from_slice(end);
        outcome(&Blob::from_octets(octets).unwrap(), &pair, &to)
    };
    let mut one = [0; 32];
    one[0] = 1;
    for end in [[0; 32], one] {
        assert_eq!(with_end(Suite::S3, &end), Err(Reason::MalformedKey));
    }
    let mut identity = [0; 65];
    identity[0] = 4;
    let mut compressed = [0; 65];
    compressed[0] = 2;
    for end in [[0; 65], identity, compressed, [0xff; 65]] {
        assert_eq!(with_end(Suite::S4, &end), Err(Reason::MalformedKey));
    }
    for suite in [Suite::S3, Suite::S4] {
        let pair = key_pair(suite);
        let sealed = seal(&RustCrypto, &pair.1, &to, b"x").unwrap().into_octets();
        for fill in [0, 0xff] {
            let mut octets = sealed.clone();
            octets[8..8 + 1088].fill(fill);
            let blob = Blob::from_octets(octets).unwrap();
            assert_eq!(outcome(&blob, &pair, &to), Err(Reason::BlobNotOpened));
        }
    }
}

/// A device's agreement is half of a hybrid secret at most.
#[cfg(feature = "pq")]
#[test]
fn an_agreement_alone_opens_no_hybrid_blob() {
    let to = number("1");
    for suite in [Suite::S3, Suite::S4] {
        let pair = key_pair(suite);
        let blob = seal(&RustCrypto, &pair.1, &to, b"x").unwrap();
        assert_eq!(
            open_with_shared_secret(&blob, &SharedSecret::new([1; 32]), &pair.1, &to).map(drop),
            Err(Reason::SuiteUnsupported)
        );
        assert_eq!(blob.peer_point().map(drop), Err(Reason::SuiteUnsupported));
    }
}

/// A generator that fails, at once or after some octets, fails the seal and nothing hangs.
#[cfg(feature = "pq")]
#[test]
fn a_failing_generator_fails_a_hybrid_seal() {
    for suite in [Suite::S3, Suite::S4] {
        let pair = key_pair(suite);
        let draws =
            |count: u32| seal(&FailingAfter(count.into()), &pair.1, &number("1"), b"x").map(drop);
        assert_eq!(draws(0), Err(Reason::RandomnessUnavailable));
        assert_eq!(draws(100), Ok(()));
        assert_eq!(
            dummy(&FailingAfter(0.into()), suite).map(drop),
            Err(Reason::RandomnessUnavailable)
        );
        assert_eq!(
            generate_key(&FailingAfter(0.into()), suite).map(drop),
            Err(Reason::RandomnessUnavailable)
        );
    }
    // S4 draws for each half by itself.
    let pair = key_pair(Suite::S4);
    let second = seal(&FailingAfter(1.into()), &pair.1, &number("1"), b"x");
    assert_eq!(second.map(drop), Err(Reason::RandomnessUnavailable));
}

#[test]
fn an_all_zero_secret_from_elsewhere_is_refused() {
    let to = number("1");
    for suite in [Suite::S1, Suite::S2] {
        let pair = key_pair(suite);
        let blob = seal(&RustCrypto, &pair.1, &to, b"x").unwrap();
        assert_eq!(
            open_with_shared_secret(&blob, &SharedSecret::new([0; 32]), &pair.1, &to).map(drop),
            Err(Reason::MalformedKey)
        );
    }
}

#[test]
fn content_fits_up_to_the_limit_and_no_further() {
    let to = number("1");
    for suite in Suite::SUPPORTED {
        let pair = key_pair(*suite);
        for class in SizeClass::ALL {
            let seal =
                |len: usize| seal_in_class(&RustCrypto, &pair.1, &to, &vec![b'x'; len], *class);
            let max = suite.max_content_len_in(*class);
            if !suite.allows(*class) {
                assert_eq!(seal(1), Err(Reason::ContentTooLong));
                continue;
            }
            assert_eq!(seal(max + 1), Err(Reason::ContentTooLong));
            for len in [0, 1, max - 1, max] {
                let blob = seal(len).unwrap();
                assert_eq!(blob.as_octets().len(), class.blob_len());
                let opened = open(&RustCrypto, &blob, &pair.0, &pair.1, &to).unwrap();
                assert_eq!(opened.len(), len);
            }
        }
    }
}

#[cfg(not(feature = "pq"))]
#[test]
fn suites_known_only_by_form_are_neither_made_nor_sealed_nor_imitated() {
    let mut public = [1; 1216];
    public[1184] = 9;
    let key = RecipientKey::new(Suite::S3, &public).unwrap();
    assert_eq!(
        seal(&RustCrypto, &key, &number("1"), b"x"),
        Err(Reason::SuiteUnsupported)
    );
    for suite in [Suite::S3, Suite::S4] {
        assert_eq!(dummy(&RustCrypto, suite), Err(Reason::SuiteUnsupported));
        assert_eq!(
            generate_key(&RustCrypto, suite).map(drop),
            Err(Reason::SuiteUnsupported)
        );
        let mut octets = vec![1];
        octets.extend(suite.id_bytes());
        octets.push(3);
        octets.resize(8192, 0);
        let blob = Blob::from_octets(octets).unwrap();
        let key = (SecretKey::new([1; 32]), key.clone());
        assert_eq!(
            outcome(&blob, &key, &number("1")),
            Err(Reason::SuiteUnsupported)
        );
    }
}

#[test]
fn every_blob_has_a_fresh_key_share() {
    for suite in Suite::SUPPORTED {
        let pair = key_pair(*suite);
        let blobs: Vec<Blob> = (0..20)
            .map(|_| seal(&RustCrypto, &pair.1, &number("1"), b"x").unwrap())
            .collect();
        // Of a hybrid one both parts are fresh.
        let end = suite.enc_len();
        for part in [0..32, end - 32..end] {
            let shares: HashSet<&[u8]> =
                blobs.iter().map(|blob| &blob.enc()[part.clone()]).collect();
            assert_eq!(shares.len(), 20);
        }
    }
}

#[test]
fn dummies_have_genuine_key_shares_and_open_for_nobody() {
    let to = number("1");
    for suite in Suite::SUPPORTED {
        let pair = key_pair(*suite);
        for _ in 0..20 {
            let blob = dummy(&RustCrypto, *suite).unwrap();
            assert_eq!((blob.suite(), blob.class()), (*suite, suite.class()));
            // An invalid key share would be refused as such.
            assert_eq!(outcome(&blob, &pair, &to), Err(Reason::BlobNotOpened));
            if matches!(suite, Suite::S2 | Suite::S3) {
                assert_eq!(
                    blob.enc()[suite.enc_len() - 1] & 0x80,
                    0,
                    "a key made honestly has this bit clear"
                );
            }
        }
    }
}

#[test]
fn dummies_follow_from_their_seed_alone() {
    for suite in Suite::SUPPORTED {
        let from = |seed: u8| dummy_from_seed(&RustCrypto, *suite, &[seed; 32]).unwrap();
        assert!(from(1) == from(1));
        let (one, two) = (from(1), from(2));
        assert_ne!(one.enc(), two.enc());
        let same = one.as_octets()[8..]
            .iter()
            .zip(&two.as_octets()[8..])
            .filter(|(a, b)| a == b)
            .count();
        let expected = one.as_octets().len() / 256;
        assert!(
            same < expected * 3,
            "two ciphertexts agree in about one octet of 256"
        );
    }
    let s1 = dummy_from_seed(&RustCrypto, Suite::S1, &[1; 32]).unwrap();
    let s2 = dummy_from_seed(&RustCrypto, Suite::S2, &[1; 32]).unwrap();
    assert_ne!(s1.as_octets()[200..], s2.as_octets()[200..]);
}

/// The octets of a dummy are what a service promises to give again after a restart.
#[test]
fn dummies_are_frozen() {
    use sha2::{Digest as _, Sha256};
    let digest = |suite| {
        let blob = dummy_from_seed(&RustCrypto, suite, &[0x42; 32]).unwrap();
        let digest: [u8; 32] = Sha256::digest(blob.as_octets()).into();
        digest.map(|octet| format!("{octet:02x}")).concat()
    };
    assert_eq!(
        digest(Suite::S1),
        "76fe6e2aae870f586dd99a19ed9199702e6e7b2d2df3f2890c0b483380959aac"
    );
    assert_eq!(
        digest(Suite::S2),
        "04c424ee17ed9503415d6be5dd17bb7dac535bda289885f7cf381f33e4b063cc"
    );
    #[cfg(feature = "pq")]
    {
        assert_eq!(
            digest(Suite::S3),
            "34acf0007223d80f3f5fc91ed62a1d3f2633bd99b2ee8c1bf98846769f887e55"
        );
        assert_eq!(
            digest(Suite::S4),
            "d4768f87e73559d3afc27b966eb8b6b2a59ff34ee1461849064615f8a4e5a632"
        );
    }
}

fn suites() -> impl Strategy<Value = Suite> {
    prop::sample::select(Suite::SUPPORTED)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a small length"
)]
fn part_of(len: usize, share: f64) -> usize {
    (len as f64 * share) as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_sealed_opens(share in 0.0..=1.0, suite in suites(), called in "[0-9*#]{1,15}", fill in any::<u8>()) {
        let pair = key_pair(suite);
        let content = vec![fill; part_of(suite.max_content_len(), share)];
        let to = number(&called);
        let blob = seal(&RustCrypto, &pair.1, &to, &content).unwrap();
        let sent = Blob::from_text(&blob.to_text()).unwrap();
        let opened = open(&RustCrypto, &sent, &pair.0, &pair.1, &to).unwrap();
        prop_assert_eq!(opened.as_slice(), content.as_slice());
    }

    #[test]
    fn random_octets_of_the_right_form_never_open(fill in any::<[u8; 32]>(), suite in suites()) {
        let pair = key_pair(suite);
        let mut octets = dummy(&RustCrypto, suite).unwrap().into_octets();
        for (octet, value) in octets.iter_mut().skip(8).zip(fill.iter().cycle()) {
            *octet = *value;
        }
        let blob = Blob::from_octets(octets).unwrap();
        prop_assert!(outcome(&blob, &pair, &number("1")).is_err());
    }
}
