//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use ringtrue::TelephoneNumber;

use crate::credential_args::{CredentialCommand, KeysCommand, TrustCommand};
use crate::endpoint_daemon::EndpointCommand;
#[cfg(feature = "full")]
use crate::service_args::ServiceCommand;
#[cfg(feature = "full")]
use crate::tools::ToolCommand;

/// Prove who is calling, on the telephone network as it is.
#[derive(Parser)]
#[command(name = "ringtrue", version, propagate_version = true)]
pub(crate) struct Arguments {
    /// Log more to standard error: `info`, `debug`, or directives such as `ringtrue_cps=debug`.
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    #[cfg(feature = "full")]
    #[command(flatten)]
    Service(ServiceCommand),
    /// Run an endpoint for programs that are no part of it, or ask how it stands.
    #[command(subcommand)]
    Endpoint(EndpointCommand),
    /// Make and publish an endpoint's encryption keys.
    Publish(PublishArguments),
    /// Ask for, install and watch an endpoint's own certificate.
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Keep whom an endpoint believes up to date.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Look after an endpoint's encryption keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Announce a call, and wait to learn who answers.
    Place(PlaceArguments),
    /// Verify a call that rings, and answer it.
    Ring(RingArguments),
    #[cfg(feature = "full")]
    #[command(flatten)]
    Tool(ToolCommand),
}

/// Where an endpoint's settings come from.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Source {
    /// A lab's folder.
    #[cfg(feature = "full")]
    #[arg(long, value_name = "DIR")]
    pub(crate) lab: Option<PathBuf>,
    /// An endpoint's configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl Source {
    /// Whether this is a laboratory, where everybody runs the same build.
    pub(crate) const fn is_lab(&self) -> bool {
        #[cfg(feature = "full")]
        {
            self.lab.is_some()
        }
        #[cfg(not(feature = "full"))]
        {
            false
        }
    }
}

#[derive(Args)]
pub(crate) struct EndpointArguments {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The service's base URL, instead of the configured one.
    #[arg(long, value_name = "URL")]
    pub(crate) base: Option<String>,
    /// Send every request to services through the relay at this base URL, and none directly.
    #[arg(long, value_name = "URL")]
    pub(crate) relay: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct PublishArguments {
    #[command(flatten)]
    pub(crate) endpoint: EndpointArguments,
    /// The own number.
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) number: TelephoneNumber,
    /// Make new keys.
    #[arg(long)]
    pub(crate) rotate: bool,
    /// The suites to have a key for, S1 to S4; may be repeated [default: S3 in a laboratory, else S1].
    #[arg(long = "suite", value_name = "SUITE", value_parser = suite)]
    pub(crate) suites: Vec<ringtrue::Suite>,
    /// Give up after this time.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) deadline: Duration,
}

#[derive(Args)]
pub(crate) struct PlaceArguments {
    #[command(flatten)]
    pub(crate) endpoint: EndpointArguments,
    /// The own number that calls.
    #[arg(long, value_name = "A", value_parser = number)]
    pub(crate) from: TelephoneNumber,
    /// The number that is called.
    #[arg(long, value_name = "B", value_parser = number)]
    pub(crate) to: TelephoneNumber,
    /// Ask who answers, and wait for it this long.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) await_answer: Option<u64>,
    /// Report this long after the announcement that the call was answered, and wait with
    /// `--await-answer` until the called side sees the same.
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "await_answer", conflicts_with = "gone_after")]
    pub(crate) answered_after: Option<Duration>,
    /// Report this long after the announcement that the call ended before an answer.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) gone_after: Option<Duration>,
    /// Use keys that were looked up before, if there are any, without asking the directory again.
    #[arg(long)]
    pub(crate) cached: bool,
    /// Announce the call within this time or not at all.
    #[arg(long, value_name = "TIME", default_value = "1500ms", value_parser = duration)]
    pub(crate) deadline: Duration,
}

#[derive(Args)]
pub(crate) struct RingArguments {
    #[command(flatten)]
    pub(crate) endpoint: EndpointArguments,
    /// The own number that is called.
    #[arg(long, value_name = "B", value_parser = number)]
    pub(crate) to: TelephoneNumber,
    /// The calling number as the network gives it; leave it out if it is withheld.
    #[arg(long, value_name = "A", value_parser = number)]
    pub(crate) from: Option<TelephoneNumber>,
    /// Say what is known by then.
    #[arg(long, value_name = "TIME", default_value = "2500ms", value_parser = duration)]
    pub(crate) deadline: Duration,
    /// If the call is verified and the caller asked, show the caller who answers.
    #[arg(long)]
    pub(crate) answer: bool,
    /// After the answer, wait some seconds for the caller to see the same.
    #[arg(long, requires = "answer")]
    pub(crate) confirm: bool,
    /// After the verdict, go on with the polling schedule before ending. A telephone always does; a
    /// command that is run by hand need not.
    #[arg(long)]
    pub(crate) keep_polling: bool,
}

pub(crate) fn number(text: &str) -> Result<TelephoneNumber, String> {
    TelephoneNumber::from_text(text).map_err(|reason| reason.to_string())
}

fn suite(text: &str) -> Result<ringtrue::Suite, String> {
    ringtrue::Suite::from_name(text)
        .filter(|suite| suite.is_supported())
        .ok_or_else(|| "not a suite of this build: S1 to S4".to_owned())
}

/// Reads `2500ms`, `2.5s` or `2s`; at least a millisecond, at most an hour.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "not a time such as 2500ms or 2.5s".to_owned();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1.0),
    };
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let seconds = number.parse::<f64>().map_err(|_| wrong())? * unit;
    if plain && (0.001..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::CommandFactory as _;

    use super::{Arguments, duration};

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_need_a_unit_and_a_sensible_size() {
        assert_eq!(duration("2500ms"), Ok(Duration::from_millis(2500)));
        assert_eq!(duration("2.5s"), Ok(Duration::from_millis(2500)));
        for text in [
            "", "2500", "s", "-1s", "0s", "1e3s", "infs", "NaNs", "2h", "4000s", "0.1ms",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
