//! Who may store: the step between a well-formed store request and the mailbox.

use ringtrue_oob::Blob;
use ringtrue_oob::http::HttpResponse;
use ringtrue_stir::TelephoneNumber;

/// The rule by which stores are admitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreAdmission {
    /// Everyone may store; only rates are limited.
    #[default]
    Open,
}

impl StoreAdmission {
    /// Lets a well-formed store pass, or gives the answer that refuses it.
    pub(crate) fn admit(
        &self,
        _number: &TelephoneNumber,
        _blobs: &[Blob],
    ) -> Result<(), HttpResponse> {
        match self {
            Self::Open => Ok(()),
        }
    }
}
