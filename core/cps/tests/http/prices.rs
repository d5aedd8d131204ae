//! What a store costs above the free load: PRV-34, W-30.

use ringtrue_cps::FREE_UNITS;
use ringtrue_oob::http::HttpResponse;
use ringtrue_oob::http::problem::{self, Problem};
use ringtrue_oob::{Blob, Suite};

use crate::client::Connection;
use crate::mint::{mint, paid, store, token_world, two_blobs};
use crate::world::{NUMBER, assert_problem, blob};

const OTHER: &str = "12025550177";

/// Fills a number with one-token stores up to the free load.
async fn fill(client: &mut Connection, of: &str) {
    for _ in 0..FREE_UNITS / 8 {
        let blobs: Vec<Blob> = (0..8).map(|_| blob(Suite::S2)).collect();
        let headers = paid(of, &blobs, &[mint()]);
        assert_eq!(store(client, of, &headers, &blobs).await.status, 201);
    }
}

#[tokio::test]
async fn above_the_free_load_a_store_names_its_price_and_takes_it() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    fill(&mut client, NUMBER).await;
    let blobs = two_blobs();
    let mut tokens = vec![mint()];
    let headers = paid(NUMBER, &blobs, &tokens);
    let answer = store(&mut client, NUMBER, &headers, &blobs).await;
    assert_problem(&answer, Problem::OverLimit);
    assert_eq!(problem::price(&answer), Some(4));
    assert!(store(&mut client, NUMBER, &headers, &blobs).await == answer);
    // The token now belongs to this store: it buys neither another nor another's price.
    let others = two_blobs();
    for (of, blobs) in [(NUMBER, &others), (OTHER, &others), (OTHER, &blobs)] {
        let headers = paid(of, blobs, &tokens);
        let answer = store(&mut client, of, &headers, blobs).await;
        assert_problem(&answer, Problem::TokenRejected);
    }
    // Two more are not enough, the fourth is; what came before counts.
    tokens.extend([mint(), mint()]);
    let headers = paid(NUMBER, &blobs, &tokens);
    let answer = store(&mut client, NUMBER, &headers, &blobs).await;
    assert_eq!(problem::price(&answer), Some(4));
    tokens.push(mint());
    let headers = paid(NUMBER, &blobs, &tokens);
    let done = store(&mut client, NUMBER, &headers, &blobs).await;
    assert_eq!(done.status, 201);
    assert!(store(&mut client, NUMBER, &headers, &blobs).await == done);
    let first = paid(NUMBER, &blobs, &tokens[..1]);
    assert!(store(&mut client, NUMBER, &first, &blobs).await == done);
    let observed = world.service.observed();
    assert_eq!((observed.prices_named, observed.tokens_spent), (3, 4 + 4));
    assert_eq!(world.service.placement_counts().live, FREE_UNITS + 2);

    // Elsewhere one token is enough, and here again when the load has gone.
    let (blobs, later) = (two_blobs(), two_blobs());
    let headers = paid(OTHER, &blobs, &[mint()]);
    assert_eq!(
        store(&mut client, OTHER, &headers, &blobs).await.status,
        201
    );
    world.clock.advance(30_000);
    let headers = paid(NUMBER, &later, &[mint()]);
    assert_eq!(
        store(&mut client, NUMBER, &headers, &later).await.status,
        201
    );
}

#[tokio::test]
async fn answers_that_name_a_price_have_one_size_and_say_nothing_of_the_number() {
    let state = tempfile::tempdir().unwrap();
    let world = token_world(state.path()).await;
    let mut client = world.connect().await;
    fill(&mut client, NUMBER).await;
    let mut answers: Vec<HttpResponse> = Vec::new();
    for count in [1, 2, 4, 8] {
        let blobs: Vec<Blob> = (0..count).map(|_| blob(Suite::S1)).collect();
        let headers = paid(NUMBER, &blobs, &[mint()]);
        answers.push(store(&mut client, NUMBER, &headers, &blobs).await);
    }
    let prices: Vec<_> = answers.iter().map(problem::price).collect();
    assert_eq!(prices, [Some(2), Some(4), Some(8), Some(16)]);
    let fields = |answer: &HttpResponse| {
        let mut fields = answer.headers.clone();
        fields.retain(|(name, _)| name != "date");
        fields
    };
    for answer in &answers {
        assert_eq!(fields(answer), fields(&answers[0]));
        assert_eq!(answer.body.len(), answers[0].body.len());
    }
}
