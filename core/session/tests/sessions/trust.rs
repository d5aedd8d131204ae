//! Trust bundles and revocation lists: got, verified, kept, never taken back.

use std::sync::Arc;

use core::time::Duration;

use ringtrue_session::{
    Action, Input, Monotonic, Saved, TrustFile, TrustSource, TrustUpdateSession, WallClock,
};
use ringtrue_stir::Reason;
use ringtrue_stir::certificate::TrustAnchors;
use ringtrue_stir::crypto::RustCrypto;

use crate::bundles::{
    BUNDLE_URL, DAY, LIST_URL, Operator, other_data, own_data, refused, restarted, serve, update,
    update_well,
};
use crate::phone::{Phone, Reply};
use crate::sim::run;
use crate::world::World;

fn scene() -> (World, Phone, Operator, TrustSource) {
    let (world, _, callee) = World::with_phones();
    let operator = Operator::new(&world);
    let source = operator.source();
    (world, callee, operator, source)
}

fn version(phone: &Phone) -> Option<u64> {
    phone.context.trust().status().version
}

#[test]
fn the_first_bundle_is_verified_kept_and_then_taken_into_use() {
    let (mut world, mut phone, operator, source) = scene();
    assert_eq!(version(&phone), None);
    operator.serve_own(&mut world, 7);
    let updated = update(&mut world, &mut phone, &source).result.unwrap();
    assert_eq!((updated.version, updated.is_new), (7, true));
    assert_eq!(
        updated.expires,
        world.unix().plus(Duration::from_secs(30 * DAY))
    );
    assert_eq!((updated.revocation_lists, updated.next_update), (0, None));
    assert_eq!(version(&phone), Some(7));
    let record = phone.records.keys().find(|name| name.starts_with("trust."));
    assert!(record.is_some(), "a record of its own");
    assert_eq!(
        world.net.trust_fetched,
        [(TrustFile::Bundle, BUNDLE_URL.to_owned())]
    );
}

#[test]
fn the_same_bundle_again_is_fine_and_nothing_is_written() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    update_well(&mut world, &mut phone, &source);
    phone.on(|action, _| match action {
        Action::Save { .. } => panic!("nothing has changed"),
        _ => None,
    });
    let updated = update(&mut world, &mut phone, &source).result.unwrap();
    assert_eq!((updated.version, updated.is_new), (7, false));
}

#[test]
fn an_older_bundle_is_refused_and_the_newer_one_stays_in_use_over_a_restart() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    update_well(&mut world, &mut phone, &source);
    operator.serve(&mut world, 6, other_data());
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::BundleRollback
    );
    assert_eq!(version(&phone), Some(7));
    let mut phone = restarted(&world, phone, &source, TrustAnchors::new());
    assert_eq!(version(&phone), Some(7));
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::BundleRollback
    );
    operator.serve_own(&mut world, 8);
    update_well(&mut world, &mut phone, &source);
    assert_eq!(version(&phone), Some(8));
}

#[test]
fn another_bundle_of_the_same_version_is_refused() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    update_well(&mut world, &mut phone, &source);
    operator.serve(&mut world, 7, other_data());
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::BundleRollback
    );
    assert_eq!(version(&phone), Some(7));
}

#[test]
fn what_is_no_bundle_of_a_configured_key_changes_nothing() {
    let (mut world, mut phone, operator, source) = scene();
    let stranger = Operator::new(&world);
    let good = operator.bundle(&world, 7, own_data(&world));
    let cases: [(Vec<u8>, Reason); 6] = [
        (
            stranger.bundle(&world, 7, own_data(&world)).into(),
            Reason::BundleUntrusted,
        ),
        (Vec::new(), Reason::MalformedTrustBundle),
        (vec![0xff; 9], Reason::MalformedTrustBundle),
        (b"<html>".to_vec(), Reason::MalformedTrustBundle),
        (vec![b'A'; 512 * 1024 + 1], Reason::MalformedTrustBundle),
        (
            good.as_bytes()[..good.len() - 4].to_vec(),
            Reason::MalformedTrustBundle,
        ),
    ];
    for (octets, reason) in cases {
        serve(&mut world, BUNDLE_URL, octets);
        assert_eq!(refused(&mut world, &mut phone, &source), reason);
        assert_eq!(version(&phone), None);
        assert!(!phone.records.keys().any(|name| name.starts_with("trust.")));
    }
    // A line end, as files have it, is none of the bundle's.
    serve(&mut world, BUNDLE_URL, format!("{good}\r\n"));
    update_well(&mut world, &mut phone, &source);
}

#[test]
fn an_expired_or_early_bundle_is_refused_and_the_one_before_stays() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    update_well(&mut world, &mut phone, &source);
    let brief = operator.bundle_for(&world, 8, other_data(), Duration::from_secs(60));
    world.ms += 60_000;
    serve(&mut world, BUNDLE_URL, brief);
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::BundleExpired
    );
    world.ms += 120_000;
    operator.serve(&mut world, 8, other_data());
    world.ms -= 120_000;
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::IatInFuture
    );
    assert_eq!(version(&phone), Some(7));
}

#[test]
fn a_bundle_that_cannot_be_kept_is_not_used() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    phone.on(|action, _| match action {
        Action::Save { id, .. } => {
            let failed = Err(Reason::StateUnavailable);
            Some(Reply::With(Input::Saved(*id, failed)))
        }
        _ => None,
    });
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::StateUnavailable
    );
    assert_eq!(version(&phone), None);
    // Neither is one whose predecessor cannot be read.
    phone.on(|action, _| match action {
        Action::Load { id, .. } => {
            let failed = Err(Reason::StateUnavailable);
            Some(Reply::With(Input::Loaded(*id, failed)))
        }
        _ => None,
    });
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::StateUnavailable
    );
    assert_eq!(version(&phone), None);
}

#[test]
fn a_newer_bundle_of_another_process_wins_the_race() {
    let (mut world, mut phone, operator, source) = scene();
    let (_, mut other, _, _) = scene();
    operator.serve_own(&mut world, 9);
    update_well(&mut world, &mut other, &source);
    let newer: Vec<(String, Vec<u8>)> = other.records.clone().into_iter().collect();
    operator.serve_own(&mut world, 7);
    // The other process writes between our reading and our writing.
    let mut raced = false;
    phone.on(move |action, _| match action {
        Action::Save { id, .. } if !raced => {
            raced = true;
            Some(Reply::With(Input::Saved(*id, Ok(Saved::Changed))))
        }
        _ => None,
    });
    phone.records.extend(newer);
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::BundleRollback
    );
    assert_eq!(version(&phone), Some(9), "what the other process accepted");
}

#[test]
fn a_record_that_changes_for_ever_ends_the_update() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    phone.on(|action, _| match action {
        Action::Save { id, .. } => Some(Reply::With(Input::Saved(*id, Ok(Saved::Changed)))),
        _ => None,
    });
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::StateUnavailable
    );
}

#[test]
fn a_host_that_cannot_be_reached_changes_nothing() {
    let (mut world, mut phone, _, source) = scene();
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::ServiceUnreachable
    );
    phone.on(|action, _| match action {
        Action::FetchTrust { id, .. } => {
            let off = Err(Reason::FetchingOff);
            Some(Reply::With(Input::TrustFile(*id, off)))
        }
        _ => None,
    });
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::FetchingOff
    );
    phone.on(|action, _| matches!(action, Action::FetchTrust { .. }).then_some(Reply::Never));
    let before = world.ms;
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::DeadlinePassed
    );
    assert_eq!(world.ms - before, 30_000);
    phone.on(|action, _| matches!(action, Action::Load { .. }).then_some(Reply::Never));
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::DeadlinePassed
    );
}

#[test]
fn without_a_clock_nothing_is_asked() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    phone.clock = Box::new(|_| WallClock::Unset);
    assert_eq!(refused(&mut world, &mut phone, &source), Reason::ClockUnset);
    assert_eq!(world.net.trust_fetched, []);
}

#[test]
fn a_source_needs_one_to_eight_keys() {
    let (world, phone, operator, source) = scene();
    for keys in [vec![], vec![operator.public; 9]] {
        let source = TrustSource {
            keys,
            ..source.clone()
        };
        let load = |_: &_| Ok(None);
        let restored = source.restore(&RustCrypto, Some(world.unix()), load);
        assert_eq!(restored.err(), Some(Reason::ConfigurationInvalid));
        let context = Arc::clone(&phone.context);
        let session = TrustUpdateSession::new(context, source, Monotonic::from_ms(0));
        assert_eq!(session.err(), Some(Reason::ConfigurationInvalid));
    }
}

#[test]
fn any_of_several_keys_will_do_and_the_floor_outlives_a_change_of_keys() {
    let (mut world, mut phone, old, _) = scene();
    let new = Operator::new(&world);
    let both = TrustSource {
        keys: vec![new.public, old.public],
        ..old.source()
    };
    old.serve_own(&mut world, 7);
    update_well(&mut world, &mut phone, &both);
    // The application is replaced by one without the old key, and the old bundle is no longer believed.
    let mut phone = restarted(&world, phone, &new.source(), TrustAnchors::new());
    assert_eq!(version(&phone), None);
    new.serve_own(&mut world, 6);
    let reason = refused(&mut world, &mut phone, &new.source());
    assert_eq!(reason, Reason::BundleRollback);
    new.serve_own(&mut world, 8);
    update_well(&mut world, &mut phone, &new.source());
    assert_eq!(version(&phone), Some(8));
}

#[test]
fn a_shipped_bundle_counts_until_a_newer_one_was_accepted() {
    let (mut world, phone, operator, mut source) = scene();
    source.shipped = Some(operator.bundle(&world, 5, own_data(&world)));
    let mut phone = restarted(&world, phone, &source, TrustAnchors::new());
    assert_eq!(version(&phone), Some(5));
    operator.serve_own(&mut world, 4);
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::BundleRollback
    );
    operator.serve_own(&mut world, 6);
    update_well(&mut world, &mut phone, &source);
    let phone = restarted(&world, phone, &source, TrustAnchors::new());
    assert_eq!(version(&phone), Some(6));
    // The next release of the application brings a newer one.
    source.shipped = Some(operator.bundle(&world, 9, own_data(&world)));
    let phone = restarted(&world, phone, &source, TrustAnchors::new());
    assert_eq!(version(&phone), Some(9));
    // One that is not the operator's, or has expired, is left alone.
    source.shipped = Some(Operator::new(&world).bundle(&world, 10, own_data(&world)));
    let phone = restarted(&world, phone, &source, TrustAnchors::new());
    assert_eq!(version(&phone), Some(6));
    let brief = operator.bundle_for(&world, 11, own_data(&world), Duration::from_secs(1));
    world.ms += 1000;
    source.shipped = Some(brief);
    let phone = restarted(&world, phone, &source, TrustAnchors::new());
    assert_eq!(version(&phone), Some(6));
}

#[test]
fn a_damaged_record_counts_as_none() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    update_well(&mut world, &mut phone, &source);
    let name = phone.records.keys().find(|name| name.starts_with("trust."));
    let name = name.unwrap().clone();
    let good = String::from_utf8(phone.records[&name].clone()).unwrap();
    let changes = [
        String::new(),
        "[]".to_owned(),
        good.replace("\"v\":1", "\"v\":2"),
        good.replace("\"version\":\"", "\"version\":\"AA"),
        good.replace("\"bundle\":\"", "\"bundle\":\"x"),
        format!("{good}{}", " ".repeat(600_000)),
    ];
    for damaged in changes {
        let load = |_: &_| Ok(Some(zeroize::Zeroizing::new(damaged.clone().into_bytes())));
        let restored = source.restore(&RustCrypto, Some(world.unix()), load);
        assert!(
            restored.unwrap().is_none(),
            "{}",
            &damaged[..damaged.len().min(60)]
        );
    }
    let load = |_: &_| Err(Reason::StateUnavailable);
    let restored = source.restore(&RustCrypto, Some(world.unix()), load);
    assert_eq!(restored.err(), Some(Reason::StateUnavailable));
}

#[test]
fn a_bundle_of_another_url_is_another_bundle() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    update_well(&mut world, &mut phone, &source);
    let elsewhere = TrustSource {
        url: "https://other.example/bundle.jwt".to_owned(),
        ..source
    };
    let phone = restarted(&world, phone, &elsewhere, TrustAnchors::new());
    assert_eq!(version(&phone), None);
}

#[test]
fn revocation_lists_are_fetched_kept_and_there_again_after_a_restart() {
    let (mut world, mut phone, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 7, data);
    let list = operator.list(&[], world.unix());
    serve(&mut world, LIST_URL, list);
    let updated = update(&mut world, &mut phone, &source).result.unwrap();
    assert_eq!((updated.revocation_lists, updated.reasons), (1, vec![]));
    let until = world.unix().plus(Duration::from_secs(DAY));
    assert_eq!(updated.next_update, Some(until));
    let phone = restarted(&world, phone, &source, TrustAnchors::new());
    assert_eq!(phone.context.trust().status().revocation_lists, 1);
}

#[test]
fn a_list_that_cannot_be_used_is_told_and_the_one_before_stays() {
    let (mut world, mut phone, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 7, data);
    let list = operator.list(&[], world.unix());
    serve(&mut world, LIST_URL, list);
    update_well(&mut world, &mut phone, &source);
    let stranger = Operator::new(&world);
    let early = operator.list(&[], world.unix().plus(Duration::from_secs(3600)));
    let cases = [
        (Some(b"<html>".to_vec()), Reason::MalformedCrl),
        (Some(stranger.list(&[], world.unix())), Reason::CrlUntrusted),
        (Some(early), Reason::CrlUnavailable),
        (None, Reason::ServiceUnreachable),
    ];
    for (octets, reason) in cases {
        world.net.trust_files.remove(LIST_URL);
        if let Some(octets) = octets {
            serve(&mut world, LIST_URL, octets);
        }
        let updated = update(&mut world, &mut phone, &source).result.unwrap();
        assert_eq!(updated.reasons, [reason]);
        assert_eq!(updated.revocation_lists, 1);
    }
}

#[test]
fn an_older_list_does_not_replace_a_newer_one() {
    let (mut world, mut phone, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 7, data);
    let old = operator.list(&[], world.unix());
    world.ms += 60_000;
    let new = operator.list(&[], world.unix());
    serve(&mut world, LIST_URL, new);
    update_well(&mut world, &mut phone, &source);
    let due = phone.context.trust().status().next_update;
    serve(&mut world, LIST_URL, old);
    update_well(&mut world, &mut phone, &source);
    assert_eq!(phone.context.trust().status().next_update, due);
    let mut phone = restarted(&world, phone, &source, TrustAnchors::new());
    update_well(&mut world, &mut phone, &source);
    assert_eq!(phone.context.trust().status().next_update, due);
}

#[test]
fn lists_are_renewed_where_the_bundle_is_not() {
    let (mut world, mut phone, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 7, data);
    let list = operator.list(&[], world.unix());
    serve(&mut world, LIST_URL, list);
    update_well(&mut world, &mut phone, &source);
    let due = phone.context.trust().status().next_update;
    world.net.trust_files.remove(BUNDLE_URL);
    world.ms += 60_000;
    let list = operator.list(&[], world.unix());
    serve(&mut world, LIST_URL, list);
    assert_eq!(
        refused(&mut world, &mut phone, &source),
        Reason::ServiceUnreachable
    );
    assert!(phone.context.trust().status().next_update > due);
}

#[test]
fn a_list_that_cannot_be_kept_is_used_all_the_same() {
    let (mut world, mut phone, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 7, data);
    let list = operator.list(&[], world.unix());
    serve(&mut world, LIST_URL, list);
    phone.on(|action, _| match action {
        Action::Save { id, record, .. } if record.as_str().starts_with("crl.") => {
            let failed = Err(Reason::StateUnavailable);
            Some(Reply::With(Input::Saved(*id, failed)))
        }
        _ => None,
    });
    let updated = update(&mut world, &mut phone, &source).result.unwrap();
    assert_eq!(updated.reasons, [Reason::StateUnavailable]);
    assert_eq!(updated.revocation_lists, 1);
}

#[test]
fn what_was_accepted_counts_although_the_deadline_comes_before_the_lists() {
    let (mut world, mut phone, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 7, data);
    phone.on(|action, _| match action {
        Action::FetchTrust {
            file: TrustFile::RevocationList,
            ..
        } => Some(Reply::Never),
        _ => None,
    });
    let updated = update(&mut world, &mut phone, &source).result.unwrap();
    assert_eq!((updated.version, updated.revocation_lists), (7, 0));
    assert_eq!(updated.reasons, [Reason::DeadlinePassed]);
    assert_eq!(version(&phone), Some(7));
}

#[test]
fn answers_to_questions_that_were_not_asked_are_ignored() {
    let (mut world, mut phone, operator, source) = scene();
    operator.serve_own(&mut world, 7);
    let context = Arc::clone(&phone.context);
    let mut session = TrustUpdateSession::new(context, source, world.in_ms(30_000)).unwrap();
    use ringtrue_session::{Session as _, Step};
    let Step::Act(Action::Load { id, .. }) = session.next(phone.now(world.ms)) else {
        panic!("the version that was accepted last comes first");
    };
    let early = operator.bundle(&world, 9, other_data()).into_bytes();
    session.input(Input::TrustFile(id, Ok(early)), phone.now(world.ms));
    session.input(Input::Saved(id, Ok(Saved::Written)), phone.now(world.ms));
    assert!(matches!(session.next(phone.now(world.ms)), Step::Wait(_)));
    session.input(Input::Loaded(id, Ok(None)), phone.now(world.ms));
    let update = run(&mut world, &mut phone, session);
    assert_eq!(update.result.unwrap().version, 7);
}
