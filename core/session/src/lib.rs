//! Every conversation of an endpoint as a sans-I/O state machine.
//!
//! A session is a value. The host asks it for the [`Step`] to take ([`Session::next`]), performs
//! the [`Action`]s it gets (HTTP requests, signatures, key agreements, state records and, if the
//! policy allows it, fetches of certificates and of what trust is built on) in any order
//! and feeds what came of them back ([`Session::input`]). Everything protocol-like lives here and is
//! tested here without sockets, clocks or sleeping; the time is a parameter ([`Now`]). A session that
//! only reads can be cloned: the two go ways that know nothing of each other, which is how a test explores
//! what may become of a call. One that stores cannot, as it may hold what is spent once.
//!
//! | Session | Conversation |
//! |---|---|
//! | [`LookupSession`] | learn the encryption keys of a number |
//! | [`PlaceSession`] | announce a call: look up, sign, seal, store |
//! | [`AwaitAnswerSession`] | wait for the called side's connected identity |
//! | [`RingSession`] | verify a ringing call: retrieve, open, check, claim |
//! | [`AnswerSession`] | send connected identity back to the caller |
//! | [`StateReportSession`] | tell the called side that the call was answered, or ended before |
//! | [`TrustUpdateSession`] | get a newer trust bundle and revocation lists |
//! | [`CoverSession`] | traffic that means nothing, at the times of a [`CoverSchedule`] |
//! | [`RefillSession`] | get storage tokens ahead of need |
//! | [`ReadersSession`] | list who else can open calls to the own numbers |
//! | [`PublishSession`] | make, keep, rotate and publish the endpoint's own encryption keys |
//! | [`GatewayKeysSession`] | learn the keys of the gateway behind a relay |
//!
//! [`Relayed`] goes around any of them and carries its requests through a relay.
//!
//! [`CallTable`] is the calls of one endpoint at one time; what it finds, and what the application sees
//! of a call, sessions are told as a [`CallEvent`].
//!
//! Every host puts [`Sealed`] around each of them, so that its state store sees opaque octets only.
//!
//! What this crate deliberately does not do: open connections, read clocks, touch key stores, decide
//! what a person is shown.
#![forbid(unsafe_code)]

mod agreement;
mod answer;
mod await_answer;
mod call_event;
mod call_table;
mod callback;
mod checks;
mod contacts;
mod context;
mod cover;
mod cover_schedule;
mod credential;
mod evaluate;
mod evidence;
mod fetches;
mod filler;
mod gateway_keys;
mod issuance;
mod issuer_memory;
mod jitter;
mod key_generations;
mod key_overlap;
mod key_source;
mod lookup;
mod mailbox;
mod own_iat;
mod own_keys;
mod paid_store;
mod peer_keys;
mod place;
mod placed_call;
mod policy;
mod publish;
mod reader;
mod readers;
mod record;
mod record_key;
mod refill;
mod relay_policy;
mod relayed;
mod ring;
mod sealed;
mod service_clock;
mod state_report;
mod state_reports;
mod statement_subject;
mod step;
mod time;
mod trust;
mod trust_source;
mod trust_update;
mod verdict;
mod wallet;

pub use answer::{AnswerSession, Answered};
pub use await_answer::{AnswerOutcome, AwaitAnswerSession};
pub use call_event::CallEvent;
pub use call_table::{CallId, CallTable, Direction, MAX_CALLS, Progress, TableCall};
pub use callback::{CallBacks, MAX_PROVED};
pub use checks::{Check, CheckName, CheckResult};
pub use contacts::{PlannedLookup, plan_contacts};
pub use context::{Context, ContextBuilder, Services};
pub use cover::{CoverSession, Covered};
pub use cover_schedule::{CoverKind, CoverPolicy, CoverSchedule, CoverStep, Power};
pub use credential::{Credential, CredentialState, CredentialStatus};
pub use evaluate::VerifiedCall;
pub use gateway_keys::GatewayKeysSession;
pub use key_source::{Directory, KeyQuery, KeySource};
pub use lookup::{Found, LookupSession};
pub use own_keys::OwnKeys;
pub use peer_keys::PeerKeys;
pub use place::{AnswerExpectation, PlaceSession, Placed, Placement};
pub use placed_call::PlacedCall;
pub use policy::{POLL_SCHEDULE, Policy, RELEASE_DATE};
pub use publish::{PublishMode, PublishSession, Published};
pub use reader::Reader;
pub use readers::{NumberReaders, ReadersSession};
pub use record::RecordName;
pub use record_key::RecordKey;
pub use refill::{RefillSession, Refilled};
pub use relay_policy::{RelayPolicy, gateway_name};
pub use relayed::Relayed;
pub use ring::{RingOutcome, RingSession};
pub use ringtrue_oob::http::Role;
pub use ringtrue_oob::token::IssuerName;
pub use sealed::Sealed;
pub use service_clock::ServiceClock;
pub use state_report::{Reported, StateReportSession};
pub use step::{Action, ActionId, FoundCertificates, Input, Saved, Session, Step, TrustFile};
pub use time::{Monotonic, Now, WallClock};
pub use trust::{Trust, TrustStatus};
pub use trust_source::TrustSource;
pub use trust_update::{TrustUpdate, TrustUpdateSession, TrustUpdated};
pub use verdict::{BlobCounts, CallVerdict, Verdict};
pub use wallet::{WalletName, WalletStatus};
