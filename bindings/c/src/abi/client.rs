//! Making and freeing clients.

use core::ptr;
use std::sync::Arc;

use ringtrue_stir::crypto::RustCrypto;

use super::borrow::Out;
use super::{config, guard};
use crate::client::Client;
use crate::code::Code;
use crate::configuration::now;
use crate::types::{Config, ResultCode, Time};

/// What stands at the beginning of every client, and no longer when it was freed.
const MAGIC: u64 = 0x5269_6e67_5472_7565;

/// An endpoint: its numbers, its credential, whom it trusts, its sessions.
pub struct ClientHandle {
    marked: Marked,
}

/// A client behind its mark, in this order: whatever is no client is told by its first eight octets.
#[repr(C)]
struct Marked {
    magic: u64,
    client: Client,
}

const _: () = assert!(core::mem::offset_of!(ClientHandle, marked) == 0);

impl ClientHandle {
    pub(crate) const fn new(client: Client) -> Self {
        Self {
            marked: Marked {
                magic: MAGIC,
                client,
            },
        }
    }
}

/// The client behind a pointer.
///
/// # Errors
///
/// [`Code::NULL`]; [`Code::STALE`] for what is none, as far as that shows.
///
/// # Safety
///
/// `client` is NULL or leads to readable memory, and is not freed during `'a`.
pub(super) unsafe fn borrow<'a>(client: *const ClientHandle) -> Result<&'a Client, Code> {
    if client.is_null() {
        return Err(Code::NULL);
    }
    if !client.is_aligned() {
        return Err(Code::STALE);
    }
    // SAFETY: not NULL, aligned and readable.
    let magic = unsafe { ptr::addr_of!((*client).marked.magic).read_volatile() };
    if magic != MAGIC {
        return Err(Code::STALE);
    }
    // SAFETY: it begins as only a client does, and by contract lives on.
    Ok(unsafe { &(*client).marked.client })
}

/// Makes a client. Opens nothing and starts nothing: keys are published by `ringtrue_publish_begin`.
///
/// Returns `RINGTRUE_RESULT_VERSION_MISMATCH` if the program was compiled for another version,
/// `RINGTRUE_RESULT_CONFIGURATION_INVALID`, `RINGTRUE_RESULT_RELAY_REQUIRED` without `relay` and
/// `allow_direct`, `RINGTRUE_RESULT_KEY_MISMATCH`, or why a part cannot be read or the credential leads to
/// no anchor.
///
/// # Safety
///
/// `config` is NULL or leads to a structure of its `size`, whose pointers are NULL or lead to as much as
/// their lengths say. `out` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_client_new(
    config: *const Config,
    time: Time,
    out: *mut *mut ClientHandle,
) -> ResultCode {
    guard(|| {
        // SAFETY: the same contract.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the same contract.
        let settings = unsafe { config::settings(config) }?;
        let now = now(time.monotonic_ms, time.unix_ms);
        let client = Client::new(settings.prepare(Arc::new(RustCrypto), now)?)?;
        out.write(Box::into_raw(Box::new(ClientHandle::new(client))));
        Ok(())
    })
}

/// Frees a client with all its sessions, whatever they are doing, and sets the caller's pointer to NULL, so
/// that freeing it again does nothing. No other thread may be using the client.
///
/// # Safety
///
/// `client` is NULL or leads to NULL or a client that nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringtrue_client_free(client: *mut *mut ClientHandle) -> ResultCode {
    guard(|| {
        if client.is_null() || !client.is_aligned() {
            return Err(Code::NULL);
        }
        // SAFETY: not NULL and aligned; it holds a pointer.
        let held = unsafe { client.read() };
        if held.is_null() {
            return Ok(());
        }
        // SAFETY: the same contract.
        unsafe { borrow(held) }?;
        // SAFETY: `borrow` saw a client, and nobody else uses it: the mark is taken off first, so that
        // a copy of the pointer does not look like a client for as long as the memory is not used again.
        let owned = unsafe {
            client.write(ptr::null_mut());
            ptr::addr_of_mut!((*held).marked.magic).write_volatile(0);
            Box::from_raw(held)
        };
        drop(owned);
        Ok(())
    })
}
