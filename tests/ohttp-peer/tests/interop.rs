//! Each side of the project against the other side of the crates `ohttp` and `bhttp`.

use std::io::Cursor;

use bhttp::Message;
use ohttp::hpke::{Aead, Kdf, Kem};
use ohttp::{ClientRequest, KeyConfig, Server, SymmetricSuite};
use ringtrue_ohttp_peer::{lookup, store, stored, written_request, written_response};
use ringtrue_oob::ohttp::{
    self as own, GatewayKey, binary, decapsulate, encapsulate, encode_key_configs,
    parse_key_configs,
};
use ringtrue_stir::crypto::RustCrypto;

fn crate_gateway(aead: Aead) -> Server {
    let suites = vec![SymmetricSuite::new(Kdf::HkdfSha256, aead)];
    Server::new(KeyConfig::new(5, Kem::X25519Sha256, suites).unwrap()).unwrap()
}

// The project's client, the crate's gateway.
#[test]
fn a_gateway_of_another_implementation_opens_our_requests_and_we_its_answers() {
    for (aead, suite) in [
        (Aead::Aes128Gcm, own::SymmetricSuite::Aes128Gcm),
        (
            Aead::ChaCha20Poly1305,
            own::SymmetricSuite::ChaCha20Poly1305,
        ),
    ] {
        let gateway = crate_gateway(aead);
        let list = KeyConfig::encode_list(&[gateway.config()]).unwrap();
        let configs = parse_key_configs(&list).unwrap();
        assert_eq!(configs[0].suites(), [suite]);
        for request in [lookup(), store()] {
            let padded = binary::encode_request(&request, 512).unwrap();
            let (message, key) = encapsulate(&RustCrypto, &configs[0], suite, &padded).unwrap();
            let (opened, answering) = gateway.decapsulate(&message).unwrap();
            assert_eq!(opened, *padded);
            let read = Message::read_bhttp(&mut Cursor::new(&opened)).unwrap();
            assert_eq!(
                read.control().method().unwrap(),
                request.method.as_str().as_bytes()
            );
            assert_eq!(read.content(), request.body);
            let sealed = answering.encapsulate(&written_response(&stored())).unwrap();
            let answer = binary::decode_response(&key.open(&sealed).unwrap()).unwrap();
            assert_eq!(answer, stored());
        }
    }
}

// The crate's client, the project's gateway.
#[test]
fn a_client_of_another_implementation_reaches_our_gateway() {
    let key = GatewayKey::generate(&RustCrypto, 200).unwrap();
    let list = encode_key_configs(&[key.config().clone()]);
    for request in [lookup(), store()] {
        let client = ClientRequest::from_encoded_config_list(&list).unwrap();
        let (message, waiting) = client.encapsulate(&written_request(&request)).unwrap();
        let keys = std::slice::from_ref(&key);
        let (opened, answering) = decapsulate(&RustCrypto, keys, &message).unwrap();
        let read = binary::decode_request(&opened).unwrap();
        assert_eq!(
            format!("https://{}{}", read.authority, read.path),
            request.url
        );
        assert_eq!((read.headers, read.body), (request.headers, request.body));
        let padded = binary::encode_response(&stored(), 4096).unwrap();
        let sealed = answering.seal(&RustCrypto, &padded).unwrap();
        let answer = waiting.decapsulate(&sealed).unwrap();
        let answer = Message::read_bhttp(&mut Cursor::new(&answer)).unwrap();
        assert_eq!(answer.control().status().unwrap().code(), 201);
        assert_eq!(answer.content(), stored().body);
    }
}

#[test]
fn the_same_message_has_the_same_octets_but_for_padding() {
    for request in [lookup(), store()] {
        assert_eq!(
            *binary::encode_request(&request, 0).unwrap(),
            written_request(&request)
        );
    }
    assert_eq!(
        *binary::encode_response(&stored(), 0).unwrap(),
        written_response(&stored())
    );
}

#[test]
fn what_was_changed_opens_for_neither() {
    let gateway = crate_gateway(Aead::Aes128Gcm);
    let list = KeyConfig::encode_list(&[gateway.config()]).unwrap();
    let config = &parse_key_configs(&list).unwrap()[0];
    let suite = own::SymmetricSuite::Aes128Gcm;
    let (message, key) = encapsulate(&RustCrypto, config, suite, b"\x01\x40\xc8").unwrap();
    let (_, answering) = gateway.decapsulate(&message).unwrap();
    let mut sealed = answering.encapsulate(b"\x01\x40\xc8").unwrap();
    *sealed.last_mut().unwrap() ^= 1;
    assert!(key.open(&sealed).is_err());
    for at in [0, 3, 6, 20, message.len() - 1] {
        let mut changed = message.clone();
        changed[at] ^= 1;
        assert!(gateway.decapsulate(&changed).is_err(), "{at}");
    }
}
