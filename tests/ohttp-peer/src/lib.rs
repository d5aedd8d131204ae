//! The project's Oblivious HTTP beside another implementation of the same standards.
//!
//! The tests run the two against each other; the program writes what the other one makes to
//! `tests/vectors/ohttp`, where the project's own tests read it without these crates.

use bhttp::{Message, Mode, StatusCode};
use ringtrue_oob::http::{HttpRequest, HttpResponse, Method};

/// A store as an endpoint sends it, short.
#[must_use]
pub fn store() -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url: "https://cps.example.com:8443/v1/cps/12025550143/ppts".to_owned(),
        headers: vec![
            ("content-type".to_owned(), "application/passport".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ],
        body: b"AQAQAAEAAQ\nAQAgAAEAAw\n".to_vec(),
    }
}

/// A lookup as an endpoint sends it.
#[must_use]
pub fn lookup() -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: "https://keys.example.com/keys/12025550143".to_owned(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: Vec::new(),
    }
}

/// An answer to the store.
#[must_use]
pub fn stored() -> HttpResponse {
    HttpResponse {
        status: 201,
        headers: vec![
            ("cache-control".to_owned(), "no-store".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
            (
                "location".to_owned(),
                "/v1/cps/12025550143/ppts/AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            ),
        ],
        body: br#"["/v1/cps/12025550143/ppts/AAAAAAAAAAAAAAAAAAAAAA"]"#.to_vec(),
    }
}

/// The request as the crate `bhttp` writes it.
///
/// # Panics
///
/// If it cannot.
#[must_use]
pub fn written_request(request: &HttpRequest) -> Vec<u8> {
    let rest = request.url.strip_prefix("https://").expect("an https URL");
    let (authority, path) = rest.split_at(rest.find('/').expect("a path"));
    let mut message = Message::request(
        request.method.as_str().into(),
        b"https".to_vec(),
        authority.into(),
        path.into(),
    );
    for (name, value) in &request.headers {
        message.put_header(name.as_str(), value.as_str());
    }
    message.write_content(&request.body);
    written(&message)
}

/// The answer as the crate `bhttp` writes it.
///
/// # Panics
///
/// If it cannot.
#[must_use]
pub fn written_response(answer: &HttpResponse) -> Vec<u8> {
    let mut message = Message::response(StatusCode::try_from(answer.status).expect("a status"));
    for (name, value) in &answer.headers {
        message.put_header(name.as_str(), value.as_str());
    }
    message.write_content(&answer.body);
    written(&message)
}

fn written(message: &Message) -> Vec<u8> {
    let mut octets = Vec::new();
    message
        .write_bhttp(Mode::KnownLength, &mut octets)
        .expect("a message");
    octets
}

/// Octets as lower-case hexadecimal digits.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
