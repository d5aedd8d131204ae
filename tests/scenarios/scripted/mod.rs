//! Scenario files: the same scripts in every language (tests/scenarios/files/README.md).

mod cast;
mod draft;
mod host;
mod key_cases;
mod place_cases;
mod ring_cases;
mod runner;

use std::path::{Path, PathBuf};

use serde_json::Value;

use self::draft::Draft;

/// Set to write the files anew instead of comparing them.
const WRITE: &str = "RINGTRUE_WRITE_SCENARIO_FILES";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/files")
}

fn drafts() -> Vec<Draft> {
    let cases = [ring_cases::all(), place_cases::all(), key_cases::all()];
    cases.into_iter().flatten().collect()
}

/// What is in the folder, by name.
fn files() -> Vec<(String, Value)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((name, serde_json::from_str(&text).unwrap()));
        }
    }
    files.sort_by(|one, other| one.0.cmp(&other.0));
    files
}

#[test]
fn the_files_are_what_their_generator_writes() {
    for draft in drafts() {
        let path = folder().join(format!("{}.json", draft.name()));
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&path, draft.text()).unwrap();
        }
        let held = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            held == draft.text(),
            "{} is not what the generator writes; {WRITE}=1 writes it",
            draft.name()
        );
    }
    assert_eq!(files().len(), drafts().len(), "a file without a generator");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_file_runs_as_it_says() {
    let files = files();
    assert!(files.len() >= 12, "the files are there");
    let (mut skipped, mut running, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for (name, file) in files {
        assert_eq!(file["name"], name.as_str());
        let missing = runner::missing(&file);
        if missing.is_empty() {
            // Each says for itself what went wrong.
            running.push((name, tokio::spawn(async move { runner::run(&file).await })));
        } else {
            skipped.push(format!("{name} ({})", missing.join(", ")));
        }
    }
    for (name, run) in running {
        if run.await.is_err() {
            failed.push(name);
        }
    }
    assert_eq!(failed, [""; 0]);
    // Only for what the Rust interface has no call for.
    assert_eq!(
        skipped,
        ["closed (close)", "public-keys-fail (public_key_callback)"]
    );
}
