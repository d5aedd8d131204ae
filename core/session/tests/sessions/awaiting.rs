//! Waiting for connected identity: who answered, checked as RFC 9970 and the profile say.

use std::sync::Arc;

use ringtrue_lab::{Authority, LeafSpec};
use ringtrue_oob::{CallNonce, CallPhase, CallState, Content};
use ringtrue_session::{
    Action, AnswerExpectation, AnswerOutcome, AwaitAnswerSession, CheckName, CheckResult,
    ContextBuilder, Input, Role, Verdict,
};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::{Reason, UnixTime};
use serde_json::{Value, json};

use crate::attacker::{Forged, fail_requests, leave_at, opened, report};
use crate::phone::{Phone, Reply};
use crate::sim::{Running, run, run_all};
use crate::world::{CALLEE, CALLER, CPS_CALLER, START_MS, STRANGER, World, number};

/// A placed call: what is expected, and the nonce that the callee has read.
pub(crate) struct Placed {
    pub(crate) world: World,
    pub(crate) caller: Phone,
    pub(crate) callee: Phone,
    expected: AnswerExpectation,
    nonce: [u8; 16],
}

fn placed() -> Placed {
    placed_with(|_| {})
}

/// A call placed by a telephone whose settings `change` changes.
pub(crate) fn placed_with(change: impl FnOnce(&mut ContextBuilder)) -> Placed {
    let (mut world, mut caller, callee) = World::with_phones();
    let credential = caller.credential.clone();
    caller.context = world
        .context(&[CALLER], &[CPS_CALLER], &credential, change)
        .unwrap();
    let expected = world.place_well(&mut caller, CALLEE).answer.unwrap();
    let store = world.net.sent.iter().find(|sent| sent.role == Role::Store);
    let content = opened(&callee, CALLEE, &store.unwrap().blobs()[0]).unwrap();
    let nonce = *content.n.as_octets();
    world.net.sent.clear();
    Placed {
        world,
        caller,
        callee,
        expected,
        nonce,
    }
}

impl Placed {
    /// The right `rsp`, signed by the callee now.
    pub(crate) fn rsp(&self) -> Forged {
        Forged::call(&self.world, &self.callee.credential).with(|forged| {
            forged.header.insert("ppt".into(), Value::from("rsp"));
            forged.nonce = self.nonce;
        })
    }

    pub(crate) fn leave(&mut self, content: &Content) {
        leave_at(&mut self.world, CPS_CALLER, CALLER, content);
    }

    pub(crate) fn session(&self, ms: u64) -> AwaitAnswerSession {
        AwaitAnswerSession::new(
            Arc::clone(&self.caller.context),
            self.expected.clone(),
            self.world.in_ms(ms),
            self.caller.now(self.world.ms),
        )
    }

    pub(crate) fn wait(&mut self) -> AnswerOutcome {
        let session = self.session(4000);
        run(&mut self.world, &mut self.caller, session)
    }

    /// Leaves an `rsp` as `change` changes it, and waits.
    fn answered(change: impl FnOnce(&World, &mut Forged)) -> AnswerOutcome {
        let mut placed = placed();
        let mut forged = placed.rsp();
        change(&placed.world, &mut forged);
        placed.leave(&forged.content());
        placed.wait()
    }
}

fn refused(change: impl FnOnce(&World, &mut Forged), name: CheckName, reason: Reason) {
    let outcome = Placed::answered(change);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_eq!(outcome.verdict.reasons, [reason]);
    assert!(outcome.state.is_none());
    let mut before = true;
    for made in &outcome.verdict.checks {
        let expected = if made.check == name {
            before = false;
            CheckResult::Failed(reason)
        } else if before {
            CheckResult::Passed
        } else {
            CheckResult::NotReached
        };
        assert_eq!(made.result, expected, "{}", made.check.name());
    }
    assert_eq!(outcome.verdict.checks.len(), 9);
}

fn signed_by(world: &World, forged: &mut Forged, covered: &str) {
    forged.signer = world.credential(&[covered]);
    forged.x5c = forged.signer.bag().unwrap().to_x5c();
}

#[test]
fn a_right_answer_is_verified_and_tells_its_state() {
    let mut placed = placed();
    let mut content = placed.rsp().content();
    content.st = Some(CallState {
        s: CallPhase::Answered,
        t_ms: START_MS + 77,
        u_ms: None,
    });
    placed.leave(&content);
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.state, content.st);
    assert!(
        outcome
            .verdict
            .checks
            .iter()
            .all(|c| c.result == CheckResult::Passed)
    );
}

#[test]
fn refuses_another_calling_number() {
    refused(
        |_, forged| {
            drop(
                forged
                    .payload
                    .insert("orig".into(), json!({"tn": STRANGER})),
            )
        },
        CheckName::Orig,
        Reason::OrigMismatch,
    );
}

#[test]
fn refuses_a_credential_that_leads_to_no_anchor() {
    refused(
        |world, forged| {
            let elsewhere = Authority::for_numbers(&[number(CALLEE)], world.unix()).unwrap();
            forged.signer = elsewhere
                .issue_number(&number(CALLEE), world.unix())
                .unwrap();
            forged.x5c = forged.signer.bag().unwrap().to_x5c();
        },
        CheckName::Credential,
        Reason::NoPathToAnchor,
    );
    refused(
        |_, forged| forged.x5c.clear(),
        CheckName::Credential,
        Reason::CredentialUnavailable,
    );
}

#[test]
fn refuses_a_signer_that_does_not_cover_the_called_number() {
    for covered in [STRANGER, CALLER] {
        refused(
            |world, forged| signed_by(world, forged, covered),
            CheckName::Authority,
            Reason::NumberNotCovered,
        );
    }
    refused(
        |world, forged| {
            let spec = LeafSpec::for_scope(None, world.unix());
            forged.signer = world.authority.issue(&spec).unwrap();
            forged.x5c = forged.signer.bag().unwrap().to_x5c();
        },
        CheckName::Authority,
        Reason::TnAuthListMissing,
    );
}

#[test]
fn refuses_an_answer_from_before_the_call_and_takes_five_seconds_of_clock_error() {
    refused(
        |_, forged| *forged = forged.clone().aged(6),
        CheckName::Freshness,
        Reason::RspBeforeCall,
    );
    refused(
        |_, forged| *forged = forged.clone().aged(61),
        CheckName::Freshness,
        Reason::IatStale,
    );
    refused(
        |_, forged| *forged = forged.clone().aged(-13),
        CheckName::Freshness,
        Reason::IatInFuture,
    );
    let outcome = Placed::answered(|_, forged| *forged = forged.clone().aged(5));
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

#[test]
fn refuses_a_signature_by_another_key_and_json_that_is_not_canonical() {
    refused(
        |_, forged| forged.spoilt_signature = true,
        CheckName::Signature,
        Reason::SignatureInvalid,
    );
    refused(
        |_, forged| forged.trailer = " ",
        CheckName::Signature,
        Reason::NotCanonical,
    );
}

/// Diversion is not accepted out of band.
#[test]
fn refuses_another_called_number_even_by_its_owner() {
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
            let dest = json!({"tn": [STRANGER, CALLEE]});
            forged.payload.insert("dest".into(), dest);
        },
        CheckName::Dest,
        Reason::DestMismatch,
    );
    refused(
        |world, forged| {
            signed_by(world, forged, STRANGER);
            forged
                .payload
                .insert("dest".into(), json!({"tn": [STRANGER]}));
        },
        CheckName::Authority,
        Reason::NumberNotCovered,
    );
}

#[test]
fn refuses_a_passport_of_a_call_under_the_nonce_of_this_one() {
    refused(
        |_, forged| drop(forged.header.remove("ppt")),
        CheckName::Ppt,
        Reason::UnexpectedRsp,
    );
}

#[test]
fn refuses_a_malformed_answer_that_names_the_call() {
    refused(
        |_, forged| drop(forged.header.remove("x5u")),
        CheckName::Ppt,
        Reason::X5uMissing,
    );
}

#[test]
fn drops_what_does_not_tell_whom_it_names_and_what_is_of_no_supported_type() {
    type Change = fn(&mut Forged);
    let cases: [(Change, Reason); 2] = [
        (
            |forged| drop(forged.header.insert("ppt".into(), Value::from("div"))),
            Reason::PptUnsupported,
        ),
        (
            |forged| drop(forged.payload.remove("orig")),
            Reason::MalformedToken,
        ),
    ];
    for (change, reason) in cases {
        let outcome = Placed::answered(|_, forged| change(forged));
        assert_eq!(outcome.verdict.verdict, Verdict::NoRecord, "{reason:?}");
        assert_eq!(outcome.verdict.reasons, [reason]);
    }
}

#[test]
fn sets_aside_what_belongs_to_another_call_attempt() {
    let mut placed = placed();
    let other = placed.rsp().with(|forged| forged.nonce = [1; 16]);
    placed.leave(&other.content());
    placed.leave(&report(placed.nonce, CallPhase::Answered));
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, []);
    assert_eq!(outcome.verdict.blobs.opened, 2);
}

#[test]
fn a_state_report_without_a_signature_is_no_answer() {
    let mut placed = placed();
    placed.leave(&report(placed.nonce, CallPhase::Answered));
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert!(outcome.state.is_none());
}

#[test]
fn a_bad_answer_does_not_spoil_a_good_one() {
    let mut placed = placed();
    let bad = placed.rsp().with(|forged| forged.spoilt_signature = true);
    placed.leave(&bad.content());
    placed.leave(&placed.rsp().content());
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, [Reason::SignatureInvalid]);

    let mut placed = self::placed();
    let mut content = placed.rsp().content();
    let bad = placed.rsp().with(|forged| forged.spoilt_signature = true);
    content.ppts.insert(0, bad.token());
    placed.leave(&content);
    assert_eq!(placed.wait().verdict.verdict, Verdict::Verified);
}

#[test]
fn an_answer_counts_once() {
    let mut placed = placed();
    let content = placed.rsp().content();
    placed.leave(&content);
    assert_eq!(placed.wait().verdict.verdict, Verdict::Verified);
    // The same again, under the nonce of this call: somebody stored it anew.
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_eq!(outcome.verdict.reasons, [Reason::Replayed]);
}

#[test]
fn without_a_durable_mark_nothing_is_verified() {
    let mut placed = placed();
    let content = placed.rsp().content();
    placed.leave(&content);
    placed.caller.on(|action, _| match action {
        Action::Claim { id, .. } => Some(Reply::With(Input::Claimed(
            *id,
            Err(Reason::StateUnavailable),
        ))),
        _ => None,
    });
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::StateUnavailable]);
}

#[test]
fn a_mark_that_hangs_is_unavailable_at_the_deadline() {
    let mut placed = placed();
    let content = placed.rsp().content();
    placed.leave(&content);
    let hangs = |action: &Action, _| matches!(action, Action::Claim { .. }).then_some(Reply::Never);
    placed.caller.on(hangs);
    let started = placed.world.ms;
    let outcome = placed.wait();
    assert_eq!(placed.world.ms, started + 4000);
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::DeadlinePassed]);
}

#[test]
fn the_mailbox_is_asked_at_half_a_second_and_then_every_second() {
    let mut placed = placed();
    let credential = placed.caller.credential.clone();
    let records = placed.caller.records;
    placed.caller = placed
        .world
        .phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
            builder.provider = Arc::new(RustCrypto);
        });
    placed.caller.records = records;
    let started = placed.world.ms;
    let session = placed.session(30_000);
    let waited = run_all(&mut placed.world, &mut placed.caller, session);
    assert_eq!(waited.ended_ms, Some(started + 30_000));
    assert_eq!(waited.output.unwrap().verdict.verdict, Verdict::NoRecord);
    let polls: Vec<u64> = placed.world.net.sent.iter().map(|sent| sent.ms).collect();
    assert!(
        placed
            .world
            .net
            .sent
            .iter()
            .all(|sent| sent.role == Role::Retrieve)
    );
    assert!((400..=600).contains(&(polls[0] - started)));
    for pair in polls.windows(2) {
        assert!((800..=1200).contains(&(pair[1] - pair[0])));
    }
    assert!((24..=38).contains(&polls.len()), "{}", polls.len());
}

#[test]
fn an_answer_ends_the_waiting_at_once() {
    let mut placed = placed();
    let content = placed.rsp().content();
    let started = placed.world.ms;
    let mut waiting = Running::new(placed.session(30_000));
    let until = started + 5_000;
    waiting.advance(&mut placed.world, &mut placed.caller, until);
    assert!(waiting.output.is_none());
    placed.leave(&content);
    let until = started + 30_000;
    waiting.advance(&mut placed.world, &mut placed.caller, until);
    assert!(waiting.ended_ms.unwrap() <= started + 5_000 + 1_200 + 20);
    assert_eq!(waiting.output.unwrap().verdict.verdict, Verdict::Verified);
}

#[test]
fn a_service_that_cannot_be_asked_is_unavailable() {
    let mut placed = placed();
    fail_requests(&mut placed.caller, Role::Retrieve, Reason::TlsFailed);
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::TlsFailed]);

    let mut placed = self::placed();
    placed
        .caller
        .on(|action, _| matches!(action, Action::Request { .. }).then_some(Reply::Never));
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::DeadlinePassed]);
}

#[test]
fn a_failing_poll_is_made_up_for_by_the_next() {
    let mut placed = placed();
    let content = placed.rsp().content();
    placed.leave(&content);
    let mut polls = 0;
    placed.caller.on(move |action, _| match action {
        Action::Request { id, .. } => {
            polls += 1;
            (polls == 1).then_some(Reply::With(Input::Response(
                *id,
                Err(Reason::ServiceUnreachable),
            )))
        }
        _ => None,
    });
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, [Reason::ServiceUnreachable]);
}

#[test]
fn calls_to_the_waiting_number_are_not_taken_for_answers() {
    let mut placed = placed();
    // Somebody calls the caller while it waits.
    let call = Forged::call(&placed.world, &placed.callee.credential).with(|forged| {
        forged.payload.insert("orig".into(), json!({"tn": CALLEE}));
        forged
            .payload
            .insert("dest".into(), json!({"tn": [CALLER]}));
    });
    placed.leave(&call.content());
    let outcome = placed.wait();
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(outcome.verdict.reasons, []);
    // And that call can still be verified.
    let outcome = placed.world.ring(&mut placed.caller, CALLEE);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

#[test]
fn an_expectation_shows_no_number_and_knows_whom_it_is_for() {
    let placed = placed();
    let text = format!("{:?}", placed.expected);
    assert!(!text.contains(CALLER) && !text.contains(CALLEE), "{text}");
    assert_eq!(placed.session(1).dialled(), &number(CALLEE));
    assert_eq!(
        CallNonce::from_octets(placed.nonce).as_octets(),
        &placed.nonce
    );
    assert!(placed.world.unix() > UnixTime::from_secs(0));
}

// A machine with too much else to do, or one that was asleep.
#[test]
fn a_wait_that_its_host_slept_through_says_that_the_time_was_up() {
    let mut placed = placed();
    placed.leave(&placed.rsp().content());
    let session = placed.session(4000);
    placed.world.ms += 5000;
    let outcome = run(&mut placed.world, &mut placed.caller, session);
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::DeadlinePassed]);
    // Nothing was used up: who waits again finds the answer.
    assert_eq!(placed.wait().verdict.verdict, Verdict::Verified);
}
