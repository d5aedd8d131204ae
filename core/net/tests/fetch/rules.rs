//! Where a fetch may go, and what it shows of itself (CRT-40, CRT-41, CRT-46, CRT-48).

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use ringtrue_net::{AddressPolicy, FetchKind, Fetcher, NameResolver, USER_AGENT};
use ringtrue_stir::Reason;
use rustls::HandshakeKind;

use crate::lab::{Lab, chain, get, ok};
use crate::service::{Answer, Service};

const PATH: FetchKind = FetchKind::CertificatePath;

/// A table of names whose answers change: the first, then the next, then the last for good.
struct Names {
    answers: Mutex<Vec<Vec<SocketAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parse).collect()),
            asked: Mutex::new(Vec::new()),
        })
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl NameResolver for Names {
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 {
            return Ok(answers.remove(0));
        }
        answers
            .first()
            .cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

#[tokio::test]
async fn sends_one_plain_request_that_tells_nothing_of_the_endpoint() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    get(&lab.fetcher(), &service).await.unwrap();
    let requests = service.requests();
    let [(head, body)] = requests.as_slice() else {
        panic!("{} requests", requests.len());
    };
    assert!(body.is_empty());
    let mut lines = head.trim_end().split("\r\n");
    assert_eq!(lines.next(), Some("GET /path HTTP/1.1"));
    let mut headers: Vec<String> = lines.map(str::to_ascii_lowercase).collect();
    headers.sort();
    let expected = [
        "accept-encoding: identity".to_owned(),
        "accept: application/pem-certificate-chain".to_owned(),
        format!("host: localhost:{}", service.port()),
        format!("user-agent: {}", USER_AGENT.to_ascii_lowercase()),
    ];
    assert_eq!(headers, expected);
}

#[tokio::test]
async fn keeps_neither_cookies_nor_connections_nor_tls_sessions() {
    let lab = Lab::new();
    let cookie = ok("Set-Cookie: a=b; Path=/\r\n", chain());
    let service = Service::start_with_tickets(&lab.identity(), Answer::Once(cookie)).await;
    let fetcher = lab.fetcher();
    for path in ["a", "b", "c"] {
        let url = format!("https://localhost:{}/{path}", service.port());
        fetcher.fetch(PATH, &url).await.unwrap();
    }
    assert_eq!(service.connections(), 3);
    assert_eq!(service.handshakes(), [HandshakeKind::Full; 3]);
    for (head, _) in service.requests() {
        let head = head.to_ascii_lowercase();
        assert!(
            !head.contains("cookie") && !head.contains("referer"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn other_schemes_mean_that_no_certificate_is_to_be_had() {
    let fetcher = Lab::new().fetcher();
    for url in [
        "http://certs.example/c.pem",
        "cid:chain@example.com",
        "sip:certs@example.com",
        "sips:certs@example.com",
        "ftp://certs.example/c.pem",
        "file:///etc/passwd",
        "certs.example/c.pem",
        "",
    ] {
        let refused = fetcher.fetch(PATH, url).await.err();
        assert_eq!(refused, Some(Reason::CredentialUnavailable), "{url}");
    }
    for kind in [FetchKind::Crl, FetchKind::TnAuthList, FetchKind::Image] {
        let refused = fetcher.fetch(kind, "http://certs.example/c").await.err();
        assert_eq!(refused, Some(Reason::MalformedUrl), "{kind:?}");
    }
}

#[tokio::test]
async fn refuses_urls_of_another_form_for_every_kind_before_anybody_is_asked() {
    let names = Names::new(&[&["1.1.1.1:0"]]);
    let lab = Lab::new();
    let fetcher = lab.public(Some(names.clone()));
    for kind in FetchKind::ALL {
        for url in [
            "https://user:password@certs.test/c.pem",
            "https://user@certs.test/c.pem",
            "https://certs.test/c.pem?n=12025550143",
            "https://certs.test/c.pem#x",
            "https://certs.test:80/c.pem",
            "https://certs.test:4443/c.pem",
            "https://certs.test:08443/c.pem",
            "https://certs.test:/c.pem",
            "https:///c.pem",
            "https://certs.test\\@127.0.0.1/c.pem",
            "https://certs.test/c .pem",
            "https://127.1/c.pem",
            "https://0x7f.1/c.pem",
            "https://2130706433/c.pem",
        ] {
            for refused in [
                fetcher.fetch(kind, url).await.err(),
                fetcher.refresh(kind, url).await.err(),
            ] {
                assert_eq!(refused, Some(Reason::MalformedUrl), "{kind:?} {url}");
            }
        }
    }
    assert_eq!(names.asked(), 0);
}

#[tokio::test]
async fn any_port_is_for_laboratories_alone() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let url = service.url("localhost");
    assert!(lab.fetcher().fetch(PATH, &url).await.is_ok());
    let refused = lab.public(None).fetch(PATH, &url).await.err();
    assert_eq!(refused, Some(Reason::MalformedUrl));
    let mut settings = lab.settings();
    settings.http.addresses = AddressPolicy::public_only().allow_private();
    let company = Fetcher::new(&settings).unwrap();
    let refused = company.fetch(PATH, &url).await.err();
    assert_eq!(refused, Some(Reason::MalformedUrl));
    assert_eq!(service.connections(), 1);
}

#[tokio::test]
async fn refuses_addresses_that_are_not_public_however_they_are_written() {
    let fetcher = Lab::new().public(None);
    for host in [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[::]",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "224.0.0.1",
        "[ff02::1]",
        "localhost",
        "LOCALHOST",
    ] {
        for port in ["", ":443", ":8443"] {
            let url = format!("https://{host}{port}/c.pem");
            let refused = fetcher.fetch(PATH, &url).await.err();
            assert_eq!(refused, Some(Reason::AddressNotAllowed), "{url}");
        }
    }
}

#[tokio::test]
async fn one_address_that_is_not_public_spoils_a_name() {
    for addresses in [
        &["127.0.0.1:0"][..],
        &["1.1.1.1:0", "127.0.0.1:0"],
        &["10.0.0.1:0", "1.1.1.1:0"],
        &["[::ffff:192.168.0.1]:0"],
        &["[2606:4700::1111]:0", "[fd00::1]:0"],
    ] {
        let names = Names::new(&[addresses]);
        let fetcher = Lab::new().public(Some(names.clone()));
        let refused = fetcher.fetch(PATH, "https://certs.test/c.pem").await;
        assert_eq!(
            refused.err(),
            Some(Reason::AddressNotAllowed),
            "{addresses:?}"
        );
        assert_eq!(names.asked(), 1);
    }
}

/// A name that leads to a good address when it is checked and to another one when it is used.
#[tokio::test]
async fn a_name_is_resolved_once_and_the_connection_goes_where_the_check_looked() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let good = format!("127.0.0.1:{}", service.port());
    let names = Names::new(&[&[&good], &["10.0.0.1:0"]]);
    let mut settings = lab.settings();
    settings.resolver = Some(names.clone());
    let fetcher = Fetcher::new(&settings).unwrap();
    assert!(fetcher.fetch(PATH, "https://certs.test/a").await.is_ok());
    assert_eq!((names.asked(), service.connections()), (1, 1));
    let refused = fetcher.fetch(PATH, "https://certs.test/b").await.err();
    assert_eq!(refused, Some(Reason::AddressNotAllowed));
    assert_eq!((names.asked(), service.connections()), (2, 1));
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_an_unreachable_host() {
    let names = Names::new(&[]);
    let fetcher = Lab::new().public(Some(names));
    let refused = fetcher.fetch(PATH, "https://certs.test/c.pem").await.err();
    assert_eq!(refused, Some(Reason::ServiceUnreachable));
}

fn moved(status: &str, location: &str) -> Vec<u8> {
    let location = match location {
        "" => String::new(),
        location => format!("Location: {location}\r\n"),
    };
    format!("HTTP/1.1 {status}\r\n{location}Content-Length: 0\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn follows_no_redirect_by_default() {
    for status in [
        "300 Choices",
        "301 Moved",
        "302 Found",
        "303 Other",
        "304 Same",
        "307 Temporary",
        "308 For Ever",
    ] {
        let lab = Lab::new();
        let answers = vec![moved(status, "/other"), ok("", chain())];
        let service = lab.serve(Answer::Script(answers)).await;
        let refused = get(&lab.fetcher(), &service).await.err();
        assert_eq!(refused, Some(Reason::Redirected), "{status}");
        assert_eq!(service.requests().len(), 1, "{status}");
    }
}

/// What a fetcher that follows one redirect makes of these answers, and how many it asked for.
async fn redirected(answers: Vec<Vec<u8>>) -> (Option<Reason>, usize) {
    let lab = Lab::new();
    let service = lab.serve(Answer::Script(answers)).await;
    let mut settings = lab.settings();
    settings.redirects = true;
    let fetcher = Fetcher::new(&settings).unwrap();
    let refused = get(&fetcher, &service).await.err();
    (refused, service.requests().len())
}

#[tokio::test]
async fn follows_one_redirect_where_that_is_allowed() {
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 For Ever"] {
        let answers = vec![moved(status, "/other"), ok("", chain())];
        assert_eq!(redirected(answers).await, (None, 2), "{status}");
    }
}

#[tokio::test]
async fn a_redirect_loop_ends_after_one() {
    let refused = redirected(vec![moved("302 Found", "/path")]).await;
    assert_eq!(refused, (Some(Reason::Redirected), 2));
    let refused = redirected(vec![moved("302 Found", "")]).await;
    assert_eq!(refused, (Some(Reason::Redirected), 1));
}

#[tokio::test]
async fn a_redirect_leads_nowhere_that_a_fetch_may_not_go() {
    for (location, reason) in [
        ("https://10.0.0.1/c.pem", Reason::AddressNotAllowed),
        ("https://[fd00::1]/c.pem", Reason::AddressNotAllowed),
        ("https://169.254.169.254/latest", Reason::AddressNotAllowed),
        ("https://[::ffff:10.0.0.1]/c.pem", Reason::AddressNotAllowed),
        ("http://localhost/c.pem", Reason::CredentialUnavailable),
        ("file:///etc/passwd", Reason::CredentialUnavailable),
        ("/other?n=12025550143", Reason::MalformedUrl),
        ("/other#x", Reason::MalformedUrl),
        ("https://a:b@localhost/c.pem", Reason::MalformedUrl),
        ("https://", Reason::MalformedUrl),
    ] {
        let answers = vec![moved("302 Found", location), ok("", chain())];
        let refused = redirected(answers).await;
        assert_eq!(refused, (Some(reason), 1), "{location}");
    }
}

#[tokio::test]
async fn nothing_is_printed_of_where_a_fetcher_goes_or_what_it_has() {
    let lab = Lab::new();
    let service = lab.serve(Answer::Once(ok("", chain()))).await;
    let fetcher = lab.fetcher();
    let fetched = get(&fetcher, &service).await.unwrap();
    assert_eq!(format!("{fetcher:?}"), "Fetcher(..)");
    assert_eq!(format!("{fetched:?}"), "Fetched(..)");
    assert_eq!(format!("{:?}", lab.settings()), "FetchSettings(..)");
}
