//! Scenario files of ringing calls.

use ringtrue::Reason;
use ringtrue_oob::http::media;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::{Blob, CallPhase, CallState, RspRequest};
use serde_json::json;

use super::cast::{CALLEE, CALLER, CALLER_CPS, Cast, NOW};
use super::draft::{Draft, Step, mailbox_of_callee};

pub(super) fn all() -> Vec<Draft> {
    vec![
        verified_call(),
        replay(),
        replay_after_restart(),
        wrong_orig(),
        wrong_dest(),
        wrong_signer(),
        wrong_signature(),
        expired(),
        from_the_future(),
        tampered_blob(),
        dummies_only(),
        no_record(),
        caller_withheld(),
        unset_clock(),
        service_faults(),
        silent_service(),
        key_agreement_fails(),
        key_agreement_hangs(),
        software_key_opens_nothing_foreign(),
        caller_gone(),
        two_calls_at_once(),
        announced_late(),
        answer(),
        answer_to_a_stranger(),
    ]
}

fn verified_call() -> Draft {
    let cast = Cast::new();
    let mut mailbox = cast.dummies(3);
    mailbox.insert(1, cast.good_blob());
    Draft::callee(
        &cast,
        "verified-call",
        "An announcement among dummies is found, opened and verified.",
    )
    .published()
    .then(
        Step::ring()
            .mailbox(&mailbox)
            .verdict("verified", &[])
            .and("failed_check", json!(null))
            .and("received", 4)
            .and("opened", 1)
            .polls(),
    )
    .then(Step::new("ended").expect(json!({})))
}

fn replay() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "replay",
        "An announcement is good for one call: the next one that it is used for is refused.",
    )
    .published()
    .then(
        Step::ring()
            .mailbox(&[cast.good_blob()])
            .verdict("verified", &[]),
    )
    .then(Step::new("ended").expect(json!({})))
    .then(
        Step::ring()
            .set("clock_unix_ms", (NOW + 5) * 1000)
            .verdict("refused", &[Reason::Replayed])
            .and("failed_check", "replay")
            .and("opened", 1),
    )
}

fn replay_after_restart() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "replay-after-restart",
        "What an announcement was used for is not forgotten when the endpoint ends while it rings.",
    )
    .published()
    .then(
        Step::ring()
            .mailbox(&[cast.good_blob()])
            .verdict("verified", &[]),
    )
    .then(Step::new("close").expect(json!({})))
    .then(
        Step::new("open")
            .set("clock_unix_ms", (NOW + 5) * 1000)
            .expect(json!({}))
            .silent(),
    )
    .then(
        Step::ring()
            .verdict("refused", &[Reason::Replayed])
            .and("failed_check", "replay"),
    )
}

/// A call that is refused for what one blob holds.
fn refused(
    cast: &Cast,
    name: &'static str,
    about: &'static str,
    blob: &Blob,
    check: &str,
    reason: Reason,
) -> Draft {
    Draft::callee(cast, name, about).published().then(
        Step::ring()
            .mailbox(std::slice::from_ref(blob))
            .verdict("refused", &[reason])
            .and("failed_check", check)
            .and("opened", 1),
    )
}

fn wrong_orig() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "wrong-orig",
        "An announcement by one number says nothing of a call from another.",
    )
    .published()
    .then(
        Step::ring()
            .with("from", "12025550144")
            .mailbox(&[cast.good_blob()])
            .verdict("no_record", &[])
            .and("opened", 1)
            .polls(),
    )
}

fn wrong_dest() -> Draft {
    let cast = Cast::new();
    let token = cast.passport(CALLER, "12025550150", NOW, "caller signing");
    let blob = cast.sealed(&cast.content(token, "caller"));
    refused(
        &cast,
        "wrong-dest",
        "An announcement for another called number, sealed again for this one, is refused.",
        &blob,
        "dest",
        Reason::DestMismatch,
    )
}

fn wrong_signer() -> Draft {
    let cast = Cast::new();
    let token = cast.passport(CALLER, CALLEE, NOW, "spare signing");
    let blob = cast.sealed(&cast.content(token, "other-number"));
    refused(
        &cast,
        "wrong-signer",
        "A genuine credential for another number does not speak for the caller's.",
        &blob,
        "authority",
        Reason::NumberNotCovered,
    )
}

fn wrong_signature() -> Draft {
    let cast = Cast::new();
    // The certificates of the caller, the signature of somebody else.
    let token = cast.passport(CALLER, CALLEE, NOW, "spare signing");
    let blob = cast.sealed(&cast.content(token, "caller"));
    refused(
        &cast,
        "wrong-signature",
        "A token that is not signed by the key of the certificates beside it is refused.",
        &blob,
        "signature",
        Reason::SignatureInvalid,
    )
}

fn expired() -> Draft {
    let cast = Cast::new();
    let blob = cast.sealed(&cast.content(cast.good_passport(NOW - 61), "caller"));
    refused(
        &cast,
        "expired",
        "An announcement is good for a minute.",
        &blob,
        "freshness",
        Reason::IatStale,
    )
}

fn from_the_future() -> Draft {
    let cast = Cast::new();
    let blob = cast.sealed(&cast.content(cast.good_passport(NOW + 11), "caller"));
    refused(
        &cast,
        "from-the-future",
        "An announcement that is dated more than ten seconds ahead is refused.",
        &blob,
        "freshness",
        Reason::IatInFuture,
    )
}

fn tampered_blob() -> Draft {
    let cast = Cast::new();
    let mut octets = cast.good_blob().as_octets().to_vec();
    let last = octets.len() - 1;
    octets[last] ^= 1;
    let blob = Blob::from_octets(octets).unwrap();
    Draft::callee(
        &cast,
        "tampered-blob",
        "A sealed announcement in which one bit was turned opens for nobody.",
    )
    .published()
    .then(
        Step::ring()
            .mailbox(&[blob])
            .verdict("no_record", &[])
            .and("received", 1)
            .and("opened", 0),
    )
}

fn dummies_only() -> Draft {
    let cast = Cast::new();
    Draft::callee(&cast, "dummies-only", "Nobody announced the call.")
        .published()
        .then(
            Step::ring()
                .mailbox(&cast.dummies(4))
                .verdict("no_record", &[])
                .and("received", 4)
                .and("opened", 0)
                .polls(),
        )
}

fn no_record() -> Draft {
    let cast = Cast::new();
    Draft::callee(&cast, "no-record", "The mailbox is empty.")
        .published()
        .then(
            Step::ring()
                .mailbox(&[])
                .verdict("no_record", &[])
                .and("failed_check", json!(null))
                .and("received", 0),
        )
}

fn caller_withheld() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "caller-withheld",
        "A call without a number cannot be verified, and the mailbox is asked all the same.",
    )
    .published()
    .then(
        Step::ring()
            .with("from", json!(null))
            .mailbox(&[cast.good_blob()])
            .verdict("no_record", &[Reason::CallerWithheld]),
    )
}

fn unset_clock() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "unset-clock",
        "Without the time nothing is fresh: nothing is asked, published or verified.",
    )
    .without_clock()
    .open()
    .then(Step::new("publish_keys").fails(Reason::ClockUnset).silent())
    .then(
        Step::ring()
            .mailbox(&[cast.good_blob()])
            .verdict("clock_unset", &[Reason::ClockUnset])
            .silent(),
    )
    .then(Step::new("ended").expect(json!({})))
    .then(
        Step::ring()
            .set("clock_unix_ms", 1_000_000_000_000_u64)
            .verdict("clock_unset", &[Reason::ClockUnset])
            .silent(),
    )
}

fn service_faults() -> Draft {
    let cast = Cast::new();
    let url = mailbox_of_callee();
    let mut draft = Draft::callee(
        &cast,
        "service-faults",
        "A service that fails or answers nonsense leaves every call unavailable, for a reason.",
    )
    .published();
    for problem in [Problem::Unavailable, Problem::OverLimit] {
        let reason = ringtrue_oob::http::problem::reason(&problem.encode());
        let step = Step::ring().answer("GET", &url, &problem.encode());
        draft = draft
            .then(step.verdict("unavailable", &[reason]))
            .then(Step::new("ended").expect(json!({})));
    }
    let faults = [
        ("unreachable", Reason::ServiceUnreachable),
        ("tls_failed", Reason::TlsFailed),
        ("redirected", Reason::Redirected),
        ("answer_too_large", Reason::AnswerTooLarge),
        ("throws", Reason::ServiceUnreachable),
    ];
    for (fault, reason) in faults {
        let step = Step::ring().fault("GET", &url, fault);
        draft = draft
            .then(step.verdict("unavailable", &[reason]))
            .then(Step::new("ended").expect(json!({})));
    }
    draft
        .then(
            Step::ring()
                .flood("GET", &url, media::PASSPORT, 2_000_000)
                .verdict("unavailable", &[Reason::AnswerTooLarge]),
        )
        .then(Step::new("ended").expect(json!({})))
        .then(
            Step::ring()
                .flood("GET", &url, "text/html", 100)
                .verdict("unavailable", &[Reason::UnsupportedMediaType]),
        )
        .then(Step::new("ended").expect(json!({})))
        .then(
            Step::ring()
                .mailbox(&[cast.good_blob()])
                .verdict("verified", &[]),
        )
}

fn silent_service() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "silent-service",
        "A verdict is there by its deadline, also when the service never answers.",
    )
    .needs("threads")
    .published()
    .then(
        Step::ring_into_silence()
            .fault("GET", &mailbox_of_callee(), "never")
            .verdict("unavailable", &[Reason::DeadlinePassed]),
    )
}

fn key_agreement_fails() -> Draft {
    let cast = Cast::new();
    let ring = || Step::ring().mailbox(&[cast.good_blob()]);
    let ended = || Step::new("ended").expect(json!({}));
    Draft::callee(
        &cast,
        "key-agreement-fails",
        "An encryption key that throws or gives nonsense opens nothing, and the next call is verified.",
    )
    .published()
    .then(
        ring()
            .set("key_agreement", "throws")
            .verdict("no_record", &[Reason::KeyAgreementFailed])
            .and("opened", 0),
    )
    .then(ended())
    .then(
        ring()
            .set("key_agreement", "wrong_length")
            .verdict("no_record", &[])
            .and("opened", 0),
    )
    .then(ended())
    .then(
        ring()
            .set("key_agreement", "wrong_secret")
            .verdict("no_record", &[])
            .and("opened", 0),
    )
    .then(ended())
    .then(
        Step::ring()
            .set("key_agreement", "works")
            .verdict("verified", &[])
            .and("opened", 1),
    )
}

fn key_agreement_hangs() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "key-agreement-hangs",
        "A verdict is there by its deadline, also when the encryption key never returns.",
    )
    .needs("threads")
    .published()
    .then(
        Step::ring_into_silence()
            // Time enough for the mailbox itself, on a busy machine too.
            .with("deadline_ms", 8_000)
            .set("key_agreement", "never")
            .mailbox(&[cast.good_blob()])
            .verdict("no_record", &[Reason::DeadlinePassed])
            .and("opened", 0),
    )
}

fn software_key_opens_nothing_foreign() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "software-keys",
        "An endpoint makes its own encryption keys; what is sealed to a key of before is not opened.",
    )
    .with_software_keys()
    .published()
    .then(
        Step::ring()
            .mailbox(&[cast.good_blob()])
            .verdict("no_record", &[])
            .and("received", 1)
            .and("opened", 0),
    )
}

fn caller_gone() -> Draft {
    let cast = Cast::new();
    let content = cast.content(cast.good_passport(NOW), "caller");
    let mut gone = ringtrue_oob::Content::new(content.n);
    gone.st = Some(CallState {
        s: CallPhase::Gone,
        t_ms: NOW * 1000,
        u_ms: None,
    });
    Draft::callee(
        &cast,
        "caller-gone",
        "A call whose caller has reported that it gave up is not that call.",
    )
    .needs("background")
    .published()
    // The first verdict may come before the report is opened.
    .then(
        Step::ring()
            .mailbox(&[cast.sealed(&content), cast.sealed(&gone)])
            .expect(json!({"received": 2})),
    )
    .then(Step::new("await_verdict").verdict("conflicting", &[Reason::CallerGone]))
}

fn two_calls_at_once() -> Draft {
    let cast = Cast::new();
    let both = [Reason::ConcurrentCall];
    Draft::callee(
        &cast,
        "two-calls-at-once",
        "Of two calls from one number that ring at once nobody can say which was announced.",
    )
    .needs("background")
    .published()
    .then(
        Step::ring()
            .with("call", "first")
            .mailbox(&[cast.good_blob()])
            .verdict("verified", &[]),
    )
    .then(
        Step::ring()
            .with("call", "second")
            .expect(json!({"verdict": "conflicting"})),
    )
    .then(
        Step::new("await_verdict")
            .with("call", "first")
            .verdict("conflicting", &both),
    )
}

fn announced_late() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "announced-late",
        "An announcement that comes after the verdict is found when the call is answered, and changes it.",
    )
    .needs("background")
    .published()
    .then(Step::ring().mailbox(&[]).verdict("no_record", &[]))
    .then(
        Step::new("answered")
            .mailbox(&[cast.good_blob()])
            .expect(json!({})),
    )
    .then(Step::new("await_verdict").verdict("verified", &[]))
}

/// The content of a call that asks who answers.
fn asking(cast: &Cast) -> ringtrue_oob::Content {
    let mut content = cast.content(cast.good_passport(NOW), "caller");
    content.rsp = Some(RspRequest {
        to: CALLER_CPS.to_owned(),
        want: true,
        eks: cast.inline_caller_statement(),
    });
    content
}

fn answer() -> Draft {
    let cast = Cast::new();
    let url = format!("{CALLER_CPS}/cps/{CALLER}/ppts");
    Draft::callee(
        &cast,
        "answer",
        "A caller who asked is shown who answers: one sealed copy, at the service of the caller.",
    )
    .published()
    .then(
        Step::ring()
            .mailbox(&[cast.sealed(&asking(&cast))])
            .verdict("verified", &[]),
    )
    .then(
        Step::new("answer")
            .with("phase", "alerting")
            .with("deadline_ms", 30_000)
            .stored_at_caller()
            // Its reasons may tell that the last look, which has one second, came too late.
            .expect(json!({"sent": true, "caller_gone": false}))
            .sends(json!({"method": "POST", "url": url, "count": 1, "blobs": 1})),
    )
}

fn answer_to_a_stranger() -> Draft {
    let cast = Cast::new();
    Draft::callee(
        &cast,
        "answer-refused",
        "A call that is not verified, or whose caller did not ask, is not answered.",
    )
    .published()
    .then(Step::ring().mailbox(&[]).verdict("no_record", &[]))
    .then(
        Step::new("answer")
            .with("phase", "answered")
            .fails(Reason::NotVerified),
    )
    .then(Step::new("ended").expect(json!({})))
    .then(
        Step::ring()
            .mailbox(&[cast.good_blob()])
            .verdict("verified", &[]),
    )
    .then(
        Step::new("answer")
            .with("phase", "answered")
            .fails(Reason::RspNotRequested),
    )
}
