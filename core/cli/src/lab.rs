//! `ringtrue lab`.

use ringtrue_lab::{Lab, LabConfig, LabError, LabOptions};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::{Certificate, CertificateRequest};
use ringtrue_stir::tn_auth_list::Entry;
use serde_json::json;

use crate::credential::print_pem;
use crate::exit::{Exit, Failure};
use crate::service_args::{LabInitArguments, LabIssueArguments};
use crate::settings::{read_octets, unix_now};
use crate::tools;

/// Makes a lab, or adds numbers to one that is there.
pub(crate) fn init(arguments: &LabInitArguments) -> Result<Exit, Failure> {
    let now = unix_now();
    let mut config = LabConfig {
        storage_tokens: arguments.storage_tokens,
        ..LabConfig::default()
    };
    if let Some(base) = &arguments.base {
        let base = ringtrue::BaseUrl::parse(base).map_err(Failure::of("--base"))?;
        config.base_url = base.as_str().to_owned();
    }
    let options = LabOptions {
        config,
        overwrite: false,
    };
    match Lab::create(&arguments.dir, &arguments.numbers, &options, now) {
        Ok(_) => {}
        Err(LabError::Exists) => Lab::open(&arguments.dir)
            .and_then(|lab| lab.add_numbers(&arguments.numbers, now))
            .map_err(Failure::Lab)?,
        Err(error) => return Err(Failure::Lab(error)),
    }
    let dir = arguments.dir.display();
    anstream::println!("Lab in {dir}: {} number(s). Next:", arguments.numbers.len());
    anstream::println!("  ringtrue cps serve --lab {dir}");
    Ok(Exit::Good)
}

/// Issues what a request asks for. What the lab may not issue, or cannot read, is refused.
pub(crate) fn issue(arguments: &LabIssueArguments) -> Result<Exit, Failure> {
    let lab = Lab::open(&arguments.dir).map_err(Failure::Lab)?;
    let octets = read_octets(&arguments.csr)?;
    let request = match std::str::from_utf8(&octets) {
        Ok(text) => CertificateRequest::from_pem(&AwsLcCrypto, text),
        Err(_) => CertificateRequest::from_der(&AwsLcCrypto, &octets),
    };
    let request = match request {
        Ok(request) => request,
        Err(reason) => return tools::refuse(arguments.json, &[reason]),
    };
    let issued = match lab.issue_request(&request, unix_now()) {
        Ok(issued) => issued,
        Err(LabError::Issuing(reason)) => return tools::refuse(arguments.json, &[reason]),
        Err(error) => return Err(Failure::Lab(error)),
    };
    let leaf = issued.chain_der.first().cloned();
    let expires = leaf
        .and_then(|der| Certificate::from_der(der).ok())
        .map(|leaf| leaf.not_after().as_secs());
    let entries = request.tn_auth_list().entries().iter();
    let x5u = entries
        .filter_map(|entry| match entry {
            Entry::One(number) => lab.config().x5u(number).ok(),
            _ => None,
        })
        .next();
    let report = json!({
        "chain": issued.chain_pem,
        "expires": expires,
        "x5u": x5u.as_ref().map(|x5u| x5u.as_str()),
    });
    let out = arguments.out.as_deref();
    print_pem(arguments.json, &report, &issued.chain_pem, out)
}
