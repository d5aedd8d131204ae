//! The command line of what is no endpoint: demonstration, laboratory, services.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use ringtrue::TelephoneNumber;

use crate::args::number;

#[derive(Subcommand)]
pub(crate) enum ServiceCommand {
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
