//! Whole calls through a relay: confirmed on both sides, told in another order, and watched from outside.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringtrue::{Endpoint, PlaceOptions, Placement, Reason, Verdict};
use tokio::sync::oneshot;

use crate::support::confirming::Pair;
use crate::support::relayed::{RELAY_ADDRESS, RelayedWorld};
use crate::support::tap::{Exchange, Tap};
use crate::support::witness::Fault;
use crate::support::world::{number, patiently, place};
use crate::support::{BRIEF, PATIENT, ends, next_second};

const CALLER: usize = 11;
const CALLEE: usize = 12;
const OTHER: usize = 13;
/// A number whose owner has published nothing.
const SILENT: usize = 14;

async fn learn_keys(caller: &Endpoint, of: usize) {
    let number = number(of);
    let found = ends(caller.prefetch_keys(number.as_str(), Some(PATIENT))).await;
    assert_eq!(found, Ok(1));
}

// The clock that both sides compare by is the service's, and the relay stands between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_goes_through_a_relay_is_confirmed_on_both_sides() {
    let world = RelayedWorld::new().await;
    let (caller, callee) = (world.published(CALLER).await, world.published(CALLEE).await);
    learn_keys(&caller, CALLEE).await;
    let pair = Pair {
        caller: &caller,
        callee: &callee,
        numbers: [CALLER, CALLEE],
    };
    let (outgoing, ringing) = pair.confirmed(async || ()).await;
    assert_eq!(outgoing.outcome().verdict.reasons, []);
    assert_eq!(ringing.verdict().reasons, []);
    // Announcement, answer and report all came from the relay, and nothing came directly but for keys.
    let seen = world.service.witness.seen();
    let direct = seen.iter().filter(|seen| seen.from != RELAY_ADDRESS);
    assert!(
        direct
            .clone()
            .all(|seen| seen.line() == ("GET", "/ohttp-keys")),
        "{}",
        direct.count()
    );
    let opened = world.service.opened();
    let stores = opened.iter().filter(|(_, inner)| inner.method == "POST");
    assert!(stores.count() >= 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_a_relay_gives_in_another_order_reach_the_right_calls() {
    let world = RelayedWorld::new().await;
    let caller = world.published(CALLER).await;
    for callee in [CALLEE, OTHER] {
        world.published(callee).await;
        learn_keys(&caller, callee).await;
    }
    // The first answer waits for the second.
    let (sender, receiver) = oneshot::channel();
    let (mut sender, mut receiver) = (Some(sender), Some(receiver));
    let order: Arc<Mutex<Vec<&str>>> = Arc::default();
    let told = Arc::clone(&order);
    world.relay.meddle(move |_| {
        let told = Arc::clone(&told);
        if let Some(receiver) = receiver.take() {
            return Some(Fault::HoldAnswer(receiver));
        }
        sender.take().map(|sender| {
            Fault::Answer(Box::new(move |answer| {
                told.lock().unwrap().push("second");
                let _ = sender.send(());
                answer
            }))
        })
    });
    let placing = [CALLEE, OTHER].map(|callee| {
        let (caller, order) = (&caller, Arc::clone(&order));
        async move {
            let placed = place(caller, CALLER, callee, patiently()).await;
            order.lock().unwrap().push("placed");
            placed
        }
    });
    for placed in futures_util::future::join_all(placing).await {
        assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
        assert_eq!(placed.reasons, []);
    }
    assert_eq!(order.lock().unwrap().first(), Some(&"second"));
}

// An announcement that is held back until its caller has given up speaks for nobody's call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcement_that_a_relay_delivers_after_its_end_is_conflicting() {
    let world = RelayedWorld::new().await;
    let (caller, callee) = (world.published(CALLER).await, world.published(CALLEE).await);
    learn_keys(&caller, CALLEE).await;
    // Only what the service has answered is in the mailbox.
    let stores = || {
        let opened = world.service.opened();
        let stores = opened
            .iter()
            .filter(|(seen, inner)| inner.method == "POST" && seen.answer.is_some());
        stores.count()
    };
    let stored = async |count| {
        while stores() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut deadline = BRIEF;
    let (placed, release) = loop {
        let (release, held) = oneshot::channel();
        let mut held = Some(held);
        world.relay.forget();
        world.relay.meddle(move |_| held.take().map(Fault::Hold));
        let options: PlaceOptions = patiently().within(deadline);
        let placed = place(&caller, CALLER, CALLEE, options).await;
        assert_eq!(placed.placement, Placement::Unprotected);
        assert!(placed.reasons.contains(&Reason::DeadlinePassed));
        world.relay.heal();
        // On a busy machine the time may be up before anything was sent.
        if !world.relay.seen().is_empty() {
            break (placed, release);
        }
        deadline *= 2;
        next_second().await;
    };
    let outgoing = caller.outgoing(&placed, Some(PATIENT));
    outgoing.ended();
    ends(stored(1)).await;
    release.send(()).unwrap();
    ends(stored(2)).await;
    let from = number(CALLER);
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    let found = call.verdict();
    assert_eq!(
        (found.verdict, found.reasons),
        (Verdict::Conflicting, vec![Reason::CallerGone])
    );
}

/// The sizes of what `act` sends and gets, again if it needed new connections.
async fn sizes(tap: &Tap, act: impl AsyncFn()) -> Vec<Exchange> {
    for _ in 0..5 {
        let mark = tap.mark();
        act().await;
        let exchanges = tap.exchanges(mark);
        if !exchanges.is_empty() {
            return exchanges;
        }
    }
    panic!("every request made a new connection");
}

// PRV-39, and the network's row in docs/threat-model.md: what is on the wire between an endpoint and the
// relay, not what was encoded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sizes_on_the_wire_tell_no_number_and_no_message() {
    let world = RelayedWorld::new().await;
    let tap = Tap::start(world.relay_address()).await;
    let endpoint = async |index| {
        let builder = world.builder(index).relay(tap.base());
        let endpoint = builder.build().unwrap();
        endpoint.publish_keys(Some(PATIENT)).await.unwrap();
        endpoint
    };
    let (caller, callee) = (endpoint(CALLER).await, endpoint(CALLEE).await);
    let _other = endpoint(OTHER).await;

    let mut lookups = BTreeSet::new();
    for index in [CALLEE, OTHER, SILENT, CALLER] {
        let number = number(index);
        let look = async || {
            let _ = ends(caller.prefetch_keys(number.as_str(), Some(PATIENT))).await;
        };
        lookups.extend(sizes(&tap, look).await);
    }
    println!("lookups, with keys and without: {lookups:?}");
    assert_eq!(lookups.len(), 1, "{lookups:?}");

    // Announcements to two numbers, with and without asking for an answer, and what follows them.
    let mut stores = BTreeSet::new();
    for (index, options) in [
        (CALLEE, patiently()),
        (OTHER, patiently()),
        (CALLEE, PlaceOptions::with_answer().within(PATIENT)),
    ] {
        let announce = async || {
            let placed = place(&caller, CALLER, index, options.clone()).await;
            assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
        };
        stores.extend(sizes(&tap, announce).await);
    }
    let placed = place(&caller, CALLER, CALLEE, patiently()).await;
    let give_up = async || {
        let mark = tap.mark();
        let outgoing = caller.outgoing(&placed, Some(PATIENT));
        outgoing.ended();
        let reported = async {
            while tap.exchanges(mark).iter().all(|seen| seen.answer == 0) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        ends(reported).await;
    };
    stores.extend(sizes(&tap, give_up).await);
    println!("announcements and reports of a call's end: {stores:?}");
    assert_eq!(stores.len(), 1, "{stores:?}");

    // Looks into a mailbox where there is a call, and into one where there is none: the answers are as
    // long as their dummies make them, in few steps.
    let mut looks = BTreeSet::new();
    for from in [CALLER, OTHER] {
        let from = number(from);
        let ring = async || {
            let mut call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
                .await
                .unwrap();
            call.ended();
            while ends(call.changed()).await.is_some() {}
        };
        looks.extend(sizes(&tap, ring).await);
    }
    println!("looks into a mailbox: {looks:?}");
    let requests: BTreeSet<_> = looks
        .iter()
        .chain(&lookups)
        .map(|seen| seen.request)
        .collect();
    assert_eq!(
        requests.len(),
        1,
        "a look asks as a lookup does: {requests:?}"
    );
    // What the head of an answer and the encapsulation add is known from the lookups' 9,216 octets.
    let fixed = lookups.first().unwrap().answer - 9_216;
    for seen in looks {
        let len = seen.answer.saturating_sub(fixed);
        let steps = [32_768, 65_536, 131_072, 262_144];
        // The head says the length, in more digits than that of a lookup's answer.
        assert!(steps.iter().any(|step| len.abs_diff(*step) <= 2), "{len}");
    }
}
