//! The response codes of STIR, as codes of a response and as causes of a Reason header.

/// What a verification service has to say about a request.
///
/// Source: RFC 8224 section 6.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseCode {
    /// 403: Date or `iat` is too old.
    StaleDate,
    /// 428: an identity is required, and no usable one came.
    UseIdentityHeader,
    /// 436: the signer's certificate cannot be fetched.
    BadIdentityInfo,
    /// 437: the certificate is there, its issuer or algorithm is not trusted.
    UnsupportedCredential,
    /// 438: no header has a valid token of a supported type.
    InvalidIdentityHeader,
}

impl ResponseCode {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::StaleDate,
        Self::UseIdentityHeader,
        Self::BadIdentityInfo,
        Self::UnsupportedCredential,
        Self::InvalidIdentityHeader,
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::StaleDate => 403,
            Self::UseIdentityHeader => 428,
            Self::BadIdentityInfo => 436,
            Self::UnsupportedCredential => 437,
            Self::InvalidIdentityHeader => 438,
        }
    }

    /// The reason phrase.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::StaleDate => "Stale Date",
            Self::UseIdentityHeader => "Use Identity Header",
            Self::BadIdentityInfo => "Bad Identity Info",
            Self::UnsupportedCredential => "Unsupported Credential",
            Self::InvalidIdentityHeader => "Invalid Identity Header",
        }
    }

    /// The code with this number, if it is one of these.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}
