//! Kotlin, Swift and Python bindings: the Rust side of what the UniFFI generator makes.
//!
//! Everything here converts and forwards to the crate `ringtrue`. There is no protocol, no policy and
//! no default of its own: a member that is left out has the default of the Rust API. Names are those
//! of the Rust API; the documentation of records, methods and traits is repeated in the generated
//! code and therefore written without Rust's paths.
//!
//! bindings/README.md shows how the bindings are generated and used.

mod ahead;
mod call_back;
mod cancellation;
mod clock;
mod config;
mod cover;
mod credential;
mod endpoint;
mod error;
mod fetch;
mod http_settings;
mod keys;
mod log;
mod media;
mod optional;
mod outcome;
mod outgoing;
mod policy;
mod readers;
mod reason;
mod ringing;
mod show;
mod store;
mod tasks;
mod tokens;
mod transport;
mod trust;
mod verdict;

pub use ahead::Prefetched;
pub use cancellation::Cancellation;
pub use clock::Clock;
pub use config::{Credential, EndpointConfig, NumberContext, ServiceRelay};
pub use cover::{CoverCounts, CoverPolicy, CoverProfile, CoverTraffic, Power};
pub use credential::{CredentialState, CredentialStatus};
pub use endpoint::Endpoint;
pub use error::{HostError, RingTrueError};
pub use fetch::{Delivered, FetchError, FetchKind, FetchSource};
pub use http_settings::HttpSettings;
pub use keys::{DeviceSignature, KeyAgreement, Signer, software_key_agreement, software_signer};
pub use log::{LogLevel, LogSink, set_log_sink};
pub use media::{Fingerprint, MediaKeys, media_keys_from_sdp};
pub use outcome::{
    AnswerExpectation, AnswerOutcome, Answered, CallPhase, CallState, Placed, PlacedCall,
    Placement, Published,
};
pub use outgoing::OutgoingCall;
pub use policy::{Policy, Profile, Suite};
pub use readers::{NumberReaders, Reader};
pub use reason::{Reason, ReasonKind};
pub use ringing::RingingCall;
pub use store::StateStore;
pub use tokens::{Refilled, WalletName, WalletStatus};
pub use transport::{
    HttpHeader, HttpMethod, HttpRequest, HttpResponse, Role, Transport, TransportError,
};
pub use trust::{TrustConfig, TrustStatus, TrustUpdated};
pub use verdict::{BlobCounts, CallVerdict, Check, CheckName, CheckResult, Verdict};

uniffi::setup_scaffolding!("ringtrue");
