//! What a verifier does about its results (RFC 8224 section 6.2.2, RFC 9410).

use core::time::Duration;

use ringtrue_stir::passport::{Destinations, Fingerprint, Mky, PassportBuilder};
use ringtrue_stir::sip::reaction::{Reaction, ReactionPolicy, code_of, may_carry_reasons, react};
use ringtrue_stir::sip::reason::PpiForm;
use ringtrue_stir::sip::verification::{CallReport, Outcome};
use ringtrue_stir::sip::{CallDescription, ReasonHeader, ResponseCode};

use super::{CALLED, CALLER, Party, call, header, value, verify};
use crate::issuing::NOW;
use crate::tn;

fn policy(require_identity: bool, reject_invalid: bool) -> ReactionPolicy {
    let mut policy = ReactionPolicy::default();
    policy.require_identity = require_identity;
    policy.reject_invalid = reject_invalid;
    policy
}

/// A valid, a stale one, one for another party, and one without certificates.
struct Reports {
    party: Party,
    good: String,
    stale: String,
    mismatch: String,
    unknown: String,
    untrusted: String,
}

impl Reports {
    fn new() -> Self {
        let (party, stranger, liar) = (
            Party::new(CALLER),
            Party::new("12025550177"),
            Party::new(CALLER),
        );
        let lying = PassportBuilder::base(
            &party.identity(),
            Destinations::of(tn("12025550111")),
            NOW,
            &party.x5u,
        );
        Self {
            good: party.base(CALLED, NOW),
            stale: party.base(CALLED, NOW.minus(Duration::from_secs(600))),
            mismatch: party.base("12025550111", NOW),
            unknown: stranger.base(CALLED, NOW),
            untrusted: liar.sign(lying),
            party,
        }
    }

    fn of(&self, tokens: &[&str]) -> CallReport {
        let values: Vec<_> = tokens.iter().map(|token| value(token)).collect();
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        verify(&[&self.party], &values, &call(CALLER, CALLED))
    }
}

#[test]
fn every_result_that_is_an_error_has_a_code() {
    for (outcome, code) in [
        (Outcome::Valid, None),
        (Outcome::Unsupported, None),
        (Outcome::None, None),
        (Outcome::Stale, Some(403)),
        (Outcome::NoCredential, Some(436)),
        (Outcome::Untrusted, Some(437)),
        (Outcome::BadSignature, Some(438)),
        (Outcome::Malformed, Some(438)),
        (Outcome::MismatchOrig, Some(438)),
        (Outcome::MismatchDest, Some(438)),
    ] {
        assert_eq!(code_of(outcome).map(ResponseCode::code), code);
    }
}

#[test]
fn an_endpoint_goes_on_and_tells_nobody() {
    let reports = Reports::new();
    for tokens in [vec![], vec![reports.stale.as_str()], vec![&reports.unknown]] {
        let reaction = react(&reports.of(&tokens), &ReactionPolicy::default());
        assert_eq!(reaction, Reaction::Continue(vec![]));
    }
}

#[test]
fn a_call_that_goes_on_gets_one_reason_for_each_error_and_no_4xx() {
    let reports = Reports::new();
    let report = reports.of(&[&reports.good, &reports.stale, &reports.unknown]);
    let mut policy = policy(true, true);
    policy.report_errors = Some(PpiForm::Compact);
    let reason =
        |code, token: &str| ReasonHeader::stir(code, Some(&header(token)), PpiForm::Compact);
    assert_eq!(
        react(&report, &policy),
        Reaction::Continue(vec![
            reason(ResponseCode::StaleDate, &reports.stale),
            reason(ResponseCode::BadIdentityInfo, &reports.unknown),
        ])
    );
    let malformed = verify(&[], &["no header"], &call(CALLER, CALLED));
    policy.require_identity = false;
    policy.reject_invalid = false;
    let Reaction::Continue(reasons) = react(&malformed, &policy) else {
        panic!("rejected");
    };
    assert_eq!(reasons[0].ppi(), None);
}

#[test]
fn rejection_takes_the_code_that_stands_for_all() {
    let reports = Reports::new();
    let reaction = |tokens: &[&str]| react(&reports.of(tokens), &policy(false, true));
    let Reports {
        stale,
        mismatch,
        unknown,
        untrusted,
        ..
    } = &reports;
    for (tokens, code) in [
        (vec![unknown, unknown], 436),
        (vec![unknown, stale], 403),
        (vec![unknown, mismatch], 438),
        (vec![stale], 403),
        (vec![mismatch], 438),
    ] {
        let tokens: Vec<_> = tokens.into_iter().map(String::as_str).collect();
        let Reaction::Reject(found) = reaction(&tokens) else {
            panic!("not rejected");
        };
        assert_eq!(found.code(), code);
    }
    // Signed by a key that is not the certificate's: the signature is bad, not the credential.
    let forged = reaction(&[untrusted]);
    assert_eq!(
        forged,
        Reaction::Reject(ResponseCode::InvalidIdentityHeader)
    );
    let stranger = Party::new(CALLER);
    let values = [value(&stranger.base(CALLED, NOW))];
    let report = super::service(&[&reports.party], &Default::default(), |service| {
        service.verify_request(&[&values[0]], &call(CALLER, CALLED), NOW)
    });
    assert_eq!(report.summary, Outcome::BadSignature);
}

#[test]
fn a_required_identity_that_is_missing_or_unsupported_gets_428() {
    let reports = Reports::new();
    let missing = reports.of(&[]);
    let unsupported = "A.B.C;info=<https://certs.example/x>;ppt=other";
    let unsupported = verify(&[], &[unsupported], &call(CALLER, CALLED));
    for report in [missing, unsupported] {
        assert_eq!(
            react(&report, &policy(true, false)),
            Reaction::Reject(ResponseCode::UseIdentityHeader)
        );
        assert_eq!(
            react(&report, &policy(false, true)),
            Reaction::Continue(vec![])
        );
    }
    let good = reports.of(&[&reports.good]);
    assert_eq!(
        react(&good, &policy(true, true)),
        Reaction::Continue(vec![])
    );
}

#[test]
fn a_failed_msec_is_rejected_whatever_the_policy() {
    let party = Party::new(CALLER);
    let keys = Mky::new(vec![Fingerprint::new("sha-256", &[1; 32]).unwrap()]).unwrap();
    let dest = Destinations::of(tn(CALLED));
    let msec = PassportBuilder::msec(&party.identity(), dest, NOW, &party.x5u, &keys);
    let values = [value(&party.sign(msec)), value(&party.base(CALLED, NOW))];
    let values = [values[0].as_str(), values[1].as_str()];
    let mut request = call(CALLER, CALLED);
    let react_to = |request: &CallDescription| {
        let report = verify(&[&party], &values, request);
        react(&report, &ReactionPolicy::default())
    };
    assert_eq!(
        react_to(&request),
        Reaction::Reject(ResponseCode::InvalidIdentityHeader)
    );
    request.media_keys = Some(keys);
    assert_eq!(react_to(&request), Reaction::Continue(vec![]));
}

#[test]
fn reasons_travel_in_every_response_but_100() {
    assert!([180, 183, 200, 486].into_iter().all(may_carry_reasons));
    assert!(![0, 99, 100, 700].into_iter().any(may_carry_reasons));
}
