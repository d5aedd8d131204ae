//! Whether a certificate holds its owner to certain rich call data.

use crate::certificate::ClaimConstraints;

/// Whether a certificate with these constraints can sign no other rich call data than its authority
/// has looked at: every token must have `rcd` and `rcdi`, and `rcdi` is one of a list.
///
/// Without that, what a delegate says about itself is its own word.
///
/// Source: RFC 9795 section 6.3 (CRT-27).
#[must_use]
pub fn are_protected_by(constraints: &ClaimConstraints) -> bool {
    let must_have = |name: &str| constraints.must_include().iter().any(|other| other == name);
    let is_limited = constraints
        .permitted_values()
        .iter()
        .any(|(name, _)| name == "rcdi");
    must_have("rcd") && must_have("rcdi") && is_limited
}
