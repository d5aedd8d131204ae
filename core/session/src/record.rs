//! The names of the state records that sessions keep at their host.

use ringtrue_stir::base64url;
use ringtrue_stir::{TelephoneNumber, UnixTime};
use sha2::{Digest, Sha256};

/// Names a state record.
///
/// Names are digests, so that a store, its file and its backups show no telephone number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName(String);

impl RecordName {
    /// The name as text. Inside of sessions a kind, a dot and 43 characters of base64url; as a host gets
    /// it from [`Sealed`](crate::Sealed), 43 characters of base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new(kind: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"RingTrue record v1\0");
        hash.update(kind.as_bytes());
        for part in parts {
            // Lengths keep neighbouring parts apart. No part is near 4 GiB.
            hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(part);
        }
        Self(format!("{kind}.{}", base64url::encode(&hash.finalize())))
    }

    /// The name as the host gets it.
    pub(crate) const fn sealed(name: String) -> Self {
        Self(name)
    }

    /// The endpoint's own encryption keys. One record for all its numbers.
    pub(crate) fn own_keys() -> Self {
        Self::new("keys", &[])
    }

    /// The credential that was installed last.
    #[must_use]
    pub fn credential() -> Self {
        Self::new("credential", &[])
    }

    /// The trust bundle from `url` that was accepted last.
    pub(crate) fn trust_bundle(url: &str) -> Self {
        Self::new("trust", &[url.as_bytes()])
    }

    /// The revocation list from `url`.
    pub(crate) fn revocation_list(url: &str) -> Self {
        Self::new("crl", &[url.as_bytes()])
    }

    /// The storage tokens of an issuer for a service.
    pub(crate) fn wallet(issuer: &str, service: &str) -> Self {
        Self::new("wallet", &[issuer.as_bytes(), service.as_bytes()])
    }

    /// What was seen of a token issuer.
    pub(crate) fn issuer(name: &str) -> Self {
        Self::new("issuer", &[name.as_bytes()])
    }

    /// The keys of a service's gateway.
    pub(crate) fn gateway_keys(service: &str) -> Self {
        Self::new("gateway", &[service.as_bytes()])
    }

    /// The key statements of another party's number.
    pub(crate) fn statements(number: &TelephoneNumber) -> Self {
        Self::new("statements", &[number.as_str().as_bytes()])
    }

    /// The mark of a PASSporT that this endpoint signed.
    pub(crate) fn own_passport(kind: &str, orig: &str, dest: &str, iat: UnixTime) -> Self {
        let iat = iat.as_secs().to_be_bytes();
        let parts = [
            kind.as_bytes(),
            orig.as_bytes(),
            dest.as_bytes(),
            iat.as_slice(),
        ];
        Self::new("signed", &parts)
    }

    /// The mark of a used PASSporT, from its replay digest (W-7).
    pub(crate) fn used_passport(digest: &[u8; 32]) -> Self {
        Self::new("used", &[digest.as_slice()])
    }
}
