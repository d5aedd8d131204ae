//! Reading the caller's memory, and writing to it.

use core::slice;
use core::str;

use ringtrue_stir::Reason;

use crate::code::Code;
use crate::types::{Octets, Text};

/// Octets of the caller, at most `max`.
///
/// # Safety
///
/// `data` is NULL or leads to `len` octets that nobody changes during `'a`.
pub(super) unsafe fn octets<'a>(octets: Octets, max: usize) -> Result<&'a [u8], Code> {
    match octets.len {
        0 => Ok(&[]),
        _ if octets.data.is_null() => Err(Code::NULL),
        len if len > max => Err(Reason::TooLong.into()),
        // SAFETY: not NULL, and by the contract of this function `len` octets are there; `max` is far
        // below `isize::MAX`.
        len => Ok(unsafe { slice::from_raw_parts(octets.data, len) }),
    }
}

/// Text of the caller, at most `max` octets; `otherwise` if it is no UTF-8.
///
/// # Safety
///
/// As [`octets`].
pub(super) unsafe fn text<'a>(text: Text, max: usize, otherwise: Reason) -> Result<&'a str, Code> {
    let raw = Octets {
        data: text.data.cast(),
        len: text.len,
    };
    // SAFETY: the same contract.
    let read = unsafe { octets(raw, max) }?;
    str::from_utf8(read).map_err(|_| otherwise.into())
}

/// An array of the caller, at most `max` long.
///
/// # Safety
///
/// `data` is NULL or leads to `len` values that nobody changes during `'a`.
pub(super) unsafe fn array<'a, T>(data: *const T, len: usize, max: usize) -> Result<&'a [T], Code> {
    match len {
        0 => Ok(&[]),
        _ if data.is_null() || !data.is_aligned() => Err(Code::NULL),
        len if len > max => Err(Reason::TooLong.into()),
        // SAFETY: not NULL, aligned, and by the contract of this function `len` values are there; `max`
        // values are far below `isize::MAX` octets.
        len => Ok(unsafe { slice::from_raw_parts(data, len) }),
    }
}

/// A place of the caller's to write to.
pub(super) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Errors
    ///
    /// [`Code::NULL`] for a pointer that leads nowhere.
    ///
    /// # Safety
    ///
    /// `place` is NULL or may be written to until this value is used up.
    pub(super) unsafe fn new(place: *mut T) -> Result<Self, Code> {
        if place.is_null() || !place.is_aligned() {
            return Err(Code::NULL);
        }
        Ok(Self(place))
    }

    /// Writes. What was there is not read: it may never have been set.
    pub(super) fn write(self, value: T) {
        // SAFETY: not NULL, aligned, and writable by the contract of `new`.
        unsafe { self.0.write(value) }
    }
}
