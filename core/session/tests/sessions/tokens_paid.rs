//! Stores that are paid for: with tokens at hand, with fresh ones, or not at all.

use std::sync::Arc;

use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::{CallPhase, Suite};
use ringtrue_session::{
    Action, AnswerSession, CoverSession, Covered, Input, PeerKeys, Placed, Placement, Role, Saved,
    StateReportSession, Verdict, WalletName,
};
use ringtrue_stir::Reason;

use crate::attacker::{fresh_key, statement, statements};
use crate::issuer::{FakeIssuer, ISSUER, START, Till, issuer_name};
use crate::phone::{Phone, Reply};
use crate::placing::{assert_unprotected, known, stores};
use crate::sim::run;
use crate::tokens_refill::{refill, status, wallet};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, CPS_SPARE, World, number};

/// A world where the callee's service wants tokens, and its key statement says so.
pub(crate) fn paid_world() -> (World, Phone, Phone) {
    let mut world = World::new();
    world
        .net
        .issuers
        .insert(ISSUER.to_owned(), FakeIssuer::new());
    world.net.service(CPS_CALLEE).till = Some(Till::default());
    let mut phone = |of: &str, at: &[&str]| {
        let credential = world.credential(&[of]);
        let mut phone = world.phone_with(&[of], at, credential, |builder| {
            builder.policy.token_stock = 20;
            builder.policy.max_price = 8;
            builder.policy.token_issuer = Some(issuer_name());
        });
        world.publish(&mut phone).unwrap();
        phone
    };
    let caller = phone(CALLER, &[CPS_CALLER]);
    let callee = phone(CALLEE, &[CPS_CALLEE]);
    world.net.sent.clear();
    (world, caller, callee)
}

/// As [`paid_world`], with the callee's keys and twenty tokens at hand.
fn stocked_world() -> (World, Phone, Phone, PeerKeys) {
    let (mut world, mut caller, callee) = paid_world();
    let lookup = world.lookup(&caller, CALLEE, true);
    let keys = run(&mut world, &mut caller, lookup).keys;
    assert_eq!(
        keys.wallets(&caller.context, world.unix()),
        [WalletName::new(issuer_name(), CPS_CALLEE)]
    );
    assert_eq!(refill(&mut world, &mut caller).stock, 20);
    world.net.sent.clear();
    (world, caller, callee, keys)
}

fn till(world: &mut World) -> &mut Till {
    world.net.service(CPS_CALLEE).till.as_mut().unwrap()
}

fn place(world: &mut World, caller: &mut Phone, keys: &PeerKeys) -> Placed {
    let session = world.placing_with(caller, CALLEE, keys.clone(), false);
    run(world, caller, session)
}

#[test]
fn with_keys_and_tokens_at_hand_placing_takes_one_request() {
    let (mut world, mut caller, mut callee, keys) = stocked_world();
    let placed = place(&mut world, &mut caller, &keys);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(placed.reasons, []);
    assert_eq!(world.net.sent.len(), 1, "nothing but the store");
    assert_eq!(till(&mut world).paid.len(), 1);
    assert_eq!(status(&world, &caller).tokens, 19);
    let verdict = world.ring(&mut callee, CALLER).verdict.verdict;
    assert_eq!(verdict, Verdict::Verified);
}

#[test]
fn no_token_pays_twice_and_none_outlives_its_use() {
    let (mut world, mut caller, _, keys) = stocked_world();
    for _ in 0..3 {
        world.ms += 3000;
        assert_eq!(
            place(&mut world, &mut caller, &keys).placement,
            Placement::Stored
        );
    }
    assert_eq!(till(&mut world).spent.len(), 3);
    assert_eq!(status(&world, &caller).tokens, 17);
    let record = &caller.records[wallet().record().as_str()];
    for paid in &world.net.service(CPS_CALLEE).till.as_ref().unwrap().paid {
        let spent = ringtrue_stir::base64url::encode(&paid[0].token.to_octets());
        let found = record
            .windows(spent.len())
            .any(|window| window == spent.as_bytes());
        assert!(!found);
    }
}

#[test]
fn a_token_is_out_of_the_wallet_before_it_is_shown() {
    let (mut world, mut caller, _, keys) = stocked_world();
    let name = wallet().record();
    let mut taken = false;
    caller.on(move |action, _| {
        match action {
            Action::Save { record, .. } if *record == name => taken = true,
            Action::Request {
                role: Role::Store, ..
            } => assert!(taken),
            _ => {}
        }
        None
    });
    assert_eq!(
        place(&mut world, &mut caller, &keys).placement,
        Placement::Stored
    );
}

#[test]
fn an_empty_wallet_costs_one_issuance_which_is_told() {
    let (mut world, mut caller, _) = paid_world();
    let placed = place(&mut world, &mut caller, &PeerKeys::default());
    assert_eq!(placed.placement, Placement::Stored);
    assert!(placed.reasons.contains(&Reason::TokenJustInTime));
    assert_eq!(world.net.count(Role::Configuration), 1);
    assert_eq!(
        world.net.count(Role::Lookup),
        2,
        "the callee's keys and once more the issuer's"
    );
    assert_eq!(
        world.net.count(Role::Issue),
        1,
        "no more than the call needs"
    );
    assert_eq!(world.net.count(Role::Store), 1);
}

#[test]
fn an_empty_wallet_and_a_silent_issuer_leave_the_call_unprotected_in_time() {
    for silent in [Role::Configuration, Role::Issue] {
        let (mut world, mut caller, _) = paid_world();
        caller.on(move |action, _| match action {
            Action::Request { role, .. } if *role == silent => Some(Reply::Never),
            _ => None,
        });
        let started = world.ms;
        let placed = place(&mut world, &mut caller, &PeerKeys::default());
        assert_eq!(world.ms, started + 1500);
        assert_eq!(placed.placement, Placement::Unprotected);
        assert!(placed.reasons.contains(&Reason::WalletEmpty));
        assert!(placed.reasons.contains(&Reason::DeadlinePassed));
        assert_eq!(world.net.count(Role::Store), 0);
    }
}

#[test]
fn an_empty_wallet_and_an_issuer_that_gives_nothing_leave_the_call_unprotected() {
    let (mut world, mut caller, _) = paid_world();
    world.net.issuers.get_mut(ISSUER).unwrap().quota = 0;
    let placed = place(&mut world, &mut caller, &PeerKeys::default());
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::OverQuota));
    assert!(placed.reasons.contains(&Reason::WalletEmpty));
    assert_eq!(world.net.count(Role::Store), 0);
}

#[test]
fn a_price_up_to_the_limit_is_paid_with_the_tokens_that_were_shown_and_more() {
    let (mut world, mut caller, _, keys) = stocked_world();
    till(&mut world).price = 8;
    let placed = place(&mut world, &mut caller, &keys);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(placed.reasons, [Reason::PriceRaised]);
    assert_eq!(stores(&world.net.sent), [(CPS_CALLEE, 1), (CPS_CALLEE, 1)]);
    let shown: Vec<_> = world
        .net
        .sent
        .iter()
        .map(|sent| sent.request.header("authorization").unwrap())
        .collect();
    assert_eq!(
        shown[0], shown[1],
        "what was refused for its price is not spent"
    );
    assert_eq!(till(&mut world).spent.len(), 8);
    assert_eq!(status(&world, &caller).tokens, 12);
}

#[test]
fn a_price_above_the_limit_is_not_paid_and_not_evaded() {
    let (mut world, mut caller, _, keys) = stocked_world();
    till(&mut world).price = 16;
    let placed = place(&mut world, &mut caller, &keys);
    assert_unprotected(&placed, &[Reason::PriceTooHigh]);
    assert_eq!(till(&mut world).spent.len(), 0);
    assert_eq!(world.net.count(Role::Store), 1);
}

// ADR 10: where a number is flooded as far as that, a call to fewer of its devices is better than none.
#[test]
fn copies_that_the_limit_does_not_pay_for_are_dropped_and_that_is_told() {
    let (mut world, mut caller, mut callee) = paid_world();
    for _ in 0..2 {
        world.ms += 2000;
        let credential = world.credential(&[CALLEE]);
        let mut more = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |builder| {
            builder.policy.token_issuer = Some(issuer_name());
        });
        world.publish(&mut more).unwrap();
    }
    // Three copies and a filler. Four blobs cost 32, two 16, and one 8, which is the limit.
    for (each, copies, sizes) in [(8, 1, vec![4, 1]), (4, 2, vec![4, 2]), (2, 3, vec![4, 4])] {
        till(&mut world).each = each;
        world.net.sent.clear();
        world.ms += 3000;
        let placed = place(&mut world, &mut caller, &PeerKeys::default());
        assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
        assert_eq!(placed.copies, copies);
        let told = placed.reasons.contains(&Reason::CopiesDropped);
        assert_eq!(told, copies < 3, "{:?}", placed.reasons);
        assert!(!placed.reasons.contains(&Reason::PriceTooHigh));
        let sent = world.net.sent.iter();
        let sent: Vec<usize> = sent
            .filter(|sent| sent.role == Role::Store)
            .map(|sent| sent.blobs().len())
            .collect();
        assert_eq!(sent.first(), sizes.first());
        assert_eq!(sent.last(), sizes.last());
        // What follows the call goes to those that got it, at what that costs.
        let session = StateReportSession::new(
            Arc::clone(&caller.context),
            placed.call.unwrap(),
            CallPhase::Gone,
            world.in_ms(0),
            world.in_ms(1500),
        );
        let reported = run(&mut world, &mut caller, session.unwrap());
        assert_eq!(reported.services, 1, "{:?}", reported.reasons);
        // The keys of this device are the oldest of the three.
        let found = world.ring(&mut callee, CALLER).verdict.verdict;
        assert_eq!(found == Verdict::NoRecord, copies < 3, "{found:?}");
        world.ms += 70_000;
    }
    // Of one copy nothing can be dropped.
    till(&mut world).each = 16;
    let placed = place(&mut world, &mut caller, &PeerKeys::default());
    let reasons = [Reason::TokenJustInTime, Reason::PriceTooHigh];
    assert_unprotected(&placed, &reasons);
}

#[test]
fn a_price_that_the_wallet_cannot_pay_is_paid_with_fresh_tokens_too() {
    let (mut world, mut caller, _) = paid_world();
    till(&mut world).price = 4;
    let placed = place(&mut world, &mut caller, &PeerKeys::default());
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    assert_eq!(world.net.count(Role::Issue), 4, "one first, then the rest");
    world.ms += 3000;
    let credential = caller.credential.clone();
    let records = caller.records.clone();
    let mut poor = world.phone_with(&[CALLER], &[CPS_CALLER], credential, |builder| {
        builder.policy.token_stock = 2;
    });
    poor.records = records;
    assert_eq!(refill(&mut world, &mut poor).stock, 2);
    let placed = place(&mut world, &mut poor, &PeerKeys::default());
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    assert!(placed.reasons.contains(&Reason::PriceRaised));
    assert!(placed.reasons.contains(&Reason::TokenJustInTime));
}

#[test]
fn a_request_whose_answer_is_lost_is_repeated_unchanged_and_stored_once() {
    let (mut world, mut caller, _, keys) = stocked_world();
    let mut lost = false;
    caller.on(move |action, _| match action {
        Action::Request {
            id,
            role: Role::Store,
            ..
        } if !lost => {
            lost = true;
            let lost = Err(Reason::ServiceUnreachable);
            Some(Reply::With(Input::Response(*id, lost)))
        }
        _ => None,
    });
    let placed = place(&mut world, &mut caller, &keys);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(placed.reasons, []);
    assert_eq!(status(&world, &caller).tokens, 19);
}

#[test]
fn a_request_is_repeated_octet_by_octet() {
    let (mut world, mut caller, _, keys) = stocked_world();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    caller.on(move |action, _| match action {
        Action::Request {
            id,
            role: Role::Store,
            request,
            ..
        } => {
            noted.lock().unwrap().push(request.clone());
            let lost = Err(Reason::ServiceUnreachable);
            Some(Reply::With(Input::Response(*id, lost)))
        }
        _ => None,
    });
    let placed = place(&mut world, &mut caller, &keys);
    assert_unprotected(&placed, &[Reason::ServiceUnreachable]);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2, "once more, not for ever");
    assert!(seen[0] == seen[1]);
}

#[test]
fn tokens_that_are_refused_are_replaced_by_fresh_ones_once() {
    let (mut world, mut caller, _, keys) = stocked_world();
    till(&mut world).closed = 1;
    let placed = place(&mut world, &mut caller, &keys);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(placed.reasons, [Reason::TokenJustInTime]);
    assert_eq!(world.net.count(Role::Store), 2);
    till(&mut world).closed = 5;
    world.ms += 3000;
    let placed = place(&mut world, &mut caller, &keys);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::TokenRejected));
}

#[test]
fn a_token_that_another_process_may_have_taken_is_not_used() {
    let (mut world, mut caller, _, keys) = stocked_world();
    let name = wallet().record();
    let mut conflicts = 0;
    caller.on(move |action, _| match action {
        Action::Save { id, record, .. } if *record == name && conflicts < 3 => {
            conflicts += 1;
            Some(Reply::With(Input::Saved(*id, Ok(Saved::Changed))))
        }
        _ => None,
    });
    let placed = place(&mut world, &mut caller, &keys);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(status(&world, &caller).tokens, 19);
    for answer in [Ok(Saved::Changed), Err(Reason::StateUnavailable)] {
        world.ms += 3000;
        world.net.sent.clear();
        let name = wallet().record();
        caller.on(move |action, _| match action {
            Action::Save { id, record, .. } if *record == name => {
                Some(Reply::With(Input::Saved(*id, answer)))
            }
            _ => None,
        });
        let placed = place(&mut world, &mut caller, &keys);
        assert_unprotected(&placed, &[Reason::StateUnavailable]);
        assert_eq!(world.net.count(Role::Store), 0);
    }
}

#[test]
fn tokens_of_an_issuer_that_was_found_out_stay_in_the_wallet() {
    let (mut world, mut caller, _, keys) = stocked_world();
    // Half of the tokens are gone, and the issuer shows two faces when more are asked for.
    caller.records.insert(
        wallet().record().as_str().to_owned(),
        b"{\"v\":1,\"tokens\":[]}".to_vec(),
    );
    let issuer = world.net.issuers.get_mut(ISSUER).unwrap();
    issuer.other_keys = Some(vec![(2, START - 3600)]);
    let found_out = refill(&mut world, &mut caller).reasons;
    assert_eq!(found_out, [Reason::IssuerInconsistent]);
    world.net.sent.clear();
    let placed = place(&mut world, &mut caller, &keys);
    assert_unprotected(&placed, &[Reason::IssuerInconsistent]);
    assert_eq!(world.net.sent.len(), 0);
}

/// A service could name an issuer of its own and learn from it who is calling (threat T1).
#[test]
fn nobody_follows_a_service_to_an_issuer() {
    let mut world = World::new();
    world
        .net
        .issuers
        .insert(ISSUER.to_owned(), FakeIssuer::new());
    world.net.service(CPS_CALLEE).till = Some(Till::default());
    let mut caller = world.phone(&[CALLER], &[CPS_CALLER]);
    let mut callee = world.phone(&[CALLEE], &[CPS_CALLEE]);
    world.publish(&mut caller).unwrap();
    world.publish(&mut callee).unwrap();
    world.net.sent.clear();
    assert_unprotected(&world.place(&mut caller, CALLEE), &[Reason::TokenRequired]);
    assert_eq!(world.net.count(Role::Configuration), 0);
    assert_eq!(world.net.count(Role::Issue), 0);
}

#[test]
fn each_service_is_paid_with_tokens_of_its_own() {
    let (mut world, mut caller, callee, _) = stocked_world();
    let credential = callee.credential.clone();
    let services = [CPS_CALLEE, CPS_SPARE];
    let mut moved = world.phone_with(&[CALLEE], &services, credential, |builder| {
        builder.policy.token_issuer = Some(issuer_name());
    });
    moved.records = callee.records.clone();
    world.ms += 2000;
    world.publish(&mut moved).unwrap();
    caller
        .records
        .retain(|name, _| !name.starts_with("statements."));
    world.net.service(CPS_SPARE).till = Some(Till::default());
    caller.on(|action, _| match action {
        Action::Request {
            id,
            role: Role::Store,
            request,
            ..
        } if request.url.contains(CPS_CALLEE) => Some(Reply::With(Input::Response(
            *id,
            Ok(Problem::Unavailable.encode()),
        ))),
        _ => None,
    });
    let placed = place(&mut world, &mut caller, &PeerKeys::default());
    assert_eq!(placed.placement, Placement::Stored);
    assert!(placed.reasons.contains(&Reason::ServiceFailedOver));
    assert!(placed.reasons.contains(&Reason::TokenJustInTime));
    assert_eq!(
        status(&world, &caller).tokens,
        19,
        "shown, so not used again"
    );
}

#[test]
fn an_answer_and_a_report_are_paid_like_a_call() {
    let (mut world, mut caller, mut callee, _) = stocked_world();
    world.net.service(CPS_CALLER).till = Some(Till::default());
    let session = world.placing(&caller, CALLEE);
    let placed = run(&mut world, &mut caller, session);
    let call = world.ring(&mut callee, CALLER).call.unwrap();
    let context = Arc::clone(&callee.context);
    let session = AnswerSession::new(context, call, CallPhase::Answered, world.in_ms(2500));
    let answered = run(&mut world, &mut callee, session.unwrap());
    assert!(answered.sent);
    assert_eq!(answered.reasons, [Reason::TokenJustInTime]);
    let name = WalletName::new(issuer_name(), CPS_CALLER);
    assert_eq!(answered.refill, Some(name));
    let report = StateReportSession::new(
        Arc::clone(&caller.context),
        placed.call.unwrap(),
        CallPhase::Gone,
        world.in_ms(0),
        world.in_ms(2500),
    );
    let reported = run(&mut world, &mut caller, report.unwrap());
    assert_eq!((reported.services, reported.reasons), (1, vec![]));
    assert_eq!(till(&mut world).paid.len(), 2);
    assert_eq!(status(&world, &caller).tokens, 18);
}

#[test]
fn the_own_statement_names_the_issuer_and_a_change_of_it_is_published() {
    let (mut world, _, callee) = paid_world();
    assert_eq!(statements(&mut world, CALLEE)[0].tok(), Some(ISSUER));
    let credential = callee.credential.clone();
    let mut changed = world.phone_with(&[CALLEE], &[CPS_CALLEE], credential, |_| {});
    changed.records = callee.records.clone();
    world.ms += 2000;
    world.publish(&mut changed).unwrap();
    assert_eq!(statements(&mut world, CALLEE)[0].tok(), None);
}

#[test]
fn nothing_of_the_caller_is_in_a_paid_store() {
    let (mut world, mut caller, _, keys) = stocked_world();
    place(&mut world, &mut caller, &keys);
    let seen = world.net.sent[0].seen();
    assert!(!seen.contains(CALLER));
    let names: Vec<&str> = world.net.sent[0]
        .request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "content-type",
            "accept",
            "authorization",
            "stir-oob-key",
            "stir-oob-ctr",
            "stir-oob-sig"
        ]
    );
}

fn cover(world: &mut World, caller: &mut Phone, keys: &PeerKeys) -> Covered {
    let to = [(number(CALLEE), keys.clone())];
    let context = Arc::clone(&caller.context);
    let now = caller.now(world.ms);
    let session = CoverSession::store(context, &to, world.in_ms(1500), now).unwrap();
    run(world, caller, session)
}

/// The headers of a store with their lengths: all that does not differ between any two paid stores.
fn paid_shape(world: &World) -> Vec<(String, usize)> {
    let headers = world.net.sent[0].request.headers.iter();
    headers
        .map(|(name, value)| (name.clone(), value.len()))
        .collect()
}

#[test]
fn a_cover_store_is_paid_from_the_wallet_like_a_call() {
    let (mut world, mut caller, _, keys) = stocked_world();
    place(&mut world, &mut caller, &keys);
    let real = paid_shape(&world);
    world.net.sent.clear();
    let covered = cover(&mut world, &mut caller, &keys);
    assert!(covered.done, "{:?}", covered.reasons);
    assert_eq!(covered.reasons, []);
    assert_eq!(paid_shape(&world), real);
    assert_eq!(world.net.sent.len(), 1);
    assert_eq!(till(&mut world).paid.len(), 2);
    assert_eq!(status(&world, &caller).tokens, 18);
}

#[test]
fn without_tokens_in_the_wallet_a_cover_store_is_skipped_and_no_issuer_asked() {
    let (mut world, mut caller, _) = paid_world();
    let lookup = world.lookup(&caller, CALLEE, true);
    let keys = run(&mut world, &mut caller, lookup).keys;
    world.net.sent.clear();
    let covered = cover(&mut world, &mut caller, &keys);
    assert!(!covered.done);
    assert_eq!(covered.reasons, [Reason::WalletEmpty, Reason::CoverSkipped]);
    assert!(world.net.sent.is_empty());
}

#[test]
fn a_report_of_a_calls_state_is_rounded_up_like_a_call() {
    let (mut world, mut caller, _) = World::with_phones();
    let three = statement(&world, &world.credential(&[CALLEE]), |draft| {
        draft.keys = vec![
            fresh_key(Suite::S1),
            fresh_key(Suite::S1),
            fresh_key(Suite::S2),
        ];
    });
    let keys = known(&mut world, &mut caller, &[&three]);
    world.net.sent.clear();
    let placed = place(&mut world, &mut caller, &keys);
    let report = StateReportSession::new(
        Arc::clone(&caller.context),
        placed.call.unwrap(),
        CallPhase::Gone,
        world.in_ms(0),
        world.in_ms(2500),
    );
    let reported = run(&mut world, &mut caller, report.unwrap());
    assert_eq!((reported.services, reported.reasons), (1, vec![]));
    assert_eq!(stores(&world.net.sent), [(CPS_CALLEE, 4), (CPS_CALLEE, 4)]);
}
