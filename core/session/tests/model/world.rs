//! The world: how one state becomes the next.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use crate::attacker::Message;
use crate::blobs::{BlobId, Blobs};
use crate::cast::{Cast, Who};
use crate::explore::Model;
use crate::locals::{Begin, Locals};
use crate::moves::Move;
use crate::rules::{self, Sight};
use crate::services::leave;
use crate::state::{Bounds, Call, Mutation, Part, State, TICK_MS, Way};

/// A world with its bounds, and everything that was computed about it.
pub(crate) struct World<'a> {
    pub(crate) cast: &'a Cast,
    pub(crate) blobs: Blobs,
    pub(crate) locals: Locals,
    pub(crate) bounds: Bounds,
    /// What was seen since the last step began.
    pub(crate) sights: Vec<Sight>,
    pub(crate) marks: HashMap<String, u16>,
    pub(crate) messages: HashMap<(Message, u32), Option<(Who, BlobId)>>,
    /// The calls that C announced: by `n`, the `iat` of each.
    pub(crate) announced: HashMap<[u8; 16], u64>,
    /// The `iat` of a call of C, by its number and the time at which it was begun.
    pub(crate) dated: HashMap<(u8, u32), u64>,
}

impl<'a> World<'a> {
    pub(crate) fn new(cast: &'a Cast, bounds: Bounds) -> Self {
        let gullible = bounds.mutation == Some(Mutation::Gullible);
        let believes = &cast.crypto.believes_anything;
        believes.store(gullible, Ordering::Relaxed);
        Self {
            cast,
            blobs: Blobs::default(),
            locals: Locals::default(),
            bounds,
            sights: Vec::new(),
            marks: HashMap::new(),
            messages: HashMap::new(),
            announced: HashMap::new(),
            dated: HashMap::new(),
        }
    }
}

impl Model for World<'_> {
    type State = State;
    type Action = Move;
    type Sight = Sight;

    fn initial(&self) -> State {
        State {
            ms: 0,
            calls: Vec::new(),
            legs: Vec::new(),
            runs: Vec::new(),
            table: Vec::new(),
            boxes: [Vec::new(), Vec::new()],
            marks: [Vec::new(), Vec::new()],
            learnt: Vec::new(),
            seen: Vec::new(),
            spoofs: 0,
            messages: 0,
            faults: 0,
            pauses: 0,
            paused_ms: 0,
        }
    }

    fn actions(&mut self, state: &State) -> Vec<Move> {
        self.moves(state)
    }

    fn apply(&mut self, before: &State, action: &Move) -> (State, Vec<Sight>) {
        let mut state = before.clone();
        self.happen(&mut state, action);
        rules::look(self, before, &state);
        (state, core::mem::take(&mut self.sights))
    }
}

impl World<'_> {
    fn happen(&mut self, state: &mut State, action: &Move) {
        match action {
            Move::Tick => self.pass_time(state, TICK_MS),
            Move::Pause(ms) => {
                state.pauses += 1;
                state.paused_ms += ms;
                self.pause(state, state.ms + ms);
            }
            Move::Place(to) => {
                self.hang_up(state);
                let call = u8::try_from(state.calls.len()).unwrap();
                state.calls.push(Call {
                    to: *to,
                    begun_ms: state.ms,
                    way: Way::Announcing,
                    shown: None,
                    placed: None,
                });
                let begin = Begin::Place {
                    call,
                    to: *to,
                    with_k: self.bounds.with_k,
                    want_answer: self.bounds.answers,
                };
                self.begin(state, Part::Place(call), &begin);
            }
            Move::Deliver(call) => {
                let leg = self.ring(state, Some(*call));
                state.calls[usize::from(*call)].way = Way::AtD(leg);
            }
            Move::Divert(call) => state.calls[usize::from(*call)].way = Way::Diverted,
            Move::Busy(call) => self.end_call(state, *call),
            Move::GiveUp(call) => {
                if let Way::AtD(leg) = state.calls[usize::from(*call)].way {
                    self.end_leg(state, leg);
                }
                self.end_call(state, *call);
            }
            Move::AnsweredElsewhere(call) => {
                let way = Way::AnsweredElsewhere(state.ms);
                self.call_is_answered(state, *call, way);
            }
            Move::Spoof => {
                state.spoofs += 1;
                self.ring(state, None);
            }
            Move::SpoofEnds(leg) => self.end_leg(state, *leg),
            Move::Answer(at) => self.answer(state, *at),
            Move::Pass(part, id, fault) => self.pass(state, *part, *id, *fault),
            Move::Leave(message) => {
                state.messages += 1;
                let (at, blob) = self.made(message, state.ms).unwrap();
                leave(state, at, blob);
            }
        }
        let locals = &self.locals;
        state.runs.retain(|run| !locals.node(run.node).is_over);
        state.runs.sort_by_key(|run| run.part);
    }
}
