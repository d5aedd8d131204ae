//! One line from a client: what is asked for. `docs/daemon.md` has the contract.
//!
//! Reading is strict: a member that nobody knows, a repeated one or one of another type is refused, so
//! that a client's mistake shows at once. Nothing is looked up or checked against a call here.

use ringtrue_stir::json;
use serde_json::{Map, Value};

use crate::{Code, Method};

/// The version of the protocol.
pub const VERSION: u64 = 1;

/// The longest line, without its end. The longest request is a prefetch of 64 numbers, below 2 KiB.
pub const MAX_LINE_OCTETS: usize = 8192;

/// The longest identifier of a request.
const MAX_ID_OCTETS: usize = 64;

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

impl Request {
    /// Reads one line, without its end.
    ///
    /// # Errors
    ///
    /// With what could be read of the request's name: [`ringtrue::Reason::TooLong`] beyond [`MAX_LINE_OCTETS`];
    /// [`ringtrue::Reason::MalformedJson`], [`ringtrue::Reason::DuplicateMember`], [`ringtrue::Reason::TooDeep`];
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
    Method::read(&name, params)
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
