//! The service over real TLS on loopback: every answer that docs/protocol.md names, every limit,
//! and what an operator does to it. Time that matters is simulated.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

#[path = "http/client.rs"]
mod client;
#[path = "http/directory.rs"]
mod directory;
#[cfg(feature = "pq")]
#[path = "http/hybrid.rs"]
mod hybrid;
#[path = "http/issuer.rs"]
mod issuer;
#[path = "http/limits.rs"]
mod limits;
#[path = "http/mint.rs"]
mod mint;
#[path = "http/operation.rs"]
mod operation;
#[path = "http/placement.rs"]
mod placement;
#[path = "http/prices.rs"]
mod prices;
#[path = "http/redemption.rs"]
mod redemption;
#[path = "http/shapes.rs"]
mod shapes;
#[path = "http/unlinkability.rs"]
mod unlinkability;
#[path = "http/world.rs"]
mod world;
