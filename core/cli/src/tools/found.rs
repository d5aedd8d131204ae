//! What was found where a reason applies, in a line for people: what was measured, and against what.

use std::time::Duration;

use ringtrue::{Reason, UnixTime};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::base64url;
use ringtrue_stir::certificate::{Certificate, CertificateBag, ClaimConstraints, TrustAnchors};
use ringtrue_stir::passport::{Identity, Passport};
use ringtrue_stir::sip::IdentityHeader;
use ringtrue_stir::verification::Report;
use serde_json::Value;

use super::outline;
use super::tn_auth_list::lines;
use super::token_text::TokenText;
use crate::date;

/// The names of a token's parts.
const PARTS: [&str; 3] = ["header", "payload", "signature"];

/// The octets of a signature.
const SIGNATURE_LEN: usize = 64;

/// How many numbers of a signer are listed.
const MAX_LISTED: usize = 4;

/// The certificates that were looked at, and when.
#[derive(Clone, Copy)]
pub(crate) struct Certificates<'a> {
    pub(crate) chains: &'a [CertificateBag],
    pub(crate) anchors: &'a TrustAnchors,
    pub(crate) at: UnixTime,
}

/// Everything that a token was held against.
#[derive(Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) token: &'a str,
    pub(crate) text: Option<&'a TokenText>,
    pub(crate) header: Option<&'a IdentityHeader>,
    pub(crate) report: &'a Report,
    pub(crate) orig: Option<&'a Identity>,
    pub(crate) dest: Option<&'a Identity>,
    pub(crate) freshness: Duration,
    pub(crate) skew: Duration,
    pub(crate) certificates: Certificates<'a>,
}

impl Certificates<'_> {
    /// What was found about `reason` in the chains.
    pub(crate) fn about(self, reason: Reason) -> Option<String> {
        let mut all = self.chains.iter().flat_map(CertificateBag::certificates);
        match reason {
            Reason::CertificateExpired => all
                .find(|one| one.not_after() < self.at)
                .map(|one| format!("{} ended {}", name(one), date::text(one.not_after()))),
            Reason::CertificateNotYetValid => all
                .find(|one| one.not_before() > self.at)
                .map(|one| format!("{} begins {}", name(one), date::text(one.not_before()))),
            Reason::NoPathToAnchor | Reason::ChainIncomplete => {
                // The issuer that nobody brought, else the last one.
                let missing = all.clone().find(|one| !self.has_issuer_of(one));
                let last = missing.or_else(|| all.last())?;
                let anchors = self.anchors.certificates().iter().take(MAX_LISTED);
                let anchors: Vec<_> = anchors.map(name).collect();
                Some(format!(
                    "{} names the issuer {}; the anchors are {}",
                    name(last),
                    last.issuer_text(),
                    anchors.join("; ")
                ))
            }
            Reason::ScopeNotEncompassed => {
                let listed = all.filter(|one| one.tn_auth_list().is_some());
                let scopes: Vec<_> = listed.take(MAX_LISTED).map(scope_of).collect();
                Some(scopes.join(", and above it "))
            }
            Reason::SignerIsCa | Reason::SignerNotFirst | Reason::TnAuthListMissing => all
                .next()
                .map(|first| format!("the chain begins with {}", name(first))),
            _ => None,
        }
    }

    fn has_issuer_of(self, certificate: &Certificate) -> bool {
        let known = self.chains.iter().flat_map(CertificateBag::certificates);
        let mut known = known.chain(self.anchors.certificates());
        known.any(|issuer| issuer.subject_text() == certificate.issuer_text())
    }
}

/// What a signer may speak for, in a line.
pub(crate) fn scope_of(signer: &Certificate) -> String {
    let scope = signer.tn_auth_list().map(lines).unwrap_or_default();
    let mut shown: Vec<_> = scope.iter().take(MAX_LISTED).cloned().collect();
    if scope.len() > MAX_LISTED {
        shown.push(format!("{} entries in all", scope.len()));
    }
    if shown.is_empty() {
        shown.push("nothing".to_owned());
    }
    format!("{} may speak for {}", name(signer), shown.join("; "))
}

fn name(certificate: &Certificate) -> String {
    certificate.subject_text()
}

impl Token<'_> {
    /// What was found about `reason`. `None` where the reason and the parts of the token, which are shown
    /// too, say it all.
    pub(crate) fn about(&self, reason: Reason) -> Option<String> {
        match reason {
            Reason::IatStale | Reason::IatInFuture => self.skew_of(reason),
            Reason::OrigMismatch => self.orig_mismatch(),
            Reason::DestMismatch => self.dest_mismatch(),
            Reason::NotCanonical => self.in_parts(outline::deviation),
            Reason::DuplicateMember => self.in_parts(outline::repeated),
            Reason::DestNotSorted => self.unsorted_dest(),
            Reason::MalformedToken => self.broken_part(),
            Reason::MalformedSignature => {
                let octets = self.text?.signature_octets?;
                (octets != SIGNATURE_LEN)
                    .then(|| format!("it has {octets} octets instead of {SIGNATURE_LEN}"))
            }
            Reason::SignatureInvalid => {
                let keys = self.certificates.chains.iter();
                let keys = keys.filter_map(|bag| bag.certificates().first().map(name));
                let keys: Vec<_> = keys.take(MAX_LISTED).collect();
                (!keys.is_empty()).then(|| format!("tried with the key of {}", keys.join("; ")))
            }
            Reason::IatOutsideCertificate => {
                let signer = self.signer()?;
                let from = date::text(signer.not_before());
                let until = date::text(signer.not_after());
                Some(format!("{} is valid from {from} to {until}", name(signer)))
            }
            Reason::NumberNotCovered | Reason::AuthorityBySpc | Reason::EncompassUnknown => {
                let spoken_for = self.report.passport.as_ref()?.spoken_for();
                let spoken_for: Vec<_> = spoken_for.iter().map(shown).collect();
                let scope = scope_of(self.signer()?);
                Some(format!("{scope}; it speaks for {}", spoken_for.join(", ")))
            }
            Reason::ClaimConstraintViolated => {
                let payload = self.report.passport.as_ref()?.claims().payload();
                violated(self.signer()?.claim_constraints()?, payload)
            }
            Reason::InfoMismatch => {
                let x5u = self.report.passport.as_ref()?.x5u();
                Some(format!("info is {}, x5u is {x5u}", self.header?.info()))
            }
            Reason::HeaderParameterMismatch => {
                let (header, passport) = (self.header?, self.report.passport.as_ref()?);
                let ppt = |ppt: Option<&str>| ppt.unwrap_or("no ppt").to_owned();
                Some(format!(
                    "the field says {} and {}, the token ES256 and {}",
                    header.alg(),
                    ppt(header.ppt()),
                    ppt(passport.ppt())
                ))
            }
            reason => self.certificates.about(reason),
        }
    }

    /// How far `iat` is off.
    fn skew_of(&self, reason: Reason) -> Option<String> {
        let iat = self.report.passport.as_ref()?.claims().iat().as_secs();
        let at = self.certificates.at;
        let (off, way, allowed) = match reason {
            Reason::IatStale => (at.as_secs().checked_sub(iat)?, "before", self.freshness),
            _ => (iat.checked_sub(at.as_secs())?, "after", self.skew),
        };
        // An earlier token of a diversion can be meant.
        (off > allowed.as_secs()).then(|| {
            format!(
                "it is {off} s {way} the time of the check, {}; {} s are allowed",
                date::text(at),
                allowed.as_secs()
            )
        })
    }

    fn orig_mismatch(&self) -> Option<String> {
        let claimed = self.report.passport.as_ref()?.claims().orig();
        Some(format!(
            "the token says {}, the call {}",
            shown(claimed),
            shown(self.orig?)
        ))
    }

    fn dest_mismatch(&self) -> Option<String> {
        let dest = self.report.passport.as_ref()?.claims().dest();
        let claimed: Vec<_> = dest.identities().map(|one| shown(&one)).collect();
        Some(format!(
            "the token says {}, the call {}",
            claimed.join(", "),
            shown(self.dest?)
        ))
    }

    /// The two that stand the wrong way round.
    fn unsorted_dest(&self) -> Option<String> {
        let dest = self.text?.payload.get("dest")?.as_object()?;
        dest.iter().find_map(|(name, values)| {
            let values = values.as_array()?;
            let mut pairs = values.iter().zip(values.iter().skip(1));
            let (earlier, later) =
                pairs.find(|(earlier, later)| earlier.as_str() > later.as_str())?;
            Some(format!("in {name}, {earlier} stands before {later}"))
        })
    }

    /// What `find` says of header and payload.
    fn in_parts(&self, find: impl Fn(&[u8]) -> Option<String>) -> Option<String> {
        let mut parts = PARTS.iter().take(2).zip(self.token.split('.'));
        parts.find_map(|(name, part)| {
            let found = find(&base64url::decode(part).ok()?)?;
            Some(format!("{name}: {found}"))
        })
    }

    /// Which part is not base64url, and where.
    fn broken_part(&self) -> Option<String> {
        let parts: Vec<_> = self.token.split('.').collect();
        if parts.len() != PARTS.len() {
            return Some(format!("it has {} parts instead of 3", parts.len()));
        }
        let is_foreign = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        PARTS.iter().zip(parts).find_map(|(name, part)| {
            if part.is_empty() {
                return Some(format!("the {name} is empty"));
            }
            let mut characters = part.chars().enumerate();
            match characters.find(|(_, c)| is_foreign(*c)) {
                Some((index, c)) => Some(format!("{name}: {c:?} at character {index}")),
                None if base64url::decode(part).is_err() => {
                    Some(format!("{name}: it ends inside an octet"))
                }
                None => None,
            }
        })
    }

    /// The signer's certificate: of the path that holds, else the one whose key verifies the token.
    fn signer(&self) -> Option<&Certificate> {
        if let Some(verified) = &self.report.verified {
            return Some(verified.path().signer());
        }
        let passport: &Passport = self.report.passport.as_ref()?;
        let mut bags = self.certificates.chains.iter();
        bags.find_map(|bag| passport.find_signer(&AwsLcCrypto, bag))
    }
}

fn shown(identity: &Identity) -> String {
    match identity {
        Identity::Tn(number) => number.as_str().to_owned(),
        Identity::Uri(uri) => uri.clone(),
    }
}

/// Which of the constraints the claims break.
fn violated(constraints: &ClaimConstraints, claims: &Value) -> Option<String> {
    let missing = constraints.must_include().iter();
    let mut missing = missing.filter(|name| claims.get(name.as_str()).is_none());
    if let Some(name) = missing.next() {
        return Some(format!("there is no {name}"));
    }
    let mut excluded = constraints.must_exclude().iter();
    if let Some(name) = excluded.find(|name| claims.get(name.as_str()).is_some()) {
        return Some(format!("there is {name}"));
    }
    constraints
        .permitted_values()
        .iter()
        .find_map(|(name, values)| {
            let found = claims.get(name)?;
            let is_permitted = found
                .as_str()
                .is_some_and(|found| values.iter().any(|value| value == found));
            (!is_permitted).then(|| format!("{name} may be {} only", values.join(" or ")))
        })
}
