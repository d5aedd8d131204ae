"""HTTPS as the protocol wants it: TLS 1.3, a connection per role, no redirects, bounded bodies."""

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from email.message import Message

from .encoding import parse_json, parse_object
from .errors import Refusal
from .urls import BaseUrl

USER_AGENT = "oob-endpoint"  # constant: it must not tell devices apart (PRV-7)
MAX_MAILBOX_LEN = 3 * 512 * 1024  # W-22
MAX_DIRECTORY_LEN = 16384
MAX_SMALL_LEN = 65536
_PROBLEMS = {
    "urn:ringtrue:problem:over-limit": "over_limit",
    "urn:ringtrue:problem:token-required": "token_required",
    "urn:ringtrue:problem:token-rejected": "token_rejected",
    "urn:ringtrue:problem:superseded-statement": "statement_superseded",
    "urn:ringtrue:problem:malformed-statement": "statement_rejected",
    "urn:ringtrue:problem:untrusted-statement": "statement_rejected",
}


@dataclass(frozen=True)
class Response:
    status: int
    headers: Message
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()

    def json(self):
        return parse_json(self.body)

    def problem(self) -> str:
        """The name of the problem type, or an empty string."""
        if self.media_type != "application/problem+json":
            return ""
        kind = json.loads(self.body).get("type", "")
        return kind.removeprefix("urn:ringtrue:problem:")


def tls_context(root: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=root)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


class Client:
    """Connections are kept per role and authority and never shared between roles (PRV-50)."""

    def __init__(self, root: str | None, allow_loopback: bool, timeout: float = 20.0):
        self._context = tls_context(root)
        self._allow_loopback = allow_loopback
        self._timeout = timeout
        self._pool: dict[tuple[str, str], http.client.HTTPSConnection] = {}

    def request(
        self,
        role: str,
        base: BaseUrl,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        limit: int = MAX_SMALL_LEN,
    ) -> Response:
        """One exchange; raises a Refusal when there is no usable answer at all."""
        headers = {"User-Agent": USER_AGENT, **(headers or {})}
        key = (role, base.authority)
        kept = self._pool.pop(key, None)
        for connection in (kept, None) if kept else (None,):
            if connection is None:
                base.check_address(self._allow_loopback)
                connection = http.client.HTTPSConnection(
                    base.host, base.port, timeout=self._timeout, context=self._context
                )
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                octets = answer.read(limit + 1)
            except ssl.SSLCertVerificationError as error:
                raise Refusal("tls_failed", str(error)) from None
            except TimeoutError:
                raise Refusal("deadline_passed") from None
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if connection is kept:
                    continue  # the service closed an idle connection
                reason = "tls_failed" if isinstance(error, ssl.SSLError) else "service_unreachable"
                raise Refusal(reason, str(error)) from None
            if len(octets) > limit:
                connection.close()
                raise Refusal("answer_too_large")
            self._pool[key] = connection
            return Response(answer.status, answer.headers, octets)
        raise Refusal("service_unreachable")

    # The requests of the protocol.

    def store(self, base: BaseUrl, number: str, lines: list[str]) -> list[str]:
        """Stores one to eight blobs and returns the references of the items."""
        body = "\n".join(lines).encode("ascii")
        answer = self.request(
            "store", base, "POST", base.mailbox(number), body,
            {"Content-Type": "application/passport"},
        )  # fmt: skip
        if answer.status != 201:
            raise failure(answer)
        references = answer.json()
        if not isinstance(references, list) or len(references) != len(lines):
            raise Refusal("malformed_answer")
        return references

    def retrieve(self, base: BaseUrl, number: str) -> list[str]:
        """Every blob of a mailbox as text lines."""
        answer = self.request(
            "retrieve", base, "GET", base.mailbox(number), None,
            {"Accept": "application/passport"}, MAX_MAILBOX_LEN + 256,
        )  # fmt: skip
        if answer.status != 200:
            raise failure(answer)
        if answer.media_type != "application/passport":
            raise Refusal("malformed_answer", "media type")
        try:
            return answer.body.decode("ascii").removesuffix("\n").split("\n")
        except ValueError:
            raise Refusal("malformed_answer") from None

    def publish(self, base: BaseUrl, number: str, statement: str) -> None:
        answer = self.request(
            "publish", base, "PUT", base.keys(number), statement.encode("ascii"),
            {"Content-Type": "application/jose"},
        )  # fmt: skip
        if answer.status != 204:
            raise failure(answer)

    def lookup(self, base: BaseUrl, number: str) -> list[str]:
        """The statements that the directory holds for a number. They prove nothing yet."""
        answer = self.request(
            "lookup", base, "GET", base.keys(number), limit=MAX_DIRECTORY_LEN,
        )  # fmt: skip
        if answer.status != 200:
            raise failure(answer)
        statements = parse_object(answer.body, "malformed_answer").get("statements")
        if not isinstance(statements, list) or not all(isinstance(s, str) for s in statements):
            raise Refusal("malformed_answer")
        return statements


def failure(answer: Response) -> Refusal:
    """The reason for an answer that is not the one that was asked for."""
    if 300 <= answer.status < 400:
        return Refusal("redirected")
    try:
        kind = f"urn:ringtrue:problem:{answer.problem()}"
    except (ValueError, AttributeError):
        kind = ""
    return Refusal(_PROBLEMS.get(kind, "service_error"), f"{answer.status} {kind}")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
