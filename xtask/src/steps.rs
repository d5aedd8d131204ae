//! The steps of `cargo xtask test`, and the run over them.

mod android;
pub(crate) mod c;
mod demo;
mod deny;
pub(crate) mod foreign;
mod interop;
mod layers;
mod ohttp;
mod packaging;
mod rust;
mod swift;
mod targets;

use std::time::Instant;

use crate::options::TestOptions;
use crate::process::Stop;
use crate::report::{Line, Report};
use crate::workspace::Workspace;

/// One named step.
struct Step {
    name: &'static str,
    about: &'static str,
    /// Runs only with `--all` or when named.
    heavy: bool,
    run: fn(&mut Workspace, &TestOptions) -> Result<(), Stop>,
}

/// In the order in which they run: quick verdicts first, then what needs the build.
const STEPS: [Step; 23] = [
    Step {
        name: "fmt",
        about: "formatting of all Rust sources",
        heavy: false,
        run: rust::fmt,
    },
    Step {
        name: "deny",
        about: "licences, banned and doubled crates, sources (cargo-deny)",
        heavy: false,
        run: deny::run,
    },
    Step {
        name: "layers",
        about: "direction of dependencies; the pure crates build without the network stack",
        heavy: false,
        run: layers::run,
    },
    Step {
        name: "clippy",
        about: "lints of all targets, no warning allowed",
        heavy: false,
        run: rust::clippy,
    },
    Step {
        name: "docs",
        about: "API documentation, no warning allowed",
        heavy: false,
        run: rust::docs,
    },
    Step {
        name: "build",
        about: "libraries, commands and tests that the following steps use",
        heavy: false,
        run: rust::build,
    },
    Step {
        name: "rust",
        about: "unit, API, scenario and documentation tests",
        heavy: false,
        run: rust::test,
    },
    Step {
        name: "fuzz",
        about: "each fuzz target over its corpus and mutations of it, for ten seconds",
        heavy: false,
        run: rust::fuzz,
    },
    Step {
        name: "bindings",
        about: "Kotlin, Python and Swift bindings are generated",
        heavy: false,
        run: foreign::bindings,
    },
    Step {
        name: "python",
        about: "Python test of the binding (needs Python 3.9)",
        heavy: false,
        run: foreign::python,
    },
    Step {
        name: "kotlin",
        about: "Kotlin test of the binding on the JVM (needs a JDK and Maven)",
        heavy: false,
        run: foreign::kotlin,
    },
    Step {
        name: "c",
        about: "C programs and examples on the C interface (needs gcc, g++ and Python 3.9)",
        heavy: false,
        run: c::run,
    },
    Step {
        name: "android",
        about: "Android modules on the JVM with the framework's classes (needs a JDK and Maven)",
        heavy: false,
        run: android::run,
    },
    Step {
        name: "swift",
        about: "Swift package: tests, guide, scripts (needs `cargo xtask test --swift` once)",
        heavy: false,
        run: swift::run,
    },
    Step {
        name: "interop",
        about: "an independent endpoint in Python against service and endpoint (needs Python 3.9)",
        heavy: false,
        run: interop::run,
    },
    Step {
        name: "packaging",
        about: "the systemd unit and the OpenWrt scripts, with the tools that are there",
        heavy: false,
        run: packaging::run,
    },
    Step {
        name: "demo",
        about: "`ringtrue demo`, for people and as JSON, as the tests built it",
        heavy: false,
        run: demo::run,
    },
    Step {
        name: "demo-release",
        about: "`cargo run --release -- demo`",
        heavy: true,
        run: demo::release,
    },
    Step {
        name: "ohttp",
        about: "Oblivious HTTP against the crates ohttp and bhttp, in a workspace of its own",
        heavy: true,
        run: ohttp::run,
    },
    Step {
        name: "bench",
        about: "`cargo bench`",
        heavy: true,
        run: rust::bench,
    },
    Step {
        name: "alone",
        about: "each crate checked by itself, without features that another one turns on",
        heavy: true,
        run: rust::alone,
    },
    Step {
        name: "cross",
        about: "`cargo xtask cross-test`: tests on ARM under emulation, checks for Android and iOS",
        heavy: true,
        run: targets::cross,
    },
    Step {
        name: "size",
        about: "`cargo xtask size`: what is shipped against its budget",
        heavy: true,
        run: targets::size,
    },
];

/// The names of all steps.
pub(crate) fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// What `--list` prints.
pub(crate) fn list() -> String {
    let mut text = String::new();
    for step in &STEPS {
        let when = if step.heavy {
            " (only with --all or by name)"
        } else {
            ""
        };
        text.push_str(&format!("{:14}{}{when}\n", step.name, step.about));
    }
    text
}

/// Runs what was asked for, goes on after a failure, prints the table. Returns whether all is well.
pub(crate) fn run(options: &TestOptions) -> bool {
    let mut workspace = Workspace::open();
    let mut report = Report::default();
    for step in &STEPS {
        let name = step.name.to_owned();
        if options.skip.contains(&name) {
            report.leave_out(step.name, "--skip");
            continue;
        }
        if !options.only.is_empty() && !options.only.contains(&name) {
            continue;
        }
        if step.heavy && !options.all && options.only.is_empty() {
            report.leave_out(step.name, "only with --all");
            continue;
        }
        println!("\n=== {}: {}", step.name, step.about);
        let start = Instant::now();
        let outcome = (step.run)(&mut workspace, options);
        if let Err(stop) = &outcome {
            println!("=== {} {stop}", step.name);
        }
        let counts = workspace.take_counts();
        report.add(Line {
            step: step.name.into(),
            outcome,
            elapsed: start.elapsed(),
            counts,
        });
    }
    if !options.only.is_empty() {
        println!("\nOnly the steps that were named ran.");
    }
    println!("\n{}", report.render().trim_end());
    report.is_success()
}
