//! The commands that look at tokens, certificates and what belongs to them: one file per family.
//!
//! They fetch nothing, keep nothing and read no configuration: everything they look at is an argument.

mod args;
mod bundle;
mod bundle_args;
mod cert;
mod cert_inspect;
mod country;
mod explain;
mod found;
mod identity;
mod input;
mod number;
mod outline;
mod output;
mod passport;
mod passport_sign;
mod rcd;
mod sign_args;
mod tn_auth_list;
mod token_text;
mod url;

pub(crate) use args::ToolCommand;
pub(crate) use output::refuse;

use self::args::{
    CertCommand, IdentityCommand, NumberCommand, PassportCommand, RcdCommand, TnAuthListCommand,
    UrlCommand,
};
use self::bundle_args::BundleCommand;
use crate::exit::{Exit, Failure};

/// Runs one of them.
pub(crate) fn run(command: &ToolCommand) -> Result<Exit, Failure> {
    match command {
        ToolCommand::Bundle(command) => bundle(command),
        ToolCommand::Cert(command) => cert(command),
        ToolCommand::Identity(command) => identity(command),
        ToolCommand::Number(command) => number(command),
        ToolCommand::Passport(command) => passport(command),
        ToolCommand::Rcd(command) => rcd(command),
        ToolCommand::Tnauthlist(command) => tn_auth_list(command),
        ToolCommand::Url(command) => url(command),
    }
}

/// `ringtrue bundle …`
fn bundle(command: &BundleCommand) -> Result<Exit, Failure> {
    match command {
        BundleCommand::Inspect(arguments) => reported(arguments.json, bundle::inspect(arguments)),
        BundleCommand::Sign(arguments) => reported(arguments.json, bundle::sign(arguments)),
        BundleCommand::Verify(arguments) => reported(arguments.json, bundle::verify(arguments)),
    }
}

/// `ringtrue cert …`
fn cert(command: &CertCommand) -> Result<Exit, Failure> {
    match command {
        CertCommand::Inspect(arguments) => {
            reported(arguments.json, cert_inspect::inspect(arguments))
        }
        CertCommand::Verify(arguments) => reported(arguments.json, cert::verify(arguments)),
    }
}

/// `ringtrue identity …`
fn identity(command: &IdentityCommand) -> Result<Exit, Failure> {
    match command {
        IdentityCommand::Parse(arguments) => identity::parse(arguments),
    }
}

/// `ringtrue passport …`
fn passport(command: &PassportCommand) -> Result<Exit, Failure> {
    match command {
        PassportCommand::Inspect(arguments) => {
            reported(arguments.json, passport::inspect(arguments))
        }
        PassportCommand::Sign(arguments) => {
            reported(arguments.json, passport_sign::sign(arguments))
        }
        PassportCommand::Verify(arguments) => reported(arguments.json, passport::verify(arguments)),
    }
}

/// Puts the stable name of a failure where a program looks for the result.
fn reported(json: bool, result: Result<Exit, Failure>) -> Result<Exit, Failure> {
    if let Err(failure) = &result
        && json
    {
        // Where that cannot be written either, the exit status says it.
        let _ = output::print(
            json,
            &serde_json::json!({ "error": failure.code() }),
            explain::Explanation::empty,
        );
    }
    result
}

/// `ringtrue number …`
fn number(command: &NumberCommand) -> Result<Exit, Failure> {
    match command {
        NumberCommand::Canonical(arguments) => number::canonical(arguments),
    }
}

/// `ringtrue tnauthlist …`
fn tn_auth_list(command: &TnAuthListCommand) -> Result<Exit, Failure> {
    match command {
        TnAuthListCommand::Decode(arguments) => tn_auth_list::decode(arguments),
    }
}

/// `ringtrue rcd …`
fn rcd(command: &RcdCommand) -> Result<Exit, Failure> {
    match command {
        RcdCommand::Digest(arguments) => reported(arguments.json, rcd::digest(arguments)),
    }
}

/// `ringtrue url …`
fn url(command: &UrlCommand) -> Result<Exit, Failure> {
    match command {
        UrlCommand::CheckX5u(arguments) => url::check_x5u(arguments),
    }
}
