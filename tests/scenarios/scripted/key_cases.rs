//! Scenario files of publishing keys, of keys that fail, and of the end of an endpoint.

use ringtrue::Reason;
use ringtrue_oob::http::directory;
use ringtrue_oob::http::problem::Problem;
use serde_json::json;

use super::cast::{CALLEE, CALLEE_CPS, Cast, NOW};
use super::draft::{Draft, Step, own_keys};

pub(super) fn all() -> Vec<Draft> {
    vec![
        publish(),
        publish_rejected(),
        signer_fails(),
        signer_hangs(),
        public_keys_fail(),
        closed(),
    ]
}

/// One publication of one statement.
fn one_publication() -> serde_json::Value {
    json!({"method": "PUT", "url": own_keys(CALLEE_CPS, CALLEE), "count": 1})
}

fn published(rotated: bool) -> serde_json::Value {
    json!({"numbers": [CALLEE], "rotated": rotated})
}

fn publish() -> Draft {
    let cast = Cast::new();
    let url = own_keys(CALLEE_CPS, CALLEE);
    Draft::callee(
        &cast,
        "publish",
        "Keys are made once, published each time, and made anew when they are rotated.",
    )
    .open()
    .then(
        Step::new("publish_keys")
            .answer("PUT", &url, &directory::encode_published())
            .expect(published(true))
            .sends(one_publication()),
    )
    .then(
        Step::new("publish_keys")
            .set("clock_unix_ms", (NOW + 60) * 1000)
            .expect(published(false))
            .sends(one_publication()),
    )
    .then(
        Step::new("rotate_keys")
            .expect(published(true))
            .sends(one_publication()),
    )
}

fn publish_rejected() -> Draft {
    let cast = Cast::new();
    let url = own_keys(CALLEE_CPS, CALLEE);
    let step = || Step::new("publish_keys");
    Draft::callee(
        &cast,
        "publish-rejected",
        "A directory that refuses or fails is named; the same keys are published when it takes them.",
    )
    .open()
    .then(
        step()
            .answer("PUT", &url, &Problem::UntrustedStatement.encode())
            .fails(Reason::StatementRejected)
            .sends(one_publication()),
    )
    .then(
        step()
            .answer("PUT", &url, &Problem::SupersededStatement.encode())
            .fails(Reason::StatementSuperseded)
            .sends(one_publication()),
    )
    .then(
        step()
            .fault("PUT", &url, "unreachable")
            .fails(Reason::ServiceUnreachable)
            .sends(one_publication()),
    )
    .then(
        step()
            .answer("PUT", &url, &directory::encode_published())
            .expect(published(false))
            .sends(one_publication()),
    )
}

fn signer_fails() -> Draft {
    let cast = Cast::new();
    let url = own_keys(CALLEE_CPS, CALLEE);
    let mut draft = Draft::callee(
        &cast,
        "signer-fails",
        "A key that throws, signs too short, wrongly or with another key publishes nothing.",
    )
    .open();
    for (behaviour, reason) in [
        ("throws", Reason::SignerFailed),
        ("wrong_length", Reason::MalformedSignature),
        ("wrong_signature", Reason::SignerFailed),
        ("wrong_key", Reason::SignerFailed),
    ] {
        let step = Step::new("publish_keys").set("signer", behaviour);
        draft = draft.then(step.fails(reason).silent());
    }
    draft.then(
        Step::new("publish_keys")
            .set("signer", "works")
            .answer("PUT", &url, &directory::encode_published())
            .expect(published(true))
            .sends(one_publication()),
    )
}

fn signer_hangs() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "signer-hangs",
        "Publishing ends by its deadline, also when the key never returns.",
    )
    .needs("threads")
    .open()
    .then(
        Step::new("publish_keys")
            .set("signer", "never")
            .with("deadline_ms", 300)
            .fails(Reason::DeadlinePassed)
            .silent(),
    )
}

fn public_keys_fail() -> Draft {
    let cast = Cast::new();
    let open = || Step::new("open");
    Draft::callee(
        &cast,
        "public-keys-fail",
        "A key that does not say who it is, or says nonsense, opens no endpoint; the next try does.",
    )
    .needs("public_key_callback")
    .then(open().set("signer", "throws_public_key").fails(Reason::SignerFailed))
    .then(open().set("signer", "short_public_key").fails(Reason::MalformedKey))
    .then(
        open()
            .set("signer", "works")
            .set("key_agreement", "throws_public_key")
            .fails(Reason::KeyAgreementFailed),
    )
    .then(open().set("key_agreement", "short_public_key").fails(Reason::MalformedKey))
    .then(open().set("key_agreement", "works").expect(json!({})).silent())
}

fn closed() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "closed",
        "An endpoint that was closed does nothing any more, and may be closed again.",
    )
    .needs("close")
    .published()
    .then(Step::new("close").expect(json!({})))
    .then(Step::new("publish_keys").fails(Reason::Cancelled).silent())
    .then(Step::ring().fails(Reason::Cancelled).silent())
    .then(
        Step::place()
            .with("from", CALLEE)
            .with("to", "12025550150")
            .fails(Reason::Cancelled)
            .silent(),
    )
    .then(Step::new("close").expect(json!({})))
}
