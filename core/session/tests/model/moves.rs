//! What can happen next.

use ringtrue_session::ActionId;

use crate::attacker::{self, Message};
use crate::blobs::BlobId;
use crate::cast::Who;
use crate::locals::Ask;
use crate::state::{Bounds, LegState, Open, PAUSES_MS, Part, State, Way};
use crate::world::World;

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Time passes.
    Tick,
    /// A long time passes.
    Pause(u32),
    /// C announces a call.
    Place(Who),
    /// The network delivers C's call to D.
    Deliver(u8),
    /// The network diverts it.
    Divert(u8),
    /// The network reports busy.
    Busy(u8),
    /// Whoever it was diverted to answers.
    AnsweredElsewhere(u8),
    /// C hangs up before an answer.
    GiveUp(u8),
    /// The attacker rings D and shows C's number.
    Spoof,
    /// The attacker hangs up before an answer.
    SpoofEnds(u8),
    /// D answers.
    Answer(u8),
    /// A request gets through, and its answer back.
    Pass(Part, ActionId, Fault),
    /// The attacker leaves a message.
    Leave(Message),
}

/// What the network or the service does to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It never arrives.
    Lost,
    /// It arrives; the answer does not.
    AnswerLost,
    /// It takes a step of time, or several, to arrive.
    Delayed,
    /// It arrives at once; the answer takes its time.
    AnswerDelayed,
    /// The mailbox is given in another order.
    Reordered,
    /// This blob is left out.
    Without(BlobId),
}

impl World<'_> {
    /// What can happen in a state.
    pub(crate) fn moves(&mut self, state: &State) -> Vec<Move> {
        let bounds = self.bounds;
        let mut moves = Vec::new();
        let runs = state.runs.iter();
        let waiting = runs.flat_map(|run| run.open.iter().map(|open| (run.part, open)));
        for (part, open) in waiting.clone() {
            moves.extend(passes(state, bounds, open).map(|fault| Move::Pass(part, open.id, fault)));
        }
        let ms = state.ms - state.paused_ms;
        let in_time = ms <= bounds.horizon_ms;
        let is_held = waiting.clone().all(|(_, open)| open.is_held);
        if state.messages < bounds.messages {
            moves.extend(self.leavable(state).into_iter().map(Move::Leave));
        }
        // People and telephone networks are slower than a request, unless that is held up.
        if !is_held {
            return moves;
        }
        // A world in which nothing has happened yet is as good later, but for where the seconds begin.
        let has_begun = !state.calls.is_empty() || !state.legs.is_empty() || state.ms == 0;
        if has_begun && ms < bounds.end_ms {
            moves.push(Move::Tick);
        }
        if state.pauses < bounds.pauses && !state.calls.is_empty() && state.is_quiet() {
            moves.extend(PAUSES_MS.map(Move::Pause));
        }
        for (to, most) in [(Who::D, bounds.calls), (Who::M, bounds.calls_to_m)] {
            // One call at a time: C's telephone has one user.
            let is_free = state.calls.iter().all(|call| call.way.is_settled());
            if in_time && is_free && state.calls_to(to) < usize::from(most) {
                moves.push(Move::Place(to));
            }
        }
        for (at, call) in (0..).zip(&state.calls) {
            match call.way {
                Way::Dialled => {
                    moves.extend([Move::Deliver(at), Move::Divert(at), Move::Busy(at)]);
                    moves.push(Move::GiveUp(at));
                }
                Way::AtD(_) => moves.push(Move::GiveUp(at)),
                Way::Diverted => moves.extend([Move::AnsweredElsewhere(at), Move::GiveUp(at)]),
                _ => {}
            }
        }
        if in_time && state.spoofs < bounds.spoofs {
            moves.push(Move::Spoof);
        }
        for (at, leg) in (0..).zip(&state.legs) {
            if leg.state == LegState::Ringing {
                moves.push(Move::Answer(at));
                if leg.call.is_none() {
                    moves.push(Move::SpoofEnds(at));
                }
            }
        }
        moves
    }

    /// The messages that the attacker could leave and that somebody is about to fetch. What is left is
    /// seen by who fetches alone, so leaving it earlier makes no difference.
    fn leavable(&mut self, state: &State) -> Vec<Message> {
        let mut messages = Vec::new();
        for at in [Who::D, Who::C] {
            if state.is_asked(at) {
                let possible = attacker::messages(self, state, at);
                messages.extend(possible.into_iter().filter(|message| {
                    let made = self.made(message, state.ms);
                    made.is_some_and(|(_, blob)| {
                        !state.held(at).iter().any(|(there, _)| *there == blob)
                    })
                }));
            }
        }
        messages
    }

    /// The blob that a message is, and whose mailbox it is for.
    pub(crate) fn made(&mut self, message: &Message, ms: u32) -> Option<(Who, BlobId)> {
        let key = (message.clone(), ms);
        if let Some(known) = self.messages.get(&key) {
            return *known;
        }
        let made = attacker::make(self, message, ms);
        self.messages.insert(key, made);
        made
    }
}

/// What can become of a request.
fn passes(state: &State, bounds: Bounds, open: &Open) -> impl Iterator<Item = Fault> {
    let mut faults = vec![Fault::None];
    if state.faults < bounds.faults && !open.is_held {
        faults.push(Fault::Lost);
        faults.push(Fault::Delayed);
        match open.what {
            Ask::Store(..) => faults.push(Fault::AnswerLost),
            Ask::Retrieve => {
                let held = state.held(open.at);
                if held.len() > 1 {
                    faults.push(Fault::Reordered);
                }
                faults.extend(held.iter().map(|(blob, _)| Fault::Without(*blob)));
            }
        }
        faults.push(Fault::AnswerDelayed);
    }
    faults.into_iter()
}
