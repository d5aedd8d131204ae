//! Paths from a signer to an anchor, and the authority over numbers along them.

use core::fmt;
use std::sync::Arc;

use super::{
    Certificate, CertificateBag, ClaimConstraints, MAX_CERTIFICATES, Profile, TrustAnchors,
};
use crate::crypto::{CryptoProvider, P256PublicKey};
use crate::tn_auth_list::Encompass;
use crate::{Reason, TelephoneNumber, UnixTime};

/// How many signatures one search checks at most. A path has at most seven; the rest is for
/// alternatives (an issuer with several certificates), not for bags built to cost time.
const MAX_SIGNATURE_CHECKS: usize = 32;

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
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BySpc(_) => "BySpc(..)",
            Self::Covered => "Covered",
            Self::EncompassUnknown => "EncompassUnknown",
            Self::None => "None",
        })
    }
}

/// A signer whose path to an anchor was checked. Only [`verify_path`] makes one. Cloning is cheap.
///
/// It stays true until [`VerifiedPath::valid_until`], so it may be kept that long.
#[derive(Clone)]
pub struct VerifiedPath(Arc<Verified>);

struct Verified {
    signer: Certificate,
    key: P256PublicKey,
    valid_from: UnixTime,
    valid_until: UnixTime,
    /// Whether every list above holds the signer's; `Outside` never gets here.
    is_encompassed: bool,
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
        &self.0.signer
    }

    /// The signer's key.
    #[must_use]
    pub fn public_key(&self) -> &P256PublicKey {
        &self.0.key
    }

    /// SHA-256 of the signer's SubjectPublicKeyInfo (W-11).
    #[must_use]
    pub fn spki_digest(&self) -> [u8; 32] {
        self.0.signer.spki_digest()
    }

    /// The first second of the signer certificate's validity.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        self.0.signer.not_before()
    }

    /// The last second of the signer certificate's validity.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        self.0.signer.not_after()
    }

    /// The first second at which all certificates of the path are valid.
    #[must_use]
    pub fn valid_from(&self) -> UnixTime {
        self.0.valid_from
    }

    /// The last second at which all certificates of the path are valid.
    #[must_use]
    pub fn valid_until(&self) -> UnixTime {
        self.0.valid_until
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
        let Some(list) = self.0.signer.tn_auth_list() else {
            return Authority::None;
        };
        if list.covers(number) {
            return if self.0.is_encompassed {
                Authority::Covered
            } else {
                Authority::EncompassUnknown
            };
        }
        list.spc()
            .map_or(Authority::None, |spc| Authority::BySpc(spc.to_owned()))
    }

    /// [`VerifiedPath::covers`] as a check.
    ///
    /// # Errors
    ///
    /// [`Reason::AuthorityBySpc`], [`Reason::EncompassUnknown`], [`Reason::NumberNotCovered`], and
    /// [`Reason::TnAuthListMissing`] where the certificate carries no list at all.
    pub fn require_covered(&self, number: &TelephoneNumber) -> Result<(), Reason> {
        match self.covers(number) {
            Authority::Covered => Ok(()),
            Authority::BySpc(_) => Err(Reason::AuthorityBySpc),
            Authority::EncompassUnknown => Err(Reason::EncompassUnknown),
            Authority::None if self.0.signer.tn_auth_list().is_none() => {
                Err(Reason::TnAuthListMissing)
            }
            Authority::None => Err(Reason::NumberNotCovered),
        }
    }

    /// The claim constraints of the signer's certificate, if there are any.
    pub(crate) fn constraints(&self) -> Option<&ClaimConstraints> {
        self.0.signer.0.constraints.as_ref()
    }
}

/// Looks for a path from `signer` through `bag` to one of `anchors` and checks it as of `at`.
///
/// The signer need not be in the bag, the anchor may be. Where several paths exist, one that holds is
/// enough. Revocation is not checked.
///
/// # Errors
///
/// - [`Reason::SignerIsCa`]: a CA certificate signs no tokens (CRT-37).
/// - [`Reason::UnsupportedCertificateKey`]: the signer's key is not P-256, or no path exists but one
///   breaks off at a key or signature algorithm that is not supported.
/// - [`Reason::NoPathToAnchor`]: names and signatures lead to no anchor.
/// - Otherwise what is wrong with the path that was found, the first of several:
///   [`Reason::UnsupportedCriticalExtension`], [`Reason::CertificateExpired`],
///   [`Reason::CertificateNotYetValid`], [`Reason::KeyUsageMissing`], [`Reason::IssuerNotCa`],
///   [`Reason::PathTooLong`], [`Reason::ScopeNotEncompassed`].
///
/// Source: RFC 5280 section 6.1; RFC 8226 section 9; RFC 9060 sections 4 to 6 (CRT-7, CRT-30 to CRT-33,
/// CRT-37, W-25).
pub fn verify_path(
    provider: &dyn CryptoProvider,
    signer: &Certificate,
    bag: &CertificateBag,
    anchors: &TrustAnchors,
    at: UnixTime,
    profile: Profile,
) -> Result<VerifiedPath, Reason> {
    if signer.is_ca() {
        return Err(Reason::SignerIsCa);
    }
    let key = *signer
        .public_key()
        .ok_or(Reason::UnsupportedCertificateKey)?;
    let mut search = Search {
        provider,
        bag,
        anchors,
        at,
        profile,
        path: vec![signer],
        checks_left: MAX_SIGNATURE_CHECKS,
        refusal: Reason::NoPathToAnchor,
    };
    let found = search.extend().ok_or(search.refusal)?;
    Ok(VerifiedPath(Arc::new(Verified {
        signer: signer.clone(),
        key,
        valid_from: found.valid_from,
        valid_until: found.valid_until,
        is_encompassed: found.is_encompassed,
        profile,
    })))
}

/// A path that holds.
struct Found {
    valid_from: UnixTime,
    valid_until: UnixTime,
    is_encompassed: bool,
}

/// A depth-first search from the signer upward. `path` is what stands so far, signer first.
struct Search<'a> {
    provider: &'a dyn CryptoProvider,
    bag: &'a CertificateBag,
    anchors: &'a TrustAnchors,
    at: UnixTime,
    profile: Profile,
    path: Vec<&'a Certificate>,
    checks_left: usize,
    refusal: Reason,
}

impl<'a> Search<'a> {
    fn extend(&mut self) -> Option<Found> {
        let last = *self.path.last()?;
        if self.path.len() >= MAX_CERTIFICATES {
            return None;
        }
        let (anchors, bag) = (self.anchors, self.bag);
        for anchor in anchors.certificates() {
            if self.has_issued(anchor, last) {
                self.path.push(anchor);
                let checked = self.check();
                self.path.pop();
                match checked {
                    Ok(found) => return Some(found),
                    Err(reason) => self.refuse(reason),
                }
            }
        }
        for issuer in bag.certificates() {
            // A loop leads nowhere, and an anchor was tried as one above.
            if self.path.contains(&issuer) || anchors.certificates().contains(issuer) {
                continue;
            }
            if self.has_issued(issuer, last) {
                self.path.push(issuer);
                let found = self.extend();
                self.path.pop();
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// Name and signature.
    fn has_issued(&mut self, issuer: &Certificate, subject: &Certificate) -> bool {
        if issuer.0.subject != subject.0.issuer {
            return false;
        }
        let Some(checks_left) = self.checks_left.checked_sub(1) else {
            return false;
        };
        self.checks_left = checks_left;
        let tolerated = self.profile == Profile::Shaken || !subject.0.signature.null_parameters;
        let verified = match issuer.public_key() {
            Some(key) if tolerated => subject.verify_signature(self.provider, key),
            _ => Err(Reason::UnsupportedCertificateKey),
        };
        if verified == Err(Reason::UnsupportedCertificateKey) {
            self.refuse(Reason::UnsupportedCertificateKey);
        }
        verified.is_ok()
    }

    /// The fault of a path that exists says more than one that breaks off, and that more than none.
    fn refuse(&mut self, reason: Reason) {
        let says_more = match self.refusal {
            Reason::NoPathToAnchor => true,
            Reason::UnsupportedCertificateKey => reason != Reason::NoPathToAnchor,
            _ => false,
        };
        if says_more {
            self.refusal = reason;
        }
    }

    /// Everything about the complete path but names and signatures.
    fn check(&self) -> Result<Found, Reason> {
        let (signer, issuers) = self.path.split_first().ok_or(Reason::Internal)?;
        let mut found = Found {
            valid_from: signer.not_before(),
            valid_until: signer.not_after(),
            is_encompassed: true,
        };
        for certificate in &self.path {
            if certificate.0.has_unknown_critical_extension {
                return Err(Reason::UnsupportedCriticalExtension);
            }
            if self.at > certificate.not_after() {
                return Err(Reason::CertificateExpired);
            }
            if self.at < certificate.not_before() {
                return Err(Reason::CertificateNotYetValid);
            }
            found.valid_from = found.valid_from.max(certificate.not_before());
            found.valid_until = found.valid_until.min(certificate.not_after());
        }
        let usage = |certificate: &Certificate| certificate.0.key_usage;
        if usage(signer).is_some_and(|usage| !usage.digital_signature) {
            return Err(Reason::KeyUsageMissing);
        }
        // Intermediates below the issuer at hand; self-issued ones do not count (RFC 5280 6.1.4).
        let mut intermediates = 0u64;
        for issuer in issuers {
            if !issuer.is_ca() {
                return Err(Reason::IssuerNotCa);
            }
            if usage(issuer).is_some_and(|usage| !usage.key_cert_sign) {
                return Err(Reason::KeyUsageMissing);
            }
            if issuer.0.path_len.is_some_and(|most| intermediates > most) {
                return Err(Reason::PathTooLong);
            }
            if !issuer.is_self_issued() {
                intermediates = intermediates.saturating_add(1);
            }
        }
        found.is_encompassed = self.check_scopes(signer, issuers)?;
        Ok(found)
    }

    /// Every list must be inside every list above it. Whether that is certain.
    fn check_scopes(&self, signer: &Certificate, issuers: &[&Certificate]) -> Result<bool, Reason> {
        // The anchor is not counted (W-25).
        let (_anchor, issuers) = issuers.split_last().ok_or(Reason::Internal)?;
        let mut is_certain = true;
        let mut lists: Vec<_> = signer.tn_auth_list().into_iter().collect();
        for issuer in issuers {
            let by_reference = issuer.0.has_list_by_reference;
            let Some(upper) = issuer.tn_auth_list() else {
                // A list behind a URL limits, and nobody knows how.
                is_certain &= !by_reference && self.profile != Profile::Delegate;
                continue;
            };
            for lower in &lists {
                match upper.encompasses(lower) {
                    Encompass::Inside => {}
                    Encompass::Outside if !by_reference => {
                        return Err(Reason::ScopeNotEncompassed);
                    }
                    Encompass::Outside | Encompass::Unknown => is_certain = false,
                }
            }
            lists.push(upper);
        }
        Ok(is_certain)
    }
}
