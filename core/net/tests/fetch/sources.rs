//! An application's own source in place of the network (CRT-46).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ringtrue_net::{Delivered, FetchKind, FetchSource, Fetcher};
use ringtrue_stir::Reason;

use crate::lab::{DAY, Lab, chain, credential};

const PATH: FetchKind = FetchKind::CertificatePath;
const URL: &str = "https://certs.test/sp.pem";

/// What the source does when it is asked.
type Reply = fn(FetchKind, &str, Duration) -> Result<Delivered, Reason>;

struct Source {
    asked: AtomicUsize,
    reply: Reply,
}

impl FetchSource for Source {
    fn get(&self, kind: FetchKind, url: &str, time_left: Duration) -> Result<Delivered, Reason> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        (self.reply)(kind, url, time_left)
    }
}

/// A time limit that no busy machine reaches, and one that everybody does.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(500);

fn with_source(lab: &Lab, reply: Reply) -> (Fetcher, Arc<Source>) {
    within(LONG, lab, reply)
}

fn within(limit: Duration, lab: &Lab, reply: Reply) -> (Fetcher, Arc<Source>) {
    let source = Arc::new(Source {
        asked: AtomicUsize::new(0),
        reply,
    });
    let mut settings = lab.settings();
    settings.http.addresses = ringtrue_net::AddressPolicy::public_only();
    settings.time_limit = Some(limit);
    (Fetcher::with_source(&settings, source.clone()), source)
}

fn delivered(octets: impl Into<Vec<u8>>) -> Result<Delivered, Reason> {
    Ok(Delivered {
        octets: octets.into(),
        ..Delivered::default()
    })
}

#[tokio::test]
async fn a_source_stands_in_for_the_network_and_is_cached_like_it() {
    let lab = Lab::new();
    let (fetcher, source) = with_source(&lab, |kind, url, time_left| {
        assert_eq!((kind, url), (PATH, URL));
        assert!(time_left <= LONG);
        delivered(chain())
    });
    for _ in 0..3 {
        let fetched = fetcher.fetch(PATH, URL).await.unwrap();
        assert_eq!(fetched.certificates(), Some(&credential(0).bag().unwrap()));
    }
    assert_eq!(source.asked.load(Ordering::SeqCst), 1);
    lab.pass(DAY);
    fetcher.fetch(PATH, URL).await.unwrap();
    assert_eq!(source.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_source_says_how_long_its_content_is_kept() {
    let lab = Lab::new();
    let (fetcher, source) = with_source(&lab, |_, _, _| {
        Ok(Delivered {
            octets: chain().into(),
            media_type: Some("text/plain".into()),
            keep: Some(Duration::from_secs(2 * DAY)),
        })
    });
    fetcher.fetch(PATH, URL).await.unwrap();
    lab.pass(2 * DAY - 1);
    fetcher.fetch(PATH, URL).await.unwrap();
    assert_eq!(source.asked.load(Ordering::SeqCst), 1);
    lab.pass(1);
    fetcher.fetch(PATH, URL).await.unwrap();
    assert_eq!(source.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_source_is_held_to_the_same_limits_and_forms() {
    for (reply, reason) in [
        (
            (|_, _, _| delivered(vec![b' '; 64 * 1024 + 1])) as Reply,
            Reason::AnswerTooLarge,
        ),
        (|_, _, _| delivered(""), Reason::MalformedPem),
        (|_, _, _| delivered("<html>"), Reason::MalformedPem),
        (
            |_, _, _| Err(Reason::CredentialUnavailable),
            Reason::CredentialUnavailable,
        ),
        (|_, _, _| Err(Reason::FetchingOff), Reason::FetchingOff),
        (
            |_, _, _| panic!("a defect of the application"),
            Reason::ServiceUnreachable,
        ),
    ] {
        let lab = Lab::new();
        let (fetcher, source) = with_source(&lab, reply);
        for _ in 0..2 {
            assert_eq!(fetcher.fetch(PATH, URL).await.err(), Some(reason));
        }
        assert_eq!(source.asked.load(Ordering::SeqCst), 1, "{reason:?}");
    }
}

#[tokio::test]
async fn a_source_is_never_asked_for_urls_of_another_form_or_offline() {
    let lab = Lab::new();
    let (fetcher, source) = with_source(&lab, |_, _, _| delivered(chain()));
    for (url, reason) in [
        ("http://certs.test/sp.pem", Reason::CredentialUnavailable),
        ("https://certs.test:444/sp.pem", Reason::MalformedUrl),
        ("https://certs.test/sp.pem?x", Reason::MalformedUrl),
        ("https://a@certs.test/sp.pem", Reason::MalformedUrl),
    ] {
        assert_eq!(fetcher.fetch(PATH, url).await.err(), Some(reason), "{url}");
    }
    fetcher.set_offline(true);
    let refused = fetcher.fetch(PATH, URL).await.err();
    assert_eq!(refused, Some(Reason::FetchingOff));
    assert_eq!(source.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_source_that_hangs_is_given_up() {
    static IS_GIVEN_UP: AtomicBool = AtomicBool::new(false);
    let lab = Lab::new();
    let (fetcher, _) = within(SHORT, &lab, |_, _, _| {
        while !IS_GIVEN_UP.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(10));
        }
        delivered(chain())
    });
    let refused = fetcher.fetch(PATH, URL).await.err();
    IS_GIVEN_UP.store(true, Ordering::SeqCst);
    assert_eq!(refused, Some(Reason::DeadlinePassed));
}

#[test]
fn nothing_is_printed_of_what_a_source_delivers() {
    let delivered = delivered("secret").unwrap();
    assert_eq!(format!("{delivered:?}"), "Delivered(..)");
}
