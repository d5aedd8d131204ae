//! Driving sessions to their end, and what they find.

use ringtrue_oob::CallPhase;

use super::borrow::Out;
use super::client::{ClientHandle, borrow as client_of};
use super::guard;
use crate::code::Code;
use crate::configuration::now;
use crate::types::{self, Action, Outcome, ResultCode, SessionHandle, Time, Verdict};

/// What to do next. Ask again after every action that was started, after every answer, at the time of a
/// WAIT, and after an event. A short piece of work (some milliseconds; an answer of the mailbox takes the
/// longest); never blocks.
///
/// After DONE it is DONE for ever. Returns `RINGTRUE_RESULT_STALE_HANDLE` or `RINGTRUE_RESULT_BUSY`.
///
/// # Safety
///
/// Pointers are NULL, or lead to a client and to where an action may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_session_next(
    client: *const ClientHandle,
    session: SessionHandle,
    time: Time,
    out: *mut Action,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        out.write(client.next(session, now(time.monotonic_ms, time.unix_ms))?);
        Ok(())
    })
}

/// Tells a session of a call (`ringtrue_ring_begin`, `ringtrue_await_answer_begin`) what happened to the
/// call: `RINGTRUE_CALL_ANSWERED` or `RINGTRUE_CALL_ENDED`. Ask it again then.
///
/// Returns `RINGTRUE_RESULT_WRONG_ORDER` for another session or after the end, `RINGTRUE_RESULT_UNKNOWN_VALUE`
/// for another event. To say again that the call was answered does nothing.
///
/// # Safety
///
/// `client` is NULL or leads to a client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_session_event(
    client: *const ClientHandle,
    session: SessionHandle,
    state: u32,
    time: Time,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let client = unsafe { client_of(client) }?;
        let state = match state {
            types::RINGTRUE_CALL_ANSWERED => CallPhase::Answered,
            types::RINGTRUE_CALL_ENDED => CallPhase::Gone,
            _ => return Err(Code::UNKNOWN),
        };
        client.event(session, state, now(time.monotonic_ms, time.unix_ms))
    })
}

/// The verdict of a session that verifies, as of now: after REPORT or DONE.
///
/// Returns `RINGTRUE_RESULT_WRONG_ORDER` before, or for another session.
///
/// # Safety
///
/// Pointers are NULL, or lead to a client and to where a verdict may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_session_verdict(
    client: *const ClientHandle,
    session: SessionHandle,
    out: *mut Verdict,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        out.write(client.verdict(session)?);
        Ok(())
    })
}

/// What came of a session that does not verify: after DONE.
///
/// Returns `RINGTRUE_RESULT_WRONG_ORDER` before, or for another session.
///
/// # Safety
///
/// Pointers are NULL, or lead to a client and to where an outcome may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_session_outcome(
    client: *const ClientHandle,
    session: SessionHandle,
    out: *mut Outcome,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        out.write(client.outcome(session)?);
        Ok(())
    })
}

/// Frees a session at any time. What it asked for need not be answered; its call has ended.
///
/// Returns `RINGTRUE_RESULT_STALE_HANDLE` if it was freed before.
///
/// # Safety
///
/// `client` is NULL or leads to a client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_session_free(
    client: *const ClientHandle,
    session: SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        unsafe { client_of(client) }?.free(session)
    })
}
