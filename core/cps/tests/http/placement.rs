//! Storing and retrieving: W-19 to W-23.

use std::collections::HashSet;

use ringtrue_oob::http::placement::{decode_blobs, decode_item, decode_references, decode_stored};
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::{BaseUrl, Blob, Suite};

use crate::world::{NUMBER, World, assert_common, assert_problem, blob};

const PASSPORT: (&str, &str) = ("content-type", "application/passport");
const ACCEPT_BLOBS: (&str, &str) = ("accept", "application/passport");

fn base() -> BaseUrl {
    BaseUrl::parse("https://cps.example.com").unwrap()
}

fn path(url: &str) -> &str {
    url.strip_prefix("https://cps.example.com").unwrap()
}

fn body(blobs: &[Blob]) -> Vec<u8> {
    let lines: Vec<String> = blobs.iter().map(Blob::to_text).collect();
    lines.join("\n").into_bytes()
}

#[tokio::test]
async fn a_store_is_201_with_references_that_lead_to_the_blobs() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let collection = format!("/cps/{NUMBER}/ppts");
    let blobs = [blob(Suite::S1), blob(Suite::S2)];
    let answer = client
        .request("POST", &collection, &[PASSPORT], &body(&blobs))
        .await;
    assert_eq!(answer.status, 201);
    assert_common(&answer);
    let urls = decode_stored(&base(), &answer, 2).unwrap();
    assert_eq!(answer.header("location"), Some(path(&urls[0])));
    for (url, blob) in urls.iter().zip(&blobs) {
        let item = client.request("GET", path(url), &[], b"").await;
        assert_common(&item);
        assert!(decode_item(&item).unwrap().unwrap() == *blob);
        let link = format!("<{collection}>; rel=\"collection\"");
        assert_eq!(item.header("link"), Some(link.as_str()));
        assert_eq!(item.header("content-type"), Some("application/passport"));
    }
    let observed = world.service.observed();
    assert_eq!(
        (observed.stores, observed.blobs_stored, observed.item_reads),
        (1, 2, 2)
    );
    world.clock.advance(30_000);
    let item = client.request("GET", path(&urls[0]), &[], b"").await;
    assert_problem(&item, Problem::NotFound);
}

#[tokio::test]
async fn list_and_blobs_agree_and_the_items_of_dummies_can_be_read() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let collection = format!("/cps/{NUMBER}/ppts");
    client
        .request("POST", &collection, &[PASSPORT], &body(&[blob(Suite::S1)]))
        .await;
    let list = client.request("GET", &collection, &[], b"").await;
    assert_eq!(list.header("content-type"), Some("application/json"));
    assert_common(&list);
    let urls = decode_references(&base(), &list).unwrap();
    let all = client
        .request("GET", &collection, &[ACCEPT_BLOBS], b"")
        .await;
    assert_eq!(all.header("content-type"), Some("application/passport"));
    assert_common(&all);
    let all = decode_blobs(&all).unwrap();
    assert_eq!(all.skipped, 0);
    let all: HashSet<Blob> = all.blobs.into_iter().collect();
    let mut single = HashSet::new();
    for url in &urls {
        let item = client.request("GET", path(url), &[], b"").await;
        single.insert(decode_item(&item).unwrap().unwrap());
    }
    assert!(all.len() >= 5 && single == all);
    assert_eq!(urls.len(), all.len());
    // A whole lifetime later none of them is left, and the mailbox is not empty.
    world.clock.advance(30_000);
    for url in &urls {
        let item = client.request("GET", path(url), &[], b"").await;
        assert_problem(&item, Problem::NotFound);
    }
    let later = client
        .request("GET", &collection, &[ACCEPT_BLOBS], b"")
        .await;
    let later = decode_blobs(&later).unwrap().blobs;
    assert!(later.len() >= 4 && later.iter().all(|blob| !all.contains(blob)));
}

#[tokio::test]
async fn bodies_that_are_not_one_to_eight_blobs_are_refused() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let collection = format!("/cps/{NUMBER}/ppts");
    let good = blob(Suite::S1).to_text();
    let mut other_version = blob(Suite::S1).into_octets();
    other_version[0] = 2;
    let encoded = |octets: &[u8]| ringtrue_stir::base64url::encode(octets);
    let mut other_class = blob(Suite::S2).into_octets();
    other_class[7] = 2;
    for bad in [
        "\n".to_owned(),
        format!("{good}\n\n"),
        format!("\n{good}"),
        format!("{good}\r\n"),
        format!("{good}="),
        format!("{}B", &good[..good.len() - 1]),
        good[..good.len() - 4].to_owned(),
        encoded(&other_version),
        encoded(&other_class),
        encoded(&vec![7; 4096]),
        format!("{good}\n{}", "x".repeat(good.len())),
        "x".repeat(180 * 1024),
    ] {
        let answer = client
            .request("POST", &collection, &[PASSPORT], bad.as_bytes())
            .await;
        assert_problem(&answer, Problem::MalformedBlob);
    }
    // No body at all.
    let answer = client.request("POST", &collection, &[PASSPORT], b"").await;
    assert_problem(&answer, Problem::MalformedBlob);
    let nine = vec![blob(Suite::S1); 9];
    let answer = client
        .request("POST", &collection, &[PASSPORT], &body(&nine))
        .await;
    assert_problem(&answer, Problem::TooManyBlobs);
    let answer = client
        .request("POST", &collection, &[PASSPORT], &body(&nine[..8]))
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(world.service.placement_counts().live, 8);
}

#[tokio::test]
async fn media_types_methods_paths_and_numbers_are_answered_with_their_problem() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let collection = format!("/cps/{NUMBER}/ppts");
    let one = body(&[blob(Suite::S1)]);
    for headers in [
        &[("content-type", "application/json")][..],
        &[("content-type", "text/plain")],
        &[],
    ] {
        let answer = client.request("POST", &collection, headers, &one).await;
        assert_problem(&answer, Problem::UnsupportedMediaType);
    }
    let typed = [("content-type", "Application/Passport; charset=utf-8")];
    assert_eq!(
        client
            .request("POST", &collection, &typed, &one)
            .await
            .status,
        201
    );

    for (accept, media) in [
        ("*/*", Some("application/json")),
        (
            "text/html, application/passport;q=0.1, application/json",
            Some("application/passport"),
        ),
        ("application/*", Some("application/json")),
        ("text/html", None),
    ] {
        let answer = client
            .request("GET", &collection, &[("accept", accept)], b"")
            .await;
        match media {
            Some(media) => assert_eq!(answer.header("content-type"), Some(media)),
            None => assert_problem(&answer, Problem::NotAcceptable),
        }
    }

    for (method, path, allow) in [
        ("PUT", collection.as_str(), "GET, POST"),
        ("DELETE", &collection, "GET, POST"),
        ("OPTIONS", &collection, "GET, POST"),
        ("PATCH", "/health", "GET"),
        ("POST", "/keys/1", "GET, PUT"),
        (
            "POST",
            &format!("{collection}/AAAAAAAAAAAAAAAAAAAAAA"),
            "GET",
        ),
    ] {
        let answer = client.request(method, path, &[], b"").await;
        assert_problem(&answer, Problem::MethodNotAllowed);
        assert_eq!(answer.header("allow"), Some(allow));
    }
    for path in [
        "/",
        "/cps",
        "/cps/1",
        "/cps/1/ppts/",
        "/cps/1/ppts/7f3a",
        "/keys",
        "/metrics",
        "/Health",
    ] {
        let answer = client.request("GET", path, &[], b"").await;
        assert_problem(&answer, Problem::NotFound);
    }
    for written in [
        "alice",
        "1%20202",
        "%2B%2B1",
        "1234567890123456",
        "%zz",
        "%FF",
        "+",
        "1/2",
    ] {
        let answer = client
            .request("GET", &format!("/keys/{written}"), &[], b"")
            .await;
        let problem = if written == "1/2" {
            Problem::NotFound
        } else {
            Problem::MalformedNumber
        };
        assert_problem(&answer, problem);
    }
}

#[tokio::test]
async fn head_is_405_without_a_body() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let head = format!("HEAD /cps/{NUMBER}/ppts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    client.send(head.as_bytes()).await;
    // It announces a length and sends nothing, so that the end of the connection comes first.
    assert!(client.answer().await.is_none());
    assert_eq!(world.service.observed().refusals, 1);
}

#[tokio::test]
async fn every_way_to_write_a_number_leads_to_the_same_mailbox() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let mut answers = HashSet::new();
    for written in [
        "12025550143",
        "+12025550143",
        "%2B1-202-555-0143",
        "1.202.555.0143",
    ] {
        let answer = client
            .request("GET", &format!("/cps/{written}/ppts?x=y"), &[], b"")
            .await;
        let mut urls = decode_references(&base(), &answer).unwrap();
        urls.sort();
        answers.insert(urls);
    }
    assert_eq!(answers.len(), 1);
    // The canonical characters that a path has to escape come back escaped.
    let answer = client.request("GET", "/cps/*31%23/ppts", &[], b"").await;
    let urls = decode_references(&base(), &answer).unwrap();
    assert!(
        urls.iter()
            .all(|url| path(url).starts_with("/cps/*31%23/ppts/"))
    );
    let item = client.request("GET", path(&urls[0]), &[], b"").await;
    assert_eq!(item.status, 200);
}

#[tokio::test]
async fn a_prefix_is_part_of_every_path() {
    let world = World::with(|config| {
        config.base_url = Some(BaseUrl::parse("https://cps.example.com/v1/x").unwrap());
    })
    .await;
    let mut client = world.connect().await;
    assert_eq!(world.service.base_url().prefix(), "/v1/x");
    let answer = client
        .request(
            "POST",
            "/v1/x/cps/1/ppts",
            &[PASSPORT],
            &body(&[blob(Suite::S1)]),
        )
        .await;
    let location = answer.header("location").unwrap().to_owned();
    assert!(location.starts_with("/v1/x/cps/1/ppts/"));
    assert_eq!(client.request("GET", &location, &[], b"").await.status, 200);
    assert_eq!(
        client.request("GET", "/v1/x/health", &[], b"").await.status,
        200
    );
    for outside in ["/health", "/cps/1/ppts", "/v1/xcps/1/ppts"] {
        let answer = client.request("GET", outside, &[], b"").await;
        assert_problem(&answer, Problem::NotFound);
    }
}

#[tokio::test]
async fn a_full_service_is_503_with_a_time_to_come_back() {
    let world = World::with(|config| config.placement.max_total_bytes = 20_000).await;
    let mut client = world.connect().await;
    let one = body(&[blob(Suite::S2)]);
    let mut statuses = Vec::new();
    for index in 0..10 {
        let path = format!("/cps/1{index}/ppts");
        let answer = client.request("POST", &path, &[PASSPORT], &one).await;
        statuses.push(answer.status);
        if answer.status == 503 {
            assert_problem(&answer, Problem::Unavailable);
            assert_eq!(answer.header("retry-after"), Some("30"));
        }
    }
    assert_eq!((statuses[0], statuses[9]), (201, 503));
}
