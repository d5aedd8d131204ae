//! The `ringtrue` command: try it, run a service, announce and verify calls by hand.
#![forbid(unsafe_code)]

mod args;
mod calls;
mod credential;
mod credential_args;
mod date;
mod endpoint_daemon;
mod exit;
mod hex;
mod keys;
mod logs;
mod output;
mod serve_section;
mod settings;
mod trust;

// What a device that only makes and takes calls has no use for (docs/adr/0021-endpoint-daemon.md).
#[cfg(feature = "full")]
mod cps;
#[cfg(feature = "full")]
mod demo;
#[cfg(feature = "full")]
mod lab;
#[cfg(feature = "full")]
mod relay;
#[cfg(feature = "full")]
mod service_args;
#[cfg(feature = "full")]
mod tools;

use std::io::Write as _;

use clap::Parser as _;

use crate::args::{Arguments, Command};
use crate::exit::{Exit, Failure};
#[cfg(feature = "full")]
use crate::service_args::{CpsCommand, LabCommand, RelayCommand, ServiceCommand};

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let result = run(arguments);
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            // Where even that cannot be written, the exit status says it.
            let _ = writeln!(anstream::stderr(), "ringtrue: {failure}");
            failure.exit().into()
        }
    }
}

fn run(arguments: Arguments) -> Result<Exit, Failure> {
    logs::start(arguments.log.as_deref());
    match arguments.command {
        #[cfg(feature = "full")]
        Command::Service(command) => service(&command),
        #[cfg(feature = "full")]
        Command::Tool(command) => tools::run(&command),
        Command::Endpoint(endpoint) => endpoint_daemon::endpoint(endpoint),
        Command::Credential(credential) => credential::credential(&credential),
        Command::Place(place) => calls::place(&place),
        Command::Publish(publish) => calls::publish(&publish),
        Command::Ring(ring) => calls::ring(&ring),
        Command::Keys(keys) => keys::keys(&keys),
        Command::Trust(trust) => trust::trust(&trust),
    }
}

#[cfg(feature = "full")]
fn service(command: &ServiceCommand) -> Result<Exit, Failure> {
    match command {
        ServiceCommand::Demo(demo) => demo::run(demo),
        ServiceCommand::Lab(LabCommand::Init(init)) => lab::init(init),
        ServiceCommand::Lab(LabCommand::Issue(issue)) => lab::issue(issue),
        ServiceCommand::Cps(CpsCommand::Serve(serve)) => cps::serve(serve),
        ServiceCommand::Relay(RelayCommand::Serve(serve)) => relay::serve(serve),
    }
}
