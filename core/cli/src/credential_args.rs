//! The command lines of `credential`, `keys` and `trust`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use ringtrue::TelephoneNumber;

use crate::args::{EndpointArguments, duration, number};

#[derive(Subcommand)]
pub(crate) enum CredentialCommand {
    /// Make a certificate request, signed by the endpoint's key.
    Request(CredentialRequestArguments),
    /// Take a certificate chain into use, after checking it.
    Install(CredentialInstallArguments),
    /// Say whether the endpoint can sign, and until when.
    Status(OwnNumber),
}

/// Which endpoint.
#[derive(Args)]
pub(crate) struct OwnNumber {
    #[command(flatten)]
    pub(crate) endpoint: EndpointArguments,
    /// The own number.
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) number: TelephoneNumber,
}

#[derive(Args)]
pub(crate) struct CredentialRequestArguments {
    #[command(flatten)]
    pub(crate) own: OwnNumber,
    /// A name for the certificate to show, without a telephone number in it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// Write the request to this file.
    #[arg(long, value_name = "F")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CredentialInstallArguments {
    #[command(flatten)]
    pub(crate) own: OwnNumber,
    /// The certificate chain, PEM, the endpoint's own first.
    #[arg(long, value_name = "PEM")]
    pub(crate) chain: PathBuf,
    /// Where others find the chain.
    #[arg(long, value_name = "URL")]
    pub(crate) x5u: String,
}

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// List who can open calls to the number.
    Readers(KeysReadersArguments),
}

#[derive(Args)]
pub(crate) struct KeysReadersArguments {
    #[command(flatten)]
    pub(crate) own: OwnNumber,
    /// Give up after this time.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) deadline: Duration,
}

#[derive(Subcommand)]
pub(crate) enum TrustCommand {
    /// Get the trust bundle and the revocation lists that it names.
    Update(TrustUpdateArguments),
    /// Say which bundle is in use, and until when.
    Status(OwnNumber),
}

#[derive(Args)]
pub(crate) struct TrustUpdateArguments {
    #[command(flatten)]
    pub(crate) own: OwnNumber,
    /// Give up after this time.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) deadline: Duration,
}
