//! `ringtrue credential`: the endpoint's own certificate, from the request to the renewal.

use std::path::Path;

use ringtrue::{CredentialState, CredentialStatus, Endpoint, RequestSubject};
use serde_json::json;

use crate::calls::run;
use crate::credential_args::{
    CredentialCommand, CredentialInstallArguments, CredentialRequestArguments, OwnNumber,
};
use crate::date;
use crate::exit::{Exit, Failure};
use crate::settings;

pub(crate) fn credential(command: &CredentialCommand) -> Result<Exit, Failure> {
    match command {
        CredentialCommand::Request(arguments) => request(arguments),
        CredentialCommand::Install(arguments) => install(arguments),
        CredentialCommand::Status(arguments) => status(arguments),
    }
}

fn endpoint(own: &OwnNumber) -> Result<Endpoint, Failure> {
    settings::endpoint(&own.endpoint, &own.number, &[])
}

fn request(arguments: &CredentialRequestArguments) -> Result<Exit, Failure> {
    let subject = match &arguments.name {
        Some(name) => RequestSubject::common_name(name).map_err(Failure::of("--name"))?,
        None => RequestSubject::empty(),
    };
    let endpoint = endpoint(&arguments.own)?;
    let request = run(async || {
        let request = endpoint.certificate_request(&subject).await;
        request.map_err(Failure::of("the request"))
    })?;
    let pem = request.to_pem();
    print_pem(
        arguments.own.endpoint.json,
        &json!({ "request": pem }),
        &pem,
        arguments.out.as_deref(),
    )
}

fn install(arguments: &CredentialInstallArguments) -> Result<Exit, Failure> {
    let chain = settings::read(&arguments.chain)?;
    let endpoint = endpoint(&arguments.own)?;
    run(async || {
        let installed = endpoint.install_certificate(&chain, &arguments.x5u).await;
        installed.map_err(Failure::of("the certificate"))
    })?;
    Ok(show(
        endpoint.credential_status(),
        arguments.own.endpoint.json,
    ))
}

fn status(arguments: &OwnNumber) -> Result<Exit, Failure> {
    let endpoint = endpoint(arguments)?;
    Ok(show(endpoint.credential_status(), arguments.endpoint.json))
}

fn show(status: CredentialStatus, json: bool) -> Exit {
    let CredentialStatus {
        state,
        reason,
        expires,
        renew_from,
        ..
    } = status;
    if json {
        let report = json!({
            "state": state.name(),
            "reason": reason.map(ringtrue::Reason::name),
            "expires": expires.map(ringtrue::UnixTime::as_secs),
            "renew_from": renew_from.map(ringtrue::UnixTime::as_secs),
        });
        anstream::println!("{report}");
    } else {
        let reason = reason.map(|reason| format!(": {}", reason.describe()));
        anstream::println!("{}{}", state.name(), reason.unwrap_or_default());
        if let (Some(expires), Some(renew_from)) = (expires, renew_from) {
            anstream::println!("  until {}", date::text(expires));
            anstream::println!("  to be renewed from {}", date::text(renew_from));
        }
    }
    match state {
        CredentialState::Valid | CredentialState::Expiring => Exit::Good,
        _ => Exit::OtherVerdict,
    }
}

/// Prints PEM, or `report` instead of it, or writes the PEM to a file.
pub(crate) fn print_pem(
    json: bool,
    report: &serde_json::Value,
    pem: &str,
    out: Option<&Path>,
) -> Result<Exit, Failure> {
    if let Some(path) = out {
        std::fs::write(path, pem).map_err(|error| Failure::File {
            path: path.to_owned(),
            error,
        })?;
    }
    if json {
        anstream::println!("{report}");
    } else if out.is_none() {
        anstream::print!("{pem}");
    }
    Ok(Exit::Good)
}
