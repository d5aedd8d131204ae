"""A directory that lies and a service that fails; the service is the peer's own."""

import time
from collections.abc import Callable

from peer import certs, hpke, jws, statement
from peer.client import free_port
from peer.endpoint import Endpoint

from .arena import Arena
from .harness import Harness, equal


def _own_statement(arena: Arena, callee: Endpoint, credential=None, **claims) -> str:
    """A statement of `callee` with some claims replaced."""
    now, credential = int(time.time()), credential or callee.credential
    public = hpke.public_octets(hpke.generate(hpke.P256))
    payload = statement.payload(
        callee.number, [statement.key_object("S1", public)], [arena.base], now, now, now + 3600
    )
    header = statement.header(credential.x5u, certs.to_x5c(credential.chain))
    header["typ"] = claims.pop("typ", statement.TYPE)
    return jws.sign(header, payload | claims, credential.key)


def _stranger(arena: Arena, callee: Endpoint) -> str:
    return _own_statement(arena, callee, arena.lab.credential(arena.number()))


def _low_order(arena: Arena, callee: Endpoint) -> str:
    return _own_statement(arena, callee, keys=[statement.key_object("S2", bytes(32))])


def _damaged(arena: Arena, callee: Endpoint) -> str:
    text = _own_statement(arena, callee)
    return text[:-6] + ("AAAAAA" if not text.endswith("AAAAAA") else "BBBBBA")


def _past(arena: Arena, callee: Endpoint) -> str:
    now = int(time.time())
    return _own_statement(arena, callee, iat=now - 900, exp=now - 60)


def _inline_form(arena: Arena, callee: Endpoint) -> str:
    callee.publish(["S1"])
    return callee.state.values["inline"]


LIES = (
    ("signed by another number", _stranger),
    ("expired", _past),
    ("typ passport", lambda arena, callee: _own_statement(arena, callee, typ="passport")),
    ("for another number only",
     lambda arena, callee: _own_statement(arena, callee, sub={"tn": [arena.number()]})),
    ("low-order key", _low_order),
    ("signature damaged", _damaged),
    ("lifetime of 8 days",
     lambda arena, callee: _own_statement(arena, callee, exp=int(time.time()) + 8 * 86400)),
    ("service not https",
     lambda arena, callee: _own_statement(arena, callee, cps=["http://localhost:1"])),
    ("from the future",
     lambda arena, callee: _own_statement(arena, callee, iat=int(time.time()) + 600)),
    ("without certificates", _inline_form),
    ("not a statement", lambda arena, callee: "a.b.c"),
)  # fmt: skip


def one_lie(arena: Arena, service, make: Callable) -> None:
    callee = arena.endpoint()
    service.forced[callee.number] = [make(arena, callee)]
    verdict = arena.place(arena.published(), callee.number)
    verdict.expect({"unprotected"}, {"no_usable_key"})


def lie_beside_truth(arena: Arena, service) -> None:
    """A bad statement in the answer does not take the good one away."""
    callee = arena.endpoint("S1")
    good = callee.client.lookup(callee.base, callee.number)
    service.forced[callee.number] = [_stranger(arena, callee), *good]
    caller = arena.published()
    arena.place(caller, callee.number).expect({"stored"})
    ringing = callee.ring(caller)
    equal(ringing.result.verdict, "verified", f"peer's verdict {ringing.result.reasons}")


def rollback(arena: Arena, service) -> None:
    """PRV-37: an older statement of the same signer, after a newer one was seen."""
    callee, caller = arena.endpoint(), arena.published()
    newer = _own_statement(arena, callee, seq=7)
    older = _own_statement(arena, callee, seq=6, exp=int(time.time()) + 7200)
    service.forced[callee.number] = [newer]
    arena.place(caller, callee.number).expect({"stored"})
    service.forced[callee.number] = [older]
    again = arena.place(caller, callee.number)
    if again.verdict != "stored":  # a caller that still holds the newer one need not ask
        again.expect({"unprotected"}, {"sequence_rollback", "no_usable_key"})


FAULTS = (
    ("answers 503", (503, "text/plain", b"")),
    ("redirects", (302, "text/plain", b"")),
    ("answers HTML", (200, "text/html", b"<html></html>")),
    ("answers an object", (200, "application/json", b"{}")),
)


def fault_while_ringing(arena: Arena, service, answer: tuple) -> None:
    to = arena.published()
    service.fault = lambda method, path: answer if path.startswith("/cps/") else None
    try:
        verdict = arena.ring(arena.number(), to)
    finally:
        service.fault = lambda method, path: None
    verdict.expect({"unavailable"})


def fault_while_placing(arena: Arena, service, answer: tuple) -> None:
    caller, callee = arena.published(), arena.endpoint("S1")
    service.fault = lambda method, path: answer if method == "POST" else None
    try:
        verdict = arena.place(caller, callee.number)
    finally:
        service.fault = lambda method, path: None
    verdict.expect({"unprotected"})


def fault_in_directory(arena: Arena, service, answer: tuple) -> None:
    caller, callee = arena.published(), arena.endpoint("S1")
    service.fault = lambda method, path: answer if path.startswith("/keys/") else None
    try:
        verdict = arena.place(caller, callee.number)
    finally:
        service.fault = lambda method, path: None
    verdict.expect({"unprotected"})


def nobody_listens(arena: Arena) -> None:
    """No service at all, after the keys were published: typed outcomes, not errors."""
    caller, to = arena.published(), arena.published()
    base = f"https://localhost:{free_port()}"
    ring = arena.command.ring(arena.folder, base, caller, to)
    ring.expect({"unavailable"})
    arena.command.place(arena.folder, base, caller, to).expect({"unprotected"})


def run(harness: Harness, arena: Arena, service) -> None:
    for name, make in LIES:
        harness.case(f"directory lies: {name}", one_lie, arena, service, make)
    harness.case("directory lies: beside the truth", lie_beside_truth, arena, service)
    harness.case("directory lies: rollback", rollback, arena, service)
    for name, answer in FAULTS:
        harness.case(f"service {name} while ringing", fault_while_ringing, arena, service, answer)
        harness.case(f"service {name} while placing", fault_while_placing, arena, service, answer)
        harness.case(f"directory {name}", fault_in_directory, arena, service, answer)
    harness.case("service: nobody listens", nobody_listens, arena)
