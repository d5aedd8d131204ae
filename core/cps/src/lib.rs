//! The Call Placement Service and key directory: embeddable and standalone.
//!
//! [`Service::start`] runs it in this process with a [`ServiceConfig`]; [`ConfigFile`] reads the settings
//! from TOML and [`run_until_terminated`] makes a process of it.
//!
//! | Pure | In contact with the world |
//! |---|---|
//! | [`PlacementStore`]: blobs and the dummies between which they hide, in simulated time as in real | connections, limits, timeouts, draining |
//! | the directory of key statements | its file |
//! | the price of a store in [`TokenSettings`] storage tokens | keys of the token issuer, spent tokens |
//!
//! What the messages look like is in [`ringtrue_oob::http`], for client and service alike. The service
//! keeps blobs in memory only, and neither logs nor metrics name a number, a blob or a client.
#![forbid(unsafe_code)]

mod app;
mod chain;
mod clock;
mod config;
mod config_file;
mod connection;
mod constant;
mod directory;
mod directory_file;
mod gateway;
mod http_message;
mod item;
mod level;
mod mailbox;
mod metrics;
mod metrics_listener;
mod rate;
mod relay;
mod relay_config;
mod relay_service;
mod rules;
mod running;
mod schedule;
mod secret;
mod served;
mod service;
#[cfg(unix)]
mod signals;
mod statement_check;
mod tls_files;
mod tokens;
mod view;
mod write_timeout;

pub use clock::{Clock, SystemClock};
pub use config::{NetworkLimits, ServiceConfig, SharedProvider, TlsIdentity};
pub use config_file::{ConfigFile, LoadedConfig};
pub use level::DummyLevel;
pub use mailbox::{
    DEFAULT_LIFETIME, MAX_LIFETIME, MAX_STORED_PER_NUMBER, PlacementCounts, PlacementLimits,
    PlacementStore,
};
pub use metrics::Observed;
pub use relay_config::{LoadedRelayConfig, RelayConfig, RelayConfigFile};
pub use relay_service::{RelayObserved, RelayService, RunningRelay};
pub use running::Running;
pub use secret::ServiceSecret;
pub use served::{MAX_SERVED_KEYS, ServedKeys};
pub use service::{RunningService, Service};
#[cfg(unix)]
pub use signals::run_until_terminated;
pub use tls_files::TlsFiles;
pub use tokens::issuer::DEFAULT_QUOTA;
pub use tokens::issuer_keys::IssuerKeys;
pub use tokens::price::{FREE_UNITS, price};
pub use tokens::settings::{SpentMemory, TokenIssuer, TokenSettings};
pub use tokens::spent::{DEFAULT_MAX_SPENT, SpentInMemory, SpentToken, SpentTokens};
pub use tokens::spent_file::SpentInFolder;
pub use view::{Live, View};
