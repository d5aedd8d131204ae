//! Oblivious HTTP: binary messages, key configurations, encapsulated messages.

use ringtrue_oob::http::{HttpRequest, Method};
use ringtrue_oob::ohttp::{
    GatewayKey, SymmetricSuite, binary, decapsulate, encapsulate, encode_key_configs,
    parse_key_configs,
};
use ringtrue_stir::crypto::{RustCrypto, SecretKey};

/// Binary requests and answers: what was read is written to something that reads the same.
pub(super) fn binary_http(octets: &[u8]) {
    if let Ok(read) = binary::decode_request(octets) {
        let request = HttpRequest {
            method: Method::from_name(&read.method).unwrap_or(Method::Get),
            url: format!("https://{}{}", read.authority, read.path),
            headers: read.headers.clone(),
            body: read.body.clone(),
        };
        // An authority with a slash would be another URL; the gateway never makes one of it.
        if !read.authority.contains('/')
            && let Ok(written) = binary::encode_request(&request, octets.len())
        {
            let again = binary::decode_request(&written).map(|again| {
                let text = (again.authority, again.path);
                (text, again.headers, again.body)
            });
            let text = (read.authority, read.path);
            assert_eq!(
                again,
                Ok((text, read.headers, read.body)),
                "a request is kept"
            );
        }
    }
    if let Ok(answer) = binary::decode_response(octets) {
        let written = binary::encode_response(&answer, octets.len());
        let again = written.and_then(|written| binary::decode_response(&written));
        assert_eq!(again, Ok(answer), "an answer is kept");
    }
}

/// Lists of key configurations.
pub(super) fn gateway_keys(octets: &[u8]) {
    if let Ok(configs) = parse_key_configs(octets) {
        let again = parse_key_configs(&encode_key_configs(&configs));
        assert_eq!(again, Ok(configs), "keys are kept");
    }
}

/// Encapsulated requests at a gateway, and answers at a client.
pub(super) fn encapsulated(octets: &[u8]) {
    let secret = SecretKey::new([0x42; 32]);
    let Ok(key) = GatewayKey::from_secret(&RustCrypto, 7, secret) else {
        return;
    };
    if let Ok((request, answer)) = decapsulate(&RustCrypto, std::slice::from_ref(&key), octets) {
        assert!(request.len() < octets.len(), "sealing adds");
        assert!(
            answer.seal(&RustCrypto, &request).is_ok(),
            "an answer can be given"
        );
    }
    for suite in SymmetricSuite::ALL {
        if let Ok((_, waiting)) = encapsulate(&RustCrypto, key.config(), suite, octets) {
            assert!(waiting.open(octets).is_err(), "nobody answered this");
        }
    }
}
