//! The application's clock: the window of `iat` to the second, and clocks that are not set.

use std::sync::{Arc, Mutex};

use ringtrue::{Clock, Endpoint, Placement, Reason, UnixTime, Verdict, WallClock};

use crate::support::scene::{CALLER, Scene};
use crate::support::world::{World, number, patiently, place, told};
use crate::support::{PATIENT, ends};

/// The release date of this build, which no right clock is before (W-35).
const RELEASE: u64 = 1_793_491_200;

struct Hand(Mutex<WallClock>);

impl Hand {
    fn at(seconds: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(WallClock::UnixMs(seconds * 1000 + 999))))
    }

    fn set(&self, clock: WallClock) {
        *self.0.lock().unwrap() = clock;
    }
}

impl Clock for Hand {
    fn now(&self) -> WallClock {
        *self.0.lock().unwrap()
    }
}

fn endpoint(world: &World, index: usize, clock: &Arc<Hand>) -> Endpoint {
    let number = number(index);
    let credential = world.credential(&number);
    let builder = world.builder(&number, &credential);
    builder
        .clock(Arc::clone(clock) as Arc<dyn Clock>)
        .build()
        .unwrap()
}

// W-24: 60 s back and 10 s ahead are inside, one second more is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_window_of_iat_is_exact_to_the_second() {
    let world = Arc::new(World::new().await);
    let at = world.now.as_secs();
    let cases = [
        (1, at, Verdict::Verified, vec![]),
        (2, at - 60, Verdict::Verified, vec![]),
        (3, at - 61, Verdict::Refused, vec![Reason::IatStale]),
        (4, at + 10, Verdict::Verified, vec![]),
        (5, at + 11, Verdict::Refused, vec![Reason::IatInFuture]),
        (6, at - 3599, Verdict::Refused, vec![Reason::IatStale]),
    ];
    for (index, iat, verdict, reasons) in cases {
        let callee = endpoint(&world, index, &Hand::at(at));
        callee.publish_keys(Some(PATIENT)).await.unwrap();
        let scene = Scene::of(&world, index, callee).await;
        let token = scene.token_at(UnixTime::from_secs(iat));
        scene.leave(&scene.content(token)).await;
        let found = scene.verdict().await;
        assert_eq!(
            (found.verdict, found.reasons),
            (verdict, reasons),
            "{}",
            iat as i64 - at as i64
        );
    }
}

// A device clock that is put back must not let a call through twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_passport_stays_used_when_the_clock_goes_on_and_back() {
    let world = Arc::new(World::new().await);
    let at = world.now.as_secs();
    let clock = Hand::at(at);
    let callee = endpoint(&world, 1, &clock);
    callee.publish_keys(Some(PATIENT)).await.unwrap();
    let scene = Scene::of(&world, 1, callee).await;
    scene
        .leave(&scene.content(scene.token_at(UnixTime::from_secs(at))))
        .await;
    assert_eq!(scene.verdict().await.verdict, Verdict::Verified);
    for later in [1000, 3000] {
        clock.set(WallClock::UnixMs((at + later) * 1000));
        let found = scene.verdict().await;
        assert_eq!(
            (found.verdict, found.reasons),
            (Verdict::Refused, vec![Reason::IatStale])
        );
    }
    clock.set(WallClock::UnixMs(at * 1000));
    let found = scene.verdict().await;
    assert_eq!(
        (found.verdict, found.reasons),
        (Verdict::Refused, vec![Reason::Replayed])
    );
}

// W-35
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_not_set_judges_nothing_and_asks_nobody() {
    let world = Arc::new(World::new().await);
    let clock = Hand::at(world.now.as_secs());
    let callee = endpoint(&world, 1, &clock);
    callee.publish_keys(Some(PATIENT)).await.unwrap();
    let scene = Scene::of(&world, 1, callee).await;
    scene.leave(&scene.content(scene.good())).await;
    let before = world.gateway.exchanges().len();
    for unset in [
        WallClock::Unset,
        WallClock::UnixMs(0),
        WallClock::UnixMs(RELEASE * 1000 - 1),
    ] {
        clock.set(unset);
        let found = scene.verdict().await;
        assert_eq!(
            (found.verdict, found.reasons),
            (Verdict::ClockUnset, vec![Reason::ClockUnset])
        );
        assert_eq!(found.blobs.received, 0);
        let from = number(1);
        let placed = place(&scene.callee, 1, CALLER, patiently()).await;
        assert_eq!(placed.placement, Placement::Unprotected);
        assert_eq!(told(&placed), [Reason::ClockUnset]);
        assert_eq!(placed.orig, from);
        let published = ends(scene.callee.publish_keys(Some(PATIENT))).await;
        assert_eq!(published.err(), Some(Reason::ClockUnset));
        let rotated = ends(scene.callee.rotate_keys(Some(PATIENT))).await;
        assert_eq!(rotated.err(), Some(Reason::ClockUnset));
        let found = ends(
            scene
                .callee
                .prefetch_keys(scene.from.as_str(), Some(PATIENT)),
        )
        .await;
        assert_eq!(found.err(), Some(Reason::ClockUnset));
    }
    assert_eq!(world.gateway.exchanges().len(), before, "nobody was asked");

    // As soon as it is set, everything works.
    clock.set(WallClock::UnixMs(scene.now.as_secs() * 1000));
    assert_eq!(scene.verdict().await.verdict, Verdict::Verified);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_whose_credential_has_expired_does_not_sign() {
    let world = Arc::new(World::new().await);
    let clock = Hand::at(world.now.as_secs());
    let caller = endpoint(&world, 1, &clock);
    world.published(2).await;
    clock.set(WallClock::UnixMs(
        (world.now.as_secs() + 91 * 86_400) * 1000,
    ));
    let published = ends(caller.publish_keys(Some(PATIENT))).await;
    assert_eq!(published.err(), Some(Reason::CertificateExpired));
    let stores = world.gateway.count(crate::support::gateway::Kind::Store);
    let placed = place(&caller, 1, 2, patiently()).await;
    assert_eq!(placed.placement, Placement::Unprotected);
    // To this clock the callee's statement has expired too; nothing is signed either way.
    assert_eq!(told(&placed).last(), Some(&Reason::NoUsableKey));
    assert_eq!(
        world.gateway.count(crate::support::gateway::Kind::Store),
        stores
    );
}
