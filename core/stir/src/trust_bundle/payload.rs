//! The payload of a bundle, both ways.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::{
    BundleVersion, CrlIssuer, MAX_BUNDLE_ANCHORS, MAX_CRL_ISSUERS, MAX_CRL_URLS, MAX_LIFE,
    MAX_SPCS, TrustBundle, TrustBundleDraft, TrustData,
};
use crate::certificate::sct::{
    LogList, LogState, MAX_LOGS, MAX_SCTS, SctMode, SctPolicy, TransparencyLog,
};
use crate::certificate::{BASE64, Certificate, MAX_CERTIFICATE_LEN, Profile, TrustAnchors};
use crate::verification::SpcPolicy;
use crate::{UnixTime, X5u};

/// The longest provider code, as in a TNAuthList.
const MAX_SPC_LEN: usize = 64;

const PROFILES: [(&str, Profile); 3] = [
    ("delegate", Profile::Delegate),
    ("shaken", Profile::Shaken),
    ("stir", Profile::Stir),
];

const MODES: [(&str, SctMode); 4] = [
    ("defer", SctMode::Defer),
    ("ignore", SctMode::Ignore),
    ("require", SctMode::Require),
    ("warn", SctMode::Warn),
];

fn by_name<T: Copy>(table: &[(&str, T)], value: &Value) -> Option<T> {
    let name = value.as_str()?;
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table
        .iter()
        .find(|(_, known)| known == value)
        .map_or("", |(name, _)| name)
}

pub(super) fn write(draft: &TrustBundleDraft) -> Value {
    let data = &draft.data;
    let certificate = |certificate: &Certificate| BASE64.encode(certificate.der());
    let anchors: Vec<_> = data
        .anchors
        .certificates()
        .iter()
        .map(certificate)
        .collect();
    let crl_issuers: Vec<_> = data
        .crl_issuers
        .iter()
        .map(|issuer| {
            let urls: Vec<_> = issuer.urls.iter().map(X5u::as_str).collect();
            json!({ "certificate": certificate(&issuer.certificate), "urls": urls })
        })
        .collect();
    let logs: Vec<_> = data.logs.logs().iter().map(write_log).collect();
    let spc = match &data.spc_policy {
        SpcPolicy::None => json!("none"),
        SpcPolicy::Any => json!("any"),
        SpcPolicy::Listed(codes) => json!(codes),
    };
    json!({
        "version": draft.version,
        "iat": draft.iat.as_secs(),
        "exp": draft.exp.as_secs(),
        "anchors": anchors,
        "crl_issuers": crl_issuers,
        "logs": logs,
        "sct": {
            "mode": name_of(&MODES, &data.sct_policy.mode),
            "min_valid": data.sct_policy.min_valid,
            "min_distinct_operators": data.sct_policy.min_distinct_operators,
        },
        "spc": spc,
        "profile": name_of(&PROFILES, &data.profile),
        "rsa_ca_links": data.rsa_ca_links,
    })
}

fn write_log(log: &TransparencyLog) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("key", json!(BASE64.encode(log.spki_der())));
    put("operator", json!(log.operator()));
    put("since", json!(log.since().as_secs()));
    match log.state() {
        LogState::Rejected => put("state", json!("rejected")),
        LogState::Retired(until) => {
            put("until", json!(until.as_secs()));
            put("state", json!("retired"))
        }
        LogState::Usable => put("state", json!("usable")),
    };
    Value::Object(members)
}

/// Reads a payload; `octets` are those that were signed. Members that are not known are ignored: a
/// later version of this format may add some.
pub(super) fn read(payload: &Value, octets: &[u8]) -> Option<TrustBundle> {
    let members = payload.as_object()?;
    let time = |name| members.get(name).and_then(Value::as_u64);
    let (iat, exp) = (time("iat")?, time("exp")?);
    let life = exp.checked_sub(iat)?;
    if !(1..=MAX_LIFE.as_secs()).contains(&life) {
        return None;
    }
    let data = TrustData {
        anchors: anchors(members.get("anchors")?)?,
        crl_issuers: array(members.get("crl_issuers")?, MAX_CRL_ISSUERS, crl_issuer)?,
        logs: LogList::new(array(members.get("logs")?, MAX_LOGS, read_log)?).ok()?,
        sct_policy: sct_policy(members.get("sct")?)?,
        spc_policy: spc_policy(members.get("spc")?)?,
        profile: by_name(&PROFILES, members.get("profile")?)?,
        rsa_ca_links: members.get("rsa_ca_links")?.as_bool()?,
    };
    Some(TrustBundle {
        version: BundleVersion::of(members.get("version")?.as_u64()?, octets),
        iat: UnixTime::from_secs(iat),
        exp: UnixTime::from_secs(exp),
        data,
    })
}

/// All elements of an array of at most `most`, or nothing.
fn array<T>(value: &Value, most: usize, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    let elements = value.as_array().filter(|array| array.len() <= most)?;
    elements.iter().map(read).collect()
}

fn base64(value: &Value) -> Option<Vec<u8>> {
    // Nothing in a bundle is longer than a certificate.
    let text = value
        .as_str()
        .filter(|text| text.len() <= MAX_CERTIFICATE_LEN.saturating_mul(2))?;
    BASE64.decode(text).ok()
}

fn certificate(value: &Value) -> Option<Certificate> {
    Certificate::from_der(base64(value)?).ok()
}

fn anchors(value: &Value) -> Option<TrustAnchors> {
    let mut anchors = TrustAnchors::new();
    for root in array(value, MAX_BUNDLE_ANCHORS, certificate)? {
        anchors.add(root).ok()?;
    }
    (!anchors.is_empty()).then_some(anchors)
}

fn crl_issuer(value: &Value) -> Option<CrlIssuer> {
    let url = |url: &Value| X5u::parse(url.as_str()?).ok();
    Some(CrlIssuer {
        certificate: certificate(value.get("certificate")?)?,
        urls: array(value.get("urls")?, MAX_CRL_URLS, url)?,
    })
}

fn read_log(value: &Value) -> Option<TransparencyLog> {
    let members = value.as_object()?;
    let time = |name| {
        members
            .get(name)
            .and_then(Value::as_u64)
            .map(UnixTime::from_secs)
    };
    let state = match (members.get("state")?.as_str()?, members.get("until")) {
        ("rejected", None) => LogState::Rejected,
        ("retired", Some(_)) => LogState::Retired(time("until")?),
        ("usable", None) => LogState::Usable,
        _ => return None,
    };
    let operator = members.get("operator")?.as_str()?;
    let log = TransparencyLog::new(&base64(members.get("key")?)?, operator).ok()?;
    Some(log.with_state(state).with_since(time("since")?))
}

fn sct_policy(value: &Value) -> Option<SctPolicy> {
    let count = |name| {
        let count = usize::try_from(value.get(name)?.as_u64()?).ok()?;
        // More can never be met.
        (1..=MAX_SCTS).contains(&count).then_some(count)
    };
    Some(SctPolicy {
        min_valid: count("min_valid")?,
        min_distinct_operators: count("min_distinct_operators")?,
        mode: by_name(&MODES, value.get("mode")?)?,
    })
}

fn spc_policy(value: &Value) -> Option<SpcPolicy> {
    let code = |value: &Value| {
        let code = value.as_str()?;
        let is_code = (1..=MAX_SPC_LEN).contains(&code.len())
            && code.bytes().all(|octet| octet.is_ascii_graphic());
        is_code.then(|| code.to_owned())
    };
    match value.as_str() {
        Some("none") => Some(SpcPolicy::None),
        Some("any") => Some(SpcPolicy::Any),
        Some(_) => None,
        None => array(value, MAX_SPCS, code).map(SpcPolicy::Listed),
    }
}
