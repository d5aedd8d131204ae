//! Learning keys: memory first, statements verified always, and nothing undone that was seen (PRV-37).

use ringtrue_lab::{Authority, Credential as LabCredential};
use ringtrue_oob::http::{HttpResponse, directory};
use ringtrue_oob::statement::{KeyStatement, SignedStatement, StatementDigest};
use ringtrue_session::{Action, Found, Input, Role, Saved};
use ringtrue_stir::{Reason, UnixTime};
use serde_json::Value;

use crate::attacker::{answer_lookups, fail_requests, fresh_key, statement};
use crate::phone::{Phone, Reply};
use crate::sim::run;
use crate::world::{CALLEE, CALLER, CPS_CALLER, START_MS, STRANGER, World, number};

/// A caller that looks the callee up, and the credential that signs the callee's statements.
fn scene() -> (World, Phone, LabCredential) {
    let world = World::new();
    let caller = world.phone(&[CALLER], &[CPS_CALLER]);
    let signer = world.credential(&[CALLEE]);
    (world, caller, signer)
}

/// Looks the callee up afresh while the directory answers with these.
fn learn(world: &mut World, caller: &mut Phone, answer: &[&SignedStatement]) -> Found {
    let texts: Vec<&str> = answer
        .iter()
        .map(|signed| signed.directory.as_str())
        .collect();
    answer_lookups(caller, &texts);
    let session = world.lookup(caller, CALLEE, true);
    let found = run(world, caller, session);
    caller.hook = None;
    found
}

fn numbered(world: &World, signer: &LabCredential, seq: u64) -> SignedStatement {
    statement(world, signer, |draft| draft.seq = seq)
}

fn digest_of(signed: &SignedStatement) -> StatementDigest {
    *KeyStatement::parse(&signed.directory).unwrap().digest()
}

/// The record of the callee's statements.
fn record(caller: &Phone) -> Value {
    let mut records = caller.records.iter();
    let found = records.find(|(name, _)| name.starts_with("statements."));
    serde_json::from_slice(found.unwrap().1).unwrap()
}

/// The sequence numbers of the statements that are held.
fn held(caller: &Phone) -> Vec<u64> {
    let texts = record(caller)["statements"].as_array().unwrap().clone();
    let seq = |text: &Value| {
        let parsed = KeyStatement::parse(text.as_str().unwrap());
        parsed.unwrap().seq()
    };
    texts.iter().map(seq).collect()
}

#[test]
fn a_directory_is_asked_once_and_the_record_serves_from_then_on() {
    let (mut world, mut caller, _) = World::with_phones();
    for _ in 0..3 {
        let session = world.lookup(&caller, CALLEE, false);
        let found = run(&mut world, &mut caller, session);
        assert_eq!(found.notices, []);
        assert_eq!(found.keys.readers(world.unix()), 1);
    }
    assert_eq!(world.net.sent.len(), 1);
    assert_eq!(world.net.sent[0].role, Role::Lookup);
}

#[test]
fn a_fresh_lookup_asks_although_the_record_is_good() {
    let (mut world, mut caller, _) = World::with_phones();
    for _ in 0..2 {
        let session = world.lookup(&caller, CALLEE, true);
        run(&mut world, &mut caller, session);
    }
    assert_eq!(world.net.sent.len(), 2);
}

#[test]
fn an_unknown_number_has_no_keys_and_no_notice() {
    let (mut world, mut caller, _) = World::with_phones();
    let session = world.lookup(&caller, STRANGER, false);
    let found = run(&mut world, &mut caller, session);
    assert!(!found.keys.has_live(world.unix()));
    assert_eq!(found.notices, []);
}

#[test]
fn names_of_records_show_no_number() {
    let (mut world, mut caller, signer) = scene();
    let one = numbered(&world, &signer, 1);
    learn(&mut world, &mut caller, &[&one]);
    assert!(caller.records.keys().all(|name| !name.contains(CALLEE)));
}

#[test]
fn an_expired_statement_is_forgotten_and_the_directory_asked() {
    let (mut world, mut caller, signer) = scene();
    let one = numbered(&world, &signer, 1);
    learn(&mut world, &mut caller, &[&one]);
    world.ms += 3_600_000;
    let session = world.lookup(&caller, CALLEE, false);
    let found = run(&mut world, &mut caller, session);
    assert_eq!(world.net.count(Role::Lookup), 1);
    assert!(!found.keys.has_live(world.unix()));
    assert!(held(&caller).is_empty());
}

#[test]
fn statements_that_do_not_verify_are_refused_and_do_not_spoil_the_others() {
    let (mut world, mut caller, signer) = scene();
    let good = numbered(&world, &signer, 1);
    let now = world.unix().as_secs();
    let elsewhere = Authority::for_numbers(&[number(CALLEE)], world.unix()).unwrap();
    let elsewhere = elsewhere
        .issue_number(&number(CALLEE), world.unix())
        .unwrap();
    let tampered = {
        let text = &good.directory;
        let at = text.rfind('.').unwrap();
        let other = numbered(&world, &signer, 9).directory;
        format!("{}{}", &text[..at], &other[other.rfind('.').unwrap()..])
    };
    let uncovered = world.credential(&[STRANGER]);
    let cases: [(String, Reason); 7] = [
        (
            statement(&world, &signer, |d| {
                d.iat = UnixTime::from_secs(now - 100);
                d.exp = UnixTime::from_secs(now);
            })
            .directory,
            Reason::StatementExpired,
        ),
        (
            statement(&world, &signer, |d| d.iat = UnixTime::from_secs(now + 61)).directory,
            Reason::StatementNotYetValid,
        ),
        (
            numbered(&world, &elsewhere, 1).directory,
            Reason::NoPathToAnchor,
        ),
        (
            numbered(&world, &uncovered, 1).directory,
            Reason::NumberNotCovered,
        ),
        (
            statement(&world, &uncovered, |d| d.numbers = vec![number(STRANGER)]).directory,
            Reason::StatementNumberMissing,
        ),
        (tampered, Reason::SignatureInvalid),
        (good.inline.clone(), Reason::CredentialUnavailable),
    ];
    for (bad, reason) in cases {
        caller.records.clear();
        answer_lookups(&mut caller, &[&bad, &good.directory]);
        let session = world.lookup(&caller, CALLEE, true);
        let found = run(&mut world, &mut caller, session);
        assert_eq!(found.notices, [Reason::StatementRefused, reason]);
        assert_eq!(found.keys.readers(world.unix()), 1);
    }
}

#[test]
fn a_lower_sequence_number_is_a_rollback_and_what_was_known_stays() {
    let (mut world, mut caller, signer) = scene();
    let (five, four) = (numbered(&world, &signer, 5), numbered(&world, &signer, 4));
    learn(&mut world, &mut caller, &[&five]);
    let found = learn(&mut world, &mut caller, &[&four]);
    assert_eq!(found.notices, [Reason::SequenceRollback]);
    assert_eq!(held(&caller), [5]);
    assert_eq!(found.keys.readers(world.unix()), 1);
}

#[test]
fn a_rollback_is_noticed_a_day_after_the_newer_statement_expired() {
    let (mut world, mut caller, signer) = scene();
    let five = numbered(&world, &signer, 5);
    learn(&mut world, &mut caller, &[&five]);
    // The statement lives for an hour; what was seen of it is remembered for 24 hours more.
    world.ms += 24 * 3_600_000;
    let four = numbered(&world, &signer, 4);
    let found = learn(&mut world, &mut caller, &[&four]);
    assert_eq!(found.notices, [Reason::SequenceRollback]);
    assert!(!found.keys.has_live(world.unix()));
    world.ms += 3_600_000;
    learn(&mut world, &mut caller, &[]);
    let four = numbered(&world, &signer, 4);
    let found = learn(&mut world, &mut caller, &[&four]);
    assert_eq!(found.notices, []);
    assert_eq!(held(&caller), [4]);
}

#[test]
fn a_higher_sequence_number_replaces_and_the_same_statement_stays() {
    let (mut world, mut caller, signer) = scene();
    let five = numbered(&world, &signer, 5);
    let six = statement(&world, &signer, |draft| {
        draft.seq = 6;
        draft.prev = Some(digest_of(&five));
    });
    for (answer, expected) in [(&five, 5), (&five, 5), (&six, 6)] {
        let found = learn(&mut world, &mut caller, &[answer]);
        assert_eq!(found.notices, []);
        assert_eq!(held(&caller), [expected]);
    }
}

// A number's owner who lost its state, or somebody else with its key: the new keys are used, and told.
#[test]
fn a_statement_that_does_not_name_the_live_one_before_it_is_used_and_told() {
    for prev in [None, Some(StatementDigest::from_octets([1; 32]))] {
        let (mut world, mut caller, signer) = scene();
        let five = numbered(&world, &signer, 5);
        learn(&mut world, &mut caller, &[&five]);
        let six = statement(&world, &signer, |draft| {
            draft.seq = 6;
            draft.prev = prev;
        });
        let found = learn(&mut world, &mut caller, &[&six]);
        assert_eq!(found.notices, [Reason::StatementChainBroken]);
        assert_eq!(held(&caller), [6]);
        // Told once, not with each look.
        let found = learn(&mut world, &mut caller, &[&six]);
        assert_eq!(found.notices, []);
    }
}

#[test]
fn a_statement_after_a_time_without_any_need_not_name_the_one_that_was_known() {
    let (mut world, mut caller, signer) = scene();
    let five = numbered(&world, &signer, 5);
    learn(&mut world, &mut caller, &[&five]);
    world.ms += 3_600_000;
    let nine = numbered(&world, &signer, 9);
    let found = learn(&mut world, &mut caller, &[&nine]);
    assert_eq!(found.notices, []);
    assert_eq!(held(&caller), [9]);
}

#[test]
fn two_statements_under_one_sequence_number_are_equivocation() {
    let (mut world, mut caller, signer) = scene();
    let (one, other) = (numbered(&world, &signer, 5), numbered(&world, &signer, 5));
    learn(&mut world, &mut caller, &[&one]);
    let found = learn(&mut world, &mut caller, &[&other]);
    assert_eq!(found.notices, [Reason::Equivocation]);
    assert!(!found.keys.has_live(world.unix()));
    assert!(held(&caller).is_empty());

    // Both in one answer, to somebody who knows neither.
    caller.records.clear();
    let found = learn(&mut world, &mut caller, &[&one, &other]);
    assert_eq!(found.notices, [Reason::Equivocation]);
    assert!(!found.keys.has_live(world.unix()));
}

#[test]
fn after_equivocation_neither_statement_is_believed_and_a_higher_number_is() {
    let (mut world, mut caller, signer) = scene();
    let (one, other) = (numbered(&world, &signer, 5), numbered(&world, &signer, 5));
    learn(&mut world, &mut caller, &[&one, &other]);
    for alone in [&one, &other] {
        let found = learn(&mut world, &mut caller, &[alone]);
        assert_eq!(found.notices, [Reason::Equivocation]);
        assert!(!found.keys.has_live(world.unix()));
    }
    let six = numbered(&world, &signer, 6);
    let found = learn(&mut world, &mut caller, &[&six]);
    assert_eq!(found.notices, []);
    assert_eq!(held(&caller), [6]);
}

#[test]
fn both_encodings_of_one_statement_are_no_equivocation() {
    let (mut world, mut caller, signer) = scene();
    let one = numbered(&world, &signer, 5);
    let found = learn(&mut world, &mut caller, &[&one, &one]);
    assert_eq!(found.notices, []);
    assert_eq!(held(&caller), [5]);
}

#[test]
fn the_same_number_of_two_signers_is_no_equivocation() {
    let (mut world, mut caller, signer) = scene();
    let carrier = world.credential(&[CALLEE]);
    let (one, other) = (numbered(&world, &signer, 5), numbered(&world, &carrier, 5));
    let found = learn(&mut world, &mut caller, &[&one, &other]);
    assert_eq!(found.notices, []);
    assert_eq!(found.keys.readers(world.unix()), 2);
}

#[test]
fn a_directory_that_hides_statements_makes_nobody_forget_them() {
    let (mut world, mut caller, signer) = scene();
    let carrier = world.credential(&[CALLEE]);
    let (one, other) = (numbered(&world, &signer, 5), numbered(&world, &carrier, 6));
    learn(&mut world, &mut caller, &[&one, &other]);
    let found = learn(&mut world, &mut caller, &[&other]);
    assert_eq!(found.keys.readers(world.unix()), 2);
    let found = learn(&mut world, &mut caller, &[]);
    assert_eq!(found.keys.readers(world.unix()), 2);
    assert_eq!(held(&caller).len(), 2);
}

/// A signer that says two things speaks for itself alone.
#[test]
fn equivocation_of_one_signer_does_not_drop_the_hidden_statement_of_another() {
    let (mut world, mut caller, signer) = scene();
    let carrier = world.credential(&[CALLEE]);
    let kept = numbered(&world, &signer, 5);
    let (one, other) = (numbered(&world, &carrier, 7), numbered(&world, &carrier, 7));
    learn(&mut world, &mut caller, &[&kept, &one]);
    let found = learn(&mut world, &mut caller, &[&other]);
    assert_eq!(found.notices, [Reason::Equivocation]);
    assert_eq!(held(&caller), [5]);
    assert_eq!(found.keys.readers(world.unix()), 1);
}

#[test]
fn at_most_eight_statements_are_kept_and_thirty_two_signers_remembered() {
    let (mut world, mut caller, _) = scene();
    for round in 0..9 {
        let signed: Vec<SignedStatement> = (0..4)
            .map(|_| {
                let signer = world.credential(&[CALLEE]);
                statement(&world, &signer, |draft| draft.seq = round)
            })
            .collect();
        learn(&mut world, &mut caller, &signed.iter().collect::<Vec<_>>());
    }
    assert_eq!(held(&caller).len(), 8);
    assert_eq!(record(&caller)["seen"].as_array().unwrap().len(), 32);
}

#[test]
fn a_damaged_record_is_told_and_replaced() {
    let (mut world, mut caller, signer) = scene();
    let one = numbered(&world, &signer, 1);
    learn(&mut world, &mut caller, &[&one]);
    let good = caller.records.clone();
    for damage in [
        "",
        "{",
        "[]",
        r#"{"v":2,"statements":[],"seen":[]}"#,
        "{\"v\":1}",
    ] {
        for record in caller.records.values_mut() {
            *record = damage.as_bytes().to_vec();
        }
        answer_lookups(&mut caller, &[&one.directory]);
        let session = world.lookup(&caller, CALLEE, false);
        let found = run(&mut world, &mut caller, session);
        assert_eq!(found.notices, [Reason::MalformedRecord]);
        assert_eq!(found.keys.readers(world.unix()), 1);
        assert_eq!(caller.records, good);
    }
}

#[test]
fn a_record_with_a_statement_that_was_tampered_with_is_not_believed() {
    let (mut world, mut caller, signer) = scene();
    let one = numbered(&world, &signer, 1);
    learn(&mut world, &mut caller, &[&one]);
    let stranger = world.credential(&[STRANGER]);
    let foreign = statement(&world, &stranger, |d| d.numbers = vec![number(STRANGER)]);
    let mut planted = record(&caller);
    planted["statements"][0] = Value::from(foreign.directory);
    for record in caller.records.values_mut() {
        *record = planted.to_string().into_bytes();
    }
    let session = world.lookup(&caller, CALLEE, false);
    let found = run(&mut world, &mut caller, session);
    assert!(!found.keys.has_live(world.unix()));
    assert_eq!(world.net.count(Role::Lookup), 1);
}

#[test]
fn a_store_that_cannot_be_read_is_told_and_the_directory_asked() {
    let (mut world, mut caller, _) = World::with_phones();
    caller.on(|action, _| match action {
        Action::Load { id, .. } => Some(Reply::With(Input::Loaded(
            *id,
            Err(Reason::StateUnavailable),
        ))),
        _ => None,
    });
    let session = world.lookup(&caller, CALLEE, false);
    let found = run(&mut world, &mut caller, session);
    assert_eq!(found.notices, [Reason::StateUnavailable]);
    assert_eq!(found.keys.readers(world.unix()), 1);
}

#[test]
fn what_was_found_counts_whatever_comes_of_storing_it() {
    type Outcome = (fn() -> Option<Result<Saved, Reason>>, Vec<Reason>);
    let outcomes: [Outcome; 3] = [
        (
            || Some(Err(Reason::StateUnavailable)),
            vec![Reason::StateUnavailable],
        ),
        (|| Some(Ok(Saved::Changed)), vec![]),
        // It hangs: the lookup ends by its deadline, with the keys.
        (|| None, vec![]),
    ];
    for (outcome, notices) in outcomes {
        let (mut world, mut caller, _) = World::with_phones();
        caller.on(move |action, _| match action {
            Action::Save { id, .. } => Some(match outcome() {
                Some(result) => Reply::With(Input::Saved(*id, result)),
                None => Reply::Never,
            }),
            _ => None,
        });
        let session = world.lookup(&caller, CALLEE, false);
        let found = run(&mut world, &mut caller, session);
        assert_eq!(found.notices, notices);
        assert_eq!(found.keys.readers(world.unix()), 1);
    }
}

#[test]
fn a_silent_directory_ends_at_the_deadline_with_what_is_known() {
    for known in [false, true] {
        let (mut world, mut caller, signer) = scene();
        if known {
            let one = numbered(&world, &signer, 1);
            learn(&mut world, &mut caller, &[&one]);
        }
        caller.on(|action, _| matches!(action, Action::Request { .. }).then_some(Reply::Never));
        let started = world.ms;
        let session = world.lookup(&caller, CALLEE, true);
        let found = run(&mut world, &mut caller, session);
        assert_eq!(world.ms, started + 10_000);
        assert_eq!(found.notices, [Reason::DeadlinePassed]);
        assert_eq!(found.keys.has_live(world.unix()), known);
    }
}

#[test]
fn a_failing_directory_loses_nothing_that_is_known() {
    let (mut world, mut caller, signer) = scene();
    let one = numbered(&world, &signer, 1);
    learn(&mut world, &mut caller, &[&one]);
    for reason in [
        Reason::ServiceUnreachable,
        Reason::TlsFailed,
        Reason::AnswerTooLarge,
    ] {
        fail_requests(&mut caller, Role::Lookup, reason);
        let session = world.lookup(&caller, CALLEE, true);
        let found = run(&mut world, &mut caller, session);
        assert_eq!(found.notices, [reason]);
        assert_eq!(found.keys.readers(world.unix()), 1);
    }
    assert_eq!(held(&caller), [1]);
}

#[test]
fn answers_that_are_none_are_told_and_change_nothing() {
    let json = "application/json";
    let nine = format!(r#"{{"statements":[{}"a"]}}"#, r#""a","#.repeat(8));
    let cases: [(u16, &str, String, Reason); 8] = [
        (
            200,
            "text/html",
            "<html>".into(),
            Reason::UnsupportedMediaType,
        ),
        (200, json, "{".into(), Reason::MalformedAnswer),
        (200, json, "{}".into(), Reason::MalformedAnswer),
        (
            200,
            json,
            r#"{"statements":"a"}"#.into(),
            Reason::MalformedAnswer,
        ),
        (200, json, nine, Reason::MalformedAnswer),
        (200, json, " ".repeat(16_385), Reason::AnswerTooLarge),
        (404, json, "{}".into(), Reason::ServiceError),
        (500, json, "{}".into(), Reason::ServiceError),
    ];
    for (status, content_type, body, reason) in cases {
        let (mut world, mut caller, signer) = scene();
        let one = numbered(&world, &signer, 1);
        learn(&mut world, &mut caller, &[&one]);
        let answer = HttpResponse {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into_bytes(),
        };
        caller.on(move |action, _| match action {
            Action::Request { id, .. } => {
                Some(Reply::With(Input::Response(*id, Ok(answer.clone()))))
            }
            _ => None,
        });
        let session = world.lookup(&caller, CALLEE, true);
        let found = run(&mut world, &mut caller, session);
        assert_eq!(found.notices, [reason], "{status} {content_type}");
        assert_eq!(found.keys.readers(world.unix()), 1);
        assert_eq!(held(&caller), [1]);
    }
}

#[test]
fn padding_and_unknown_members_of_an_answer_are_ignored() {
    let (mut world, mut caller, signer) = scene();
    let one = numbered(&world, &signer, 1);
    let body = format!(r#"{{"x":[1],"statements":["{}"],"pad":7}}"#, one.directory);
    let mut answer = directory::encode_statements(&[]);
    answer.body = body.into_bytes();
    caller.on(move |action, _| match action {
        Action::Request { id, .. } => Some(Reply::With(Input::Response(*id, Ok(answer.clone())))),
        _ => None,
    });
    let session = world.lookup(&caller, CALLEE, true);
    assert_eq!(
        run(&mut world, &mut caller, session)
            .keys
            .readers(world.unix()),
        1
    );
}

#[test]
fn a_low_order_key_refuses_its_statement() {
    // Such a key cannot even be made into one that is sealed to.
    let low = ringtrue_oob::RecipientKey::new(ringtrue_oob::Suite::S2, &[0; 32]);
    assert_eq!(low.unwrap_err(), Reason::MalformedKey);
    // Beside a good one in the same answer, a bad form is refused on its own.
    let (mut world, mut caller, signer) = scene();
    let one = statement(&world, &signer, |draft| {
        draft.keys.push(fresh_key(ringtrue_oob::Suite::S2));
    });
    answer_lookups(&mut caller, &["a.b.c", &one.directory]);
    let session = world.lookup(&caller, CALLEE, true);
    let found = run(&mut world, &mut caller, session);
    assert_eq!(found.notices[0], Reason::StatementRefused);
    assert_eq!(found.keys.readers(world.unix()), 1);
}

#[test]
fn statements_are_verified_at_the_time_that_the_clock_shows() {
    let (mut world, mut caller, signer) = scene();
    let one = numbered(&world, &signer, 1);
    caller.clock = Box::new(|ms| ringtrue_session::WallClock::UnixMs(START_MS + ms + 3_600_000));
    let found = learn(&mut world, &mut caller, &[&one]);
    assert_eq!(
        found.notices,
        [Reason::StatementRefused, Reason::StatementExpired]
    );
}
