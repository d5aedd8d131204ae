//! Publishing the own keys: saved before published, renewed in time, and what comes of faults.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use ringtrue_oob::http::problem::Problem;
use ringtrue_session::{
    Action, Input, PublishMode, PublishSession, Role, Saved, Verdict, WallClock,
};
use ringtrue_stir::Reason;
use serde_json::Value;

use crate::attacker::{fail_requests, statements};
use crate::phone::{Phone, Reply};
use crate::sim::Running;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, START_MS, STRANGER, World};

pub(crate) fn scene() -> (World, Phone) {
    let world = World::new();
    let phone = world.phone(&[CALLEE], &[CPS_CALLEE]);
    (world, phone)
}

/// The public halves of the current keys in the record.
pub(crate) fn current(phone: &Phone) -> Vec<String> {
    publics(&phone.own_keys().unwrap()["current"])
}

pub(crate) fn publics(keys: &Value) -> Vec<String> {
    let text = |key: &Value| key["public"].as_str().unwrap().to_owned();
    keys.as_array().unwrap().iter().map(text).collect()
}

/// The publications that were sent.
fn publications(world: &World) -> Vec<&[u8]> {
    let sent = world.net.sent.iter();
    sent.filter(|sent| sent.role == Role::Publish)
        .map(|sent| sent.request.body.as_slice())
        .collect()
}

#[test]
fn keys_are_durable_before_anything_leaves_the_telephone() {
    let (mut world, mut phone) = scene();
    let order = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&order);
    phone.on(move |action, _| {
        seen.borrow_mut().push(match action {
            Action::Load { .. } => "load",
            Action::Sign { .. } => "sign",
            Action::Save { .. } => "save",
            Action::Request { .. } => "publish",
            _ => "other",
        });
        None
    });
    let published = world.publish(&mut phone).unwrap();
    assert_eq!(
        *order.borrow(),
        ["load", "sign", "sign", "save", "publish", "save"]
    );
    assert!(published.rotated);
    assert_eq!(published.notices, []);
    assert_eq!(published.numbers, phone.context.numbers());
    assert_eq!(phone.own_keys().unwrap()["published"], true);
}

#[test]
fn without_a_durable_record_nothing_is_published() {
    for result in [Err(Reason::StateUnavailable), Ok(Saved::Changed)] {
        let (mut world, mut phone) = scene();
        phone.on(move |action, _| match action {
            Action::Save { id, .. } => Some(Reply::With(Input::Saved(*id, result))),
            _ => None,
        });
        assert_eq!(world.publish(&mut phone), Err(Reason::StateUnavailable));
        assert_eq!(publications(&world).len(), 0);
    }
}

#[test]
fn publishing_again_sends_the_same_statement_and_makes_no_keys() {
    let (mut world, mut phone) = scene();
    world.publish(&mut phone).unwrap();
    let before = phone.records.clone();
    world.ms += 3_600_000;
    let published = world.publish(&mut phone).unwrap();
    assert!(!published.rotated);
    let sent = publications(&world);
    assert_eq!(sent.len(), 2);
    assert!(sent[0] == sent[1]);
    assert_eq!(phone.records, before);
}

#[test]
fn a_rotation_makes_new_keys_and_the_ones_before_still_open() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let old = current(&callee);
    world.place_well(&mut caller, CALLEE);
    let published = world.publish_as(&mut callee, PublishMode::Rotate).unwrap();
    assert!(published.rotated);
    assert!(current(&callee) != old);
    assert_eq!(publics(&callee.own_keys().unwrap()["previous"]), old);
    // Announced to the old key, by a caller that still holds the old statement.
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, []);
}

#[test]
fn two_generations_of_acknowledged_keys_are_kept_and_no_third() {
    let (mut world, mut phone) = scene();
    world.publish(&mut phone).unwrap();
    let mut generations = vec![current(&phone)];
    for _ in 0..3 {
        world.ms += 1000;
        world.publish_as(&mut phone, PublishMode::Rotate).unwrap();
        generations.push(current(&phone));
        let kept = publics(&phone.own_keys().unwrap()["previous"]);
        assert_eq!(kept, generations[generations.len() - 2]);
    }
}

#[test]
fn a_statement_names_the_one_before() {
    let (mut world, mut phone) = scene();
    world.publish(&mut phone).unwrap();
    let first = statements(&mut world, CALLEE)[0].clone();
    assert!(first.prev().is_none());
    world.ms += 1000;
    world.publish_as(&mut phone, PublishMode::Rotate).unwrap();
    let second = statements(&mut world, CALLEE)[0].clone();
    assert_eq!(second.prev(), Some(first.digest()));
    assert!(second.seq() > first.seq());
}

#[test]
fn a_statement_is_renewed_in_the_last_third_of_its_life_and_not_before() {
    let third = 86_400 / 3;
    for (age, renewed) in [(2 * third - 1, false), (2 * third, true), (86_401, true)] {
        let (mut world, mut phone) = scene();
        world.publish(&mut phone).unwrap();
        world.ms += age * 1000;
        let published = world.publish(&mut phone).unwrap();
        assert_eq!(published.rotated, renewed, "{age}");
        assert!(published.exp > world.unix());
    }
}

#[test]
fn a_number_that_the_credential_does_not_cover_stops_everything() {
    let world = World::new();
    let credential = world.credential(&[CALLEE]);
    let mut world = world;
    let numbers = [CALLEE, STRANGER];
    let mut phone = world.phone_with(&numbers, &[CPS_CALLEE], credential, |_| {});
    assert_eq!(world.publish(&mut phone), Err(Reason::NumberNotCovered));
    assert!(phone.records.is_empty());
    assert_eq!(publications(&world).len(), 0);
}

#[test]
fn an_endpoint_without_a_credential_publishes_nothing() {
    let world = World::new();
    let credential = world.credential(&[CALLEE]);
    let mut world = world;
    let mut phone = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |builder| {
        builder.credential = None;
    });
    assert_eq!(
        world.publish(&mut phone),
        Err(Reason::CredentialUnavailable)
    );
    assert!(phone.records.is_empty());
}

#[test]
fn a_statement_does_not_outlive_the_certificate() {
    let (mut world, mut phone) = scene();
    let not_after = phone.credential.not_after().unwrap();
    world.ms = (not_after.as_secs() - START_MS / 1000 - 600) * 1000;
    let published = world.publish(&mut phone).unwrap();
    assert_eq!(published.exp, not_after);
    world.ms += 601_000;
    assert_eq!(world.publish(&mut phone), Err(Reason::CertificateExpired));
}

#[test]
fn sequence_numbers_rise_although_the_record_was_lost() {
    let (mut world, mut phone) = scene();
    world.publish(&mut phone).unwrap();
    let before = statements(&mut world, CALLEE)[0].seq();
    phone.records.clear();
    world.ms += 1000;
    world.publish(&mut phone).unwrap();
    assert!(statements(&mut world, CALLEE)[0].seq() > before);
}

#[test]
fn sequence_numbers_rise_although_the_clock_was_put_back() {
    let (mut world, mut phone) = scene();
    world.publish(&mut phone).unwrap();
    let before = statements(&mut world, CALLEE)[0].seq();
    phone.clock = Box::new(|ms| WallClock::UnixMs(START_MS + ms - 1_800_000));
    world.publish_as(&mut phone, PublishMode::Rotate).unwrap();
    assert_eq!(statements(&mut world, CALLEE)[0].seq(), before + 1);
}

#[test]
fn a_directory_that_does_not_acknowledge_leaves_the_keys_to_be_published_again() {
    for reason in [
        Reason::ServiceUnreachable,
        Reason::DeadlinePassed,
        Reason::TlsFailed,
    ] {
        let (mut world, mut phone) = scene();
        fail_requests(&mut phone, Role::Publish, reason);
        assert_eq!(world.publish(&mut phone), Err(reason));
        assert_eq!(phone.own_keys().unwrap()["published"], false);
        let (keys, text) = (
            current(&phone),
            phone.own_keys().unwrap()["directory"].clone(),
        );
        phone.hook = None;
        // Also where new keys are wanted: the interrupted rotation is completed.
        let published = world.publish_as(&mut phone, PublishMode::Rotate).unwrap();
        assert!(!published.rotated);
        assert_eq!(current(&phone), keys);
        assert_eq!(publications(&world)[0], text.as_str().unwrap().as_bytes());
        assert_eq!(phone.own_keys().unwrap()["published"], true);
        world.ms += 1000;
        assert!(
            world
                .publish_as(&mut phone, PublishMode::Rotate)
                .unwrap()
                .rotated
        );
    }
}

#[test]
fn refusals_of_the_directory_are_told() {
    for (problem, reason) in [
        (Problem::UntrustedStatement, Reason::StatementRejected),
        (Problem::MalformedStatement, Reason::StatementRejected),
        (Problem::SupersededStatement, Reason::StatementSuperseded),
        (Problem::OverLimit, Reason::OverLimit),
        (Problem::Unavailable, Reason::ServiceError),
    ] {
        let (mut world, mut phone) = scene();
        phone.on(move |action, _| match action {
            Action::Request { id, .. } => {
                Some(Reply::With(Input::Response(*id, Ok(problem.encode()))))
            }
            _ => None,
        });
        assert_eq!(world.publish(&mut phone), Err(reason), "{}", problem.name());
        assert_eq!(phone.own_keys().unwrap()["published"], false);
    }
}

#[test]
fn every_number_must_be_acknowledged() {
    let world = World::new();
    let numbers = [CALLEE, STRANGER];
    let mut phone = world.phone(&numbers, &[CPS_CALLEE]);
    let mut world = world;
    phone.on(|action, _| match action {
        Action::Request { id, request, .. } if request.url.ends_with(STRANGER) => Some(
            Reply::With(Input::Response(*id, Err(Reason::ServiceUnreachable))),
        ),
        _ => None,
    });
    assert_eq!(world.publish(&mut phone), Err(Reason::ServiceUnreachable));
    assert_eq!(statements(&mut world, CALLEE).len(), 1);
    assert_eq!(phone.own_keys().unwrap()["published"], false);
    phone.hook = None;
    let published = world.publish(&mut phone).unwrap();
    assert_eq!(published.numbers.len(), 2);
    assert!(!published.rotated);
    assert_eq!(statements(&mut world, STRANGER).len(), 1);
}

#[test]
fn a_mark_that_cannot_be_written_only_costs_a_repetition() {
    let (mut world, mut phone) = scene();
    let mut saves = 0;
    phone.on(move |action, _| match action {
        Action::Save { id, .. } => {
            saves += 1;
            (saves == 2).then_some(Reply::With(Input::Saved(
                *id,
                Err(Reason::StateUnavailable),
            )))
        }
        _ => None,
    });
    let published = world.publish(&mut phone).unwrap();
    assert_eq!(published.notices, [Reason::StateUnavailable]);
    assert_eq!(published.numbers.len(), 1);
    phone.hook = None;
    assert!(!world.publish(&mut phone).unwrap().rotated);
    assert_eq!(phone.own_keys().unwrap()["published"], true);
}

#[test]
fn of_two_processes_that_publish_at_once_both_end_with_the_same_keys() {
    let (mut world, mut phone) = scene();
    phone.on(|action, _| matches!(action, Action::Sign { .. }).then_some(Reply::After(10)));
    let mut both = [0, 1].map(|_| {
        let context = Arc::clone(&phone.context);
        Running::new(PublishSession::new(
            context,
            PublishMode::Rotate,
            world.in_ms(10_000),
        ))
    });
    for _ in 0..100 {
        let until = world.ms + 5;
        for one in &mut both {
            one.advance(&mut world, &mut phone, until);
        }
    }
    let outcomes = both.map(|one| one.output.unwrap().unwrap());
    assert!(outcomes[0].rotated && !outcomes[1].rotated);
    let held = statements(&mut world, CALLEE);
    let listed: Vec<String> = held[0]
        .keys()
        .iter()
        .map(|key| ringtrue_stir::base64url::encode(key.as_octets()))
        .collect();
    assert_eq!(current(&phone), listed);
    assert_eq!(phone.own_keys().unwrap()["published"], true);
}

#[test]
fn a_record_that_changes_under_every_attempt_ends_in_that_reason() {
    let (mut world, mut phone) = scene();
    let loads = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&loads);
    phone.on(move |action, _| match action {
        Action::Load { .. } => {
            *counted.borrow_mut() += 1;
            None
        }
        Action::Save { id, .. } => Some(Reply::With(Input::Saved(*id, Ok(Saved::Changed)))),
        _ => None,
    });
    assert_eq!(world.publish(&mut phone), Err(Reason::StateUnavailable));
    assert_eq!(*loads.borrow(), 4);
}

#[test]
fn a_record_that_cannot_be_read_is_not_overwritten() {
    let (mut world, mut phone) = scene();
    world.publish(&mut phone).unwrap();
    for record in phone.records.values_mut() {
        record.truncate(200);
    }
    let damaged = phone.records.clone();
    world.net.sent.clear();
    for mode in [PublishMode::Publish, PublishMode::Rotate] {
        assert_eq!(
            world.publish_as(&mut phone, mode),
            Err(Reason::MalformedRecord)
        );
        assert_eq!(phone.records, damaged);
    }
    assert_eq!(world.net.sent.len(), 0);
}

#[test]
fn a_store_that_cannot_be_read_ends_in_that_reason() {
    let (mut world, mut phone) = scene();
    world.publish(&mut phone).unwrap();
    let before = phone.records.clone();
    phone.on(|action, _| match action {
        Action::Load { id, .. } => Some(Reply::With(Input::Loaded(
            *id,
            Err(Reason::StateUnavailable),
        ))),
        _ => None,
    });
    let outcome = world.publish_as(&mut phone, PublishMode::Rotate);
    assert_eq!(outcome, Err(Reason::StateUnavailable));
    assert_eq!(phone.records, before);
}

#[test]
fn whatever_hangs_publishing_ends_at_its_deadline() {
    type Hung = fn(&Action) -> bool;
    let hung: [Hung; 4] = [
        |action| matches!(action, Action::Load { .. }),
        |action| matches!(action, Action::Sign { .. }),
        |action| matches!(action, Action::Save { .. }),
        |action| matches!(action, Action::Request { .. }),
    ];
    for hangs in hung {
        let (mut world, mut phone) = scene();
        phone.on(move |action, _| hangs(action).then_some(Reply::Never));
        let started = world.ms;
        assert_eq!(world.publish(&mut phone), Err(Reason::DeadlinePassed));
        assert_eq!(world.ms, started + 10_000);
        // And the next attempt works.
        phone.hook = None;
        assert!(world.publish(&mut phone).is_ok());
    }
}
