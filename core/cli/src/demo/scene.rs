//! What the demo has to tell, as values. Serialised, they are what `ringtrue demo --json` prints.

use std::time::Duration;

use serde::Serialize;

use super::view::ServiceView;
use crate::output::CallReport;

/// How much later than its deadline an endpoint may answer before the demo calls it late. A busy
/// machine wakes programs late; the deadline itself is kept to a millisecond where there is time.
const LATE: Duration = Duration::from_secs(3);

/// The JSON of `ringtrue demo --json`: one object. Members are only ever added.
///
/// | Member | Meaning |
/// |---|---|
/// | `ok` | whether every outcome of every scene is the expected one; exit status 0 if so, else 1 |
/// | `elapsed_ms` | how long everything took |
/// | `folder` | with `--keep`: where keys, certificates and state of the demo are |
/// | `scenes` | what was played, in the order in which it is told: [`Scene`] |
///
/// Times named `…_ms` are milliseconds with three decimals, those inside `got` are whole ones.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) ok: bool,
    pub(super) elapsed_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) folder: Option<String>,
    pub(super) scenes: Vec<Scene>,
}

/// One scene.
///
/// | Member | Meaning |
/// |---|---|
/// | `scene` | stable name: `call`, `call_back`, `impostor_without_passport`, `impostor_other_number`, `impostor_own_root`, `replay`, `tampered_blob`, `moved_blob`, `wrong_party_answers`, `confirmed`, `two_calls`, `caller_gone`, `service_stopped`, `service_silent` |
/// | `title` | for people, may change |
/// | `ok` | whether it was played to its end, every outcome is the expected one, and the service saw too little to tell who called whom |
/// | `error` | what could not be done, if it was not played to its end |
/// | `steps` | what the parties did: [`Step`] |
/// | `outcomes` | what they learned: [`Outcome`] |
/// | `service_saw` | what the service saw of a call: [`ServiceView`] |
#[derive(Serialize)]
pub(super) struct Scene {
    pub(super) scene: &'static str,
    pub(super) title: &'static str,
    pub(super) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(flatten)]
    pub(super) played: Played,
}

impl Scene {
    /// A scene from what came of playing it.
    pub(super) fn new(
        scene: &'static str,
        title: &'static str,
        played: Result<Played, String>,
    ) -> Self {
        let (played, error) = match played {
            Ok(played) => (played, None),
            Err(error) => (Played::default(), Some(error)),
        };
        // A scene without an outcome proves nothing.
        let proven = !played.outcomes.is_empty() && played.outcomes.iter().all(|one| one.ok);
        let blind = played
            .service_saw
            .as_ref()
            .is_none_or(ServiceView::is_blind);
        Self {
            scene,
            title,
            ok: error.is_none() && proven && blind,
            error,
            played,
        }
    }
}

/// What happened in a scene.
#[derive(Default, Serialize)]
pub(super) struct Played {
    /// What it is about, for people.
    #[serde(skip)]
    pub(super) plot: String,
    /// Shown as two telephones side by side: the caller's, then the callee's.
    #[serde(skip)]
    pub(super) side_by_side: Option<(Who, Who)>,
    pub(super) steps: Vec<Step>,
    pub(super) outcomes: Vec<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_saw: Option<ServiceView>,
}

/// Who does or learns something: `alice`, `bob`, `mallory` (who attacks) or `service`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Who {
    Alice,
    Bob,
    Mallory,
    Service,
}

impl Who {
    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Alice => "Alice",
            Self::Bob => "Bob",
            Self::Mallory => "Mallory",
            Self::Service => "Service",
        }
    }
}

/// Something that was done.
///
/// `step` is a stable name. Of the telephones: `publish`, `lookup`, `check_keys`, `sign_and_seal`,
/// `store`, `dial`, `ring`, `retrieve`, `open`, `check`, `mark_used`, `answer`, `look_again`, `await`.
/// Of the attacks: `attack`, `call`, `gone`, `stop`. `at_ms` counts from the first step of the call, or of the
/// attack; what came before it is negative.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Step {
    pub(super) who: Who,
    pub(super) step: &'static str,
    pub(super) at_ms: f64,
    pub(super) elapsed_ms: f64,
    /// For people.
    #[serde(skip)]
    pub(super) text: String,
}

/// What should come of a scene.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Expected {
    /// A verdict, or for a placed call `stored` or `unprotected`.
    pub(super) verdict: &'static str,
    /// A reason that must be given; `null` if none may be.
    pub(super) reason: Option<&'static str>,
    /// How many blobs must open, where the scene is about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) opened: Option<u32>,
}

impl Expected {
    /// This verdict, without any reason against it.
    pub(super) const fn plainly(verdict: &'static str) -> Self {
        Self {
            verdict,
            reason: None,
            opened: None,
        }
    }

    /// This verdict for this reason.
    pub(super) const fn because(verdict: &'static str, reason: ringtrue::Reason) -> Self {
        Self {
            verdict,
            reason: Some(reason.name()),
            opened: None,
        }
    }

    /// This verdict because nothing opens.
    pub(super) const fn nothing_opens(verdict: &'static str) -> Self {
        Self {
            verdict,
            reason: None,
            opened: Some(0),
        }
    }

    fn matches(&self, got: &CallReport) -> bool {
        let reason = match self.reason {
            Some(reason) => got.reasons.contains(&reason),
            None => got.reasons.is_empty(),
        };
        let opened = self.opened.is_none_or(|opened| got.blobs.opened == opened);
        got.verdict == self.verdict && reason && opened
    }
}

/// What somebody learned.
///
/// | Member | Meaning |
/// |---|---|
/// | `of` | what it is about: `ring` a ringing call, `answer` who answered, `place` an announcement |
/// | `who` | who learned it |
/// | `at_ms`, `elapsed_ms` | when it was learned, counted as in [`Step`], and how long that took |
/// | `deadline_ms` | when it was due |
/// | `expected` | [`Expected`] |
/// | `got` | the same JSON as of `ringtrue place` and `ringtrue ring`: verdict, reasons, checks |
/// | `ok` | whether verdict, reason and time are as expected |
#[derive(Serialize)]
pub(super) struct Outcome {
    pub(super) of: &'static str,
    pub(super) who: Who,
    pub(super) at_ms: f64,
    pub(super) elapsed_ms: f64,
    pub(super) deadline_ms: f64,
    pub(super) expected: Expected,
    pub(super) got: CallReport,
    pub(super) ok: bool,
    /// The row's name in the closing table.
    #[serde(skip)]
    pub(super) label: &'static str,
}

/// When something was learned.
#[derive(Clone, Copy)]
pub(super) struct Timing {
    /// When it was learned, in milliseconds since the beginning of the scene.
    pub(super) at_ms: f64,
    pub(super) took: Duration,
    pub(super) deadline: Duration,
}

impl Outcome {
    /// Compares what was learned with what should have been.
    pub(super) fn new(
        (label, of, who): (&'static str, &'static str, Who),
        expected: Expected,
        got: CallReport,
        timing: Timing,
    ) -> Self {
        let in_time = timing.took <= timing.deadline.saturating_add(LATE);
        Self {
            of,
            who,
            at_ms: timing.at_ms,
            elapsed_ms: ms(timing.took),
            deadline_ms: ms(timing.deadline),
            expected,
            ok: in_time && expected.matches(&got),
            got,
            label,
        }
    }
}

/// Milliseconds with three decimals.
pub(super) fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// Milliseconds from `zero` to `at`, with three decimals; negative if `at` is earlier.
pub(super) fn ms_from(zero: Duration, at: Duration) -> f64 {
    let earlier = zero.saturating_sub(at);
    if earlier.is_zero() {
        ms(at.saturating_sub(zero))
    } else {
        -ms(earlier)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ringtrue::Reason;

    use super::{Expected, Outcome, Played, Scene, Timing, Who, ms, ms_from};
    use ringtrue_daemon::{BlobReport, CallReport};

    fn report(verdict: &'static str, reasons: &[&'static str]) -> CallReport {
        CallReport {
            verdict,
            reasons: reasons.to_vec(),
            checks: Vec::new(),
            orig: None,
            dest: None,
            blobs: BlobReport {
                received: 3,
                opened: 1,
            },
            elapsed_ms: 5,
            placement: None,
            answer: None,
        }
    }

    fn is_ok(expected: Expected, got: CallReport, took_ms: u64) -> bool {
        let timing = Timing {
            at_ms: 0.0,
            took: Duration::from_millis(took_ms),
            deadline: Duration::from_millis(1000),
        };
        Outcome::new(("", "ring", Who::Bob), expected, got, timing).ok
    }

    #[test]
    fn an_outcome_needs_the_verdict_the_reason_and_the_time() {
        let refused = Expected::because("refused", Reason::Replayed);
        assert!(is_ok(refused, report("refused", &["replayed"]), 5));
        for (verdict, reasons, took_ms) in [
            ("verified", vec!["replayed"], 5),
            ("refused", vec!["iat_stale"], 5),
            ("refused", vec![], 5),
            ("refused", vec!["replayed"], 4001),
        ] {
            assert!(!is_ok(refused, report(verdict, &reasons), took_ms));
        }
    }

    #[test]
    fn without_an_expected_reason_none_may_be_given() {
        let verified = Expected::plainly("verified");
        assert!(is_ok(verified, report("verified", &[]), 5));
        assert!(!is_ok(verified, report("verified", &["cps_mismatch"]), 5));
    }

    #[test]
    fn a_blob_that_opens_is_wrong_where_none_may() {
        let nothing = Expected::nothing_opens("no_record");
        assert!(!is_ok(nothing, report("no_record", &[]), 5));
        let mut none = report("no_record", &[]);
        none.blobs.opened = 0;
        assert!(is_ok(nothing, none, 5));
    }

    #[test]
    fn a_scene_without_an_outcome_or_with_an_error_is_not_ok() {
        assert!(!Scene::new("call", "", Ok(Played::default())).ok);
        let failed = Scene::new("call", "", Err("what".to_owned()));
        assert!(!failed.ok && failed.error.is_some());
    }

    #[test]
    fn milliseconds_have_three_decimals() {
        let us = Duration::from_micros;
        for (time, text) in [
            (ms(Duration::from_nanos(1_234_567)), "1.235"),
            (ms_from(us(300), us(1100)), "0.8"),
            (ms_from(us(1100), us(300)), "-0.8"),
            (ms_from(us(300), us(300)), "0"),
        ] {
            assert_eq!(time.to_string(), text);
        }
    }
}
