//! What may be fetched, and the limits of each kind.

use std::time::Duration;

use ringtrue_stir::certificate::MAX_CRL_LEN;
use ringtrue_stir::rcd::{MAX_IMAGE_LEN, MAX_JCARD_LEN};
use ringtrue_stir::tn_auth_list;
use ringtrue_stir::trust_bundle::MAX_TRUST_BUNDLE_LEN;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// A kind of content behind a URL. Each has its own limits and its own part of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FetchKind {
    /// The certificates of a signer, behind `x5u`: PEM, or DER of one certificate. 64 KiB, 8
    /// certificates, 5 s (CRT-42).
    CertificatePath,
    /// A certificate revocation list. [`MAX_CRL_LEN`] octets, 10 s: outside a call, so there is more
    /// time.
    Crl,
    /// The image that rich call data refers to. [`MAX_IMAGE_LEN`] octets, 5 s (PPT-84).
    Image,
    /// The jCard that rich call data refers to. [`MAX_JCARD_LEN`] octets, 5 s (PPT-84).
    Jcard,
    /// The numbers of a certificate that names its TNAuthList by reference, DER.
    /// [`tn_auth_list::MAX_LEN`] octets, 5 s (CRT-8).
    TnAuthList,
    /// An operator's trust bundle. [`MAX_TRUST_BUNDLE_LEN`] octets, 10 s.
    TrustBundle,
}

impl FetchKind {
    /// Every kind. Proofs of certificate logs are not among them (SCT-21).
    pub const ALL: [Self; 6] = [
        Self::CertificatePath,
        Self::Crl,
        Self::Image,
        Self::Jcard,
        Self::TnAuthList,
        Self::TrustBundle,
    ];

    /// The most octets of an answer.
    #[must_use]
    pub const fn max_octets(self) -> usize {
        match self {
            Self::CertificatePath => 64 * 1024,
            // For the rest, what their parsers read.
            Self::Crl => MAX_CRL_LEN,
            Self::Image => MAX_IMAGE_LEN,
            Self::Jcard => MAX_JCARD_LEN,
            Self::TnAuthList => tn_auth_list::MAX_LEN,
            Self::TrustBundle => MAX_TRUST_BUNDLE_LEN,
        }
    }

    /// The longest time from the question for the name to the last octet.
    #[must_use]
    pub const fn time_limit(self) -> Duration {
        match self {
            Self::CertificatePath | Self::Image | Self::Jcard | Self::TnAuthList => {
                Duration::from_secs(5)
            }
            Self::Crl | Self::TrustBundle => Duration::from_secs(10),
        }
    }

    /// What the request asks for.
    pub(super) const fn accept(self) -> &'static str {
        match self {
            Self::CertificatePath => "application/pem-certificate-chain",
            Self::Crl => "application/pkix-crl",
            Self::Image => "image/png, image/jpeg",
            Self::Jcard => "application/vcard+json",
            Self::TnAuthList => "application/tnauthlist",
            Self::TrustBundle => "*/*",
        }
    }

    /// How long an answer is kept whose host states `stated`, or nothing at all.
    ///
    /// Certificates are kept for a day at least: a host that wants to see every call otherwise only has
    /// to say so. What is kept is checked anew with each use, so age does no harm (CRT-43, CRT-44).
    pub(super) fn keep(self, stated: Option<Duration>) -> Duration {
        let (least, unstated, most) = match self {
            Self::CertificatePath => (DAY, DAY, DAY.saturating_mul(30)),
            // The bound of the list itself comes on top (CRT-61).
            Self::Crl => (Duration::ZERO, HOUR, DAY.saturating_mul(7)),
            Self::Image | Self::Jcard => (DAY, DAY, DAY.saturating_mul(30)),
            // Numbers move between providers, and nobody signed the list.
            Self::TnAuthList => (Duration::ZERO, HOUR, DAY),
            // Asked for seldom, and then to learn what is new.
            Self::TrustBundle => (Duration::ZERO, Duration::ZERO, DAY),
        };
        stated.unwrap_or(unstated).clamp(least, most)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::FetchKind;

    #[test]
    fn certificates_are_kept_for_a_day_at_least_and_a_month_at_most() {
        let kept = |stated: Option<u64>| {
            FetchKind::CertificatePath
                .keep(stated.map(Duration::from_secs))
                .as_secs()
        };
        assert_eq!(kept(None), 86_400);
        assert_eq!(kept(Some(0)), 86_400);
        assert_eq!(kept(Some(86_399)), 86_400);
        assert_eq!(kept(Some(86_401)), 86_401);
        assert_eq!(kept(Some(u64::MAX)), 30 * 86_400);
    }

    #[test]
    fn unsigned_lists_and_bundles_are_not_kept_against_the_host_s_word() {
        for kind in [
            FetchKind::Crl,
            FetchKind::TnAuthList,
            FetchKind::TrustBundle,
        ] {
            assert_eq!(kind.keep(Some(Duration::ZERO)), Duration::ZERO, "{kind:?}");
        }
        assert_eq!(FetchKind::TrustBundle.keep(None), Duration::ZERO);
    }

    /// SCT-21: whoever adds a kind for proofs of logs has to change this list.
    #[test]
    fn proofs_of_certificate_logs_are_no_kind_of_content() {
        let names = FetchKind::ALL.map(|kind| format!("{kind:?}"));
        assert_eq!(
            names.as_slice(),
            [
                "CertificatePath",
                "Crl",
                "Image",
                "Jcard",
                "TnAuthList",
                "TrustBundle"
            ]
        );
    }
}
