//! SIP carriage: header values, and the steps of both services on a description of a call.

mod date;
mod identity_header;
mod reason;
