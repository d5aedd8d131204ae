//! `endpoint serve` and `endpoint status` as processes: calls over the socket and over FastAGI, and
//! everything that a client can do wrong.

#![cfg(unix)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]
// Other tests use the rest of them.
#![expect(dead_code, reason = "helpers that all tests of processes share")]

#[path = "support/daemons.rs"]
mod daemons;
#[path = "support/processes.rs"]
mod processes;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use daemons::{Client, Daemon, variable};
use processes::{ALICE, BOB, Laboratory, Server, code, json, run};
use serde_json::{Value, json};

/// A laboratory with a service and a daemon for each of its numbers, whose keys are published.
fn two_daemons(lab: &Laboratory) -> (Server, Daemon, Daemon) {
    let server = lab.serve();
    let alice = Daemon::of(lab, ALICE, server.base());
    let bob = Daemon::of(lab, BOB, server.base());
    alice.await_log("keys published");
    bob.await_log("keys published");
    (server, alice, bob)
}

/// A service that takes connections and says nothing, and a daemon of Alice's that asks it.
fn hanging(lab: &Laboratory) -> (TcpListener, Daemon) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    (listener, Daemon::of(lab, ALICE, &base))
}

/// With time for what comes, whatever else the machine does.
fn in_time(mut params: Value) -> Value {
    params["deadline_ms"] = json!(30_000);
    params
}

/// Longer than anything takes on a machine however busy.
const GIVE_UP: Duration = Duration::from_secs(60);

/// The same for Asterisk.
const IN_TIME: &str = "agi_arg_2: deadline_ms=30000";

/// Asks again until it is so; for what another process notices by and by.
fn await_that(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < GIVE_UP, "it never came to be");
        thread::sleep(Duration::from_millis(10));
    }
}

fn is_good(report: &Value) -> bool {
    report["verdict"] == "verified" || report["verdict"] == "confirmed"
}

/// A call over the sockets, answered; both sides are verified.
fn call(caller: (&mut Client, &str), called: (&mut Client, &str)) {
    let placed = caller
        .0
        .ask("place", in_time(json!({"from": caller.1, "to": called.1})));
    assert_eq!(placed["verdict"], "stored", "{placed}");
    let rung = called
        .0
        .ask("ring", in_time(json!({"from": caller.1, "to": called.1})));
    assert!(is_good(&rung), "{rung}");
    assert_eq!(rung["orig"], caller.1);
    assert_eq!(rung["dest"], called.1);
    let answered = in_time(json!({"call": rung["call"]}));
    let answered = called.0.ask("answer", answered);
    assert_eq!(answered["answer"]["sent"], true, "{answered}");
    let seen = in_time(json!({"call": placed["call"]}));
    let seen = caller.0.ask("await", seen);
    assert!(is_good(&seen), "{seen}");
    assert_eq!(seen["dest"], called.1);
    // The same is told to a client that waits for nothing.
    let event = caller.0.event("verdict", &placed["call"]);
    assert!(is_good(&event), "{event}");
    for (client, call) in [(caller.0, placed), (called.0, rung)] {
        client.ask("ended", json!({"call": call["call"]}));
        assert_eq!(
            client.refused("ended", json!({"call": call["call"]})),
            "unknown_call"
        );
    }
}

#[test]
fn calls_in_both_directions_are_verified_on_both_sides() {
    let lab = Laboratory::new();
    let (_server, alice, bob) = two_daemons(&lab);
    let (mut one, mut other) = (alice.connect(), bob.connect());
    call((&mut one, ALICE), (&mut other, BOB));
    call((&mut other, BOB), (&mut one, ALICE));

    let status = one.ask("status", json!({}));
    assert_eq!(status["well"], true);
    assert_eq!(status["numbers"], json!([ALICE]));
    assert_eq!(status["calls"]["open"], 0);
    assert_eq!(status["calls"]["placed"], 1);
    assert_eq!(status["calls"]["good"], 1);
    assert!(status["resident_kib"]["all"].as_u64().unwrap() > 0);
    let readers = one.ask("readers", json!({}));
    assert_eq!(readers["numbers"][0]["readers"][0]["own"], true);
    let published = one.ask("publish", json!({"rotate": true}));
    assert_eq!(published["new_keys"], true);
    let learned = one.ask("prefetch", json!({"numbers": [BOB]}));
    assert_eq!(learned["found"], 1);

    let socket = alice.socket().to_str().unwrap().to_owned();
    let said = run(&["endpoint", "status", "--socket", &socket, "--json"]);
    assert_eq!(code(&said), Some(0));
    assert_eq!(json(&said)["credential"]["state"], "valid");
    one.ask("shutdown", json!({}));
    assert!(alice.finish().success());
    let said = run(&["endpoint", "status", "--socket", &socket]);
    assert_eq!(code(&said), Some(1));
}

#[test]
fn asterisk_learns_who_calls_and_who_answers() {
    let lab = Laboratory::new();
    let (_server, alice, bob) = two_daemons(&lab);
    let extension = format!("agi_extension: {BOB}");
    let placed = alice.agi(&[
        "agi_network: yes",
        "agi_network_script: place",
        "agi_request: agi://127.0.0.1/place",
        "agi_callerid: 100",
        &extension,
        "agi_arg_1: keep=1",
        IN_TIME,
    ]);
    assert_eq!(variable(&placed, "RINGTRUE_VERDICT"), "stored");
    let rung = bob.agi(&[
        "agi_network_script: ring",
        &format!("agi_callerid: {ALICE}"),
        "agi_calleridname: A: \"name\"",
        "agi_callingpres: 0",
        &format!("agi_dnid: {BOB}"),
        "agi_arg_1: keep=1",
        IN_TIME,
    ]);
    assert_eq!(variable(&rung, "RINGTRUE_VERDICT"), "verified");
    assert_eq!(variable(&rung, "RINGTRUE_REASONS"), "");
    let about =
        |call: &[(String, String)]| format!("agi_arg_1: call={}", variable(call, "RINGTRUE_CALL"));
    let answered = bob.agi(&["agi_network_script: answer", &about(&rung), IN_TIME]);
    assert_eq!(variable(&answered, "RINGTRUE_VERDICT"), "verified");
    let seen = alice.agi(&["agi_network_script: await", &about(&placed), IN_TIME]);
    assert_eq!(variable(&seen, "RINGTRUE_VERDICT"), "verified");
    for (daemon, call) in [(&alice, &placed), (&bob, &rung)] {
        let ended = daemon.agi(&["agi_network_script: ended", &about(call)]);
        assert_eq!(variable(&ended, "RINGTRUE_CALL"), "");
        let again = daemon.agi(&["agi_network_script: ended", &about(call)]);
        assert_eq!(variable(&again, "RINGTRUE_VERDICT"), "unavailable");
        assert_eq!(variable(&again, "RINGTRUE_REASONS"), "unknown_call");
    }
}

#[test]
fn whatever_asterisk_sends_it_is_told_unavailable_at_once() {
    let lab = Laboratory::new();
    let (_service, alice) = hanging(&lab);
    let long = format!("agi_callerid: {}\n\n", "1".repeat(2000));
    let many = "a: b\n".repeat(1000);
    for (head, reason) in [
        (&b"agi_network_script: other\n\n"[..], "unknown_method"),
        (b"agi_network_script: shutdown\n\n", "unknown_method"),
        (b"\n", "unknown_method"),
        (b"no colon\n\n", "malformed_request"),
        (
            b"agi_network_script: ring\nagi_arg_1: keep\n\n",
            "malformed_request",
        ),
        (b"agi_network_script: place\n\n", "malformed_request"),
        (
            b"agi_network_script: place\nagi_extension: s\n\n",
            "malformed_number",
        ),
        (
            b"agi_network_script: place\nagi_extension: 1\nagi_arg_1: from=2\n\n",
            "number_not_owned",
        ),
        (b"\xff\xfe\n\n", "malformed_request"),
        // The deadline of the request holds, whatever the service does.
        (
            b"agi_network_script: ring\nagi_callerid: 12025550177\nagi_arg_1: deadline_ms=100\n\n",
            "deadline_passed",
        ),
    ] {
        let set = alice.agi_octets(head);
        let said = String::from_utf8_lossy(head);
        assert_eq!(variable(&set, "RINGTRUE_VERDICT"), "unavailable", "{said}");
        let reasons = variable(&set, "RINGTRUE_REASONS");
        assert!(
            reasons.split(',').any(|held| held == reason),
            "{said}: {reasons}"
        );
        assert_eq!(variable(&set, "RINGTRUE_CALL"), "");
    }
    // Here it ends before everything is read, and what it says may be lost with the connection.
    for head in [long, many] {
        for (name, value) in alice.agi_octets(head.as_bytes()) {
            let is_refusal = name != "RINGTRUE_VERDICT" || value == "unavailable";
            assert!(is_refusal, "{name}: {value}");
        }
    }
    assert_eq!(alice.connect().ask("status", json!({}))["calls"]["open"], 0);
    alice.signal("-TERM");
    assert!(alice.finish().success());
}

#[test]
fn bad_lines_are_refused_with_a_code_and_the_connection_goes_on() {
    let lab = Laboratory::new();
    let (_service, alice) = hanging(&lab);
    let mut client = alice.connect();
    for (line, code) in [
        ("{", "malformed_json"),
        ("nonsense", "malformed_json"),
        (
            r#"{"id":null,"method":"status","method":"status"}"#,
            "duplicate_member",
        ),
        ("[[[[[[[[[[[[]]]]]]]]]]]]", "too_deep"),
        ("[]", "malformed_request"),
        (r#"{"method":7}"#, "malformed_request"),
        (
            r#"{"method":"ring","params":{"from":7}}"#,
            "malformed_request",
        ),
        (
            r#"{"method":"status","params":{"extra":1}}"#,
            "malformed_request",
        ),
        (r#"{"method":"unheard"}"#, "unknown_method"),
        (r#"{"v":2,"method":"status"}"#, "unsupported_version"),
        (
            r#"{"method":"ended","params":{"call":"7"}}"#,
            "unknown_call",
        ),
        (
            r#"{"method":"place","params":{"to":"word"}}"#,
            "malformed_number",
        ),
        (
            r#"{"method":"place","params":{"from":"1","to":"2"}}"#,
            "number_not_owned",
        ),
        (
            r#"{"method":"ring","params":{"to":"12025550100"}}"#,
            "number_not_owned",
        ),
    ] {
        client.send(format!("{line}\n").as_bytes()).unwrap();
        let refusal = client.read().unwrap();
        assert_eq!(refusal, json!({"id": null, "error": code}), "{line}");
    }
    let unknown = "0".repeat(32);
    for method in ["answer", "answered", "ended"] {
        assert_eq!(
            client.refused(method, json!({"call": unknown})),
            "unknown_call"
        );
    }
    client.ask("status", json!({}));
    // After a line that is too long there is no telling where the next one begins.
    client.send(" ".repeat(10_000).as_bytes()).unwrap();
    assert_eq!(
        client.read().unwrap(),
        json!({"id": null, "error": "too_long"})
    );
    assert_eq!(client.read(), None);
    let status = alice.connect().ask("status", json!({}));
    assert!(status["clients"]["refused"].as_u64().unwrap() >= 18);
    alice.signal("-TERM");
    assert!(alice.finish().success());
}

#[test]
fn requests_and_clients_beyond_the_limits_are_refused_and_the_others_served() {
    let lab = Laboratory::new();
    let (_service, alice) = hanging(&lab);
    let mut client = alice.connect();
    // All of them have to be under way at once.
    let ring = json!({"from": BOB, "deadline_ms": 10_000});
    let ids: Vec<u64> = (0..17).map(|_| client.begin("ring", &ring)).collect();
    let mut refused = 0;
    for _ in &ids {
        let response = loop {
            let line = client.read().unwrap();
            if line.get("event").is_none() {
                break line;
            }
        };
        match response.get("error") {
            Some(code) => {
                assert_eq!(code, "too_many_requests");
                refused += 1;
            }
            // Nobody could be asked in time.
            None => assert_eq!(response["result"]["verdict"], "unavailable"),
        }
    }
    assert_eq!(refused, 1);

    let mut others: Vec<Client> = (0..31).map(|_| alice.connect()).collect();
    let mut one_more = Client::connect_silently(alice.socket());
    let refusal = json!({"id": null, "error": "too_many_connections"});
    assert_eq!(one_more.read(), Some(refusal));
    assert_eq!(one_more.read(), None);
    others[30].ask("status", json!({}));
    drop(others);
    // Their places become free as their ends are noticed.
    await_that(|| {
        let mut again = Client::connect_silently(alice.socket());
        again.read().unwrap()["event"] == "hello"
    });
    alice.signal("-TERM");
    assert!(alice.finish().success());
}

#[test]
fn a_client_that_goes_takes_its_calls_along_unless_they_are_to_stay() {
    let lab = Laboratory::new();
    let (_service, alice) = hanging(&lab);
    let mut stays = alice.connect();
    let mut goes = alice.connect();
    let ring = json!({"from": BOB, "deadline_ms": 100});
    goes.ask("ring", ring);
    let kept = goes.ask("ring", json!({"deadline_ms": 100, "keep": true}));
    // One is under way as it goes.
    goes.begin("ring", &json!({"deadline_ms": 30_000}));
    assert_eq!(stays.ask("status", json!({}))["calls"]["open"], 2);
    drop(goes);
    await_that(|| stays.ask("status", json!({}))["calls"]["open"] == 1);
    stays.ask("ended", json!({"call": kept["call"]}));
    assert_eq!(stays.ask("status", json!({}))["calls"]["open"], 0);
}

#[test]
fn a_client_that_sends_no_more_still_gets_what_it_asked_for() {
    let lab = Laboratory::new();
    let (_service, alice) = hanging(&lab);
    let mut client = alice.connect();
    let asked = client.begin("ring", &json!({"from": BOB, "deadline_ms": 500}));
    client.send_no_more();
    assert_eq!(client.response(asked)["result"]["verdict"], "unavailable");
    assert_eq!(client.read(), None);
    // Its call went with it.
    let mut other = alice.connect();
    while other.ask("status", json!({}))["calls"]["open"] != 0 {}
}

#[test]
fn a_client_that_does_not_read_is_let_go_and_holds_nobody_up() {
    let lab = Laboratory::new();
    let (_service, alice) = hanging(&lab);
    let mut slow = alice.connect();
    let mut is_let_go = false;
    for _ in 0..200_000 {
        if slow.send(b"{\"method\":\"status\"}\n").is_err() {
            is_let_go = true;
            break;
        }
    }
    assert!(is_let_go);
    alice.await_log("client given up");
    alice.connect().ask("status", json!({}));
}

#[test]
fn of_two_clients_that_verify_the_same_call_at_most_one_is_told_that_it_is_good() {
    let lab = Laboratory::new();
    let (_server, alice, bob) = two_daemons(&lab);
    let mut caller = alice.connect();
    caller.ask("place", json!({"to": BOB}));
    let (mut one, mut other) = (bob.connect(), bob.connect());
    let params = json!({"from": ALICE, "to": BOB});
    let ids = (one.begin("ring", &params), other.begin("ring", &params));
    let (first, second) = (one.response(ids.0), other.response(ids.1));
    let good = [&first, &second].map(|response| is_good(&response["result"]));
    assert!(good != [true, true], "{first} {second}");
    bob.connect().ask("status", json!({}));
}

#[test]
fn a_withheld_number_is_a_verdict_and_no_error() {
    let lab = Laboratory::new();
    let (_server, _alice, bob) = two_daemons(&lab);
    let mut client = bob.connect();
    for params in [
        json!({}),
        json!({"from": null, "to": BOB}),
        json!({"from": "anonymous"}),
    ] {
        let rung = client.ask("ring", params);
        assert_eq!(rung["orig"], Value::Null);
        assert_eq!(rung["verdict"], "no_record");
        assert!(
            rung["reasons"].to_string().contains("caller_withheld"),
            "{rung}"
        );
    }
}

#[test]
fn without_a_service_a_call_is_unavailable_or_unprotected_and_the_daemon_not_well() {
    let lab = Laboratory::new();
    // Nobody listens there; a port that was free a moment ago may be taken.
    let alice = Daemon::of(&lab, ALICE, "https://localhost:1");
    alice.await_log("keys not published");
    let mut client = alice.connect();
    let rung = client.ask("ring", in_time(json!({"from": BOB})));
    assert_eq!(rung["verdict"], "unavailable");
    assert!(
        rung["reasons"].to_string().contains("service_unreachable"),
        "{rung}"
    );
    let placed = client.ask("place", in_time(json!({"to": BOB})));
    assert_eq!(placed["verdict"], "unprotected");
    client.ask("answered", json!({"call": placed["call"]}));
    client.ask("ended", json!({"call": placed["call"]}));
    let answer = client.refused("answer", json!({"call": rung["call"]}));
    assert_eq!(answer, "not_verified");
    let status = client.ask("status", json!({}));
    assert_eq!(status["well"], false);
    assert_eq!(status["keys"]["error"], "service_unreachable");
    let socket = alice.socket().to_str().unwrap();
    assert_eq!(
        code(&run(&["endpoint", "status", "--socket", socket])),
        Some(3)
    );
}

#[test]
fn a_request_under_way_is_answered_before_the_daemon_ends() {
    let lab = Laboratory::new();
    let (_service, alice) = hanging(&lab);
    let mut client = alice.connect();
    let short = client.begin("ring", &json!({"from": BOB, "deadline_ms": 1000}));
    let long = client.begin("ring", &json!({"from": BOB, "deadline_ms": 30_000}));
    // What is answered came after them.
    client.ask("status", json!({}));
    alice.signal("-HUP");
    alice.await_log("SIGHUP: nothing is read again; restart the daemon for that");
    alice.signal("-TERM");
    assert_eq!(client.response(short)["result"]["verdict"], "unavailable");
    assert_eq!(client.response(long)["error"], "shutting_down");
    client.event("shutdown", &Value::Null);
    assert_eq!(client.read(), None);
    let socket = alice.socket().to_owned();
    assert!(alice.finish().success());
    assert!(!socket.exists());
}

#[test]
fn a_socket_is_taken_from_nobody_and_one_left_over_is_replaced() {
    let lab = Laboratory::new();
    let (_service, alice) = hanging(&lab);
    let socket = alice.socket().to_str().unwrap().to_owned();
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = |socket: &str| {
        let serve = ["endpoint", "serve", "--lab", lab.dir(), "--number", ALICE];
        run(&[&serve[..], &["--socket", socket]].concat())
    };
    let second = again(&socket);
    assert_eq!(code(&second), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another process listens there"), "{said}");
    alice.connect().ask("status", json!({}));

    let file = lab.file("precious");
    fs::write(&file, "text").unwrap();
    assert_eq!(code(&again(&file)), Some(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), "text");

    alice.signal("-KILL");
    assert!(!alice.finish().success());
    assert!(fs::exists(&socket).unwrap());
    let (_service, alice) = hanging(&lab);
    alice.connect().ask("status", json!({}));
}

/// A configuration file of Alice's, with more at its end.
fn configured(lab: &Laboratory, base: &str, more: &str) -> String {
    let text = format!(
        "chain = \"{ALICE}/chain.pem\"\nkey = \"{ALICE}/key.pem\"\n\
         x5u = \"https://lab.ringtrue.example/{ALICE}.pem\"\nanchors = [\"root.pem\"]\n\
         base_url = \"{base}\"\nstate = \"state\"\ntls_root = \"tls-root.pem\"\n\
         allow_direct = true\nallow_loopback = true\nnumbers = [\"(202) 555-0143\"]\n\
         [numbering]\ncountry = \"1\"\ninternational_prefix = \"011\"\nnational_lengths = [10]\n\
         [serve]\nsocket = \"alice.sock\"\n{more}"
    );
    let file = lab.file("endpoint.toml");
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_configuration_file_says_everything_and_asterisk_shows_its_key() {
    let lab = Laboratory::new();
    let service = lab.serve();
    fs::write(lab.path("agi.key"), "a key of many words\n").unwrap();
    let more = format!(
        "agi_key = \"agi.key\"\ncontacts = [\"{BOB}\"]\n[serve.cover]\npolls_minutes = 60\n"
    );
    let file = configured(&lab, service.base(), &more);
    let alice = Daemon::start(&["--config", &file, "--agi", "127.0.0.1:0"]);
    alice.await_log("keys published");
    let status = alice.connect().ask("status", json!({}));
    assert_eq!(status["numbers"], json!([ALICE]));
    assert_eq!(status["cover"]["skipped"], 0);
    let script = "agi_network_script: ring";
    let caller = "agi_callerid: 2025550177";
    for wrong in [
        "agi_arg_1: key=a key of many wordz",
        "agi_arg_1: key=",
        "agi_x: y",
    ] {
        let set = alice.agi(&[script, caller, wrong]);
        assert_eq!(variable(&set, "RINGTRUE_VERDICT"), "unavailable");
        assert_eq!(variable(&set, "RINGTRUE_REASONS"), "not_permitted");
    }
    let key = "agi_arg_1: key=a key of many words";
    let set = alice.agi(&[script, caller, key, IN_TIME]);
    assert_eq!(variable(&set, "RINGTRUE_VERDICT"), "no_record");
}

#[test]
fn a_configuration_that_would_let_others_in_is_refused() {
    let lab = Laboratory::new();
    fs::write(lab.path("short.key"), "short").unwrap();
    for (more, words) in [
        ("agi = \"0.0.0.0:0\"\n", "[serve]"),
        (
            "agi = \"127.0.0.1:0\"\nagi_peers = [\"192.0.2.1\"]\n",
            "[serve]",
        ),
        (
            "agi = \"127.0.0.1:0\"\nagi_key = \"short.key\"\n",
            "[serve]",
        ),
        ("users = [1000]\n", "[serve]"),
        ("group = \"no-such-group\"\n", "the group"),
        ("connections = 0\n", "[serve]"),
        ("calls = 1000000\n", "[serve]"),
        ("mode = \"0666\"\n", "unknown field"),
    ] {
        let file = configured(&lab, "https://localhost:1", more);
        let refused = run(&["endpoint", "serve", "--config", &file]);
        assert_eq!(code(&refused), Some(1), "{more}");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains(words), "{more}: {said}");
    }
    let without = run(&["endpoint", "serve", "--lab", lab.dir()]);
    assert_eq!(code(&without), Some(1));
}

#[test]
fn the_examples_of_the_packages_are_configurations() {
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging");
    let folder = tempfile::tempdir().unwrap();
    for example in ["systemd/endpoint.toml", "openwrt/files/endpoint.toml"] {
        let text = fs::read_to_string(packaging.join(example)).unwrap();
        // What is commented out is to be right, too.
        let all = text.replace("# agi", "agi").replace("# group", "group");
        for text in [text, all] {
            let file = folder.path().join("endpoint.toml");
            fs::write(&file, text).unwrap();
            let serve = ["endpoint", "serve", "--config", file.to_str().unwrap()];
            let said = run(&serve);
            let said = String::from_utf8_lossy(&said.stderr).into_owned();
            // It is understood; only the files that it names are not there.
            assert!(said.contains(".pem: No such file"), "{example}: {said}");
        }
    }
}
