//! From a lab or a configuration file to an endpoint.

#[cfg(feature = "full")]
mod lab;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "full")]
use std::time::{SystemTime, UNIX_EPOCH};

use ringtrue::{
    AddressPolicy, Endpoint, FetchSettings, Fetcher, HttpSettings, NumberContext, Policy, Profile,
    Reason, SoftwareSigner, Suite, TelephoneNumber,
};
#[cfg(feature = "full")]
use ringtrue::{BaseUrl, UnixTime};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::args::{EndpointArguments, Source};
use crate::exit::Failure;
use crate::hex::hex;
use crate::serve_section::ServeSection;

/// The name of the state file in an endpoint's state folder.
const STATE_FILE: &str = "endpoint.sqlite";

/// The largest file that is read.
const MAX_FILE_OCTETS: u64 = 1 << 20;

/// An endpoint's configuration file. Paths are relative to the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointFile {
    /// The certificate chain, PEM, leaf first. Without it the one that was installed is used.
    chain: Option<PathBuf>,
    /// The private key, PKCS#8 PEM.
    key: PathBuf,
    /// Where others find the chain.
    x5u: Option<String>,
    /// STI anchors, PEM.
    #[serde(default)]
    anchors: Vec<PathBuf>,
    /// Where trust bundles come from.
    trust: Option<TrustSection>,
    /// The own placement service and key directory.
    base_url: String,
    /// A second key directory, which must show the same.
    mirror_directory: Option<String>,
    /// Whose key statements alone are sealed to: SHA-256 of the signers' public keys, hexadecimal.
    #[serde(default)]
    reader_signers: Vec<String>,
    /// The issuer whose storage tokens the own service wants, by its authority.
    token_issuer: Option<String>,
    /// The relay that carries lookups, stores and retrievals.
    relay: Option<String>,
    /// Whether services may be asked directly, without the relay.
    #[serde(default)]
    allow_direct: bool,
    /// A TLS root besides the web's, PEM.
    tls_root: Option<PathBuf>,
    /// The folder for keys and memory.
    state: PathBuf,
    /// Whether services on this machine may be used.
    #[serde(default)]
    allow_loopback: bool,
    /// Whether services in private networks may be used.
    #[serde(default)]
    allow_private: bool,
    /// The certificate profile: `stir`, `shaken` or `delegate`.
    #[serde(default)]
    profile: ProfileName,
    /// The own numbers of `endpoint serve`; other commands are told theirs.
    #[serde(default)]
    numbers: Vec<String>,
    /// How numbers are written here.
    numbering: Option<NumberingSection>,
    /// What `endpoint serve` needs besides.
    serve: Option<ServeSection>,
}

/// The section `[numbering]` of an endpoint's configuration file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberingSection {
    /// The country calling code.
    country: String,
    /// What precedes a national number.
    #[serde(default)]
    trunk_prefix: String,
    /// What precedes a country calling code.
    international_prefix: String,
    /// The lengths of national numbers without the trunk prefix.
    #[serde(default)]
    national_lengths: Vec<u8>,
}

/// The section `[trust]` of an endpoint's configuration file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustSection {
    /// The https URL of the bundle.
    url: String,
    /// Keys that sign bundles, PEM.
    keys: Vec<PathBuf>,
    /// A bundle to begin with.
    shipped: Option<PathBuf>,
}

/// The same, read.
struct TrustParts {
    url: String,
    keys: Vec<String>,
    shipped: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ProfileName {
    Delegate,
    Shaken,
    #[default]
    Stir,
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

/// What an endpoint is made of, wherever it was read from.
struct Parts {
    credential: Option<(String, String)>,
    key: Zeroizing<String>,
    trust: Option<TrustParts>,
    anchors: Vec<String>,
    base_url: String,
    mirror_directory: Option<String>,
    reader_signers: Vec<[u8; 32]>,
    token_issuer: Option<TokenIssuer>,
    relay: Option<String>,
    allow_direct: bool,
    tls_root: Option<String>,
    state: PathBuf,
    addresses: AddressPolicy,
    profile: Profile,
    numbers: Vec<String>,
    numbering: Option<NumberContext>,
    serve: Option<ServeSection>,
}

/// Who signs the storage tokens that the own service wants.
enum TokenIssuer {
    /// The service itself, wherever it is.
    #[cfg(feature = "full")]
    Service,
    /// The issuer of this name.
    Named(String),
}

/// Makes the endpoint that `arguments` name, for `number`.
pub(crate) fn endpoint(
    arguments: &EndpointArguments,
    number: &TelephoneNumber,
    suites: &[Suite],
) -> Result<Endpoint, Failure> {
    one_number(arguments, number, suites, Duration::ZERO)
}

/// The same, which has at least so long for what it says of a call that was announced or rang: answers
/// and reports.
pub(crate) fn endpoint_of_a_call(
    arguments: &EndpointArguments,
    number: &TelephoneNumber,
    deadline: Duration,
) -> Result<Endpoint, Failure> {
    one_number(arguments, number, &[], deadline)
}

fn one_number(
    arguments: &EndpointArguments,
    number: &TelephoneNumber,
    suites: &[Suite],
    answers: Duration,
) -> Result<Endpoint, Failure> {
    let mut parts = match &arguments.source {
        #[cfg(feature = "full")]
        Source { lab: Some(dir), .. } => lab::parts(dir, number)?,
        Source {
            config: Some(file), ..
        } => from_file(file)?,
        _ => return Err(no_source()),
    };
    // A command is about one number, written globally.
    parts.numbers = vec![number.as_str().to_owned()];
    parts.numbering = None;
    build(arguments, parts, suites, answers)
}

/// Makes the endpoint that is to be served: of a lab's `number`, or of the configured numbers. With it
/// comes the section `[serve]`, and whether there is a trust bundle.
pub(crate) fn served_endpoint(
    arguments: &EndpointArguments,
    #[cfg(feature = "full")] number: Option<&TelephoneNumber>,
) -> Result<(Endpoint, ServeSection, bool), Failure> {
    let mut parts = match &arguments.source {
        #[cfg(feature = "full")]
        Source { lab: Some(dir), .. } => {
            let number = number.ok_or(Reason::ConfigurationInvalid);
            let number = number.map_err(Failure::of("--number"))?;
            let mut parts = lab::parts(dir, number)?;
            parts.numbers = vec![number.as_str().to_owned()];
            parts
        }
        Source {
            config: Some(file), ..
        } => from_file(file)?,
        _ => return Err(no_source()),
    };
    let serve = parts.serve.take().unwrap_or_default();
    let has_bundle = parts.trust.is_some();
    let endpoint = build(arguments, parts, &[], Duration::ZERO)?;
    Ok((endpoint, serve, has_bundle))
}

fn no_source() -> Failure {
    Failure::of("--lab or --config")(Reason::ConfigurationInvalid)
}

fn build(
    arguments: &EndpointArguments,
    parts: Parts,
    suites: &[Suite],
    answers: Duration,
) -> Result<Endpoint, Failure> {
    let base_url = arguments.base.clone().unwrap_or(parts.base_url);
    let token_issuer = match parts.token_issuer {
        Some(TokenIssuer::Named(name)) => Some(name),
        #[cfg(feature = "full")]
        Some(TokenIssuer::Service) => BaseUrl::parse(&base_url)
            .ok()
            .map(|base| base.authority().to_owned()),
        None => None,
    };
    let mut policy = Policy::default();
    policy.profile = parts.profile;
    policy.answer_deadline = policy.answer_deadline.max(answers);
    policy.reader_signers = parts.reader_signers;
    if !suites.is_empty() {
        policy.suites = suites.to_vec();
    } else if arguments.source.is_lab() {
        // A laboratory has nobody in it who could not use them.
        policy.suites = vec![Suite::S3];
    }
    make_private_folder(&parts.state)?;
    let signer = SoftwareSigner::from_pkcs8_pem(&parts.key).map_err(Failure::of("the key"))?;
    let http = HttpSettings {
        addresses: parts.addresses,
        web_roots: parts.tls_root.is_none(),
        extra_roots_pem: parts.tls_root.into_iter().collect(),
        ..HttpSettings::default()
    };
    let relay = arguments.relay.clone();
    let mut builder = Endpoint::builder()
        .allow_direct(parts.allow_direct && relay.is_none())
        .signer(Arc::new(signer))
        .service(base_url)
        .state_file(parts.state.join(STATE_FILE))
        .policy(policy)
        .http(http.clone());
    for number in parts.numbers {
        builder = builder.number(number);
    }
    if let Some(numbering) = parts.numbering {
        builder = builder.number_context(numbering);
    }
    if let Some(issuer) = token_issuer {
        builder = builder.token_issuer(issuer);
    }
    if let Some(mirror) = parts.mirror_directory {
        builder = builder.mirror_directory(mirror);
    }
    if let Some(relay) = relay.or(parts.relay) {
        builder = builder.relay(relay);
    }
    if let Some((chain, x5u)) = parts.credential {
        builder = builder.credential(chain, x5u);
    }
    if let Some(trust) = parts.trust {
        let settings = FetchSettings {
            http,
            ..FetchSettings::default()
        };
        let fetcher = Fetcher::new(&settings).map_err(Failure::of("tls_root"))?;
        builder = builder
            .trust_bundle(trust.url, trust.keys)
            .trust_fetching(fetcher);
        if let Some(shipped) = trust.shipped {
            builder = builder.shipped_trust_bundle(shipped);
        }
    }
    for anchor in parts.anchors {
        builder = builder.anchors_pem(anchor);
    }
    builder
        .build()
        .map_err(Failure::of("the endpoint's configuration"))
}

fn from_file(path: &Path) -> Result<Parts, Failure> {
    let text = read(path)?;
    let file: EndpointFile = toml::from_str(&text).map_err(|error| Failure::Configuration {
        path: path.to_owned(),
        // The message quotes no line of the file: it may hold what is private.
        detail: error.message().to_owned(),
    })?;
    let base = path.parent().unwrap_or_else(|| Path::new(""));
    let anchors = file
        .anchors
        .iter()
        .map(|anchor| Ok(read(&base.join(anchor))?.to_string()))
        .collect::<Result<_, Failure>>()?;
    let reader_signers = file.reader_signers.iter().map(|text| {
        signer_digest(text).ok_or_else(|| Failure::Configuration {
            path: path.to_owned(),
            detail: "reader_signers are SHA-256 digests, 64 hexadecimal digits each".to_owned(),
        })
    });
    let reader_signers = reader_signers.collect::<Result<_, _>>()?;
    let tls_root = match &file.tls_root {
        Some(root) => Some(read(&base.join(root))?.to_string()),
        None => None,
    };
    let credential = match (&file.chain, file.x5u) {
        (Some(chain), Some(x5u)) => Some((read(&base.join(chain))?.to_string(), x5u)),
        (None, None) => None,
        _ => {
            return Err(Failure::Configuration {
                path: path.to_owned(),
                detail: "chain and x5u belong together".to_owned(),
            });
        }
    };
    let trust = match file.trust {
        None => None,
        Some(trust) => Some(TrustParts {
            url: trust.url,
            keys: trust
                .keys
                .iter()
                .map(|key| Ok(read(&base.join(key))?.to_string()))
                .collect::<Result<_, Failure>>()?,
            shipped: match &trust.shipped {
                Some(bundle) => Some(read(&base.join(bundle))?.to_string()),
                None => None,
            },
        }),
    };
    Ok(Parts {
        credential,
        key: read(&base.join(&file.key))?,
        trust,
        anchors,
        base_url: file.base_url,
        mirror_directory: file.mirror_directory,
        reader_signers,
        token_issuer: file.token_issuer.map(TokenIssuer::Named),
        relay: file.relay,
        allow_direct: file.allow_direct,
        tls_root,
        state: base.join(&file.state),
        addresses: addresses(file.allow_loopback, file.allow_private),
        profile: file.profile.into(),
        numbers: file.numbers,
        numbering: file.numbering.map(numbering).transpose()?,
        serve: file.serve.map(|serve| serve.relative_to(base)),
    })
}

fn numbering(section: NumberingSection) -> Result<NumberContext, Failure> {
    let NumberingSection {
        country,
        trunk_prefix,
        international_prefix,
        national_lengths,
    } = section;
    let (trunk, international) = (trunk_prefix.as_str(), international_prefix.as_str());
    NumberContext::new(&country, trunk, international, &national_lengths)
        .map_err(Failure::of("[numbering]"))
}

/// The digest of a signer's public key, as `keys readers` shows it.
fn signer_digest(text: &str) -> Option<[u8; 32]> {
    hex(text).ok()?.0.try_into().ok()
}

const fn addresses(loopback: bool, private: bool) -> AddressPolicy {
    let mut policy = AddressPolicy::public_only();
    if loopback {
        policy = policy.allow_loopback();
    }
    if private {
        policy = policy.allow_private();
    }
    policy
}

/// Reads a file of at most 1 MiB.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    use std::io::Read as _;

    let failed = |error| Failure::File {
        path: path.to_owned(),
        error,
    };
    let mut text = Zeroizing::new(String::new());
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE_OCTETS)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

/// Reads a file of at most 1 MiB that need not be text.
#[cfg(feature = "full")]
pub(crate) fn read_octets(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;

    let failed = |error| Failure::File {
        path: path.to_owned(),
        error,
    };
    let mut octets = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE_OCTETS)
        .read_to_end(&mut octets)
        .map_err(failed)?;
    Ok(octets)
}

/// Makes a folder that only its owner may look into.
fn make_private_folder(path: &Path) -> Result<(), Failure> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        folder.mode(0o700);
    }
    // Its path may hold a number.
    folder.create(path).map_err(|error| Failure::System {
        what: "the state folder",
        error,
    })
}

/// The time now. A clock before the epoch counts as the epoch.
#[cfg(feature = "full")]
pub(crate) fn unix_now() -> UnixTime {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixTime::from_secs(since.as_secs())
}
