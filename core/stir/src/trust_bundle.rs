//! Trust bundles: anchors, revocation list issuers, logs and policy as one signed, versioned object that
//! an operator ships and an endpoint takes over outside of calls.
//!
//! [`TrustBundleDraft`] is made and signed, [`TrustBundle`] was verified; only [`TrustBundle::verify`]
//! makes the latter. Fetching a bundle, and remembering which version was accepted last, is for the
//! host.
//!
//! Format: docs/trust-bundle.md.

mod draft;
mod payload;

use core::fmt;
use core::time::Duration;

use sha2::{Digest as _, Sha256};

pub use draft::{TrustBundleDraft, UnsignedTrustBundle};

use crate::certificate::sct::{LogList, SctPolicy};
use crate::certificate::{Certificate, Profile, TrustAnchors};
use crate::crypto::{CryptoProvider, P256PublicKey};
use crate::jws::CompactJws;
use crate::verification::{SpcPolicy, VerificationPolicy};
use crate::{Reason, UnixTime, X5u};

/// The `typ` of the header. Whoever signs tokens or key statements must not sign bundles by accident.
pub const TYP: &str = "ringtrue-bundle+jwt";

/// The longest bundle, in characters: room for 64 anchors, 8 issuers and 64 logs of usual sizes.
pub const MAX_TRUST_BUNDLE_LEN: usize = 512 * 1024;

/// The longest time from `iat` to `exp`: without an end, an endpoint that gets no news would believe a
/// withdrawn anchor for ever.
pub const MAX_LIFE: Duration = Duration::from_secs(400 * 86_400);

/// How far `iat` may be ahead of the reader's clock.
pub const MAX_AHEAD: Duration = Duration::from_secs(60);

/// Keys that an endpoint may be configured with: one in use, others for a change of keys.
pub const MAX_BUNDLE_KEYS: usize = 8;

/// Anchors of one bundle. JSON arrays are read up to this length.
pub const MAX_BUNDLE_ANCHORS: usize = 64;

/// Issuers of revocation lists of one bundle; one administrator is usual.
pub const MAX_CRL_ISSUERS: usize = 8;

/// Places at which one issuer's lists are.
pub const MAX_CRL_URLS: usize = 8;

/// Provider codes of one bundle. JSON arrays are read up to this length.
pub const MAX_SPCS: usize = 64;

/// Which bundle was accepted: what a host stores and hands to the next [`TrustBundle::verify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleVersion {
    number: u64,
    digest: [u8; 32],
}

impl BundleVersion {
    /// The number, which only grows.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// SHA-256 over the payload: the same number never has two.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// 40 octets to store: the number, big-endian, then the digest.
    #[must_use]
    pub fn to_octets(&self) -> [u8; 40] {
        let mut octets = [0; 40];
        let (number, digest) = octets.split_at_mut(8);
        number.copy_from_slice(&self.number.to_be_bytes());
        digest.copy_from_slice(&self.digest);
        octets
    }

    /// What was stored.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedRecord`] for another length.
    pub fn from_octets(octets: &[u8]) -> Result<Self, Reason> {
        let parts = octets
            .split_first_chunk::<8>()
            .and_then(|(number, digest)| {
                Some(Self {
                    number: u64::from_be_bytes(*number),
                    digest: digest.try_into().ok()?,
                })
            });
        parts.ok_or(Reason::MalformedRecord)
    }

    fn of(number: u64, payload: &[u8]) -> Self {
        Self {
            number,
            digest: Sha256::digest(payload).into(),
        }
    }
}

/// Who signs revocation lists, and where they are (CRT-60).
#[derive(Clone, PartialEq, Eq)]
pub struct CrlIssuer {
    /// The certificate with which lists are verified.
    pub certificate: Certificate,
    /// Where its lists are; none if the certificates' own references are to be used.
    pub urls: Vec<X5u>,
}

impl fmt::Debug for CrlIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CrlIssuer(..)")
    }
}

/// What a bundle says beside its version and times.
#[derive(Clone, Debug)]
pub struct TrustData {
    /// The STIR anchors, at least one and at most [`MAX_BUNDLE_ANCHORS`] (CRT-30).
    pub anchors: TrustAnchors,
    /// Issuers of revocation lists, at most [`MAX_CRL_ISSUERS`] (CRT-60).
    pub crl_issuers: Vec<CrlIssuer>,
    /// Certificate transparency logs.
    pub logs: LogList,
    /// What is asked of timestamps.
    pub sct_policy: SctPolicy,
    /// Which provider codes count as authority over numbers that they do not list; of
    /// [`SpcPolicy::Listed`] at most [`MAX_SPCS`] (CRT-11).
    pub spc_policy: SpcPolicy,
    /// The certificate profile.
    pub profile: Profile,
    /// Whether RSA is accepted between CAs (CRT-75).
    pub rsa_ca_links: bool,
}

impl TrustData {
    /// These anchors under the strict defaults: no revocation lists, no logs, no provider codes, the
    /// profile of RFC 8226, no RSA.
    #[must_use]
    pub fn new(anchors: TrustAnchors) -> Self {
        Self {
            anchors,
            crl_issuers: Vec::new(),
            logs: LogList::default(),
            sct_policy: SctPolicy::default(),
            spc_policy: SpcPolicy::None,
            profile: Profile::Stir,
            rsa_ca_links: false,
        }
    }
}

/// A bundle by a configured key, valid when it was verified.
#[derive(Clone, Debug)]
pub struct TrustBundle {
    version: BundleVersion,
    iat: UnixTime,
    exp: UnixTime,
    data: TrustData,
}

impl TrustBundle {
    /// Verifies a bundle: signed by one of `keys`, of the right form, in its time at `now`, and not
    /// older than `previous`, the version that was accepted last.
    ///
    /// The same bundle again is fine. The signature is checked before the content is read.
    ///
    /// # Errors
    ///
    /// - [`Reason::ConfigurationInvalid`]: no key, or more than [`MAX_BUNDLE_KEYS`].
    /// - [`Reason::MalformedTrustBundle`]: too long, or not of the form of docs/trust-bundle.md.
    /// - [`Reason::BundleUntrusted`]: by none of the keys.
    /// - [`Reason::IatInFuture`]: made more than 60 s after `now`.
    /// - [`Reason::BundleExpired`]: `exp` has come.
    /// - [`Reason::BundleRollback`]: a lower version than before, or another content of the same.
    pub fn verify(
        text: &str,
        keys: &[P256PublicKey],
        provider: &dyn CryptoProvider,
        now: UnixTime,
        previous: Option<&BundleVersion>,
    ) -> Result<Self, Reason> {
        if !(1..=MAX_BUNDLE_KEYS).contains(&keys.len()) {
            return Err(Reason::ConfigurationInvalid);
        }
        let malformed = |_| Reason::MalformedTrustBundle;
        let jws = CompactJws::parse(text, MAX_TRUST_BUNDLE_LEN).map_err(malformed)?;
        jws.require_typ(TYP).map_err(malformed)?;
        if !keys.iter().any(|key| jws.verify(provider, key).is_ok()) {
            return Err(Reason::BundleUntrusted);
        }
        let payload = jws.payload_json().map_err(malformed)?;
        let bundle = payload::read(&payload, jws.payload()).ok_or(Reason::MalformedTrustBundle)?;
        if bundle.iat > now.plus(MAX_AHEAD) {
            return Err(Reason::IatInFuture);
        }
        if now >= bundle.exp {
            return Err(Reason::BundleExpired);
        }
        let is_rollback = previous.is_some_and(|previous| {
            let version = &bundle.version;
            version.number < previous.number
                || (version.number == previous.number && version.digest != previous.digest)
        });
        if is_rollback {
            return Err(Reason::BundleRollback);
        }
        Ok(bundle)
    }

    /// Which bundle it is. Store it when the bundle is taken over.
    #[must_use]
    pub const fn version(&self) -> &BundleVersion {
        &self.version
    }

    /// When it was made.
    #[must_use]
    pub const fn issued_at(&self) -> UnixTime {
        self.iat
    }

    /// The first second at which it is no longer valid.
    #[must_use]
    pub const fn expires_at(&self) -> UnixTime {
        self.exp
    }

    /// Everything it says.
    #[must_use]
    pub const fn data(&self) -> &TrustData {
        &self.data
    }

    /// The STIR anchors.
    #[must_use]
    pub const fn anchors(&self) -> &TrustAnchors {
        &self.data.anchors
    }

    /// Issuers of revocation lists.
    #[must_use]
    pub fn crl_issuers(&self) -> &[CrlIssuer] {
        &self.data.crl_issuers
    }

    /// Certificate transparency logs.
    #[must_use]
    pub const fn logs(&self) -> &LogList {
        &self.data.logs
    }

    /// What is asked of timestamps.
    #[must_use]
    pub const fn sct_policy(&self) -> &SctPolicy {
        &self.data.sct_policy
    }

    /// Which provider codes count as authority.
    #[must_use]
    pub const fn spc_policy(&self) -> &SpcPolicy {
        &self.data.spc_policy
    }

    /// The certificate profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.data.profile
    }

    /// Whether RSA is accepted between CAs.
    #[must_use]
    pub const fn rsa_ca_links(&self) -> bool {
        self.data.rsa_ca_links
    }

    /// Sets a verifier's profile, accepted codes, RSA switch and demands on timestamps to the
    /// bundle's; all else stays.
    pub fn apply_to(&self, policy: &mut VerificationPolicy) {
        policy.profile = self.data.profile;
        policy.accept_spc = self.data.spc_policy.clone();
        policy.rsa_ca_links = self.data.rsa_ca_links;
        policy.sct = self.data.sct_policy;
    }
}
