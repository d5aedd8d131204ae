//! The authentication service (RFC 8224 section 6.1, RFC 8946 section 4.1).

use core::time::Duration;

use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::{
    Attestation, Destinations, Fingerprint, Identity, Mky, Passport, PassportType,
};
use ringtrue_stir::sip::CallDescription;
use ringtrue_stir::sip::authentication::{
    Anonymity, Draft, FullFormRetry, IatSource, SigningPolicy, TokenKind, draft, draft_as_gateway,
    draft_diversions,
};
use ringtrue_stir::sip::identity_header::TokenForm;
use ringtrue_stir::sip::verification::Outcome;
use ringtrue_stir::verification::SpcPolicy;
use ringtrue_stir::{Reason, UnixTime};

use super::{CALLED, CALLER, Party, call, value, verify};
use crate::issuing::{NOT_AFTER, NOW, Template, spc};
use crate::tn;

const OTHER: &str = "12025550111";
const ORIGID: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

fn drafted(
    party: &Party,
    kind: TokenKind<'_>,
    call: &CallDescription,
    policy: &SigningPolicy,
    at: UnixTime,
) -> Result<Draft, Reason> {
    party.with_credential(|credential| draft(call, kind, credential, policy, at))
}

fn base(party: &Party, call: &CallDescription) -> Result<Draft, Reason> {
    drafted(party, TokenKind::Base, call, &SigningPolicy::default(), NOW)
}

fn signed(party: &Party, draft: Draft) -> Passport {
    let header = draft.sign(&RustCrypto, &party.caller.key).unwrap();
    assert_eq!(header.form(), TokenForm::Full);
    Passport::parse(header.digest()).unwrap()
}

#[test]
fn a_token_says_what_the_request_says_and_verifies() {
    let party = Party::new(CALLER);
    let mut request = call(CALLER, CALLED);
    request.date = Some(NOW.minus(Duration::from_secs(7)));
    // Only To counts (SIP-23).
    request.request_uri = "sip:elsewhere@carrier.example".to_owned();
    let draft = base(&party, &request).unwrap();
    assert_eq!(draft.date_to_add, None);
    assert!(!draft.reveals_caller && !draft.is_gateway);
    let header = draft.sign(&RustCrypto, &party.caller.key).unwrap();
    assert_eq!(header.info(), party.x5u.as_str());
    let claims = Passport::parse(header.digest()).unwrap().claims().clone();
    assert_eq!(claims.iat(), NOW.minus(Duration::from_secs(7)));
    assert_eq!(claims.dest(), &Destinations::of(tn(CALLED)));
    assert!(claims.mky().is_none());
    request.request_uri = request.to.clone();
    let report = verify(&[&party], &[&header.to_value()], &request);
    assert_eq!(report.summary, Outcome::Valid);
}

#[test]
fn a_missing_date_is_to_be_added_and_a_stale_one_not_signed() {
    let party = Party::new(CALLER);
    let mut request = call(CALLER, CALLED);
    request.date = None;
    let draft = base(&party, &request).unwrap();
    assert_eq!(draft.date_to_add, Some(NOW));
    assert_eq!(signed(&party, draft).claims().iat(), NOW);
    let minute = Duration::from_secs(60);
    let more = Duration::from_secs(61);
    for (date, refusal) in [
        (NOW.minus(minute), None),
        (NOW.plus(minute), None),
        (NOW.minus(more), Some(Reason::DateStale)),
        (NOW.plus(more), Some(Reason::DateStale)),
    ] {
        request.date = Some(date);
        assert_eq!(base(&party, &request).err(), refusal);
    }
}

#[test]
fn iat_may_be_the_own_clock() {
    let party = Party::new(CALLER);
    let mut request = call(CALLER, CALLED);
    request.date = Some(NOW.minus(Duration::from_secs(7)));
    let mut policy = SigningPolicy::default();
    policy.iat = IatSource::OwnClock;
    let draft = drafted(&party, TokenKind::Base, &request, &policy, NOW).unwrap();
    assert_eq!(signed(&party, draft).claims().iat(), NOW);
}

#[test]
fn fingerprints_go_into_every_type_and_msec_needs_them() {
    let party = Party::new(CALLER);
    let mut request = call(CALLER, CALLED);
    let policy = SigningPolicy::default();
    let without = drafted(&party, TokenKind::Msec, &request, &policy, NOW);
    assert_eq!(without.unwrap_err(), Reason::MalformedMky);
    let keys = Mky::new(vec![Fingerprint::new("sha-256", &[1; 32]).unwrap()]).unwrap();
    request.media_keys = Some(keys.clone());
    let shaken = TokenKind::Shaken {
        attest: Attestation::Full,
        origid: ORIGID,
    };
    for kind in [TokenKind::Base, TokenKind::Msec, shaken] {
        let draft = drafted(&party, kind, &request, &policy, NOW).unwrap();
        assert_eq!(signed(&party, draft).claims().mky(), Some(&keys));
    }
}

#[test]
fn refuses_callers_that_the_credential_does_not_cover() {
    let party = Party::new(CALLER);
    assert_eq!(
        base(&party, &call(OTHER, CALLED)).unwrap_err(),
        Reason::NumberNotCovered
    );
    let mut by_name = call(CALLER, CALLED);
    by_name.from = "sip:alice@carrier.example".to_owned();
    assert_eq!(
        base(&party, &by_name).unwrap_err(),
        Reason::NumberNotCovered
    );
    by_name.from = "nobody".to_owned();
    assert_eq!(base(&party, &by_name).unwrap_err(), Reason::MalformedUri);
    let provider = Party::with(CALLER, &Template::leaf(&[spc("709J")]));
    let request = call(CALLER, CALLED);
    assert_eq!(
        base(&provider, &request).unwrap_err(),
        Reason::AuthorityBySpc
    );
    let mut policy = SigningPolicy::default();
    policy.accept_spc = SpcPolicy::Any;
    let draft = drafted(&provider, TokenKind::Base, &request, &policy, NOW);
    assert!(draft.is_ok());
}

#[test]
fn refuses_to_sign_outside_the_credentials_validity() {
    let party = Party::new(CALLER);
    let mut request = call(CALLER, CALLED);
    let after = NOT_AFTER.plus(Duration::from_secs(1));
    request.date = Some(after);
    let policy = SigningPolicy::default();
    let refused = drafted(&party, TokenKind::Base, &request, &policy, after);
    assert_eq!(refused.unwrap_err(), Reason::IatOutsideCertificate);
}

#[test]
fn an_anonymous_caller_is_named_only_by_choice_and_that_is_told() {
    let party = Party::new(CALLER);
    let mut request = call(CALLER, CALLED);
    request.anonymity_requested = true;
    assert_eq!(base(&party, &request).unwrap_err(), Reason::CallerWithheld);
    let mut policy = SigningPolicy::default();
    policy.anonymity = Anonymity::Reveal;
    let draft = drafted(&party, TokenKind::Base, &request, &policy, NOW).unwrap();
    assert!(draft.reveals_caller);
}

#[test]
fn a_gateway_attests_c_with_its_own_certificate_and_says_so() {
    let gateway = Party::with(OTHER, &Template::leaf(&[spc("709J")]));
    let (request, policy) = (call(CALLER, CALLED), SigningPolicy::default());
    let draft = gateway
        .with_credential(|credential| draft_as_gateway(&request, ORIGID, credential, &policy, NOW))
        .unwrap();
    assert!(draft.is_gateway);
    let passport = signed(&gateway, draft);
    assert_eq!(passport.claims().attest(), Some(Attestation::Gateway));
    assert_eq!(passport.x5u(), gateway.x5u.as_str());
    // Not by the way that claims a right to the number.
    let kind = TokenKind::Shaken {
        attest: Attestation::Gateway,
        origid: ORIGID,
    };
    let refused = drafted(&gateway, kind, &request, &policy, NOW);
    assert_eq!(refused.unwrap_err(), Reason::AttestNotAllowed);
}

#[test]
fn one_diversion_for_tokens_of_one_call_by_whom_it_was_for() {
    let (caller, called) = (Party::new(CALLER), Party::new(CALLED));
    let mut request = call(CALLER, CALLED);
    request.request_uri = format!("tel:+{OTHER}");
    let earlier: Vec<_> = [CALLED, CALLED, "12025550155"]
        .into_iter()
        .map(|dest| Passport::parse(&caller.base(dest, NOW)).unwrap())
        .collect();
    let policy = SigningPolicy::default();
    let diverted = |by: &Party, diverting: &str| {
        let diverting = Identity::Tn(tn(diverting));
        by.with_credential(|credential| {
            draft_diversions(&request, &diverting, &earlier, credential, &policy, NOW)
        })
    };
    let drafts = diverted(&called, CALLED).unwrap();
    assert_eq!(drafts.len(), 1);
    let div = signed(&called, drafts[0].clone());
    assert_eq!(div.kind(), PassportType::Div);
    assert_eq!(div.claims().dest(), &Destinations::of(tn(OTHER)));
    let values = [value(earlier[0].text()), value(div.text())];
    let report = verify(&[&caller, &called], &[&values[0], &values[1]], &request);
    assert_eq!(report.summary, Outcome::Valid);
    // Not for someone else's number.
    assert_eq!(
        diverted(&called, "12025550155").unwrap_err(),
        Reason::NumberNotCovered
    );
}

#[test]
fn a_438_is_answered_with_the_full_form_once_and_only_after_the_compact_form() {
    let mut retry = FullFormRetry::after(TokenForm::Compact);
    assert!(!retry.on_response(437));
    assert!(retry.on_response(438));
    assert!(!retry.on_response(438));
    assert!(!FullFormRetry::after(TokenForm::Full).on_response(438));
}
