//! JWTClaimConstraints and EnhancedJWTClaimConstraints: which claims a certificate may sign.

use serde_json::Value;

use crate::der::{self, Reader};
use crate::{Reason, json};

/// Names that every PASSporT has; excluding one would exclude all tokens.
const BASE_CLAIMS: [&str; 3] = ["dest", "iat", "orig"];

/// What a signer's certificate demands of the claims it signs. Bounded by the certificate's size.
///
/// Source: RFC 8226 section 8; RFC 9118 section 3 (CRT-20 to CRT-26).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimConstraints {
    must_include: Vec<String>,
    permitted_values: Vec<(String, Vec<String>)>,
    must_exclude: Vec<String>,
}

impl ClaimConstraints {
    /// Reads the extension. `Ok(None)`: it is to be treated as absent, because it excludes a claim
    /// that every PASSporT has (CRT-23).
    pub(super) fn decode(der: &[u8], enhanced: bool) -> Result<Option<Self>, Reason> {
        let read = decode(der, enhanced).ok_or(Reason::MalformedCertificate)?;
        let void = read
            .must_exclude
            .iter()
            .any(|name| BASE_CLAIMS.contains(&name.as_str()));
        Ok((!void).then_some(read))
    }

    /// Claims that every token must have, besides `iat`, `orig` and `dest` (CRT-21).
    #[must_use]
    pub fn must_include(&self) -> &[String] {
        &self.must_include
    }

    /// Claims that may have only certain values, each with those values (CRT-22).
    #[must_use]
    pub fn permitted_values(&self) -> &[(String, Vec<String>)] {
        &self.permitted_values
    }

    /// Claims that no token may have (CRT-23).
    #[must_use]
    pub fn must_exclude(&self) -> &[String] {
        &self.must_exclude
    }

    /// Whether these claims may be signed.
    ///
    /// # Errors
    ///
    /// [`Reason::ClaimConstraintViolated`] if not (CRT-20).
    pub fn check(&self, claims: &Value) -> Result<(), Reason> {
        let claim = |name: &String| claims.get(name.as_str());
        let permitted = self.permitted_values.iter().all(|(name, values)| {
            claim(name).is_none_or(|value| match value {
                Value::String(text) => values.contains(text),
                // How other values compare is left open; their deterministic form is (CRT-26).
                other => values.contains(&json::canonical(other)),
            })
        });
        let allowed = permitted
            && self.must_include.iter().all(|name| claim(name).is_some())
            && self.must_exclude.iter().all(|name| claim(name).is_none());
        if allowed {
            Ok(())
        } else {
            Err(Reason::ClaimConstraintViolated)
        }
    }
}

fn decode(der: &[u8], enhanced: bool) -> Option<ClaimConstraints> {
    let mut members = Reader::new(der::only(der, der::SEQUENCE)?);
    // At least one member is required.
    let mut next = Some(members.next()?);
    let mut take = |number: u8| -> Option<Option<&[u8]>> {
        let Some((_, content)) = next.filter(|(tag, _)| *tag == der::context(number)) else {
            return Some(None);
        };
        next = if members.is_empty() {
            None
        } else {
            Some(members.next()?)
        };
        der::only(content, der::SEQUENCE).map(Some)
    };
    let must_include = take(0)?.map_or(Some(Vec::new()), |names| strings(names, der::IA5_STRING));
    let permitted_values = take(1)?.map_or(Some(Vec::new()), permitted_values);
    let must_exclude = if enhanced {
        take(2)?.map_or(Some(Vec::new()), |names| strings(names, der::IA5_STRING))
    } else {
        Some(Vec::new())
    };
    if next.is_some() {
        return None;
    }
    Some(ClaimConstraints {
        must_include: must_include?,
        permitted_values: permitted_values?,
        must_exclude: must_exclude?,
    })
}

fn strings(content: &[u8], tag: u8) -> Option<Vec<String>> {
    let mut elements = Reader::new(content);
    let mut texts = Vec::new();
    while !elements.is_empty() {
        let text = core::str::from_utf8(elements.expect(tag)?).ok()?;
        if tag == der::IA5_STRING && !text.is_ascii() {
            return None;
        }
        texts.push(text.to_owned());
    }
    (!texts.is_empty()).then_some(texts)
}

fn permitted_values(content: &[u8]) -> Option<Vec<(String, Vec<String>)>> {
    let mut elements = Reader::new(content);
    let mut permitted = Vec::new();
    while !elements.is_empty() {
        let mut pair = Reader::new(elements.expect(der::SEQUENCE)?);
        let name = core::str::from_utf8(pair.expect(der::IA5_STRING)?).ok()?;
        let values = strings(pair.expect(der::SEQUENCE)?, der::UTF8_STRING)?;
        if !pair.is_empty() || !name.is_ascii() {
            return None;
        }
        permitted.push((name.to_owned(), values));
    }
    (!permitted.is_empty()).then_some(permitted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::ClaimConstraints;
    use crate::Reason;

    fn unhex(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// The example of RFC 9118 section 5, every claim case derived from its section 3.
    #[test]
    fn printed_extension_decodes_and_decides_every_claim_case() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/vectors/stir-jwt-claim-constraints/rfc9118-figure1.json"
        );
        let record: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let der = unhex(record["extension_der_hex"].as_str().unwrap());
        let constraints = ClaimConstraints::decode(&der, true).unwrap().unwrap();
        assert_eq!(json!(constraints.must_include), record["mustInclude"]);
        assert_eq!(json!(constraints.must_exclude), record["mustExclude"]);
        let (name, values) = &constraints.permitted_values[0];
        assert_eq!(json!({ name: values }), record["permittedValues"]);
        let cases = record["claim_cases"].as_array().unwrap();
        for case in cases {
            let checked = constraints.check(&case["claims"]);
            assert_eq!(checked.is_ok(), case["ok"].as_bool().unwrap(), "{case}");
        }
        assert_eq!(cases.len(), 4);
        // mustExclude exists in the enhanced form only.
        assert_eq!(
            ClaimConstraints::decode(&der, false),
            Err(Reason::MalformedCertificate)
        );
    }

    #[test]
    fn values_that_are_no_strings_compare_by_their_serialisation() {
        let constraints = ClaimConstraints {
            must_include: vec![],
            permitted_values: vec![("x".to_owned(), vec!["{\"a\":1}".to_owned()])],
            must_exclude: vec![],
        };
        assert_eq!(constraints.check(&json!({"x": {"a": 1}})), Ok(()));
        assert_eq!(constraints.check(&json!({"x": "{\"a\":1}"})), Ok(()));
        for other in [
            json!({"x": {"a": 2}}),
            json!({"x": null}),
            json!({"x": "a"}),
        ] {
            assert_eq!(
                constraints.check(&other),
                Err(Reason::ClaimConstraintViolated)
            );
        }
    }

    #[test]
    fn excluding_a_base_claim_makes_the_extension_void() {
        // mustExclude { "iat" }
        let der = unhex("3009a20730051603696174");
        assert_eq!(ClaimConstraints::decode(&der, true), Ok(None));
    }

    #[test]
    fn refuses_what_is_no_constraint() {
        for hex in [
            "3000",
            "3004a0023000",
            "3004a3023000",
            "3009a20730051603696174a0",
            "3012a20730051603616263a00730051603616263",
            "3009a00730050c03616263",
            "3009a0073005160361ff63",
            "300ba109300730051603616263",
        ] {
            assert_eq!(
                ClaimConstraints::decode(&unhex(hex), true),
                Err(Reason::MalformedCertificate),
                "{hex}"
            );
        }
    }

    proptest! {
        #[test]
        fn decode_never_panics(der in prop::collection::vec(any::<u8>(), 0..60), enhanced: bool) {
            let _ = ClaimConstraints::decode(&der, enhanced);
        }
    }
}
