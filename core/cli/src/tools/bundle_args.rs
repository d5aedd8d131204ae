//! The command lines of `bundle`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ringtrue::UnixTime;
use ringtrue_stir::certificate::sct::SctMode;
use ringtrue_stir::trust_bundle::BundleVersion;

use super::args::{ProfileName, unix_time};
use crate::hex::{Hex, hex};

#[derive(Subcommand)]
pub(crate) enum BundleCommand {
    /// Show what a bundle says, without checking any of it.
    Inspect(BundleInspectArguments),
    /// Make a bundle.
    Sign(Box<BundleSignArguments>),
    /// Check a bundle as an endpoint does before it takes it over.
    Verify(BundleVerifyArguments),
}

#[derive(Args)]
pub(crate) struct BundleInspectArguments {
    /// The bundle.
    #[arg(value_name = "F")]
    pub(crate) file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct BundleVerifyArguments {
    /// The bundle.
    #[arg(value_name = "F")]
    pub(crate) file: PathBuf,
    /// A key that bundles are signed with, a SubjectPublicKeyInfo, PEM or DER; may be repeated.
    #[arg(long = "public-key", required = true, value_name = "PEM")]
    pub(crate) keys: Vec<PathBuf>,
    /// The time to check as of, in seconds since 1970 [default: now].
    #[arg(long, value_name = "UNIX", value_parser = unix_time)]
    pub(crate) at: Option<UnixTime>,
    /// The `state` of the bundle that was accepted last.
    #[arg(long, value_name = "HEX", value_parser = version)]
    pub(crate) previous: Option<BundleVersion>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a verifier does about certificate timestamps.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum SctModeName {
    /// Leave them to an auditor.
    Defer,
    /// Do not look.
    Ignore,
    /// Refuse certificates without enough valid ones.
    Require,
    /// Check and report.
    Warn,
}

impl From<SctModeName> for SctMode {
    fn from(name: SctModeName) -> Self {
        match name {
            SctModeName::Defer => Self::Defer,
            SctModeName::Ignore => Self::Ignore,
            SctModeName::Require => Self::Require,
            SctModeName::Warn => Self::Warn,
        }
    }
}

/// A log: who runs it, and the file with its key.
#[derive(Clone)]
pub(crate) struct LogFile {
    pub(crate) operator: String,
    pub(crate) key: PathBuf,
}

#[derive(Args)]
pub(crate) struct BundleSignArguments {
    /// The private key for bundles, PKCS#8 PEM.
    #[arg(long, value_name = "PEM")]
    pub(crate) key: PathBuf,
    /// The bundle's number: higher than in every bundle before. Not --version, which is the command's.
    #[arg(long, value_name = "N")]
    pub(crate) number: u64,
    /// When it is made, in seconds since 1970 [default: now].
    #[arg(long, value_name = "UNIX", value_parser = unix_time)]
    pub(crate) at: Option<UnixTime>,
    /// How long it is valid, at most 400 days.
    #[arg(long, value_name = "DAYS", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=400))]
    pub(crate) days: u64,
    /// STI anchors, PEM or DER; may be repeated.
    #[arg(long = "anchor", required = true, value_name = "PEM")]
    pub(crate) anchors: Vec<PathBuf>,
    /// A certificate that signs revocation lists, PEM or DER; may be repeated.
    #[arg(long = "crl-issuer", value_name = "PEM")]
    pub(crate) crl_issuers: Vec<PathBuf>,
    /// Where the lists of these issuers are; may be repeated.
    #[arg(long = "crl-url", value_name = "URL", requires = "crl_issuers")]
    pub(crate) crl_urls: Vec<String>,
    /// A certificate transparency log and the file with its key, PEM or DER; may be repeated.
    #[arg(long = "log-key", value_name = "OPERATOR=PEM", value_parser = log_file)]
    pub(crate) logs: Vec<LogFile>,
    /// What a verifier does about certificate timestamps.
    #[arg(long, value_enum, default_value = "warn")]
    pub(crate) sct: SctModeName,
    /// A service provider code that counts as authority, or `any`; may be repeated.
    #[arg(long = "accept-spc", value_name = "CODE|any")]
    pub(crate) accept_spc: Vec<String>,
    /// The certificate profile.
    #[arg(long, value_enum, default_value = "stir")]
    pub(crate) profile: ProfileName,
    /// Accept RSA between CAs.
    #[arg(long)]
    pub(crate) rsa_ca_links: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

fn version(text: &str) -> Result<BundleVersion, String> {
    let Hex(octets) = hex(text)?;
    BundleVersion::from_octets(&octets).map_err(|_| "not the 40 octets of a state".to_owned())
}

fn log_file(text: &str) -> Result<LogFile, String> {
    let (operator, key) = text.split_once('=').ok_or("not OPERATOR=PEM")?;
    Ok(LogFile {
        operator: operator.to_owned(),
        key: PathBuf::from(key),
    })
}
