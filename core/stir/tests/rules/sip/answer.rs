//! Connected identity in responses (RFC 9970).

use core::time::Duration;

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::{
    Destinations, Diversion, Passport, PassportBuilder, VerifiedPassport,
};
use ringtrue_stir::sip::answer::{
    AnswerReport, ConnectedIdentity, DialogIdentity, ExpectedAnswer, Posture, RecommendedAction,
    draft_answer,
};
use ringtrue_stir::sip::verification::Outcome;
use ringtrue_stir::verification::VerificationPolicy;

use super::{CALLED, CALLER, Party, header, service, value};
use crate::issuing::NOW;
use crate::tn;

const OTHER: &str = "12025550111";

fn expected(caller: &Party) -> ExpectedAnswer {
    ExpectedAnswer {
        orig: caller.identity(),
        dialled: ringtrue_stir::passport::Identity::Tn(tn(CALLED)),
        called_at: Some(NOW),
    }
}

/// An answer by `by` to a call from `caller`, naming itself.
fn rsp(by: &Party, caller: &Party, iat: ringtrue_stir::UnixTime) -> String {
    let dest = Destinations::of(tn(by.number));
    let builder = PassportBuilder::rsp(&caller.identity(), dest, iat, &by.x5u);
    value(&by.sign(builder))
}

fn receive(parties: &[&Party], status: u16, values: &[&str], to: &ExpectedAnswer) -> AnswerReport {
    service(parties, &VerificationPolicy::default(), |service| {
        service.verify_response(status, values, to, NOW)
    })
}

fn verified(party: &Party, token: &str) -> VerifiedPassport {
    let passport = Passport::parse(token).unwrap();
    passport.verify(&RustCrypto, &party.caller.path()).unwrap()
}

fn div(by: &Party, earlier: &str, to: &str) -> String {
    let earlier = Passport::parse(earlier).unwrap();
    let diversion = Diversion::of(by.identity());
    let dest = Destinations::of(tn(to));
    by.sign(PassportBuilder::div(&earlier, &diversion, dest, NOW, &by.x5u).unwrap())
}

#[test]
fn the_dialled_party_answers_and_its_key_is_remembered() {
    let (caller, called) = (Party::new(CALLER), Party::new(CALLED));
    let rsp = rsp(&called, &caller, NOW);
    for status in [100, 180, 183, 200] {
        let report = receive(&[&called], status, &["no header", &rsp], &expected(&caller));
        let dest = called.identity();
        assert_eq!(report.connected, ConnectedIdentity::Verified { dest });
        assert_eq!(report.signer, Some(called.caller.leaf.spki_digest()));
    }
}

#[test]
fn responses_that_reject_and_answers_nobody_asked_for_are_not_looked_at() {
    let (caller, called) = (Party::new(CALLER), Party::new(CALLED));
    let rsp = rsp(&called, &caller, NOW);
    for status in [99, 302, 486, 600] {
        let report = receive(&[&called], status, &[&rsp], &expected(&caller));
        assert_eq!(report.connected, ConnectedIdentity::NotOffered);
        assert!(report.headers.is_empty());
    }
    let mut unasked = expected(&caller);
    unasked.called_at = None;
    let report = receive(&[&called], 200, &[&rsp], &unasked);
    assert_eq!(report.connected, ConnectedIdentity::NotOffered);
}

#[test]
fn tokens_of_other_types_are_no_answer() {
    let (caller, called) = (Party::new(CALLER), Party::new(CALLED));
    let base = value(&called.base(CALLER, NOW));
    let report = receive(&[&called], 200, &[&base], &expected(&caller));
    assert_eq!(report.connected, ConnectedIdentity::NotOffered);
    assert_eq!(report.headers[0].outcome, Outcome::Unsupported);
}

#[test]
fn any_failure_rejects_the_answer() {
    let (caller, called) = (Party::new(CALLER), Party::new(CALLED));
    let (other, second) = (Party::new(OTHER), Party::new("12025550155"));
    let parties = [&caller, &called, &other];
    let refusal = |value: &str, to: &ExpectedAnswer| match receive(&parties, 200, &[value], to) {
        AnswerReport {
            connected: ConnectedIdentity::Failed { reason },
            signer: None,
            ..
        } => reason,
        report => panic!("{report:?}"),
    };
    let good = rsp(&called, &caller, NOW);
    let to = expected(&caller);
    assert_eq!(
        refusal(&rsp(&called, &other, NOW), &to),
        Reason::OrigMismatch
    );
    assert_eq!(
        refusal(&rsp(&other, &caller, NOW), &to),
        Reason::DestMismatch
    );
    assert_eq!(
        refusal(&rsp(&second, &caller, NOW), &to),
        Reason::CredentialUnavailable
    );
    let dest = Destinations::of(tn(CALLED));
    let lying = PassportBuilder::rsp(&caller.identity(), dest, NOW, &other.x5u);
    assert_eq!(
        refusal(&value(&other.sign(lying)), &to),
        Reason::NumberNotCovered
    );
    let old = rsp(&called, &caller, NOW.minus(Duration::from_secs(61)));
    assert_eq!(refusal(&old, &to), Reason::IatStale);
    let before = rsp(&called, &caller, NOW.minus(Duration::from_secs(6)));
    assert_eq!(refusal(&before, &to), Reason::RspBeforeCall);
    let just_before = rsp(&called, &caller, NOW.minus(Duration::from_secs(5)));
    assert!(matches!(
        receive(&parties, 200, &[&just_before], &to).connected,
        ConnectedIdentity::Verified { .. }
    ));
    let compact = super::compact(good.split(';').next().unwrap());
    assert_eq!(refusal(&compact, &to), Reason::CompactFormNotAllowed);
    let unnamed = good.replace(";ppt=rsp", ";ppt=rsp;info=<https://x.example>");
    let report = receive(&parties, 200, &[&unnamed], &to);
    assert_eq!(report.connected, ConnectedIdentity::NotOffered);
}

#[test]
fn a_diverted_answer_needs_the_whole_chain_from_the_dialled_party() {
    let (caller, called, other) = (Party::new(CALLER), Party::new(CALLED), Party::new(OTHER));
    let parties = [&caller, &called, &other];
    let call = caller.base(CALLED, NOW);
    let div = div(&called, &call, OTHER);
    let rsp = rsp(&other, &caller, NOW);
    let to = expected(&caller);
    let report = receive(&parties, 200, &[&rsp, &value(&div)], &to);
    assert_eq!(
        report.connected,
        ConnectedIdentity::VerifiedDiverted {
            dest: other.identity(),
            diversions: 1
        }
    );
    // A diversion by someone who was not dialled.
    let stray = self::div(&other, &caller.base(OTHER, NOW), OTHER);
    let report = receive(&parties, 200, &[&rsp, &value(&stray)], &to);
    assert_eq!(
        report.connected,
        ConnectedIdentity::Failed {
            reason: Reason::DivMismatch
        }
    );
    // One that its signer may not make.
    let without_signer = [&caller, &other];
    let report = receive(&without_signer, 200, &[&rsp, &value(&div)], &to);
    assert_eq!(
        report.connected,
        ConnectedIdentity::Failed {
            reason: Reason::DestMismatch
        }
    );
}

#[test]
fn the_posture_decides_what_is_recommended() {
    use Posture::{Optional, Required, SeenBefore};
    use RecommendedAction::{Continue, End, Warn};

    let dest = Party::new(CALLED).identity();
    let verified = ConnectedIdentity::Verified { dest: dest.clone() };
    let diverted = ConnectedIdentity::VerifiedDiverted {
        dest,
        diversions: 1,
    };
    let failed = ConnectedIdentity::Failed {
        reason: Reason::DestMismatch,
    };
    let actions = |connected: &ConnectedIdentity| {
        [Optional, SeenBefore, Required].map(|posture| connected.recommended_action(posture))
    };
    assert_eq!(actions(&verified), [Continue, Continue, Continue]);
    assert_eq!(
        actions(&ConnectedIdentity::Pending),
        [Continue, Continue, Continue]
    );
    assert_eq!(actions(&diverted), [Continue, Continue, Warn]);
    assert_eq!(actions(&failed), [Warn, Warn, End]);
    for missing in [ConnectedIdentity::NotOffered, ConnectedIdentity::Timeout] {
        assert_eq!(actions(&missing), [Continue, Warn, End]);
    }
}

#[test]
fn the_party_reached_answers_for_itself() {
    let (caller, called) = (Party::new(CALLER), Party::new(CALLED));
    let received = [verified(&caller, &caller.base(CALLED, NOW))];
    let draft = called
        .with_credential(|credential| draft_answer(&received, &called.identity(), credential, NOW))
        .unwrap();
    assert!(draft.diversions.is_empty());
    let token = draft
        .passport
        .sign(&RustCrypto, &called.caller.key)
        .unwrap();
    let report = receive(&[&called], 200, &[&value(&token)], &expected(&caller));
    assert!(matches!(
        report.connected,
        ConnectedIdentity::Verified { .. }
    ));
}

#[test]
fn after_a_diversion_the_answer_names_the_party_reached_and_brings_the_diversion() {
    let (caller, called, other) = (Party::new(CALLER), Party::new(CALLED), Party::new(OTHER));
    let call = caller.base(CALLED, NOW);
    let div = div(&called, &call, OTHER);
    let received = [verified(&caller, &call), verified(&called, &div)];
    let draft = other
        .with_credential(|credential| draft_answer(&received, &other.identity(), credential, NOW))
        .unwrap();
    assert_eq!(draft.diversions, [div]);
    assert_eq!(draft.dest, Destinations::of(tn(OTHER)));
    let rsp = draft.passport.sign(&RustCrypto, &other.caller.key).unwrap();
    let values = [value(&rsp), header(&draft.diversions[0]).to_value()];
    let report = receive(
        &[&caller, &called, &other],
        200,
        &[&values[0], &values[1]],
        &expected(&caller),
    );
    assert!(matches!(
        report.connected,
        ConnectedIdentity::VerifiedDiverted { diversions: 1, .. }
    ));
}

#[test]
fn nobody_answers_without_a_request_a_credential_or_a_diversion() {
    let (caller, called, other) = (Party::new(CALLER), Party::new(CALLED), Party::new(OTHER));
    let received = [verified(&caller, &caller.base(CALLED, NOW))];
    let refusal = |by: &Party, received: &[VerifiedPassport], reached: &Party| {
        by.with_credential(|credential| {
            draft_answer(received, &reached.identity(), credential, NOW).unwrap_err()
        })
    };
    assert_eq!(refusal(&called, &[], &called), Reason::RspNotRequested);
    assert_eq!(
        refusal(&other, &received, &called),
        Reason::NumberNotCovered
    );
    assert_eq!(refusal(&other, &received, &other), Reason::DestMismatch);
    let elsewhere = div(&called, &caller.base(CALLED, NOW), "12025550155");
    let elsewhere = [received[0].clone(), verified(&called, &elsewhere)];
    assert_eq!(refusal(&other, &elsewhere, &other), Reason::DestMismatch);
}

#[test]
fn requests_that_go_back_keep_the_dest_of_the_first_answer() {
    let mut dialog = DialogIdentity::default();
    assert_eq!(dialog.dest(), None);
    dialog.note_response(&Destinations::of(tn(CALLED)));
    dialog.note_response(&Destinations::of(tn(OTHER)));
    assert_eq!(dialog.dest(), Some(&Destinations::of(tn(CALLED))));
}
