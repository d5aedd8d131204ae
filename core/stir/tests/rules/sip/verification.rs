//! The verification service on requests (RFC 8224 section 6.2).

use core::time::Duration;

use proptest::prelude::*;
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::{
    Attestation, Destinations, Fingerprint, Mky, PassportBuilder, ResourcePriorities,
};
use ringtrue_stir::sip::CallDescription;
use ringtrue_stir::sip::answer::ExpectedAnswer;
use ringtrue_stir::sip::call::IdentityField;
use ringtrue_stir::sip::identity_header::MAX_IDENTITY_HEADERS;
use ringtrue_stir::sip::verification::{MediaBinding, Outcome, VerificationService};
use ringtrue_stir::verification::{Evidence, SpcPolicy, VerificationPolicy};
use ringtrue_stir::{Reason, Strictness, UnixTime};

use super::{CALLED, CALLER, Party, call, compact, value, verify, verify_by};
use crate::issuing::{NOW, Template, spc};
use crate::tn;

const OTHER: &str = "12025550111";

fn dest(number: &str) -> Destinations {
    Destinations::of(tn(number))
}

fn keys(octet: u8) -> Mky {
    Mky::new(vec![Fingerprint::new("sha-256", &[octet; 32]).unwrap()]).unwrap()
}

/// The result of one value, and the reasons for it.
fn one_of(party: &Party, value: &str, call: &CallDescription) -> (Outcome, Vec<Reason>) {
    let report = verify(&[party], &[value], call);
    assert_eq!(report.headers.len(), 1);
    let header = &report.headers[0];
    assert_eq!(report.summary, header.outcome);
    (header.outcome, header.reasons.clone())
}

#[test]
fn a_good_header_in_either_form_is_valid() {
    let party = Party::new(CALLER);
    let token = party.base(CALLED, NOW);
    let call = call(CALLER, CALLED);
    let valid = (Outcome::Valid, vec![]);
    assert_eq!(one_of(&party, &value(&token), &call), valid);
    assert_eq!(one_of(&party, &compact(&token), &call), valid);
    let report = verify(&[&party], &[&compact(&token)], &call);
    assert_eq!(report.headers[0].token.as_deref(), Some(token.as_str()));
}

#[test]
fn compact_form_with_anything_changed_on_the_way_has_a_bad_signature() {
    let party = Party::new(CALLER);
    let token = compact(&party.base(CALLED, NOW));
    let mut later = call(CALLER, CALLED);
    later.date = Some(NOW.plus(Duration::from_secs(1)));
    let mut with_keys = call(CALLER, CALLED);
    with_keys.media_keys = Some(keys(1));
    for call in [call(OTHER, CALLED), call(CALLER, OTHER), later, with_keys] {
        let (outcome, reasons) = one_of(&party, &token, &call);
        assert!(reasons.contains(&Reason::SignatureInvalid), "{reasons:?}");
        // Another caller is not covered by the certificate either, which is checked before.
        assert!(matches!(
            outcome,
            Outcome::BadSignature | Outcome::Untrusted
        ));
    }
}

#[test]
fn compact_form_needs_a_date_and_a_type_that_has_it() {
    let party = Party::new(CALLER);
    let token = compact(&party.base(CALLED, NOW));
    let mut undated = call(CALLER, CALLED);
    undated.date = None;
    assert_eq!(
        one_of(&party, &token, &undated),
        (Outcome::Malformed, vec![Reason::IatMissing])
    );
    let call = call(CALLER, CALLED);
    for (ppt, outcome, reason) in [
        ("shaken", Outcome::Malformed, Reason::CompactFormNotAllowed),
        ("div", Outcome::Malformed, Reason::CompactFormNotAllowed),
        ("msec", Outcome::Malformed, Reason::MalformedMky),
        ("other", Outcome::Unsupported, Reason::PptUnsupported),
    ] {
        let value = format!("{token};ppt={ppt}");
        assert_eq!(one_of(&party, &value, &call), (outcome, vec![reason]));
    }
    let rs256 = token.replace("ES256", "RS256");
    assert_eq!(
        one_of(&party, &rs256, &call),
        (Outcome::Untrusted, vec![Reason::AlgorithmNotAllowed])
    );
    let http = token.replace("https:", "http:");
    assert_eq!(
        one_of(&party, &http, &call),
        (Outcome::NoCredential, vec![Reason::MalformedUrl])
    );
}

#[test]
fn compact_msec_is_rebuilt_with_the_keys_of_the_session() {
    let party = Party::new(CALLER);
    let (orig, to) = (party.identity(), dest(CALLED));
    let token = party.sign(PassportBuilder::msec(&orig, to, NOW, &party.x5u, &keys(1)));
    let mut call = call(CALLER, CALLED);
    call.media_keys = Some(keys(1));
    assert_eq!(one_of(&party, &compact(&token), &call).0, Outcome::Valid);
    call.media_keys = Some(keys(2));
    assert_eq!(
        one_of(&party, &compact(&token), &call).0,
        Outcome::BadSignature
    );
}

#[test]
fn every_way_to_fail_has_its_own_result() {
    let party = Party::new(CALLER);
    let good = party.base(CALLED, NOW);
    let to_called = call(CALLER, CALLED);
    let result = |token: &str, call: &CallDescription| one_of(&party, &value(token), call);

    let old = party.base(CALLED, NOW.minus(Duration::from_secs(61)));
    assert_eq!(
        result(&old, &to_called),
        (Outcome::Stale, vec![Reason::IatStale])
    );
    let early = party.base(CALLED, NOW.plus(Duration::from_secs(3600)));
    assert_eq!(
        result(&early, &to_called),
        (Outcome::Stale, vec![Reason::IatInFuture])
    );
    assert_eq!(
        result(&good, &call(OTHER, CALLED)),
        (Outcome::MismatchOrig, vec![Reason::OrigMismatch])
    );
    assert_eq!(
        result(&good, &call(CALLER, OTHER)),
        (Outcome::MismatchDest, vec![Reason::DestMismatch])
    );
    let (input, _) = good.rsplit_once('.').unwrap();
    let (_, other) = old.rsplit_once('.').unwrap();
    let forged = value(&good).replacen(&good, &format!("{input}.{other}"), 1);
    assert_eq!(one_of(&party, &forged, &to_called).0, Outcome::BadSignature);

    let elsewhere = Party::new(OTHER);
    let lying = elsewhere.sign(PassportBuilder::base(
        &party.identity(),
        dest(CALLED),
        NOW,
        &elsewhere.x5u,
    ));
    assert_eq!(
        one_of(&elsewhere, &value(&lying), &to_called),
        (Outcome::Untrusted, vec![Reason::NumberNotCovered])
    );
    // The certificate is there, its root is not configured.
    let mut known = Evidence::default();
    known.anchors = Some(&elsewhere.caller.anchors);
    let (lookup, policy) = (
        |_: &str| Some(party.caller.bag()),
        VerificationPolicy::default(),
    );
    let service = VerificationService::new(&RustCrypto, known, &lookup, &policy);
    let report = service.verify_request(&[&value(&good)], &to_called, NOW);
    assert_eq!(report.summary, Outcome::Untrusted);
    assert_eq!(report.headers[0].reasons, [Reason::NoPathToAnchor]);
    // Nothing of the signer is there.
    assert_eq!(
        one_of(&elsewhere, &value(&good), &to_called),
        (Outcome::NoCredential, vec![Reason::CredentialUnavailable])
    );
    assert_eq!(
        one_of(&party, "no header", &to_called),
        (Outcome::Malformed, vec![Reason::MalformedIdentityHeader])
    );
    let bare = value(&good).replace(['<', '>'], "");
    assert_eq!(
        one_of(&party, &bare, &to_called),
        (Outcome::Malformed, vec![Reason::InfoNotBracketed])
    );
    let contradicting = format!("{};ppt=shaken", value(&good));
    assert_eq!(
        one_of(&party, &contradicting, &to_called),
        (Outcome::Malformed, vec![Reason::HeaderParameterMismatch])
    );
}

#[test]
fn types_that_do_not_belong_here_are_ignored_and_the_rest_still_counts() {
    let party = Party::new(CALLER);
    let good = value(&party.base(CALLED, NOW));
    let (orig, to) = (party.identity(), dest(CALLED));
    let rsp = value(&party.sign(PassportBuilder::rsp(&orig, to, NOW, &party.x5u)));
    let unknown = "AAAA.BBBB.CCCC;info=<https://certs.example/x>;ppt=sipctx";
    let call = call(CALLER, CALLED);
    let report = verify(&[&party], &[unknown, &rsp, &good], &call);
    let outcomes: Vec<_> = report.headers.iter().map(|header| header.outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Unsupported, Outcome::Unsupported, Outcome::Valid]
    );
    assert_eq!(report.headers[1].reasons, [Reason::UnexpectedRsp]);
    assert_eq!(report.summary, Outcome::Valid);
    let ignored = verify(&[&party], &[unknown, &rsp], &call);
    assert_eq!(ignored.summary, Outcome::Unsupported);
    assert_eq!(verify(&[&party], &[], &call).summary, Outcome::None);
}

#[test]
fn one_valid_header_suffices_in_any_order_and_none_is_hidden() {
    let party = Party::new(CALLER);
    let good = value(&party.base(CALLED, NOW));
    let stale = value(&party.base(CALLED, NOW.minus(Duration::from_secs(600))));
    let other = value(&party.base(OTHER, NOW));
    let call = call(CALLER, CALLED);
    for values in [[&good, &stale, &other], [&stale, &other, &good]] {
        let values: Vec<_> = values.into_iter().map(String::as_str).collect();
        let report = verify(&[&party], &values, &call);
        assert_eq!(report.summary, Outcome::Valid);
        let valid = |outcome| outcome == Outcome::Valid;
        let outcomes = report.headers.iter().map(|header| header.outcome);
        assert_eq!(outcomes.filter(|outcome| valid(*outcome)).count(), 1);
    }
    // Of several that fail, the one that came furthest.
    let report = verify(&[&party], &["no header", &stale, &other], &call);
    assert_eq!(report.summary, Outcome::MismatchDest);
}

#[test]
fn more_headers_than_the_limit_are_not_looked_at() {
    let party = Party::new(CALLER);
    let good = value(&party.base(CALLED, NOW));
    let mut values = vec!["no header"; MAX_IDENTITY_HEADERS];
    values.push(&good);
    let report = verify(&[&party], &values, &call(CALLER, CALLED));
    assert!(report.is_cut);
    assert_eq!(report.headers.len(), MAX_IDENTITY_HEADERS);
    assert_eq!(report.summary, Outcome::Malformed);
}

#[test]
fn a_missing_or_stale_date_matters_to_the_full_form_only_as_a_warning() {
    let party = Party::new(CALLER);
    let token = value(&party.base(CALLED, NOW));
    let mut request = call(CALLER, CALLED);
    request.date = None;
    let report = verify(&[&party], &[&token], &request);
    assert_eq!(report.summary, Outcome::Valid);
    assert_eq!(report.headers[0].warnings, []);
    request.date = Some(NOW.minus(Duration::from_secs(600)));
    let report = verify(&[&party], &[&token], &request);
    assert_eq!(report.summary, Outcome::Valid);
    assert_eq!(report.headers[0].warnings, [Reason::DateStale]);
    let compact = compact(&party.base(CALLED, NOW.minus(Duration::from_secs(600))));
    assert_eq!(
        one_of(&party, &compact, &request),
        (Outcome::Stale, vec![Reason::IatStale])
    );
}

#[test]
fn info_that_differs_is_refused_strictly_and_reported_leniently() {
    let party = Party::new(CALLER);
    let value = value(&party.base(CALLED, NOW))
        .replace("<https://certs.example/", "<https://certs.example:443/");
    let call = call(CALLER, CALLED);
    // A certificate is looked for under info, where nothing is.
    let (outcome, reasons) = one_of(&party, &value, &call);
    assert_eq!(outcome, Outcome::Malformed);
    assert!(reasons.contains(&Reason::InfoMismatch));
    let lenient = {
        let mut policy = VerificationPolicy::default();
        policy.strictness = Strictness::Lenient;
        policy
    };
    let report = verify_by(&lenient, &[&party], &[&value], &call);
    assert_eq!(report.summary, Outcome::NoCredential);
    assert!(report.headers[0].warnings.contains(&Reason::InfoMismatch));
}

#[test]
fn the_caller_is_who_signalling_and_policy_say() {
    let party = Party::new(CALLER);
    let token = value(&party.base(CALLED, NOW));
    let mut request = call(OTHER, CALLED);
    request.asserted_identities = vec![
        "sip:alice@carrier.example".to_owned(),
        format!("tel:+{CALLER}"),
    ];
    assert_eq!(one_of(&party, &token, &request).0, Outcome::MismatchOrig);
    request.identity_field = IdentityField::AssertedIdentity;
    assert_eq!(one_of(&party, &token, &request).0, Outcome::Valid);
    request.asserted_identities = vec!["not a uri".to_owned()];
    assert_eq!(
        one_of(&party, &token, &request),
        (Outcome::Malformed, vec![Reason::MalformedUri])
    );
    request.asserted_identities.clear();
    assert_eq!(one_of(&party, &token, &request).0, Outcome::MismatchOrig);
}

#[test]
fn to_is_not_the_target_and_a_provisioned_number_may_stand_in() {
    let party = Party::new(CALLER);
    let token = value(&party.base(CALLED, NOW));
    let mut request = call(CALLER, CALLED);
    request.to = "sip:rewritten@carrier.example".to_owned();
    assert_eq!(one_of(&party, &token, &request).0, Outcome::Valid);
    request.request_uri = "sip:f81d4fae@192.0.2.7:5060;transport=tcp".to_owned();
    assert_eq!(one_of(&party, &token, &request).0, Outcome::MismatchDest);
    request.provisioned = vec![tn(CALLED)];
    assert_eq!(one_of(&party, &token, &request).0, Outcome::Valid);
    request.request_uri = "nowhere".to_owned();
    assert_eq!(
        one_of(&party, &token, &request),
        (Outcome::Malformed, vec![Reason::MalformedUri])
    );
}

#[test]
fn media_keys_bind_the_media_and_decide_for_msec_only() {
    let party = Party::new(CALLER);
    let (orig, mut request) = (party.identity(), call(CALLER, CALLED));
    let base = PassportBuilder::base(&orig, dest(CALLED), NOW, &party.x5u);
    let plain = value(&party.sign(base.clone()));
    let base = value(&party.sign(base.mky(&keys(1))));
    let msec = PassportBuilder::msec(&orig, dest(CALLED), NOW, &party.x5u, &keys(1));
    let msec = value(&party.sign(msec));
    let media = |value: &str, request: &CallDescription| {
        let report = verify(&[&party], &[value], request);
        (report.summary, report.headers[0].media())
    };
    request.media_keys = Some(keys(1));
    let bound = (Outcome::Valid, MediaBinding::Bound);
    assert_eq!(media(&base, &request), bound);
    assert_eq!(media(&msec, &request), bound);
    for keys in [None, Some(keys(2))] {
        request.media_keys = keys;
        assert_eq!(
            media(&base, &request),
            (Outcome::Valid, MediaBinding::Broken)
        );
        assert_eq!(
            media(&msec, &request),
            (Outcome::BadSignature, MediaBinding::Broken)
        );
        assert_eq!(
            media(&plain, &request),
            (Outcome::Valid, MediaBinding::NotClaimed)
        );
    }
}

#[test]
fn a_priority_must_be_signalled_as_claimed_and_says_nothing_of_the_caller() {
    let party = Party::new(CALLER);
    let (orig, mut request) = (party.identity(), call(CALLER, CALLED));
    let rph = ResourcePriorities::new("auth", &["esnet.1"]).unwrap();
    let rph = PassportBuilder::rph(&orig, dest(CALLED), NOW, &party.x5u, &rph).psap_callback();
    let rph = value(&party.sign(rph));
    let outcome = |request: &CallDescription| {
        let report = verify(&[&party], &[&rph], request);
        assert_eq!(report.summary, Outcome::None);
        report.headers[0].outcome
    };
    assert_eq!(outcome(&request), Outcome::Malformed);
    request.priority = Some("psap-callback".to_owned());
    request.resource_priority = vec!["esnet.1".to_owned()];
    assert_eq!(outcome(&request), Outcome::Valid);
    request.resource_priority.push("ets.0".to_owned());
    assert_eq!(outcome(&request), Outcome::Malformed);
}

#[test]
fn a_provider_code_counts_by_stated_policy_only_and_attestation_never() {
    let party = Party::with(CALLER, &Template::leaf(&[spc("709J")]));
    let origid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    let token = PassportBuilder::shaken(
        &party.identity(),
        dest(CALLED),
        NOW,
        &party.x5u,
        Attestation::Full,
        origid,
    );
    let token = value(&party.sign(token));
    let request = call(CALLER, CALLED);
    assert_eq!(
        one_of(&party, &token, &request),
        (Outcome::Untrusted, vec![Reason::AuthorityBySpc])
    );
    let mut policy = VerificationPolicy::default();
    policy.accept_spc = SpcPolicy::Listed(vec!["709J".to_owned()]);
    let report = verify_by(&policy, &[&party], &[&token], &request);
    assert_eq!(report.summary, Outcome::Valid);
}

#[test]
fn a_certificate_whose_revocation_cannot_be_told_is_untrusted_where_that_is_required() {
    let party = Party::new(CALLER);
    let token = value(&party.base(CALLED, NOW));
    let mut policy = VerificationPolicy::default();
    policy.require_revocation = true;
    let report = verify_by(&policy, &[&party], &[&token], &call(CALLER, CALLED));
    assert_eq!(report.summary, Outcome::Untrusted);
    assert_eq!(report.headers[0].reasons, [Reason::CrlUnavailable]);
}

proptest! {
    #[test]
    fn verifying_anything_never_panics_and_nothing_of_it_is_valid(
        values in prop::collection::vec(
            "((\\.|[A-Za-z0-9_-]{1,9}\\.[A-Za-z0-9_-]{1,9})\\.[A-Za-z0-9_-]{1,86};info=<https:[a-z./]{1,9}>[;=\"a-z0-9,]{0,20}|.{0,40})",
            0..4,
        ),
        from in "(sip:|tel:)?[a-z0-9+@;=%.]{0,30}",
        to in ".{0,30}",
        date in prop::option::of(any::<u64>()),
        at in any::<u64>(),
    ) {
        let mut request = CallDescription::new(&from, &to, &to);
        request.date = date.map(UnixTime::from_secs);
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        let party = Party::new(CALLER);
        let at = UnixTime::from_secs(at);
        let (requested, answered) =
            super::service(&[&party], &VerificationPolicy::default(), |service| {
                let expected = ExpectedAnswer {
                    orig: party.identity(),
                    dialled: party.identity(),
                    called_at: Some(at),
                };
                (
                    service.verify_request(&values, &request, at),
                    service.verify_response(200, &values, &expected, at),
                )
            });
        prop_assert_eq!(requested.headers.len(), values.len());
        prop_assert_ne!(requested.summary, Outcome::Valid);
        prop_assert_eq!(answered.signer, None);
    }
}
