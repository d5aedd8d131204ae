//! Somebody else's call while a true announcement is there, and the true call beside it.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{CallPhase, CallVerdict, OutgoingCall, Reason, RingingCall, Verdict};

use super::scene::{Expected, Outcome, Played, Timing, Who, ms};
use super::script::Script;
use super::world::{Cast, PATIENCE, Stage, World};
use crate::exit::Failure;
use crate::output::CallReport;

/// How long both telephones look for each other's report, and some.
const AGREEMENT: Duration = Duration::from_secs(12);

/// How many calls to make until the clocks of a busy machine agree.
const CALLS_ON_A_BUSY_MACHINE: usize = 20;

/// Alice calls Bob, both telephones see the answer at the same moment, and tell each other.
pub(super) async fn confirmed(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = World::start(&stage, "confirmed", Cast::default()).await?;
    let mut script = Script::begin(
        "Alice calls Bob, and Bob picks up. Both phones report when they saw the answer, sealed for each \
         other. Only the phone that really has the call can do that.",
    );
    for attempt in 1.. {
        let outgoing = dial(&mut script, &world).await?;
        let call = ring(&world).await?;
        let start = script.now();
        let answering = async {
            let bob = &world.bob.endpoint;
            let answered = bob.answer(&call, CallPhase::Answered, Some(PATIENCE));
            // Alice hears him before his telephone is done with saying so.
            let heard = async { outgoing.answered() };
            let (answered, ()) = tokio::join!(answered, heard);
            answered.map_err(Failure::of("answering"))
        };
        let doing = (Who::Bob, "answer");
        script.act(doing, "picks up and says so", answering).await?;
        let (mut incoming, mut dialled) = (call.clone(), outgoing.clone());
        let both = async {
            while !is_final(&incoming.verdict()) && incoming.changed().await.is_some() {}
            while !is_final(&dialled.outcome().verdict) && dialled.changed().await.is_some() {}
        };
        let _ = tokio::time::timeout(AGREEMENT, both).await;
        let verdicts = [call.verdict(), outgoing.outcome().verdict];
        let uncertain = |found: &CallVerdict| found.reasons.contains(&Reason::ClockUncertain);
        // Where requests take long, the clocks leave too much open, and a call says so. Then the next one
        // has to do.
        if attempt < CALLS_ON_A_BUSY_MACHINE && verdicts.iter().any(uncertain) {
            outgoing.ended();
            call.ended();
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        }
        let expected = Expected::plainly("confirmed");
        learn_incoming(&mut script, "both see", start, call.clone(), expected).await;
        learn_outgoing(&mut script, "both see", start, outgoing.clone(), expected).await;
        outgoing.ended();
        call.ended();
        break;
    }
    world.end().await;
    Ok(script.end())
}

/// Mallory's call and Alice's ring at the same time.
pub(super) async fn two_calls(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = World::start(&stage, "two_calls", Cast::default()).await?;
    let mut script = Script::begin(
        "Alice announces a call to Bob. Before hers arrives, Mallory calls Bob with Alice's number: at first \
         her call looks like the announced one. Then Alice's rings as well.",
    );
    let outgoing = dial(&mut script, &world).await?;
    let start = script.now();
    let mallorys = ring(&world).await?;
    let verdict = mallorys.verdict();
    let expected = Expected::plainly("verified");
    learn(
        &mut script,
        ("alone", "ring", Who::Bob),
        start,
        &verdict,
        expected,
    );
    let start = script.now();
    let alices = ring(&world).await?;
    let expected = Expected::because("conflicting", Reason::ConcurrentCall);
    learn_incoming(&mut script, "Alice's", start, alices, expected).await;
    learn_incoming(&mut script, "Mallory's", start, mallorys, expected).await;
    outgoing.ended();
    world.end().await;
    Ok(script.end())
}

/// Alice's call finds the line busy, and Mallory's is answered.
pub(super) async fn caller_gone(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = World::start(&stage, "caller_gone", Cast::default()).await?;
    let mut script = Script::begin(
        "Alice announces a call to Bob, but Mallory's call, which shows Alice's number, already holds the \
         line. Alice hears the busy tone. Her phone reports that; Bob's looks again as he picks up.",
    );
    let outgoing = dial(&mut script, &world).await?;
    let mallorys = ring(&world).await?;
    let reporting = async {
        outgoing.ended();
        let mut waiting = outgoing.clone();
        while waiting.changed().await.is_some() {}
        Ok(())
    };
    let doing = (Who::Alice, "gone");
    script
        .act(doing, "busy: takes the announcement back", reporting)
        .await?;
    let start = script.now();
    mallorys.answered();
    let expected = Expected::because("conflicting", Reason::CallerGone);
    learn_incoming(&mut script, "picked up", start, mallorys, expected).await;
    world.end().await;
    Ok(script.end())
}

/// Alice announces a call to Bob and dials.
async fn dial(script: &mut Script, world: &World) -> Result<OutgoingCall, Failure> {
    let placed = script.announce(world).await?;
    Ok(world.alice.endpoint.outgoing(&placed, Some(PATIENCE)))
}

/// Bob's telephone rings with Alice's number.
async fn ring(world: &World) -> Result<RingingCall, Failure> {
    let (from, to) = (world.alice.number.as_str(), world.bob.number.as_str());
    let ringing = world
        .bob
        .endpoint
        .ring(Some(from), Some(to), Some(PATIENCE));
    ringing.await.map_err(Failure::of("ringing"))
}

/// Whether a verdict is the last that a scene is about.
fn is_final(verdict: &CallVerdict) -> bool {
    !matches!(verdict.verdict, Verdict::Verified | Verdict::NoRecord)
}

async fn learn_incoming(
    script: &mut Script,
    label: &'static str,
    start: Duration,
    mut call: RingingCall,
    expected: Expected,
) {
    let deciding = async { while !is_final(&call.verdict()) && call.changed().await.is_some() {} };
    // What is known by then is what is shown.
    let _ = tokio::time::timeout(PATIENCE, deciding).await;
    let verdict = call.verdict();
    learn(script, (label, "ring", Who::Bob), start, &verdict, expected);
}

async fn learn_outgoing(
    script: &mut Script,
    label: &'static str,
    start: Duration,
    mut call: OutgoingCall,
    expected: Expected,
) {
    let deciding =
        async { while !is_final(&call.outcome().verdict) && call.changed().await.is_some() {} };
    let _ = tokio::time::timeout(PATIENCE, deciding).await;
    let verdict = call.outcome().verdict;
    learn(
        script,
        (label, "answer", Who::Alice),
        start,
        &verdict,
        expected,
    );
}

fn learn(
    script: &mut Script,
    about: (&'static str, &'static str, Who),
    start: Duration,
    verdict: &CallVerdict,
    expected: Expected,
) {
    let took = script.now().saturating_sub(start);
    let timing = Timing {
        at_ms: ms(script.now()),
        took,
        deadline: PATIENCE,
    };
    let got = CallReport::of(verdict, took);
    script.learned(Outcome::new(about, expected, got, timing));
}
