//! What a party that diverts a call signs (PPT-50, PPT-53, PPT-59, PPT-63).

use ringtrue_stir::passport::chain::tokens_to_divert;
use ringtrue_stir::passport::{
    Destinations, Diversion, Identity, MAX_DIVERSIONS, Passport, PassportBuilder, VerifiedPassport,
};
use ringtrue_stir::{Reason, Strictness, json};
use serde_json::json;

use crate::diversions::{A, B, C, D, E, chained, div, original, party, sign, token, who};
use crate::issuing::NOW;
use crate::tn;
use crate::tokens::x5u;

#[test]
fn one_diversion_is_signed_for_all_tokens_of_one_call_and_none_for_earlier_targets() {
    let by = party(A);
    let passport = |verified: VerifiedPassport| verified.passport().clone();
    let base = passport(original(&by, B));
    let rph = json!({"dest": {"tn": [B]}, "rph": {"auth": ["ets.0"]}});
    let rph = passport(token(&by, "rph", &rph));
    let wider = json!({"dest": {"tn": [B, C]}, "rph": {"auth": ["ets.0"]}});
    let wider = passport(token(&by, "rph", &wider));
    let diverted = passport(div(&by, B, C));
    let rsp = passport(token(&by, "rsp", &json!({"dest": {"tn": [C]}})));
    let unsupported = Passport::parse(&by.token(
        r#"{"alg":"ES256","ppt":"x","typ":"passport","x5u":"https://certs.example/a.pem"}"#,
        &format!(r#"{{"dest":{{"tn":["{C}"]}},"iat":1,"orig":{{"tn":"1"}}}}"#),
    ));
    let tokens = [base, rph, wider, diverted, rsp, unsupported.unwrap()];
    let chosen = |target: &str| -> Vec<usize> {
        let chosen = tokens_to_divert(&tokens, &who(target));
        let place = |one: &&Passport| tokens.iter().position(|token| token.says_the_same(one));
        chosen.iter().filter_map(place).collect()
    };
    assert_eq!(chosen(B), [0, 2]);
    assert_eq!(chosen(C), [2, 3]);
    assert!(chosen(D).is_empty());
}

#[test]
fn a_diversion_keeps_what_its_chain_check_wants() {
    let by = party(A);
    let dest = Destinations {
        tn: vec![tn(B), tn(C)],
        uri: vec!["sip:alice@Example.COM:5060".to_owned()],
    };
    let earlier = sign(PassportBuilder::base(&who(A), dest, NOW, &x5u()), &by);
    let new = || Destinations::of(tn(D));
    let alice = Identity::Uri("sip:alice@example.com".to_owned());
    for from in [who(B), who(C), alice] {
        let from = Diversion::of(from).with_history_index("1.2").unwrap();
        let build = |builder: Result<PassportBuilder, Reason>| sign(builder.unwrap(), &by);
        let passport = earlier.passport();
        let link = build(PassportBuilder::div(passport, &from, new(), NOW, &x5u()));
        assert_eq!(link.claims().div(), Some(&from));
        assert_eq!(link.claims().orig(), earlier.claims().orig());
        assert_eq!(chained(&[&link, &earlier]).links().len(), 1);
        let nested = build(PassportBuilder::div_o(passport, &from, new(), NOW, &x5u()));
        let inside = nested.claims().opt().unwrap();
        assert_eq!(inside.text(), passport.text());
        assert_eq!(chained(&[&nested, &earlier]).links().len(), 1);
    }
    let div = |earlier: &Passport, from: &str| {
        let from = Diversion::of(who(from));
        let plain = PassportBuilder::div(earlier, &from, new(), NOW, &x5u()).map(|_| ());
        let nested = PassportBuilder::div_o(earlier, &from, new(), NOW, &x5u()).map(|_| ());
        assert_eq!(plain, nested);
        plain.unwrap_err()
    };
    assert_eq!(div(earlier.passport(), E), Reason::DivMismatch);
    let rsp = token(&by, "rsp", &json!({"dest": {"tn": [B]}}));
    assert_eq!(div(rsp.passport(), B), Reason::UnexpectedRsp);
    let header = r#"{"alg":"ES256","ppt":"x","typ":"passport","x5u":"https://certs.example/a"}"#;
    let payload = format!(r#"{{"dest":{{"tn":["{B}"]}},"iat":1,"orig":{{"tn":"{A}"}}}}"#);
    let unsupported = Passport::parse(&by.token(header, &payload)).unwrap();
    assert_eq!(div(&unsupported, B), Reason::PptUnsupported);
}

#[test]
fn a_token_carries_five_others_and_no_sixth() {
    let by = party(A);
    let mut inner = original(&by, B);
    for _ in 0..MAX_DIVERSIONS {
        let from = Diversion::of(who(B));
        let dest = Destinations::of(tn(B));
        let builder = PassportBuilder::div_o(inner.passport(), &from, dest, NOW, &x5u());
        inner = sign(builder.unwrap(), &by);
    }
    assert_eq!(inner.passport().nested().count(), MAX_DIVERSIONS);
    let from = Diversion::of(who(B));
    let dest = Destinations::of(tn(C));
    let sixth = PassportBuilder::div_o(inner.passport(), &from, dest, NOW, &x5u()).unwrap();
    assert_eq!(sixth.build().unwrap_err(), Reason::DivTooDeep);
    let opt = inner.passport().text();
    let claims =
        json!({"dest": {"tn": [C]}, "div": {"tn": B}, "iat": 1, "opt": opt, "orig": {"tn": A}});
    let header =
        r#"{"alg":"ES256","ppt":"div-o","typ":"passport","x5u":"https://certs.example/a"}"#;
    let parsed = Passport::parse(&by.token(header, &json::canonical(&claims)));
    assert_eq!(parsed.unwrap_err(), Reason::DivTooDeep);
    let text = by.token(header, &json::canonical(&claims));
    let (passport, reasons) = Passport::examine(&text, Strictness::Lenient);
    assert_eq!(
        (passport.is_none(), reasons),
        (true, vec![Reason::DivTooDeep])
    );
}
