//! Drives one session through simulated time and notes everything that it does.

use std::collections::BTreeSet;

use ringtrue_session::{ActionId, Input, Monotonic, Session, Step};

use crate::phone::{Phone, id_of};
use crate::world::World;

/// The most steps at one instant: more is a session that spins.
const MAX_STEPS: usize = 10_000;

/// A session while it runs, and what it told so far.
pub(crate) struct Running<S: Session> {
    pub(crate) session: S,
    /// What will be told, when.
    pending: Vec<(u64, Input)>,
    outstanding: BTreeSet<ActionId>,
    pub(crate) reports: Vec<(u64, S::Report)>,
    pub(crate) output: Option<S::Output>,
    /// When it ended.
    pub(crate) ended_ms: Option<u64>,
}

impl<S: Session> Running<S> {
    pub(crate) fn new(session: S) -> Self {
        Self {
            session,
            pending: Vec::new(),
            outstanding: BTreeSet::new(),
            reports: Vec::new(),
            output: None,
            ended_ms: None,
        }
    }

    /// Lets the session run until `until_ms`, or to its end.
    pub(crate) fn advance(&mut self, world: &mut World, phone: &mut Phone, until_ms: u64) {
        let mut steps = 0;
        while self.output.is_none() {
            steps += 1;
            assert!(steps < MAX_STEPS, "the session spins");
            match self.session.next(phone.now(world.ms)) {
                Step::Act(action) => {
                    let id = id_of(&action);
                    assert!(
                        self.outstanding.insert(id),
                        "an id names one outstanding action"
                    );
                    if let Some((delay, input)) = phone.perform(&mut world.net, action, world.ms) {
                        self.pending.push((world.ms + delay, input));
                    }
                }
                Step::Report(report) => self.reports.push((world.ms, report)),
                Step::Done(output) => {
                    self.output = Some(output);
                    self.ended_ms = Some(world.ms);
                }
                Step::Wait(due) => {
                    if !self.wait(world, phone, due, until_ms) {
                        return;
                    }
                }
                _ => panic!("sessions of this version take no other steps"),
            }
        }
    }

    /// Passes the time until something happens; false if nothing does before `until_ms`.
    fn wait(&mut self, world: &mut World, phone: &Phone, due: Monotonic, until_ms: u64) -> bool {
        let first = self.pending.iter().map(|(at, _)| *at).min();
        let due = due.as_ms();
        if let Some(at) = first.filter(|at| *at <= due.max(world.ms) && *at <= until_ms) {
            world.ms = world.ms.max(at);
            let at = self
                .pending
                .iter()
                .position(|(time, _)| *time == at)
                .unwrap();
            let (_, input) = self.pending.remove(at);
            self.outstanding.remove(&id_of_input(&input));
            self.session.input(input, phone.now(world.ms));
            return true;
        }
        if due > until_ms {
            world.ms = world.ms.max(until_ms);
            return false;
        }
        world.ms = world.ms.max(due);
        true
    }
}

/// The id that an input carries.
pub(crate) fn id_of_input(input: &Input) -> ActionId {
    match input {
        Input::Response(id, _)
        | Input::Certificates(id, _)
        | Input::TrustFile(id, _)
        | Input::Signature(id, _)
        | Input::Agreement(id, _)
        | Input::Loaded(id, _)
        | Input::Saved(id, _)
        | Input::Claimed(id, _) => *id,
        other => panic!("{other:?}"),
    }
}

/// Runs a session to its end and gives what it ended with.
pub(crate) fn run<S: Session>(world: &mut World, phone: &mut Phone, session: S) -> S::Output {
    run_all(world, phone, session)
        .output
        .expect("the session ends")
}

/// Runs a session to its end and gives everything.
pub(crate) fn run_all<S: Session>(world: &mut World, phone: &mut Phone, session: S) -> Running<S> {
    let mut running = Running::new(session);
    let end = world.ms + 120_000;
    running.advance(world, phone, end);
    assert!(running.output.is_some(), "the session ends");
    running
}
