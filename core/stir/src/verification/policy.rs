//! What a verifier accepts.

use core::time::Duration;

use crate::Strictness;
use crate::certificate::Profile;
use crate::certificate::sct::SctPolicy;
use crate::rcd::ThirdPartyPolicy;

/// Which service provider codes are taken for authority over a number that they do not list.
///
/// Source: RFC 8226 section 9 (CRT-11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SpcPolicy {
    /// None: a code says nothing checkable about a number.
    #[default]
    None,
    /// These, compared exactly (CRT-12).
    Listed(Vec<String>),
    /// Every one.
    Any,
}

impl SpcPolicy {
    /// Whether `spc` counts.
    #[must_use]
    pub fn accepts(&self, spc: &str) -> bool {
        match self {
            Self::None => false,
            Self::Listed(codes) => codes.iter().any(|code| code == spc),
            Self::Any => true,
        }
    }
}

/// The choices of a verifier. [`VerificationPolicy::default`] is the strict one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerificationPolicy {
    /// Whether tolerable deviations refuse or warn.
    pub strictness: Strictness,
    /// The certificate profile.
    pub profile: Profile,
    /// How far back `iat` may lie: 60 s (PPT-18).
    pub freshness: Duration,
    /// How far ahead `iat` may lie: 10 s (PPT-18).
    pub clock_skew: Duration,
    /// How far back the `iat` of a diverted call's earlier tokens may lie: 60 s, at most three hours
    /// where tokens are handed on by those one trusts (PPT-57).
    pub inner_freshness: Duration,
    /// Codes that count as authority.
    pub accept_spc: SpcPolicy,
    /// Whether a number counts as covered although an issuer's right to it cannot be told (CRT-33).
    pub accept_encompass_unknown: bool,
    /// Whether an `rsp` PASSporT may be accepted: only where an answer is read (RSP-2).
    pub accept_rsp: bool,
    /// Whether a verification without any revocation list is left to policy. With lists at hand, one
    /// that is outdated or does not speak of a certificate always is (CRT-61).
    pub require_revocation: bool,
    /// Whether an authority may sign certificates with RSA and SHA-256 (CRT-75).
    pub rsa_ca_links: bool,
    /// What is asked of embedded timestamps, where logs are configured.
    pub sct: SctPolicy,
    /// What to do with rich call data by another party than the caller's (PPT-81).
    pub third_party_rcd: ThirdPartyPolicy,
}

impl Default for VerificationPolicy {
    fn default() -> Self {
        Self {
            strictness: Strictness::Strict,
            profile: Profile::Stir,
            freshness: Duration::from_secs(60),
            clock_skew: Duration::from_secs(10),
            inner_freshness: Duration::from_secs(60),
            accept_spc: SpcPolicy::None,
            accept_encompass_unknown: false,
            accept_rsp: false,
            require_revocation: false,
            rsa_ca_links: false,
            sct: SctPolicy::default(),
            third_party_rcd: ThirdPartyPolicy::default(),
        }
    }
}
