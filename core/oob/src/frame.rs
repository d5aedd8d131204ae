//! A blob while it is being sealed, and the padding of its content.
//!
//! Source: docs/protocol.md sections 6.1 and 6.4 (PRV-5).

use ringtrue_stir::Reason;
use zeroize::Zeroizing;

use crate::suite::{HEADER_LEN, LENGTH_PREFIX_LEN, TAG_LEN};
use crate::{Blob, SizeClass, Suite};

/// Header, room for the encapsulated key, padded content and room for the tag in one buffer, to be
/// encrypted in place. Overwritten when it is dropped before it is finished.
pub(crate) struct Frame {
    suite: Suite,
    header: [u8; HEADER_LEN],
    octets: Zeroizing<Vec<u8>>,
}

/// The parts of a frame that sealing writes.
pub(crate) struct FrameParts<'a> {
    pub(crate) enc: &'a mut [u8],
    pub(crate) text: &'a mut [u8],
    pub(crate) tag: &'a mut [u8],
}

impl Frame {
    /// # Errors
    ///
    /// [`Reason::ContentTooLong`] for content that the class does not hold, and for a class that the
    /// suite does not have.
    pub(crate) fn new(suite: Suite, class: SizeClass, content: &[u8]) -> Result<Self, Reason> {
        if !suite.allows(class) || content.len() > suite.max_content_len_in(class) {
            return Err(Reason::ContentTooLong);
        }
        let len = u16::try_from(content.len()).map_err(|_| Reason::ContentTooLong)?;
        let header = Blob::header(suite, class);
        // The final size at once, so that growing leaves no copies behind.
        let mut octets = Zeroizing::new(Vec::with_capacity(class.blob_len()));
        octets.extend_from_slice(&header);
        octets.resize(HEADER_LEN.saturating_add(suite.enc_len()), 0);
        octets.extend_from_slice(&len.to_be_bytes());
        octets.extend_from_slice(content);
        octets.resize(class.blob_len(), 0);
        Ok(Self {
            suite,
            header,
            octets,
        })
    }

    /// The header, which is also the additional authenticated data.
    pub(crate) const fn header(&self) -> [u8; HEADER_LEN] {
        self.header
    }

    pub(crate) fn parts(&mut self) -> Result<FrameParts<'_>, Reason> {
        let short = Reason::Internal;
        let rest = self.octets.get_mut(HEADER_LEN..).ok_or(short)?;
        let (enc, rest) = rest
            .split_at_mut_checked(self.suite.enc_len())
            .ok_or(short)?;
        let text_len = rest.len().checked_sub(TAG_LEN).ok_or(short)?;
        let (text, tag) = rest.split_at_mut_checked(text_len).ok_or(short)?;
        Ok(FrameParts { enc, text, tag })
    }

    /// The blob, once everything is written.
    pub(crate) fn finish(mut self) -> Result<Blob, Reason> {
        Blob::from_octets(core::mem::take(&mut *self.octets))
    }
}

/// Removes the length in front of the content and the filler behind it, which must be zero.
///
/// # Errors
///
/// [`Reason::MalformedContent`].
pub(crate) fn unpad(mut text: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let malformed = Reason::MalformedContent;
    let (len, rest) = text.split_first_chunk().ok_or(malformed)?;
    let len = usize::from(u16::from_be_bytes(*len));
    let (_, filler) = rest.split_at_checked(len).ok_or(malformed)?;
    if filler.iter().any(|octet| *octet != 0) {
        return Err(malformed);
    }
    // Moved to the front of the same buffer, so that no copy stays behind.
    let end = LENGTH_PREFIX_LEN.checked_add(len).ok_or(malformed)?;
    text.copy_within(LENGTH_PREFIX_LEN..end, 0);
    text.truncate(len);
    Ok(text)
}
