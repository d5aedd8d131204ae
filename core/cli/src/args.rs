//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use ringtrue::TelephoneNumber;

use crate::credential_args::{CredentialCommand, KeysCommand, TrustCommand};
use crate::endpoint_daemon::EndpointCommand;
use crate::tools::{
    BundleCommand, CertCommand, IdentityCommand, NumberCommand, PassportCommand, RcdCommand,
    TnAuthListCommand, UrlCommand,
};

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
    /// Show a verified call in both directions, and attacks that fail, all on this machine.
    Demo(DemoArguments),
    /// Make keys and certificates to try things with.
    #[command(subcommand)]
    Lab(LabCommand),
    /// Run a Call Placement Service with its key directory.
    #[command(subcommand)]
    Cps(CpsCommand),
    /// Run a relay that hides from services who asks them.
    #[command(subcommand)]
    Relay(RelayCommand),
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
    /// Check tokens.
    #[command(subcommand)]
    Passport(PassportCommand),
    /// Check certificates.
    #[command(subcommand)]
    Cert(CertCommand),
    /// Make and check trust bundles: whom verifiers are to believe.
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Read what SIP carries.
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Protect rich call data.
    #[command(subcommand)]
    Rcd(RcdCommand),
    /// Write telephone numbers in their canonical form.
    #[command(subcommand)]
    Number(NumberCommand),
    /// Decode the lists of numbers in certificates.
    #[command(subcommand)]
    Tnauthlist(TnAuthListCommand),
    /// Check URLs that tokens refer to.
    #[command(subcommand)]
    Url(UrlCommand),
}

#[derive(Args)]
pub(crate) struct DemoArguments {
    /// Print one JSON object instead of the story.
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep the temporary folder and say where it is.
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Subcommand)]
pub(crate) enum LabCommand {
    /// Write a test root, an intermediate, a credential per number and TLS certificates to a folder.
    Init(LabInitArguments),
    /// Issue a certificate for a request, if the lab's intermediate may.
    Issue(LabIssueArguments),
}

#[derive(Args)]
pub(crate) struct LabIssueArguments {
    /// The lab's folder.
    pub(crate) dir: PathBuf,
    /// The certificate request (PKCS#10) with its TNAuthList, PEM or DER.
    #[arg(long, value_name = "F")]
    pub(crate) csr: PathBuf,
    /// Write the chain to this file.
    #[arg(long, value_name = "F")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct LabInitArguments {
    /// The folder. A lab that is there already gets the numbers added.
    pub(crate) dir: PathBuf,
    /// A telephone number to make a credential for; may be repeated.
    #[arg(long = "number", required = true, num_args = 1.., value_name = "N", value_parser = number)]
    pub(crate) numbers: Vec<TelephoneNumber>,
    /// The base URL of the service that the lab's endpoints use.
    #[arg(long, value_name = "URL")]
    pub(crate) base: Option<String>,
    /// Let the lab's service take stores with storage tokens only, which it signs itself.
    #[arg(long)]
    pub(crate) storage_tokens: bool,
}

#[derive(Subcommand)]
pub(crate) enum CpsCommand {
    /// Serve until SIGTERM or SIGINT; SIGHUP reads the TLS certificate again.
    Serve(CpsServeArguments),
}

#[derive(Subcommand)]
pub(crate) enum RelayCommand {
    /// Serve until SIGTERM or SIGINT; SIGHUP reads the TLS certificate again.
    Serve(RelayServeArguments),
}

#[derive(Args)]
pub(crate) struct RelayServeArguments {
    /// Take everything from this configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Where to listen, instead of the configured address.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Args)]
pub(crate) struct CpsServeArguments {
    /// Take anchors, TLS certificate and base URL from a lab.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["anchors", "tls_cert", "tls_key", "config"])]
    pub(crate) lab: Option<PathBuf>,
    /// Take everything from a configuration file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["anchors", "tls_cert", "tls_key"])]
    pub(crate) config: Option<PathBuf>,
    /// STI anchors, PEM; may be repeated.
    #[arg(long = "anchor", value_name = "PEM", requires_all = ["tls_cert", "tls_key"])]
    pub(crate) anchors: Vec<PathBuf>,
    /// The TLS certificate chain, PEM.
    #[arg(long, value_name = "PEM")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The TLS private key, PEM.
    #[arg(long, value_name = "PEM")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8443, with the port of a lab's base URL].
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where to serve Prometheus metrics, without TLS; off if not given.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// How long a blob lives, in seconds, at most 60 [default: 30].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) ttl: Option<u64>,
}

/// Where an endpoint's settings come from.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Source {
    /// A lab's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) lab: Option<PathBuf>,
    /// An endpoint's configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
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
