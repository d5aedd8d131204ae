//! The sources for Apple's systems alone, type-checked against declarations that were written by hand.
//!
//! That finds what does not compile with itself: names that collide, wrong types, isolation that is broken. It
//! does not find where the declarations are not Apple's.

use std::fs;
use std::path::Path;

use super::{INSIDE, Inside, PACKAGE_INSIDE, collect, unusable};
use crate::process::Stop;
use crate::workspace::Workspace;

/// The modules that are declared, in the order in which they need each other.
const DECLARED: [&str; 4] = ["Security", "CryptoKit", "UserNotifications", "SwiftUI"];

/// The package's modules, in that order too.
const MODULES: [&str; 2] = ["RingTrue", "RingTrueNotification"];

/// What the guide and the sample's extension share with its application.
const SHARED_ENDPOINT: &str = "ringtrue/ios/Sample/App/SharedEndpoint.swift";

/// Checks package, sample and the guide's pieces in `snippets`, a folder of the shared one.
pub(super) fn check(
    workspace: &mut Workspace,
    inside: &Inside<'_>,
    snippets: &str,
) -> Result<(), Stop> {
    let out = inside.shared.join("apple");
    fs::create_dir_all(&out).map_err(|fault| unusable(&out, &fault))?;
    for module in DECLARED {
        let source = format!("ringtrue/ios/Tests/AppleDeclarations/{module}.swift");
        compile(workspace, inside, module, &[source], true)?;
    }
    for module in MODULES {
        let sources = sources(inside.shared, &format!("ringtrue/ios/Sources/{module}"))?;
        compile(workspace, inside, module, &sources, true)?;
    }
    let app = sources(inside.shared, "ringtrue/ios/Sample/App")?;
    compile(workspace, inside, "App", &app, false)?;
    for (name, folder) in [
        (
            "NotificationService",
            "ringtrue/ios/Sample/NotificationService",
        ),
        ("Guide", snippets),
    ] {
        let mut files = sources(inside.shared, folder)?;
        files.push(SHARED_ENDPOINT.to_owned());
        compile(workspace, inside, name, &files, false)?;
    }
    Ok(())
}

/// Compiles the files as one module, and keeps it for others if `keep` says so.
fn compile(
    workspace: &mut Workspace,
    inside: &Inside<'_>,
    module: &str,
    files: &[String],
    keep: bool,
) -> Result<(), Stop> {
    let mut command = inside.command(workspace, "apple");
    command.args(["swiftc", "-swift-version", "6", "-parse-as-library"]);
    command.args(["-enable-upcoming-feature", "ExistentialAny"]);
    command.args(["-module-name", module, "-I", "."]);
    // The generated code, as the package's own build made it.
    command.args([
        "-I",
        &format!("{INSIDE}/{PACKAGE_INSIDE}/.build/debug/Modules"),
        "-Xcc",
    ]);
    command.arg(format!(
        "-fmodule-map-file={INSIDE}/{PACKAGE_INSIDE}/Generated/CRingTrueFFI/module.modulemap"
    ));
    if keep {
        command.args(["-emit-module", "-o", &format!("{module}.swiftmodule")]);
    } else {
        command.arg("-typecheck");
    }
    command.args(files.iter().map(|file| format!("{INSIDE}/{file}")));
    workspace.run(&mut command)
}

/// The Swift files below a folder of the shared one, by their path there.
fn sources(shared: &Path, folder: &str) -> Result<Vec<String>, Stop> {
    let mut files = Vec::new();
    collect(&shared.join(folder), &mut files)?;
    let is_source = |file: &&std::path::PathBuf| file.extension().is_some_and(|end| end == "swift");
    let relative = files.iter().filter(is_source).filter_map(|file| {
        let file = file.strip_prefix(shared).ok()?;
        Some(file.display().to_string())
    });
    Ok(relative.collect())
}
