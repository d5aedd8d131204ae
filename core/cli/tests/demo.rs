//! `ringtrue demo` as a person and as a program see it.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, also in the helpers of its tests"
)]

use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;

/// Who learns about what which verdict, and why.
type Learned = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

/// Every scene with what is learned in it, in that order.
const SCENES: [(&str, &[Learned]); 14] = [
    (
        "call",
        &[
            ("bob", "ring", "verified", None),
            ("alice", "answer", "verified", None),
        ],
    ),
    (
        "call_back",
        &[
            ("alice", "ring", "verified", None),
            ("bob", "answer", "verified", None),
        ],
    ),
    (
        "impostor_without_passport",
        &[("bob", "ring", "no_record", None)],
    ),
    (
        "impostor_other_number",
        &[("bob", "ring", "refused", Some("number_not_covered"))],
    ),
    (
        "impostor_own_root",
        &[("bob", "ring", "refused", Some("no_path_to_anchor"))],
    ),
    (
        "replay",
        &[
            ("bob", "ring", "verified", None),
            ("bob", "ring", "refused", Some("replayed")),
        ],
    ),
    ("tampered_blob", &[("bob", "ring", "no_record", None)]),
    (
        "moved_blob",
        &[
            ("bob", "ring", "no_record", None),
            ("bob", "ring", "verified", None),
        ],
    ),
    (
        "wrong_party_answers",
        &[("alice", "answer", "refused", Some("number_not_covered"))],
    ),
    (
        "confirmed",
        &[
            ("bob", "ring", "confirmed", None),
            ("alice", "answer", "confirmed", None),
        ],
    ),
    (
        "two_calls",
        &[
            ("bob", "ring", "verified", None),
            ("bob", "ring", "conflicting", Some("concurrent_call")),
            ("bob", "ring", "conflicting", Some("concurrent_call")),
        ],
    ),
    (
        "caller_gone",
        &[("bob", "ring", "conflicting", Some("caller_gone"))],
    ),
    (
        "service_stopped",
        &[
            ("alice", "place", "unprotected", Some("relay_failed")),
            ("bob", "ring", "unavailable", Some("relay_failed")),
        ],
    ),
    (
        "service_silent",
        &[
            ("alice", "place", "unprotected", Some("deadline_passed")),
            ("bob", "ring", "unavailable", Some("deadline_passed")),
        ],
    ),
];

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringtrue"))
        .arg("demo")
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn assert_no_number_on_standard_error(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    // What all numbers of the demo begin with.
    assert!(!stderr.contains("20255501"), "{stderr}");
}

/// One run with the most talkative log there is, which several tests look at.
static TOLD_AS_JSON: LazyLock<Output> = LazyLock::new(|| demo(&["--json", "--log", "trace"]));

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

#[test]
fn json_has_every_scene_with_the_right_outcomes() {
    let output = &*TOLD_AS_JSON;
    assert!(!output.stderr.is_empty());
    assert_no_number_on_standard_error(output);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["ok"], true);
    assert!(report["elapsed_ms"].as_f64().unwrap() > 0.0);
    assert!(report.get("folder").is_none());

    let scenes = report["scenes"].as_array().unwrap();
    let names: Vec<&str> = scenes.iter().map(|scene| text(scene, "scene")).collect();
    let expected: Vec<&str> = SCENES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected);
    for (scene, (name, outcomes)) in scenes.iter().zip(SCENES) {
        assert_eq!(scene["ok"], true, "{name}");
        let learned = scene["outcomes"].as_array().unwrap();
        assert_eq!(learned.len(), outcomes.len(), "{name}");
        for (outcome, (who, of, verdict, reason)) in learned.iter().zip(outcomes) {
            assert_eq!(outcome["who"], *who, "{name}");
            assert_eq!(outcome["of"], *of, "{name}");
            assert_eq!(outcome["ok"], true, "{name}");
            let got = &outcome["got"];
            assert_eq!(got["verdict"], *verdict, "{name}");
            let reasons = got["reasons"].as_array().unwrap();
            match reason {
                Some(reason) => assert!(reasons.iter().any(|given| given == reason), "{name}"),
                None => assert!(reasons.is_empty(), "{name}"),
            }
            assert_eq!(outcome["expected"]["verdict"], *verdict, "{name}");
            assert!(outcome["elapsed_ms"].is_number() && outcome["deadline_ms"].is_number());
        }
    }
}

#[test]
fn the_calls_have_their_steps_and_all_their_checks_and_tell_the_service_nothing() {
    let report: Value = serde_json::from_slice(&TOLD_AS_JSON.stdout).unwrap();
    for (index, caller, callee) in [(0, "alice", "bob"), (1, "bob", "alice")] {
        let scene = &report["scenes"][index];
        let steps_of = |who: &str| -> Vec<&str> {
            let steps = scene["steps"].as_array().unwrap();
            let own = steps.iter().filter(|step| step["who"] == who);
            own.map(|step| text(step, "step")).collect()
        };
        assert_eq!(
            steps_of(caller),
            [
                "lookup",
                "check_keys",
                "sign_and_seal",
                "store",
                "dial",
                "await",
                "retrieve",
                "open",
                "check",
                "mark_used"
            ]
        );
        assert_eq!(
            steps_of(callee),
            [
                "ring",
                "retrieve",
                "open",
                "check",
                "mark_used",
                "answer",
                "look_again",
                "sign_and_seal",
                "store"
            ]
        );
        for outcome in scene["outcomes"].as_array().unwrap() {
            let checks = outcome["got"]["checks"].as_array().unwrap();
            assert_eq!(checks.len(), 9);
            assert!(checks.iter().all(|check| check["result"] == "passed"));
        }
        let seen = &scene["service_saw"];
        assert_eq!(seen["counts"]["stores"], 2);
        assert_eq!(seen["counts"]["blobs_held"], 2);
        assert_eq!(seen["counts"]["refusals"], 0);
        let requests = seen["requests"].as_array().unwrap();
        for request in requests {
            // A telephone itself asks for what is everybody's, and for tokens; a relay for the rest.
            let (from, path) = (text(request, "from"), text(request, "path"));
            let issuer = "/.well-known/private-token-issuer-directory";
            let names_a_number = path.starts_with("/keys/") || path.starts_with("/cps/");
            match path {
                "/ohttp-keys" => {}
                "/token-request" => assert_eq!(from, "telephone"),
                _ if path == issuer => assert!(request["at_ms"].as_f64().unwrap() < 0.0),
                _ => assert!(names_a_number && from == "relay", "{from}: {path}"),
            }
        }
        for (from, path) in [
            ("relay", "/ohttp-keys"),
            ("telephone", "/ohttp-keys"),
            ("relay", "/.well-known/private-token-issuer-directory"),
            ("telephone", "/.well-known/private-token-issuer-directory"),
        ] {
            let is_it = |request: &&Value| request["from"] == from && request["path"] == path;
            assert!(
                requests.iter().any(|request| is_it(&request)),
                "{from}: {path}"
            );
        }
        for mailbox in seen["mailboxes"].as_array().unwrap() {
            assert_eq!(mailbox["other_found"], 0);
            assert!(mailbox["searched_octets"].as_u64().unwrap() > 0);
        }
        // The search does find what it looks for, where that is.
        assert!(seen["mailboxes"][0]["other_in_passport"].as_u64().unwrap() > 0);
    }
}

#[test]
fn the_story_is_plain_narrow_text_when_it_is_piped() {
    let output = demo(&[]);
    assert_no_number_on_standard_error(&output);
    assert_eq!(output.status.code(), Some(0));
    let story = stdout(&output);
    assert!(!story.contains('\x1b'));
    assert!(story.is_ascii());
    assert!(story.lines().all(|line| line.len() <= 79), "{story}");
    assert!(
        !story.lines().any(|line| line.starts_with("NO ")),
        "{story}"
    );
    for part in [
        "Alice's phone",
        "DIAL",
        "RINGS",
        "PICKS UP",
        "VERIFIED, 9 of 9 checks",
        "What the service could see",
        "REFUSED: number_not_covered",
        "REFUSED: no_path_to_anchor",
        "REFUSED: replayed",
        "CONFIRMED",
        "CONFLICTING: concurrent_call",
        "CONFLICTING: caller_gone",
        "NO_RECORD",
        "UNPROTECTED: relay_failed",
        "UNAVAILABLE: deadline_passed",
        "expected",
        "Everything came out as it should",
    ] {
        assert!(story.contains(part), "{part} is not in:\n{story}");
    }
}

#[test]
fn the_folder_is_kept_only_if_asked_for() {
    let kept = demo(&["--json", "--keep"]);
    let report: Value = serde_json::from_slice(&kept.stdout).unwrap();
    let folder = std::path::PathBuf::from(text(&report, "folder"));
    assert!(folder.join("lab.toml").is_file() && folder.join("root.pem").is_file());
    std::fs::remove_dir_all(folder).unwrap();

    // Nothing is left where temporary files go.
    let temporary = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ringtrue"))
        .arg("demo")
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn usage_errors_end_with_2() {
    assert_eq!(demo(&["--loud"]).status.code(), Some(2));
    assert_eq!(demo(&["extra"]).status.code(), Some(2));
}
