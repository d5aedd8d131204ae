//! Identity header values (RFC 8224 section 4).

use proptest::prelude::*;
use ringtrue_stir::passport::{Destinations, Identity, Passport, PassportBuilder};
use ringtrue_stir::sip::IdentityHeader;
use ringtrue_stir::sip::identity_header::{
    LONG_IDENTITY_HEADER_LEN, MAX_IDENTITY_HEADER_LEN, MAX_IDENTITY_HEADERS, TokenForm,
    split_header_values,
};
use ringtrue_stir::{Reason, Strictness, X5u};

use crate::issuing::{Key, NOW};
use crate::tn;

const VALUE: &str = "AAAA.BBBB.CCCC;info=<https://c.example/x>";

fn strict(value: &str) -> Result<IdentityHeader, Reason> {
    IdentityHeader::parse(value, Strictness::Strict)
}

fn passport(x5u: &str) -> Passport {
    let key = Key::new();
    let token = PassportBuilder::base(
        &Identity::Tn(tn("12025550143")),
        Destinations::of(tn("12025550199")),
        NOW,
        &X5u::parse(x5u).unwrap(),
    )
    .build()
    .unwrap()
    .sign(&ringtrue_stir::crypto::RustCrypto, &key)
    .unwrap();
    Passport::parse(&token).unwrap()
}

#[test]
fn absent_alg_is_es256_and_absent_ppt_is_none() {
    let header = strict(VALUE).unwrap();
    assert_eq!(header.alg(), "ES256");
    assert_eq!(header.ppt(), None);
    assert_eq!(header.form(), TokenForm::Full);
    assert_eq!(header.signature_text(), "CCCC");
}

#[test]
fn blanks_case_quotes_and_order_do_not_matter() {
    let written =
        " AAAA.BBBB.CCCC ; PPT = \"shaken\" ;Info\t=\t<https://c.example/x>;ALG=\"ES256\" ";
    let header = strict(written).unwrap();
    assert_eq!(header.ppt(), Some("shaken"));
    assert_eq!(
        header.to_value(),
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;alg=ES256;ppt=shaken"
    );
}

#[test]
fn unknown_parameters_are_kept_and_may_repeat() {
    let header = strict(&format!(
        "{VALUE};foo;bar=baz;foo=\"a \\\"b\\\";c\";h=[2001:db8::1]"
    ))
    .unwrap();
    let others: Vec<_> = header.others().collect();
    assert_eq!(
        others,
        [
            ("foo", None),
            ("bar", Some("baz")),
            ("foo", Some("a \"b\";c")),
            ("h", Some("[2001:db8::1]"))
        ]
    );
    assert_eq!(strict(&header.to_value()), Ok(header));
}

#[test]
fn refuses_what_is_not_the_grammar() {
    let many = format!("{VALUE}{}", ";x".repeat(32));
    for value in [
        "",
        ";",
        "AAAA.BBBB.CCCC",
        "AAAA.BBBB.CCCC;",
        "AAAA.BBBB;info=<https://c.example/x>",
        "AAAA.BBBB.CCCC.DDDD;info=<https://c.example/x>",
        "AAAA..CCCC;info=<https://c.example/x>",
        ".BBBB.CCCC;info=<https://c.example/x>",
        "..;info=<https://c.example/x>",
        "AA+A.BBBB.CCCC;info=<https://c.example/x>",
        "AAAA.BBBB.CCCC=;info=<https://c.example/x>",
        "AAAA.BBBB. CCCC;info=<https://c.example/x>",
        "\"AAAA.BBBB.CCCC\";info=<https://c.example/x>",
        "AAAA.BBBB.CCCC;alg=ES256",
        "AAAA.BBBB.CCCC;info",
        "AAAA.BBBB.CCCC;info=",
        "AAAA.BBBB.CCCC;info=<>",
        "AAAA.BBBB.CCCC;info=<https://c.example/x",
        "AAAA.BBBB.CCCC;info=https://c.example/x>",
        "AAAA.BBBB.CCCC;info=\"https://c.example/x\"",
        "AAAA.BBBB.CCCC;info=\"<https://c.example/x>\"",
        "AAAA.BBBB.CCCC;info=<c.example/x>",
        "AAAA.BBBB.CCCC;info=<https:>",
        "AAAA.BBBB.CCCC;info=<https://c.example/a b>",
        "AAAA.BBBB.CCCC;info=<https://c.example/é>",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>>",
        "AAAA.BBBB.CCCC;info=<https://c.example/x> alg=ES256",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;;alg=ES256",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;alg",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;alg=",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;alg=ES256;ALG=ES256",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;ppt=shaken;ppt=\"shaken\"",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;ppt=\"\"",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;ppt=\"shaken",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;ppt=\"sha\nken\"",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;ppt=<shaken>",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;ppt=sha ken",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;=x",
        "AAAA.BBBB.CCCC;info=<https://c.example/x>;x=a/b",
        "AAAA.BBBB.CCCC\r\n ;info=<https://c.example/x>",
        "Identity: AAAA.BBBB.CCCC;info=<https://c.example/x>",
        &many,
    ] {
        assert_eq!(
            strict(value),
            Err(Reason::MalformedIdentityHeader),
            "{value:?}"
        );
        assert!(IdentityHeader::parse(value, Strictness::Lenient).is_err());
    }
}

#[test]
fn an_info_without_brackets_is_left_to_policy_unless_something_else_is_wrong() {
    let bare = "AAAA.BBBB.CCCC;info=https://c.example/x;ppt=shaken";
    assert_eq!(strict(bare), Err(Reason::InfoNotBracketed));
    let header = IdentityHeader::parse(bare, Strictness::Lenient).unwrap();
    assert_eq!(header.warnings(), [Reason::InfoNotBracketed]);
    assert_eq!(header.ppt(), Some("shaken"));
    for value in [
        "AAAA.BBBB.CCCC;info=c.example;ppt=shaken",
        "AAAA.BBBB.CCCC;info=https://c.example/x;ppt",
    ] {
        assert_eq!(strict(value), Err(Reason::MalformedIdentityHeader));
    }
}

#[test]
fn limits_the_length_and_reports_a_long_header() {
    let with_len = |len: usize| {
        let tail = ".BBBB.CCCC;info=<https://c.example/x>";
        format!("{}{tail}", "A".repeat(len - tail.len()))
    };
    let warnings = |len| strict(&with_len(len)).unwrap().warnings().to_vec();
    assert_eq!(warnings(LONG_IDENTITY_HEADER_LEN), []);
    assert_eq!(warnings(LONG_IDENTITY_HEADER_LEN + 1), [Reason::HeaderLong]);
    assert_eq!(warnings(MAX_IDENTITY_HEADER_LEN), [Reason::HeaderLong]);
    assert_eq!(
        strict(&with_len(MAX_IDENTITY_HEADER_LEN + 1)),
        Err(Reason::TooLong)
    );
}

#[test]
fn parameters_must_agree_with_the_token() {
    let passport = passport("https://c.example/x");
    let agreement = |parameters: &str, strictness| {
        let value = format!("{};{parameters}", passport.text());
        strict(&value)
            .unwrap()
            .check_agreement(&passport, strictness)
    };
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        assert_eq!(
            agreement("info=<https://c.example/x>;alg=es256", strictness),
            Ok(None)
        );
        for parameters in [
            "info=<https://c.example/x>;alg=RS256",
            "info=<https://c.example/x>;alg=none",
            "info=<https://c.example/x>;ppt=shaken",
        ] {
            assert_eq!(
                agreement(parameters, strictness),
                Err(Reason::HeaderParameterMismatch),
                "{parameters}"
            );
        }
    }
    let other = "info=<https://d.example/x>";
    assert_eq!(
        agreement(other, Strictness::Strict),
        Err(Reason::InfoMismatch)
    );
    assert_eq!(
        agreement(other, Strictness::Lenient),
        Ok(Some(Reason::InfoMismatch))
    );
}

#[test]
fn a_built_header_carries_the_token_unchanged_and_agrees_with_it() {
    let passport = passport("https://c.example/x");
    let header = IdentityHeader::for_passport(&passport).unwrap();
    assert_eq!(
        header.to_value(),
        format!("{};info=<https://c.example/x>;alg=ES256", passport.text())
    );
    assert_eq!(
        header.check_agreement(&passport, Strictness::Strict),
        Ok(None)
    );
    assert!(!format!("{header:?}").contains("AAAA"));
}

#[test]
fn joined_values_are_split_in_lenient_mode_only() {
    let one = "A.B.C;info=<https://c.example/a,b>;x=\"a,\\\",b\"";
    let line = format!("{one} , {VALUE}");
    assert_eq!(
        split_header_values(&line, Strictness::Lenient),
        Ok(vec![one, VALUE])
    );
    assert_eq!(
        split_header_values(&line, Strictness::Strict),
        Err(Reason::MalformedIdentityHeader)
    );
    assert_eq!(split_header_values(one, Strictness::Strict), Ok(vec![one]));
    let most = vec![VALUE; MAX_IDENTITY_HEADERS].join(",");
    assert!(split_header_values(&most, Strictness::Lenient).is_ok());
    assert_eq!(
        split_header_values(&format!("{most},{VALUE}"), Strictness::Lenient),
        Err(Reason::TooLong)
    );
    let long = "a".repeat(MAX_IDENTITY_HEADERS * MAX_IDENTITY_HEADER_LEN + 1);
    assert_eq!(
        split_header_values(&long, Strictness::Lenient),
        Err(Reason::TooLong)
    );
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,80}", tail in "[;=<>\", a-zA-Z:/\\\\.-]{0,60}") {
        let joined = format!("A.B.C;info=<https://c.example/x>{tail}");
        for value in [&text, &tail, &joined] {
            for strictness in [Strictness::Strict, Strictness::Lenient] {
                let _ = IdentityHeader::parse(value, strictness);
                let _ = split_header_values(value, strictness);
            }
        }
    }

    #[test]
    fn what_is_written_reads_back(
        digest in "([A-Za-z0-9_-]{1,9}\\.[A-Za-z0-9_-]{1,9}|\\.)\\.[A-Za-z0-9_-]{1,9}",
        info in "[a-z][a-z0-9+.-]{0,6}:[!-~&&[^<>\"]]{1,20}",
        ppt in prop::option::of("[a-z-]{1,8}"),
        others in prop::collection::vec(("[d-h]{1,5}", prop::option::of("[ -~]{0,8}")), 0..4),
    ) {
        let mut value = format!("{digest};info=<{info}>;alg=ES256");
        if let Some(ppt) = &ppt {
            value.push_str(&format!(";ppt={ppt}"));
        }
        for (name, text) in &others {
            let quoted = |text: &String| text.replace('\\', "\\\\").replace('"', "\\\"");
            match text {
                None => value.push_str(&format!(";{name}")),
                Some(text) => value.push_str(&format!(";{name}=\"{}\"", quoted(text))),
            }
        }
        let header = strict(&value).unwrap();
        prop_assert_eq!(header.digest(), digest.as_str());
        prop_assert_eq!(header.info(), info.as_str());
        prop_assert_eq!(header.ppt(), ppt.as_deref());
        let kept: Vec<_> = header.others().collect();
        let meant: Vec<_> = others.iter().map(|(n, t)| (n.as_str(), t.as_deref())).collect();
        prop_assert_eq!(kept, meant);
        prop_assert_eq!(strict(&header.to_value()), Ok(header));
    }
}
