//! The bindings and their tests in the languages they are for.
//!
//! The Python test finds module and library through `PYTHONPATH`. The Maven project gets the folder
//! with the generated sources as property `ringtrue.bindings` and the library's as
//! `jna.library.path`.

use std::process::Command;

use crate::bindings;
use crate::options::{Language, TestOptions};
use crate::process::{self, Stop};
use crate::workspace::Workspace;

const PYTHON_TESTS: &str = "bindings/uniffi/tests/python";
const KOTLIN_PROJECT: &str = "bindings/uniffi/tests/kotlin/pom.xml";

pub(super) fn bindings(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    for language in Language::ALL {
        bindings::for_tests(workspace, language)?;
    }
    Ok(())
}

pub(super) fn python(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let tests = workspace.require(PYTHON_TESTS)?;
    let python = find_python()?;
    let module = bindings::for_tests(workspace, Language::Python)?;
    let mut command = workspace.command(python);
    command.args([
        "-B",
        "-m",
        "unittest",
        "discover",
        "--verbose",
        "--start-directory",
    ]);
    command
        .arg(tests)
        .env("PYTHONPATH", module)
        .env("RINGTRUE_BIN", workspace.ringtrue());
    workspace.run(&mut command)?;
    workspace.require_tests()
}

pub(super) fn kotlin(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let project = workspace.require(KOTLIN_PROJECT)?;
    require_maven()?;
    let folder = bindings::for_tests(workspace, Language::Kotlin)?;
    let mut command = workspace.command("mvn");
    command
        .args(["--batch-mode", "--no-transfer-progress", "--file"])
        .arg(project)
        .arg("test");
    command.arg(format!("-Dringtrue.bindings={}", folder.display()));
    command.arg(format!("-Djna.library.path={}", folder.display()));
    command.env("RINGTRUE_BIN", workspace.ringtrue());
    workspace.run(&mut command)?;
    workspace.require_tests()
}

/// Leaves a step out where there is no Maven or no JDK.
///
/// # Errors
///
/// [`Stop::Skipped`] then.
pub(super) fn require_maven() -> Result<(), Stop> {
    // `mvn` also says when it finds no JDK.
    if process::ask(Command::new("mvn").arg("--version")).is_none() {
        return Err(Stop::Skipped(
            "no Maven with a JDK (`mvn --version`)".to_owned(),
        ));
    }
    if process::ask(Command::new("javac").arg("-version")).is_none() {
        return Err(Stop::Skipped("no JDK (`javac -version`)".to_owned()));
    }
    Ok(())
}

/// The Python to use: `PYTHON` if set, else `python3`, from version 3.9 on.
///
/// # Errors
///
/// [`Stop::Skipped`] if there is none or it is too old.
pub(crate) fn find_python() -> Result<String, Stop> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let question = "import sys; print(sys.version_info >= (3, 9))";
    match process::ask(Command::new(&python).args(["-c", question])) {
        Some(answer) if answer.trim() == "True" => Ok(python),
        Some(_) => Err(Stop::Skipped(format!("`{python}` is older than 3.9"))),
        None => Err(Stop::Skipped(format!("no Python (`{python}`)"))),
    }
}
