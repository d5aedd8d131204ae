//! Somebody else's call while a true announcement is there: the cases a to g of the threat model, with the
//! true caller, the callee and an attacker, over the real service; and everything that may be wrong with
//! what the two sides tell each other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringtrue::{
    CallPhase, Clock, Endpoint, Mky, OutgoingCall, Placed, Placement, Reason, RingingCall, Verdict,
    WallClock,
};
use ringtrue_oob::{CallNonce, CallState, Content, RecipientKey, Suite};

use crate::support::confirming::{CALLS_ON_A_BUSY_MACHINE, Pair, becomes, shows};
use crate::support::forge::{nonce, seal_to};
use crate::support::gateway::{Behaviour, Dates, Kind};
use crate::support::keys::{DeviceAgreement, Temper};
use crate::support::puppet::Puppet;
use crate::support::scene::{CALLER, Scene};
use crate::support::world::{World, number, patiently, patiently_with_answer, place};
use crate::support::{PATIENT, ends, next_second};

const CALLEE: usize = 1;
const ATTACKER: usize = 66;

/// A caller and a callee whose keys an attacker may have, at one service.
struct Stage {
    world: Arc<World>,
    caller: Endpoint,
    callee: Endpoint,
    /// The callee's keys, for whoever tries to speak to it.
    callee_keys: Vec<RecipientKey>,
}

impl Stage {
    async fn new() -> Self {
        let world = Arc::new(World::new().await);
        let caller = world.published(CALLER).await;
        let callee = world.published(CALLEE).await;
        let callee_keys = keys(&world, CALLEE).await;
        Self {
            world,
            caller,
            callee,
            callee_keys,
        }
    }

    async fn announce(&self) -> Placed {
        let placed = place(&self.caller, CALLER, CALLEE, patiently_with_answer()).await;
        assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
        placed
    }

    /// The true caller announces a call and dials it.
    async fn call(&self) -> OutgoingCall {
        let placed = self.announce().await;
        self.caller.outgoing(&placed, Some(PATIENT))
    }

    /// A call with the true caller's number reaches the callee. Whose it is cannot be seen.
    async fn rings(&self) -> RingingCall {
        self.rings_from(CALLER).await
    }

    async fn rings_from(&self, from: usize) -> RingingCall {
        let (from, to) = (number(from), number(CALLEE));
        ends(
            self.callee
                .ring(Some(from.as_str()), Some(to.as_str()), Some(PATIENT)),
        )
        .await
        .unwrap()
    }

    /// Caller and callee.
    fn pair(&self) -> Pair<'_> {
        Pair {
            caller: &self.caller,
            callee: &self.callee,
            numbers: [CALLER, CALLEE],
        }
    }

    /// Leaves a content for the callee, as anybody can.
    async fn leave(&self, content: &Content) {
        let to = number(CALLEE);
        let blobs = seal_to(&self.callee_keys, &to, &content.to_octets().unwrap());
        self.world.leave(&to, &blobs).await;
    }

    /// Waits until the service has answered so many more stores than when `before` was counted.
    async fn stores(&self, before: usize, more: usize) {
        let gateway = &self.world.gateway;
        gateway.until_answered(Kind::Store, before + more).await;
    }

    fn stores_now(&self) -> usize {
        self.world.gateway.count(Kind::Store)
    }
}

async fn keys(world: &World, of: usize) -> Vec<RecipientKey> {
    world.statements(&number(of)).await[0].keys().to_vec()
}

/// The last verdict on a call that has ended.
async fn last(mut call: RingingCall) -> ringtrue::CallVerdict {
    call.ended();
    while ends(call.changed()).await.is_some() {}
    call.verdict()
}

// What every case is measured against: nobody interferes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_both_telephones_see_is_confirmed_on_both() {
    let stage = Stage::new().await;
    let (outgoing, ringing) = stage.pair().confirmed(async || ()).await;
    assert_eq!(ringing.verdict().reasons, []);
    assert_eq!(outgoing.outcome().verdict.reasons, []);
    // A second call of the same caller is no attack on a call that is confirmed.
    let again = stage.rings().await;
    assert_eq!(ringing.verdict().verdict, Verdict::Confirmed);
    assert_eq!(again.verdict().verdict, Verdict::Refused);
}

// Case a.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_a_two_calls_that_ring_at_once_are_both_conflicting() {
    let stage = Stage::new().await;
    let _outgoing = stage.call().await;
    // The attacker is quicker.
    let mut attackers = stage.rings().await;
    assert_eq!(attackers.verdict().verdict, Verdict::Verified);
    let mut true_one = stage.rings().await;
    let reason = Some(Reason::ConcurrentCall);
    becomes(&mut true_one, Verdict::Conflicting, reason).await;
    becomes(&mut attackers, Verdict::Conflicting, reason).await;
    // Neither is answered with connected identity.
    for call in [&attackers, &true_one] {
        let answered = stage
            .callee
            .answer(call, CallPhase::Answered, Some(PATIENT));
        assert_eq!(ends(answered).await.err(), Some(Reason::NotVerified));
    }
    // And it stays so when one of them is gone.
    attackers.ended();
    assert_eq!(last(true_one).await.verdict, Verdict::Conflicting);
    assert_eq!(last(attackers).await.verdict, Verdict::Conflicting);
}

// Case a, with the true call waiting while the attacker's was answered already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_a_a_call_that_waits_makes_the_answered_one_conflicting_too() {
    let stage = Stage::new().await;
    let _outgoing = stage.call().await;
    let mut attackers = stage.rings().await;
    assert_eq!(attackers.verdict().verdict, Verdict::Verified);
    attackers.answered();
    let mut true_one = stage.rings().await;
    let reason = Some(Reason::ConcurrentCall);
    becomes(&mut true_one, Verdict::Conflicting, reason).await;
    becomes(&mut attackers, Verdict::Conflicting, reason).await;
}

// Case b.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_b_a_true_call_that_found_the_line_busy_is_gone_at_the_answer() {
    let stage = Stage::new().await;
    let outgoing = stage.call().await;
    let mut attackers = stage.rings().await;
    assert_eq!(attackers.verdict().verdict, Verdict::Verified);
    let before = stage.stores_now();
    outgoing.ended();
    stage.stores(before, 1).await;
    attackers.answered();
    let reason = Some(Reason::CallerGone);
    becomes(&mut attackers, Verdict::Conflicting, reason).await;
    let answered = stage
        .callee
        .answer(&attackers, CallPhase::Answered, Some(PATIENT));
    assert_eq!(ends(answered).await.err(), Some(Reason::NotVerified));
}

// Case b, when the attacker's call begins to ring only afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_b_a_true_call_that_is_over_does_not_speak_for_one_that_begins() {
    let stage = Stage::new().await;
    let outgoing = stage.call().await;
    let before = stage.stores_now();
    outgoing.ended();
    stage.stores(before, 1).await;
    let attackers = stage.rings().await;
    assert_eq!(attackers.verdict().verdict, Verdict::Conflicting);
    assert_eq!(attackers.verdict().reasons, [Reason::CallerGone]);
    // A call of the same caller that is announced anew is another one.
    attackers.ended();
    next_second().await;
    let _outgoing = stage.call().await;
    assert_eq!(stage.rings().await.verdict().verdict, Verdict::Verified);
}

// Case c.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_c_an_answer_by_voicemail_at_another_time_is_a_conflict() {
    let stage = Stage::new().await;
    let mut outgoing = stage.call().await;
    let mut attackers = stage.rings().await;
    assert_eq!(attackers.verdict().verdict, Verdict::Verified);
    // The true call is answered elsewhere; the telephone with the attacker's call is picked up later: by
    // more than the tolerance and what the clocks leave open at most, 2 s and 5 s on either side.
    outgoing.answered();
    tokio::time::sleep(Duration::from_secs(13)).await;
    let picked_up = stage
        .callee
        .answer(&attackers, CallPhase::Answered, Some(PATIENT));
    let picked_up = ends(picked_up).await;
    let reason = Some(Reason::StateMismatch);
    becomes(&mut attackers, Verdict::Conflicting, reason).await;
    match picked_up {
        Ok(answered) => {
            assert!(answered.sent, "{:?}", answered.reasons);
            shows(&mut outgoing, Verdict::Conflicting, reason).await;
        }
        // A look that came late on a busy machine found the report of the answer while this telephone
        // still rang: then nobody is told that it was answered here.
        Err(reason) => {
            assert_eq!(reason, Reason::NotVerified);
            assert!(!outgoing.outcome().verdict.verdict.is_good());
        }
    }
}

// Case c, what is left of it: nothing shows an answer elsewhere in the same two seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_c_an_answer_elsewhere_within_two_seconds_cannot_be_told_from_the_true_one() {
    let stage = Stage::new().await;
    // The answered call that the true caller sees is another one than the callee's.
    let (_outgoing, _attackers) = stage.pair().confirmed(async || ()).await;
}

// Case d.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_d_without_an_announcement_there_is_nothing_to_borrow() {
    let stage = Stage::new().await;
    let attackers = stage.rings().await;
    assert_eq!(attackers.verdict().verdict, Verdict::NoRecord);
    attackers.answered();
    assert_eq!(last(attackers).await.verdict, Verdict::NoRecord);
}

// Case e.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_e_a_caller_that_only_stores_is_verified_and_never_confirmed() {
    let stage = Stage::new().await;
    let scene = Scene::of(&stage.world, CALLEE, stage.callee.clone()).await;
    scene.leave(&scene.content(scene.good())).await;
    let call = stage.rings().await;
    assert_eq!(call.verdict().verdict, Verdict::Verified);
    call.answered();
    let last = last(call).await;
    assert_eq!((last.verdict, last.reasons), (Verdict::Verified, vec![]));
}

// Case f.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_f_a_call_back_to_the_attacker_says_nothing_to_the_victim() {
    let stage = Stage::new().await;
    let attacker = stage.world.published(ATTACKER).await;
    // The service calls the attacker's own number back, and the attacker rings the victim.
    let placed = place(&stage.caller, CALLER, ATTACKER, patiently_with_answer()).await;
    assert_eq!(placed.placement, Placement::Stored);
    let relayed = stage.rings().await;
    assert_eq!(relayed.verdict().verdict, Verdict::NoRecord);
    // Nor do the same blobs in the victim's mailbox: they are sealed for another number.
    relayed.ended();
    let blobs = stage.world.mailbox(&number(ATTACKER)).await;
    let own: Vec<_> = blobs
        .into_iter()
        .filter(|blob| blob.suite() == Suite::S1)
        .collect();
    for some in own.chunks(8) {
        stage.world.leave(&number(CALLEE), some).await;
    }
    let relayed = stage.rings().await;
    assert_eq!(relayed.verdict().verdict, Verdict::NoRecord);
    assert_eq!(relayed.verdict().blobs.opened, 0);
    drop(attacker);
}

// Case f, at the service: whoever cannot prove to hold a number makes nobody call it (measure M8).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_f_a_service_calls_back_who_proved_control_once_and_not_at_a_chosen_moment() {
    let stage = Stage::new().await;
    let (service, victim) = (&stage.callee, number(CALLER));
    let not_proved = Err(Reason::CallbackNotProved);
    assert_eq!(service.call_back_after(victim.as_str()), not_proved);
    // A call from the number that is verified is such a proof.
    let _outgoing = stage.call().await;
    let call = stage.rings().await;
    assert!(call.verdict().verdict.is_good());
    service.prove_control(victim.as_str()).unwrap();
    assert_eq!(
        service.call_back_after(number(ATTACKER).as_str()),
        not_proved
    );
    let after = service.call_back_after(victim.as_str()).unwrap();
    assert!((Duration::from_secs(5)..=Duration::from_secs(65)).contains(&after));
    assert_eq!(service.call_back_after(victim.as_str()), not_proved);
    let malformed = Err(Reason::MalformedNumber);
    assert_eq!(service.prove_control("nobody"), malformed);
}

// Measure M1: an announcement is for a call that is dialled at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcement_that_waited_is_to_be_made_anew() {
    let stage = Stage::new().await;
    let begun = Instant::now();
    let placed = stage.announce().await;
    let may_be_dialled = stage.caller.may_be_dialled(&placed);
    // A busy machine may have needed the time for the announcement itself.
    assert!(may_be_dialled || begun.elapsed() >= Duration::from_secs(2));
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert!(!stage.caller.may_be_dialled(&placed));
}

// Case g.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_g_a_call_that_the_attacker_forwards_names_the_attackers_number() {
    let stage = Stage::new().await;
    let attacker = Puppet::new(&stage.world, ATTACKER).await;
    let placed = place(&stage.caller, CALLER, ATTACKER, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored, "{:?}", placed.reasons);
    let forwarded = stage.rings().await;
    assert_eq!(forwarded.verdict().verdict, Verdict::NoRecord);
    forwarded.ended();
    // The attacker reads what was meant for it and seals it to the victim.
    let mut read = attacker.read().await;
    stage.leave(&read.remove(0)).await;
    let forwarded = stage.rings().await;
    assert_eq!(forwarded.verdict().verdict, Verdict::Refused);
    assert_eq!(forwarded.verdict().reasons[0], Reason::DestMismatch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_different_numbers_do_not_touch_each_other() {
    let stage = Stage::new().await;
    let other = stage.world.published(2).await;
    let placed = place(&other, 2, CALLEE, patiently()).await;
    assert_eq!(placed.placement, Placement::Stored);
    let _outgoing = stage.call().await;
    let one = stage.rings().await;
    let another = stage.rings_from(2).await;
    let withheld = ends(stage.callee.ring(None, None, Some(PATIENT))).await;
    let withheld = withheld.unwrap();
    assert_eq!(last(withheld).await.verdict, Verdict::NoRecord);
    assert_eq!(last(another).await.verdict, Verdict::Verified);
    assert_eq!(last(one).await.verdict, Verdict::Verified);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ended_is_mistaken_for_no_other() {
    let stage = Stage::new().await;
    for explicitly in [true, false] {
        let _outgoing = stage.call().await;
        let call = stage.rings().await;
        assert_eq!(call.verdict().verdict, Verdict::Verified);
        if explicitly {
            call.ended();
        } else {
            drop(call);
        }
        // The replay of it is refused, which is no conflict.
        let replay = stage.rings().await;
        assert_eq!(replay.verdict().verdict, Verdict::Refused);
        assert_eq!(replay.verdict().reasons, [Reason::Replayed]);
        next_second().await;
    }
}

// Cancel safety: a verdict that nobody waits for any longer is a call that is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ring_that_was_given_up_leaves_nothing_behind() {
    let stage = Stage::new().await;
    let (from, to) = (number(CALLER), number(CALLEE));
    {
        stage.world.gateway.set(Kind::Retrieve, Behaviour::Silent);
        let ringing = stage
            .callee
            .ring(Some(from.as_str()), Some(to.as_str()), Some(PATIENT));
        let given_up = tokio::time::timeout(Duration::from_millis(1), ringing).await;
        assert!(given_up.is_err(), "nothing can be found that soon");
        stage.world.gateway.heal();
    }
    let _outgoing = stage.call().await;
    assert_eq!(stage.rings().await.verdict().verdict, Verdict::Verified);
}

/// A report as somebody writes it who does not know the call, or does.
fn report(n: CallNonce, s: CallPhase, t_ms: u64) -> Content {
    Content {
        st: Some(CallState {
            s,
            t_ms,
            u_ms: None,
        }),
        ..Content::new(n)
    }
}

fn now_ms() -> u64 {
    crate::support::now().as_secs() * 1000
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_by_somebody_who_does_not_know_the_call_are_not_heard() {
    let stage = Stage::new().await;
    stage
        .pair()
        .confirmed(async || {
            for phase in [CallPhase::Gone, CallPhase::Answered, CallPhase::Alerting] {
                for _ in 0..20 {
                    stage.leave(&report(nonce(), phase, now_ms())).await;
                }
            }
            // Of an earlier call, as it was sealed then; and one that was meant for another number.
            let earlier = stage.world.mailbox(&number(CALLEE)).await;
            let own: Vec<_> = earlier
                .into_iter()
                .filter(|blob| blob.suite() == Suite::S1)
                .collect();
            for some in own.chunks(8) {
                stage.world.leave(&number(CALLEE), some).await;
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_an_earlier_call_says_nothing_about_the_next() {
    let stage = Stage::new().await;
    let first = stage.call().await;
    let before = stage.stores_now();
    first.ended();
    stage.stores(before, 1).await;
    // Everything of it is still there, once as it is and once stored again.
    let blobs = stage.world.mailbox(&number(CALLEE)).await;
    let own: Vec<_> = blobs
        .into_iter()
        .filter(|blob| blob.suite() == Suite::S1)
        .collect();
    for some in own.chunks(8) {
        stage.world.leave(&number(CALLEE), some).await;
    }
    let _second = stage.call().await;
    let mut ringing = stage.rings().await;
    assert_eq!(ringing.verdict().verdict, Verdict::Verified);
    ringing.answered();
    ringing.ended();
    while ends(ringing.changed()).await.is_some() {}
    assert_eq!(ringing.verdict().verdict, Verdict::Verified);
}

/// A stage on which the attacker holds the callee's key, as a carrier or an employer may: whoever knows
/// `n` is heard, and can only make things look worse.
async fn with_co_holder() -> (Stage, Puppet) {
    let world = Arc::new(World::new().await);
    let caller = world.published(CALLER).await;
    let agreement = DeviceAgreement::new(Temper::Works);
    let callee = world
        .with_agreement(CALLEE, Arc::clone(&agreement) as Arc<_>)
        .await;
    let public = ringtrue::KeyAgreement::public_key(agreement.as_ref());
    let holder = Puppet {
        key: RecipientKey::new(Suite::S1, public.as_sec1()).unwrap(),
        world: Arc::clone(&world),
        number: number(CALLEE),
        credential: world.credential(&number(CALLEE)),
        agreement,
    };
    let callee_keys = keys(&world, CALLEE).await;
    let stage = Stage {
        world,
        caller,
        callee,
        callee_keys,
    };
    (stage, holder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_knows_the_call_can_make_it_doubtful_and_never_better() {
    // A report that contradicts the true one, beside it.
    type Forged = fn(CallNonce) -> Content;
    let cases: [(&str, Forged, Reason); 2] = [
        (
            "gone",
            |n| report(n, CallPhase::Gone, 1),
            Reason::CallerGone,
        ),
        (
            "answered at another time",
            |n| report(n, CallPhase::Answered, now_ms() - 30_000),
            Reason::StateMismatch,
        ),
    ];
    for (name, forged, reason) in cases {
        let (stage, holder) = with_co_holder().await;
        let outgoing = stage.call().await;
        let mut ringing = stage.rings().await;
        assert_eq!(ringing.verdict().verdict, Verdict::Verified, "{name}");
        let n = holder.read().await[0].n;
        stage.leave(&forged(n)).await;
        ringing.answered();
        outgoing.answered();
        becomes(&mut ringing, Verdict::Conflicting, Some(reason)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_comes_after_the_call_changes_nothing() {
    let (stage, holder) = with_co_holder().await;
    let _outgoing = stage.call().await;
    let ringing = stage.rings().await;
    let n = holder.read().await[0].n;
    ringing.answered();
    assert_eq!(last(ringing.clone()).await.verdict, Verdict::Verified);
    stage.leave(&report(n, CallPhase::Gone, now_ms())).await;
    ringing.answered();
    assert_eq!(ringing.verdict().verdict, Verdict::Verified);
}

/// A device clock that is off by so many milliseconds.
struct Off(i64);

impl Clock for Off {
    fn now(&self) -> WallClock {
        let true_ms = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        let off = u64::try_from(true_ms).unwrap().checked_add_signed(self.0);
        WallClock::UnixMs(off.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_a_little_off_is_made_up_for_by_the_services() {
    let mut stage = Stage::new().await;
    let from = number(CALLER);
    let credential = stage.world.credential(&from);
    let builder = stage.world.builder(&from, &credential);
    stage.caller = builder.clock(Arc::new(Off(-4_000))).build().unwrap();
    stage.caller.publish_keys(Some(PATIENT)).await.unwrap();
    stage.pair().confirmed(async || ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_time_to_compare_by_a_call_stays_verified_and_says_so() {
    let hour = 3600;
    for dates in [
        Dates::Absent,
        Dates::Ahead(hour),
        Dates::Ahead(-hour),
        Dates::AheadForStores(hour),
    ] {
        let stage = Stage::new().await;
        stage.world.gateway.show(dates);
        let mut outgoing = stage.call().await;
        let mut ringing = stage.rings().await;
        stage.pair().both_answer(&outgoing, &ringing).await;
        let reason = Some(Reason::ClockUncertain);
        becomes(&mut ringing, Verdict::Verified, reason).await;
        // A caller that looks into its mailbox sees by that answer what the other one was worth.
        if !matches!(dates, Dates::AheadForStores(_)) {
            shows(&mut outgoing, Verdict::Verified, reason).await;
        }
    }
}

// A service may show one side another time, inside what a device's clock may be off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_shows_one_side_another_time_costs_the_confirmation() {
    for _ in 0..CALLS_ON_A_BUSY_MACHINE {
        let stage = Stage::new().await;
        stage.world.gateway.show(Dates::AheadForStores(5));
        let outgoing = stage.call().await;
        let mut ringing = stage.rings().await;
        stage.pair().both_answer(&outgoing, &ringing).await;
        let compared = async |ringing: &mut RingingCall| {
            let told = |found: &ringtrue::CallVerdict, reason| found.reasons.contains(&reason);
            let mut found = ringing.verdict();
            while !told(&found, Reason::TimesDiffer) && !told(&found, Reason::ClockUncertain) {
                found = ends(ringing.changed()).await.expect("the caller's report");
            }
            found
        };
        let found = compared(&mut ringing).await;
        if found.verdict == Verdict::Conflicting {
            assert!(found.reasons.contains(&Reason::TimesDiffer));
            return;
        }
        // Where requests take seconds, five of them are too few to tell. Then the next call has to do.
        assert_eq!(found.verdict, Verdict::Verified);
        assert_eq!(found.reasons, [Reason::ClockUncertain]);
    }
    panic!("never compared");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_cannot_be_reported_is_told_to_the_caller() {
    let stage = Stage::new().await;
    let mut outgoing = stage.call().await;
    stage.world.gateway.go_down().await;
    outgoing.ended();
    let mut found = outgoing.outcome();
    while let Some(changed) = ends(outgoing.changed()).await {
        found = changed;
    }
    assert!(
        found.verdict.reasons.contains(&Reason::StateReportLate),
        "{:?}",
        found.verdict.reasons
    );
}

// A call that was answered is not reported as given up when it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answered_call_ends_without_a_word() {
    let stage = Stage::new().await;
    let outgoing = stage.call().await;
    let before = stage.stores_now();
    outgoing.answered();
    stage.stores(before, 1).await;
    outgoing.ended();
    outgoing.ended();
    let ringing = stage.rings().await;
    ringing.answered();
    let verdict = last(ringing).await;
    assert_ne!(verdict.reasons.first(), Some(&Reason::CallerGone));
    assert_eq!(stage.stores_now(), before + 1);
}

/// Fingerprints of a session's keys.
fn media(octet: u8) -> Mky {
    let digest = vec![format!("{octet:02X}"); 32].join(":");
    let sdp = format!("v=0\r\na=fingerprint:sha-256 {digest}\r\n");
    Mky::from_sdp(&sdp).unwrap().unwrap()
}

// Measure M6 (PRV-47).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_keys_that_both_tokens_name_confirm_the_call_and_others_contradict_it() {
    for (seen_by_callee, seen_by_caller, verdicts) in [
        (1, 2, [Verdict::Confirmed, Verdict::Confirmed]),
        (3, 2, [Verdict::Conflicting, Verdict::Confirmed]),
        (1, 3, [Verdict::Confirmed, Verdict::Conflicting]),
    ] {
        let stage = Stage::new().await;
        let options = patiently_with_answer().with_media(media(1));
        let placed = place(&stage.caller, CALLER, CALLEE, options).await;
        let mut outgoing = stage.caller.outgoing(&placed, Some(PATIENT));
        let mut ringing = stage.rings().await;
        assert_eq!(ringing.verdict().verdict, Verdict::Verified);
        assert_eq!(ringing.verdict().reasons, [Reason::MediaNotChecked]);
        // The answer names the callee's keys; its verdict has to be good to be sent.
        ringing.media(media(2), &media(1));
        becomes(&mut ringing, Verdict::Confirmed, None).await;
        stage.pair().both_answer(&outgoing, &ringing).await;
        ringing.media(media(2), &media(seen_by_callee));
        outgoing.media(&media(seen_by_caller));
        let mismatch = |verdict| (verdict == Verdict::Conflicting).then_some(Reason::MediaMismatch);
        becomes(&mut ringing, verdicts[0], mismatch(verdicts[0])).await;
        shows(&mut outgoing, verdicts[1], mismatch(verdicts[1])).await;
    }
}

// A change may come between reading the verdict and waiting for the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_was_read_already_is_still_told_to_who_waits() {
    let stage = Stage::new().await;
    let options = patiently_with_answer().with_media(media(1));
    let _placed = place(&stage.caller, CALLER, CALLEE, options).await;
    let mut ringing = stage.rings().await;
    ringing.media(media(2), &media(1));
    let read = async {
        while ringing.verdict().verdict != Verdict::Confirmed {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    ends(read).await;
    let told = async {
        while let Some(verdict) = ringing.changed().await {
            if verdict.verdict == Verdict::Confirmed {
                return true;
            }
        }
        false
    };
    assert!(ends(told).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_keys_of_a_call_whose_token_names_none_say_nothing() {
    let stage = Stage::new().await;
    let _outgoing = stage.call().await;
    let ringing = stage.rings().await;
    ringing.media(media(2), &media(1));
    let verdict = last(ringing).await;
    assert_eq!(
        (verdict.verdict, verdict.reasons),
        (Verdict::Verified, vec![])
    );
}
