//! The device's own credential: how it stands.

use crate::{Endpoint, Reason, RingTrueError};

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

#[uniffi::export]
impl Endpoint {
    /// Makes a request for a certificate that speaks for all own numbers, signed by the signer: the
    /// private key never leaves it. Gives PEM (PKCS#10) to send to the certification authority.
    ///
    /// `name` stands in clear in the certificate and must hold no telephone number; the numbers are in
    /// its TNAuthList anyway.
    ///
    /// # Errors
    ///
    /// `signer_failed` without a signer, or if it cannot sign; `configuration_invalid` for the name;
    /// `cancelled` if the endpoint was shut down.
    #[uniffi::method(default(name = None))]
    pub async fn certificate_request(&self, name: Option<String>) -> Result<String, RingTrueError> {
        let subject = match &name {
            Some(name) => ringtrue::RequestSubject::common_name(name)?,
            None => ringtrue::RequestSubject::empty(),
        };
        let core = self.core().clone();
        let request = async move { core.certificate_request(&subject).await };
        Ok(self.work().run(request).await??.to_pem())
    }

    /// Takes a certificate chain into use: PEM, signer first, and the https URL where others find it.
    /// Key, path and scope are checked, and the chain is kept before it is used; the next start uses it
    /// again. Publish the keys again afterwards.
    ///
    /// # Errors
    ///
    /// `key_mismatch`; `number_not_covered` and the like if it does not speak for every own number;
    /// `no_path_to_anchor`, `certificate_expired` and whatever else is wrong with its path;
    /// `malformed_…` for what cannot be read; `signer_failed` without a signer; `state_unavailable`,
    /// and then the one before stays in use; `cancelled` if the endpoint was shut down.
    pub async fn install_certificate(
        &self,
        chain_pem: String,
        x5u: String,
    ) -> Result<(), RingTrueError> {
        let core = self.core().clone();
        let installed = async move { core.install_certificate(&chain_pem, &x5u).await };
        Ok(self.work().run(installed).await??)
    }

    /// Whether the endpoint can sign now, until when, and from when on to ask for a new certificate.
    #[must_use]
    pub fn credential_status(&self) -> CredentialStatus {
        self.core().credential_status().into()
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
