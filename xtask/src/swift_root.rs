//! A Debian system in a folder, with the Swift compiler of Debian trixie: Swift's tests run in it.
//!
//! Everything is mounted in a mount namespace that ends with the command, also when it is killed, so
//! that nothing stays mounted and nothing outside the folder changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Stop};
use crate::workspace::Workspace;

/// Names the folder instead of the default one.
const FOLDER_VARIABLE: &str = "RINGTRUE_SWIFT_ROOT";

/// Where Debian is fetched from if apt on this machine names no place.
const DEFAULT_MIRROR: &str = "http://deb.debian.org/debian";

/// Where the shared folder appears inside.
pub(crate) const INSIDE: &str = "/mnt";

/// Mounts what the compiler needs and the shared folder, then runs the command inside.
const ENTER: &str = r#"
set -eu
root=$1 shared=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$shared" "$root/mnt"
exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 HOME=/mnt/home "$@"
"#;

/// Goes to a folder and runs the command there.
const AT: &str = r#"cd "$0" && exec "$@""#;

/// The folder, ready for use.
pub(crate) struct SwiftRoot(PathBuf);

impl SwiftRoot {
    /// The folder as it was set up before; sets it up now if `set_up` says so.
    ///
    /// # Errors
    ///
    /// [`Stop::Skipped`] if it is not there and is not to be set up, or cannot be on this machine;
    /// [`Stop::Failed`] if setting it up fails: what was begun is removed.
    pub(crate) fn open(workspace: &mut Workspace, set_up: bool) -> Result<Self, Stop> {
        let folder = folder()?;
        // A link whose aim is only right inside the folder.
        let is_ready = folder.join("usr/bin/swift").symlink_metadata().is_ok();
        if !is_ready && !set_up {
            return Err(Stop::Skipped(
                "Swift is not set up: `cargo xtask test --swift` does it (as root, 2.6 GB)"
                    .to_owned(),
            ));
        }
        for (tool, question) in [
            ("id", "-u"),
            ("unshare", "--version"),
            ("chroot", "--version"),
        ] {
            let answer = process::ask(Command::new(tool).arg(question));
            if answer.is_none() || (tool == "id" && answer.as_deref().map(str::trim) != Some("0")) {
                return Err(Stop::Skipped(
                    "Swift runs in a folder of its own: needs root, unshare and chroot".to_owned(),
                ));
            }
        }
        if !is_ready {
            make(workspace, &folder)?;
        }
        Ok(Self(folder))
    }

    /// A command inside, at `at` (a path there), with `shared` at [`INSIDE`] and these variables in its
    /// environment.
    pub(crate) fn command(
        &self,
        workspace: &Workspace,
        shared: &Path,
        at: &str,
        variables: &[(&str, String)],
    ) -> Command {
        let mut command = enter(workspace, &self.0, shared);
        for (name, value) in variables {
            command.arg(format!("{name}={value}"));
        }
        command.args(["sh", "-c", AT, at]);
        command
    }
}

/// A command inside `root`; what is added next are variables (`NAME=value`), then the command itself.
fn enter(workspace: &Workspace, root: &Path, shared: &Path) -> Command {
    let mut command = workspace.command("unshare");
    command.args([
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        ENTER,
        "sh",
    ]);
    command.arg(root).arg(shared);
    command
}

/// The folder that is named, or one in the user's cache: it is good for every checkout.
fn folder() -> Result<PathBuf, Stop> {
    if let Some(named) = std::env::var_os(FOLDER_VARIABLE) {
        return Ok(PathBuf::from(named));
    }
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => match std::env::var_os("HOME") {
            Some(home) => PathBuf::from(home).join(".cache"),
            None => {
                return Err(Stop::Skipped(format!(
                    "neither HOME nor {FOLDER_VARIABLE} is set"
                )));
            }
        },
    };
    Ok(cache.join("ringtrue").join("swift-trixie"))
}

/// Makes the folder: beside its place first, so that one that was begun is never taken for a whole one.
fn make(workspace: &mut Workspace, folder: &Path) -> Result<(), Stop> {
    if process::ask(Command::new("mmdebstrap").arg("--version")).is_none() {
        return Err(Stop::Skipped(
            "no mmdebstrap (`apt-get install mmdebstrap debian-archive-keyring`)".to_owned(),
        ));
    }
    let begun = folder.with_extension("begun");
    remove(&begun)?;
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(|fault| unusable(parent, &fault))?;
    }
    let shared = workspace.target("swift");
    fs::create_dir_all(&shared).map_err(|fault| unusable(&shared, &fault))?;
    let made = fill(workspace, &begun, &shared);
    if made.is_err() {
        remove(&begun)?;
        return made;
    }
    // An empty folder that the caller made would be in the way.
    if folder.exists() {
        fs::remove_dir(folder).map_err(|fault| unusable(folder, &fault))?;
    }
    fs::rename(&begun, folder).map_err(|fault| unusable(folder, &fault))
}

fn fill(workspace: &mut Workspace, folder: &Path, shared: &Path) -> Result<(), Stop> {
    // It mounts inside the folder too, and would leave that there if it were killed.
    let mut system = workspace.command("unshare");
    system.args([
        "--mount",
        "--propagation",
        "private",
        "mmdebstrap",
        "--quiet",
        "--variant=apt",
        "--include=ca-certificates,gcc,libc6-dev",
        "trixie",
    ]);
    system.arg(folder).arg(mirror());
    workspace.run(&mut system)?;
    for install in [
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends swiftlang && apt-get clean",
    ] {
        let mut command = enter(workspace, folder, shared);
        command.args(["DEBIAN_FRONTEND=noninteractive", "sh", "-c", install]);
        workspace.run(&mut command)?;
    }
    Ok(())
}

/// The Debian mirror that apt on this machine uses.
fn mirror() -> String {
    let format = "$(ORIGIN)|$(COMPONENT)|$(REPO_URI)";
    let targets = process::ask(Command::new("apt-get").args(["indextargets", "--format", format]));
    targets
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.strip_prefix("Debian|main|"))
        // The archive of security updates has no whole system.
        .find(|uri| !uri.contains("security"))
        .unwrap_or(DEFAULT_MIRROR)
        .trim_end_matches('/')
        .to_owned()
}

fn remove(folder: &Path) -> Result<(), Stop> {
    match fs::remove_dir_all(folder) {
        Ok(()) => Ok(()),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(fault) => Err(unusable(folder, &fault)),
    }
}

fn unusable(path: &Path, fault: &std::io::Error) -> Stop {
    Stop::Failed(format!("{}: {fault}", path.display()))
}
