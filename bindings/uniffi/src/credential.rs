//! The device's own credential: how it stands.

use crate::Reason;

/// Whether the endpoint can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CredentialState {
    /// Its certificate, or one above it, has expired.
    Expired,
    /// Good, and in the last third of its life: ask for a new one.
    Expiring,
    /// There is none.
    Missing,
    /// Its certificate, or one above it, is not valid yet.
    NotYetValid,
    /// It does not hold by what the endpoint itself trusts: its anchor is not in the trust bundle, it
    /// is revoked, or the like. Nothing is signed with it.
    Untrusted,
    /// Good.
    Valid,
}

impl From<ringtrue::CredentialState> for CredentialState {
    fn from(state: ringtrue::CredentialState) -> Self {
        match state {
            ringtrue::CredentialState::Expired => Self::Expired,
            ringtrue::CredentialState::Expiring => Self::Expiring,
            ringtrue::CredentialState::Missing => Self::Missing,
            ringtrue::CredentialState::NotYetValid => Self::NotYetValid,
            ringtrue::CredentialState::Valid => Self::Valid,
            // Also for a state that this binding does not know: it must not look like a good one.
            _ => Self::Untrusted,
        }
    }
}

/// How the endpoint's credential stands.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CredentialStatus {
    /// Whether the endpoint can sign now.
    pub state: CredentialState,
    /// Why not, or that it will end soon; nothing with a valid one.
    pub reason: Option<Reason>,
    /// The last second at which it is valid, in seconds since the Unix epoch.
    pub expires_unix_s: Option<u64>,
    /// From when on a new certificate should be asked for, in seconds since the Unix epoch.
    pub renew_from_unix_s: Option<u64>,
}

impl From<ringtrue::CredentialStatus> for CredentialStatus {
    fn from(status: ringtrue::CredentialStatus) -> Self {
        Self {
            state: status.state.into(),
            reason: status.reason.map(Reason::from),
            expires_unix_s: status.expires.map(ringtrue::UnixTime::as_secs),
            renew_from_unix_s: status.renew_from.map(ringtrue::UnixTime::as_secs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CredentialState;

    #[test]
    fn every_state_keeps_its_name() {
        use ringtrue::CredentialState as Core;

        for (core, state) in [
            (Core::Expired, CredentialState::Expired),
            (Core::Expiring, CredentialState::Expiring),
            (Core::Missing, CredentialState::Missing),
            (Core::NotYetValid, CredentialState::NotYetValid),
            (Core::Untrusted, CredentialState::Untrusted),
            (Core::Valid, CredentialState::Valid),
        ] {
            assert_eq!(CredentialState::from(core), state);
            assert_eq!(format!("{core:?}"), format!("{state:?}"));
        }
    }
}
