//! One line from a client: what is asked for. `docs/daemon.md` has the contract.
//!
//! Reading is strict: a member that nobody knows, a repeated one or one of another type is refused, so
//! that a client's mistake shows at once. Nothing is looked up or checked against a call here.

use std::time::Duration;

use ringtrue::{CallPhase, Reason};
use ringtrue_stir::json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Code;

/// The version of the protocol.
pub const VERSION: u64 = 1;

/// The longest line, without its end. The longest request is a prefetch of 64 numbers, below 2 KiB.
pub const MAX_LINE_OCTETS: usize = 8192;

/// The longest identifier of a request.
const MAX_ID_OCTETS: usize = 64;

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

/// How a client names a request; the response has the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Id {
    /// It did not, or it could not be read: `null` in the response.
    #[default]
    None,
    /// An integer.
    Number(u64),
    /// A string of at most 64 octets.
    Text(String),
}

impl Id {
    fn of(value: Option<&Value>) -> Option<Self> {
        match value {
            None | Some(Value::Null) => Some(Self::None),
            Some(Value::Number(number)) => number.as_u64().map(Self::Number),
            Some(Value::String(text)) if text.len() <= MAX_ID_OCTETS => {
                Some(Self::Text(text.clone()))
            }
            Some(_) => None,
        }
    }
}

impl From<&Id> for Value {
    fn from(id: &Id) -> Self {
        match id {
            Id::None => Self::Null,
            Id::Number(number) => Self::from(*number),
            Id::Text(text) => Self::from(text.as_str()),
        }
    }
}

/// A request that cannot be performed, with what is known of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The request's name, as far as it could be read.
    pub id: Id,
    /// Why.
    pub code: Code,
}

/// One request.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What the client calls it.
    pub id: Id,
    /// What is asked for.
    pub method: Method,
}

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

impl Request {
    /// Reads one line, without its end.
    ///
    /// # Errors
    ///
    /// With what could be read of the request's name: [`Reason::TooLong`] beyond [`MAX_LINE_OCTETS`];
    /// [`Reason::MalformedJson`], [`Reason::DuplicateMember`], [`Reason::TooDeep`];
    /// [`Code::MalformedRequest`], [`Code::UnsupportedVersion`], [`Code::UnknownMethod`].
    pub fn parse(line: &[u8]) -> Result<Self, Refusal> {
        let refused = |code| Refusal { id: Id::None, code };
        let value = json::parse(line, MAX_LINE_OCTETS).map_err(|reason| refused(reason.into()))?;
        let Value::Object(mut members) = value else {
            return Err(refused(Code::MalformedRequest));
        };
        let id =
            Id::of(members.remove("id").as_ref()).ok_or_else(|| refused(Code::MalformedRequest))?;
        match method(&mut members) {
            Ok(method) => Ok(Self { id, method }),
            Err(code) => Err(Refusal { id, code }),
        }
    }
}

fn method(members: &mut Map<String, Value>) -> Result<Method, Code> {
    match members.remove("v") {
        None => {}
        Some(Value::Number(version)) if version.as_u64() == Some(VERSION) => {}
        Some(Value::Number(_)) => return Err(Code::UnsupportedVersion),
        Some(_) => return Err(Code::MalformedRequest),
    }
    let Some(Value::String(name)) = members.remove("method") else {
        return Err(Code::MalformedRequest);
    };
    let params = match members.remove("params") {
        None => Value::Object(Map::new()),
        Some(params) => params,
    };
    if !members.is_empty() {
        return Err(Code::MalformedRequest);
    }
    Ok(match name.as_str() {
        "answer" => {
            let params: AnswerParams = read(params)?;
            Method::Answer {
                call: call(params.call)?,
                phase: match params.phase.as_deref() {
                    None | Some("answered") => CallPhase::Answered,
                    Some("alerting") => CallPhase::Alerting,
                    Some(_) => return Err(Code::MalformedRequest),
                },
                deadline: within(params.deadline_ms, MAX_CALL_DEADLINE)?,
            }
        }
        "answered" => Method::Answered {
            call: call(read::<CallParams>(params)?.call)?,
        },
        "await" => {
            let params: AwaitParams = read(params)?;
            let deadline = Duration::from_millis(params.deadline_ms);
            if deadline > MAX_DEADLINE {
                return Err(Code::MalformedRequest);
            }
            Method::Await {
                call: call(params.call)?,
                confirmed: params.confirmed,
                deadline,
            }
        }
        "ended" => Method::Ended {
            call: call(read::<CallParams>(params)?.call)?,
        },
        "place" => {
            let params: PlaceParams = read(params)?;
            Method::Place {
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
            if params.numbers.is_empty() || params.numbers.len() > MAX_CONTACTS || span > MAX_SPAN {
                return Err(Code::MalformedRequest);
            }
            let numbers = params.numbers.into_iter().map(number);
            Method::Prefetch {
                numbers: numbers.collect::<Result<_, _>>()?,
                span,
            }
        }
        "publish" => {
            let params: PublishParams = read(params)?;
            Method::Publish {
                rotate: params.rotate,
                deadline: within(params.deadline_ms, MAX_DEADLINE)?,
            }
        }
        "readers" => Method::Readers {
            deadline: within(read::<ReadersParams>(params)?.deadline_ms, MAX_DEADLINE)?,
        },
        "ring" => {
            let params: RingParams = read(params)?;
            Method::Ring {
                from: params.from.map(number).transpose()?,
                to: params.to.map(number).transpose()?,
                keep: params.keep,
                deadline: within(params.deadline_ms, MAX_CALL_DEADLINE)?,
            }
        }
        "shutdown" => {
            read::<NoParams>(params)?;
            Method::Shutdown
        }
        "status" => {
            read::<NoParams>(params)?;
            Method::Status
        }
        _ => return Err(Code::UnknownMethod),
    })
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ringtrue::Reason;

    use super::{Id, MAX_LINE_OCTETS, Method, Request};
    use crate::Code;

    fn refused(line: &str) -> (Id, Code) {
        match Request::parse(line.as_bytes()) {
            Ok(_) => panic!("accepted: {line}"),
            Err(refusal) => (refusal.id, refusal.code),
        }
    }

    #[test]
    fn a_request_is_read_with_its_name_and_its_defaults() {
        let line = br#"{"v":1,"id":7,"method":"ring","params":{"from":null,"deadline_ms":900}}"#;
        let request = Request::parse(line).unwrap();
        assert_eq!(request.id, Id::Number(7));
        let wanted = Method::Ring {
            from: None,
            to: None,
            keep: false,
            deadline: Some(Duration::from_millis(900)),
        };
        assert!(request.method == wanted);
        let bare = Request::parse(br#"{"id":"a","method":"status"}"#).unwrap();
        assert_eq!(bare.id, Id::Text("a".to_owned()));
        assert!(bare.method == Method::Status);
    }

    #[test]
    fn what_is_no_json_of_the_strict_kind_is_refused_without_a_name() {
        for (line, reason) in [
            ("", Reason::MalformedJson),
            ("{", Reason::MalformedJson),
            (r#"{"id":1,"method":"status"} x"#, Reason::MalformedJson),
            (
                r#"{"id":1,"id":2,"method":"status"}"#,
                Reason::DuplicateMember,
            ),
            ("[[[[[[[[[[]]]]]]]]]]", Reason::TooDeep),
        ] {
            assert_eq!(refused(line), (Id::None, reason.into()), "{line}");
        }
        let long = " ".repeat(MAX_LINE_OCTETS + 1);
        assert_eq!(refused(&long), (Id::None, Reason::TooLong.into()));
        assert!(Request::parse(b"\xff").is_err());
    }

    #[test]
    fn wrong_types_and_unknown_members_are_refused_by_name() {
        for line in [
            r#"{"id":3,"method":7}"#,
            r#"{"id":3}"#,
            r#"{"id":3,"method":"status","params":[]}"#,
            r#"{"id":3,"method":"status","params":null}"#,
            r#"{"id":3,"method":"status","params":{"x":1}}"#,
            r#"{"id":3,"method":"status","extra":1}"#,
            r#"{"id":3,"v":"1","method":"status"}"#,
            r#"{"id":3,"method":"ring","params":{"from":12025550143}}"#,
            r#"{"id":3,"method":"ring","params":{"deadline_ms":0}}"#,
            r#"{"id":3,"method":"ring","params":{"deadline_ms":30001}}"#,
            r#"{"id":3,"method":"ring","params":{"deadline_ms":-1}}"#,
            r#"{"id":3,"method":"ring","params":{"deadline_ms":1.5}}"#,
            r#"{"id":3,"method":"place","params":{}}"#,
            r#"{"id":3,"method":"place","params":["a","b"]}"#,
            r#"{"id":3,"method":"prefetch","params":{"numbers":[]}}"#,
            r#"{"id":3,"method":"prefetch","params":{"numbers":[1]}}"#,
        ] {
            assert_eq!(
                refused(line),
                (Id::Number(3), Code::MalformedRequest),
                "{line}"
            );
        }
        for line in [
            r#"{"id":{},"method":"status"}"#,
            r#"{"id":-1,"method":"status"}"#,
            "[]",
            "7",
        ] {
            assert_eq!(refused(line), (Id::None, Code::MalformedRequest), "{line}");
        }
    }

    #[test]
    fn what_is_not_there_is_refused_with_a_code_of_its_own() {
        let id = Id::Number(3);
        let unknown = r#"{"id":3,"method":"Ring"}"#;
        assert_eq!(refused(unknown), (id.clone(), Code::UnknownMethod));
        let version = r#"{"id":3,"v":2,"method":"status"}"#;
        assert_eq!(refused(version), (id.clone(), Code::UnsupportedVersion));
        let call = r#"{"id":3,"method":"ended","params":{"call":"../1"}}"#;
        assert_eq!(refused(call), (id.clone(), Code::UnknownCall));
        let number = format!(
            r#"{{"id":3,"method":"ring","params":{{"from":"{}"}}}}"#,
            "1".repeat(65)
        );
        assert_eq!(refused(&number), (id, Reason::TooLong.into()));
    }
}
