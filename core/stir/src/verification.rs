//! The whole verification of one PASSporT, as a verification service does it: form, signer, path,
//! authority, freshness, signature, diversions, rich call data, and the call itself.
//!
//! [`verify`] never fails: it gives a [`Report`] with the verdict, every reason and every warning. What
//! it may look at comes in as [`Evidence`]; it fetches nothing and reads no clock.

mod check;
mod credential;
mod evidence;
mod findings;
mod policy;
mod report;

pub use check::verify;
pub use evidence::{Evidence, ExpectedCall};
pub use policy::{SpcPolicy, VerificationPolicy};
pub use report::{Report, ReportedAuthority, Verdict};
