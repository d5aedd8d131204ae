//! The search for a path, and the checks of the one that was found.

use super::crl::Standing;
use super::scope::{Scope, scope_of};
use super::{
    Certificate, CertificateBag, KeyUsage, MAX_CERTIFICATES, PathRules, Profile, Tolerance,
    TrustAnchors, VerifiedRevocationList,
};
use crate::crypto::CryptoProvider;
use crate::tn_auth_list::Encompass;
use crate::{Reason, UnixTime};

/// How many signatures one search checks at most. A path has at most seven; the rest is for
/// alternatives (an issuer with several certificates), not for bags built to cost time. No signature
/// is checked twice, and namesakes with another key identifier are told apart without checking.
const MAX_SIGNATURE_CHECKS: usize = 32;

/// How many partial paths one search looks at. Eight certificates in a row need eight.
const MAX_STEPS: usize = 512;

/// How many pairs with differing key identifiers are remembered, to tell a wrong identifier from a
/// namesake in the end.
const MAX_MISMATCHES: usize = 8;

/// A path that holds.
pub(super) struct Found {
    pub(super) signer: Certificate,
    /// The signer first, the anchor last.
    pub(super) certificates: Vec<Certificate>,
    pub(super) valid_from: UnixTime,
    pub(super) valid_until: UnixTime,
    /// What the signer speaks for.
    pub(super) scope: Scope,
    /// Whether every list above holds the signer's; `Outside` never gets here.
    pub(super) is_encompassed: bool,
    /// The same of its provider codes alone, which the lists above hold or do not.
    pub(super) has_certain_codes: bool,
    pub(super) warnings: Vec<Reason>,
    pub(super) revocation: Result<(), Reason>,
}

/// Looks for a path and checks it.
pub(super) fn run(
    provider: &dyn CryptoProvider,
    signer: &Certificate,
    bag: &CertificateBag,
    anchors: &TrustAnchors,
    at: UnixTime,
    rules: PathRules<'_>,
) -> Result<Found, Reason> {
    let mut search = Search {
        provider,
        bag,
        anchors,
        at,
        rules,
        path: vec![signer],
        checked: Vec::new(),
        mismatched: Vec::new(),
        steps_left: MAX_STEPS,
        refusal: None,
    };
    match search.extend() {
        Some(found) => Ok(found),
        None => Err(search.conclude()),
    }
}

/// A search through the certificates, depth first.
struct Search<'a> {
    provider: &'a dyn CryptoProvider,
    bag: &'a CertificateBag,
    anchors: &'a TrustAnchors,
    at: UnixTime,
    rules: PathRules<'a>,
    /// From the signer up to where the search is.
    path: Vec<&'a Certificate>,
    /// Subject, issuer, and what their signature was.
    checked: Vec<(&'a Certificate, &'a Certificate, Result<(), Reason>)>,
    /// Subject and issuer of the right name with another key identifier.
    mismatched: Vec<(&'a Certificate, &'a Certificate)>,
    steps_left: usize,
    refusal: Option<Reason>,
}

impl<'a> Search<'a> {
    fn extend(&mut self) -> Option<Found> {
        let last = *self.path.last()?;
        self.steps_left = self.steps_left.checked_sub(1)?;
        if self.path.len() >= MAX_CERTIFICATES {
            self.refuse(Reason::NoPathToAnchor);
            return None;
        }
        for (issuer, is_anchor) in self.candidates(last) {
            if !self.has_issued(issuer, last) {
                continue;
            }
            self.path.push(issuer);
            let found = if is_anchor {
                self.check().map_err(|reason| self.refuse(reason)).ok()
            } else {
                self.extend()
            };
            self.path.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Certificates that may have issued `last`, and whether they are anchors: those whose key
    /// identifier says so first, anchors before others. None whose identifier says they did not.
    fn candidates(&mut self, last: &'a Certificate) -> Vec<(&'a Certificate, bool)> {
        let anchors = self.anchors.certificates();
        let anchored = anchors.iter().map(|issuer| (issuer, true));
        let in_bag = self.bag.certificates().iter().map(|issuer| (issuer, false));
        let mut is_named = last.is_self_issued();
        let (mut candidates, mut unsure) = (Vec::new(), Vec::new());
        for (issuer, is_anchor) in anchored.chain(in_bag) {
            if issuer.0.subject != last.0.issuer {
                continue;
            }
            is_named = true;
            // A loop leads nowhere, and an anchor is tried as one.
            if !is_anchor && (self.path.contains(&issuer) || anchors.contains(issuer)) {
                continue;
            }
            match (last.authority_key_id(), issuer.subject_key_id()) {
                (Some(wanted), Some(id)) if wanted == id => candidates.push((issuer, is_anchor)),
                (Some(_), Some(_)) => {
                    if self.mismatched.len() < MAX_MISMATCHES {
                        self.mismatched.push((last, issuer));
                    }
                }
                _ => unsure.push((issuer, is_anchor)),
            }
        }
        if !is_named {
            // Without any anchor, nothing that could come would complete it.
            self.refuse(if anchors.is_empty() {
                Reason::NoPathToAnchor
            } else {
                Reason::ChainIncomplete
            });
        }
        candidates.extend(unsure);
        candidates
    }

    /// Whether the signature on `subject` is by `issuer`.
    fn has_issued(&mut self, issuer: &'a Certificate, subject: &'a Certificate) -> bool {
        let known = self
            .checked
            .iter()
            .find(|(below, above, _)| *below == subject && *above == issuer);
        let verified = match known {
            Some((.., verified)) => *verified,
            None if self.checked.len() >= MAX_SIGNATURE_CHECKS => Err(Reason::NoPathToAnchor),
            None => {
                let tolerance = Tolerance {
                    null_parameters: self.rules.profile == Profile::Shaken,
                    other_ecdsa: self.rules.profile != Profile::Delegate,
                    rsa: self.rules.rsa_ca_links,
                };
                let verified = subject.verify_issued_by(self.provider, issuer, tolerance);
                self.checked.push((subject, issuer, verified));
                verified
            }
        };
        if let Err(reason) = verified {
            self.refuse(match reason {
                Reason::UnsupportedCertificateKey => reason,
                _ => Reason::NoPathToAnchor,
            });
        }
        verified.is_ok()
    }

    /// The fault of a path that exists says more than one that breaks off, and that more than none.
    fn refuse(&mut self, reason: Reason) {
        let weight = |reason| match reason {
            Reason::ChainIncomplete => 1,
            Reason::NoPathToAnchor => 2,
            Reason::KeyIdentifierMismatch => 3,
            Reason::UnsupportedCertificateKey => 4,
            _ => 5,
        };
        if self
            .refusal
            .is_none_or(|known| weight(known) < weight(reason))
        {
            self.refusal = Some(reason);
        }
    }

    /// Why there is no path. An issuer with another key identifier who nevertheless signed is a fault;
    /// one who did not is a namesake, and the search ended for want of the right one.
    fn conclude(&mut self) -> Reason {
        let nothing = [
            None,
            Some(Reason::ChainIncomplete),
            Some(Reason::NoPathToAnchor),
        ];
        if nothing.contains(&self.refusal) {
            for (subject, issuer) in core::mem::take(&mut self.mismatched) {
                if self.has_issued(issuer, subject) {
                    self.refuse(Reason::KeyIdentifierMismatch);
                }
            }
        }
        self.refusal.unwrap_or(Reason::NoPathToAnchor)
    }

    /// Everything about the complete path but names and signatures.
    fn check(&self) -> Result<Found, Reason> {
        let (signer, issuers) = self.path.split_first().ok_or(Reason::Internal)?;
        let (mut valid_from, mut valid_until) = (signer.not_before(), signer.not_after());
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
            valid_from = valid_from.max(certificate.not_before());
            valid_until = valid_until.min(certificate.not_after());
        }
        check_usages(signer, issuers)?;
        let (_anchor, below) = self.path.split_last().ok_or(Reason::Internal)?;
        let revocation = self.check_revocation(below)?;
        let (scope, is_encompassed, has_certain_codes) = self.check_scopes(below)?;
        let mut warnings = Vec::new();
        for certificate in below {
            for reason in certificate.profile_deviations(self.rules.profile) {
                if !warnings.contains(&reason) {
                    warnings.push(reason);
                }
            }
        }
        Ok(Found {
            signer: (*signer).clone(),
            certificates: self.path.iter().map(|one| (*one).clone()).collect(),
            valid_from,
            valid_until,
            scope,
            is_encompassed,
            has_certain_codes,
            warnings,
            revocation,
        })
    }

    /// Refuses what a list names; otherwise whether everything was looked up (CRT-60, CRT-61).
    fn check_revocation(&self, below: &[&Certificate]) -> Result<Result<(), Reason>, Reason> {
        let Some(lists) = self.rules.revocation else {
            return Ok(Err(Reason::RevocationNotChecked));
        };
        let at = self.rules.revocation_as_of.unwrap_or(self.at);
        let mut outcome = Ok(());
        for certificate in below {
            match VerifiedRevocationList::standing(lists, certificate, at) {
                Standing::Revoked => return Err(Reason::CertificateRevoked),
                Standing::Good => {}
                Standing::Stale if outcome.is_ok() => outcome = Err(Reason::CrlStale),
                Standing::Stale => {}
                Standing::Unavailable => outcome = Err(Reason::CrlUnavailable),
            }
        }
        Ok(outcome)
    }

    /// Every list must be inside every list above it. The signer's scope, whether that is certain, and
    /// whether it is of the signer's provider codes. The anchor is not among the certificates: it is
    /// not counted (W-25).
    fn check_scopes(&self, below: &[&Certificate]) -> Result<(Scope, bool, bool), Reason> {
        let scope = |certificate| scope_of(certificate, self.rules.referenced_lists);
        let (signer, issuers) = below.split_first().ok_or(Reason::Internal)?;
        let own = scope(signer);
        let (mut is_certain, mut has_certain_codes) = (true, true);
        let mut lists: Vec<_> = own.list.iter().cloned().collect();
        for issuer in issuers {
            let Scope { list, is_open } = scope(issuer);
            let Some(upper) = list else {
                // A list that is not at hand limits, and nobody knows how.
                is_certain &= !is_open && self.rules.profile != Profile::Delegate;
                has_certain_codes &= !is_open;
                continue;
            };
            // What is not fetched may hold a code, or may be what keeps a delegate from it.
            has_certain_codes &= own
                .list
                .as_ref()
                .is_none_or(|own| upper.holds_codes_of(own));
            for lower in &lists {
                match upper.encompasses(lower) {
                    Encompass::Inside => {}
                    Encompass::Outside if !is_open => return Err(Reason::ScopeNotEncompassed),
                    Encompass::Outside | Encompass::Unknown => is_certain = false,
                }
            }
            lists.push(upper);
        }
        Ok((own, is_certain, has_certain_codes))
    }
}

/// Key usages, CA bits and path lengths.
fn check_usages(signer: &Certificate, issuers: &[&Certificate]) -> Result<(), Reason> {
    let allows =
        |certificate: &Certificate, bit| certificate.0.key_usage.is_none_or(|usage| usage.has(bit));
    if !allows(signer, KeyUsage::DIGITAL_SIGNATURE) {
        return Err(Reason::KeyUsageMissing);
    }
    // Intermediates below the issuer at hand; self-issued ones do not count (RFC 5280 6.1.4).
    let mut intermediates = 0u64;
    for issuer in issuers {
        if !issuer.is_ca() {
            return Err(Reason::IssuerNotCa);
        }
        if !allows(issuer, KeyUsage::KEY_CERT_SIGN) {
            return Err(Reason::KeyUsageMissing);
        }
        if issuer.path_len().is_some_and(|most| intermediates > most) {
            return Err(Reason::PathTooLong);
        }
        if !issuer.is_self_issued() {
            intermediates = intermediates.saturating_add(1);
        }
    }
    Ok(())
}
