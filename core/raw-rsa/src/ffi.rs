//! The calls into the library, each wrapped so that what is outside of this file cannot misuse it.
//!
//! Wherever the library fails it puts an entry into a queue of the thread, which nobody here reads; it
//! is cleared so that it does not grow old there.

use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use aws_lc_sys as lc;

use crate::MODULUS_LEN;

/// Bits of every modulus.
const MODULUS_BITS: u16 = 2048;

/// The library's RSA key, owned.
pub(crate) struct RsaKey(NonNull<lc::RSA>);

// SAFETY: the structure is not bound to a thread; the library's own documentation allows it to be used
// and freed on another one than it was made on.
unsafe impl Send for RsaKey {}

// SAFETY: through `&RsaKey` only functions are called that may run at once on one key: signing and
// verifying take the key's own lock around what they cache in it (Montgomery contexts and blinding
// factors), and the others only read.
unsafe impl Sync for RsaKey {}

impl Drop for RsaKey {
    fn drop(&mut self) {
        // SAFETY: the pointer is owned by this value and not used after this. The library overwrites
        // the private numbers as it frees them.
        unsafe { lc::RSA_free(self.0.as_ptr()) }
    }
}

/// A number of the library, owned; for public values only.
///
/// Made and compared without the library's functions for one word: their word has 32 bits on a 32-bit
/// processor, but 64 in their declaration for Rust, so that the call would pass it where the library does
/// not look.
struct Number(NonNull<lc::BIGNUM>);

impl Number {
    fn from_word(word: u32) -> Option<Self> {
        // SAFETY: takes no arguments; null, which is failure, is turned into `None`.
        let number = Self(NonNull::new(unsafe { lc::BN_new() })?);
        // SAFETY: the pointer is a valid number, owned by `number`.
        let done = unsafe { lc::BN_set_u64(number.0.as_ptr(), word.into()) };
        (done == 1).then_some(number)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        // SAFETY: the pointer is owned by this value and not used after this.
        unsafe { lc::BN_free(self.0.as_ptr()) }
    }
}

/// A key of any kind of the library, owned.
struct AnyKey(NonNull<lc::EVP_PKEY>);

impl Drop for AnyKey {
    fn drop(&mut self) {
        // SAFETY: the pointer is owned by this value and not used after this.
        unsafe { lc::EVP_PKEY_free(self.0.as_ptr()) }
    }
}

fn failed<T>() -> Option<T> {
    // SAFETY: takes no arguments and touches the thread's own queue only.
    unsafe { lc::ERR_clear_error() }
    None
}

impl RsaKey {
    /// Generates a key; `None` if the library fails.
    pub(crate) fn generate(exponent: u32) -> Option<Self> {
        let exponent = Number::from_word(exponent)?;
        // SAFETY: takes no arguments; null, which is failure, is turned into `None`.
        let key = Self(NonNull::new(unsafe { lc::RSA_new() })?);
        // SAFETY: `key` is a valid, empty key that nobody else has; the exponent is a valid number that
        // outlives the call, which copies it; the callback may be null.
        let done = unsafe {
            lc::RSA_generate_key_ex(
                key.0.as_ptr(),
                MODULUS_BITS.into(),
                exponent.0.as_ptr(),
                ptr::null_mut(),
            )
        };
        if done == 1 { Some(key) } else { failed() }
    }

    /// Reads a key; `None` if it is not PKCS#8 of a consistent RSA key, or has something behind it.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let mut reader = MaybeUninit::<lc::CBS>::uninit();
        // SAFETY: the call writes the whole structure; the octets are borrowed for longer than it is
        // used.
        let mut reader = unsafe {
            lc::CBS_init(reader.as_mut_ptr(), der.as_ptr(), der.len());
            reader.assume_init()
        };
        // SAFETY: `reader` is initialised and stays within `der`; null, which is failure, is turned into
        // `None`. A key that is returned belongs to the caller.
        let Some(any) = NonNull::new(unsafe { lc::EVP_parse_private_key(&raw mut reader) }) else {
            return failed();
        };
        let any = AnyKey(any);
        // SAFETY: `reader` is initialised.
        if unsafe { lc::CBS_len(&raw const reader) } != 0 {
            return None;
        }
        // SAFETY: `any` is a valid key; what is returned is null for another kind, or a reference of its
        // own that the caller has to free.
        let Some(key) = NonNull::new(unsafe { lc::EVP_PKEY_get1_RSA(any.0.as_ptr()) }) else {
            return failed();
        };
        let key = Self(key);
        // SAFETY: `key` is a valid key.
        if unsafe { lc::RSA_check_key(key.0.as_ptr()) } == 1 {
            Some(key)
        } else {
            failed()
        }
    }

    /// Writes the key as PKCS#8; the octets written, `None` if there is not enough room.
    pub(crate) fn write_pkcs8(&self, out: &mut [u8]) -> Option<usize> {
        // SAFETY: takes no arguments; null, which is failure, is turned into `None`.
        let any = AnyKey(NonNull::new(unsafe { lc::EVP_PKEY_new() })?);
        // SAFETY: both are valid; the call takes a reference of its own to the key.
        if unsafe { lc::EVP_PKEY_set1_RSA(any.0.as_ptr(), self.0.as_ptr()) } != 1 {
            return failed();
        }
        let mut writer = MaybeUninit::<lc::CBB>::uninit();
        let mut len = 0_usize;
        // SAFETY: `CBB_zero` makes the structure one that may be initialised and cleaned up. It then
        // writes to `out` alone, up to its length, and is not used once this block ends. For a writer
        // on fixed memory there is nothing to hand over, so that the place for it may be null.
        let done = unsafe {
            let writer = writer.as_mut_ptr();
            lc::CBB_zero(writer);
            let done = lc::CBB_init_fixed(writer, out.as_mut_ptr(), out.len()) == 1
                && lc::EVP_marshal_private_key(writer, any.0.as_ptr()) == 1
                && lc::CBB_finish(writer, ptr::null_mut(), &raw mut len) == 1;
            lc::CBB_cleanup(writer);
            done
        };
        if done { Some(len) } else { failed() }
    }

    /// The modulus, if the key has one of 2048 bits and this exponent.
    pub(crate) fn modulus_of_2048_bits(&self, exponent: u32) -> Option<[u8; MODULUS_LEN]> {
        let mut modulus = [0; MODULUS_LEN];
        let exponent = Number::from_word(exponent)?;
        // SAFETY: the key is valid, its numbers belong to it and are used within this block only; both
        // are tested for null before they are read. Exactly the length of `modulus` is written.
        let done = unsafe {
            let n = lc::RSA_get0_n(self.0.as_ptr());
            let e = lc::RSA_get0_e(self.0.as_ptr());
            !n.is_null()
                && !e.is_null()
                && lc::BN_num_bits(n) == u32::from(MODULUS_BITS)
                && lc::BN_cmp(e, exponent.0.as_ptr()) == 0
                && lc::BN_bn2bin_padded(modulus.as_mut_ptr(), modulus.len(), n) == 1
        };
        done.then_some(modulus)
    }

    /// RSASP1. The key must have 2048 bits.
    pub(crate) fn private_raw(&self, input: &[u8; MODULUS_LEN]) -> Option<[u8; MODULUS_LEN]> {
        let mut output = [0; MODULUS_LEN];
        let mut len = 0_usize;
        // SAFETY: the key is valid; input and output are as long as is said, and the library writes at
        // most `max_out` octets. Without padding it blinds as it always does.
        let done = unsafe {
            lc::RSA_sign_raw(
                self.0.as_ptr(),
                &raw mut len,
                output.as_mut_ptr(),
                output.len(),
                input.as_ptr(),
                input.len(),
                lc::RSA_NO_PADDING,
            )
        };
        if done == 1 && len == MODULUS_LEN {
            Some(output)
        } else {
            failed()
        }
    }

    /// RSAVP1. The key must have 2048 bits.
    pub(crate) fn public_raw(&self, input: &[u8; MODULUS_LEN]) -> Option<[u8; MODULUS_LEN]> {
        let mut output = [0; MODULUS_LEN];
        let mut len = 0_usize;
        // SAFETY: as above; the call reads the public numbers only.
        let done = unsafe {
            lc::RSA_verify_raw(
                self.0.as_ptr(),
                &raw mut len,
                output.as_mut_ptr(),
                output.len(),
                input.as_ptr(),
                input.len(),
                lc::RSA_NO_PADDING,
            )
        };
        if done == 1 && len == MODULUS_LEN {
            Some(output)
        } else {
            failed()
        }
    }
}
