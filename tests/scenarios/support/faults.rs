//! Every way in which a service can be slow, lie or flood, with the reason that each kind of request
//! has to give for it.

use std::sync::Arc;

use ringtrue::{HttpResponse, Reason};
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::{Suite, dummy};

use super::gateway::{Behaviour, Kind};
use super::{BRIEF, PATIENT};

/// 100 MB, announced or in chunks without end.
const HUGE: usize = 100_000_000;

pub(crate) fn answer(status: u16, media: &str, body: &[u8]) -> HttpResponse {
    HttpResponse {
        status,
        headers: vec![("content-type".to_owned(), media.to_owned())],
        body: body.to_vec(),
    }
}

/// The service gives this answer, correctly, and goes on with the connection.
pub(crate) fn gives(answer: &HttpResponse) -> Behaviour {
    let answer = answer.clone();
    Behaviour::Answer(Arc::new(move |_| answer.clone()))
}

/// A fault, and the reason that each kind of request has to give for it.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) behaviour: Behaviour,
    pub(crate) lookup: Reason,
    pub(crate) publish: Reason,
    pub(crate) retrieve: Reason,
    pub(crate) store: Reason,
}

impl Fault {
    pub(crate) fn all(name: &'static str, reason: Reason, behaviour: Behaviour) -> Self {
        Self {
            name,
            behaviour,
            lookup: reason,
            publish: reason,
            retrieve: reason,
            store: reason,
        }
    }

    pub(crate) fn of(&self, kind: Kind) -> Reason {
        match kind {
            Kind::Lookup => self.lookup,
            Kind::Publish => self.publish,
            Kind::Retrieve => self.retrieve,
            Kind::Store => self.store,
        }
    }

    /// Whether only the deadline ends it.
    pub(crate) fn hangs(&self) -> bool {
        self.retrieve == Reason::DeadlinePassed
    }

    pub(crate) fn deadline(&self) -> std::time::Duration {
        if self.hangs() { BRIEF } else { PATIENT }
    }
}

pub(crate) fn slow() -> Vec<Fault> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/passport\r\nX-A: ";
    let body =
        "HTTP/1.1 200 OK\r\nContent-Type: application/passport\r\nContent-Length: 4000\r\n\r\nA";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5462\r\nA";
    let drip = |text: &str| Behaviour::Drip(text.as_bytes().to_vec());
    let hangs = |name, behaviour| Fault::all(name, Reason::DeadlinePassed, behaviour);
    vec![
        hangs("silent", Behaviour::Silent),
        hangs("drips its header", drip(head)),
        hangs("drips its body", drip(body)),
        hangs("drips a chunk", drip(chunks)),
    ]
}

pub(crate) fn lying() -> Vec<Fault> {
    let html = answer(
        200,
        "text/html; charset=utf-8",
        b"<html><body>Welcome</body></html>",
    );
    let problem = |problem: Problem| gives(&problem.encode());
    let later = |status: u16| {
        let after = ("retry-after".to_owned(), "30".to_owned());
        let mut answer = answer(status, "text/plain", b"later");
        answer.headers.push(after);
        gives(&answer)
    };
    // Three times as much as is read of any answer.
    let thousand = dummy(&AwsLcCrypto, Suite::S1).unwrap().to_text();
    let thousand = format!("{thousand}\n").repeat(1000);
    let error = Reason::ServiceError;
    vec![
        Fault {
            lookup: Reason::UnsupportedMediaType,
            retrieve: Reason::UnsupportedMediaType,
            ..Fault::all("HTML", Reason::MalformedAnswer, gives(&html))
        },
        Fault {
            publish: Reason::MalformedAnswer,
            lookup: Reason::MalformedAnswer,
            retrieve: Reason::MalformedAnswer,
            ..Fault::all(
                "created HTML",
                Reason::UnsupportedMediaType,
                gives(&answer(201, "text/html", b"<html>")),
            )
        },
        Fault {
            retrieve: Reason::TooManyBlobs,
            ..Fault::all(
                "ten thousand lines",
                Reason::AnswerTooLarge,
                gives(&answer(
                    200,
                    "application/passport",
                    "AAAA\n".repeat(10_000).as_bytes(),
                )),
            )
        },
        Fault::all(
            "a thousand blobs",
            Reason::AnswerTooLarge,
            gives(&answer(200, "application/passport", thousand.as_bytes())),
        ),
        Fault {
            retrieve: Reason::UnsupportedMediaType,
            publish: Reason::MalformedAnswer,
            store: Reason::MalformedAnswer,
            ..Fault::all(
                "truncated JSON",
                Reason::MalformedAnswer,
                gives(&answer(200, "application/json", br#"{"statements":["#)),
            )
        },
        Fault::all(
            "truncated references",
            Reason::MalformedAnswer,
            gives(&answer(201, "application/json", br#"["/cps/"#)),
        ),
        Fault::all(
            "too many references",
            Reason::MalformedAnswer,
            gives(&answer(
                201,
                "application/json",
                br#"["/cps/1/ppts/AAAAAAAAAAAAAAAAAAAAAA","/cps/1/ppts/AAAAAAAAAAAAAAAAAAAAAA"]"#,
            )),
        ),
        Fault::all(
            "no references",
            Reason::MalformedAnswer,
            gives(&answer(201, "application/json", b"[]")),
        ),
        Fault::all(
            "references to elsewhere",
            Reason::MalformedAnswer,
            gives(&answer(
                201,
                "application/json",
                br#"["https://elsewhere.example/cps/1/ppts/A"]"#,
            )),
        ),
        Fault::all(
            "cut body",
            Reason::ServiceUnreachable,
            Behaviour::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut".to_vec()),
        ),
        Fault::all(
            "cut header",
            Reason::ServiceUnreachable,
            Behaviour::Raw(b"HTTP/1.1 2".to_vec()),
        ),
        Fault::all(
            "hangs up",
            Reason::ServiceUnreachable,
            Behaviour::Raw(Vec::new()),
        ),
        Fault::all(
            "no HTTP",
            Reason::MalformedAnswer,
            Behaviour::Raw(b"220 mail.example ESMTP\r\n\r\n".to_vec()),
        ),
        Fault::all(
            "endless header",
            Reason::AnswerTooLarge,
            Behaviour::Raw(
                format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n", "a".repeat(1 << 20)).into_bytes(),
            ),
        ),
        Fault::all(
            "error 500",
            error,
            gives(&answer(500, "text/plain", b"oops")),
        ),
        Fault::all("error 503", error, later(503)),
        Fault::all("unavailable", error, problem(Problem::Unavailable)),
        Fault::all(
            "not found",
            error,
            gives(&answer(404, "text/html", b"<html>")),
        ),
        Fault::all("later, 429", Reason::OverLimit, later(429)),
        Fault::all("over limit", Reason::OverLimit, problem(Problem::OverLimit)),
        Fault::all(
            "token required",
            Reason::TokenRequired,
            problem(Problem::TokenRequired),
        ),
        Fault::all(
            "401",
            Reason::TokenRequired,
            gives(&answer(401, "text/plain", b"")),
        ),
        Fault::all(
            "token rejected",
            Reason::TokenRejected,
            problem(Problem::TokenRejected),
        ),
        Fault::all("compressed", Reason::MalformedAnswer, {
            let mut answer = answer(200, "application/passport", b"\x1f\x8b");
            answer
                .headers
                .push(("content-encoding".to_owned(), "gzip".to_owned()));
            gives(&answer)
        }),
    ]
}

pub(crate) fn flooding() -> Vec<Fault> {
    let head = |headers: &str| {
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/passport\r\n{headers}\r\n\r\n")
            .into_bytes()
    };
    let chunk = [&b"4000\r\n"[..], &[b'A'; 0x4000], b"\r\n"].concat();
    vec![
        Fault::all(
            "100 MB",
            Reason::AnswerTooLarge,
            Behaviour::Flood {
                head: head(&format!("Content-Length: {HUGE}")),
                chunk: vec![b'A'; 0x4000],
            },
        ),
        Fault::all(
            "endless chunks",
            Reason::AnswerTooLarge,
            Behaviour::Flood {
                head: head("Transfer-Encoding: chunked"),
                chunk,
            },
        ),
        Fault::all(
            "endless body",
            Reason::AnswerTooLarge,
            Behaviour::Flood {
                head: head("Connection: close"),
                chunk: vec![b'A'; 0x4000],
            },
        ),
    ]
}
