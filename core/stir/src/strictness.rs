//! How much a reader lets through.

/// Whether deviations that the standards call tolerable are refused or reported.
///
/// Never a matter of security alone: what two readers could understand differently (a repeated
/// member, two callers, another algorithm) is refused either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// Every deviation is a refusal.
    #[default]
    Strict,
    /// What deployed signers get wrong without harm is reported as a warning: serialisation that is
    /// not deterministic, `dest` arrays out of order, `iat` as a text of digits, a chain whose first
    /// certificate is not the signer's, `info` that differs from `x5u`.
    Lenient,
}
