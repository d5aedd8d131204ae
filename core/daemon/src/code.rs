//! Why a request was not performed.

use std::fmt;

use ringtrue::Reason;

/// What stands in the member `error` of a response: a reason of the registry, or one of the daemon's
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// The request is JSON, but not of the documented form.
    MalformedRequest,
    /// The peer may not use this daemon.
    NotPermitted,
    /// A reason of the registry.
    Reason(Reason),
    /// The daemon is ending.
    ShuttingDown,
    /// As many calls as may be are open.
    TooManyCalls,
    /// As many clients as may be are connected.
    TooManyConnections,
    /// As many requests as may be are under way.
    TooManyRequests,
    /// A line was not complete in time, or what was sent was not read.
    TooSlow,
    /// No call of this name is open, or it is one of the other direction.
    UnknownCall,
    /// There is no method or script of this name.
    UnknownMethod,
    /// The request is of a version that this daemon does not speak.
    UnsupportedVersion,
}

impl Code {
    /// The stable name, `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformed_request",
            Self::NotPermitted => "not_permitted",
            Self::Reason(reason) => reason.name(),
            Self::ShuttingDown => "shutting_down",
            Self::TooManyCalls => "too_many_calls",
            Self::TooManyConnections => "too_many_connections",
            Self::TooManyRequests => "too_many_requests",
            Self::TooSlow => "too_slow",
            Self::UnknownCall => "unknown_call",
            Self::UnknownMethod => "unknown_method",
            Self::UnsupportedVersion => "unsupported_version",
        }
    }
}

impl From<Reason> for Code {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
