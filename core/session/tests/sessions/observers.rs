//! Whoever watches stores, on the network or at the service, tries to tell real ones from covers, and
//! few keys from many. The figures are in docs/privacy-figures.md.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringtrue_oob::Suite;
use ringtrue_session::{CoverSession, PeerKeys};
use ringtrue_stir::crypto::RustCrypto;

use crate::advantage::{Features, advantage, chance};
use crate::attacker::{fresh_key, statement};
use crate::net::Sent;
use crate::phone::Phone;
use crate::placing::known;
use crate::sim::run;
use crate::world::{CALLEE, CALLER, CPS_CALLER, World, number};

/// Stores of each kind that the service sees.
const TRIALS: usize = 300;

/// Octets of a request on a TLS connection, as whoever watches it counts them: the message in records
/// of at most 2^14 octets, each with 22 octets of its own.
fn on_the_wire(sent: &Sent) -> usize {
    let request = &sent.request;
    let (_, target) = request.url.split_once("://").unwrap();
    let headers = request.headers.iter();
    let headers: usize = headers
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    let message = request.method.as_str().len() + target.len() + headers + request.body.len() + 23;
    message + message.div_ceil(1 << 14) * 22
}

fn caller(world: &World) -> Phone {
    world.phone_with(
        &[CALLER],
        &[CPS_CALLER],
        world.credential(&[CALLER]),
        |builder| {
            builder.provider = Arc::new(RustCrypto);
        },
    )
}

fn keys(world: &mut World, caller: &mut Phone, suites: &[Suite]) -> PeerKeys {
    let theirs = statement(world, &world.credential(&[CALLEE]), |draft| {
        draft.keys = suites.iter().map(|suite| fresh_key(*suite)).collect();
    });
    known(world, caller, &[&theirs])
}

/// The request of one store, real or not.
fn store(world: &mut World, caller: &mut Phone, keys: &PeerKeys, is_cover: bool) -> Sent {
    world.net.sent.clear();
    // Not in the second of the one before, whose date of issue would be taken.
    world.ms += 1000;
    if is_cover {
        let context = Arc::clone(&caller.context);
        let now = caller.now(world.ms);
        let to = [(number(CALLEE), keys.clone())];
        let session = CoverSession::store(context, &to, world.in_ms(1500), now).unwrap();
        assert!(run(world, caller, session).done);
    } else {
        let session = world.placing_with(caller, CALLEE, keys.clone(), false);
        assert_eq!(run(world, caller, session).reasons, []);
    }
    assert_eq!(world.net.sent.len(), 1);
    world.net.sent.remove(0)
}

/// Who watches the network learns from the size of a request which of four sizes it has, and nothing
/// else: not whether it is real, and not how many keys of a size there are.
#[test]
fn the_network_sees_four_sizes_and_no_difference_within_one() {
    let (mut world, _, _) = World::with_phones();
    let mut sizes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for count in 1..=8_usize {
        let suites: Vec<_> = [Suite::S1, Suite::S2]
            .into_iter()
            .cycle()
            .take(count)
            .collect();
        let mut caller = caller(&world);
        let keys = keys(&mut world, &mut caller, &suites);
        let mut of_both: Vec<usize> = Vec::new();
        for is_cover in [false, true, false, true] {
            of_both.push(on_the_wire(&store(
                &mut world,
                &mut caller,
                &keys,
                is_cover,
            )));
        }
        assert!(
            of_both.iter().all(|size| *size == of_both[0]),
            "{of_both:?}"
        );
        sizes.entry(of_both[0]).or_default().push(count);
    }
    println!("keys of the called number by octets of the request on the network: {sizes:?}");
    let together: Vec<Vec<usize>> = sizes.into_values().collect();
    assert_eq!(together, [vec![1], vec![2], vec![3, 4], vec![5, 6, 7, 8]]);
}

/// What the service sees of one store beyond what is the same in all: which suite is where, and what
/// the octets of key shares and ciphertexts are like.
fn seen_by_the_service(sent: &Sent) -> Features {
    let blobs = sent.blobs();
    let order = blobs.iter().fold(0, |order, blob| {
        order * 2 + usize::from(blob.suite() == Suite::S1)
    });
    let octets = |at: fn(&[u8]) -> u8| -> usize {
        let sum = blobs.iter().map(|blob| usize::from(at(blob.enc())));
        sum.sum::<usize>() / 64
    };
    let ones: u32 = blobs
        .iter()
        .flat_map(|blob| blob.as_octets().iter().map(|octet| octet.count_ones()))
        .sum();
    vec![
        (order, 0, 0),
        (octets(|enc| enc[1]), octets(|enc| enc[enc.len() - 1]), 0),
        (usize::try_from(ones / 64).unwrap(), 0, 0),
    ]
}

/// The service, which sees each request whole, tells a cover from a real store no better than chance.
/// What it sees of other requests is another matter: a real call is followed by polls.
#[test]
fn the_service_tells_covers_from_real_stores_no_better_than_chance() {
    let (mut world, _, _) = World::with_phones();
    let mut caller = caller(&world);
    let keys = keys(&mut world, &mut caller, &[Suite::S1, Suite::S2, Suite::S2]);
    let mut shapes = Vec::new();
    let mut seen = [false, true].map(|is_cover| -> Vec<Features> {
        let mut trials = Vec::new();
        for _ in 0..TRIALS {
            let sent = store(&mut world, &mut caller, &keys, is_cover);
            let request = &sent.request;
            shapes.push((
                request.url.clone(),
                request.headers.clone(),
                request.body.len(),
            ));
            trials.push(seen_by_the_service(&sent));
        }
        trials
    });
    assert!(shapes.iter().all(|shape| *shape == shapes[0]));
    let [real, covers] = &mut seen;
    let reached = advantage(real, covers);
    println!("advantage of the service on single requests: {reached:.3}");
    assert!(reached <= chance(TRIALS), "{reached}");
}
