//! The outcome of every certificate path and token of the vectors, as this library gives it, written as
//! the rows of `docs/conformance.md`. Whether it is the right one is asserted where the vectors are
//! consumed (`core/stir/tests`); here the document is kept true.

use std::fs;

use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::{
    Authority, Certificate, CertificateBag, PathRules, Profile, TrustAnchors, verify_path,
};
use ringtrue_stir::crypto::P256PublicKey;
use ringtrue_stir::tn_auth_list::Entry;
use ringtrue_stir::verification::{
    Evidence, ExpectedCall, Report, SpcPolicy, VerificationPolicy, verify,
};
use ringtrue_stir::{Reason, Strictness, TelephoneNumber, UnixTime};
use serde_json::Value;

use crate::root;

fn text(file: &str) -> String {
    let path = root().join("tests/vectors").join(file);
    fs::read_to_string(path).expect("a vector file")
}

fn json(file: &str) -> Value {
    serde_json::from_str(&text(file)).expect("JSON")
}

fn list<'a>(value: &'a Value, what: &str) -> &'a [Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no list of {what}"))
}

fn word<'a>(record: &'a Value, name: &str) -> &'a str {
    record[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

/// `2025-01-25T12:00:28`, whatever follows.
fn time(text: &str) -> UnixTime {
    let number = |range: core::ops::Range<usize>| -> u64 { text[range].parse().expect("a date") };
    let (year, month) = (number(0..4), number(5..7));
    // Years that begin in March, so that the leap day is their last.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + number(8..10)
            - 719_469;
    let hours = days * 24 + number(11..13);
    UnixTime::from_secs((hours * 60 + number(14..16)) * 60 + number(17..19))
}

fn codes(reasons: &[Reason]) -> String {
    let names: Vec<String> = reasons
        .iter()
        .map(|reason| format!("`{}`", reason.name()))
        .collect();
    names.join(", ")
}

fn row(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn first_number(entry: &Entry) -> Option<&TelephoneNumber> {
    match entry {
        Entry::One(number) => Some(number),
        Entry::Range { start, .. } => Some(start),
        _ => None,
    }
}

/// What the path says about a number: the first of its own list, or any.
fn authority(
    bag: &CertificateBag,
    anchors: &TrustAnchors,
    at: UnixTime,
    profile: Profile,
) -> String {
    let mut rules = PathRules::new(profile);
    rules.rsa_ca_links = profile != Profile::Delegate;
    let leaf = &bag.certificates()[0];
    let path = match verify_path(&AwsLcCrypto, leaf, bag, anchors, at, rules) {
        Ok(path) => path,
        Err(reason) => return format!("refuse: {}", codes(&[reason])),
    };
    // A code is asked about any number.
    let any = TelephoneNumber::from_canonical("12155550121").expect("a number");
    let number = leaf
        .tn_auth_list()
        .and_then(|list| list.entries().iter().find_map(first_number))
        .unwrap_or(&any);
    let authority = match path.covers(number) {
        Authority::BySpc(spc) => format!("code {spc}"),
        Authority::Covered => "numbers".to_owned(),
        Authority::EncompassUnknown => codes(&[Reason::EncompassUnknown]),
        Authority::Unknown => codes(&[Reason::AuthorityUnknown]),
        _ => "none".to_owned(),
    };
    let warnings = codes(path.warnings());
    if warnings.is_empty() {
        format!("accept, {authority}")
    } else {
        format!("accept, {authority}; {warnings}")
    }
}

pub(crate) fn live_chains() -> Vec<String> {
    let file = json("stir-shaken-pki-live/chains.json");
    let rows = list(&file["chains"], "chains").iter().map(|record| {
        let name = word(record, "file");
        let bag = CertificateBag::from_pem(&text(&format!("stir-shaken-pki-live/{name}")));
        let bag = bag.expect("a chain");
        let mut anchors = TrustAnchors::new();
        let last = bag.certificates().last().expect("a root");
        anchors.add(last.clone()).expect("a root");
        let at = word(record, "evaluate_at");
        let outcome = |profile| authority(&bag, &anchors, time(at), profile);
        row(&[
            word(record, "ca"),
            at,
            &outcome(Profile::Shaken),
            &outcome(Profile::Stir),
            &outcome(Profile::Delegate),
        ])
    });
    rows.collect()
}

pub(crate) fn live_anomalies() -> Vec<String> {
    let file = json("stir-shaken-pki-live/anomalies.json");
    let rows = list(&file["items"], "items").iter().map(|record| {
        let name = word(record, "file");
        let read = CertificateBag::from_pem(&text(&format!("stir-shaken-pki-live/{name}")));
        let outcome = match read {
            Ok(bag) => {
                let certificate: &Certificate = &bag.certificates()[0];
                let found = certificate.profile_deviations(Profile::Shaken);
                match codes(&found) {
                    codes if codes.is_empty() => "read, nothing to report".to_owned(),
                    codes => format!("read and reported: {codes}"),
                }
            }
            Err(reason) => format!("refused: {}", codes(&[reason])),
        };
        let name = name
            .trim_start_matches("anomalies/")
            .trim_end_matches(".pem");
        row(&[name, &outcome])
    });
    rows.collect()
}

pub(crate) fn constructed_chains() -> Vec<String> {
    let file = json("stir-constructed/chains.json");
    let anchors = TrustAnchors::from_pem(&text("stir-constructed/root.pem")).expect("an anchor");
    let at = time(word(&file, "evaluate_at"));
    let rows = list(&file["chains"], "chains").iter().map(|record| {
        let name = format!("stir-constructed/{}", word(record, "file"));
        let bag = CertificateBag::from_pem(&text(&name)).expect("a chain");
        let outcome = |profile| authority(&bag, &anchors, at, profile);
        row(&[
            word(record, "id"),
            word(record, "expect"),
            &outcome(Profile::Stir),
            &outcome(Profile::Delegate),
        ])
    });
    rows.collect()
}

fn verdict(report: &Report) -> String {
    let verdict = report.verdict.name();
    let reasons = match codes(&report.reasons) {
        codes if codes.is_empty() => verdict.to_owned(),
        codes => format!("{verdict}: {codes}"),
    };
    match codes(&report.warnings) {
        codes if codes.is_empty() => reasons,
        codes => format!("{reasons}; {codes}"),
    }
}

fn policy(strictness: Strictness) -> VerificationPolicy {
    let mut policy = VerificationPolicy::default();
    policy.strictness = strictness;
    policy.accept_spc = SpcPolicy::Any;
    policy
}

/// With the chain that signs; provider codes accepted by policy.
pub(crate) fn constructed_tokens() -> Vec<String> {
    let file = json("stir-constructed/passports.json");
    let anchors = TrustAnchors::from_pem(&text("stir-constructed/root.pem")).expect("an anchor");
    let chain = |name: &str| {
        let file = format!("stir-constructed/chains/{name}.pem");
        CertificateBag::from_pem(&text(&file)).expect("a chain")
    };
    let rows = list(&file, "tokens").iter().map(|record| {
        // A diverted call has two signers: who diverted, and the caller's provider.
        let chains = [chain(word(record, "chain")), chain("sp")];
        let inner: Vec<&str> = record["inner"].as_str().into_iter().collect();
        let mut evidence = Evidence::default();
        evidence.chains = &chains;
        evidence.anchors = Some(&anchors);
        evidence.inner_tokens = &inner;
        evidence.body = record["body"].as_str().map(str::as_bytes);
        let at = record["evaluate_at"].as_u64().map(UnixTime::from_secs);
        let judge = |strictness| {
            verdict(&verify(
                &AwsLcCrypto,
                word(record, "token"),
                &evidence,
                &policy(strictness),
                &ExpectedCall::default(),
                at.expect("a time"),
            ))
        };
        row(&[
            word(record, "id"),
            word(record, "expect"),
            &judge(Strictness::Strict),
            &judge(Strictness::Lenient),
        ])
    });
    rows.collect()
}

/// With the bare key that is published beside the token, at the token's own time.
pub(crate) fn published_tokens() -> Vec<String> {
    let mut rows = Vec::new();
    for set in ["stir-rfc-passports", "stir-libstirshaken"] {
        let file = json(&format!("{set}/passports.json"));
        for record in list(&file, "tokens") {
            let key = pem::parse(word(record, "public_key_pem")).expect("PEM");
            let key = P256PublicKey::from_spki_der(key.contents()).expect("a public key");
            let mut evidence = Evidence::default();
            evidence.public_key = Some(&key);
            let payload = record["payload_text"]
                .as_str()
                .and_then(|text| serde_json::from_str::<Value>(text).ok());
            let iat = payload.and_then(|payload| match &payload["iat"] {
                Value::String(text) => text.parse().ok(),
                iat => iat.as_u64(),
            });
            let judge = |strictness| {
                verdict(&verify(
                    &AwsLcCrypto,
                    word(record, "token"),
                    &evidence,
                    &policy(strictness),
                    &ExpectedCall::default(),
                    UnixTime::from_secs(iat.unwrap_or(1_795_262_400)),
                ))
            };
            let strict = judge(Strictness::Strict);
            rows.push(row(&[
                word(record, "id"),
                &strict,
                &judge(Strictness::Lenient),
            ]));
        }
    }
    rows
}
