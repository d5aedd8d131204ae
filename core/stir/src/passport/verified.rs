//! A PASSporT that was verified.

use sha2::{Digest as _, Sha256};

use super::{Claims, Identity, Passport, PassportType};
use crate::Reason;
use crate::certificate::VerifiedPath;

/// A PASSporT whose signature, form and signer's path hold. Cloning is cheap.
///
/// Not yet checked: that the signer may speak for the number, freshness, replay, and the call.
#[derive(Clone, Debug)]
pub struct VerifiedPassport {
    pub(super) passport: Passport,
    pub(super) path: VerifiedPath,
}

impl VerifiedPassport {
    /// The token.
    #[must_use]
    pub const fn passport(&self) -> &Passport {
        &self.passport
    }

    /// The type; never [`PassportType::Unsupported`].
    #[must_use]
    pub fn kind(&self) -> PassportType {
        self.passport.kind()
    }

    /// The claims, as the signer made them.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        self.passport.claims()
    }

    /// The signer and its path.
    #[must_use]
    pub const fn path(&self) -> &VerifiedPath {
        &self.path
    }

    /// What a lenient reader let pass: [`Passport::deviations`].
    #[must_use]
    pub fn deviations(&self) -> &[Reason] {
        self.passport.deviations()
    }

    /// What a replay cache remembers: SHA-256 over `orig`, `dest`, `iat` and the signer's key. Never
    /// over the signature, which can be changed without the key, and not over the type: one call that
    /// a signer announced in two types is still one call (PPT-19, W-7). Of a diversion also over `div`.
    #[must_use]
    pub fn replay_digest(&self) -> [u8; 32] {
        let claims = self.claims();
        let mut hash = Sha256::new();
        // Every part with its length, so that no two different inputs read the same.
        let mut part = |octets: &[u8]| {
            hash.update(
                u64::try_from(octets.len())
                    .unwrap_or(u64::MAX)
                    .to_be_bytes(),
            );
            hash.update(octets);
        };
        match claims.orig() {
            Identity::Tn(number) => {
                part(b"tn");
                part(number.as_str().as_bytes());
            }
            Identity::Uri(uri) => {
                part(b"uri");
                part(uri.as_bytes());
            }
        }
        let dest = claims.dest().clone().sorted();
        for number in &dest.tn {
            part(b"tn");
            part(number.as_str().as_bytes());
        }
        for uri in &dest.uri {
            part(b"uri");
            part(uri.as_bytes());
        }
        part(&claims.iat().as_secs().to_be_bytes());
        part(&self.path.spki_digest());
        // One call that two parties diverted to the same target is announced twice in good faith.
        if let Some(div) = claims.div() {
            part(b"div");
            match div.identity() {
                Identity::Tn(number) => part(number.as_str().as_bytes()),
                Identity::Uri(uri) => part(uri.as_bytes()),
            }
        }
        hash.finalize().into()
    }
}
