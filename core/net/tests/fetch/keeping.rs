//! What is kept, for how long, and how often a host is asked (CRT-43, CRT-44, CRT-46, CRT-61).

use std::time::Duration;

use ringtrue_net::{FetchKind, Fetched, Fetcher, REFRESH_PERIOD};
use ringtrue_stir::{Reason, UnixTime};

use crate::lab::{DAY, Lab, chain, credential, get, ok, revocation_list};
use crate::service::{Answer, Service};

const PATH: FetchKind = FetchKind::CertificatePath;

/// The certificates are those of the credential with this index, all of them.
fn assert_path(fetched: &Result<Fetched, Reason>, index: usize) {
    let found = fetched.as_ref().unwrap().certificates();
    assert_eq!(found, Some(&credential(index).bag().unwrap()));
}

async fn refresh(fetcher: &Fetcher, service: &Service) -> Result<Fetched, Reason> {
    fetcher.refresh(PATH, &service.url("localhost")).await
}

fn not_found() -> Vec<u8> {
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec()
}

#[tokio::test]
async fn the_second_use_needs_no_connection_and_gets_the_whole_path() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let fetcher = lab.fetcher();
    let first = get(&fetcher, &service).await;
    assert!(!first.as_ref().unwrap().is_from_cache());
    for _ in 0..3 {
        // Clones share what was fetched.
        let again = get(&fetcher.clone(), &service).await;
        assert!(again.as_ref().unwrap().is_from_cache());
        assert_path(&again, 0);
    }
    assert_path(&first, 0);
    assert_eq!(service.connections(), 1);
    // Another fetcher has nothing.
    get(&lab.fetcher(), &service).await.unwrap();
    assert_eq!(service.connections(), 2);
}

/// How often a host is asked that is needed now, a second before `kept` is over, and then.
async fn asked(headers: &str, kept: u64) -> [usize; 3] {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok(headers, chain()))).await;
    let fetcher = lab.fetcher();
    get(&fetcher, &service).await.unwrap();
    let first = service.connections();
    lab.pass(kept - 1);
    get(&fetcher, &service).await.unwrap();
    let second = service.connections();
    lab.pass(1);
    get(&fetcher, &service).await.unwrap();
    [first, second, service.connections()]
}

#[tokio::test]
async fn certificates_are_kept_as_long_as_their_host_says_and_a_day_at_least() {
    let once_until_then = [1, 1, 2];
    for (headers, kept) in [
        ("", DAY),
        ("Cache-Control: max-age=60\r\n", DAY),
        ("Cache-Control: no-cache\r\n", DAY),
        ("Cache-Control: max-age=0, must-revalidate\r\n", DAY),
        ("Expires: 0\r\n", DAY),
        ("Cache-Control: max-age=172800\r\n", 2 * DAY),
        (
            "Cache-Control: max-age=172800\r\nAge: 3600\r\n",
            2 * DAY - 3600,
        ),
        ("Cache-Control: max-age=99999999999\r\n", 30 * DAY),
        (
            "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\nExpires: Tue, 24 Nov 2026 10:00:00 GMT\r\n",
            3 * DAY,
        ),
    ] {
        assert_eq!(asked(headers, kept).await, once_until_then, "{headers}");
    }
}

#[tokio::test]
async fn what_may_not_be_stored_is_not() {
    let lab = Lab::new();
    let answers = vec![ok("", chain()), ok("Cache-Control: no-store\r\n", chain())];
    let service = lab.serve(Answer::Script(answers)).await;
    let fetcher = lab.fetcher();
    get(&fetcher, &service).await.unwrap();
    lab.pass(DAY);
    for expected in [2, 3] {
        let fetched = get(&fetcher, &service).await.unwrap();
        assert!(!fetched.is_from_cache());
        assert_eq!(service.connections(), expected);
    }
}

#[tokio::test]
async fn the_exact_url_is_the_key() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let fetcher = lab.fetcher();
    let port = service.port();
    for url in [
        format!("https://localhost:{port}/c"),
        format!("https://LOCALHOST:{port}/c"),
        format!("https://localhost:{port}/C"),
        format!("https://localhost:{port}/c/"),
        format!("https://localhost:{port}/x/../c"),
        format!("https://127.0.0.1:{port}/c"),
    ] {
        let before = service.connections();
        fetcher.fetch(PATH, &url).await.unwrap();
        assert_eq!(service.connections(), before + 1, "{url}");
    }
}

#[tokio::test]
async fn a_failure_is_remembered_for_half_a_minute() {
    let lab = Lab::new();
    let service = lab
        .serve(Answer::Script(vec![not_found(), ok("", chain())]))
        .await;
    let fetcher = lab.fetcher();
    for _ in 0..5 {
        let refused = get(&fetcher, &service).await.err();
        assert_eq!(refused, Some(Reason::ServiceError));
    }
    lab.pass(29);
    assert!(get(&fetcher, &service).await.is_err());
    assert_eq!(service.connections(), 1);
    lab.pass(1);
    assert!(get(&fetcher, &service).await.is_ok());
    assert_eq!(service.connections(), 2);
}

#[tokio::test]
async fn garbage_is_not_kept_for_a_day() {
    let lab = Lab::new();
    let answers = vec![ok("", "<html>"), ok("", chain())];
    let service = lab.serve(Answer::Script(answers)).await;
    let fetcher = lab.fetcher();
    let refused = get(&fetcher, &service).await.err();
    assert_eq!(refused, Some(Reason::MalformedPem));
    lab.pass(30);
    assert_path(&get(&fetcher, &service).await, 0);
}

#[tokio::test]
async fn those_who_ask_at_the_same_time_share_one_request() {
    for (answer, good) in [(ok("", chain()), true), (not_found(), false)] {
        let lab = Lab::new();
        let service = lab.serve(Answer::Once(answer)).await;
        let fetcher = lab.fetcher();
        let asks = (0..10).map(|_| get(&fetcher, &service));
        let mut asks: Vec<_> = asks.map(Box::pin).collect();
        let mut found = Vec::new();
        let (a, b, c) = (asks.remove(0), asks.remove(0), asks.remove(0));
        let (a, b, c) = tokio::join!(a, b, c);
        found.extend([a, b, c]);
        for ask in asks {
            found.push(ask.await);
        }
        assert!(found.iter().all(|found| found.is_ok() == good));
        assert_eq!(service.connections(), 1);
    }
}

#[tokio::test]
async fn whoever_waits_goes_on_when_the_one_who_asked_gives_up() {
    let lab = Lab::new();
    let answers = vec![Vec::new(), ok("", chain())];
    let service = lab.serve(Answer::Script(answers)).await;
    let fetcher = lab.fetcher();
    let mut first = Box::pin(get(&fetcher, &service));
    tokio::select! {
        _ = &mut first => panic!("the host is silent"),
        () = service.request_arrived() => {}
    }
    let second = get(&fetcher, &service);
    let (found, ()) = tokio::join!(second, async {
        tokio::task::yield_now().await;
        drop(first);
    });
    assert_path(&found, 0);
    assert_eq!(service.connections(), 2);
}

#[tokio::test]
async fn a_new_key_at_the_same_url_is_found_by_a_refresh() {
    let lab = Lab::new();
    let answers = vec![ok("", chain()), ok("", &credential(1).chain_pem)];
    let service = lab.serve(Answer::Script(answers)).await;
    let fetcher = lab.fetcher();
    assert_path(&get(&fetcher, &service).await, 0);
    lab.pass(REFRESH_PERIOD.as_secs());
    let fresh = refresh(&fetcher, &service).await;
    assert_path(&fresh, 1);
    assert!(!fresh.unwrap().is_from_cache());
    assert_path(&get(&fetcher, &service).await, 1);
    assert_eq!(service.connections(), 2);
}

/// Bad tokens cost a host one request in a period, however many they are.
#[tokio::test]
async fn a_host_is_refreshed_once_in_a_period_however_often_it_is_asked_for() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let fetcher = lab.fetcher();
    get(&fetcher, &service).await.unwrap();
    for expected in [1, 2, 3] {
        for _ in 0..20 {
            let found = refresh(&fetcher, &service).await;
            assert_path(&found, 0);
        }
        assert_eq!(service.connections(), expected);
        lab.pass(REFRESH_PERIOD.as_secs());
    }
}

#[tokio::test]
async fn a_refresh_that_fails_keeps_what_was_there_and_is_not_repeated() {
    let lab = Lab::new();
    let answers = vec![ok("", chain()), not_found()];
    let service = lab.serve(Answer::Script(answers)).await;
    let fetcher = lab.fetcher();
    get(&fetcher, &service).await.unwrap();
    lab.pass(REFRESH_PERIOD.as_secs());
    let refused = refresh(&fetcher, &service).await.err();
    assert_eq!(refused, Some(Reason::ServiceError));
    for _ in 0..5 {
        assert_path(&refresh(&fetcher, &service).await, 0);
        assert_path(&get(&fetcher, &service).await, 0);
    }
    assert_eq!(service.connections(), 2);
}

#[tokio::test]
async fn a_refresh_of_what_is_not_there_is_a_fetch() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    assert_path(&refresh(&lab.fetcher(), &service).await, 0);
    let failing = lab.serve(Answer::Once(not_found())).await;
    let fetcher = lab.fetcher();
    for _ in 0..5 {
        assert!(refresh(&fetcher, &failing).await.is_err());
    }
    assert_eq!(failing.connections(), 1);
}

#[tokio::test]
async fn the_cache_forgets_what_was_not_used_for_longest() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let mut settings = lab.settings();
    settings.max_entries = 2;
    let fetcher = Fetcher::new(&settings).unwrap();
    let url = |path| format!("https://localhost:{}/{path}", service.port());
    for (path, expected) in [("a", 1), ("b", 2), ("a", 2), ("c", 3), ("a", 3), ("b", 4)] {
        fetcher.fetch(PATH, &url(path)).await.unwrap();
        assert_eq!(service.connections(), expected, "{path}");
    }
    settings.max_octets = 100;
    let tiny = Fetcher::new(&settings).unwrap();
    for expected in [5, 6] {
        tiny.fetch(PATH, &url("a")).await.unwrap();
        assert_eq!(service.connections(), expected);
    }
}

#[tokio::test]
async fn a_revocation_list_is_kept_until_its_next_update_at_most() {
    let lab = Lab::new();
    let header = "Cache-Control: max-age=86400\r\n";
    let answers = vec![
        ok(header, revocation_list(600)),
        ok(header, revocation_list(2 * DAY)),
    ];
    let service = lab.serve(Answer::Script(answers)).await;
    let fetcher = lab.fetcher();
    let url = service.url("localhost");
    let get = async || fetcher.fetch(FetchKind::Crl, &url).await.unwrap();
    let list = get().await;
    let next_update = list.revocation_list().unwrap().next_update();
    assert_eq!(next_update.as_secs(), lab.now().as_secs() + 600);
    lab.pass(600);
    assert!(get().await.is_from_cache());
    lab.pass(1);
    // The next one is bounded by what its host says.
    assert!(!get().await.is_from_cache());
    lab.pass(DAY - 1);
    assert!(get().await.is_from_cache());
    lab.pass(1);
    assert!(!get().await.is_from_cache());
    assert_eq!(service.connections(), 3);
}

#[tokio::test]
async fn a_stale_revocation_list_is_handed_over_once_and_its_host_left_alone() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", revocation_list(600)))).await;
    let fetcher = lab.fetcher();
    let url = service.url("localhost");
    lab.pass(601);
    assert!(fetcher.fetch(FetchKind::Crl, &url).await.is_ok());
    for _ in 0..3 {
        let refused = fetcher.fetch(FetchKind::Crl, &url).await.err();
        assert_eq!(refused, Some(Reason::CrlStale));
    }
    assert_eq!(service.connections(), 1);
}

#[tokio::test]
async fn a_caller_who_knows_more_shortens_and_forgets() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let fetcher = lab.fetcher();
    let url = service.url("localhost");
    let get = async || fetcher.fetch(PATH, &url).await.unwrap();
    get().await;
    let soon = UnixTime::from_secs(lab.now().as_secs() + 600);
    fetcher.keep_until(PATH, &url, soon);
    lab.pass(599);
    assert!(get().await.is_from_cache());
    lab.pass(1);
    assert!(!get().await.is_from_cache());
    fetcher.forget(PATH, &url);
    assert!(!get().await.is_from_cache());
    fetcher.clear();
    assert!(!get().await.is_from_cache());
    assert_eq!(service.connections(), 4);
}

#[tokio::test]
async fn a_trust_bundle_is_kept_only_as_its_host_says() {
    let lab = Lab::new();
    let header = "Cache-Control: max-age=60\r\n";
    let answers = vec![ok("", "bundle"), ok("", "bundle"), ok(header, "bundle")];
    let service = lab.serve(Answer::Script(answers)).await;
    let fetcher = lab.fetcher();
    let url = service.url("localhost");
    for expected in [false, false, false, true] {
        let fetched = fetcher.fetch(FetchKind::TrustBundle, &url).await.unwrap();
        assert_eq!(fetched.is_from_cache(), expected);
        assert_eq!(fetched.octets(), b"bundle");
    }
}

#[tokio::test]
async fn offline_only_what_is_at_hand_is_used() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let fetcher = lab.fetcher();
    fetcher.set_offline(true);
    assert!(fetcher.is_offline());
    let refused = get(&fetcher, &service).await.err();
    assert_eq!(refused, Some(Reason::FetchingOff));
    assert_eq!(service.connections(), 0);
    fetcher.set_offline(false);
    // Having been offline is no failure of the host.
    get(&fetcher, &service).await.unwrap();
    fetcher.set_offline(true);
    lab.pass(REFRESH_PERIOD.as_secs());
    assert_path(&get(&fetcher, &service).await, 0);
    assert_path(&refresh(&fetcher, &service).await, 0);
    lab.pass(DAY);
    let refused = get(&fetcher, &service).await.err();
    assert_eq!(refused, Some(Reason::FetchingOff));
    assert_eq!(service.connections(), 1);
}

#[tokio::test]
async fn a_store_that_is_filled_ahead_needs_no_host() {
    let lab = Lab::new();
    let fetcher = lab.fetcher();
    fetcher.set_offline(true);
    let url = "https://certs.test/sp.pem";
    let provide = |url: &str, octets: &[u8]| {
        let keep = Duration::from_secs(7 * DAY);
        fetcher.provide(PATH, url, octets.to_vec(), keep).err()
    };
    assert_eq!(provide(url, chain().as_bytes()), None);
    assert_path(&fetcher.fetch(PATH, url).await, 0);
    lab.pass(7 * DAY - 1);
    assert_path(&fetcher.fetch(PATH, url).await, 0);
    lab.pass(1);
    let refused = fetcher.fetch(PATH, url).await.err();
    assert_eq!(refused, Some(Reason::FetchingOff));

    assert_eq!(provide(url, b"garbage"), Some(Reason::MalformedPem));
    let large = vec![b' '; PATH.max_octets() + 1];
    assert_eq!(provide(url, &large), Some(Reason::AnswerTooLarge));
    let other = "https://certs.test/sp.pem?x=1";
    let refused = provide(other, chain().as_bytes());
    assert_eq!(refused, Some(Reason::MalformedUrl));
}
