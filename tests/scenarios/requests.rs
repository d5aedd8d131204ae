//! How many requests and connections a call costs, counted at a gateway in front of the real service.

use std::time::Instant;

use ringtrue::{CallPhase, Placement, Verdict};

use crate::support::gateway::Kind;
use crate::support::world::{World, number, patiently, patiently_with_answer, place};
use crate::support::{PATIENT, ends, looks_due};

const CALLER: usize = 0;
const CALLEE: usize = 1;

// "Placing, and ringing up to the first deciding verdict (W-32), each take exactly one request on a warm
// connection with cached keys."
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn placing_and_ringing_take_one_request_each_when_warm() {
    let world = World::new().await;
    let gateway = &world.gateway;
    let caller = world.published(CALLER).await;
    let callee = world.published(CALLEE).await;
    let from = number(CALLER);
    let counts = || {
        (
            Kind::ALL.map(|kind| gateway.count(kind)),
            gateway.connections(),
        )
    };
    // The first call warms: keys are looked up, connections opened. Its polls are waited for.
    let placed = place(&caller, CALLER, CALLEE, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored);
    let mut call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    assert_eq!(call.verdict().verdict, Verdict::Verified);
    call.ended();
    while ends(call.changed()).await.is_some() {}
    gateway.until(Kind::Retrieve, 3).await;

    for round in 0..3 {
        let (before, connections) = counts();
        let placed = place(&caller, CALLER, CALLEE, patiently()).await;
        assert_eq!(
            (placed.placement, placed.reasons),
            (Placement::Stored, vec![])
        );
        let (after, now) = counts();
        let spent: Vec<_> = after
            .iter()
            .zip(before)
            .map(|(after, before)| after - before)
            .collect();
        println!(
            "placing, warm: lookup, publish, retrieve, store = {spent:?}, connections = {}",
            now - connections
        );
        assert_eq!(spent, [0, 0, 0, 1], "round {round}");
        assert_eq!(now, connections, "round {round}: no new connection");

        let (before, connections) = counts();
        let rang = Instant::now();
        let mut call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
            .await
            .unwrap();
        let (after, now) = counts();
        assert_eq!(
            call.verdict().verdict,
            Verdict::Verified,
            "{:?}",
            call.verdict().reasons
        );
        let spent: Vec<_> = after
            .iter()
            .zip(before)
            .map(|(after, before)| after - before)
            .collect();
        println!(
            "ringing, warm: lookup, publish, retrieve, store = {spent:?}, connections = {}",
            now - connections
        );
        // One, and what is due by then whatever was found: on a machine that is not busy, nothing.
        let looks = spent[2];
        let due = looks_due(rang.elapsed());
        assert!((1..=due).contains(&looks), "round {round}: {looks}");
        assert_eq!(spent, [0, 0, looks, 0], "round {round}");
        // Those that overlap need connections of their own.
        let new = now - connections;
        assert!(new < looks, "round {round}: {new} new connections");
        call.ended();
        while ends(call.changed()).await.is_some() {}
    }
}

// Never more than these, cold: one lookup and one store; one retrieval.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_call_takes_one_request_and_connection_for_each_role() {
    let world = World::new().await;
    let gateway = &world.gateway;
    let caller = world.published(CALLER).await;
    let callee = world.published(CALLEE).await;
    let before = gateway.connections();
    let placed = place(&caller, CALLER, CALLEE, patiently_with_answer()).await;
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(Kind::ALL.map(|kind| gateway.count(kind)), [1, 2, 0, 1]);
    // PRV-50: lookups and stores share no connection.
    assert_eq!(gateway.connections(), before + 2);
    let (from, rang) = (number(CALLER), Instant::now());
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    assert_eq!(call.verdict().verdict, Verdict::Verified);
    // The looks that are due by then: one, on a machine that is not busy.
    let looks = gateway.count(Kind::Retrieve);
    let due = looks_due(rang.elapsed());
    assert!((1..=due).contains(&looks), "{looks}");
    let connections = gateway.connections() - before - 2;
    assert!((1..=due).contains(&connections), "{connections}");
    let answered = ends(callee.answer(&call, CallPhase::Answered, Some(PATIENT)))
        .await
        .unwrap();
    assert!(answered.sent);
    // The answer's own store, on a connection of its own.
    assert_eq!(gateway.count(Kind::Store), 2);
}

// W-32: what is found must not show in the requests. The same number of polls, whatever the verdict.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_look_the_same_whatever_was_found() {
    let world = World::new().await;
    let caller = world.endpoint(CALLER);
    let (with, without) = (world.published(1).await, world.published(2).await);
    place(&caller, CALLER, 1, patiently()).await;
    let from = number(CALLER);
    let ring = async |callee: &ringtrue::Endpoint| {
        let mut call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
            .await
            .unwrap();
        let first = call.verdict().verdict;
        call.ended();
        while ends(call.changed()).await.is_some() {}
        first
    };
    assert_eq!(ring(&with).await, Verdict::Verified);
    assert_eq!(ring(&without).await, Verdict::NoRecord);
    let polls = |index: usize| {
        let path = format!("/cps/{}/ppts", number(index).as_str());
        let seen = world.gateway.exchanges();
        seen.into_iter()
            .filter(|seen| seen.kind == Kind::Retrieve && seen.target == path)
            .count()
    };
    assert_eq!((polls(1), polls(2)), (3, 3));
}
