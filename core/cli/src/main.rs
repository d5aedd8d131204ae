//! The `ringtrue` command: try it, run a service, announce and verify calls by hand.
#![forbid(unsafe_code)]

mod args;
mod calls;
mod cps;
mod credential;
mod credential_args;
mod demo;
mod endpoint_daemon;
mod exit;
mod keys;
mod lab;
mod logs;
mod output;
mod relay;
mod serve_section;
mod settings;
mod tools;
mod trust;

use std::io::Write as _;

use clap::Parser as _;

use crate::args::{Arguments, Command, CpsCommand, LabCommand, RelayCommand};
use crate::exit::{Exit, Failure};

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
        Command::Demo(demo) => demo::run(&demo),
        Command::Identity(identity) => tools::identity(&identity),
        Command::Lab(LabCommand::Init(init)) => lab::init(&init),
        Command::Lab(LabCommand::Issue(issue)) => lab::issue(&issue),
        Command::Cps(CpsCommand::Serve(serve)) => cps::serve(&serve),
        Command::Bundle(bundle) => tools::bundle(&bundle),
        Command::Cert(cert) => tools::cert(&cert),
        Command::Endpoint(endpoint) => endpoint_daemon::endpoint(endpoint),
        Command::Credential(credential) => credential::credential(&credential),
        Command::Number(number) => tools::number(&number),
        Command::Passport(passport) => tools::passport(&passport),
        Command::Place(place) => calls::place(&place),
        Command::Publish(publish) => calls::publish(&publish),
        Command::Rcd(rcd) => tools::rcd(&rcd),
        Command::Relay(RelayCommand::Serve(serve)) => relay::serve(&serve),
        Command::Ring(ring) => calls::ring(&ring),
        Command::Tnauthlist(list) => tools::tn_auth_list(&list),
        Command::Keys(keys) => keys::keys(&keys),
        Command::Trust(trust) => trust::trust(&trust),
        Command::Url(url) => tools::url(&url),
    }
}
