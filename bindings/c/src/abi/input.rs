//! Feeding back what came of actions.

use ringtrue_oob::http::HttpResponse;
use ringtrue_session::Saved;
use ringtrue_stir::crypto::DeviceSignature;
use ringtrue_stir::{Kind, Reason};
use zeroize::Zeroizing;

use super::borrow;
use super::client::{ClientHandle, borrow as client_of};
use super::guard;
use crate::code::Code;
use crate::configuration::now;
use crate::live_session::{Answer, MAX_RECORD_OCTETS};
use crate::types::{self, Header, Octets, ResultCode, SessionHandle, Time};

/// The largest answer that any configuration allows.
const MAX_BODY: usize = 1_572_864;

/// More fields than any service sends.
const MAX_HEADERS: usize = 1024;

/// Fields that are longer say nothing to a session, and are left out.
const MAX_HEADER_OCTETS: usize = 8192;

/// What a signature or an agreement never exceeds.
const MAX_KEY_ANSWER: usize = 256;

/// Answers an HTTP action: status, header fields, body without transfer coding. Whatever the status:
/// errors of the service are the session's business.
///
/// Returns `RINGTRUE_RESULT_ANSWER_TOO_LARGE` for a body beyond the action's limit; the session takes that
/// as a failure. `RINGTRUE_RESULT_EVENT_UNEXPECTED` if no such action is open; so do all functions below.
///
/// # Safety
///
/// Pointers are NULL, or lead to a client and to as much as their lengths say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_input_response(
    client: *const ClientHandle,
    session: SessionHandle,
    action: u32,
    status: u32,
    headers: *const Header,
    headers_len: usize,
    body: Octets,
    time: Time,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let client = unsafe { client_of(client) }?;
        let now = now(time.monotonic_ms, time.unix_ms);
        let too_large = Code::from(Reason::AnswerTooLarge);
        // SAFETY: the same contract.
        let body = match unsafe { borrow::octets(body, MAX_BODY) } {
            Err(code) if code == Reason::TooLong.into() => {
                client.input(
                    session,
                    action,
                    Answer::Failure(Reason::AnswerTooLarge),
                    now,
                )?;
                return Err(too_large);
            }
            other => other?,
        };
        // SAFETY: the same contract.
        let fields = unsafe { borrow::array(headers, headers_len, MAX_HEADERS) }?;
        let owned = |text| {
            // SAFETY: the same contract.
            let read = unsafe { borrow::text(text, MAX_HEADER_OCTETS, Reason::MalformedAnswer) };
            read.ok().map(str::to_owned)
        };
        let status = u16::try_from(status).ok();
        let status = status.filter(|status| (100..=599).contains(status));
        let response = HttpResponse {
            status: status.ok_or(Code::UNKNOWN)?,
            headers: fields
                .iter()
                .filter_map(|field| Some((owned(field.name)?, owned(field.value)?)))
                .collect(),
            body: body.to_vec(),
        };
        client.input(session, action, Answer::Response(response), now)
    })
}

/// Answers a SIGN action. `form` is `RINGTRUE_SIGNATURE_DER` or `RINGTRUE_SIGNATURE_RAW`. A signature that
/// is not by the credential's key ends the session with `RINGTRUE_RESULT_SIGNER_FAILED` or the like.
///
/// # Safety
///
/// Pointers are NULL, or lead to a client and to as much as their lengths say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_input_signature(
    client: *const ClientHandle,
    session: SessionHandle,
    action: u32,
    form: u32,
    signature: Octets,
    time: Time,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let client = unsafe { client_of(client) }?;
        // SAFETY: the same contract.
        let octets = unsafe { borrow::octets(signature, MAX_KEY_ANSWER) }?.to_vec();
        let signature = match form {
            types::RINGTRUE_SIGNATURE_DER => DeviceSignature::Der(octets),
            types::RINGTRUE_SIGNATURE_RAW => DeviceSignature::Raw(octets),
            _ => return Err(Code::UNKNOWN),
        };
        let now = now(time.monotonic_ms, time.unix_ms);
        client.input(session, action, Answer::Signature(signature), now)
    })
}

/// Answers an AGREE action: the X coordinate, 32 octets, without any key derivation.
///
/// # Safety
///
/// Pointers are NULL, or lead to a client and to as much as their lengths say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_input_agreement(
    client: *const ClientHandle,
    session: SessionHandle,
    action: u32,
    shared: Octets,
    time: Time,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let client = unsafe { client_of(client) }?;
        // SAFETY: the same contract.
        let shared = unsafe { borrow::octets(shared, MAX_KEY_ANSWER) }?;
        let shared = Zeroizing::new(shared.to_vec());
        let now = now(time.monotonic_ms, time.unix_ms);
        client.input(session, action, Answer::Agreement(shared), now)
    })
}

/// Answers a LOAD action: `exists` is 1 and `value` what the record holds, or 0 if there is none.
///
/// Returns `RINGTRUE_RESULT_TOO_LONG` for more than any session writes; the session takes that as a store
/// that failed.
///
/// # Safety
///
/// Pointers are NULL, or lead to a client and to as much as their lengths say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_input_loaded(
    client: *const ClientHandle,
    session: SessionHandle,
    action: u32,
    exists: u32,
    value: Octets,
    time: Time,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let client = unsafe { client_of(client) }?;
        let now = now(time.monotonic_ms, time.unix_ms);
        if !yes(exists)? {
            return client.input(session, action, Answer::Loaded(None), now);
        }
        // SAFETY: the same contract.
        match unsafe { borrow::octets(value, MAX_RECORD_OCTETS) } {
            Err(code) if code == Reason::TooLong.into() => {
                let failed = Answer::Failure(Reason::StateUnavailable);
                client.input(session, action, failed, now)?;
                Err(code)
            }
            value => {
                let value = Zeroizing::new(value?.to_vec());
                client.input(session, action, Answer::Loaded(Some(value)), now)
            }
        }
    })
}

/// Answers a STORE action: `written` is 1 if it was written and will survive a power cut, 0 if the record
/// did not hold what was expected.
///
/// # Safety
///
/// `client` is NULL or leads to a client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_input_stored(
    client: *const ClientHandle,
    session: SessionHandle,
    action: u32,
    written: u32,
    time: Time,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let client = unsafe { client_of(client) }?;
        let saved = if yes(written)? {
            Saved::Written
        } else {
            Saved::Changed
        };
        let now = now(time.monotonic_ms, time.unix_ms);
        client.input(session, action, Answer::Stored(saved), now)
    })
}

/// Answers a CLAIM action: `first` is 1 if the mark was made now and will survive a power cut, 0 if it was
/// there.
///
/// # Safety
///
/// `client` is NULL or leads to a client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_input_claimed(
    client: *const ClientHandle,
    session: SessionHandle,
    action: u32,
    first: u32,
    time: Time,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let client = unsafe { client_of(client) }?;
        let now = now(time.monotonic_ms, time.unix_ms);
        client.input(session, action, Answer::Claimed(yes(first)?), now)
    })
}

/// Answers any action that could not be performed. `code` says why: `RINGTRUE_RESULT_SERVICE_UNREACHABLE`,
/// `_TLS_FAILED`, `_ANSWER_TOO_LARGE`, `_REDIRECTED`, `_ADDRESS_NOT_ALLOWED` or `_DEADLINE_PASSED` for HTTP,
/// `_SIGNER_FAILED`, `_KEY_AGREEMENT_FAILED`, `_STATE_UNAVAILABLE` for the others; it ends up among the
/// reasons. Any code from 5000 to 5999 is taken.
///
/// # Safety
///
/// `client` is NULL or leads to a client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_input_failure(
    client: *const ClientHandle,
    session: SessionHandle,
    action: u32,
    code: u32,
    time: Time,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let client = unsafe { client_of(client) }?;
        let reason = Reason::from_number(code).ok_or(Code::UNKNOWN)?;
        if reason.kind() != Kind::Unavailable {
            return Err(Code::UNKNOWN);
        }
        let now = now(time.monotonic_ms, time.unix_ms);
        client.input(session, action, Answer::Failure(reason), now)
    })
}

/// # Errors
///
/// [`Code::UNKNOWN`] for a number that is neither yes nor no.
const fn yes(number: u32) -> Result<bool, Code> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Code::UNKNOWN),
    }
}
