//! Small worlds, explored completely with the real sessions: `docs/model.md` says what is in them and what
//! was found, `docs/adr/0014-model-checking.md` why it is done this way.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may fail like the tests themselves"
)]

mod attacker;
mod blobs;
mod cast;
mod explore;
mod live;
mod locals;
mod moves;
mod narrate;
mod rules;
mod runs;
mod services;
mod state;
mod symbolic;
mod telephones;
mod world;

mod mutations;
mod worlds;
