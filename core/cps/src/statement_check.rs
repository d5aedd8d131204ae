//! From the text of a publication to a statement that the directory takes.

use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::statement::{KeyStatement, VerifyStatement};
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::crypto::CryptoProvider;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::directory::CheckedStatement;

/// Verifies a statement with the rules of a reader. Certificates come from its header alone: a service
/// fetches nothing (W-14). What is wrong is a problem of the publisher's request.
pub(crate) fn check_statement(
    provider: &dyn CryptoProvider,
    text: &str,
    anchors: &TrustAnchors,
    now: UnixTime,
    number: &TelephoneNumber,
    profile: Profile,
) -> Result<CheckedStatement, Problem> {
    let statement = KeyStatement::parse(text).map_err(Problem::for_statement)?;
    if !statement.has_x5c() {
        return Err(Problem::for_statement(Reason::CredentialUnavailable));
    }
    let verified = statement
        .verify(&VerifyStatement {
            provider,
            anchors,
            rules: profile.into(),
            number,
            bag: None,
            now,
        })
        .map_err(Problem::for_statement)?;
    let keys = statement.keys().iter().chain(statement.unsupported_keys());
    Ok(CheckedStatement {
        text: text.to_owned(),
        signer: *verified.signer(),
        digest: *statement.digest().as_octets(),
        seq: statement.seq(),
        iat: statement.iat(),
        exp: statement.exp(),
        suites: keys.map(|key| key.suite()).collect(),
    })
}
