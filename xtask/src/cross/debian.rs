//! Packages of Debian, fetched by a private configuration of apt: nothing of the machine's own is changed,
//! and nobody has to be root.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::Stop;
use crate::workspace::Workspace;

/// One suite of Debian for one architecture, with its lists in a folder of its own.
#[derive(Debug)]
pub(super) struct Debian {
    folder: PathBuf,
    options: Vec<String>,
}

impl Debian {
    /// Keeps everything in `folder`; `architecture` is the machine's own if none is named. A named one
    /// begins without any installed package, so that apt fetches all that something depends on.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if the folder cannot be prepared, [`Stop::Skipped`] if the lists are not to be had.
    pub(super) fn open(
        workspace: &mut Workspace,
        folder: PathBuf,
        suite: &str,
        architecture: Option<&str>,
    ) -> Result<Self, Stop> {
        let list = folder.join("sources.list");
        let status = folder.join("status");
        let prepare = || {
            for part in ["lists/partial", "cache/archives/partial", "packages"] {
                fs::create_dir_all(folder.join(part))?;
            }
            fs::write(&status, "")?;
            fs::write(
                &list,
                format!(
                    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
                     http://deb.debian.org/debian {suite} main\n"
                ),
            )
        };
        prepare().map_err(|fault: std::io::Error| {
            Stop::Failed(format!("{}: {fault}", folder.display()))
        })?;
        let mut options = vec![
            format!("Dir::Etc::SourceList={}", list.display()),
            "Dir::Etc::SourceParts=-".to_owned(),
            format!("Dir::State::Lists={}", folder.join("lists").display()),
            format!("Dir::Cache={}", folder.join("cache").display()),
            "APT::Sandbox::User=".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ];
        if let Some(name) = architecture {
            options.push(format!("APT::Architecture={name}"));
            options.push(format!("APT::Architectures::={name}"));
            options.push(format!("Dir::State::status={}", status.display()));
        }
        let debian = Self { folder, options };
        debian.apt(workspace, &["--quiet", "update"])?;
        Ok(debian)
    }

    /// Downloads one package, `name` or `name=version`, and gives the folder in which it then lies.
    ///
    /// # Errors
    ///
    /// [`Stop::Skipped`] if there is none.
    pub(super) fn download(&self, workspace: &mut Workspace, name: &str) -> Result<PathBuf, Stop> {
        self.apt(workspace, &["--quiet", "download", name])?;
        Ok(self.folder.join("packages"))
    }

    /// Downloads a package and all that it depends on, and gives the folder in which they then lie.
    ///
    /// # Errors
    ///
    /// [`Stop::Skipped`] if one of them is not to be had.
    pub(super) fn download_all(
        &self,
        workspace: &mut Workspace,
        name: &str,
    ) -> Result<PathBuf, Stop> {
        self.apt(
            workspace,
            &[
                "--quiet",
                "--yes",
                "--no-install-recommends",
                "--download-only",
                "install",
                name,
            ],
        )?;
        Ok(self.folder.join("cache/archives"))
    }

    fn apt(&self, workspace: &mut Workspace, words: &[&str]) -> Result<(), Stop> {
        let mut command = workspace.command("apt-get");
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
            .args(words)
            .current_dir(self.folder.join("packages"));
        workspace.run(&mut command).map_err(|stop| {
            Stop::Skipped(format!(
                "`apt-get {}` gave nothing ({stop})",
                words.join(" ")
            ))
        })
    }
}

/// The packages in a folder whose names begin so, in the order of their names.
pub(super) fn packages(folder: &Path, beginning: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(beginning) && name.ends_with(".deb")
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// Unpacks a package into a folder, without its scripts.
///
/// # Errors
///
/// [`Stop::Failed`] if `dpkg-deb` does.
pub(super) fn unpack(workspace: &mut Workspace, package: &Path, into: &Path) -> Result<(), Stop> {
    let mut command = workspace.command("dpkg-deb");
    workspace.run(command.arg("--extract").arg(package).arg(into))
}
