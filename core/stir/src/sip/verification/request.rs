//! The tokens of one request: in which order they are verified, and against what.
//!
//! The last diversions come first, as an original token counts as being for the called party once a
//! diversion leads from its `dest` here. Rich call data come last, as they may lean on another token.

use super::received::Received;
use super::{Case, HeaderReport, Outcome, Request, VerificationService, diversion};
use crate::passport::{Claims, PassportType};
use crate::verification::{ExpectedCall, ReportedAuthority};
use crate::{Reason, UnixTime};

/// Verifies every header field; the results are in the order of the fields.
pub(super) fn verify_all(
    service: &VerificationService<'_>,
    received: &[Received],
    request: &Request<'_>,
    at: UnixTime,
) -> Vec<HeaderReport> {
    let mut pass = Pass {
        service,
        received,
        request,
        at,
        led_here: Vec::new(),
        done: received.iter().map(|_| None).collect(),
    };
    pass.run(|token| diversion::is_last(token, received));
    pass.run(|token| kind_of(token) != Some(PassportType::Rcd));
    pass.run(|_| true);
    pass.done.into_iter().flatten().collect()
}

fn kind_of(token: &Received) -> Option<PassportType> {
    token.passport.as_ref().map(|passport| passport.kind())
}

/// The state of a verification of several tokens.
struct Pass<'a> {
    service: &'a VerificationService<'a>,
    received: &'a [Received],
    request: &'a Request<'a>,
    at: UnixTime,
    /// The tokens that a diversion which holds goes back to.
    led_here: Vec<usize>,
    done: Vec<Option<HeaderReport>>,
}

impl Pass<'_> {
    /// Verifies those that are left of a kind.
    fn run(&mut self, is_wanted: impl Fn(&Received) -> bool) {
        for (index, token) in self.received.iter().enumerate() {
            let is_left = self.done.get(index).is_some_and(Option::is_none);
            if !is_left || !is_wanted(token) {
                continue;
            }
            let earlier = diversion::earlier_of(index, token, self.received);
            let report = self.verify(index, token, &earlier);
            if report.outcome == Outcome::Valid {
                self.led_here.extend(earlier);
            }
            if let Some(slot) = self.done.get_mut(index) {
                *slot = Some(report);
            }
        }
    }

    fn verify(&self, index: usize, token: &Received, earlier: &[usize]) -> HeaderReport {
        let Request { call, orig, target } = self.request;
        let is_led_here = self.led_here.contains(&index);
        let priorities: Vec<_> = call.resource_priority.iter().map(String::as_str).collect();
        // What the request does not have is compared as well: a claim about it fails then.
        let expected = ExpectedCall {
            orig: orig.as_ref().ok(),
            dest: target.as_ref().ok().filter(|_| !is_led_here),
            provisioned: &call.provisioned,
            fingerprints: Some(
                call.media_keys
                    .as_ref()
                    .map_or(&[], |keys| keys.fingerprints()),
            ),
            priority: Some(call.priority.as_deref().unwrap_or_default().trim()),
            resource_priorities: Some(&priorities),
        };
        let mut policy = self.service.policy.clone();
        if is_led_here {
            policy.freshness = policy.freshness.max(policy.inner_freshness);
        }
        let earlier: Vec<_> = earlier
            .iter()
            .filter_map(|index| self.received.get(*index))
            .collect();
        let case = Case {
            earlier: &earlier,
            body: call.body.as_deref(),
            is_vouched: self.is_vouched(token),
        };
        let mut report = self
            .service
            .verify_one(token, &case, &expected, &policy, self.at);
        // Without a caller or a target there is nothing to hold the token against.
        if report.outcome == Outcome::Valid
            && let Some(reason) = [orig.as_ref().err(), target.as_ref().err()]
                .into_iter()
                .flatten()
                .next()
        {
            report.refuse(*reason);
        }
        // With a fresh iat an old Date proves nothing (SIP-43).
        if let Some(date) = call.date
            && report.token.is_some()
            && (date < self.at.minus(policy.freshness) || date > self.at.plus(policy.clock_skew))
        {
            report.warnings.push(Reason::DateStale);
        }
        report
    }

    /// Whether a token that was verified, by a signer with a right to the number, is of the same call.
    fn is_vouched(&self, token: &Received) -> bool {
        let Some(claims) = token.passport.as_ref().map(|passport| passport.claims()) else {
            return false;
        };
        let is_same = |other: &Claims| {
            other.orig().is_equivalent(claims.orig()) && other.dest().is_equivalent(claims.dest())
        };
        self.done.iter().flatten().any(|done| {
            let authority = done.report.as_ref().map(|report| &report.authority);
            let is_entitled = matches!(
                authority,
                Some(ReportedAuthority::Covered | ReportedAuthority::BySpc(_))
            );
            done.outcome == Outcome::Valid
                && is_entitled
                && done
                    .passport()
                    .is_some_and(|passport| is_same(passport.claims()))
        })
    }
}
