//! What Asterisk says at the beginning of a FastAGI connection.
//!
//! Lines `name: value` up to an empty one. The script is the URL's path; its arguments are
//! `name=value`. Anything in an argument that is not known is refused, so that a mistake in a dialplan
//! shows; anything else that Asterisk says and is not needed is passed over, as it says more with every
//! version.
//!
//! Source: the Asterisk documentation, "AGI" and "Fast AGI".

use std::time::Duration;

use ringtrue::{CallPhase, Reason};

use crate::Code;
use crate::method::{MAX_CALL_DEADLINE, Method, call, within};

/// The most octets up to the empty line. Asterisk sends below 2 KiB without arguments.
pub const MAX_HEAD_OCTETS: usize = 16 * 1024;

/// The longest line.
pub(crate) const MAX_HEAD_LINE: usize = 1024;

/// The most lines.
pub(crate) const MAX_HEAD_LINES: usize = 128;

/// The most arguments of a script.
const MAX_ARGUMENTS: usize = 16;

/// The longest number.
const MAX_NUMBER_OCTETS: usize = 64;

/// How long a call's verdict is waited for unless `deadline_ms` says otherwise.
const DEFAULT_AWAIT: Duration = Duration::from_millis(2500);

/// What Asterisk writes where it knows nothing.
const UNKNOWN: &str = "unknown";

/// The bits of `agi_callingpres` that say whether the calling number may be shown (ITU-T Q.931 section
/// 4.5.10, the presentation indicator): zero if it may.
const PRESENTATION: u8 = 0b0110_0000;

/// What a dialplan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// `answer`: show the caller who is here.
    Answer,
    /// `answered`: the call was answered.
    Answered,
    /// `await`: what is known of the call by now.
    Await,
    /// `ended`: the call ended.
    Ended,
    /// `place`: announce a call.
    Place,
    /// `ring`: verify a call.
    Ring,
}

impl Script {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "answer" => Self::Answer,
            "answered" => Self::Answered,
            "await" => Self::Await,
            "ended" => Self::Ended,
            "place" => Self::Place,
            "ring" => Self::Ring,
            _ => return None,
        })
    }
}

/// One FastAGI request.
#[derive(Clone, PartialEq, Eq)]
pub struct AgiRequest {
    /// What is run.
    pub script: Script,
    /// The key that the dialplan showed.
    pub key: Option<String>,
    arguments: Arguments,
    channel: Channel,
}

/// The script's arguments.
#[derive(Clone, Default, PartialEq, Eq)]
struct Arguments {
    call: Option<String>,
    confirmed: bool,
    deadline_ms: Option<u64>,
    from: Option<String>,
    keep: bool,
    phase: Option<CallPhase>,
    to: Option<String>,
}

/// What Asterisk knows of the call.
#[derive(Clone, Default, PartialEq, Eq)]
struct Channel {
    caller: Option<String>,
    is_withheld: bool,
    dialled: Option<String>,
    extension: Option<String>,
}

impl AgiRequest {
    /// Reads everything up to the empty line.
    ///
    /// # Errors
    ///
    /// [`Reason::TooLong`] beyond [`MAX_HEAD_OCTETS`], for a line of more than 1024 octets or for more
    /// than 128 lines; [`Code::MalformedRequest`], [`Code::UnknownMethod`] for a script that is not there,
    /// [`Code::UnknownCall`].
    pub fn parse(head: &[u8]) -> Result<Self, Code> {
        if head.len() > MAX_HEAD_OCTETS {
            return Err(Reason::TooLong.into());
        }
        // Names of callers come in any character set, and are not needed.
        let head = String::from_utf8_lossy(head);
        let mut script = None;
        let mut key = None;
        let mut arguments = Arguments::default();
        let mut count = 0_usize;
        let mut channel = Channel::default();
        for (index, line) in head.lines().enumerate() {
            if line.len() > MAX_HEAD_LINE || index >= MAX_HEAD_LINES {
                return Err(Reason::TooLong.into());
            }
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or(Code::MalformedRequest)?;
            let value = value.trim_matches(' ');
            match name {
                "agi_network_script" => {
                    let name = value.trim_matches('/');
                    script = Some(Script::from_name(name).ok_or(Code::UnknownMethod)?);
                }
                "agi_callerid" => channel.caller = known(value)?,
                "agi_callingpres" => {
                    // What is no number says nothing, as if it were withheld.
                    let presentation = value.parse::<u8>();
                    channel.is_withheld = presentation.is_ok_and(|bits| bits & PRESENTATION != 0);
                }
                "agi_dnid" => channel.dialled = known(value)?,
                "agi_extension" => channel.extension = known(value)?,
                _ if name.starts_with("agi_arg_") && !value.is_empty() => {
                    count = count.saturating_add(1);
                    if count > MAX_ARGUMENTS {
                        return Err(Reason::TooLong.into());
                    }
                    argument(&mut arguments, &mut key, value)?;
                }
                _ => {}
            }
        }
        Ok(Self {
            script: script.ok_or(Code::UnknownMethod)?,
            key,
            arguments,
            channel,
        })
    }

    /// The request that this is. `own` says whether text is a number of the endpoint.
    ///
    /// * `ring`: the called number is the argument `to`, or the dialled number or the extension if that
    ///   is an own number, or not known. A call whose number may not be shown is a withheld one.
    /// * `place`: the calling number is the argument `from`, or the channel's if that is an own one, or
    ///   the only one. The called number is the argument `to`, or the extension.
    ///
    /// # Errors
    ///
    /// [`Code::MalformedRequest`] if the script needs an argument that is not there, or a time is out of
    /// range.
    pub fn method(self, own: impl Fn(&str) -> bool) -> Result<Method, Code> {
        let Self {
            script,
            arguments,
            channel,
            ..
        } = self;
        let deadline = within(arguments.deadline_ms, MAX_CALL_DEADLINE)?;
        let call = arguments.call.ok_or(Code::MalformedRequest);
        Ok(match script {
            Script::Answer => Method::Answer {
                call: call?,
                phase: arguments.phase.unwrap_or(CallPhase::Answered),
                deadline,
            },
            Script::Answered => Method::Answered { call: call? },
            Script::Await => Method::Await {
                call: call?,
                confirmed: arguments.confirmed,
                deadline: deadline.unwrap_or(DEFAULT_AWAIT),
            },
            Script::Ended => Method::Ended { call: call? },
            Script::Place => Method::Place {
                from: arguments
                    .from
                    .or_else(|| channel.caller.filter(|caller| own(caller))),
                to: arguments
                    .to
                    .or(channel.extension)
                    .ok_or(Code::MalformedRequest)?,
                want_answer: true,
                keep: arguments.keep,
                deadline,
                wait: None,
            },
            Script::Ring => Method::Ring {
                from: arguments
                    .from
                    .or_else(|| channel.caller.filter(|_| !channel.is_withheld)),
                to: arguments.to.or_else(|| {
                    let called = [channel.dialled, channel.extension];
                    called.into_iter().flatten().find(|called| own(called))
                }),
                keep: arguments.keep,
                deadline,
            },
        })
    }
}

/// A number, unless Asterisk does not know it.
fn known(value: &str) -> Result<Option<String>, Code> {
    if value.len() > MAX_NUMBER_OCTETS {
        return Err(Reason::TooLong.into());
    }
    Ok((!value.is_empty() && value != UNKNOWN).then(|| value.to_owned()))
}

fn argument(arguments: &mut Arguments, key: &mut Option<String>, text: &str) -> Result<(), Code> {
    let (name, value) = text.split_once('=').ok_or(Code::MalformedRequest)?;
    match name {
        "call" => arguments.call = Some(call(value.to_owned())?),
        "confirmed" => arguments.confirmed = flag(value)?,
        "deadline_ms" => {
            arguments.deadline_ms = Some(value.parse().map_err(|_| Code::MalformedRequest)?);
        }
        "from" => arguments.from = known(value)?,
        "keep" => arguments.keep = flag(value)?,
        "key" => *key = Some(value.to_owned()),
        "phase" => {
            arguments.phase = Some(match value {
                "alerting" => CallPhase::Alerting,
                "answered" => CallPhase::Answered,
                _ => return Err(Code::MalformedRequest),
            });
        }
        "to" => arguments.to = known(value)?,
        _ => return Err(Code::MalformedRequest),
    }
    Ok(())
}

fn flag(value: &str) -> Result<bool, Code> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Code::MalformedRequest),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ringtrue::Reason;

    use super::{AgiRequest, MAX_HEAD_OCTETS};
    use crate::Code;
    use crate::Method;

    const OWN: &str = "12025550177";

    fn method(lines: &[&str]) -> Result<Method, Code> {
        let mut head = lines.join("\n");
        head.push_str("\n\n");
        AgiRequest::parse(head.as_bytes())?.method(|number| number == OWN)
    }

    fn ring(from: Option<&str>, to: Option<&str>) -> Method {
        Method::Ring {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            keep: false,
            deadline: None,
        }
    }

    #[test]
    fn a_ringing_call_is_described_by_its_channel() {
        let head = [
            "agi_network: yes",
            "agi_network_script: ring",
            "agi_request: agi://127.0.0.1/ring",
            "agi_callerid: 12025550143",
            "agi_calleridname: Zo\u{eb}: a name",
            "agi_callingpres: 0",
            "agi_dnid: 12025550177",
            "agi_extension: s",
        ];
        assert!(method(&head) == Ok(ring(Some("12025550143"), Some(OWN))));
        // An extension of the exchange's own says nothing about the number.
        let inside = [
            "agi_network_script: ring",
            "agi_callerid: 12025550143",
            "agi_extension: 100",
        ];
        assert!(method(&inside) == Ok(ring(Some("12025550143"), None)));
    }

    #[test]
    fn a_number_that_may_not_be_shown_is_withheld() {
        for hidden in ["32", "67", "99"] {
            let presentation = format!("agi_callingpres: {hidden}");
            let head = [
                "agi_network_script: ring",
                "agi_callerid: 12025550143",
                &presentation,
            ];
            assert!(method(&head) == Ok(ring(None, None)), "{hidden}");
        }
        for shown in ["0", "3"] {
            let presentation = format!("agi_callingpres: {shown}");
            let head = [
                "agi_network_script: ring",
                "agi_callerid: 12025550143",
                &presentation,
            ];
            assert!(
                method(&head) == Ok(ring(Some("12025550143"), None)),
                "{shown}"
            );
        }
        let unknown = ["agi_network_script: ring", "agi_callerid: unknown"];
        assert!(method(&unknown) == Ok(ring(None, None)));
    }

    #[test]
    fn arguments_come_before_the_channel() {
        let head = [
            "agi_network_script: place",
            "agi_callerid: 100",
            "agi_extension: 900",
            "agi_arg_1: from=12025550177",
            "agi_arg_2: to=12025550143",
            "agi_arg_3: keep=1",
            "agi_arg_4: deadline_ms=700",
            "agi_arg_5: ",
        ];
        let wanted = Method::Place {
            from: Some(OWN.to_owned()),
            to: "12025550143".to_owned(),
            want_answer: true,
            keep: true,
            deadline: Some(Duration::from_millis(700)),
            wait: None,
        };
        assert!(method(&head) == Ok(wanted));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (lines, code) in [
            (
                &["agi_network_script: ring", "no colon"][..],
                Code::MalformedRequest,
            ),
            (
                &["agi_network_script: ring", "agi_arg_1: x"],
                Code::MalformedRequest,
            ),
            (
                &["agi_network_script: ring", "agi_arg_1: other=1"],
                Code::MalformedRequest,
            ),
            (
                &["agi_network_script: ring", "agi_arg_1: keep=yes"],
                Code::MalformedRequest,
            ),
            (
                &["agi_network_script: ring", "agi_arg_1: deadline_ms=0"],
                Code::MalformedRequest,
            ),
            (
                &["agi_network_script: ring", "agi_arg_1: deadline_ms=1e3"],
                Code::MalformedRequest,
            ),
            (&["agi_network_script: place"], Code::MalformedRequest),
            (&["agi_network_script: ended"], Code::MalformedRequest),
            (
                &["agi_network_script: ended", "agi_arg_1: call=7"],
                Code::UnknownCall,
            ),
            (&["agi_network_script: shutdown"], Code::UnknownMethod),
            (&["agi_network_script: ../ring"], Code::UnknownMethod),
            (&["agi_callerid: 12025550143"], Code::UnknownMethod),
            (&[], Code::UnknownMethod),
        ] {
            assert!(method(lines) == Err(code), "{lines:?}");
        }
    }

    #[test]
    fn heads_lines_and_counts_have_limits() {
        let too_long = Some(Code::Reason(Reason::TooLong));
        let head = "a: b\n".repeat(MAX_HEAD_OCTETS);
        assert_eq!(AgiRequest::parse(head.as_bytes()).err(), too_long);
        let line = format!("agi_x: {}", "y".repeat(1024));
        assert_eq!(method(&[&line]).err(), too_long);
        assert_eq!(method(&["a: b"; 129]).err(), too_long);
        assert_eq!(method(&["agi_arg_1: keep=1"; 17]).err(), too_long);
        let number = format!("agi_callerid: {}", "1".repeat(65));
        assert_eq!(method(&[&number]).err(), too_long);
    }
}
