//! The vectors of `tests/vectors/sct/`, with a provider that verifies RSA and with one that does not.
#![cfg(test)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::Certificate;
use ringtrue_stir::certificate::sct::{
    LogList, LogState, SctMode, SctOutcome, SctPolicy, TransparencyLog, verify_scts,
};
use ringtrue_stir::crypto::{CryptoProvider, RustCrypto};
use ringtrue_stir::{Reason, UnixTime};
use serde_json::Value;

fn octets(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn certificate(value: &Value) -> Certificate {
    Certificate::from_der(octets(value)).unwrap()
}

fn document() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/sct/scts.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn logs(document: &Value) -> LogList {
    let log = |log: &Value| {
        let operator = log["operator"].as_str().unwrap();
        let entry = TransparencyLog::new(&octets(&log["spki"]), operator).unwrap();
        match log["retired_at"].as_u64() {
            Some(at) => entry.with_state(LogState::Retired(UnixTime::from_secs(at))),
            None => entry,
        }
    };
    LogList::new(
        document["logs"]
            .as_array()
            .unwrap()
            .iter()
            .map(log)
            .collect(),
    )
    .unwrap()
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn outcome(
    document: &Value,
    record: &Value,
    provider: &dyn CryptoProvider,
    mode: SctMode,
) -> SctOutcome {
    let policy = SctPolicy {
        min_valid: count(&record["min_valid"]),
        min_distinct_operators: count(&record["min_distinct_operators"]),
        mode,
    };
    verify_scts(
        provider,
        &certificate(&record["certificate"]),
        &certificate(&document["issuers"][record["issuer"].as_str().unwrap()]),
        &logs(document),
        &policy,
        UnixTime::from_secs(record["at"].as_u64().unwrap()),
    )
}

fn sorted(mut reasons: Vec<Reason>) -> Vec<&'static str> {
    reasons.sort_by_key(|reason| reason.name());
    reasons.iter().map(|reason| reason.name()).collect()
}

#[test]
fn every_sct_vector_has_its_outcome() {
    let document = document();
    let records = document["records"].as_array().unwrap();
    for record in records {
        let label = record["label"].as_str().unwrap();
        let fault = record["fault"]
            .as_str()
            .map(|name| Reason::from_name(name).unwrap());
        let mut warnings: Vec<_> = record["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| Reason::from_name(name.as_str().unwrap()).unwrap())
            .collect();

        let required = outcome(&document, record, &AwsLcCrypto, SctMode::Require);
        assert_eq!(required.refusal(), fault, "{label}");
        let found = sorted(required.warnings().to_vec());
        assert_eq!(found, sorted(warnings.clone()), "{label}");
        assert_eq!(
            required.valid_logs(),
            count(&record["valid_logs"]),
            "{label}"
        );
        let operators = count(&record["valid_operators"]);
        assert_eq!(required.valid_operators(), operators, "{label}");
        assert_eq!(required.is_verified(), fault.is_none(), "{label}");

        let reported = outcome(&document, record, &AwsLcCrypto, SctMode::Warn);
        assert_eq!(reported.refusal(), None, "{label}");
        assert_eq!(reported.is_verified(), fault.is_none(), "{label}");
        warnings.extend(fault);
        let found = sorted(reported.warnings().to_vec());
        assert_eq!(found, sorted(warnings), "{label}");

        let without_rsa = outcome(&document, record, &RustCrypto, SctMode::Require);
        if record["needs_rsa"].as_bool().unwrap() {
            assert_eq!(without_rsa.valid_logs().min(1), without_rsa.valid_logs());
        } else {
            assert_eq!(without_rsa, required, "{label}");
        }
    }
    assert_eq!(records.len(), 49, "a record was not consumed");
}

/// An RSA log is no fault of a build without RSA, but does not count either.
#[test]
fn a_provider_without_rsa_reports_such_a_log_as_unknown() {
    let document = document();
    let records = document["records"].as_array().unwrap();
    let rsa = records
        .iter()
        .find(|record| record["label"] == "rsa")
        .unwrap();
    let found = outcome(&document, rsa, &RustCrypto, SctMode::Require);
    assert_eq!(found.refusal(), Some(Reason::SctMissing));
    assert_eq!(found.warnings(), [Reason::SctUnknownLog]);
}
