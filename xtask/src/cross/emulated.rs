//! One emulated platform: builds the tests of the core and the C interface, and runs them there.

use std::path::Path;
use std::time::Instant;

use super::artefacts::{Artefacts, Program};
use super::{aim, libcurl};
use crate::options::CrossOptions;
use crate::process::{self, Stop};
use crate::report::{Line, Report};
use crate::steps::foreign::find_python;
use crate::targets::Emulated;
use crate::workspace::Workspace;

/// What runs on a foreign processor: everything that an endpoint or firmware links, and the token
/// issuer's calls into C, each with its own tests.
const TESTED: [&str; 7] = [
    "ringtrue-stir",
    "ringtrue-oob",
    "ringtrue-session",
    "ringtrue-net",
    "ringtrue",
    "ringtrue-c",
    "ringtrue-raw-rsa",
];

/// The package whose tests are C programs as well.
const C: &str = "ringtrue-c";

/// How often a property is tried with other random input; 256 times where nothing is emulated. Tests that
/// name a number of their own keep it.
const CASES: &str = "32";

/// Test builds of the project's own code, which are not optimised elsewhere: the emulator runs optimised
/// code several times as fast, and back traces from there are not looked at.
const PROFILE: [(&str, &str); 2] = [
    ("CARGO_PROFILE_DEV_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_DEV_DEBUG", "false"),
];

/// Builds and runs what was asked for, package by package; adds a line for each to `report`.
///
/// # Errors
///
/// [`Stop::Failed`] if the build or a test failed, [`Stop::Skipped`] if something is missing that cannot be
/// installed.
pub(super) fn test(
    workspace: &mut Workspace,
    target: &Emulated,
    options: &CrossOptions,
    report: &mut Report,
) -> Result<(), Stop> {
    let packages: Vec<&str> = if options.packages.is_empty() {
        TESTED.to_vec()
    } else {
        options.packages.iter().map(String::as_str).collect()
    };
    let start = Instant::now();
    let made = build(workspace, target, options, &packages);
    report.add(Line {
        step: format!("{}: build", target.triple).into(),
        outcome: made.as_ref().map(|_| ()).map_err(Stop::clone),
        elapsed: start.elapsed(),
        counts: workspace.take_counts(),
    });
    let made = made?;
    println!("Properties are tried {CASES} times, not 256: emulation is slow.");
    let mut failed = Vec::new();
    for package in &packages {
        let programs = made
            .programs
            .iter()
            .filter(|program| program.package == **package);
        let mut part = |name: &str, run: &mut dyn FnMut(&mut Workspace) -> Result<(), Stop>| {
            println!("\n--- {}: {name}", target.triple);
            let start = Instant::now();
            let outcome = run(workspace);
            if let Err(stop) = &outcome {
                println!("--- {}: {name} {stop}", target.triple);
            }
            if matches!(outcome, Err(Stop::Failed(_))) {
                failed.push(name.to_owned());
            }
            report.add(Line {
                step: format!("{}: {name}", target.triple).into(),
                outcome,
                elapsed: start.elapsed(),
                counts: workspace.take_counts(),
            });
        };
        part(package, &mut |workspace| {
            run(workspace, target, programs.clone())
        });
        if *package == C {
            let library = made.library.as_deref();
            part("C programs", &mut |workspace| {
                c_programs(workspace, target, library)
            });
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Stop::Failed(failed.join(", ")))
    }
}

/// Builds the tests, and the C interface.
fn build(
    workspace: &mut Workspace,
    target: &Emulated,
    options: &CrossOptions,
    packages: &[&str],
) -> Result<Artefacts, Stop> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--locked", "--lib", "--tests"]).envs(PROFILE);
    for package in packages {
        cargo.args(["--package", package]);
    }
    aim(workspace, target, options.from_source, &mut cargo)?;
    workspace.run(&mut cargo)?;
    // Once more for what it made: everything is there already.
    let printed = process::ask(cargo.args(["--message-format", "json"]));
    Ok(Artefacts::read(&printed.unwrap_or_default()))
}

/// Runs the test programs of one package under the emulator, also those behind one that failed.
fn run<'a>(
    workspace: &mut Workspace,
    target: &Emulated,
    programs: impl Iterator<Item = &'a Program>,
) -> Result<(), Stop> {
    let mut outcome = Ok(());
    for program in programs {
        let mut command = target.emulated(&target.libraries(), &program.path);
        command
            .current_dir(&program.folder)
            // As cargo does.
            .env("CARGO_MANIFEST_DIR", &program.folder)
            .env("PROPTEST_CASES", CASES);
        outcome = outcome.and(workspace.run(&mut command));
    }
    outcome?;
    workspace.require_tests()
}

/// Compiles the C programs for the platform and runs them, against a service of this machine.
fn c_programs(
    workspace: &mut Workspace,
    target: &Emulated,
    library: Option<&Path>,
) -> Result<(), Stop> {
    let tests = workspace.require("bindings/c/tests")?;
    let python = find_python()?;
    let folder = library
        .and_then(Path::parent)
        .ok_or_else(|| Stop::Failed("no library of the C interface was built".to_owned()))?;
    let command = workspace.ringtrue_alone()?;
    let mut tests_of_c = workspace.command(python);
    tests_of_c
        .args(["-B", "-m", "unittest", "discover", "--verbose"])
        .arg("--start-directory")
        .arg(tests)
        .env("RINGTRUE_BIN", command)
        .env("RINGTRUE_C_LIBRARY", folder)
        .env("RINGTRUE_C_PLATFORM", target.gnu)
        .env("RINGTRUE_C_EMULATOR", target.emulator);
    match libcurl::root(workspace, target) {
        Ok(root) => {
            tests_of_c.env("RINGTRUE_C_ROOT", root);
        }
        // The tests name each program that they leave out for it.
        Err(Stop::Skipped(why)) => println!("No libcurl for {}: {why}", target.gnu),
        Err(stop) => return Err(stop),
    }
    workspace.run(&mut tests_of_c)?;
    workspace.require_tests()
}
