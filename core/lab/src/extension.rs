//! Extensions that a certificate of a lab can carry besides its TNAuthList.

use rcgen::CustomExtension;

use crate::der::{
    self, IA5_STRING, OCTET_STRING, SEQUENCE, UTF8_STRING, context, element, object_identifier,
    sequence_of,
};

/// id-ad-stirTNList, RFC 8226 section 10.1.
const STIR_TN_LIST: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 14];

/// One extension, right or wrong: nothing is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraExtension {
    oid: Vec<u64>,
    is_critical: bool,
    value: Vec<u8>,
}

fn names(texts: &[&str]) -> Vec<u8> {
    let names: Vec<_> = texts
        .iter()
        .map(|text| element(IA5_STRING, &[text.as_bytes()]))
        .collect();
    sequence_of(&names)
}

impl ExtraExtension {
    /// Any extension. `value` is its DER.
    #[must_use]
    pub fn new(oid: &[u64], is_critical: bool, value: Vec<u8>) -> Self {
        Self {
            oid: oid.to_vec(),
            is_critical,
            value,
        }
    }

    /// JWTClaimConstraints, or the enhanced form if claims are excluded (RFC 8226 section 8, RFC 9118
    /// section 3). Empty members are left out.
    #[must_use]
    pub fn claim_constraints(
        must_include: &[&str],
        permitted_values: &[(&str, &[&str])],
        must_exclude: &[&str],
    ) -> Self {
        let mut members = Vec::new();
        if !must_include.is_empty() {
            members.push(element(context(0), &[&names(must_include)]));
        }
        if !permitted_values.is_empty() {
            let permitted: Vec<_> = permitted_values
                .iter()
                .map(|(name, values)| {
                    let values: Vec<_> = values
                        .iter()
                        .map(|value| element(UTF8_STRING, &[value.as_bytes()]))
                        .collect();
                    let name = element(IA5_STRING, &[name.as_bytes()]);
                    element(SEQUENCE, &[&name, &sequence_of(&values)])
                })
                .collect();
            members.push(element(context(1), &[&sequence_of(&permitted)]));
        }
        if !must_exclude.is_empty() {
            members.push(element(context(2), &[&names(must_exclude)]));
        }
        let last = if must_exclude.is_empty() { 27 } else { 33 };
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, last];
        Self::new(&oid, false, sequence_of(&members))
    }

    /// A TNAuthList by reference: authority information access with id-ad-stirTNList (RFC 8226 section
    /// 10.1, CRT-8).
    #[must_use]
    pub fn tn_auth_list_url(url: &str) -> Self {
        let location = element(0x86, &[url.as_bytes()]);
        let access = element(SEQUENCE, &[&object_identifier(STIR_TN_LIST), &location]);
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, 1];
        Self::new(&oid, false, element(SEQUENCE, &[&access]))
    }

    /// Certificate policies, each an object identifier.
    #[must_use]
    pub fn policies(policies: &[&[u64]]) -> Self {
        let policies: Vec<_> = policies
            .iter()
            .map(|policy| element(SEQUENCE, &[&object_identifier(policy)]))
            .collect();
        Self::new(&[2, 5, 29, 32], false, sequence_of(&policies))
    }

    /// Where revocation lists are. `crl_issuer` is the DER Name of who signs them, if that is not the
    /// certificate's issuer (CRT-57).
    #[must_use]
    pub fn crl_distribution_point(url: &str, crl_issuer: Option<&[u8]>) -> Self {
        let full_name = element(context(0), &[&element(0x86, &[url.as_bytes()])]);
        let mut point = element(context(0), &[&full_name]);
        if let Some(name) = crl_issuer {
            point.extend(element(context(2), &[&element(context(4), &[name])]));
        }
        let value = element(SEQUENCE, &[&element(SEQUENCE, &[&point])]);
        Self::new(&[2, 5, 29, 31], false, value)
    }

    /// The extension as DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let critical = element(der::BOOLEAN, &[&[0xff]]);
        let critical = if self.is_critical {
            critical
        } else {
            Vec::new()
        };
        let value = element(OCTET_STRING, &[&self.value]);
        element(
            SEQUENCE,
            &[&object_identifier(&self.oid), &critical, &value],
        )
    }

    pub(crate) fn to_custom(&self) -> CustomExtension {
        let mut custom = CustomExtension::from_oid_content(&self.oid, self.value.clone());
        custom.set_criticality(self.is_critical);
        custom
    }
}
