//! Writes the vectors of `tests/vectors/ohttp` to standard output.

use ohttp::ClientRequest;
use ringtrue_ohttp_peer::{hex, lookup, store, stored, written_request, written_response};
use ringtrue_oob::ohttp::{GatewayKey, encode_key_configs};
use ringtrue_stir::crypto::{RustCrypto, SecretKey};
use serde_json::json;

fn main() {
    let secret: [u8; 32] = core::array::from_fn(|index| 0x40 + u8::try_from(index).unwrap_or(0));
    let key = GatewayKey::from_secret(&RustCrypto, 7, SecretKey::new(secret)).expect("a key");
    let list = encode_key_configs(&[key.config().clone()]);
    let requests: Vec<_> = [lookup(), store()]
        .iter()
        .map(|request| {
            let binary = written_request(request);
            let client = ClientRequest::from_encoded_config_list(&list).expect("a list");
            let (encapsulated, _) = client.encapsulate(&binary).expect("a message");
            json!({
                "method": request.method.as_str(),
                "url": request.url,
                "headers": request.headers,
                "body": hex(&request.body),
                "binary": hex(&binary),
                "encapsulated": hex(&encapsulated),
            })
        })
        .collect();
    let answer = stored();
    let vectors = json!({
        "source": "crates ohttp 0.8.0 and bhttp 0.8.0, by tests/ohttp-peer",
        "gateway": {
            "key_id": 7,
            "secret": hex(&secret),
            "configs": hex(&list),
        },
        "requests": requests,
        "answers": [{
            "status": answer.status,
            "headers": answer.headers,
            "body": hex(&answer.body),
            "binary": hex(&written_response(&answer)),
        }],
    });
    println!("{vectors:#}");
}
