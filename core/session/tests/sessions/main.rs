//! Every conversation of an endpoint, driven through a small world in memory.
//!
//! Phones, services and an attacker are values; the time is simulated. Nothing here sleeps, opens a
//! socket or reads a clock.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may fail like the tests themselves"
)]

#[path = "../../../cps/tests/distinguisher/advantage.rs"]
mod advantage;
mod attacker;
mod bundles;
mod issuer;
mod jitter;
mod net;
mod phone;
mod sim;
mod world;

mod answering;
mod awaiting;
mod call_table;
mod calls;
mod chaos;
mod checks;
mod clocks;
mod confirming;
mod contents;
mod cover;
mod cover_times;
mod credentials;
mod fetching;
mod fillers;
mod hardware;
#[cfg(feature = "pq")]
mod hybrid;
mod issuer_views;
mod limits;
mod lookups;
mod observers;
mod placing;
mod polls;
mod publishing;
mod readers;
mod records;
mod redials;
mod relay;
mod relaying;
mod replays;
mod rotation;
mod sealing;
mod settings;
mod signing;
mod substitution;
mod tokens_paid;
mod tokens_refill;
mod trust;
mod trusted_calls;
