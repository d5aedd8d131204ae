//! One token and its signer: freshness, chain, path, authority, signature.

use super::findings::Findings;
use super::{Evidence, ReportedAuthority, VerificationPolicy};
use crate::certificate::sct::{SctMode, verify_scts};
use crate::certificate::{
    Authority, Certificate, CertificateBag, PathRules, VerifiedPath, evaluation_time, verify_path,
};
use crate::crypto::CryptoProvider;
use crate::passport::{MAX_INNER_FRESHNESS, Passport, VerifiedPassport};
use crate::{Reason, Strictness, UnixTime};

/// How many keys one verification tries on tokens. Six tokens of a diverted call with as many chains, the
/// signer first in each, need 36; the rest is for chains with several signers, not for requests built to
/// cost time.
pub(super) const MAX_SIGNER_CHECKS: usize = 256;

/// Which freshness window is a token's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// That of the token which came for this call.
    Outer,
    /// That of tokens before a diversion (PPT-57).
    Inner,
}

/// A verification under way.
pub(super) struct Checker<'a> {
    pub(super) provider: &'a dyn CryptoProvider,
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) policy: &'a VerificationPolicy,
    pub(super) at: UnixTime,
    pub(super) findings: Findings,
    /// Of the token that came for this call.
    pub(super) authority: ReportedAuthority,
    /// Of [`MAX_SIGNER_CHECKS`].
    pub(super) checks_left: usize,
}

impl Checker<'_> {
    /// Checks everything about one token that does not depend on the call. Gives it if its signature
    /// and path hold; what else is wrong is among the findings.
    pub(super) fn verify(
        &mut self,
        passport: &Passport,
        window: Window,
    ) -> Option<VerifiedPassport> {
        self.findings.check(passport.check_x5u_form());
        for reason in passport.notices() {
            self.findings.warn(*reason);
        }
        if self.policy.strictness == Strictness::Lenient {
            for reason in passport.deviations() {
                self.findings.warn(*reason);
            }
        }
        self.check_freshness(passport.claims().iat(), window);
        if self.evidence.anchors.is_none() {
            self.verify_with_key(passport, window);
            return None;
        }
        let path = self.find_path(passport, window)?;
        self.check_authority(passport, &path, window);
        self.check_status(&path);
        match passport.verify_with(self.provider, &path, self.policy.strictness) {
            Ok(verified) => Some(verified),
            Err(reason) => {
                self.findings.fault(reason);
                // Whoever signed this, it was not the one whose right was looked at.
                if reason == Reason::SignatureInvalid && window == Window::Outer {
                    self.authority = ReportedAuthority::None;
                }
                None
            }
        }
    }

    fn check_freshness(&mut self, iat: UnixTime, window: Window) {
        let (freshness, stale) = match window {
            Window::Outer => (self.policy.freshness, Reason::IatStale),
            Window::Inner => (
                self.policy.inner_freshness.min(MAX_INNER_FRESHNESS),
                Reason::InnerStale,
            ),
        };
        if iat < self.at.minus(freshness) {
            self.findings.fault(stale);
        }
        if iat > self.at.plus(self.policy.clock_skew) {
            self.findings.fault(Reason::IatInFuture);
        }
    }

    /// Without certificates nothing is known of the signer but the key.
    fn verify_with_key(&mut self, passport: &Passport, window: Window) {
        if window == Window::Outer {
            self.authority = ReportedAuthority::Unknown;
        }
        let Some(key) = self.evidence.public_key else {
            self.findings.fault(Reason::CredentialUnavailable);
            return;
        };
        let verified = passport.verify_with_key(self.provider, key, self.policy.strictness);
        self.findings.check(verified.map(|_| ()));
    }

    /// The path of the token's signer, from the chain that holds it.
    fn find_path(&mut self, passport: &Passport, window: Window) -> Option<VerifiedPath> {
        let own;
        let chains = match passport.header_x5c() {
            Ok(None) => self.evidence.chains,
            Ok(Some(bag)) => {
                own = [bag];
                own.as_slice()
            }
            // The next source is for where this one is absent, not for where it fails (W-1).
            Err(reason) => {
                self.findings.fault(reason);
                return None;
            }
        };
        let freshness = match window {
            Window::Outer => self.policy.freshness,
            Window::Inner => self.policy.inner_freshness.min(MAX_INNER_FRESHNESS),
        };
        let rules = PathRules {
            rsa_ca_links: self.policy.rsa_ca_links,
            referenced_lists: self.evidence.referenced_lists,
            revocation: self.evidence.revocation,
            revocation_as_of: Some(self.at),
            ..PathRules::new(self.policy.profile)
        };
        let as_of = evaluation_time(passport.claims().iat(), self.at, freshness);
        let anchors = self.evidence.anchors?;
        let provider = self.provider;
        let verify = |bag, signer| verify_path(provider, signer, bag, anchors, as_of, rules);
        // A key that was certified again has several certificates: the first that holds will do.
        let mut refused = None;
        for bag in chains {
            let Some(left) = self.checks_left.checked_sub(bag.end_entities().count()) else {
                self.findings.fault(Reason::TooManyCertificates);
                return None;
            };
            self.checks_left = left;
            let Some(signer) = passport.find_signer(provider, bag) else {
                continue;
            };
            match verify(bag, signer) {
                Ok(path) => {
                    self.check_order(bag, signer);
                    return Some(path);
                }
                Err(reason) => {
                    refused.get_or_insert((bag, signer, reason));
                }
            }
        }
        let checked = match refused {
            Some((bag, signer, reason)) => {
                self.check_order(bag, signer);
                Err(reason)
            }
            None => {
                let (bag, presumed) = self.presume_signer(passport, chains)?;
                verify(bag, presumed)
            }
        };
        checked.map_err(|reason| self.findings.fault(reason)).ok()
    }

    /// The signer comes first (CRT-36).
    fn check_order(&mut self, bag: &CertificateBag, signer: &Certificate) {
        if !bag.first_is(signer) {
            self.tolerable(Reason::SignerNotFirst);
        }
    }

    /// No certificate is the signer's: the one that should have been, to say what else is wrong.
    fn presume_signer<'c>(
        &mut self,
        passport: &Passport,
        chains: &'c [CertificateBag],
    ) -> Option<(&'c CertificateBag, &'c Certificate)> {
        let Some(bag) = chains.first() else {
            self.findings.fault(Reason::CredentialUnavailable);
            return None;
        };
        let first = bag.certificates().first()?;
        // A CA that signs tokens itself is told apart from somebody else's signature (CRT-37).
        let by_ca = first.is_ca()
            && first.public_key().is_some_and(|key| {
                let verified = passport.verify_with_key(self.provider, key, Strictness::Lenient);
                verified.is_ok()
            });
        self.findings.fault(if by_ca {
            Reason::SignerIsCa
        } else {
            Reason::SignatureInvalid
        });
        let end_entity = bag.end_entities().next()?;
        Some((bag, end_entity))
    }

    /// A deviation that the lenient reader lets pass.
    fn tolerable(&mut self, reason: Reason) {
        match self.policy.strictness {
            Strictness::Strict => self.findings.fault(reason),
            Strictness::Lenient => self.findings.warn(reason),
        }
    }

    /// Whether the signer may speak for whom it speaks for (PPT-51, RSP-3, CRT-11, CRT-33).
    fn check_authority(&mut self, passport: &Passport, path: &VerifiedPath, window: Window) {
        // The weakest of several speaks for all.
        let rank = |authority: &ReportedAuthority| match authority {
            ReportedAuthority::Covered => 1,
            ReportedAuthority::BySpc(_) => 2,
            ReportedAuthority::Unknown => 3,
            ReportedAuthority::None => 4,
        };
        let mut reported: Option<ReportedAuthority> = None;
        for identity in passport.spoken_for() {
            let Some(number) = identity.tn() else {
                // No TNAuthList holds a URI.
                self.findings.fault(Reason::NumberNotCovered);
                reported = Some(ReportedAuthority::None);
                continue;
            };
            let authority = match path.covers(number) {
                Authority::Covered => ReportedAuthority::Covered,
                Authority::BySpc(spc) => {
                    if !self.policy.accept_spc.accepts(&spc) {
                        self.findings.fault(Reason::AuthorityBySpc);
                    }
                    ReportedAuthority::BySpc(spc)
                }
                Authority::EncompassUnknown => {
                    if !self.policy.accept_encompass_unknown {
                        self.findings.fault(Reason::EncompassUnknown);
                    }
                    ReportedAuthority::Unknown
                }
                Authority::Unknown => {
                    self.findings.fault(Reason::AuthorityUnknown);
                    ReportedAuthority::Unknown
                }
                Authority::None => {
                    self.findings.check(path.require_covered(number));
                    ReportedAuthority::None
                }
            };
            if reported.as_ref().map_or(0, rank) < rank(&authority) {
                reported = Some(authority);
            }
        }
        if window == Window::Outer {
            self.authority = reported.unwrap_or(ReportedAuthority::None);
        }
    }

    /// What the world says about the certificates: profile, revocation, logs.
    fn check_status(&mut self, path: &VerifiedPath) {
        for reason in path.warnings() {
            self.findings.warn(*reason);
        }
        match path.revocation() {
            Ok(()) => {}
            Err(Reason::RevocationNotChecked) if self.policy.require_revocation => {
                self.findings.fault(Reason::CrlUnavailable);
            }
            Err(Reason::RevocationNotChecked) => {}
            Err(reason) => self.findings.fault(reason),
        }
        let mut certificates = path.certificates().iter();
        let (Some(signer), Some(issuer)) = (certificates.next(), certificates.next()) else {
            return;
        };
        match self.evidence.logs {
            Some(logs) => {
                let policy = &self.policy.sct;
                let scts = verify_scts(self.provider, signer, issuer, logs, policy, self.at);
                self.findings.check(scts.require());
                for reason in scts.warnings() {
                    self.findings.warn(*reason);
                }
            }
            None if self.policy.sct.mode == SctMode::Require => {
                self.findings.fault(Reason::SctMissing);
            }
            None => {}
        }
    }
}
