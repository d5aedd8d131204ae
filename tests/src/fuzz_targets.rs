//! What is fuzzed: every parser of input from outside, as a function of octets.
//!
//! A target must neither panic nor take long, whatever the octets are. Where it accepts them, it also
//! checks what must hold then, mostly that writing what was read gives the same again. The same
//! functions run under libFuzzer (`tests/fuzz`) and, over the seeds and mutations of them, in the
//! ordinary tests (`tests/tests/fuzz_smoke.rs`). `docs/fuzzing.md` says how.

mod addresses;
mod any_signature;
mod certificates;
mod claims;
mod lists;
mod local_clients;
mod messages;
mod oblivious;
mod rich_data;
mod sealed;
mod signalling;
mod storage_tokens;
mod tokens;

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its libFuzzer binary and of its corpus folder.
    pub name: &'static str,
    /// Feeds it with octets; panics if something is wrong.
    pub run: fn(&[u8]),
}

/// All targets, by name.
pub const TARGETS: [Target; 42] = [
    Target {
        name: "agi_request",
        run: local_clients::agi_request,
    },
    Target {
        name: "base64url",
        run: tokens::base64url,
    },
    Target {
        name: "base_url",
        run: addresses::base_url,
    },
    Target {
        name: "binary_http",
        run: oblivious::binary_http,
    },
    Target {
        name: "blob",
        run: sealed::blob,
    },
    Target {
        name: "certificate",
        run: certificates::certificate,
    },
    Target {
        name: "certificate_bag",
        run: certificates::certificate_bag,
    },
    Target {
        name: "certificate_request",
        run: lists::certificate_request,
    },
    Target {
        name: "claims",
        run: claims::claims,
    },
    Target {
        name: "constraints",
        run: lists::constraints,
    },
    Target {
        name: "content",
        run: sealed::content,
    },
    Target {
        name: "crl",
        run: lists::crl,
    },
    Target {
        name: "daemon_request",
        run: local_clients::daemon_request,
    },
    Target {
        name: "encapsulated",
        run: oblivious::encapsulated,
    },
    Target {
        name: "gateway_keys",
        run: oblivious::gateway_keys,
    },
    Target {
        name: "http_answer",
        run: messages::answer,
    },
    Target {
        name: "http_request",
        run: messages::request,
    },
    Target {
        name: "identity_header",
        run: signalling::identity_header,
    },
    Target {
        name: "issuer_directory",
        run: storage_tokens::issuer_directory,
    },
    Target {
        name: "jcard",
        run: rich_data::jcard,
    },
    Target {
        name: "json",
        run: tokens::json,
    },
    Target {
        name: "jws",
        run: tokens::jws,
    },
    Target {
        name: "key_statement",
        run: sealed::key_statement,
    },
    Target {
        name: "keys",
        run: sealed::keys,
    },
    Target {
        name: "number",
        run: addresses::number,
    },
    Target {
        name: "passport",
        run: tokens::passport,
    },
    Target {
        name: "private_key",
        run: tokens::private_key,
    },
    Target {
        name: "rcd",
        run: rich_data::rcd,
    },
    Target {
        name: "reason_header",
        run: signalling::reason_header,
    },
    Target {
        name: "sct_list",
        run: lists::sct_list,
    },
    Target {
        name: "sdp",
        run: signalling::sdp,
    },
    Target {
        name: "signature",
        run: tokens::signature,
    },
    Target {
        name: "sip_date",
        run: signalling::sip_date,
    },
    Target {
        name: "sip_uri",
        run: signalling::sip_uri,
    },
    Target {
        name: "state_record",
        run: sealed::state_record,
    },
    Target {
        name: "storage_token",
        run: storage_tokens::storage_token,
    },
    Target {
        name: "tn_auth_list",
        run: certificates::tn_auth_list,
    },
    Target {
        name: "token_authorization",
        run: storage_tokens::token_authorization,
    },
    Target {
        name: "token_headers",
        run: storage_tokens::token_headers,
    },
    Target {
        name: "trust_bundle",
        run: lists::trust_bundle,
    },
    Target {
        name: "verify_path",
        run: certificates::verify_path,
    },
    Target {
        name: "x5u",
        run: addresses::x5u,
    },
];

/// Runs one target by name; nothing happens if there is none.
///
/// # Panics
///
/// If the target finds something wrong.
pub fn run(name: &str, octets: &[u8]) {
    if let Some(target) = TARGETS.iter().find(|target| target.name == name) {
        (target.run)(octets);
    }
}

/// The octets as text, if they are UTF-8: what a parser of text can ever see.
fn text(octets: &[u8]) -> Option<&str> {
    core::str::from_utf8(octets).ok()
}
