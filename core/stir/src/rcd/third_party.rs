//! Rich call data by somebody who is not the caller.

use serde_json::Value;

use crate::Reason;

/// What to do with rich call data that a third party signed, such as a directory of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThirdPartyPolicy {
    /// Not used.
    Never,
    /// Used if a first party's PASSporT of the same call vouches for the number. Without one, the data
    /// could have been copied from another call.
    #[default]
    WhenVouched,
}

/// Whether the rich call data of these claims may be used, as far as it depends on who signed them.
///
/// A third party is whoever says so by `iss`, or whose right to the calling number did not hold
/// (`signer_is_first_party`, decided by the caller of this function from the certificate).
/// `is_vouched`: another PASSporT of this call, signed with a right to the number and fully verified,
/// has the same `orig` and `dest`.
///
/// # Errors
///
/// - [`Reason::ThirdPartyRcd`]: not to be used; to be reported beside the verdict.
/// - [`Reason::MalformedRcd`]: `iss` is no string.
///
/// Source: RFC 9795 sections 8.1 and 10 (PPT-81).
pub fn may_use(
    claims: &Value,
    signer_is_first_party: bool,
    is_vouched: bool,
    policy: ThirdPartyPolicy,
) -> Result<(), Reason> {
    let issuer = claims.get("iss");
    if issuer.is_some_and(|issuer| !issuer.is_string()) {
        return Err(Reason::MalformedRcd);
    }
    let may = (issuer.is_none() && signer_is_first_party)
        || (policy == ThirdPartyPolicy::WhenVouched && is_vouched);
    if may {
        Ok(())
    } else {
        Err(Reason::ThirdPartyRcd)
    }
}
