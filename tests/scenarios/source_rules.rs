//! Rules that the source of the core crates keeps, looked for in its text.

use std::path::{Path, PathBuf};

/// The source files of the core crates that ship, without their tests.
fn sources() -> Vec<(PathBuf, String)> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core");
    let mut found = Vec::new();
    for name in [
        "stir", "oob", "session", "net", "endpoint", "cps", "cli", "raw-rsa",
    ] {
        collect(&core.join(name).join("src"), &mut found);
    }
    assert!(found.len() > 200, "the source is there");
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// The files, relative to `core`, in which one of these words stands.
fn with(words: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| words.iter().any(|word| text.contains(word)))
        .map(|(path, _)| {
            let path = path.to_str().unwrap();
            path.split_once("../core/").unwrap().1.to_owned()
        })
        .collect();
    found.sort();
    found
}

// PRV-53
#[test]
fn randomness_comes_from_the_platform_in_one_place_per_cryptographic_library() {
    let found = with(&[
        "getrandom::",
        "SystemRandom",
        "OsRng",
        "SysRng",
        "thread_rng",
        "aws_lc_rs::rand",
    ]);
    assert_eq!(
        found,
        ["net/src/crypto.rs", "stir/src/crypto/rust_crypto.rs"]
    );
}

// PRV-4: nobody authenticates a sender, and no context seals twice.
#[test]
fn no_mode_of_hpke_but_the_base_mode_is_named() {
    let found = with(&[
        "OpModeS::Auth",
        "OpModeS::Psk",
        "OpModeR::Auth",
        "OpModeR::Psk",
    ]);
    assert_eq!(found, [""; 0]);
}
