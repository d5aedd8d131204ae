//! Answers from a party that the call was diverted to (RSP-5 to RSP-8).

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::chain::{DiversionChain, check_diverted_answer};
use ringtrue_stir::passport::{Passport, PassportBuilder, PassportType, VerifiedPassport};
use serde_json::json;

use crate::diversions::{A, B, C, D, div, party, token, who};
use crate::issuing::NOW;
use crate::tokens::x5u;

fn check(diversions: &[&VerifiedPassport], rsp: &VerifiedPassport) -> Result<(), Reason> {
    let diversions: Vec<_> = diversions.iter().copied().cloned().collect();
    check_diverted_answer(&who(A), &who(B), &diversions, rsp)
}

#[test]
fn an_answer_by_the_dialled_party_needs_no_diversion_and_any_other_does() {
    let by = party(A);
    let rsp = |number: &str| token(&by, "rsp", &json!({"dest": {"tn": [number]}}));
    assert_eq!(check(&[], &rsp(B)), Ok(()));
    assert_eq!(check(&[], &rsp(C)), Err(Reason::DestMismatch));
    let (one, two) = (div(&by, B, C), div(&by, C, D));
    assert_eq!(check(&[&one], &rsp(C)), Ok(()));
    assert_eq!(check(&[&two, &one, &two], &rsp(D)), Ok(()));
}

#[test]
fn refuses_an_answer_that_the_diversions_do_not_lead_to() {
    let by = party(A);
    let rsp = |number: &str| token(&by, "rsp", &json!({"dest": {"tn": [number]}}));
    let (one, two) = (div(&by, B, C), div(&by, C, D));
    for (diversions, reached, reason) in [
        (vec![&one], B, Reason::DestMismatch),
        (vec![&one], D, Reason::DestMismatch),
        (vec![&one, &two], C, Reason::DestMismatch),
        (vec![&two], D, Reason::DivMismatch),
        (vec![&one, &div(&by, D, A)], A, Reason::DivChainIncomplete),
        (vec![&one, &div(&by, B, D)], D, Reason::DivChainIncomplete),
        (vec![&one, &rsp(C)], C, Reason::UnexpectedRsp),
    ] {
        assert_eq!(check(&diversions, &rsp(reached)), Err(reason), "{reached}");
    }
    let many = json!({"dest": {"tn": [C, D]}});
    let refused = check(&[&one], &token(&by, "rsp", &many));
    assert_eq!(refused, Err(Reason::DestMismatch));
}

#[test]
fn refuses_an_answer_or_a_diversion_for_another_caller() {
    let by = party(A);
    let orig = json!({"tn": "12025550144"});
    let rsp = token(&by, "rsp", &json!({"dest": {"tn": [C]}, "orig": orig}));
    let one = div(&by, B, C);
    assert_eq!(check(&[&one], &rsp), Err(Reason::OrigMismatch));
    let rsp = token(&by, "rsp", &json!({"dest": {"tn": [C]}}));
    let foreign = json!({"div": {"tn": B}, "dest": {"tn": [C]}, "orig": orig});
    let foreign = token(&by, "div", &foreign);
    assert_eq!(check(&[&foreign], &rsp), Err(Reason::DivOrigMismatch));
    // Something else than an answer answers nothing.
    assert_eq!(check(&[&one], &one), Err(Reason::UnexpectedRsp));
}

#[test]
fn a_div_o_in_an_answer_has_the_callers_own_token_inside() {
    let by = party(A);
    let own = token(&by, "msg", &json!({"dest": {"tn": [B]}}));
    let opt = own.passport().text();
    let one = json!({"div": {"tn": B}, "dest": {"tn": [C]}, "opt": opt});
    let one = token(&by, "div-o", &one);
    let opt = one.passport().text();
    let two = json!({"div": {"tn": C}, "dest": {"tn": [D]}, "opt": opt});
    let two = token(&by, "div-o", &two);
    let rsp = token(&by, "rsp", &json!({"dest": {"tn": [D]}}));
    assert_eq!(check(&[&two, &one], &rsp), Ok(()));
    assert_eq!(check(&[&two], &rsp), Err(Reason::DivMismatch));
    // The chain that a div-o carries is not left out.
    let opt = two.passport().text();
    let back = json!({"div": {"tn": B}, "dest": {"tn": [D]}, "opt": opt});
    let back = token(&by, "div-o", &back);
    assert_eq!(check(&[&back], &rsp), Err(Reason::DivMismatch));
}

#[test]
fn an_answer_is_built_for_where_the_diversions_led_and_nowhere_else() {
    let by = party(A);
    let own = token(&by, "msg", &json!({"dest": {"tn": [B]}}));
    let chain = DiversionChain::assemble(&[own, div(&by, B, C)]).unwrap();
    let built = PassportBuilder::rsp_after(&chain, &who(C), NOW, &x5u()).unwrap();
    let text = built.build().unwrap().sign(&RustCrypto, &by.key).unwrap();
    let rsp = Passport::parse(&text).unwrap();
    assert_eq!(rsp.kind(), PassportType::Rsp);
    assert_eq!(rsp.spoken_for(), [who(C)]);
    let rsp = rsp.verify(&RustCrypto, &by.path()).unwrap();
    assert_eq!(check(&[&div(&by, B, C)], &rsp), Ok(()));
    for elsewhere in [A, B, D] {
        let built = PassportBuilder::rsp_after(&chain, &who(elsewhere), NOW, &x5u());
        assert_eq!(built.map(|_| ()), Err(Reason::DestMismatch));
    }
}
