//! Who can open calls to a number: listed for its owner (T27), allowed by the caller's policy (PRV-36),
//! and directories that hide it (T24, T26).

use std::sync::Arc;

use ringtrue_lab::{Credential as LabCredential, LabLog, LeafSpec};
use ringtrue_oob::CallPhase;
use ringtrue_oob::Suite;
use ringtrue_oob::http::directory;
use ringtrue_oob::statement::SignedStatement;
use ringtrue_session::{
    Action, AnswerSession, Input, NumberReaders, Placement, Policy, PublishMode, ReadersSession,
    Role,
};
use ringtrue_stir::Reason;
use ringtrue_stir::certificate::sct::LogList;

use crate::attacker::{answer_lookups, fail_requests, fresh_key, statement};
use crate::bundles::{Operator, own_data, update_well};
use crate::net::Service;
use crate::phone::{Phone, Reply};
use crate::sim::run;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, DIRECTORY, World, base, number};

/// A second directory.
const MIRROR: &str = "mirror.example";

/// Lists the readers of the callee's number.
fn list(world: &mut World, callee: &mut Phone) -> NumberReaders {
    let context = Arc::clone(&callee.context);
    let session = ReadersSession::new(context, world.in_ms(10_000));
    let mut all = run(world, callee, session);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// Puts a statement for the callee's number in a directory.
fn put(world: &mut World, into: &str, signed: &SignedStatement) {
    let request = directory::encode_publish(&base(into), &number(CALLEE), &signed.directory);
    let (ms, now) = (world.ms, world.unix());
    let answer = world.net.answer(Role::Publish, &request, ms, now);
    assert_eq!(answer.unwrap().status, 204);
}

/// A carrier with a certificate for the callee's number, and keys of its own.
fn co_holder(world: &mut World) -> LabCredential {
    let carrier = world.credential(&[CALLEE]);
    let signed = statement(world, &carrier, |draft| {
        draft.keys = vec![fresh_key(Suite::S1), fresh_key(Suite::S2)];
    });
    put(world, DIRECTORY, &signed);
    carrier
}

#[test]
fn a_number_whose_only_reader_is_its_owner_gives_no_alarm() {
    let (mut world, _, mut callee) = World::with_phones();
    let listed = list(&mut world, &mut callee);
    assert_eq!(listed.notices, []);
    assert_eq!(listed.number, number(CALLEE));
    let [own] = listed.readers.as_slice() else {
        panic!("one reader");
    };
    assert!(own.is_own && !own.is_new);
    assert_eq!(own.suites, [Suite::S1]);
    assert_eq!(own.since, Some(world.unix()));
}

#[test]
fn a_new_reader_is_told_once_and_listed_from_then_on_with_the_day_he_came() {
    let (mut world, _, mut callee) = World::with_phones();
    list(&mut world, &mut callee);
    world.ms += 60_000;
    let carrier = co_holder(&mut world);
    world.ms += 60_000;
    let listed = list(&mut world, &mut callee);
    let came = world.unix();
    assert_eq!(listed.notices, [Reason::ReaderAdded]);
    let spki = carrier.bag().unwrap().certificates()[0].spki_digest();
    let found = |listed: &NumberReaders| {
        let mut readers = listed.readers.iter();
        readers
            .find(|reader| reader.signer == spki)
            .unwrap()
            .clone()
    };
    let reader = found(&listed);
    assert!(reader.is_new && !reader.is_own);
    assert_eq!(reader.suites, [Suite::S1, Suite::S2]);
    assert!(!reader.subject.is_empty());
    assert_eq!(listed.readers.len(), 2);
    world.ms += 60_000;
    let listed = list(&mut world, &mut callee);
    assert_eq!(listed.notices, []);
    let reader = found(&listed);
    assert!(!reader.is_new);
    assert_eq!(reader.since, Some(came));
}

#[test]
fn a_reader_who_is_there_from_the_beginning_is_told_too() {
    let (mut world, _, mut callee) = World::with_phones();
    co_holder(&mut world);
    let listed = list(&mut world, &mut callee);
    assert_eq!(listed.notices, [Reason::ReaderAdded]);
}

#[test]
fn a_directory_that_hides_a_reader_hides_him_from_nobody_who_saw_him() {
    let (mut world, _, mut callee) = World::with_phones();
    co_holder(&mut world);
    list(&mut world, &mut callee);
    let own = crate::attacker::statements(&mut world, CALLEE).remove(0);
    answer_lookups(&mut callee, &[own.text()]);
    assert_eq!(list(&mut world, &mut callee).readers.len(), 2);
}

#[test]
fn an_own_statement_that_the_directory_does_not_show_is_told() {
    let (mut world, _, mut callee) = World::with_phones();
    answer_lookups(&mut callee, &[]);
    let listed = list(&mut world, &mut callee);
    assert_eq!(listed.notices, [Reason::KeysNotPublished]);
    assert_eq!(listed.readers, []);
}

// Another device of the number, or a thief of its credential.
#[test]
fn a_statement_of_the_own_credential_with_keys_of_others_is_told() {
    let (mut world, _, mut callee) = World::with_phones();
    let credential = callee.credential.clone();
    let later = world.unix().as_secs() + 100;
    let foreign = statement(&world, &credential, |draft| draft.seq = later);
    put(&mut world, DIRECTORY, &foreign);
    let listed = list(&mut world, &mut callee);
    assert!(listed.notices.contains(&Reason::StatementSuperseded));
    assert!(listed.notices.contains(&Reason::KeysNotPublished));
    assert!(!listed.readers[0].is_own);
}

#[test]
fn a_directory_that_cannot_be_asked_is_told_and_who_is_known_is_listed() {
    let (mut world, _, mut callee) = World::with_phones();
    co_holder(&mut world);
    list(&mut world, &mut callee);
    fail_requests(&mut callee, Role::Lookup, Reason::ServiceUnreachable);
    let listed = list(&mut world, &mut callee);
    assert_eq!(listed.notices, [Reason::ServiceUnreachable]);
    assert_eq!(listed.readers.len(), 2);
    callee.on(|action, _| match action {
        Action::Request { .. } => Some(Reply::Never),
        _ => None,
    });
    let before = world.ms;
    let listed = list(&mut world, &mut callee);
    assert_eq!(listed.notices, [Reason::DeadlinePassed]);
    assert_eq!(world.ms, before + 10_000);
}

#[test]
fn an_own_record_that_cannot_be_read_is_told_with_every_number() {
    let (mut world, _, mut callee) = World::with_phones();
    callee.on(|action, _| match action {
        Action::Load { id, record } if record.as_str().starts_with("keys.") => Some(Reply::With(
            Input::Loaded(*id, Err(Reason::RecordNotOpened)),
        )),
        _ => None,
    });
    let listed = list(&mut world, &mut callee);
    assert!(listed.notices.contains(&Reason::RecordNotOpened));
    assert_eq!(listed.readers.len(), 1);
}

#[test]
fn every_own_number_is_listed() {
    let mut world = World::new();
    let mut phone = world.phone(&[CALLER, CALLEE], &[CPS_CALLEE]);
    world.publish(&mut phone).unwrap();
    let session = ReadersSession::new(Arc::clone(&phone.context), world.in_ms(10_000));
    let all = run(&mut world, &mut phone, session);
    let numbers: Vec<_> = all.iter().map(|listed| listed.number.as_str()).collect();
    assert_eq!(numbers, [CALLER, CALLEE]);
    assert!(all.iter().all(|listed| listed.readers[0].is_own));
}

#[test]
fn whom_one_calls_can_be_asked_who_reads() {
    let (mut world, mut caller, _) = World::with_phones();
    co_holder(&mut world);
    let placed = world.place_well(&mut caller, CALLEE);
    let readers = placed.keys.list(world.unix());
    assert_eq!(readers.len(), 2);
    assert!(readers.iter().all(|reader| reader.since.is_none()));
    // Nothing of them is in a text.
    assert_eq!(format!("{:?}", readers[0]), "Reader(..)");
}

/// A caller with this policy, and the callee, beside whom a carrier reads.
fn with_policy(change: impl FnOnce(&mut Policy, &LabCredential)) -> (World, Phone, Phone) {
    let (mut world, _, callee) = World::with_phones();
    let carrier = co_holder(&mut world);
    let credential = world.credential(&[CALLER]);
    let caller = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
        change(&mut builder.policy, &carrier);
    });
    (world, caller, callee)
}

fn spki(credential: &LabCredential) -> [u8; 32] {
    credential.bag().unwrap().certificates()[0].spki_digest()
}

// T27
#[test]
fn nothing_is_sealed_to_a_signer_who_is_not_on_the_list() {
    let (mut world, mut caller, _) = with_policy(|_, _| {});
    assert_eq!(world.place_well(&mut caller, CALLEE).copies, 3);

    let (mut world, mut caller, callee) = World::with_phones();
    co_holder(&mut world);
    let allowed = spki(&callee.credential);
    let credential = caller.credential.clone();
    caller = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
        builder.policy.reader_signers = vec![[1; 32], allowed];
    });
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(placed.copies, 1);
    assert!(placed.reasons.contains(&Reason::ReaderNotAllowed));
    assert_eq!(caller.context.readers_of(&placed.keys, world.unix()), 1);
}

#[test]
fn a_call_that_nobody_may_read_is_not_announced_and_says_why() {
    let (mut world, mut caller, _) = with_policy(|policy, _| policy.reader_signers = vec![[1; 32]]);
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::ReaderNotAllowed));
    assert!(placed.reasons.contains(&Reason::NoUsableKey));
    assert_eq!(world.net.count(Role::Store), 0);
}

#[test]
fn nothing_is_sealed_to_a_certificate_that_no_log_has_seen() {
    // Without logs to compare with nobody qualifies.
    let (mut world, mut caller, _) =
        with_policy(|policy, _| policy.require_reader_transparency = true);
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::ReaderNotAllowed));

    // With a bundle that names the log, only who is in it, although the bundle itself only warns.
    let operator = Operator::new(&world);
    let log = LabLog::new("Log operator").unwrap();
    let mut data = own_data(&world);
    data.logs = LogList::new(vec![log.configuration().unwrap()]).unwrap();
    operator.serve(&mut world, 1, data);
    update_well(&mut world, &mut caller, &operator.source());
    let at = world.unix();
    let spec = LeafSpec::for_number(&number(CALLEE), at);
    let issuer = &world.authority.intermediate;
    let logged = issuer.issue_logged(&spec, &[&log], at).unwrap();
    let signed = statement(&world, &logged, |_| {});
    put(&mut world, DIRECTORY, &signed);
    caller.records.clear();
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(placed.copies, 1);
    assert!(placed.reasons.contains(&Reason::ReaderNotAllowed));
}

#[test]
fn an_answer_is_not_sealed_to_a_caller_whose_signer_is_not_allowed() {
    let (mut world, mut caller, callee) = World::with_phones();
    let credential = callee.credential.clone();
    let mut callee = {
        let mut strict = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |builder| {
            builder.policy.reader_signers = vec![[1; 32]];
        });
        strict.records = callee.records;
        strict
    };
    world.place_well(&mut caller, CALLEE);
    let call = world.ring(&mut callee, CALLER).call.unwrap();
    world.net.sent.clear();
    let context = Arc::clone(&callee.context);
    let session = AnswerSession::new(context, call, CallPhase::Answered, world.in_ms(2500));
    let answered = run(&mut world, &mut callee, session.unwrap());
    assert!(!answered.sent);
    assert_eq!(answered.reasons, [Reason::ReaderNotAllowed]);
    assert_eq!(world.net.count(Role::Store), 0);
}

/// Answers a call while this is what the callee remembers of the caller.
fn answer_knowing(
    remembered: impl FnOnce(&World, &mut Phone) -> Option<SignedStatement>,
) -> ringtrue_session::Answered {
    let (mut world, mut caller, mut callee) = World::with_phones();
    world.place_well(&mut caller, CALLEE);
    if let Some(signed) = remembered(&world, &mut caller) {
        answer_lookups(&mut callee, &[&signed.directory]);
        let session = world.lookup(&callee, CALLER, true);
        assert_eq!(run(&mut world, &mut callee, session).notices, []);
        callee.hook = None;
    }
    let call = world.ring(&mut callee, CALLER).call.unwrap();
    let context = Arc::clone(&callee.context);
    let session = AnswerSession::new(context, call, CallPhase::Answered, world.in_ms(2500));
    run(&mut world, &mut callee, session.unwrap())
}

// PRV-37: the callee seals too.
#[test]
fn an_answer_is_not_sealed_to_a_statement_that_its_signer_has_gone_back_on() {
    let seq = |caller: &Phone| caller.own_keys().unwrap()["seq"].as_u64().unwrap();
    let signed = |world: &World, caller: &Phone, seq: u64| {
        statement(world, &caller.credential, |draft| {
            draft.numbers = vec![number(CALLER)];
            draft.seq = seq;
        })
    };
    assert!(answer_knowing(|_, _| None).sent);
    let older = |world: &World, caller: &mut Phone| Some(signed(world, caller, seq(caller) - 1));
    assert!(answer_knowing(older).sent);
    let newer = |world: &World, caller: &mut Phone| Some(signed(world, caller, seq(caller) + 1));
    let answered = answer_knowing(newer);
    assert!(!answered.sent);
    assert_eq!(answered.reasons, [Reason::SequenceRollback]);
    let other = |world: &World, caller: &mut Phone| Some(signed(world, caller, seq(caller)));
    let answered = answer_knowing(other);
    assert!(!answered.sent);
    assert_eq!(answered.reasons, [Reason::Equivocation]);
}

/// Two telephones that use both directories and have published in both.
fn mirrored() -> (World, Phone, Phone) {
    let mut world = World::new();
    world
        .net
        .services
        .insert(MIRROR.to_owned(), Service::default());
    let phone = |world: &World, of: &str, at: &str| {
        let credential = world.credential(&[of]);
        world.phone_with(&[of], &[at], credential, |builder| {
            builder.services.mirror = Some(base(MIRROR));
        })
    };
    let caller = phone(&world, CALLER, CPS_CALLER);
    let mut callee = phone(&world, CALLEE, CPS_CALLEE);
    world.publish(&mut callee).unwrap();
    world.net.sent.clear();
    (world, caller, callee)
}

fn look(world: &mut World, caller: &mut Phone) -> ringtrue_session::Found {
    let session = world.lookup(caller, CALLEE, true);
    run(world, caller, session)
}

#[test]
fn two_directories_that_say_the_same_give_no_alarm() {
    let (mut world, mut caller, _) = mirrored();
    let found = look(&mut world, &mut caller);
    assert_eq!(found.notices, []);
    assert_eq!(found.keys.readers(world.unix()), 1);
    assert_eq!(world.net.count(Role::Lookup), 2);
}

// T24
#[test]
fn a_directory_that_hides_a_number_is_found_out_and_the_call_is_announced() {
    for hiding in [DIRECTORY, MIRROR] {
        let (mut world, mut caller, _) = mirrored();
        world.net.service(hiding).statements.clear();
        let found = look(&mut world, &mut caller);
        assert_eq!(found.notices, [Reason::DirectoryInconsistent]);
        caller.records.clear();
        let placed = world.place_well(&mut caller, CALLEE);
        assert!(placed.reasons.contains(&Reason::DirectoryInconsistent));
    }
}

// T24
#[test]
fn a_directory_that_shows_an_old_statement_is_found_out_and_the_newer_one_is_used() {
    for stuck in [DIRECTORY, MIRROR] {
        let (mut world, mut caller, mut callee) = mirrored();
        let old = world.net.service(stuck).statements.clone();
        world.ms += 2_000;
        world.publish_as(&mut callee, PublishMode::Rotate).unwrap();
        world.net.service(stuck).statements = old;
        // Somebody who has never seen either.
        let found = look(&mut world, &mut caller);
        assert_eq!(found.notices, [Reason::DirectoryInconsistent]);
        world.place_well(&mut caller, CALLEE);
        let outcome = world.ring(&mut callee, CALLER);
        assert!(!outcome.verdict.reasons.contains(&Reason::KsdUnknown));
        let statement = callee.own_keys().unwrap();
        let seq = found.keys.list(world.unix())[0].expires.as_secs();
        assert_eq!(statement["exp"], seq);
    }
}

// T26: the signer helps the directory to single somebody out.
#[test]
fn two_directories_with_two_statements_of_one_number_and_signer_are_equivocation() {
    let (mut world, mut caller, _) = mirrored();
    let signer = world.credential(&[CALLEE]);
    let (one, other) = (
        statement(&world, &signer, |draft| draft.seq = 5),
        statement(&world, &signer, |draft| draft.seq = 5),
    );
    put(&mut world, DIRECTORY, &one);
    put(&mut world, MIRROR, &other);
    let found = look(&mut world, &mut caller);
    assert_eq!(
        found.notices,
        [Reason::DirectoryInconsistent, Reason::Equivocation]
    );
    // The callee's own remains; of the two-faced signer nothing is believed.
    assert_eq!(found.keys.readers(world.unix()), 1);
}

// T26: without a second source, the victim of a split view notices when a call comes.
#[test]
fn a_split_view_shows_when_the_callee_gets_a_call_that_was_sealed_for_another_statement() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let credential = callee.credential.clone();
    let key = crate::attacker::key_of(&mut world, CALLEE);
    // The signer's key is abused: the same encryption key under a statement that the callee never made.
    let later = world.unix().as_secs() + 100;
    let foreign = statement(&world, &credential, |draft| {
        draft.seq = later;
        draft.keys = vec![key];
    });
    answer_lookups(&mut caller, &[&foreign.directory]);
    world.place_well(&mut caller, CALLEE);
    let outcome = world.ring(&mut callee, CALLER);
    assert!(outcome.verdict.reasons.contains(&Reason::KsdUnknown));
}

#[test]
fn one_directory_that_is_silent_or_away_does_not_keep_the_other_from_serving() {
    for away in [DIRECTORY, MIRROR] {
        let (mut world, mut caller, _) = mirrored();
        world.net.services.remove(away);
        let found = look(&mut world, &mut caller);
        assert_eq!(found.notices, [Reason::ServiceUnreachable]);
        assert_eq!(found.keys.readers(world.unix()), 1);

        let (mut world, mut caller, _) = mirrored();
        caller.on(move |action, _| match action {
            Action::Request { request, .. } if request.url.contains(away) => Some(Reply::TimesOut),
            _ => None,
        });
        let placed = world.place_well(&mut caller, CALLEE);
        assert!(placed.reasons.contains(&Reason::DeadlinePassed));
    }
}

#[test]
fn with_both_directories_away_nothing_is_known() {
    let (mut world, mut caller, _) = mirrored();
    world.net.services.remove(DIRECTORY);
    world.net.services.remove(MIRROR);
    let found = look(&mut world, &mut caller);
    assert_eq!(found.notices, [Reason::ServiceUnreachable]);
    assert!(!found.keys.has_live(world.unix()));
}

#[test]
fn keys_are_published_in_both_and_a_mirror_that_fails_is_only_told() {
    let (mut world, _, mut callee) = mirrored();
    assert_eq!(world.net.service(MIRROR).statements[CALLEE].len(), 1);
    world.net.services.remove(MIRROR);
    world.ms += 2_000;
    let published = world.publish_as(&mut callee, PublishMode::Rotate).unwrap();
    assert_eq!(published.notices, [Reason::ServiceUnreachable]);
    assert_eq!(published.numbers, [number(CALLEE)]);
    // And the other way round.
    let (mut world, _, mut callee) = mirrored();
    world.net.services.remove(DIRECTORY);
    world.ms += 2_000;
    let published = world.publish_as(&mut callee, PublishMode::Rotate);
    assert_eq!(published, Err(Reason::ServiceUnreachable));
}

#[test]
fn a_mirror_that_is_the_directory_itself_compares_nothing_and_is_refused() {
    let world = World::new();
    let credential = world.credential(&[CALLEE]);
    let context = world.context(&[CALLEE], &[CPS_CALLEE], &credential, |builder| {
        builder.services.mirror = Some(base(DIRECTORY));
    });
    assert_eq!(context.err(), Some(Reason::ConfigurationInvalid));
}

// A statement that no directory acknowledged was seen by nobody: the next names the one before.
#[test]
fn a_rotation_names_the_statement_that_callers_hold_before_it() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let session = world.lookup(&caller, CALLEE, true);
    assert_eq!(run(&mut world, &mut caller, session).notices, []);
    for failures in 0..3 {
        for _ in 0..failures {
            world.ms += 2_000;
            fail_requests(&mut callee, Role::Publish, Reason::ServiceUnreachable);
            let failed = world.publish_as(&mut callee, PublishMode::Rotate);
            assert_eq!(failed, Err(Reason::ServiceUnreachable));
            // Other settings: another statement, in place of the one that nobody saw.
            let credential = callee.credential.clone();
            let records = core::mem::take(&mut callee.records);
            let suites = vec![Suite::S1, Suite::S2];
            let change = |builder: &mut ringtrue_session::ContextBuilder| {
                if !builder.policy.suites.contains(&Suite::S2) {
                    builder.policy.suites = suites;
                }
            };
            callee = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, change);
            callee.records = records;
        }
        callee.hook = None;
        world.ms += 2_000;
        world.publish_as(&mut callee, PublishMode::Rotate).unwrap();
        let session = world.lookup(&caller, CALLEE, true);
        let found = run(&mut world, &mut caller, session);
        assert_eq!(found.notices, [], "after {failures} failures");
        assert!(found.keys.has_live(world.unix()));
    }
}
