//! A service that is down, silent, slow, lying or somebody else's: what placing, ringing, looking up,
//! publishing, answering and awaiting an answer make of it, and of the service once it is well again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ringtrue::{AnswerExpectation, AnswerOutcome, CallPhase, Endpoint, Placement, Reason, Verdict};
use ringtrue_lab::tls_identity;

use crate::support::faults::{Fault, answer, flooding, gives, lying, slow};
use crate::support::gateway::{Behaviour, Gateway, Kind};
use crate::support::world::{
    World, lab_http, number, patiently, patiently_with_answer, place, told,
};
use crate::support::{BRIEF, PATIENT, ends, few_at_once, next_second};

/// What a flood may get rid of beyond what the client takes: buffers of sockets and TLS.
const BUFFERS: u64 = 8 << 20;

/// The most that a client takes of any answer (PRV-10).
const LIMIT: u64 = 1_572_864;

/// How often to give a busy machine more time.
const MORE_TIME: usize = 4;

/// How old an answer may be to be found for certain: within the minute that it is kept and believed.
const FRESH: Duration = Duration::from_secs(30);

const CALLER: usize = 0;
const CALLEE: usize = 1;

/// Two endpoints that have never spoken, both published.
struct Pair {
    world: World,
    caller: Endpoint,
    callee: Endpoint,
}

impl Pair {
    async fn new() -> Self {
        let world = World::new().await;
        let caller = world.published(CALLER).await;
        let callee = world.published(CALLEE).await;
        Self {
            world,
            caller,
            callee,
        }
    }

    fn gateway(&self) -> &Gateway {
        &self.world.gateway
    }

    async fn ring(&self, deadline: Duration) -> ringtrue::RingingCall {
        let (from, to) = (number(CALLER), number(CALLEE));
        ends(
            self.callee
                .ring(Some(from.as_str()), Some(to.as_str()), Some(deadline)),
        )
        .await
        .unwrap()
    }

    /// A whole call in both directions, which has to succeed.
    async fn converse(&self, name: &str) {
        next_second().await;
        let placed = place(&self.caller, CALLER, CALLEE, patiently_with_answer()).await;
        assert_eq!(
            placed.placement,
            Placement::Stored,
            "{name}: {:?}",
            placed.reasons
        );
        let call = self.ring(PATIENT).await;
        assert_eq!(
            call.verdict().verdict,
            Verdict::Verified,
            "{name}: {:?}",
            call.verdict().reasons
        );
        let answered = ends(
            self.callee
                .answer(&call, CallPhase::Answered, Some(PATIENT)),
        )
        .await;
        assert!(answered.unwrap().sent, "{name}");
        let outcome = ends(
            self.caller
                .await_answer(placed.answer.unwrap(), Some(PATIENT)),
        )
        .await;
        assert_eq!(
            outcome.verdict.verdict,
            Verdict::Verified,
            "{name}: {:?}",
            outcome.verdict.reasons
        );
    }

    /// Waits for an answer within `deadline`, and again with twice the time where a busy machine met nobody in
    /// that time. Nothing is used up by a wait that ended by its deadline alone.
    async fn await_answer(
        &self,
        expected: &AnswerExpectation,
        mut deadline: Duration,
    ) -> AnswerOutcome {
        for _ in 0..MORE_TIME {
            let waiting = self.caller.await_answer(expected.clone(), Some(deadline));
            let outcome = ends(waiting).await;
            if outcome.verdict.reasons != [Reason::DeadlinePassed] {
                return outcome;
            }
            deadline = (deadline * 2).min(PATIENT);
        }
        let waiting = self.caller.await_answer(expected.clone(), Some(deadline));
        ends(waiting).await
    }

    /// Every conversation, each while only the requests that it depends on meet the fault.
    async fn suffer(&self, fault: &Fault) {
        let name = fault.name;
        let callee = number(CALLEE);
        let deadline = fault.deadline();
        let options = patiently().within(deadline);
        let inflict = |kind| self.gateway().set(kind, fault.behaviour.clone());

        inflict(Kind::Lookup);
        let placed = place(&self.caller, CALLER, CALLEE, options.clone()).await;
        assert_eq!(placed.placement, Placement::Unprotected, "{name}: lookup");
        assert_eq!(
            told(&placed),
            [fault.of(Kind::Lookup), Reason::NoUsableKey],
            "{name}: lookup"
        );
        let found = ends(self.caller.prefetch_keys(callee.as_str(), Some(deadline))).await;
        assert_eq!(found, Err(fault.of(Kind::Lookup)), "{name}: prefetch");
        self.gateway().heal();
        let found = ends(self.caller.prefetch_keys(callee.as_str(), Some(PATIENT))).await;
        assert_eq!(found, Ok(1), "{name}: prefetch again");

        inflict(Kind::Store);
        let placed = place(&self.caller, CALLER, CALLEE, options).await;
        assert_eq!(placed.placement, Placement::Unprotected, "{name}: store");
        assert_eq!(told(&placed), [fault.of(Kind::Store)], "{name}: store");
        assert_eq!(
            (placed.copies, placed.answer.is_some()),
            (0, false),
            "{name}: store"
        );
        self.gateway().heal();

        inflict(Kind::Publish);
        let rotated = ends(self.callee.rotate_keys(Some(deadline))).await;
        assert_eq!(
            rotated.err(),
            Some(fault.of(Kind::Publish)),
            "{name}: publish"
        );
        self.gateway().heal();
        // What was not acknowledged is published the next time.
        let published = ends(self.callee.publish_keys(Some(PATIENT))).await.unwrap();
        assert!(!published.rotated, "{name}: publish again");

        let placed = place(
            &self.caller,
            CALLER,
            CALLEE,
            patiently_with_answer().with_fresh_keys(),
        )
        .await;
        assert_eq!(
            (placed.placement, told(&placed)),
            (Placement::Stored, vec![]),
            "{name}: healed"
        );
        inflict(Kind::Retrieve);
        let mut call = self.ring(deadline).await;
        self.gateway().heal();
        let found = call.verdict();
        assert_eq!(found.verdict, Verdict::Unavailable, "{name}: ring");
        assert_eq!(found.reasons, [fault.of(Kind::Retrieve)], "{name}: ring");
        assert_eq!(
            (found.blobs.received, found.checks.len()),
            (0, 0),
            "{name}: ring"
        );
        // The call was not used up: a poll after the deadline finds it, or the next ring.
        if fault.hangs() {
            // A busy machine may have made all polls of a ringing call meanwhile; answering makes new ones.
            call.answered();
            let found = ends(call.changed()).await.expect("a later poll");
            assert_eq!(found.verdict, Verdict::Verified, "{name}: later");
        } else {
            call.ended();
            assert!(
                ends(call.changed()).await.is_none(),
                "{name}: no poll is left"
            );
            call = self.ring(PATIENT).await;
        }
        assert_eq!(
            call.verdict().verdict,
            Verdict::Verified,
            "{name}: ring again"
        );

        inflict(Kind::Store);
        let answered = ends(
            self.callee
                .answer(&call, CallPhase::Answered, Some(deadline)),
        )
        .await;
        let answered = answered.unwrap();
        assert!(!answered.sent && !answered.caller_gone, "{name}: answer");
        assert!(
            answered.reasons.contains(&fault.of(Kind::Store)),
            "{name}: answer {:?}",
            answered.reasons
        );
        self.gateway().heal();

        // Not being able to look once more does not keep the answer from being sent.
        inflict(Kind::Retrieve);
        let sent = Instant::now();
        let answered = ends(
            self.callee
                .answer(&call, CallPhase::Answered, Some(PATIENT)),
        )
        .await;
        let answered = answered.unwrap();
        assert!(answered.sent, "{name}: answer without a last look");
        // The last look has one second, which is short on a busy machine.
        let expected = [fault.of(Kind::Retrieve), Reason::DeadlinePassed];
        assert!(!answered.reasons.is_empty(), "{name}: last look");
        assert!(
            answered.reasons.iter().all(|one| expected.contains(one)),
            "{name}: last look {:?}",
            answered.reasons
        );
        let expected = placed.answer.unwrap();
        let outcome = if fault.hangs() {
            ends(self.caller.await_answer(expected.clone(), Some(BRIEF * 3))).await
        } else {
            self.await_answer(&expected, BRIEF * 3).await
        };
        assert_eq!(
            outcome.verdict.verdict,
            Verdict::Unavailable,
            "{name}: await"
        );
        // The last look may have been on its way.
        let reasons = outcome.verdict.reasons;
        assert_eq!(reasons[0], fault.of(Kind::Retrieve), "{name}: await");
        assert!(
            reasons[1..]
                .iter()
                .all(|more| *more == Reason::DeadlinePassed),
            "{name}: await"
        );
        self.gateway().heal();
        if sent.elapsed() > FRESH {
            let answered = self
                .callee
                .answer(&call, CallPhase::Answered, Some(PATIENT));
            assert!(ends(answered).await.unwrap().sent, "{name}: answer again");
        }
        let outcome = self.await_answer(&expected, PATIENT).await;
        assert_eq!(
            outcome.verdict.verdict,
            Verdict::Verified,
            "{name}: await again {:?}",
            outcome.verdict.reasons
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_conversation_ends_typed_when_the_service_lies() {
    // A call and its answer have a minute.
    few_at_once(lying().into_iter().map(|fault| async move {
        Pair::new().await.suffer(&fault).await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_conversation_ends_by_its_deadline_when_the_service_is_slow() {
    join_all(slow().iter().map(|fault| async move {
        Pair::new().await.suffer(fault).await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_conversation_ends_when_the_service_floods() {
    join_all(flooding().iter().map(|fault| async move {
        Pair::new().await.suffer(fault).await;
    }))
    .await;
}

// PRV-10: how much is read does not depend on how much is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_cut_off_at_the_limit() {
    for fault in flooding() {
        let pair = Pair::new().await;
        let gateway = pair.gateway();
        let mut sent = Vec::new();
        for kind in Kind::ALL {
            gateway.forget_flood();
            gateway.set(kind, fault.behaviour.clone());
            let callee = number(CALLEE);
            match kind {
                Kind::Lookup => {
                    let _ = ends(pair.caller.prefetch_keys(callee.as_str(), Some(PATIENT))).await;
                }
                Kind::Publish => drop(ends(pair.callee.rotate_keys(Some(PATIENT))).await),
                Kind::Retrieve => drop(pair.ring(PATIENT).await),
                Kind::Store => drop(place(&pair.caller, CALLER, CALLEE, patiently()).await),
            }
            sent.push((kind, gateway.flooded().await));
            gateway.heal();
        }
        println!(
            "{}: octets sent before the client hung up: {sent:?}",
            fault.name
        );
        for (kind, sent) in sent {
            assert!(sent <= LIMIT + BUFFERS, "{} {kind:?}: {sent}", fault.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed() {
    let elsewhere = World::new().await;
    let redirects = [301, 302, 303, 304, 307, 308].map(|status| {
        let mut answer = answer(status, "text/html", b"");
        let location = format!("{}/cps/1/ppts", elsewhere.gateway.base());
        answer.headers.push(("location".to_owned(), location));
        Fault::all("redirects", Reason::Redirected, gives(&answer))
    });
    join_all(redirects.iter().map(|fault| async move {
        Pair::new().await.suffer(fault).await;
    }))
    .await;
    assert_eq!(elsewhere.gateway.connections(), 0);
}

/// What meets a whole service: no behaviour towards single requests.
async fn suffer_a_dead_service(pair: &Pair, name: &str, reason: Reason) {
    let callee = number(CALLEE);
    let placed = place(&pair.caller, CALLER, CALLEE, patiently()).await;
    assert_eq!(placed.placement, Placement::Unprotected, "{name}");
    assert_eq!(told(&placed), [reason, Reason::NoUsableKey], "{name}");
    let found = ends(pair.caller.prefetch_keys(callee.as_str(), Some(PATIENT))).await;
    assert_eq!(found, Err(reason), "{name}");
    let rotated = ends(pair.callee.rotate_keys(Some(PATIENT))).await;
    assert_eq!(rotated.err(), Some(reason), "{name}");
    let found = pair.ring(PATIENT).await.verdict();
    assert_eq!(
        (found.verdict, found.reasons),
        (Verdict::Unavailable, vec![reason]),
        "{name}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_conversation_ends_typed_when_the_service_is_down() {
    let pair = Pair::new().await;
    pair.gateway().go_down().await;
    suffer_a_dead_service(&pair, "down", Reason::ServiceUnreachable).await;
    pair.gateway().come_up();
    pair.converse("down").await;

    // With the callee's keys at hand, only the store fails; pooled connections are of no use either.
    pair.gateway().go_down().await;
    let placed = place(&pair.caller, CALLER, CALLEE, patiently()).await;
    assert_eq!(placed.placement, Placement::Unprotected);
    assert_eq!(told(&placed), [Reason::ServiceUnreachable]);
    pair.gateway().come_up();
    pair.converse("down again").await;
}

// CRT-45, PRV-50: TLS 1.3 with a certificate for that name by a configured root, or nothing is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_conversation_ends_typed_when_the_service_is_somebody_else() {
    let pair = Pair::new().await;
    let (tls, now) = (pair.world.tls.clone(), pair.world.now);
    let of_another_root = tls_identity(&["127.0.0.1"], now).unwrap();
    let before = pair.gateway().exchanges().len();
    pair.gateway().reidentify(&of_another_root).await;
    suffer_a_dead_service(&pair, "another root", Reason::TlsFailed).await;
    pair.gateway().speak_plainly(true).await;
    suffer_a_dead_service(&pair, "no TLS", Reason::TlsFailed).await;
    assert_eq!(pair.gateway().exchanges().len(), before, "nothing was sent");
    pair.gateway().speak_plainly(false).await;
    pair.gateway().reidentify(&tls).await;
    pair.converse("itself again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_conversation_ends_typed_when_the_certificate_is_for_another_name() {
    // The root is right: the endpoints of this world trust the one certificate it has issued.
    let now = crate::support::now();
    let authority = ringtrue_lab::Authority::for_numbers(&[number(0)], now).unwrap();
    let tls = tls_identity(&["127.0.0.1"], now).unwrap();
    let world = World::with(authority, tls).await;
    let number = number(CALLER);
    let credential = world.credential(&number);
    let by_name = format!("https://localhost:{}", world.gateway.port());
    let endpoint = Endpoint::builder()
        .allow_direct(true)
        .number(number.as_str())
        .credential(credential.chain_pem.clone(), crate::support::world::X5U)
        .signer(crate::support::world::signer_of(&credential))
        .anchors_pem(world.authority.root.pem())
        .service(by_name)
        .http(lab_http(&world.tls.root_pem))
        .store(Arc::new(ringtrue::MemoryStore::new()))
        .state_key(crate::support::world::STATE_KEY)
        .build()
        .unwrap();
    let published = ends(endpoint.publish_keys(Some(PATIENT))).await;
    assert_eq!(published.err(), Some(Reason::TlsFailed));
    let placed = place(&endpoint, CALLER, CALLEE, patiently()).await;
    assert_eq!(told(&placed), [Reason::TlsFailed, Reason::NoUsableKey]);
    let call = ends(endpoint.ring(Some("12025550199"), None, Some(PATIENT)))
        .await
        .unwrap();
    let found = call.verdict();
    assert_eq!(
        (found.verdict, found.reasons),
        (Verdict::Unavailable, vec![Reason::TlsFailed])
    );
    assert_eq!(world.gateway.exchanges().len(), 0, "nothing was sent");
}

// W-17: a second service of the callee takes over, and the callee asks both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_service_takes_over_when_one_fails() {
    let faults = [Behaviour::Silent, gives(&answer(503, "text/plain", b""))];
    join_all(faults.map(|behaviour| async move {
        let world = World::new().await;
        let upstream = ringtrue_net::HttpClient::new(&lab_http(&world.tls.root_pem));
        let upstream = (
            upstream.unwrap(),
            world.service.base_url().as_str().to_owned(),
        );
        let second = Gateway::start(&world.tls, Some(upstream));
        let callee_number = number(CALLEE);
        let credential = world.credential(&callee_number);
        let callee = world
            .builder(&callee_number, &credential)
            .service(second.base())
            .build()
            .unwrap();
        callee.publish_keys(Some(PATIENT)).await.unwrap();
        let caller = world.published(CALLER).await;

        world.gateway.set(Kind::Store, behaviour.clone());
        world.gateway.set(Kind::Retrieve, behaviour);
        // The silent one has a share of this time.
        let placed = place(&caller, CALLER, CALLEE, patiently()).await;
        assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
        assert_eq!(told(&placed), [Reason::ServiceFailedOver]);
        assert_eq!(second.count(Kind::Store), 1);
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
    }))
    .await;
}
