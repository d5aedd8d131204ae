//! Paths from a signer to an anchor, and the authority over numbers along them.

use core::fmt;
use std::sync::Arc;

use super::search::{self, Found};
use super::{Certificate, CertificateBag, ClaimConstraints, PathRules, Profile, TrustAnchors};
use crate::crypto::{CryptoProvider, P256PublicKey};
use crate::{Reason, TelephoneNumber, UnixTime};

/// What a signer may say about a number.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authority {
    /// No number is listed, only this provider code. Whether it holds the number is for policy or
    /// numbering data to say (CRT-11).
    BySpc(String),
    /// The number is listed, inside every list above.
    Covered,
    /// The number is listed, but whether an issuer was entitled to it cannot be told (CRT-33, W-25).
    EncompassUnknown,
    /// The number is not listed.
    None,
    /// The number is not listed, but the certificate refers to a list that is not at hand (CRT-9); or
    /// there is a provider code, and whether an issuer was entitled to it cannot be told (CRT-31).
    Unknown,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BySpc(_) => "BySpc(..)",
            Self::Covered => "Covered",
            Self::EncompassUnknown => "EncompassUnknown",
            Self::None => "None",
            Self::Unknown => "Unknown",
        })
    }
}

/// A signer whose path to an anchor was checked. Only [`verify_path`] makes one. Cloning is cheap.
///
/// It stays true until [`VerifiedPath::valid_until`], so it may be kept that long.
#[derive(Clone)]
pub struct VerifiedPath(Arc<Verified>);

struct Verified {
    key: P256PublicKey,
    found: Found,
    profile: Profile,
}

impl fmt::Debug for VerifiedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedPath(..)")
    }
}

impl VerifiedPath {
    /// The end-entity certificate.
    #[must_use]
    pub fn signer(&self) -> &Certificate {
        &self.0.found.signer
    }

    /// All certificates of the path: the signer first, the anchor last.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.found.certificates
    }

    /// Where certificates of the path below the anchor leave the profile without being unusable, each
    /// reason once: those of [`Certificate::profile_deviations`]. Revocation is not among them.
    #[must_use]
    pub fn warnings(&self) -> &[Reason] {
        &self.0.found.warnings
    }

    /// Whether current revocation lists spoke of every certificate below the anchor. One that they
    /// list never gets here. What any other answer means is the verifier's policy (CRT-61).
    ///
    /// # Errors
    ///
    /// [`Reason::RevocationNotChecked`] where the rules had no lists, [`Reason::CrlUnavailable`] where
    /// none of them speaks of some certificate, [`Reason::CrlStale`] where those that do are outdated.
    pub fn revocation(&self) -> Result<(), Reason> {
        self.0.found.revocation
    }

    /// Whether all certificates of the path are valid at `time`.
    #[must_use]
    pub fn is_valid_at(&self, time: UnixTime) -> bool {
        (self.valid_from()..=self.valid_until()).contains(&time)
    }

    /// The signer's key.
    #[must_use]
    pub fn public_key(&self) -> &P256PublicKey {
        &self.0.key
    }

    /// SHA-256 of the signer's SubjectPublicKeyInfo (W-11).
    #[must_use]
    pub fn spki_digest(&self) -> [u8; 32] {
        self.signer().spki_digest()
    }

    /// The first second of the signer certificate's validity.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        self.signer().not_before()
    }

    /// The last second of the signer certificate's validity.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        self.signer().not_after()
    }

    /// The first second at which all certificates of the path are valid.
    #[must_use]
    pub fn valid_from(&self) -> UnixTime {
        self.0.found.valid_from
    }

    /// The last second at which all certificates of the path are valid.
    #[must_use]
    pub fn valid_until(&self) -> UnixTime {
        self.0.found.valid_until
    }

    /// The profile that the path was checked for.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    /// What the signer may say about `number`.
    ///
    /// Source: RFC 8226 section 9; RFC 9060 section 4 (CRT-6, CRT-7, CRT-11, CRT-31, CRT-33).
    #[must_use]
    pub fn covers(&self, number: &TelephoneNumber) -> Authority {
        let Found {
            scope,
            is_encompassed,
            ..
        } = &self.0.found;
        let list = scope.list.as_ref();
        match list {
            Some(list) if list.covers(number) && *is_encompassed => Authority::Covered,
            Some(list) if list.covers(number) => Authority::EncompassUnknown,
            _ => match (self.provider_code(), list.and_then(|list| list.spc())) {
                (Some(spc), _) => Authority::BySpc(spc.to_owned()),
                (None, Some(_)) => Authority::Unknown,
                (None, None) if scope.is_open => Authority::Unknown,
                (None, None) => Authority::None,
            },
        }
    }

    /// The signer's first provider code, if it has one and every list above is known to hold it. Which
    /// numbers belong to it is not said.
    ///
    /// Source: RFC 8226 section 9; RFC 9060 section 4 (CRT-11, CRT-31).
    #[must_use]
    pub fn provider_code(&self) -> Option<&str> {
        let list = self.0.found.scope.list.as_ref();
        list.filter(|_| self.0.found.has_certain_codes)?.spc()
    }

    /// [`VerifiedPath::covers`] as a check.
    ///
    /// # Errors
    ///
    /// [`Reason::AuthorityBySpc`], [`Reason::AuthorityUnknown`], [`Reason::EncompassUnknown`],
    /// [`Reason::NumberNotCovered`], and [`Reason::TnAuthListMissing`] where the certificate has no
    /// list at all.
    pub fn require_covered(&self, number: &TelephoneNumber) -> Result<(), Reason> {
        match self.covers(number) {
            Authority::Covered => Ok(()),
            Authority::BySpc(_) => Err(Reason::AuthorityBySpc),
            Authority::EncompassUnknown => Err(Reason::EncompassUnknown),
            Authority::Unknown => Err(Reason::AuthorityUnknown),
            Authority::None if self.0.found.scope.list.is_none() => Err(Reason::TnAuthListMissing),
            Authority::None => Err(Reason::NumberNotCovered),
        }
    }

    /// The claim constraints of the signer's certificate, if there are any.
    pub(crate) fn constraints(&self) -> Option<&ClaimConstraints> {
        self.signer().claim_constraints()
    }
}

/// Looks for a path from `signer` through `bag` to one of `anchors` and checks it as of `at`.
///
/// The signer need not be in the bag, the anchor may be. Where several paths exist, one that holds is
/// enough. `rules` is a [`Profile`] or [`PathRules`]. Which time to judge a token's signer by is
/// [`evaluation_time`](super::evaluation_time).
///
/// # Errors
///
/// - [`Reason::SignerIsCa`]: a CA certificate signs no tokens (CRT-37).
/// - [`Reason::UnsupportedCertificateKey`]: the signer's key is not P-256, or no path exists but one
///   breaks off at a key or signature algorithm that is not supported.
/// - [`Reason::KeyIdentifierMismatch`]: no path exists but one breaks off where an authority key
///   identifier is not that of the issuer who signed (CRT-35).
/// - [`Reason::ChainIncomplete`]: an issuer is neither in the bag nor among the anchors.
/// - [`Reason::NoPathToAnchor`]: the certificates lead to no anchor.
/// - Otherwise what is wrong with the path that was found, the first of several:
///   [`Reason::UnsupportedCriticalExtension`], [`Reason::CertificateExpired`],
///   [`Reason::CertificateNotYetValid`], [`Reason::KeyUsageMissing`], [`Reason::IssuerNotCa`],
///   [`Reason::PathTooLong`], [`Reason::CertificateRevoked`], [`Reason::ScopeNotEncompassed`].
///
/// Source: RFC 5280 section 6.1; RFC 8226 section 9; RFC 9060 sections 4 to 7 (CRT-7, CRT-30 to CRT-37,
/// CRT-60, CRT-61, CRT-75, W-25).
pub fn verify_path<'a>(
    provider: &dyn CryptoProvider,
    signer: &Certificate,
    bag: &CertificateBag,
    anchors: &TrustAnchors,
    at: UnixTime,
    rules: impl Into<PathRules<'a>>,
) -> Result<VerifiedPath, Reason> {
    let rules = rules.into();
    if signer.is_ca() {
        return Err(Reason::SignerIsCa);
    }
    let key = *signer
        .public_key()
        .ok_or(Reason::UnsupportedCertificateKey)?;
    let found = search::run(provider, signer, bag, anchors, at, rules)?;
    Ok(VerifiedPath(Arc::new(Verified {
        key,
        found,
        profile: rules.profile,
    })))
}
