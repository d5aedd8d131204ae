//! Every token of the constructed set, with what its record expects.

use ringtrue_stir::Strictness::{Lenient, Strict};
use ringtrue_stir::passport::Identity;
use ringtrue_stir::verification::{
    ExpectedCall, ReportedAuthority, SpcPolicy, Verdict, VerificationPolicy,
};
use ringtrue_stir::{Reason, TelephoneNumber};

use crate::support::{accepting_spc, json, outcome, record, verify_record, verify_record_for};

#[test]
fn every_record_gets_the_verdict_that_it_expects() {
    let file = json("stir-constructed/passports.json");
    let records = file.as_array().unwrap();
    for record in records {
        let id = record["id"].as_str().unwrap();
        let report = verify_record(record, &accepting_spc(Strict));
        let lenient = verify_record(record, &accepting_spc(Lenient));
        let (strict_verdict, lenient_verdict) = match record["expect"].as_str().unwrap() {
            "accept" => (Verdict::Accept, Verdict::Accept),
            "refuse" | "refuse-freshness" | "refuse-policy" => (Verdict::Refuse, Verdict::Refuse),
            "refuse-strict" => {
                assert_ne!(lenient.warnings, [], "{id}");
                (Verdict::Refuse, Verdict::Accept)
            }
            "refuse-rcd" => {
                assert!(report.rcd.is_none(), "{id}");
                assert_ne!(report.warnings, [], "{id}");
                (Verdict::Accept, Verdict::Accept)
            }
            "policy" => (Verdict::Policy, Verdict::Policy),
            "ignore" => (Verdict::Ignore, Verdict::Ignore),
            other => panic!("{id}: {other} is not known"),
        };
        assert_eq!(report.verdict, strict_verdict, "{id}: {report:?}");
        assert_eq!(lenient.verdict, lenient_verdict, "{id}: {lenient:?}");
        if strict_verdict == Verdict::Accept {
            assert_eq!(report.reasons, [], "{id}");
            assert!(report.verified.is_some(), "{id}");
        } else {
            assert_ne!(report.reasons, [], "{id}");
        }
    }
    assert_eq!(records.len(), 45);
}

#[test]
fn a_provider_code_alone_is_policy_until_it_is_accepted_by_name() {
    let shaken = record("shaken-good");
    let report = verify_record(&shaken, &VerificationPolicy::default());
    assert_eq!(
        outcome(&report),
        (Verdict::Policy, Some(Reason::AuthorityBySpc))
    );
    assert_eq!(
        report.authority,
        ReportedAuthority::BySpc("709J".to_owned())
    );
    let mut policy = VerificationPolicy::default();
    for (codes, verdict) in [
        (vec!["709J"], Verdict::Accept),
        (vec!["1234", "709J"], Verdict::Accept),
        (vec!["709j"], Verdict::Policy),
        (vec!["709"], Verdict::Policy),
        (vec![], Verdict::Policy),
    ] {
        policy.accept_spc = SpcPolicy::Listed(codes.into_iter().map(str::to_owned).collect());
        assert_eq!(verify_record(&shaken, &policy).verdict, verdict);
    }
}

#[test]
fn a_listed_number_needs_no_policy() {
    let report = verify_record(
        &record("delegate-orig-last"),
        &VerificationPolicy::default(),
    );
    assert_eq!(outcome(&report), (Verdict::Accept, None));
    assert_eq!(report.authority, ReportedAuthority::Covered);
}

#[test]
fn the_call_decides_who_may_have_signed_for_whom() {
    let number = |text: &str| Identity::Tn(TelephoneNumber::from_canonical(text).unwrap());
    let (caller, called, other) = (
        number("12155550121"),
        number("12155550131"),
        number("12155550199"),
    );
    let judge = |id: &str, orig: &Identity, dest: &Identity| {
        let mut call = ExpectedCall::default();
        call.orig = Some(orig);
        call.dest = Some(dest);
        outcome(&verify_record_for(
            &record(id),
            &accepting_spc(Strict),
            &call,
        ))
    };
    let accepted = (Verdict::Accept, None);
    assert_eq!(judge("shaken-good", &caller, &called), accepted);
    assert_eq!(
        judge("shaken-good", &other, &called),
        (Verdict::Refuse, Some(Reason::OrigMismatch))
    );
    assert_eq!(
        judge("shaken-good", &caller, &other),
        (Verdict::Refuse, Some(Reason::DestMismatch))
    );
    // A diverted call arrives at the new destination, and still comes from the caller.
    for id in ["div-good", "div-o-good"] {
        assert_eq!(judge(id, &caller, &other), accepted, "{id}");
        assert_eq!(
            judge(id, &caller, &called),
            (Verdict::Refuse, Some(Reason::DestMismatch)),
            "{id}"
        );
        assert_eq!(
            judge(id, &other, &other),
            (Verdict::Refuse, Some(Reason::OrigMismatch)),
            "{id}"
        );
    }
}

#[test]
fn a_diversion_without_its_original_token_is_refused() {
    let mut alone = record("div-good");
    alone.as_object_mut().unwrap().remove("inner");
    let report = verify_record(&alone, &accepting_spc(Strict));
    assert_eq!(
        outcome(&report),
        (Verdict::Refuse, Some(Reason::DivChainIncomplete))
    );
}

#[test]
fn a_diversion_of_an_answer_is_refused_whether_or_not_answers_are_read() {
    let mut diverted = record("div-good");
    diverted["inner"] = record("rsp-good")["token"].clone();
    for accept_rsp in [false, true] {
        let mut policy = accepting_spc(Strict);
        policy.accept_rsp = accept_rsp;
        assert_eq!(
            outcome(&verify_record(&diverted, &policy)),
            (Verdict::Refuse, Some(Reason::DivChainIncomplete))
        );
    }
}

#[test]
fn a_diversion_counts_no_more_than_its_original_token() {
    let diverted = record("div-good");
    // The original signer has a provider code only; the diverting one lists its numbers.
    let report = verify_record(&diverted, &VerificationPolicy::default());
    assert_eq!(
        outcome(&report),
        (Verdict::Policy, Some(Reason::AuthorityBySpc))
    );
    let mut tampered = diverted.clone();
    let inner = diverted["inner"].as_str().unwrap();
    let (text, _) = inner.rsplit_once('.').unwrap();
    let (_, signature) = diverted["token"]
        .as_str()
        .unwrap()
        .rsplit_once('.')
        .unwrap();
    tampered["inner"] = format!("{text}.{signature}").into();
    let report = verify_record(&tampered, &accepting_spc(Strict));
    assert_eq!(
        outcome(&report),
        (Verdict::Refuse, Some(Reason::SignatureInvalid))
    );
}

#[test]
fn a_message_that_is_not_the_signed_one_is_refused() {
    let mut message = record("msg-msgi-ok");
    message["body"] = "Hullo".into();
    assert_eq!(
        outcome(&verify_record(&message, &accepting_spc(Strict))),
        (Verdict::Refuse, Some(Reason::DigestMismatch))
    );
    message.as_object_mut().unwrap().remove("body");
    let report = verify_record(&message, &accepting_spc(Strict));
    assert_eq!(outcome(&report), (Verdict::Accept, None));
    assert_eq!(report.warnings, [Reason::BodyNotChecked]);
}

#[test]
fn an_answer_is_accepted_only_where_an_answer_is_read() {
    let answer = record("rsp-good");
    let mut policy = accepting_spc(Strict);
    assert_eq!(
        outcome(&verify_record(&answer, &policy)),
        (Verdict::Policy, Some(Reason::UnexpectedRsp))
    );
    policy.accept_rsp = true;
    assert_eq!(
        outcome(&verify_record(&answer, &policy)),
        (Verdict::Accept, None)
    );
}

#[test]
fn authority_is_only_reported_of_who_signed() {
    for id in ["sig-flipped", "constraint-excluded-rcd"] {
        let report = verify_record(&record(id), &accepting_spc(Strict));
        let signed = report.reasons != [Reason::SignatureInvalid];
        assert_eq!(report.authority != ReportedAuthority::None, signed, "{id}");
    }
}

#[test]
fn good_rich_call_data_is_kept() {
    let report = verify_record(&record("rcd-good"), &accepting_spc(Strict));
    assert_eq!(outcome(&report), (Verdict::Accept, None));
    assert!(report.rcd.is_some());
}
