//! The suites of sealed PASSporTs and their size classes: identifiers and lengths only.

use ringtrue_stir::crypto::Curve;

/// Octets before the encapsulated key: version, KEM, KDF, AEAD, size class.
pub(crate) const HEADER_LEN: usize = 8;

/// Octets of the authentication tag of every AEAD in use.
pub(crate) const TAG_LEN: usize = 16;

/// Octets of the content length in front of the content.
pub(crate) const LENGTH_PREFIX_LEN: usize = 2;

/// A combination of KEM, KDF and AEAD that a blob can be sealed with.
///
/// The form of all four is known, so that a service carries what newer endpoints seal (W-19). S1 and S2
/// are sealed and opened in every build, S3 and S4 with the feature `pq`, see [`Suite::is_supported`].
///
/// Source: docs/protocol.md section 6.2 (PRV-2, PRV-3); code points of the IANA HPKE registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Suite {
    /// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. For keys in hardware.
    S1,
    /// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
    S2,
    /// X-Wing (ML-KEM-768 with X25519), HKDF-SHA256, ChaCha20-Poly1305.
    S3,
    /// ML-KEM-768 with P-256, HKDF-SHA256, AES-128-GCM.
    S4,
}

impl Suite {
    /// Every suite whose form is known.
    pub const ALL: &'static [Self] = &[Self::S1, Self::S2, Self::S3, Self::S4];

    /// The suites that this build seals and opens: all with the feature `pq`, else S1 and S2.
    pub const SUPPORTED: &'static [Self] = if cfg!(feature = "pq") {
        Self::ALL
    } else {
        &[Self::S1, Self::S2]
    };

    /// The name in key statements: `S1` to `S4`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::S4 => "S4",
        }
    }

    /// The suite with this name, case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|suite| suite.name() == name)
    }

    /// KEM, KDF and AEAD identifier, two octets each, as they stand in a blob.
    #[must_use]
    pub const fn id_bytes(self) -> [u8; 6] {
        match self {
            Self::S1 => [0x00, 0x10, 0x00, 0x01, 0x00, 0x01],
            Self::S2 => [0x00, 0x20, 0x00, 0x01, 0x00, 0x03],
            Self::S3 => [0x64, 0x7a, 0x00, 0x01, 0x00, 0x03],
            Self::S4 => [0x00, 0x50, 0x00, 0x01, 0x00, 0x01],
        }
    }

    /// The suite with these identifiers.
    #[must_use]
    pub fn from_id_bytes(ids: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|suite| suite.id_bytes() == ids)
    }

    /// Octets of the encapsulated key in a blob.
    #[must_use]
    pub const fn enc_len(self) -> usize {
        match self {
            Self::S1 => 65,
            Self::S2 => 32,
            Self::S3 => 1120,
            Self::S4 => 1153,
        }
    }

    /// Octets of a raw public key in a key statement.
    #[must_use]
    pub const fn public_key_len(self) -> usize {
        match self {
            Self::S1 => 65,
            Self::S2 => 32,
            Self::S3 => 1216,
            Self::S4 => 1249,
        }
    }

    /// The curve of the key agreement; `None` for the hybrid suites.
    #[must_use]
    pub const fn curve(self) -> Option<Curve> {
        match self {
            Self::S1 => Some(Curve::P256),
            Self::S2 => Some(Curve::X25519),
            Self::S3 | Self::S4 => None,
        }
    }

    /// Whether this build seals and opens the suite.
    #[must_use]
    pub const fn is_supported(self) -> bool {
        cfg!(feature = "pq") || !self.is_hybrid()
    }

    /// Whether the KEM also holds against quantum computers: S3 and S4.
    #[must_use]
    pub const fn is_hybrid(self) -> bool {
        matches!(self, Self::S3 | Self::S4)
    }

    /// The class of ordinary blobs and of every dummy of this suite (W-31).
    #[must_use]
    pub const fn class(self) -> SizeClass {
        match self {
            Self::S1 | Self::S2 => SizeClass::One,
            Self::S3 | Self::S4 => SizeClass::Three,
        }
    }

    /// Whether blobs of this suite may have this class: S1 and S2 one and two, the others three.
    #[must_use]
    pub const fn allows(self, class: SizeClass) -> bool {
        match class {
            SizeClass::One | SizeClass::Two => matches!(self, Self::S1 | Self::S2),
            SizeClass::Three => matches!(self, Self::S3 | Self::S4),
        }
    }

    /// The most octets of content that an ordinary blob of this suite holds.
    #[must_use]
    pub const fn max_content_len(self) -> usize {
        self.max_content_len_in(self.class())
    }

    /// The most octets of content that a blob of this suite holds in `class`.
    #[must_use]
    pub const fn max_content_len_in(self, class: SizeClass) -> usize {
        class
            .blob_len()
            .saturating_sub(HEADER_LEN)
            .saturating_sub(self.enc_len())
            .saturating_sub(TAG_LEN)
            .saturating_sub(LENGTH_PREFIX_LEN)
    }
}

/// The size of a blob. All blobs of a class have exactly one length, whatever is inside.
///
/// Source: docs/protocol.md section 6.1 (PRV-5, W-31).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SizeClass {
    /// 4096 octets: S1 and S2.
    One,
    /// 16384 octets: S1 and S2, only where the application allows it, as it is visible as real.
    Two,
    /// 8192 octets: S3 and S4, always.
    Three,
}

impl SizeClass {
    /// Every class.
    pub const ALL: &'static [Self] = &[Self::One, Self::Two, Self::Three];

    /// The octets of a whole blob.
    #[must_use]
    pub const fn blob_len(self) -> usize {
        match self {
            Self::One => 4096,
            Self::Two => 16384,
            Self::Three => 8192,
        }
    }

    /// The octet that stands for the class in a blob.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }

    /// The class that this octet stands for.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::{SizeClass, Suite};

    #[test]
    fn content_limits_are_those_of_the_layout() {
        let limits = |class: SizeClass| {
            Suite::ALL
                .iter()
                .filter(|suite| suite.allows(class))
                .map(|suite| suite.max_content_len_in(class))
                .collect::<Vec<_>>()
        };
        assert_eq!(limits(SizeClass::One), [4005, 4038]);
        assert_eq!(limits(SizeClass::Two), [16293, 16326]);
        assert_eq!(limits(SizeClass::Three), [7046, 7013]);
    }

    #[test]
    fn names_and_identifiers_lead_back_and_others_to_nothing() {
        for suite in Suite::ALL {
            assert_eq!(Suite::from_name(suite.name()), Some(*suite));
            assert_eq!(Suite::from_id_bytes(&suite.id_bytes()), Some(*suite));
            assert!(suite.allows(suite.class()));
        }
        for name in ["", "s1", "S5", "S1 ", "S11"] {
            assert_eq!(Suite::from_name(name), None);
        }
        assert_eq!(Suite::from_id_bytes(&[0, 0x10, 0, 1, 0, 3]), None);
        assert_eq!(Suite::from_id_bytes(&[0, 0x10, 0, 1, 0]), None);
        for id in [0, 4, 255] {
            assert_eq!(SizeClass::from_id(id), None);
        }
    }
}
