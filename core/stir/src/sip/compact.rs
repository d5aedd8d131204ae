//! Tokens in compact form: header and payload rebuilt from the message, to be verified as a full token.
//!
//! Read only: this library never sends the compact form (PPT-17).

use super::call::CallDescription;
use super::identity_header::{IdentityHeader, TokenForm};
use crate::passport::{PassportBuilder, PassportType};
use crate::{Reason, X5u};

/// Rebuilds the full form of a token in compact form.
///
/// Header: `alg`, `ppt`, `typ`, and `x5u` from `info`. Payload: `dest` from To, `iat` from Date, `mky`
/// from the session description, `orig` from the field that says who calls. If any of it was changed on
/// the way, the signature does not verify over the result.
///
/// Types with claims that no message holds have no compact form: only tokens without `ppt` and `msec`
/// have one.
///
/// # Errors
///
/// - [`Reason::MalformedToken`]: the header's token is in full form.
/// - [`Reason::PptUnsupported`]: of an unsupported type, to be ignored.
/// - [`Reason::CompactFormNotAllowed`]: of a type that has no compact form.
/// - [`Reason::AlgorithmNotAllowed`]: `alg` is not ES256.
/// - [`Reason::IatMissing`]: the request has no Date.
/// - [`Reason::MalformedUrl`]: `info` is no `x5u`.
/// - Those of [`CallDescription::orig`] and [`CallDescription::dest`];
///   [`Reason::MalformedMky`]: an `msec` token, and no fingerprint.
///
/// Source: RFC 8224 sections 4.1 and 6.2 step 5; RFC 8225 section 7 (SIP-9, SIP-45, PPT-16).
pub fn rebuild(header: &IdentityHeader, call: &CallDescription) -> Result<String, Reason> {
    if header.form() != TokenForm::Compact {
        return Err(Reason::MalformedToken);
    }
    let kind = PassportType::from_ppt(header.ppt());
    match kind {
        PassportType::Base | PassportType::Msec => {}
        PassportType::Unsupported => return Err(Reason::PptUnsupported),
        _ => return Err(Reason::CompactFormNotAllowed),
    }
    if !header.alg().eq_ignore_ascii_case("ES256") {
        return Err(Reason::AlgorithmNotAllowed);
    }
    let iat = call.date.ok_or(Reason::IatMissing)?;
    let x5u = X5u::parse(header.info())?;
    let (orig, dest) = (call.orig()?, call.dest()?.into());
    let builder = match (kind, &call.media_keys) {
        (PassportType::Msec, None) => return Err(Reason::MalformedMky),
        (PassportType::Msec, Some(mky)) => PassportBuilder::msec(&orig, dest, iat, &x5u, mky),
        (_, None) => PassportBuilder::base(&orig, dest, iat, &x5u),
        (_, Some(mky)) => PassportBuilder::base(&orig, dest, iat, &x5u).mky(mky),
    };
    let unsigned = builder.build()?;
    Ok(format!(
        "{}.{}",
        unsigned.signing_input(),
        header.signature_text()
    ))
}
