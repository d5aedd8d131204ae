//! Diverted calls at the verification service (RFC 8946 section 4.2).

use core::time::Duration;

use ringtrue_stir::passport::{Destinations, Diversion, Identity, Passport, PassportBuilder};
use ringtrue_stir::sip::CallDescription;
use ringtrue_stir::sip::verification::Outcome;
use ringtrue_stir::verification::VerificationPolicy;

use super::{CALLED, CALLER, Party, call, value, verify, verify_by};
use crate::issuing::{NOW, Template, one};
use crate::tn;

const OTHER: &str = "12025550111";

fn dest(number: &str) -> Destinations {
    Destinations::of(tn(number))
}

/// A call to one party, diverted by it to another.
struct Diverted {
    caller: Party,
    first: Party,
    original: String,
    div: String,
}

impl Diverted {
    fn new() -> Self {
        let (caller, first) = (Party::new(CALLER), Party::new(CALLED));
        let original = caller.base(CALLED, NOW);
        let div = Self::div(&first, &original, OTHER);
        Self {
            caller,
            first,
            original,
            div,
        }
    }

    fn div(by: &Party, earlier: &str, to: &str) -> String {
        let earlier = Passport::parse(earlier).unwrap();
        let div = Diversion::of(by.identity());
        by.sign(PassportBuilder::div(&earlier, &div, dest(to), NOW, &by.x5u).unwrap())
    }

    fn outcomes(&self, tokens: &[&str], request: &CallDescription) -> (Outcome, Vec<Outcome>) {
        let values: Vec<_> = tokens.iter().map(|token| value(token)).collect();
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        let report = verify(&[&self.caller, &self.first], &values, request);
        let outcomes = report.headers.iter().map(|header| header.outcome);
        (report.summary, outcomes.collect())
    }
}

#[test]
fn a_whole_diversion_chain_makes_all_its_tokens_valid_in_any_order() {
    let diverted = Diverted::new();
    let mut request = call(CALLER, CALLED);
    request.request_uri = format!("tel:+{OTHER}");
    let all_valid = (Outcome::Valid, vec![Outcome::Valid; 2]);
    let Diverted { original, div, .. } = &diverted;
    assert_eq!(diverted.outcomes(&[original, div], &request), all_valid);
    assert_eq!(diverted.outcomes(&[div, original], &request), all_valid);
    // To still names the first party; nobody asks (PPT-55).
    request.to = "sip:nobody@carrier.example".to_owned();
    assert_eq!(diverted.outcomes(&[div, original], &request), all_valid);
}

#[test]
fn a_diversion_without_its_original_or_to_elsewhere_is_a_mismatch() {
    let diverted = Diverted::new();
    let mut request = call(CALLER, CALLED);
    request.request_uri = format!("tel:+{OTHER}");
    let Diverted {
        original,
        div,
        first,
        ..
    } = &diverted;
    let mismatch = Outcome::MismatchDest;
    assert_eq!(
        diverted.outcomes(&[div], &request),
        (mismatch, vec![mismatch])
    );
    assert_eq!(
        diverted.outcomes(&[original], &request),
        (mismatch, vec![mismatch])
    );
    // Diverted on, without a token about it.
    request.request_uri = "tel:+12025550177".to_owned();
    assert_eq!(
        diverted.outcomes(&[original, div], &request),
        (mismatch, vec![mismatch; 2])
    );
    // A chain that does not hold leaves the others to be checked as they are (PPT-54).
    let undiverted = call(CALLER, CALLED);
    let stray = Diverted::div(first, &diverted.caller.base(CALLED, NOW), "12025550177");
    assert_eq!(
        diverted.outcomes(&[original, &stray], &undiverted),
        (Outcome::Valid, vec![Outcome::Valid, mismatch])
    );
}

#[test]
fn a_diversion_by_someone_else_is_untrusted_and_leads_nowhere() {
    let mut diverted = Diverted::new();
    let impostor = Party::with(OTHER, &Template::leaf(&[one("12025550177")]));
    let earlier = Passport::parse(&diverted.original).unwrap();
    let div = Diversion::of(Identity::Tn(tn(CALLED)));
    let div = PassportBuilder::div(&earlier, &div, dest(OTHER), NOW, &impostor.x5u).unwrap();
    diverted.div = impostor.sign(div);
    diverted.first = impostor;
    let mut request = call(CALLER, CALLED);
    request.request_uri = format!("tel:+{OTHER}");
    let tokens: [&str; 2] = [&diverted.original, &diverted.div];
    assert_eq!(
        diverted.outcomes(&tokens, &request),
        (
            Outcome::MismatchDest,
            vec![Outcome::MismatchDest, Outcome::Untrusted]
        )
    );
}

#[test]
fn an_original_token_of_a_diversion_may_be_older_where_that_is_stated() {
    let (caller, first) = (Party::new(CALLER), Party::new(CALLED));
    let original = caller.base(CALLED, NOW.minus(Duration::from_secs(600)));
    let div = Diverted::div(&first, &original, OTHER);
    let mut request = call(CALLER, CALLED);
    request.request_uri = format!("tel:+{OTHER}");
    let values = [value(&original), value(&div)];
    let values = [values[0].as_str(), values[1].as_str()];
    let report = verify(&[&caller, &first], &values, &request);
    assert_eq!(report.summary, Outcome::Stale);
    let mut policy = VerificationPolicy::default();
    policy.inner_freshness = Duration::from_secs(3600);
    let report = verify_by(&policy, &[&caller, &first], &values, &request);
    let outcomes: Vec<_> = report.headers.iter().map(|header| header.outcome).collect();
    assert_eq!(outcomes, [Outcome::Valid; 2]);
}
