//! How a placement service's clock runs against the host's, so that two telephones can compare times.
//!
//! Both sides of a call talk to the service at which the call was announced: the caller leaves the
//! PASSporT there, the callee fetches it. Every answer says by its `Date` header what the service's clock
//! shows, to the second. Seen from the monotonic clock of the host, each answer bounds the difference
//! of the two; several answers bound it better. The device's calendar clock only says whether the
//! result can be believed: a service is trusted to be there, not to tell the time.
//!
//! Source: docs/protocol.md section 13.5 (measure M5 of the substitution race).

use core::time::Duration;

use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::{CallPhase, CallState};
use ringtrue_stir::UnixTime;
use ringtrue_stir::sip::date::parse_date;

use crate::{Monotonic, Now};

/// A device's calendar clock is right within this. A service that shows another time is not believed.
pub(crate) const DEVICE_CLOCK: Duration = Duration::from_secs(5);

/// What a `Date` leaves open, in milliseconds.
const RESOLUTION_MS: i128 = 1000;

/// What is known of one service's clock: the least and the most that it is ahead of the host's monotonic
/// clock, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceClock {
    ahead: Option<(i128, i128)>,
}

/// A point in time as it is reported to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Milliseconds since the Unix epoch.
    pub(crate) t_ms: u64,
    /// By how much that may be off the service's clock.
    pub(crate) u_ms: u64,
}

impl Moment {
    /// The report of a state that began here.
    pub(crate) const fn state(self, s: CallPhase) -> CallState {
        CallState {
            s,
            t_ms: self.t_ms,
            u_ms: Some(self.u_ms),
        }
    }
}

impl ServiceClock {
    /// Learns from an answer that came between `sent` and `received`. One without a readable `Date`
    /// teaches nothing.
    pub fn learn(&mut self, sent: Monotonic, received: Monotonic, answer: &HttpResponse) {
        let date = answer.header("date").and_then(|text| parse_date(text).ok());
        let Some(date) = date else { return };
        let date_ms = i128::from(date.as_secs()).saturating_mul(1000);
        let low = date_ms.saturating_sub(i128::from(received.as_ms()));
        let high = date_ms
            .saturating_add(RESOLUTION_MS)
            .saturating_sub(i128::from(sent.as_ms()));
        if low > high {
            return;
        }
        let learned = Self {
            ahead: Some((low, high)),
        };
        *self = self.and(learned);
    }

    /// What is known here and there of the same clock, `later` being the later.
    pub(crate) fn and(self, later: Self) -> Self {
        let (Some((low, high)), Some((later_low, later_high))) = (self.ahead, later.ahead) else {
            return if later.ahead.is_some() { later } else { self };
        };
        let both = (low.max(later_low), high.min(later_high));
        // A clock that was set in between is what it is now.
        if both.0 <= both.1 {
            Self { ahead: Some(both) }
        } else {
            later
        }
    }

    /// What the service's clock showed at `at`, as far as that can be told and believed; else what the
    /// device's own showed. `None` if there is neither.
    pub(crate) fn moment(&self, at: Monotonic, now: Now, earliest: UnixTime) -> Option<Moment> {
        let own = now.unix_ms(earliest).map(|unix_ms| {
            i128::from(unix_ms)
                .saturating_sub(i128::from(now.monotonic.as_ms()))
                .saturating_add(i128::from(at.as_ms()))
        })?;
        let device = |off: u128| {
            Some(Moment {
                t_ms: u64::try_from(own).ok()?,
                u_ms: u64::try_from(off).ok()?,
            })
        };
        let Some((low, high)) = self.ahead else {
            return device(DEVICE_CLOCK.as_millis());
        };
        let span = high.saturating_sub(low).max(0).unsigned_abs();
        let uncertainty = span.div_ceil(2);
        let middle = low.saturating_add(high).div_euclid(2);
        let service = middle.saturating_add(i128::from(at.as_ms()));
        let apart = service.saturating_sub(own).unsigned_abs();
        let believable = DEVICE_CLOCK.as_millis().saturating_add(uncertainty);
        if apart > believable {
            // One of the two is wrong, and by how much is all that can be said.
            return device(apart.saturating_add(uncertainty));
        }
        if uncertainty > DEVICE_CLOCK.as_millis() {
            return device(DEVICE_CLOCK.as_millis());
        }
        Some(Moment {
            t_ms: u64::try_from(service).ok()?,
            u_ms: u64::try_from(uncertainty).ok()?,
        })
    }

    /// What several services' clocks have in common: all of what each of them leaves open.
    pub(crate) fn spanning(clocks: impl Iterator<Item = Self>) -> Self {
        let ahead = clocks.filter_map(|clock| clock.ahead).reduce(
            |(low, high), (other_low, other_high)| (low.min(other_low), high.max(other_high)),
        );
        Self { ahead }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ringtrue_oob::http::HttpResponse;
    use ringtrue_stir::UnixTime;
    use ringtrue_stir::sip::date::format_date;

    use super::{Moment, ServiceClock};
    use crate::{Monotonic, Now, WallClock};

    const UNIX_MS: u64 = 1_800_000_000_000;

    fn answer(date: Option<&str>) -> HttpResponse {
        HttpResponse {
            status: 200,
            headers: date
                .map(|date| ("Date".to_owned(), date.to_owned()))
                .into_iter()
                .collect(),
            body: Vec::new(),
        }
    }

    /// An answer of a service whose clock shows `unix_ms`.
    fn at(unix_ms: u64) -> HttpResponse {
        let date = format_date(UnixTime::from_secs(unix_ms / 1000)).unwrap();
        answer(Some(&date))
    }

    fn now(ms: u64, unix_ms: u64) -> Now {
        Now {
            monotonic: Monotonic::from_ms(ms),
            wall: WallClock::UnixMs(unix_ms),
        }
    }

    fn moment(clock: &ServiceClock, ms: u64, now: Now) -> Option<Moment> {
        clock.moment(Monotonic::from_ms(ms), now, UnixTime::default())
    }

    fn ms(ms: u64) -> Monotonic {
        Monotonic::from_ms(ms)
    }

    #[test]
    fn one_answer_tells_the_time_to_half_a_second_and_half_the_way() {
        let mut clock = ServiceClock::default();
        clock.learn(ms(5000), ms(5100), &at(UNIX_MS + 5_050));
        let found = moment(&clock, 5050, now(6000, UNIX_MS + 6000)).unwrap();
        assert_eq!(found.u_ms, 550);
        assert!(found.t_ms.abs_diff(UNIX_MS + 5050) <= 550);
    }

    #[test]
    fn without_a_date_the_own_clock_is_all_there_is() {
        let mut clock = ServiceClock::default();
        for date in [None, Some(""), Some("yesterday"), Some("1800000000")] {
            clock.learn(ms(0), ms(10), &answer(date));
        }
        assert_eq!(clock, ServiceClock::default());
        let own = Moment {
            t_ms: UNIX_MS - 500,
            u_ms: 5000,
        };
        assert_eq!(moment(&clock, 500, now(1000, UNIX_MS)), Some(own));
        let unset = Now {
            wall: WallClock::Unset,
            ..now(1000, 0)
        };
        assert_eq!(moment(&clock, 500, unset), None);
    }

    #[test]
    fn a_service_that_is_far_from_the_own_clock_is_not_believed() {
        for (off, believed) in [
            (3_000, true),
            (5_000, true),
            (7_000, false),
            (3_600_000, false),
        ] {
            for service in [UNIX_MS + off, UNIX_MS - off] {
                let mut clock = ServiceClock::default();
                clock.learn(ms(1000), ms(1000), &at(service));
                let found = moment(&clock, 1000, now(1000, UNIX_MS)).unwrap();
                let uncertainty = found.u_ms;
                assert_eq!(uncertainty <= 1000, believed, "{off}");
                if !believed {
                    assert_eq!(found.t_ms, UNIX_MS);
                    assert!(uncertainty >= off);
                }
            }
        }
    }

    #[test]
    fn an_answer_that_took_long_tells_little_and_one_that_took_too_long_nothing() {
        let mut clock = ServiceClock::default();
        clock.learn(ms(0), ms(10_000), &at(UNIX_MS));
        let found = moment(&clock, 0, now(10_000, UNIX_MS + 10_000)).unwrap();
        assert_eq!((found.t_ms, found.u_ms), (UNIX_MS, 5000));
        clock.learn(ms(0), ms(1001), &at(UNIX_MS));
        assert_eq!(moment(&clock, 0, now(1000, UNIX_MS)).unwrap().u_ms, 1001);
        clock.learn(ms(1100), ms(1110), &at(UNIX_MS + 1105));
        assert!(moment(&clock, 0, now(1200, UNIX_MS + 1200)).unwrap().u_ms < 600);
    }

    #[test]
    fn a_clock_that_is_set_in_between_counts_as_it_is_now() {
        let mut clock = ServiceClock::default();
        clock.learn(ms(0), ms(0), &at(UNIX_MS));
        clock.learn(ms(10), ms(10), &at(UNIX_MS + 4000));
        let found = moment(&clock, 10, now(10, UNIX_MS)).unwrap();
        assert!(found.t_ms.abs_diff(UNIX_MS + 4000) <= 500);
    }

    proptest! {
        // Whatever the delays, the true time is inside what is claimed, and more answers claim less.
        #[test]
        fn the_services_time_is_never_outside_what_is_claimed(
            off in -4_000_i64..4_000,
            trips in prop::collection::vec((0_u64..20_000, 0_u64..400, 0_u64..400), 1..8),
        ) {
            let mut clock = ServiceClock::default();
            let unix = |ms: u64| UNIX_MS.saturating_add(ms).saturating_add_signed(off);
            let mut last = u64::MAX;
            for (sent, there, back) in trips {
                let answered = sent.saturating_add(there);
                let received = answered.saturating_add(back);
                clock.learn(ms(sent), ms(received), &at(unix(answered)));
                let found = moment(&clock, 7000, now(7000, UNIX_MS + 7000)).unwrap();
                let uncertainty = found.u_ms;
                prop_assert!(found.t_ms.abs_diff(unix(7000)) <= uncertainty);
                prop_assert!(uncertainty <= last);
                last = uncertainty;
            }
        }
    }
}
