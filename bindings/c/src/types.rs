//! The structures that cross the interface, as C sees them. Plain data: whoever fills them in or reads
//! through their pointers is in [`crate::abi`].

use core::ffi::c_char;

/// The version of this interface: the major version times 65536, plus the minor version. A program that
/// was compiled with one minor version works with every later one of the same major version.
pub const RINGTRUE_ABI_VERSION: u32 = 0x0001_0000;

/// Send the request `http`. Answer with `ringtrue_input_response`, or `ringtrue_input_failure`.
pub const RINGTRUE_ACTION_HTTP: u32 = 1;
/// Sign with the credential's key. Answer with `ringtrue_input_signature`, or `ringtrue_input_failure`.
pub const RINGTRUE_ACTION_SIGN: u32 = 2;
/// Plain ECDH with the encryption key. Answer with `ringtrue_input_agreement`, or
/// `ringtrue_input_failure`.
pub const RINGTRUE_ACTION_AGREE: u32 = 3;
/// Read a record. Answer with `ringtrue_input_loaded`, or `ringtrue_input_failure`.
pub const RINGTRUE_ACTION_LOAD: u32 = 4;
/// Write a record if it still holds what is expected, durably and in one step. Answer with
/// `ringtrue_input_stored`, or `ringtrue_input_failure`.
pub const RINGTRUE_ACTION_STORE: u32 = 5;
/// Make a mark that must not exist yet, durably and in one step. Answer with `ringtrue_input_claimed`,
/// or `ringtrue_input_failure`.
pub const RINGTRUE_ACTION_CLAIM: u32 = 6;
/// Nothing to start: ask again at `until_ms`, or when an answer was given, whichever is first.
pub const RINGTRUE_ACTION_WAIT: u32 = 7;
/// There is a verdict, or another one: `ringtrue_session_verdict`. Ask again then, the session goes on.
pub const RINGTRUE_ACTION_REPORT: u32 = 8;
/// The end. What was not answered need not be.
pub const RINGTRUE_ACTION_DONE: u32 = 9;

/// Roles of requests. Use connections and TLS sessions for one role only: a service must not be able to
/// join what the protocol keeps apart. Reading what is the same for everybody.
pub const RINGTRUE_ROLE_CONFIGURATION: u32 = 1;
/// Getting storage tokens from their issuer.
pub const RINGTRUE_ROLE_ISSUE: u32 = 2;
/// Reading another party's keys.
pub const RINGTRUE_ROLE_LOOKUP: u32 = 3;
/// Publishing own keys.
pub const RINGTRUE_ROLE_PUBLISH: u32 = 4;
/// Reading the own mailbox.
pub const RINGTRUE_ROLE_RETRIEVE: u32 = 5;
/// Leaving something for another party.
pub const RINGTRUE_ROLE_STORE: u32 = 6;

/// The device clock is not set: nothing can be judged fresh.
pub const RINGTRUE_VERDICT_CLOCK_UNSET: u32 = 1;
/// Good evidence that another fact contradicts. Show as unverified, with a warning.
pub const RINGTRUE_VERDICT_CONFLICTING: u32 = 2;
/// Verified, and both sides see the same call.
pub const RINGTRUE_VERDICT_CONFIRMED: u32 = 3;
/// Nothing names this call. Not a sign of fraud.
pub const RINGTRUE_VERDICT_NO_RECORD: u32 = 4;
/// Something named this call and failed a check.
pub const RINGTRUE_VERDICT_REFUSED: u32 = 5;
/// The service could not be asked in time.
pub const RINGTRUE_VERDICT_UNAVAILABLE: u32 = 6;
/// The other side is who it says.
pub const RINGTRUE_VERDICT_VERIFIED: u32 = 7;

/// Steps of verification, in their order.
pub const RINGTRUE_CHECK_PPT: u32 = 1;
/// `orig` is the calling number.
pub const RINGTRUE_CHECK_ORIG: u32 = 2;
/// The signer's certificate leads to an anchor.
pub const RINGTRUE_CHECK_CREDENTIAL: u32 = 3;
/// The signer may speak for the number.
pub const RINGTRUE_CHECK_AUTHORITY: u32 = 4;
/// The time is inside the window.
pub const RINGTRUE_CHECK_FRESHNESS: u32 = 5;
/// The signature holds.
pub const RINGTRUE_CHECK_SIGNATURE: u32 = 6;
/// `dest` is the called number.
pub const RINGTRUE_CHECK_DEST: u32 = 7;
/// It was not used before.
pub const RINGTRUE_CHECK_REPLAY: u32 = 8;
/// Nothing else contradicts.
pub const RINGTRUE_CHECK_STATE: u32 = 9;

/// The step holds.
pub const RINGTRUE_CHECK_PASSED: u32 = 1;
/// The step does not hold.
pub const RINGTRUE_CHECK_FAILED: u32 = 2;
/// An earlier step failed.
pub const RINGTRUE_CHECK_NOT_REACHED: u32 = 3;

/// States of a call, in reports and in events. The called telephone rings.
pub const RINGTRUE_CALL_ALERTING: u32 = 1;
/// The call was answered.
pub const RINGTRUE_CALL_ANSWERED: u32 = 2;
/// The call ended; in a report, before it was answered.
pub const RINGTRUE_CALL_ENDED: u32 = 3;

/// For `ringtrue_place_begin`: ask the called side to show who answers. Needs published keys.
pub const RINGTRUE_PLACE_WANT_ANSWER: u32 = 1;
/// For `ringtrue_place_begin`: ask the key directory even if keys are at hand.
pub const RINGTRUE_PLACE_FRESH_KEYS: u32 = 2;
/// For `ringtrue_ring_begin` and `ringtrue_await_answer_begin`: go on until the call ends
/// (`ringtrue_session_event`), and report when the verdict changes.
pub const RINGTRUE_FOLLOW_CALL: u32 = 1;
/// For `ringtrue_publish_begin`: make new keys; the ones before still open what is sealed to them.
pub const RINGTRUE_PUBLISH_ROTATE: u32 = 1;

/// Certificate profiles: RFC 8226 and RFC 9060 as they stand.
pub const RINGTRUE_PROFILE_STIR: u32 = 1;
/// Service providers' certificates as they are in use (ATIS-1000080).
pub const RINGTRUE_PROFILE_SHAKEN: u32 = 2;
/// Endpoints' certificates: every issuer below the anchor must state its scope.
pub const RINGTRUE_PROFILE_DELEGATE: u32 = 3;

/// Forms of a signature: a DER `ECDSA-Sig-Value`.
pub const RINGTRUE_SIGNATURE_DER: u32 = 1;
/// r then s, 32 octets each.
pub const RINGTRUE_SIGNATURE_RAW: u32 = 2;

/// How far an address reaches: the public internet.
pub const RINGTRUE_REACH_PUBLIC: u32 = 1;
/// Private, shared and unique-local addresses.
pub const RINGTRUE_REACH_PRIVATE: u32 = 2;
/// This machine.
pub const RINGTRUE_REACH_LOOPBACK: u32 = 3;
/// No place for a connection: link-local, multicast, reserved and the like.
pub const RINGTRUE_REACH_NEVER: u32 = 4;

/// The most reasons that a structure holds. The most telling are first; no session finds as many.
pub const RINGTRUE_MAX_REASONS: usize = 24;
/// The number of steps of verification.
pub const RINGTRUE_MAX_CHECKS: usize = 9;
/// The room for a number: 15 characters and a zero octet.
pub const RINGTRUE_NUMBER_SIZE: usize = 16;

/// `RINGTRUE_RESULT_…`.
pub type ResultCode = u32;

/// Names a session of one client. 0 names none. After the session was freed it names nothing ever again.
pub type SessionHandle = u64;

/// Text: UTF-8, with its length, not terminated. NULL and 0 is the empty text.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    /// Where it begins.
    pub data: *const c_char,
    /// How many octets it has.
    pub len: usize,
}

/// Octets with their number. NULL and 0 is none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Octets {
    /// Where they begin.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
}

/// The time as the host knows it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Time {
    /// Milliseconds on a clock that never goes back (CLOCK_MONOTONIC). Deadlines and waits are on it.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970-01-01 00:00 UTC; 0 as long as nobody has set the clock.
    pub unix_ms: u64,
}

/// What a client is made from. Everything is copied. Fill it with zeros first, then set `size` and
/// `abi_version` and what is needed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Config {
    /// `sizeof(ringtrue_config)`.
    pub size: usize,
    /// `RINGTRUE_ABI_VERSION`.
    pub abi_version: u32,
    /// 1: services may be asked directly, without a relay. They then see the address of this device
    /// together with the numbers that it calls and is called at. Needed where `relay` is empty.
    pub allow_direct: u32,
    /// The own telephone numbers: 1 to 32. Global (`+12025550143`), or as `country_code` says.
    pub numbers: *const Text,
    /// How many there are.
    pub numbers_len: usize,
    /// Base URLs of the own placement services, in order of preference: 1 to 4.
    pub services: *const Text,
    /// How many there are.
    pub services_len: usize,
    /// Base URL of the key directory; empty: the first service.
    pub directory: Text,
    /// Base URL of the service where every announcement is left; empty: where the called side looks.
    pub placement: Text,
    /// Base URL of the relay; empty: none.
    pub relay: Text,
    /// How numbers are written here, for all that are given, as a line delivers them: the country code (`1`,
    /// `44`). Empty: all are global, and nothing is guessed.
    pub country_code: Text,
    /// With a country code: what precedes a national number (`0`, `1`); empty if nothing does.
    pub trunk_prefix: Text,
    /// With a country code: what precedes one when dialling abroad (`00`, `011`).
    pub international_prefix: Text,
    /// With a country code: how many digits national numbers have that come without the trunk prefix (10 in
    /// North America); 0 where that does not occur.
    pub national_digits: u32,
    /// The issuer whose storage tokens the own services want of callers, by the authority of its base URL;
    /// empty: they want none.
    pub token_issuer: Text,
    /// The STI roots that are believed, PEM, at most 256 KiB.
    pub anchors_pem: Text,
    /// The own STIR certificate chain, PEM, signer first; empty: this client only verifies.
    pub credential_chain_pem: Text,
    /// Where others find that chain: an https URL.
    pub credential_x5u: Text,
    /// The credential's private key, PKCS#8 PEM, for devices that keep it in a file: signatures are made
    /// inside and no SIGN action comes. Empty: the host signs.
    pub credential_key_pem: Text,
    /// The public half of a P-256 key-agreement key in hardware, 65 octets (04, X, Y): AGREE actions come.
    /// Empty: encryption keys are made here and kept in the host's records, sealed.
    pub agreement_public_key: Octets,
    /// 32 secret octets that seal the records: from `ringtrue_random`, once, then kept by the host apart
    /// from the records. With other octets the client does not understand its records and begins anew.
    pub state_key: Octets,
    /// The most sessions at one time, 1 to 64; 0: 8.
    pub max_sessions: u32,
    /// The most blobs of one answer that are tried, at most 256; 0: 22. With `max_answer_octets` this
    /// bounds the memory of a session.
    pub max_blobs: u32,
    /// The most octets of one answer, at most 1572864; 0: 120832. A mailbox that holds more is as good as
    /// out of reach.
    pub max_answer_octets: u32,
    /// Within how many milliseconds a verdict is due; 0: 2500. Adapters that delay the ring take 1500.
    pub ring_deadline_ms: u32,
    /// Within how many milliseconds a call is announced; 0: 1500.
    pub place_deadline_ms: u32,
    /// Within how many milliseconds an answer, or a report, is stored; 0: 2500.
    pub answer_deadline_ms: u32,
    /// For how many milliseconds the called side's answer is waited for; 0: 30000.
    pub await_answer_ms: u32,
    /// Within how many milliseconds keys are published or looked up; 0: 10000.
    pub directory_deadline_ms: u32,
    /// The certificate profile that signers are held to: `RINGTRUE_PROFILE_…`; 0: STIR.
    pub profile: u32,
    /// 1: no random delay, of 400 ms at most, before something is stored. The delay keeps whoever watches
    /// both telephone and network from joining the two by the time; tests want none.
    pub no_store_jitter: u32,
}

/// A header field of a request or an answer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Header {
    /// Its name; in requests in lower case.
    pub name: Text,
    /// Its value.
    pub value: Text,
}

/// A request, to be sent as it is: TLS 1.3, no redirects followed, no cookies, no compression asked for, no
/// header added that tells one device from another.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Http {
    /// `GET`, `POST` or `PUT`.
    pub method: Text,
    /// The https URL.
    pub url: Text,
    /// The header fields.
    pub headers: *const Header,
    /// How many there are.
    pub headers_len: usize,
    /// The body; empty if there is none.
    pub body: Octets,
    /// Stop reading the answer's body beyond this and answer with `RINGTRUE_RESULT_ANSWER_TOO_LARGE`.
    pub max_answer_octets: usize,
    /// `RINGTRUE_ROLE_…`: which connections to use.
    pub role: u32,
}

/// A record to read, write or mark.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Record {
    /// Its name: at most 64 characters out of `A-Z a-z 0-9 - _`, good as a file name. Says nothing.
    pub name: Text,
    /// STORE: what to write. Says nothing without the state key.
    pub value: Octets,
    /// STORE: what the record must hold now, octet for octet.
    pub expected: Octets,
    /// STORE: 0 if the record must not exist, 1 if it must hold `expected`.
    pub must_exist: u32,
    /// CLAIM: the mark may be forgotten after this time, seconds since 1970.
    pub expires_unix_s: u64,
}

/// What to do next. Only the members of its kind are set. Pointers are good until the next call with the
/// same session, except that `ringtrue_session_verdict` and `ringtrue_session_outcome` leave them alone.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Action {
    /// `RINGTRUE_ACTION_…`.
    pub kind: u32,
    /// Goes back with the answer. Actions may be performed at the same time and answered in any order.
    pub id: u32,
    /// WAIT: when to ask again. HTTP: when to give up with `RINGTRUE_RESULT_DEADLINE_PASSED`. On the
    /// host's monotonic clock; UINT64_MAX is never.
    pub until_ms: u64,
    /// HTTP.
    pub http: Http,
    /// SIGN: what the signature (ECDSA with P-256) is over.
    pub message: Octets,
    /// SIGN: the SHA-256 of the message, for key stores that take that: hash no further then.
    pub digest: Octets,
    /// AGREE: the other point, 65 octets, checked to be on the curve.
    pub peer: Octets,
    /// LOAD, STORE, CLAIM.
    pub record: Record,
}

/// A step of verification.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Check {
    /// `RINGTRUE_CHECK_PPT` to `RINGTRUE_CHECK_STATE`.
    pub check: u32,
    /// `RINGTRUE_CHECK_PASSED`, `_FAILED` or `_NOT_REACHED`.
    pub result: u32,
    /// Why it failed, else 0.
    pub reason: u32,
}

/// Who is at the other end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Verdict {
    /// `RINGTRUE_VERDICT_…`.
    pub verdict: u32,
    /// 1 if the person may be told that the other side is who it says, else 0.
    pub is_good: u32,
    /// How many reasons there are.
    pub reasons_len: u32,
    /// Why, as `RINGTRUE_RESULT_…`, the most telling first.
    pub reasons: [u32; RINGTRUE_MAX_REASONS],
    /// How many steps are listed: 9 or none.
    pub checks_len: u32,
    /// The steps on the statement that decided, in order.
    pub checks: [Check; RINGTRUE_MAX_CHECKS],
    /// The calling number, digits, terminated; empty if it is withheld. As signalling gave it.
    pub orig: [c_char; RINGTRUE_NUMBER_SIZE],
    /// The called number, digits, terminated; empty if it is not known which of the own ones it is.
    pub dest: [c_char; RINGTRUE_NUMBER_SIZE],
    /// How many blobs came, dummies included.
    pub blobs_received: u32,
    /// How many of them an own key opened.
    pub blobs_opened: u32,
    /// Ring: 1 if the caller asked to know who answers (`ringtrue_answer_begin`).
    pub wants_answer: u32,
    /// Await answer: what the called side says of its call, `RINGTRUE_CALL_…`; 0 if nothing.
    pub other_state: u32,
}

/// What came of a session other than a verdict.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Outcome {
    /// 1 if what was wanted was done: announced, answered, reported, published, learned, filled. A call that could
    /// not be announced is dialled all the same.
    pub done: u32,
    /// Place: copies that are stored. Report: services that hold it. Publish: own numbers whose entry is
    /// current. Prefetch: parties that can read what is sealed for the number. Gateway: 1 if its keys are at
    /// hand. Refill: tokens in stock.
    pub count: u32,
    /// Answer: 1 if the caller had given up; its call is not the one that was answered.
    pub caller_gone: u32,
    /// Publish: 1 if new keys were made.
    pub rotated: u32,
    /// Publish: when the statement expires, seconds since 1970. Publish again before.
    pub expires_unix_s: u64,
    /// How many reasons there are.
    pub reasons_len: u32,
    /// Why not, or what else is worth knowing, as `RINGTRUE_RESULT_…`.
    pub reasons: [u32; RINGTRUE_MAX_REASONS],
}
