//! Diverted calls: the tokens of one call in the order in which it was diverted.
//!
//! Every token here was verified before, each with its own signer. [`DiversionChain`] is about the tokens
//! that come with a call, [`check_diverted_answer`] about those that come with an answer, and
//! [`tokens_to_divert`] about those that a diverting party has to add to.

mod answer;
mod order;
mod retarget;

use core::time::Duration;

pub use answer::check_diverted_answer;
pub use retarget::tokens_to_divert;

use super::{Identity, MAX_DIVERSIONS, Passport, PassportType, VerifiedPassport};
use crate::verification::ExpectedCall;
use crate::{Reason, UnixTime};

/// The widest window for the earlier tokens of a diverted call, for transfers that one trusts (PPT-57).
pub const MAX_INNER_FRESHNESS: Duration = Duration::from_secs(3 * 60 * 60);

/// The tokens of a call from the original one to that of the last diversion.
///
/// Source: RFC 8946 sections 4.2 and 5.1.
#[derive(Clone, Debug)]
pub struct DiversionChain {
    innermost: VerifiedPassport,
    /// Beside the innermost one: of the same call to the same party.
    others: Vec<VerifiedPassport>,
    /// The diversions, the first one first.
    links: Vec<VerifiedPassport>,
}

impl DiversionChain {
    /// Puts the tokens of one call in order, in whatever order they come. Tokens that say the same count
    /// once. What is inside a `div-o` token (`opt`) has to be among them, verified like the others: see
    /// [`Passport::nested`].
    ///
    /// Without any diversion the chain is the original token alone. Several original tokens (`shaken`
    /// beside `rph`) may stand at its start; one that does not name the party of the first `div` is no
    /// part of the chain and left out.
    ///
    /// # Errors
    ///
    /// - [`Reason::UnexpectedRsp`]: an answer is among them.
    /// - [`Reason::DivTooDeep`]: more than [`MAX_DIVERSIONS`] diversions (PPT-63).
    /// - [`Reason::DivOrigMismatch`]: not all of one `orig` (PPT-56).
    /// - [`Reason::DivMismatch`]: a `div` is no destination of any earlier token (PPT-54).
    /// - [`Reason::DivChainIncomplete`]: no original token (one of an unsupported type cannot be among
    ///   them, PPT-58), not exactly one diversion that no other refers to (PPT-55), a `div-o` without
    ///   the token inside it, or a circle.
    ///
    /// Source: RFC 8946 sections 4.2 and 5.1 (PPT-54 to PPT-56, PPT-58, PPT-61, PPT-63).
    pub fn assemble(tokens: &[VerifiedPassport]) -> Result<Self, Reason> {
        let distinct = order::distinct(tokens);
        if distinct
            .iter()
            .any(|token| token.kind() == PassportType::Rsp)
        {
            return Err(Reason::UnexpectedRsp);
        }
        let (diversions, originals): (Vec<_>, Vec<_>) = distinct
            .into_iter()
            .partition(|token| token.kind().is_diversion());
        let links = order::from_originals(&diversions, &originals)?;
        // `from_originals` has found at least one that the first link refers to.
        let mut starts = originals.into_iter().filter(|original| {
            links.first().is_none_or(|link| {
                order::follows(link, original) && order::same_orig(link, original)
            })
        });
        let innermost = starts.next().ok_or(Reason::DivChainIncomplete)?.clone();
        let others: Vec<_> = starts.cloned().collect();
        // Tokens without any diversion are of one call only if they say so.
        let is_one_call = |other: &VerifiedPassport| {
            let dest = other.claims().dest();
            order::same_orig(&innermost, other) && innermost.claims().dest().is_equivalent(dest)
        };
        if links.is_empty() && !others.iter().all(is_one_call) {
            return Err(Reason::DivChainIncomplete);
        }
        Ok(Self {
            innermost,
            others,
            links: links.into_iter().cloned().collect(),
        })
    }

    /// The token that the call started with; the first that came of several.
    #[must_use]
    pub const fn innermost(&self) -> &VerifiedPassport {
        &self.innermost
    }

    /// Every token that the call started with, [`DiversionChain::innermost`] first.
    pub fn originals(&self) -> impl Iterator<Item = &VerifiedPassport> {
        core::iter::once(&self.innermost).chain(&self.others)
    }

    /// The token of the last diversion, or the original one if there was no diversion.
    #[must_use]
    pub fn outermost(&self) -> &VerifiedPassport {
        self.links.last().unwrap_or(&self.innermost)
    }

    /// The diversions, the first one first: at most [`MAX_DIVERSIONS`].
    #[must_use]
    pub fn links(&self) -> &[VerifiedPassport] {
        &self.links
    }

    /// Who calls; the same in every token.
    #[must_use]
    pub fn orig(&self) -> &Identity {
        self.innermost.claims().orig()
    }

    /// Compares with the call: the last destination with the request's target, for which any provisioned
    /// number may stand in, and `orig` with the caller. What the call does not say is not compared.
    ///
    /// # Errors
    ///
    /// [`Reason::DestMismatch`], [`Reason::OrigMismatch`].
    ///
    /// Source: RFC 8946 section 4.2 steps 1 and 3 (PPT-55, PPT-56).
    pub fn check_call(&self, call: &ExpectedCall<'_>) -> Result<(), Reason> {
        let dest = self.outermost().claims().dest();
        if let Some(target) = call.dest {
            let stands_in = call.provisioned.iter().any(|number| dest.contains(number));
            if !dest.includes(target) && !stands_in {
                return Err(Reason::DestMismatch);
            }
        }
        match call.orig {
            Some(orig) if !orig.is_equivalent(self.orig()) => Err(Reason::OrigMismatch),
            _ => Ok(()),
        }
    }

    /// Checks every `iat`: that of the last diversion against `freshness`, the earlier ones against
    /// `inner_freshness`, which counts for at most [`MAX_INNER_FRESHNESS`].
    ///
    /// # Errors
    ///
    /// [`Reason::IatStale`]: the last diversion; [`Reason::InnerStale`]: an earlier token;
    /// [`Reason::IatInFuture`]: any more than `clock_skew` ahead.
    ///
    /// Source: RFC 8946 sections 4.2 step 4 and 5.1 (PPT-57, PPT-61).
    pub fn check_freshness(
        &self,
        at: UnixTime,
        freshness: Duration,
        inner_freshness: Duration,
        clock_skew: Duration,
    ) -> Result<(), Reason> {
        let earliest = at.minus(freshness);
        let inner_earliest = at.minus(inner_freshness.min(MAX_INNER_FRESHNESS));
        let latest = at.plus(clock_skew);
        if self.outermost().claims().iat() < earliest {
            return Err(Reason::IatStale);
        }
        let inner = self.links.split_last().map(|(_, inner)| inner);
        let inner = inner.into_iter().flatten();
        // Without a diversion the original token is the outermost one.
        let originals = self.originals().filter(|_| !self.links.is_empty());
        let mut inner = originals.chain(inner);
        if inner.any(|token| token.claims().iat() < inner_earliest) {
            return Err(Reason::InnerStale);
        }
        if self.tokens().any(|token| token.claims().iat() > latest) {
            return Err(Reason::IatInFuture);
        }
        Ok(())
    }

    /// Requires every signer to be entitled to the number it speaks for: the diverting one, not the
    /// caller, in a diversion. For verifiers without a policy about provider codes; others ask
    /// [`crate::certificate::VerifiedPath::covers`] of every token about [`Passport::spoken_for`].
    ///
    /// # Errors
    ///
    /// Those of [`crate::certificate::VerifiedPath::require_covered`]; [`Reason::NumberNotCovered`] also
    /// for a URI, which no TNAuthList holds.
    ///
    /// Source: RFC 8946 section 4.1 (PPT-51).
    pub fn require_authority(&self) -> Result<(), Reason> {
        for token in self.tokens() {
            for identity in token.passport().spoken_for() {
                let number = identity.tn().ok_or(Reason::NumberNotCovered)?;
                token.path().require_covered(number)?;
            }
        }
        Ok(())
    }

    /// All of them, the original ones first.
    pub fn tokens(&self) -> impl Iterator<Item = &VerifiedPassport> {
        self.originals().chain(&self.links)
    }
}
