//! The demo as a story for people: plain ASCII with colours, 79 columns wide. Pure.

use super::scene::{Outcome, Report, Scene, Step};
use super::sight::{blindness, service_view};
use super::text::{PROSE, bold, fit, green, line_to, paint, prose, red, wrapped};
use super::timeline::timeline;
use super::verdicts::{TEXT, checks, learned, row};
use super::world::{Stage, pretty};

/// What is shown, and to whom.
pub(super) fn opening(stage: &Stage) -> String {
    format!(
        "{}\n\
         Alice   {}\n\
         Bob     {}\n\
         Mallory {}, who attacks\n\
         Keys, certificates, messages and TLS 1.3 are real, all on this machine. Only\n\
         the telephone network is left out: phones \"ring\" because the demo says so.\n\
         What the service holds stays closed to a quantum computer of tomorrow: the\n\
         keys are hybrid, ML-KEM-768 beside X25519.\n",
        paint(
            bold(),
            "RingTrue: two telephones that prove who is calling."
        ),
        pretty(&stage.alice),
        pretty(&stage.bob),
        pretty(&stage.mallory),
    )
}

/// One scene.
pub(super) fn scene(number: usize, scene: &Scene) -> String {
    let title = format!("{number:>2}  {}", scene.title);
    let mut text = format!("\n{}\n", paint(bold(), &title));
    let played = &scene.played;
    prose(&mut text, &played.plot);
    if let Some(error) = &scene.error {
        for line in wrapped(&format!("could not be played: {error}"), PROSE) {
            line_to(&mut text, &paint(red(), &format!("    {line}")));
        }
        return text;
    }
    match played.side_by_side {
        Some(sides) => {
            text.push('\n');
            text.push_str(&timeline(played, sides));
            text.push_str(&checks(&played.outcomes, number == 1));
        }
        None => text.push_str(&list(&played.steps, &played.outcomes)),
    }
    if let Some(view) = &played.service_saw {
        // The second call looks the same to the service; its numbers are in the JSON.
        let view = if number == 1 {
            service_view(view)
        } else {
            blindness(view)
        };
        text.push_str(&view);
    }
    text
}

/// What everybody learned against what they should have, and the last word.
pub(super) fn closing(report: &Report) -> String {
    let head = format!("   {:<11} {:<31} got", "in scene", "expected");
    let mut text = format!("\n{}\n", paint(bold(), &head));
    for (number, scene) in (1_usize..).zip(&report.scenes) {
        if scene.error.is_some() {
            let row = format!(" {number:>2} {} could not be played", scene.scene);
            line_to(&mut text, &format!("{}{row}", mark(false)));
        }
        for outcome in &scene.played.outcomes {
            let reason = outcome.expected.reason;
            let expected = with_reason(outcome.expected.verdict, reason);
            // The expected reason where it is among the given ones; else the first.
            let got = &outcome.got.reasons;
            let given = reason.filter(|reason| got.contains(reason));
            let got = with_reason(outcome.got.verdict, given.or(got.first().copied()));
            let row = format!(" {number:>2} {:<9} {expected:<31} {got}", outcome.label);
            line_to(&mut text, &format!("{}{row}", mark(outcome.ok)));
        }
        if let Some(view) = &scene.played.service_saw {
            let nowhere = "other's number nowhere";
            let got = if view.is_blind() {
                nowhere
            } else {
                "other's number found"
            };
            let row = format!(" {number:>2} {:<9} {nowhere:<31} {got}", "service");
            line_to(&mut text, &format!("{}{row}", mark(view.is_blind())));
        }
    }
    let seconds = report.elapsed_ms / 1000.0;
    let last = if report.ok {
        paint(
            green(),
            &format!("Everything came out as it should, in {seconds:.1} s."),
        )
    } else {
        paint(
            red(),
            &format!("Not everything came out as it should ({seconds:.1} s)."),
        )
    };
    line_to(&mut text, &format!("\n{last}"));
    if let Some(folder) = &report.folder {
        line_to(
            &mut text,
            &format!("Keys, certificates and state are in {folder}"),
        );
    }
    text
}

/// Steps and outcomes in order of time.
fn list(steps: &[Step], outcomes: &[Outcome]) -> String {
    let steps = steps.iter().map(|step| {
        let row = row(step.who, &fit(&step.text, TEXT), step.elapsed_ms);
        (step.at_ms, row)
    });
    let outcomes = outcomes
        .iter()
        .map(|outcome| (outcome.at_ms, learned(outcome)));
    let mut all: Vec<(f64, String)> = steps.chain(outcomes).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.into_iter().map(|(_, text)| text).collect()
}

fn with_reason(verdict: &str, reason: Option<&str>) -> String {
    reason.map_or(verdict.to_owned(), |reason| format!("{verdict} {reason}"))
}

fn mark(ok: bool) -> String {
    if ok {
        paint(green(), "ok")
    } else {
        paint(red(), "NO")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anstream::adapter::strip_str;
    use ringtrue::Reason;

    use super::{closing, scene};
    use crate::demo::scene::{Expected, Outcome, Played, Report, Scene, Step, Timing, Who};
    use ringtrue_daemon::{BlobReport, CallReport, CheckReport};

    fn outcome(verdict: &'static str, reason: &'static str) -> Outcome {
        let got = CallReport {
            verdict,
            reasons: vec![reason],
            checks: vec![
                CheckReport {
                    check: "orig",
                    result: "passed",
                    reason: None,
                },
                CheckReport {
                    check: "authority",
                    result: "failed",
                    reason: Some(reason),
                },
            ],
            orig: None,
            dest: None,
            blobs: BlobReport::default(),
            elapsed_ms: 12,
            placement: None,
            answer: None,
        };
        let timing = Timing {
            at_ms: 20.0,
            took: Duration::from_millis(12),
            deadline: Duration::from_millis(2500),
        };
        Outcome::new(
            ("not hers", "ring", Who::Bob),
            Expected::because("refused", Reason::NumberNotCovered),
            got,
            timing,
        )
    }

    fn played(outcome: Outcome) -> Played {
        Played {
            plot: "Mallory signs.".to_owned(),
            steps: vec![Step {
                who: Who::Mallory,
                step: "attack",
                at_ms: 0.0,
                elapsed_ms: 3.0,
                text: "signs, seals, stores".to_owned(),
            }],
            outcomes: vec![outcome],
            ..Played::default()
        }
    }

    fn told(played: Result<Played, String>) -> (Scene, String) {
        let one = Scene::new("impostor_other_number", "An impostor", played);
        let text = strip_str(&scene(4, &one)).to_string();
        (one, text)
    }

    #[test]
    fn an_attack_is_told_with_verdict_reason_and_checks() {
        let (one, text) = told(Ok(played(outcome("refused", "number_not_covered"))));
        assert!(one.ok);
        for part in [
            " 4  An impostor",
            "Mallory signs.",
            "signs, seals, stores",
            "REFUSED: number_not_covered",
            "12 ms",
            "passed orig; failed authority",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 79));
    }

    #[test]
    fn the_closing_table_says_what_is_wrong() {
        let scenes = vec![
            told(Ok(played(outcome("refused", "number_not_covered")))).0,
            told(Ok(played(outcome("verified", "cps_mismatch")))).0,
            told(Err("starting the service".to_owned())).0,
        ];
        let report = Report {
            ok: false,
            elapsed_ms: 1234.0,
            folder: None,
            scenes,
        };
        let text = strip_str(&closing(&report)).to_string();
        let rows: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert!(rows[1].starts_with("ok") && rows[1].contains("refused number_not_covered"));
        assert!(rows[2].starts_with("NO") && rows[2].contains("verified cps_mismatch"));
        assert!(rows[3].starts_with("NO") && rows[3].contains("could not be played"));
        assert_eq!(rows[4], "Not everything came out as it should (1.2 s).");
        assert!(rows.iter().all(|row| row.chars().count() <= 79));
    }

    #[test]
    fn a_scene_that_failed_says_so() {
        let (one, text) = told(Err("starting the service".to_owned()));
        assert!(!one.ok);
        assert!(text.contains("could not be played: starting the service"));
    }
}
