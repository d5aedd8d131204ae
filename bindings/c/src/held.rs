//! An action while the host performs it: the memory that its pointers lead to.

use ringtrue_oob::http::Role;
use ringtrue_session::{Action as Wanted, ActionId};
use sha2::{Digest as _, Sha256};

use crate::types::{self, Action, Header, Http, Octets, Record, Text};

/// What kind of answer an action wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Response { max_answer_octets: usize },
    Signature,
    Agreement,
    Loaded,
    Stored,
    Claimed,
}

/// The action that was handed out last.
pub(crate) struct Held {
    action: Wanted,
    digest: [u8; 32],
    headers: Headers,
}

/// Header fields with pointers into the request beside them.
struct Headers(Vec<Header>);

impl Held {
    /// Keeps an action that the host can perform, with its id and the kind of its answer; gives back any
    /// other.
    pub(crate) fn new(action: Wanted) -> Result<(Self, ActionId, Kind), Wanted> {
        let (id, kind) = match &action {
            Wanted::Request {
                id,
                max_answer_octets,
                ..
            } => {
                let max_answer_octets = *max_answer_octets;
                (*id, Kind::Response { max_answer_octets })
            }
            Wanted::Sign { id, .. } => (*id, Kind::Signature),
            Wanted::Agree { id, .. } => (*id, Kind::Agreement),
            Wanted::Load { id, .. } => (*id, Kind::Loaded),
            Wanted::Save { id, .. } => (*id, Kind::Stored),
            Wanted::Claim { id, .. } => (*id, Kind::Claimed),
            _ => return Err(action),
        };
        let digest = match &action {
            Wanted::Sign { message, .. } => Sha256::digest(message).into(),
            _ => [0; 32],
        };
        let headers = match &action {
            Wanted::Request { request, .. } => {
                let fields = request.headers.iter();
                Headers(
                    fields
                        .map(|(name, value)| Header {
                            name: text(name),
                            value: text(value),
                        })
                        .collect(),
                )
            }
            _ => Headers(Vec::new()),
        };
        let held = Self {
            action,
            digest,
            headers,
        };
        Ok((held, id, kind))
    }

    /// The action as C sees it: good for as long as this value stays where it is.
    pub(crate) fn view(&self, id: u32) -> Action {
        let mut view = Action {
            id,
            ..nothing(types::RINGTRUE_ACTION_DONE)
        };
        match &self.action {
            Wanted::Request {
                role,
                request,
                max_answer_octets,
                deadline,
                ..
            } => {
                view.kind = types::RINGTRUE_ACTION_HTTP;
                view.until_ms = deadline.as_ms();
                view.http = Http {
                    method: text(request.method.as_str()),
                    url: text(&request.url),
                    headers: self.headers.0.as_ptr(),
                    headers_len: self.headers.0.len(),
                    body: octets(&request.body),
                    max_answer_octets: *max_answer_octets,
                    role: role_code(*role),
                };
            }
            Wanted::Sign { message, .. } => {
                view.kind = types::RINGTRUE_ACTION_SIGN;
                view.message = octets(message);
                view.digest = octets(&self.digest);
            }
            Wanted::Agree { peer, .. } => {
                view.kind = types::RINGTRUE_ACTION_AGREE;
                view.peer = octets(peer.as_sec1());
            }
            Wanted::Load { record, .. } => {
                view.kind = types::RINGTRUE_ACTION_LOAD;
                view.record.name = text(record.as_str());
            }
            Wanted::Save {
                record,
                expected,
                value,
                ..
            } => {
                view.kind = types::RINGTRUE_ACTION_STORE;
                view.record.name = text(record.as_str());
                view.record.value = octets(value);
                view.record.must_exist = expected.is_some().into();
                if let Some(expected) = expected {
                    view.record.expected = octets(expected);
                }
            }
            Wanted::Claim {
                record, expires, ..
            } => {
                view.kind = types::RINGTRUE_ACTION_CLAIM;
                view.record.name = text(record.as_str());
                view.record.expires_unix_s = *expires;
            }
            // `Held::new` keeps no other.
            _ => {}
        }
        view
    }
}

/// An action without members.
pub(crate) const fn nothing(kind: u32) -> Action {
    Action {
        kind,
        id: 0,
        until_ms: 0,
        http: Http {
            method: NO_TEXT,
            url: NO_TEXT,
            headers: core::ptr::null(),
            headers_len: 0,
            body: NO_OCTETS,
            max_answer_octets: 0,
            role: 0,
        },
        message: NO_OCTETS,
        digest: NO_OCTETS,
        peer: NO_OCTETS,
        record: Record {
            name: NO_TEXT,
            value: NO_OCTETS,
            expected: NO_OCTETS,
            must_exist: 0,
            expires_unix_s: 0,
        },
    }
}

const NO_TEXT: Text = Text {
    data: core::ptr::null(),
    len: 0,
};

const NO_OCTETS: Octets = Octets {
    data: core::ptr::null(),
    len: 0,
};

const fn text(text: &str) -> Text {
    Text {
        data: text.as_ptr().cast(),
        len: text.len(),
    }
}

const fn octets(octets: &[u8]) -> Octets {
    Octets {
        data: octets.as_ptr(),
        len: octets.len(),
    }
}

const fn role_code(role: Role) -> u32 {
    match role {
        Role::Configuration => types::RINGTRUE_ROLE_CONFIGURATION,
        Role::Issue => types::RINGTRUE_ROLE_ISSUE,
        Role::Lookup => types::RINGTRUE_ROLE_LOOKUP,
        Role::Publish => types::RINGTRUE_ROLE_PUBLISH,
        Role::Retrieve => types::RINGTRUE_ROLE_RETRIEVE,
        Role::Store => types::RINGTRUE_ROLE_STORE,
    }
}
