use proptest::prelude::*;
use ringtrue_stir::{Reason, TelephoneNumber};

use super::{
    ANSWER_LEN, MAX_ANSWER_LEN, MAX_STATEMENT_LEN, decode_lookup, decode_publish, decode_published,
    decode_statements, encode_lookup, encode_publish, encode_published, encode_statements,
};
use crate::BaseUrl;
use crate::http::problem::Problem;
use crate::http::{HttpResponse, Method};

fn base() -> BaseUrl {
    BaseUrl::parse("https://keys.example.com").unwrap()
}

fn number() -> TelephoneNumber {
    TelephoneNumber::from_canonical("12025550143").unwrap()
}

const JOSE: Option<&str> = Some("application/jose");

#[test]
fn a_publication_travels_both_ways() {
    let request = encode_publish(&base(), &number(), "a.b.c");
    assert_eq!(request.method, Method::Put);
    assert_eq!(request.url, "https://keys.example.com/keys/12025550143");
    assert_eq!(
        decode_publish(request.header("content-type"), &request.body),
        Ok("a.b.c")
    );
    assert_eq!(decode_published(&encode_published()), Ok(()));
    assert!(encode_published().body.is_empty());
}

#[test]
fn one_line_feed_may_end_a_publication() {
    assert_eq!(decode_publish(JOSE, b"a.b.c\n"), Ok("a.b.c"));
    assert_eq!(decode_publish(JOSE, b"a.b.c\n\n"), Ok("a.b.c\n"));
    for body in [b"".as_slice(), b"\n", b"\xff", "é".as_bytes()] {
        assert_eq!(decode_publish(JOSE, body), Err(Problem::MalformedStatement));
    }
}

#[test]
fn a_publication_has_a_limit_and_a_type() {
    let mut body = vec![b'a'; MAX_STATEMENT_LEN];
    assert!(decode_publish(JOSE, &body).is_ok());
    body.push(b'\n');
    assert!(decode_publish(JOSE, &body).is_ok());
    body.pop();
    body.push(b'a');
    assert_eq!(decode_publish(JOSE, &body), Err(Problem::BodyTooLarge));
    body.push(b'\n');
    assert_eq!(decode_publish(JOSE, &body), Err(Problem::BodyTooLarge));
    for media in [None, Some("application/json"), Some("text/plain")] {
        assert_eq!(
            decode_publish(media, b"a.b.c"),
            Err(Problem::UnsupportedMediaType)
        );
    }
}

#[test]
fn a_refused_publication_tells_why() {
    for (problem, reason) in [
        (Problem::MalformedStatement, Reason::StatementRejected),
        (Problem::UntrustedStatement, Reason::StatementRejected),
        (Problem::SupersededStatement, Reason::StatementSuperseded),
        (Problem::OverLimit, Reason::OverLimit),
        (Problem::Unavailable, Reason::ServiceError),
    ] {
        assert_eq!(decode_published(&problem.encode()), Err(reason));
    }
    let html = HttpResponse::answer(200, Some("text/html"), Vec::new());
    assert_eq!(decode_published(&html), Err(Reason::MalformedAnswer));
}

#[test]
fn a_lookup_asks_for_json() {
    let request = encode_lookup(&base(), &number());
    assert_eq!(request.url, "https://keys.example.com/keys/12025550143");
    assert_eq!(decode_lookup(request.header("accept")), Ok(()));
    assert_eq!(decode_lookup(None), Ok(()));
    assert_eq!(
        decode_lookup(Some("application/passport")),
        Err(Problem::NotAcceptable)
    );
}

#[test]
fn every_answer_has_one_of_two_lengths() {
    let len = |statements: &[&str]| encode_statements(statements).body.len();
    assert_eq!(len(&[]), ANSWER_LEN);
    assert_eq!(len(&["a.b.c"]), ANSWER_LEN);
    // The frame takes 26 octets, one text two quotes.
    let fits = "x".repeat(ANSWER_LEN - 28);
    assert_eq!(len(&[&fits]), ANSWER_LEN);
    let larger = "x".repeat(ANSWER_LEN - 27);
    assert_eq!(len(&[&larger]), MAX_ANSWER_LEN);
    let largest = "x".repeat(MAX_ANSWER_LEN - 28);
    assert_eq!(len(&[&largest]), MAX_ANSWER_LEN);
    let body = encode_statements(&[]).body;
    assert!(body.starts_with(br#"{"statements":[],"pad":"000"#));
    assert!(body.ends_with(br#"000"}"#));
}

#[test]
fn the_oldest_are_left_out_and_the_newest_eight_kept() {
    let decoded = |statements: &[&str]| decode_statements(&encode_statements(statements)).unwrap();
    let nine: Vec<String> = (0..9).map(|index| format!("{index}.b.c")).collect();
    let nine: Vec<&str> = nine.iter().map(String::as_str).collect();
    assert_eq!(decoded(&nine), nine[..8]);
    let half = "x".repeat(8000);
    let other = "y".repeat(8000);
    assert_eq!(decoded(&[&half, &other, "old.b.c"]).len(), 3);
    let third = "z".repeat(400);
    assert_eq!(decoded(&[&half, &other, &third]), [half, other]);
    // One that can never fit does not push out the others.
    let giant = "x".repeat(MAX_STATEMENT_LEN);
    assert_eq!(decoded(&[&giant, "a.b.c"]), ["a.b.c"]);
    // Nor does what is no compact JWS break the JSON.
    assert_eq!(decoded(&["\"", "a.b.c", "a\nb"]), ["a.b.c"]);
}

#[test]
fn answers_of_another_form_are_refused() {
    let answer = |media: &str, body: &str| {
        decode_statements(&HttpResponse::answer(200, Some(media), body.into()))
    };
    let json = "application/json";
    assert_eq!(
        answer(json, r#"{"statements":["a"],"more":1}"#),
        Ok(vec!["a".to_owned()])
    );
    for body in [
        "",
        "[]",
        "{}",
        r#"{"statements":"a"}"#,
        r#"{"statements":[1]}"#,
        r#"{"statements":[],"statements":["a"]}"#,
        r#"{"statements":["","","","","","","","",""]}"#,
        "<html>",
    ] {
        assert_eq!(answer(json, body), Err(Reason::MalformedAnswer), "{body}");
    }
    assert_eq!(
        answer("text/html", "<html>"),
        Err(Reason::UnsupportedMediaType)
    );
    assert_eq!(
        answer(json, &" ".repeat(MAX_ANSWER_LEN + 1)),
        Err(Reason::AnswerTooLarge)
    );
    assert_eq!(
        decode_statements(&Problem::NotFound.encode()),
        Err(Reason::ServiceError)
    );
}

proptest! {
    #[test]
    fn statements_come_back_padded(statements in prop::collection::vec("[A-Za-z0-9_.-]{0,900}", 0..=8)) {
        let texts: Vec<&str> = statements.iter().map(String::as_str).collect();
        let answer = encode_statements(&texts);
        prop_assert_eq!(answer.body.len(), ANSWER_LEN);
        prop_assert_eq!(decode_statements(&answer), Ok(statements));
    }

    #[test]
    fn decoding_never_panics(body in prop::collection::vec(any::<u8>(), 0..100), json in r#"\{"statements":[\[\]",a-z\\]{0,40}\}"#) {
        let answer = |body| HttpResponse::answer(200, Some("application/json"), body);
        let _ = decode_publish(JOSE, &body);
        let _ = decode_statements(&answer(body));
        let _ = decode_statements(&answer(json.into_bytes()));
    }
}
