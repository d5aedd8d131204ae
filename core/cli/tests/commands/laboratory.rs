//! The laboratory, and usage that is wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::processes::{ALICE, BOB, Laboratory, code, run};

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
