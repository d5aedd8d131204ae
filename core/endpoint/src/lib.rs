//! The RingTrue SDK: an endpoint that announces, verifies and answers calls out of band.
//!
//! ```no_run
//! # async fn f() -> Result<(), ringtrue::Reason> {
//! use std::sync::Arc;
//! use ringtrue::{Endpoint, SoftwareSigner};
//!
//! # let (chain_pem, key_pem, root_pem) = ("", "", "");
//! let endpoint = Endpoint::builder()
//!     .number("+1 202 555 0143")
//!     .credential(chain_pem, "https://certs.example.com/2025550143.pem")
//!     .signer(Arc::new(SoftwareSigner::from_pkcs8_pem(key_pem)?))
//!     .anchors_pem(root_pem)
//!     .service("https://cps.example.com")
//!     .relay("https://relay.example.net")
//!     .state_file("ringtrue.state")
//!     .build()?;
//! endpoint.publish_keys(None).await?;
//!
//! // Before dialling:
//! let placed = endpoint.place("12025550143", "12025550199", Default::default()).await?;
//! // On an incoming call:
//! let call = endpoint.ring(Some("12025550177"), None, None).await?;
//! println!("{}", call.verdict().verdict.name());
//! # Ok(()) }
//! ```
//!
//! The protocol is in `ringtrue-session`; this crate performs what sessions ask for, with tokio,
//! rustls and SQLite, or with what the application supplies ([`Transport`], [`StateStore`],
//! [`Clock`], [`Signer`], [`KeyAgreement`]).
//!
//! All methods are cancelled by dropping their future. Each takes a deadline or defaults it
//! ([`Policy`]) and ends by it, whatever the network does.
#![forbid(unsafe_code)]

mod assembly;
mod builder;
mod call_back;
mod calls;
mod clock;
mod cover;
mod credential;
mod driver;
mod endpoint;
mod host;
mod key_file;
mod outgoing;
mod readers;
mod records;
mod relay;
mod ringing;
mod signer;
mod software_agreement;
mod sqlite_store;
mod store;
mod tokens;
mod transport;
mod trust;

pub use builder::EndpointBuilder;
pub use clock::{Clock, SystemClock};
pub use cover::{CoverCounts, CoverTraffic};
pub use endpoint::{Endpoint, PlaceOptions};
pub use outgoing::OutgoingCall;
pub use relay::Prefetched;
pub use ringing::RingingCall;
pub use ringtrue_net::{
    AddressPolicy, Delivered, FetchKind, FetchSettings, FetchSource, Fetched, Fetcher,
    HttpSettings, NameResolver,
};
pub use ringtrue_oob::http::{HttpRequest, HttpResponse, Method};
pub use ringtrue_oob::{BaseUrl, CallPhase, CallState, Suite};
pub use ringtrue_session::{
    AnswerExpectation, AnswerOutcome, Answered, BlobCounts, CallVerdict, Check, CheckName,
    CheckResult, CoverPolicy, CredentialState, CredentialStatus, KeyQuery, KeySource,
    NumberReaders, Placed, Placement, Policy, Power, Published, Reader, Role, Saved, TrustStatus,
    TrustUpdated, Verdict, WallClock, gateway_name,
};
pub use ringtrue_session::{IssuerName, Refilled, WalletName, WalletStatus};
pub use ringtrue_stir::certificate::{CertificateRequest, Profile, RequestSubject};
pub use ringtrue_stir::crypto::{DeviceSignature, KeyAgreement, P256PublicKey, Signer};
pub use ringtrue_stir::passport::{Fingerprint, Mky};
pub use ringtrue_stir::{Kind, NumberContext, Reason, TelephoneNumber, UnixTime};
pub use signer::SoftwareSigner;
pub use software_agreement::SoftwareKeyAgreement;
pub use sqlite_store::SqliteStore;
pub use store::{MemoryStore, StateStore};
pub use transport::Transport;
