//! `ringtrue publish`, `place` and `ring`: one conversation each, by hand.

use std::time::{Duration, Instant};

use ringtrue::{
    CallPhase, CallVerdict, Endpoint, PlaceOptions, Placed, Placement, Reason, RingingCall,
    TelephoneNumber, Verdict,
};
use serde_json::json;

use crate::args::{PlaceArguments, PublishArguments, RingArguments};
use crate::exit::{Exit, Failure};
use crate::output::{AnswerReport, CallReport, PlacementReport, exit_of, names, print};
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
    let endpoint =
        settings::endpoint_of_a_call(&arguments.endpoint, &arguments.from, arguments.deadline)?;
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
        let follows = arguments.answered_after.or(arguments.gone_after).is_some();
        let (report, exit) = match arguments.await_answer {
            _ if follows && placed.placement == Placement::Stored => {
                follow(&endpoint, &placed, arguments, started, elapsed).await
            }
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
                    CallReport::of_placed(&placed, placed.placement.name(), elapsed),
                    exit,
                )
            }
        };
        print(&report, arguments.endpoint.json);
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
    let placement = PlacementReport::of(&placed, elapsed);
    let Some(expected) = placed.answer.take() else {
        // Announced, but without own keys nobody can answer.
        return (
            CallReport::of_placed(&placed, "unavailable", elapsed),
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

/// How long a call that ended is looked after at the most: its report, and a last look for an answer.
const WIND_UP: Duration = Duration::from_secs(5);

/// Reports what became of the call, and waits for what the called side says to that.
async fn follow(
    endpoint: &Endpoint,
    placed: &Placed,
    arguments: &PlaceArguments,
    started: Instant,
    elapsed: Duration,
) -> (CallReport, Exit) {
    let wait = arguments.await_answer.map(Duration::from_secs);
    let mut call = endpoint.outgoing(placed, wait);
    let end = if let Some(after) = arguments.gone_after {
        tokio::time::sleep(after).await;
        call.ended();
        // Longer than a report may take.
        WIND_UP.max(arguments.deadline.saturating_mul(2))
    } else {
        tokio::time::sleep(arguments.answered_after.unwrap_or_default()).await;
        call.answered();
        wait.unwrap_or(WIND_UP)
    };
    let decided = async {
        while !matches!(
            call.outcome().verdict.verdict,
            Verdict::Confirmed | Verdict::Conflicting
        ) && call.changed().await.is_some()
        {}
    };
    // What is known by then is what is shown.
    let _ = tokio::time::timeout(end, decided).await;
    let verdict = call.outcome().verdict;
    let told = !verdict.reasons.contains(&Reason::StateReportLate);
    if arguments.gone_after.is_some() && verdict.verdict != Verdict::Conflicting {
        let mut report = CallReport::of_placed(placed, placed.placement.name(), elapsed);
        if !told {
            report.reasons.push(Reason::StateReportLate.name());
        }
        let exit = if told { Exit::Good } else { Exit::OtherVerdict };
        return (report, exit);
    }
    let mut report = CallReport::of(&verdict, started.elapsed());
    report.placement = Some(PlacementReport::of(placed, elapsed));
    (report, exit_of(verdict.verdict))
}

/// Verifies a ringing call and, if asked to, answers it.
pub(crate) fn ring(arguments: &RingArguments) -> Result<Exit, Failure> {
    let endpoint =
        settings::endpoint_of_a_call(&arguments.endpoint, &arguments.to, arguments.deadline)?;
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
                        report.verdict = Verdict::Conflicting.name();
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
            if arguments.confirm && answer.sent {
                let verdict = confirmed(&mut call).await;
                report = CallReport::of(&verdict, started.elapsed());
                exit = exit_of(verdict.verdict);
            }
            report.answer = Some(answer);
        }
        print(&report, arguments.endpoint.json);
        if arguments.keep_polling {
            call.ended();
            while call.changed().await.is_some() {}
        }
        Ok(exit)
    })
}

/// Waits until the caller says what it sees of the answered call, or no look is left.
async fn confirmed(call: &mut RingingCall) -> CallVerdict {
    let decided = async {
        while call.verdict().verdict == Verdict::Verified && call.changed().await.is_some() {}
    };
    let _ = tokio::time::timeout(WIND_UP, decided).await;
    call.verdict()
}
