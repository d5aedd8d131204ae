//! The RFC 9180 vectors, through the `hpke` crate's own KEMs and through the raw-secret KEM of this
//! module. Every field of every file is recomputed; what the crate does not show (key schedule) comes
//! from a second, minimal implementation here.

use std::collections::BTreeSet;
use std::path::PathBuf;

use hmac::{Hmac, KeyInit as _, Mac as _};
use hpke::aead::{Aead, AeadCtxR, AeadCtxS, AesGcm128, ChaCha20Poly1305};
use hpke::kdf::{HkdfSha256, Kdf as _};
use hpke::kem::{DhP256HkdfSha256, X25519HkdfSha256};
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, RustCrypto, SecretKey, SharedSecret};
use serde_json::Value;
use sha2::Sha256;

use super::{KeyOctets, P256Group, RawDhKem, RawGroup, RawPrivateKey, RawPublicKey, X25519Group};

const FILES: [&str; 4] = [
    "rfc9180-base-dhkem-p256-hkdf-sha256__hkdf-sha256__aes-128-gcm.json",
    "rfc9180-base-dhkem-p256-hkdf-sha256__hkdf-sha256__chacha20poly1305.json",
    "rfc9180-base-dhkem-x25519-hkdf-sha256__hkdf-sha256__aes-128-gcm.json",
    "rfc9180-base-dhkem-x25519-hkdf-sha256__hkdf-sha256__chacha20poly1305.json",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/hpke")
}

/// One object of a file, which knows what was read from it.
struct Fields {
    value: Value,
    unread: BTreeSet<String>,
}

impl Fields {
    fn of(value: &Value) -> Self {
        let members = value.as_object().unwrap();
        Self {
            value: value.clone(),
            unread: members.keys().cloned().collect(),
        }
    }

    fn take(&mut self, name: &str) -> Value {
        assert!(self.unread.remove(name), "{name} is missing or read twice");
        self.value[name].clone()
    }

    fn text(&mut self, name: &str) -> String {
        self.take(name).as_str().unwrap().to_owned()
    }

    fn octets(&mut self, name: &str) -> Vec<u8> {
        unhex(&self.text(name))
    }

    fn number(&mut self, name: &str) -> u64 {
        self.take(name).as_u64().unwrap()
    }

    fn finish(self) {
        assert!(self.unread.is_empty(), "unread fields: {:?}", self.unread);
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0);
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// RFC 9180 section 4.
fn labeled_extract(suite: &[u8], salt: &[u8], label: &str, ikm: &[u8]) -> Vec<u8> {
    hmac(salt, &[b"HPKE-v1", suite, label.as_bytes(), ikm].concat())
}

/// RFC 9180 section 4, for at most one block.
fn labeled_expand(suite: &[u8], prk: &[u8], label: &str, info: &[u8], len: u16) -> Vec<u8> {
    let info = [
        &len.to_be_bytes(),
        b"HPKE-v1".as_slice(),
        suite,
        label.as_bytes(),
        info,
        &[1],
    ];
    let mut block = hmac(prk, &info.concat());
    assert!(usize::from(len) <= block.len());
    block.truncate(usize::from(len));
    block
}

/// The values of the key schedule that `hpke` keeps to itself (RFC 9180 section 5.1).
struct KeySchedule {
    context: Vec<u8>,
    secret: Vec<u8>,
    key: Vec<u8>,
    base_nonce: Vec<u8>,
    exporter_secret: Vec<u8>,
}

impl KeySchedule {
    fn new(suite: &[u8], shared_secret: &[u8], info: &[u8], key_len: u16) -> Self {
        let mut context = vec![0];
        context.extend(labeled_extract(suite, &[], "psk_id_hash", &[]));
        context.extend(labeled_extract(suite, &[], "info_hash", info));
        let secret = labeled_extract(suite, shared_secret, "secret", &[]);
        Self {
            key: labeled_expand(suite, &secret, "key", &context, key_len),
            base_nonce: labeled_expand(suite, &secret, "base_nonce", &context, 12),
            exporter_secret: labeled_expand(suite, &secret, "exp", &context, 32),
            context,
            secret,
        }
    }
}

/// Runs both sides through the messages of the vector and through as many of our own between them as
/// the sequence numbers need. Gives nothing: it asserts.
fn run_messages<A: Aead, S: Kem, R: Kem>(
    sender: &mut AeadCtxS<A, HkdfSha256, S>,
    receiver: &mut AeadCtxR<A, HkdfSha256, R>,
    messages: &[Message],
) {
    let mut messages = messages.iter().peekable();
    for seq in 0_u64.. {
        let Some(message) = messages.peek() else {
            break;
        };
        if seq < message.seq {
            let filler = sender.seal(b"filler", b"").unwrap();
            assert_eq!(receiver.open(&filler, b"").unwrap(), b"filler");
            continue;
        }
        let mut tampered = message.ct.clone();
        tampered[0] ^= 1;
        assert!(receiver.open(&tampered, &message.aad).is_err());
        assert!(receiver.open(&message.ct, b"other").is_err());
        assert_eq!(sender.seal(&message.pt, &message.aad).unwrap(), message.ct);
        assert_eq!(
            receiver.open(&message.ct, &message.aad).unwrap(),
            message.pt
        );
        messages.next();
    }
}

struct Message {
    seq: u64,
    aad: Vec<u8>,
    pt: Vec<u8>,
    ct: Vec<u8>,
}

fn run_file<G: RawGroup, K: Kem, A: Aead>(file: &str, curve: Curve, aead: (u64, u16)) {
    let text = std::fs::read(folder().join(file)).unwrap();
    let mut fields = Fields::of(&serde_json::from_slice(&text).unwrap());
    assert_eq!(format!("rfc9180-base-{}.json", fields.text("suite")), file);
    assert_eq!(fields.text("rfc"), "RFC 9180");
    assert_eq!(fields.number("mode"), 0);
    assert_eq!(fields.text("mode_name"), "base");
    assert_eq!(fields.number("kem_id"), u64::from(G::KEM_ID));
    assert_eq!(K::KEM_ID, G::KEM_ID);
    assert_eq!(fields.number("kdf_id"), 1);
    assert_eq!(fields.number("aead_id"), aead.0);

    // Key pairs: DeriveKeyPair by the crate, public halves by our provider as well.
    let mut pair = |side: &str| {
        let (secret, public) = K::derive_keypair(&fields.octets(&format!("ikm{side}")));
        let octets = fields.octets(&format!("sk{side}m"));
        // The crate keeps X25519 scalars clamped, the vectors hold them as derived.
        let mut expected = octets.clone();
        if curve == Curve::X25519 {
            expected[0] &= 0xf8;
            expected[31] = (expected[31] & 0x7f) | 0x40;
        }
        assert_eq!(secret.to_bytes().as_slice(), expected);
        let secret = SecretKey::from_slice(&octets).unwrap();
        let octets = fields.octets(&format!("pk{side}m"));
        assert_eq!(public.to_bytes().as_slice(), octets);
        assert_eq!(RustCrypto.public_key(curve, &secret).unwrap(), octets);
        (secret, octets)
    };
    let (recipient_secret, recipient) = pair("R");
    let (ephemeral_secret, ephemeral) = pair("E");
    let enc = fields.octets("enc");
    assert_eq!(enc, ephemeral);

    // The agreement, from both sides.
    let agreed = RustCrypto.agree(curve, &recipient_secret, &enc).unwrap();
    let other = RustCrypto
        .agree(curve, &ephemeral_secret, &recipient)
        .unwrap();
    assert!(agreed == other);

    // KEM.
    let info = fields.octets("info");
    let shared_secret = fields.octets("shared_secret");
    let raw_key = RawPrivateKey::<G>::new(&recipient, &agreed).unwrap();
    let raw_enc = KeyOctets::<G>::new(&enc).unwrap();
    let raw_shared = RawDhKem::<G>::decap(&raw_key, None, &raw_enc).unwrap();
    assert_eq!(raw_shared.0.as_slice(), shared_secret);
    let crate_key = K::PrivateKey::from_bytes(recipient_secret.expose()).unwrap();
    let crate_enc = K::EncappedKey::from_bytes(&enc).unwrap();
    let crate_shared = K::decap(&crate_key, None, &crate_enc).unwrap();
    assert_eq!(crate_shared.0.as_slice(), shared_secret);

    // Key schedule.
    let mut suite = b"HPKE".to_vec();
    for id in [
        G::KEM_ID,
        HkdfSha256::KDF_ID,
        u16::try_from(aead.0).unwrap(),
    ] {
        suite.extend_from_slice(&id.to_be_bytes());
    }
    let schedule = KeySchedule::new(&suite, &shared_secret, &info, aead.1);
    assert_eq!(schedule.context, fields.octets("key_schedule_context"));
    assert_eq!(schedule.secret, fields.octets("secret"));
    assert_eq!(schedule.key, fields.octets("key"));
    assert_eq!(schedule.base_nonce, fields.octets("base_nonce"));
    assert_eq!(schedule.exporter_secret, fields.octets("exporter_secret"));

    // Messages.
    let encryptions = fields.take("encryptions");
    let messages: Vec<Message> = encryptions
        .as_array()
        .unwrap()
        .iter()
        .map(|value| {
            let mut fields = Fields::of(value);
            let seq = fields.number("seq");
            let mut nonce = schedule.base_nonce.clone();
            for (octet, mask) in nonce.iter_mut().rev().zip(seq.to_be_bytes().iter().rev()) {
                *octet ^= mask;
            }
            assert_eq!(fields.octets("nonce"), nonce);
            let message = Message {
                seq,
                aad: fields.octets("aad"),
                pt: fields.octets("pt"),
                ct: fields.octets("ct"),
            };
            fields.finish();
            message
        })
        .collect();
    let numbers: Vec<u64> = messages.iter().map(|message| message.seq).collect();
    assert_eq!(numbers, [0, 1, 2, 4, 10, 32, 255, 256]);

    // Our sender against the crate's receiver and against ours.
    for through_crate in [false, true] {
        let public = RawPublicKey::<G>::for_sender(&recipient, &enc, &agreed).unwrap();
        let (sent_enc, mut sender) =
            hpke::setup_sender::<A, HkdfSha256, RawDhKem<G>>(&OpModeS::Base, &public, &info)
                .unwrap();
        assert_eq!(sent_enc.to_bytes().as_slice(), enc);
        let exports = if through_crate {
            let mut receiver = hpke::setup_receiver::<A, HkdfSha256, K>(
                &OpModeR::Base,
                &crate_key,
                &crate_enc,
                &info,
            )
            .unwrap();
            run_messages(&mut sender, &mut receiver, &messages);
            fields.value["exports"].clone()
        } else {
            let mut receiver = hpke::setup_receiver::<A, HkdfSha256, RawDhKem<G>>(
                &OpModeR::Base,
                &raw_key,
                &raw_enc,
                &info,
            )
            .unwrap();
            run_messages(&mut sender, &mut receiver, &messages);
            fields.take("exports")
        };
        let exports = exports.as_array().unwrap();
        assert_eq!(exports.len(), 3);
        for value in exports {
            let mut fields = Fields::of(value);
            let mut exported = vec![0; usize::try_from(fields.number("L")).unwrap()];
            let context = fields.octets("exporter_context");
            sender.export(&context, &mut exported).unwrap();
            assert_eq!(exported, fields.octets("exported_value"));
            fields.finish();
        }
    }
    fields.finish();
}

#[test]
fn p256_aes_128_gcm() {
    run_file::<P256Group, DhP256HkdfSha256, AesGcm128>(FILES[0], Curve::P256, (1, 16));
}

#[test]
fn p256_chacha20_poly1305() {
    run_file::<P256Group, DhP256HkdfSha256, ChaCha20Poly1305>(FILES[1], Curve::P256, (3, 32));
}

#[test]
fn x25519_aes_128_gcm() {
    run_file::<X25519Group, X25519HkdfSha256, AesGcm128>(FILES[2], Curve::X25519, (1, 16));
}

#[test]
fn x25519_chacha20_poly1305() {
    run_file::<X25519Group, X25519HkdfSha256, ChaCha20Poly1305>(FILES[3], Curve::X25519, (3, 32));
}

#[test]
fn every_rfc9180_file_is_consumed() {
    let found: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("rfc9180-"))
        .collect();
    assert_eq!(found, FILES.map(String::from).into_iter().collect());
}

#[test]
fn keys_without_an_agreement_seal_and_open_nothing() {
    let (key, public) = RawDhKem::<X25519Group>::derive_keypair(b"ikm");
    let enc = KeyOctets::new(&[9; 32]).unwrap();
    assert!(RawDhKem::decap(&key, None, &enc).is_err());
    assert!(RawDhKem::encap(&public, None).is_err());
    assert!(RawPrivateKey::<X25519Group>::from_bytes(&[1; 32]).is_err());
    assert_eq!(key.to_bytes().as_slice(), [0; 32]);
    let received = RawPublicKey::<X25519Group>::from_bytes(&[9; 32]).unwrap();
    assert!(RawDhKem::encap(&received, None).is_err());
    assert!(KeyOctets::<P256Group>::new(&[9; 32]).is_err());
}

#[test]
fn authenticated_modes_are_refused() {
    let agreed = SharedSecret::new([7; 32]);
    let key = RawPrivateKey::<X25519Group>::new(&[9; 32], &agreed).unwrap();
    let public = RawPublicKey::<X25519Group>::for_sender(&[9; 32], &[8; 32], &agreed).unwrap();
    let enc = KeyOctets::new(&[8; 32]).unwrap();
    assert!(RawDhKem::decap(&key, None, &enc).is_ok());
    assert!(RawDhKem::decap(&key, Some(&public), &enc).is_err());
    assert!(RawDhKem::encap(&public, None).is_ok());
    assert!(RawDhKem::encap(&public, Some((&key, &public))).is_err());
    assert!(!format!("{public:?}").contains('9'));
}
