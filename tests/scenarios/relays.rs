//! Calls through a relay, over real TLS: what each party receives, and what comes of a relay that does
//! not do what it should.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ringtrue::{CallPhase, HttpResponse, Placement, Reason, Verdict};

use crate::support::relayed::{RELAY_ADDRESS, RelayedWorld, address_of};
use crate::support::witness::{Fault, Seen};
use crate::support::world::{number, patiently, patiently_with_answer, place, told};
use crate::support::{BRIEF, PATIENT, ends, logs, looks_due};

const CALLER: usize = 11;
const CALLEE: usize = 12;

/// The octets that encapsulation adds to a request.
const OVERHEAD: usize = 7 + 32 + 16;

fn is_to_gateway(seen: &Seen) -> bool {
    seen.line().0 == "POST"
}

// The table of docs/threat-model.md, for relay, service and directory, read off what they received: a
// whole call with its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relay_learns_who_and_the_services_learn_what() {
    let world = RelayedWorld::new().await;
    let (caller, callee) = (world.published(CALLER).await, world.published(CALLEE).await);
    let placed = place(&caller, CALLER, CALLEE, patiently_with_answer()).await;
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    let from = number(CALLER);
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    assert_eq!(
        call.verdict().verdict,
        Verdict::Verified,
        "{:?}",
        call.verdict().reasons
    );
    let answered = ends(callee.answer(&call, CallPhase::Answered, Some(PATIENT)))
        .await
        .unwrap();
    assert!(answered.sent, "{:?}", answered.reasons);
    let outcome = ends(caller.await_answer(placed.answer.unwrap(), Some(PATIENT))).await;
    assert!(
        outcome.verdict.verdict.is_good(),
        "{:?}",
        outcome.verdict.reasons
    );

    let numbers = [number(CALLER), number(CALLEE)];
    let parties = [address_of(CALLER), address_of(CALLEE)];

    // The relay: who and when; no number anywhere, one form and few lengths for everybody.
    let at_relay = world.relay.seen();
    let from: BTreeSet<_> = at_relay.iter().map(|seen| seen.from).collect();
    assert_eq!(from, BTreeSet::from(parties));
    for seen in &at_relay {
        for number in &numbers {
            assert!(!seen.shows(number.as_str().as_bytes()), "{}", seen.head);
            let answer = seen
                .answer
                .as_ref()
                .map(|answer| format!("{:?}", answer.headers));
            assert!(!answer.unwrap_or_default().contains(number.as_str()));
        }
        let fields = seen.fields();
        assert!(
            fields.iter().all(|field| {
                [
                    "content-type",
                    "accept",
                    "accept-encoding",
                    "user-agent",
                    "host",
                    "content-length",
                ]
                .contains(&field.as_str())
            }),
            "{fields:?}"
        );
        assert!(seen.head.contains("RingTrue\r\n"), "one User-Agent for all");
    }
    let lengths: BTreeSet<_> = at_relay
        .iter()
        .filter(|seen| is_to_gateway(seen))
        .map(|seen| seen.body.len() - OVERHEAD)
        .collect();
    let allowed = BTreeSet::from([512, 8_192, 16_384, 20_480, 32_768]);
    assert!(lengths.is_subset(&allowed), "{lengths:?}");
    println!(
        "relay: {} requests, addresses {from:?}, lengths {lengths:?}, no number",
        at_relay.len()
    );

    // Service and directory: what is asked, and the relay's address. The keys of the gateway alone are
    // asked for directly as well, which says nothing of any number.
    for (name, party) in [("service", &world.service), ("directory", &world.directory)] {
        let seen = party.witness.seen();
        for seen in &seen {
            let is_keys = seen.line() == ("GET", "/ohttp-keys");
            assert!(
                is_keys || seen.from == RELAY_ADDRESS,
                "{name}: {}",
                seen.head
            );
            assert!(
                is_keys || seen.line() == ("POST", "/gateway"),
                "{name}: {}",
                seen.head
            );
            for number in &numbers {
                assert!(
                    !seen.shows(number.as_str().as_bytes()),
                    "{name}: {}",
                    seen.head
                );
            }
        }
        // With the gateway's key, which its operator has.
        let opened = party.opened();
        let mut paths = BTreeSet::new();
        // Different endpoints' requests come on the same connections.
        let connections: BTreeSet<_> = opened.iter().map(|(seen, _)| seen.connection).collect();
        assert!(connections.len() < opened.len(), "{name}: {connections:?}");
        for (seen, request) in &opened {
            assert_eq!(seen.from, RELAY_ADDRESS);
            paths.insert(format!("{} {}", request.method, request.path));
            // No request names two parties, whichever field or octet one looks at.
            let text = format!("{} {:?}", request.path, request.headers);
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let named = numbers
                .iter()
                .filter(|number| text.contains(number.as_str()) || body.contains(number.as_str()));
            assert_eq!(named.count(), 1, "{name}: {text}");
            for address in parties {
                assert!(
                    !text.contains(&address.to_string()) && !body.contains(&address.to_string())
                );
            }
        }
        println!(
            "{name}: {} requests from {RELAY_ADDRESS}, inside: {paths:?}",
            opened.len()
        );
    }
    let store = (
        "POST".to_owned(),
        format!("/cps/{}/ppts", number(CALLEE).as_str()),
    );
    let stores = world.service.opened();
    let stores = stores
        .iter()
        .map(|(_, inner)| (inner.method.clone(), inner.path.clone()));
    assert_eq!(stores.filter(|inner| *inner == store).count(), 1);

    // Nobody's log names an endpoint's address.
    let logs = logs::recorded();
    for address in parties {
        assert!(!logs.contains(&address.to_string()));
    }
}

// Through the relay as without it: one request to place, one to ring.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn placing_takes_one_request_to_the_relay_and_none_elsewhere() {
    let world = RelayedWorld::new().await;
    let (caller, callee) = (world.published(CALLER).await, world.published(CALLEE).await);
    let callee_number = number(CALLEE);
    let readers = ends(caller.prefetch_keys(callee_number.as_str(), Some(PATIENT))).await;
    assert_eq!(readers, Ok(1));
    for party in [
        &world.relay,
        &world.service.witness,
        &world.directory.witness,
    ] {
        party.forget();
    }
    let carried = world.carried();
    let placed = place(&caller, CALLER, CALLEE, patiently()).await;
    assert_eq!(
        (placed.placement, placed.reasons),
        (Placement::Stored, vec![])
    );
    let lines: Vec<_> = world
        .relay
        .seen()
        .iter()
        .map(|seen| seen.line().0.to_owned())
        .collect();
    assert_eq!(lines, ["POST"]);
    assert_eq!(world.carried(), carried + 1);
    assert_eq!(world.service.witness.seen().len(), 1);
    assert_eq!(world.directory.witness.seen().len(), 0);
    println!(
        "placing through a relay, keys prefetched: 1 request at relay and service, 0 at the directory"
    );

    let (from, rang) = (number(CALLER), Instant::now());
    let call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
        .await
        .unwrap();
    assert_eq!(call.verdict().verdict, Verdict::Verified);
    let looks = world.relay.seen().len() - 1;
    assert!((1..=looks_due(rang.elapsed())).contains(&looks), "{looks}");
}

// Contacts ahead of calls: the directory sees numbers in random order, others among them, and no
// address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_looked_up_among_others_by_nobody_in_particular() {
    let world = RelayedWorld::new().await;
    let caller = world.published(CALLER).await;
    for index in [21, 22, 23] {
        world.published(index).await;
    }
    world.directory.witness.forget();
    let contacts = [21, 22, 23, 24].map(number);
    let contacts = contacts.each_ref().map(|number| number.as_str());
    let prefetched = caller
        .prefetch_contacts(&contacts, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(
        (prefetched.found, prefetched.without_keys, prefetched.failed),
        (3, 1, 0)
    );
    let opened = world.directory.opened();
    assert_eq!(opened.len(), 8);
    let asked: BTreeSet<_> = opened.iter().map(|(_, inner)| inner.path.clone()).collect();
    assert_eq!(asked.len(), 8);
    for contact in contacts {
        assert!(asked.contains(&format!("/keys/{contact}")));
    }
    let lengths: BTreeSet<_> = opened.iter().map(|(seen, _)| seen.body.len()).collect();
    assert_eq!(lengths.len(), 1);
    let placed = place(&caller, CALLER, 22, patiently()).await;
    assert_eq!(
        (placed.placement, placed.reasons),
        (Placement::Stored, vec![])
    );
}

/// What a relay does to the next store, and the reason that follows.
type Meddling = (&'static str, fn() -> Fault, Reason);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_meddles_leaves_the_call_unprotected_and_says_so() {
    let altered = || {
        Fault::Answer(Box::new(|mut answer: HttpResponse| {
            let last = answer.body.len() - 1;
            answer.body[last] ^= 1;
            answer
        }))
    };
    let forged = || {
        Fault::Answer(Box::new(|mut answer: HttpResponse| {
            answer.body = vec![7; 4_096 + 48];
            answer
        }))
    };
    let cases: [Meddling; 3] = [
        ("drops", || Fault::Drop, Reason::DeadlinePassed),
        ("alters", altered, Reason::RelayFailed),
        ("forges", forged, Reason::RelayFailed),
    ];
    let world = RelayedWorld::new().await;
    let caller = world.published(CALLER).await;
    world.published(CALLEE).await;
    let callee_number = number(CALLEE);
    ends(caller.prefetch_keys(callee_number.as_str(), Some(PATIENT)))
        .await
        .unwrap();
    for (name, fault, reason) in cases {
        world
            .relay
            .meddle(move |seen| is_to_gateway(seen).then(fault));
        let deadline = if reason == Reason::DeadlinePassed {
            BRIEF
        } else {
            PATIENT
        };
        let placed = place(&caller, CALLER, CALLEE, patiently().within(deadline)).await;
        assert_eq!(placed.placement, Placement::Unprotected, "{name}");
        assert!(
            told(&placed).contains(&reason),
            "{name}: {:?}",
            placed.reasons
        );
        assert!(
            !placed.reasons.contains(&Reason::DirectConnection),
            "{name}"
        );
        world.relay.heal();
        let placed = place(&caller, CALLER, CALLEE, patiently()).await;
        assert_eq!(
            placed.placement,
            Placement::Stored,
            "{name}: {:?}",
            placed.reasons
        );
    }
    // Directly nobody asked for anything but keys.
    for seen in world.service.witness.seen() {
        assert!(seen.from == RELAY_ADDRESS || seen.line() == ("GET", "/ohttp-keys"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_delays_replays_or_swaps_changes_no_verdict() {
    let world = RelayedWorld::new().await;
    let (caller, callee) = (world.published(CALLER).await, world.published(CALLEE).await);
    let callee_number = number(CALLEE);
    ends(caller.prefetch_keys(callee_number.as_str(), Some(PATIENT)))
        .await
        .unwrap();
    let ring = async || {
        let from = number(CALLER);
        let mut call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
            .await
            .unwrap();
        let verdict = call.verdict();
        // The schedule of polls is kept; the end of the call is what the endpoint waits for after it.
        call.ended();
        while ends(call.changed()).await.is_some() {}
        verdict
    };

    // Everything twice, and late.
    world
        .relay
        .meddle(|seen| is_to_gateway(seen).then_some(Fault::Replay));
    let placed = place(&caller, CALLER, CALLEE, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    world
        .relay
        .meddle(|seen| is_to_gateway(seen).then_some(Fault::Delay(Duration::from_millis(80))));
    let first = ring().await;
    assert_eq!(first.verdict, Verdict::Verified, "{:?}", first.reasons);

    // Answers of earlier requests instead of the right ones: nothing opens, and nothing is believed.
    let kept: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    world.relay.meddle(move |seen| {
        let kept = Arc::clone(&kept);
        is_to_gateway(seen).then(|| {
            Fault::Answer(Box::new(move |mut answer| {
                let earlier = kept.lock().unwrap().replace(answer.body.clone());
                answer.body = earlier.unwrap_or_else(|| vec![0; 100]);
                answer
            }))
        })
    });
    let swapped = ring().await;
    assert_eq!(
        swapped.verdict,
        Verdict::Unavailable,
        "{:?}",
        swapped.reasons
    );
    assert!(swapped.reasons.contains(&Reason::RelayFailed));
    world.relay.heal();
    // The replayed copies of the first call are no second call.
    let again = ring().await;
    assert_ne!(again.verdict, Verdict::Verified, "{:?}", again.reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_fails_is_passed_by_only_where_the_application_allows_it() {
    let world = RelayedWorld::new().await;
    world.published(CALLEE).await;
    let failing = || {
        Fault::Answer(Box::new(|mut answer: HttpResponse| {
            answer.status = 502;
            answer
        }))
    };
    for (allow, placement) in [(false, Placement::Unprotected), (true, Placement::Stored)] {
        let caller = world.builder(CALLER).allow_direct(allow).build().unwrap();
        let callee_number = number(CALLEE);
        ends(caller.prefetch_keys(callee_number.as_str(), Some(PATIENT)))
            .await
            .unwrap();
        world.service.witness.forget();
        world
            .relay
            .meddle(move |seen| is_to_gateway(seen).then(failing));
        let placed = place(&caller, CALLER, CALLEE, patiently()).await;
        assert_eq!(placed.placement, placement, "{:?}", placed.reasons);
        assert!(placed.reasons.contains(&Reason::RelayFailed));
        assert_eq!(placed.reasons.contains(&Reason::DirectConnection), allow);
        let seen = world.service.witness.seen();
        let direct = seen.iter().filter(|seen| seen.from == address_of(CALLER));
        assert_eq!(direct.count(), usize::from(allow));
        world.relay.heal();
    }
}

// A gateway that lost its keys, as after a restart without its state folder: once more with the new
// ones, and the call says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_key_that_changed_under_a_client_costs_one_refetch() {
    let mut world = RelayedWorld::new().await;
    let caller = world.published(CALLER).await;
    world.published(CALLEE).await;
    let callee_number = number(CALLEE);
    ends(caller.prefetch_keys(callee_number.as_str(), Some(PATIENT)))
        .await
        .unwrap();
    world.service.restart(&world.world, false).await;
    let placed = place(&caller, CALLER, CALLEE, patiently()).await;
    assert_eq!(
        (placed.placement, placed.reasons),
        (Placement::Stored, vec![]),
        "keys were kept"
    );

    world.service.restart(&world.world, true).await;
    world.relay.forget();
    let placed = place(&caller, CALLER, CALLEE, patiently()).await;
    assert_eq!(
        (placed.placement, placed.reasons),
        (Placement::Stored, vec![Reason::GatewayKeysJustInTime])
    );
    let seen = world.relay.seen();
    let methods: Vec<_> = seen.iter().map(|seen| seen.line().0).collect();
    assert_eq!(methods, ["POST", "GET", "POST"]);
}

// A gateway, or a relay, that shows this client another key than the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_only_one_way_shows_is_not_used() {
    let world = RelayedWorld::new().await;
    world.published(CALLEE).await;
    world.relay.meddle(|seen| {
        (seen.line().0 == "GET").then(|| {
            Fault::Answer(Box::new(|mut answer: HttpResponse| {
                answer.body[10] ^= 1;
                answer
            }))
        })
    });
    let caller = world.builder(CALLER).build().unwrap();
    let refreshed = ends(caller.refresh_gateways(Some(PATIENT))).await;
    assert_eq!(refreshed, Err(Reason::GatewayKeysInconsistent));
    let placed = place(&caller, CALLER, CALLEE, patiently()).await;
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::GatewayKeysInconsistent));
    let sealed = world.relay.seen().into_iter();
    let sealed = sealed.filter(|seen| is_to_gateway(seen) && seen.from == address_of(CALLER));
    assert_eq!(sealed.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_without_a_way_to_services_is_not_made() {
    let world = RelayedWorld::new().await;
    let number = number(CALLER);
    let credential = world.world.credential(&number);
    let builder = world
        .world
        .builder(&number, &credential)
        .allow_direct(false);
    assert_eq!(builder.build().err(), Some(Reason::RelayRequired));
    let builder = world
        .world
        .builder(&number, &credential)
        .allow_direct(false);
    let named = builder.relay_for(world.service.witness.base(), world.relay.base(), "a/b");
    assert_eq!(named.build().err(), Some(Reason::ConfigurationInvalid));
}
