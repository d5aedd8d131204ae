//! Between SIP and delivery apart from signalling.

use core::time::Duration;

use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::{Destinations, Diversion, Passport, PassportBuilder};
use ringtrue_stir::sip::gateway::{header_to_insert, token_to_publish, union, without_nested};
use ringtrue_stir::verification::{Evidence, ExpectedCall, Report, VerificationPolicy, verify};
use ringtrue_stir::{Reason, UnixTime};

use super::{CALLED, CALLER, Party, call, compact, value};
use crate::issuing::NOW;
use crate::tn;

fn parsed(token: &str) -> Passport {
    Passport::parse(token).unwrap()
}

fn report(party: &Party, token: &str) -> Report {
    let chains = [party.caller.bag()];
    let mut evidence = Evidence::default();
    evidence.chains = &chains;
    evidence.anchors = Some(&party.caller.anchors);
    let policy = VerificationPolicy::default();
    let call = ExpectedCall::default();
    verify(&RustCrypto, token, &evidence, &policy, &call, NOW)
}

#[test]
fn a_full_token_is_published_unchanged_and_a_compact_one_only_rebuilt_and_checked() {
    let party = Party::new(CALLER);
    let token = party.base(CALLED, NOW);
    let request = call(CALLER, CALLED);
    let publish = |value: &str, request| {
        let report = super::verify(&[&party], &[value], request);
        token_to_publish(&report.headers[0]).map(str::to_owned)
    };
    assert_eq!(publish(&value(&token), &request), Ok(token.clone()));
    assert_eq!(publish(&compact(&token), &request), Ok(token.clone()));
    // In full form it is the other side's to judge.
    let elsewhere = call(CALLER, CALLER);
    assert_eq!(publish(&value(&token), &elsewhere), Ok(token.clone()));
    assert_eq!(
        publish(&compact(&token), &elsewhere),
        Err(Reason::CompactFormNotAllowed)
    );
    assert_eq!(
        publish("no header", &request),
        Err(Reason::MalformedIdentityHeader)
    );
}

#[test]
fn what_is_inside_a_div_o_is_not_published_beside_it() {
    let (caller, called) = (Party::new(CALLER), Party::new(CALLED));
    let original = parsed(&caller.base(CALLED, NOW));
    let other = parsed(&caller.base("12025550155", NOW));
    let div = Diversion::of(called.identity());
    let dest = Destinations::of(tn("12025550111"));
    let nested = PassportBuilder::div_o(&original, &div, dest, NOW, &called.x5u).unwrap();
    let nested = parsed(&called.sign(nested));
    let tokens = [original, nested, other];
    let chosen: Vec<_> = without_nested(&tokens)
        .iter()
        .map(|token| token.text())
        .collect();
    assert_eq!(chosen, [tokens[1].text(), tokens[2].text()]);
}

#[test]
fn a_verified_token_is_inserted_unchanged_and_once() {
    let party = Party::new(CALLER);
    let token = party.base(CALLED, NOW);
    let report = report(&party, &token);
    let header = header_to_insert(&report, &[]).unwrap().unwrap();
    assert_eq!(header.to_value(), value(&token));
    assert_eq!(header.digest(), token);
    assert_eq!(header.info(), party.x5u.as_str());
    // With another signature it is still the same token.
    let other = party.base("12025550111", NOW);
    let (input, _) = token.rsplit_once('.').unwrap();
    let again = parsed(&format!("{input}.{}", other.rsplit('.').next().unwrap()));
    assert_ne!(again.text(), token);
    assert_eq!(header_to_insert(&report, &[again]), Ok(None));
}

#[test]
fn a_token_that_was_not_accepted_is_never_inserted() {
    let party = Party::new(CALLER);
    let token = |iat: UnixTime| party.base(CALLED, iat);
    let stale = report(&party, &token(NOW.minus(Duration::from_secs(600))));
    let unknown = report(&Party::new(CALLER), &token(NOW));
    let broken = report(&party, "no token");
    for report in [stale, unknown, broken] {
        assert_eq!(header_to_insert(&report, &[]), Err(Reason::NotVerified));
    }
}

#[test]
fn tokens_of_both_ways_collapse_by_header_and_payload() {
    let party = Party::new(CALLER);
    let token = |number: &str| parsed(&party.base(number, NOW));
    let (one, again, other) = (token(CALLED), token(CALLED), token("12025550111"));
    let all = union(core::slice::from_ref(&one), &[again, other.clone()]);
    let texts: Vec<_> = all.iter().map(Passport::text).collect();
    assert_eq!(texts, [one.text(), other.text()]);
    assert!(union(&[], &[]).is_empty());
}
