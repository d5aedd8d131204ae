//! Beginning sessions.

use ringtrue_oob::CallPhase;
use ringtrue_session::PublishMode;
use ringtrue_stir::Reason;

use super::borrow::{self, Out};
use super::client::{ClientHandle, borrow as client_of};
use super::guard;
use crate::client::Place;
use crate::code::Code;
use crate::configuration::now;
use crate::types::{self, ResultCode, SessionHandle, Text, Time};

/// No number is as long, however it is written.
const MAX_NUMBER_TEXT: usize = 64;

/// Longer than any base URL.
const MAX_URL: usize = 2048;

/// A number that the caller wrote.
///
/// # Safety
///
/// As [`borrow::text`].
unsafe fn number<'a>(text: Text) -> Result<&'a str, Code> {
    // SAFETY: the same contract.
    let number = unsafe { borrow::text(text, MAX_NUMBER_TEXT, Reason::MalformedNumber) };
    number.map_err(|code| match code {
        code if code == Reason::TooLong.into() => Reason::MalformedNumber.into(),
        other => other,
    })
}

/// Which of the known flags are set.
///
/// # Errors
///
/// [`Code::UNKNOWN`] if another one is.
const fn known(flags: u32, known: u32) -> Result<u32, Code> {
    if flags & !known == 0 {
        Ok(flags)
    } else {
        Err(Code::UNKNOWN)
    }
}

fn phase(state: u32) -> Result<CallPhase, Code> {
    match state {
        types::RINGTRUE_CALL_ALERTING => Ok(CallPhase::Alerting),
        types::RINGTRUE_CALL_ANSWERED => Ok(CallPhase::Answered),
        types::RINGTRUE_CALL_ENDED => Ok(CallPhase::Gone),
        _ => Err(Code::UNKNOWN),
    }
}

/// Begins to verify a call that rings.
///
/// `from` is the calling number as signalling gives it; empty if it is withheld, and what is no number
/// counts as withheld. `to` is the called number, one of the own; empty if the host cannot tell which.
/// `flags`: `RINGTRUE_FOLLOW_CALL` or 0. `within_ms`: when the verdict is due; 0 is the configuration's.
///
/// Drive it until DONE also after the verdict was reported: the service must not see whether something
/// was found. Free it when the call ended. Other sessions of the client may have to be asked again at
/// once: two calls from one number change each other's verdict.
///
/// Returns `RINGTRUE_RESULT_NUMBER_NOT_OWNED`, `RINGTRUE_RESULT_MALFORMED_NUMBER` for `to`, or
/// `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
///
/// # Safety
///
/// Pointers are NULL, or lead to a client, to as much text as its length says and to where a handle may
/// be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_ring_begin(
    client: *const ClientHandle,
    from: Text,
    to: Text,
    flags: u32,
    within_ms: u32,
    time: Time,
    out: *mut SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        // SAFETY: the same contract.
        let (from, to) = unsafe { (number(from), number(to)?) };
        let from = match from {
            Err(code) if code == Reason::MalformedNumber.into() => "",
            other => other?,
        };
        let follow = known(flags, types::RINGTRUE_FOLLOW_CALL)? != 0;
        let now = now(time.monotonic_ms, time.unix_ms);
        out.write(client.ring(from, to, follow, within_ms, now)?);
        Ok(())
    })
}

/// Begins to announce a call. Dial when it is DONE, whatever came of it, and within 2 s.
///
/// `from` is one of the own numbers. `flags`: `RINGTRUE_PLACE_WANT_ANSWER`, `RINGTRUE_PLACE_FRESH_KEYS`.
/// Keep the session until the call ended: the next two functions need what it found.
///
/// Returns `RINGTRUE_RESULT_MALFORMED_NUMBER`, `RINGTRUE_RESULT_NUMBER_NOT_OWNED`,
/// `RINGTRUE_RESULT_RANDOMNESS_UNAVAILABLE` or `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
///
/// # Safety
///
/// As for `ringtrue_ring_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_place_begin(
    client: *const ClientHandle,
    from: Text,
    to: Text,
    flags: u32,
    within_ms: u32,
    time: Time,
    out: *mut SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        // SAFETY: the same contract.
        let (from, to) = unsafe { (number(from)?, number(to)?) };
        let (want_answer, fresh_keys) = (
            types::RINGTRUE_PLACE_WANT_ANSWER,
            types::RINGTRUE_PLACE_FRESH_KEYS,
        );
        let flags = known(flags, want_answer | fresh_keys)?;
        let place = Place {
            from,
            to,
            want_answer: flags & want_answer != 0,
            fresh_keys: flags & fresh_keys != 0,
        };
        let now = now(time.monotonic_ms, time.unix_ms);
        out.write(client.place(&place, within_ms, now)?);
        Ok(())
    })
}

/// Begins to wait for the called side to show who it is, for the call that `placed` announced with
/// `RINGTRUE_PLACE_WANT_ANSWER`. `flags`: `RINGTRUE_FOLLOW_CALL` or 0.
///
/// Returns `RINGTRUE_RESULT_WRONG_ORDER` if `placed` is no announcement, is not done, or nothing is to be
/// waited for.
///
/// # Safety
///
/// As for `ringtrue_ring_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_await_answer_begin(
    client: *const ClientHandle,
    placed: SessionHandle,
    flags: u32,
    within_ms: u32,
    time: Time,
    out: *mut SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        let follow = known(flags, types::RINGTRUE_FOLLOW_CALL)? != 0;
        let now = now(time.monotonic_ms, time.unix_ms);
        out.write(client.await_answer(placed, follow, within_ms, now)?);
        Ok(())
    })
}

/// Begins to tell the called side what became of the call that `placed` announced: `state` is
/// `RINGTRUE_CALL_ANSWERED`, or `RINGTRUE_CALL_ENDED` if it ended before it was answered. Call it at that
/// moment: the called side relies on it to tell this call from one that only pretends to be it.
///
/// Returns `RINGTRUE_RESULT_WRONG_ORDER` as `ringtrue_await_answer_begin`, or
/// `RINGTRUE_RESULT_CONFIGURATION_INVALID` for another state.
///
/// # Safety
///
/// As for `ringtrue_ring_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_report_begin(
    client: *const ClientHandle,
    placed: SessionHandle,
    state: u32,
    time: Time,
    out: *mut SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        let now = now(time.monotonic_ms, time.unix_ms);
        out.write(client.report(placed, phase(state)?, now)?);
        Ok(())
    })
}

/// Begins to show the caller who is here, for the call that `ring` verified; only if the user or the
/// device's policy allows it. `state` is `RINGTRUE_CALL_ALERTING` or `RINGTRUE_CALL_ANSWERED`; the second
/// is also the event that the call was answered.
///
/// Returns `RINGTRUE_RESULT_NOT_VERIFIED` without a good verdict, `RINGTRUE_RESULT_RSP_NOT_REQUESTED` if
/// the caller did not ask, `RINGTRUE_RESULT_CONFIGURATION_INVALID` for another state, or
/// `RINGTRUE_RESULT_WRONG_ORDER` if `ring` has no verdict or is no call that rings.
///
/// # Safety
///
/// As for `ringtrue_ring_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_answer_begin(
    client: *const ClientHandle,
    ring: SessionHandle,
    state: u32,
    within_ms: u32,
    time: Time,
    out: *mut SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        let now = now(time.monotonic_ms, time.unix_ms);
        out.write(client.answer(ring, phase(state)?, within_ms, now)?);
        Ok(())
    })
}

/// Begins to publish the own encryption keys, making them first where there are none or their statement
/// is in the last third of its life. At start and then some times a day. `flags`:
/// `RINGTRUE_PUBLISH_ROTATE` or 0.
///
/// # Safety
///
/// As for `ringtrue_ring_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_publish_begin(
    client: *const ClientHandle,
    flags: u32,
    within_ms: u32,
    time: Time,
    out: *mut SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        let mode = match known(flags, types::RINGTRUE_PUBLISH_ROTATE)? {
            0 => PublishMode::Publish,
            _ => PublishMode::Rotate,
        };
        let now = now(time.monotonic_ms, time.unix_ms);
        out.write(client.publish(mode, within_ms, now)?);
        Ok(())
    })
}

/// Begins to learn the keys of a number ahead of a call, so that placing one takes a single request.
///
/// Returns `RINGTRUE_RESULT_MALFORMED_NUMBER` or `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
///
/// # Safety
///
/// As for `ringtrue_ring_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_prefetch_begin(
    client: *const ClientHandle,
    to: Text,
    within_ms: u32,
    time: Time,
    out: *mut SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        // SAFETY: the same contract.
        let to = unsafe { number(to) }?;
        let now = now(time.monotonic_ms, time.unix_ms);
        out.write(client.prefetch(to, within_ms, now)?);
        Ok(())
    })
}

/// Begins to learn the keys of a service's gateway behind the relay, so that a call does not have to wait
/// for them: with a relay, whenever keys are published, for each own service. `service` is a base URL; empty: the key
/// directory. Without a relay the outcome is that nothing was learned.
///
/// Returns `RINGTRUE_RESULT_MALFORMED_URL` or `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
///
/// # Safety
///
/// As for `ringtrue_ring_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_gateway_begin(
    client: *const ClientHandle,
    service: Text,
    within_ms: u32,
    time: Time,
    out: *mut SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        // SAFETY: the same contract.
        let service = unsafe { borrow::text(service, MAX_URL, Reason::MalformedUrl) }?;
        let now = now(time.monotonic_ms, time.unix_ms);
        out.write(client.gateway(service, within_ms, now)?);
        Ok(())
    })
}

/// Begins to fill a wallet with storage tokens, for services that take announcements with tokens only. `of`
/// is a session that is done and used tokens or will: an announcement, a prefetch, an answer. `index` is 0 for
/// its first wallet, and so on until `RINGTRUE_RESULT_WRONG_ORDER` says that there are no more.
///
/// Call it some random minutes after a call, never because somebody is about to dial: the issuer would
/// learn when. The outcome's `count` is how many tokens are in stock.
///
/// Returns `RINGTRUE_RESULT_CLOCK_UNSET` or `RINGTRUE_RESULT_TOO_MANY_SESSIONS`.
///
/// # Safety
///
/// As for `ringtrue_ring_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_refill_begin(
    client: *const ClientHandle,
    of: SessionHandle,
    index: u32,
    within_ms: u32,
    time: Time,
    out: *mut SessionHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let (client, out) = unsafe { (client_of(client)?, Out::new(out)?) };
        let now = now(time.monotonic_ms, time.unix_ms);
        out.write(client.refill(of, index, within_ms, now)?);
        Ok(())
    })
}
