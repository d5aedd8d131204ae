//! Which PASSporT counts for which call: replay, order, calls that ended, own numbers, withheld callers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ringtrue::{
    CheckName, CheckResult, HttpResponse, MemoryStore, Reason, StateStore, UnixTime, Verdict,
};
use ringtrue_oob::http::placement;
use ringtrue_oob::{Blob, CallPhase, CallState, Content};

use crate::support::gateway::{Behaviour, Kind};
use crate::support::scene::{CALLER, Scene};
use crate::support::world::{World, number, patiently, place};
use crate::support::{PATIENT, ends, forge, looks_due};

/// A mailbox whose content the test decides, poll by poll.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<Blob>>>);

impl Shown {
    fn by(scene: &Scene) -> Self {
        let shown = Self::default();
        let blobs = Arc::clone(&shown.0);
        let answer =
            move |_: &_| -> HttpResponse { placement::encode_blobs(&blobs.lock().unwrap()) };
        let gateway = &scene.world.gateway;
        gateway.set(Kind::Retrieve, Behaviour::Answer(Arc::new(answer)));
        shown
    }

    fn show(&self, contents: &[(&Scene, &Content)]) {
        let seal = |(scene, content): &(&Scene, &Content)| scene.seal(content);
        *self.0.lock().unwrap() = contents.iter().flat_map(seal).collect();
    }
}

async fn scene() -> Scene {
    Scene::new(&Arc::new(World::new().await), 1).await
}

fn gone(call: &Content) -> Content {
    let st = CallState {
        s: CallPhase::Gone,
        t_ms: 1_793_491_200_000,
        u_ms: None,
    };
    Content {
        st: Some(st),
        ..Content::new(call.n)
    }
}

fn before(scene: &Scene, seconds: u64) -> UnixTime {
    UnixTime::from_secs(scene.now.as_secs() - seconds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_of_a_good_verdict_passed() {
    let scene = scene().await;
    scene.leave(&scene.content(scene.good())).await;
    let found = scene.verdict().await;
    assert_eq!((found.verdict, found.reasons), (Verdict::Verified, vec![]));
    let names: Vec<_> = found.checks.iter().map(|check| check.check).collect();
    assert_eq!(names, CheckName::ORDER);
    assert!(
        found
            .checks
            .iter()
            .all(|check| check.result == CheckResult::Passed)
    );
    assert_eq!(
        (found.orig.as_ref(), found.dest.as_ref()),
        (Some(&scene.from), Some(&scene.to))
    );
}

// W-7, threat T21: a key holder can seal a PASSporT again under another `n`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passport_counts_for_one_call_however_it_is_sealed() {
    let scene = scene().await;
    let call = scene.content(scene.good());
    scene.leave(&call).await;
    assert_eq!(scene.verdict().await.verdict, Verdict::Verified);

    scene
        .leave(&Content {
            n: forge::nonce(),
            ..call.clone()
        })
        .await;
    // Signed once more: other octets, the same statement about the same call.
    scene.leave(&scene.content(scene.good())).await;
    let found = scene.verdict().await;
    assert_eq!(
        (found.verdict, found.reasons),
        (Verdict::Refused, vec![Reason::Replayed])
    );
    let replay = found
        .checks
        .iter()
        .find(|check| check.check == CheckName::Replay)
        .unwrap();
    assert_eq!(replay.result, CheckResult::Failed(Reason::Replayed));
    let state = found
        .checks
        .iter()
        .find(|check| check.check == CheckName::State)
        .unwrap();
    assert_eq!(state.result, CheckResult::NotReached);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_passport_stays_used_for_every_process_of_the_endpoint() {
    let world = Arc::new(World::new().await);
    let (store, to) = (
        Arc::new(MemoryStore::new()) as Arc<dyn StateStore>,
        number(1),
    );
    let credential = world.credential(&to);
    let endpoint = || {
        let builder = world.builder_without_store(&to, &credential);
        builder.store(Arc::clone(&store)).build().unwrap()
    };
    let first = endpoint();
    first.publish_keys(Some(PATIENT)).await.unwrap();
    let scene = Scene::of(&world, 1, first).await;
    scene.leave(&scene.content(scene.good())).await;
    assert_eq!(scene.verdict().await.verdict, Verdict::Verified);
    let again = Scene::of(&world, 1, endpoint()).await.verdict().await;
    assert_eq!(
        (again.verdict, again.reasons),
        (Verdict::Refused, vec![Reason::Replayed])
    );
}

// W-7: of several live PASSporTs with one call the newest counts, wherever it stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_of_several_passports_counts() {
    for newest_first in [true, false] {
        let scene = scene().await;
        let shown = Shown::by(&scene);
        let older = scene.content(scene.token_at(before(&scene, 5)));
        let newer = scene.content(scene.good());
        let mut both = [(&scene, &older), (&scene, &newer)];
        if newest_first {
            both.reverse();
        }
        shown.show(&both);
        assert_eq!(scene.verdict().await.verdict, Verdict::Verified);
        shown.show(&[(&scene, &newer)]);
        let found = scene.last_verdict().await;
        assert_eq!(
            (found.verdict, found.reasons),
            (Verdict::Refused, vec![Reason::Replayed])
        );
        // The older one was not used up.
        shown.show(&[(&scene, &older)]);
        assert_eq!(scene.verdict().await.verdict, Verdict::Verified);
    }
}

// W-8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ended_before_the_verdict_is_conflicting() {
    for gone_first in [true, false] {
        let scene = scene().await;
        let shown = Shown::by(&scene);
        let call = scene.content(scene.good());
        let ended = gone(&call);
        let mut both = [(&scene, &call), (&scene, &ended)];
        if gone_first {
            both.reverse();
        }
        shown.show(&both);
        let found = scene.verdict().await;
        assert_eq!(
            (found.verdict, found.reasons),
            (Verdict::Conflicting, vec![Reason::CallerGone])
        );
        let state = found
            .checks
            .iter()
            .find(|check| check.check == CheckName::State)
            .unwrap();
        assert_eq!(state.result, CheckResult::Failed(Reason::CallerGone));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ends_between_two_polls_becomes_conflicting() {
    let scene = scene().await;
    let shown = Shown::by(&scene);
    let call = scene.content(scene.good());
    shown.show(&[(&scene, &call)]);
    let mut ringing = scene.ring().await;
    assert_eq!(ringing.verdict().verdict, Verdict::Verified);
    let ended = gone(&call);
    shown.show(&[(&scene, &call), (&scene, &ended)]);
    let found = ends(ringing.changed()).await.expect("a later poll");
    assert_eq!(
        (found.verdict, found.reasons),
        (Verdict::Conflicting, vec![Reason::CallerGone])
    );
    ringing.ended();
    assert!(ends(ringing.changed()).await.is_none(), "the last word");
    let answered = ends(
        scene
            .callee
            .answer(&ringing, CallPhase::Answered, Some(PATIENT)),
    )
    .await;
    assert_eq!(answered.err(), Some(Reason::NotVerified));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ended_does_not_speak_against_a_newer_or_an_older_one() {
    for age_of_ended in [3, 9] {
        let scene = scene().await;
        let shown = Shown::by(&scene);
        let ended = scene.content(scene.token_at(before(&scene, age_of_ended)));
        let live = scene.content(scene.token_at(before(&scene, 6)));
        let report = gone(&ended);
        shown.show(&[(&scene, &ended), (&scene, &report), (&scene, &live)]);
        let found = scene.verdict().await;
        assert_eq!((found.verdict, found.reasons), (Verdict::Verified, vec![]));
        shown.show(&[(&scene, &live)]);
        assert_eq!(
            scene.verdict().await.verdict,
            Verdict::Refused,
            "the live one was used"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_about_another_call_ends_nothing() {
    let scene = scene().await;
    let shown = Shown::by(&scene);
    let call = scene.content(scene.good());
    let other = gone(&Content::new(forge::nonce()));
    shown.show(&[(&scene, &call), (&scene, &other)]);
    let found = scene.verdict().await;
    assert_eq!((found.verdict, found.reasons), (Verdict::Verified, vec![]));
}

// W-32: what comes after the first poll is found by a later one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_announced_late_is_found_by_a_later_poll() {
    let scene = scene().await;
    let call = scene.seal(&scene.content(scene.good()));
    let polls = AtomicUsize::new(0);
    let answer = move |_: &_| -> HttpResponse {
        match polls.fetch_add(1, Ordering::SeqCst) {
            0 => placement::encode_blobs(&[]),
            _ => placement::encode_blobs(&call),
        }
    };
    let gateway = &scene.world.gateway;
    gateway.set(Kind::Retrieve, Behaviour::Answer(Arc::new(answer)));
    let rang = Instant::now();
    let found = scene.verdict().await;
    assert_eq!((found.verdict, found.reasons), (Verdict::Verified, vec![]));
    let polls = gateway.count(Kind::Retrieve);
    assert!((2..=looks_due(rang.elapsed())).contains(&polls), "{polls}");
}

// W-38: the mailbox is asked as always, so that nobody sees who withholds its number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withheld_caller_has_no_record_and_is_asked_for_all_the_same() {
    for from in [None, Some("anonymous"), Some("")] {
        let scene = scene().await;
        scene.leave(&scene.content(scene.good())).await;
        let call = ends(
            scene
                .callee
                .ring(from, Some(scene.to.as_str()), Some(PATIENT)),
        )
        .await;
        let found = call.unwrap().verdict();
        assert_eq!(found.verdict, Verdict::NoRecord);
        assert_eq!(found.reasons, [Reason::CallerWithheld]);
        assert_eq!(found.orig, None);
        scene.world.gateway.until(Kind::Retrieve, 3).await;
        // Nothing was used up by it.
        assert_eq!(scene.verdict().await.verdict, Verdict::Verified);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_called_number_every_own_one_is_asked() {
    let world = Arc::new(World::new().await);
    let own = [number(1), number(2)];
    let spec = ringtrue_stir::tn_auth_list::TnAuthList::new(
        own.iter()
            .cloned()
            .map(ringtrue_stir::tn_auth_list::Entry::One)
            .collect(),
    );
    let spec = ringtrue_lab::LeafSpec::for_scope(spec.ok(), world.now);
    let credential = world.authority.issue(&spec).unwrap();
    let callee = world
        .builder(&own[0], &credential)
        .number(own[1].as_str())
        .build()
        .unwrap();
    let published = callee.publish_keys(Some(PATIENT)).await.unwrap();
    assert_eq!(published.numbers.len(), 2);
    let caller = world.endpoint(CALLER);
    for called in [2, 1] {
        let placed = place(&caller, CALLER, called, patiently()).await;
        assert_eq!(placed.copies, 1, "{:?}", placed.reasons);
        let before = world.gateway.count(Kind::Retrieve);
        let from = number(CALLER);
        let mut call = ends(callee.ring(Some(from.as_str()), None, Some(PATIENT)))
            .await
            .unwrap();
        call.ended();
        while ends(call.changed()).await.is_some() {}
        let found = call.verdict();
        assert_eq!(found.verdict, Verdict::Verified);
        // The second call finds the first one in the other mailbox, where it was used.
        assert!(
            found
                .reasons
                .iter()
                .all(|reason| *reason == Reason::Replayed)
        );
        assert_eq!(found.dest, Some(number(called)));
        assert_eq!(world.gateway.count(Kind::Retrieve), before + 6);
    }
    // A call to the one says nothing about a call to the other.
    let placed = place(&caller, CALLER, 1, patiently()).await;
    assert_eq!(placed.copies, 1);
    let from = number(CALLER);
    let to = number(2);
    let call = ends(callee.ring(Some(from.as_str()), Some(to.as_str()), Some(PATIENT))).await;
    let found = call.unwrap().verdict();
    // Mailbox two holds the used call to two, and nothing of the call to one.
    assert_eq!(
        (found.verdict, found.reasons),
        (Verdict::Refused, vec![Reason::Replayed])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_are_none_or_not_the_own_are_errors() {
    let scene = scene().await;
    let before = scene.world.gateway.exchanges().len();
    let from = scene.from.as_str();
    let not_own = number(2);
    for (to, reason) in [
        (not_own.as_str(), Reason::NumberNotOwned),
        ("", Reason::MalformedNumber),
        ("sip:a@b.example", Reason::MalformedNumber),
        ("1234567890123456", Reason::MalformedNumber),
        ("+1 202 555 01 0 1 \u{660}", Reason::MalformedNumber),
    ] {
        let call = ends(scene.callee.ring(Some(from), Some(to), Some(PATIENT))).await;
        assert_eq!(call.err(), Some(reason));
    }
    let own = scene.to.as_str();
    for (from, to, reason) in [
        (from, own, Reason::NumberNotOwned),
        ("", own, Reason::MalformedNumber),
        (own, "", Reason::MalformedNumber),
        (own, "mailto:1", Reason::MalformedNumber),
    ] {
        let placed = ends(scene.callee.place(from, to, patiently())).await;
        assert_eq!(placed.err(), Some(reason));
        let found = ends(scene.callee.prefetch_keys("x", Some(PATIENT))).await;
        assert_eq!(found.err(), Some(Reason::MalformedNumber));
    }
    assert_eq!(
        scene.world.gateway.exchanges().len(),
        before,
        "nobody was asked"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_store_that_fails_lets_nothing_pass_for_verified() {
    struct Failing(MemoryStore);
    impl StateStore for Failing {
        fn load(&self, name: &str) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, Reason> {
            self.0.load(name)
        }
        fn save(
            &self,
            name: &str,
            expected: Option<&[u8]>,
            value: &[u8],
        ) -> Result<ringtrue::Saved, Reason> {
            self.0.save(name, expected, value)
        }
        fn claim(&self, _: &str, _: u64, _: u64) -> Result<bool, Reason> {
            Err(Reason::StateUnavailable)
        }
    }
    let world = Arc::new(World::new().await);
    let to = number(1);
    let credential = world.credential(&to);
    let builder = world.builder_without_store(&to, &credential);
    let callee = builder
        .store(Arc::new(Failing(MemoryStore::new())))
        .build()
        .unwrap();
    callee.publish_keys(Some(PATIENT)).await.unwrap();
    let scene = Scene::of(&world, 1, callee).await;
    scene.leave(&scene.content(scene.good())).await;
    let found = scene.verdict().await;
    assert_eq!(found.verdict, Verdict::Unavailable);
    assert_eq!(found.reasons, [Reason::StateUnavailable]);
}
