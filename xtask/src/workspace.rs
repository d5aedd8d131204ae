//! Where things are, and the builds that several steps share.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::counts::Counts;
use crate::options::Language;
use crate::process::{self, Stop};

/// What is selected in every build of the tests: all members but the generator, which costs minutes
/// and has a profile of its own. Selecting the same members each time keeps the features of shared
/// dependencies the same, so that nothing is built twice.
pub(crate) const SELECTION: [&str; 3] = ["--workspace", "--exclude", "ringtrue-bindgen"];

/// The checkout, its build folder, and which shared builds were already done.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    counts: Counts,
    built: Option<Result<(), Stop>>,
    generator: Option<Result<(), Stop>>,
}

impl Workspace {
    /// The checkout that this program was built from.
    pub(crate) fn open() -> Self {
        // At run time `cargo run` says where; a binary that was started by hand knows it from its
        // build.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().unwrap_or(&manifest).to_path_buf();
        // This program lies in TARGET/PROFILE, whatever configuration chose TARGET.
        let target = std::env::current_exe()
            .ok()
            .and_then(|exe| exe.parent()?.parent().map(Path::to_path_buf))
            .unwrap_or_else(|| root.join("target"));
        Self {
            root,
            target,
            counts: Counts::default(),
            built: None,
            generator: None,
        }
    }

    /// A path inside the checkout.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A path inside the build folder.
    pub(crate) fn target(&self, relative: &str) -> PathBuf {
        self.target.join(relative)
    }

    /// A command that starts in the checkout's root.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that started this program.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = self.command(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.arg(subcommand);
        if process::wants_colours() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        command
    }

    /// Runs a command; the tests it reports are added to those of the current step.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it does not start or does not succeed.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<(), Stop> {
        process::run(command, &mut self.counts)
    }

    /// The tests reported since this was last called.
    pub(crate) fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Adds tests to those of the current step: what [`Self::take_counts`] gave to a part of it.
    pub(crate) fn add_counts(&mut self, counts: Counts) {
        self.counts.add(counts);
    }

    /// Fails unless a test of the current step was reported.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if no runner counted anything: a suite that became empty is no success.
    pub(crate) fn require_tests(&self) -> Result<(), Stop> {
        if self.counts.is_empty() {
            Err(Stop::Failed("no test ran".to_owned()))
        } else {
            Ok(())
        }
    }

    /// A file that a step cannot do without.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it does not exist: a missing test must not look like a passed one.
    pub(crate) fn require(&self, relative: &str) -> Result<PathBuf, Stop> {
        let path = self.path(relative);
        if path.exists() {
            Ok(path)
        } else {
            Err(Stop::Failed(format!("{relative} is missing")))
        }
    }

    /// Builds libraries, commands and tests of the selection, once.
    ///
    /// The tests are included because with them the features are exactly those of `cargo test`.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if the build fails, to every step that asks.
    pub(crate) fn build(&mut self) -> Result<(), Stop> {
        if self.built.is_none() {
            let mut cargo = self.cargo("build");
            cargo.arg("--locked").args(SELECTION).args([
                "--lib",
                "--bins",
                "--tests",
                "--examples",
            ]);
            self.built = Some(self.run(&mut cargo));
        }
        self.built.clone().unwrap_or(Ok(()))
    }

    /// Builds the bindings' generator, once, and returns it.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if the build fails, to every step that asks.
    pub(crate) fn generator(&mut self) -> Result<PathBuf, Stop> {
        if self.generator.is_none() {
            let mut cargo = self.cargo("build");
            cargo.args([
                "--locked",
                "--package",
                "ringtrue-bindgen",
                "--profile",
                "generator",
            ]);
            self.generator = Some(self.run(&mut cargo));
        }
        self.generator.clone().unwrap_or(Ok(()))?;
        Ok(self
            .target("generator")
            .join(executable("ringtrue-bindgen")))
    }

    /// The `ringtrue` command as the tests built it.
    pub(crate) fn ringtrue(&self) -> PathBuf {
        self.target("debug").join(executable("ringtrue"))
    }

    /// The `ringtrue` command for a step that needs nothing else of this machine: that of `$RINGTRUE_BIN`, or
    /// what a step of this run built already, or it is built alone.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if the build fails.
    pub(crate) fn ringtrue_alone(&mut self) -> Result<PathBuf, Stop> {
        if let Some(command) = std::env::var_os("RINGTRUE_BIN") {
            return Ok(PathBuf::from(command));
        }
        if self.built.is_none() {
            let mut cargo = self.cargo("build");
            cargo.args(["--locked", "--package", "ringtrue-cli", "--bin", "ringtrue"]);
            self.run(&mut cargo)?;
        }
        self.built.clone().unwrap_or(Ok(()))?;
        Ok(self.ringtrue())
    }

    /// Where the binding of a language is generated for its test.
    pub(crate) fn binding(&self, language: Language) -> PathBuf {
        self.target("bindings").join(language.name())
    }
}

/// The file name of a command on this machine.
fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}
