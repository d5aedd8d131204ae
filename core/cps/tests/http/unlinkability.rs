//! What issuer and service know together: whether their complete records can be joined (PRV-27 to
//! PRV-33, threat T1). They collude here, and have everything that either ever received or sent.

use std::collections::HashSet;

use ringtrue_oob::Suite;
use ringtrue_oob::token::issuance;

use crate::mint::{ask, authorization, issuer_key, paid, pending, store, token_world};
use crate::world::{NUMBER, World, assert_common, blob};

/// Callers, each with one token.
const CALLERS: usize = 64;

/// Repetitions, each with new tokens and another order.
const ROUNDS: usize = 4;

/// All that the issuer sees of one token: the request without its bearer, which names the caller, and
/// the answer.
struct Issued {
    caller: usize,
    octets: Vec<u8>,
}

/// All that the service sees of one store: header fields and body.
struct Stored {
    caller: usize,
    octets: Vec<u8>,
    /// All runs of four octets in it.
    runs: HashSet<[u8; 4]>,
}

async fn round(world: &World, round: usize) -> (Vec<Issued>, Vec<Stored>) {
    let credential = world.credential(NUMBER);
    let mut to_issuer = world.connect().await;
    let (mut issued, mut held) = (Vec::new(), Vec::new());
    for caller in 0..CALLERS {
        let pending = pending();
        let request = issuance::request_body(&pending);
        let bearer = authorization(&credential, NUMBER, world.now(), &request);
        let answer = ask(&mut to_issuer, &bearer, &request).await;
        let signature = issuance::decode_response(&answer).unwrap();
        issued.push(Issued {
            caller,
            octets: [request.as_slice(), &answer.body].concat(),
        });
        held.push((caller, pending.complete(&signature).unwrap()));
    }
    // Redeemed in an order that has nothing to do with that of issuance, as calls have not.
    let step = [5, 11, 17, 23][round % 4];
    let mut to_service = world.connect().await;
    let mut stored = Vec::new();
    for index in 0..CALLERS {
        let (caller, token) = held[(index * step + round) % CALLERS].clone();
        let number = format!("1202555{:04}", round * CALLERS + index);
        let blobs = [blob(Suite::S1)];
        let headers = paid(&number, &blobs, &[token]);
        let answer = store(&mut to_service, &number, &headers, &blobs).await;
        assert_eq!(answer.status, 201);
        assert_common(&answer);
        let fields: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect();
        let token = ringtrue_stir::base64url::decode(fields.split('"').nth(1).unwrap()).unwrap();
        let octets = [token.as_slice(), fields.as_bytes(), blobs[0].as_octets()].concat();
        stored.push(Stored {
            caller,
            runs: runs(&octets).collect(),
            octets,
        });
    }
    (issued, stored)
}

fn runs(octets: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    octets.windows(4).map(|four| four.try_into().unwrap())
}

/// How alike two records are, by one of several measures.
fn likeness(measure: usize, issued: &Issued, stored: &Stored, place: (usize, usize)) -> i64 {
    let (issued, known, stored) = (&issued.octets, &stored.runs, &stored.octets);
    let count = |matches: usize| i64::try_from(matches).unwrap();
    let blinded = &issued[3..259];
    let blind_signature = &issued[259..];
    let authenticator = &stored[98..354];
    let bits = |one: &[u8], two: &[u8]| {
        let ones: u32 = one.iter().zip(two).map(|(a, b)| (a ^ b).count_ones()).sum();
        -i64::from(ones)
    };
    match measure {
        // Order: the first issued is the first redeemed.
        0 => -count(place.0.abs_diff(place.1)),
        // Bits that blinded message or blind signature share with the token.
        1 => bits(blinded, authenticator),
        2 => bits(blind_signature, authenticator),
        3 => bits(blinded, &stored[2..258]),
        // Runs of four octets of the issuer's record anywhere in the service's.
        4 => count(runs(issued).filter(|run| known.contains(run)).count()),
        // Closeness as numbers.
        5 => -i64::from(blind_signature[0].abs_diff(authenticator[0])),
        _ => -i64::from(blinded[0].abs_diff(authenticator[0])),
    }
}

#[tokio::test]
async fn the_complete_records_of_issuer_and_service_join_no_better_than_chance() {
    let state = tempfile::tempdir().unwrap();
    let mut right = [0_usize; 7];
    for number in 0..ROUNDS {
        // A service of its own for each round: its quota is for one credential.
        let world = token_world(state.path()).await;
        let (issued, stored) = round(&world, number).await;
        world.service.shutdown().await;
        for record in &issued {
            assert_eq!(record.octets[2], issuer_key(1).truncated_key_id());
        }
        for (measure, right) in right.iter_mut().enumerate() {
            for (at, record) in stored.iter().enumerate() {
                let best = issued
                    .iter()
                    .enumerate()
                    .max_by_key(|(from, other)| likeness(measure, other, record, (*from, at)))
                    .map(|(_, best)| best.caller);
                *right += usize::from(best == Some(record.caller));
            }
        }
    }
    let stores = ROUNDS * CALLERS;
    // 256 guesses of one in 64 are right 4 times, with a standard deviation of 2.
    let chance = ROUNDS;
    for (measure, right) in right.into_iter().enumerate() {
        let advantage = (f64::from(u32::try_from(right).unwrap())
            - f64::from(u32::try_from(chance).unwrap()))
            / f64::from(u32::try_from(stores).unwrap());
        println!("measure {measure}: {right} of {stores} joined, advantage {advantage:+.3}");
        assert!(right < chance + 5 * 2, "measure {measure}: {right}");
    }
}
