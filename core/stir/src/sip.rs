//! SIP carriage of PASSporTs without a SIP stack: header values, and the steps of an authentication
//! and a verification service on a small description of a call.
//!
//! The application's SIP stack hands in header field values, unfolded, and sends those it is given.
//! Nothing here reads a message, keeps a dialog, fetches a certificate or looks at a clock.
//!
//! Source: RFC 8224, RFC 8946, RFC 9410, RFC 9970; 3GPP TS 24.229 for `verstat`.

pub mod answer;
pub mod authentication;
pub mod call;
pub mod compact;
pub mod date;
pub mod gateway;
pub mod identity_header;
mod parameters;
pub mod reaction;
pub mod reason;
mod response;
pub mod uri;
pub mod verification;
pub mod verstat;

pub use call::CallDescription;
pub use identity_header::IdentityHeader;
pub use reason::ReasonHeader;
pub use response::ResponseCode;
