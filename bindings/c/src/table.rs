//! The sessions of one client by handle. A handle names its client, its place and how often the place was
//! used, so that one that was freed, or belongs elsewhere, is found out without touching its memory.

use ringtrue_session::{CallEvent, CallId, CallTable, Monotonic, Verdict};

use crate::code::Code;
use crate::found::Found;
use crate::live_session::LiveSession;

/// The sessions, and the calls that they are about.
pub(crate) struct Table {
    tag: u16,
    slots: Vec<Slot>,
    pub(crate) calls: CallTable,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    state: State,
    events: Vec<CallEvent>,
    call: Option<CallId>,
    heard: Heard,
}

/// What the host has said of a call.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Heard {
    #[default]
    Nothing,
    Answered,
    Ended,
}

#[derive(Default)]
enum State {
    #[default]
    Free,
    /// A call is working on it.
    Taken,
    Here(Box<LiveSession>),
}

impl Table {
    /// Room for this many sessions, all made now. `tag` tells clients apart.
    pub(crate) fn new(tag: u16, max_sessions: usize) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(max_sessions, Slot::default);
        Self {
            tag,
            slots,
            calls: CallTable::new(),
        }
    }

    /// Whether there is room for one more session.
    pub(crate) fn require_room(&self) -> Result<(), Code> {
        let mut slots = self.slots.iter();
        match slots.any(|slot| matches!(slot.state, State::Free)) {
            true => Ok(()),
            false => Err(Code::FULL),
        }
    }

    /// Puts a session in, which may be about a call, and gives its handle.
    pub(crate) fn insert(
        &mut self,
        session: LiveSession,
        call: Option<CallId>,
    ) -> Result<u64, Code> {
        let free = |slot: &Slot| matches!(slot.state, State::Free);
        let at = self.slots.iter().position(free).ok_or(Code::FULL)?;
        let slot = self.slots.get_mut(at).ok_or(Code::FULL)?;
        // 0 is no generation, so that no handle is 0.
        slot.generation = slot.generation.wrapping_add(1).max(1);
        slot.state = State::Here(Box::new(session));
        slot.events = Vec::new();
        slot.call = call;
        slot.heard = Heard::Nothing;
        let at = u16::try_from(at).map_err(|_| Code::FULL)?;
        let handle = u64::from(self.tag) << 48 | u64::from(at) << 32 | u64::from(slot.generation);
        self.tell_conflicts();
        Ok(handle)
    }

    fn slot(&mut self, handle: u64) -> Result<&mut Slot, Code> {
        let [tag_high, tag_low, at_high, at_low, generation @ ..] = handle.to_be_bytes();
        let tag = u16::from_be_bytes([tag_high, tag_low]);
        let at = u16::from_be_bytes([at_high, at_low]);
        let generation = u32::from_be_bytes(generation);
        if tag != self.tag {
            return Err(Code::STALE);
        }
        self.slots
            .get_mut(usize::from(at))
            .filter(|slot| slot.generation == generation && !matches!(slot.state, State::Free))
            .ok_or(Code::STALE)
    }

    /// Looks at a session that nobody works on.
    pub(crate) fn look(&mut self, handle: u64) -> Result<&mut LiveSession, Code> {
        match &mut self.slot(handle)?.state {
            State::Here(session) => Ok(session),
            _ => Err(Code::BUSY),
        }
    }

    /// The call that a session is about.
    fn call(&mut self, handle: u64) -> Result<Option<CallId>, Code> {
        Ok(self.slot(handle)?.call)
    }

    /// Takes a session out to work on it, with what happened to its call meanwhile.
    pub(crate) fn take(&mut self, handle: u64) -> Result<(Box<LiveSession>, Vec<CallEvent>), Code> {
        let slot = self.slot(handle)?;
        match core::mem::replace(&mut slot.state, State::Taken) {
            State::Here(session) => Ok((session, core::mem::take(&mut slot.events))),
            other => {
                slot.state = other;
                Err(Code::BUSY)
            }
        }
    }

    /// Puts it back.
    pub(crate) fn put_back(&mut self, handle: u64, session: Box<LiveSession>) {
        let call = self.call(handle).ok().flatten();
        if let (Some(call), Some(found)) = (call, session.found())
            && is_confirmed(found)
        {
            self.calls.confirmed(call);
        }
        if let Ok(slot) = self.slot(handle) {
            slot.state = State::Here(session);
        }
    }

    /// Frees a session: for its call this is the end.
    pub(crate) fn free(&mut self, handle: u64) -> Result<LiveSession, Code> {
        let slot = self.slot(handle)?;
        match core::mem::take(&mut slot.state) {
            State::Here(session) => {
                if let Some(call) = slot.call.take() {
                    self.calls.ended(call);
                }
                Ok(*session)
            }
            other => {
                slot.state = other;
                Err(Code::BUSY)
            }
        }
    }

    /// Gives up a session in whose work something broke.
    pub(crate) fn abandon(&mut self, handle: u64) {
        if let Ok(slot) = self.slot(handle) {
            slot.state = State::Free;
            if let Some(call) = slot.call.take() {
                self.calls.ended(call);
            }
        }
    }

    /// Notes that the call of a session was answered, the first time that it is said.
    pub(crate) fn answered(&mut self, handle: u64, at: Monotonic, look: bool) -> Result<(), Code> {
        let slot = self.slot(handle)?;
        let call = slot.call.ok_or(Code::ORDER)?;
        match slot.heard {
            Heard::Ended => return Err(Code::ORDER),
            Heard::Answered => return Ok(()),
            Heard::Nothing => slot.heard = Heard::Answered,
        }
        slot.events.push(CallEvent::Answered { at, look });
        self.calls.answered(call);
        Ok(())
    }

    /// Notes that the call of a session ended, once.
    pub(crate) fn ended(&mut self, handle: u64) -> Result<(), Code> {
        let slot = self.slot(handle)?;
        let call = slot.call.ok_or(Code::ORDER)?;
        if core::mem::replace(&mut slot.heard, Heard::Ended) == Heard::Ended {
            return Err(Code::ORDER);
        }
        slot.events.push(CallEvent::Ended);
        self.calls.ended(call);
        Ok(())
    }

    /// Tells the sessions of calls that cannot be told apart.
    fn tell_conflicts(&mut self) {
        for call in self.calls.conflicts() {
            // Each call is told at most once.
            let slot = self.slots.iter_mut().find(|slot| slot.call == Some(call));
            if let Some(slot) = slot {
                slot.events.push(CallEvent::Concurrent);
            }
        }
    }
}

fn is_confirmed(found: &Found) -> bool {
    match found {
        Found::Ring(ring) => ring.verdict.verdict == Verdict::Confirmed,
        Found::Answer(answer) => answer.verdict.verdict == Verdict::Confirmed,
        _ => false,
    }
}
