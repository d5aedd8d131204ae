//! Diversions: chains of `div` and `div-o` tokens (PPT-50 to PPT-63).

use std::time::Duration;

use ringtrue_stir::certificate::{Profile, verify_path};
use ringtrue_stir::crypto::{P256PublicKey, RustCrypto};
use ringtrue_stir::passport::chain::{DiversionChain, MAX_INNER_FRESHNESS};
use ringtrue_stir::passport::{
    Destinations, Identity, MAX_DIVERSIONS, Passport, PassportBuilder, PassportType,
    VerifiedPassport,
};
use ringtrue_stir::verification::ExpectedCall;
use ringtrue_stir::{Reason, json};
use serde_json::{Value, json};

use crate::issuing::{Key, NOW, Template, one};
use crate::paths::{anchors, bag};
use crate::signing::Caller;
use crate::tn;
use crate::tokens::x5u;

/// The caller's number.
pub(crate) const A: &str = "12025550143";
/// Whom the call was for.
pub(crate) const B: &str = "12025550150";
pub(crate) const C: &str = "12025550151";
pub(crate) const D: &str = "12025550152";
pub(crate) const E: &str = "12025550153";

/// Somebody whose certificate covers `number`.
pub(crate) fn party(number: &str) -> Caller {
    Caller::with(&Template::leaf(&[one(number)]))
}

pub(crate) fn who(number: &str) -> Identity {
    Identity::Tn(tn(number))
}

/// Verifies a token of `by` with these claims, `orig` [`A`] and `iat` [`NOW`] unless stated.
pub(crate) fn token(by: &Caller, ppt: &str, claims: &Value) -> VerifiedPassport {
    let header = json!({"alg": "ES256", "ppt": ppt, "typ": "passport", "x5u": x5u().as_str()});
    let mut payload = json!({"iat": NOW.as_secs(), "orig": {"tn": A}});
    let members = payload.as_object_mut().unwrap();
    for (name, value) in claims.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    let text = by.token(&json::canonical(&header), &json::canonical(&payload));
    verified(&Passport::parse(&text).unwrap(), by)
}

pub(crate) fn verified(passport: &Passport, by: &Caller) -> VerifiedPassport {
    passport.verify(&RustCrypto, &by.path()).unwrap()
}

pub(crate) fn sign(builder: PassportBuilder, by: &Caller) -> VerifiedPassport {
    let text = builder.build().unwrap().sign(&RustCrypto, &by.key).unwrap();
    verified(&Passport::parse(&text).unwrap(), by)
}

pub(crate) fn original(by: &Caller, to: &str) -> VerifiedPassport {
    let dest = Destinations::of(tn(to));
    sign(PassportBuilder::base(&who(A), dest, NOW, &x5u()), by)
}

pub(crate) fn div(by: &Caller, from: &str, to: &str) -> VerifiedPassport {
    token(
        by,
        "div",
        &json!({"div": {"tn": from}, "dest": {"tn": [to]}}),
    )
}

pub(crate) fn div_o(
    by: &Caller,
    from: &str,
    to: &str,
    inner: &VerifiedPassport,
) -> VerifiedPassport {
    let opt = inner.passport().text();
    let claims = json!({"div": {"tn": from}, "dest": {"tn": [to]}, "opt": opt});
    token(by, "div-o", &claims)
}

fn refused(tokens: &[&VerifiedPassport]) -> Reason {
    let tokens: Vec<_> = tokens.iter().copied().cloned().collect();
    DiversionChain::assemble(&tokens).unwrap_err()
}

pub(crate) fn chained(tokens: &[&VerifiedPassport]) -> DiversionChain {
    let tokens: Vec<_> = tokens.iter().copied().cloned().collect();
    DiversionChain::assemble(&tokens).unwrap()
}

fn is(one: &VerifiedPassport, other: &VerifiedPassport) -> bool {
    one.passport().says_the_same(other.passport())
}

#[test]
fn a_chain_is_found_in_whatever_order_its_tokens_come_and_repeats_count_once() {
    let by = party(A);
    let (original, one) = (original(&by, B), div(&by, B, C));
    let (two, three) = (div(&by, C, D), div(&by, D, E));
    let all = [&original, &one, &two, &three];
    for first in 0..4 {
        for second in 0..4 {
            let mut order = all;
            order.swap(0, first);
            order.swap(1, second);
            let mut twice = order.to_vec();
            twice.extend(order);
            for tokens in [order.to_vec(), twice] {
                let chain = chained(&tokens);
                assert!(is(chain.innermost(), &original) && is(chain.outermost(), &three));
                let links = chain.links().iter().zip([&one, &two, &three]);
                assert!(links.clone().all(|(found, expected)| is(found, expected)));
                assert_eq!(links.count(), 3);
                assert_eq!((chain.tokens().count(), chain.orig()), (4, &who(A)));
            }
        }
    }
}

#[test]
fn a_call_without_diversion_is_a_chain_of_its_own() {
    let by = party(A);
    let original = original(&by, B);
    let chain = chained(&[&original]);
    assert!(is(chain.innermost(), &original) && is(chain.outermost(), &original));
    assert!(chain.links().is_empty());
    // Two calls are no chain.
    let other = token(
        &by,
        "rph",
        &json!({"dest": {"tn": [C]}, "rph": {"auth": ["ets.0"]}}),
    );
    assert_eq!(refused(&[&original, &other]), Reason::DivChainIncomplete);
    assert_eq!(refused(&[]), Reason::DivChainIncomplete);
}

#[test]
fn several_original_tokens_may_start_a_chain_and_unrelated_ones_are_left_out() {
    let by = party(A);
    let (base, link) = (original(&by, B), div(&by, B, C));
    let rph = token(
        &by,
        "rph",
        &json!({"dest": {"tn": [B]}, "rph": {"auth": ["ets.0"]}}),
    );
    // Signed on the way, for the target after the diversion.
    let later = token(
        &by,
        "rph",
        &json!({"dest": {"tn": [C]}, "rph": {"auth": ["ets.0"]}}),
    );
    let chain = chained(&[&rph, &link, &later, &base]);
    let originals: Vec<_> = chain.originals().collect();
    assert_eq!(originals.len(), 2);
    assert!(is(originals[0], &rph) && is(originals[1], &base));
}

#[test]
fn refuses_a_div_that_is_no_destination_of_an_earlier_token() {
    let by = party(A);
    let (original, one) = (original(&by, B), div(&by, B, C));
    for (broken, reason) in [
        (div(&by, D, E), Reason::DivMismatch),
        (div(&by, A, E), Reason::DivMismatch),
        (div(&by, "2025550150", E), Reason::DivMismatch),
    ] {
        assert_eq!(refused(&[&original, &broken]), reason);
        assert_eq!(refused(&[&original, &one, &broken]), reason);
    }
    // A URI is not the number in it.
    let uri = json!({"div": {"uri": format!("sip:+{B}@x.example")}, "dest": {"tn": [C]}});
    let uri = token(&by, "div", &uri);
    assert_eq!(refused(&[&original, &uri]), Reason::DivMismatch);
}

#[test]
fn refuses_tokens_of_different_callers() {
    let by = party(A);
    let (original, one) = (original(&by, B), div(&by, B, C));
    let by_other = |claims: Value| token(&by, "div", &claims);
    let orig = json!({"tn": "12025550144"});
    let other = by_other(json!({"div": {"tn": C}, "dest": {"tn": [D]}, "orig": orig}));
    assert_eq!(refused(&[&original, &one, &other]), Reason::DivOrigMismatch);
    let other = by_other(json!({"div": {"tn": B}, "dest": {"tn": [D]}, "orig": orig}));
    assert_eq!(refused(&[&original, &other]), Reason::DivOrigMismatch);
}

#[test]
fn refuses_what_is_not_one_chain_to_an_original_token() {
    let by = party(A);
    let (original, one) = (original(&by, B), div(&by, B, C));
    let incomplete = Reason::DivChainIncomplete;
    assert_eq!(refused(&[&one]), incomplete);
    assert_eq!(refused(&[&one, &div(&by, C, D)]), incomplete);
    // Two that no other refers to.
    assert_eq!(refused(&[&original, &one, &div(&by, B, D)]), incomplete);
    // Circles, with a way in and without.
    let back = div(&by, C, B);
    assert_eq!(refused(&[&original, &one, &back]), incomplete);
    let circle = [&div(&by, D, E), &div(&by, E, D)];
    let last = div(&by, C, A);
    assert_eq!(
        refused(&[&original, &one, &last, circle[0], circle[1]]),
        incomplete
    );
    let rsp = token(&by, "rsp", &json!({"dest": {"tn": [B]}}));
    assert_eq!(refused(&[&original, &one, &rsp]), Reason::UnexpectedRsp);
}

#[test]
fn a_number_may_divert_twice_as_long_as_the_call_ends_elsewhere() {
    let by = party(A);
    let (original, one) = (original(&by, B), div(&by, B, C));
    let (back, last) = (div(&by, C, B), div(&by, B, D));
    let chain = chained(&[&last, &back, &one, &original]);
    let links = chain.links().iter().zip([&one, &back, &last]);
    assert!(links.clone().all(|(found, expected)| is(found, expected)));
    assert_eq!(links.count(), 3);
}

#[test]
fn five_diversions_are_the_most() {
    let by = party(A);
    let number = |index: usize| format!("1202555020{index}");
    let mut tokens = vec![original(&by, &number(0))];
    for index in 0..MAX_DIVERSIONS {
        tokens.push(div(&by, &number(index), &number(index + 1)));
    }
    assert_eq!(DiversionChain::assemble(&tokens).unwrap().links().len(), 5);
    tokens.push(div(&by, &number(5), &number(6)));
    let refused = DiversionChain::assemble(&tokens).unwrap_err();
    assert_eq!(refused, Reason::DivTooDeep);
}

#[test]
fn a_div_o_follows_the_very_token_inside_it() {
    let by = party(A);
    let original = original(&by, B);
    let inner = div_o(&by, B, C, &original);
    let outer = div_o(&by, C, D, &inner);
    assert_eq!(outer.passport().nested().count(), 2);
    let chain = chained(&[&outer, &original, &inner]);
    assert!(is(&chain.links()[0], &inner) && is(chain.outermost(), &outer));
    assert_eq!(refused(&[&outer, &original]), Reason::DivChainIncomplete);
    assert_eq!(refused(&[&outer, &inner]), Reason::DivChainIncomplete);
    assert_eq!(refused(&[&inner]), Reason::DivChainIncomplete);
    // Another token for the same call is not the one inside.
    let rph = token(
        &by,
        "rph",
        &json!({"dest": {"tn": [B]}, "rph": {"auth": ["ets.0"]}}),
    );
    assert_eq!(refused(&[&inner, &rph]), Reason::DivChainIncomplete);
    // What is inside names somebody else.
    let wrong = div_o(&by, D, C, &original);
    assert_eq!(refused(&[&wrong, &original]), Reason::DivMismatch);
}

#[test]
fn freshness_is_asked_of_every_token_and_widest_of_the_earlier_ones() {
    let by = party(A);
    let at = |ppt: &str, iat: u64, mut claims: Value| {
        claims["iat"] = json!(iat);
        token(&by, ppt, &claims)
    };
    let base = |iat| {
        at(
            "rph",
            iat,
            json!({"dest": {"tn": [B]}, "rph": {"auth": ["ets.0"]}}),
        )
    };
    let link = |iat, from, to| {
        let claims = json!({"div": {"tn": from}, "dest": {"tn": [to]}});
        at("div", iat, claims)
    };
    let now = NOW.as_secs();
    let (minute, skew) = (Duration::from_secs(60), Duration::from_secs(10));
    let check = |first: u64, middle: u64, last: u64, inner: Duration| {
        let chain = chained(&[&base(first), &link(middle, B, C), &link(last, C, D)]);
        chain.check_freshness(NOW, minute, inner, skew)
    };
    assert_eq!(check(now - 60, now - 60, now - 60, minute), Ok(()));
    assert_eq!(check(now, now, now - 61, minute), Err(Reason::IatStale));
    assert_eq!(check(now, now - 61, now, minute), Err(Reason::InnerStale));
    assert_eq!(check(now - 61, now, now, minute), Err(Reason::InnerStale));
    assert_eq!(check(now - 61, now - 62, now, minute * 2), Ok(()));
    for late in [[11, 0, 0], [0, 11, 0], [0, 0, 11]] {
        let [first, middle, last] = late.map(|secs| now + secs);
        let checked = check(first, middle, last, minute);
        assert_eq!(checked, Err(Reason::IatInFuture), "{late:?}");
    }
    // No policy reaches back further than three hours (PPT-57).
    let (most, day) = (MAX_INNER_FRESHNESS.as_secs(), minute * 60 * 24);
    assert_eq!(check(now - most, now, now, day), Ok(()));
    assert_eq!(
        check(now - most - 1, now, now, day),
        Err(Reason::InnerStale)
    );
    let alone = chained(&[&base(now - 61)]);
    let checked = alone.check_freshness(NOW, minute, day, skew);
    assert_eq!(checked, Err(Reason::IatStale));
}

#[test]
fn the_last_destination_must_be_the_target_of_the_call() {
    let by = party(A);
    let chain = chained(&[&original(&by, B), &div(&by, B, C)]);
    let (caller, target, before) = (who(A), who(C), who(B));
    let own = [tn(C)];
    let call = |orig, dest, provisioned| {
        let mut call = ExpectedCall::default();
        (call.orig, call.dest, call.provisioned) = (orig, dest, provisioned);
        chain.check_call(&call)
    };
    assert_eq!(call(Some(&caller), Some(&target), &[]), Ok(()));
    assert_eq!(call(None, None, &[]), Ok(()));
    assert_eq!(call(Some(&caller), Some(&before), &own), Ok(()));
    let refused = call(Some(&caller), Some(&before), &[]);
    assert_eq!(refused, Err(Reason::DestMismatch));
    let refused = call(Some(&before), Some(&target), &[]);
    assert_eq!(refused, Err(Reason::OrigMismatch));
}

#[test]
fn the_signer_of_a_diversion_speaks_for_the_number_that_diverted() {
    let (caller, diverting) = (party(A), party(B));
    let base = original(&caller, B);
    let link = div(&diverting, B, C);
    assert_eq!(link.passport().spoken_for(), [who(B)]);
    assert_eq!(chained(&[&base, &link]).require_authority(), Ok(()));
    // Whoever may speak for the caller may not divert the call.
    let link = div(&caller, B, C);
    let refused = chained(&[&base, &link]).require_authority();
    assert_eq!(refused, Err(Reason::NumberNotCovered));
    let base = original(&diverting, B);
    let link = div(&diverting, B, C);
    let refused = chained(&[&base, &link]).require_authority();
    assert_eq!(refused, Err(Reason::NumberNotCovered));
}

/// RFC 8946 prints a `div` of 12 digits and a `dest` that is no array; the signature of the first holds.
#[test]
fn the_printed_diversion_of_rfc_8946_does_not_follow_its_original_token() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/stir-rfc-passports/passports.json"
    );
    let records: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut records = records.as_array().unwrap().iter();
    let record = records.find(|record| record["id"] == "rfc8946-4.1-div");
    let text = record.unwrap()["token"].as_str().unwrap();
    let spki = pem::parse(record.unwrap()["public_key_pem"].as_str().unwrap()).unwrap();
    let key = &spki.contents()[spki.contents().len() - 65..];
    let key = P256PublicKey::from_sec1(key).unwrap();
    let mut template = Template::leaf(&[one("12155551213")]);
    template.validity = ["20150101000000Z", "20270101000000Z"];
    let root_key = Key::new();
    let root = Template::ca("root", &[]).issue(&root_key.public, "root", &root_key);
    let leaf = template.issue(&key, "root", &root_key);
    let path = verify_path(
        &RustCrypto,
        &leaf,
        &bag(&[&leaf]),
        &anchors(&[&root]),
        NOW,
        Profile::Stir,
    )
    .unwrap();
    let link = Passport::parse(text).unwrap();
    let link = link.verify(&RustCrypto, &path).unwrap();
    let by = party("12155551212");
    let number = Identity::Tn(tn("12155551212"));
    let dest = Destinations::of(tn("12155551213"));
    let original = sign(PassportBuilder::base(&number, dest, NOW, &x5u()), &by);
    assert_eq!(refused(&[&original, &link]), Reason::DivMismatch);
    assert_eq!(link.kind(), PassportType::Div);
    let bare =
        r#"{"dest":{"tn":"12155551214"},"div":{"tn":"12155551213"},"iat":1,"orig":{"tn":"1"}}"#;
    let header = r#"{"alg":"ES256","ppt":"div","typ":"passport","x5u":"https://certs.example/a"}"#;
    let parsed = Passport::parse(&by.token(header, bare));
    assert_eq!(parsed.unwrap_err(), Reason::MalformedDest);
}

#[test]
fn two_parties_that_divert_to_one_target_are_no_replay_of_each_other() {
    let by = party(A);
    assert_eq!(
        div(&by, B, D).replay_digest(),
        div(&by, B, D).replay_digest()
    );
    assert_ne!(
        div(&by, B, D).replay_digest(),
        div(&by, C, D).replay_digest()
    );
    let inside = original(&by, B);
    let outer = div_o(&by, B, D, &inside);
    assert_eq!(outer.replay_digest(), div(&by, B, D).replay_digest());
}
