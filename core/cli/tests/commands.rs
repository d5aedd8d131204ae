//! `lab`, `cps serve`, `publish`, `place` and `ring` as separate processes.

#![cfg(unix)]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

#[path = "support/processes.rs"]
mod processes;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use processes::{ALICE, BOB, IN_TIME, Laboratory, Running, Server, code, json, run};
use serde_json::Value;

const MAILBOX: &str = "/cps/{number}/ppts";

/// Places a call from Alice to Bob, lets it ring at Bob with `ring`, and gives both reports.
fn call(lab: &Laboratory, server: &Server, ring: &[&str]) -> (Value, Value) {
    let place = [
        "place",
        "--from",
        ALICE,
        "--to",
        BOB,
        "--await-answer",
        "30",
    ];
    let placing = Running::start(&lab.arguments(server, &place));
    server.await_request("POST", MAILBOX, 201);
    let rung = run(ring);
    assert_eq!(code(&rung), Some(0), "{}", json(&rung));
    let placed = placing.finish();
    assert_eq!(code(&placed), Some(0), "{}", json(&placed));
    (json(&placed), json(&rung))
}

fn assert_verified(report: &Value, reasons: &[&str]) {
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
        let place = [
            "place",
            "--from",
            ALICE,
            "--to",
            BOB,
            "--await-answer",
            "20",
            "--answered-after",
            &answered_after,
        ];
        let placing = Running::start(&lab.arguments(&server, &place));
        server.await_request("POST", MAILBOX, 201);
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
fn an_endpoint_may_be_configured_by_a_file() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let config = lab.file("endpoint.toml");
    let settings = format!(
        "chain = \"{BOB}/chain.pem\"\n\
         key = \"{BOB}/key.pem\"\n\
         x5u = \"https://lab.ringtrue.example/{BOB}.pem\"\n\
         anchors = [\"root.pem\"]\n\
         base_url = \"{}\"\n\
         tls_root = \"tls-root.pem\"\n\
         state = \"{BOB}/state\"\n\
         allow_loopback = true\n\
         allow_direct = true\n\
         profile = \"delegate\"\n",
        server.base()
    );
    fs::write(&config, &settings).unwrap();
    let ring = [
        "ring", "--config", &config, "--from", ALICE, "--to", BOB, "--answer", "--json",
        IN_TIME[0], IN_TIME[1],
    ];
    let (placed, rung) = call(&lab, &server, &ring);
    // A process that begins with the call knows no keys yet.
    assert_verified(&placed, &["keys_just_in_time"]);
    assert_verified(&rung, &[]);

    for wrong in [
        settings.replace("allow_loopback = true", "allow_loopback = 1"),
        format!("{settings}colour = \"red\"\n"),
        settings.replace("root.pem", "nowhere.pem"),
        settings.replace(&format!("{BOB}/key.pem"), &format!("{ALICE}/key.pem")),
    ] {
        fs::write(&config, wrong).unwrap();
        assert_eq!(code(&run(&ring)), Some(1));
    }
    // A service on this machine is not one that a telephone would use.
    fs::write(
        &config,
        settings.replace("allow_loopback = true", "allow_loopback = false"),
    )
    .unwrap();
    let refused = run(&ring);
    assert_eq!(code(&refused), Some(3));
    assert_eq!(json(&refused)["verdict"], "unavailable");
    let reasons = json(&refused)["reasons"].clone();
    assert_eq!(reasons, serde_json::json!(["address_not_allowed"]));
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

#[test]
fn sigterm_drains_and_ends_with_0() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    // A connection that never says anything does not hold it up.
    let idle = TcpStream::connect(server.address()).unwrap();
    let address = server.address().to_owned();
    server.terminate();
    assert_eq!(server.finish().code(), Some(0));
    assert!(TcpStream::connect(address).is_err());
    drop(idle);
}

#[test]
fn a_service_may_be_configured_by_arguments_or_by_a_file() {
    let lab = Laboratory::new();
    let (anchor, chain, key) = (
        lab.file("root.pem"),
        lab.file("tls.pem"),
        lab.file("tls.key"),
    );
    let server = Server::start(&[
        "--anchor",
        &anchor,
        "--tls-cert",
        &chain,
        "--tls-key",
        &key,
        "--ttl",
        "5",
        "--metrics",
        "127.0.0.1:0",
    ]);
    lab.publish(&server);
    let metrics = http_get(server.metrics());
    assert!(
        metrics.contains("ringtrue_cps_publications_total 2"),
        "{metrics}"
    );
    assert!(!metrics.contains("20255501"));
    drop(server);

    let config = lab.file("cps.toml");
    let settings = "listen = \"127.0.0.1:8443\"\n\
                    anchors = [\"root.pem\"]\n\
                    state = \"cps-state\"\n\
                    [tls]\n\
                    certificate = \"tls.pem\"\n\
                    key = \"tls.key\"\n";
    fs::write(&config, settings).unwrap();
    let server = Server::start(&["--config", &config]);
    lab.publish(&server);
    server.terminate();
    assert!(server.finish().success());
    // Key statements outlive the process.
    let server = Server::start(&["--config", &config, "--metrics", "127.0.0.1:0"]);
    let metrics = http_get(server.metrics());
    assert!(metrics.contains("ringtrue_cps_statements 2"), "{metrics}");
}

/// The answer to a plain HTTP request.
fn http_get(url: &str) -> String {
    let (address, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_service_that_cannot_start_ends_with_1() {
    let lab = Laboratory::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve = ["cps", "serve", "--lab", lab.dir(), "--listen"];
    assert_eq!(
        code(&run(&[serve.as_slice(), &[&address]].concat())),
        Some(1)
    );

    let nowhere = lab.file("nowhere");
    assert_eq!(code(&run(&["cps", "serve", "--lab", &nowhere])), Some(1));
    assert_eq!(code(&run(&["cps", "serve", "--config", &nowhere])), Some(1));
    let root = lab.file("root.pem");
    let wrong_key = [
        "cps",
        "serve",
        "--anchor",
        &root,
        "--tls-cert",
        &root,
        "--tls-key",
        &root,
    ];
    assert_eq!(code(&run(&wrong_key)), Some(1));
}

#[test]
fn a_laboratory_has_all_files_and_only_the_owner_reads_its_keys() {
    let lab = Laboratory::new();
    for file in ["root.pem", "ca.pem", "tls-root.pem", "tls.pem", "lab.toml"] {
        assert!(lab.path(file).is_file(), "{file}");
    }
    assert!(lab.path(BOB).join("chain.pem").is_file());
    let key = format!("{BOB}/key.pem");
    for file in ["root.key", "ca.key", "tls.key", key.as_str()] {
        let mode = fs::metadata(lab.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn numbers_are_added_to_a_laboratory_that_is_there() {
    let lab = Laboratory::new();
    let root = fs::read(lab.path("root.pem")).unwrap();
    let added = run(&["lab", "init", lab.dir(), "--number", "+1 202 555 0111"]);
    assert_eq!(code(&added), Some(0));
    assert_eq!(fs::read(lab.path("root.pem")).unwrap(), root);
    assert!(lab.path("12025550111").join("chain.pem").is_file());
}

#[test]
fn what_is_not_in_the_laboratory_cannot_be_used() {
    let lab = Laboratory::new();
    let server = lab.serve();
    let stranger = "12025550111";
    let place = ["place", "--from", stranger, "--to", BOB];
    assert_eq!(code(&lab.run(&server, &place)), Some(1));
    assert_eq!(
        code(&lab.run(&server, &["publish", "--number", stranger])),
        Some(1)
    );
    fs::write(lab.path(BOB).join("state"), "in the way").unwrap();
    assert_eq!(
        code(&lab.run(&server, &["publish", "--number", BOB])),
        Some(1)
    );
    let nowhere = lab.file("nowhere");
    let publish = ["publish", "--number", BOB, "--lab", &nowhere];
    assert_eq!(code(&run(&publish)), Some(1));
}

#[test]
fn wrong_usage_ends_with_2() {
    let lab = Laboratory::new();
    let dir = lab.dir();
    let config = lab.file("endpoint.toml");
    for arguments in [
        vec![],
        vec!["call"],
        vec!["lab", "init", dir],
        vec!["lab", "init", dir, "--number", "alice"],
        vec![
            "lab",
            "init",
            dir,
            "--number",
            BOB,
            "--base",
            "http://localhost",
        ],
        vec!["cps", "serve", "--lab", dir, "--ttl", "61"],
        vec!["cps", "serve", "--lab", dir, "--config", config.as_str()],
        vec!["cps", "serve", "--anchor", config.as_str()],
        vec!["publish", "--number", BOB],
        vec![
            "publish",
            "--number",
            BOB,
            "--lab",
            dir,
            "--config",
            config.as_str(),
        ],
        vec!["publish", "--number", BOB, "--lab", dir, "--suite", "S5"],
        vec![
            "publish",
            "--number",
            BOB,
            "--lab",
            dir,
            "--base",
            "localhost",
        ],
        vec!["place", "--lab", dir, "--from", ALICE],
        vec!["place", "--lab", dir, "--from", ALICE, "--to", "bob"],
        vec![
            "place",
            "--lab",
            dir,
            "--from",
            ALICE,
            "--to",
            BOB,
            "--await-answer",
            "0",
        ],
        vec![
            "place",
            "--lab",
            dir,
            "--from",
            ALICE,
            "--to",
            BOB,
            "--deadline",
            "1",
        ],
        vec!["ring", "--lab", dir, "--from", ALICE],
        vec!["ring", "--lab", dir, "--to", BOB, "--from", "alice"],
        vec!["ring", "--lab", dir, "--to", BOB, "--deadline", "2h"],
    ] {
        let output = run(&arguments);
        assert_eq!(code(&output), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

/// Alice's configuration file, with these lines added.
fn configured(lab: &Laboratory, server: &Server, added: &str) -> String {
    let config = lab.file("alice.toml");
    let settings = format!(
        "chain = \"{ALICE}/chain.pem\"\n\
         key = \"{ALICE}/key.pem\"\n\
         x5u = \"https://lab.ringtrue.example/{ALICE}.pem\"\n\
         anchors = [\"root.pem\"]\n\
         base_url = \"{}\"\n\
         tls_root = \"tls-root.pem\"\n\
         state = \"{ALICE}/state\"\n\
         allow_loopback = true\n\
         allow_direct = true\n\
         profile = \"delegate\"\n\
         {added}\n",
        server.base()
    );
    fs::write(&config, settings).unwrap();
    config
}

/// What comes of announcing a call from Alice to Bob.
fn announced(config: &str) -> (Option<i32>, Value) {
    let placed = run(&[
        "place", "--config", config, "--from", ALICE, "--to", BOB, "--json", IN_TIME[0], IN_TIME[1],
    ]);
    let report = match code(&placed) {
        Some(0 | 3) => json(&placed),
        _ => Value::Null,
    };
    (code(&placed), report)
}

#[test]
fn a_file_may_say_whose_statements_alone_are_sealed_to() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let listed = lab.run(&server, &["keys", "readers", "--number", BOB]);
    let signer = json(&listed)["readers"][0]["signer"].clone();
    let signer = signer.as_str().unwrap();
    let others = "0".repeat(64);
    let line = |signers: &[&str]| format!("reader_signers = {signers:?}");

    for allowed in [vec![signer], vec![&others, signer], vec![]] {
        let config = configured(&lab, &server, &line(&allowed));
        let (status, report) = announced(&config);
        assert_eq!(status, Some(0), "{report}");
    }
    let config = configured(&lab, &server, &line(&[&others]));
    let (status, report) = announced(&config);
    assert_eq!(status, Some(3));
    assert_eq!(report["verdict"], "unprotected");
    let reasons = report["reasons"].to_string();
    assert!(reasons.contains("reader_not_allowed"), "{reasons}");

    let (short, long) = (&signer[1..], format!("{signer}00"));
    let no_digit = format!("g{short}");
    let wrong = ["", "00", short, &long, &no_digit];
    for wrong in wrong {
        let config = configured(&lab, &server, &line(&[wrong]));
        assert_eq!(announced(&config).0, Some(1), "{wrong}");
    }
}

#[test]
fn a_file_may_name_a_second_directory_that_has_to_show_the_same() {
    let lab = Laboratory::new();
    let (server, other) = (lab.serve(), lab.serve());
    lab.publish(&server);
    let mirror = format!("mirror_directory = \"{}\"", other.base());
    let config = configured(&lab, &server, &mirror);
    let (status, report) = announced(&config);
    assert_eq!(status, Some(0), "{report}");
    let reasons = report["reasons"].to_string();
    assert!(reasons.contains("directory_inconsistent"), "{reasons}");

    // Nobody is a check on himself.
    let same = format!("mirror_directory = \"{}\"", server.base());
    for (wrong, status) in [
        (same.as_str(), 1),
        ("mirror_directory = \"http://keys.example\"", 2),
    ] {
        let config = configured(&lab, &server, wrong);
        assert_eq!(announced(&config).0, Some(status), "{wrong}");
    }
}

#[test]
fn the_readers_of_a_number_are_listed_and_the_own_one_is_no_news() {
    let lab = Laboratory::new();
    let server = lab.serve();
    lab.publish(&server);
    let listed = lab.run(&server, &["keys", "readers", "--number", BOB]);
    assert_eq!(code(&listed), Some(0), "{}", json(&listed));
    let report = json(&listed);
    assert_eq!(report["reasons"], serde_json::json!([]));
    let reader = &report["readers"][0];
    assert_eq!(reader["own"], true);
    assert_eq!(reader["new"], false);
    assert_eq!(reader["suites"], serde_json::json!(["S3"]));
    assert_eq!(reader["signer"].as_str().unwrap().len(), 64);
    assert!(reader["since"].as_u64().unwrap() < reader["expires"].as_u64().unwrap());
}
