use proptest::prelude::*;
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::RustCrypto;

use super::{CallNonce, CallPhase, CallState, Content, RspRequest};
use crate::StatementDigest;

const N: &str = "AAECAwQFBgcICQoLDA0ODw";

fn nonce() -> CallNonce {
    CallNonce::from_octets([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
}

fn written(content: &Content) -> String {
    String::from_utf8(content.to_octets().unwrap().to_vec()).unwrap()
}

#[test]
fn writes_members_in_the_documented_order_without_white_space() {
    let mut content = Content::new(nonce());
    content.ppts = vec!["a.b.c".into()];
    content.cps = Some("cps.example.com".into());
    assert_eq!(
        written(&content),
        format!(r#"{{"v":1,"ppts":["a.b.c"],"cps":"cps.example.com","n":"{N}"}}"#)
    );
    content.x5c = vec!["MIIB".into(), "MIIC".into()];
    content.ksd = Some(StatementDigest::from_octets([0; 32]));
    content.rsp = Some(RspRequest {
        to: "https://cps.example.com".into(),
        want: true,
        eks: "d.e.f".into(),
    });
    content.st = Some(CallState {
        s: CallPhase::Alerting,
        t_ms: 1_700_000_000_123,
        u_ms: Some(510),
    });
    assert_eq!(
        written(&content),
        format!(
            r#"{{"v":1,"ppts":["a.b.c"],"x5c":["MIIB","MIIC"],"cps":"cps.example.com","ksd":"{}","n":"{N}","rsp":{{"to":"https://cps.example.com","want":true,"eks":"d.e.f"}},"st":{{"s":"alerting","t":1700000000123,"u":510}}}}"#,
            "A".repeat(43)
        )
    );
}

#[test]
fn a_control_message_needs_no_passport() {
    let text = format!(r#"{{"v":1,"n":"{N}","st":{{"s":"gone","t":5}}}}"#);
    let content = Content::parse(text.as_bytes()).unwrap();
    assert!(content.ppts.is_empty());
    assert_eq!(
        content.st,
        Some(CallState {
            s: CallPhase::Gone,
            t_ms: 5,
            u_ms: None,
        })
    );
    assert_eq!(written(&content), text);
}

#[test]
fn unknown_members_and_white_space_are_ignored() {
    let text = format!(
        r#" {{ "future": {{"a":[1]}}, "n":"{N}", "ppts":["x"], "v":1, "st":{{"s":"answered","t":0,"x":1}} }} "#
    );
    let content = Content::parse(text.as_bytes()).unwrap();
    assert_eq!(content.ppts, ["x"]);
    assert_eq!(content.n, nonce());
}

#[test]
fn refuses_members_of_the_wrong_form() {
    let many = format!("[{}]", ["\"x\""; 9].join(","));
    for members in [
        // v
        format!(r#""ppts":["x"],"n":"{N}""#),
        format!(r#""v":2,"ppts":["x"],"n":"{N}""#),
        format!(r#""v":1.0,"ppts":["x"],"n":"{N}""#),
        format!(r#""v":"1","ppts":["x"],"n":"{N}""#),
        format!(r#""v":true,"ppts":["x"],"n":"{N}""#),
        // ppts
        format!(r#""v":1,"n":"{N}""#),
        format!(r#""v":1,"ppts":[],"n":"{N}""#),
        format!(r#""v":1,"ppts":[""],"n":"{N}""#),
        format!(r#""v":1,"ppts":[1],"n":"{N}""#),
        format!(r#""v":1,"ppts":"x","n":"{N}""#),
        format!(r#""v":1,"ppts":null,"n":"{N}","st":{{"s":"gone","t":1}}"#),
        format!(r#""v":1,"ppts":{many},"n":"{N}""#),
        // x5c
        format!(r#""v":1,"ppts":["x"],"x5c":{many},"n":"{N}""#),
        format!(r#""v":1,"ppts":["x"],"x5c":[],"n":"{N}""#),
        format!(r#""v":1,"ppts":["x"],"x5c":"x","n":"{N}""#),
        // cps, ksd
        format!(r#""v":1,"ppts":["x"],"cps":1,"n":"{N}""#),
        format!(r#""v":1,"ppts":["x"],"cps":"","n":"{N}""#),
        format!(r#""v":1,"ppts":["x"],"ksd":"AAAA","n":"{N}""#),
        format!(r#""v":1,"ppts":["x"],"ksd":null,"n":"{N}""#),
        // n
        r#""v":1,"ppts":["x"]"#.to_owned(),
        r#""v":1,"ppts":["x"],"n":"""#.to_owned(),
        r#""v":1,"ppts":["x"],"n":"AAECAwQFBgcICQoLDA0ODw==""#.to_owned(),
        r#""v":1,"ppts":["x"],"n":"AAECAwQFBgcICQoLDA0ODx""#.to_owned(),
        r#""v":1,"ppts":["x"],"n":"AAECAwQFBgcICQoLDA0O""#.to_owned(),
        r#""v":1,"ppts":["x"],"n":"AAECAwQFBgcICQoLDA0ODxAR""#.to_owned(),
        r#""v":1,"ppts":["x"],"n":16"#.to_owned(),
        // rsp
        format!(r#""v":1,"ppts":["x"],"n":"{N}","rsp":{{}}"#),
        format!(r#""v":1,"ppts":["x"],"n":"{N}","rsp":true"#),
        format!(r#""v":1,"ppts":["x"],"n":"{N}","rsp":{{"to":"x","want":1,"eks":"y"}}"#),
        format!(r#""v":1,"ppts":["x"],"n":"{N}","rsp":{{"to":"x","want":true,"eks":""}}"#),
        // st
        format!(r#""v":1,"n":"{N}","st":{{"s":"gone"}}"#),
        format!(r#""v":1,"n":"{N}","st":{{"s":"Gone","t":1}}"#),
        format!(r#""v":1,"n":"{N}","st":{{"s":"gone","t":-1}}"#),
        format!(r#""v":1,"n":"{N}","st":{{"s":"gone","t":1.5}}"#),
        format!(r#""v":1,"n":"{N}","st":{{"s":"gone","t":9007199254740993}}"#),
        format!(r#""v":1,"n":"{N}","st":{{"s":"gone","t":1,"u":-1}}"#),
        format!(r#""v":1,"n":"{N}","st":{{"s":"gone","t":1,"u":"1"}}"#),
        format!(r#""v":1,"n":"{N}","st":{{"s":"gone","t":1,"u":9007199254740993}}"#),
        format!(r#""v":1,"n":"{N}","st":[]"#),
    ] {
        assert_eq!(
            Content::parse(format!("{{{members}}}").as_bytes()),
            Err(Reason::MalformedContent),
            "{members}"
        );
    }
}

#[test]
fn refuses_what_is_not_one_json_object() {
    for text in ["", "[]", "1", "{", "{}x", "\u{feff}{}"] {
        assert_eq!(
            Content::parse(text.as_bytes()),
            Err(Reason::MalformedContent)
        );
    }
    assert_eq!(
        Content::parse(b"{\"v\":1,\"n\":\"\xff\"}"),
        Err(Reason::MalformedContent)
    );
    let doubled = format!(r#"{{"v":1,"ppts":["x"],"n":"{N}","n":"{N}"}}"#);
    assert_eq!(
        Content::parse(doubled.as_bytes()),
        Err(Reason::DuplicateMember)
    );
    assert_eq!(
        Content::parse(" ".repeat(16_327).as_bytes()),
        Err(Reason::TooLong)
    );
}

#[test]
fn does_not_write_what_it_would_not_read() {
    let good = {
        let mut content = Content::new(nonce());
        content.ppts = vec!["x".into()];
        content
    };
    let bad = |change: fn(&mut Content)| {
        let mut content = good.clone();
        change(&mut content);
        content.to_octets().map(drop)
    };
    for change in [
        |c: &mut Content| c.ppts.clear(),
        |c: &mut Content| c.ppts = vec!["x".into(); 9],
        |c: &mut Content| c.ppts.push(String::new()),
        |c: &mut Content| c.x5c = vec!["x".into(); 9],
        |c: &mut Content| c.cps = Some(String::new()),
        |c: &mut Content| {
            c.st = Some(CallState {
                s: CallPhase::Gone,
                t_ms: u64::MAX,
                u_ms: None,
            });
        },
        |c: &mut Content| {
            c.st = Some(CallState {
                s: CallPhase::Answered,
                t_ms: 5,
                u_ms: Some(u64::MAX),
            });
        },
    ] {
        assert_eq!(bad(change), Err(Reason::MalformedContent));
    }
}

#[test]
fn nonces_are_fresh_and_never_printed() {
    let one = CallNonce::generate(&RustCrypto).unwrap();
    assert_ne!(one, CallNonce::generate(&RustCrypto).unwrap());
    assert_eq!(format!("{one:?}"), "CallNonce(..)");
    let mut content = Content::new(nonce());
    content.ppts = vec!["secret-token".into()];
    assert!(!format!("{content:?}").contains("secret"));
}

fn any_content() -> impl Strategy<Value = Content> {
    let rsp = (".{1,12}", any::<bool>(), ".{1,12}").prop_map(|(to, want, eks)| RspRequest {
        to,
        want,
        eks,
    });
    let time = 0..=super::MAX_TIME_MS;
    let st = (0..3_usize, time.clone(), prop::option::of(time)).prop_map(|(phase, t_ms, u_ms)| {
        CallState {
            s: CallPhase::ALL[phase],
            t_ms,
            u_ms,
        }
    });
    (
        prop::collection::vec(".{1,12}", 1..=8),
        prop::collection::vec(".{1,12}", 0..=8),
        prop::option::of(".{1,12}"),
        prop::option::of(any::<[u8; 32]>()),
        any::<[u8; 16]>(),
        prop::option::of(rsp),
        prop::option::of(st),
    )
        .prop_map(|(ppts, x5c, cps, ksd, n, rsp, st)| Content {
            ppts,
            x5c,
            cps,
            ksd: ksd.map(StatementDigest::from_octets),
            n: CallNonce::from_octets(n),
            rsp,
            st,
        })
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(content in any_content()) {
        prop_assert_eq!(Content::parse(&content.to_octets().unwrap()), Ok(content));
    }

    #[test]
    fn reading_never_panics(octets in prop::collection::vec(any::<u8>(), 0..100), text in r#"\{("(v|n|st|rsp|ppts)":[0-9"\[\]{}a-z:,]{0,9},?){0,5}\}"#) {
        let _ = Content::parse(&octets);
        let _ = Content::parse(text.as_bytes());
    }
}
