//! What the endpoint's own key statement is about, besides its keys.

use ringtrue_oob::Suite;
use ringtrue_stir::{Reason, UnixTime, base64url};

use crate::Context;

/// The suites that the endpoint has keys of.
pub(crate) fn suites(context: &Context) -> Vec<Suite> {
    if context.hardware_key.is_some() {
        vec![Suite::S1]
    } else {
        context.policy.suites.clone()
    }
}

/// What a statement says besides its keys; another value means another statement.
///
/// # Errors
///
/// As [`Context::signer_for`].
pub(crate) fn about(context: &Context, now: UnixTime) -> Result<String, Reason> {
    let mut about = String::new();
    for number in &context.numbers {
        let signer = context.signer_for(number, now)?;
        if about.is_empty() {
            about.push_str(signer.x5u().as_str());
            about.push(' ');
            about.push_str(&base64url::encode(&signer.spki_digest()));
        }
        about.push(' ');
        about.push_str(number.as_str());
    }
    for service in &context.services.own {
        about.push(' ');
        about.push_str(service.as_str());
    }
    if let Some(issuer) = &context.policy.token_issuer {
        about.push_str(" tok=");
        about.push_str(issuer.as_str());
    }
    for suite in suites(context) {
        about.push(' ');
        about.push_str(suite.name());
    }
    if let Some(key) = &context.hardware_key {
        about.push(' ');
        about.push_str(&base64url::encode(key.as_sec1()));
    }
    Ok(about)
}
