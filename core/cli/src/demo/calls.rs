//! A call as it should be: announced, verified while it rings, answered, and the answer verified.

use std::sync::Arc;

use ringtrue::{CallPhase, PlaceOptions, Reason};

use super::scene::{Expected, Outcome, Played, Step, Timing, Who};
use super::steps::Conversation;
use super::view;
use super::world::{Cast, PATIENCE, Phone, Stage, World};
use crate::exit::Failure;
use crate::output::CallReport;

/// Alice calls Bob.
pub(super) async fn call(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = World::start(&stage, "call", Cast::default()).await?;
    let played = call_between(&world, &world.alice, &world.bob).await;
    world.end().await;
    played
}

/// Bob calls Alice.
pub(super) async fn call_back(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = World::start(&stage, "call_back", Cast::default()).await?;
    let played = call_between(&world, &world.bob, &world.alice).await;
    world.end().await;
    played
}

async fn call_between(world: &World, caller: &Phone, callee: &Phone) -> Result<Played, Failure> {
    let zero = world.now();
    let (from, to) = (caller.number.as_str(), callee.number.as_str());
    let options = PlaceOptions::with_answer().within(PATIENCE);
    let mut placed = caller
        .endpoint
        .place(from, to, options)
        .await
        .map_err(Failure::of("announcing the call"))?;
    let dialled = world.now();
    let passport = caller.signer.last_token().unwrap_or_default();
    let Some(expected) = placed.answer.take() else {
        let reason = placed.reasons.first().copied();
        return Err(Failure::of("announcing the call")(
            reason.unwrap_or(Reason::Internal),
        ));
    };

    let events = caller.recorder.between(zero, dialled);
    let placing = Conversation {
        who: caller.who,
        other: callee.who,
        events: &events,
        begin: zero,
        end: dialled,
        zero,
    };
    let mut steps = placing.placing();
    steps.push(placing.moment("dial", "DIAL", dialled));

    let await_answer = async {
        let answered = caller.endpoint.await_answer(expected, Some(PATIENCE)).await;
        (answered, world.now())
    };
    let ring = ring(world, caller, callee, &placing, dialled);
    let ((answered, answered_at), rung) = tokio::join!(await_answer, ring);
    let (ring_steps, ring_outcome) = rung?;
    steps.extend(ring_steps);

    let events = caller.recorder.between(dialled, answered_at);
    let awaiting = Conversation {
        begin: dialled,
        end: answered_at,
        events: &events,
        ..placing
    };
    let blobs = answered.verdict.blobs;
    steps.extend(awaiting.awaiting((blobs.received, blobs.opened)));
    let took = answered_at.saturating_sub(dialled);
    let answer_outcome = Outcome::new(
        ("answer", "answer", caller.who),
        Expected::plainly("verified"),
        CallReport::of(&answered.verdict, took),
        Timing {
            at_ms: awaiting.relative(answered_at),
            took,
            deadline: PATIENCE,
        },
    );
    steps.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
    Ok(Played {
        plot: String::new(),
        side_by_side: Some((caller.who, callee.who)),
        steps,
        outcomes: vec![ring_outcome, answer_outcome],
        service_saw: Some(view::of_call(world, caller, callee, &passport, zero).await?),
    })
}

/// The callee's side: verify while it rings, then answer.
async fn ring(
    world: &World,
    caller: &Phone,
    callee: &Phone,
    placing: &Conversation<'_>,
    dialled: std::time::Duration,
) -> Result<(Vec<Step>, Outcome), Failure> {
    let (from, to) = (caller.number.as_str(), callee.number.as_str());
    let call = callee
        .endpoint
        .ring(Some(from), Some(to), Some(PATIENCE))
        .await
        .map_err(Failure::of("ringing"))?;
    let rang = world.now();
    let verdict = call.verdict();
    let events = callee.recorder.between(dialled, rang);
    let ringing = Conversation {
        who: callee.who,
        other: caller.who,
        events: &events,
        begin: dialled,
        end: rang,
        zero: placing.zero,
    };
    let text = if callee.who == Who::Bob {
        "RINGS: Alice's number"
    } else {
        "RINGS: Bob's number"
    };
    let mut steps = vec![ringing.moment("ring", text, dialled)];
    steps.extend(ringing.verifying((verdict.blobs.received, verdict.blobs.opened)));
    let took = rang.saturating_sub(dialled);
    let outcome = Outcome::new(
        ("call", "ring", callee.who),
        Expected::plainly("verified"),
        CallReport::of(&verdict, took),
        Timing {
            at_ms: ringing.relative(rang),
            took,
            deadline: PATIENCE,
        },
    );
    if !verdict.verdict.is_good() {
        return Ok((steps, outcome));
    }
    let answered = callee
        .endpoint
        .answer(&call, CallPhase::Answered, Some(PATIENCE))
        .await
        .map_err(Failure::of("answering"))?;
    if !answered.sent {
        let reason = answered.reasons.first().copied();
        return Err(Failure::of("answering")(reason.unwrap_or(Reason::Internal)));
    }
    let end = world.now();
    let events = callee.recorder.between(rang, end);
    let answering = Conversation {
        events: &events,
        begin: rang,
        end,
        ..ringing
    };
    steps.push(answering.moment("answer", "PICKS UP", rang));
    steps.extend(answering.answering());
    Ok((steps, outcome))
}
