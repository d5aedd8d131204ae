//! `ringtrue trust`: whom an endpoint believes.

use ringtrue::UnixTime;
use serde_json::json;

use crate::calls::run;
use crate::credential_args::{OwnNumber, TrustCommand, TrustUpdateArguments};
use crate::date;
use crate::exit::{Exit, Failure};
use crate::output::names;
use crate::settings;

pub(crate) fn trust(command: &TrustCommand) -> Result<Exit, Failure> {
    match command {
        TrustCommand::Update(arguments) => update(arguments),
        TrustCommand::Status(arguments) => status(arguments),
    }
}

fn update(arguments: &TrustUpdateArguments) -> Result<Exit, Failure> {
    let own = &arguments.own;
    let endpoint = settings::endpoint(&own.endpoint, &own.number, &[])?;
    let updated = run(async || {
        let updated = endpoint.update_trust(Some(arguments.deadline)).await;
        updated.map_err(Failure::of("the trust bundle"))
    })?;
    if own.endpoint.json {
        let report = json!({
            "version": updated.version,
            "is_new": updated.is_new,
            "expires": updated.expires.as_secs(),
            "revocation_lists": updated.revocation_lists,
            "next_update": updated.next_update.map(UnixTime::as_secs),
            "reasons": names(&updated.reasons),
        });
        anstream::println!("{report}");
    } else {
        let kind = if updated.is_new { "new" } else { "known" };
        let (version, expires) = (updated.version, date::text(updated.expires));
        anstream::println!("{kind} bundle, version {version}, until {expires}");
        show_lists(updated.revocation_lists, updated.next_update);
        for reason in &updated.reasons {
            anstream::println!("  {}: {}", reason.name(), reason.describe());
        }
    }
    Ok(Exit::Good)
}

fn status(arguments: &OwnNumber) -> Result<Exit, Failure> {
    let endpoint = settings::endpoint(&arguments.endpoint, &arguments.number, &[])?;
    let status = endpoint.trust_status();
    if arguments.endpoint.json {
        let report = json!({
            "version": status.version,
            "expires": status.expires.map(UnixTime::as_secs),
            "revocation_lists": status.revocation_lists,
            "next_update": status.next_update.map(UnixTime::as_secs),
        });
        anstream::println!("{report}");
    } else {
        match (status.version, status.expires) {
            (Some(version), Some(expires)) => {
                let expires = date::text(expires);
                anstream::println!("bundle, version {version}, until {expires}");
            }
            _ => anstream::println!("the configured anchors"),
        }
        show_lists(status.revocation_lists, status.next_update);
    }
    Ok(Exit::Good)
}

fn show_lists(count: usize, next_update: Option<UnixTime>) {
    if let Some(until) = next_update {
        let until = date::text(until);
        anstream::println!("  {count} revocation list(s), the first current until {until}");
    }
}
