//! What arrives at an endpoint's daemon from programs on the same machine.

use ringtrue_daemon::{AgiRequest, Id, MAX_HEAD_OCTETS, MAX_LINE_OCTETS, Method, Request};

/// The longest number, name of a request and name of a call.
const MAX_TEXT: usize = 64;

pub(super) fn daemon_request(octets: &[u8]) {
    match Request::parse(octets) {
        Ok(request) => {
            assert!(octets.len() <= MAX_LINE_OCTETS, "within the limit");
            is_bounded(&request.method);
        }
        Err(refusal) => {
            if let Id::Text(text) = refusal.id {
                assert!(text.len() <= MAX_TEXT, "a short name");
            }
            assert!(!refusal.code.name().is_empty(), "a stable name");
        }
    }
}

pub(super) fn agi_request(octets: &[u8]) {
    let Ok(request) = AgiRequest::parse(octets) else {
        return;
    };
    assert!(octets.len() <= MAX_HEAD_OCTETS, "within the limit");
    for is_own in [true, false] {
        let Ok(method) = request.clone().method(|_| is_own) else {
            continue;
        };
        is_bounded(&method);
        let is_of_a_call = !matches!(
            method,
            Method::Prefetch { .. }
                | Method::Publish { .. }
                | Method::Readers { .. }
                | Method::Shutdown
                | Method::Status
        );
        assert!(is_of_a_call, "a dialplan is about calls alone");
    }
}

/// Nothing that a request holds is larger than it may be.
fn is_bounded(method: &Method) {
    let texts: Vec<&String> = match method {
        Method::Place { from, to, .. } => from.iter().chain([to]).collect(),
        Method::Ring { from, to, .. } => from.iter().chain(to).collect(),
        Method::Prefetch { numbers, .. } => numbers.iter().collect(),
        Method::Answer { call, .. }
        | Method::Answered { call }
        | Method::Await { call, .. }
        | Method::Ended { call } => vec![call],
        _ => Vec::new(),
    };
    assert!(texts.len() <= MAX_TEXT, "few");
    assert!(texts.iter().all(|text| text.len() <= MAX_TEXT), "and short");
}
