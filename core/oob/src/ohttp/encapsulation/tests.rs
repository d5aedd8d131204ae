use std::sync::Mutex;

use proptest::prelude::*;
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};

use super::{GatewayKey, MAX_ENCAPSULATED_LEN, decapsulate, encapsulate};
use crate::ohttp::binary::{decode_request, decode_response};
use crate::ohttp::{KeyConfig, SymmetricSuite, parse_key_configs};

/// A provider whose next key pair and random octets are given. RFC 9458's example is one of each.
struct Scripted {
    ephemeral: Mutex<Option<[u8; 32]>>,
    random: Vec<u8>,
}

impl Scripted {
    fn new(ephemeral: Option<[u8; 32]>, random: &[u8]) -> Self {
        Self {
            ephemeral: Mutex::new(ephemeral),
            random: random.to_vec(),
        }
    }
}

impl CryptoProvider for Scripted {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        out.copy_from_slice(&self.random);
        Ok(())
    }

    fn verify_es256(&self, _: &P256PublicKey, _: &[u8], _: &Es256Signature) -> bool {
        false
    }

    fn sign_es256(&self, _: &SecretKey, _: &[u8]) -> Result<Es256Signature, Reason> {
        Err(Reason::Internal)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        let secret = self.ephemeral.lock().unwrap().take().unwrap();
        let secret = SecretKey::new(secret);
        Ok(GeneratedKey {
            public: RustCrypto.public_key(curve, &secret)?,
            secret,
        })
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        RustCrypto.agree(curve, secret, peer)
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn array(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

const GATEWAY_SECRET: &str = "3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a";
const CONFIG: &str = "01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e
    79815500080001000100010003";
const REQUEST: &str = "00034745540568747470730b6578616d706c652e636f6d012f";
const EPHEMERAL: &str = "bc51d5e930bda26589890ac7032f70ad12e4ecb37abb1b65b1256c9c48999c73";
const ENCAPSULATED_REQUEST: &str = "010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31
    bad19dec96c208b4726374e469135906992e1268c594d2a10c695d858c40a026e7965e7d86b83dd440b2c0185204b4
    d63525";
const RESPONSE: &str = "0140c8";
const RESPONSE_NONCE: &str = "c789e7151fcba46158ca84b04464910d";
const ENCAPSULATED_RESPONSE: &str =
    "c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f857fbd";

fn rfc_gateway() -> GatewayKey {
    GatewayKey::from_secret(&RustCrypto, 1, SecretKey::new(array(GATEWAY_SECRET))).unwrap()
}

// RFC 9458 appendix A, every value.
#[test]
fn the_example_of_the_standard_is_made_octet_for_octet() {
    let config = KeyConfig::parse(&hex(CONFIG)).unwrap().unwrap();
    assert_eq!(config.key_id(), 1);
    assert_eq!(config.public_key(), rfc_gateway().config().public_key());
    assert_eq!(
        config.suites(),
        [SymmetricSuite::Aes128Gcm, SymmetricSuite::ChaCha20Poly1305]
    );
    assert_eq!(config.to_octets(), hex(CONFIG));

    let client = Scripted::new(Some(array(EPHEMERAL)), &[]);
    let suite = config.suites()[0];
    let (message, answer_key) = encapsulate(&client, &config, suite, &hex(REQUEST)).unwrap();
    assert_eq!(message, hex(ENCAPSULATED_REQUEST));

    let gateway = Scripted::new(None, &hex(RESPONSE_NONCE));
    let (request, gateway_key) = decapsulate(&gateway, &[rfc_gateway()], &message).unwrap();
    assert_eq!(*request, hex(REQUEST));
    let read = decode_request(&request).unwrap();
    assert_eq!(
        (read.method, read.scheme, read.authority, read.path),
        (
            "GET".to_owned(),
            "https".to_owned(),
            "example.com".to_owned(),
            "/".to_owned()
        )
    );

    let answer = gateway_key.seal(&gateway, &hex(RESPONSE)).unwrap();
    assert_eq!(answer, hex(ENCAPSULATED_RESPONSE));
    let opened = answer_key.open(&answer).unwrap();
    assert_eq!(*opened, hex(RESPONSE));
    let read = decode_response(&opened).unwrap();
    assert_eq!(
        (read.status, read.headers.len(), read.body.len()),
        (200, 0, 0)
    );
}

fn exchange(suite: SymmetricSuite) -> (GatewayKey, Vec<u8>, super::AnswerKey) {
    let key = GatewayKey::generate(&RustCrypto, 9).unwrap();
    let (message, answer) = encapsulate(&RustCrypto, key.config(), suite, b"question").unwrap();
    (key, message, answer)
}

#[test]
fn both_suites_carry_a_request_and_its_answer() {
    for suite in SymmetricSuite::ALL {
        let (key, message, client) = exchange(suite);
        let (request, gateway) = decapsulate(&RustCrypto, &[key], &message).unwrap();
        assert_eq!(*request, b"question");
        let answer = gateway.seal(&RustCrypto, b"reply").unwrap();
        assert_eq!(*client.open(&answer).unwrap(), b"reply");
    }
}

#[test]
fn every_changed_octet_of_a_request_is_noticed() {
    for suite in SymmetricSuite::ALL {
        let (key, message, _) = exchange(suite);
        let keys = [key];
        for at in 0..message.len() {
            let mut changed = message.clone();
            changed[at] ^= 1;
            let found = decapsulate(&RustCrypto, &keys, &changed).err();
            let expected: &[Reason] = match at {
                0 => &[Reason::MalformedGatewayKeys],
                1..=4 => &[Reason::MalformedEncapsulation],
                // The other AEAD is known as well; the header is authenticated.
                5..=6 => &[Reason::MalformedEncapsulation, Reason::BlobNotOpened],
                _ => &[Reason::BlobNotOpened, Reason::MalformedEncapsulation],
            };
            assert!(
                found.is_some_and(|found| expected.contains(&found)),
                "{at}: {found:?}"
            );
        }
        for len in 0..message.len() {
            assert!(
                decapsulate(&RustCrypto, &keys, &message[..len]).is_err(),
                "{len}"
            );
        }
    }
}

#[test]
fn every_changed_octet_of_an_answer_is_noticed() {
    let (key, message, client) = exchange(SymmetricSuite::ChaCha20Poly1305);
    let (_, gateway) = decapsulate(&RustCrypto, &[key], &message).unwrap();
    let answer = gateway.seal(&RustCrypto, b"reply").unwrap();
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 0x80;
        assert_eq!(
            client.open(&changed).err(),
            Some(Reason::BlobNotOpened),
            "{at}"
        );
    }
    for len in 0..answer.len() {
        assert!(client.open(&answer[..len]).is_err());
    }
}

#[test]
fn an_answer_to_another_request_does_not_open() {
    let key = GatewayKey::generate(&RustCrypto, 9).unwrap();
    let ask = || {
        let suite = SymmetricSuite::ChaCha20Poly1305;
        encapsulate(&RustCrypto, key.config(), suite, b"same").unwrap()
    };
    let ((first, _), (_, other)) = (ask(), ask());
    let keys = std::slice::from_ref(&key);
    let (_, gateway) = decapsulate(&RustCrypto, keys, &first).unwrap();
    let answer = gateway.seal(&RustCrypto, b"reply").unwrap();
    assert_eq!(other.open(&answer).err(), Some(Reason::BlobNotOpened));
}

#[test]
fn a_key_that_is_gone_is_told_from_a_message_that_does_not_open() {
    let (key, message, _) = exchange(SymmetricSuite::Aes128Gcm);
    let other = GatewayKey::generate(&RustCrypto, 10).unwrap();
    assert_eq!(
        decapsulate(&RustCrypto, &[other], &message).err(),
        Some(Reason::MalformedGatewayKeys)
    );
    let same_name = GatewayKey::generate(&RustCrypto, 9).unwrap();
    assert_eq!(
        decapsulate(&RustCrypto, &[same_name], &message).err(),
        Some(Reason::BlobNotOpened)
    );
    // Two keys at once, as in a change of keys.
    let newer = GatewayKey::generate(&RustCrypto, 11).unwrap();
    assert!(decapsulate(&RustCrypto, &[newer, key], &message).is_ok());
}

#[test]
fn keys_of_low_order_are_refused_on_both_sides() {
    let (key, message, _) = exchange(SymmetricSuite::Aes128Gcm);
    let mut low = message;
    low[7..39].fill(0);
    assert_eq!(
        decapsulate(&RustCrypto, &[key], &low).err(),
        Some(Reason::MalformedEncapsulation)
    );
    let config = KeyConfig::new(1, [0; 32]);
    let suite = SymmetricSuite::Aes128Gcm;
    assert_eq!(
        encapsulate(&RustCrypto, &config, suite, b"q").err(),
        Some(Reason::MalformedGatewayKeys)
    );
}

#[test]
fn messages_beyond_the_limit_are_not_opened() {
    let (key, _, client) = exchange(SymmetricSuite::Aes128Gcm);
    let long = vec![0; MAX_ENCAPSULATED_LEN + 1];
    assert_eq!(
        decapsulate(&RustCrypto, std::slice::from_ref(&key), &long).err(),
        Some(Reason::MalformedEncapsulation)
    );
    assert_eq!(
        client.open(&long).err(),
        Some(Reason::MalformedEncapsulation)
    );
    let suite = SymmetricSuite::Aes128Gcm;
    assert_eq!(
        encapsulate(&RustCrypto, key.config(), suite, &long).err(),
        Some(Reason::MalformedEncapsulation)
    );
}

#[test]
fn nothing_secret_is_printed() {
    let (key, _, client) = exchange(SymmetricSuite::Aes128Gcm);
    assert_eq!(
        format!("{key:?} {client:?}"),
        "GatewayKey(..) AnswerKey(..)"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_sealed_is_opened(request in prop::collection::vec(any::<u8>(), 0..700), answer in prop::collection::vec(any::<u8>(), 0..700), key_id: u8, chacha: bool) {
        let key = GatewayKey::generate(&RustCrypto, key_id).unwrap();
        let configs = parse_key_configs(&crate::ohttp::encode_key_configs(&[key.config().clone()])).unwrap();
        let suite = SymmetricSuite::ALL[usize::from(chacha)];
        let (message, client) = encapsulate(&RustCrypto, &configs[0], suite, &request).unwrap();
        let (opened, gateway) = decapsulate(&RustCrypto, &[key], &message).unwrap();
        prop_assert_eq!(&*opened, &request);
        let sealed = gateway.seal(&RustCrypto, &answer).unwrap();
        prop_assert_eq!(&*client.open(&sealed).unwrap(), &answer);
    }

    #[test]
    fn opening_never_panics(octets in prop::collection::vec(any::<u8>(), 0..120)) {
        let key = rfc_gateway();
        let mut named = hex("01002000010001");
        named.extend_from_slice(&octets);
        let _ = decapsulate(&RustCrypto, std::slice::from_ref(&key), &octets);
        let _ = decapsulate(&RustCrypto, &[key], &named);
    }
}
