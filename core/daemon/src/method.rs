//! What a client can ask for, and the parameters of each.

use std::time::Duration;

use ringtrue::{CallPhase, Reason};
use ringtrue_stir::json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Code;

/// The longest number, as somebody may write it.
const MAX_NUMBER_OCTETS: usize = 64;

/// The most numbers of one prefetch: what one array may hold.
pub(crate) const MAX_CONTACTS: usize = json::MAX_ARRAY_LEN;

/// The length of a call's name.
pub(crate) const CALL_OCTETS: usize = 32;

/// The longest time that a request about a call that is being set up may take.
pub(crate) const MAX_CALL_DEADLINE: Duration = Duration::from_secs(30);

/// The longest time for anything else.
const MAX_DEADLINE: Duration = Duration::from_secs(600);

/// The longest time over which lookups may be spread.
const MAX_SPAN: Duration = Duration::from_secs(86_400);

/// What can be asked for. [`core::fmt::Debug`] is left out: numbers are in it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Show the caller of an incoming call who is here.
    Answer {
        /// The call.
        call: String,
        /// Whether it only rings so far, or was answered.
        phase: CallPhase,
        /// Not later than.
        deadline: Option<Duration>,
    },
    /// The call was answered.
    Answered {
        /// The call.
        call: String,
    },
    /// Wait for a verdict on a call.
    Await {
        /// The call.
        call: String,
        /// Wait on, after `verified`, for what both sides see.
        confirmed: bool,
        /// Not longer than.
        deadline: Duration,
    },
    /// The call ended.
    Ended {
        /// The call.
        call: String,
    },
    /// Announce a call.
    Place {
        /// The own number that calls; not needed where there is one alone.
        from: Option<String>,
        /// The number that is called.
        to: String,
        /// Whether to ask who answers.
        want_answer: bool,
        /// Whether the call stays when the client goes.
        keep: bool,
        /// Not later than.
        deadline: Option<Duration>,
        /// How long to look for who answers.
        wait: Option<Duration>,
    },
    /// Learn the keys of numbers ahead of calls, in random order and among others.
    Prefetch {
        /// Whose.
        numbers: Vec<String>,
        /// Spread over this time.
        span: Duration,
    },
    /// Publish the own keys.
    Publish {
        /// Whether to make new ones.
        rotate: bool,
        /// Not later than.
        deadline: Option<Duration>,
    },
    /// Ask who can open what is sealed for the own numbers.
    Readers {
        /// Not later than.
        deadline: Option<Duration>,
    },
    /// Verify a call that rings.
    Ring {
        /// The calling number; none if it is withheld.
        from: Option<String>,
        /// The own number that is called; none if that is not known.
        to: Option<String>,
        /// Whether the call stays when the client goes.
        keep: bool,
        /// Not later than.
        deadline: Option<Duration>,
    },
    /// End the daemon.
    Shutdown,
    /// Say how it stands.
    Status,
}

impl Method {
    /// Reads the parameters of the method of this name.
    ///
    /// # Errors
    ///
    /// [`Code::MalformedRequest`], [`Code::UnknownMethod`], [`Code::UnknownCall`]; [`Reason::TooLong`]
    /// for a number.
    pub(crate) fn read(name: &str, params: Value) -> Result<Self, Code> {
        Ok(match name {
            "answer" => {
                let params: AnswerParams = read(params)?;
                Self::Answer {
                    call: call(params.call)?,
                    phase: match params.phase.as_deref() {
                        None | Some("answered") => CallPhase::Answered,
                        Some("alerting") => CallPhase::Alerting,
                        Some(_) => return Err(Code::MalformedRequest),
                    },
                    deadline: within(params.deadline_ms, MAX_CALL_DEADLINE)?,
                }
            }
            "answered" => Self::Answered {
                call: call(read::<CallParams>(params)?.call)?,
            },
            "await" => {
                let params: AwaitParams = read(params)?;
                let deadline = Duration::from_millis(params.deadline_ms);
                if deadline > MAX_DEADLINE {
                    return Err(Code::MalformedRequest);
                }
                Self::Await {
                    call: call(params.call)?,
                    confirmed: params.confirmed,
                    deadline,
                }
            }
            "ended" => Self::Ended {
                call: call(read::<CallParams>(params)?.call)?,
            },
            "place" => {
                let params: PlaceParams = read(params)?;
                Self::Place {
                    from: params.from.map(number).transpose()?,
                    to: number(params.to)?,
                    want_answer: params.want_answer,
                    keep: params.keep,
                    deadline: within(params.deadline_ms, MAX_CALL_DEADLINE)?,
                    wait: within(params.await_ms, MAX_DEADLINE)?,
                }
            }
            "prefetch" => {
                let params: PrefetchParams = read(params)?;
                let span = Duration::from_secs(params.span_s);
                if params.numbers.is_empty()
                    || params.numbers.len() > MAX_CONTACTS
                    || span > MAX_SPAN
                {
                    return Err(Code::MalformedRequest);
                }
                let numbers = params.numbers.into_iter().map(number);
                Self::Prefetch {
                    numbers: numbers.collect::<Result<_, _>>()?,
                    span,
                }
            }
            "publish" => {
                let params: PublishParams = read(params)?;
                Self::Publish {
                    rotate: params.rotate,
                    deadline: within(params.deadline_ms, MAX_DEADLINE)?,
                }
            }
            "readers" => Self::Readers {
                deadline: within(read::<ReadersParams>(params)?.deadline_ms, MAX_DEADLINE)?,
            },
            "ring" => {
                let params: RingParams = read(params)?;
                Self::Ring {
                    from: params.from.map(number).transpose()?,
                    to: params.to.map(number).transpose()?,
                    keep: params.keep,
                    deadline: within(params.deadline_ms, MAX_CALL_DEADLINE)?,
                }
            }
            "shutdown" => {
                read::<NoParams>(params)?;
                Self::Shutdown
            }
            "status" => {
                read::<NoParams>(params)?;
                Self::Status
            }
            _ => return Err(Code::UnknownMethod),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParams {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallParams {
    call: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerParams {
    call: String,
    phase: Option<String>,
    deadline_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AwaitParams {
    call: String,
    #[serde(default)]
    confirmed: bool,
    deadline_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceParams {
    from: Option<String>,
    to: String,
    #[serde(default = "yes")]
    want_answer: bool,
    #[serde(default)]
    keep: bool,
    deadline_ms: Option<u64>,
    await_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrefetchParams {
    numbers: Vec<String>,
    #[serde(default)]
    span_s: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishParams {
    #[serde(default)]
    rotate: bool,
    deadline_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadersParams {
    deadline_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RingParams {
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    keep: bool,
    deadline_ms: Option<u64>,
}

const fn yes() -> bool {
    true
}

/// The parameters of one method. What serde says about them may quote a number, so it is not told.
fn read<T: DeserializeOwned>(params: Value) -> Result<T, Code> {
    // Serde would read an array as an object's members in their order.
    if !params.is_object() {
        return Err(Code::MalformedRequest);
    }
    serde_json::from_value(params).map_err(|_| Code::MalformedRequest)
}

/// A number as it is written; what it means, the endpoint knows.
fn number(text: String) -> Result<String, Code> {
    if text.len() <= MAX_NUMBER_OCTETS {
        Ok(text)
    } else {
        Err(Reason::TooLong.into())
    }
}

/// The name of a call, as the daemon gave it.
pub(crate) fn call(text: String) -> Result<String, Code> {
    let is_name = text.len() == CALL_OCTETS
        && text
            .bytes()
            .all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'));
    if is_name {
        Ok(text)
    } else {
        Err(Code::UnknownCall)
    }
}

/// A time of at least a millisecond and at most `longest`.
pub(crate) fn within(ms: Option<u64>, longest: Duration) -> Result<Option<Duration>, Code> {
    match ms.map(Duration::from_millis) {
        None => Ok(None),
        Some(time) if !time.is_zero() && time <= longest => Ok(Some(time)),
        Some(_) => Err(Code::MalformedRequest),
    }
}
