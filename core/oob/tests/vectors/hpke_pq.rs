//! `hpke/draft-hpke-pq-*`: the hybrid KEMs of S3 and S4, every field of every file.
//!
//! Two files have the suites' own KDF and AEAD, two others; the KEM is the same. What `hpke` keeps to
//! itself (key, nonce, exporter secret) is shown by a context that is made of the recorded values.
use std::collections::VecDeque;
use std::convert::Infallible;

use ::hpke::aead::{Aead, AeadKey, AeadNonce, AesGcm128, AesGcm256, ChaCha20Poly1305};
use ::hpke::danger::streaming_enc::{ExporterSecret, create_receiver_context};
use ::hpke::hybrid_array::Array;
use ::hpke::kdf::{HkdfSha256, Kdf, KdfShake128, KdfShake256};
use ::hpke::kem::{MlKem768P256, XWing};
use ::hpke::rand_core::{TryCryptoRng, TryRng};
use ::hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use ringtrue_oob::{RecipientKey, Suite, generate_key};
use ringtrue_stir::crypto::SecretKey;

use crate::fields::Fields;
use crate::schedule;
use crate::scripted::Scripted;

/// What the files of this module are called, and the suite whose KEM they exercise.
pub(crate) const FILES: [&str; 4] = [
    "draft-hpke-pq-base-mlkem768-p256__hkdf-sha256__aes-128-gcm.json",
    "draft-hpke-pq-base-mlkem768-p256__shake128__aes-256-gcm.json",
    "draft-hpke-pq-base-mlkem768-x25519__hkdf-sha256__chacha20poly1305.json",
    "draft-hpke-pq-base-mlkem768-x25519__shake256__chacha20poly1305.json",
];

/// The randomness of an encapsulation, as a file records it.
struct Recorded(VecDeque<u8>);

impl TryRng for Recorded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("the KEMs draw octets")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("the KEMs draw octets")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for octet in out {
            *octet = self.0.pop_front().unwrap();
        }
        Ok(())
    }
}

impl TryCryptoRng for Recorded {}

/// The objects of an array, each of which is to be read completely.
fn records(fields: &mut Fields, name: &str) -> Vec<Fields> {
    let list = fields.take(name).as_array().unwrap().clone();
    list.into_iter().map(Fields::from_value).collect()
}

fn run_file<K: Kem, D: Kdf, A: Aead>(file: &str, suite: Suite) {
    let mut fields = Fields::of("hpke", file);
    let name = format!("draft-hpke-pq-base-{}.json", fields.text("suite"));
    assert_eq!(name, file);
    assert_eq!(fields.text("draft"), "draft-ietf-hpke-pq");
    assert_eq!(fields.number("mode"), 0);
    assert_eq!(fields.text("mode_name"), "base");
    let ids = [
        ("kem_id", K::KEM_ID),
        ("kdf_id", D::KDF_ID),
        ("aead_id", A::AEAD_ID),
    ];
    let mut suite_id = b"HPKE".to_vec();
    for (member, id) in ids {
        assert_eq!(fields.number(member), usize::from(id));
        suite_id.extend(id.to_be_bytes());
    }
    assert_eq!(fields.octets("suite_id"), suite_id);
    assert_eq!(suite.id_bytes()[..2], K::KEM_ID.to_be_bytes());
    let is_our_suite = suite_id[4..] == suite.id_bytes();

    // Keys: DeriveKeyPair, and the same public key from the seed alone, by the crate and by us.
    let (secret, public) = K::derive_keypair(&fields.octets("ikmR"));
    let seed = fields.octets("skRm");
    let recipient = fields.octets("pkRm");
    assert_eq!(secret.to_bytes().as_slice(), seed);
    assert_eq!(public.to_bytes().as_slice(), recipient);
    let (ours, key) = generate_key(&Scripted::new([seed.clone()]), suite).unwrap();
    assert!(ours == SecretKey::from_slice(&seed).unwrap());
    assert_eq!(key.as_octets(), recipient);
    assert_eq!(RecipientKey::new(suite, &recipient), Ok(key));

    // KEM: encapsulation with the recorded randomness, and decapsulation.
    let enc = fields.octets("enc");
    assert_eq!(enc.len(), suite.enc_len());
    let shared_secret = fields.octets("shared_secret");
    let random = fields.octets("ikmE");
    let mut rng = Recorded(random.clone().into());
    let (sent, made) = K::encap_with_rng(&public, None, &mut rng)
        .map(|(secret, enc)| (secret.0.to_vec(), enc.to_bytes().to_vec()))
        .unwrap();
    assert_eq!((sent, made), (shared_secret.clone(), enc.clone()));
    let encapped = K::EncappedKey::from_bytes(&enc).unwrap();
    let received = K::decap(&secret, None, &encapped).unwrap();
    assert_eq!(received.0.as_slice(), shared_secret);

    // Key schedule.
    let info = fields.octets("info");
    let (key, nonce) = (fields.octets("key"), fields.octets("base_nonce"));
    let exporter = fields.octets("exporter_secret");
    if is_our_suite {
        let schedule = schedule::from_kem(suite, shared_secret, &info);
        assert_eq!((&schedule.key, &schedule.base_nonce), (&key, &nonce));
        assert_eq!(schedule.exporter_secret, exporter);
    }
    let mut of_values = create_receiver_context::<A, D, K>(
        &AeadKey(Array::try_from(key.as_slice()).unwrap()),
        AeadNonce(Array::try_from(nonce.as_slice()).unwrap()),
        ExporterSecret(Array::try_from(exporter.as_slice()).unwrap()),
    );

    // Messages, through both sides and through the context of the recorded values.
    let mut rng = Recorded(random.into());
    let (_, mut sender) =
        ::hpke::setup_sender_with_rng::<A, D, K>(&OpModeS::Base, &public, &info, &mut rng).unwrap();
    let mut receiver =
        ::hpke::setup_receiver::<A, D, K>(&OpModeR::Base, &secret, &encapped, &info).unwrap();
    let encryptions = records(&mut fields, "encryptions");
    assert_eq!(encryptions.len(), 4);
    for (expected_seq, mut message) in encryptions.into_iter().enumerate() {
        assert_eq!(message.number("seq"), expected_seq);
        let mut own_nonce = nonce.clone();
        own_nonce[11] ^= u8::try_from(expected_seq).unwrap();
        assert_eq!(message.octets("nonce"), own_nonce);
        let (aad, pt, ct) = (
            message.octets("aad"),
            message.octets("pt"),
            message.octets("ct"),
        );
        assert_eq!(sender.seal(&pt, &aad).unwrap(), ct);
        let mut tampered = ct.clone();
        tampered[0] ^= 1;
        assert!(receiver.open(&tampered, &aad).is_err());
        assert!(receiver.open(&ct, b"other").is_err());
        assert_eq!(receiver.open(&ct, &aad).unwrap(), pt);
        assert_eq!(of_values.open(&ct, &aad).unwrap(), pt);
        message.require_all_read();
    }

    // Exports.
    let exports = records(&mut fields, "exports");
    assert_eq!(exports.len(), 3);
    for mut export in exports {
        let expected = export.octets("exported_value");
        let context = export.octets("exporter_context");
        let mut exported = vec![0; export.number("L")];
        receiver.export(&context, &mut exported).unwrap();
        assert_eq!(exported, expected);
        exported.fill(0);
        of_values.export(&context, &mut exported).unwrap();
        assert_eq!(exported, expected);
        export.require_all_read();
    }
    fields.require_all_read();
}

#[test]
fn mlkem768_p256_with_the_kdf_and_aead_of_s4() {
    run_file::<MlKem768P256, HkdfSha256, AesGcm128>(FILES[0], Suite::S4);
}

#[test]
fn mlkem768_p256_with_shake128_and_aes_256_gcm() {
    run_file::<MlKem768P256, KdfShake128, AesGcm256>(FILES[1], Suite::S4);
}

#[test]
fn mlkem768_x25519_with_the_kdf_and_aead_of_s3() {
    run_file::<XWing, HkdfSha256, ChaCha20Poly1305>(FILES[2], Suite::S3);
}

#[test]
fn mlkem768_x25519_with_shake256_and_chacha20_poly1305() {
    run_file::<XWing, KdfShake256, ChaCha20Poly1305>(FILES[3], Suite::S3);
}
