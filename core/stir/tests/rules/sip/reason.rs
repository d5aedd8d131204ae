//! Reason header values (RFC 9410).

use proptest::prelude::*;
use ringtrue_stir::sip::reason::{
    MAX_REASON_HEADER_LEN, MAX_REASON_HEADERS, OwnReasons, PpiForm, take_own,
};
use ringtrue_stir::sip::{IdentityHeader, ReasonHeader, ResponseCode};
use ringtrue_stir::{Reason, Strictness};

fn header(digest: &str) -> IdentityHeader {
    let value = format!("{digest};info=<https://c.example/x>");
    IdentityHeader::parse(&value, Strictness::Strict).unwrap()
}

#[test]
fn codes_have_the_numbers_and_phrases_of_the_standard() {
    let all: Vec<_> = ResponseCode::ALL
        .into_iter()
        .map(|code| (code.code(), code.phrase()))
        .collect();
    assert_eq!(
        all,
        [
            (403, "Stale Date"),
            (428, "Use Identity Header"),
            (436, "Bad Identity Info"),
            (437, "Unsupported Credential"),
            (438, "Invalid Identity Header"),
        ]
    );
    assert_eq!(ResponseCode::from_code(404), None);
}

#[test]
fn writes_one_cause_with_one_ppi_in_the_form_asked_for() {
    let about = header("AAAA.BBBB.CCCC");
    let value =
        |form| ReasonHeader::stir(ResponseCode::BadIdentityInfo, Some(&about), form).to_value();
    let start = "STIR ;cause=436 ;text=\"Bad Identity Info\"";
    assert_eq!(
        value(PpiForm::default()),
        format!("{start} ;ppi=\"..CCCC\"")
    );
    assert_eq!(
        value(PpiForm::Full),
        format!("{start} ;ppi=\"AAAA.BBBB.CCCC\"")
    );
    assert_eq!(value(PpiForm::Omitted), start);
}

#[test]
fn sip_as_protocol_counts_for_the_causes_of_stir_only() {
    let code = |value: &str| ReasonHeader::parse(value).unwrap().response_code();
    assert_eq!(code("stir;cause=403"), Some(ResponseCode::StaleDate));
    assert_eq!(
        code("SIP; cause=428"),
        Some(ResponseCode::UseIdentityHeader)
    );
    for value in [
        "SIP;cause=403",
        "SIP;cause=200;text=\"Call completed elsewhere\"",
        "Q.850;cause=428",
        "STIR;cause=480",
        "STIR",
    ] {
        assert_eq!(code(value), None, "{value}");
    }
}

#[test]
fn several_values_of_a_line_are_read_and_own_ones_taken_out() {
    let line = "Q.850;cause=16;text=\"a, b\" , STIR;cause=436;ppi=\"..CCCC\", \
                STIR;cause=437;ppi=\"XX.YY.ZZ\",SIP;cause=438;ppi=\"AAAA.BBBB.DDDD\",STIR;cause=428,\
                STIR;cause=999;ppi=\"..CCCC\"";
    let reasons = ReasonHeader::parse_line(line).unwrap();
    assert_eq!(reasons.len(), 6);
    let sent = [header("..CCCC"), header("AAAA.BBBB.DDDD")];
    let OwnReasons { own, others } = take_own(reasons.clone(), &sent);
    assert_eq!(
        own,
        [
            (0, ResponseCode::BadIdentityInfo),
            (1, ResponseCode::InvalidIdentityHeader)
        ]
    );
    let kept = [&reasons[0], &reasons[2], &reasons[4], &reasons[5]];
    assert!(others.iter().eq(kept));
    // A signature that is the start of another is another.
    assert!(!reasons[1].is_about(&header("..CCC")));
}

// SIP-26: other elements' Reasons are passed on, with what only those understand.
#[test]
fn parameters_that_nobody_knows_are_passed_on_and_cannot_begin_another_field() {
    for (value, expected) in [
        (
            "Q.850;location=LN;cause=16;text=\"Normal\";iv",
            "Q.850 ;cause=16 ;text=\"Normal\" ;location=LN ;iv",
        ),
        (
            "SIP ;cause=200 ;h=[2001:db8::1] ;q=\"a \\\" b\"",
            "SIP ;cause=200 ;h=\"[2001:db8::1]\" ;q=\"a \\\" b\"",
        ),
        ("SIP;a=\"b\r\nX: y\"", "SIP"),
        ("SIP;a=b,STIR;cause=438", "SIP ;cause=438"),
        ("SIP;a=<b>", "SIP"),
    ] {
        let read = ReasonHeader::parse(value).unwrap();
        assert_eq!(read.to_value(), expected);
        assert_eq!(ReasonHeader::parse(expected).as_ref(), Ok(&read));
    }
}

#[test]
fn refuses_values_in_another_form() {
    for value in [
        "",
        ";cause=436",
        "STIR;",
        "STIR;cause",
        "STIR;cause=",
        "STIR;cause=\"436\"",
        "STIR;cause=+436",
        "STIR;cause=65536",
        "STIR;cause=4x6",
        "STIR;cause=436;cause=436",
        "STIR;text=Bad",
        "STIR;text=\"Bad",
        "STIR;text=\"Bad\\",
        "STIR;text=\"a\";TEXT=\"b\"",
        "STIR;ppi=..CCCC",
        "STIR;ppi=\"CCCC\"",
        "STIR;ppi=\"AAAA..CCCC\"",
        "STIR;ppi=\"..CCCC\";ppi=\"..CCCC\"",
        "STIR;ppi=\"..CCCC\\\"\"",
        "ST IR;cause=436",
        "STIR;cause=436\r\n",
        "STIR,;cause=436",
    ] {
        assert_eq!(
            ReasonHeader::parse(value),
            Err(Reason::MalformedReasonHeader),
            "{value:?}"
        );
        assert!(ReasonHeader::parse_line(value).is_err(), "{value:?}");
    }
}

#[test]
fn limits_length_and_number() {
    let long = format!("STIR;text=\"{}\"", "a".repeat(MAX_REASON_HEADER_LEN));
    assert_eq!(ReasonHeader::parse(&long), Err(Reason::TooLong));
    let most = vec!["STIR;cause=436"; MAX_REASON_HEADERS].join(",");
    assert_eq!(
        ReasonHeader::parse_line(&most).unwrap().len(),
        MAX_REASON_HEADERS
    );
    assert_eq!(
        ReasonHeader::parse_line(&format!("{most},STIR")),
        Err(Reason::TooLong)
    );
    let endless = ",".repeat(MAX_REASON_HEADERS * MAX_REASON_HEADER_LEN + 1);
    assert_eq!(ReasonHeader::parse_line(&endless), Err(Reason::TooLong));
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,60}", tail in "[;=\\\\\", a-z0-9.]{0,60}") {
        let _ = ReasonHeader::parse_line(&text);
        let _ = ReasonHeader::parse_line(&format!("STIR;cause=436;{tail}"));
    }

    #[test]
    fn what_is_written_reads_back(
        protocol in "[A-Za-z0-9.]{1,8}",
        cause in prop::option::of(any::<u16>()),
        text in prop::option::of("[ -~\u{e9}]{0,20}"),
        ppi in prop::option::of("([A-Za-z0-9_-]{1,9}\\.[A-Za-z0-9_-]{1,9}|\\.)\\.[A-Za-z0-9_-]{1,9}"),
    ) {
        let mut value = protocol.clone();
        if let Some(cause) = cause {
            value.push_str(&format!(";cause={cause}"));
        }
        if let Some(text) = &text {
            let inside = text.replace('\\', "\\\\").replace('"', "\\\"");
            value.push_str(&format!("; text=\"{inside}\""));
        }
        if let Some(ppi) = &ppi {
            value.push_str(&format!(" ;ppi=\"{ppi}\";x=y"));
        }
        let reason = ReasonHeader::parse(&value).unwrap();
        prop_assert_eq!(reason.protocol(), protocol);
        prop_assert_eq!(reason.cause(), cause);
        prop_assert_eq!(reason.text(), text.as_deref());
        prop_assert_eq!(reason.ppi(), ppi.as_deref());
        prop_assert_eq!(ReasonHeader::parse_line(&reason.to_value()), Ok(vec![reason]));
    }
}
