//! Anything, in any order, at any time: no session panics, spins, or outlives its deadline by long.

use std::sync::Arc;

use proptest::prelude::*;
use ringtrue_oob::CallPhase;
use ringtrue_oob::http::HttpResponse;
use ringtrue_session::{
    Action, ActionId, AnswerSession, AwaitAnswerSession, Input, PublishMode, PublishSession, Saved,
    Session, Step, Verdict,
};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::DeviceSignature;
use zeroize::Zeroizing;

use crate::attacker::leave_call;
use crate::phone::{Phone, id_of};
use crate::sim::run;
use crate::world::{CALLEE, CALLER, World, told};

/// One thing that the host does.
#[derive(Clone, Debug)]
enum Event {
    /// Asks for the next step.
    Next,
    /// Lets time pass, in milliseconds.
    Pass(u64),
    /// Performs the outstanding action of this rank and tells the truth.
    Perform(usize),
    /// Tells something made up under the id of this rank, also of an action that was answered.
    MakeUp(usize, u8, Vec<u8>),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => Just(Event::Next),
        1 => prop_oneof![0..50_u64, 0..3000_u64, Just(u64::MAX / 2)].prop_map(Event::Pass),
        3 => (0..8_usize).prop_map(Event::Perform),
        2 => (0..20_usize, any::<u8>(), prop::collection::vec(any::<u8>(), 0..70))
            .prop_map(|(rank, kind, octets)| Event::MakeUp(rank, kind, octets)),
    ];
    prop::collection::vec(event, 0..80)
}

/// An input that nobody asked for in this form.
fn made_up(id: ActionId, kind: u8, octets: Vec<u8>) -> Input {
    let answer = |content_type: &str, status| HttpResponse {
        status,
        headers: vec![("content-type".into(), content_type.into())],
        body: octets.clone(),
    };
    match kind % 16 {
        0 => Input::Response(id, Ok(answer("application/passport", 200))),
        1 => Input::Response(id, Ok(answer("application/json", 200))),
        2 => Input::Response(id, Ok(answer("application/json", 201))),
        3 => Input::Response(id, Ok(answer("", 204))),
        4 => Input::Response(id, Err(Reason::Internal)),
        5 => Input::Signature(id, Ok(DeviceSignature::Raw(octets))),
        6 => Input::Signature(id, Ok(DeviceSignature::Der(octets))),
        7 => Input::Signature(id, Err(Reason::SignerFailed)),
        8 => Input::Agreement(id, Ok(Zeroizing::new(octets))),
        9 => Input::Agreement(id, Err(Reason::KeyAgreementFailed)),
        10 => Input::Loaded(id, Ok(Some(Zeroizing::new(octets)))),
        11 => Input::Loaded(id, Ok(None)),
        12 => Input::Loaded(id, Err(Reason::StateUnavailable)),
        13 => Input::Saved(id, Ok(Saved::Changed)),
        14 => Input::Saved(id, Err(Reason::StateUnavailable)),
        _ => Input::Claimed(id, Err(Reason::StateUnavailable)),
    }
}

/// Puts a session through the events, then leaves it alone until long after its deadline: it ends, and
/// goes on taking whatever comes without a panic.
fn torment<S: Session>(
    world: &mut World,
    phone: &mut Phone,
    mut session: S,
    events: &[Event],
) -> Vec<S::Report> {
    let mut outstanding: Vec<Action> = Vec::new();
    let mut ids: Vec<ActionId> = Vec::new();
    let mut reports = Vec::new();
    let mut ms = world.ms;
    let mut done = false;
    let mut next =
        |session: &mut S, outstanding: &mut Vec<Action>, ids: &mut Vec<_>, now| match session
            .next(now)
        {
            Step::Act(action) => {
                ids.push(id_of(&action));
                outstanding.push(action);
                (false, true)
            }
            Step::Report(report) => {
                reports.push(report);
                (false, true)
            }
            Step::Done(_) => (true, false),
            Step::Wait(until) => (false, until <= now.monotonic),
            _ => (false, false),
        };
    for event in events {
        match event {
            Event::Next => {
                done |= next(&mut session, &mut outstanding, &mut ids, phone.now(ms)).0;
            }
            Event::Pass(by) => ms = ms.saturating_add(*by).min(u64::MAX / 4),
            Event::Perform(rank) if *rank < outstanding.len() => {
                let action = outstanding.swap_remove(*rank);
                let input = phone.effect(&mut world.net, action, world.ms);
                session.input(input, phone.now(ms));
            }
            Event::MakeUp(rank, kind, octets) => {
                if let Some(id) = ids.get(*rank) {
                    session.input(made_up(*id, *kind, octets.clone()), phone.now(ms));
                }
            }
            Event::Perform(_) => {}
        }
    }
    ms = ms.saturating_add(100_000);
    let mut steps = 0;
    while !done {
        steps += 1;
        assert!(steps < 5_000, "the session does not end");
        let (ended, again) = next(&mut session, &mut outstanding, &mut ids, phone.now(ms));
        done = ended;
        if !again {
            ms = ms.saturating_add(10_000);
        }
    }
    for (rank, id) in ids.iter().enumerate() {
        let kind = u8::try_from(rank % 16).unwrap();
        session.input(made_up(*id, kind, vec![0x30; 20]), phone.now(ms));
        let _ = session.next(phone.now(ms));
    }
    reports
}

/// What the calendar shows stays possible however long the monotonic clock ran.
fn tame(phone: &mut Phone) {
    let start = crate::world::START_MS;
    phone.clock = Box::new(move |ms| {
        ringtrue_session::WallClock::UnixMs(start.saturating_add(ms.min(40_000)))
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ringing_survives_anything_and_verifies_only_with_a_mark(events in events()) {
        let (mut world, caller, mut callee) = World::with_phones();
        leave_call(&mut world, &caller.credential);
        tame(&mut callee);
        let session = world.ringing(&callee, CALLER);
        let reports = torment(&mut world, &mut callee, session, &events);
        prop_assert!(!reports.is_empty());
        for outcome in reports {
            let good = outcome.verdict.verdict == Verdict::Verified;
            prop_assert_eq!(good, outcome.call.is_some());
            prop_assert!(!good || callee.claims.len() == 1);
        }
    }

    #[test]
    fn placing_survives_anything(events in events()) {
        let (mut world, mut caller, _) = World::with_phones();
        tame(&mut caller);
        let session = world.placing(&caller, CALLEE);
        torment(&mut world, &mut caller, session, &events);
    }

    #[test]
    fn looking_up_survives_anything(events in events()) {
        let (mut world, mut caller, _) = World::with_phones();
        tame(&mut caller);
        let session = world.lookup(&caller, CALLEE, true);
        torment(&mut world, &mut caller, session, &events);
    }

    #[test]
    fn publishing_survives_anything(events in events(), rotate in any::<bool>()) {
        let (mut world, _, mut callee) = World::with_phones();
        tame(&mut callee);
        let mode = if rotate { PublishMode::Rotate } else { PublishMode::Publish };
        let context = Arc::clone(&callee.context);
        let session = PublishSession::new(context, mode, world.in_ms(10_000));
        torment(&mut world, &mut callee, session, &events);
    }

    #[test]
    fn answering_survives_anything(events in events()) {
        let (mut world, mut caller, mut callee) = World::with_phones();
        world.place_well(&mut caller, CALLEE);
        let call = world.ring(&mut callee, CALLER).call.unwrap();
        tame(&mut callee);
        let context = Arc::clone(&callee.context);
        let session = AnswerSession::new(context, call, CallPhase::Answered, world.in_ms(2500));
        torment(&mut world, &mut callee, session.unwrap(), &events);
    }

    #[test]
    fn waiting_survives_anything(events in events()) {
        let (mut world, mut caller, _) = World::with_phones();
        let expected = world.place_well(&mut caller, CALLEE).answer.unwrap();
        tame(&mut caller);
        let context = Arc::clone(&caller.context);
        let now = caller.now(world.ms);
        let session = AwaitAnswerSession::new(context, expected, world.in_ms(5_000), now);
        torment(&mut world, &mut caller, session, &events);
    }
}

/// Every input that was not asked for, after every action: the outcome is as without.
#[test]
fn inputs_that_were_not_asked_for_change_nothing() {
    fn noisy<S: Session>(world: &mut World, phone: &mut Phone, mut session: S) -> S::Output {
        let mut told: Vec<ActionId> = Vec::new();
        let mut waiting: Vec<Input> = Vec::new();
        loop {
            match session.next(phone.now(world.ms)) {
                Step::Act(action) => {
                    let id = id_of(&action);
                    let right = kinds_of(&action);
                    // Under an id that waits for another kind of input.
                    for kind in (0..16).filter(|kind| !right.contains(kind)) {
                        let noise = made_up(id, kind, vec![0x30; 20]);
                        session.input(noise, phone.now(world.ms));
                    }
                    waiting.push(phone.effect(&mut world.net, action, world.ms));
                    told.push(id);
                }
                Step::Wait(until) => {
                    if waiting.is_empty() {
                        world.ms = world.ms.max(until.as_ms());
                        continue;
                    }
                    let input = waiting.remove(0);
                    let id = crate::sim::id_of_input(&input);
                    session.input(input, phone.now(world.ms));
                    // Twice: the second time nobody waits for it.
                    if let Some(kind) = [0, 5, 8, 10, 13, 15].get(told.len() % 6) {
                        let again = made_up(id, *kind, vec![0x30; 20]);
                        session.input(again, phone.now(world.ms));
                    }
                }
                Step::Done(output) => return output,
                _ => {}
            }
        }
    }

    /// The kinds of made-up input that would answer this action.
    fn kinds_of(action: &Action) -> &'static [u8] {
        match action {
            Action::Request { .. } => &[0, 1, 2, 3, 4],
            Action::Sign { .. } => &[5, 6, 7],
            Action::Agree { .. } => &[8, 9],
            Action::Load { .. } => &[10, 11, 12],
            Action::Save { .. } => &[13, 14],
            _ => &[15],
        }
    }

    let (mut world, mut caller, mut callee) = World::with_phones();
    let session = world.placing(&caller, CALLEE);
    let placed = noisy(&mut world, &mut caller, session);
    assert_eq!(told(&placed), []);
    let session = world.ringing(&callee, CALLER);
    let outcome = noisy(&mut world, &mut callee, session);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, []);
    let context = Arc::clone(&callee.context);
    let call = outcome.call.unwrap();
    let session = AnswerSession::new(context, call, CallPhase::Answered, world.in_ms(2500));
    let answered = noisy(&mut world, &mut callee, session.unwrap());
    assert!(answered.sent);
    assert_eq!(answered.reasons, []);
    let context = Arc::clone(&caller.context);
    let now = caller.now(world.ms);
    let expected = placed.answer.unwrap();
    let session = AwaitAnswerSession::new(context, expected, world.in_ms(9_000), now);
    let outcome = noisy(&mut world, &mut caller, session);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, []);
    let context = Arc::clone(&callee.context);
    let session = PublishSession::new(context, PublishMode::Rotate, world.in_ms(9_000));
    assert!(noisy(&mut world, &mut callee, session).is_ok());
    let session = world.lookup(&caller, CALLEE, true);
    let found = run(&mut world, &mut caller, session);
    assert_eq!(found.notices, []);
}
