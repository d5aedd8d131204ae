//! What the application, or the call table, tells a session about the call itself.

use ringtrue_stir::passport::Fingerprint;

use crate::Monotonic;

/// Something that happened to a call, at the host's side of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallEvent {
    /// The call was answered.
    Answered {
        /// When.
        at: Monotonic,
        /// Whether the session has to look into the mailbox at once. False only where an
        /// [`AnswerSession`](crate::AnswerSession) looks at this moment, so that one answer makes one
        /// look, whoever is shown what.
        look: bool,
    },
    /// The call ended.
    Ended,
    /// An [`AnswerSession`](crate::AnswerSession) saw that the caller had given up
    /// ([`Answered::caller_gone`](crate::Answered)).
    CallerGone,
    /// Another call with the same calling number was there at the same time
    /// ([`CallTable::conflicts`](crate::CallTable::conflicts)).
    Concurrent,
    /// The fingerprints of the other side's keys that were negotiated for the media (DTLS-SRTP), every
    /// one of them. Only for a call whose media travel over IP (PRV-47).
    Media(Vec<Fingerprint>),
}
