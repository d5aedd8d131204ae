//! Traffic that means nothing, as the service receives it (PRV-49), and calls at a service that hides
//! them at a constant rate (PRV-16).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ringtrue::{
    CoverPolicy, CoverTraffic, Endpoint, Placement, Policy, Power, Reason, Suite, Verdict,
};

use crate::support::gateway::{Behaviour, Kind};
use crate::support::scene::CALLER;
use crate::support::world::{World, number, patiently, place};
use crate::support::{PATIENT, ends};

/// As often as a policy may ask for it.
fn often() -> CoverPolicy {
    let mut policy = CoverPolicy::default();
    policy.stores = Some(Duration::from_secs(1));
    policy.polls = Some(Duration::from_secs(1));
    policy.stores_per_day = 1000;
    policy
}

/// A caller that knows the keys of one number, and the number.
async fn caller_and_callee(world: &World) -> (Endpoint, Endpoint) {
    let callee = world.published(1).await;
    let caller = world.endpoint(CALLER);
    caller
        .prefetch_keys(number(1).as_str(), Some(PATIENT))
        .await
        .unwrap();
    (caller, callee)
}

async fn until(traffic: &CoverTraffic, reached: impl Fn(&CoverTraffic) -> bool) {
    while !ends(async { reached(traffic) }).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn covers_reach_the_service_as_stores_and_polls_and_no_call_is_seen() {
    let world = World::new().await;
    let (caller, callee) = caller_and_callee(&world).await;
    let traffic = caller.cover_traffic(often(), || Power::Plenty).unwrap();
    until(&traffic, |traffic| {
        let counts = traffic.counts();
        counts.stores >= 2 && counts.polls >= 1
    })
    .await;
    assert_eq!(traffic.counts().last_reason, None);
    traffic.stop();
    assert!(world.gateway.count(Kind::Store) >= 2);
    assert!(world.gateway.count(Kind::Retrieve) >= 3);
    // Prefetched once; no cover asked again.
    assert_eq!(world.gateway.count(Kind::Lookup), 1);
    let (from, to) = (number(CALLER), number(1));
    let rang = callee.ring(Some(from.as_str()), Some(to.as_str()), Some(PATIENT));
    let rang = ends(rang).await.unwrap();
    assert_eq!(rang.verdict().verdict, Verdict::NoRecord);
    assert_eq!(rang.verdict().blobs.opened, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_power_nothing_is_sent_and_with_it_covers_begin() {
    let world = World::new().await;
    let (caller, _callee) = caller_and_callee(&world).await;
    let plugged = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&plugged);
    let power = move || match seen.load(Ordering::Relaxed) {
        true => Power::Plenty,
        false => Power::Scarce,
    };
    let traffic = caller.cover_traffic(often(), power).unwrap();
    until(&traffic, |traffic| traffic.counts().skipped >= 2).await;
    assert_eq!(traffic.counts().last_reason, Some(Reason::CoverSkipped));
    assert_eq!(traffic.counts().stores, 0);
    assert_eq!(world.gateway.count(Kind::Store), 0);
    plugged.store(true, Ordering::Relaxed);
    until(&traffic, |traffic| traffic.counts().stores >= 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_knows_no_keys_skips_its_covers_and_asks_nobody() {
    let world = World::new().await;
    let caller = world.endpoint(CALLER);
    let mut policy = often();
    policy.polls = None;
    let traffic = caller.cover_traffic(policy, || Power::Plenty).unwrap();
    until(&traffic, |traffic| traffic.counts().skipped >= 2).await;
    assert_eq!(traffic.counts().last_reason, Some(Reason::CoverSkipped));
    assert!(world.gateway.exchanges().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_calls_go_on_while_covers_fail_and_a_stopped_one_sends_nothing_more() {
    let world = World::new().await;
    let (callee, from) = (world.published(1).await, number(CALLER));
    let caller = world.builder(&from, &world.credential(&from));
    // The usual time for a store: it has to be over for a cover to fail.
    let caller = caller.policy(Policy::default()).build().unwrap();
    let to = number(1);
    ends(caller.prefetch_keys(to.as_str(), Some(PATIENT)))
        .await
        .unwrap();
    let traffic = caller.cover_traffic(often(), || Power::Plenty).unwrap();
    world.gateway.set(Kind::Store, Behaviour::Silent);
    until(&traffic, |traffic| traffic.counts().skipped >= 1).await;
    assert_ne!(traffic.counts().last_reason, Some(Reason::CoverSkipped));
    traffic.stop();
    world.gateway.heal();
    let placed = place(&caller, CALLER, 1, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored);
    let stores = world.gateway.count(Kind::Store);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.gateway.count(Kind::Store), stores);
    drop(callee);
}

/// The callee's telephone rings at once, although its mailbox shows the call up to 2 s later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_constant_rate_a_call_is_verified_by_the_polls_of_a_ringing_telephone() {
    let world = World::at_constant_rate().await;
    let (caller, callee) = caller_and_callee(&world).await;
    let placed = place(&caller, CALLER, 1, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored);
    let (from, to) = (number(CALLER), number(1));
    let rang = callee.ring(Some(from.as_str()), Some(to.as_str()), Some(PATIENT));
    let rang = ends(rang).await.unwrap();
    assert_eq!(rang.verdict().verdict, Verdict::Verified);
    // One key, 15 epochs.
    let shown = world.mailbox(&number(1)).await;
    let of_the_key = shown.iter().filter(|blob| blob.suite() == Suite::S1);
    assert_eq!(of_the_key.count(), 15);
}
