//! Build and test steps that cargo cannot express.
//!
//! `cargo xtask test` runs the tests of every language, `cargo xtask bindings` generates the Kotlin,
//! Swift or Python binding with the pinned generator, or the C header, `cargo xtask fuzz` runs libFuzzer,
//! `cargo xtask cross-test` the core's tests on other processors, and `cargo xtask size` measures what
//! is shipped. Only the standard library is used, so that this program is ready within seconds on a
//! clean clone.
//!
//! It deliberately holds no test of its own subject: each step calls the tool that a person would
//! call by hand, prints what it calls, and judges by the exit status and by the number of tests.

mod bindings;
mod counts;
mod cross;
mod fuzz;
mod guide;
mod options;
mod process;
mod report;
mod size;
mod steps;
mod swift_root;
mod targets;
mod workspace;

use std::process::ExitCode;

use options::Command;
use workspace::Workspace;

/// Exit status for wrong usage, as other commands have it.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = match options::parse(&arguments, &steps::names()) {
        Ok(command) => command,
        Err(fault) => {
            eprintln!("xtask: {fault}\n\n{}", options::HELP);
            return ExitCode::from(USAGE);
        }
    };
    match command {
        Command::Help => {
            println!("{}", options::HELP);
            ExitCode::SUCCESS
        }
        Command::ListSteps => {
            print!("{}", steps::list());
            ExitCode::SUCCESS
        }
        Command::Size(options) => status(size::command(&mut Workspace::open(), &options)),
        Command::Test(options) => {
            if steps::run(&options) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Command::Bindings(options) => status(bindings::command(&mut Workspace::open(), &options)),
        Command::Cross(options) => status(cross::command(&mut Workspace::open(), &options)),
        Command::CHeader => status(steps::c::header(&mut Workspace::open(), false)),
        Command::Fuzz(options) => status(fuzz::command(&mut Workspace::open(), &options)),
    }
}

fn status(outcome: Result<(), process::Stop>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("xtask: {stop}");
            ExitCode::FAILURE
        }
    }
}
