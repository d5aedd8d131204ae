"""The placement service, one request at a time: statuses, problem types and headers."""

import re
import socket
import ssl
import string
from collections.abc import Callable
from urllib.parse import urljoin

from peer import blob
from peer.client import tls_context
from peer.encoding import b64u

from .arena import Arena
from .command import Serving
from .harness import Harness, equal, expect
from .prober import JSON, PASSPORT, Prober, by_form, problem, some_blob, stranger

# Storing and fetching


def store_and_fetch(prober: Prober) -> None:
    number = stranger()
    blobs = [some_blob(blob.S1), some_blob(blob.S2), some_blob(blob.S1)]
    answer = prober.store(number, *blobs)
    equal(answer.status, 201, "status")
    equal(answer.media_type, JSON, "media type")
    references = answer.json()
    equal(len(references), 3, "references")
    resolve = f"{prober.base}/"
    equal(urljoin(resolve, answer.headers["Location"]), urljoin(resolve, references[0]), "Location")
    for reference, sealed in zip(references, blobs):  # in request order
        prefix = f"{prober.base.prefix}/cps/{number}/ppts/"
        expect(reference.startswith(prefix), f"an absolute-path reference: {reference!r}")
        item = prober.follow(reference)
        equal((item.status, item.media_type), (200, PASSPORT), "item")
        equal(item.body.decode().removesuffix("\n"), blob.to_text(sealed), "the item's blob")
    listed, lines = prober.references(number), prober.lines(number)
    expect(set(references) <= set(listed), "the items are listed")
    expect({blob.to_text(b) for b in blobs} <= set(lines), "the blobs are in the mailbox")


def last_line_feed(prober: Prober) -> None:
    """The last LF of a request is optional."""
    text = blob.to_text(some_blob()).encode()
    for body in (text, text + b"\n", text + b"\n" + text, text + b"\n" + text + b"\n"):
        equal(prober.store_text(body).status, 201, "status")


def eight_blobs(prober: Prober) -> None:
    answer = prober.store(stranger(), *(some_blob() for _ in range(8)))
    equal((answer.status, len(answer.json())), (201, 8), "status and references")


def largest_request(prober: Prober) -> None:
    """Eight blobs of 16384 octets are under the body limit."""
    number, blobs = stranger(), [some_blob(blob.S2, 2) for _ in range(8)]
    equal(prober.store(number, *blobs).status, 201, "status")
    expect({blob.to_text(b) for b in blobs} <= set(prober.lines(number)), "all are there")


def link_header(prober: Prober) -> None:
    number = stranger()
    reference = prober.store(number, some_blob()).json()[0]
    link = prober.follow(reference).headers.get("Link", "")
    found = re.fullmatch(r'\s*<([^>]*)>\s*;\s*rel="?collection"?\s*', link)
    expect(found, f"Link header {link!r}")
    target = urljoin(urljoin(f"{prober.base}/", reference), found[1])
    equal(target, f"{prober.base}/cps/{number}/ppts", "collection")


def identifiers(prober: Prober) -> None:
    """At least 96 random bits each, and nothing in common."""
    number, seen = stranger(), []
    for _ in range(4):
        seen += prober.store(number, *(some_blob() for _ in range(8))).json()
    names = [reference.rsplit("/", 1)[1] for reference in seen]
    equal(len(set(names)), 32, "different identifiers")
    hexadecimal = all(set(name) <= set(string.hexdigits) for name in names)
    least = 24 if hexadecimal else 16
    for name in names:
        expect(re.fullmatch(r"[A-Za-z0-9._~-]+", name), f"unreserved characters: {name!r}")
        expect(len(name) >= least, f"96 bits: {name!r}")
    for position in range(min(map(len, names)) - 1):
        column = {name[position] for name in names}
        expect(len(column) > 4, f"identifiers agree at position {position}")


def every_item(prober: Prober) -> None:
    """Real or dummy, every listed item can be fetched and is one of the mailbox."""
    number = stranger()
    prober.store(number, some_blob())
    references, before = prober.references(number), set(prober.lines(number))
    found = {}
    for reference in references:
        item = prober.follow(reference)
        if item.status == 200:  # 404 once it has aged out
            found[reference] = item.body.decode().removesuffix("\n")
    after = set(prober.lines(number))
    expect(len(found) >= len(references) - 2, "items that could be fetched")
    expect(len(set(found.values()) - before - after) <= 1, "items that are in the mailbox")


def unknown_item(prober: Prober) -> None:
    number = stranger()
    prober.lines(number)
    answer = prober.request("GET", f"/cps/{number}/ppts/{b64u(bytes(range(16)))}")
    problem(answer, 404, "not-found")


def item_of_another_number(prober: Prober) -> None:
    reference = prober.store(stranger(), some_blob()).json()[0]
    path = f"/cps/{stranger()}/ppts/{reference.rsplit('/', 1)[1]}"
    problem(prober.request("GET", path), 404, "not-found")


# Bodies that are refused


def body_refused(prober: Prober, body: Callable[[], bytes]) -> None:
    problem(prober.store_text(body()), 400, "malformed-blob")


def _text(suite: blob.Suite = blob.S1, size_class: int = 1) -> bytes:
    return blob.to_text(some_blob(suite, size_class)).encode()


def _changed(position: int, octet: int) -> bytes:
    sealed = bytearray(some_blob())
    sealed[position] = octet
    return blob.to_text(bytes(sealed)).encode()


def _unused_bits() -> bytes:
    """4096 octets leave four unused bits in the last character."""
    text = _text()
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    return text[:-1] + alphabet[alphabet.index(chr(text[-1])) | 1].encode()


BODIES = (
    ("no blob at all", lambda: b""),
    ("only a line feed", lambda: b"\n"),
    ("an empty line between", lambda: _text() + b"\n\n" + _text()),
    ("two line feeds at the end", lambda: _text() + b"\n\n"),
    ("CR LF", lambda: _text() + b"\r\n" + _text()),
    ("base64 padding", lambda: _text() + b"="),
    ("unused base64 bits", _unused_bits),
    ("the standard base64 alphabet", lambda: b"+" + _text()[1:]),
    ("a blank", lambda: b" " + _text()),
    ("one octet short", lambda: blob.to_text(some_blob()[:-1]).encode()),
    ("one octet more", lambda: blob.to_text(some_blob() + b"\0").encode()),
    ("version 2", lambda: _changed(0, 2)),
    ("unknown KEM", lambda: _changed(2, 0x77)),
    ("KDF of no suite", lambda: _changed(4, 2)),
    ("AEAD of no suite", lambda: _changed(6, 2)),
    ("size class 2 in 4096 octets", lambda: _changed(7, 2)),
    ("size class 3 in 4096 octets", lambda: _changed(7, 3)),
    ("size class 9", lambda: _changed(7, 9)),
    ("suite S3, not served here", lambda: blob.to_text(by_form(blob.S3)).encode()),
    ("suite S4, not served here", lambda: blob.to_text(by_form(blob.S4)).encode()),
    ("a good and a bad blob", lambda: _text() + b"\n" + _changed(0, 2)),
    ("a token in clear", lambda: b"e30.e30.AA"),
)


def refused_as_a_whole(prober: Prober) -> None:
    """One bad blob, and none of the request is stored."""
    number, good = stranger(), _text()
    problem(prober.store_text(good + b"\n" + _changed(0, 2), number), 400, "malformed-blob")
    expect(good.decode() not in prober.lines(number), "the good blob was not stored")


def nine_blobs(prober: Prober) -> None:
    answer = prober.store(stranger(), *(some_blob() for _ in range(9)))
    problem(answer, 400, "too-many-blobs")


def large_body(prober: Prober) -> None:
    problem(prober.store_text(b"A" * (180 * 1024 + 1)), 413, "body-too-large")


def large_chunked_body(prober: Prober) -> None:
    """The limit holds for a body of undeclared length, too."""
    chunks = (b"A" * 16384 for _ in range(13))
    answer = prober.request("POST", f"/cps/{stranger()}/ppts", chunks, Content_Type=PASSPORT)
    problem(answer, 413, "body-too-large")


def media_type(prober: Prober) -> None:
    for kind in ("text/plain", "application/json", "application/octet-stream", "passport", ""):
        problem(prober.store_text(_text(), kind=kind), 415, "unsupported-media-type")
    answer = prober.request("POST", f"/cps/{stranger()}/ppts", _text())
    problem(answer, 415, "unsupported-media-type")


def media_type_parameters(prober: Prober) -> None:
    for kind in (f"{PASSPORT}; charset=utf-8", "Application/PASSporT", f"{PASSPORT};v=1"):
        equal(prober.store_text(_text(), kind=kind).status, 201, f"status for {kind!r}")


# Numbers in the path


def same_number(prober: Prober) -> None:
    number = stranger()
    sealed = some_blob()
    dotted = f"{number[0]}.{number[1:4]}-{number[4:]}"
    answer = prober.store(f"+{dotted}", sealed)
    equal(answer.status, 201, "status")
    expect(f"/cps/{number}/ppts/" in answer.json()[0], "references name the canonical number")
    for form in (number, f"+{number}", f"%2B{number}", f"%2b{number}", dotted, f"+{dotted}"):
        expect(blob.to_text(sealed) in prober.lines(form), f"the blob is under {form!r}")


def service_numbers(prober: Prober) -> None:
    for form in ("*67", "%2A67", "%2367", "112", "1", "1" * 15, "%31%32"):
        expect(prober.lines(form), f"a mailbox under {form!r}")


def bad_numbers(prober: Prober) -> None:
    forms = (
        "1" * 16, "12a", "abc", "%2B", "+", "++1", "%2B%2B1", "1+2", "1%2B2", "1%202", "%20",
        "-", "%C3%A9", "%00", "1%2F2", "(1)", "%FF", "1;2", "sip:1",
    )  # fmt: skip
    for form in forms:
        for path in (f"/cps/{form}/ppts", f"/keys/{form}"):
            answer = prober.request("GET", path)
            try:
                problem(answer, 400, "malformed-number")
            except AssertionError as error:
                raise AssertionError(f"{path}: {error}") from None
    problem(prober.store_text(_text(), "12a"), 400, "malformed-number")
    problem(prober.put("12a", "e30.e30.AA"), 400, "malformed-number")


# Answers


def accept(prober: Prober) -> None:
    number = stranger()
    for header, kind in (
        (None, JSON), ("*/*", JSON), (JSON, JSON), (PASSPORT, PASSPORT),
        (f"{PASSPORT}, {JSON}", PASSPORT), (f"{JSON}, {PASSPORT}", JSON),
        (f"{PASSPORT};q=0.1, {JSON};q=0.9", PASSPORT), (f"text/html, {PASSPORT}", PASSPORT),
        ("text/html, */*", JSON), (f"{PASSPORT};v=1", PASSPORT), ("APPLICATION/JSON", JSON),
    ):  # fmt: skip
        headers = {"Accept": header} if header else {}
        answer = prober.request("GET", f"/cps/{number}/ppts", **headers)
        equal((answer.status, answer.media_type), (200, kind), f"Accept {header!r}")


def not_acceptable(prober: Prober) -> None:
    for kind in ("text/html", "image/png, text/plain", "application/jose"):
        answer = prober.request("GET", f"/cps/{stranger()}/ppts", Accept=kind)
        problem(answer, 406, "not-acceptable")


def headers(prober: Prober) -> None:
    """No caching, no compression, no cookies, no version string, whatever is asked."""
    number = stranger()
    reference = prober.store(number, some_blob()).json()[0]
    asked = {"Accept_Encoding": "gzip, br, deflate, zstd", "Cookie": "a=b"}
    answers = [
        prober.request("GET", f"/cps/{number}/ppts", Accept=PASSPORT, **asked),
        prober.request("GET", f"/cps/{number}/ppts", **asked),
        prober.request("GET", reference.removeprefix(prober.base.prefix), **asked),
        prober.request("GET", f"/keys/{number}", **asked),
        prober.store(number, some_blob()),
        prober.request("GET", "/nowhere", **asked),
        prober.store_text(b""),
    ]
    for answer in answers:
        expect("no-store" in answer.headers.get("Cache-Control", ""), "Cache-Control")
        equal(answer.headers.get("Content-Encoding", "identity"), "identity", "encoding")
        expect("Set-Cookie" not in answer.headers, "no cookies")
        server = answer.headers.get("Server", "")
        expect(not any(c.isdigit() for c in server), f"Server {server!r}")


def unknown_paths(prober: Prober) -> None:
    for path in ("/", "/nowhere", "/cps", "/cps/1", "/cps/1/other", "/cps/1/ppts/a/b", "/keys"):
        answer = prober.request("GET", path)
        problem(answer, 404, "not-found")


def methods(prober: Prober) -> None:
    number = stranger()
    reference = prober.store(number, some_blob()).json()[0].removeprefix(prober.base.prefix)
    for path, refused in (
        (f"/cps/{number}/ppts", ("PUT", "DELETE", "PATCH")),
        (reference, ("POST", "PUT", "DELETE")),
        (f"/keys/{number}", ("POST", "DELETE", "PATCH")),
        ("/health", ("POST", "PUT", "DELETE")),
    ):
        for method in refused:
            answer = prober.request(method, path)
            try:
                problem(answer, 405, "method-not-allowed")
            except AssertionError as error:
                raise AssertionError(f"{method} {path}: {error}") from None
            expect(answer.headers.get("Allow"), f"Allow for {method} {path}")


def head(prober: Prober) -> None:
    """HEAD is GET without a body, or it is not allowed; never anything else."""
    number = stranger()
    reference = prober.store(number, some_blob()).json()[0].removeprefix(prober.base.prefix)
    for path in (f"/cps/{number}/ppts", reference, f"/keys/{number}", "/health"):
        answer = prober.request("HEAD", path)
        equal(answer.body, b"", f"body of HEAD {path}")
        expect(answer.status in (200, 405), f"HEAD {path}: {answer.status}")


def health(prober: Prober) -> None:
    answer = prober.request("GET", "/health")
    equal((answer.status, answer.media_type), (200, JSON), "status and media type")
    equal(answer.json(), {"status": "ok"}, "body")


def only_tls_1_3(prober: Prober) -> None:
    root = str(prober.arena.lab.tls_root)
    old = ssl.create_default_context(cafile=root)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    address = (prober.base.host, prober.base.port)
    for context, allowed in ((tls_context(root), True), (old, False)):
        try:
            with socket.create_connection(address, 10) as plain:
                with context.wrap_socket(plain, server_hostname=prober.base.host) as secure:
                    version = secure.version()
        except ssl.SSLError:
            version = None
        equal(version, "TLSv1.3" if allowed else None, "TLS version")


def no_plain_http(prober: Prober) -> None:
    with socket.create_connection((prober.base.host, prober.base.port), 10) as plain:
        plain.settimeout(10)
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            answer = plain.recv(64)
        except ConnectionError:
            answer = b""
    expect(not answer.startswith(b"HTTP/1.1 200"), "plain HTTP is answered")


# Life of the process


def graceful_end(arena: Arena) -> None:
    """SIGTERM ends the service by itself, with status 0, and soon."""
    with Serving(arena.command, arena.folder) as serving:
        prober = Prober(arena, serving.base)
        expect(prober.lines(stranger()), "a mailbox before the end")
        equal(serving.terminate(), 0, "exit status")


def no_numbers_in_logs(arena: Arena) -> None:
    """PRV-51: neither numbers nor blobs in what the service prints."""
    number, sealed = stranger(), some_blob()
    with Serving(arena.command, arena.folder) as serving:
        prober = Prober(arena, serving.base)
        prober.store(number, sealed)
        prober.lines(number)
        prober.request("GET", f"/keys/{number}")
        prober.request("GET", f"/cps/{number}x/ppts")
        prober.request("PUT", f"/cps/{number}/ppts")
        serving.terminate()
        printed = serving.log()
    expect(number not in printed, "the number was printed")
    expect(blob.to_text(sealed)[:40] not in printed, "a blob was printed")


GENERAL = (
    ("store and fetch", store_and_fetch),
    ("last line feed", last_line_feed),
    ("eight blobs", eight_blobs),
    ("largest request", largest_request),
    ("Link header", link_header),
    ("item identifiers", identifiers),
    ("every item can be fetched", every_item),
    ("unknown item", unknown_item),
    ("item of another number", item_of_another_number),
    ("one bad blob refuses all", refused_as_a_whole),
    ("nine blobs", nine_blobs),
    ("body too large", large_body),
    ("chunked body too large", large_chunked_body),
    ("media type of a store", media_type),
    ("media type parameters", media_type_parameters),
    ("forms of one number", same_number),
    ("service numbers", service_numbers),
    ("malformed numbers", bad_numbers),
    ("Accept", accept),
    ("not acceptable", not_acceptable),
    ("headers of every answer", headers),
    ("unknown paths", unknown_paths),
    ("methods", methods),
    ("HEAD", head),
    ("health", health),
    ("TLS 1.3 only", only_tls_1_3),
    ("no plain HTTP", no_plain_http),
)


def run(harness: Harness, arena: Arena) -> None:
    prober = Prober(arena)
    for name, action in GENERAL:
        harness.case(f"probe: {name}", action, prober)
    for name, body in BODIES:
        harness.case(f"probe: store refused: {name}", body_refused, prober, body)
    harness.case("probe: graceful end", graceful_end, arena)
    harness.case("probe: nothing of a call in the logs", no_numbers_in_logs, arena)
