//! Faults and scenarios: real endpoints against the real service, over real TLS on loopback, with a
//! gateway between them that can be made to fail in every way.
#![cfg(test)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "in a test an overflow is a failure like any other"
)]

mod answers;
mod calls;
mod clocks;
mod confirmation;
mod contents;
mod cover_traffic;
mod credential_renewal;
mod credentials;
mod device_keys;
mod directories;
mod fetching;
mod flood;
mod issuers;
mod own_credential;
mod processes;
mod quiet_logs;
mod relayed_calls;
mod relays;
mod requests;
mod scripted;
mod service_faults;
mod source_rules;
mod statements;
mod storage_tokens;
mod substitution;
mod support;
mod trust_updates;
