//! The direction of dependencies, as ARCHITECTURE.md draws it.

use crate::options::TestOptions;
use crate::process::{self, Stop};
use crate::workspace::Workspace;

/// A crate and the members that it may reach, directly or through others.
const REACH: [(&str, &[&str]); 11] = [
    ("ringtrue-stir", &[]),
    ("ringtrue-oob", &["ringtrue-stir"]),
    ("ringtrue-session", &["ringtrue-oob", "ringtrue-stir"]),
    ("ringtrue-net", &["ringtrue-oob", "ringtrue-stir"]),
    ("ringtrue-lab", &["ringtrue-stir"]),
    ("ringtrue-raw-rsa", &["ringtrue-stir"]),
    (
        "ringtrue-cps",
        &[
            "ringtrue-net",
            "ringtrue-oob",
            "ringtrue-raw-rsa",
            "ringtrue-stir",
        ],
    ),
    (
        "ringtrue",
        &[
            "ringtrue-net",
            "ringtrue-oob",
            "ringtrue-session",
            "ringtrue-stir",
        ],
    ),
    (
        "ringtrue-daemon",
        &[
            "ringtrue",
            "ringtrue-net",
            "ringtrue-oob",
            "ringtrue-session",
            "ringtrue-stir",
        ],
    ),
    (
        "ringtrue-c",
        &["ringtrue-oob", "ringtrue-session", "ringtrue-stir"],
    ),
    (
        "ringtrue-uniffi",
        &[
            "ringtrue",
            "ringtrue-net",
            "ringtrue-oob",
            "ringtrue-session",
            "ringtrue-stir",
        ],
    ),
];

/// Crates without I/O, clock or globals: firmware links them.
const PURE: [&str; 4] = [
    "ringtrue-stir",
    "ringtrue-oob",
    "ringtrue-session",
    "ringtrue-c",
];

/// What a pure crate must never reach: runtimes, sockets, TLS, native code, databases.
const NOT_PURE: [&str; 11] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "axum",
    "cc",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "reqwest",
    "rustls",
    "socket2",
    "tokio",
];

pub(super) fn run(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let mut faults = Vec::new();
    for (package, reach) in REACH {
        // No build dependencies of others, but those of the crate itself: `cc` means native code.
        let mut cargo = workspace.cargo("tree");
        cargo.args([
            "--locked",
            "--target",
            "all",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
        ]);
        cargo.args(["--format", "{p}", "--package", package]);
        let tree = process::ask(&mut cargo)
            .ok_or_else(|| Stop::Failed(format!("`cargo tree --package {package}` failed")))?;
        faults.extend(wrong_in(package, reach, &tree));
    }
    if !faults.is_empty() {
        return Err(Stop::Failed(faults.join("; ")));
    }
    // Each by itself, so that no feature comes in from the crates that do have a network.
    for package in PURE {
        let mut cargo = workspace.cargo("check");
        workspace.run(cargo.args(["--locked", "--package", package]))?;
    }
    Ok(())
}

/// The crates in `tree`, one per line, that `package` must not reach.
fn wrong_in(package: &str, reach: &[&str], tree: &str) -> Vec<String> {
    let mut wrong: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != package)
        .filter(|name| {
            let member = *name == "ringtrue" || name.starts_with("ringtrue-");
            let stray = member && !reach.contains(name);
            stray || (PURE.contains(&package) && NOT_PURE.contains(name))
        })
        .collect();
    wrong.sort_unstable();
    wrong.dedup();
    wrong
        .into_iter()
        .map(|name| format!("{package} must not depend on {name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_members_that_point_the_wrong_way() {
        let tree = "ringtrue-oob v0.1.0 (x)\nringtrue-stir v0.1.0 (x)\nringtrue v0.1.0 (x)\n\
            serde v1.0.0\nringtrue v0.1.0 (x) (*)";
        assert_eq!(
            wrong_in("ringtrue-oob", &["ringtrue-stir"], tree),
            ["ringtrue-oob must not depend on ringtrue"]
        );
    }

    #[test]
    fn finds_the_network_in_a_pure_crate_only() {
        let tree = "tokio v1.0.0\nserde v1.0.0";
        assert_eq!(
            wrong_in("ringtrue-stir", &[], tree),
            ["ringtrue-stir must not depend on tokio"]
        );
        assert!(wrong_in("ringtrue-net", &[], tree).is_empty());
    }
}
