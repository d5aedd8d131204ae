//! A way through a world, told to people.

use core::fmt::Write as _;

use ringtrue_oob::CallPhase;
use ringtrue_session::Verdict;

use crate::attacker::{Certificates, Message, Nonce, Phase};
use crate::blobs::{BlobId, Reader};
use crate::cast::{START_MS, Who};
use crate::explore::Model as _;
use crate::locals::Ask;
use crate::moves::{Fault, Move};
use crate::state::{Part, State};
use crate::world::World;

/// Tells what happened, one line for each thing.
pub(crate) fn narrate(world: &mut World<'_>, way: &[Move]) -> String {
    let mut told = String::new();
    let mut state = world.initial();
    for step in way {
        let sentence = sentence(world, &state, step);
        let (next, _) = world.apply(&state, step);
        let time = f64::from(next.ms) / 1000.0;
        if let Some(sentence) = sentence {
            writeln!(told, "  {time:>5.1} s  {sentence}").unwrap();
        }
        for line in changes(&state, &next) {
            writeln!(told, "           -> {line}").unwrap();
        }
        state = next;
    }
    told
}

fn sentence(world: &World<'_>, state: &State, step: &Move) -> Option<String> {
    let leg = |at: u8| match state.legs[usize::from(at)].call {
        Some(_) => "C's call".to_owned(),
        None => "the attacker's call".to_owned(),
    };
    Some(match step {
        // The time is in front of the next line.
        Move::Tick => return None,
        Move::Pause(ms) => format!("{} s pass", ms / 1000),
        Move::Place(to) => format!("C announces a call to {to:?}"),
        Move::Deliver(_) => "C's call rings at D".to_owned(),
        Move::Divert(_) => "the network diverts C's call to a voicemail box".to_owned(),
        Move::Busy(_) => "C's call gets busy".to_owned(),
        Move::AnsweredElsewhere(_) => "the voicemail box answers C's call".to_owned(),
        Move::GiveUp(_) => "C hangs up before an answer".to_owned(),
        Move::Spoof => "the attacker rings D and shows C's number".to_owned(),
        Move::SpoofEnds(_) => "the attacker hangs up before an answer".to_owned(),
        Move::Answer(at) => format!("D answers {}", leg(*at)),
        Move::Leave(message) => format!("the attacker leaves {}", said(world, message)),
        Move::Pass(part, id, fault) => {
            let who = match part {
                Part::Place(_) | Part::Await(_) | Part::Report(..) => "C",
                Part::Ring(_) | Part::Answer(_) => "D",
            };
            let open = state.request(*part, *id);
            let what = match &open.what {
                Ask::Store(_, blobs) => format!("stores {}", list(world, blobs)),
                Ask::Retrieve => {
                    let held = state.held(open.at);
                    let held: Vec<BlobId> = held.iter().map(|(blob, _)| *blob).collect();
                    match part {
                        Part::Ring(at) => {
                            format!("looks for {}: {}", leg(*at), list(world, &held))
                        }
                        _ => format!("looks into its mailbox: {}", list(world, &held)),
                    }
                }
            };
            let but = match fault {
                Fault::None => "",
                Fault::Lost => ", but the request is lost",
                Fault::AnswerLost => ", but the answer is lost",
                Fault::Delayed => ", but the request is held up",
                Fault::AnswerDelayed => ", but the answer is held up",
                Fault::Reordered => ", in another order",
                Fault::Without(_) => ", with one left out",
            };
            format!("{who} {what}{but}")
        }
    })
}

/// What the attacker says.
fn said(world: &World<'_>, message: &Message) -> String {
    let with = |certificates: &Certificates| match certificates {
        Certificates::Claimed => "the certificates of the number claimed",
        Certificates::Own => "its own certificates",
    };
    let nonce = |n: &Nonce| match n {
        Nonce::Known => "its own n",
        Nonce::Fresh => "another n",
    };
    match message {
        Message::Own => "a right PASSporT of its own number for D".to_owned(),
        Message::Forged(certificates) => {
            format!(
                "a PASSporT of C for D, signed by itself, with {}",
                with(certificates)
            )
        }
        Message::Resealed(blob, n) => {
            format!("{}, sealed for D under {}", name(world, *blob), nonce(n))
        }
        Message::Report(phase, n, _) => {
            let phase = match phase {
                Phase::Answered => "answered",
                Phase::Gone => "gone",
            };
            match n {
                Nonce::Known => format!("a report \"{phase}\" of a call that it can read"),
                Nonce::Fresh => format!("a report \"{phase}\" of no call"),
            }
        }
        Message::Replayed(_, blob) => format!("{} once more", name(world, *blob)),
        Message::Stolen => "a PASSporT of C for D, signed with C's key".to_owned(),
        Message::ForgedAnswer(certificates, _) => {
            format!(
                "an answer in the name of D, signed by itself, with {}",
                with(certificates)
            )
        }
    }
}

fn list(world: &World<'_>, blobs: &[BlobId]) -> String {
    if blobs.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<String> = blobs.iter().map(|blob| name(world, *blob)).collect();
    names.join(", ")
}

/// What is in a blob.
fn name(world: &World<'_>, blob: BlobId) -> String {
    let known = world.blobs.get(blob);
    let content = &known.content;
    let at = |t_ms: u64| f64::from(u32::try_from(t_ms.abs_diff(START_MS)).unwrap()) / 1000.0;
    match content.st {
        Some(st) if !content.ppts.is_empty() => {
            format!("an rsp \"{}\" at {:.1} s", st.s.name(), at(st.t_ms))
        }
        Some(st) if st.s == CallPhase::Gone => "a report \"gone\"".to_owned(),
        Some(st) => format!("a report \"{}\" at {:.1} s", st.s.name(), at(st.t_ms)),
        None => match known.reader {
            Reader::Party(who) => format!("a PASSporT for {who:?}"),
            Reader::K => "a PASSporT for K".to_owned(),
        },
    }
}

/// What the telephones show that they did not show before.
fn changes(before: &State, after: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, leg) in after.legs.iter().enumerate() {
        let shown = before.legs.get(at).and_then(|leg| leg.shown);
        if leg.shown != shown {
            let whose = match leg.call {
                Some(_) => "C's call",
                None => "the attacker's call",
            };
            let verdict = leg.shown.map_or("nothing", Verdict::name);
            lines.push(format!("D is shown {verdict} for {whose}"));
        }
    }
    for (at, call) in after.calls.iter().enumerate() {
        let shown = before.calls.get(at).and_then(|call| call.shown);
        if call.shown != shown {
            let verdict = call.shown.map_or("nothing", Verdict::name);
            lines.push(format!("C is shown {verdict} for {:?}", Who::D));
        }
    }
    lines
}
