//! Rust's standard library for another platform: installed, fetched by rustup, or built from the
//! sources that Debian packages.
//!
//! The last way is for machines without rustup, or without a way to its server. The package must be
//! of exactly the compiler's version; it is unpacked into a copy of the toolchain in the build folder
//! (hard links where the file system allows), because cargo looks for the sources beside the compiler.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian::{self, Debian};
use crate::process::{self, Stop};
use crate::workspace::Workspace;

/// Where the sources come from: the only suite of Debian with compilers as new as ours.
const SUITE: &str = "trixie-backports";

/// How cargo gets at the standard library of a platform.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standard {
    /// It lies beside the compiler.
    Installed,
    /// Cargo builds it, with this compiler.
    Built(PathBuf),
}

impl Standard {
    /// Finds the best way for `triple`; `from_source` leaves out the first two.
    ///
    /// # Errors
    ///
    /// [`Stop::Skipped`] if there is no way on this machine, with what was tried.
    pub(crate) fn find(
        workspace: &mut Workspace,
        triple: &str,
        from_source: bool,
    ) -> Result<Self, Stop> {
        if !from_source && (is_installed(triple) || fetch(workspace, triple)) {
            return Ok(Self::Installed);
        }
        overlay(workspace).map(Self::Built)
    }

    /// Sets what this way needs on a cargo command.
    pub(crate) fn apply(&self, workspace: &Workspace, cargo: &mut Command) {
        if let Self::Built(rustc) = self {
            // `-Z build-std` is not stable. The variable opens it in the ordinary compiler, for tests and
            // measurements alone: no script that builds what is shipped sets it.
            //
            // rustup points the loader at its own toolchain. The compiler would be loaded from there, and
            // look for the sources there.
            let libraries = rustc
                .parent()
                .and_then(Path::parent)
                .map(|root| root.join("lib"));
            cargo.env("LD_LIBRARY_PATH", libraries.unwrap_or_default());
            cargo
                .args(["-Z", "build-std=std,panic_abort,panic_unwind"])
                .env("RUSTC", rustc)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_DIR", workspace.target("cross-std"));
        }
    }
}

/// Whether the platform's standard library lies beside the compiler.
fn is_installed(triple: &str) -> bool {
    let folder =
        process::ask(Command::new("rustc").args(["--print", "target-libdir", "--target", triple]));
    folder.is_some_and(|folder| {
        fs::read_dir(folder.trim()).is_ok_and(|mut entries| entries.next().is_some())
    })
}

/// Whether rustup could add it.
fn fetch(workspace: &mut Workspace, triple: &str) -> bool {
    let mut rustup = workspace.command("rustup");
    workspace
        .run(rustup.args(["target", "add", triple]))
        .is_ok()
        && is_installed(triple)
}

/// The compiler in a copy of the toolchain that has the library's sources.
fn overlay(workspace: &mut Workspace) -> Result<PathBuf, Stop> {
    let skipped = |why: String| Stop::Skipped(format!("no standard library: {why}"));
    let version = process::ask(Command::new("rustc").arg("-vV"))
        .as_deref()
        .and_then(release)
        .ok_or_else(|| skipped("rustc does not say its version".to_owned()))?;
    let sysroot = process::ask(Command::new("rustc").args(["--print", "sysroot"]))
        .map(|text| PathBuf::from(text.trim()))
        .ok_or_else(|| skipped("rustc does not say where it is".to_owned()))?;
    let root = workspace.target("overlay").join(&version);
    let rustc = root.join("bin/rustc");
    let library = root.join("lib/rustlib/src/rust");
    if library.join("library/std").exists() && rustc.exists() {
        return Ok(rustc);
    }
    let package = download(workspace, &version)?;
    let unpacked = workspace.target("overlay").join("unpacked");
    debian::unpack(workspace, &package, &unpacked)?;
    let sources = unpacked.join("usr/src").join(format!("rustc-{version}"));
    let fill = || -> io::Result<()> {
        copy(&sysroot.join("bin/rustc"), &rustc)?;
        copy_all(&sysroot.join("lib"), &root.join("lib"))?;
        let parent = library.parent().unwrap_or(&library);
        if parent.exists() {
            fs::remove_dir_all(parent)?;
        }
        fs::create_dir_all(parent)?;
        fs::rename(&sources, &library)?;
        fs::remove_dir_all(&unpacked)
    };
    fill().map_err(|fault| Stop::Failed(format!("{}: {fault}", root.display())))?;
    Ok(rustc)
}

/// The package with the library's sources of exactly this version.
fn download(workspace: &mut Workspace, version: &str) -> Result<PathBuf, Stop> {
    let missing = |stop: Stop| match stop {
        Stop::Skipped(why) => Stop::Skipped(format!(
            "no standard library: rustup has none, and Debian's package of the sources of {version} is \
             not to be had ({why})"
        )),
        stop @ Stop::Failed(_) => stop,
    };
    let folder = workspace.target("overlay").join("apt");
    let debian = Debian::open(workspace, folder, SUITE, None).map_err(missing)?;
    let folder = debian
        .download(workspace, &format!("rust-src={version}*"))
        .map_err(missing)?;
    let prefix = format!("rust-src_{version}");
    debian::packages(&folder, &prefix)
        .pop()
        .ok_or_else(|| Stop::Failed(format!("{}: no {prefix}", folder.display())))
}

/// The version in what `rustc -vV` prints.
fn release(text: &str) -> Option<String> {
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("release: "))?
        .trim();
    // It becomes part of paths and of a package's name.
    let plain = version
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    (plain && !version.is_empty()).then(|| version.to_owned())
}

/// Hard-links a file, or copies it where that cannot be.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    if to.exists() {
        return Ok(());
    }
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(|_| ()))
}

/// [`copy`] for everything in a folder.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_release_from_the_compilers_answer() {
        let text = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nrelease: 1.95.0\n";
        assert_eq!(release(text).as_deref(), Some("1.95.0"));
    }

    #[test]
    fn takes_no_release_that_is_not_one() {
        for text in [
            "",
            "release:",
            "release: ",
            "release: ../../etc",
            "release: 1 2",
        ] {
            assert_eq!(release(text), None, "{text}");
        }
    }
}
