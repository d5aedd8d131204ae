"""A second Call Placement Service and key directory, small enough to read in one go.

It exists for self-tests and as another service for the project's endpoints to talk to; it keeps
everything in memory and answers as the RFC 8816 profile and the key directory are specified.
"""

import json
import signal
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import blob, jws, statement
from .dummies import Mailbox
from .errors import Refusal
from .lab import Lab
from .numbers import number_from_path, number_in_path

MAX_BODY_LEN = 180 * 1024  # W-20
MAX_STATEMENTS = 8  # W-16
SEQ_MEMORY = 86400  # W-11
_STATUS = {
    "malformed-number": 400, "malformed-blob": 400, "too-many-blobs": 400,
    "malformed-statement": 400, "untrusted-statement": 403, "not-found": 404,
    "method-not-allowed": 405, "not-acceptable": 406, "superseded-statement": 409,
    "body-too-large": 413, "unsupported-media-type": 415, "unavailable": 503,
}  # fmt: skip


class Problem(Exception):
    """An error answer (RFC 9457)."""

    def __init__(self, name: str, **headers: str):
        super().__init__(name)
        self.name, self.status, self.headers = name, _STATUS[name], headers


@dataclass(frozen=True)
class Kept:
    """A statement in the directory."""

    found: statement.Statement
    arrival: int


class Service:
    """The state behind the requests. `forced` and `fault` make it lie, for tests."""

    def __init__(self, anchors, ttl: float = 30.0):
        self._anchors, self._ttl = anchors, ttl
        self._lock = threading.Lock()
        self._mailboxes: dict[str, Mailbox] = {}
        self._kept: dict[str, list[Kept]] = {}
        self._seq: dict[tuple[str, bytes], tuple[int, float]] = {}
        self._arrivals = 0
        self.draining = False
        self.forced: dict[str, list[str]] = {}
        # Method and path to (status, media type, body), or None to answer truthfully.
        self.fault: Callable[[str, str], tuple | None] = lambda method, path: None

    def _live(self, number: str) -> list[Kept]:
        now = time.time()
        kept = [k for k in self._kept.get(number, []) if k.found.exp > now]
        self._kept[number] = kept
        return sorted(kept, key=lambda k: (-k.found.iat, -k.arrival))[:MAX_STATEMENTS]

    def _served(self, number: str) -> dict[str, int]:
        keys = [key for kept in self._live(number) for key in kept.found.keys]
        if not keys:
            return {"S1": 1, "S2": 1}
        names = [key.suite.name for key in keys]
        return {name: names.count(name) for name in names if name in blob.SEALED}

    def _mailbox(self, number: str, now: float) -> Mailbox:
        mailbox = self._mailboxes.setdefault(number, Mailbox(self._ttl))
        mailbox.advance(self._served(number), now)
        return mailbox

    def store(self, number: str, body: bytes) -> list[str]:
        """Returns the identifiers of the items in request order."""
        try:
            lines = body.decode("ascii").removesuffix("\n").split("\n")
            if len(lines) > 8:
                raise Problem("too-many-blobs")
            blobs = [blob.from_text(line) for line in lines]
            suites = [blob.inspect(octets)[0].name for octets in blobs]
        except (Refusal, UnicodeDecodeError):
            raise Problem("malformed-blob") from None
        with self._lock:
            served, now = self._served(number), time.monotonic()
            if not set(suites) <= set(served):
                raise Problem("malformed-blob")
            mailbox = self._mailbox(number, now)
            return [
                mailbox.store(octets, suite, served[suite], now)
                for octets, suite in zip(blobs, suites)
            ]

    def retrieve(self, number: str) -> list[tuple[str, bytes]]:
        with self._lock:
            return self._mailbox(number, time.monotonic()).shuffled()

    def item(self, number: str, identifier: str) -> bytes:
        with self._lock:
            octets = self._mailbox(number, time.monotonic()).get(identifier)
        if octets is None:
            raise Problem("not-found")
        return octets

    def publish(self, number: str, body: bytes) -> None:
        if len(body.removesuffix(b"\n")) > jws.MAX_TOKEN_LEN:
            raise Problem("body-too-large")
        now = int(time.time())
        try:
            text = body.decode("ascii").removesuffix("\n")
            found = statement.verify(text, self._anchors, now, number)
        except (Refusal, UnicodeDecodeError) as error:
            trusted = getattr(error, "reason", "") not in statement.UNTRUSTED
            raise Problem("malformed-statement" if trusted else "untrusted-statement") from None
        with self._lock:
            others = []
            for kept in self._live(number):
                if kept.found.signer != found.signer:
                    others.append(kept)
                elif kept.found.digest == found.digest:
                    return
            highest, forget = self._seq.get((number, found.signer), (-1, 0.0))
            if found.seq <= highest and now < forget:
                raise Problem("superseded-statement")
            self._seq[number, found.signer] = (found.seq, found.exp + SEQ_MEMORY)
            self._arrivals += 1
            self._kept[number] = [*others, Kept(found, self._arrivals)]

    def lookup(self, number: str) -> bytes:
        """The directory answer, always padded to one of two sizes."""
        with self._lock:
            texts = self.forced.get(number) or [kept.found.text for kept in self._live(number)]
        while True:
            bare = json.dumps({"statements": texts, "pad": ""}, separators=(",", ":"))
            for size in (8192, 16384):
                if len(bare) <= size:
                    return bare.replace('"pad":""', f'"pad":"{"0" * (size - len(bare))}"').encode()
            texts = texts[:-1]


def _media_type(value: str) -> str:
    return value.split(";")[0].strip().lower()


def _accepted(header: str | None, offered: list[str]) -> str:
    """W-21: the first supported type named wins; weights are ignored."""
    named = [_media_type(part) for part in (header or "*/*").split(",") if part.strip()]
    for kind in named or ["*/*"]:
        if kind in offered:
            return kind
        if kind in ("*/*", "application/*"):
            return offered[0]
    raise Problem("not-acceptable")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    @property
    def service(self) -> Service:
        return self.server.service

    def setup(self):
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def log_message(self, *arguments):
        """No logs: they would hold numbers."""

    def send(self, status: int, body: bytes = b"", kind: str = "", **headers: str) -> None:
        self.send_response_only(status)
        self.send_header("Cache-Control", "no-store")
        if kind:
            self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            octets = b""
            while size := int(self.rfile.readline(16).split(b";")[0], 16):
                if len(octets) + size > MAX_BODY_LEN:
                    self.close_connection = True
                    raise Problem("body-too-large")
                octets += self.rfile.read(size)
                self.rfile.readline(4)
            self.rfile.readline(4)
            return octets
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_LEN:
            self.close_connection = True
            raise Problem("body-too-large")
        return self.rfile.read(length)

    def expect(self, kind: str) -> None:
        if _media_type(self.headers.get("Content-Type") or "") != kind:
            self.body()
            raise Problem("unsupported-media-type")

    def route(self) -> None:
        path = self.path.split("?")[0]
        fault = self.service.fault(self.command, path)
        if fault:
            status, kind, body = fault
            self.body()
            self.send(status, body, kind)
            return
        parts = path.split("/")[1:]
        match parts:
            case ["health"]:
                self.only("GET")
                if self.service.draining:
                    raise Problem("unavailable")
                self.send(200, b'{"status":"ok"}', "application/json")
            case ["cps", number, "ppts"]:
                self.only("GET", "POST")
                self.collection(number_from_path(number))
            case ["cps", number, "ppts", identifier] if identifier:
                self.only("GET")
                self.item(number_from_path(number), identifier)
            case ["keys", number]:
                self.only("GET", "PUT")
                self.keys(number_from_path(number))
            case _:
                raise Problem("not-found")

    def only(self, *methods: str) -> None:
        allowed = [*methods, "HEAD"] if "GET" in methods else list(methods)
        if self.command not in allowed:
            raise Problem("method-not-allowed", Allow=", ".join(allowed))

    def collection(self, number: str) -> None:
        base = f"/cps/{number_in_path(number)}/ppts"
        if self.command == "POST":
            self.expect("application/passport")
            identifiers = self.service.store(number, self.body())
            references = [f"{base}/{identifier}" for identifier in identifiers]
            self.send(
                201, json.dumps(references).encode(), "application/json", Location=references[0]
            )
            return
        kind = _accepted(self.headers.get("Accept"), ["application/json", "application/passport"])
        items = self.service.retrieve(number)
        if kind == "application/json":
            body = json.dumps([f"{base}/{identifier}" for identifier, _ in items])
        else:
            body = "".join(blob.to_text(octets) + "\n" for _, octets in items)
        self.send(200, body.encode(), kind)

    def item(self, number: str, identifier: str) -> None:
        body = blob.to_text(self.service.item(number, identifier)).encode() + b"\n"
        link = f'</cps/{number_in_path(number)}/ppts>; rel="collection"'
        self.send(200, body, "application/passport", Link=link)

    def keys(self, number: str) -> None:
        if self.command == "PUT":
            self.expect("application/jose")
            self.service.publish(number, self.body())
            self.send(204)
            return
        _accepted(self.headers.get("Accept"), ["application/json"])
        self.send(200, self.service.lookup(number), "application/json")

    def handle_any(self) -> None:
        try:
            self.route()
        except Problem as problem:
            name = problem.name
            self.problem(name, problem.status, problem.headers)
        except Refusal:
            self.problem("malformed-number", 400, {})

    def problem(self, name: str, status: int, headers: dict[str, str]) -> None:
        if self.command in ("POST", "PUT"):
            self.close_connection = True  # the body may not have been read
        body = json.dumps({"type": f"urn:ringtrue:problem:{name}", "status": status})
        self.send(status, body.encode(), "application/problem+json", **headers)
        if self.close_connection:
            self.linger()

    def linger(self) -> None:
        """Reads what the client still sends: a reset could overtake the answer."""
        self.connection.settimeout(2)
        try:
            for _ in range(64):
                if not self.rfile.read1(65536):
                    break
        except OSError:
            pass

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], lab: Lab, ttl: float):
        self.service = Service(lab.anchors, ttl)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.load_cert_chain(lab.folder / "tls.pem", lab.folder / "tls.key")
        super().__init__(address, Handler)

    @property
    def base(self) -> str:
        return f"https://localhost:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """A client that goes away is not worth a line."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()


def run(lab: Lab, listen: str, ttl: float) -> int:
    """Serves until SIGTERM or SIGINT."""
    host, _, port = listen.rpartition(":")
    server = Server((host, int(port)), lab, ttl)

    def stop(*_):
        server.service.draining = True
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    return 0
