//! `ohttp`: messages made with another implementation of Oblivious HTTP and binary HTTP.
use ringtrue_oob::http::{HttpRequest, HttpResponse, Method};
use ringtrue_oob::ohttp::{GatewayKey, binary, decapsulate, parse_key_configs};
use ringtrue_stir::crypto::{RustCrypto, SecretKey};
use serde_json::Value;

use crate::fields::Fields;
use crate::folder;

const FILE: &str = "ohttp-0.8.0.json";

fn headers(value: &Value) -> Vec<(String, String)> {
    serde_json::from_value(value.clone()).unwrap()
}

fn records(file: &mut Fields, name: &str) -> Vec<Fields> {
    let records = file.take(name).as_array().unwrap().clone();
    records.into_iter().map(Fields::from_value).collect()
}

#[test]
fn what_another_implementation_sends_is_opened_and_read() {
    let mut file = Fields::of("ohttp", FILE);
    assert!(file.text("source").contains("ohttp 0.8.0"));
    let mut gateway = Fields::from_value(file.take("gateway").clone());
    let key_id = u8::try_from(gateway.number("key_id")).unwrap();
    let secret = SecretKey::from_slice(&gateway.octets("secret")).unwrap();
    let key = GatewayKey::from_secret(&RustCrypto, key_id, secret).unwrap();
    let configs = parse_key_configs(&gateway.octets("configs")).unwrap();
    assert_eq!(configs, [key.config().clone()]);
    gateway.require_all_read();

    let keys = [key];
    for mut record in records(&mut file, "requests") {
        let request = HttpRequest {
            method: Method::from_name(&record.text("method")).unwrap(),
            url: record.text("url"),
            headers: headers(record.take("headers")),
            body: record.octets("body"),
        };
        let plain = record.octets("binary");
        let (opened, _) = decapsulate(&RustCrypto, &keys, &record.octets("encapsulated")).unwrap();
        assert_eq!(*opened, plain);
        assert_eq!(*binary::encode_request(&request, 0).unwrap(), plain);
        let read = binary::decode_request(&plain).unwrap();
        assert_eq!(read.method, request.method.as_str());
        assert_eq!(
            format!("{}://{}{}", read.scheme, read.authority, read.path),
            request.url
        );
        assert_eq!((read.headers, read.body), (request.headers, request.body));
        record.require_all_read();
    }
    for mut record in records(&mut file, "answers") {
        let answer = HttpResponse {
            status: u16::try_from(record.number("status")).unwrap(),
            headers: headers(record.take("headers")),
            body: record.octets("body"),
        };
        let plain = record.octets("binary");
        assert_eq!(*binary::encode_response(&answer, 0).unwrap(), plain);
        assert_eq!(binary::decode_response(&plain), Ok(answer));
        record.require_all_read();
    }
    file.require_all_read();
}

#[test]
fn every_file_is_read() {
    let files = std::fs::read_dir(folder("ohttp")).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["README.md", FILE]);
}
