//! State records as their host sees them: docs/protocol.md section 12.6, PRV-51.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use ringtrue_oob::CallPhase;
use ringtrue_session::{
    Action, AnswerSession, AwaitAnswerSession, Input, Placement, PublishMode, PublishSession,
    RecordKey, RecordName, RingSession, Sealed, Session, Step, Verdict,
};
use ringtrue_stir::{Reason, base64url};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::phone::{Phone, Reply};
use crate::sim::{run, run_all};
use crate::world::{CALLEE, CALLER, World};

const HOST_KEY: [u8; 32] = [7; 32];

fn key() -> RecordKey {
    RecordKey::new(&HOST_KEY)
}

/// Runs a session as every host does.
fn run_sealed<S: Session>(world: &mut World, phone: &mut Phone, session: S) -> S::Output {
    run(world, phone, Sealed::new(session, key()))
}

fn publish(world: &mut World, phone: &mut Phone) -> Result<(), Reason> {
    let deadline = world.in_ms(10_000);
    let context = Arc::clone(&phone.context);
    let session = PublishSession::new(context, PublishMode::Publish, deadline);
    run_sealed(world, phone, session).map(drop)
}

/// The first record that a session reads, by its name inside of the session.
fn first_record<S: Session>(phone: &Phone, mut session: S) -> RecordName {
    match session.next(phone.now(1000)) {
        Step::Act(Action::Load { record, .. }) => record,
        _ => panic!("the session begins by reading"),
    }
}

fn own_keys(world: &World, phone: &Phone) -> RecordName {
    let context = Arc::clone(&phone.context);
    let session = PublishSession::new(context, PublishMode::Publish, world.in_ms(10_000));
    first_record(phone, session)
}

fn ring(world: &World, phone: &Phone) -> RingSession {
    world.ringing(phone, CALLER)
}

/// A call with everything that is kept of it, on two telephones.
fn conversation() -> (World, Phone, Phone) {
    let (mut world, mut caller, mut callee) = World::with_phones();
    caller.records.clear();
    callee.records.clear();
    world.ms += 2000;
    publish(&mut world, &mut caller).unwrap();
    publish(&mut world, &mut callee).unwrap();
    let placing = world.placing(&caller, CALLEE);
    let placed = run_sealed(&mut world, &mut caller, placing);
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    let ringing = ring(&world, &callee);
    let mut rung = run_all(&mut world, &mut callee, Sealed::new(ringing, key()));
    let outcome = rung.reports.remove(0).1;
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    let verified = outcome.call.as_ref().unwrap();
    let answer = AnswerSession::new(
        Arc::clone(&callee.context),
        verified.clone(),
        CallPhase::Answered,
        world.in_ms(2500),
    );
    let answered = run_sealed(&mut world, &mut callee, answer.unwrap());
    assert_eq!(answered.reasons, []);
    let awaiting = AwaitAnswerSession::new(
        Arc::clone(&caller.context),
        placed.answer.unwrap(),
        world.in_ms(30_000),
        caller.now(world.ms),
    );
    let outcome = run_sealed(&mut world, &mut caller, awaiting);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    (world, caller, callee)
}

// PRV-51, T32
#[test]
fn a_host_sees_neither_number_nor_key_nor_kind_nor_json_in_any_record() {
    let (_, caller, callee) = conversation();
    for phone in [&caller, &callee] {
        assert!(!phone.records.is_empty());
        assert!(!phone.claims.is_empty());
        for name in phone.records.keys().chain(phone.claims.keys()) {
            assert_eq!(base64url::decode(name).unwrap().len(), 32, "{name}");
        }
        for value in phone.records.values() {
            assert!((value.len() - 29).is_power_of_two(), "{}", value.len());
            assert!(value.len() >= 4096);
            let text = String::from_utf8_lossy(value);
            for tell in [
                CALLER, CALLEE, "{\"v\":1", "eyJhb", "\"seq\"", "secret", "suite", "https",
                "example",
            ] {
                assert!(!text.contains(tell), "{tell}");
            }
            // Encrypted octets are as often one value as another: of 4096 no value comes 60 times.
            let mut counts = [0_usize; 256];
            value
                .iter()
                .for_each(|octet| counts[usize::from(*octet)] += 1);
            let most = counts.iter().max().unwrap();
            assert!(*most < value.len() / 60, "{most} of {}", value.len());
        }
        // The mark of a call says nothing about when it was.
        for expires in phone.claims.values() {
            assert_eq!(expires % 3600, 0);
        }
    }
    // A host that forgets to seal would have told all of it.
    let (_, plain, _) = World::with_phones();
    let (name, value) = plain.records.first_key_value().unwrap();
    assert!(name.starts_with("keys."));
    assert!(String::from_utf8_lossy(value).contains("\"secret\""));
}

#[test]
fn a_process_with_the_same_key_goes_on_where_another_ended() {
    let (mut world, _, mut callee) = conversation();
    let before = callee.records.clone();
    publish(&mut world, &mut callee).unwrap();
    assert_eq!(callee.records, before, "nothing was made anew");
    // The PASSporT of the conversation is used up, which the other process knows.
    let ringing = ring(&world, &callee);
    let mut rung = run_all(&mut world, &mut callee, Sealed::new(ringing, key()));
    let outcome = rung.reports.remove(0).1;
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_eq!(outcome.verdict.reasons, [Reason::Replayed]);
}

// A key that is lost must not keep a telephone from working: the records of another key are not seen.
#[test]
fn with_another_key_a_telephone_begins_anew_and_leaves_the_old_records_alone() {
    let (mut world, _, mut callee) = conversation();
    let before = callee.records.clone();
    world.ms += 2000;
    let context = Arc::clone(&callee.context);
    let session = PublishSession::new(context, PublishMode::Publish, world.in_ms(10_000));
    let other = Sealed::new(session, RecordKey::new(&[8; 32]));
    let published = run(&mut world, &mut callee, other).unwrap();
    assert!(published.rotated);
    for (name, value) in &before {
        assert_eq!(callee.records.get(name), Some(value));
    }
    assert_eq!(callee.records.len(), before.len() + 1);
}

#[test]
fn own_keys_that_do_not_open_are_never_written_over() {
    let (mut world, _, mut callee) = conversation();
    let name = key().name(&own_keys(&world, &callee));
    let good = callee.records[name.as_str()].clone();
    for damage in damages(&good) {
        callee
            .records
            .insert(name.as_str().to_owned(), damage.clone());
        assert_eq!(
            publish(&mut world, &mut callee),
            Err(Reason::RecordNotOpened)
        );
        assert_eq!(callee.records[name.as_str()], damage);
        // Nothing can be opened then, and the callee is told why.
        let ringing = ring(&world, &callee);
        let mut rung = run_all(&mut world, &mut callee, Sealed::new(ringing, key()));
        let outcome = rung.reports.remove(0).1;
        assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
        assert!(outcome.verdict.reasons.contains(&Reason::RecordNotOpened));
    }
}

// T24: what is remembered of a signer is not given up because somebody damaged it.
#[test]
fn statements_that_do_not_open_are_looked_up_again_and_reported_and_never_written_over() {
    let (mut world, mut caller, _) = conversation();
    let lookup = world.lookup(&caller, CALLEE, false);
    let name = key().name(&first_record(&caller, lookup));
    let good = caller.records[name.as_str()].clone();
    for damage in damages(&good) {
        caller
            .records
            .insert(name.as_str().to_owned(), damage.clone());
        let lookup = world.lookup(&caller, CALLEE, false);
        let found = run_sealed(&mut world, &mut caller, lookup);
        assert!(found.keys.has_live(world.unix()));
        assert_eq!(found.notices, [Reason::RecordNotOpened]);
        assert_eq!(caller.records[name.as_str()], damage);
    }
}

fn damages(good: &[u8]) -> Vec<Vec<u8>> {
    let with = |at: usize| {
        let mut octets = good.to_vec();
        octets[at] ^= 1;
        octets
    };
    let end = good.len() - 1;
    vec![
        Vec::new(),
        vec![1],
        good[..end].to_vec(),
        [good, &[0]].concat(),
        good[..4125 - 1].to_vec(),
        with(0),
        with(1),
        with(13),
        with(good.len() / 2),
        with(end),
        br#"{"v":1}"#.to_vec(),
    ]
}

#[test]
fn a_record_opens_under_its_own_name_only() {
    let (world, caller, callee) = conversation();
    let keys = own_keys(&world, &callee);
    let statements = first_record(&caller, world.lookup(&caller, CALLEE, false));
    let sealed = key().seal(&keys, b"value").unwrap();
    assert_eq!(**key().open(&keys, &sealed).unwrap(), *b"value");
    for other in [statements, RecordName::credential()] {
        assert_eq!(
            key().open(&other, &sealed).err(),
            Some(Reason::RecordNotOpened)
        );
    }
    let stranger = RecordKey::new(&[9; 32]);
    assert_eq!(
        stranger.open(&keys, &sealed).err(),
        Some(Reason::RecordNotOpened)
    );
    assert_ne!(stranger.name(&keys), key().name(&keys));
}

// Of two processes that read the same, one writes: hosts compare sealed octets.
#[test]
fn of_two_writers_the_second_is_told_that_the_record_changed() {
    let (mut world, _, mut callee) = conversation();
    let name = key().name(&own_keys(&world, &callee));
    callee.records.clear();
    world.ms += 2000;
    let other = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&other);
    // Another process writes between this one's reading and writing.
    let mut raced = false;
    callee.on(move |action, _| match action {
        Action::Save { id, expected, .. } if !raced => {
            raced = true;
            *seen.lock().unwrap() = Some(expected.is_none());
            Some(Reply::With(Input::Saved(
                *id,
                Ok(ringtrue_session::Saved::Changed),
            )))
        }
        _ => None,
    });
    publish(&mut world, &mut callee).unwrap();
    assert_eq!(*other.lock().unwrap(), Some(true));
    assert!(callee.records.contains_key(name.as_str()));
}

#[test]
fn what_a_host_tells_unasked_reaches_no_session() {
    let (world, _, callee) = conversation();
    let context = Arc::clone(&callee.context);
    let session = PublishSession::new(context, PublishMode::Publish, world.in_ms(10_000));
    let mut sealed = Sealed::new(session, key());
    let now = callee.now(world.ms);
    let Step::Act(Action::Load { id, .. }) = sealed.next(now) else {
        panic!("it begins by reading");
    };
    // Plain octets in the place of sealed ones.
    let plain = Zeroizing::new(br#"{"v":1}"#.to_vec());
    sealed.input(Input::Loaded(id, Ok(Some(plain.clone()))), now);
    assert!(matches!(
        sealed.next(now),
        Step::Done(Err(Reason::RecordNotOpened))
    ));
    sealed.input(Input::Loaded(id, Ok(Some(plain))), now);
    assert!(matches!(
        sealed.next(now),
        Step::Done(Err(Reason::RecordNotOpened))
    ));
}

#[test]
fn a_record_over_the_largest_class_is_not_kept() {
    let record = RecordName::credential();
    let most = 8 * 1024 * 1024 - 4;
    assert_eq!(
        key().seal(&record, &vec![0; most]).unwrap().len(),
        most + 4 + 29
    );
    assert_eq!(
        key().seal(&record, &vec![0; most + 1]),
        Err(Reason::TooLong)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens_to_the_same_value_and_shows_its_class_only(
        host_key: [u8; 32],
        value in proptest::collection::vec(any::<u8>(), 0..20_000),
    ) {
        let key = RecordKey::new(&host_key);
        let record = RecordName::credential();
        let sealed = key.seal(&record, &value).unwrap();
        let class = (value.len() + 4).max(4096).next_power_of_two();
        prop_assert_eq!(sealed.len(), class + 29);
        prop_assert_eq!(&key.seal(&record, &value).unwrap(), &sealed);
        let opened = key.open(&record, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), value.as_slice());
    }

    #[test]
    fn nothing_made_up_opens(octets in proptest::collection::vec(any::<u8>(), 0..9000)) {
        let opened = key().open(&RecordName::credential(), &octets);
        prop_assert_eq!(opened.err(), Some(Reason::RecordNotOpened));
    }
}

// tests/vectors/records, made without this code.
#[test]
fn records_are_sealed_as_the_vectors_say_octet_for_octet() {
    let (world, caller, callee) = conversation();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/records/sealed-records-v1.json"
    );
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let octets = |value: &Value| base64url::decode(value.as_str().unwrap()).unwrap();
    let host_key: [u8; 32] = octets(&file["host_key"]).try_into().unwrap();
    let key = RecordKey::new(&host_key);
    let names = [
        own_keys(&world, &callee),
        first_record(&caller, world.lookup(&caller, CALLEE, false)),
        RecordName::credential(),
    ];
    let mut used = BTreeSet::new();
    for vector in file["records"].as_array().unwrap() {
        let mut names = names.iter();
        let record = names
            .find(|name| name.as_str() == vector["record"])
            .unwrap();
        used.insert(record);
        let (value, sealed) = (octets(&vector["value"]), octets(&vector["sealed"]));
        assert_eq!(key.name(record).as_str(), vector["host_name"]);
        assert_eq!(vector["length"], sealed.len());
        assert_eq!(octets(&vector["nonce"]), sealed[1..13]);
        assert_eq!(key.seal(record, &value).unwrap(), sealed);
        assert_eq!(key.open(record, &sealed).unwrap().as_slice(), value);
    }
    assert_eq!(used.len(), names.len(), "every kind of name was used");
}
