//! The checks on a ringing call: each failing in turn, and in the order of RFC 8816 section 8.2.

use ringtrue_lab::{Authority, CaSpec, LeafSpec, Validity};
use ringtrue_session::{CheckName, CheckResult, RingOutcome, Verdict};
use ringtrue_stir::certificate::Profile;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, UnixTime};
use serde_json::{Value, json};

use crate::attacker::{Forged, leave};
use crate::phone::Phone;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, START_MS, STRANGER, World, number};

/// That one check failed, those before passed and those after were not made.
pub(crate) fn assert_failed(outcome: &RingOutcome, name: CheckName, reason: Reason) {
    let mut before = true;
    let expected: Vec<(CheckName, CheckResult)> = CheckName::ORDER
        .into_iter()
        .map(|check| {
            let result = if check == name {
                before = false;
                CheckResult::Failed(reason)
            } else if before {
                CheckResult::Passed
            } else {
                CheckResult::NotReached
            };
            (check, result)
        })
        .collect();
    let made = &outcome.verdict.checks;
    let made: Vec<_> = made.iter().map(|made| (made.check, made.result)).collect();
    assert_eq!(made, expected);
    assert!(outcome.verdict.reasons.contains(&reason));
    assert!(outcome.call.is_none());
}

/// Leaves one PASSporT and lets the call ring.
pub(crate) fn ring_with(world: &mut World, callee: &mut Phone, forged: &Forged) -> RingOutcome {
    leave(world, &forged.content());
    world.ring(callee, CALLER)
}

pub(crate) fn refused(
    change: impl FnOnce(&mut World, &mut Forged),
    name: CheckName,
    reason: Reason,
) {
    let (mut world, caller, mut callee) = World::with_phones();
    let mut forged = Forged::call(&world, &caller.credential);
    change(&mut world, &mut forged);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_failed(&outcome, name, reason);
    assert!(callee.claims.is_empty(), "what is refused is not used up");
}

fn dropped(change: impl FnOnce(&mut Forged), reasons: &[Reason]) {
    let (mut world, caller, mut callee) = World::with_phones();
    let mut forged = Forged::call(&world, &caller.credential);
    change(&mut forged);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, reasons);
    assert_eq!(outcome.verdict.checks, []);
}

/// Signs with a certificate that the lab's CA issues as `spec` says.
fn signed_by(world: &World, forged: &mut Forged, spec: &LeafSpec) {
    forged.signer = world.authority.issue(spec).unwrap();
    forged.x5c = forged.signer.bag().unwrap().to_x5c();
}

fn at() -> UnixTime {
    UnixTime::from_secs(START_MS / 1000)
}

fn scope(text: &str) -> Option<TnAuthList> {
    TnAuthList::new(vec![Entry::One(number(text))]).ok()
}

#[test]
fn refuses_a_token_that_names_the_call_and_has_no_x5u() {
    refused(
        |_, forged| drop(forged.header.remove("x5u")),
        CheckName::Ppt,
        Reason::X5uMissing,
    );
}

#[test]
fn refuses_a_token_that_names_the_call_by_another_algorithm() {
    for alg in ["none", "HS256", "ES384", "es256"] {
        refused(
            |_, forged| drop(forged.header.insert("alg".into(), Value::from(alg))),
            CheckName::Ppt,
            Reason::AlgorithmNotAllowed,
        );
    }
}

#[test]
fn refuses_a_token_that_names_the_call_with_a_quoted_iat() {
    refused(
        |_, forged| {
            drop(
                forged
                    .payload
                    .insert("iat".into(), Value::from("1800000001")),
            )
        },
        CheckName::Ppt,
        Reason::IatNotNumber,
    );
}

#[test]
fn refuses_a_statement_in_place_of_a_passport() {
    refused(
        |_, forged| {
            drop(
                forged
                    .header
                    .insert("typ".into(), Value::from("stir-eks+jwt")),
            )
        },
        CheckName::Ppt,
        Reason::TypeMismatch,
    );
}

#[test]
fn drops_a_token_that_does_not_tell_whom_it_names() {
    dropped(
        |forged| drop(forged.payload.remove("orig")),
        &[Reason::MalformedToken],
    );
    dropped(|forged| forged.trailer = " }", &[Reason::MalformedToken]);
}

#[test]
fn drops_an_unsupported_type_and_an_rsp() {
    for (ppt, reason) in [
        ("div", Reason::PptUnsupported),
        ("rph", Reason::PptUnsupported),
        ("rsp", Reason::UnexpectedRsp),
    ] {
        dropped(
            |forged| drop(forged.header.insert("ppt".into(), Value::from(ppt))),
            &[reason],
        );
    }
}

#[test]
fn sets_aside_what_is_about_another_caller() {
    dropped(
        |forged| {
            drop(
                forged
                    .payload
                    .insert("orig".into(), json!({"tn": STRANGER})),
            )
        },
        &[],
    );
    dropped(
        |forged| {
            let uri = json!({"uri": "sip:alice@example.com"});
            forged.payload.insert("orig".into(), uri);
        },
        &[],
    );
}

#[test]
fn refuses_when_no_certificate_is_at_hand() {
    refused(
        |_, forged| forged.x5c.clear(),
        CheckName::Credential,
        Reason::CredentialUnavailable,
    );
}

#[test]
fn refuses_a_credential_that_does_not_lead_to_an_anchor() {
    refused(
        |_, forged| {
            let other = Authority::for_numbers(&[number(CALLER)], at()).unwrap();
            forged.signer = other.issue_number(&number(CALLER), at()).unwrap();
            forged.x5c = forged.signer.bag().unwrap().to_x5c();
        },
        CheckName::Credential,
        Reason::NoPathToAnchor,
    );
    refused(
        |_, forged| forged.x5c.truncate(1),
        CheckName::Credential,
        Reason::ChainIncomplete,
    );
}

#[test]
fn refuses_certificates_outside_their_validity() {
    for (from, to, reason) in [
        (-100, -1, Reason::CertificateExpired),
        (100, 200, Reason::CertificateNotYetValid),
    ] {
        refused(
            |world, forged| {
                let now = i64::try_from(world.unix().as_secs()).unwrap();
                let time = |by: i64| UnixTime::from_secs(u64::try_from(now + by).unwrap());
                let spec = LeafSpec {
                    validity: Validity {
                        not_before: time(from),
                        not_after: time(to),
                    },
                    ..LeafSpec::for_number(&number(CALLER), at())
                };
                signed_by(world, forged, &spec);
            },
            CheckName::Credential,
            reason,
        );
    }
}

#[test]
fn refuses_a_ca_as_signer_and_a_key_that_must_not_sign() {
    refused(
        |world, forged| {
            forged.signer = world.authority.intermediate.as_credential().unwrap();
            forged.x5c = forged.signer.bag().unwrap().to_x5c();
        },
        CheckName::Credential,
        Reason::SignerIsCa,
    );
    refused(
        |world, forged| {
            let spec = LeafSpec {
                may_sign: false,
                ..LeafSpec::for_number(&number(CALLER), at())
            };
            signed_by(world, forged, &spec);
        },
        CheckName::Credential,
        Reason::KeyUsageMissing,
    );
}

#[test]
fn refuses_a_scope_outside_the_issuers() {
    refused(
        |world, forged| {
            let ca = CaSpec::new(scope(STRANGER), at());
            let ca = world.authority.root.subordinate(&ca).unwrap();
            let spec = LeafSpec::for_number(&number(CALLER), at());
            forged.signer = ca.issue(&spec).unwrap();
            forged.x5c = forged.signer.bag().unwrap().to_x5c();
        },
        CheckName::Credential,
        Reason::ScopeNotEncompassed,
    );
}

#[test]
fn refuses_certificates_that_are_none() {
    refused(
        |_, forged| forged.x5c = vec!["AAAA".into()],
        CheckName::Credential,
        Reason::MalformedCertificate,
    );
}

#[test]
fn refuses_a_signer_for_another_number_even_if_it_covers_the_called_one() {
    for covered in [STRANGER, CALLEE] {
        refused(
            |world, forged| {
                let spec = LeafSpec::for_number(&number(covered), at());
                signed_by(world, forged, &spec);
            },
            CheckName::Authority,
            Reason::NumberNotCovered,
        );
    }
}

#[test]
fn refuses_a_signer_without_a_list_of_numbers() {
    refused(
        |world, forged| signed_by(world, forged, &LeafSpec::for_scope(None, at())),
        CheckName::Authority,
        Reason::TnAuthListMissing,
    );
}

#[test]
fn refuses_authority_that_cannot_be_told_in_profile_delegate() {
    let mut world = World::new();
    let credential = world.credential(&[CALLEE]);
    let mut callee = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |builder| {
        builder.policy.profile = Profile::Delegate;
    });
    world.publish(&mut callee).unwrap();
    let open = world.authority.root.subordinate(&CaSpec::new(None, at()));
    let signer = open
        .unwrap()
        .issue(&LeafSpec::for_number(&number(CALLER), at()));
    let forged = Forged::call(&world, &signer.unwrap());
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_failed(&outcome, CheckName::Authority, Reason::EncompassUnknown);
}

#[test]
fn accepts_iat_at_both_ends_of_the_window_and_nothing_beyond() {
    for age in [60, 0, -10] {
        let (mut world, caller, mut callee) = World::with_phones();
        let forged = Forged::call(&world, &caller.credential).aged(age);
        let outcome = ring_with(&mut world, &mut callee, &forged);
        assert_eq!(outcome.verdict.verdict, Verdict::Verified, "{age}");
    }
    for (age, reason) in [
        (61, Reason::IatStale),
        (86_400, Reason::IatStale),
        (-11, Reason::IatInFuture),
        (-86_400, Reason::IatInFuture),
    ] {
        refused(
            |_, forged| *forged = forged.clone().aged(age),
            CheckName::Freshness,
            reason,
        );
    }
}

#[test]
fn refuses_a_signature_by_another_key() {
    refused(
        |world, forged| forged.signer = world.credential(&[CALLER]),
        CheckName::Signature,
        Reason::SignatureInvalid,
    );
    refused(
        |_, forged| forged.spoilt_signature = true,
        CheckName::Signature,
        Reason::SignatureInvalid,
    );
}

#[test]
fn refuses_a_good_signature_over_json_that_is_not_canonical() {
    refused(
        |_, forged| forged.trailer = " ",
        CheckName::Signature,
        Reason::NotCanonical,
    );
}

#[test]
fn refuses_iat_before_the_certificate_was_valid() {
    refused(
        |world, forged| {
            let now = world.unix().as_secs();
            let spec = LeafSpec {
                validity: Validity {
                    not_before: UnixTime::from_secs(now - 20),
                    not_after: UnixTime::from_secs(now + 1000),
                },
                ..LeafSpec::for_number(&number(CALLER), at())
            };
            signed_by(world, forged, &spec);
            *forged = forged.clone().aged(30);
        },
        CheckName::Signature,
        Reason::IatOutsideCertificate,
    );
}

#[test]
fn refuses_a_passport_for_another_called_number() {
    refused(
        |_, forged| {
            drop(
                forged
                    .payload
                    .insert("dest".into(), json!({"tn": [STRANGER]})),
            )
        },
        CheckName::Dest,
        Reason::DestMismatch,
    );
    refused(
        |_, forged| {
            let dest = json!({"uri": ["sip:bob@example.com"]});
            forged.payload.insert("dest".into(), dest);
        },
        CheckName::Dest,
        Reason::DestMismatch,
    );
}

#[test]
fn accepts_the_called_number_among_several() {
    let (mut world, caller, mut callee) = World::with_phones();
    let forged = Forged::call(&world, &caller.credential).with(|forged| {
        let dest = json!({"tn": [STRANGER, CALLEE]});
        forged.payload.insert("dest".into(), dest);
    });
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

/// With two defects at once, the check that comes first in the order is the one that fails.
#[test]
fn of_two_defects_the_one_checked_first_is_reported() {
    type Defect = (CheckName, Reason, fn(&World, &mut Forged));
    let defects: [Defect; 6] = [
        (CheckName::Ppt, Reason::X5uMissing, |_, forged| {
            forged.header.remove("x5u");
        }),
        (
            CheckName::Credential,
            Reason::ChainIncomplete,
            |_, forged| {
                forged.x5c.truncate(1);
            },
        ),
        (
            CheckName::Authority,
            Reason::NumberNotCovered,
            |world, forged| {
                // Keeps whatever the bag lacks already.
                let complete = forged.x5c.len() > 1;
                signed_by(
                    world,
                    forged,
                    &LeafSpec::for_number(&number(STRANGER), at()),
                );
                if !complete {
                    forged.x5c.truncate(1);
                }
            },
        ),
        (CheckName::Freshness, Reason::IatStale, |_, forged| {
            *forged = forged.clone().aged(61);
        }),
        (
            CheckName::Signature,
            Reason::SignatureInvalid,
            |_, forged| {
                forged.spoilt_signature = true;
            },
        ),
        (CheckName::Dest, Reason::DestMismatch, |_, forged| {
            forged
                .payload
                .insert("dest".into(), json!({"tn": [STRANGER]}));
        }),
    ];
    for (first, (name, reason, early)) in defects.iter().enumerate() {
        for (_, _, late) in defects.iter().skip(first + 1) {
            refused(
                |world, forged| {
                    early(world, forged);
                    late(world, forged);
                },
                *name,
                *reason,
            );
        }
    }
}
