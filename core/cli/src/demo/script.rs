//! Playing a scene: what is done becomes a step, what is learned becomes an outcome.

use std::future::Future;
use std::time::Duration;

use ringtrue::{AnswerExpectation, PlaceOptions, Placed, Placement, Reason, TelephoneNumber};

use super::scene::{Expected, Outcome, Played, Step, Timing, Who, ms};
use super::world::{PATIENCE, Phone, World};
use crate::exit::Failure;
use crate::output::CallReport;

/// A scene that is being played.
pub(super) struct Script {
    origin: std::time::Instant,
    played: Played,
}

impl Script {
    /// Begins; `plot` tells people what it is about.
    pub(super) fn begin(plot: &str) -> Self {
        Self {
            origin: std::time::Instant::now(),
            played: Played {
                plot: plot.to_owned(),
                ..Played::default()
            },
        }
    }

    /// Does something that has to work for the scene to mean anything.
    pub(super) async fn act<T>(
        &mut self,
        (who, step): (Who, &'static str),
        text: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let start = self.origin.elapsed();
        let result = work.await?;
        self.played.steps.push(Step {
            who,
            step,
            at_ms: ms(start),
            elapsed_ms: ms(self.origin.elapsed().saturating_sub(start)),
            text: text.to_owned(),
        });
        Ok(result)
    }

    /// Alice announces a call to Bob.
    pub(super) async fn announce(&mut self, world: &World) -> Result<Placed, Failure> {
        let text = "announces a call to Bob";
        self.act((Who::Alice, "call"), text, announce(world)).await
    }

    /// Bob's telephone rings with Alice's number; what it makes of it is an outcome.
    pub(super) async fn ring(
        &mut self,
        label: &'static str,
        world: &World,
        to: &TelephoneNumber,
        expected: Expected,
    ) -> Result<(), Failure> {
        let start = self.origin.elapsed();
        let from = world.alice.number.as_str();
        let call = world
            .bob
            .endpoint
            .ring(Some(from), Some(to.as_str()), Some(PATIENCE))
            .await
            .map_err(Failure::of("ringing"))?;
        let timing = self.timing(start, PATIENCE);
        let got = CallReport::of(&call.verdict(), timing.took);
        let about = (label, "ring", Who::Bob);
        self.played
            .outcomes
            .push(Outcome::new(about, expected, got, timing));
        Ok(())
    }

    /// Alice waits for whoever answers while `meanwhile` happens.
    pub(super) async fn await_answer<T>(
        &mut self,
        world: &World,
        expectation: AnswerExpectation,
        wait: Duration,
        expected: Expected,
        (doing, meanwhile): (
            (Who, &'static str, &str),
            impl Future<Output = Result<T, Failure>>,
        ),
    ) -> Result<T, Failure> {
        let start = self.origin.elapsed();
        let (who, step, text) = doing;
        let alice = &world.alice.endpoint;
        let waiting = alice.await_answer(expectation.clone(), Some(wait));
        let acting = self.act((who, step), text, meanwhile);
        let (mut answered, acted) = tokio::join!(waiting, acting);
        let acted = acted?;
        let mut due = wait;
        // On a busy machine what was left may be there only now.
        while answered.verdict.blobs.opened == 0 && due < PATIENCE {
            answered = alice.await_answer(expectation.clone(), Some(due)).await;
            due = due.saturating_mul(2);
        }
        let timing = self.timing(start, due);
        let got = CallReport::of(&answered.verdict, timing.took);
        let about = ("answer", "answer", Who::Alice);
        self.played
            .outcomes
            .push(Outcome::new(about, expected, got, timing));
        Ok(acted)
    }

    /// Takes in an outcome that was learned between `start` and now.
    pub(super) fn learned(&mut self, outcome: Outcome) {
        self.played.outcomes.push(outcome);
    }

    /// The time since the scene began.
    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// From `start` until now.
    fn timing(&self, start: Duration, deadline: Duration) -> Timing {
        Timing {
            at_ms: ms(self.origin.elapsed()),
            took: self.origin.elapsed().saturating_sub(start),
            deadline,
        }
    }

    /// The end.
    pub(super) fn end(self) -> Played {
        self.played
    }
}

async fn announce(world: &World) -> Result<Placed, Failure> {
    let options = PlaceOptions::with_answer().within(PATIENCE);
    let placed = place(&world.alice, &world.bob, options).await?;
    if placed.placement == Placement::Stored {
        return Ok(placed);
    }
    let reason = placed.reasons.first().copied().unwrap_or(Reason::Internal);
    Err(Failure::of("announcing the call")(reason))
}

/// One telephone announces a call to the other.
pub(super) async fn place(
    caller: &Phone,
    callee: &Phone,
    options: PlaceOptions,
) -> Result<Placed, Failure> {
    caller
        .endpoint
        .place(caller.number.as_str(), callee.number.as_str(), options)
        .await
        .map_err(Failure::of("announcing the call"))
}

/// The report of an announcement, as `ringtrue place` gives it.
pub(super) fn report_of(placed: &Placed, took: Duration) -> CallReport {
    CallReport::of_placed(placed, placed.placement.name(), took)
}
