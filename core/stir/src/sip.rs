//! SIP carriage of PASSporTs without a SIP stack: header values, and the steps of an authentication
//! and a verification service on a small description of a call.
//!
//! The application's SIP stack hands in header field values, unfolded, and sends those it is given.
//! Nothing here reads a message, keeps a dialog, fetches a certificate or looks at a clock.
//!
//! Source: RFC 8224, RFC 8946, RFC 9410, RFC 9970; 3GPP TS 24.229 for `verstat`.

pub mod date;
pub mod identity_header;
mod parameters;
pub mod reason;
mod response;

pub use identity_header::IdentityHeader;
pub use reason::ReasonHeader;
pub use response::ResponseCode;
