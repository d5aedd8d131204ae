//! Calls between two processes, and what they end with.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::processes::{ALICE, BOB, IN_TIME, Laboratory, Running, Server, code, json, run};

const MAILBOX: &str = "/cps/{number}/ppts";

/// Alice's call to Bob, which waits for an answer, from when its announcement is stored.
fn announced(lab: &Laboratory, server: &Server, options: &[&str]) -> Running {
    let place = [&["place", "--from", ALICE, "--to", BOB], options].concat();
    let placing = Running::start(&lab.arguments(server, &place));
    server.await_request("POST", MAILBOX, 201);
    placing
}

/// Places a call from Alice to Bob, lets it ring at Bob with `ring`, and gives both reports.
pub(super) fn call(lab: &Laboratory, server: &Server, ring: &[&str]) -> (Value, Value) {
    let placing = announced(lab, server, &["--await-answer", "30"]);
    let rung = run(ring);
    assert_eq!(code(&rung), Some(0), "{}", json(&rung));
    let placed = placing.finish();
    assert_eq!(code(&placed), Some(0), "{}", json(&placed));
    (json(&placed), json(&rung))
}

pub(super) fn assert_verified(report: &Value, reasons: &[&str]) {
    assert_eq!(report["verdict"], "verified");
    // The last look before an answer has one second, which is short on a busy machine.
    let told = report["reasons"].as_array().unwrap().iter();
    let told: Vec<_> = told.filter(|reason| *reason != "deadline_passed").collect();
    assert_eq!(told, reasons);
    assert_eq!(report["orig"], ALICE);
    assert_eq!(report["dest"], BOB);
    assert_eq!(report["blobs"]["opened"], 1);
    assert!(report["blobs"]["received"].as_u64().unwrap() >= 1);
    assert!(report["elapsed_ms"].is_u64());
    let checks = report["checks"].as_array().unwrap();
    let names: Vec<&str> = checks
        .iter()
        .map(|check| check["check"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "ppt",
            "orig",
            "credential",
            "authority",
            "freshness",
            "signature",
            "dest",
            "replay",
            "state"
        ]
    );
    assert!(checks.iter().all(|check| check["result"] == "passed"));
}

#[test]
fn a_call_between_processes_is_verified_on_both_sides() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let ring = ["ring", "--from", ALICE, "--to", BOB, "--answer"];
    let (placed, rung) = call(&lab, &server, &lab.arguments(&server, &ring));

    assert_verified(&rung, &[]);
    assert_eq!(rung["answer"]["sent"], true);
    // A process that begins with the call knows no keys yet.
    assert_verified(&placed, &["keys_just_in_time"]);
    assert_eq!(placed["placement"]["result"], "stored");
    assert_eq!(placed["placement"]["copies"], 1);
    assert!(placed["placement"]["elapsed_ms"].is_u64());

    // The used PASSporT is remembered over the end of the process.
    let again = lab.run(&server, &ring);
    assert_eq!(code(&again), Some(3));
    let again = json(&again);
    assert_eq!(again["verdict"], "refused");
    assert_eq!(again["reasons"], serde_json::json!(["replayed"]));
    let replay = &again["checks"][7];
    assert_eq!(replay["check"], "replay");
    assert_eq!(replay["result"], "failed");
    assert_eq!(replay["reason"], "replayed");
    assert_eq!(again["checks"][8]["result"], "not_reached");
}

#[test]
fn a_service_that_requires_tokens_gets_them_from_both_sides() {
    let lab = Laboratory::with(&["--storage-tokens"]);
    let server = lab.serve();
    lab.publish(&server);
    let ring = ["ring", "--from", ALICE, "--to", BOB, "--answer"];
    let (placed, rung) = call(&lab, &server, &lab.arguments(&server, &ring));
    assert_eq!(rung["verdict"], "verified");
    assert_eq!(placed["verdict"], "verified");
    // A process that begins with the call has an empty wallet, and says so.
    let told = placed["reasons"].to_string();
    assert!(told.contains("token_just_in_time"), "{told}");
    // Whoever knows no issuer brings no token.
    drop(server);
    let config = fs::read_to_string(lab.path("lab.toml")).unwrap();
    let server = lab.serve();
    let without = config.replace("storage_tokens = true", "storage_tokens = false");
    assert_ne!(without, config);
    fs::write(lab.path("lab.toml"), without).unwrap();
    lab.publish(&server);
    let placed = lab.run(&server, &["place", "--from", ALICE, "--to", BOB]);
    let placed = json(&placed);
    assert_eq!(placed["verdict"], "unprotected");
    assert!(placed.to_string().contains("token_required"), "{placed}");
}

#[test]
fn a_call_that_was_given_up_is_conflicting_in_another_process() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let place = ["place", "--from", ALICE, "--to", BOB, "--gone-after", "1ms"];
    let placed = lab.run(&server, &place);
    assert_eq!(code(&placed), Some(0), "{}", json(&placed));
    assert_eq!(json(&placed)["verdict"], "stored");
    let rung = lab.run(&server, &["ring", "--from", ALICE, "--to", BOB, "--answer"]);
    assert_eq!(code(&rung), Some(3));
    let rung = json(&rung);
    assert_eq!(rung["verdict"], "conflicting");
    assert_eq!(rung["reasons"], serde_json::json!(["caller_gone"]));
    assert_eq!(rung["checks"][8]["reason"], "caller_gone");
    assert!(rung.get("answer").is_none());
}

#[test]
fn a_call_that_both_processes_see_answered_is_confirmed_on_both_sides() {
    let lab = Laboratory::new();
    let ring = [
        "ring",
        "--from",
        ALICE,
        "--to",
        BOB,
        "--answer",
        "--confirm",
    ];
    // The called process may start more than two seconds after the announcement on a busy machine, and
    // answers then. The calling one says the same as far as the attempt before shows how long that takes;
    // else they disagree, rightly. Each has a service of its own, which holds nothing of the one before.
    let mut until_answered = Duration::from_millis(400);
    for _ in 0..20 {
        let server = lab.serve();
        lab.publish(&server);
        let answered_after = format!("{}ms", until_answered.as_millis());
        let options = ["--await-answer", "20", "--answered-after", &answered_after];
        let placing = announced(&lab, &server, &options);
        let announced = Instant::now();
        let ringing = Running::start(&lab.arguments(&server, &ring));
        server.await_request("GET", MAILBOX, 200);
        until_answered = announced.elapsed();
        let rung = ringing.finish();
        let placed = placing.finish();
        let verdicts = [json(&placed), json(&rung)].map(|report| report["verdict"].clone());
        if verdicts == ["confirmed", "confirmed"] {
            assert_eq!((code(&placed), code(&rung)), (Some(0), Some(0)));
            return;
        }
    }
    panic!("never confirmed");
}

#[test]
fn any_other_verdict_ends_with_3() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);

    let nothing = lab.run(&server, &["ring", "--to", BOB, "--from", ALICE]);
    assert_eq!(code(&nothing), Some(3));
    assert_eq!(json(&nothing)["verdict"], "no_record");
    assert_eq!(json(&nothing)["blobs"]["opened"], 0);

    let withheld = lab.run(&server, &["ring", "--to", BOB]);
    assert_eq!(code(&withheld), Some(3));
    let withheld = json(&withheld);
    assert_eq!(withheld["orig"], Value::Null);
    assert_eq!(withheld["reasons"], serde_json::json!(["caller_withheld"]));

    // Nobody has published keys for this number.
    let unknown = lab.run(&server, &["place", "--from", ALICE, "--to", "12025550111"]);
    assert_eq!(code(&unknown), Some(3));
    let unknown = json(&unknown);
    assert_eq!(unknown["verdict"], "unprotected");
    assert_eq!(
        unknown["reasons"],
        serde_json::json!(["no_usable_key", "keys_just_in_time"])
    );

    // Announced, but nobody answers. A busy machine may need longer for its first look.
    let place = ["place", "--from", ALICE, "--to", BOB];
    let unanswered = ["1", "5", "25"].iter().find_map(|seconds| {
        let wait = ["--await-answer", seconds];
        let unanswered = lab.run(&server, &[place.as_slice(), &wait].concat());
        assert_eq!(code(&unanswered), Some(3));
        let unanswered = json(&unanswered);
        (unanswered["verdict"] != "unavailable" || *seconds == "25").then_some(unanswered)
    });
    let unanswered = unanswered.unwrap();
    assert_eq!(unanswered["verdict"], "no_record");
    assert_eq!(unanswered["placement"]["result"], "stored");
}

#[test]
fn a_stored_announcement_ends_with_0_and_the_text_says_so() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let place = ["place", "--from", ALICE, "--to", BOB];
    let stored = lab.run(&server, &place);
    assert_eq!(code(&stored), Some(0));
    let stored = json(&stored);
    assert_eq!(stored["verdict"], "stored");
    assert_eq!(stored["checks"], serde_json::json!([]));

    let arguments = lab.arguments(&server, &["ring", "--from", ALICE, "--to", BOB]);
    let plain: Vec<&str> = arguments
        .into_iter()
        .filter(|one| *one != "--json")
        .collect();
    let rung = run(&plain);
    assert_eq!(code(&rung), Some(0));
    let text = String::from_utf8(rung.stdout).unwrap();
    assert!(text.starts_with("verified"), "{text}");
    assert!(
        text.contains("authority") && !text.contains('\x1b'),
        "{text}"
    );
}

#[test]
fn a_service_that_is_down_is_a_verdict_for_calls_and_a_failure_for_publishing() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let base = server.base().to_owned();
    server.terminate();
    assert!(server.finish().success());

    let at = [
        &["--lab", lab.dir(), "--base", &base, "--json"],
        &IN_TIME[..],
    ]
    .concat();
    let place = ["place", "--from", ALICE, "--to", BOB, "--await-answer", "1"];
    let placed = run(&[place.as_slice(), &at].concat());
    assert_eq!(code(&placed), Some(3));
    assert_eq!(json(&placed)["verdict"], "unprotected");

    let ring = ["ring", "--from", ALICE, "--to", BOB];
    let rung = run(&[ring.as_slice(), &at].concat());
    assert_eq!(code(&rung), Some(3));
    assert_eq!(json(&rung)["verdict"], "unavailable");
    let reasons = json(&rung)["reasons"].clone();
    assert_eq!(reasons, serde_json::json!(["service_unreachable"]));

    let published = run(&[["publish", "--number", BOB].as_slice(), &at].concat());
    assert_eq!(code(&published), Some(1));
    let errors = String::from_utf8(published.stderr).unwrap();
    assert!(errors.contains("service_unreachable"), "{errors}");
    assert!(published.stdout.is_empty());
}

#[test]
fn publishing_again_keeps_the_keys_and_rotating_makes_new_ones() {
    let lab = Laboratory::new();
    let server = lab.serve();
    let publish = ["publish", "--number", BOB];
    let first = json(&lab.run(&server, &publish));
    assert_eq!(first["published"], serde_json::json!([BOB]));
    assert_eq!(first["new_keys"], true);
    assert!(first["exp"].is_u64());
    let second = json(&lab.run(&server, &publish));
    assert_eq!(second["new_keys"], false);
    assert_eq!(second["exp"], first["exp"]);
    let rotated = json(&lab.run(&server, &[publish.as_slice(), &["--rotate"]].concat()));
    assert_eq!(rotated["new_keys"], true);
    let other = json(&lab.run(&server, &[publish.as_slice(), &["--suite", "S2"]].concat()));
    assert_eq!(other["new_keys"], true);
}

#[test]
fn a_call_in_the_other_suite_is_verified_too() {
    let lab = Laboratory::new();
    let server = lab.serve();
    for number in [ALICE, BOB] {
        let publish = ["publish", "--number", number, "--suite", "S2"];
        assert_eq!(code(&lab.run(&server, &publish)), Some(0));
    }
    let ring = ["ring", "--from", ALICE, "--to", BOB, "--answer"];
    let (placed, rung) = call(&lab, &server, &lab.arguments(&server, &ring));
    // A process that begins with the call knows no keys yet.
    assert_verified(&placed, &["keys_just_in_time"]);
    assert_verified(&rung, &[]);
}
