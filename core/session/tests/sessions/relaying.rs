//! Sessions whose requests go through a relay: what it sees, and what comes of its faults.

use std::collections::BTreeSet;
use std::sync::Arc;

use ringtrue_oob::BaseUrl;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::{HttpRequest, HttpResponse, Method, directory};
use ringtrue_oob::ohttp::KeyConfig;
use ringtrue_session::{
    Context, GatewayKeysSession, KeyQuery, KeySource, Placed, Placement, RelayPolicy, Relayed,
    RingOutcome, Role, Session, Verdict,
};
use ringtrue_stir::{Reason, TelephoneNumber};

use crate::phone::Phone;
use crate::relay::RELAY;
use crate::sim::{run, run_all};
use crate::world::{CALLEE, CALLER, CPS_CALLEE, CPS_CALLER, CPS_SPARE, DIRECTORY, World, base};

pub(crate) fn relay() -> BaseUrl {
    base(RELAY)
}

pub(crate) fn context(phone: &Phone, policy: RelayPolicy) -> Arc<Context> {
    Arc::new(phone.context.as_ref().clone().with_relay(policy))
}

/// Both telephones, published, with gateways everywhere, and nothing sent yet.
fn relayed_world(policy: &RelayPolicy) -> (World, Phone, Phone) {
    let (mut world, mut caller, mut callee) = World::with_phones();
    for authority in [CPS_CALLER, CPS_CALLEE, DIRECTORY] {
        world.net.relay.open(authority);
    }
    caller.context = context(&caller, policy.clone());
    callee.context = context(&callee, policy.clone());
    (world, caller, callee)
}

pub(crate) fn strict() -> RelayPolicy {
    RelayPolicy::through(relay())
}

/// Runs a session as a driver does: gives the end and the notices.
pub(crate) fn drive<S: Session>(
    world: &mut World,
    phone: &mut Phone,
    session: S,
) -> (S::Output, Vec<Reason>) {
    let mut running = run_all(
        world,
        phone,
        Relayed::new(session, Arc::clone(&phone.context)),
    );
    let notices = running.session.notices().to_vec();
    (running.output.take().expect("an end"), notices)
}

fn place(world: &mut World, phone: &mut Phone) -> (Placed, Vec<Reason>) {
    let session = world.placing(phone, CALLEE);
    drive(world, phone, session)
}

fn ring(world: &mut World, phone: &mut Phone) -> RingOutcome {
    let session = world.ringing(phone, CALLER);
    let session = Relayed::new(session, Arc::clone(&phone.context));
    let rang = run_all(world, phone, session);
    rang.reports.into_iter().next().expect("a verdict").1
}

/// Authority and role of what an endpoint sent by itself: not what a gateway passed on.
fn left(world: &World) -> Vec<(String, Role)> {
    let sent = world.net.sent.iter();
    sent.map(|sent| (sent.authority().to_owned(), sent.role))
        .collect()
}

#[test]
fn a_call_through_a_relay_is_placed_and_verified() {
    let (mut world, mut caller, mut callee) = relayed_world(&strict());
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(notices, [Reason::GatewayKeysJustInTime]);
    let outcome = ring(&mut world, &mut callee);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
    // Lookups, stores and polls: no service was asked by anyone but the relay, which sees the key
    // requests beside.
    let direct: BTreeSet<_> = world
        .net
        .sent
        .iter()
        .filter(|sent| sent.role == Role::Configuration)
        .map(|sent| sent.request.url.clone())
        .collect();
    let expected = [DIRECTORY, CPS_CALLEE].map(|authority| {
        [
            format!("https://{authority}/ohttp-keys"),
            format!("https://{RELAY}/relay/{authority}"),
        ]
    });
    assert_eq!(direct, expected.into_iter().flatten().collect());
}

// The words: one request on the call path, through the relay as well.
#[test]
fn with_keys_at_hand_a_call_takes_one_request_and_that_goes_to_the_relay() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    let session = world.lookup(&caller, CALLEE, true);
    let (found, _) = drive(&mut world, &mut caller, session);
    assert_eq!(found.notices, []);
    for service in [CPS_CALLEE, CPS_CALLER] {
        let context = Arc::clone(&caller.context);
        let session = GatewayKeysSession::new(context, &base(service), world.in_ms(5000));
        assert_eq!(run(&mut world, &mut caller, session), Ok(()));
    }
    world.net.sent.clear();
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!(
        (placed.placement, placed.reasons),
        (Placement::Stored, vec![])
    );
    assert_eq!(notices, []);
    // The second is the gateway's own.
    assert_eq!(
        left(&world),
        [
            (RELAY.to_owned(), Role::Store),
            (CPS_CALLEE.to_owned(), Role::Store)
        ]
    );
}

#[test]
fn what_the_relay_carries_has_fixed_lengths_and_no_number_in_it() {
    let mut lengths = BTreeSet::new();
    for _ in 0..3 {
        let (mut world, mut caller, mut callee) = relayed_world(&strict());
        place(&mut world, &mut caller);
        ring(&mut world, &mut callee);
        for message in &world.net.relay.carried {
            lengths.insert(message.len());
            for number in [CALLER, CALLEE] {
                let digits = number.as_bytes();
                assert!(!message.windows(digits.len()).any(|part| part == digits));
            }
        }
        let answers: BTreeSet<_> = world.net.relay.answered.iter().map(Vec::len).collect();
        assert_eq!(
            answers,
            BTreeSet::from([9_216 + 48, 4_096 + 48, 32_768 + 48])
        );
    }
    assert_eq!(lengths, BTreeSet::from([512 + 55, 8_192 + 55]));
}

#[test]
fn without_a_relay_for_a_service_nothing_is_sent_unless_allowed() {
    let named = |allow| {
        RelayPolicy::default()
            .with_service(base(DIRECTORY), &relay(), DIRECTORY)
            .unwrap()
            .allowing_direct(allow)
    };
    let (mut world, mut caller, _) = relayed_world(&named(false));
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert_eq!(placed.reasons[0], Reason::RelayRequired);
    assert_eq!(notices, [Reason::GatewayKeysJustInTime]);
    assert_eq!(world.net.count(Role::Store), 0);

    let (mut world, mut caller, _) = relayed_world(&named(true));
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(
        notices,
        [Reason::GatewayKeysJustInTime, Reason::DirectConnection]
    );
}

#[test]
fn with_no_policy_at_all_nothing_is_sent() {
    let (mut world, mut caller, mut callee) = relayed_world(&RelayPolicy::default());
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert_eq!(placed.reasons[0], Reason::RelayRequired);
    assert_eq!(notices, []);
    let outcome = ring(&mut world, &mut callee);
    assert_eq!(outcome.verdict.verdict, Verdict::Unavailable);
    assert!(outcome.verdict.reasons.contains(&Reason::RelayRequired));
    assert!(world.net.sent.is_empty());
}

#[test]
fn an_application_that_wants_no_relay_is_not_reminded_each_time() {
    let (mut world, mut caller, _) = relayed_world(&RelayPolicy::direct());
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(notices, []);
}

/// What a relay does to every answer.
type Meddle = fn(&mut HttpResponse);

#[test]
fn a_relay_that_alters_answers_is_noticed_and_believed_nothing() {
    let meddling: [(&str, Meddle, Reason); 8] = [
        (
            "changes",
            |answer| answer.body[60] ^= 1,
            Reason::BlobNotOpened,
        ),
        (
            "cuts",
            |answer| answer.body.truncate(100),
            Reason::BlobNotOpened,
        ),
        (
            "empties",
            |answer| answer.body.clear(),
            Reason::MalformedEncapsulation,
        ),
        (
            "answers itself",
            |answer| *answer = directory::encode_statements(&[]),
            Reason::RelayFailed,
        ),
        (
            "asks for tokens",
            |answer| *answer = Problem::TokenRequired.encode(),
            Reason::RelayFailed,
        ),
        (
            "fails",
            |answer| *answer = Problem::Unavailable.encode(),
            Reason::RelayFailed,
        ),
        (
            "redirects",
            |answer| answer.status = 302,
            Reason::RelayFailed,
        ),
        (
            "relabels",
            |answer| answer.headers.clear(),
            Reason::RelayFailed,
        ),
    ];
    for (name, meddle, reason) in meddling {
        let (mut world, mut caller, mut callee) = relayed_world(&strict());
        world.net.relay.meddling = Some(Box::new(move |mut answer| {
            meddle(&mut answer);
            Ok(answer)
        }));
        let (placed, notices) = place(&mut world, &mut caller);
        assert_eq!(placed.placement, Placement::Unprotected, "{name}");
        assert_eq!(placed.reasons[0], Reason::RelayFailed, "{name}");
        assert!(notices.contains(&reason), "{name}: {notices:?}");
        let outcome = ring(&mut world, &mut callee);
        assert_eq!(outcome.verdict.verdict, Verdict::Unavailable, "{name}");
        // Nobody was asked directly.
        let authorities: BTreeSet<_> = world
            .net
            .sent
            .iter()
            .filter(|sent| sent.role != Role::Configuration && sent.request.method == Method::Post)
            .map(|sent| sent.authority().to_owned())
            .collect();
        assert!(authorities.contains(RELAY), "{name}");
    }
}

#[test]
fn an_answer_to_another_request_is_not_taken() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    let mut kept: Option<Vec<u8>> = None;
    world.net.relay.meddling = Some(Box::new(move |mut answer| {
        let other = kept.replace(answer.body.clone());
        if let Some(other) = other {
            answer.body = other;
        }
        Ok(answer)
    }));
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert_eq!(placed.reasons[0], Reason::RelayFailed);
    assert!(notices.contains(&Reason::BlobNotOpened));
}

#[test]
fn a_relay_that_sends_everything_twice_changes_nothing() {
    let (mut world, mut caller, mut callee) = relayed_world(&strict());
    world.net.relay.replays = true;
    let (placed, _) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Stored);
    let outcome = ring(&mut world, &mut callee);
    assert_eq!(outcome.verdict.verdict, Verdict::Verified);
}

#[test]
fn a_silent_relay_costs_no_more_than_the_deadline() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    caller.on(|action, _| match action {
        ringtrue_session::Action::Request { request, .. }
            if request.method == Method::Post && request.url.contains(RELAY) =>
        {
            Some(crate::phone::Reply::TimesOut)
        }
        _ => None,
    });
    let started = world.ms;
    let (placed, _) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert!(placed.reasons.contains(&Reason::DeadlinePassed));
    assert_eq!(world.ms, started + 1500);
}

#[test]
fn a_relay_that_is_down_is_passed_by_only_where_that_is_allowed() {
    for (allow, placement) in [(false, Placement::Unprotected), (true, Placement::Stored)] {
        let (mut world, mut caller, _) = relayed_world(&strict().allowing_direct(allow));
        world.net.relay.meddling = Some(Box::new(|_| Err(Reason::ServiceUnreachable)));
        let (placed, notices) = place(&mut world, &mut caller);
        assert_eq!(placed.placement, placement);
        assert_eq!(notices.contains(&Reason::DirectConnection), allow);
        assert!(notices.contains(&Reason::ServiceUnreachable));
        let direct = |authority: &str| {
            left(&world)
                .iter()
                .filter(|(found, role)| found == authority && *role == Role::Lookup)
                .count()
        };
        // One that its gateway got before the relay failed, and one more directly if allowed.
        assert_eq!(direct(DIRECTORY), if allow { 2 } else { 1 });
    }
}

#[test]
fn a_key_that_the_gateway_forgot_is_asked_for_again_once() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    place(&mut world, &mut caller);
    world.net.relay.rotate(CPS_CALLEE, 2, false);
    world.net.sent.clear();
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(notices, [Reason::GatewayKeysJustInTime]);
    // Both ways for the keys, the store twice.
    let to_relay = left(&world)
        .into_iter()
        .filter(|(authority, _)| authority == RELAY);
    assert_eq!(
        to_relay.map(|(_, role)| role).collect::<Vec<_>>(),
        [Role::Store, Role::Configuration, Role::Store]
    );
    // The next call finds the new key.
    let (_, notices) = place(&mut world, &mut caller);
    assert_eq!(notices, []);
}

#[test]
fn a_relay_that_always_says_the_key_is_old_makes_nobody_ask_for_ever() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    place(&mut world, &mut caller);
    world.net.sent.clear();
    world.net.relay.meddling = Some(Box::new(|_| {
        Ok(ringtrue_oob::ohttp::messages::encode_unknown_key())
    }));
    let (placed, _) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Unprotected);
    assert_eq!(placed.reasons, [Reason::RelayFailed]);
    let stores = left(&world)
        .into_iter()
        .filter(|(authority, role)| authority == RELAY && *role == Role::Store);
    assert_eq!(stores.count(), 2);
}

#[test]
fn a_key_in_its_overlap_still_serves() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    place(&mut world, &mut caller);
    world.net.relay.rotate(CPS_CALLEE, 2, true);
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!((placed.placement, notices), (Placement::Stored, vec![]));
}

#[test]
fn gateway_keys_that_differ_by_the_way_they_are_asked_for_are_not_used() {
    let other = || KeyConfig::new(9, [9; 32]);
    let same_name = || KeyConfig::new(1, [9; 32]);
    for shown in [other(), same_name()] {
        let (mut world, mut caller, _) = relayed_world(&strict());
        world.net.relay.shown = Some(vec![shown]);
        let (placed, notices) = place(&mut world, &mut caller);
        assert_eq!(placed.placement, Placement::Unprotected);
        assert!(notices.contains(&Reason::GatewayKeysInconsistent));
        assert!(
            world.net.relay.carried.is_empty(),
            "nothing was sealed to it"
        );
        let context = Arc::clone(&caller.context);
        let session = GatewayKeysSession::new(context, &base(CPS_CALLEE), world.in_ms(5000));
        let ended = run(&mut world, &mut caller, session);
        assert_eq!(ended, Err(Reason::GatewayKeysInconsistent));
    }
}

#[test]
fn a_key_that_only_one_of_both_ways_shows_is_left_out() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    let old = world.net.relay.gateways[CPS_CALLEE][0].config().clone();
    world.net.relay.rotate(CPS_CALLEE, 2, true);
    // The relay's view is from before the change.
    world.net.relay.shown = Some(vec![old]);
    let context = Arc::clone(&caller.context);
    let session = GatewayKeysSession::new(context, &base(CPS_CALLEE), world.in_ms(5000));
    assert_eq!(run(&mut world, &mut caller, session), Ok(()));
}

#[test]
fn gateway_keys_are_kept_and_asked_for_again_ahead_of_need() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    let asked = |world: &mut World, caller: &mut Phone| {
        world.net.sent.clear();
        let context = Arc::clone(&caller.context);
        let session = GatewayKeysSession::new(context, &base(CPS_CALLEE), world.in_ms(5000));
        assert_eq!(run(world, caller, session), Ok(()));
        world.net.count(Role::Configuration)
    };
    assert_eq!(asked(&mut world, &mut caller), 2);
    assert_eq!(asked(&mut world, &mut caller), 0);
    world.ms += 7 * 3_600_000;
    assert_eq!(asked(&mut world, &mut caller), 0);
    world.ms += 2 * 3_600_000;
    assert_eq!(asked(&mut world, &mut caller), 2);
}

#[test]
fn a_gateway_without_a_relay_or_without_keys_says_so() {
    let (mut world, mut caller, _) = relayed_world(&RelayPolicy::direct());
    let context = Arc::clone(&caller.context);
    let session = GatewayKeysSession::new(context, &base(CPS_CALLEE), world.in_ms(5000));
    let ended = run(&mut world, &mut caller, session);
    assert_eq!(ended, Err(Reason::RelayRequired));

    let (mut world, mut caller, _) = relayed_world(&strict());
    let context = Arc::clone(&caller.context);
    let session = GatewayKeysSession::new(context, &base(CPS_SPARE), world.in_ms(5000));
    let ended = run(&mut world, &mut caller, session);
    assert_eq!(ended, Err(Reason::ServiceUnreachable));
}

#[test]
fn a_damaged_record_of_gateway_keys_is_asked_for_anew() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    place(&mut world, &mut caller);
    for (name, value) in &mut caller.records {
        if name.starts_with("gateway.") {
            value.truncate(5);
        }
    }
    let (placed, notices) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Stored);
    assert_eq!(notices, [Reason::GatewayKeysJustInTime]);
}

#[test]
fn a_decoy_lookup_looks_like_any_other_and_leaves_nothing_behind() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    let decoy = world.lookup(&caller, "12025550144", false).decoy();
    let (found, _) = drive(&mut world, &mut caller, decoy);
    assert!(found.asked && found.notices.is_empty());
    let kept = caller.records.keys();
    assert_eq!(
        kept.filter(|name| name.starts_with("statements.")).count(),
        0
    );
    let carried = &world.net.relay.carried;
    assert_eq!(carried.iter().map(Vec::len).collect::<Vec<_>>(), [567]);
}

/// A source that asks for all numbers with the same first digits and picks the right one: the shape of
/// a prefix bucket, over a directory that knows only single numbers.
struct Buckets;

struct BucketQuery {
    base: BaseUrl,
    number: TelephoneNumber,
}

impl KeySource for Buckets {
    fn query(&self, base: &BaseUrl, number: &TelephoneNumber) -> Result<Box<dyn KeyQuery>, Reason> {
        Ok(Box::new(BucketQuery {
            base: base.clone(),
            number: number.clone(),
        }))
    }
}

impl KeyQuery for BucketQuery {
    fn request(&self) -> HttpRequest {
        let prefix = &self.number.as_str()[..7];
        let bucket = TelephoneNumber::from_canonical(prefix).unwrap();
        directory::encode_lookup(&self.base, &bucket)
    }

    fn max_answer_octets(&self) -> usize {
        16_384
    }

    fn statements(&self, answer: &HttpResponse) -> Result<Vec<String>, Reason> {
        // Whose they are is checked by who asked: all of the bucket may be given.
        directory::decode_statements(answer)
    }
}

// PRV-41: an application's own way to keys, through the relay like every lookup.
#[test]
fn an_application_can_replace_how_keys_are_asked_for() {
    let (mut world, mut caller, _) = relayed_world(&strict());
    let service = world.net.service(DIRECTORY);
    let bucket = service.statements[CALLEE].clone();
    service.statements.insert("1202555".to_owned(), bucket);
    let context = caller.context.as_ref().clone();
    caller.context = Arc::new(context.with_key_source(Arc::new(Buckets)));
    let (placed, _) = place(&mut world, &mut caller);
    assert_eq!(placed.placement, Placement::Stored);
    let asked: Vec<_> = world
        .net
        .sent
        .iter()
        .filter(|sent| sent.role == Role::Lookup && sent.authority() == DIRECTORY)
        .map(|sent| sent.request.url.clone())
        .collect();
    assert_eq!(asked, [format!("https://{DIRECTORY}/keys/1202555")]);
}
