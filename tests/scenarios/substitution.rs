//! Somebody else's call while a true announcement is there: the cases a to g of the threat model, with the
//! true caller, the callee and an attacker, over the real service.

use std::time::{Duration, Instant};

use ringtrue::{CallPhase, Placement, Reason, Verdict};
use ringtrue_oob::Suite;

use crate::support::confirming::{becomes, shows};
use crate::support::gateway::{Behaviour, Kind};
use crate::support::puppet::Puppet;
use crate::support::scene::{CALLER, Scene};
use crate::support::stage::{CALLEE, Stage, last};
use crate::support::world::{number, patiently, patiently_with_answer, place};
use crate::support::{PATIENT, ends, next_second};

const ATTACKER: usize = 66;

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
