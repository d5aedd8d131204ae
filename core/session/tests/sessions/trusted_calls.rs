//! What trust bundles and revocation lists mean for calls.

use core::time::Duration;

use ringtrue_lab::{Authority, CaSpec, Credential as LabCredential, LabLog, LeafSpec, Validity};
use ringtrue_session::{CheckName, CredentialState, Placement, RingOutcome, TrustSource, Verdict};
use ringtrue_stir::certificate::sct::{LogList, SctMode};
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::trust_bundle::TrustData;
use ringtrue_stir::verification::SpcPolicy;
use ringtrue_stir::{Reason, UnixTime};

use crate::attacker::Forged;
use crate::bundles::{
    DAY, LIST_URL, Operator, other_data, own_data, restarted, serve, update, update_well,
};
use crate::checks::{assert_failed, ring_with};
use crate::phone::Phone;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, START_MS, World, number};

/// The telephones, of which the callee uses bundles, and their operator.
fn scene() -> (World, Phone, Phone, Operator, TrustSource) {
    let (world, caller, callee) = World::with_phones();
    let operator = Operator::new(&world);
    let source = operator.source();
    (world, caller, callee, operator, source)
}

fn rings(world: &mut World, callee: &mut Phone, signer: &LabCredential) -> RingOutcome {
    // What was left for the call before is gone by then.
    world.ms += 40_000;
    let forged = Forged::call(world, signer);
    ring_with(world, callee, &forged)
}

fn assert_refused(outcome: &RingOutcome, check: CheckName, reason: Reason) {
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_failed(outcome, check, reason);
}

fn assert_verified(outcome: &RingOutcome, reasons: &[Reason]) {
    assert_eq!(
        (outcome.verdict.verdict, outcome.verdict.reasons.as_slice()),
        (Verdict::Verified, reasons)
    );
}

/// A callee with lists that name `revoked`, and everything around it.
fn listed(
    revoked: impl FnOnce(&World, &Phone) -> Vec<Vec<u8>>,
) -> (World, Phone, Phone, Operator, TrustSource) {
    let (mut world, caller, mut callee, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 1, data);
    let revoked = revoked(&world, &caller);
    let revoked: Vec<&[u8]> = revoked.iter().map(Vec::as_slice).collect();
    let list = operator.list(&revoked, world.unix());
    serve(&mut world, LIST_URL, list);
    update_well(&mut world, &mut callee, &source);
    (world, caller, callee, operator, source)
}

#[test]
fn a_new_anchor_counts_after_an_update_and_a_withdrawn_one_does_not() {
    let (mut world, caller, mut callee, operator, source) = scene();
    let other = Authority::for_numbers(&[number(CALLER)], world.unix()).unwrap();
    let newcomer = other.issue_number(&number(CALLER), world.unix()).unwrap();
    let outcome = rings(&mut world, &mut callee, &newcomer);
    assert_refused(&outcome, CheckName::Credential, Reason::NoPathToAnchor);
    assert_verified(&rings(&mut world, &mut callee, &caller.credential), &[]);

    let mut both = own_data(&world);
    for root in other.anchors().unwrap().certificates() {
        both.anchors.add(root.clone()).unwrap();
    }
    operator.serve(&mut world, 1, both);
    update_well(&mut world, &mut callee, &source);
    assert_verified(&rings(&mut world, &mut callee, &newcomer), &[]);
    assert_verified(&rings(&mut world, &mut callee, &caller.credential), &[]);

    // The anchor that the application has configured does not live on.
    operator.serve(&mut world, 2, TrustData::new(other.anchors().unwrap()));
    update_well(&mut world, &mut callee, &source);
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::NoPathToAnchor);
    let configured = world.authority.anchors().unwrap();
    let mut callee = restarted(&world, callee, &source, configured);
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::NoPathToAnchor);
}

#[test]
fn nobody_is_verified_by_an_expired_bundle_until_a_newer_one_comes() {
    let (mut world, caller, mut callee, operator, source) = scene();
    let text = operator.bundle_for(&world, 1, own_data(&world), Duration::from_secs(3600));
    serve(&mut world, crate::bundles::BUNDLE_URL, text);
    update_well(&mut world, &mut callee, &source);
    assert_verified(&rings(&mut world, &mut callee, &caller.credential), &[]);
    world.ms += 3_600_000;
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::BundleExpired);
    // Neither do the configured anchors come back after a restart.
    let configured = world.authority.anchors().unwrap();
    let mut callee = restarted(&world, callee, &source, configured);
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::BundleExpired);
    // The own credential is not a matter of whom one believes.
    let status = callee.context.credential_status(world.unix());
    assert_eq!(status.state, CredentialState::Valid);
    operator.serve_own(&mut world, 2);
    update_well(&mut world, &mut callee, &source);
    assert_verified(&rings(&mut world, &mut callee, &caller.credential), &[]);
}

#[test]
fn an_expired_bundle_finds_no_keys_to_seal_to() {
    let (mut world, mut caller, _, operator, source) = scene();
    let text = operator.bundle_for(&world, 1, own_data(&world), Duration::from_secs(60));
    serve(&mut world, crate::bundles::BUNDLE_URL, text);
    update_well(&mut world, &mut caller, &source);
    world.ms += 60_000;
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::BundleExpired));
}

#[test]
fn a_revoked_signer_is_refused() {
    let (mut world, caller, mut callee, ..) =
        listed(|_, caller| vec![caller.credential.chain_der[0].clone()]);
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::CertificateRevoked);
    // Another certificate of the same number is none of the list's business.
    let other = world.credential(&[CALLER]);
    assert_verified(&rings(&mut world, &mut callee, &other), &[]);
}

#[test]
fn a_signer_below_a_revoked_issuer_is_refused() {
    let (mut world, caller, mut callee, ..) =
        listed(|world, _| vec![world.authority.intermediate.der().to_vec()]);
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::CertificateRevoked);
}

#[test]
fn a_statement_by_a_revoked_signer_gets_nothing_sealed() {
    let (mut world, mut caller, callee, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 1, data);
    let list = operator.list(&[&callee.credential.chain_der[0]], world.unix());
    serve(&mut world, LIST_URL, list);
    update_well(&mut world, &mut caller, &source);
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::CertificateRevoked));
}

#[test]
fn an_outdated_list_is_told_with_the_verdict_and_still_revokes() {
    let (mut world, caller, mut callee, ..) = listed(|world, _| {
        let other = world.credential(&[CALLER]);
        vec![other.chain_der[0].clone()]
    });
    assert_verified(&rings(&mut world, &mut callee, &caller.credential), &[]);
    world.ms += DAY * 1000;
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_verified(&outcome, &[Reason::CrlStale]);
    let (mut world, caller, mut callee, ..) =
        listed(|_, caller| vec![caller.credential.chain_der[0].clone()]);
    world.ms += DAY * 1000;
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::CertificateRevoked);
}

#[test]
fn a_policy_that_requires_revocation_refuses_without_a_current_list() {
    let (mut world, caller, callee, operator, source) = scene();
    let own = callee.credential.clone();
    let mut strict = world.phone_with(&[CALLEE], &[CPS_CALLEE], own, |builder| {
        builder.policy.require_revocation = true;
    });
    strict.records = callee.records;
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 1, data);
    update(&mut world, &mut strict, &source).result.unwrap();
    let outcome = rings(&mut world, &mut strict, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::CrlUnavailable);
    let list = operator.list(&[], world.unix());
    serve(&mut world, LIST_URL, list);
    update_well(&mut world, &mut strict, &source);
    assert_verified(&rings(&mut world, &mut strict, &caller.credential), &[]);
    world.ms += DAY * 1000;
    let outcome = rings(&mut world, &mut strict, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::CrlStale);
}

#[test]
fn without_a_list_the_verdict_says_that_revocation_could_not_be_looked_up() {
    let (mut world, caller, mut callee, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 1, data);
    let updated = update(&mut world, &mut callee, &source).result.unwrap();
    assert_eq!(updated.reasons, [Reason::ServiceUnreachable]);
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_verified(&outcome, &[Reason::CrlUnavailable]);
}

/// A signer with a provider code and no number.
fn provider(world: &World) -> LabCredential {
    let ca = CaSpec::new(None, world.unix());
    let ca = world.authority.root.subordinate(&ca).unwrap();
    let scope = TnAuthList::new(vec![Entry::Spc("709J".to_owned())]).unwrap();
    let spec = LeafSpec::for_scope(Some(scope), world.unix());
    ca.issue(&spec).unwrap()
}

#[test]
fn a_provider_code_counts_only_where_the_bundle_names_it_and_is_told() {
    let (mut world, _, mut callee, operator, source) = scene();
    let signer = provider(&world);
    let refused = |outcome: &RingOutcome| {
        assert_refused(outcome, CheckName::Authority, Reason::AuthorityBySpc);
    };
    refused(&rings(&mut world, &mut callee, &signer));
    let policies = [
        (SpcPolicy::None, false),
        (SpcPolicy::Listed(vec!["709K".to_owned()]), false),
        (SpcPolicy::Listed(vec!["709J".to_owned()]), true),
        (SpcPolicy::Any, true),
    ];
    for (version, (policy, accepted)) in policies.into_iter().enumerate() {
        let mut data = own_data(&world);
        data.spc_policy = policy;
        operator.serve(&mut world, version as u64, data);
        update_well(&mut world, &mut callee, &source);
        let outcome = rings(&mut world, &mut callee, &signer);
        if accepted {
            assert_verified(&outcome, &[Reason::AuthorityBySpc]);
        } else {
            refused(&outcome);
        }
    }
}

#[test]
fn the_bundle_s_profile_counts_and_not_the_policy_s() {
    let (mut world, _, mut callee, operator, source) = scene();
    // Its issuer states no scope, which the delegate profile does not accept.
    let ca = CaSpec::new(None, world.unix());
    let ca = world.authority.root.subordinate(&ca).unwrap();
    let spec = LeafSpec::for_number(&number(CALLER), world.unix());
    let signer = ca.issue(&spec).unwrap();
    assert_verified(&rings(&mut world, &mut callee, &signer), &[]);
    let mut data = own_data(&world);
    data.profile = Profile::Delegate;
    operator.serve(&mut world, 1, data);
    update_well(&mut world, &mut callee, &source);
    let outcome = rings(&mut world, &mut callee, &signer);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
}

#[test]
fn timestamps_are_checked_by_the_bundle_s_policy() {
    let (mut world, caller, mut callee, operator, source) = scene();
    let log = LabLog::new("Log operator").unwrap();
    let at = world.unix();
    let spec = LeafSpec::for_number(&number(CALLER), at);
    let logged = &world.authority.intermediate;
    let logged = logged.issue_logged(&spec, &[&log], at).unwrap();
    let mut version = 0;
    let mut take = |world: &mut World, callee: &mut Phone, mode, has_log: bool| {
        let mut data = own_data(world);
        data.sct_policy.mode = mode;
        if has_log {
            data.logs = LogList::new(vec![log.configuration().unwrap()]).unwrap();
        }
        version += 1;
        operator.serve(world, version, data);
        update_well(world, callee, &source);
    };
    take(&mut world, &mut callee, SctMode::Require, true);
    assert_verified(&rings(&mut world, &mut callee, &logged), &[]);
    // And from what is remembered of it.
    assert_verified(&rings(&mut world, &mut callee, &logged), &[]);
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_refused(&outcome, CheckName::Credential, Reason::SctMissing);
    take(&mut world, &mut callee, SctMode::Warn, true);
    let outcome = rings(&mut world, &mut callee, &caller.credential);
    assert_verified(&outcome, &[Reason::SctMissing]);
    take(&mut world, &mut callee, SctMode::Require, false);
    let outcome = rings(&mut world, &mut callee, &logged);
    assert_refused(&outcome, CheckName::Credential, Reason::SctMissing);
    take(&mut world, &mut callee, SctMode::Warn, false);
    assert_verified(&rings(&mut world, &mut callee, &caller.credential), &[]);
}

#[test]
fn an_own_credential_without_its_anchor_signs_nothing_until_the_anchor_is_back() {
    let (mut world, mut caller, _, operator, source) = scene();
    operator.serve(&mut world, 1, other_data());
    update_well(&mut world, &mut caller, &source);
    let status = caller.context.credential_status(world.unix());
    assert_eq!(status.state, CredentialState::Untrusted);
    assert_eq!(status.reason, Some(Reason::NoPathToAnchor));
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::NoPathToAnchor));
    let mut caller = restarted(&world, caller, &source, TrustAnchors::new());
    let status = caller.context.credential_status(world.unix());
    assert_eq!(status.state, CredentialState::Untrusted);
    operator.serve_own(&mut world, 2);
    update_well(&mut world, &mut caller, &source);
    let status = caller.context.credential_status(world.unix());
    assert_eq!(
        (status.state, status.reason),
        (CredentialState::Valid, None)
    );
    world.place_well(&mut caller, CALLEE);
}

#[test]
fn an_own_credential_that_is_revoked_signs_nothing() {
    let (mut world, mut caller, _, operator, source) = scene();
    let data = operator.with_lists(own_data(&world));
    operator.serve(&mut world, 1, data);
    let list = operator.list(&[&caller.credential.chain_der[0]], world.unix());
    serve(&mut world, LIST_URL, list);
    update_well(&mut world, &mut caller, &source);
    let status = caller.context.credential_status(world.unix());
    assert_eq!(
        (status.state, status.reason),
        (CredentialState::Untrusted, Some(Reason::CertificateRevoked))
    );
    let placed = world.place(&mut caller, CALLEE);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::CertificateRevoked));
}

// RFC 8224 section 6.2 step 4: the certificate has to be valid when the token was signed.
#[test]
fn a_short_lived_certificate_that_ended_while_it_rang_still_counts() {
    let (mut world, _, mut callee, ..) = scene();
    let at = UnixTime::from_secs(START_MS / 1000);
    let mut spec = LeafSpec::for_number(&number(CALLER), at);
    spec.validity = Validity::short(at, Duration::from_secs(20));
    let signer = world.authority.issue(&spec).unwrap();
    world.ms = 15_000;
    let forged = Forged::call(&world, &signer);
    world.ms = 30_000;
    assert_verified(&ring_with(&mut world, &mut callee, &forged), &[]);
    // One that is signed after the end does not.
    world.ms = 70_000;
    let forged = Forged::call(&world, &signer);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_refused(&outcome, CheckName::Credential, Reason::CertificateExpired);
}
