//! Errors: one sealed type towards the application, one for what the application throws.

use crate::Reason;

/// Why a call of the interface failed. A verdict is no error.
///
/// The kinds tell who has to act. `code` and `name` are those of the reason; applications translate
/// from them. No text holds anything of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum RingTrueError {
    /// A defect of this library. Codes 7000 to 7999.
    #[error("{name} ({code})")]
    Internal {
        /// The stable number.
        code: u32,
        /// The stable name, in snake case.
        name: String,
    },
    /// Input that could not be parsed. Codes 1000 to 1999.
    #[error("{name} ({code})")]
    Malformed {
        /// The stable number.
        code: u32,
        /// The stable name, in snake case.
        name: String,
    },
    /// Good in itself, but for another call, number or state. Codes 3000 to 3999.
    #[error("{name} ({code})")]
    Mismatch {
        /// The stable number.
        code: u32,
        /// The stable name, in snake case.
        name: String,
    },
    /// The application broke the contract of the interface. Codes 6000 to 6999.
    #[error("{name} ({code})")]
    Misuse {
        /// The stable number.
        code: u32,
        /// The stable name, in snake case.
        name: String,
    },
    /// Too old or too new. Codes 4000 to 4999.
    #[error("{name} ({code})")]
    Stale {
        /// The stable number.
        code: u32,
        /// The stable name, in snake case.
        name: String,
    },
    /// The network, a service, a key store, the state store or the clock could not do it. Codes 5000
    /// to 5999, and a notice (8000 to 8999) that kept something from being done.
    #[error("{name} ({code})")]
    Unavailable {
        /// The stable number.
        code: u32,
        /// The stable name, in snake case.
        name: String,
    },
    /// A certificate, signature or authority that does not hold. Codes 2000 to 2999.
    #[error("{name} ({code})")]
    Untrusted {
        /// The stable number.
        code: u32,
        /// The stable name, in snake case.
        name: String,
    },
}

#[uniffi::export]
impl RingTrueError {
    /// The reason, whatever the kind of this error.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let (Self::Internal { code, .. }
        | Self::Malformed { code, .. }
        | Self::Mismatch { code, .. }
        | Self::Misuse { code, .. }
        | Self::Stale { code, .. }
        | Self::Unavailable { code, .. }
        | Self::Untrusted { code, .. }) = self;
        ringtrue::Reason::from_number(*code)
            .unwrap_or(ringtrue::Reason::Internal)
            .into()
    }
}

impl From<ringtrue::Reason> for RingTrueError {
    fn from(reason: ringtrue::Reason) -> Self {
        let code = reason.number();
        let name = reason.name().to_owned();
        match reason.kind() {
            ringtrue::Kind::Malformed => Self::Malformed { code, name },
            ringtrue::Kind::Untrusted => Self::Untrusted { code, name },
            ringtrue::Kind::Mismatch => Self::Mismatch { code, name },
            ringtrue::Kind::Stale => Self::Stale { code, name },
            ringtrue::Kind::Unavailable | ringtrue::Kind::Notice => {
                Self::Unavailable { code, name }
            }
            ringtrue::Kind::Misuse => Self::Misuse { code, name },
            // A kind that this binding does not know is its defect.
            _ => Self::Internal { code, name },
        }
    }
}

/// What a signer, a key agreement or a clock of the application throws when it could not do its work.
///
/// Any other exception counts as this one. Why it failed stays with the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum HostError {
    /// It failed: locked, cancelled by the user, gone.
    #[error("failed in the application")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // The text of a foreign exception is not ours to print: it may hold anything.
        Self::Failed
    }
}

#[cfg(test)]
mod tests {
    use ringtrue::Reason as Core;

    use super::RingTrueError;
    use super::RingTrueError::{
        Internal, Malformed, Mismatch, Misuse, Stale, Unavailable, Untrusted,
    };

    #[test]
    fn every_registered_reason_becomes_an_error_that_names_it() {
        for reason in Core::ALL {
            let error = RingTrueError::from(*reason);
            let named = error.reason();
            assert_eq!(named.code, reason.number());
            assert_eq!(named.name, reason.name());
            assert_eq!(
                error.to_string(),
                format!("{} ({})", reason.name(), reason.number())
            );
        }
    }

    #[test]
    fn kinds_become_variants() {
        let of = |reason: Core| RingTrueError::from(reason);
        assert!(matches!(
            of(Core::MalformedNumber),
            Malformed { code: 1001, .. }
        ));
        assert!(matches!(
            of(Core::KeyMismatch),
            Untrusted { code: 2022, .. }
        ));
        assert!(matches!(of(Core::Replayed), Mismatch { code: 3003, .. }));
        assert!(matches!(of(Core::IatStale), Stale { code: 4001, .. }));
        assert!(matches!(
            of(Core::SignerFailed),
            Unavailable { code: 5013, .. }
        ));
        assert!(matches!(
            of(Core::NumberNotOwned),
            Misuse { code: 6001, .. }
        ));
        assert!(matches!(of(Core::Internal), Internal { code: 7001, .. }));
    }

    #[test]
    fn a_notice_that_kept_something_from_being_done_is_unavailable() {
        let error = RingTrueError::from(Core::ClockUnset);
        assert_eq!(
            error,
            Unavailable {
                code: 8007,
                name: "clock_unset".to_owned()
            }
        );
    }
}
