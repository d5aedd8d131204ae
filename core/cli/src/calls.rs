//! `ringtrue publish`, `place` and `ring`: one conversation each, by hand.

use std::time::{Duration, Instant};

use ringtrue::{CallPhase, Endpoint, PlaceOptions, Placed, Placement, TelephoneNumber};
use serde_json::json;

use crate::args::{PlaceArguments, PublishArguments, RingArguments};
use crate::exit::{Exit, Failure};
use crate::output::{
    AnswerReport, BlobReport, CallReport, PlacementReport, exit_of, millis, names,
};
use crate::settings;

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::System {
            what: "the runtime",
            error,
        })
}

/// Runs one conversation. A key store or disk that hangs must not hold up the end of the command.
pub(crate) fn run<T>(work: impl AsyncFnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let result = runtime.block_on(work());
    runtime.shutdown_background();
    result
}

/// Publishes an endpoint's keys.
pub(crate) fn publish(arguments: &PublishArguments) -> Result<Exit, Failure> {
    let endpoint = settings::endpoint(&arguments.endpoint, &arguments.number, &arguments.suites)?;
    let published = run(async || {
        let deadline = Some(arguments.deadline);
        let published = if arguments.rotate {
            endpoint.rotate_keys(deadline).await
        } else {
            endpoint.publish_keys(deadline).await
        };
        published.map_err(Failure::of("publishing"))
    })?;
    if arguments.endpoint.json {
        let report = json!({
            "published": published.numbers.iter().map(|n| n.as_str()).collect::<Vec<_>>(),
            "exp": published.exp.as_secs(),
            "new_keys": published.rotated,
            "reasons": names(&published.notices),
        });
        anstream::println!("{report}");
    } else {
        let kind = if published.rotated { "new" } else { "known" };
        anstream::println!(
            "published {kind} keys, valid until {}",
            published.exp.as_secs()
        );
    }
    Ok(Exit::Good)
}

/// Announces a call and, if asked to, waits for the answer.
pub(crate) fn place(arguments: &PlaceArguments) -> Result<Exit, Failure> {
    let endpoint = settings::endpoint(&arguments.endpoint, &arguments.from, &[])?;
    run(async || {
        let mut options = PlaceOptions::default().within(arguments.deadline);
        options.want_answer = arguments.await_answer.is_some();
        options.fresh_keys = !arguments.cached;
        let started = Instant::now();
        let placed = endpoint
            .place(arguments.from.as_str(), arguments.to.as_str(), options)
            .await
            .map_err(Failure::of("placing"))?;
        let elapsed = started.elapsed();
        let (report, exit) = match arguments.await_answer {
            Some(seconds) if placed.placement == Placement::Stored => {
                await_answer(
                    &endpoint,
                    placed,
                    Duration::from_secs(seconds),
                    started,
                    elapsed,
                )
                .await
            }
            _ => {
                let good = placed.placement == Placement::Stored;
                let exit = if good { Exit::Good } else { Exit::OtherVerdict };
                (
                    placed_report(&placed, placed.placement.name(), elapsed),
                    exit,
                )
            }
        };
        report.print(arguments.endpoint.json);
        Ok(exit)
    })
}

async fn await_answer(
    endpoint: &Endpoint,
    mut placed: Placed,
    wait: Duration,
    started: Instant,
    elapsed: Duration,
) -> (CallReport, Exit) {
    let placement = placement_report(&placed, elapsed);
    let Some(expected) = placed.answer.take() else {
        // Announced, but without own keys nobody can answer.
        return (
            placed_report(&placed, "unavailable", elapsed),
            Exit::OtherVerdict,
        );
    };
    let outcome = endpoint.await_answer(expected, Some(wait)).await;
    let mut report = CallReport::of(&outcome.verdict, started.elapsed());
    for name in names(&placed.reasons) {
        if !report.reasons.contains(&name) {
            report.reasons.push(name);
        }
    }
    report.placement = Some(placement);
    (report, exit_of(outcome.verdict.verdict))
}

fn placement_report(placed: &Placed, elapsed: Duration) -> PlacementReport {
    PlacementReport {
        result: placed.placement.name(),
        copies: placed.copies,
        elapsed_ms: millis(elapsed),
    }
}

fn placed_report(placed: &Placed, verdict: &'static str, elapsed: Duration) -> CallReport {
    CallReport {
        verdict,
        reasons: names(&placed.reasons),
        checks: Vec::new(),
        orig: Some(placed.orig.as_str().to_owned()),
        dest: Some(placed.dest.as_str().to_owned()),
        blobs: BlobReport::default(),
        elapsed_ms: millis(elapsed),
        placement: Some(placement_report(placed, elapsed)),
        answer: None,
    }
}

/// Verifies a ringing call and, if asked to, answers it.
pub(crate) fn ring(arguments: &RingArguments) -> Result<Exit, Failure> {
    let endpoint = settings::endpoint(&arguments.endpoint, &arguments.to, &[])?;
    run(async || {
        let started = Instant::now();
        let mut call = endpoint
            .ring(
                arguments.from.as_ref().map(TelephoneNumber::as_str),
                Some(arguments.to.as_str()),
                Some(arguments.deadline),
            )
            .await
            .map_err(Failure::of("ringing"))?;
        let verdict = call.verdict();
        let mut report = CallReport::of(&verdict, started.elapsed());
        let mut exit = exit_of(verdict.verdict);
        if arguments.answer && verdict.verdict.is_good() {
            let answer = match endpoint.answer(&call, CallPhase::Answered, None).await {
                Ok(answered) => {
                    if answered.caller_gone {
                        exit = Exit::OtherVerdict;
                        report.verdict = ringtrue::Verdict::Conflicting.name();
                    }
                    AnswerReport {
                        sent: answered.sent,
                        reasons: names(&answered.reasons),
                    }
                }
                Err(reason) => AnswerReport {
                    sent: false,
                    reasons: vec![reason.name()],
                },
            };
            for reason in &answer.reasons {
                if !report.reasons.contains(reason) {
                    report.reasons.push(reason);
                }
            }
            report.answer = Some(answer);
        }
        report.print(arguments.endpoint.json);
        if arguments.keep_polling {
            call.ended();
            while call.changed().await.is_some() {}
        }
        Ok(exit)
    })
}
