//! What needs no client.

use core::net::IpAddr;

use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto};
use ringtrue_stir::{Reach, Reason};

use super::{borrow, guard};
use crate::code::{self, Code};
use crate::types::{self, Octets, RINGTRUE_ABI_VERSION, ResultCode, Text};

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

/// How far an IP address reaches: `RINGTRUE_REACH_…`. `address` is 4 or 16 octets in network order; anything
/// else reaches nowhere.
///
/// Addresses of services come from other parties' statements too. Connect to what is
/// `RINGTRUE_REACH_PUBLIC`, after the name was resolved, and answer anything else with
/// `RINGTRUE_RESULT_ADDRESS_NOT_ALLOWED`: a stranger must not make the device talk to its own network.
///
/// # Safety
///
/// The pointer is NULL or leads to as much as its length says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_address_reach(address: Octets) -> u32 {
    let mut reach = types::RINGTRUE_REACH_NEVER;
    let _ = guard(|| {
        // SAFETY: the same contract.
        let octets = unsafe { borrow::octets(address, 16) }?;
        let address = match (<[u8; 4]>::try_from(octets), <[u8; 16]>::try_from(octets)) {
            (Ok(v4), _) => IpAddr::from(v4),
            (_, Ok(v6)) => IpAddr::from(v6),
            _ => return Err(Code::UNKNOWN),
        };
        reach = match Reach::of(address) {
            Reach::Loopback => types::RINGTRUE_REACH_LOOPBACK,
            Reach::Never => types::RINGTRUE_REACH_NEVER,
            Reach::Private => types::RINGTRUE_REACH_PRIVATE,
            Reach::Public => types::RINGTRUE_REACH_PUBLIC,
        };
        Ok(())
    });
    reach
}

const fn text(text: &'static str) -> Text {
    Text {
        data: text.as_ptr().cast(),
        len: text.len(),
    }
}
