//! A call that borrows another's PASSporT: what both sides tell each other shows it (W-7, W-8, W-9).

use std::sync::Arc;

use ringtrue_oob::CallPhase;
use ringtrue_session::{
    AnswerSession, AwaitAnswerSession, CallEvent, CallTable, CallVerdict, Monotonic, Placed,
    Reported, RingSession, Session as _, StateReportSession, Verdict,
};
use ringtrue_stir::Reason;

use crate::attacker::{leave, report};
use crate::net::Net;
use crate::phone::{Phone, Reply};
use crate::sim::{Running, run};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, START_MS, World};

/// Two telephones in a call, as each of them sees it.
struct Call {
    world: World,
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
        let (mut world, mut caller, mut callee) = World::with_phones();
        change_net(&mut world.net);
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
        call.pass(4_000);
        assert_eq!(call.callee_sees().verdict, Verdict::Verified);
        call
    }

    /// Lets time pass for both.
    fn pass(&mut self, ms: u64) {
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

    fn callee_sees(&self) -> &CallVerdict {
        &self.ring.reports.last().expect("a verdict").1.verdict
    }

    fn caller_sees(&self) -> &CallVerdict {
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
        self.tell_callee(CallEvent::Answered { at, look: true });
        let call = self.ring.reports.last().unwrap().1.call.clone().unwrap();
        self.callee_reports(call, CallPhase::Answered, at);
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
        self.tell_caller(CallEvent::Answered { at, look: true });
        assert_eq!(self.caller_reports(CallPhase::Answered).reasons, []);
    }

    /// The caller gives up, and says so.
    fn caller_gives_up(&mut self) {
        self.tell_caller(CallEvent::Ended);
        assert_eq!(self.caller_reports(CallPhase::Gone).reasons, []);
    }

    fn caller_reports(&mut self, phase: CallPhase) -> Reported {
        let session = StateReportSession::new(
            Arc::clone(&self.caller.context),
            self.placed.call.clone().unwrap(),
            phase,
            self.at(),
            self.world.in_ms(1500),
        );
        run(&mut self.world, &mut self.caller, session.unwrap())
    }
}

#[test]
fn a_call_that_both_sides_see_answered_at_once_is_confirmed_on_both() {
    for (delay, caller_first) in [(0, true), (1_500, true), (1_500, false)] {
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
    let reported = call.caller_reports(CallPhase::Gone);
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
