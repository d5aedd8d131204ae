//! `GET /health`: whether the service takes requests.

use ringtrue_stir::Reason;

use super::problem::{self, Problem};
use super::{HttpRequest, HttpResponse, Method, media};
use crate::BaseUrl;

/// The longest answer that is read.
pub const MAX_ANSWER_LEN: usize = 4096;

/// The request.
#[must_use]
pub fn encode_request(base: &BaseUrl) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: base.join("/health"),
        headers: vec![("accept".to_owned(), media::JSON.to_owned())],
        body: Vec::new(),
    }
}

/// The answer of a service: `200 {"status":"ok"}`, or `503` while it drains.
#[must_use]
pub fn encode_answer(taking_requests: bool) -> HttpResponse {
    if taking_requests {
        HttpResponse::answer(200, Some(media::JSON), br#"{"status":"ok"}"#.to_vec())
    } else {
        Problem::Unavailable.encode()
    }
}

/// Reads the answer.
///
/// # Errors
///
/// The reason of [`problem::reason`] unless the status is 200, [`Reason::UnsupportedMediaType`] and
/// [`Reason::MalformedAnswer`] if something else than the service answers with it.
pub fn decode_answer(answer: &HttpResponse) -> Result<(), Reason> {
    if answer.status != 200 {
        return Err(problem::reason(answer));
    }
    media::expect(answer, media::JSON)?;
    if answer.body.len() > MAX_ANSWER_LEN {
        return Err(Reason::AnswerTooLarge);
    }
    let body: serde_json::Value =
        serde_json::from_slice(&answer.body).map_err(|_| Reason::MalformedAnswer)?;
    if body.get("status").and_then(|status| status.as_str()) == Some("ok") {
        Ok(())
    } else {
        Err(Reason::MalformedAnswer)
    }
}

#[cfg(test)]
mod tests {
    use ringtrue_stir::Reason;

    use super::{decode_answer, encode_answer, encode_request};
    use crate::BaseUrl;
    use crate::http::HttpResponse;

    #[test]
    fn up_and_draining_are_told_apart() {
        let base = BaseUrl::parse("https://cps.example.com/p").unwrap();
        assert_eq!(
            encode_request(&base).url,
            "https://cps.example.com/p/health"
        );
        let up = encode_answer(true);
        assert_eq!(up.body, br#"{"status":"ok"}"#);
        assert_eq!(decode_answer(&up), Ok(()));
        let draining = encode_answer(false);
        assert_eq!(draining.status, 503);
        assert_eq!(decode_answer(&draining), Err(Reason::ServiceError));
    }

    #[test]
    fn another_server_is_not_taken_for_the_service() {
        let answer = |media: &str, body: &str| {
            decode_answer(&HttpResponse::answer(200, Some(media), body.into()))
        };
        assert_eq!(
            answer("text/html", "<p>"),
            Err(Reason::UnsupportedMediaType)
        );
        for body in ["", "{}", r#"{"status":"down"}"#, r#"["ok"]"#] {
            assert_eq!(
                answer("application/json", body),
                Err(Reason::MalformedAnswer)
            );
        }
        let endless = " ".repeat(5000);
        assert_eq!(
            answer("application/json", &endless),
            Err(Reason::AnswerTooLarge)
        );
    }
}
