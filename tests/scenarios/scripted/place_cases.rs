//! Scenario files of calls that are announced.

use ringtrue::Reason;
use ringtrue_oob::http::problem::Problem;
use serde_json::json;

use super::cast::{CALLEE, CALLER, Cast, NOW};
use super::draft::{Draft, Step, keys_of_callee, mailbox_of_callee};

pub(super) fn all() -> Vec<Draft> {
    vec![
        place_with_cached_keys(),
        place_with_a_lookup(),
        place_to_a_number_without_keys(),
        place_faults(),
        place_with_a_failing_signer(),
        numbers_are_checked(),
    ]
}

fn stored(reasons: &[Reason]) -> serde_json::Value {
    let names: Vec<_> = reasons.iter().map(|reason| reason.name()).collect();
    json!({"placement": "stored", "reasons": names, "copies": 1})
}

fn unprotected(reasons: &[Reason]) -> serde_json::Value {
    let names: Vec<_> = reasons.iter().map(|reason| reason.name()).collect();
    json!({"placement": "unprotected", "reasons": names, "copies": 0})
}

/// One store of one blob.
fn one_store() -> serde_json::Value {
    json!({
        "method": "POST", "url": mailbox_of_callee(), "count": 1, "blobs": 1, "body_octets": 5463,
    })
}

fn place_with_cached_keys() -> Draft {
    let cast = Cast::new();
    let statement = cast.callee_statement();
    Draft::caller(
        &cast,
        "place-with-cached-keys",
        "Once the keys of a number are known, announcing a call takes one request.",
    )
    .open()
    .then(
        Step::new("prefetch_keys")
            .with("number", CALLEE)
            .callee_keys(&[&statement])
            .expect(json!({"readers": 1}))
            .asks("GET", &keys_of_callee()),
    )
    .then(
        Step::place()
            .store_accepted(1)
            .expect(stored(&[]))
            .sends(one_store()),
    )
    .then(
        Step::place()
            .with("fresh_keys", true)
            .set("clock_unix_ms", (NOW + 10) * 1000)
            .expect(stored(&[Reason::KeysJustInTime]))
            .asks("GET", &keys_of_callee())
            .sends(one_store()),
    )
}

fn place_with_a_lookup() -> Draft {
    let cast = Cast::new();
    let statement = cast.callee_statement();
    Draft::caller(
        &cast,
        "place-with-a-lookup",
        "A number that is called for the first time is looked up first, which is told; after a restart \
         its keys are known.",
    )
    .open()
    .then(
        Step::place()
            .callee_keys(&[&statement])
            .store_accepted(1)
            .expect(stored(&[Reason::KeysJustInTime]))
            .asks("GET", &keys_of_callee())
            .sends(one_store()),
    )
    .then(Step::new("close").expect(json!({})))
    .then(Step::new("open").expect(json!({})).silent())
    .then(
        Step::place()
            .set("clock_unix_ms", (NOW + 10) * 1000)
            .expect(stored(&[]))
            .sends(one_store()),
    )
}

fn place_to_a_number_without_keys() -> Draft {
    let cast = Cast::new();
    Draft::caller(
        &cast,
        "place-without-keys",
        "A call to a number that published no keys is dialled unprotected, and says why.",
    )
    .open()
    .then(
        Step::new("prefetch_keys")
            .with("number", CALLEE)
            .callee_keys(&[])
            .fails(Reason::NoUsableKey)
            .asks("GET", &keys_of_callee()),
    )
    .then(Step::place().expect(unprotected(&[Reason::NoUsableKey, Reason::KeysJustInTime])))
}

fn place_faults() -> Draft {
    let cast = Cast::new();
    let statement = cast.callee_statement();
    let store = mailbox_of_callee();
    Draft::caller(
        &cast,
        "place-faults",
        "A call is dialled, protected or not, whatever directory and service do.",
    )
    .open()
    .then(
        Step::place()
            .fault("GET", &keys_of_callee(), "unreachable")
            .expect(unprotected(&[
                Reason::ServiceUnreachable,
                Reason::NoUsableKey,
                Reason::KeysJustInTime,
            ])),
    )
    .then(
        Step::place()
            .callee_keys(&[&statement])
            .answer("POST", &store, &Problem::Unavailable.encode())
            .expect(json!({"placement": "unprotected", "copies": 0})),
    )
    .then(
        Step::place()
            .fault("POST", &store, "tls_failed")
            .expect(json!({"placement": "unprotected", "copies": 0})),
    )
    .then(
        Step::place()
            .set("clock_unix_ms", (NOW + 10) * 1000)
            .store_accepted(1)
            .expect(json!({"placement": "stored", "copies": 1})),
    )
}

fn place_with_a_failing_signer() -> Draft {
    let cast = Cast::new();
    let statement = cast.callee_statement();
    let mut draft = Draft::caller(
        &cast,
        "place-with-a-failing-signer",
        "A call is dialled unprotected when the key does not sign, and announced when it does again.",
    )
    .open()
    .then(
        Step::new("prefetch_keys")
            .with("number", CALLEE)
            .callee_keys(&[&statement])
            .expect(json!({"readers": 1})),
    );
    for (behaviour, reason) in [
        ("throws", Reason::SignerFailed),
        ("wrong_length", Reason::MalformedSignature),
        ("wrong_signature", Reason::SignerFailed),
        ("wrong_key", Reason::SignerFailed),
    ] {
        let step = Step::place().set("signer", behaviour);
        draft = draft.then(step.expect(unprotected(&[reason])).silent());
    }
    draft.then(
        Step::place()
            .set("signer", "works")
            .store_accepted(1)
            .expect(stored(&[]))
            .sends(one_store()),
    )
}

fn numbers_are_checked() -> Draft {
    let cast = Cast::new();
    Draft::caller(
        &cast,
        "numbers-are-checked",
        "Numbers that are none, and numbers of others, are refused before anybody is asked.",
    )
    .open()
    .then(
        Step::place()
            .with("to", "")
            .fails(Reason::MalformedNumber)
            .silent(),
    )
    .then(
        Step::place()
            .with("from", "12025550144")
            .fails(Reason::NumberNotOwned)
            .silent(),
    )
    .then(
        Step::new("ring")
            .with("from", CALLEE)
            .with("to", "12025550144")
            .fails(Reason::NumberNotOwned)
            .silent(),
    )
    .then(
        Step::new("ring")
            .with("from", CALLER)
            .with("to", "nobody")
            .fails(Reason::MalformedNumber)
            .silent(),
    )
    .then(
        Step::new("prefetch_keys")
            .with("number", "nobody")
            .fails(Reason::MalformedNumber)
            .silent(),
    )
}
