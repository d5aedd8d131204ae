//! The checks, in the order of RFC 8224 section 6.2.

use super::findings::Findings;
use super::{Evidence, ExpectedCall, Report, ReportedAuthority, VerificationPolicy};
use crate::certificate::{Authority, Certificate, CertificateBag, VerifiedPath, verify_path};
use crate::crypto::CryptoProvider;
use crate::passport::{Identity, Passport, PassportType, VerifiedPassport};
use crate::{Reason, Strictness, UnixTime};

/// Checks `token` in full as of `at` and reports everything that was found.
///
/// A fault does not end the verification: what can still be said is said. The token of an unsupported
/// type is [`Verdict::Ignore`](super::Verdict::Ignore), whatever else it is (PPT-14).
///
/// The signer's path is judged as of the token's own `iat` where that is fresh, so that a short-lived
/// certificate that ran out while the call was set up still counts, and as of `at` otherwise.
///
/// Source: RFC 8224 section 6.2; RFC 8225 sections 4 to 10; RFC 8226 sections 8 and 9; RFC 8946
/// section 4.2; RFC 9060 section 6; RFC 9118 section 3; RFC 9475 section 3.2; RFC 9795 section 8.
#[must_use]
pub fn verify(
    provider: &dyn CryptoProvider,
    token: &str,
    evidence: &Evidence<'_>,
    policy: &VerificationPolicy,
    call: &ExpectedCall<'_>,
    at: UnixTime,
) -> Report {
    let mut verification = Verification {
        provider,
        evidence,
        policy,
        at,
        findings: Findings::default(),
        authority: ReportedAuthority::None,
    };
    let passport = match Passport::parse(token) {
        Ok(passport) => Some(passport),
        Err(reason) => {
            verification.findings.fault(reason);
            None
        }
    };
    let verified = passport
        .as_ref()
        .and_then(|passport| verification.check(passport, call));
    let (verdict, reasons, warnings) = verification.findings.conclude();
    Report {
        verdict,
        reasons,
        warnings,
        passport,
        verified,
        authority: verification.authority,
        has_rcd: false,
    }
}

/// One verification under way.
struct Verification<'a> {
    provider: &'a dyn CryptoProvider,
    evidence: &'a Evidence<'a>,
    policy: &'a VerificationPolicy,
    at: UnixTime,
    findings: Findings,
    authority: ReportedAuthority,
}

impl Verification<'_> {
    fn check(&mut self, passport: &Passport, call: &ExpectedCall<'_>) -> Option<VerifiedPassport> {
        if passport.kind() == PassportType::Unsupported {
            self.findings.ignore();
            return None;
        }
        if passport.kind() == PassportType::Rsp && !self.policy.accept_rsp {
            self.findings.fault(Reason::UnexpectedRsp);
        }
        self.check_call(passport, call);
        let is_fresh = self.check_freshness(passport.claims().iat());
        let as_of = if is_fresh {
            passport.claims().iat().min(self.at)
        } else {
            self.at
        };
        if self.evidence.anchors.is_none() {
            self.authority = ReportedAuthority::Unknown;
            return None;
        }
        let path = self.find_path(passport, as_of)?;
        self.check_authority(passport, &path);
        match passport.verify(self.provider, &path) {
            Ok(verified) => Some(verified),
            Err(reason) => {
                self.findings.fault(reason);
                None
            }
        }
    }

    /// Who calls and who is called, where the signalling says so (SIP-41, PPT-20).
    fn check_call(&mut self, passport: &Passport, call: &ExpectedCall<'_>) {
        let claims = passport.claims();
        if call.orig.is_some_and(|orig| orig != claims.orig()) {
            self.findings.fault(Reason::OrigMismatch);
        }
        if let Some(Identity::Tn(dest)) = call.dest
            && !claims.dest().contains(dest)
        {
            self.findings.fault(Reason::DestMismatch);
        }
    }

    fn check_freshness(&mut self, iat: UnixTime) -> bool {
        if iat < self.at.minus(self.policy.freshness) {
            self.findings.fault(Reason::IatStale);
            return false;
        }
        if iat > self.at.plus(self.policy.clock_skew) {
            self.findings.fault(Reason::IatInFuture);
            return false;
        }
        true
    }

    /// The signer's path from the chain that holds the signer.
    fn find_path(&mut self, passport: &Passport, as_of: UnixTime) -> Option<VerifiedPath> {
        let found = self.evidence.chains.iter().find_map(|bag| {
            passport
                .find_signer(self.provider, bag)
                .map(|signer| (signer, bag))
        });
        let (signer, bag): (&Certificate, &CertificateBag) = match found {
            Some(found) => found,
            None => {
                let bag = self.evidence.chains.first();
                let first = bag.and_then(|bag| bag.certificates().first());
                let (Some(bag), Some(first)) = (bag, first) else {
                    self.findings.fault(Reason::CredentialUnavailable);
                    return None;
                };
                self.findings.fault(if first.is_ca() {
                    Reason::SignerIsCa
                } else {
                    Reason::SignatureInvalid
                });
                (first, bag)
            }
        };
        if bag.certificates().first() != Some(signer) {
            self.tolerable(Reason::SignerNotFirst);
        }
        let anchors = self.evidence.anchors?;
        match verify_path(
            self.provider,
            signer,
            bag,
            anchors,
            as_of,
            self.policy.profile,
        ) {
            Ok(path) => Some(path),
            Err(reason) => {
                self.findings.fault(reason);
                None
            }
        }
    }

    /// A deviation that the lenient reader lets pass.
    fn tolerable(&mut self, reason: Reason) {
        match self.policy.strictness {
            Strictness::Strict => self.findings.fault(reason),
            Strictness::Lenient => self.findings.warn(reason),
        }
    }

    /// Whether the signer may speak for the number it speaks for.
    fn check_authority(&mut self, passport: &Passport, path: &VerifiedPath) {
        let claims = passport.claims();
        let number = match passport.kind() {
            PassportType::Rsp => claims.dest().tn.first(),
            _ => claims.orig().tn(),
        };
        let Some(number) = number else {
            self.findings.fault(Reason::NumberNotCovered);
            return;
        };
        self.authority = match path.covers(number) {
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
    }
}
