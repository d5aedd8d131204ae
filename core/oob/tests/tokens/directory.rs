//! Issuer directories, and requests for tokens.

use core::time::Duration;

use proptest::prelude::*;
use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::token::issuance;
use ringtrue_oob::token::issuer_directory::{
    self, IssuerDirectory, MAX_TOKEN_KEYS, PublishedKey, ROTATION,
};
use ringtrue_oob::token::{IssuerKey, issuer_directory as directory};
use ringtrue_stir::{Reason, UnixTime};
use serde_json::{Value, json};

use crate::{issuer, issuer_key};

const DAY: u64 = 86_400;
const NOW: u64 = 1_800_000_000;

/// A key that nobody has the private half of.
fn key(seed: u8) -> IssuerKey {
    let mut modulus = [seed; 256];
    modulus[0] = 0xc0;
    modulus[255] = 1;
    IssuerKey::from_modulus(&modulus).unwrap()
}

fn published(seed: u8, not_before: u64) -> PublishedKey {
    PublishedKey {
        key: key(seed),
        not_before: UnixTime::from_secs(not_before),
    }
}

fn body(answer: &HttpResponse) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn decode_body(body: &Value) -> Result<IssuerDirectory, Reason> {
    let mut answer = directory::encode("/token-request", &[]);
    answer.body = body.to_string().into_bytes();
    directory::decode(&issuer(), &answer)
}

#[test]
fn a_directory_says_where_to_ask_and_with_which_keys() {
    let keys = [published(1, NOW), published(2, NOW + DAY)];
    let answer = directory::encode("/token-request", &keys);
    assert_eq!(
        answer.header("content-type"),
        Some("application/private-token-issuer-directory")
    );
    let body = body(&answer);
    assert_eq!(body["issuer-request-uri"], "/token-request");
    assert_eq!(body["token-keys"][0]["token-type"], 2);
    assert_eq!(body["token-keys"][1]["not-before"], NOW + DAY);
    let read = directory::decode(&issuer(), &answer).unwrap();
    assert_eq!(read.request_url, "https://issuer.example.com/token-request");
    assert_eq!(read.keys, keys);
}

#[test]
fn keys_of_other_types_are_skipped_and_others_sorted() {
    let answer = directory::encode("/t", &[published(2, NOW + DAY), published(1, NOW)]);
    let mut body = body(&answer);
    let other = json!({"token-type": 1, "token-key": "?", "not-before": -1});
    body["token-keys"].as_array_mut().unwrap().insert(0, other);
    body["extra"] = json!({"x": 1});
    let read = decode_body(&body).unwrap();
    assert_eq!(read.keys, [published(1, NOW), published(2, NOW + DAY)]);
}

#[test]
fn another_form_is_refused() {
    const MALFORMED: Reason = Reason::MalformedIssuerDirectory;
    let good = body(&directory::encode("/t", &[published(1, NOW)]));
    type Change<'a> = &'a dyn Fn(&mut Value);
    let first = |body: &mut Value| body["token-keys"][0].clone();
    let changes: [(Change<'_>, Reason); 17] = [
        (&|body| *body = json!([]), MALFORMED),
        (&|body| body["issuer-request-uri"] = json!(1), MALFORMED),
        (
            &|body| body["issuer-request-uri"] = json!("https://evil.example/t"),
            MALFORMED,
        ),
        (
            &|body| body["issuer-request-uri"] = json!("//evil.example/t"),
            MALFORMED,
        ),
        (&|body| body["issuer-request-uri"] = json!(""), MALFORMED),
        (&|body| body["token-keys"] = json!({}), MALFORMED),
        (&|body| body["token-keys"][0] = json!(1), MALFORMED),
        (
            &|body| body["token-keys"][0]["token-type"] = json!("2"),
            MALFORMED,
        ),
        (
            &|body| body["token-keys"][0]["not-before"] = Value::Null,
            MALFORMED,
        ),
        (
            &|body| body["token-keys"][0]["not-before"] = json!(-1),
            MALFORMED,
        ),
        (
            &|body| body["token-keys"][0]["not-before"] = json!(5_000_000_000_u64),
            MALFORMED,
        ),
        (
            &|body| body["token-keys"][0]["token-key"] = json!(1),
            MALFORMED,
        ),
        (
            &|body| body["token-keys"][0]["token-key"] = json!("*"),
            MALFORMED,
        ),
        (
            &|body| body["token-keys"][0]["token-key"] = json!("AAAA"),
            Reason::IssuerKeyUnusable,
        ),
        (
            &|body| body["token-keys"][0]["token-key"] = json!("A".repeat(600)),
            Reason::IssuerKeyUnusable,
        ),
        // One key twice, at one time or at two.
        (
            &|body| {
                let mut again = first(body);
                again["not-before"] = json!(NOW + DAY);
                body["token-keys"].as_array_mut().unwrap().push(again);
            },
            MALFORMED,
        ),
        (
            &|body| {
                let other = directory::encode("/t", &[published(2, NOW)]);
                let other: Value = serde_json::from_slice(&other.body).unwrap();
                let keys = body["token-keys"].as_array_mut().unwrap();
                keys.push(other["token-keys"][0].clone());
            },
            MALFORMED,
        ),
    ];
    for (index, (change, reason)) in changes.into_iter().enumerate() {
        let mut changed = good.clone();
        change(&mut changed);
        assert_eq!(decode_body(&changed), Err(reason), "{index}");
    }
    assert!(decode_body(&good).is_ok());
}

#[test]
fn too_much_of_anything_is_refused() {
    let entry = |seed: u8| {
        let answer = directory::encode("/t", &[published(seed, NOW + u64::from(seed) * DAY)]);
        body(&answer)["token-keys"][0].clone()
    };
    let with = |keys: Vec<Value>| json!({"issuer-request-uri": "/t", "token-keys": keys});
    let most = u8::try_from(MAX_TOKEN_KEYS).unwrap();
    assert!(decode_body(&with((1..=most).map(entry).collect())).is_ok());
    let malformed = Err(Reason::MalformedIssuerDirectory);
    let many = with((1..=most + 1).map(entry).collect());
    assert_eq!(decode_body(&many), malformed);
    let others = with(vec![json!({"token-type": 1}); 17]);
    assert_eq!(decode_body(&others), malformed);
    let mut answer = directory::encode("/t", &[]);
    answer.body.extend(" ".repeat(16 * 1024).bytes());
    assert_eq!(
        directory::decode(&issuer(), &answer),
        Err(Reason::AnswerTooLarge)
    );
    let mut html = directory::encode("/t", &[]);
    html.headers = vec![("content-type".into(), "text/html".into())];
    assert_eq!(
        directory::decode(&issuer(), &html),
        Err(Reason::UnsupportedMediaType)
    );
    let down = Problem::Unavailable.encode();
    assert_eq!(
        directory::decode(&issuer(), &down),
        Err(Reason::ServiceError)
    );
}

fn current(not_before: &[u64], now: u64) -> Result<u64, Reason> {
    let keys = (1..).zip(not_before);
    let directory = IssuerDirectory {
        request_url: String::new(),
        keys: keys.map(|(seed, at)| published(seed, *at)).collect(),
    };
    let found = directory.current(UnixTime::from_secs(now), ROTATION);
    found.map(|published| published.not_before.as_secs())
}

#[test]
fn the_newest_key_that_signs_is_used_and_its_end_is_two_periods_on() {
    let keys = [NOW - DAY, NOW, NOW + DAY];
    assert_eq!(current(&keys, NOW), Ok(NOW));
    assert_eq!(current(&keys, NOW + DAY - 1), Ok(NOW));
    assert_eq!(current(&keys, NOW + DAY), Ok(NOW + DAY));
    assert_eq!(current(&keys, NOW - 1), Ok(NOW - DAY));
    let key = published(1, NOW);
    assert_eq!(key.end(ROTATION).as_secs(), NOW + 2 * DAY);
    let valid = |at| key.is_valid_at(UnixTime::from_secs(at), ROTATION);
    assert_eq!(
        [NOW - 1, NOW, NOW + 2 * DAY - 1, NOW + 2 * DAY].map(valid),
        [false, true, true, false]
    );
}

#[test]
fn the_rhythm_is_a_day_give_or_take_an_hour() {
    for gap in [DAY - 3600, DAY, DAY + 3600] {
        assert_eq!(current(&[NOW - gap, NOW], NOW), Ok(NOW), "{gap}");
    }
    for gap in [1, DAY - 3601, DAY + 3601, 2 * DAY] {
        let refused = Err(Reason::IssuerInconsistent);
        assert_eq!(current(&[NOW - gap, NOW], NOW), refused, "{gap}");
    }
    let three = [NOW - 2 * DAY + 7200, NOW - DAY + 3600, NOW];
    assert_eq!(current(&three, NOW), Err(Reason::IssuerInconsistent));
    let unusable = Err(Reason::IssuerKeyUnusable);
    assert_eq!(current(&[], NOW), unusable);
    assert_eq!(current(&[NOW + 1], NOW), unusable);
    // The one in use should have been followed by another.
    assert_eq!(current(&[NOW - DAY - 3600], NOW), Ok(NOW - DAY - 3600));
    assert_eq!(current(&[NOW - DAY - 3601], NOW), unusable);
}

#[test]
fn requests_and_answers_have_one_length() {
    let kind = Some(issuance::REQUEST_TYPE);
    let mut body = vec![0, 2, issuer_key(0).truncated_key_id()];
    body.extend([9; 256]);
    let request = issuance::decode_request(kind, &body).unwrap();
    assert!(request.is_for(&issuer_key(0)));
    assert_eq!(request.blinded_message, [9; 256]);
    let longer = [body.as_slice(), &[0]].concat();
    let refused = |kind, body: &[u8]| issuance::decode_request(kind, body).unwrap_err();
    assert_eq!(refused(kind, &longer), Problem::BodyTooLarge);
    assert_eq!(refused(kind, &body[..258]), Problem::MalformedTokenRequest);
    assert_eq!(refused(kind, &[]), Problem::MalformedTokenRequest);
    let other = [&[0, 1], &body[2..]].concat();
    assert_eq!(refused(kind, &other), Problem::MalformedTokenRequest);
    assert_eq!(refused(None, &body), Problem::UnsupportedMediaType);

    let answer = issuance::encode_response(&[5; 256]);
    assert_eq!(issuance::decode_response(&answer), Ok([5; 256]));
    for len in [0, 255, 257] {
        let mut odd = answer.clone();
        odd.body = vec![5; len];
        assert_eq!(
            issuance::decode_response(&odd),
            Err(Reason::MalformedTokenRequest)
        );
    }
    for (problem, reason) in [
        (Problem::OverLimit, Reason::OverQuota),
        (Problem::UntrustedCredential, Reason::IssuerRefused),
        (Problem::TokenRequired, Reason::IssuerRefused),
        (Problem::MalformedTokenRequest, Reason::ServiceError),
        (Problem::Unavailable, Reason::ServiceError),
    ] {
        assert_eq!(issuance::decode_response(&problem.encode()), Err(reason));
    }
    let mut html = answer;
    html.headers = vec![("content-type".into(), "text/html".into())];
    let refused = issuance::decode_response(&html);
    assert_eq!(refused, Err(Reason::UnsupportedMediaType));
}

#[test]
fn a_bearer_is_read_and_nothing_else() {
    assert_eq!(issuance::bearer(Some("Bearer a.b.c")), Some("a.b.c"));
    assert_eq!(issuance::bearer(Some(" bearer  x ")), Some("x"));
    for odd in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Basic x"),
    ] {
        assert_eq!(issuance::bearer(odd), None);
    }
}

proptest! {
    #[test]
    fn directories_come_back(
        times in prop::collection::btree_set(0_u32.., 0..=4),
        path in "/[a-z]{1,12}",
    ) {
        let keys: Vec<PublishedKey> = (1..)
            .zip(times)
            .map(|(seed, at)| published(seed, u64::from(at)))
            .collect();
        let read = issuer_directory::decode(&issuer(), &directory::encode(&path, &keys)).unwrap();
        prop_assert_eq!(read.keys, keys);
        prop_assert!(read.request_url.ends_with(&path));
    }

    #[test]
    fn reading_never_panics(body in ".{0,200}", now: u32, gaps in prop::collection::vec(0_u64..200_000, 0..4)) {
        let mut answer = directory::encode("/t", &[]);
        answer.body = body.into_bytes();
        let _ = directory::decode(&issuer(), &answer);
        let mut at = 0;
        let keys = (1..).zip(gaps).map(|(seed, gap)| {
            at += gap;
            published(seed, at)
        });
        let directory = IssuerDirectory { request_url: String::new(), keys: keys.collect() };
        let _ = directory.current(UnixTime::from_secs(u64::from(now)), Duration::from_secs(86_400));
    }
}
