"""Requests to a service without any opinion about the answer, and what probes share."""

import itertools
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from peer import blob
from peer.client import Client, Response
from peer.urls import BaseUrl

from .arena import Arena
from .harness import equal, expect

PASSPORT = "application/passport"
JSON = "application/json"
JOSE = "application/jose"
LARGE = 4 * 1024 * 1024
_strangers: Iterator[int] = itertools.count(100)


class Prober:
    """Requests without any opinion about the answer."""

    def __init__(self, arena: Arena, base: str | None = None):
        self.arena = arena
        self.base = BaseUrl.parse(base or arena.base)
        self._client = Client(str(arena.lab.tls_root), allow_loopback=True, timeout=15)

    def request(self, method: str, path: str, body=None, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.request(
            "probe", self.base, method, self.base.prefix + path, body, named, LARGE
        )

    def store(self, number: str, *blobs: bytes) -> Response:
        lines = b"\n".join(blob.to_text(b).encode() for b in blobs)
        return self.request("POST", f"/cps/{number}/ppts", lines, Content_Type=PASSPORT)

    def store_text(self, text: bytes, number: str | None = None, kind: str = PASSPORT) -> Response:
        path = f"/cps/{number or stranger()}/ppts"
        return self.request("POST", path, text, Content_Type=kind)

    def references(self, number: str) -> list[str]:
        answer = self.request("GET", f"/cps/{number}/ppts", Accept=JSON)
        equal(answer.status, 200, "status of a collection")
        equal(answer.media_type, JSON, "media type of a collection")
        return answer.json()

    def lines(self, number: str) -> list[str]:
        answer = self.request("GET", f"/cps/{number}/ppts", Accept=PASSPORT)
        equal(answer.status, 200, "status of a mailbox")
        equal(answer.media_type, PASSPORT, "media type of a mailbox")
        return answer.body.decode("ascii").removesuffix("\n").split("\n")

    def follow(self, reference: str) -> Response:
        """Resolves a reference as RFC 3986 says and fetches it from this service."""
        target = urlsplit(urljoin(f"{self.base}/", reference))
        return self._client.request("probe", self.base, "GET", target.path, None, {}, LARGE)

    def put(self, number: str, text: str | bytes, kind: str = JOSE) -> Response:
        octets = text.encode() if isinstance(text, str) else text
        return self.request("PUT", f"/keys/{number}", octets, Content_Type=kind)

    def statements(self, number: str) -> list[str]:
        return self.request("GET", f"/keys/{number}").json()["statements"]


def stranger() -> str:
    """A number nobody has keys for and no other probe uses."""
    return f"1999555{next(_strangers):04}"


def problem(answer: Response, status: int, name: str) -> None:
    """An error answer is exactly this one."""
    found = (answer.status, answer.problem())
    equal(found, (status, name), "status and problem type")
    equal(answer.media_type, "application/problem+json", "media type of an error")
    expect("no-store" in answer.headers.get("Cache-Control", ""), "Cache-Control of an error")


def some_blob(suite: blob.Suite = blob.S1, size_class: int = 1) -> bytes:
    return blob.filler(suite, size_class)


def by_form(suite: blob.Suite) -> bytes:
    """A blob that has only the form of its suite."""
    header = suite.header(suite.classes[0])
    return header.ljust(blob.CLASS_LEN[suite.classes[0]], b"\x55")
