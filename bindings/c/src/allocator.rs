//! All memory from the firmware's own allocator.
#![expect(
    unsafe_code,
    reason = "an allocator deals in raw memory, and its functions are C's"
)]

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;

unsafe extern "C" {
    /// Gives `size` octets aligned to `alignment`, a power of two, or NULL.
    fn ringtrue_host_alloc(size: usize, alignment: usize) -> *mut c_void;
    /// Takes back what `ringtrue_host_alloc` gave for the same size and alignment.
    fn ringtrue_host_free(memory: *mut c_void, size: usize, alignment: usize);
}

struct Host;

// SAFETY: both functions keep the contract that the header states for them, which is this trait's.
unsafe impl GlobalAlloc for Host {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: any size above nought and any power of two may be asked for.
        unsafe { ringtrue_host_alloc(layout.size(), layout.align()) }.cast()
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: given by `alloc` for this layout.
        unsafe { ringtrue_host_free(memory.cast(), layout.size(), layout.align()) }
    }
}

#[global_allocator]
static HOST: Host = Host;
