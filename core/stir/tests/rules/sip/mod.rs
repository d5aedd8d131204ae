//! SIP carriage: header values, and the steps of both services on a description of a call.

mod identity_header;
