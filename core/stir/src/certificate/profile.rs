//! Certificate profiles, and where a certificate leaves the one it is judged by.

use super::inspect::CrlDistributionPoint;
use super::{Certificate, IssuerKey, KeyUsage, name};
use crate::Reason;
use crate::crypto::IssuerCurve;
use crate::tn_auth_list::Entry;

/// Which rules apply beyond those of RFC 8226.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// Certificates of endpoints: every issuer below the anchor must state its scope (W-25), and
    /// everybody signs with ES256.
    Delegate,
    /// Service-provider certificates as they are in use. The only one to accept an explicit NULL
    /// after the signature algorithm, as one large carrier writes it (CRT-70). Where else a
    /// certificate leaves the profile (CRT-50 to CRT-59) is reported, not refused.
    Shaken,
    /// RFC 8226 and RFC 9060 as they stand.
    Stir,
}

/// The SHAKEN certificate policy in its successive versions, all of them in use (CRT-55).
const SHAKEN_POLICIES: [&str; 3] = [
    "2.16.840.1.114569.1.1.1",
    "2.16.840.1.114569.1.1.3",
    "2.16.840.1.114569.1.1.4",
];

const ANY_POLICY: &str = "2.5.29.32.0";

/// The fewest significant bits of a serial number (CRT-50), counted as the ecosystem's linter does.
const MIN_SERIAL_BITS: usize = 64;

/// The contents of object identifiers.
mod oid {
    pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
    pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
}

impl Certificate {
    /// Where this certificate leaves `profile` without being unusable for it, each reason once.
    ///
    /// In every profile: [`Reason::KeyUsageEncoding`], [`Reason::NullParameters`],
    /// [`Reason::ConstraintsOnCa`], [`Reason::SpcUnusual`]. In [`Profile::Shaken`] also
    /// [`Reason::ProfileSerial`], [`Reason::ProfileAlgorithm`], [`Reason::ProfileSubject`],
    /// [`Reason::ProfileExtensions`], [`Reason::ProfilePolicy`], [`Reason::ProfileCrl`] and
    /// [`Reason::ProfileTnAuthList`]. They refuse nothing: live certificates show each of them.
    ///
    /// Source: CRT-12, CRT-25, CRT-50 to CRT-59, CRT-70, CRT-71.
    #[must_use]
    pub fn profile_deviations(&self, profile: Profile) -> Vec<Reason> {
        let mut found = Vec::new();
        let mut note = |deviates: bool, reason| {
            if deviates {
                found.push(reason);
            }
        };
        let usage = self.0.key_usage;
        note(
            usage.is_some_and(|usage| !usage.is_minimal),
            Reason::KeyUsageEncoding,
        );
        note(
            self.0.signature.has_null_parameters(),
            Reason::NullParameters,
        );
        note(self.0.has_ignored_constraints, Reason::ConstraintsOnCa);
        note(self.has_unusual_spc(), Reason::SpcUnusual);
        if profile == Profile::Shaken {
            note(self.serial_bits() < MIN_SERIAL_BITS, Reason::ProfileSerial);
            note(!self.has_profile_algorithm(), Reason::ProfileAlgorithm);
            note(!self.has_profile_subject(), Reason::ProfileSubject);
            note(!self.has_profile_extensions(), Reason::ProfileExtensions);
            note(!self.has_profile_policy(), Reason::ProfilePolicy);
            note(!self.has_profile_crl(), Reason::ProfileCrl);
            note(!self.has_profile_list(), Reason::ProfileTnAuthList);
        }
        found
    }

    /// Codes are upper-case letters and digits (CRT-12).
    fn has_unusual_spc(&self) -> bool {
        let entries = self.tn_auth_list().map_or(&[][..], |list| list.entries());
        entries.iter().any(|entry| match entry {
            Entry::Spc(spc) => !spc
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()),
            _ => false,
        })
    }

    fn serial_bits(&self) -> usize {
        let significant = self.0.serial.iter().skip_while(|octet| **octet == 0);
        let octets: Vec<u8> = significant.copied().collect();
        let zeros = octets.first().map_or(0, |first| first.leading_zeros());
        let bits = octets.len().saturating_mul(8);
        bits.saturating_sub(usize::try_from(zeros).unwrap_or(0))
    }

    /// CRT-51.
    fn has_profile_algorithm(&self) -> bool {
        let is_p256 = matches!(self.0.issuer_key, IssuerKey::Ec(IssuerCurve::P256, _));
        is_p256 && self.0.signature.is_ecdsa_with_sha256()
    }

    /// CRT-52. Company names before the code and numbers after it are taken as usual.
    fn has_profile_subject(&self) -> bool {
        let (common_name, has_country, has_organisation) =
            name::profile_attributes(&self.0.subject);
        let common_name = common_name.unwrap_or_default();
        let is_named = if self.is_ca() {
            let is_root = self.is_self_issued();
            let upper = common_name.to_uppercase();
            upper.contains("SHAKEN") && (!is_root || upper.contains("ROOT"))
        } else {
            let spc = self.tn_auth_list().and_then(|list| list.spc());
            let words: Vec<&str> = common_name.split(' ').collect();
            words
                .windows(2)
                .any(|pair| matches!(pair, ["SHAKEN", code] if Some(*code) == spc))
        };
        is_named && has_country && has_organisation
    }

    /// CRT-50, CRT-53, CRT-54, CRT-56.
    fn has_profile_extensions(&self) -> bool {
        let must_be_critical = [oid::BASIC_CONSTRAINTS, oid::KEY_USAGE];
        let is_critical = |name: &[u8]| must_be_critical.contains(&name);
        let has = |name: &[u8]| self.extension(name).is_some();
        let all_right = self
            .0
            .extensions
            .iter()
            .all(|extension| extension.critical == is_critical(&extension.name));
        let usage = self.0.key_usage.map_or(0, |usage| usage.bits);
        let usage_fits = if self.is_ca() {
            usage & KeyUsage::KEY_CERT_SIGN != 0
        } else {
            usage == KeyUsage::DIGITAL_SIGNATURE
        };
        self.0.version == 3
            && must_be_critical.iter().all(|name| has(name))
            && all_right
            && usage_fits
            && self.0.subject_key_id.is_some()
            && (self.is_self_issued() || self.0.authority_key_id.is_some())
    }

    /// CRT-55.
    fn has_profile_policy(&self) -> bool {
        match self.policies().as_slice() {
            [one] => SHAKEN_POLICIES.contains(&one.as_str()) || (self.is_ca() && one == ANY_POLICY),
            none => none.is_empty() && self.is_ca() && self.is_self_issued(),
        }
    }

    /// CRT-57. Who the administrator is, is configured and not read here.
    fn has_profile_crl(&self) -> bool {
        let is_due = |point: &CrlDistributionPoint| {
            let is_https = matches!(point.urls.as_slice(), [url] if url.starts_with("https://"));
            is_https && point.issuer.is_some()
        };
        match self.crl_distribution_points().as_slice() {
            [one] => is_due(one),
            none => none.is_empty() && self.is_ca() && self.is_self_issued(),
        }
    }

    /// CRT-58.
    fn has_profile_list(&self) -> bool {
        let entries = self.tn_auth_list().map(|list| list.entries());
        let by_reference = self.has_tn_auth_list_by_reference();
        let fits = match entries {
            None => self.is_ca(),
            Some([Entry::Spc(_)]) => !self.is_ca(),
            Some(_) => false,
        };
        fits && !by_reference
    }
}
