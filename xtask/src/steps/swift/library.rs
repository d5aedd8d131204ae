//! Native libraries that do not fit the package: what comes of a program that is started with one.

use std::fs;
use std::process::Stdio;

use super::{INSIDE, Inside, PACKAGE_INSIDE, PATIENCE, QUICK_START, remove, unusable, write};
use crate::process::Stop;
use crate::workspace::Workspace;

/// The file that the system loads.
pub(super) const NAME: &str = "libringtrue_ffi.so";

/// Libraries that answer before the right one: with another signature of a function, and with another way of calling
/// altogether.
const OTHERS: [(&str, &str); 2] = [
    (
        "signature",
        "unsigned short uniffi_ringtrue_ffi_checksum_method_endpoint_place(void) { return 1; }\n",
    ),
    (
        "contract",
        "unsigned int ffi_ringtrue_ffi_uniffi_contract_version(void) { return 1; }\n",
    ),
];

/// Tests the package with libraries of another version: it names the fault.
pub(super) fn of_another_version(
    workspace: &mut Workspace,
    inside: &Inside<'_>,
) -> Result<(), Stop> {
    for (name, source) in OTHERS {
        let library = build(workspace, inside, name, source)?;
        let mut command = inside.command_with(
            workspace,
            PACKAGE_INSIDE,
            &[
                ("LD_PRELOAD", library),
                ("RINGTRUE_WRONG_LIBRARY", name.to_owned()),
            ],
        );
        command.args(["timeout", PATIENCE, "swift", "test", "--skip-build"]);
        command.args(["--filter", "LibraryTests"]);
        workspace.run(&mut command)?;
        workspace.require_tests()?;
    }
    Ok(())
}

/// Starts the quick start without the library, and with one that has none of its functions: the system's loader ends it and
/// names what is missing, which no program can do in its place.
pub(super) fn that_is_missing(workspace: &mut Workspace, inside: &Inside<'_>) -> Result<(), Stop> {
    let folder = inside.shared.join("lib");
    let away = inside.shared.join("lib.away");
    let empty = build(workspace, inside, "empty", "int ringtrue_nothing;\n")?;
    let empty = inside
        .shared
        .join(empty.trim_start_matches(INSIDE).trim_start_matches('/'));
    remove(&away)?;
    fs::rename(&folder, &away).map_err(|fault| unusable(&folder, &fault))?;
    let said = refused(workspace, inside, NAME).and_then(|()| {
        let content = fs::read(&empty).map_err(|fault| unusable(&empty, &fault))?;
        write(&folder.join(NAME), content)?;
        let said = refused(workspace, inside, "symbol lookup error");
        fs::remove_dir_all(&folder).map_err(|fault| unusable(&folder, &fault))?;
        said
    });
    fs::rename(&away, &folder).map_err(|fault| unusable(&away, &fault))?;
    said?;
    println!("2 passed, 0 failed: a missing library and one without its functions");
    Ok(())
}

/// Starts the quick start, which must end at once and say `words`.
fn refused(workspace: &Workspace, inside: &Inside<'_>, words: &str) -> Result<(), Stop> {
    let mut command = inside.command(workspace, QUICK_START);
    let lab = format!("{INSIDE}/lab");
    command.args([".build/debug/first-call", &lab, "https://localhost"]);
    let ended = command
        .stdin(Stdio::null())
        .output()
        .map_err(|fault| Stop::Failed(format!("the quick start did not start: {fault}")))?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    if ended.status.code() == Some(127) && said.contains(words) {
        return Ok(());
    }
    Err(Stop::Failed(format!(
        "started without its library, the quick start ended with {} and said: {said}",
        ended.status
    )))
}

/// Compiles a small library and gives its path inside.
fn build(
    workspace: &mut Workspace,
    inside: &Inside<'_>,
    name: &str,
    source: &str,
) -> Result<String, Stop> {
    let file = format!("wrong/{name}.c");
    write(&inside.shared.join(&file), source)?;
    let library = format!("{INSIDE}/wrong/{name}.so");
    let mut command = inside.command(workspace, "wrong");
    command.args(["gcc", "-shared", "-fPIC", "-o", &library]);
    command.arg(format!("{INSIDE}/{file}"));
    workspace.run(&mut command)?;
    Ok(library)
}
