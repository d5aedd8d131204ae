use proptest::prelude::*;
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{Reason, TelephoneNumber};

use super::{
    MAX_ANSWER_BLOBS, MAX_ANSWER_LEN, MAX_STORE_LEN, RetrieveForm, Retrieved, decode_blobs,
    decode_item, decode_item_request, decode_references, decode_retrieve, decode_store,
    decode_stored, encode_blobs, encode_item, encode_item_request, encode_references,
    encode_retrieve, encode_store, encode_stored,
};
use crate::http::problem::Problem;
use crate::http::route::{ItemId, Route};
use crate::http::{HttpResponse, Method};
use crate::{BaseUrl, Blob, SizeClass, Suite, dummy};

fn base() -> BaseUrl {
    BaseUrl::parse("https://cps.example.com:8443/p").unwrap()
}

fn number() -> TelephoneNumber {
    TelephoneNumber::from_canonical("12025550143").unwrap()
}

fn blob(fill: u8, class: SizeClass) -> Blob {
    let mut octets = dummy(&RustCrypto, Suite::S2).unwrap().into_octets();
    octets.resize(class.blob_len(), fill);
    octets[7] = class.id();
    Blob::from_octets(octets).unwrap()
}

fn blobs(count: usize) -> Vec<Blob> {
    let one = blob(0, SizeClass::One);
    (0..count)
        .map(|index| {
            let mut octets = one.as_octets().to_vec();
            octets[4000] = u8::try_from(index % 256).unwrap();
            Blob::from_octets(octets).unwrap()
        })
        .collect()
}

fn ids(count: usize) -> Vec<ItemId> {
    (0..count)
        .map(|index| ItemId::from_octets([u8::try_from(index % 256).unwrap(); 16]))
        .collect()
}

const PASSPORT: Option<&str> = Some("application/passport");

#[test]
fn a_store_travels_to_the_service_and_its_answer_back() {
    let sent = blobs(3);
    let request = encode_store(&base(), &number(), &sent).unwrap();
    assert_eq!(request.method, Method::Post);
    assert_eq!(
        request.url,
        "https://cps.example.com:8443/p/cps/12025550143/ppts"
    );
    assert_eq!(request.header("content-type"), PASSPORT);
    assert_eq!(request.body.len(), 3 * 5463);
    assert_eq!(
        decode_store(request.header("content-type"), &request.body),
        Ok(sent)
    );

    let answer = encode_stored("/p", &number(), &ids(3));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        answer.header("location"),
        Some("/p/cps/12025550143/ppts/AAAAAAAAAAAAAAAAAAAAAA")
    );
    let urls = decode_stored(&base(), &answer, 3).unwrap();
    assert_eq!(
        urls.get(1).map(String::as_str),
        Some("https://cps.example.com:8443/p/cps/12025550143/ppts/AQEBAQEBAQEBAQEBAQEBAQ")
    );
}

#[test]
fn the_last_line_feed_of_a_store_is_optional() {
    let body = encode_store(&base(), &number(), &blobs(2)).unwrap().body;
    assert_eq!(
        decode_store(PASSPORT, &body[..body.len() - 1]).map(|blobs| blobs.len()),
        Ok(2)
    );
}

#[test]
fn eight_blobs_of_class_two_fit_a_store_and_nine_do_not() {
    let sent = vec![blob(1, SizeClass::Two); 8];
    let body = encode_store(&base(), &number(), &sent).unwrap().body;
    assert!(body.len() <= MAX_STORE_LEN);
    assert!(decode_store(PASSPORT, &body).is_ok());
    for count in [0, 9] {
        assert_eq!(
            encode_store(&base(), &number(), &blobs(count)),
            Err(Reason::TooManyBlobs)
        );
    }
}

#[test]
fn the_service_refuses_stores_of_any_other_form() {
    let text = blobs(1)[0].to_text();
    for body in [
        String::new(),
        "\n".into(),
        "\n\n".into(),
        format!("\n{text}"),
        format!("{text}\n\n"),
        format!("{text}\n\n{text}"),
        format!("{text}\r\n"),
        format!("{text}\r\n{text}\r\n"),
        format!("{text} \n"),
        format!("{text}==\n"),
        format!("{}\n", &text[..5460]),
        format!("{text}{text}"),
        format!("{text},{text}"),
        format!("{}B", &text[..5461]),
        "x".repeat(MAX_STORE_LEN),
    ] {
        assert_eq!(
            decode_store(PASSPORT, body.as_bytes()),
            Err(Problem::MalformedBlob)
        );
    }
    assert_eq!(decode_store(PASSPORT, b"\xff"), Err(Problem::MalformedBlob));
    let nine = format!("{text}\n").repeat(9);
    assert_eq!(
        decode_store(PASSPORT, nine.as_bytes()),
        Err(Problem::TooManyBlobs)
    );
    assert_eq!(
        decode_store(PASSPORT, &"\n".repeat(10).into_bytes()),
        Err(Problem::TooManyBlobs)
    );
    assert_eq!(
        decode_store(PASSPORT, &vec![b'A'; MAX_STORE_LEN + 1]),
        Err(Problem::BodyTooLarge)
    );
    for media in [None, Some(""), Some("text/plain"), Some("application/json")] {
        assert_eq!(
            decode_store(media, text.as_bytes()),
            Err(Problem::UnsupportedMediaType)
        );
    }
    assert!(decode_store(Some("Application/Passport; v=1"), text.as_bytes()).is_ok());
}

#[test]
fn a_store_is_confirmed_only_by_exactly_its_references() {
    let answer = |status: u16, media: &str, body: &str| {
        let answer = HttpResponse::answer(status, Some(media), body.into());
        decode_stored(&base(), &answer, 1)
    };
    let json = "application/json";
    assert!(answer(201, json, r#"["/p/cps/1/ppts/x"]"#).is_ok());
    assert!(answer(201, "application/json; charset=utf-8", r#"["/p/x"]"#).is_ok());
    assert_eq!(
        answer(200, json, r#"["/p/x"]"#),
        Err(Reason::MalformedAnswer)
    );
    assert_eq!(
        answer(201, "text/html", "<p>"),
        Err(Reason::UnsupportedMediaType)
    );
    for body in [
        "",
        "[]",
        "{}",
        "[1]",
        r#"["/p/x","/p/y"]"#,
        r#"["//evil.example/p/x"]"#,
        r#"["/elsewhere"]"#,
        r#""/p/x""#,
    ] {
        assert_eq!(
            answer(201, json, body),
            Err(Reason::MalformedAnswer),
            "{body}"
        );
    }
    let many = serde_json::Value::from(vec!["/p/x"; 9]).to_string();
    assert_eq!(answer(201, json, &many), Err(Reason::TooManyBlobs));
    assert_eq!(
        answer(201, json, &" ".repeat(20_000)),
        Err(Reason::AnswerTooLarge)
    );
    assert_eq!(
        decode_stored(&base(), &Problem::OverLimit.encode(), 1),
        Err(Reason::OverLimit)
    );
    assert_eq!(
        decode_stored(&base(), &Problem::TokenRequired.encode(), 1),
        Err(Reason::TokenRequired)
    );
}

#[test]
fn a_retrieval_of_blobs_travels_both_ways() {
    let request = encode_retrieve(&base(), &number(), RetrieveForm::Blobs);
    assert_eq!(request.method, Method::Get);
    assert!(request.body.is_empty());
    assert_eq!(
        Route::decode("/p", "GET", "/p/cps/12025550143/ppts"),
        Ok(Route::Retrieve { number: number() })
    );
    assert_eq!(
        decode_retrieve(request.header("accept")),
        Ok(RetrieveForm::Blobs)
    );
    let sent = blobs(9);
    let answer = encode_blobs(&sent);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-encoding"), None);
    assert_eq!(
        decode_blobs(&answer),
        Ok(Retrieved {
            blobs: sent,
            skipped: 0
        })
    );
}

#[test]
fn references_are_the_default_form() {
    for accept in [
        None,
        Some("*/*"),
        Some("application/json"),
        Some("text/html, */*;q=0.1"),
    ] {
        assert_eq!(decode_retrieve(accept), Ok(RetrieveForm::References));
    }
    assert_eq!(
        decode_retrieve(Some("text/html")),
        Err(Problem::NotAcceptable)
    );
    let request = encode_retrieve(&base(), &number(), RetrieveForm::References);
    assert_eq!(
        decode_retrieve(request.header("accept")),
        Ok(RetrieveForm::References)
    );
    let answer = encode_references("/p", &number(), &ids(300));
    let urls = decode_references(&base(), &answer).unwrap();
    assert_eq!(urls.len(), MAX_ANSWER_BLOBS);
    let request = encode_item_request(&urls[1]);
    assert_eq!(decode_item_request(request.header("accept")), Ok(()));
    let path = request.url.strip_prefix("https://cps.example.com:8443");
    assert_eq!(
        Route::decode("/p", "GET", path.unwrap()),
        Ok(Route::Item {
            number: number(),
            id: ids(2)[1]
        })
    );
}

#[test]
fn unreadable_lines_of_a_retrieval_are_skipped_and_counted() {
    let sent = blobs(2);
    let (one, two) = (sent[0].to_text(), sent[1].to_text());
    let answer = |body: String| {
        decode_blobs(&HttpResponse::answer(200, PASSPORT, body.into_bytes())).unwrap()
    };
    let retrieved = answer(format!("{one}\nnonsense\n\n{two}\r\n{two}"));
    assert_eq!(retrieved.blobs, sent);
    assert_eq!(retrieved.skipped, 3);
    assert_eq!(answer(one).skipped, 0);
    let nothing = answer(String::new());
    assert_eq!((nothing.blobs.len(), nothing.skipped), (0, 0));
}

#[test]
fn a_lying_service_gets_a_typed_refusal() {
    let answer = |status: u16, media: &str, body: Vec<u8>| {
        decode_blobs(&HttpResponse::answer(status, Some(media), body)).map(drop)
    };
    let passport = "application/passport";
    assert_eq!(
        answer(200, "text/html", b"<html>".to_vec()),
        Err(Reason::UnsupportedMediaType)
    );
    assert_eq!(
        answer(200, passport, vec![b'A'; MAX_ANSWER_LEN + 1]),
        Err(Reason::AnswerTooLarge)
    );
    assert_eq!(
        answer(200, passport, b"\xff\xfe".to_vec()),
        Err(Reason::MalformedAnswer)
    );
    assert_eq!(
        answer(200, passport, b"A\n".repeat(10_000)),
        Err(Reason::TooManyBlobs)
    );
    assert_eq!(
        answer(200, passport, vec![b'\n'; 1_000_000]),
        Err(Reason::TooManyBlobs)
    );
    for (status, reason) in [
        (204, Reason::MalformedAnswer),
        (206, Reason::MalformedAnswer),
        (302, Reason::Redirected),
        (404, Reason::ServiceError),
        (503, Reason::ServiceError),
    ] {
        assert_eq!(answer(status, passport, Vec::new()), Err(reason));
    }
    let no_type = HttpResponse {
        status: 200,
        headers: Vec::new(),
        body: Vec::new(),
    };
    assert_eq!(decode_blobs(&no_type), Err(Reason::UnsupportedMediaType));
}

#[test]
fn answers_stop_at_256_blobs_or_the_limit_of_octets() {
    let answer = encode_blobs(&blobs(300));
    assert_eq!(decode_blobs(&answer).unwrap().blobs.len(), MAX_ANSWER_BLOBS);
    let answer = encode_blobs(&vec![blob(1, SizeClass::Two); 100]);
    assert!(answer.body.len() <= MAX_ANSWER_LEN);
    assert_eq!(decode_blobs(&answer).unwrap().blobs.len(), 71);
}

#[test]
fn an_item_is_fetched_until_it_has_aged_out() {
    let sent = blob(1, SizeClass::Two);
    let answer = encode_item("/p", &number(), &sent);
    assert_eq!(
        answer.header("link"),
        Some("</p/cps/12025550143/ppts>; rel=\"collection\"")
    );
    assert_eq!(decode_item(&answer), Ok(Some(sent.clone())));
    assert_eq!(decode_item(&Problem::NotFound.encode()), Ok(None));

    let changed = |change: &dyn Fn(&mut HttpResponse)| {
        let mut answer = answer.clone();
        change(&mut answer);
        decode_item(&answer)
    };
    assert_eq!(
        changed(&|a| a.body.extend(b"x\n")),
        Err(Reason::AnswerTooLarge)
    );
    assert_eq!(
        changed(&|a| a.body.truncate(99)),
        Err(Reason::MalformedBlob)
    );
    assert_eq!(
        changed(&|a| a.body = b"\xff".to_vec()),
        Err(Reason::MalformedBlob)
    );
    assert_eq!(changed(&|a| a.status = 500), Err(Reason::ServiceError));
    assert_eq!(
        changed(&|a| a.headers.clear()),
        Err(Reason::UnsupportedMediaType)
    );
    assert_eq!(
        decode_item_request(Some("application/json")),
        Err(Problem::NotAcceptable)
    );
    assert_eq!(decode_item_request(None), Ok(()));
}

#[test]
fn service_codes_are_encoded_in_paths() {
    let star = TelephoneNumber::from_canonical("*31#").unwrap();
    let request = encode_retrieve(&base(), &star, RetrieveForm::Blobs);
    assert_eq!(
        request.url,
        "https://cps.example.com:8443/p/cps/*31%23/ppts"
    );
    let answer = encode_stored("/p", &star, &ids(1));
    assert_eq!(
        decode_stored(&base(), &answer, 1).unwrap(),
        ["https://cps.example.com:8443/p/cps/*31%23/ppts/AAAAAAAAAAAAAAAAAAAAAA"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn stores_come_back(count in 1_usize..=8) {
        let sent = blobs(count);
        let request = encode_store(&base(), &number(), &sent).unwrap();
        prop_assert_eq!(decode_store(request.header("content-type"), &request.body), Ok(sent));
        let answer = encode_stored("/p", &number(), &ids(count));
        prop_assert_eq!(decode_stored(&base(), &answer, count).map(|urls| urls.len()), Ok(count));
    }

    #[test]
    fn retrievals_come_back(count in 0_usize..=20) {
        let sent = blobs(count);
        let retrieved = decode_blobs(&encode_blobs(&sent)).unwrap();
        prop_assert_eq!(retrieved.blobs, sent);
        let answer = encode_references("/p", &number(), &ids(count));
        prop_assert_eq!(decode_references(&base(), &answer).map(|urls| urls.len()), Ok(count));
    }

    #[test]
    fn decoding_never_panics(status in prop_oneof![Just(200), Just(201), any::<u16>()], json in any::<bool>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let media = if json { "application/json" } else { "application/passport" };
        let answer = HttpResponse::answer(status, Some(media), body);
        let _ = decode_stored(&base(), &answer, 1);
        let _ = decode_references(&base(), &answer);
        let _ = decode_blobs(&answer);
        let _ = decode_item(&answer);
        let _ = decode_store(Some(media), &answer.body);
    }
}
