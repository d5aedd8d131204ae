//! libcurl for another processor, with the C library and everything else it needs: the C examples ask their
//! service with it.

use std::fs;
use std::path::PathBuf;

use super::debian::{self, Debian};
use crate::process::Stop;
use crate::targets::Emulated;
use crate::workspace::Workspace;

/// The root folder of a small system that has it: what Debian's packages contain, unpacked.
///
/// # Errors
///
/// [`Stop::Skipped`] if this is not Debian or the packages are not to be had, [`Stop::Failed`] if they
/// cannot be unpacked.
pub(super) fn root(workspace: &mut Workspace, target: &Emulated) -> Result<PathBuf, Stop> {
    let folder = workspace.target("cross-libcurl").join(target.debian);
    let root = folder.join("root");
    if root
        .join("usr/lib")
        .join(target.gnu)
        .join("libcurl.so")
        .exists()
    {
        return Ok(root);
    }
    let suite = fs::read_to_string("/etc/os-release")
        .ok()
        .as_deref()
        .and_then(suite)
        .ok_or_else(|| {
            Stop::Skipped("libcurl of another processor comes from Debian".to_owned())
        })?;
    let debian = Debian::open(workspace, folder.clone(), &suite, Some(target.debian))?;
    let fetched = debian.download_all(workspace, "libcurl4-openssl-dev")?;
    // Beside its place first: a run that was broken off leaves no half of it.
    let unpacked = folder.join("unpacked");
    for package in debian::packages(&fetched, "") {
        debian::unpack(workspace, &package, &unpacked)?;
    }
    let moved = || {
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        fs::rename(&unpacked, &root)
    };
    moved()
        .map_err(|fault: std::io::Error| Stop::Failed(format!("{}: {fault}", root.display())))?;
    Ok(root)
}

/// The suite that a machine runs, from its `/etc/os-release`: the C library of the cross compiler is of the
/// same.
fn suite(text: &str) -> Option<String> {
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(|value| value.trim_matches('"').to_owned())
    };
    // It becomes part of a line of apt's.
    let codename = value("VERSION_CODENAME")?;
    let plain = !codename.is_empty() && codename.chars().all(|c| c.is_ascii_lowercase());
    (value("ID")? == "debian" && plain).then_some(codename)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_suite_of_debian() {
        let text = "NAME=\"Debian\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        assert_eq!(suite(text).as_deref(), Some("bookworm"));
    }

    #[test]
    fn takes_no_suite_of_others_and_none_that_is_not_one() {
        for text in [
            "",
            "ID=debian\n",
            "ID=debian\nVERSION_CODENAME=\n",
            "ID=debian\nVERSION_CODENAME=\"a main\"\n",
            "ID=ubuntu\nVERSION_CODENAME=noble\n",
            "MY_ID=debian\nVERSION_CODENAME=bookworm\n",
        ] {
            assert_eq!(suite(text), None, "{text}");
        }
    }
}
