//! The endpoint's own STIR credential: the certificate chain, where others find it, how long it lasts.
//!
//! The private key is the host's. What was installed is kept as a state record, so that a renewed
//! certificate survives the next start.

use core::fmt;

use ringtrue_stir::certificate::{Certificate, CertificateBag, VerifiedPath};
use ringtrue_stir::crypto::P256PublicKey;
use ringtrue_stir::{Reason, UnixTime, X5u};
use serde::{Deserialize, Serialize};

/// Eight certificates of 16 KiB in base64, the URL, and the names of the members.
const MAX_RECORD_OCTETS: usize = 192 * 1024;

/// The endpoint's STIR credential without its private key, which the host keeps.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct Credential {
    bag: CertificateBag,
    leaf: Certificate,
    x5u: X5u,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

#[derive(Serialize, Deserialize)]
struct Record {
    v: u32,
    x5u: String,
    x5c: Vec<String>,
}

impl Credential {
    /// Takes a certificate chain, leaf first, without the root, and the URL where others find it.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] if the chain is empty or its first certificate is a CA's;
    /// [`Reason::MalformedUrl`] if `x5u` is no https URL.
    pub fn new(bag: CertificateBag, x5u: &str) -> Result<Self, Reason> {
        let leaf = bag
            .certificates()
            .first()
            .ok_or(Reason::ConfigurationInvalid)?
            .clone();
        if leaf.is_ca() {
            return Err(Reason::ConfigurationInvalid);
        }
        Ok(Self {
            bag,
            leaf,
            x5u: X5u::parse(x5u)?,
        })
    }

    /// The signer's certificate.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// The whole chain.
    #[must_use]
    pub const fn bag(&self) -> &CertificateBag {
        &self.bag
    }

    /// Where others find the chain.
    #[must_use]
    pub const fn x5u(&self) -> &X5u {
        &self.x5u
    }

    /// Requires the credential to be for `key`: a certificate that was swapped, or a key that was
    /// renewed, shows here and not when the first call is refused (CRT-39).
    ///
    /// # Errors
    ///
    /// [`Reason::KeyMismatch`] otherwise.
    pub fn require_key(&self, key: &P256PublicKey) -> Result<(), Reason> {
        if self.leaf.public_key() == Some(key) {
            Ok(())
        } else {
            Err(Reason::KeyMismatch)
        }
    }

    /// The state record that keeps it. Holds nothing secret.
    #[must_use]
    pub fn to_record(&self) -> Vec<u8> {
        let record = Record {
            v: 1,
            x5u: self.x5u.as_str().to_owned(),
            x5c: self.bag.to_x5c(),
        };
        // Texts and a number: writing them as JSON cannot fail.
        serde_json::to_vec(&record).unwrap_or_default()
    }

    /// Reads what [`Credential::to_record`] wrote.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedRecord`] for anything else.
    pub fn from_record(octets: &[u8]) -> Result<Self, Reason> {
        if octets.len() > MAX_RECORD_OCTETS {
            return Err(Reason::MalformedRecord);
        }
        let record: Record = serde_json::from_slice(octets).map_err(|_| Reason::MalformedRecord)?;
        if record.v != 1 {
            return Err(Reason::MalformedRecord);
        }
        CertificateBag::from_base64_der(&record.x5c)
            .and_then(|bag| Self::new(bag, &record.x5u))
            .map_err(|_| Reason::MalformedRecord)
    }
}

/// Whether the endpoint can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialState {
    /// Its certificate, or one above it, has expired.
    Expired,
    /// Good, and in the last third of its life: ask for a new one (SCT-40).
    Expiring,
    /// There is none.
    Missing,
    /// Its certificate, or one above it, is not valid yet.
    NotYetValid,
    /// It does not hold by what the endpoint itself trusts: its anchor is not in the trust bundle, it is
    /// revoked, or the like. Others would refuse what it signs, so nothing is signed.
    Untrusted,
    /// Good.
    Valid,
}

impl CredentialState {
    /// The stable name, `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Expiring => "expiring",
            Self::Missing => "missing",
            Self::NotYetValid => "not_yet_valid",
            Self::Untrusted => "untrusted",
            Self::Valid => "valid",
        }
    }
}

/// What [`Context::credential_status`](crate::Context::credential_status) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialStatus {
    /// Whether the endpoint can sign now.
    pub state: CredentialState,
    /// Why not, or with [`CredentialState::Expiring`] that it will end: what to tell the application's
    /// maker. `None` with [`CredentialState::Valid`].
    pub reason: Option<Reason>,
    /// The last second at which every certificate of the path is valid; `None` without a credential.
    pub expires: Option<UnixTime>,
    /// From when on a new certificate should be asked for; `None` without a credential.
    pub renew_from: Option<UnixTime>,
}

impl CredentialStatus {
    pub(crate) const MISSING: Self = Self {
        state: CredentialState::Missing,
        reason: Some(Reason::CredentialMissing),
        expires: None,
        renew_from: None,
    };

    /// As of `now`. The life is the leaf's own, the end that of the whole path.
    pub(crate) fn of(
        credential: &Credential,
        path: Result<&VerifiedPath, &Reason>,
        now: UnixTime,
    ) -> Self {
        let path = match path {
            Ok(path) => path,
            Err(reason) => {
                let state = match reason {
                    Reason::CertificateExpired => CredentialState::Expired,
                    Reason::CertificateNotYetValid => CredentialState::NotYetValid,
                    _ => CredentialState::Untrusted,
                };
                return Self {
                    state,
                    reason: Some(*reason),
                    expires: Some(credential.leaf().not_after()),
                    renew_from: Some(credential.leaf().not_before()),
                };
            }
        };
        let expires = path.valid_until();
        let life = expires
            .as_secs()
            .saturating_sub(path.not_before().as_secs());
        let renew_from = UnixTime::from_secs(expires.as_secs().saturating_sub(life / 3));
        let (state, reason) = if now > expires {
            (CredentialState::Expired, Some(Reason::CertificateExpired))
        } else if now < path.valid_from() {
            let reason = Reason::CertificateNotYetValid;
            (CredentialState::NotYetValid, Some(reason))
        } else if now >= renew_from {
            (CredentialState::Expiring, Some(Reason::CredentialExpiring))
        } else {
            (CredentialState::Valid, None)
        };
        Self {
            state,
            reason,
            expires: Some(expires),
            renew_from: Some(renew_from),
        }
    }
}
