//! The authentication service: from a request to the token that goes with it.
//!
//! Tokens are made in full form only. Signing is the application's, through a key that may sit in
//! hardware; [`Draft`] is what to sign.
//!
//! Source: RFC 8224 section 6.1; RFC 8946 section 4.1.

use core::fmt;
use core::time::Duration;

use super::call::CallDescription;
use super::identity_header::{IdentityHeader, TokenForm};
use crate::certificate::{Authority, VerifiedPath};
use crate::crypto::{CryptoProvider, Signer};
use crate::passport::chain::tokens_to_divert;
use crate::passport::{
    Attestation, Diversion, Identity, Passport, PassportBuilder, UnsignedPassport,
};
use crate::verification::SpcPolicy;
use crate::{Reason, UnixTime, X5u};

/// Where `iat` comes from.
///
/// Source: RFC 8224 section 4.1 (SIP-22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IatSource {
    /// The request's Date.
    #[default]
    Date,
    /// The signer's clock. Needs the full form, which is all that is made here.
    OwnClock,
}

/// What to do for a caller who asked not to be named: a token in full form names the number to all who
/// handle the request. The choice is the application's.
///
/// Source: RFC 8224 section 8 (SIP-27).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Anonymity {
    /// Do not sign.
    #[default]
    Withhold,
    /// Sign, as the called side needs the number.
    Reveal,
}

/// The choices of a signer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningPolicy {
    /// How far Date may be from the clock: 60 s (SIP-21).
    pub freshness: Duration,
    /// Where `iat` comes from.
    pub iat: IatSource,
    /// What to do for an anonymous caller.
    pub anonymity: Anonymity,
    /// Which of its own provider codes the signer takes for authority over a number.
    pub accept_spc: SpcPolicy,
}

impl Default for SigningPolicy {
    fn default() -> Self {
        Self {
            freshness: Duration::from_secs(60),
            iat: IatSource::Date,
            anonymity: Anonymity::Withhold,
            accept_spc: SpcPolicy::None,
        }
    }
}

/// Whose key signs and where its certificates are published.
#[derive(Clone, Copy, Debug)]
pub struct Credential<'a> {
    /// The signer's own path, checked as a verifier checks it (CRT-39).
    pub path: &'a VerifiedPath,
    /// Where the called side finds it.
    pub x5u: &'a X5u,
}

/// What the token says beside the parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind<'a> {
    /// No more.
    Base,
    /// That the media keys are these (RFC 8862).
    Msec,
    /// A provider's attestation; [`Attestation::Gateway`] is [`draft_as_gateway`]'s.
    Shaken {
        /// How sure the provider is.
        attest: Attestation,
        /// A UUID that identifies no person (PPT-44).
        origid: &'a str,
    },
}

/// A token to sign. [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Draft {
    /// The token without its signature.
    pub passport: UnsignedPassport,
    /// The Date to add to the request, which has none (SIP-21).
    pub date_to_add: Option<UnixTime>,
    /// Whether the token names a caller who asked not to be named; to be shown (SIP-27).
    pub reveals_caller: bool,
    /// Whether the signer speaks as a gateway, for itself and not for the caller; to be shown (SIP-85).
    pub is_gateway: bool,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draft(..)")
    }
}

impl Draft {
    /// Lets `signer` sign and gives the header to send.
    ///
    /// # Errors
    ///
    /// Those of [`UnsignedPassport::sign`] and [`header_for`].
    pub fn sign(
        self,
        provider: &dyn CryptoProvider,
        signer: &dyn Signer,
    ) -> Result<IdentityHeader, Reason> {
        header_for(&self.passport.sign(provider, signer)?)
    }
}

/// The Identity header of a token that was signed: `info` its `x5u`, `ppt` its own (SIP-2, SIP-4).
///
/// # Errors
///
/// Those of [`Passport::parse`] and [`IdentityHeader::for_passport`].
pub fn header_for(token: &str) -> Result<IdentityHeader, Reason> {
    IdentityHeader::for_passport(&Passport::parse(token)?)
}

/// Prepares the token of a request: `orig` from the field that says who calls, `dest` from To, `iat` from
/// Date, `mky` if the session description has fingerprints.
///
/// That the user may use the identity is the application's to know (SIP-20).
///
/// # Errors
///
/// - [`Reason::DateStale`]: Date is outside the freshness window.
/// - [`Reason::CallerWithheld`]: the caller asked not to be named, and policy withholds.
/// - [`Reason::NumberNotCovered`] (of a URI always), [`Reason::AuthorityBySpc`],
///   [`Reason::EncompassUnknown`], [`Reason::TnAuthListMissing`]: the credential does not cover `orig`.
/// - [`Reason::IatOutsideCertificate`]: the credential is not valid at `iat`.
/// - [`Reason::AttestNotAllowed`]: a gateway's attestation.
/// - [`Reason::MalformedMky`]: `msec` without fingerprints.
/// - Those of [`CallDescription::orig`], [`CallDescription::dest`] and [`PassportBuilder::build`].
///
/// Source: RFC 8224 sections 4.1 and 6.1 (SIP-20 to SIP-24, SIP-27, CRT-39).
pub fn draft(
    call: &CallDescription,
    kind: TokenKind<'_>,
    credential: Credential<'_>,
    policy: &SigningPolicy,
    at: UnixTime,
) -> Result<Draft, Reason> {
    let gateway = matches!(
        kind,
        TokenKind::Shaken {
            attest: Attestation::Gateway,
            ..
        }
    );
    if gateway {
        return Err(Reason::AttestNotAllowed);
    }
    require_authority(&call.orig()?, credential.path, &policy.accept_spc)?;
    prepare(call, kind, credential, policy, at)
}

/// Prepares the token of a gateway that signs on its own authority: `shaken` with attestation C, by its
/// own certificate, whoever calls. [`Draft::is_gateway`] says so to the application.
///
/// # Errors
///
/// Those of [`draft`], authority excepted.
///
/// Source: RFC 8588 section 4 (SIP-85).
pub fn draft_as_gateway(
    call: &CallDescription,
    origid: &str,
    credential: Credential<'_>,
    policy: &SigningPolicy,
    at: UnixTime,
) -> Result<Draft, Reason> {
    let kind = TokenKind::Shaken {
        attest: Attestation::Gateway,
        origid,
    };
    let draft = prepare(call, kind, credential, policy, at)?;
    Ok(Draft {
        is_gateway: true,
        ..draft
    })
}

fn prepare(
    call: &CallDescription,
    kind: TokenKind<'_>,
    credential: Credential<'_>,
    policy: &SigningPolicy,
    at: UnixTime,
) -> Result<Draft, Reason> {
    if call.anonymity_requested && policy.anonymity == Anonymity::Withhold {
        return Err(Reason::CallerWithheld);
    }
    let date = call.date.unwrap_or(at);
    if date < at.minus(policy.freshness) || date > at.plus(policy.freshness) {
        return Err(Reason::DateStale);
    }
    let iat = match policy.iat {
        IatSource::Date => date,
        IatSource::OwnClock => at,
    };
    require_valid(credential.path, iat)?;
    let (orig, dest, x5u) = (call.orig()?, call.dest()?.into(), credential.x5u);
    let builder = match (kind, &call.media_keys) {
        (TokenKind::Base, _) => PassportBuilder::base(&orig, dest, iat, x5u),
        (TokenKind::Shaken { attest, origid }, _) => {
            PassportBuilder::shaken(&orig, dest, iat, x5u, attest, origid)
        }
        (TokenKind::Msec, Some(mky)) => PassportBuilder::msec(&orig, dest, iat, x5u, mky),
        (TokenKind::Msec, None) => return Err(Reason::MalformedMky),
    };
    let builder = match &call.media_keys {
        Some(mky) => builder.mky(mky),
        None => builder,
    };
    Ok(Draft {
        passport: builder.build()?,
        date_to_add: call.date.is_none().then_some(at),
        reveals_caller: call.anonymity_requested,
        is_gateway: false,
    })
}

/// Prepares the `div` tokens of a request that `diverting` sends on: one for each set of earlier tokens
/// of one `orig` and `dest`, with the new Request-URI as `dest`. The earlier header fields stay.
///
/// Nothing comes out where no earlier token is for `diverting`.
///
/// # Errors
///
/// - As [`draft`], of the authority over `diverting` (PPT-51).
/// - Those of [`CallDescription::target`], [`PassportBuilder::div`] and [`PassportBuilder::build`].
///
/// Source: RFC 8946 section 4.1 (SIP-23, PPT-50 to PPT-53).
pub fn draft_diversions(
    call: &CallDescription,
    diverting: &Identity,
    earlier: &[Passport],
    credential: Credential<'_>,
    policy: &SigningPolicy,
    at: UnixTime,
) -> Result<Vec<Draft>, Reason> {
    require_authority(diverting, credential.path, &policy.accept_spc)?;
    require_valid(credential.path, at)?;
    let (target, div) = (call.target()?, Diversion::of(diverting.clone()));
    tokens_to_divert(earlier, diverting)
        .into_iter()
        .map(|token| {
            let dest = target.clone().into();
            let builder = PassportBuilder::div(token, &div, dest, at, credential.x5u)?;
            Ok(Draft {
                passport: builder.build()?,
                date_to_add: None,
                reveals_caller: call.anonymity_requested,
                is_gateway: false,
            })
        })
        .collect()
}

/// Whether the signer's own certificate entitles it to speak for `identity` (CRT-39, CRT-11).
pub(super) fn require_authority(
    identity: &Identity,
    path: &VerifiedPath,
    accept_spc: &SpcPolicy,
) -> Result<(), Reason> {
    let number = identity.tn().ok_or(Reason::NumberNotCovered)?;
    match path.covers(number) {
        Authority::BySpc(spc) if accept_spc.accepts(&spc) => Ok(()),
        _ => path.require_covered(number),
    }
}

/// A token dated outside of its signer's validity would be refused by everyone (SIP-43).
pub(super) fn require_valid(path: &VerifiedPath, iat: UnixTime) -> Result<(), Reason> {
    if (path.valid_from()..=path.valid_until()).contains(&iat) {
        Ok(())
    } else {
        Err(Reason::IatOutsideCertificate)
    }
}

/// Whether a rejected request is to be tried once more, with its token in full form.
///
/// Source: RFC 8224 section 6.1.1 (SIP-25).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FullFormRetry {
    may_retry: bool,
}

impl FullFormRetry {
    /// A request was sent with its token in this form.
    #[must_use]
    pub const fn after(sent: TokenForm) -> Self {
        Self {
            may_retry: matches!(sent, TokenForm::Compact),
        }
    }

    /// Whether to try again after a response of this status: once, after 438, and only if the token was
    /// in compact form.
    #[must_use]
    pub const fn on_response(&mut self, status: u16) -> bool {
        let retry = self.may_retry && status == 438;
        if retry {
            self.may_retry = false;
        }
        retry
    }
}
