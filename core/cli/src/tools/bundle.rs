//! `ringtrue bundle inspect`, `ringtrue bundle sign` and `ringtrue bundle verify`.

use std::time::Duration;

use ringtrue::Reason;
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::X5u;
use ringtrue_stir::certificate::sct::{LogList, TransparencyLog};
use ringtrue_stir::trust_bundle::{
    CrlIssuer, MAX_TRUST_BUNDLE_LEN, TrustBundle, TrustBundleDraft, TrustData,
};
use ringtrue_stir::verification::Verdict;
use serde_json::json;

use super::bundle_args::{BundleInspectArguments, BundleSignArguments, BundleVerifyArguments};
use super::cert::spc_policy;
use super::explain::Explanation;
use super::input;
use super::output::{inspected, print, refuse};
use super::token_text::TokenText;
use crate::date;
use crate::exit::{Exit, Failure};
use crate::settings::unix_now;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Shows a bundle.
pub(crate) fn inspect(arguments: &BundleInspectArguments) -> Result<Exit, Failure> {
    let text = input::token(&arguments.file)?;
    inspected(
        arguments.json,
        TokenText::read(&text, MAX_TRUST_BUNDLE_LEN),
        Reason::MalformedTrustBundle,
    )
}

/// Checks a bundle.
pub(crate) fn verify(arguments: &BundleVerifyArguments) -> Result<Exit, Failure> {
    let text = input::token(&arguments.file)?;
    let keys = arguments.keys.iter().map(|path| input::public_key(path));
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    let at = arguments.at.unwrap_or_else(unix_now);
    let previous = arguments.previous.as_ref();
    let bundle = match TrustBundle::verify(&text, &keys, &AwsLcCrypto, at, previous) {
        Ok(bundle) => bundle,
        Err(reason @ Reason::ConfigurationInvalid) => {
            return Err(Failure::of("--public-key")(reason));
        }
        Err(reason) => return refuse(arguments.json, &[reason]),
    };
    let (version, anchors) = (bundle.version(), bundle.anchors().certificates());
    let state = base16ct::lower::encode_string(&version.to_octets());
    let report = json!({
        "verdict": Verdict::Accept.name(),
        "reasons": [],
        "warnings": [],
        "number": version.number(),
        "state": state,
        "iat": bundle.issued_at().as_secs(),
        "exp": bundle.expires_at().as_secs(),
        "anchors": anchors.iter().map(|anchor| anchor.subject_text()).collect::<Vec<_>>(),
        "crl_issuers": bundle
            .crl_issuers()
            .iter()
            .map(|issuer| issuer.certificate.subject_text())
            .collect::<Vec<_>>(),
        "logs": bundle.logs().logs().iter().map(TransparencyLog::operator).collect::<Vec<_>>(),
    });
    print(arguments.json, &report, || {
        let mut explanation = Explanation::of(Verdict::Accept, &[], &[]);
        explanation.field("number", &version.number().to_string());
        explanation.field("state", &state);
        let (from, until) = (bundle.issued_at(), bundle.expires_at());
        explanation.field(
            "valid",
            &format!("{} to {}", date::text(from), date::text(until)),
        );
        for anchor in anchors {
            explanation.field("anchor", &anchor.subject_text());
        }
        for issuer in bundle.crl_issuers() {
            explanation.field("crl issuer", &issuer.certificate.subject_text());
        }
        for log in bundle.logs().logs() {
            explanation.field("log", log.operator());
        }
        explanation
    })?;
    Ok(Exit::Good)
}

/// Makes a bundle.
pub(crate) fn sign(arguments: &BundleSignArguments) -> Result<Exit, Failure> {
    let signer = input::signer(&arguments.key)?;
    let iat = arguments.at.unwrap_or_else(unix_now);
    let life = Duration::from_secs(arguments.days.saturating_mul(DAY));
    let draft = TrustBundleDraft {
        version: arguments.number,
        iat,
        exp: iat.plus(life),
        data: data(arguments)?,
    };
    let text = draft
        .build()
        .and_then(|unsigned| unsigned.sign(&AwsLcCrypto, &signer))
        .map_err(Failure::of("the bundle"))?;
    print(arguments.json, &json!({ "bundle": text }), || {
        Explanation::verbatim(&text)
    })?;
    Ok(Exit::Good)
}

fn data(arguments: &BundleSignArguments) -> Result<TrustData, Failure> {
    let mut data = TrustData::new(input::anchors(&arguments.anchors)?);
    let urls = arguments.crl_urls.iter().map(|url| X5u::parse(url));
    let urls: Vec<_> = urls
        .collect::<Result<_, _>>()
        .map_err(Failure::of("--crl-url"))?;
    for path in &arguments.crl_issuers {
        for certificate in input::certificates(path)? {
            data.crl_issuers.push(CrlIssuer {
                certificate: certificate.map_err(Failure::of("--crl-issuer"))?,
                urls: urls.clone(),
            });
        }
    }
    let logs = arguments.logs.iter().map(|log| {
        let key = input::spki(&log.key)?;
        TransparencyLog::new(&key, &log.operator).map_err(Failure::of("--log-key"))
    });
    data.logs = LogList::new(logs.collect::<Result<_, _>>()?).map_err(Failure::of("--log-key"))?;
    data.sct_policy.mode = arguments.sct.into();
    data.spc_policy = spc_policy(&arguments.accept_spc);
    data.profile = arguments.profile.into();
    data.rsa_ca_links = arguments.rsa_ca_links;
    Ok(data)
}
