"""Base URLs of services (W-3, W-29) and which addresses may be connected to (W-5, W-36)."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from .errors import Refusal
from .numbers import number_in_path


@dataclass(frozen=True)
class BaseUrl:
    """`https://host[:port][/prefix]`, the part before `/cps/…` and `/keys/…`."""

    host: str
    port: int
    prefix: str

    @classmethod
    def parse(cls, text: object) -> "BaseUrl":
        if not isinstance(text, str) or len(text) > 2048 or not text.isascii():
            raise Refusal("malformed_url")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise Refusal("malformed_url") from None
        if parts.scheme != "https" or not host or parts.username is not None:
            raise Refusal("malformed_url")
        if parts.query or parts.fragment or any(c in text for c in " ?#\t\r\n"):
            raise Refusal("malformed_url")
        return cls(host.lower(), 443 if port is None else port, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """Lower-case host, `:port` unless 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"https://{self.authority}{self.prefix}"

    def mailbox(self, number: str) -> str:
        return f"{self.prefix}/cps/{number_in_path(number)}/ppts"

    def keys(self, number: str) -> str:
        return f"{self.prefix}/keys/{number_in_path(number)}"

    def resolve(self, reference: str) -> str:
        """A relative reference as a path on this host (W-4)."""
        return urlsplit(urljoin(str(self) + "/", reference)).path

    def check_address(self, allow_loopback: bool) -> None:
        """Every address of the host must be public; loopback only where a lab says so."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError:
            raise Refusal("service_unreachable", "no address") from None
        for entry in found:
            address = ipaddress.ip_address(entry[4][0].split("%")[0])
            mapped = getattr(address, "ipv4_mapped", None) or address
            if not (mapped.is_global or (allow_loopback and mapped.is_loopback)):
                raise Refusal("address_not_allowed")
