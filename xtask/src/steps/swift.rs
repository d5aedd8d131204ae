//! The Swift package: its tests, its guide, its scripts.
//!
//! The package is copied into a folder of its own, with the generated code and the native library that
//! it needs there, and tested in the system that [`SwiftRoot`] keeps. The service runs outside, and is
//! reached over the loopback address.

mod apple;
mod library;
mod script;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bindings;
use crate::guide::{Guide, Snippet};
use crate::options::{Language, TestOptions};
use crate::process::{self, Stop};
use crate::swift_root::{INSIDE, SwiftRoot};
use crate::workspace::Workspace;

const PACKAGE: &str = "ios";

/// Where the package's copy is in the shared folder.
const PACKAGE_INSIDE: &str = "ringtrue/ios";

/// Where the guide's quick start is there.
const QUICK_START: &str = "first-call";

const GUIDE: &str = "docs/ios.md";

/// What a runner that hangs is given, in seconds. The tests take one to two minutes.
const PATIENCE: &str = "1200";

/// The two telephones of the guide.
const GUIDE_NUMBERS: [u64; 2] = [12_025_550_143, 12_025_550_199];

/// Telephones for the tests: more than they take.
const NUMBERS: std::ops::Range<u64> = 12_025_550_200..12_025_550_400;

pub(super) fn run(workspace: &mut Workspace, options: &TestOptions) -> Result<(), Stop> {
    let package = workspace.require(PACKAGE)?;
    let guide = Guide::read(&workspace.require(GUIDE)?, "swift")?;
    let shared = workspace.target("swift");
    script::check(workspace, &shared)?;
    let root = SwiftRoot::open(workspace, options.swift)?;
    assemble(workspace, &package, &shared)?;
    let service = Service::start(workspace, &shared)?;
    let inside = Inside {
        root: &root,
        shared: &shared,
        variables: [
            ("RINGTRUE_LAB", format!("{INSIDE}/lab")),
            ("RINGTRUE_SERVICE", service.base_url.clone()),
            ("RINGTRUE_SCENARIOS", format!("{INSIDE}/scenarios")),
            // The test that nothing leaks counts octets; each thread's cache of freed ones would blur that.
            ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0".to_owned()),
        ],
    };
    inside.swift(workspace, PACKAGE_INSIDE, &["test", "--no-parallel"])?;
    workspace.require_tests()?;
    library::of_another_version(workspace, &inside)?;
    let for_apple = snippets(workspace, &inside, &guide)?;
    apple::check(workspace, &inside, &for_apple)?;
    quick_start(workspace, &inside, &guide)?;
    library::that_is_missing(workspace, &inside)?;
    service.stop()
}

/// Puts package, generated code, native library and scenario files side by side.
fn assemble(workspace: &mut Workspace, package: &Path, shared: &Path) -> Result<(), Stop> {
    let binding = bindings::for_tests(workspace, Language::Swift)?;
    let copy = shared.join(PACKAGE_INSIDE);
    mirror(package, &copy, &["Generated", ".build"])?;
    for (file, to) in [
        ("RingTrueFFI.swift", "Generated/RingTrueFFI"),
        ("CRingTrueFFI.h", "Generated/CRingTrueFFI"),
    ] {
        refresh(&binding.join(file), &copy.join(to).join(file))?;
    }
    refresh(
        &package.join("Native/linux.modulemap"),
        &copy.join("Generated/CRingTrueFFI/module.modulemap"),
    )?;
    refresh(
        &binding.join(library::NAME),
        &shared.join("lib").join(library::NAME),
    )?;
    mirror(
        &workspace.path("tests/scenarios/files"),
        &shared.join("scenarios"),
        &[],
    )?;
    let home = shared.join("home");
    fs::create_dir_all(&home).map_err(|fault| unusable(&home, &fault))
}

/// Commands in the system where Swift is.
struct Inside<'a> {
    root: &'a SwiftRoot,
    shared: &'a Path,
    variables: [(&'static str, String); 4],
}

impl Inside<'_> {
    /// A command at a folder of the shared one.
    fn command(&self, workspace: &Workspace, at: &str) -> Command {
        self.command_with(workspace, at, &[])
    }

    /// The same, with more variables in its environment.
    fn command_with(
        &self,
        workspace: &Workspace,
        at: &str,
        more: &[(&'static str, String)],
    ) -> Command {
        let at = format!("{INSIDE}/{at}");
        let variables = [&self.variables, more].concat();
        self.root.command(workspace, self.shared, &at, &variables)
    }

    /// Runs the package manager in a folder of the shared one.
    fn swift(&self, workspace: &mut Workspace, at: &str, arguments: &[&str]) -> Result<(), Stop> {
        let mut command = self.command(workspace, at);
        command.args(["timeout", PATIENCE, "swift"]).args(arguments);
        for flag in [
            format!("-L{INSIDE}/lib"),
            "-rpath".to_owned(),
            format!("{INSIDE}/lib"),
        ] {
            command.args(["-Xlinker", &flag]);
        }
        workspace.run(&mut command)
    }
}

/// Compiles what the guide shows, each piece by itself; gives the folder of the pieces for Apple's systems alone.
fn snippets(workspace: &mut Workspace, inside: &Inside<'_>, guide: &Guide) -> Result<String, Stop> {
    const FOLDER: &str = "snippets";
    let folder = inside.shared.join(FOLDER);
    for stale in ["Sources", "Apple"] {
        remove(&folder.join(stale))?;
    }
    for (index, snippet) in guide.snippets.iter().enumerate() {
        match snippet {
            Snippet::File { .. } => {}
            Snippet::Apple { text } => {
                write(&folder.join(format!("Apple/Apple{index}.swift")), text)?;
            }
            Snippet::Body { text } => write(
                &folder.join(format!("Sources/Snippets/Snippet{index}.swift")),
                body(index, text),
            )?,
        }
    }
    write(&folder.join("Package.swift"), SNIPPETS_PACKAGE)?;
    inside.swift(workspace, FOLDER, &["build"])?;
    Ok(format!("{FOLDER}/Apple"))
}

/// A piece of the guide as the body of a function; what the guide's pieces share are its parameters.
fn body(index: usize, text: &str) -> String {
    let imports: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("import "))
        .collect();
    let rest: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("import "))
        .collect();
    format!(
        "import Foundation\nimport RingTrue\nimport RingTrueNotification\n{}\n\
         func snippet{index}(endpoint: Endpoint, config: EndpointConfig, signer: any Signer) async throws {{\n{}\n}}\n",
        imports.join("\n"),
        rest.join("\n")
    )
}

const SNIPPETS_PACKAGE: &str = r#"// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Snippets",
    dependencies: [.package(path: "../ringtrue/ios")],
    targets: [
        .target(
            name: "Snippets",
            dependencies: [
                .product(name: "RingTrue", package: "ios"),
                .product(name: "RingTrueNotification", package: "ios"),
            ]
        )
    ]
)
"#;

/// Does what the guide says, in a new folder: its files, its command, its outcome.
fn quick_start(workspace: &mut Workspace, inside: &Inside<'_>, guide: &Guide) -> Result<(), Stop> {
    let folder = inside.shared.join(QUICK_START);
    let sources = folder.join("Sources");
    remove(&sources)?;
    let files = guide.snippets.iter().filter_map(|snippet| match snippet {
        Snippet::File { name, text } => Some((name, text)),
        _ => None,
    });
    for (name, text) in files {
        write(&folder.join(name), text)?;
    }
    if !folder.join("Package.swift").exists() || !sources.exists() {
        return Err(Stop::Failed(format!("{GUIDE} has no quick start")));
    }
    inside.swift(workspace, QUICK_START, &["build"])?;
    let mut command = inside.command(workspace, QUICK_START);
    command.args(["timeout", PATIENCE, ".build/debug/first-call"]);
    command
        .arg(format!("{INSIDE}/lab"))
        .arg(&inside.variables[1].1);
    let printed = process::ask(&mut command)
        .ok_or_else(|| Stop::Failed(format!("the quick start of {GUIDE} failed")))?;
    print!("{printed}");
    if printed.lines().any(|line| line.contains("verified")) {
        println!("1 passed, 0 failed: the quick start, copied from {GUIDE}");
        Ok(())
    } else {
        Err(Stop::Failed(format!(
            "the quick start of {GUIDE} verified no call"
        )))
    }
}

/// A laboratory and the real service; it ends when this is dropped.
struct Service {
    child: Child,
    base_url: String,
}

impl Service {
    fn start(workspace: &mut Workspace, shared: &Path) -> Result<Self, Stop> {
        let lab = shared.join("lab");
        remove(&lab)?;
        let mut init = workspace.command(workspace.ringtrue());
        init.args(["lab", "init"]).arg(&lab);
        for number in GUIDE_NUMBERS.into_iter().chain(NUMBERS) {
            init.args(["--number", &number.to_string()]);
        }
        process::ask(&mut init)
            .ok_or_else(|| Stop::Failed("`ringtrue lab init` failed".to_owned()))?;
        let mut serve = workspace.command(workspace.ringtrue());
        serve
            .args(["cps", "serve", "--listen", "127.0.0.1:0", "--lab"])
            .arg(&lab);
        let log = lab.join("service.log");
        let log = fs::File::create(&log).map_err(|fault| unusable(&log, &fault))?;
        let mut child = serve
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|fault| Stop::Failed(format!("the service did not start: {fault}")))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            // An unreadable line is one without an address.
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let base_url = line
            .split_whitespace()
            .find(|word| word.starts_with("https://"));
        let base_url = base_url.unwrap_or_default().to_owned();
        let service = Self { child, base_url };
        if service.base_url.is_empty() {
            return Err(Stop::Failed("the service said no address".to_owned()));
        }
        Ok(service)
    }

    /// Ends it; it must still have been there.
    fn stop(mut self) -> Result<(), Stop> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            ended => Err(Stop::Failed(format!(
                "the service ended by itself: {ended:?}"
            ))),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies a folder, but leaves alone what is the same, so that nothing is built twice; removes what is
/// no longer there. `kept` are names at the top that belong to the copy.
fn mirror(from: &Path, to: &Path, kept: &[&str]) -> Result<(), Stop> {
    fs::create_dir_all(to).map_err(|fault| unusable(to, &fault))?;
    for entry in entries(to)? {
        let name = entry.file_name().unwrap_or_default();
        if !from.join(name).exists() && !kept.iter().any(|kept| name == *kept) {
            let removed = if entry.is_dir() {
                fs::remove_dir_all(&entry)
            } else {
                fs::remove_file(&entry)
            };
            removed.map_err(|fault| unusable(&entry, &fault))?;
        }
    }
    for entry in entries(from)? {
        let name = entry.file_name().unwrap_or_default();
        if kept.iter().any(|kept| name == *kept) {
            continue;
        }
        if entry.is_dir() {
            mirror(&entry, &to.join(name), &[])?;
        } else {
            refresh(&entry, &to.join(name))?;
        }
    }
    Ok(())
}

/// Copies a file unless the copy is the same.
fn refresh(from: &Path, to: &Path) -> Result<(), Stop> {
    let content = fs::read(from).map_err(|fault| unusable(from, &fault))?;
    write(to, content)
}

/// Writes a file unless it is the same.
fn write(to: &Path, content: impl AsRef<[u8]>) -> Result<(), Stop> {
    if fs::read(to).is_ok_and(|before| before == content.as_ref()) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|fault| unusable(folder, &fault))?;
    }
    fs::write(to, content).map_err(|fault| unusable(to, &fault))
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> Result<(), Stop> {
    match fs::remove_dir_all(folder) {
        Err(fault) if fault.kind() != ErrorKind::NotFound => Err(unusable(folder, &fault)),
        _ => Ok(()),
    }
}

/// All files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Stop> {
    for entry in entries(folder)? {
        if entry.is_dir() {
            collect(&entry, files)?;
        } else {
            files.push(entry);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
    });
    let mut paths = listed.map_err(|fault| unusable(folder, &fault))?;
    paths.sort();
    Ok(paths)
}

fn unusable(path: &Path, fault: &std::io::Error) -> Stop {
    Stop::Failed(format!("{}: {fault}", path.display()))
}
