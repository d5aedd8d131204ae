"""The content object inside a blob: a call announcement, an answer, or a state report."""

import os
import time
from dataclasses import dataclass
from typing import Any

from . import certs
from .encoding import b64u, b64u_decode, compact, is_integer, parse_object
from .errors import Refusal

STATES = ("alerting", "answered", "gone")


@dataclass(frozen=True)
class Content:
    """A parsed content object."""

    nonce: str
    ppts: list[str]
    x5c: list | None
    cps: str | None
    ksd: str | None
    rsp: dict | None
    state: str | None
    state_time: int | None

    def bag(self) -> list:
        """The certificates that travel with every token of this content (W-1)."""
        return [] if self.x5c is None else certs.from_x5c(self.x5c)


def new_nonce() -> str:
    """One value per call attempt."""
    return b64u(os.urandom(16))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def serialise(
    nonce: str,
    ppts: list[str] | None = None,
    x5c: list[str] | None = None,
    cps: str | None = None,
    ksd: str | None = None,
    rsp: dict | None = None,
    st: dict | None = None,
    **extra: Any,
) -> bytes:
    """Content octets; members that are None are left out."""
    members = {"v": 1, "ppts": ppts, "x5c": x5c, "cps": cps, "ksd": ksd, "n": nonce}
    members |= {"rsp": rsp, "st": st, **extra}
    return compact({name: v for name, v in members.items() if v is not None}).encode()


def parse(octets: bytes) -> Content:
    """Parses content octets; unknown members are ignored."""
    value = parse_object(octets, "malformed_content")
    if value.get("v") != 1 or not is_integer(value["v"]):
        raise Refusal("malformed_content", "v")
    if len(b64u_decode(value.get("n"), "malformed_content")) != 16:
        raise Refusal("malformed_content", "n")
    ppts, st, rsp, x5c = (value.get(name) for name in ("ppts", "st", "rsp", "x5c"))
    if ppts is None and st is None:
        raise Refusal("malformed_content", "neither a PASSporT nor a state")
    if ppts is not None:
        if not isinstance(ppts, list) or not 1 <= len(ppts) <= 8:
            raise Refusal("malformed_content", "ppts")
        if not all(isinstance(token, str) for token in ppts):
            raise Refusal("malformed_content", "ppts")
    if st is not None:
        if not isinstance(st, dict) or st.get("s") not in STATES or not is_integer(st.get("t")):
            raise Refusal("malformed_content", "st")
    if rsp is not None and not isinstance(rsp, dict):
        raise Refusal("malformed_content", "rsp")
    if x5c is not None and not isinstance(x5c, list):
        raise Refusal("malformed_content", "x5c")
    for name in ("cps", "ksd"):
        if value.get(name) is not None and not isinstance(value[name], str):
            raise Refusal("malformed_content", name)
    return Content(
        nonce=value["n"],
        ppts=ppts or [],
        x5c=x5c,
        cps=value.get("cps"),
        ksd=value.get("ksd"),
        rsp=rsp,
        state=st["s"] if st else None,
        state_time=st["t"] if st else None,
    )
