//! How well a stranger who polls a number can tell whether a call was announced to it (W-6, T13), in
//! simulated time on the store itself, at level D1, at D2 and, to compare, with the least that RFC 8816
//! asks for (D0).
//!
//! What polls show is, per suite, how many blobs there are, how many went and how many came since the
//! poll before. The figures are in docs/privacy-figures.md.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

mod advantage;
mod mailboxes;

use ringtrue_oob::Suite;
use ringtrue_stir::TelephoneNumber;

use crate::advantage::{Features, advantage, chance};
use crate::mailboxes::{Level, Mailboxes, Seen};

/// The bound of W-6 and of the project's goals, for one poll and for two at level D1.
const BOUND: f64 = 0.25;

const TRIALS: usize = 8_000;

/// Trials of who polls all the time: each takes many polls.
const LONG_TRIALS: usize = 1_500;

/// Octets of a blob of S1 or S2 in an answer: its text and the end of the line.
const LINE: usize = 5463;

/// What a stranger does.
#[derive(Clone, Copy)]
enum Watch {
    /// Polls once, up to 25 s after the call was announced, if one was.
    Once,
    /// The same, and again a second later.
    Twice,
    /// Polls twice a second while he suspects that a call is announced in one certain second.
    OneSecond,
    /// Polls once a second for half a minute, in which a call may be announced at any time.
    HalfMinute,
    /// Polls nothing, but sees the three polls of a ringing telephone on the network: when they are
    /// made, and how many octets the answers have. The telephone rings for a call that was announced 2
    /// to 8 s before, or for one that was not.
    Network,
}

struct Simulation {
    mailboxes: Mailboxes,
    now: u64,
    numbers: u64,
}

impl Simulation {
    fn new(level: Level, keys: &[Suite]) -> Self {
        Self {
            mailboxes: Mailboxes::new(level, keys, 7),
            now: 1_700_000_000_000,
            numbers: 0,
        }
    }

    /// One trial on a number of its own.
    fn trial(&mut self, watch: Watch, is_called: bool) -> Features {
        self.numbers += 1;
        let number = TelephoneNumber::from_canonical(&format!("1{:010}", self.numbers)).unwrap();
        self.mailboxes.publish(&number, self.now);
        // Long enough that nothing reminds of the moment at which the keys were published.
        self.now += 400_000 + self.mailboxes.random().below(4000);
        let start = self.now;
        // When the call is announced, and when the polls are made.
        let (window, polls): ((i64, u64), Vec<u64>) = match watch {
            Watch::Once => ((-25_000, 25_000), vec![0]),
            Watch::Twice => ((-25_000, 25_000), vec![0, 1000]),
            Watch::OneSecond => ((0, 1000), (0..9).map(|half| half * 500).collect()),
            Watch::HalfMinute => ((0, 28_000), (0..=30).map(|second| second * 1000).collect()),
            Watch::Network => ((-8000, 6000), vec![0, 1000, 2500]),
        };
        let offset = self.mailboxes.random().below(window.1);
        let called_at = start.saturating_add_signed(window.0) + offset;
        let mut called = !is_called;
        let mut seen: Vec<Seen> = Vec::new();
        for at in polls {
            if !called && called_at <= start + at {
                self.mailboxes.call(&number, called_at);
                called = true;
            }
            seen.push(self.mailboxes.poll(&number, start + at));
        }
        if let Watch::Network = watch {
            let octets = |poll: &Seen| poll.values().map(|ids| ids.len() * LINE).sum();
            let octets: Vec<usize> = seen.iter().map(octets).collect();
            return vec![(octets[0], octets[1], octets[2])];
        }
        let suites = self.mailboxes.suites();
        suites
            .iter()
            .flat_map(|suite| match watch {
                Watch::Once => vec![(seen[0][suite].len(), 0, 0)],
                Watch::Twice => vec![change(&seen[0], &seen[1], *suite)],
                Watch::OneSecond => vec![
                    change(&seen[0], &seen[2], *suite),
                    change(&seen[2], &seen[6], *suite),
                ],
                Watch::HalfMinute => vec![rhythm(&seen, *suite), extremes(&seen, *suite)],
                Watch::Network => vec![],
            })
            .collect()
    }

    fn trials(&mut self, count: usize, watch: Watch, is_called: bool) -> Vec<Features> {
        (0..count).map(|_| self.trial(watch, is_called)).collect()
    }

    /// The advantage that one way of watching gives.
    fn advantage(&mut self, count: usize, watch: Watch) -> f64 {
        let without = self.trials(count, watch, false);
        advantage(&without, &self.trials(count, watch, true))
    }
}

/// What two polls show of one suite: seen first, gone since, new since.
fn change(before: &Seen, after: &Seen, suite: Suite) -> (usize, usize, usize) {
    let (before, after) = (&before[&suite], &after[&suite]);
    let gone = before.iter().filter(|id| !after.contains(id)).count();
    (before.len(), gone, births(before, after))
}

fn births<T: PartialEq>(before: &[T], after: &[T]) -> usize {
    after.iter().filter(|id| !before.contains(id)).count()
}

/// How many blobs came in each second.
fn arrivals(seen: &[Seen], suite: Suite) -> Vec<usize> {
    let pairs = seen.windows(2);
    pairs
        .map(|pair| births(&pair[0][&suite], &pair[1][&suite]))
        .collect()
}

/// Of the births: how many, in how many seconds, and the shortest time between two such seconds.
fn rhythm(seen: &[Seen], suite: Suite) -> (usize, usize, usize) {
    let arrivals = arrivals(seen, suite);
    let busy: Vec<usize> = (0..arrivals.len()).filter(|at| arrivals[*at] > 0).collect();
    let shortest = busy.windows(2).map(|pair| pair[1] - pair[0]).min();
    (
        arrivals.iter().sum(),
        busy.len(),
        shortest.unwrap_or(99).min(8),
    )
}

/// The most births in one second, the most blobs alive and the longest time without a birth, by fives.
fn extremes(seen: &[Seen], suite: Suite) -> (usize, usize, usize) {
    let arrivals = arrivals(seen, suite);
    let longest = arrivals
        .split(|births| *births > 0)
        .map(<[usize]>::len)
        .max();
    let alive = seen.iter().map(|poll| poll[&suite].len()).max();
    (
        arrivals.iter().copied().max().unwrap_or_default(),
        alive.unwrap_or_default(),
        longest.unwrap_or_default() / 5,
    )
}

/// The advantages by polling once, twice, around a suspected second and for half a minute, and by
/// watching the network.
fn measure(level: Level, name: &str, keys: &[Suite]) -> [f64; 5] {
    let mut simulation = Simulation::new(level, keys);
    let reached = [
        simulation.advantage(TRIALS, Watch::Once),
        simulation.advantage(TRIALS, Watch::Twice),
        simulation.advantage(LONG_TRIALS, Watch::OneSecond),
        simulation.advantage(LONG_TRIALS, Watch::HalfMinute),
        simulation.advantage(TRIALS, Watch::Network),
    ];
    let [once, twice, second, minute, network] = reached;
    println!(
        "| {} | {name} | {once:.3} | {twice:.3} | {second:.3} | {minute:.3} | {network:.3} |",
        level.name()
    );
    reached
}

/// Level D1: who polls once or twice hardly learns anything. Who watches is not bounded.
fn hides_from_who_polls_seldom(name: &str, keys: &[Suite]) {
    let [once, twice, ..] = measure(Level::D1, name, keys);
    assert!(once <= BOUND, "{name}, once: {once}");
    assert!(twice <= BOUND, "{name}, twice: {twice}");
}

/// Level D2: nobody learns anything, however he watches.
fn hides_from_everybody(name: &str, keys: &[Suite]) {
    let reached = measure(Level::D2, name, keys);
    let trials = [TRIALS, TRIALS, LONG_TRIALS, LONG_TRIALS, TRIALS];
    for (advantage, trials) in reached.into_iter().zip(trials) {
        assert!(advantage <= chance(trials), "{name}: {advantage}");
    }
}

#[test]
fn d1_a_stranger_hardly_sees_a_call_to_one_s1_key() {
    hides_from_who_polls_seldom("S1", &[Suite::S1]);
}

#[test]
fn d1_a_stranger_hardly_sees_a_call_to_an_s1_and_an_s2_key() {
    hides_from_who_polls_seldom("S1+S2", &[Suite::S1, Suite::S2]);
}

#[cfg(feature = "pq")]
#[test]
fn d1_a_stranger_hardly_sees_a_call_to_hybrid_keys() {
    hides_from_who_polls_seldom("S3", &[Suite::S3]);
    hides_from_who_polls_seldom("S4+S1", &[Suite::S4, Suite::S1]);
}

#[test]
fn d1_a_stranger_hardly_sees_a_call_to_two_s1_keys() {
    hides_from_who_polls_seldom("2×S1", &[Suite::S1, Suite::S1]);
}

#[test]
fn d1_a_stranger_hardly_sees_a_call_to_three_keys_and_its_filler() {
    hides_from_who_polls_seldom("3×S1", &[Suite::S1; 3]);
}

#[test]
fn d1_a_stranger_hardly_sees_a_call_to_five_keys_and_its_three_fillers() {
    hides_from_who_polls_seldom("5×S1", &[Suite::S1; 5]);
}

#[test]
fn d1_a_stranger_hardly_sees_a_call_to_eight_keys() {
    hides_from_who_polls_seldom(
        "5×S1+3×S2",
        &[[Suite::S1; 5].as_slice(), &[Suite::S2; 3]].concat(),
    );
}

#[test]
fn d2_nobody_sees_a_call_to_one_s1_key() {
    hides_from_everybody("S1", &[Suite::S1]);
}

#[test]
fn d2_nobody_sees_a_call_to_an_s1_and_an_s2_key() {
    hides_from_everybody("S1+S2", &[Suite::S1, Suite::S2]);
}

#[test]
fn d2_nobody_sees_a_call_to_three_keys_and_its_filler() {
    hides_from_everybody("3×S1", &[Suite::S1; 3]);
}

/// What the standard asks for at the least hides nothing from who polls twice; the other levels would
/// not be needed otherwise.
#[test]
fn d0_polling_twice_tells_everything() {
    let [_, twice, second, minute, _] = measure(Level::D0, "S1", &[Suite::S1]);
    assert!(twice > 0.99 && second > 0.99 && minute > 0.99);
}

/// Level D2 without statistics: two services that differ in nothing but calls, as many as the rate
/// hides, show the same births and deaths at every quarter of a second.
#[test]
fn d2_what_is_seen_with_calls_and_without_differs_in_nothing() {
    for keys in [vec![Suite::S1], vec![Suite::S1, Suite::S2, Suite::S2]] {
        let mut quiet = Mailboxes::new(Level::D2, &keys, 9);
        let mut called = Mailboxes::new(Level::D2, &keys, 9);
        let number = TelephoneNumber::from_canonical("12025550143").unwrap();
        let start = 1_700_000_000_000;
        quiet.publish(&number, start);
        called.publish(&number, start);
        let (mut before_quiet, mut before_called) = (Seen::new(), Seen::new());
        let mut calls = 0;
        for step in 0..1200_u64 {
            let at = start + 60_000 + step * 250;
            // At a random place in most epochs.
            if at % 2000 < 250 && called.random().below(3) > 0 {
                let later = called.random().below(250);
                called.call(&number, at + later);
                calls += 1;
            }
            let (now_quiet, now_called) = (
                quiet.poll(&number, at + 249),
                called.poll(&number, at + 249),
            );
            for suite in quiet.suites() {
                assert_eq!(now_quiet[&suite].len(), now_called[&suite].len());
                if step > 0 {
                    assert_eq!(
                        change(&before_quiet, &now_quiet, suite),
                        change(&before_called, &now_called, suite)
                    );
                }
            }
            (before_quiet, before_called) = (now_quiet, now_called);
        }
        assert!(calls > 70, "{calls}");
    }
}

/// Beyond the rate level D2 says so: a second call in one epoch is seen.
#[test]
fn d2_more_calls_in_an_epoch_than_it_hides_are_seen() {
    let mut mailboxes = Mailboxes::new(Level::D2, &[Suite::S1], 11);
    let number = TelephoneNumber::from_canonical("12025550143").unwrap();
    let start = 1_700_000_000_000;
    mailboxes.publish(&number, start);
    let at = start + 60_000;
    assert_eq!(mailboxes.poll(&number, at)[&Suite::S1].len(), 15);
    mailboxes.call(&number, at);
    mailboxes.call(&number, at + 1);
    assert_eq!(mailboxes.poll(&number, at + 1999)[&Suite::S1].len(), 15);
    assert_eq!(mailboxes.poll(&number, at + 2000)[&Suite::S1].len(), 16);
}
