//! The C interface of RingTrue, for terminal adapters, PBXs and other firmware.
//!
//! Every conversation of an endpoint is a session: the host asks for the next action (send this
//! request, sign this, keep this record), performs it in its own way and feeds back what came of it.
//! Nothing here opens a socket, reads a clock, starts a thread or keeps anything global; randomness
//! comes from the operating system's generator. `include/ringtrue.h` is the documentation for C.
//!
//! Raw pointers live in the module [`abi`] and nowhere else.
#![deny(unsafe_code)]

pub mod abi;
// Tests count with an allocator of their own.
#[cfg(all(feature = "host-allocator", not(test)))]
mod allocator;
mod client;
pub mod code;
mod configuration;
mod conversation;
mod found;
mod held;
mod live_session;
mod table;
#[cfg(test)]
mod tests;
pub mod types;
