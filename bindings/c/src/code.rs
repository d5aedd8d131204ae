//! What functions of the interface return: 0, a reason of the registry, or a code of this interface's own.

use ringtrue_session::Verdict;
use ringtrue_stir::Reason;

use crate::types;

/// It was done.
pub const RINGTRUE_RESULT_OK: u32 = 0;
/// A pointer that must not be NULL is NULL, or a length does not go with its pointer.
pub const RINGTRUE_RESULT_NULL_ARGUMENT: u32 = 9001;
/// The client was freed, or the session was, or it is another client's: nothing was touched.
pub const RINGTRUE_RESULT_STALE_HANDLE: u32 = 9002;
/// Right for another kind of session or at another time: the verdict of a session that has none yet, an
/// answer to a call that is not verified, a call event for a publication.
pub const RINGTRUE_RESULT_WRONG_ORDER: u32 = 9003;
/// The client has as many sessions as its configuration allows. Free one.
pub const RINGTRUE_RESULT_TOO_MANY_SESSIONS: u32 = 9004;
/// The program was compiled with a header of another major version than this library's.
pub const RINGTRUE_RESULT_VERSION_MISMATCH: u32 = 9005;
/// Another thread is using this session now. One thread at a time may.
pub const RINGTRUE_RESULT_BUSY: u32 = 9006;
/// A constant that this interface does not define: a flag, a state, a form, a code of a failure.
pub const RINGTRUE_RESULT_UNKNOWN_VALUE: u32 = 9007;

/// Why a function did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) u32);

impl From<Reason> for Code {
    fn from(reason: Reason) -> Self {
        Self(reason.number())
    }
}

impl Code {
    pub(crate) const NULL: Self = Self(RINGTRUE_RESULT_NULL_ARGUMENT);
    pub(crate) const STALE: Self = Self(RINGTRUE_RESULT_STALE_HANDLE);
    pub(crate) const ORDER: Self = Self(RINGTRUE_RESULT_WRONG_ORDER);
    pub(crate) const FULL: Self = Self(RINGTRUE_RESULT_TOO_MANY_SESSIONS);
    pub(crate) const VERSION: Self = Self(RINGTRUE_RESULT_VERSION_MISMATCH);
    pub(crate) const BUSY: Self = Self(RINGTRUE_RESULT_BUSY);
    pub(crate) const UNKNOWN: Self = Self(RINGTRUE_RESULT_UNKNOWN_VALUE);
}

/// The stable names of the codes of this interface, as those of the registry are.
const OWN: [(u32, &str); 8] = [
    (RINGTRUE_RESULT_OK, "ok"),
    (RINGTRUE_RESULT_NULL_ARGUMENT, "null_argument"),
    (RINGTRUE_RESULT_STALE_HANDLE, "stale_handle"),
    (RINGTRUE_RESULT_WRONG_ORDER, "wrong_order"),
    (RINGTRUE_RESULT_TOO_MANY_SESSIONS, "too_many_sessions"),
    (RINGTRUE_RESULT_VERSION_MISMATCH, "version_mismatch"),
    (RINGTRUE_RESULT_BUSY, "busy"),
    (RINGTRUE_RESULT_UNKNOWN_VALUE, "unknown_value"),
];

/// The stable name of a code; `unknown` for a number that is none.
pub(crate) fn name(code: u32) -> &'static str {
    let own = OWN.iter().find(|(number, _)| *number == code);
    match own {
        Some((_, name)) => name,
        None => Reason::from_number(code).map_or("unknown", Reason::name),
    }
}

/// The verdicts with their numbers.
const VERDICTS: [(u32, Verdict); 7] = [
    (types::RINGTRUE_VERDICT_CLOCK_UNSET, Verdict::ClockUnset),
    (types::RINGTRUE_VERDICT_CONFLICTING, Verdict::Conflicting),
    (types::RINGTRUE_VERDICT_CONFIRMED, Verdict::Confirmed),
    (types::RINGTRUE_VERDICT_NO_RECORD, Verdict::NoRecord),
    (types::RINGTRUE_VERDICT_REFUSED, Verdict::Refused),
    (types::RINGTRUE_VERDICT_UNAVAILABLE, Verdict::Unavailable),
    (types::RINGTRUE_VERDICT_VERIFIED, Verdict::Verified),
];

/// The number of a verdict; one of a later version is told as one that gives no assurance.
pub(crate) fn verdict_number(verdict: Verdict) -> u32 {
    let known = VERDICTS.iter().find(|(_, known)| *known == verdict);
    known.map_or(types::RINGTRUE_VERDICT_UNAVAILABLE, |(number, _)| *number)
}

/// The stable name of a verdict; `unknown` for a number that is none.
pub(crate) fn verdict_name(number: u32) -> &'static str {
    let known = VERDICTS.iter().find(|(known, _)| *known == number);
    known.map_or("unknown", |(_, verdict)| verdict.name())
}
