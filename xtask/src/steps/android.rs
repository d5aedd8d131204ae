//! The Android modules on the JVM, and their guide: its snippets are compiled, like the example in
//! README.md, and its quick-start is copied into a new folder and run against a service.

mod manifest;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::foreign;
use crate::bindings;
use crate::guide::{Guide, Snippet};
use crate::options::{Language, TestOptions};
use crate::process::Stop;
use crate::workspace::Workspace;

const PROJECT: &str = "android/pom.xml";
const GUIDE: &str = "docs/android.md";
const README: &str = "README.md";
/// What the example in README.md takes for granted.
const README_HEAD: &str = "import android.content.Context
import io.ringtrue.sdk.*
import java.io.File

suspend fun readme(context: Context, chainPem: String, stiRootsPem: String) {
";
/// The blocks of the guide that make its quick-start.
const QUICK_START: [&str; 2] = ["pom.xml", "FirstCall.kt"];
/// The telephones of the quick-start.
const NUMBERS: [&str; 2] = ["12025550143", "12025550199"];
/// What the quick-start prints in the end.
const PROOF: &str = "verified: +12025550143";
const PAGE_CHECK: &str = "android/scripts/check-page-size.py";

pub(super) fn run(workspace: &mut Workspace, _: &TestOptions) -> Result<(), Stop> {
    let project = workspace.require(PROJECT)?;
    let guide = workspace.require(GUIDE)?;
    foreign::require_maven()?;
    let folder = bindings::for_tests(workspace, Language::Kotlin)?;
    let build = workspace.target("android");
    let blocks = named_blocks(&fs::read_to_string(&guide).map_err(|e| fault(&guide, &e))?);
    manifest::check(&blocks)?;
    let snippets = build.join("snippets");
    write_snippets(&snippets, &blocks)?;
    write_readme(&snippets, &workspace.require(README)?)?;
    let mut command = maven(workspace, &project);
    command
        .arg("install")
        .arg(format!("-Dringtrue.bindings={}", folder.display()))
        .arg(format!("-Dringtrue.build={}", build.display()))
        .env("RINGTRUE_BIN", workspace.ringtrue());
    workspace.run(&mut command)?;
    workspace.require_tests()?;
    check_pages(workspace, &folder)?;
    quick_start(workspace, &build.join("quick-start"), &blocks, &folder)
}

fn maven(workspace: &Workspace, project: &Path) -> Command {
    let mut command = workspace.command("mvn");
    command
        .args(["--batch-mode", "--no-transfer-progress", "--file"])
        .arg(project);
    command
}

/// The check of library alignment, tried on the library of this machine where there is a Python.
/// Whether it holds says nothing about Android's; that the tool reads a real library does.
fn check_pages(workspace: &mut Workspace, folder: &Path) -> Result<(), Stop> {
    let Ok(python) = foreign::find_python() else {
        println!("no Python: {PAGE_CHECK} was not tried");
        return Ok(());
    };
    let mut command = workspace.command(python);
    command.args(["-B", PAGE_CHECK]);
    command.arg(folder.join("libringtrue_ffi.so"));
    let output = command
        .output()
        .map_err(|e| fault(Path::new(PAGE_CHECK), &e))?;
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    if text.contains("is aligned to 4096") || text.contains(": good") {
        Ok(())
    } else {
        Err(Stop::Failed(format!(
            "{PAGE_CHECK} did not judge a library"
        )))
    }
}

/// Copies the quick-start of the guide into a new folder and runs it as the guide says.
fn quick_start(
    workspace: &mut Workspace,
    folder: &Path,
    blocks: &[(String, String)],
    library: &Path,
) -> Result<(), Stop> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| fault(folder, &e))?;
    }
    fs::create_dir_all(folder).map_err(|e| fault(folder, &e))?;
    for name in QUICK_START {
        let (_, text) = blocks
            .iter()
            .find(|(block, _)| block == name)
            .ok_or_else(|| Stop::Failed(format!("{GUIDE} has no block `{name}`")))?;
        let path = folder.join(name);
        fs::write(&path, text).map_err(|e| fault(&path, &e))?;
    }
    let lab = folder.join("lab");
    let mut init = workspace.command(workspace.ringtrue());
    init.args(["lab", "init"]).arg(&lab);
    for number in NUMBERS {
        init.args(["--number", number]);
    }
    workspace.run(&mut init)?;
    let service = Service::start(workspace, &lab)?;
    let mut command = workspace.command("mvn");
    command
        .args(["--batch-mode", "--no-transfer-progress", "--quiet"])
        .args(["compile", "exec:java"])
        .arg(format!(
            "-Dexec.args={} {}",
            lab.display(),
            service.base_url
        ))
        .env(
            "MAVEN_OPTS",
            format!("-Djna.library.path={}", library.display()),
        )
        .current_dir(folder);
    let output = command.output().map_err(|e| fault(folder, &e))?;
    let text = String::from_utf8_lossy(&output.stdout);
    print!("quick-start: {text}");
    let said = String::from_utf8_lossy(&output.stderr);
    let verified = output.status.success() && text.contains(PROOF);
    // JNA warns when an application's code runs on a thread of the library.
    if verified && !said.contains("JNA:") {
        return Ok(());
    }
    eprintln!("{said}");
    Err(Stop::Failed(format!(
        "the quick-start of {GUIDE} did not verify its call, or not without a warning"
    )))
}

/// `ringtrue cps serve` while this lives.
struct Service {
    child: Child,
    base_url: String,
}

impl Service {
    fn start(workspace: &Workspace, lab: &Path) -> Result<Self, Stop> {
        let mut command = workspace.command(workspace.ringtrue());
        command.args(["cps", "serve", "--listen", "127.0.0.1:0", "--lab"]);
        command.arg(lab).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| fault(lab, &e))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let base_url = line
            .split_whitespace()
            .find(|word| word.starts_with("https://"))
            .unwrap_or_default()
            .to_owned();
        let service = Self { child, base_url };
        if service.base_url.is_empty() {
            return Err(Stop::Failed("the service did not start".to_owned()));
        }
        Ok(service)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the Kotlin blocks beside each other; the quick-start's has a folder of its own.
fn write_snippets(folder: &Path, blocks: &[(String, String)]) -> Result<(), Stop> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| fault(folder, &e))?;
    }
    fs::create_dir_all(folder).map_err(|e| fault(folder, &e))?;
    let mut written = 0_u32;
    for (name, text) in blocks {
        if name.ends_with(".kt") && !QUICK_START.contains(&name.as_str()) {
            let path: PathBuf = folder.join(name);
            fs::write(&path, text).map_err(|e| fault(&path, &e))?;
            written = written.saturating_add(1);
        }
    }
    if written == 0 {
        return Err(Stop::Failed(format!("{GUIDE} has no Kotlin block")));
    }
    Ok(())
}

/// Writes the Kotlin example of README.md beside the snippets, as a function.
fn write_readme(folder: &Path, readme: &Path) -> Result<(), Stop> {
    let guide = Guide::read(readme, "kotlin")?;
    let [Snippet::Body { text }] = guide.snippets.as_slice() else {
        return Err(Stop::Failed(format!("{README} has not one Kotlin example")));
    };
    let path = folder.join("Readme.kt");
    fs::write(&path, format!("{README_HEAD}{text}}}\n")).map_err(|e| fault(&path, &e))
}

/// The fenced blocks whose first line names a file, with their text: a language, then the name.
fn named_blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    let mut unnamed = false;
    for line in text.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            match open.take() {
                Some(block) => blocks.push(block),
                None if unnamed => unnamed = false,
                None => match fence.split_once(' ') {
                    Some((_, name)) => open = Some((name.to_owned(), String::new())),
                    None => unnamed = true,
                },
            }
        } else if let Some((_, block)) = &mut open {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks
}

fn fault(path: &Path, fault: &std::io::Error) -> Stop {
    Stop::Failed(format!("{}: {fault}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::named_blocks;

    #[test]
    fn blocks_with_a_name_are_found_and_others_left_out() {
        let text = "a\n```sh\nls\n```\n```kotlin A.kt\nval a = 1\n\n```\n```\nx\n```\n```xml pom.xml\n<a/>\n```\n";
        let expected = [("A.kt", "val a = 1\n\n"), ("pom.xml", "<a/>\n")];
        let found = named_blocks(text);
        let found: Vec<_> = found
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_block_that_is_not_closed_is_none() {
        assert!(named_blocks("```kotlin A.kt\nval a = 1\n").is_empty());
    }
}
