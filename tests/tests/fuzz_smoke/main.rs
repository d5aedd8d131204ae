//! Runs each fuzz target over its seeds and over deterministic mutations of them, on any tool chain.
//!
//! `RINGTRUE_FUZZ_ROUNDS` is the number of mutations for each target; the same number gives the same
//! octets, on every machine. `RINGTRUE_FUZZ_SECONDS` goes on with the same sequence until that time is
//! over, for each target. An input that fails is written to the temporary folder and named.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test: what surprises them must stop it"
)]

mod mutation;

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mutation::Mutator;
use ringtrue_tests::fuzz_targets::{TARGETS, Target};

/// Mutations for each target unless the environment says otherwise: well below a second each.
const DEFAULT_ROUNDS: usize = 2000;

/// Larger than each parser's limit for a single value, so that the limits are crossed too.
const MAX_LEN: usize = 64 * 1024;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(name)
}

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder("corpus").join(target))
        .unwrap_or_else(|fault| panic!("no corpus for {target}: {fault}"))
        .map(|entry| entry.expect("a readable corpus").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a readable seed"))
        .collect()
}

fn rounds() -> usize {
    match std::env::var("RINGTRUE_FUZZ_ROUNDS") {
        Ok(text) => text.parse().expect("RINGTRUE_FUZZ_ROUNDS is a number"),
        Err(_) => DEFAULT_ROUNDS,
    }
}

/// How long each target runs at least.
fn duration() -> Duration {
    match std::env::var("RINGTRUE_FUZZ_SECONDS") {
        Ok(text) => Duration::from_secs(text.parse().expect("RINGTRUE_FUZZ_SECONDS is a number")),
        Err(_) => Duration::ZERO,
    }
}

fn feed(target: Target, input: &[u8]) {
    if catch_unwind(|| (target.run)(input)).is_err() {
        let path = std::env::temp_dir().join(format!("ringtrue-fuzz-{}", target.name));
        fs::write(&path, input).expect("the temporary folder is writable");
        panic!(
            "{} failed on the {} octets in {}",
            target.name,
            input.len(),
            path.display()
        );
    }
}

fn smoke(name: &str) {
    let target = *TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("a known target");
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "no seed for {name}");
    feed(target, &[]);
    for seed in &seeds {
        feed(target, seed);
    }
    let mut mutator = Mutator::new(name);
    let (rounds, duration, start) = (rounds(), duration(), Instant::now());
    let mut round = 0;
    while round < rounds || start.elapsed() < duration {
        let seed = &seeds[round % seeds.len()];
        feed(target, &mutator.mutate(seed, &seeds, MAX_LEN));
        round += 1;
    }
}

/// One test for each target, so that they run in parallel and fail by name.
macro_rules! smoke_tests {
    ($($name:ident)*) => {
        const TESTED: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                smoke(stringify!($name));
            }
        )*
    };
}

smoke_tests! {
    agi_request base64url base_url binary_http blob certificate certificate_bag certificate_request claims constraints
    content crl daemon_request encapsulated gateway_keys http_answer http_request identity_header issuer_directory jcard json jws
    key_statement keys number passport private_key rcd reason_header sct_list sdp signature sip_date sip_uri
    state_record storage_token tn_auth_list token_authorization token_headers trust_bundle
    verify_path x5u
}

#[test]
fn every_target_has_a_test_a_corpus_and_a_libfuzzer_binary() {
    let manifest = fs::read_to_string(folder("Cargo.toml")).expect("the fuzz package");
    for Target { name, .. } in TARGETS {
        assert!(TESTED.contains(&name), "{name} has no test");
        assert!(folder("corpus").join(name).is_dir(), "{name} has no corpus");
        let path = format!("fuzz_targets/{name}.rs");
        assert!(manifest.contains(&path), "{name} is not in the manifest");
        let source = fs::read_to_string(folder(&path)).expect("the binary's source");
        assert!(
            source.contains(&format!("\"{name}\"")),
            "{name} runs something else"
        );
    }
    assert_eq!(TESTED.len(), TARGETS.len(), "a test without a target");
}
