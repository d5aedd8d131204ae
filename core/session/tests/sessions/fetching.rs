//! Certificates that did not travel with a token: fetched only if the policy allows it, only for a
//! token that is right in everything else, and seldom (W-1, CRT-44, CRT-46).

use ringtrue_lab::{Authority, Credential as LabCredential, LeafSpec, Validity};
use ringtrue_session::{
    Action, CheckName, ContextBuilder, FoundCertificates, Input, RingOutcome, Verdict,
};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, UnixTime};
use serde_json::{Value, json};

use crate::attacker::{Forged, leave};
use crate::awaiting::placed_with;
use crate::checks::{assert_failed, ring_with};
use crate::phone::{Phone, Reply};
use crate::sim::run;
use crate::world::{CALLEE, CALLER, CPS_CALLEE, START_MS, STRANGER, World, first, number};

/// The `x5u` of every forged token.
const X5U: &str = "https://certs.example/c.pem";

fn fetching(builder: &mut ContextBuilder) {
    builder.policy.fetch_certificates = true;
}

/// A world with both telephones, of which the callee fetches.
fn world() -> (World, Phone, Phone) {
    world_with(fetching)
}

fn world_with(change: impl FnOnce(&mut ContextBuilder)) -> (World, Phone, Phone) {
    let (world, caller, mut callee) = World::with_phones();
    let credential = callee.credential.clone();
    callee.context = world
        .context(&[CALLEE], &[CPS_CALLEE], &credential, change)
        .unwrap();
    (world, caller, callee)
}

fn found(credential: &LabCredential, from_cache: bool) -> Result<FoundCertificates, Reason> {
    Ok(FoundCertificates {
        bag: credential.bag().unwrap(),
        from_cache,
    })
}

fn serve(world: &mut World, answers: Vec<Result<FoundCertificates, Reason>>) {
    world.net.certificates.insert(X5U.to_owned(), answers);
}

/// A right token that comes without certificates.
fn bare(world: &World, signer: &LabCredential) -> Forged {
    Forged::call(world, signer).with(|forged| forged.x5c.clear())
}

fn fetched(world: &World) -> Vec<(&str, bool)> {
    let fetched = world.net.fetched.iter();
    fetched
        .map(|(x5u, refresh)| (x5u.as_str(), *refresh))
        .collect()
}

/// What comes of a bare token as `change` changes it, and that nothing was fetched for it.
fn unfetched(change: impl FnOnce(&mut Forged)) -> RingOutcome {
    let (mut world, caller, mut callee) = world();
    serve(&mut world, vec![found(&caller.credential, false)]);
    let forged = bare(&world, &caller.credential).with(change);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(fetched(&world), []);
    outcome
}

#[test]
fn nothing_is_fetched_unless_the_policy_says_so() {
    for change in [(|_| {}) as fn(&mut ContextBuilder), |builder| {
        builder.policy.fetch_certificates = true;
        builder.policy.max_fetches = 0;
    }] {
        let (mut world, caller, mut callee) = world_with(change);
        serve(&mut world, vec![found(&caller.credential, false)]);
        let forged = bare(&world, &caller.credential);
        let outcome = ring_with(&mut world, &mut callee, &forged);
        assert_eq!(outcome.verdict.verdict, Verdict::Refused);
        assert_eq!(outcome.verdict.reasons, [Reason::CredentialUnavailable]);
        assert_failed(
            &outcome,
            CheckName::Credential,
            Reason::CredentialUnavailable,
        );
        assert_eq!(fetched(&world), []);
    }
}

#[test]
fn a_call_without_certificates_is_verified_with_those_behind_its_x5u() {
    let (mut world, caller, mut callee) = world();
    serve(&mut world, vec![found(&caller.credential, false)]);
    let forged = bare(&world, &caller.credential);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, []);
    assert_eq!(fetched(&world), [(X5U, false)]);
    // The same announcement does not count twice, fetched certificates or not.
    world.ms += 1000;
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_failed(&outcome, CheckName::Replay, Reason::Replayed);
}

#[test]
fn certificates_at_hand_are_used_and_nothing_is_fetched() {
    let outcome = unfetched(|forged| forged.x5c = forged.signer.bag().unwrap().to_x5c());
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    let outcome = unfetched(|forged| {
        let x5c = Value::from(forged.signer.bag().unwrap().to_x5c());
        forged.header.insert("x5c".into(), x5c);
    });
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

#[test]
fn certificates_at_hand_that_fail_are_not_replaced_by_a_fetch() {
    let outcome = unfetched(|forged| forged.x5c = vec!["AAAA".into()]);
    assert_failed(
        &outcome,
        CheckName::Credential,
        Reason::MalformedCertificate,
    );
    let outcome = unfetched(|forged| drop(forged.header.insert("x5c".into(), json!(["AAAA"]))));
    assert_failed(
        &outcome,
        CheckName::Credential,
        Reason::MalformedCertificate,
    );
    let outcome = unfetched(|forged| {
        let at = UnixTime::from_secs(START_MS / 1000);
        let other = Authority::for_numbers(&[number(CALLER)], at).unwrap();
        let scope = TnAuthList::new(vec![Entry::One(number(CALLER))]).unwrap();
        let spec = LeafSpec::for_scope(Some(scope), at);
        forged.x5c = other.issue(&spec).unwrap().bag().unwrap().to_x5c();
    });
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
}

#[test]
fn a_token_that_fails_anyway_is_not_worth_a_fetch() {
    for change in [
        (|forged: &mut Forged| *forged = forged.clone().aged(61)) as fn(&mut Forged),
        |forged| *forged = forged.clone().aged(-11),
        |forged| {
            drop(
                forged
                    .payload
                    .insert("dest".into(), json!({"tn": [STRANGER]})),
            )
        },
    ] {
        let outcome = unfetched(change);
        assert_eq!(outcome.verdict.verdict, Verdict::Refused);
        assert_failed(
            &outcome,
            CheckName::Credential,
            Reason::CredentialUnavailable,
        );
    }
    for change in [
        (|forged: &mut Forged| {
            drop(
                forged
                    .payload
                    .insert("orig".into(), json!({"tn": STRANGER})),
            )
        }) as fn(&mut Forged),
        |forged| drop(forged.header.insert("ppt".into(), Value::from("rsp"))),
        |forged| drop(forged.header.insert("ppt".into(), Value::from("none-such"))),
    ] {
        assert_eq!(unfetched(change).verdict.verdict, Verdict::NoRecord);
    }
}

#[test]
fn a_reference_of_another_form_is_not_fetched() {
    for x5u in [
        "https://certs.example/c.pem?for=12025550199",
        "https://certs.example/c.pem#x",
        "https://user@certs.example/c.pem",
        "https://certs.example:0/c.pem",
    ] {
        let outcome = unfetched(|forged| drop(forged.header.insert("x5u".into(), x5u.into())));
        assert_ne!(outcome.verdict.verdict, Verdict::Verified, "{x5u}");
    }
}

#[test]
fn a_fetch_that_fails_refuses_the_token_and_says_why() {
    for reason in [
        Reason::AddressNotAllowed,
        Reason::AnswerTooLarge,
        Reason::DeadlinePassed,
        Reason::FetchingOff,
        Reason::MalformedPem,
        Reason::MalformedUrl,
        Reason::Redirected,
        Reason::ServiceError,
        Reason::ServiceUnreachable,
        Reason::TlsFailed,
        Reason::TooManyCertificates,
    ] {
        let (mut world, caller, mut callee) = world();
        serve(&mut world, vec![Err(reason)]);
        let forged = bare(&world, &caller.credential);
        let outcome = ring_with(&mut world, &mut callee, &forged);
        assert_eq!(outcome.verdict.verdict, Verdict::Refused);
        assert_failed(
            &outcome,
            CheckName::Credential,
            Reason::CredentialUnavailable,
        );
        assert_eq!(
            outcome.verdict.reasons,
            [Reason::CredentialUnavailable, reason]
        );
        // Later polls and the same token find the failure, not a reason to try again.
        assert_eq!(fetched(&world), [(X5U, false)]);
    }
}

#[test]
fn fetched_certificates_are_checked_like_all_others() {
    let (mut world, caller, mut callee) = world();
    let at = UnixTime::from_secs(START_MS / 1000);
    let elsewhere = Authority::for_numbers(&[number(CALLER)], at).unwrap();
    let scope = TnAuthList::new(vec![Entry::One(number(CALLER))]).unwrap();
    let stranger = elsewhere
        .issue(&LeafSpec::for_scope(Some(scope), at))
        .unwrap();
    serve(&mut world, vec![found(&stranger, false)]);
    let forged = bare(&world, &stranger);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert!(outcome.call.is_none());

    let (mut world, _, mut callee) = self::world();
    let other_number = world.credential(&[CALLEE]);
    serve(&mut world, vec![found(&other_number, false)]);
    let forged = bare(&world, &other_number);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_failed(&outcome, CheckName::Authority, Reason::NumberNotCovered);
    drop(caller);
}

#[test]
fn tokens_of_one_signer_share_a_fetch() {
    let (mut world, caller, mut callee) = world();
    serve(&mut world, vec![found(&caller.credential, false)]);
    let forged = bare(&world, &caller.credential);
    let mut content = forged.content();
    content.ppts = (0..5).map(|age| forged.clone().aged(age).token()).collect();
    leave(&mut world, &content);
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(fetched(&world), [(X5U, false)]);
}

#[test]
fn no_more_urls_are_fetched_for_one_call_than_the_policy_allows() {
    let (mut world, caller, mut callee) = world();
    let forged = bare(&world, &caller.credential);
    for index in 0..7 {
        let x5u = format!("https://certs.example/{index}.pem");
        let forged = forged.clone().with(|forged| {
            forged.header.insert("x5u".into(), Value::from(x5u));
            forged.nonce = [index; 16];
        });
        leave(&mut world, &forged.content());
    }
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::Refused);
    assert_eq!(world.net.fetched.len(), 4);
}

#[test]
fn a_policy_with_more_fetches_than_a_call_has_signers_is_refused() {
    let world = World::new();
    let credential = world.credential(&[CALLEE]);
    let built = |max| {
        let change = |builder: &mut ContextBuilder| builder.policy.max_fetches = max;
        world
            .context(&[CALLEE], &[CPS_CALLEE], &credential, change)
            .err()
    };
    assert_eq!(built(16), None);
    assert_eq!(built(17), Some(Reason::ConfigurationInvalid));
}

#[test]
fn a_new_key_behind_the_same_url_is_found_by_one_refresh() {
    let (mut world, caller, mut callee) = world();
    let old = world.credential(&[CALLER]);
    let answers = vec![found(&old, true), found(&caller.credential, false)];
    serve(&mut world, answers);
    let forged = bare(&world, &caller.credential);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    assert_eq!(outcome.verdict.reasons, []);
    assert_eq!(fetched(&world), [(X5U, false), (X5U, true)]);
}

#[test]
fn a_renewed_certificate_behind_the_same_url_is_found_by_one_refresh() {
    let at = UnixTime::from_secs(START_MS / 1000);
    let scope = |of: &str| Some(TnAuthList::new(vec![Entry::One(number(of))]).unwrap());
    let code = TnAuthList::new(vec![Entry::Spc("709J".to_owned())]).unwrap();
    let expired = Validity {
        not_before: UnixTime::from_secs(at.as_secs() - 7200),
        not_after: UnixTime::from_secs(at.as_secs() - 3600),
    };
    // What was renewed: the validity, the scope, or the key alone.
    for old in [
        LeafSpec {
            validity: expired,
            ..LeafSpec::for_scope(scope(CALLER), at)
        },
        LeafSpec::for_scope(scope(CALLEE), at),
        LeafSpec::for_scope(Some(code), at),
        LeafSpec::for_scope(None, at),
        LeafSpec::for_scope(scope(CALLER), at),
    ] {
        let (mut world, caller, mut callee) = world();
        let old = world.authority.issue(&old).unwrap();
        let answers = vec![found(&old, true), found(&caller.credential, false)];
        serve(&mut world, answers);
        let forged = bare(&world, &caller.credential);
        let outcome = ring_with(&mut world, &mut callee, &forged);
        assert_eq!(
            outcome.verdict.verdict,
            Verdict::Verified,
            "{:?}",
            outcome.verdict.reasons
        );
        assert_eq!(fetched(&world), [(X5U, false), (X5U, true)]);
    }
}

#[test]
fn a_wrong_signature_costs_one_refresh_and_no_more() {
    for second in [true, false] {
        let (mut world, caller, mut callee) = world();
        let answers = vec![
            found(&caller.credential, true),
            found(&caller.credential, second),
        ];
        serve(&mut world, answers);
        let forged = bare(&world, &caller.credential).with(|forged| forged.spoilt_signature = true);
        let mut content = forged.content();
        content.ppts.push(forged.clone().aged(1).token());
        leave(&mut world, &content);
        let outcome = world.ring(&mut callee, CALLER);
        assert_eq!(outcome.verdict.verdict, Verdict::Refused);
        assert_failed(&outcome, CheckName::Signature, Reason::SignatureInvalid);
        assert_eq!(outcome.verdict.reasons, [Reason::SignatureInvalid]);
        assert_eq!(fetched(&world), [(X5U, false), (X5U, true)]);
    }
}

#[test]
fn what_was_fetched_just_now_is_not_fetched_again() {
    let (mut world, caller, mut callee) = world();
    serve(&mut world, vec![found(&caller.credential, false)]);
    let forged = bare(&world, &caller.credential).with(|forged| forged.spoilt_signature = true);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_failed(&outcome, CheckName::Signature, Reason::SignatureInvalid);
    assert_eq!(fetched(&world), [(X5U, false)]);
}

#[test]
fn a_refresh_that_fails_leaves_the_failure_of_the_token() {
    let (mut world, caller, mut callee) = world();
    let answers = vec![
        found(&caller.credential, true),
        Err(Reason::ServiceUnreachable),
    ];
    serve(&mut world, answers);
    let forged = bare(&world, &caller.credential).with(|forged| forged.spoilt_signature = true);
    let outcome = ring_with(&mut world, &mut callee, &forged);
    assert_failed(&outcome, CheckName::Signature, Reason::SignatureInvalid);
    let reasons = [Reason::SignatureInvalid, Reason::ServiceUnreachable];
    assert_eq!(outcome.verdict.reasons, reasons);
}

/// Lets every fetch of a telephone come late, or never.
fn delay_fetches(phone: &mut Phone, reply: fn() -> Reply) {
    phone.on(move |action, _| matches!(action, Action::FetchCertificates { .. }).then(reply));
}

#[test]
fn a_slow_host_holds_no_verdict_beyond_its_deadline() {
    for reply in [(|| Reply::Never) as fn() -> Reply, || Reply::TimesOut] {
        let (mut world, caller, mut callee) = world();
        serve(&mut world, vec![found(&caller.credential, false)]);
        let content = bare(&world, &caller.credential).content();
        leave(&mut world, &content);
        delay_fetches(&mut callee, reply);
        let began = world.ms;
        let rang = world.ring_all(&mut callee, CALLER);
        let (at, outcome) = &rang.reports[0];
        assert_eq!(*at, began + 2500);
        assert_ne!(outcome.verdict.verdict, Verdict::Verified);
        let reasons = &outcome.verdict.reasons;
        assert!(reasons.contains(&Reason::DeadlinePassed), "{reasons:?}");
    }
}

#[test]
fn certificates_that_come_late_change_the_verdict() {
    let (mut world, caller, mut callee) = world();
    serve(&mut world, vec![found(&caller.credential, false)]);
    let content = bare(&world, &caller.credential).content();
    leave(&mut world, &content);
    delay_fetches(&mut callee, || Reply::After(3000));
    let rang = world.ring_all(&mut callee, CALLER);
    let verdicts: Vec<_> = rang
        .reports
        .iter()
        .map(|(_, outcome)| outcome.verdict.verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Unavailable, Verdict::Verified]);
    assert!(first(rang).call.is_none());
}

#[test]
fn answers_to_fetches_that_nobody_made_are_ignored() {
    let (mut world, caller, mut callee) = world();
    serve(&mut world, vec![Err(Reason::ServiceUnreachable)]);
    let content = bare(&world, &caller.credential).content();
    leave(&mut world, &content);
    let good = found(&caller.credential, false);
    callee.on(move |action, _| match action {
        // Certificates in answer to a request.
        Action::Load { id, .. } => Some(Reply::With(Input::Certificates(*id, good.clone()))),
        _ => None,
    });
    let outcome = world.ring(&mut callee, CALLER);
    assert_eq!(outcome.verdict.verdict, Verdict::NoRecord);
    assert_eq!(fetched(&world), []);
}

#[test]
fn an_answer_without_certificates_is_verified_with_fetched_ones_only_by_policy() {
    for (change, expected) in [
        (fetching as fn(&mut ContextBuilder), Verdict::Verified),
        (|_| {}, Verdict::Refused),
    ] {
        let mut placed = placed_with(change);
        let callee = placed.callee.credential.clone();
        serve(&mut placed.world, vec![found(&callee, false)]);
        let content = placed.rsp().with(|forged| forged.x5c.clear()).content();
        placed.leave(&content);
        let outcome = placed.wait();
        assert_eq!(outcome.verdict.verdict, expected);
        let fetches = usize::from(expected == Verdict::Verified);
        assert_eq!(placed.world.net.fetched.len(), fetches);
        if expected == Verdict::Refused {
            assert_eq!(outcome.verdict.reasons, [Reason::CredentialUnavailable]);
        }
    }
}

#[test]
fn an_answer_that_fails_anyway_or_is_about_another_call_is_not_worth_a_fetch() {
    for change in [
        (|forged: &mut Forged| forged.nonce = [9; 16]) as fn(&mut Forged),
        |forged| drop(forged.header.remove("ppt")),
        |forged| *forged = forged.clone().aged(30),
        |forged| {
            drop(
                forged
                    .payload
                    .insert("dest".into(), json!({"tn": [STRANGER]})),
            )
        },
    ] {
        let mut placed = placed_with(fetching);
        let callee = placed.callee.credential.clone();
        serve(&mut placed.world, vec![found(&callee, false)]);
        let content = placed.rsp().with(|forged| forged.x5c.clear()).with(change);
        placed.leave(&content.content());
        let outcome = placed.wait();
        assert_ne!(outcome.verdict.verdict, Verdict::Verified);
        assert_eq!(placed.world.net.fetched, []);
    }
}

#[test]
fn an_answer_whose_certificates_are_under_way_at_the_deadline_is_no_refusal() {
    let mut placed = placed_with(fetching);
    let content = placed.rsp().with(|forged| forged.x5c.clear()).content();
    placed.leave(&content);
    delay_fetches(&mut placed.caller, || Reply::Never);
    let session = placed.session(4000);
    let outcome = run(&mut placed.world, &mut placed.caller, session);
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert_eq!(outcome.verdict.reasons, [Reason::DeadlinePassed]);
}
