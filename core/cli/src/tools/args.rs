//! The command lines of the tools.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use ringtrue::{Profile, TelephoneNumber, UnixTime};
use ringtrue_stir::passport::Identity;
use ringtrue_stir::sip::uri::{UriPolicy, identity_of};

use super::bundle_args::BundleCommand;
use super::country::Country;
use super::sign_args::PassportSignArguments;
use crate::args::number;
use crate::hex::{Hex, hex};

#[derive(Subcommand)]
pub(crate) enum ToolCommand {
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

#[derive(Subcommand)]
pub(crate) enum TnAuthListCommand {
    /// Decode a TNAuthList, as strictly as a verifier does.
    Decode(TnAuthListArguments),
}

#[derive(Args)]
pub(crate) struct TnAuthListArguments {
    /// The DER encoding, in hexadecimal.
    #[arg(value_name = "HEX", value_parser = hex)]
    pub(crate) der: Hex,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum NumberCommand {
    /// Give the canonical form of a telephone number, or say that it is a URI and no number.
    Canonical(NumberArguments),
}

#[derive(Args)]
pub(crate) struct NumberArguments {
    /// The number as it is written, or a tel, sip or sips URI.
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) text: String,
    /// Where it is written: a country calling code, such as 1 or 44. Without it, nothing is added.
    #[arg(long, value_name = "CC", value_parser = Country::from_text)]
    pub(crate) country: Option<Country>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum UrlCommand {
    /// Check whether a URL may stand in `x5u` and may be fetched, without fetching it.
    CheckX5u(UrlArguments),
}

#[derive(Args)]
pub(crate) struct UrlArguments {
    /// The URL.
    #[arg(value_name = "URL", allow_hyphen_values = true)]
    pub(crate) url: String,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The rules that certificates are held to.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ProfileName {
    /// RFC 8226 and RFC 9060 as they stand.
    Stir,
    /// Service providers' certificates as they are in use.
    Shaken,
    /// Certificates of endpoints.
    Delegate,
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Delegate => Self::Delegate,
            ProfileName::Shaken => Self::Shaken,
            ProfileName::Stir => Self::Stir,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum CertCommand {
    /// Show what certificates say, the STIR extensions decoded.
    Inspect(CertInspectArguments),
    /// Check a chain up to an anchor, and what it may say about a number.
    Verify(CertVerifyArguments),
}

#[derive(Args)]
pub(crate) struct CertInspectArguments {
    /// The certificates, PEM or DER.
    #[arg(value_name = "F")]
    pub(crate) file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct CertVerifyArguments {
    /// The chain, PEM or DER, the signer's certificate first.
    #[arg(long, value_name = "PEM")]
    pub(crate) chain: PathBuf,
    #[command(flatten)]
    pub(crate) rules: CertificateRules,
    /// STI anchors, PEM or DER; may be repeated.
    #[arg(long = "anchor", required = true, value_name = "PEM")]
    pub(crate) anchors: Vec<PathBuf>,
    /// Check the authority over this number.
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) number: Option<TelephoneNumber>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What decides about certificates.
#[derive(Args)]
pub(crate) struct CertificateRules {
    /// The time to check as of, in seconds since 1970 [default: now].
    #[arg(long, value_name = "UNIX", value_parser = unix_time)]
    pub(crate) at: Option<UnixTime>,
    /// The certificate profile [default: stir, with the NULL after a signature algorithm that one large
    /// carrier writes].
    #[arg(long, value_enum)]
    pub(crate) profile: Option<ProfileName>,
    /// Take this service provider code, or with `any` every one, for authority; may be repeated.
    #[arg(long = "accept-spc", value_name = "CODE|any")]
    pub(crate) accept_spc: Vec<String>,
    /// A revocation list, PEM or DER; may be repeated.
    #[arg(long = "crl", value_name = "F", requires = "crl_issuers")]
    pub(crate) crls: Vec<PathBuf>,
    /// A certificate that signs revocation lists, PEM or DER; may be repeated.
    #[arg(long = "crl-issuer", value_name = "PEM", requires = "crls")]
    pub(crate) crl_issuers: Vec<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum IdentityCommand {
    /// Take the value of an Identity header field apart.
    Parse(IdentityArguments),
}

#[derive(Args)]
pub(crate) struct IdentityArguments {
    /// The value, without the field's name.
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) value: String,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum RcdCommand {
    /// Give the digest that `rcdi` has to hold for a part of the rich call data.
    Digest(RcdArguments),
}

#[derive(Args)]
pub(crate) struct RcdArguments {
    /// A JSON file: a claim set with `rcd`, or the `rcd` object itself.
    #[arg(long, value_name = "F")]
    pub(crate) claims: PathBuf,
    /// Which part, as a JSON pointer into `rcd`: `/nam`, `/jcd`.
    #[arg(long, value_name = "P")]
    pub(crate) pointer: String,
    /// What the URL at the pointer gives, where one stands there.
    #[arg(long, value_name = "F")]
    pub(crate) content: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

impl CertificateRules {
    /// The profiles to judge by, the next one only where a certificate's signature algorithm stands
    /// against the one before: a NULL after it, which `shaken` tolerates, is in use (CRT-70).
    pub(crate) fn profiles(&self) -> Vec<Profile> {
        match self.profile {
            Some(name) => vec![name.into()],
            None => vec![Profile::Stir, Profile::Shaken],
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum PassportCommand {
    /// Show what a token says, without checking any of it.
    Inspect(PassportInspectArguments),
    /// Make a token, if the certificates allow it.
    Sign(Box<PassportSignArguments>),
    /// Check a token in full.
    Verify(Box<PassportVerifyArguments>),
}

/// The token.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TokenSource {
    /// The token.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) token: Option<String>,
    /// A file with the token.
    #[arg(long, value_name = "F")]
    pub(crate) token_file: Option<PathBuf>,
    /// The value of the Identity header field that the token came in.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) identity: Option<String>,
}

#[derive(Args)]
pub(crate) struct PassportInspectArguments {
    #[command(flatten)]
    pub(crate) source: TokenSource,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct PassportVerifyArguments {
    #[command(flatten)]
    pub(crate) source: TokenSource,
    /// A chain, PEM or DER, the signer's certificate first; may be repeated.
    #[arg(long = "chain", value_name = "PEM", requires = "anchors")]
    pub(crate) chains: Vec<PathBuf>,
    /// STI anchors, PEM or DER; may be repeated.
    #[arg(
        long = "anchor",
        value_name = "PEM",
        required_unless_present = "public_key"
    )]
    pub(crate) anchors: Vec<PathBuf>,
    /// Without certificates: the key that must have signed, a SubjectPublicKeyInfo.
    #[arg(long, value_name = "PEM", conflicts_with_all = ["chains", "anchors"])]
    pub(crate) public_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: CertificateRules,
    /// Who calls, as the signalling says: a number or a URI.
    #[arg(long, value_name = "N", value_parser = identity, allow_hyphen_values = true)]
    pub(crate) orig: Option<Identity>,
    /// Who is called, as the signalling says: a number or a URI.
    #[arg(long, value_name = "N", value_parser = identity, allow_hyphen_values = true)]
    pub(crate) dest: Option<Identity>,
    /// How old a token may be [default: 60].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) freshness: Option<Duration>,
    /// Report deviations that can be tolerated instead of refusing them.
    #[arg(long)]
    pub(crate) lenient: bool,
    /// An earlier token of a diverted call; may be repeated.
    #[arg(long = "inner-token", value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) inner_tokens: Vec<String>,
    /// The message body that `msgi` is over.
    #[arg(long, value_name = "F")]
    pub(crate) body: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) fn unix_time(text: &str) -> Result<UnixTime, String> {
    whole_number(text).map(UnixTime::from_secs)
}

fn seconds(text: &str) -> Result<Duration, String> {
    whole_number(text).map(Duration::from_secs)
}

fn whole_number(text: &str) -> Result<u64, String> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| "not a whole number of seconds".to_owned())
}

/// A telephone number as it is written, or a URI.
pub(super) fn identity(text: &str) -> Result<Identity, String> {
    identity_of(text, None, &UriPolicy::default())
        .map_err(|_| "neither a telephone number nor a URI".to_owned())
}
