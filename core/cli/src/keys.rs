//! `ringtrue keys`: the encryption keys of a number, and who else has published some.

use ringtrue::{NumberReaders, Reader, UnixTime};
use serde_json::json;

use crate::calls::run;
use crate::credential_args::{KeysCommand, KeysReadersArguments};
use crate::date;
use crate::exit::{Exit, Failure};
use crate::output::names;
use crate::settings;

pub(crate) fn keys(command: &KeysCommand) -> Result<Exit, Failure> {
    match command {
        KeysCommand::Readers(arguments) => readers(arguments),
    }
}

fn readers(arguments: &KeysReadersArguments) -> Result<Exit, Failure> {
    let own = &arguments.own;
    let endpoint = settings::endpoint(&own.endpoint, &own.number, &[])?;
    let listed = run(async || Ok(endpoint.readers(Some(arguments.deadline)).await))?;
    let mut all_well = true;
    for number in &listed {
        all_well &= number.notices.is_empty();
        if own.endpoint.json {
            let readers: Vec<_> = number.readers.iter().map(object).collect();
            let reasons = names(&number.notices);
            anstream::println!("{}", json!({"readers": readers, "reasons": reasons}));
        } else {
            show(number);
        }
    }
    Ok(if all_well {
        Exit::Good
    } else {
        Exit::OtherVerdict
    })
}

fn object(reader: &Reader) -> serde_json::Value {
    let suites: Vec<_> = reader.suites.iter().map(|suite| suite.name()).collect();
    json!({
        "signer": base16ct::lower::encode_string(&reader.signer),
        "subject": reader.subject,
        "suites": suites,
        "since": reader.since.map(UnixTime::as_secs),
        "expires": reader.expires.as_secs(),
        "own": reader.is_own,
        "new": reader.is_new,
    })
}

fn show(number: &NumberReaders) {
    for reader in &number.readers {
        let who = match (reader.is_own, reader.is_new) {
            (true, _) => "this endpoint",
            (false, true) => "NEW",
            (false, false) => "known",
        };
        let until = date::text(reader.expires);
        anstream::println!("{who}: {}, until {until}", reader.subject);
        anstream::println!(
            "  signer {}",
            base16ct::lower::encode_string(&reader.signer)
        );
    }
    for reason in &number.notices {
        anstream::println!("  {}: {}", reason.name(), reason.describe());
    }
}
