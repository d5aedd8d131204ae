//! How much memory a session takes, counted by an allocator.
#![expect(unsafe_code, reason = "an allocator deals in raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ringtrue_lab::Authority;
use ringtrue_stir::{TelephoneNumber, UnixTime};

use crate::tests::phone::{CALLEE, CALLER, Phone, Service, UNIX_S};
use crate::types;

/// What a session may take, in octets (docs/firmware.md).
const BUDGET: usize = 256 * 1024;

thread_local! {
    static COUNTS: Cell<bool> = const { Cell::new(false) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(octets: isize) {
    if COUNTS.get() {
        HELD.set(HELD.get() + octets);
        PEAK.set(PEAK.get().max(HELD.get()));
    }
}

// SAFETY: forwards to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the same contract.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts what `work` allocates, and what it frees, on this thread.
fn counted(work: &mut dyn FnMut()) {
    COUNTS.set(true);
    work();
    COUNTS.set(false);
}

/// The peak of one ring, from its beginning to its end, and what is left when it was freed.
fn ring(blobs: usize) -> (usize, isize) {
    let at = UnixTime::from_secs(UNIX_S);
    let numbers = [CALLER, CALLEE].map(|text| TelephoneNumber::from_canonical(text).unwrap());
    let authority = Authority::for_numbers(&numbers, at).unwrap();
    let mut service = Service::default();
    let mut caller = Phone::new(&authority, CALLER);
    let mut callee = Phone::new(&authority, CALLEE);
    caller.publish(&mut service);
    callee.publish(&mut service);
    caller.place(&mut service, CALLER, CALLEE);
    service.fill_up(CALLEE, blobs);

    HELD.set(0);
    PEAK.set(0);
    let mut session = 0;
    counted(&mut || {
        session = callee
            .client
            .ring(CALLER, CALLEE, false, 0, callee.now())
            .unwrap();
    });
    let news = callee.drive(&mut service, session, &mut |work| counted(work));
    assert_eq!(news, types::RINGTRUE_ACTION_REPORT);
    let verdict = callee.client.verdict(session).unwrap();
    assert_eq!(verdict.verdict, types::RINGTRUE_VERDICT_VERIFIED);
    assert_eq!(verdict.blobs_received as usize, blobs);
    let end = callee.drive(&mut service, session, &mut |work| counted(work));
    assert_eq!(end, types::RINGTRUE_ACTION_DONE);
    counted(&mut || callee.client.free(session).unwrap());
    (usize::try_from(PEAK.get()).unwrap(), HELD.get())
}

#[test]
fn a_ring_stays_inside_its_memory() {
    // An ordinary mailbox, and the fullest one that the configuration lets through.
    for blobs in [5, 22] {
        let (peak, _) = ring(blobs);
        println!("ring with {blobs} blobs: {peak} octets of heap at most");
        assert!(peak <= BUDGET, "{blobs} blobs: {peak} octets");
        // Something was counted.
        assert!(peak > 10_000, "{peak}");
    }
}

#[test]
fn a_ring_that_is_over_leaves_nothing_behind() {
    // The client keeps its table of calls, whose room was made with the first.
    let (_, left) = ring(5);
    assert!(left.unsigned_abs() < 8192, "{left} octets");
}

#[test]
fn a_thousand_rings_do_not_grow() {
    let at = UnixTime::from_secs(UNIX_S);
    let number = TelephoneNumber::from_canonical(CALLEE).unwrap();
    let authority = Authority::for_numbers(&[number], at).unwrap();
    let callee = Phone::new(&authority, CALLEE);
    let once = || {
        let session = callee
            .client
            .ring(CALLER, "", true, 0, callee.now())
            .unwrap();
        callee.client.next(session, callee.now()).unwrap();
        callee.client.free(session).unwrap();
    };
    once();
    HELD.set(0);
    counted(&mut || (0..1000).for_each(|_| once()));
    assert_eq!(HELD.get(), 0);
}
