//! The commands that look at tokens, certificates and what belongs to them: one file per family.
//!
//! They fetch nothing, keep nothing and read no configuration: everything they look at is an argument.

mod args;
mod bundle;
mod bundle_args;
mod cert;
mod cert_inspect;
mod country;
mod date;
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

pub(crate) use args::{
    CertCommand, IdentityCommand, NumberCommand, PassportCommand, RcdCommand, TnAuthListCommand,
    UrlCommand,
};

pub(crate) use args::hex as read_hex;
pub(crate) use bundle_args::BundleCommand;
pub(crate) use date::text as date;
pub(crate) use input::hex;
pub(crate) use output::refuse;

use crate::exit::{Exit, Failure};

/// `ringtrue bundle …`
pub(crate) fn bundle(command: &BundleCommand) -> Result<Exit, Failure> {
    match command {
        BundleCommand::Inspect(arguments) => reported(arguments.json, bundle::inspect(arguments)),
        BundleCommand::Sign(arguments) => reported(arguments.json, bundle::sign(arguments)),
        BundleCommand::Verify(arguments) => reported(arguments.json, bundle::verify(arguments)),
    }
}

/// `ringtrue cert …`
pub(crate) fn cert(command: &CertCommand) -> Result<Exit, Failure> {
    match command {
        CertCommand::Inspect(arguments) => {
            reported(arguments.json, cert_inspect::inspect(arguments))
        }
        CertCommand::Verify(arguments) => reported(arguments.json, cert::verify(arguments)),
    }
}

/// `ringtrue identity …`
pub(crate) fn identity(command: &IdentityCommand) -> Result<Exit, Failure> {
    match command {
        IdentityCommand::Parse(arguments) => identity::parse(arguments),
    }
}

/// `ringtrue passport …`
pub(crate) fn passport(command: &PassportCommand) -> Result<Exit, Failure> {
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
pub(crate) fn number(command: &NumberCommand) -> Result<Exit, Failure> {
    match command {
        NumberCommand::Canonical(arguments) => number::canonical(arguments),
    }
}

/// `ringtrue tnauthlist …`
pub(crate) fn tn_auth_list(command: &TnAuthListCommand) -> Result<Exit, Failure> {
    match command {
        TnAuthListCommand::Decode(arguments) => tn_auth_list::decode(arguments),
    }
}

/// `ringtrue rcd …`
pub(crate) fn rcd(command: &RcdCommand) -> Result<Exit, Failure> {
    match command {
        RcdCommand::Digest(arguments) => reported(arguments.json, rcd::digest(arguments)),
    }
}

/// `ringtrue url …`
pub(crate) fn url(command: &UrlCommand) -> Result<Exit, Failure> {
    match command {
        UrlCommand::CheckX5u(arguments) => url::check_x5u(arguments),
    }
}
