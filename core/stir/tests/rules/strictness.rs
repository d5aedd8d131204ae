//! What a lenient reader lets pass, what no reader does, and listing every defect (PPT-6, PPT-9, PPT-13).

use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::Passport;
use ringtrue_stir::{Reason, Strictness, base64url};

use crate::signing::Caller;
use crate::tokens::{HEADER, PAYLOAD};

const LENIENT: Strictness = Strictness::Lenient;
const STRICT: Strictness = Strictness::Strict;

#[test]
fn tolerable_deviations_are_warnings_to_a_lenient_reader_and_refused_by_a_strict_one() {
    let caller = Caller::new();
    let quoted = PAYLOAD.replace("1780000000", r#""1780000000""#);
    let unsorted = PAYLOAD.replace(r#"["12025550199"]"#, r#"["9","10"]"#);
    let spaced = PAYLOAD.replace(',', ", ");
    let all = unsorted.replace("1780000000", r#" "1780000000""#);
    for (payload, deviations) in [
        (PAYLOAD, &[][..]),
        (&quoted, &[Reason::IatNotNumber][..]),
        (&unsorted, &[Reason::DestNotSorted][..]),
        (&spaced, &[Reason::NotCanonical][..]),
        (
            &all,
            &[
                Reason::IatNotNumber,
                Reason::DestNotSorted,
                Reason::NotCanonical,
            ][..],
        ),
    ] {
        let text = caller.token(HEADER, payload);
        let passport = Passport::parse_with(&text, LENIENT).unwrap();
        assert_eq!(passport.deviations(), deviations);
        assert_eq!(passport.claims().iat().as_secs(), 1_780_000_000);
        let verified = passport.verify_with(&RustCrypto, &caller.path(), LENIENT);
        assert_eq!(verified.unwrap().deviations(), deviations);
        let key = &caller.key.public;
        let by_key = passport.verify_with_key(&RustCrypto, key, LENIENT);
        assert_eq!(by_key, Ok(deviations));
        let strictly = passport.verify(&RustCrypto, &caller.path()).map(|_| ());
        assert_eq!(strictly.err(), deviations.first().copied());
        let strictly = passport.verify_with_key(&RustCrypto, key, STRICT);
        assert_eq!(strictly.err(), deviations.first().copied());
        let (examined, reasons) = Passport::examine(&text, STRICT);
        assert!(examined.is_some());
        assert_eq!(reasons, deviations);
        assert!(Passport::examine(&text, LENIENT).1.is_empty());
        // A bad signature is bad to both.
        let other = Caller::new();
        for strictness in [STRICT, LENIENT] {
            let refused = passport.verify_with(&RustCrypto, &other.path(), strictness);
            assert_eq!(refused.unwrap_err(), Reason::SignatureInvalid);
            let key = &other.key.public;
            let refused = passport.verify_with_key(&RustCrypto, key, strictness);
            assert_eq!(refused, Err(Reason::SignatureInvalid));
        }
    }
}

#[test]
fn a_strict_parser_reads_no_quoted_iat_and_no_parser_any_other_text() {
    let caller = Caller::new();
    let parse = |iat: &str, strictness| {
        let text = caller.token(HEADER, &PAYLOAD.replace("1780000000", iat));
        Passport::parse_with(&text, strictness).map(|passport| passport.claims().iat().as_secs())
    };
    assert_eq!(parse(r#""1""#, LENIENT), Ok(1));
    let most = format!("\"{}\"", u64::MAX);
    assert_eq!(parse(&most, LENIENT), Ok(u64::MAX));
    assert_eq!(parse(r#""1780000000""#, STRICT), Err(Reason::IatNotNumber));
    for iat in [
        r#""""#,
        r#"" 1780000000""#,
        r#""+1780000000""#,
        r#""-1""#,
        r#""1780000000.0""#,
        r#""1.78e9""#,
        r#""18446744073709551616""#,
        r#""000000000000000000001""#,
        r#"["1780000000"]"#,
        "1780000000.5",
        "1780000000.0",
        "true",
    ] {
        assert_eq!(parse(iat, LENIENT), Err(Reason::IatNotNumber), "{iat}");
    }
}

#[test]
fn leniency_never_extends_to_what_can_be_read_in_two_ways() {
    let caller = Caller::new();
    let shaken = HEADER.replace(r#""typ""#, r#""ppt":"shaken","typ""#);
    for (header, payload, reason) in [
        (
            HEADER,
            &*PAYLOAD.replacen('{', r#"{"iat":1,"#, 1),
            Reason::DuplicateMember,
        ),
        (
            &HEADER.replace("ES256", "none"),
            PAYLOAD,
            Reason::AlgorithmNotAllowed,
        ),
        (
            &HEADER.replace("passport", "JWT"),
            PAYLOAD,
            Reason::TypeMismatch,
        ),
        (
            HEADER,
            &PAYLOAD.replace("12025550143", "+12025550143"),
            Reason::MalformedNumber,
        ),
        (
            HEADER,
            &PAYLOAD.replace(r#"["12025550199"]"#, r#""1""#),
            Reason::MalformedDest,
        ),
        (&shaken, PAYLOAD, Reason::AttestNotAllowed),
    ] {
        let text = caller.token(header, payload);
        for strictness in [STRICT, LENIENT] {
            let refused = Passport::parse_with(&text, strictness).unwrap_err();
            assert_eq!(refused, reason);
        }
    }
}

#[test]
fn examining_lists_every_defect_and_parsing_gives_the_first() {
    let caller = Caller::new();
    let text = caller.token(
        r#"{"alg":"none","ppt":"shaken","typ":"JWT","x5u":"http://a.example"}"#,
        r#"{"attest":"D","dest":{},"mky":[],"orig":{"tn":"+1"},"sph":1}"#,
    );
    let text = format!(
        "{}.{}",
        text.rsplit_once('.').unwrap().0,
        base64url::encode(&[0; 63])
    );
    for strictness in [STRICT, LENIENT] {
        let (passport, reasons) = Passport::examine(&text, strictness);
        assert!(passport.is_none());
        let expected = [
            Reason::AlgorithmNotAllowed,
            Reason::MalformedSignature,
            Reason::TypeMismatch,
            Reason::MalformedUrl,
            Reason::IatMissing,
            Reason::MalformedNumber,
            Reason::MalformedDest,
            Reason::AttestNotAllowed,
            Reason::MalformedOrigid,
            Reason::MalformedMky,
            Reason::SphNotAllowed,
        ];
        assert_eq!(reasons, expected);
        let refused = Passport::parse_with(&text, strictness).unwrap_err();
        assert_eq!(refused, expected[0]);
    }
}

#[test]
fn examining_goes_on_where_a_part_cannot_be_read() {
    let caller = Caller::new();
    let good = caller.token(HEADER, PAYLOAD);
    let parts: Vec<&str> = good.split('.').collect();
    let only = |text: &str| {
        let (passport, reasons) = Passport::examine(text, LENIENT);
        assert!(passport.is_none(), "{text}");
        reasons
    };
    assert_eq!(
        only(&format!("!.{}.{}", parts[1], parts[2])),
        [Reason::MalformedToken]
    );
    let header = base64url::encode(b"{");
    let expected = [
        Reason::MalformedJson,
        Reason::IatMissing,
        Reason::MalformedOrig,
        Reason::DestMissing,
    ];
    assert_eq!(only(&format!("{header}.e30.{}", parts[2])), expected);
    let expected = [
        Reason::MalformedToken,
        Reason::TypeMismatch,
        Reason::X5uMissing,
    ];
    assert_eq!(only(&format!("e30.{}=.", parts[1]))[..1], expected[..1]);
    assert_eq!(
        only(&format!("..{}", parts[2])),
        [Reason::CompactFormNotAllowed]
    );
    assert_eq!(only(""), [Reason::MalformedToken]);
    assert_eq!(only(&"A".repeat(70_000)), [Reason::TooLong]);
}

#[test]
fn an_unsupported_type_is_named_beside_what_else_is_wrong() {
    let caller = Caller::new();
    let header = HEADER.replace(r#""typ""#, r#""ppt":"other","typ""#);
    let (passport, reasons) = Passport::examine(&caller.token(&header, PAYLOAD), STRICT);
    assert!(passport.is_some());
    assert_eq!(reasons, [Reason::PptUnsupported]);
    let (passport, reasons) = Passport::examine(&caller.token(&header, "{}"), STRICT);
    assert!(passport.is_none());
    assert_eq!(reasons[..2], [Reason::PptUnsupported, Reason::IatMissing]);
    let passport = Passport::parse(&caller.token(&header, PAYLOAD)).unwrap();
    let key = &caller.key.public;
    for strictness in [STRICT, LENIENT] {
        let refused = passport.verify_with_key(&RustCrypto, key, strictness);
        assert_eq!(refused, Err(Reason::PptUnsupported));
        let refused = passport.verify_with(&RustCrypto, &caller.path(), strictness);
        assert_eq!(refused.unwrap_err(), Reason::PptUnsupported);
    }
}

#[test]
fn a_strict_reader_refuses_what_is_inside_a_token_as_strictly() {
    let caller = Caller::new();
    let inner = caller.token(HEADER, &PAYLOAD.replace("1780000000", r#""1780000000""#));
    let header = HEADER.replace(r#""typ""#, r#""ppt":"div-o","typ""#);
    let payload = PAYLOAD.replace(
        r#""iat":1780000000"#,
        &format!(r#""div":{{"tn":"1"}},"iat":1780000000,"opt":"{inner}""#),
    );
    let outer = caller.token(&header, &payload);
    assert_eq!(Passport::parse(&outer).unwrap_err(), Reason::IatNotNumber);
    let passport = Passport::parse_with(&outer, LENIENT).unwrap();
    // The deviation is that of the token inside.
    assert!(passport.deviations().is_empty());
    let inside = passport.claims().opt().unwrap();
    assert_eq!(inside.deviations(), [Reason::IatNotNumber]);
    assert_eq!(Passport::examine(&outer, STRICT).1, [Reason::IatNotNumber]);
    assert!(Passport::examine(&outer, LENIENT).1.is_empty());
}
