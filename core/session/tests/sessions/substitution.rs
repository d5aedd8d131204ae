//! A call that borrows another's PASSporT: what both sides tell each other shows it (W-7, W-8, W-9).

use std::sync::Arc;

use ringtrue_oob::CallPhase;
use ringtrue_session::{
    Action, AnswerSession, AwaitAnswerSession, CallEvent, CallTable, CallVerdict, Input, Monotonic,
    Placed, Placement, Reported, RingSession, Role, Session as _, StateReportSession, Verdict,
};
use ringtrue_stir::Reason;

use crate::attacker::{leave, opened, report};
use crate::net::Net;
use crate::phone::{Phone, Reply};
use crate::sim::{Running, run};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_SPARE, START_MS, STRANGER, World};

/// Two telephones in a call, as each of them sees it.
pub(crate) struct Call {
    pub(crate) world: World,
    caller: Phone,
    callee: Phone,
    placed: Placed,
    ring: Running<RingSession>,
    wait: Running<AwaitAnswerSession>,
}

/// The verdict as of now, and its reasons.
fn now_is(verdict: &CallVerdict) -> (Verdict, &[Reason]) {
    (verdict.verdict, &verdict.reasons)
}

impl Call {
    /// Announced, ringing, and verified.
    fn begin() -> Self {
        Self::begin_with(|net| net.date_ahead_ms = Some(0), |_, _| {})
    }

    fn begin_with(
        change_net: impl FnOnce(&mut Net),
        change_phones: impl FnOnce(&mut Phone, &mut Phone),
    ) -> Self {
        Self::begin_in(|world| change_net(&mut world.net), change_phones, 4_000)
    }

    /// In a world that is changed before the call, after it has rung for a while.
    pub(crate) fn begin_in(
        change_world: impl FnOnce(&mut World),
        change_phones: impl FnOnce(&mut Phone, &mut Phone),
        rings_ms: u64,
    ) -> Self {
        let (mut world, mut caller, mut callee) = World::with_phones();
        change_world(&mut world);
        change_phones(&mut caller, &mut callee);
        let placed = world.place_well(&mut caller, CALLEE);
        let wait = AwaitAnswerSession::new(
            Arc::clone(&caller.context),
            placed.answer.clone().unwrap(),
            world.in_ms(30_000),
            caller.now(world.ms),
        );
        let wait = Running::new(wait.staying(caller.now(world.ms)));
        let ring = world.ringing(&callee, CALLER);
        let ring = Running::new(ring.staying(callee.now(world.ms)));
        let mut call = Self {
            world,
            caller,
            callee,
            placed,
            ring,
            wait,
        };
        call.pass(rings_ms);
        assert_eq!(call.callee_sees().verdict, Verdict::Verified);
        call
    }

    /// Lets time pass for both.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.world.ms + ms;
        while self.world.ms < end {
            let next = (self.world.ms + 50).min(end);
            self.ring.advance(&mut self.world, &mut self.callee, next);
            self.wait.advance(&mut self.world, &mut self.caller, next);
            self.world.ms = self.world.ms.max(next);
        }
    }

    fn at(&self) -> Monotonic {
        Monotonic::from_ms(self.world.ms)
    }

    pub(crate) fn callee_sees(&self) -> &CallVerdict {
        &self.ring.reports.last().expect("a verdict").1.verdict
    }

    pub(crate) fn caller_sees(&self) -> &CallVerdict {
        &self.wait.reports.last().expect("a verdict").1.verdict
    }

    fn tell_callee(&mut self, event: CallEvent) {
        let now = self.callee.now(self.world.ms);
        self.ring.session.event(event, now);
    }

    fn tell_caller(&mut self, event: CallEvent) {
        let now = self.caller.now(self.world.ms);
        self.wait.session.event(event, now);
    }

    /// The callee picks up, and shows who it is.
    fn callee_answers(&mut self) {
        let at = self.at();
        self.callee_picks_up(at);
        self.callee_reports_answer(at);
    }

    fn callee_picks_up(&mut self, at: Monotonic) {
        self.tell_callee(CallEvent::Answered { at, look: true });
    }

    fn callee_reports_answer(&mut self, at: Monotonic) {
        // Nothing is said to the caller of a call that is no longer believed.
        if let Some(call) = self.ring.reports.last().unwrap().1.call.clone() {
            self.callee_reports(call, CallPhase::Answered, at);
        }
    }

    fn callee_reports(
        &mut self,
        call: ringtrue_session::VerifiedCall,
        phase: CallPhase,
        at: Monotonic,
    ) {
        let context = Arc::clone(&self.callee.context);
        let deadline = self.world.in_ms(2500);
        let session = AnswerSession::new(context, call, phase, deadline);
        let session = session.unwrap().since(at).without_look();
        let answered = run(&mut self.world, &mut self.callee, session);
        assert!(answered.sent, "{:?}", answered.reasons);
    }

    /// The caller sees the answer, and says so.
    fn caller_is_answered(&mut self) {
        let at = self.at();
        self.caller_sees_answer(at);
        self.caller_reports_answer(at);
    }

    fn caller_sees_answer(&mut self, at: Monotonic) {
        self.tell_caller(CallEvent::Answered { at, look: true });
    }

    fn caller_reports_answer(&mut self, at: Monotonic) {
        assert_eq!(self.caller_reports(CallPhase::Answered, at).reasons, []);
    }

    /// One side is answered `gap_ms` before the other, and each says so at once.
    pub(crate) fn answered_apart(&mut self, gap_ms: u64, caller_first: bool) {
        type Acts = [fn(&mut Call, Monotonic); 2];
        let caller: Acts = [Self::caller_sees_answer, Self::caller_reports_answer];
        let callee: Acts = [Self::callee_picks_up, Self::callee_reports_answer];
        let [first, second] = if caller_first {
            [caller, callee]
        } else {
            [callee, caller]
        };
        let at = self.at();
        first[0](self, at);
        // A report is on its way for as long as a request takes.
        let quick = gap_ms < self.world.net.latency_ms;
        if !quick {
            first[1](self, at);
        }
        self.pass((at.as_ms() + gap_ms) - self.world.ms);
        let then = self.at();
        second[0](self, then);
        if quick {
            first[1](self, at);
        }
        second[1](self, then);
    }

    /// The caller gives up, and says so.
    fn caller_gives_up(&mut self) {
        self.tell_caller(CallEvent::Ended);
        assert_eq!(self.caller_reports(CallPhase::Gone, self.at()).reasons, []);
    }

    fn caller_reports(&mut self, phase: CallPhase, since: Monotonic) -> Reported {
        let session = StateReportSession::new(
            Arc::clone(&self.caller.context),
            self.placed.call.clone().unwrap(),
            phase,
            since,
            self.world.in_ms(1500),
        );
        run(&mut self.world, &mut self.caller, session.unwrap())
    }
}

#[test]
fn a_call_that_both_sides_see_answered_at_once_is_confirmed_on_both() {
    for (delay, caller_first) in [(0, true), (300, true), (300, false)] {
        let mut call = Call::begin();
        if caller_first {
            call.caller_is_answered();
            call.pass(delay);
            call.callee_answers();
        } else {
            call.callee_answers();
            call.pass(delay);
            call.caller_is_answered();
        }
        call.pass(5_000);
        assert_eq!(now_is(call.callee_sees()), (Verdict::Confirmed, &[][..]));
        assert_eq!(now_is(call.caller_sees()), (Verdict::Confirmed, &[][..]));
    }
}

// Threat model section 6, case c.
#[test]
fn an_answer_elsewhere_at_another_time_is_a_conflict_on_both_sides() {
    let reasons = &[Reason::StateMismatch, Reason::TimesDiffer][..];
    let mut call = Call::begin();
    call.caller_is_answered();
    call.pass(4_500);
    call.callee_answers();
    call.pass(5_000);
    assert_eq!(now_is(call.callee_sees()), (Verdict::Conflicting, reasons));
    let caller = call.caller_sees();
    assert_eq!(now_is(caller), (Verdict::Conflicting, reasons));
}

#[test]
fn clocks_that_are_a_little_off_are_set_by_the_services_and_no_more_than_that() {
    for (off, confirmed) in [(3_000, true), (-3_000, true), (9_000, false)] {
        let clock = move |ms: u64| {
            let unix = (START_MS + ms).checked_add_signed(off).unwrap();
            ringtrue_session::WallClock::UnixMs(unix)
        };
        let mut call = Call::begin_with(
            |net| net.date_ahead_ms = Some(0),
            |caller, _| caller.clock = Box::new(clock),
        );
        call.caller_is_answered();
        call.callee_answers();
        call.pass(5_000);
        let expected = if confirmed {
            (Verdict::Confirmed, &[][..])
        } else {
            (Verdict::Verified, &[Reason::ClockUncertain][..])
        };
        assert_eq!(now_is(call.callee_sees()), expected, "{off}");
    }
}

#[test]
fn without_the_services_time_nothing_is_confirmed() {
    // No Date, and Dates that no device believes.
    for ahead in [None, Some(3_600_000), Some(-3_600_000), Some(20_000)] {
        let mut call = Call::begin_with(|net| net.date_ahead_ms = ahead, |_, _| {});
        call.caller_is_answered();
        call.callee_answers();
        call.pass(5_000);
        let uncertain = (Verdict::Verified, &[Reason::ClockUncertain][..]);
        assert_eq!(now_is(call.callee_sees()), uncertain, "{ahead:?}");
        assert_eq!(now_is(call.caller_sees()), uncertain, "{ahead:?}");
    }
}

// Threat model section 6, case b.
#[test]
fn a_caller_that_gave_up_is_gone_at_the_answer() {
    let mut call = Call::begin();
    call.caller_gives_up();
    call.pass(300);
    assert_eq!(call.callee_sees().verdict, Verdict::Verified);
    let at = call.at();
    call.tell_callee(CallEvent::Answered { at, look: true });
    call.pass(300);
    let gone = (Verdict::Conflicting, &[Reason::CallerGone][..]);
    assert_eq!(now_is(call.callee_sees()), gone);
    assert!(call.ring.reports.last().unwrap().1.call.is_none());
}

#[test]
fn a_call_whose_caller_gives_up_after_the_answer_is_no_longer_believed() {
    let mut call = Call::begin();
    call.callee_answers();
    call.pass(500);
    call.caller_gives_up();
    call.pass(3_000);
    let gone = (Verdict::Conflicting, &[Reason::CallerGone][..]);
    assert_eq!(now_is(call.callee_sees()), gone);
    // Who gave up and hears of an answer knows that it was to another call.
    let mismatch = (Verdict::Conflicting, &[Reason::StateMismatch][..]);
    assert_eq!(now_is(call.caller_sees()), mismatch);
}

#[test]
fn reports_about_other_calls_change_nothing() {
    let mut call = Call::begin();
    for n in 0..40_u8 {
        for phase in [CallPhase::Gone, CallPhase::Answered] {
            leave(&mut call.world, &report([n; 16], phase));
        }
    }
    let at = call.at();
    call.tell_callee(CallEvent::Answered { at, look: true });
    call.pass(5_000);
    assert_eq!(now_is(call.callee_sees()), (Verdict::Verified, &[][..]));
}

#[test]
fn reports_that_nobody_can_send_do_not_hold_anything_up() {
    let mut call = Call::begin();
    call.caller.on(|_, _| Some(Reply::TimesOut));
    let began = call.world.ms;
    let reported = call.caller_reports(CallPhase::Gone, call.at());
    assert_eq!(reported.services, 0);
    assert!(reported.reasons.contains(&Reason::StateReportLate));
    assert!(call.world.ms - began <= 1500);
    assert!(call.world.net.service(CPS_CALLEE).mailboxes.len() <= 1);
}

#[test]
fn a_second_call_with_the_same_number_makes_both_conflicting() {
    let mut call = Call::begin();
    let mut table = CallTable::new();
    let from = ringtrue_stir::TelephoneNumber::from_canonical(CALLER).unwrap();
    let first = table.ring(Some(from.clone()), call.at());
    assert!(table.conflicts().is_empty());
    let second = table.ring(Some(from), call.at());
    assert_eq!(table.conflicts(), [first, second]);

    // The other call finds the announcement used.
    let other = call.world.ringing(&call.callee, CALLER);
    let mut other = Running::new(other);
    let now = call.callee.now(call.world.ms);
    other.session.event(CallEvent::Concurrent, now);
    call.tell_callee(CallEvent::Concurrent);
    call.pass(100);
    let end = call.world.ms + 10_000;
    other.advance(&mut call.world, &mut call.callee, end);
    let reasons = &[Reason::ConcurrentCall][..];
    assert_eq!(now_is(call.callee_sees()), (Verdict::Conflicting, reasons));
    let other = &other.reports.last().unwrap().1.verdict;
    let reasons = &[Reason::ConcurrentCall, Reason::Replayed][..];
    assert_eq!(now_is(other), (Verdict::Conflicting, reasons));
}

// W-8: to every key that got the PASSporT, where that was stored, and nothing in it that names anybody.
#[test]
fn a_report_goes_where_the_announcement_went_to_every_key_that_got_it() {
    let (mut world, mut caller, mut callee) = World::with_phones();
    let mut second = world.phone(&[CALLEE], &[CPS_SPARE]);
    world.publish(&mut second).unwrap();
    world.net.date_ahead_ms = Some(0);
    let placed = world.place_well(&mut caller, CALLEE);
    assert_eq!(placed.copies, 2);
    world.net.sent.clear();
    let since = Monotonic::from_ms(world.ms);
    let session = StateReportSession::new(
        Arc::clone(&caller.context),
        placed.call.clone().unwrap(),
        CallPhase::Gone,
        since,
        world.in_ms(1500),
    );
    let reported = run(&mut world, &mut caller, session.unwrap());
    assert_eq!((reported.services, &reported.reasons[..]), (2, &[][..]));
    let stores: Vec<_> = world
        .net
        .sent
        .iter()
        .filter(|s| s.role == Role::Store)
        .collect();
    assert_eq!(stores.len(), 2);
    for (phone, service) in [(&mut callee, CPS_CALLEE), (&mut second, CPS_SPARE)] {
        let store = stores.iter().find(|store| store.authority() == service);
        let blobs = store.unwrap().blobs();
        let found: Vec<_> = blobs
            .iter()
            .filter_map(|blob| opened(phone, CALLEE, blob))
            .collect();
        assert_eq!(found.len(), 1, "{service}");
        let content = &found[0];
        assert!(content.ppts.is_empty() && content.x5c.is_empty() && content.rsp.is_none());
        assert_eq!(content.cps.as_deref(), Some(service));
        let state = content.st.unwrap();
        assert_eq!(state.s, CallPhase::Gone);
        let off = state.t_ms.abs_diff(START_MS + since.as_ms());
        assert!(off <= state.u_ms.unwrap() && off <= 1000);
    }
}

#[test]
fn a_caller_cannot_report_what_it_cannot_see() {
    let call = Call::begin();
    let session = StateReportSession::new(
        Arc::clone(&call.caller.context),
        call.placed.call.clone().unwrap(),
        CallPhase::Alerting,
        call.at(),
        call.world.in_ms(1500),
    );
    assert_eq!(session.map(drop).unwrap_err(), Reason::ConfigurationInvalid);
}

// A store that timed out may have been taken, so what was announced there is taken back as well.
#[test]
fn a_call_that_nobody_confirmed_to_be_announced_can_be_taken_back() {
    let (mut world, mut caller, _callee) = World::with_phones();
    caller.on(|action, _| match action {
        Action::Request {
            role: Role::Store, ..
        } => Some(Reply::TimesOut),
        _ => None,
    });
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.call.is_some());
    caller.on(|action, _| match action {
        Action::Request {
            id,
            role: Role::Store,
            ..
        } => Some(Reply::With(Input::Response(
            *id,
            Err(Reason::ServiceUnreachable),
        ))),
        _ => None,
    });
    world.ms += 5_000;
    let placed = world.place(&mut caller, CALLEE);
    assert!(placed.call.is_none());
}

#[test]
fn an_announcement_is_for_a_call_that_is_dialled_within_two_seconds() {
    let (mut world, mut caller, _callee) = World::with_phones();
    let placed = world.place_well(&mut caller, CALLEE).call.unwrap();
    for (later, may) in [(0, true), (2_000, true), (2_001, false)] {
        let at = Monotonic::from_ms(world.ms + later);
        assert_eq!(placed.may_be_dialled(at), may, "{later}");
    }
    assert_eq!(format!("{placed:?}"), "PlacedCall { services: 1, .. }");
}

// The caller's telephone says nothing of what it sees, as that of `await_answer`.
#[test]
fn an_early_answer_is_no_conflict_for_a_caller_that_is_not_followed() {
    let mut call = Call::begin();
    call.callee_answers();
    call.pass(5_000);
    let at_once = AwaitAnswerSession::new(
        Arc::clone(&call.caller.context),
        call.placed.answer.clone().unwrap(),
        call.world.in_ms(5_000),
        call.caller.now(call.world.ms),
    );
    // Not the telephone that has seen the answer already: its mark would count as another call's.
    call.caller.claims.clear();
    let outcome = run(&mut call.world, &mut call.caller, at_once);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.state.unwrap().s, CallPhase::Answered);
    // The one that is told everything still rings, and that cannot be.
    let reasons = &[Reason::StateMismatch][..];
    assert_eq!(now_is(call.caller_sees()), (Verdict::Conflicting, reasons));
}

// W-10: several telephones, several states.
#[test]
fn answers_of_several_telephones_count_together() {
    let mut call = Call::begin();
    let verified = call.ring.reports.last().unwrap().1.call.clone().unwrap();
    let at = call.at();
    call.callee_reports(verified, CallPhase::Alerting, at);
    call.pass(2_000);
    let first = call.wait.reports.last().unwrap().1.clone();
    assert_eq!(first.verdict.verdict, Verdict::Verified);
    assert_eq!(first.state.unwrap().s, CallPhase::Alerting);
    call.callee_answers();
    call.caller_is_answered();
    call.pass(3_000);
    let last = call.wait.reports.last().unwrap().1.clone();
    assert_eq!(last.verdict.verdict, Verdict::Confirmed);
    assert_eq!(last.state.unwrap().s, CallPhase::Answered);
}

#[test]
fn a_flood_of_made_up_reports_does_not_hide_the_true_one() {
    let mut call = Call::begin();
    for n in 0..200_u8 {
        leave(&mut call.world, &report([n; 16], CallPhase::Gone));
    }
    call.caller_gives_up();
    let at = call.at();
    call.tell_callee(CallEvent::Answered { at, look: true });
    call.pass(3_000);
    let gone = (Verdict::Conflicting, &[Reason::CallerGone][..]);
    assert_eq!(now_is(call.callee_sees()), gone);
}

#[test]
fn a_session_that_stays_ends_with_its_call() {
    let mut call = Call::begin();
    call.tell_callee(CallEvent::Ended);
    call.tell_caller(CallEvent::Ended);
    call.pass(4_000);
    assert!(call.ring.output.is_some() && call.wait.output.is_some());
    // Nobody says so: it ends all the same.
    let mut call = Call::begin();
    call.pass(200_000);
    assert!(call.wait.output.is_some());
    call.pass(60_000);
    assert!(call.ring.output.is_some());
}

// PRV-48: what is asked at the answer does not depend on what was found.
#[test]
fn the_looks_after_an_answer_are_the_same_whatever_was_found() {
    let looks = |call: &mut Call| {
        call.world.net.sent.clear();
        let began = call.world.ms;
        let at = call.at();
        call.tell_callee(CallEvent::Answered { at, look: true });
        call.pass(6_000);
        let sent = call.world.net.sent.iter();
        sent.filter(|s| s.role == Role::Retrieve && s.authority() == CPS_CALLEE)
            .map(|s| s.ms - began)
            .collect::<Vec<_>>()
    };
    let mut with = Call::begin();
    let looked = looks(&mut with);
    assert_eq!(looked.len(), 3);
    assert_eq!(looked[0], 0);
    let mut without = Call::begin();
    let ringing = without.world.ringing(&without.callee, STRANGER);
    let now = without.callee.now(without.world.ms);
    without.ring = Running::new(ringing.staying(now));
    without.pass(4_000);
    assert_eq!(without.callee_sees().verdict, Verdict::NoRecord);
    assert_eq!(looks(&mut without), looked);
}
