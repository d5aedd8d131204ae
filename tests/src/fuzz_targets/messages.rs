//! The HTTP messages, as a client reads answers and as a service reads requests.
//!
//! The octets are a message: the first line (`200`, or `GET /path`), header lines `name: value`, an
//! empty line, the body.

use ringtrue_oob::http::{HttpResponse, directory, health, media, placement, problem, route};
use ringtrue_oob::{BaseUrl, http};

use super::text;

/// Everything that a client may be waiting for, from the same answer.
pub(super) fn answer(octets: &[u8]) {
    let Some((first, message)) = message(octets) else {
        return;
    };
    let Ok(status) = first.parse() else { return };
    let Ok(base) = BaseUrl::parse("https://cps.example.com/prefix") else {
        return;
    };
    let answer = HttpResponse { status, ..message };

    if let Ok(retrieved) = placement::decode_blobs(&answer) {
        let again = placement::decode_blobs(&placement::encode_blobs(&retrieved.blobs));
        assert!(
            again.is_ok_and(|again| again.blobs == retrieved.blobs),
            "blobs are kept"
        );
    }
    let stored = (0..=placement::MAX_STORE_BLOBS)
        .filter(|count| placement::decode_stored(&base, &answer, *count).is_ok())
        .count();
    assert!(stored <= 1, "an answer has one count");
    for url in placement::decode_references(&base, &answer)
        .into_iter()
        .flatten()
    {
        assert!(
            url.starts_with(&base.join("/")),
            "no reference leads elsewhere"
        );
    }
    if let Ok(statements) = directory::decode_statements(&answer) {
        assert!(
            statements.len() <= directory::MAX_STATEMENTS,
            "within the limit"
        );
    }
    let _ = placement::decode_item(&answer);
    let _ = directory::decode_published(&answer);
    let _ = health::decode_answer(&answer);
    let _ = problem::reason(&answer);
}

/// What a service does with a request before anything is looked up.
pub(super) fn request(octets: &[u8]) {
    let Some((first, message)) = message(octets) else {
        return;
    };
    let Some((method, path)) = first.split_once(' ') else {
        return;
    };
    for prefix in ["", "/prefix"] {
        let route = route::Route::decode(prefix, method, path);
        if route.is_ok() {
            let allowed = route::Route::allowed(prefix, path);
            assert!(
                allowed.is_some_and(|methods| methods.contains(method)),
                "and so allowed"
            );
        }
    }
    let (content_type, accept) = (message.header("content-type"), message.header("accept"));
    if let Ok(blobs) = placement::decode_store(content_type, &message.body) {
        let count = blobs.len();
        assert!(
            (1..=placement::MAX_STORE_BLOBS).contains(&count),
            "within the limit"
        );
    }
    if let Ok(statement) = directory::decode_publish(content_type, &message.body) {
        assert!(
            statement.len() <= directory::MAX_STATEMENT_LEN,
            "within the limit"
        );
    }
    let _ = placement::decode_retrieve(accept);
    let _ = placement::decode_item_request(accept);
    let _ = directory::decode_lookup(accept);
    let _ = media::negotiate(accept, &[media::JSON, media::PASSPORT]);
    let _ = http::Method::from_name(method);
}

/// The first line, and the rest as an answer without status: requests have the same parts.
pub(super) fn message(octets: &[u8]) -> Option<(&str, HttpResponse)> {
    let end = octets.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, rest) = octets.split_at_checked(end)?;
    let mut lines = text(head)?.lines();
    let first = lines.next()?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = rest.get(2..)?.to_vec();
    Some((
        first,
        HttpResponse {
            status: 0,
            headers,
            body,
        },
    ))
}
