//! How often both sides' times agree well enough, and that they never do beyond two seconds of true time.
//!
//! The services of caller and callee are different ones here: the caller knows the clock of the callee's
//! from one answer alone, as it does where nothing else helps it.

use ringtrue_session::Verdict;

use crate::substitution::Call;

/// How calls differ in what a clock estimate depends on: when they begin within a second, how long requests
/// take and how long it rings.
fn settings() -> impl Iterator<Item = (u64, u64, u64)> {
    let begins = (0..4).map(|quarter| quarter * 250 + 37);
    begins.flat_map(|begins| {
        [(20, 900), (80, 3_300), (200, 6_100)].map(|(latency, rings)| (begins, latency, rings))
    })
}

/// What the callee and the caller are shown of a call that one of them saw answered so much later than the
/// other.
fn shown(gap_ms: u64, caller_first: bool, setting: (u64, u64, u64)) -> [Verdict; 2] {
    let (begins, latency, rings) = setting;
    let mut call = Call::begin_in(
        |world| {
            world.ms += begins;
            world.net.latency_ms = latency;
            world.net.date_ahead_ms = Some(0);
        },
        |_, _| {},
        rings,
    );
    call.answered_apart(gap_ms, caller_first);
    call.pass(8_000);
    [call.callee_sees().verdict, call.caller_sees().verdict]
}

#[test]
fn nothing_is_confirmed_beyond_two_seconds_of_true_time_and_what_is_at_once_always_is() {
    for gap_ms in [0, 300, 600, 1_000, 1_500, 2_001, 2_500] {
        let (mut calls, mut confirmed) = (0, [0, 0]);
        for setting in settings() {
            for caller_first in [true, false] {
                let shown = shown(gap_ms, caller_first, setting);
                calls += 1;
                for (count, verdict) in confirmed.iter_mut().zip(shown) {
                    *count += usize::from(verdict == Verdict::Confirmed);
                    let is_close = gap_ms <= 2_000;
                    assert!(
                        verdict != Verdict::Conflicting || !is_close,
                        "{gap_ms} {setting:?}"
                    );
                }
            }
        }
        println!(
            "answers {gap_ms} ms apart: of {calls} calls {} confirmed to the callee, {} to the caller",
            confirmed[0], confirmed[1]
        );
        match gap_ms {
            0 => assert_eq!(confirmed, [calls, calls]),
            2_001.. => assert_eq!(confirmed, [0, 0], "{gap_ms}"),
            _ => {}
        }
    }
}
