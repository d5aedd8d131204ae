//! What needs no client.

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto};

use super::guard;
use crate::code::{self, Code};
use crate::types::{RINGTRUE_ABI_VERSION, ResultCode, Text};

/// Nobody needs more at once.
const MAX_RANDOM: usize = 4096;

/// The version of the interface that this library has: `RINGTRUE_ABI_VERSION` of its header.
#[unsafe(no_mangle)]
pub extern "C" fn ringtrue_abi_version() -> u32 {
    RINGTRUE_ABI_VERSION
}

/// The stable name of a result or reason, as all RingTrue libraries and the command have it
/// (`malformed_number`); `unknown` for a number that is none. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn ringtrue_result_name(code: u32) -> Text {
    text(code::name(code))
}

/// The stable name of a verdict (`verified`); `unknown` for a number that is none. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn ringtrue_verdict_name(verdict: u32) -> Text {
    text(code::verdict_name(verdict))
}

/// Fills memory from the operating system's secure generator: for the state key. At most 4096 octets.
///
/// Returns `RINGTRUE_RESULT_RANDOMNESS_UNAVAILABLE` if the generator fails, with nothing written that
/// could be used.
///
/// # Safety
///
/// `out` is NULL or leads to `len` octets that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_random(out: *mut u8, len: usize) -> ResultCode {
    guard(|| {
        if out.is_null() {
            return Err(Code::NULL);
        }
        if len > MAX_RANDOM {
            return Err(Reason::TooLong.into());
        }
        let mut octets = zeroize::Zeroizing::new([0; MAX_RANDOM]);
        let octets = octets.get_mut(..len).ok_or(Reason::TooLong)?;
        RustCrypto.fill_random(octets)?;
        // SAFETY: not NULL, and by the contract of this function `len` octets may be written; they are
        // written, not read, so it does not matter that they may never have been set.
        unsafe { out.copy_from_nonoverlapping(octets.as_ptr(), octets.len()) };
        Ok(())
    })
}

const fn text(text: &'static str) -> Text {
    Text {
        data: text.as_ptr().cast(),
        len: text.len(),
    }
}
