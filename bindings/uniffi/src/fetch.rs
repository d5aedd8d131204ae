//! What a URL refers to, from the application's own source.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::Reason;

use crate::show::show;

/// A kind of content behind a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FetchKind {
    /// The certificates of a signer: PEM, or DER of one certificate.
    CertificatePath,
    /// A certificate revocation list.
    Crl,
    /// Anything else, of a later version.
    Other,
    /// An operator's trust bundle.
    TrustBundle,
}

/// What was got. Its text shows the size only.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Delivered {
    /// The content.
    pub octets: Vec<u8>,
    /// How long it may be kept in memory, if that is known. Bounded by the kind.
    #[uniffi(default)]
    pub keep_ms: Option<u64>,
}

show!(Delivered, |value, f| write!(
    f,
    "Delivered({} octets)",
    value.octets.len()
));

/// Why a source has nothing. Any other exception counts as `Unreachable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum FetchError {
    /// The time was up.
    #[error("deadline passed")]
    DeadlinePassed,
    /// There is nothing under this URL.
    #[error("not found")]
    NotFound,
    /// The source does not want to ask now.
    #[error("off")]
    Off,
    /// No connection.
    #[error("unreachable")]
    Unreachable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for FetchError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unreachable
    }
}

impl From<FetchError> for Reason {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::DeadlinePassed => Self::DeadlinePassed,
            FetchError::NotFound => Self::CredentialUnavailable,
            FetchError::Off => Self::FetchingOff,
            FetchError::Unreachable => Self::ServiceUnreachable,
        }
    }
}

/// Gets what a URL refers to in the place of the network: an operator's proxy, or a store that the
/// application fills ahead of calls.
///
/// Fetching a caller's certificates from the telephone shows a host, which the caller chooses, that and
/// where a telephone rings. Called on a thread of the library that may block. What it returns is
/// verified like what the network returns.
#[uniffi::export(foreign)]
pub trait FetchSource: Send + Sync {
    /// Gets what is behind `url` within `time_left_ms`.
    ///
    /// # Errors
    ///
    /// Why there is nothing, as a `FetchError`.
    fn get(&self, kind: FetchKind, url: String, time_left_ms: u64)
    -> Result<Delivered, FetchError>;
}

/// The application's source as the core wants it.
pub(crate) struct HostFetchSource(pub(crate) Arc<dyn FetchSource>);

impl ringtrue::FetchSource for HostFetchSource {
    fn get(
        &self,
        kind: ringtrue::FetchKind,
        url: &str,
        time_left: Duration,
    ) -> Result<ringtrue::Delivered, Reason> {
        let kind = match kind {
            ringtrue::FetchKind::CertificatePath => FetchKind::CertificatePath,
            ringtrue::FetchKind::Crl => FetchKind::Crl,
            ringtrue::FetchKind::TrustBundle => FetchKind::TrustBundle,
            _ => FetchKind::Other,
        };
        let time_left_ms = u64::try_from(time_left.as_millis()).unwrap_or(u64::MAX);
        let delivered = self.0.get(kind, url.to_owned(), time_left_ms)?;
        Ok(ringtrue::Delivered {
            octets: delivered.octets,
            media_type: None,
            keep: delivered.keep_ms.map(Duration::from_millis),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ringtrue::{FetchSource as _, Reason};

    use super::{Delivered, FetchError, FetchKind, FetchSource, HostFetchSource};

    struct Fake(Result<Delivered, FetchError>);

    impl FetchSource for Fake {
        fn get(
            &self,
            kind: FetchKind,
            url: String,
            time_left_ms: u64,
        ) -> Result<Delivered, FetchError> {
            assert_eq!((kind, time_left_ms), (FetchKind::TrustBundle, 1500));
            assert_eq!(url, "https://trust.example/b");
            self.0.clone()
        }
    }

    fn get(result: Result<Delivered, FetchError>) -> Result<ringtrue::Delivered, Reason> {
        let source = HostFetchSource(Arc::new(Fake(result)));
        let kind = ringtrue::FetchKind::TrustBundle;
        source.get(kind, "https://trust.example/b", Duration::from_millis(1500))
    }

    #[test]
    fn what_a_source_gives_arrives() {
        let delivered = Delivered {
            octets: vec![1, 2],
            keep_ms: Some(3),
        };
        assert_eq!(delivered.to_string(), "Delivered(2 octets)");
        let got = get(Ok(delivered)).unwrap();
        assert_eq!(got.octets, [1, 2]);
        assert_eq!(got.keep, Some(Duration::from_millis(3)));
    }

    #[test]
    fn every_error_of_a_source_has_its_reason() {
        for (error, reason) in [
            (FetchError::DeadlinePassed, Reason::DeadlinePassed),
            (FetchError::NotFound, Reason::CredentialUnavailable),
            (FetchError::Off, Reason::FetchingOff),
            (FetchError::Unreachable, Reason::ServiceUnreachable),
        ] {
            assert_eq!(get(Err(error)).err(), Some(reason));
        }
    }
}
