//! Reasons: the registry of codes that all languages share.

/// Who has to act on a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ReasonKind {
    /// A defect of this library. Codes 7000 to 7999.
    Internal,
    /// Input that could not be parsed. Codes 1000 to 1999.
    Malformed,
    /// Good in itself, but for another call, number or state. Codes 3000 to 3999.
    Mismatch,
    /// The application broke the contract of the interface. Codes 6000 to 6999.
    Misuse,
    /// Worth reporting, changes no verdict. Codes 8000 to 8999.
    Notice,
    /// Too old or too new. Codes 4000 to 4999.
    Stale,
    /// The network, a service, a key store or the state store could not do it. Codes 5000 to 5999.
    Unavailable,
    /// A certificate, signature or authority that does not hold. Codes 2000 to 2999.
    Untrusted,
}

/// Why something was refused, failed or is worth knowing.
///
/// Applications translate from `code` or `name`. Both are stable; a later version may know more.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Reason {
    /// The stable number.
    pub code: u32,
    /// The stable name, in snake case.
    pub name: String,
    /// Who has to act.
    pub kind: ReasonKind,
    /// One line for developers, without any data of a call.
    pub detail: String,
}

impl core::fmt::Display for Reason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.name)
    }
}

impl From<ringtrue::Reason> for Reason {
    fn from(reason: ringtrue::Reason) -> Self {
        Self {
            code: reason.number(),
            name: reason.name().to_owned(),
            kind: reason.kind().into(),
            detail: reason.describe().to_owned(),
        }
    }
}

impl From<ringtrue::Kind> for ReasonKind {
    fn from(kind: ringtrue::Kind) -> Self {
        match kind {
            ringtrue::Kind::Malformed => Self::Malformed,
            ringtrue::Kind::Untrusted => Self::Untrusted,
            ringtrue::Kind::Mismatch => Self::Mismatch,
            ringtrue::Kind::Stale => Self::Stale,
            ringtrue::Kind::Unavailable => Self::Unavailable,
            ringtrue::Kind::Misuse => Self::Misuse,
            ringtrue::Kind::Notice => Self::Notice,
            // A kind that this binding does not know is its defect.
            _ => Self::Internal,
        }
    }
}

/// A list of reasons, in the same order.
pub(crate) fn reasons(list: Vec<ringtrue::Reason>) -> Vec<Reason> {
    list.into_iter().map(Reason::from).collect()
}

#[cfg(test)]
mod tests {
    use super::{Reason, ReasonKind};

    #[test]
    fn every_registered_reason_keeps_its_code_name_and_kind() {
        for reason in ringtrue::Reason::ALL {
            let converted = Reason::from(*reason);
            assert_eq!(converted.code, reason.number());
            assert_eq!(converted.name, reason.name());
            assert_eq!(converted.detail, reason.describe());
            let block = match converted.kind {
                ReasonKind::Malformed => 1,
                ReasonKind::Untrusted => 2,
                ReasonKind::Mismatch => 3,
                ReasonKind::Stale => 4,
                ReasonKind::Unavailable => 5,
                ReasonKind::Misuse => 6,
                ReasonKind::Internal => 7,
                ReasonKind::Notice => 8,
            };
            assert_eq!(converted.code / 1000, block, "{}", converted.name);
            let back = ringtrue::Reason::from_number(converted.code);
            assert_eq!(back, Some(*reason));
        }
    }

    #[test]
    fn text_is_the_stable_name() {
        let reason = Reason::from(ringtrue::Reason::Replayed);
        assert_eq!(reason.to_string(), "replayed");
    }
}
