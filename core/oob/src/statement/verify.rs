//! Verifying a key statement: who signed it, with what right, and when.

use core::fmt;
use core::ops::Deref;

use ringtrue_stir::certificate::{
    CertificateBag, PathRules, TrustAnchors, VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::CryptoProvider;
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use super::{KeyStatement, MAX_AHEAD};

/// What a statement is verified against.
#[derive(Clone, Copy)]
pub struct VerifyStatement<'a> {
    /// The cryptography to use.
    pub provider: &'a dyn CryptoProvider,
    /// The STI anchors.
    pub anchors: &'a TrustAnchors,
    /// The certificate profile, and what else paths are checked against.
    pub rules: PathRules<'a>,
    /// The number that the statement must speak for.
    pub number: &'a TelephoneNumber,
    /// Certificates from outside the header, for the inline encoding. Not looked at if the header has
    /// its own: a source is used when the one before is absent, never after a failure (W-1).
    pub bag: Option<&'a CertificateBag>,
    /// The time.
    pub now: UnixTime,
}

impl fmt::Debug for VerifyStatement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyStatement")
            .field("profile", &self.rules.profile)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl KeyStatement {
    /// Verifies the statement. A directory answers these errors with 403, except a missing certificate
    /// with 400; see [`Problem::for_statement`](crate::http::problem::Problem::for_statement).
    ///
    /// # Errors
    ///
    /// In this order:
    ///
    /// - [`Reason::CredentialUnavailable`]: no certificates in the header and none given.
    /// - [`Reason::SignatureInvalid`]: no end-entity certificate's key made the signature.
    /// - those of [`verify_path`].
    /// - [`Reason::StatementNumberMissing`]: `sub` does not name the number.
    /// - [`Reason::NumberNotCovered`], [`Reason::AuthorityBySpc`], [`Reason::EncompassUnknown`],
    ///   [`Reason::TnAuthListMissing`]: the signer may not speak for every number of `sub`.
    /// - [`Reason::StatementExpired`], [`Reason::StatementNotYetValid`] (over 60 s ahead),
    ///   [`Reason::StatementOutlivesCertificate`].
    ///
    /// Source: docs/protocol.md section 7.4 (PRV-36, W-14, W-15).
    pub fn verify(&self, against: &VerifyStatement<'_>) -> Result<VerifiedStatement, Reason> {
        let bag = self
            .header_bag()
            .or(against.bag)
            .ok_or(Reason::CredentialUnavailable)?;
        let signer = self
            .jws()
            .find_signer(against.provider, bag)
            .ok_or(Reason::SignatureInvalid)?;
        let path = verify_path(
            against.provider,
            signer,
            bag,
            against.anchors,
            against.now,
            against.rules,
        )?;
        if !self.numbers().contains(against.number) {
            return Err(Reason::StatementNumberMissing);
        }
        for number in self.numbers() {
            path.require_covered(number)?;
        }
        if against.now >= self.exp() {
            return Err(Reason::StatementExpired);
        }
        if self.iat() > against.now.plus(MAX_AHEAD) {
            return Err(Reason::StatementNotYetValid);
        }
        if self.exp() > path.not_after() {
            return Err(Reason::StatementOutlivesCertificate);
        }
        Ok(VerifiedStatement {
            signer: path.spki_digest(),
            statement: self.clone(),
            path,
        })
    }
}

/// A key statement whose signer may speak for every number in it. Cloning is cheap.
///
/// It holds until [`KeyStatement::exp`], as long as its signer's path does. Everything of
/// [`KeyStatement`] can be asked of it.
#[derive(Clone)]
pub struct VerifiedStatement {
    statement: KeyStatement,
    path: VerifiedPath,
    signer: [u8; 32],
}

impl VerifiedStatement {
    /// Who signed: SHA-256 of the leaf's SubjectPublicKeyInfo (W-11).
    #[must_use]
    pub const fn signer(&self) -> &[u8; 32] {
        &self.signer
    }

    /// The signer's path to an anchor.
    #[must_use]
    pub const fn path(&self) -> &VerifiedPath {
        &self.path
    }

    /// The statement as it was parsed.
    #[must_use]
    pub const fn statement(&self) -> &KeyStatement {
        &self.statement
    }
}

impl Deref for VerifiedStatement {
    type Target = KeyStatement;

    fn deref(&self) -> &KeyStatement {
        &self.statement
    }
}

impl fmt::Debug for VerifiedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedStatement(..)")
    }
}
