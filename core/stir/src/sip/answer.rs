//! Connected identity in SIP: `rsp` PASSporTs in responses, made by the called side and verified by the
//! caller.
//!
//! A response cannot be rejected, and nothing here ends a call: [`ConnectedIdentity::recommended_action`]
//! says what the caller's posture asks for.
//!
//! Source: RFC 9970.

use core::fmt;
use core::time::Duration;

use super::authentication::{Credential, require_authority, require_valid};
use super::identity_header::MAX_IDENTITY_HEADERS;
use super::verification::{HeaderReport, Outcome, VerificationService};
use crate::passport::chain::{DiversionChain, check_diverted_answer};
use crate::passport::{
    Destinations, Identity, PassportBuilder, PassportType, UnsignedPassport, VerifiedPassport,
};
use crate::verification::{ExpectedCall, SpcPolicy, VerificationPolicy};
use crate::{Reason, UnixTime};

/// How much earlier than the call an answer may be dated: clocks differ.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(5);

/// What an answer has to be an answer to. [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct ExpectedAnswer {
    /// The caller, as its own token has it.
    pub orig: Identity,
    /// Whom it dialled.
    pub dialled: Identity,
    /// `iat` of its own token; `None` if the request had none, and then no answer is looked for.
    pub called_at: Option<UnixTime>,
}

impl fmt::Debug for ExpectedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExpectedAnswer(..)")
    }
}

/// Who was reached. [`fmt::Debug`] hides whom.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectedIdentity {
    /// No response has said anything yet, and one still may. The application starts with this.
    Pending,
    /// The response carries no `rsp`.
    NotOffered,
    /// The dialled party.
    Verified {
        /// Whom the answer names.
        dest: Identity,
    },
    /// Another party, to whom the dialled one diverted the call by a whole chain of diversions.
    VerifiedDiverted {
        /// Whom the answer names.
        dest: Identity,
        /// How many diversions led there.
        diversions: usize,
    },
    /// There was an `rsp`, and it does not hold.
    Failed {
        /// Why, the first decisive reason.
        reason: Reason,
    },
    /// The call was answered, or ended, and nothing came in time. The application sets this.
    Timeout,
}

impl fmt::Debug for ConnectedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "Pending",
            Self::NotOffered => "NotOffered",
            Self::Verified { .. } => "Verified(..)",
            Self::VerifiedDiverted { .. } => "VerifiedDiverted(..)",
            Self::Failed { .. } => "Failed(..)",
            Self::Timeout => "Timeout",
        })
    }
}

/// What the caller wants of a call.
///
/// Source: RFC 9970 sections 7 and 8 (RSP-13, RSP-14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Posture {
    /// A connected identity is welcome.
    #[default]
    Optional,
    /// This destination had one before: warn if it vanishes.
    SeenBefore,
    /// The user demands one: no call with an unexpected or unauthenticated party.
    Required,
}

/// What the application is advised to do. It decides; nothing is done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecommendedAction {
    /// Go on.
    Continue,
    /// CANCEL an early call, BYE an answered one.
    End,
    /// Tell the user.
    Warn,
}

impl ConnectedIdentity {
    /// What `posture` asks for.
    ///
    /// Source: RFC 9970 sections 6 to 8 (RSP-13, RSP-14).
    #[must_use]
    pub const fn recommended_action(&self, posture: Posture) -> RecommendedAction {
        match (self, posture) {
            (Self::Verified { .. } | Self::Pending, _)
            | (Self::VerifiedDiverted { .. }, Posture::Optional | Posture::SeenBefore)
            | (Self::NotOffered | Self::Timeout, Posture::Optional) => RecommendedAction::Continue,
            (Self::VerifiedDiverted { .. }, Posture::Required)
            | (Self::NotOffered | Self::Timeout, Posture::SeenBefore)
            | (Self::Failed { .. }, Posture::Optional | Posture::SeenBefore) => {
                RecommendedAction::Warn
            }
            (Self::Failed { .. } | Self::NotOffered | Self::Timeout, Posture::Required) => {
                RecommendedAction::End
            }
        }
    }
}

/// What the Identity header fields of a response came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AnswerReport {
    /// Who was reached.
    pub connected: ConnectedIdentity,
    /// One result for each header field value.
    pub headers: Vec<HeaderReport>,
    /// The signer's key (SHA-256 of its SubjectPublicKeyInfo), which the caller may expect in requests
    /// that come back in the same dialog (RSP-11).
    pub signer: Option<[u8; 32]>,
}

impl VerificationService<'_> {
    /// Verifies the Identity header field values of a response with `status`, received at `at`.
    ///
    /// Only provisional and successful responses (100 to 299) to a request with a token of its own are
    /// looked at. Tokens that are neither `rsp` nor a diversion are ignored. Any failure rejects the
    /// `rsp` (RSP-23); that it was not seen before is for the caller's replay cache.
    ///
    /// Source: RFC 9970 sections 4 to 6 (RSP-1, RSP-8, RSP-11, RSP-20, RSP-22, RSP-23).
    #[must_use]
    pub fn verify_response(
        &self,
        status: u16,
        values: &[&str],
        expected: &ExpectedAnswer,
        at: UnixTime,
    ) -> AnswerReport {
        let mut report = AnswerReport {
            connected: ConnectedIdentity::NotOffered,
            headers: Vec::new(),
            signer: None,
        };
        let (Some(called_at), 100..=299) = (expected.called_at, status) else {
            return report;
        };
        let values = values.iter().take(MAX_IDENTITY_HEADERS);
        report.headers = values
            .map(|value| self.verify_answering(value, expected, called_at, at))
            .collect();
        let diversions: Vec<_> = report
            .headers
            .iter()
            .filter_map(|header| verified(header, PassportType::is_diversion))
            .collect();
        let mut failure = None;
        for header in &report.headers {
            let is_rsp = header.header.as_ref().and_then(|header| header.ppt()) == Some("rsp");
            if !is_rsp {
                continue;
            }
            match connected(header, &diversions, expected) {
                Ok((connected, signer)) => {
                    report.connected = connected;
                    report.signer = Some(signer);
                    return report;
                }
                Err(reason) => failure = failure.or(Some(reason)),
            }
        }
        if let Some(reason) = failure {
            report.connected = ConnectedIdentity::Failed { reason };
        }
        report
    }

    /// One value of a response: `rsp`, or a diversion beside it, whose chain has no original token here.
    fn verify_answering(
        &self,
        value: &str,
        expected: &ExpectedAnswer,
        called_at: UnixTime,
        at: UnixTime,
    ) -> HeaderReport {
        let policy = VerificationPolicy {
            accept_rsp: true,
            ..self.policy().clone()
        };
        let call = ExpectedCall {
            orig: Some(&expected.orig),
            ..ExpectedCall::default()
        };
        let mut header = self.verify_apart(value, &call, &policy, at);
        let kind = header.passport().map(|passport| passport.kind());
        match kind {
            Some(PassportType::Rsp) => {
                let iat = header.passport().map(|passport| passport.claims().iat());
                if iat.is_some_and(|iat| iat < called_at.minus(MAX_CLOCK_DIFFERENCE)) {
                    header.refuse(Reason::RspBeforeCall);
                }
            }
            Some(kind) if kind.is_diversion() => {
                // The original token is the caller's own and did not come back with the answer.
                header.waive(&[Reason::DivMismatch, Reason::DivChainIncomplete]);
            }
            Some(PassportType::Unsupported) | None => {}
            Some(_) => header.refuse(Reason::UnexpectedRsp),
        }
        header
    }
}

/// The token of a header that holds, if it is of such a type.
fn verified(
    header: &HeaderReport,
    is_wanted: impl Fn(PassportType) -> bool,
) -> Option<VerifiedPassport> {
    let report = header.report.as_ref()?;
    let verified = report.verified.as_ref()?;
    let holds = header.outcome == Outcome::Valid && is_wanted(verified.kind());
    holds.then(|| verified.clone())
}

fn connected(
    header: &HeaderReport,
    diversions: &[VerifiedPassport],
    expected: &ExpectedAnswer,
) -> Result<(ConnectedIdentity, [u8; 32]), Reason> {
    let Some(rsp) = verified(header, |kind| kind == PassportType::Rsp) else {
        return Err(header.reasons.first().copied().unwrap_or(Reason::Internal));
    };
    let dest = rsp.claims().dest();
    let signer = rsp.path().spki_digest();
    if dest.includes(&expected.dialled) {
        // Diversions beside it would be of a call that went on elsewhere and came back.
        check_diverted_answer(&expected.orig, &expected.dialled, &[], &rsp)?;
        let dest = expected.dialled.clone();
        return Ok((ConnectedIdentity::Verified { dest }, signer));
    }
    check_diverted_answer(&expected.orig, &expected.dialled, diversions, &rsp)?;
    let reached = dest.identities().next().ok_or(Reason::DestMissing)?;
    let connected = ConnectedIdentity::VerifiedDiverted {
        dest: reached,
        diversions: diversions.len(),
    };
    Ok((connected, signer))
}

/// An answer to sign, and what goes with it. [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct AnswerDraft {
    /// The `rsp` without its signature.
    pub passport: UnsignedPassport,
    /// Tokens of the request's diversions to send along, unchanged (RSP-4, RSP-6).
    pub diversions: Vec<String>,
    /// The `dest` of the answer: also that of every request that goes back in this dialog (RSP-10).
    pub dest: Destinations,
}

impl fmt::Debug for AnswerDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerDraft(..)")
    }
}

/// Prepares the `rsp` of the party that was reached, for 180, 183 or 200.
///
/// `received` are the verified tokens of the request: without any there is no answer. Whether the user
/// wants to answer at all, and to reveal how the call was diverted, is the application's to know before
/// it calls this (RSP-15, RSP-16).
///
/// # Errors
///
/// - [`Reason::RspNotRequested`]: the request had no token.
/// - [`Reason::NumberNotCovered`] and the others of
///   [`VerifiedPath::require_covered`](crate::certificate::VerifiedPath::require_covered): the
///   credential does not cover `reached` (RSP-3).
/// - [`Reason::DestMismatch`]: the call was for another party, and no diversion leads here (RSP-7).
/// - Those of [`DiversionChain::assemble`] and [`PassportBuilder::build`],
///   [`Reason::IatOutsideCertificate`].
///
/// Source: RFC 9970 sections 4 and 5 (RSP-1 to RSP-7, RSP-10, RSP-20).
pub fn draft_answer(
    received: &[VerifiedPassport],
    reached: &Identity,
    credential: Credential<'_>,
    at: UnixTime,
) -> Result<AnswerDraft, Reason> {
    if received.is_empty() {
        return Err(Reason::RspNotRequested);
    }
    require_authority(reached, credential.path, &SpcPolicy::None)?;
    require_valid(credential.path, at)?;
    let chain = DiversionChain::assemble(received)?;
    let called = chain.innermost().claims();
    if chain.links().is_empty() {
        if !called.dest().includes(reached) {
            return Err(Reason::DestMismatch);
        }
        let dest = called.dest().clone();
        let builder = PassportBuilder::rsp(called.orig(), dest.clone(), at, credential.x5u);
        return Ok(AnswerDraft {
            passport: builder.build()?,
            diversions: Vec::new(),
            dest,
        });
    }
    let builder = PassportBuilder::rsp_after(&chain, reached, at, credential.x5u)?;
    Ok(AnswerDraft {
        passport: builder.build()?,
        diversions: chain
            .links()
            .iter()
            .map(|token| token.passport().text().to_owned())
            .collect(),
        dest: reached.clone().into(),
    })
}

/// The `dest` of a request that goes back to the caller in a dialog: that of the first response that
/// carried a token, whatever later ones say.
///
/// Source: RFC 9970 section 6 (RSP-9, RSP-10).
#[derive(Clone, Default)]
pub struct DialogIdentity {
    first: Option<Destinations>,
}

impl fmt::Debug for DialogIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DialogIdentity(..)")
    }
}

impl DialogIdentity {
    /// A response with this answer was sent, or received and verified.
    pub fn note_response(&mut self, dest: &Destinations) {
        self.first.get_or_insert_with(|| dest.clone());
    }

    /// The `dest` of requests; `None` before any response had a token.
    #[must_use]
    pub const fn dest(&self) -> Option<&Destinations> {
        self.first.as_ref()
    }
}
