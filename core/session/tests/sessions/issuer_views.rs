//! A token issuer that shows each telephone keys of its own, from the first contact on: found out by
//! what it shows somebody whom it cannot know.

use std::sync::Arc;

use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::ohttp::KeyConfig;
use ringtrue_oob::token::issuer_directory;
use ringtrue_session::{
    PeerKeys, Placement, RefillSession, Refilled, RelayPolicy, Role, WalletName,
};
use ringtrue_stir::Reason;

use crate::issuer::{DAY, FakeIssuer, ISSUER, START, issuer_name};
use crate::phone::Phone;
use crate::relay::RELAY;
use crate::relaying::{context, drive, relay, strict};
use crate::tokens_paid::paid_world;
use crate::tokens_refill::{issuer, refilled, stocked_by, wallet};
use crate::world::{CALLEE, CPS_CALLEE, CPS_CALLER, DIRECTORY, World, base};

/// An issuer that knows this telephone by its address, and has a key for it alone.
fn singling_out() -> FakeIssuer {
    let mut issuer = FakeIssuer::new();
    let everybodys = issuer.keys.clone();
    issuer.keys = vec![(2, START - 3600), (1, START - 3600 + DAY)];
    issuer.keys_for_anybody = Some(everybodys);
    issuer
}

/// A telephone with this way to an issuer that has a gateway.
fn world_with(issuer: FakeIssuer, policy: RelayPolicy) -> (World, Phone) {
    let (mut world, mut phone) = stocked_by(issuer);
    world.net.relay.open(ISSUER);
    phone.context = context(&phone, policy);
    (world, phone)
}

fn refill(world: &mut World, phone: &mut Phone) -> (Refilled, Vec<Reason>) {
    let deadline = world.in_ms(30_000);
    let session = RefillSession::new(Arc::clone(&phone.context), wallet(), deadline);
    drive(world, phone, session)
}

/// How often the endpoint itself asked the issuer for its keys, each role by itself.
fn direct_looks(world: &World) -> (usize, usize) {
    let url = base(ISSUER).join(issuer_directory::PATH);
    let count = |role| {
        let sent = world.net.sent.iter();
        sent.filter(|sent| sent.role == role && sent.request.url == url)
            .count()
    };
    // A gateway's own requests have the role of what it carries.
    let carried = world.net.relay.carried.len();
    (
        count(Role::Configuration),
        count(Role::Lookup).saturating_sub(carried),
    )
}

#[test]
fn an_issuer_with_a_key_for_this_telephone_is_found_out_at_the_first_contact() {
    let (mut world, mut phone) = world_with(singling_out(), strict());
    let (refused, _) = refill(&mut world, &mut phone);
    assert_eq!(refused, refilled(0, 0, &[Reason::IssuerInconsistent]));
    assert_eq!(world.net.count(Role::Issue), 0, "it learns of nobody");
    assert_eq!(direct_looks(&world), (1, 0));
    // Nor is it believed when it shows everybody the same a moment later.
    let everybodys = issuer(&mut world).keys_for_anybody.take().unwrap();
    issuer(&mut world).keys = everybodys;
    let (refused, _) = refill(&mut world, &mut phone);
    assert_eq!(refused, refilled(0, 0, &[Reason::IssuerInconsistent]));
    assert_eq!(world.net.count(Role::Issue), 0);
}

// What an application gives up that wants no relay: the issuer knows both askers for one.
#[test]
fn without_a_relay_it_is_not_found_out_at_the_first_contact() {
    let (mut world, mut phone) = world_with(singling_out(), RelayPolicy::direct());
    let (filled, notices) = refill(&mut world, &mut phone);
    assert_eq!((filled, notices), (refilled(4, 4, &[]), vec![]));
    assert_eq!(direct_looks(&world), (1, 1));
}

#[test]
fn an_issuer_that_shows_everybody_the_same_is_used_and_the_look_is_like_a_lookup() {
    let (mut world, mut phone) = world_with(FakeIssuer::new(), strict());
    let (filled, notices) = refill(&mut world, &mut phone);
    assert_eq!(filled, refilled(4, 4, &[]));
    assert_eq!(notices, [Reason::GatewayKeysJustInTime]);
    assert_eq!(direct_looks(&world), (1, 0));
    let lookups = world.net.sent.iter();
    let to_relay = lookups.filter(|sent| sent.role == Role::Lookup && sent.authority() == RELAY);
    assert_eq!(to_relay.count(), 1, "on the connection of lookups");
    let lengths = |messages: &[Vec<u8>]| messages.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(lengths(&world.net.relay.carried), [512 + 55]);
    assert_eq!(lengths(&world.net.relay.answered), [9_216 + 48]);
}

#[test]
fn a_key_that_is_announced_between_the_two_looks_is_no_offence() {
    let mut announcing = FakeIssuer::new();
    announcing.keys_for_anybody = Some(vec![(0, START - 3600)]);
    let (mut world, mut phone) = world_with(announcing, strict());
    let (filled, _) = refill(&mut world, &mut phone);
    assert_eq!(filled, refilled(4, 4, &[]));
}

#[test]
fn an_issuer_that_shows_strangers_nothing_or_another_time_is_found_out() {
    for shown in [
        vec![],
        vec![(0, START - 3601), (1, START - 3601 + DAY)],
        vec![(0, START - 3600), (2, START - 3600 + DAY)],
        vec![(0, START - 3600 - DAY), (1, START - 3600)],
    ] {
        let mut hiding = FakeIssuer::new();
        hiding.keys_for_anybody = Some(shown);
        let (mut world, mut phone) = world_with(hiding, strict());
        let (refused, _) = refill(&mut world, &mut phone);
        assert_eq!(refused, refilled(0, 0, &[Reason::IssuerInconsistent]));
        assert_eq!(world.net.count(Role::Issue), 0);
    }
}

// Else the issuer could have the one way fail and be asked twice on the other.
#[test]
fn a_look_that_the_relay_does_not_carry_is_not_made_directly_instead() {
    type Meddle = fn() -> Result<ringtrue_oob::http::HttpResponse, Reason>;
    let ways: [Meddle; 3] = [
        || Err(Reason::ServiceUnreachable),
        || Ok(Problem::Unavailable.encode()),
        || Ok(issuer_directory::encode("/token-request", &[])),
    ];
    for fails in ways {
        for allow_direct in [false, true] {
            let policy = strict().allowing_direct(allow_direct);
            let (mut world, mut phone) = world_with(singling_out(), policy);
            world.net.relay.meddling = Some(Box::new(move |_| fails()));
            let (refused, notices) = refill(&mut world, &mut phone);
            assert_eq!(refused, refilled(0, 0, &[Reason::RelayFailed]));
            assert!(!notices.contains(&Reason::DirectConnection), "{notices:?}");
            assert_eq!(direct_looks(&world), (1, 0));
            assert_eq!(world.net.count(Role::Issue), 0);
        }
    }
}

#[test]
fn a_relay_that_fails_is_not_held_against_the_issuer() {
    let (mut world, mut phone) = world_with(FakeIssuer::new(), strict());
    world.net.relay.meddling = Some(Box::new(|_| Err(Reason::ServiceUnreachable)));
    let (refused, _) = refill(&mut world, &mut phone);
    assert_eq!(refused, refilled(0, 0, &[Reason::RelayFailed]));
    world.net.relay.meddling = None;
    let (filled, _) = refill(&mut world, &mut phone);
    assert_eq!(filled, refilled(4, 4, &[]));
}

#[test]
fn a_gateway_with_a_key_for_each_asker_cannot_vouch_for_its_issuer() {
    let (mut world, mut phone) = world_with(singling_out(), strict());
    world.net.relay.shown = Some(vec![KeyConfig::new(9, [9; 32])]);
    let (refused, notices) = refill(&mut world, &mut phone);
    assert_eq!(refused, refilled(0, 0, &[Reason::RelayFailed]));
    assert!(notices.contains(&Reason::GatewayKeysInconsistent));
    assert!(
        world.net.relay.carried.is_empty(),
        "nothing was sealed to it"
    );
}

#[test]
fn an_issuer_without_a_relay_is_asked_only_where_the_application_allows_that() {
    let named = |allow| {
        RelayPolicy::default()
            .with_service(base(CPS_CALLEE), &relay(), CPS_CALLEE)
            .unwrap()
            .allowing_direct(allow)
    };
    let (mut world, mut phone) = world_with(FakeIssuer::new(), named(false));
    let (refused, _) = refill(&mut world, &mut phone);
    assert_eq!(refused, refilled(0, 0, &[Reason::RelayRequired]));
    assert_eq!(world.net.count(Role::Issue), 0);

    let (mut world, mut phone) = world_with(FakeIssuer::new(), named(true));
    let (filled, notices) = refill(&mut world, &mut phone);
    assert_eq!(filled, refilled(4, 4, &[]));
    assert_eq!(notices, [Reason::DirectConnection]);
}

#[test]
fn an_issuer_may_have_its_gateway_at_a_relay_of_its_own() {
    let agreed = RelayPolicy::default()
        .with_service(base(ISSUER), &relay(), "agreed")
        .unwrap();
    let (mut world, mut phone) = world_with(FakeIssuer::new(), agreed);
    let keys = world.net.relay.gateways[ISSUER].clone();
    world.net.relay.gateways.insert("agreed".to_owned(), keys);
    let (filled, _) = refill(&mut world, &mut phone);
    assert_eq!(filled, refilled(4, 4, &[]));
}

#[test]
fn a_call_with_an_empty_wallet_finds_it_out_as_well_and_goes_on_unprotected() {
    for (honest, placement, reason) in [
        (true, Placement::Stored, Reason::TokenJustInTime),
        (false, Placement::Unprotected, Reason::IssuerInconsistent),
    ] {
        let (mut world, mut caller, _) = paid_world();
        for authority in [CPS_CALLER, CPS_CALLEE, DIRECTORY, ISSUER] {
            world.net.relay.open(authority);
        }
        if !honest {
            world.net.issuers.insert(ISSUER.to_owned(), singling_out());
        }
        caller.context = context(&caller, strict());
        let session = world.placing_with(&caller, CALLEE, PeerKeys::default(), false);
        let (placed, _) = drive(&mut world, &mut caller, session);
        assert_eq!(placed.placement, placement, "{:?}", placed.reasons);
        assert!(placed.reasons.contains(&reason), "{:?}", placed.reasons);
        let spent = world.net.count(Role::Issue);
        assert_eq!(spent, usize::from(honest));
        let name = WalletName::new(issuer_name(), CPS_CALLEE);
        assert!(!caller.records.contains_key(name.record().as_str()));
    }
}
