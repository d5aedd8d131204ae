//! `ringtrue cert inspect`.

use ringtrue::{Profile, Reason};
use ringtrue_stir::certificate::{Certificate, ClaimConstraints, KeyKind};
use ringtrue_stir::verification::Verdict;
use serde_json::{Value, json};

use super::args::CertInspectArguments;
use super::explain::Explanation;
use super::input;
use super::output::{exit_of, print};
use super::tn_auth_list::{entries, lines};
use crate::date;
use crate::exit::{Exit, Failure};
use crate::output::names;

/// Shows certificates. Nothing of them is checked but that they can be read.
pub(crate) fn inspect(arguments: &CertInspectArguments) -> Result<Exit, Failure> {
    let certificates = input::certificates(&arguments.file)?;
    let reasons = certificates.iter().filter_map(|found| found.as_ref().err());
    let mut reasons: Vec<Reason> = reasons.copied().collect();
    reasons.dedup();
    let verdict = if reasons.is_empty() {
        Verdict::Accept
    } else {
        Verdict::Refuse
    };
    let shown = certificates.iter().map(|found| match found {
        Ok(certificate) => as_json(certificate),
        Err(reason) => json!({ "error": reason.name() }),
    });
    let report = json!({
        "verdict": verdict.name(),
        "reasons": names(&reasons),
        "certificates": shown.collect::<Vec<_>>(),
    });
    print(arguments.json, &report, || {
        let mut explanation = Explanation::of(verdict, &reasons, &[]);
        for (index, found) in certificates.iter().enumerate() {
            match found {
                Ok(certificate) => explain(certificate, &mut explanation),
                Err(_) => {
                    let number = index.saturating_add(1);
                    explanation.heading(&format!("certificate {number} cannot be read"));
                }
            }
        }
        explanation
    })?;
    Ok(exit_of(verdict))
}

fn as_json(certificate: &Certificate) -> Value {
    let points = certificate.crl_distribution_points().into_iter();
    let extensions = certificate.extensions().into_iter();
    json!({
        "subject": certificate.subject_text(),
        "issuer": certificate.issuer_text(),
        "serial": certificate.serial_hex(),
        "version": certificate.version(),
        "not_before": certificate.not_before().as_secs(),
        "not_after": certificate.not_after().as_secs(),
        "key": key(certificate),
        "spki_sha256": base16ct::lower::encode_string(&certificate.spki_digest()),
        "ca": certificate.is_ca(),
        "path_len": certificate.path_len(),
        "key_usage": certificate.key_usages(),
        "subject_key_id": certificate.subject_key_id().map(base16ct::lower::encode_string),
        "authority_key_id": certificate.authority_key_id().map(base16ct::lower::encode_string),
        "tn_auth_list": certificate.tn_auth_list().map(entries),
        "tn_auth_list_url": certificate.tn_auth_list_url().map(|url| url.as_str().to_owned()),
        "claim_constraints": certificate.claim_constraints().map(constraints),
        "policies": certificate.policies(),
        "crl_distribution_points": points
            .map(|point| json!({ "urls": point.urls, "issuer": point.issuer }))
            .collect::<Vec<_>>(),
        "scts": certificate.has_sct_list(),
        "extensions": extensions
            .map(|extension| json!({
                "oid": extension.oid,
                "critical": extension.is_critical,
                "known": extension.is_known,
            }))
            .collect::<Vec<_>>(),
        "shaken_deviations": names(&certificate.profile_deviations(Profile::Shaken)),
    })
}

fn constraints(constraints: &ClaimConstraints) -> Value {
    let permitted = constraints.permitted_values().iter();
    json!({
        "must_include": constraints.must_include(),
        "permitted_values": permitted
            .map(|(claim, values)| json!({ "claim": claim, "values": values }))
            .collect::<Vec<_>>(),
        "must_exclude": constraints.must_exclude(),
    })
}

fn explain(certificate: &Certificate, explanation: &mut Explanation) {
    explanation.heading(&certificate.subject_text());
    explanation.field("issuer", &certificate.issuer_text());
    explanation.field("serial", &certificate.serial_hex());
    let (from, until) = (certificate.not_before(), certificate.not_after());
    explanation.field(
        "valid",
        &format!("{} to {}", date::text(from), date::text(until)),
    );
    let role = if certificate.is_ca() { ", a CA's" } else { "" };
    explanation.field("key", &format!("{}{role}", key(certificate)));
    for line in certificate.tn_auth_list().map(lines).unwrap_or_default() {
        explanation.field("scope", &line);
    }
    if let Some(url) = certificate.tn_auth_list_url() {
        explanation.field("scope", &format!("the list at {}", url.as_str()));
    }
    if let Some(constraints) = certificate.claim_constraints() {
        for claim in constraints.must_include() {
            explanation.field("claims", &format!("must have {claim}"));
        }
        for (claim, values) in constraints.permitted_values() {
            let values = values.join(" or ");
            explanation.field("claims", &format!("{claim} must be {values}"));
        }
        for claim in constraints.must_exclude() {
            explanation.field("claims", &format!("must not have {claim}"));
        }
    }
    for policy in certificate.policies() {
        explanation.field("policy", &policy);
    }
    for url in certificate
        .crl_distribution_points()
        .into_iter()
        .flat_map(|point| point.urls)
    {
        explanation.field("crl", &url);
    }
    for extension in certificate.extensions() {
        if extension.is_critical && !extension.is_known {
            explanation.field("unknown", &format!("{}, critical", extension.oid));
        }
    }
}

fn key(certificate: &Certificate) -> String {
    match certificate.key_kind() {
        KeyKind::P256 => "P-256".to_owned(),
        KeyKind::P384 => "P-384".to_owned(),
        KeyKind::P521 => "P-521".to_owned(),
        KeyKind::Rsa(bits) => format!("RSA-{bits}"),
        _ => "other".to_owned(),
    }
}
