//! `docs/conformance.md` and `docs/privacy.md` are checked against the sources: every requirement of
//! their lists stands there once, every file exists, every test that is named as a proof is a test, and
//! the outcomes of the vectors are those that the library gives.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test: what surprises them must stop it"
)]

mod outcomes;
mod privacy;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "docs/conformance.md";

/// Numbers from the first to the last of a kind of requirement.
struct Range(&'static str, u32, u32);

/// The requirements that bind an endpoint or a gateway.
const REQUIREMENTS: [Range; 24] = [
    Range("PPT", 1, 22),
    Range("PPT", 30, 34),
    Range("PPT", 40, 45),
    Range("PPT", 50, 63),
    Range("PPT", 70, 84),
    Range("PPT", 90, 96),
    Range("CRT", 1, 12),
    Range("CRT", 20, 23),
    Range("CRT", 25, 26),
    Range("CRT", 30, 48),
    Range("CRT", 50, 62),
    Range("CRT", 70, 75),
    Range("SIP", 1, 9),
    Range("SIP", 20, 27),
    Range("SIP", 30, 36),
    Range("SIP", 40, 49),
    Range("SIP", 60, 64),
    Range("SIP", 70, 74),
    Range("SIP", 80, 85),
    Range("SCT", 10, 11),
    Range("SCT", 20, 26),
    Range("SCT", 40, 40),
    Range("RSP", 1, 16),
    Range("RSP", 20, 24),
];

/// Those whose names are no plain numbers.
const FURTHER_REQUIREMENTS: [&str; 2] = ["PPT-11a", "PPT-11b"];

/// Those that bind somebody else: authorities, logs, monitors, services.
const NOT_OURS: [&str; 13] = [
    "CRT-24", "CRT-27", "RSP-25", "RSP-26", "RSP-27", "SCT-1", "SCT-2", "SCT-3", "SCT-4", "SCT-5",
    "SCT-6", "SCT-30", "SCT-31",
];

/// What a proof may say instead of naming a test.
const REASONS: [&str; 3] = ["Does not arise: ", "Left to ", "Not implemented: "];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the checkout")
        .to_path_buf()
}

/// The text of a file of the checkout.
fn document(file: &str) -> String {
    fs::read_to_string(root().join(file)).expect(file)
}

/// The rows of the tables under a heading, header and rule left out, cells trimmed.
fn rows(document: &str, heading: &str) -> Vec<Vec<String>> {
    let start = document
        .find(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading}"));
    let section = &document[start + 1..];
    let section = section.find("\n## ").map_or(section, |end| &section[..end]);
    let mut rows = Vec::new();
    let mut is_body = false;
    for line in section.lines() {
        let Some(inner) = line.strip_prefix('|') else {
            is_body = false;
            continue;
        };
        if inner.starts_with("--") || inner.starts_with(":-") {
            is_body = true;
        } else if is_body {
            let inner = inner.strip_suffix('|').unwrap_or(inner);
            rows.push(
                inner
                    .split('|')
                    .map(|cell| cell.trim().to_owned())
                    .collect(),
            );
        }
    }
    assert!(!rows.is_empty(), "no table under {heading}");
    rows
}

/// The texts in backquotes.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Whether `path::name` is a test: the file exists, and the function bears a test attribute.
fn require_test(sources: &mut BTreeMap<PathBuf, String>, proof: &str, row: &str) {
    let (path, name) = proof
        .split_once("::")
        .unwrap_or_else(|| panic!("{row}: `{proof}` names no test"));
    let path = root().join(path);
    let source = sources.entry(path.clone()).or_insert_with(|| {
        fs::read_to_string(&path).unwrap_or_else(|_| panic!("{row}: no file {}", path.display()))
    });
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let definition = format!("fn {name}(");
    let is_test = lines.iter().enumerate().any(|(index, line)| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.starts_with(&definition)
            && lines[..index]
                .iter()
                .rev()
                .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
                .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    });
    assert!(is_test, "{row}: no test {name} in {}", path.display());
}

fn require_path(path: &str, row: &str) {
    assert!(root().join(path).exists(), "{row}: no {path}");
}

#[test]
fn every_requirement_stands_once_with_its_place_and_its_proof() {
    let document = document(FILE);
    let mut missing: BTreeSet<String> = BTreeSet::new();
    for Range(prefix, first, last) in REQUIREMENTS {
        missing.extend((first..=last).map(|number| format!("{prefix}-{number}")));
    }
    missing.extend(FURTHER_REQUIREMENTS.map(str::to_owned));
    let mut sources = BTreeMap::new();
    for row in rows(&document, "Requirements") {
        let [id, requirement, source, level, place, proof] = &row[..] else {
            panic!("six cells are wanted: {row:?}")
        };
        assert!(
            missing.remove(id),
            "{id} stands twice or is not in the list"
        );
        for cell in [requirement, source, level, proof] {
            assert!(!cell.is_empty(), "{id} has an empty cell");
        }
        for path in code(place) {
            require_path(path, id);
        }
        if REASONS.iter().any(|reason| proof.starts_with(reason)) {
            assert!(proof.len() > 40, "{id}: a reason is wanted");
            continue;
        }
        assert!(!code(place).is_empty(), "{id} is implemented nowhere");
        let proofs = code(proof);
        assert!(!proofs.is_empty(), "{id} has neither test nor reason");
        for proof in proofs {
            require_test(&mut sources, proof, id);
        }
    }
    assert!(missing.is_empty(), "without a row: {missing:?}");
}

#[test]
fn what_binds_others_is_listed_with_whom_it_binds() {
    let mut missing = BTreeSet::from(NOT_OURS);
    for row in rows(&document(FILE), "What binds others") {
        let id = row[0].as_str();
        assert!(
            missing.remove(id),
            "{id} stands twice or is not in the list"
        );
        assert!(
            row.len() == 3 && !row[1].is_empty() && !row[2].is_empty(),
            "{id}"
        );
    }
    assert!(missing.is_empty(), "without a row: {missing:?}");
}

#[test]
fn what_others_let_through_has_a_code_and_a_test_each() {
    let document = document(FILE);
    let codes: BTreeSet<&str> = ringtrue_stir::Reason::ALL
        .iter()
        .map(|reason| reason.name())
        .collect();
    let mut sources = BTreeMap::new();
    let rows = rows(&document, "What others let through");
    assert_eq!(rows.len(), 13);
    for row in rows {
        let [what, reasons, proof] = &row[..] else {
            panic!("three cells are wanted: {row:?}")
        };
        assert!(!code(reasons).is_empty(), "{what} has no code");
        for reason in code(reasons) {
            assert!(codes.contains(reason), "{what}: no code {reason}");
        }
        assert!(!code(proof).is_empty(), "{what} has no test");
        for proof in code(proof) {
            require_test(&mut sources, proof, what);
        }
    }
}

/// How many records a file of vectors holds.
fn records(path: &Path) -> usize {
    if path.extension().is_none_or(|extension| extension != "json") {
        return 1;
    }
    let text = fs::read_to_string(path).expect("a readable vector file");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let lists = [
        "cases",
        "chains",
        "claims",
        "claim_cases",
        "items",
        "values",
    ];
    let list = match &value {
        serde_json::Value::Object(members) => lists.iter().find_map(|name| members.get(*name)),
        _ => Some(&value),
    };
    match list {
        Some(serde_json::Value::Array(list)) => list.len(),
        Some(serde_json::Value::Object(members)) => members.len(),
        _ => 1,
    }
}

/// The files of `tests/vectors/stir-*`, relative to the checkout, those in their folders too.
fn vector_files() -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let vectors = root().join("tests/vectors");
    let mut folders: Vec<PathBuf> = fs::read_dir(&vectors)
        .expect("tests/vectors")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("stir-"))
        })
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "README.md") {
                let relative = path.strip_prefix(root()).expect("inside the checkout");
                files.insert(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    files
}

#[test]
fn every_vector_file_stands_once_with_its_records_its_outcome_and_its_test() {
    let document = document(FILE);
    let mut missing = vector_files();
    let mut sources = BTreeMap::new();
    for row in rows(&document, "Vectors") {
        let [file, count, outcome, proof] = &row[..] else {
            panic!("four cells are wanted: {row:?}")
        };
        for path in code(file) {
            let path = format!("tests/vectors/{path}");
            assert!(
                missing.remove(&path),
                "{path} stands twice or does not exist"
            );
            let records = records(&root().join(&path));
            assert_eq!(count, &records.to_string(), "records of {path}");
        }
        assert!(!outcome.is_empty(), "{file} has no outcome");
        assert!(!code(proof).is_empty(), "{file} is consumed by no test");
        for proof in code(proof) {
            require_test(&mut sources, proof, file);
        }
    }
    assert!(missing.is_empty(), "without a row: {missing:?}");
}

/// The rows under a heading must be these. What they should be is written to the temporary folder.
fn require_rows(heading: &str, expected: &[String]) {
    let rows: Vec<String> = rows(&document(FILE), heading)
        .iter()
        .map(|cells| format!("| {} |", cells.join(" | ")))
        .collect();
    if rows != expected {
        let file = heading.to_lowercase().replace(' ', "-");
        let path = std::env::temp_dir().join(format!("ringtrue-conformance-{file}.md"));
        fs::write(&path, expected.join("\n")).expect("the temporary folder is writable");
        panic!(
            "the outcomes under {heading} are not those in {}",
            path.display()
        );
    }
}

#[test]
fn live_chains_have_the_outcomes_that_are_stated() {
    require_rows("Live chains", &outcomes::live_chains());
}

#[test]
fn live_anomalies_have_the_outcomes_that_are_stated() {
    require_rows("Live anomalies", &outcomes::live_anomalies());
}

#[test]
fn constructed_chains_have_the_outcomes_that_are_stated() {
    require_rows("Constructed chains", &outcomes::constructed_chains());
}

#[test]
fn constructed_tokens_have_the_outcomes_that_are_stated() {
    require_rows("Constructed tokens", &outcomes::constructed_tokens());
}

#[test]
fn published_tokens_have_the_outcomes_that_are_stated() {
    require_rows("Published tokens", &outcomes::published_tokens());
}
