//! `cargo xtask fuzz`: runs of libFuzzer over the targets in `tests/fuzz`, several at a time, each
//! for the same while. `docs/fuzzing.md` says what the targets are and keeps the closing lines.
//!
//! What a run collects lies in the build folder; the checkout is only read, so that a run never
//! leaves something behind that would be checked in by mistake.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use crate::options::FuzzOptions;
use crate::process::{self, Stop};
use crate::targets;
use crate::workspace::Workspace;

/// The version that the options below are written for.
const VERSION: &str = "0.13.2";

/// Folder of the libFuzzer targets.
const FOLDER: &str = "tests/fuzz";

/// What every run is told besides its time. An input that takes five seconds, a single allocation of
/// 64 MiB or a process of 1 GiB (of which the address sanitizer keeps a quarter back) is a fault: no
/// parser reads more than 64 KiB at once, and none may need more than a small multiple of it.
const LIMITS: [&str; 5] = [
    "-max_len=65536",
    "-timeout=5",
    "-rss_limit_mb=1024",
    "-malloc_limit_mb=64",
    "-print_final_stats=1",
];

/// Builds and runs what was asked for, prints each target's closing lines and a table of all.
///
/// # Errors
///
/// [`Stop::Failed`] if a tool or a build fails, a name is unknown, or a target crashed, hung or grew.
pub(crate) fn command(workspace: &mut Workspace, options: &FuzzOptions) -> Result<(), Stop> {
    let targets = select(&known(workspace)?, &options.targets)?;
    let binaries = build(workspace)?;
    let queue = Mutex::new(targets.iter());
    let rows = Mutex::new(Vec::new());
    let here: &Workspace = workspace;
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.min(targets.len()) {
            scope.spawn(|| {
                while let Some(target) = next(&queue) {
                    let row = run(here, &binaries, target, options.seconds);
                    let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                    println!("{}", row.closing);
                    rows.push(row);
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by(|one, other| one.target.cmp(&other.target));
    println!("\n{}", table(&rows));
    let failed: Vec<&str> = rows
        .iter()
        .filter(|row| row.fault.is_some())
        .map(|row| row.target.as_str())
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Stop::Failed(format!("{} failed", failed.join(", "))))
    }
}

fn next<'a>(queue: &Mutex<std::slice::Iter<'a, String>>) -> Option<&'a String> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// The targets that have a binary, by name.
fn known(workspace: &Workspace) -> Result<Vec<String>, Stop> {
    let folder = workspace.require(FOLDER)?.join("fuzz_targets");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .map_err(|fault| unusable(&folder, &fault))?
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".rs").map(str::to_owned)
        })
        .collect();
    names.sort();
    Ok(names)
}

/// All targets, or those that were named.
fn select(known: &[String], named: &[String]) -> Result<Vec<String>, Stop> {
    if named.is_empty() {
        return Ok(known.to_vec());
    }
    match named.iter().find(|name| !known.contains(name)) {
        Some(unknown) => Err(Stop::Failed(format!(
            "no target `{unknown}`; there are: {}",
            known.join(", ")
        ))),
        None => Ok(named.to_vec()),
    }
}

/// Builds all targets with coverage and the address sanitizer; returns the folder of the binaries.
fn build(workspace: &mut Workspace) -> Result<PathBuf, Stop> {
    let host = targets::host()?;
    let tool = install(workspace)?;
    let target = workspace.target("fuzz");
    let mut command = workspace.command(tool);
    command.args(["build", "--fuzz-dir", FOLDER, "--target", &host]);
    command.arg("--target-dir").arg(&target);
    // The sanitizer's and the coverage flags are unstable; on a stable tool chain this admits them.
    command.env("RUSTC_BOOTSTRAP", "1");
    workspace.run(&mut command)?;
    Ok(target.join(host).join("release"))
}

/// cargo-fuzz of our version: the installed one, or our own in the build folder, built if need be.
fn install(workspace: &mut Workspace) -> Result<PathBuf, Stop> {
    let root = workspace.target("tools");
    let own = root
        .join("bin")
        .join(format!("cargo-fuzz{}", std::env::consts::EXE_SUFFIX));
    for candidate in [own.clone(), PathBuf::from("cargo-fuzz")] {
        let version = process::ask(workspace.command(&candidate).arg("--version"));
        if version.is_some_and(|text| text.split_whitespace().any(|word| word == VERSION)) {
            return Ok(candidate);
        }
    }
    let mut cargo = workspace.cargo("install");
    cargo.args(["cargo-fuzz", "--locked", "--version", VERSION, "--root"]);
    cargo.arg(root);
    // It only starts cargo: no time is spent on making it fast.
    cargo
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    workspace.run(&mut cargo)?;
    Ok(own)
}

/// How one target's run ended.
#[derive(Debug, Default)]
struct Row {
    target: String,
    /// libFuzzer's own last lines, under the target's name.
    closing: String,
    executions: String,
    coverage: String,
    peak_mib: String,
    /// Why it is no success.
    fault: Option<String>,
}

fn run(workspace: &Workspace, binaries: &Path, target: &str, seconds: u64) -> Row {
    match attempt(workspace, binaries, target, seconds) {
        Ok(row) => row,
        Err(stop) => Row {
            target: target.to_owned(),
            closing: format!("\n=== {target}: {stop}"),
            fault: Some(stop.to_string()),
            ..Row::default()
        },
    }
}

fn attempt(
    workspace: &Workspace,
    binaries: &Path,
    target: &str,
    seconds: u64,
) -> Result<Row, Stop> {
    let collected = folder(workspace, "fuzz/corpus", target)?;
    let artifacts = folder(workspace, "fuzz/artifacts", target)?;
    let log_path = workspace.target("fuzz").join(format!("{target}.log"));
    let log = File::create(&log_path).map_err(|fault| unusable(&log_path, &fault))?;
    let mut command = workspace.command(binaries.join(target));
    command
        .args(LIMITS)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        // New inputs go to the first folder; the seeds are only read.
        // As `cargo fuzz run` sets it: crates that are linked twice are no fault of the target.
        .env("ASAN_OPTIONS", "detect_odr_violation=0")
        .arg(collected)
        .arg(workspace.path(FOLDER).join("corpus").join(target))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    println!(
        "=== {target}: {seconds} seconds, log in {}",
        log_path.display()
    );
    let status = command
        .status()
        .map_err(|fault| Stop::Failed(format!("{target} did not start: {fault}")))?;
    let text = fs::read(&log_path).map_err(|fault| unusable(&log_path, &fault))?;
    let fault = (!status.success()).then(|| format!("{status}"));
    Ok(read(target, &String::from_utf8_lossy(&text), fault))
}

/// A folder of one target below the build folder.
fn folder(workspace: &Workspace, kind: &str, target: &str) -> Result<PathBuf, Stop> {
    let path = workspace.target(kind).join(target);
    fs::create_dir_all(&path).map_err(|fault| unusable(&path, &fault))?;
    Ok(path)
}

/// Takes the closing lines out of libFuzzer's output.
fn read(target: &str, log: &str, fault: Option<String>) -> Row {
    let mut row = Row {
        target: target.to_owned(),
        closing: format!("\n=== {target}"),
        ..Row::default()
    };
    for line in log.lines() {
        let is_last_state = line.starts_with('#') && line.contains("\tDONE ");
        let is_closing = line.starts_with("Done ") || line.starts_with("stat::");
        let is_fault = line.starts_with("SUMMARY: ")
            || line.starts_with("Test unit written to ")
            || line.contains("panicked at ");
        if !(is_last_state || is_closing || is_fault) {
            continue;
        }
        row.closing.push('\n');
        row.closing.push_str(line.trim_end());
        if is_last_state && let Some((_, rest)) = line.split_once("cov: ") {
            row.coverage = first_word(rest);
        }
        if let Some(value) = line.strip_prefix("stat::number_of_executed_units:") {
            row.executions = first_word(value);
        }
        if let Some(value) = line.strip_prefix("stat::peak_rss_mb:") {
            row.peak_mib = first_word(value);
        }
    }
    // A run that says nothing at its end was ended by something else: no success either.
    row.fault = fault.or_else(|| {
        (row.executions.is_empty() || row.coverage.is_empty())
            .then(|| "no closing lines".to_owned())
    });
    if let Some(fault) = &row.fault {
        row.closing.push('\n');
        row.closing.push_str(fault);
    }
    row
}

fn first_word(text: &str) -> String {
    text.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// All runs as a table for `docs/fuzzing.md`.
fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| Target | Executions | Edges covered | Peak memory, MiB | Result |\n|---|--:|--:|--:|---|\n",
    );
    for row in rows {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            row.target,
            row.executions,
            row.coverage,
            row.peak_mib,
            row.fault.as_deref().unwrap_or("nothing found"),
        ));
    }
    text
}

fn unusable(path: &Path, fault: &std::io::Error) -> Stop {
    Stop::Failed(format!("{}: {fault}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: seed corpus: files: 9\n\
        #2048\tpulse  cov: 90 ft: 210 corp: 12/1Kb exec/s: 1024 rss: 60Mb\n\
        #4096\tDONE   cov: 123 ft: 456 corp: 30/2Kb lim: 4096 exec/s: 409 rss: 70Mb\n\
        Done 4096 runs in 10 second(s)\n\
        stat::number_of_executed_units: 4096\n\
        stat::average_exec_per_sec:     409\n\
        stat::peak_rss_mb:              71\n";

    #[test]
    fn closing_lines_become_a_row() {
        let row = read("jws", LOG, None);
        assert_eq!(
            (row.executions, row.coverage, row.peak_mib, row.fault),
            ("4096".into(), "123".into(), "71".into(), None)
        );
        assert!(row.closing.starts_with("\n=== jws\n#4096\tDONE"));
        assert!(!row.closing.contains("pulse"));
    }

    #[test]
    fn a_crash_is_a_fault_and_names_its_input() {
        let log = "==7== ERROR: libFuzzer: deadly signal\nSUMMARY: libFuzzer: deadly signal\n\
            Test unit written to here/crash-1\n";
        let row = read("jws", log, Some("exit status: 77".to_owned()));
        assert_eq!(row.fault.as_deref(), Some("exit status: 77"));
        assert!(row.closing.contains("Test unit written to here/crash-1"));
    }

    #[test]
    fn a_run_without_closing_lines_is_no_success() {
        assert_eq!(
            read("jws", "INFO: seed corpus\n", None).fault.as_deref(),
            Some("no closing lines")
        );
    }

    #[test]
    fn unknown_targets_are_refused_and_none_means_all() {
        let known = ["blob".to_owned(), "jws".to_owned()];
        assert_eq!(select(&known, &[]), Ok(known.to_vec()));
        assert_eq!(select(&known, &known[1..]), Ok(known[1..].to_vec()));
        assert!(select(&known, &["jsw".to_owned()]).is_err());
    }
}
