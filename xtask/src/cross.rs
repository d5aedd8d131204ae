//! `cargo xtask cross-test`: the tests of the core on other platforms, run under emulation, and a
//! check of the Rust code for platforms whose tools are not free to be had.
//!
//! `docs/targets.md` keeps what was built and run. It deliberately knows nothing of packaging: the
//! scripts in `android/` and `ios/` build what is shipped.

mod artefacts;
mod debian;
mod emulated;
mod libcurl;
mod standard;

use std::process::Command;
use std::time::Instant;

use self::standard::Standard;
use crate::options::CrossOptions;
use crate::process::{self, Stop};
use crate::report::{Line, Report};
use crate::targets::{self, CHECKED, Checked, EMULATED, Emulated};
use crate::workspace::Workspace;

/// What is checked for telephones: the whole SDK as its bindings link it.
const SHIPPED: &str = "ringtrue-uniffi";

/// Runs what was asked for, goes on after a failure, prints a table.
///
/// # Errors
///
/// [`Stop::Failed`] if a platform failed, [`Stop::Skipped`] if none could be judged.
pub(crate) fn command(workspace: &mut Workspace, options: &CrossOptions) -> Result<(), Stop> {
    let wanted = |triple: &str| {
        options.targets.is_empty() || options.targets.iter().any(|name| name == triple)
    };
    let mut outcomes = Vec::new();
    let mut report = Report::default();
    for target in EMULATED.iter().filter(|target| wanted(target.triple)) {
        println!("\n=== {}", target.triple);
        outcomes.push(emulated::test(workspace, target, options, &mut report));
    }
    for target in CHECKED.iter().filter(|target| wanted(target.triple)) {
        println!("\n=== {} ({})", target.triple, target.about);
        let start = Instant::now();
        let outcome = check(workspace, target, options.from_source);
        report.add(Line {
            step: format!("{}: check, not linked", target.triple).into(),
            outcome: outcome.clone(),
            elapsed: start.elapsed(),
            counts: workspace.take_counts(),
        });
        outcomes.push(outcome);
    }
    println!("\n{}", report.render().trim_end());
    workspace.add_counts(report.counts());
    verdict(outcomes.into_iter())
}

/// Fails if one failed; is skipped if nothing was judged.
fn verdict(outcomes: impl Iterator<Item = Result<(), Stop>>) -> Result<(), Stop> {
    let (mut passed, mut skipped) = (false, Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(()) => passed = true,
            Err(Stop::Failed(reason)) => return Err(Stop::Failed(reason)),
            Err(Stop::Skipped(reason)) => skipped.push(reason),
        }
    }
    if passed {
        Ok(())
    } else {
        Err(Stop::Skipped(skipped.join("; ")))
    }
}

/// Directs a cargo command to an emulated platform, and gets what that needs.
///
/// # Errors
///
/// [`Stop::Skipped`] if something is missing that cannot be installed.
pub(crate) fn aim(
    workspace: &mut Workspace,
    target: &Emulated,
    from_source: bool,
    cargo: &mut Command,
) -> Result<(), Stop> {
    tools(workspace, target)?;
    let standard = Standard::find(workspace, target.triple, from_source)?;
    cargo
        .args(["--target", target.triple])
        .env(target.setting("LINKER"), target.compiler());
    standard.apply(workspace, cargo);
    Ok(())
}

/// Directs a cargo command to compile the standard library as well, for the platform at hand; its triple, which
/// is the folder of what comes of it.
///
/// # Errors
///
/// [`Stop::Skipped`] if the sources cannot be had; [`Stop::Failed`] if the compiler does not say its platform.
pub(crate) fn with_standard(
    workspace: &mut Workspace,
    cargo: &mut Command,
) -> Result<String, Stop> {
    let host = targets::host()?;
    let standard = Standard::find(workspace, &host, true)?;
    cargo.args(["--target", &host]);
    standard.apply(workspace, cargo);
    Ok(host)
}

/// Compiler, C library and emulator: there, or installed now.
///
/// # Errors
///
/// [`Stop::Skipped`] with the command that would install them.
fn tools(workspace: &mut Workspace, target: &Emulated) -> Result<(), Stop> {
    let present = || {
        let answers =
            |program: &str| process::ask(Command::new(program).arg("--version")).is_some();
        // The compiler alone is no use: its C library is a package of its own.
        answers(&target.compiler())
            && answers(target.emulator)
            && std::path::Path::new("/usr")
                .join(target.gnu)
                .join("lib")
                .exists()
    };
    if present() {
        return Ok(());
    }
    let install = format!(
        "apt-get install --no-install-recommends {}",
        target.packages.join(" ")
    );
    let root = process::ask(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if root && process::ask(Command::new("apt-get").arg("--version")).is_some() {
        let mut update = workspace.command("apt-get");
        workspace.run(update.args(["update", "--quiet"]))?;
        let mut apt = workspace.command("apt-get");
        apt.args(["install", "--quiet", "--yes", "--no-install-recommends"])
            .args(target.packages)
            .env("DEBIAN_FRONTEND", "noninteractive");
        workspace.run(&mut apt)?;
    }
    if present() {
        Ok(())
    } else {
        Err(Stop::Skipped(format!(
            "no cross compiler or emulator; on Debian, as root: {install}"
        )))
    }
}

/// Checks the Rust code of the SDK for a platform whose C compiler is not here.
///
/// The build scripts of the two C libraries get a compiler that does nothing: a check links nothing,
/// so nothing misses what it would have made.
fn check(workspace: &mut Workspace, target: &Checked, from_source: bool) -> Result<(), Stop> {
    let standard = Standard::find(workspace, target.triple, from_source)?;
    let mut cargo = workspace.cargo("check");
    cargo.args(["--locked", "--package", SHIPPED, "--target", target.triple]);
    let name = target.triple.replace('-', "_");
    for tool in ["AR", "CC", "CXX"] {
        cargo.env(format!("{tool}_{name}"), "true");
    }
    // Xcode is asked otherwise. Any folder does, as long as it exists and is not the root.
    cargo.env("SDKROOT", workspace.path("ios"));
    standard.apply(workspace, &mut cargo);
    workspace.run(&mut cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(reason: &str) -> Result<(), Stop> {
        Err(Stop::Skipped(reason.to_owned()))
    }

    #[test]
    fn one_failure_fails_all() {
        let failed = Err(Stop::Failed("one".to_owned()));
        let all = [Ok(()), skipped("two"), failed.clone(), Ok(())];
        assert_eq!(verdict(all.into_iter()), failed);
    }

    #[test]
    fn nothing_judged_is_no_success() {
        let all = [skipped("one"), skipped("two")];
        assert_eq!(verdict(all.into_iter()), skipped("one; two"));
    }

    #[test]
    fn one_judged_platform_is_enough() {
        assert_eq!(verdict([skipped("one"), Ok(())].into_iter()), Ok(()));
    }
}
