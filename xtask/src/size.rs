//! `cargo xtask size`: builds what is shipped as it is shipped, measures it, says which dependency
//! takes how much, and compares with the checked-in budget. Where a goal is not reached, the budget
//! has a ceiling besides; it says so, and fails above the ceiling.
//!
//! It deliberately builds without the stripping of the profiles and strips a copy afterwards: the
//! names that tell whose the octets are would be gone otherwise. The copy is what is compared.

mod budget;
mod heap;
mod memory;
mod share;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::budget::Budget;
pub(crate) use self::budget::NAMES;
use self::share::Foreign;
use crate::cross;
use crate::options::SizeOptions;
use crate::process::{self, Stop};
use crate::targets::{ARMV7, Emulated};
use crate::workspace::Workspace;

/// The budget's file.
const BUDGET: &str = "xtask/size-budget.txt";

/// What every shipped build is made with besides its profile.
const SHIPPED_CONFIG: &str = "packaging/shipped.toml";

/// Relocations in packed form, as the script for Android asks for them in its linker's words.
const PACKED: &str = "link-arg=-Wl,-z,pack-relative-relocs";

/// Without what only the bindings' generator reads.
const NO_METADATA: &str = "link-arg=-Wl,-T,packaging/without-metadata.ld";

/// The daemon's name in the budget.
const DAEMON: &str = "daemon-memory";

/// The heap's name in the budget.
const HEAP: &str = "firmware-heap";

/// What the standard library is compiled with where it is compiled here: panics unwind, their traces have
/// no names, and where there is a choice the smaller code is taken.
const SMALL_STANDARD: &str = "build-std-features=panic-unwind,optimize_for_size";

/// Crates below this are listed together.
const LEAST_LISTED: u64 = 4096;

/// The C libraries, by a part of their archives' names.
const FOREIGN: [(&str, &str); 2] = [("libsqlite3", "sqlite3"), ("aws_lc", "aws-lc")];

/// One library that is shipped.
struct Shipped {
    /// Its name in the budget.
    name: &'static str,
    package: &'static str,
    /// What the linker makes of it.
    file: &'static str,
    profile: &'static str,
    /// Features that are left out or named, as cargo's arguments.
    features: &'static [&'static str],
    /// For which platform, if not for the one at hand.
    target: Option<&'static Emulated>,
    /// With a standard library compiled for size, instead of the one that comes with the compiler.
    small_standard: bool,
    /// What the linker is told, as options of the compiler.
    link: &'static [&'static str],
}

/// Linux alone: the sections and the tools are those of ELF.
const SHIPPED: [Shipped; 4] = [
    Shipped {
        name: "sdk-library",
        package: "ringtrue-uniffi",
        file: "libringtrue_ffi.so",
        profile: "release-mobile",
        // The hybrid suites are a default feature.
        features: &["--no-default-features"],
        target: None,
        small_standard: false,
        link: &["-C", PACKED, "-C", NO_METADATA],
    },
    Shipped {
        name: "sdk-library-small",
        package: "ringtrue-uniffi",
        file: "libringtrue_ffi.so",
        profile: "release-mobile",
        features: &["--no-default-features"],
        target: None,
        small_standard: true,
        link: &["-C", PACKED, "-C", NO_METADATA],
    },
    Shipped {
        name: "firmware-library",
        package: "ringtrue-c",
        file: "libringtrue.so",
        profile: "release-firmware",
        features: &[],
        target: Some(&ARMV7),
        small_standard: false,
        link: &[],
    },
    Shipped {
        name: "firmware-library-small",
        package: "ringtrue-c",
        file: "libringtrue.so",
        profile: "release-firmware",
        features: &[],
        target: Some(&ARMV7),
        small_standard: true,
        link: &[],
    },
];

/// Measures what was asked for, all if nothing was named.
///
/// # Errors
///
/// [`Stop::Failed`] if a build fails or something is above its budget; all are measured before.
pub(crate) fn command(workspace: &mut Workspace, options: &SizeOptions) -> Result<(), Stop> {
    if cfg!(not(target_os = "linux")) {
        return Err(Stop::Skipped("sizes are measured on Linux".to_owned()));
    }
    let path = workspace.require(BUDGET)?;
    let text = fs::read_to_string(&path).map_err(|fault| unusable(&path, &fault))?;
    let budget = Budget::parse(&text).map_err(|why| Stop::Failed(format!("{BUDGET}: {why}")))?;
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|n| n == name);
    let mut outcomes = Vec::new();
    for library in SHIPPED.iter().filter(|library| wanted(library.name)) {
        println!("\n=== {}", library.name);
        let octets = measure(workspace, library);
        let outcome = octets.and_then(|octets| budget.compare(library.name, octets));
        outcomes.push((library.name, outcome));
    }
    if wanted(HEAP) {
        println!("\n=== {HEAP}");
        outcomes.push((HEAP, heap::measure(workspace, &budget, HEAP)));
    }
    if wanted(DAEMON) {
        println!("\n=== {DAEMON}");
        outcomes.push((DAEMON, memory::measure(workspace, &budget, DAEMON)));
    }
    println!();
    let mut result = Ok(());
    for (name, outcome) in outcomes {
        match outcome {
            Ok(line) => println!("{line}"),
            Err(stop) => {
                println!("{name}: {stop}");
                // A failure outweighs what could not be judged.
                if !matches!((&result, &stop), (Err(Stop::Failed(_)), Stop::Skipped(_))) {
                    result = Err(stop);
                }
            }
        }
    }
    result
}

/// Builds one library, prints its shares and returns the octets of the stripped file.
fn measure(workspace: &mut Workspace, library: &Shipped) -> Result<u64, Stop> {
    let mut cargo = shipped(workspace, "rustc");
    // Alone: together with the Rust library, cargo leaves the optimisation across crates out.
    cargo.args(["--locked", "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--package", library.package, "--profile", library.profile]);
    cargo.args(library.features);
    let setting = library.profile.to_uppercase().replace('-', "_");
    cargo.env(format!("CARGO_PROFILE_{setting}_STRIP"), "none");
    let mut folder = workspace.target(if library.small_standard {
        "small-std"
    } else {
        ""
    });
    let target_dir = folder.clone();
    match library.target {
        Some(target) => {
            cross::aim(workspace, target, library.small_standard, &mut cargo)?;
            folder.push(target.triple);
        }
        None if library.small_standard => {
            folder.push(cross::with_standard(workspace, &mut cargo)?);
        }
        None => {}
    }
    if library.small_standard {
        cargo.args(["-Z", SMALL_STANDARD]);
        cargo.env("CARGO_TARGET_DIR", &target_dir);
    }
    cargo.arg("--").args(library.link);
    folder.push(library.profile);
    let tool = |name: &str| {
        library
            .target
            .map_or(name.to_owned(), |target| target.tool(name))
    };
    workspace.run(&mut cargo)?;

    let whole = folder.join(library.file);
    let stripped = folder.join(format!("{}.stripped", library.file));
    let mut strip = workspace.command(tool("strip"));
    strip.arg("--strip-all").arg("-o").arg(&stripped);
    workspace.run(strip.arg(&whole))?;
    let octets = fs::metadata(&stripped)
        .map_err(|fault| unusable(&stripped, &fault))?
        .len();

    let nm = ask(
        workspace,
        &tool("nm"),
        &["--print-size", "--defined-only", "--demangle"],
        &whole,
    )?;
    let mut foreign = Foreign::default();
    for (archive, name) in archives(&folder.join("build")) {
        foreign.add(
            name,
            &ask(workspace, &tool("nm"), &["--defined-only"], &archive)?,
        );
    }
    let size = ask(workspace, &tool("size"), &["-A", "-d"], &stripped)?;
    println!(
        "{}",
        table(
            &share::by_crate(&nm, &foreign),
            &share::sections(&size),
            octets
        )
    );
    Ok(octets)
}

/// A command of cargo with what every shipped build is made with.
fn shipped(workspace: &Workspace, command: &str) -> Command {
    let mut cargo = workspace.cargo(command);
    cargo.args(["--config", SHIPPED_CONFIG]);
    cargo
}

/// What a program of the binutils says about a file.
fn ask(
    workspace: &Workspace,
    program: &str,
    options: &[&str],
    file: &Path,
) -> Result<String, Stop> {
    process::ask(workspace.command(program).args(options).arg(file))
        .ok_or_else(|| Stop::Failed(format!("`{program} {}` failed", file.display())))
}

/// The archives of the C libraries that the build scripts made.
fn archives(build: &Path) -> Vec<(PathBuf, &'static str)> {
    let mut found = Vec::new();
    for package in entries(build) {
        for file in entries(&package.join("out")) {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let library = FOREIGN.iter().find(|(part, _)| name.contains(part));
            if let (Some((_, library)), true) = (library, name.ends_with(".a")) {
                found.push((file, *library));
            }
        }
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Two lists: whose the named octets are, and which sections there are.
fn table(shares: &[(String, u64)], sections: &[(String, u64)], file: u64) -> String {
    let mut text = String::from("Named code and data, by crate or C library:\n");
    let (mut rest, mut count) = (0_u64, 0_usize);
    for (name, octets) in shares {
        if *octets < LEAST_LISTED {
            rest = rest.saturating_add(*octets);
            count = count.saturating_add(1);
        } else {
            text.push_str(&format!("{octets:>9}  {name}\n"));
        }
    }
    text.push_str(&format!(
        "{rest:>9}  {count} others\nSections, of which the above is a part:\n"
    ));
    let mut sections = sections.to_vec();
    sections.sort_by_key(|(_, octets)| std::cmp::Reverse(*octets));
    for (name, octets) in &sections {
        text.push_str(&format!("{octets:>9}  {name}\n"));
    }
    text.push_str(&format!("{file:>9}  the stripped file"));
    text
}

fn unusable(path: &Path, fault: &std::io::Error) -> Stop {
    Stop::Failed(format!("{}: {fault}", path.display()))
}
