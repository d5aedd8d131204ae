use proptest::prelude::*;
use ringtrue_stir::Reason;

use super::{
    MAX_FIELDS, MAX_FIELDS_LEN, MAX_MESSAGE_LEN, decode_request, decode_response, encode_request,
    encode_response,
};
use crate::http::{HttpRequest, HttpResponse, Method};

fn request(headers: &[(&str, &str)], body: &[u8]) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url: "https://cps.example.com:8443/v1/cps/12025550143/ppts".to_owned(),
        headers: owned(headers),
        body: body.to_vec(),
    }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn answer(headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
    HttpResponse {
        status: 201,
        headers: owned(headers),
        body: body.to_vec(),
    }
}

fn refused(octets: &[u8]) {
    let malformed = Reason::MalformedEncapsulation;
    assert_eq!(decode_request(octets).err(), Some(malformed), "{octets:x?}");
    assert_eq!(
        decode_response(octets).err(),
        Some(malformed),
        "{octets:x?}"
    );
}

#[test]
fn a_request_is_exactly_this() {
    let mut small = request(&[("Accept", "a/b")], b"xy");
    small.url = "https://h/p".to_owned();
    let octets = encode_request(&small, 40).unwrap();
    let mut expected = b"\x00\x04POST\x05https\x01h\x02/p\x0b\x06accept\x03a/b\x02xy\x00".to_vec();
    expected.resize(40, 0);
    assert_eq!(*octets, expected);
}

#[test]
fn an_answer_is_exactly_this() {
    let octets = encode_response(&answer(&[("location", "/x")], b"[]"), 0).unwrap();
    assert_eq!(*octets, b"\x01\x40\xc9\x0c\x08location\x02/x\x02[]\x00");
}

// RFC 9292 section 5: the example of a known-length request, which is not padded and truncated.
#[test]
fn the_known_length_request_of_the_standard_is_read() {
    let octets = [
        b"\x00\x03GET\x05https\x00\x0a/hello.txt\x40\x6c".as_slice(),
        b"\x0auser-agent\x34curl/7.16.3 libcurl/7.16.3 OpenSSL/0.9.7l zlib/1.2.3",
        b"\x04host\x0fwww.example.com\x0faccept-language\x06en, mi\x00\x00",
    ]
    .concat();
    let read = decode_request(&octets).unwrap();
    assert_eq!(
        (read.authority.as_str(), read.path.as_str()),
        ("", "/hello.txt")
    );
    let names: Vec<_> = read.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["user-agent", "host", "accept-language"]);
    assert_eq!(read.headers[1].1, "www.example.com");
}

#[test]
fn sections_that_are_left_out_are_empty() {
    let whole = b"\x00\x03GET\x05https\x01h\x01/\x00\x00\x00";
    for len in whole.len() - 3..=whole.len() {
        let read = decode_request(&whole[..len]).unwrap();
        assert!(read.headers.is_empty() && read.body.is_empty());
    }
    assert_eq!(decode_response(b"\x01\x40\xc8").unwrap().status, 200);
}

#[test]
fn integers_may_be_longer_than_needed() {
    let read =
        decode_response(b"\x80\x00\x00\x01\xc0\x00\x00\x00\x00\x00\x00\xc8\x40\x00").unwrap();
    assert_eq!(read.status, 200);
}

#[test]
fn other_framing_is_refused() {
    // Indeterminate lengths, and a request where an answer is expected.
    for framing in 2..=5 {
        refused(&[framing, 3, b'G', b'E', b'T']);
    }
    refused(b"");
    assert!(decode_response(b"\x00\x03GET\x05https\x01h\x01/").is_err());
    assert!(decode_request(b"\x01\x40\xc8").is_err());
}

#[test]
fn informational_and_impossible_statuses_are_refused() {
    for status in [
        b"\x01\x40\x64".as_slice(),
        b"\x01\x40\x00",
        b"\x01\x42\x58",
        b"\x01\xc0\x00\x01\x00\x00\x00\x00\xc8",
    ] {
        assert!(decode_response(status).is_err(), "{status:x?}");
    }
}

#[test]
fn padding_other_than_zeros_is_refused() {
    let mut octets = encode_request(&request(&[], b"x"), 200).unwrap();
    assert!(decode_request(&octets).is_ok());
    *octets.last_mut().unwrap() = 1;
    assert_eq!(
        decode_request(&octets).err(),
        Some(Reason::MalformedEncapsulation)
    );
}

#[test]
fn trailers_are_refused() {
    refused(b"\x00\x03GET\x05https\x01h\x01/\x00\x00\x04\x01a\x01b");
    refused(b"\x01\x40\xc8\x00\x00\x04\x01a\x01b");
}

#[test]
fn lengths_beyond_the_end_are_refused() {
    let whole = encode_request(&request(&[("accept", "a")], b"body"), 0).unwrap();
    // Cut anywhere but between sections.
    let sections = [whole.len() - 1, whole.len() - 6, whole.len() - 16];
    for len in 0..whole.len() {
        let read = decode_request(&whole[..len]);
        assert_eq!(read.is_ok(), sections.contains(&len), "{len}");
    }
    refused(b"\x00\xff\xff\xff\xff\xff\xff\xff\xff");
}

#[test]
fn fields_that_two_readers_could_take_differently_are_refused() {
    for (name, value) in [
        ("Accept", "a"),
        (":path", "/"),
        ("", "a"),
        ("a b", "c"),
        ("a\r\nb", "c"),
        ("a", "b\r\nc: d"),
        ("a", "\0"),
        ("ä", "b"),
        ("a", "ä"),
    ] {
        let mut section = vec![u8::try_from(name.len()).unwrap()];
        section.extend_from_slice(name.as_bytes());
        section.push(u8::try_from(value.len()).unwrap());
        section.extend_from_slice(value.as_bytes());
        let mut octets = b"\x01\x40\xc8".to_vec();
        octets.push(u8::try_from(section.len()).unwrap());
        octets.extend_from_slice(&section);
        assert!(decode_response(&octets).is_err(), "{name:?}: {value:?}");
    }
    for (name, value) in [("a b", "c"), ("a", "b\nc"), ("", "")] {
        let request = request(&[(name, value)], b"");
        assert_eq!(encode_request(&request, 0).err(), Some(Reason::Internal));
    }
}

#[test]
fn control_data_of_the_wrong_form_is_refused() {
    for octets in [
        b"\x00\x00\x05https\x01h\x01/".as_slice(),
        b"\x00\x03G T\x05https\x01h\x01/",
        b"\x00\x03GET\x05https\x01h\x00",
        b"\x00\x03GET\x05https\x01h\x01x",
        b"\x00\x03GET\x05https\x03h\r\n\x01/",
        b"\x00\x03GET\x05https\x01h\x03/\xc3\xa4",
    ] {
        refused(octets);
    }
}

#[test]
fn limits_hold() {
    let many = vec![("a", "b"); MAX_FIELDS + 1];
    let octets = encode_request(&request(&many, b""), 0).unwrap();
    assert!(decode_request(&octets).is_err());
    let octets = encode_request(&request(&many[1..], b""), 0).unwrap();
    assert!(decode_request(&octets).is_ok());
    let long = "x".repeat(MAX_FIELDS_LEN);
    let octets = encode_request(&request(&[("a", &long)], b""), 0).unwrap();
    assert!(decode_request(&octets).is_err());
    refused(&vec![0; MAX_MESSAGE_LEN + 1]);
    let mut far = request(&[], b"");
    far.url = format!("https://h/{}", "p".repeat(1100));
    let octets = encode_request(&far, 0).unwrap();
    assert!(decode_request(&octets).is_err());
}

#[test]
fn only_absolute_https_urls_are_written() {
    for url in ["http://h/p", "https://h", "/p", ""] {
        let mut request = request(&[], b"");
        request.url = url.to_owned();
        assert_eq!(
            encode_request(&request, 0).err(),
            Some(Reason::MalformedUrl),
            "{url}"
        );
    }
}

#[test]
fn debug_shows_no_path_and_no_content() {
    let octets = encode_request(&request(&[], b"secret"), 0).unwrap();
    let read = decode_request(&octets).unwrap();
    assert_eq!(format!("{read:?}"), "BinaryRequest(6 octets)");
}

proptest! {
    #[test]
    fn requests_lead_back(path in "/[!-~]{0,60}", headers in prop::collection::vec(("[a-z-]{1,12}", "[ -~]{0,30}"), 0..6), body in prop::collection::vec(any::<u8>(), 0..300), pad in 0..900_usize) {
        let sent = HttpRequest { method: Method::Get, url: format!("https://cps.example{path}"), headers: headers.clone(), body: body.clone() };
        let octets = encode_request(&sent, pad).unwrap();
        prop_assert!(octets.len() >= pad);
        let read = decode_request(&octets).unwrap();
        prop_assert_eq!((read.method.as_str(), read.scheme.as_str(), read.authority.as_str()), ("GET", "https", "cps.example"));
        prop_assert_eq!((read.path, read.headers, read.body), (path, headers, body));
    }

    #[test]
    fn answers_lead_back(status in 200..600_u16, headers in prop::collection::vec(("[a-z-]{1,12}", "[ -~]{0,30}"), 0..6), body in prop::collection::vec(any::<u8>(), 0..300), pad in 0..900_usize) {
        let sent = HttpResponse { status, headers, body };
        let octets = encode_response(&sent, pad).unwrap();
        prop_assert_eq!(decode_response(&octets), Ok(sent));
    }

    #[test]
    fn reading_never_panics(octets in prop::collection::vec(any::<u8>(), 0..200), framing in 0..2_u8) {
        let _ = (decode_request(&octets), decode_response(&octets));
        let framed = [&[framing], octets.as_slice()].concat();
        let _ = (decode_request(&framed), decode_response(&framed));
    }
}
