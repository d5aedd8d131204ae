//! The script that builds the XCFramework: checked, and run with stand-ins for the tools that only a Mac has.
//!
//! A stand-in notes how it was called and makes the files that the real tool would make. That shows that the script does what it
//! means to, in the shell, and not that Apple's tools take it so.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{PACKAGE, entries, mirror, remove, unusable, write};
use crate::process::{self, Stop};
use crate::workspace::Workspace;

const SCRIPT: &str = "ios/scripts/build-xcframework.sh";

/// The tools that the script calls.
const TOOLS: [&str; 9] = [
    "cargo",
    "codesign",
    "dsymutil",
    "install_name_tool",
    "lipo",
    "rustup",
    "strip",
    "xcodebuild",
    "xcrun",
];

/// One for all of them. What a tool reads must be there.
const STAND_IN: &str = r#"#!/bin/sh
set -eu
tool=${0##*/}
echo "$tool $*" >> "$STAND_IN_LOG"
output= triple= framework= before=
for word; do
    case $before in
        -output | -o | --out) output=$word ;;
        --target) triple=$word ;;
        -framework | -debug-symbols) test -e "$word"; framework=$word ;;
    esac
    before=$word
done
case "$tool $*" in
    cargo\ rustc\ *)
        mkdir -p "$CARGO_TARGET_DIR/$triple/release-mobile"
        : > "$CARGO_TARGET_DIR/$triple/release-mobile/libringtrue_ffi.dylib" ;;
    cargo\ run\ *) mkdir -p "$output"; : > "$output/CRingTrueFFI.h"; : > "$output/RingTrueFFI.swift" ;;
    lipo\ -create\ *)
        shift
        while [ "$1" != -output ]; do test -f "$1"; shift; done
        : > "$output" ;;
    dsymutil\ *) test -f "$1"; mkdir -p "$output" ;;
    codesign\ * | install_name_tool\ * | strip\ *) test -e "$before" ;;
    xcodebuild\ *) test -n "$framework"; mkdir -p "$output" ;;
    rustup\ *) ;;
    *) exit 1 ;;
esac
"#;

/// The kinds of processor and system that are built.
const TRIPLES: [&str; 5] = [
    "aarch64-apple-darwin",
    "aarch64-apple-ios",
    "aarch64-apple-ios-sim",
    "x86_64-apple-darwin",
    "x86_64-apple-ios",
];

/// The files of each framework, besides its library.
const FRAMEWORK_FILES: [&str; 9] = [
    "ios/CRingTrueFFI.framework/Headers/CRingTrueFFI.h",
    "ios/CRingTrueFFI.framework/Info.plist",
    "ios/CRingTrueFFI.framework/Modules/module.modulemap",
    "ios-simulator/CRingTrueFFI.framework/CRingTrueFFI",
    "ios-simulator/CRingTrueFFI.framework/Modules/module.modulemap",
    "macos/CRingTrueFFI.framework/CRingTrueFFI",
    "macos/CRingTrueFFI.framework/Headers/CRingTrueFFI.h",
    "macos/CRingTrueFFI.framework/Modules/module.modulemap",
    "macos/CRingTrueFFI.framework/Versions/A/Resources/Info.plist",
];

/// Checks the script, and runs a copy of it in a folder of its own.
pub(super) fn check(workspace: &mut Workspace, shared: &Path) -> Result<(), Stop> {
    let script = workspace.require(SCRIPT)?;
    let mut syntax = workspace.command("sh");
    workspace.run(syntax.arg("-n").arg(&script))?;
    if process::ask(workspace.command("shellcheck").arg("--version")).is_some() {
        let mut lint = workspace.command("shellcheck");
        workspace.run(lint.arg(&script))?;
    }
    let folder = shared.join("xcframework");
    remove(&folder)?;
    for part in ["Native", "scripts"] {
        let from = workspace.require(&format!("{PACKAGE}/{part}"))?;
        mirror(&from, &folder.join(PACKAGE).join(part), &[])?;
    }
    let tools = folder.join("tools");
    for tool in TOOLS {
        let file = tools.join(tool);
        write(&file, STAND_IN)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
            .map_err(|fault| unusable(&file, &fault))?;
    }
    let (log, target) = (folder.join("calls"), folder.join("target"));
    let path = std::env::var("PATH").unwrap_or_default();
    let mut run = workspace.command("sh");
    run.arg(folder.join(SCRIPT))
        .env("PATH", format!("{}:{path}", tools.display()))
        .env("STAND_IN_LOG", &log)
        .env("CARGO_TARGET_DIR", &target);
    workspace.run(&mut run)?;
    let calls = fs::read_to_string(&log).map_err(|fault| unusable(&log, &fault))?;
    builds(&calls)?;
    for file in FRAMEWORK_FILES {
        let file = target.join("xcframework").join(file);
        if !file.exists() {
            return Err(Stop::Failed(format!("{SCRIPT} made no {}", file.display())));
        }
    }
    let made = entries(&folder.join(PACKAGE).join("Generated"))?;
    if made.len() != 2 {
        return Err(Stop::Failed(format!("{SCRIPT} made {made:?}")));
    }
    println!("1 passed, 0 failed: {SCRIPT} with stand-ins for Apple's tools");
    Ok(())
}

/// Whether each library is built as it is shipped: a library of one type alone, which is what lets the compiler optimise over all
/// crates.
fn builds(calls: &str) -> Result<(), Stop> {
    let lines = || {
        calls
            .lines()
            .filter(|line| line.starts_with("cargo rustc "))
    };
    let mut missing = TRIPLES.iter().filter(|triple| {
        !lines().any(|line| {
            ["--lib --crate-type cdylib", "--profile release-mobile"]
                .iter()
                .all(|part| line.contains(part))
                && line.contains(&format!("--target {triple} "))
        })
    });
    match (missing.next(), lines().count() == TRIPLES.len()) {
        (None, true) => Ok(()),
        (missing, _) => Err(Stop::Failed(format!(
            "{SCRIPT} does not build what is shipped for {missing:?}"
        ))),
    }
}
