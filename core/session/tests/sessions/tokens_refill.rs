//! Filling wallets: what comes of an issuer, honest or not.

use std::collections::BTreeSet;
use std::sync::Arc;

use ringtrue_session::{
    Action, Input, RefillSession, Refilled, Role, Saved, WalletName, WalletStatus,
};
use ringtrue_stir::{Reason, UnixTime};

use crate::issuer::{DAY, FakeIssuer, ISSUER, START, issuer_name};
use crate::phone::{Phone, Reply};
use crate::sim::run;
use crate::world::{CALLER, CPS_CALLEE, CPS_CALLER, World};

/// The wallet of the tests.
pub(crate) fn wallet() -> WalletName {
    WalletName::new(issuer_name(), CPS_CALLEE)
}

/// A world with an issuer, and a telephone that keeps four tokens in stock.
pub(crate) fn stocked_by(issuer: FakeIssuer) -> (World, Phone) {
    let mut world = World::new();
    world.net.issuers.insert(ISSUER.to_owned(), issuer);
    let credential = world.credential(&[CALLER]);
    let phone = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
        builder.policy.token_stock = 4;
    });
    (world, phone)
}

pub(crate) fn refill(world: &mut World, phone: &mut Phone) -> Refilled {
    let deadline = world.in_ms(30_000);
    let session = RefillSession::new(Arc::clone(&phone.context), wallet(), deadline);
    run(world, phone, session)
}

pub(crate) fn refilled(added: usize, stock: usize, reasons: &[Reason]) -> Refilled {
    Refilled {
        added,
        stock,
        reasons: reasons.to_vec(),
    }
}

pub(crate) fn status(world: &World, phone: &Phone) -> WalletStatus {
    let record = phone.records.get(wallet().record().as_str());
    let record = record.map(Vec::as_slice);
    WalletStatus::from_record(&wallet(), record, world.unix()).unwrap()
}

pub(crate) fn issuer(world: &mut World) -> &mut FakeIssuer {
    world.net.issuers.get_mut(ISSUER).unwrap()
}

/// The tokens of the record, as they are stored.
fn tokens(phone: &Phone) -> BTreeSet<String> {
    let record = &phone.records[wallet().record().as_str()];
    let record: serde_json::Value = serde_json::from_slice(record).unwrap();
    let tokens = record["tokens"].as_array().unwrap().iter();
    tokens
        .map(|entry| entry["token"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_wallet_is_filled_to_its_stock_and_no_further() {
    let (mut world, mut phone) = stocked_by(FakeIssuer::new());
    assert_eq!(status(&world, &phone).tokens, 0);
    assert_eq!(refill(&mut world, &mut phone), refilled(4, 4, &[]));
    assert_eq!(tokens(&phone).len(), 4, "all different");
    assert_eq!(issuer(&mut world).subjects, [CALLER; 4]);
    let held = status(&world, &phone);
    assert_eq!(held.tokens, 4);
    assert_eq!(held.end, Some(UnixTime::from_secs(START - 3600 + 2 * DAY)));
    let asked = world.net.sent.len();
    assert_eq!(refill(&mut world, &mut phone), refilled(0, 4, &[]));
    assert_eq!(world.net.sent.len(), asked, "a full wallet asks nobody");
}

#[test]
fn the_directory_is_fetched_twice_and_each_token_asked_for_by_itself() {
    let (mut world, mut phone) = stocked_by(FakeIssuer::new());
    refill(&mut world, &mut phone);
    // Not on one connection.
    assert_eq!(world.net.count(Role::Configuration), 1);
    assert_eq!(world.net.count(Role::Lookup), 1);
    assert_eq!(world.net.count(Role::Issue), 4);
    assert_eq!(world.net.sent.len(), 6);
    let bodies: BTreeSet<_> = world
        .net
        .sent
        .iter()
        .filter(|sent| sent.role == Role::Issue)
        .map(|sent| sent.request.body.clone())
        .collect();
    assert_eq!(bodies.len(), 4);
    assert!(bodies.iter().all(|body| body.len() == 259));
}

#[test]
fn tokens_of_a_retired_key_are_forgotten_with_it_and_replaced() {
    let (mut world, mut phone) = stocked_by(FakeIssuer::new());
    refill(&mut world, &mut phone);
    let first = tokens(&phone);
    issuer(&mut world).keys.push((2, START - 3600 + 2 * DAY));
    world.ms += DAY * 1000;
    assert_eq!(refill(&mut world, &mut phone), refilled(0, 4, &[]));
    world.ms += DAY * 1000;
    assert_eq!(status(&world, &phone).tokens, 0);
    assert_eq!(refill(&mut world, &mut phone), refilled(4, 4, &[]));
    assert!(tokens(&phone).is_disjoint(&first));
}

#[test]
fn an_issuer_that_shows_two_askers_different_keys_is_not_used() {
    let mut dishonest = FakeIssuer::new();
    dishonest.other_keys = Some(vec![(2, START - 3600), (1, START - 3600 + DAY)]);
    let (mut world, mut phone) = stocked_by(dishonest);
    let found_out = refilled(0, 0, &[Reason::IssuerInconsistent]);
    assert_eq!(refill(&mut world, &mut phone), found_out);
    assert_eq!(world.net.count(Role::Issue), 0, "it learns of nobody");
    // It is not believed again before every key of then has ended.
    issuer(&mut world).other_keys = None;
    assert_eq!(refill(&mut world, &mut phone), found_out);
    world.ms += 2 * DAY * 1000;
    issuer(&mut world).keys = vec![(1, START - 3600 + DAY), (0, START - 3600 + 2 * DAY)];
    assert_eq!(refill(&mut world, &mut phone), refilled(4, 4, &[]));
}

#[test]
fn a_key_that_nobody_announced_is_one_for_this_client_alone() {
    // Seen: key 0 signs, key 1 follows. Then a key 2 claims to have signed since before that look.
    let (mut world, mut phone) = stocked_by(FakeIssuer::new());
    refill(&mut world, &mut phone);
    phone.records.remove(wallet().record().as_str());
    issuer(&mut world).keys = vec![(2, START - 3601), (1, START - 3600 + DAY)];
    assert_eq!(
        refill(&mut world, &mut phone),
        refilled(0, 0, &[Reason::IssuerInconsistent])
    );
    assert_eq!(world.net.count(Role::Issue), 4, "those of before");
}

#[test]
fn a_key_that_changes_under_its_date_or_a_date_under_its_key_is_noticed() {
    for changed in [
        vec![(2, START - 3600), (1, START - 3600 + DAY)],
        vec![(0, START - 3600), (2, START - 3600 + DAY)],
        vec![(0, START - 3600), (1, START - 3000 + DAY)],
    ] {
        let (mut world, mut phone) = stocked_by(FakeIssuer::new());
        refill(&mut world, &mut phone);
        phone.records.remove(wallet().record().as_str());
        issuer(&mut world).keys = changed;
        let again = refill(&mut world, &mut phone);
        assert_eq!(again.reasons, [Reason::IssuerInconsistent]);
    }
}

#[test]
fn more_than_two_keys_at_a_time_or_another_rhythm_are_refused() {
    for keys in [
        vec![
            (0, START - 2 * DAY + 7200),
            (1, START - DAY + 3600),
            (2, START),
        ],
        vec![(0, START - DAY - 3601), (1, START)],
        vec![(0, START - DAY + 3601), (1, START)],
        vec![(0, START), (1, START + 60)],
    ] {
        let mut dishonest = FakeIssuer::new();
        dishonest.keys = keys;
        let (mut world, mut phone) = stocked_by(dishonest);
        let refused = refill(&mut world, &mut phone);
        assert_eq!(refused, refilled(0, 0, &[Reason::IssuerInconsistent]));
    }
}

#[test]
fn without_a_key_that_signs_now_nothing_is_asked() {
    for keys in [
        vec![],
        vec![(0, START + 60)],
        vec![(0, START - 2 * DAY)],
        vec![(0, START - DAY - 3602)],
    ] {
        let mut idle = FakeIssuer::new();
        idle.keys = keys;
        let (mut world, mut phone) = stocked_by(idle);
        let refused = refill(&mut world, &mut phone);
        assert_eq!(refused, refilled(0, 0, &[Reason::IssuerKeyUnusable]));
        assert_eq!(world.net.count(Role::Issue), 0);
    }
}

#[test]
fn a_token_that_its_key_did_not_sign_is_not_kept() {
    let mut cheat = FakeIssuer::new();
    cheat.cheats = true;
    let (mut world, mut phone) = stocked_by(cheat);
    let refused = refill(&mut world, &mut phone);
    assert_eq!(refused.added, 0);
    assert!(
        refused.reasons == [Reason::TokenInvalid]
            // The blinded message may be above the other key's modulus.
            || refused.reasons.contains(&Reason::ServiceError)
    );
    assert!(!phone.records.contains_key(wallet().record().as_str()));
}

#[test]
fn what_came_before_the_quota_ended_is_kept() {
    let mut stingy = FakeIssuer::new();
    stingy.quota = 2;
    let (mut world, mut phone) = stocked_by(stingy);
    let filled = refill(&mut world, &mut phone);
    assert_eq!(filled, refilled(2, 2, &[Reason::OverQuota]));
    assert_eq!(status(&world, &phone).tokens, 2);
}

#[test]
fn what_came_before_the_time_was_up_is_kept() {
    let (mut world, mut phone) = stocked_by(FakeIssuer::new());
    let mut requests = 0;
    phone.on(move |action, _| match action {
        Action::Request {
            role: Role::Issue, ..
        } => {
            requests += 1;
            (requests > 1).then_some(Reply::Never)
        }
        _ => None,
    });
    let filled = refill(&mut world, &mut phone);
    assert_eq!(filled.added, 1);
    assert_eq!(status(&world, &phone).tokens, 1);
}

#[test]
fn an_issuer_that_refuses_or_cannot_be_reached_is_told() {
    for (answer, reason) in [
        (Err(Reason::ServiceUnreachable), Reason::ServiceUnreachable),
        (Err(Reason::DeadlinePassed), Reason::DeadlinePassed),
        (
            Ok(ringtrue_oob::http::problem::Problem::UntrustedCredential.encode()),
            Reason::IssuerRefused,
        ),
    ] {
        let (mut world, mut phone) = stocked_by(FakeIssuer::new());
        phone.on(move |action, _| match action {
            Action::Request {
                id,
                role: Role::Issue,
                ..
            } => Some(Reply::With(Input::Response(*id, answer.clone()))),
            _ => None,
        });
        assert_eq!(refill(&mut world, &mut phone), refilled(0, 0, &[reason]));
    }
}

#[test]
fn what_another_process_added_meanwhile_stays() {
    let (mut world, mut phone) = stocked_by(FakeIssuer::new());
    let credential = phone.credential.clone();
    let mut other = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
        builder.policy.token_stock = 4;
    });
    refill(&mut world, &mut other);
    // The wallet is empty when it is looked at first, and theirs when it is to be written.
    phone.records = other.records.clone();
    let name = wallet().record();
    let (mut looked, mut refused) = (false, false);
    phone.on(move |action, _| match action {
        Action::Load { id, record } if *record == name && !looked => {
            looked = true;
            Some(Reply::With(Input::Loaded(*id, Ok(None))))
        }
        Action::Save { id, record, .. } if *record == name && !refused => {
            refused = true;
            Some(Reply::With(Input::Saved(*id, Ok(Saved::Changed))))
        }
        _ => None,
    });
    let filled = refill(&mut world, &mut phone);
    assert_eq!(filled, refilled(4, 8, &[]));
    assert!(tokens(&phone).is_superset(&tokens(&other)));
}

#[test]
fn a_wallet_that_was_not_written_here_is_not_touched() {
    let (mut world, mut phone) = stocked_by(FakeIssuer::new());
    let name = wallet().record().as_str().to_owned();
    for odd in [&b"{"[..], b"{\"v\":2,\"tokens\":[]}", b"[]"] {
        phone.records.insert(name.clone(), odd.to_vec());
        let refused = refill(&mut world, &mut phone);
        assert_eq!(refused, refilled(0, 0, &[Reason::MalformedRecord]));
        assert_eq!(phone.records[&name], odd);
    }
    assert_eq!(world.net.sent.len(), 0);
}
