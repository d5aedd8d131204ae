//! Key statements: the encryption keys of a number and the services where it looks for calls, signed with
//! the number's STIR credential.
//!
//! Three types for three states: [`StatementDraft`] is made and signed here, [`KeyStatement`] was parsed,
//! [`VerifiedStatement`] was verified; only [`KeyStatement::verify`] makes the last. Directory and reader
//! verify with the same code. Sequence numbers over time (rollback, equivocation) are for whoever
//! remembers them.
//!
//! Source: docs/protocol.md section 7 (PRV-35, PRV-36; W-1, W-2, W-11 to W-15).

mod draft;
mod parse;
mod verify;

use core::time::Duration;

pub use crate::digest::StatementDigest;
pub use crate::http::directory::MAX_STATEMENT_LEN;
pub use draft::{SignedStatement, StatementDraft, UnsignedStatement};
pub use parse::KeyStatement;
pub use verify::{VerifiedStatement, VerifyStatement};

/// The `typ` of the header. PASSporTs are signed with the same key; this keeps the two apart.
pub const TYP: &str = "stir-eks+jwt";

/// The longest time from `iat` to `exp`.
pub const MAX_LIFE: Duration = Duration::from_secs(604_800);

/// Keys in one statement, those of unknown suites included.
pub const MAX_KEYS: usize = 8;

/// Placement services in one statement.
pub const MAX_SERVICES: usize = 4;

/// How far `iat` may be ahead of the reader's clock (W-14).
pub const MAX_AHEAD: Duration = Duration::from_secs(60);

/// The longest `tok`: an authority.
const MAX_TOK_LEN: usize = 261;

#[cfg(test)]
mod tests;
