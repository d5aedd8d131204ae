//! What the two sides of a call tell each other, and everything that may be wrong with it: reports,
//! clocks, media keys.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{CallPhase, Clock, Mky, Reason, RingingCall, Verdict, WallClock};
use ringtrue_oob::{CallNonce, CallState, Content, RecipientKey, Suite};

use crate::support::confirming::{CALLS_ON_A_BUSY_MACHINE, becomes, shows};
use crate::support::forge::nonce;
use crate::support::gateway::Dates;
use crate::support::keys::{DeviceAgreement, Temper};
use crate::support::puppet::Puppet;
use crate::support::scene::CALLER;
use crate::support::stage::{CALLEE, Stage, keys, last};
use crate::support::world::{World, number, patiently_with_answer, place};
use crate::support::{PATIENT, ends};

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
