//! The command line of xtask.

use std::path::PathBuf;
use std::time::Duration;

use crate::size::NAMES as BUDGET_NAMES;
use crate::targets;

/// What `cargo xtask` prints without arguments.
pub(crate) const HELP: &str = "\
Build and test steps of RingTrue.

cargo xtask test [--all] [--only STEP]... [--skip STEP]... [--advisories] [--swift]
    Run the tests of every language; go on after a failure; end with a table.
    --all         also the heavy steps (release build, benchmarks, each crate alone)
    --only STEP   only this step (may be repeated; heavy steps too)
    --skip STEP   not this step (may be repeated)
    --advisories  let the deny step also ask the RustSec database (needs the network)
    --swift       the Swift step; sets Swift up first: Debian trixie in a folder (as root, 2.6 GB,
                  $RINGTRUE_SWIFT_ROOT or the user's cache). Once set up, every run includes it.

cargo xtask test --list
    Name the steps and say what each does.

cargo xtask bindings --language kotlin|swift|python --out DIR [--release]
    Build the shared library and generate the binding for it, both into DIR.

cargo xtask bindings --language c
    Write bindings/c/include/ringtrue.h anew from the sources of the C interface.

cargo xtask cross-test [--target TRIPLE]... [--package NAME]... [--build-std]
    Run the core's tests and the C programs on 32-bit and 64-bit ARM under emulation, and check the
    Rust code of the SDK for Android and iOS. Installs what is missing through rustup and, as root,
    apt. Ends with a table: time and tests of each package.
    --target TRIPLE  only this platform (may be repeated)
    --package NAME   only this package's tests (may be repeated)
    --build-std      build the standard library from Debian's package of its sources, also where
                     rustup could fetch it

cargo xtask size [NAME]...
    Build the libraries as they are shipped, print each dependency's share, and compare with the
    budget in xtask/size-budget.txt: all of it, or only the things named there.

cargo xtask fuzz --minutes N [--jobs J] [TARGET]...
    Run libFuzzer (cargo-fuzz) over the named targets, or all, N minutes each, J at a time
    (default 2); fail on a crash, a hang or growth; print the closing lines and a table.";

/// One thing to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Bindings(BindingsOptions),
    CHeader,
    Cross(CrossOptions),
    Fuzz(FuzzOptions),
    Help,
    ListSteps,
    Size(SizeOptions),
    Test(TestOptions),
}

/// What `cargo xtask test` was asked for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct TestOptions {
    pub(crate) advisories: bool,
    pub(crate) all: bool,
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    /// Sets Swift up if it is not there.
    pub(crate) swift: bool,
}

/// What `cargo xtask bindings` was asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct BindingsOptions {
    pub(crate) language: Language,
    pub(crate) out: PathBuf,
    pub(crate) release: bool,
}

/// What `cargo xtask cross-test` was asked for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CrossOptions {
    /// Whether the standard library is built from its sources in any case.
    pub(crate) from_source: bool,
    /// Whose tests; all packages of an endpoint if none is named.
    pub(crate) packages: Vec<String>,
    /// Which platforms; all if none is named.
    pub(crate) targets: Vec<String>,
}

/// What `cargo xtask fuzz` was asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct FuzzOptions {
    /// How many targets run at a time.
    pub(crate) jobs: usize,
    /// How long each target runs.
    pub(crate) seconds: u64,
    /// Which targets; all if none is named.
    pub(crate) targets: Vec<String>,
}

/// What `cargo xtask size` was asked for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SizeOptions {
    /// Which things of the budget; all if none is named.
    pub(crate) only: Vec<String>,
}

/// A language that the generator writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Language {
    Kotlin,
    Python,
    Swift,
}

impl Language {
    /// All of them, in the order in which they are generated.
    pub(crate) const ALL: [Self; 3] = [Self::Kotlin, Self::Python, Self::Swift];

    /// The name that the generator and the folders use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kotlin => "kotlin",
            Self::Python => "python",
            Self::Swift => "swift",
        }
    }

    fn from_name(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|language| language.name() == name)
            .ok_or_else(|| format!("unknown language `{name}`"))
    }
}

/// Reads the arguments behind `cargo xtask`; `steps` are the names that exist.
///
/// # Errors
///
/// One sentence that says which argument is wrong.
pub(crate) fn parse(arguments: &[String], steps: &[&str]) -> Result<Command, String> {
    let mut rest = arguments.iter().map(String::as_str);
    match rest.next() {
        None | Some("help" | "--help" | "-h") => Ok(Command::Help),
        Some("test") => parse_test(rest, steps),
        Some("bindings") => parse_bindings(rest),
        Some("cross-test") => parse_cross(rest),
        Some("fuzz") => parse_fuzz(rest),
        Some("size") => parse_size(rest),
        Some(other) => Err(format!("unknown command `{other}`")),
    }
}

fn parse_test<'a>(
    mut rest: impl Iterator<Item = &'a str>,
    steps: &[&str],
) -> Result<Command, String> {
    let mut options = TestOptions::default();
    let mut list = false;
    while let Some(argument) = rest.next() {
        match argument {
            "--advisories" => options.advisories = true,
            "--all" => options.all = true,
            "--help" | "-h" => return Ok(Command::Help),
            "--list" => list = true,
            "--only" => options.only.push(step_name(rest.next(), steps)?),
            "--swift" => {
                options.swift = true;
                options.only.push("swift".to_owned());
            }
            "--skip" => options.skip.push(step_name(rest.next(), steps)?),
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    Ok(if list {
        Command::ListSteps
    } else {
        Command::Test(options)
    })
}

fn step_name(argument: Option<&str>, steps: &[&str]) -> Result<String, String> {
    let name = argument.ok_or("a step's name is missing")?;
    if steps.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(format!("no step `{name}`; there are: {}", steps.join(", ")))
    }
}

fn parse_bindings<'a>(mut rest: impl Iterator<Item = &'a str>) -> Result<Command, String> {
    let (mut language, mut out, mut release) = (None, None, false);
    let mut is_c = false;
    while let Some(argument) = rest.next() {
        match argument {
            "--help" | "-h" => return Ok(Command::Help),
            "--language" => {
                let name = rest.next().ok_or("--language needs a name")?;
                is_c = name == "c";
                language = (!is_c).then(|| Language::from_name(name)).transpose()?;
            }
            "--out" => out = Some(PathBuf::from(rest.next().ok_or("--out needs a folder")?)),
            "--release" => release = true,
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    if is_c {
        return match (out, release) {
            (None, false) => Ok(Command::CHeader),
            _ => Err("the C header has its place: no --out, no --release".to_owned()),
        };
    }
    Ok(Command::Bindings(BindingsOptions {
        language: language.ok_or("--language is missing")?,
        out: out.ok_or("--out is missing")?,
        release,
    }))
}

fn parse_cross<'a>(mut rest: impl Iterator<Item = &'a str>) -> Result<Command, String> {
    let known = targets::names();
    let mut options = CrossOptions::default();
    while let Some(argument) = rest.next() {
        match argument {
            "--build-std" => options.from_source = true,
            "--help" | "-h" => return Ok(Command::Help),
            "--package" => {
                let name = rest.next().ok_or("--package needs a name")?;
                options.packages.push(name.to_owned());
            }
            "--target" => {
                let name = rest.next().ok_or("--target needs a name")?;
                if !known.contains(&name) {
                    let all = known.join(", ");
                    return Err(format!("no target `{name}`; there are: {all}"));
                }
                options.targets.push(name.to_owned());
            }
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    Ok(Command::Cross(options))
}

fn parse_size<'a>(rest: impl Iterator<Item = &'a str>) -> Result<Command, String> {
    let mut options = SizeOptions::default();
    for argument in rest {
        match argument {
            "--help" | "-h" => return Ok(Command::Help),
            name if BUDGET_NAMES.contains(&name) => options.only.push(name.to_owned()),
            other => {
                let all = BUDGET_NAMES.join(", ");
                return Err(format!("`{other}` has no budget; there are: {all}"));
            }
        }
    }
    Ok(Command::Size(options))
}

/// A week: more is a slip of the finger.
const MOST_FUZZ_MINUTES: f64 = 10_080.0;

fn parse_fuzz<'a>(mut rest: impl Iterator<Item = &'a str>) -> Result<Command, String> {
    let (mut seconds, mut jobs, mut targets) = (None, 2, Vec::new());
    while let Some(argument) = rest.next() {
        match argument {
            "--help" | "-h" => return Ok(Command::Help),
            "--jobs" => {
                jobs = rest
                    .next()
                    .and_then(|text| text.parse().ok())
                    .filter(|jobs| *jobs > 0)
                    .ok_or("--jobs needs a number from 1")?;
            }
            "--minutes" => {
                let minutes = rest
                    .next()
                    .and_then(|text| text.parse::<f64>().ok())
                    .filter(|minutes| (0.1..=MOST_FUZZ_MINUTES).contains(minutes))
                    .ok_or("--minutes needs a number from 0.1 to 10080")?;
                seconds = Some(Duration::from_secs_f64(minutes * 60.0).as_secs());
            }
            flag if flag.starts_with('-') => return Err(format!("unknown argument `{flag}`")),
            target => targets.push(target.to_owned()),
        }
    }
    Ok(Command::Fuzz(FuzzOptions {
        jobs,
        seconds: seconds.ok_or("--minutes is missing")?,
        targets,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Command, String> {
        let arguments: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        parse(&arguments, &["fmt", "rust"])
    }

    #[test]
    fn nothing_asks_for_help() {
        assert_eq!(parse_words(""), Ok(Command::Help));
    }

    #[test]
    fn steps_are_selected_and_left_out_by_name() {
        let expected = TestOptions {
            all: true,
            only: vec!["fmt".to_owned(), "rust".to_owned()],
            skip: vec!["fmt".to_owned()],
            ..TestOptions::default()
        };
        assert_eq!(
            parse_words("test --all --only fmt --only rust --skip fmt"),
            Ok(Command::Test(expected))
        );
    }

    #[test]
    fn swift_is_set_up_only_where_that_was_asked_for() {
        let expected = TestOptions {
            only: vec!["swift".to_owned()],
            swift: true,
            ..TestOptions::default()
        };
        assert_eq!(parse_words("test --swift"), Ok(Command::Test(expected)));
    }

    #[test]
    fn list_wins_over_running() {
        assert_eq!(parse_words("test --list --all"), Ok(Command::ListSteps));
    }

    #[test]
    fn refuses_a_step_that_does_not_exist() {
        assert_eq!(
            parse_words("test --only fnt"),
            Err("no step `fnt`; there are: fmt, rust".to_owned())
        );
        assert!(parse_words("test --skip").is_err());
    }

    #[test]
    fn refuses_unknown_commands_and_arguments() {
        for words in [
            "build",
            "test --fast",
            "bindings --language c --out x",
            "bindings --out x",
            "fuzz",
            "fuzz --minutes",
            "fuzz --minutes 0",
            "fuzz --minutes inf",
            "fuzz --minutes 1 --jobs 0",
            "fuzz --minutes 1 --forever",
            "cross-test --target",
            "cross-test --target mips",
            "cross-test --package",
            "cross-test --release",
            "size mobile",
            "size --release",
        ] {
            assert!(parse_words(words).is_err(), "{words}");
        }
    }

    #[test]
    fn bindings_take_language_and_folder() {
        let expected = BindingsOptions {
            language: Language::Swift,
            out: PathBuf::from("there"),
            release: true,
        };
        assert_eq!(
            parse_words("bindings --language swift --out there --release"),
            Ok(Command::Bindings(expected))
        );
    }

    #[test]
    fn cross_test_takes_targets_and_packages() {
        let expected = CrossOptions {
            from_source: true,
            packages: vec!["ringtrue-oob".to_owned()],
            targets: vec!["aarch64-unknown-linux-gnu".to_owned()],
        };
        assert_eq!(
            parse_words(
                "cross-test --target aarch64-unknown-linux-gnu --package ringtrue-oob --build-std"
            ),
            Ok(Command::Cross(expected))
        );
        assert_eq!(
            parse_words("cross-test"),
            Ok(Command::Cross(CrossOptions::default()))
        );
    }

    #[test]
    fn size_takes_names_of_the_budget() {
        let expected = SizeOptions {
            only: vec!["daemon-memory".to_owned()],
        };
        assert_eq!(
            parse_words("size daemon-memory"),
            Ok(Command::Size(expected))
        );
        assert_eq!(
            parse_words("size"),
            Ok(Command::Size(SizeOptions::default()))
        );
    }

    #[test]
    fn the_c_header_takes_no_folder() {
        assert_eq!(parse_words("bindings --language c"), Ok(Command::CHeader));
        assert!(parse_words("bindings --language c --release").is_err());
    }

    #[test]
    fn fuzz_takes_minutes_jobs_and_targets() {
        let expected = FuzzOptions {
            jobs: 3,
            seconds: 90,
            targets: vec!["jws".to_owned(), "blob".to_owned()],
        };
        assert_eq!(
            parse_words("fuzz jws --minutes 1.5 --jobs 3 blob"),
            Ok(Command::Fuzz(expected))
        );
    }
}
