//! The hybrid suites in a build without the feature `pq`: known by form, neither sealed nor opened.

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider, SecretKey};
use zeroize::Zeroizing;

use crate::frame::Frame;
use crate::{Blob, RecipientKey, Suite};

pub(crate) fn generate(_: &dyn CryptoProvider, _: Suite) -> Result<(SecretKey, Vec<u8>), Reason> {
    Err(Reason::SuiteUnsupported)
}

pub(crate) fn seal(
    _: &dyn CryptoProvider,
    _: &RecipientKey,
    _: &[u8],
    _: Frame,
) -> Result<Blob, Reason> {
    Err(Reason::SuiteUnsupported)
}

pub(crate) fn open(
    _: &Blob,
    _: &SecretKey,
    _: &RecipientKey,
    _: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    Err(Reason::SuiteUnsupported)
}

pub(crate) fn dummy(_: Suite, _: &[u8; 32], _: &[u8]) -> Result<Blob, Reason> {
    Err(Reason::SuiteUnsupported)
}
