//! The types of PASSporTs.

/// What kind of PASSporT the header's `ppt` says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PassportType {
    /// No `ppt`: RFC 8225 alone.
    Base,
    /// `div`: the call was diverted; the signer speaks for the number it was diverted from (RFC 8946).
    Div,
    /// `div-o`: as `div`, with the earlier token inside (RFC 8946 section 5).
    DivO,
    /// `msec`: the media keys are vouched for, and an answer of the same kind is wanted (RFC 8862).
    Msec,
    /// `msg`: a message instead of a call (RFC 9475).
    Msg,
    /// `rcd`: rich call data (RFC 9795).
    Rcd,
    /// `rph`: resource priorities (RFC 8443, RFC 9027).
    Rph,
    /// `rsp`: who was reached; its signature vouches for `dest` (RFC 9970).
    Rsp,
    /// `shaken`: a provider's attestation (RFC 8588).
    Shaken,
    /// Another `ppt`. Such a token can be told apart and never verifies (PPT-14, W-28).
    Unsupported,
}

impl PassportType {
    pub(crate) fn from_ppt(ppt: Option<&str>) -> Self {
        let Some(ppt) = ppt else {
            return Self::Base;
        };
        match ppt {
            "div" => Self::Div,
            "div-o" => Self::DivO,
            "msec" => Self::Msec,
            "msg" => Self::Msg,
            "rcd" => Self::Rcd,
            "rph" => Self::Rph,
            "rsp" => Self::Rsp,
            "shaken" => Self::Shaken,
            _ => Self::Unsupported,
        }
    }

    /// The `ppt` of a token of this type; `None` for [`PassportType::Base`], which has none, and for
    /// [`PassportType::Unsupported`].
    #[must_use]
    pub const fn ppt(self) -> Option<&'static str> {
        Some(match self {
            Self::Base | Self::Unsupported => return None,
            Self::Div => "div",
            Self::DivO => "div-o",
            Self::Msec => "msec",
            Self::Msg => "msg",
            Self::Rcd => "rcd",
            Self::Rph => "rph",
            Self::Rsp => "rsp",
            Self::Shaken => "shaken",
        })
    }

    /// Whether a token of this type tells of a diversion.
    #[must_use]
    pub const fn is_diversion(self) -> bool {
        matches!(self, Self::Div | Self::DivO)
    }
}
