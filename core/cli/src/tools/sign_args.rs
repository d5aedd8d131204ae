//! The command line of `passport sign`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ringtrue_stir::passport::{Attestation, Identity};

use super::args::{CertificateRules, identity};

/// The types of tokens.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TypeName {
    /// Without `ppt`.
    Base,
    /// A diversion, beside the earlier token.
    Div,
    /// A diversion with the earlier token inside.
    DivO,
    /// Protected media.
    Msec,
    /// A message.
    Msg,
    /// Rich call data.
    Rcd,
    /// Resource priorities.
    Rph,
    /// An answer.
    Rsp,
    /// A provider's attestation.
    Shaken,
}

/// How sure a provider is.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum AttestationName {
    /// Knows the customer and its right to the number.
    #[value(name = "A")]
    A,
    /// Knows the customer, not its right to the number.
    #[value(name = "B")]
    B,
    /// Knows only where the call came in.
    #[value(name = "C")]
    C,
}

impl From<AttestationName> for Attestation {
    fn from(name: AttestationName) -> Self {
        match name {
            AttestationName::A => Self::Full,
            AttestationName::B => Self::Partial,
            AttestationName::C => Self::Gateway,
        }
    }
}

#[derive(Args)]
pub(crate) struct PassportSignArguments {
    /// The type.
    #[arg(long = "type", value_enum, default_value = "base")]
    pub(crate) kind: TypeName,
    /// The private key, PKCS#8 PEM.
    #[arg(long, value_name = "PEM")]
    pub(crate) key: PathBuf,
    /// The key's chain, PEM or DER, its own certificate first.
    #[arg(long, value_name = "PEM")]
    pub(crate) chain: PathBuf,
    /// STI anchors that the chain has to lead to, PEM or DER; may be repeated.
    #[arg(long = "anchor", required = true, value_name = "PEM")]
    pub(crate) anchors: Vec<PathBuf>,
    /// Where others find the chain.
    #[arg(long, value_name = "URL")]
    pub(crate) x5u: String,
    /// Put the chain into the header too.
    #[arg(long)]
    pub(crate) x5c: bool,
    /// `--at` is the time of the call, too: `iat`.
    #[command(flatten)]
    pub(crate) rules: CertificateRules,
    /// Who calls: a number or a URI. A diversion takes it from the earlier token.
    #[arg(long, value_name = "N", value_parser = identity, required_unless_present = "earlier", allow_hyphen_values = true)]
    pub(crate) orig: Option<Identity>,
    /// Who is called: a number or a URI; may be repeated.
    #[arg(long = "dest", value_name = "N", value_parser = identity, required = true, allow_hyphen_values = true)]
    pub(crate) dests: Vec<Identity>,
    /// `shaken`: the attestation.
    #[arg(long, value_enum, required_if_eq("kind", "shaken"))]
    pub(crate) attest: Option<AttestationName>,
    /// `shaken`: a UUID that identifies no person.
    #[arg(long, value_name = "UUID", required_if_eq("kind", "shaken"))]
    pub(crate) origid: Option<String>,
    /// `div` and `div-o`: who diverts; one of the destinations of the earlier token.
    #[arg(long, value_name = "N", value_parser = identity, required_if_eq_any([("kind", "div"), ("kind", "div-o")]), allow_hyphen_values = true)]
    pub(crate) div: Option<Identity>,
    /// `div` and `div-o`: the earlier token.
    #[arg(long = "inner-token", value_name = "TEXT", conflicts_with = "orig", required_if_eq_any([("kind", "div"), ("kind", "div-o")]), allow_hyphen_values = true)]
    pub(crate) earlier: Option<String>,
    /// `msg`: the message body.
    #[arg(long, value_name = "F")]
    pub(crate) body: Option<PathBuf>,
    /// `rph`: a resource priority such as `ets.0`; may be repeated.
    #[arg(long = "priority", value_name = "VALUE", required_if_eq("kind", "rph"))]
    pub(crate) priorities: Vec<String>,
    /// The session description whose media keys are vouched for.
    #[arg(long, value_name = "F", required_if_eq("kind", "msec"))]
    pub(crate) sdp: Option<PathBuf>,
    /// A JSON file with more claims, such as `rcd`, `rcdi` and `crn`.
    #[arg(long, value_name = "F", required_if_eq("kind", "rcd"))]
    pub(crate) claims: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
