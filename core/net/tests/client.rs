//! The HTTP client against services that are honest, wrong, slow or lying, over real TLS on loopback.
#![cfg(test)]

#[path = "support/service.rs"]
#[expect(dead_code, reason = "shared with the tests of the fetcher")]
mod service;

use std::sync::Arc;

use ringtrue_net::{AddressPolicy, HttpClient, HttpSettings, Role, USER_AGENT};
use ringtrue_oob::http::{HttpRequest, HttpResponse, Method};
use ringtrue_stir::{Reason, UnixTime};
use rustls::pki_types::pem::PemObject as _;
use rustls::{HandshakeKind, NamedGroup};
use service::{Answer, Service, TestAuthority};

const LIMIT: usize = 1000;

fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

fn lab_client(authority: &TestAuthority) -> HttpClient {
    client(authority, AddressPolicy::public_only().allow_loopback())
}

fn client(authority: &TestAuthority, addresses: AddressPolicy) -> HttpClient {
    HttpClient::new(&HttpSettings {
        addresses,
        extra_roots_pem: vec![authority.root_pem()],
        web_roots: false,
        // Whether a connection comes about at all is asked, not how soon.
        connect_timeout: std::time::Duration::from_secs(60),
        ..HttpSettings::default()
    })
    .unwrap()
}

async fn ask(client: &HttpClient, url: &str) -> Result<HttpResponse, Reason> {
    client.execute(Role::Retrieve, get(url), LIMIT).await
}

/// What the client makes of one answer.
async fn outcome(answer: Answer) -> Result<HttpResponse, Reason> {
    let authority = TestAuthority::new();
    let service = Service::start(&authority.identity(&["localhost"]), answer).await;
    ask(&lab_client(&authority), &service.url("localhost")).await
}

fn ok(headers: &str, body: &str) -> Answer {
    Answer::Once(format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}").into_bytes())
}

#[tokio::test]
async fn sends_the_request_as_it_is_and_returns_the_answer() {
    let authority = TestAuthority::new();
    let answer = Answer::Once(
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nLocation: /x\r\n\
          Content-Length: 3\r\n\r\n[1]"
            .to_vec(),
    );
    let service = Service::start(&authority.identity(&["localhost"]), answer).await;
    let request = HttpRequest {
        method: Method::Post,
        headers: vec![("content-type".into(), "application/passport".into())],
        body: b"blob\n".to_vec(),
        ..get(&service.url("localhost"))
    };
    let answer = lab_client(&authority)
        .execute(Role::Store, request, 3)
        .await
        .unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body, b"[1]");
    let header = |name: &str| answer.headers.iter().find(|(n, _)| n.as_str() == name);
    assert_eq!(
        header("location").map(|(_, value)| value.as_str()),
        Some("/x")
    );

    let seen = service.requests();
    let (head, body) = seen.first().unwrap();
    assert!(head.starts_with("POST /path HTTP/1.1\r\n"), "{head}");
    assert_eq!(body, b"blob\n");
    let head = head.to_ascii_lowercase();
    let agent = format!("\r\nuser-agent: {}\r\n", USER_AGENT.to_ascii_lowercase());
    assert!(head.contains(&agent), "{head}");
    assert!(head.contains("\r\naccept-encoding: identity\r\n"), "{head}");
    assert!(
        head.contains("\r\ncontent-type: application/passport\r\n"),
        "{head}"
    );
    assert!(
        !head.contains("cookie") && !head.contains("referer"),
        "{head}"
    );
}

#[tokio::test]
async fn returns_errors_and_html_as_answers_with_their_status_and_type() {
    let html = ok("Content-Type: text/html\r\nContent-Length: 6\r\n", "<html>");
    let answer = outcome(html).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, &b"<html>"[..])
    );
    let busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_vec();
    assert_eq!(outcome(Answer::Once(busy)).await.unwrap().status, 503);
}

#[tokio::test]
async fn follows_no_redirect() {
    for status in [
        "301 Moved",
        "302 Found",
        "303 Other",
        "304 Same",
        "307 Temporary",
        "308 For Ever",
    ] {
        let text = format!("HTTP/1.1 {status}\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
        let authority = TestAuthority::new();
        let identity = authority.identity(&["localhost"]);
        let service = Service::start(&identity, Answer::Once(text.into_bytes())).await;
        let found = ask(&lab_client(&authority), &service.url("localhost")).await;
        assert_eq!(found.unwrap_err(), Reason::Redirected, "{status}");
        assert_eq!(service.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn keeps_no_cookies() {
    let authority = TestAuthority::new();
    let answer = ok("Set-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n", "");
    let service = Service::start(&authority.identity(&["localhost"]), answer).await;
    let client = lab_client(&authority);
    for _ in 0..2 {
        ask(&client, &service.url("localhost")).await.unwrap();
    }
    for (head, _) in service.requests() {
        assert!(!head.to_ascii_lowercase().contains("cookie"), "{head}");
    }
}

#[tokio::test]
async fn takes_a_body_of_exactly_the_limit() {
    let body = "x".repeat(LIMIT);
    let plain = ok(&format!("Content-Length: {LIMIT}\r\n"), &body);
    assert_eq!(outcome(plain).await.unwrap().body.len(), LIMIT);
    let chunked = format!("{LIMIT:x}\r\n{body}\r\n0\r\n\r\n");
    let chunked = ok("Transfer-Encoding: chunked\r\n", &chunked);
    assert_eq!(outcome(chunked).await.unwrap().body.len(), LIMIT);
}

#[tokio::test]
async fn refuses_an_announced_length_over_the_limit_without_reading_the_body() {
    for announced in ["1001", "104857600", "18446744073709551614"] {
        // No octet of the body ever comes, so only the announcement can be the reason.
        let answer = ok(&format!("Content-Length: {announced}\r\n"), "");
        assert_eq!(outcome(answer).await.unwrap_err(), Reason::AnswerTooLarge);
    }
}

#[tokio::test]
async fn refuses_a_body_that_grows_over_the_limit() {
    for head in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
    ] {
        let answer = Answer::Endless {
            head: head.as_bytes().to_vec(),
            chunk: b"4\r\nabcd\r\n".to_vec(),
        };
        assert_eq!(
            outcome(answer).await.unwrap_err(),
            Reason::AnswerTooLarge,
            "{head}"
        );
    }
}

#[tokio::test]
async fn refuses_endless_or_huge_headers() {
    let answer = Answer::Endless {
        head: b"HTTP/1.1 200 OK\r\n".to_vec(),
        chunk: format!("X-Padding: {}\r\n", "x".repeat(1000)).into_bytes(),
    };
    let found = outcome(answer).await.unwrap_err();
    assert!(
        matches!(found, Reason::AnswerTooLarge | Reason::MalformedAnswer),
        "{found:?}"
    );
    let header = format!("X-Padding: {}\r\n", "x".repeat(2000)).repeat(9);
    let answer = ok(&format!("{header}Content-Length: 0\r\n"), "");
    assert_eq!(outcome(answer).await.unwrap_err(), Reason::AnswerTooLarge);
}

#[tokio::test]
async fn refuses_compression_that_it_did_not_ask_for() {
    for encoding in ["gzip", "br", "zstd", "identity, gzip"] {
        let answer = ok(
            &format!("Content-Encoding: {encoding}\r\nContent-Length: 2\r\n"),
            "ab",
        );
        assert_eq!(
            outcome(answer).await.unwrap_err(),
            Reason::MalformedAnswer,
            "{encoding}"
        );
    }
    let answer = ok("Content-Encoding: Identity\r\nContent-Length: 2\r\n", "ab");
    assert_eq!(outcome(answer).await.unwrap().body, b"ab");
}

#[tokio::test]
async fn refuses_what_is_no_http() {
    for text in [
        "SSH-2.0-x\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\r\n",
    ] {
        let found = outcome(Answer::Once(text.as_bytes().to_vec())).await;
        assert_eq!(found.unwrap_err(), Reason::MalformedAnswer, "{text:?}");
    }
    let found = outcome(ok("Content-Length: x\r\n", "")).await;
    assert_eq!(found.unwrap_err(), Reason::MalformedAnswer);
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_unreachable_service() {
    for text in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let found = outcome(Answer::Break(text.as_bytes().to_vec())).await;
        assert_eq!(found.unwrap_err(), Reason::ServiceUnreachable, "{text:?}");
    }
}

#[tokio::test]
async fn a_failed_answer_does_not_spoil_the_next() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let client = lab_client(&authority);
    let good = Service::start(&identity, ok("Content-Length: 2\r\n", "ok")).await;
    let endless = Answer::Endless {
        head: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
        chunk: b"4\r\nabcd\r\n".to_vec(),
    };
    let bad = Service::start(&identity, endless).await;
    for _ in 0..2 {
        let found = ask(&client, &bad.url("localhost")).await;
        assert_eq!(found.unwrap_err(), Reason::AnswerTooLarge);
        assert_eq!(
            ask(&client, &good.url("localhost")).await.unwrap().body,
            b"ok"
        );
    }
}

#[tokio::test]
async fn a_dropped_request_closes_its_connection() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let service = Service::start(&identity, Answer::Silent).await;
    let client = lab_client(&authority);
    let url = service.url("localhost");
    tokio::select! {
        found = ask(&client, &url) => panic!("answered: {found:?}"),
        () = service.request_arrived() => {}
    }
    service.all_connections_closed().await;
}

#[tokio::test]
async fn refuses_a_certificate_for_another_name() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["other.example"]);
    let service = Service::start(&identity, ok("Content-Length: 0\r\n", "")).await;
    let client = lab_client(&authority);
    for host in ["localhost", "127.0.0.1"] {
        let found = ask(&client, &service.url(host)).await;
        assert_eq!(found.unwrap_err(), Reason::TlsFailed, "{host}");
    }
    assert_eq!(service.requests().len(), 0);
}

#[tokio::test]
async fn refuses_a_certificate_of_an_unknown_root_and_an_expired_one() {
    let authority = TestAuthority::new();
    let stranger = TestAuthority::new();
    for identity in [
        stranger.identity(&["localhost"]),
        authority.expired_identity(&["localhost"]),
    ] {
        let service = Service::start(&identity, ok("Content-Length: 0\r\n", "")).await;
        let found = ask(&lab_client(&authority), &service.url("localhost")).await;
        assert_eq!(found.unwrap_err(), Reason::TlsFailed);
        assert_eq!(service.requests().len(), 0);
    }
}

/// A root that is trusted for STIR or by the lab is no root of the web, and the other way round.
#[tokio::test]
async fn web_roots_do_not_trust_the_laboratory() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let service = Service::start(&identity, ok("Content-Length: 0\r\n", "")).await;
    let client = HttpClient::new(&HttpSettings {
        addresses: AddressPolicy::public_only().allow_loopback(),
        ..HttpSettings::default()
    })
    .unwrap();
    let found = ask(&client, &service.url("localhost")).await;
    assert_eq!(found.unwrap_err(), Reason::TlsFailed);
}

#[tokio::test]
async fn refuses_a_service_that_chooses_tls_1_2_or_speaks_no_tls() {
    let authority = TestAuthority::new();
    for answer in [
        service::tls_1_2_server_hello(),
        b"HTTP/1.1 400 Bad\r\n\r\n".to_vec(),
    ] {
        let port = service::start_plain(answer).await;
        let found = ask(
            &lab_client(&authority),
            &format!("https://localhost:{port}/"),
        )
        .await;
        assert_eq!(found.unwrap_err(), Reason::TlsFailed);
    }
}

#[tokio::test]
async fn loopback_is_refused_by_default_and_reached_by_its_switch() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost", "127.0.0.1", "::1"]);
    let service = Service::start(&identity, ok("Content-Length: 2\r\n", "ok")).await;
    let hosts = [
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "0x7f.1",
        "2130706433",
    ];
    let default = client(&authority, AddressPolicy::public_only());
    let private = client(&authority, AddressPolicy::public_only().allow_private());
    for host in hosts
        .into_iter()
        .chain(["[::1]", "[::ffff:127.0.0.1]", "[0:0::1]"])
    {
        for client in [&default, &private] {
            let found = ask(client, &service.url(host)).await;
            assert_eq!(found.unwrap_err(), Reason::AddressNotAllowed, "{host}");
        }
    }
    assert_eq!(service.connections(), 0);
    let switched = lab_client(&authority);
    for host in hosts {
        assert_eq!(
            ask(&switched, &service.url(host)).await.unwrap().body,
            b"ok",
            "{host}"
        );
    }
}

#[tokio::test]
async fn reaches_the_ipv6_loopback_by_its_switch() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["::1"]);
    let answer = ok("Content-Length: 2\r\n", "ok");
    // Some build machines have no IPv6 at all.
    let Some(service) = Service::start_v6(&identity, answer).await else {
        return;
    };
    let found = ask(&lab_client(&authority), &service.url("[::1]")).await;
    assert_eq!(found.unwrap().body, b"ok");
}

#[tokio::test]
async fn refuses_special_and_private_literals_before_it_connects() {
    let client = lab_client(&TestAuthority::new());
    for host in [
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "0.0.0.0",
        "255.255.255.255",
        "[fe80::1]",
        "[fd00::1]",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
    ] {
        let found = ask(&client, &format!("https://{host}/")).await;
        assert_eq!(found.unwrap_err(), Reason::AddressNotAllowed, "{host}");
    }
}

#[tokio::test]
async fn refuses_urls_that_are_not_https_with_a_host() {
    let client = lab_client(&TestAuthority::new());
    for url in [
        "",
        "localhost",
        "http://localhost/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "https://",
        "https://user@localhost/",
        "https://user:secret@localhost/",
        "https://:secret@localhost/",
        "https://localhost:99999/",
        "https://[::1/",
        "https://exa mple/",
        // Host names are ASCII, in whatever form the others are written.
        "https://\u{fc}ber.invalid/",
        "https://%C3%BCber.invalid/",
        "https://\u{ff11}\u{ff12}7.0.0.1/",
    ] {
        let found = ask(&client, url).await;
        assert_eq!(found.unwrap_err(), Reason::MalformedUrl, "{url}");
    }
}

#[tokio::test]
async fn no_such_name_and_no_listener_are_an_unreachable_service() {
    let client = lab_client(&TestAuthority::new());
    let port = service::unused_port().await;
    for url in [
        format!("https://127.0.0.1:{port}/"),
        "https://no-such-name.invalid/".to_owned(),
        "https://xn--ber-goa.invalid/".to_owned(),
    ] {
        let found = ask(&client, &url).await;
        assert_eq!(found.unwrap_err(), Reason::ServiceUnreachable);
    }
}

#[tokio::test]
async fn one_role_keeps_its_connection_and_roles_share_none() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let service = Service::start(&identity, ok("Content-Length: 2\r\n", "ok")).await;
    let client = lab_client(&authority);
    let roles = [Role::Lookup, Role::Publish, Role::Retrieve, Role::Store];
    for (place, role) in roles.into_iter().enumerate() {
        // A clone shares the connections.
        for client in [client.clone(), client.clone(), client.clone()] {
            let request = get(&service.url("localhost"));
            client.execute(role, request, LIMIT).await.unwrap();
        }
        assert_eq!(service.connections(), place + 1, "{role:?}");
    }
    assert_eq!(service.requests().len(), 12);
}

/// The service closes an idle connection at the moment it is used again.
#[tokio::test]
async fn sends_once_more_on_a_new_connection_when_the_old_one_ends_unanswered() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    let service = Service::start(&identity, Answer::OncePerConnection(answer)).await;
    let client = lab_client(&authority);
    for _ in 0..2 {
        let request = get(&service.url("localhost"));
        let answer = client.execute(Role::Store, request, LIMIT).await.unwrap();
        assert_eq!(answer.body, b"ok");
    }
    assert_eq!((service.connections(), service.requests().len()), (2, 3));
}

/// A service that always does so is asked twice, not for ever.
#[tokio::test]
async fn gives_up_when_the_second_connection_ends_unanswered_too() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let service = Service::start(&identity, Answer::Break(Vec::new())).await;
    let client = lab_client(&authority);
    let request = get(&service.url("localhost"));
    let refused = client.execute(Role::Store, request, LIMIT).await;
    assert_eq!(refused.unwrap_err(), Reason::ServiceUnreachable);
    assert_eq!(service.requests().len(), 2);
}

/// The service offers tickets here; a client that took one would come back with a short handshake.
#[tokio::test]
async fn resumes_no_session_within_or_across_roles() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let answer = ok("Content-Length: 2\r\nConnection: close\r\n", "ok");
    let service = Service::start_with_tickets(&identity, answer).await;
    let client = lab_client(&authority);
    for role in [Role::Store, Role::Store, Role::Retrieve, Role::Retrieve] {
        let request = get(&service.url("localhost"));
        client.execute(role, request, LIMIT).await.unwrap();
    }
    assert_eq!(service.handshakes(), [HandshakeKind::Full; 4]);
}

/// PRV-50: what is recorded on the way must not be opened later either.
#[tokio::test]
async fn agrees_on_keys_in_the_hybrid_group_and_in_a_classical_one_with_who_has_no_other() {
    let authority = TestAuthority::new();
    let identity = authority.identity(&["localhost"]);
    let answer = ok("Content-Length: 2\r\nConnection: close\r\n", "ok");
    let client = lab_client(&authority);
    let ours = Service::start(&identity, answer.clone()).await;
    let classical = |groups| {
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.kx_groups = groups;
        let chain =
            rustls::pki_types::CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes());
        let chain: Vec<_> = chain.map(Result::unwrap).collect();
        let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes());
        rustls::ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key.unwrap())
            .unwrap()
    };
    let x25519 = classical(vec![rustls::crypto::aws_lc_rs::kx_group::X25519]);
    let x25519 = Service::start_with(x25519, answer.clone()).await;
    let p256 = classical(vec![rustls::crypto::aws_lc_rs::kx_group::SECP256R1]);
    let p256 = Service::start_with(p256, answer).await;
    for (service, group) in [
        (ours, NamedGroup::X25519MLKEM768),
        (x25519, NamedGroup::X25519),
        (p256, NamedGroup::secp256r1),
    ] {
        let request = get(&service.url("localhost"));
        client.execute(Role::Store, request, LIMIT).await.unwrap();
        assert_eq!(service.groups(), [group]);
    }
}

#[test]
fn debug_and_settings_show_no_connection() {
    let client = lab_client(&TestAuthority::new());
    assert_eq!(format!("{client:?}"), "HttpClient(..)");
    let none = HttpSettings {
        web_roots: false,
        ..HttpSettings::default()
    };
    assert_eq!(
        HttpClient::new(&none).err(),
        Some(Reason::ConfigurationInvalid)
    );
}

/// What `lab init` writes is what `cps serve` and the endpoints use.
#[tokio::test]
async fn reaches_a_service_with_the_laboratory_s_certificate_under_its_names() {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = UnixTime::from_secs(now.as_secs());
    let lab = ringtrue_lab::tls_identity(&["localhost", "127.0.0.1", "::1"], now).unwrap();
    let identity = service::Identity {
        chain_pem: lab.chain_pem.clone(),
        key_pem: lab.key_pem.to_string(),
    };
    let service = Service::start(&identity, ok("Content-Length: 2\r\n", "ok")).await;
    let client = HttpClient::new(&HttpSettings {
        addresses: AddressPolicy::public_only().allow_loopback(),
        extra_roots_pem: vec![lab.root_pem.clone()],
        web_roots: false,
        ..HttpSettings::default()
    })
    .unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let found = ask(&client, &service.url(host)).await;
        assert_eq!(found.unwrap().body, b"ok", "{host}");
    }
}
