//! What a host may answer: limits of size, time and count, and the forms of content (CRT-8, CRT-42,
//! CRT-47, PPT-84).

use std::time::Duration;

use ringtrue_net::{FetchKind, Fetcher};
use ringtrue_stir::Reason;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};

use crate::lab::{Lab, chain, credential, get, ok, outcome, refusal, revocation_list};
use crate::service::{self, Answer};

const PATH: FetchKind = FetchKind::CertificatePath;

async fn path_refusal(body: impl AsRef<[u8]>) -> Option<Reason> {
    refusal(PATH, Answer::Once(ok("", body))).await
}

/// PEM of the root, which is small, so often.
fn many(count: usize) -> String {
    let leaf = chain().split_inclusive("-----END CERTIFICATE-----").next();
    format!("{}\n", leaf.unwrap()).repeat(count)
}

#[tokio::test]
async fn the_whole_path_comes_back_in_its_order() {
    let fetched = outcome(PATH, Answer::Once(ok("", chain()))).await.unwrap();
    assert_eq!(fetched.octets(), chain().as_bytes());
    assert_eq!(
        fetched.certificates(),
        Some(&credential(0).bag().unwrap()),
        "signer, then issuer"
    );
    assert!(fetched.certificates().unwrap().certificates().len() > 1);
    assert!(!fetched.is_from_cache());
}

#[tokio::test]
async fn takes_pem_whatever_type_and_text_go_with_it() {
    for header in [
        "",
        "Content-Type: application/pem-certificate-chain\r\n",
        "Content-Type: application/x-x509-ca-cert\r\n",
        "Content-Type: application/octet-stream\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Type: image/png\r\n",
        "Content-Type: \r\n",
        "Content-Encoding: identity\r\n",
    ] {
        let answer = Answer::Once(ok(header, chain()));
        assert!(outcome(PATH, answer).await.is_ok(), "{header}");
    }
    let commented = [
        b"subject=M\xfcller\r\n\r\n",
        chain().as_bytes(),
        b"\xff end",
    ]
    .concat();
    let fetched = outcome(PATH, Answer::Once(ok("", commented)))
        .await
        .unwrap();
    assert_eq!(fetched.certificates(), Some(&credential(0).bag().unwrap()));
}

#[tokio::test]
async fn takes_the_der_of_one_certificate() {
    let bag = credential(0).bag().unwrap();
    let leaf = bag.certificates().first().unwrap();
    let fetched = outcome(PATH, Answer::Once(ok("", leaf.der())))
        .await
        .unwrap();
    let found = fetched.certificates().unwrap().certificates();
    assert_eq!(found, std::slice::from_ref(leaf));
    let two = [leaf.der(), leaf.der()].concat();
    assert_eq!(path_refusal(two).await, Some(Reason::MalformedCertificate));
    let cut = &leaf.der()[..leaf.der().len() - 1];
    assert_eq!(path_refusal(cut).await, Some(Reason::MalformedCertificate));
}

#[tokio::test]
async fn refuses_what_is_no_path_of_certificates() {
    let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let cut = &chain()[..chain().len() - 40];
    for (body, reason) in [
        ("", Reason::MalformedPem),
        ("<html>Not found</html>", Reason::MalformedPem),
        ("-----BEGIN CERTIFICATE-----\n!\n", Reason::MalformedPem),
        (cut, Reason::MalformedPem),
        (not_der, Reason::MalformedCertificate),
        ("\u{1f}\u{8b}\u{8}\u{0}", Reason::MalformedPem),
    ] {
        assert_eq!(path_refusal(body).await, Some(reason), "{body}");
    }
}

/// Private keys were found published at certificate URLs: such a file is refused whole.
#[tokio::test]
async fn refuses_a_file_with_a_private_key_in_it() {
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for body in [format!("{}{key}", chain()), format!("{key}{}", chain())] {
        assert_eq!(path_refusal(body).await, Some(Reason::MalformedPem));
    }
}

#[tokio::test]
async fn takes_eight_certificates_and_refuses_nine() {
    assert_eq!(path_refusal(many(8)).await, None);
    let refused = path_refusal(many(9)).await;
    assert_eq!(refused, Some(Reason::TooManyCertificates));
}

#[tokio::test]
async fn takes_an_answer_of_exactly_the_limit_and_not_an_octet_more() {
    let fill = |len: usize| format!("{}{}", chain(), " ".repeat(len - chain().len()));
    let limit = PATH.max_octets();
    assert_eq!(limit, 64 * 1024);
    assert_eq!(path_refusal(fill(limit)).await, None);
    let refused = path_refusal(fill(limit + 1)).await;
    assert_eq!(refused, Some(Reason::AnswerTooLarge));
}

#[tokio::test]
async fn refuses_more_than_the_limit_of_every_kind_as_soon_as_it_shows() {
    for kind in FetchKind::ALL {
        let announced = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            kind.max_octets() + 1
        );
        let refused = refusal(kind, Answer::Once(announced.into_bytes())).await;
        assert_eq!(refused, Some(Reason::AnswerTooLarge), "{kind:?}");
        let endless = Answer::Endless {
            head: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            chunk: [&b"1000\r\n"[..], &[b' '; 0x1000], b"\r\n"].concat(),
        };
        let refused = refusal(kind, endless).await;
        assert_eq!(refused, Some(Reason::AnswerTooLarge), "{kind:?}");
    }
}

#[tokio::test]
async fn refuses_every_status_but_200() {
    for status in [
        "201 Created",
        "202 Accepted",
        "203 Other",
        "204 None",
        "206 Part",
        "400 Bad",
        "401 Who",
        "404 Not Found",
        "410 Gone",
        "429 Slowly",
        "500 Broken",
        "503 Busy",
    ] {
        let length = if status.starts_with("204") {
            0
        } else {
            chain().len()
        };
        let body = &chain()[..length];
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
        let refused = refusal(PATH, Answer::Once(answer.into_bytes())).await;
        assert_eq!(refused, Some(Reason::ServiceError), "{status}");
    }
}

/// Nothing was asked for in another coding, so nothing is unpacked: a bomb stays a few octets.
#[tokio::test]
async fn refuses_compressed_answers() {
    let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xed, 0xc1, 1];
    for coding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "x-gzip"] {
        let header = format!("Content-Encoding: {coding}\r\n");
        let refused = refusal(PATH, Answer::Once(ok(&header, bomb))).await;
        assert_eq!(refused, Some(Reason::MalformedAnswer), "{coding}");
    }
    assert_eq!(path_refusal(bomb).await, Some(Reason::MalformedPem));
}

#[tokio::test]
async fn refuses_an_answer_that_breaks_off() {
    let whole = ok("", chain());
    for len in [0, 9, 30, whole.len() - 1] {
        let refused = refusal(PATH, Answer::Break(whole[..len].to_vec())).await;
        let reasons = [Reason::ServiceUnreachable, Reason::MalformedAnswer];
        assert!(refused.is_some_and(|r| reasons.contains(&r)), "{refused:?}");
    }
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n",
        chain().len(),
        chain()
    );
    let refused = refusal(PATH, Answer::Break(chunked.into_bytes())).await;
    assert_eq!(refused, Some(Reason::ServiceUnreachable));
}

#[tokio::test]
async fn a_host_that_is_slow_at_any_point_is_given_up_in_time() {
    let limit = Duration::from_millis(300);
    let lab = Lab::new();
    let mut settings = lab.settings();
    settings.time_limit = Some(limit);
    let fetcher = Fetcher::new(&settings).unwrap();
    for answer in [
        Answer::Silent,
        Answer::Drip(ok("", chain()), Duration::from_millis(20)),
        Answer::Script(vec![
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12".to_vec(),
        ]),
    ] {
        let service = lab.serve(answer).await;
        let refused = get(&fetcher, &service).await.err();
        assert_eq!(refused, Some(Reason::DeadlinePassed));
        service.all_connections_closed().await;
    }
    // One that takes connections and never shakes hands.
    let port = service::start_plain(Vec::new()).await;
    let url = format!("https://localhost:{port}/c.pem");
    let refused = fetcher.fetch(PATH, &url).await.err();
    assert_eq!(refused, Some(Reason::DeadlinePassed));
}

#[test]
fn a_setting_shortens_the_time_of_a_kind_and_the_kinds_stay_within_the_standard() {
    assert_eq!(PATH.time_limit(), Duration::from_secs(5));
    assert_eq!(FetchKind::Image.time_limit(), Duration::from_secs(5));
    assert_eq!(FetchKind::Jcard.time_limit(), Duration::from_secs(5));
    assert_eq!(FetchKind::TnAuthList.time_limit(), Duration::from_secs(5));
}

fn list() -> Vec<u8> {
    let spc = Entry::Spc("709J".into());
    TnAuthList::new(vec![spc]).unwrap().encode()
}

#[tokio::test]
async fn takes_a_list_of_numbers_under_its_type_alone() {
    let kind = FetchKind::TnAuthList;
    for header in [
        "Content-Type: application/tnauthlist\r\n",
        "Content-Type: Application/TNAuthList; x=y\r\n",
    ] {
        let fetched = outcome(kind, Answer::Once(ok(header, list())))
            .await
            .unwrap();
        assert_eq!(fetched.octets(), list());
        assert!(fetched.certificates().is_none());
    }
    for header in [
        "",
        "Content-Type: application/octet-stream\r\n",
        "Content-Type: application/tnauthlist2\r\n",
        "Content-Type: text/html\r\n",
    ] {
        let refused = refusal(kind, Answer::Once(ok(header, list()))).await;
        assert_eq!(refused, Some(Reason::UnsupportedMediaType), "{header}");
    }
    let typed = "Content-Type: application/tnauthlist\r\n";
    for body in [&b""[..], b"709J", &list()[1..], &[list(), list()].concat()] {
        let refused = refusal(kind, Answer::Once(ok(typed, body))).await;
        assert_eq!(refused, Some(Reason::MalformedTnAuthList));
    }
}

#[tokio::test]
async fn takes_pictures_of_a_size_that_a_telephone_can_show() {
    let picture = |side: u32| {
        let mut octets = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
        octets.extend_from_slice(&side.to_be_bytes());
        octets.extend_from_slice(&side.to_be_bytes());
        Answer::Once(ok("Content-Type: image/png\r\n", octets))
    };
    let kind = FetchKind::Image;
    assert_eq!(refusal(kind, picture(256)).await, None);
    // Some kilobytes that a decoder would blow up to gigabytes.
    let refused = refusal(kind, picture(60_000)).await;
    assert_eq!(refused, Some(Reason::TooLong));
    let drawing = Answer::Once(ok("Content-Type: image/svg+xml\r\n", "<svg/>"));
    let refused = refusal(kind, drawing).await;
    assert_eq!(refused, Some(Reason::UnsupportedMediaType));
}

#[tokio::test]
async fn takes_revocation_lists_and_cards_that_are_some() {
    let list = Answer::Once(ok("", revocation_list(600)));
    let fetched = outcome(FetchKind::Crl, list).await.unwrap();
    assert!(fetched.revocation_list().is_some() && fetched.certificates().is_none());
    for body in [&b""[..], b"0\x00", b"<html>", chain().as_bytes()] {
        let refused = refusal(FetchKind::Crl, Answer::Once(ok("", body))).await;
        let reasons = [Reason::MalformedCrl, Reason::MalformedPem];
        assert!(refused.is_some_and(|r| reasons.contains(&r)), "{refused:?}");
    }
    let card = r#"["vcard",[["version",{},"text","4.0"],["fn",{},"text","A"]]]"#;
    let kind = FetchKind::Jcard;
    assert_eq!(refusal(kind, Answer::Once(ok("", card))).await, None);
    for body in ["", "<html>", "{}", r#"["vcard"]"#] {
        assert!(refusal(kind, Answer::Once(ok("", body))).await.is_some());
    }
}
