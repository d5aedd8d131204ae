"""What a mailbox looks like from outside: dummies, lifetimes and limits (W-6, W-22)."""

import hashlib
import itertools
import time
from collections.abc import Callable

from peer import blob, hpke
from peer.endpoint import Endpoint

from . import curve25519
from .arena import Arena
from .command import Serving
from .harness import Harness, equal, expect
from .prober import PASSPORT, Prober, problem, some_blob, stranger

SHORT_TTL = 3


def _suites(lines: list[str]) -> list[str]:
    return [blob.inspect(blob.from_text(line))[0].name for line in lines]


def _check_share(line: str) -> None:
    """A genuine KEM share in the ordinary class of its suite (PRV-14)."""
    octets = blob.from_text(line)
    suite, size_class = blob.inspect(octets)
    equal(size_class, 1, "class of a dummy")
    share = octets[blob.HEADER_LEN : blob.HEADER_LEN + suite.enc_len]
    if suite is blob.S1:
        hpke.parse_public(hpke.P256, share)
    else:
        expect(curve25519.plausible(share), "an honest X25519 share")


def dummies_present(prober: Prober) -> None:
    """Never empty: at least two live blobs per served suite, for any number."""
    for _ in range(6):
        lines = prober.lines(stranger())
        equal(len(set(lines)), len(lines), "different blobs")
        found = _suites(lines)
        equal(set(found), {"S1", "S2"}, "suites of a number without statements")
        for suite in ("S1", "S2"):
            expect(2 <= found.count(suite) <= 24, f"{found.count(suite)} dummies of {suite}")


def dummies_genuine(prober: Prober) -> None:
    checked = 0
    for _ in range(4):
        for line in prober.lines(stranger()):
            _check_share(line)
            checked += 1
    expect(checked >= 16, "dummies checked")


def dummies_tell_nothing(prober: Prober) -> None:
    """Two numbers share nothing, and the random area looks random."""
    first, second = (set(prober.lines(stranger())) for _ in range(2))
    expect(not first & second, "blobs of two numbers")
    for line in first | second:
        octets = blob.from_text(line)
        suite, _ = blob.inspect(octets)
        area = octets[blob.HEADER_LEN + suite.enc_len :]
        expect(len(set(area)) > 240, "the rest of a dummy is random")


def dummies_stable(prober: Prober) -> None:
    number = stranger()
    polls = [set(prober.lines(number)) for _ in range(6)]
    for before, after in itertools.pairwise(polls):
        expect(len(before ^ after) <= 2, "blobs that came or went between two polls")


def shuffled(prober: Prober) -> None:
    number = stranger()
    prober.store(number, *(some_blob() for _ in range(4)))
    for poll in (prober.lines, prober.references):
        orders = {tuple(poll(number)) for _ in range(6)}
        sets = {frozenset(order) for order in orders}
        expect(len(orders) > len(sets), "the order of the same blobs changes")


def served_suites(prober: Prober, ttl: int) -> None:
    """W-6: a number with keys serves their suites; dummies of others live out their time."""
    for suite, other in ((blob.S1, blob.S2), (blob.S2, blob.S1)):
        endpoint = Endpoint(prober.arena.lab, prober.arena.number(), str(prober.base))
        endpoint.publish([suite.name])
        end = time.monotonic() + ttl + 1
        equal(prober.store(endpoint.number, some_blob(suite)).status, 201, f"store of {suite.name}")
        problem(prober.store(endpoint.number, some_blob(other)), 400, "malformed-blob")
        while other.name in _suites(prober.lines(endpoint.number)):
            expect(time.monotonic() < end, f"dummies of {other.name} are still born")
        expect(suite.name in _suites(prober.lines(endpoint.number)), "its own suite is served")


def ageing(prober: Prober, ttl: int) -> None:
    """A service with a short lifetime: real blobs and dummies live that long, then are gone."""
    number, stored = stranger(), some_blob()
    born: dict[str, float] = {}
    last: dict[str, float] = {}
    started = time.monotonic()
    reference, stored_at, gone_at = None, 0.0, None
    while (now := time.monotonic()) < started + 4 * ttl:
        if reference is None and now > started + ttl:
            reference = prober.store(number, stored).json()[0]
            stored_at = time.monotonic()
        if reference and gone_at is None:
            item = prober.follow(reference)
            if item.status == 404:
                problem(item, 404, "not-found")
                gone_at = time.monotonic()
        lines = prober.lines(number)
        now = time.monotonic()
        for line in lines:
            expect(now - last.get(line, now) < 1, "a blob came back after it had gone")
            born.setdefault(line, now)
            last[line] = now
        for suite in ("S1", "S2"):
            expect(_suites(lines).count(suite) >= 2, f"live blobs of {suite}")
    expect(gone_at, "the stored blob has gone")
    expect(ttl - 0.5 <= gone_at - stored_at <= ttl + 1, f"lived {gone_at - stored_at:.1f} s")
    complete = [  # births and deaths that were both observed
        last[line] - first for line, first in born.items()
        if first > started + 0.5 and last[line] < now - 1 and line != blob.to_text(stored)
    ]  # fmt: skip
    expect(complete, "dummies whose whole life was seen")
    for age in complete:
        expect(ttl - 0.7 <= age <= ttl + 0.7, f"a dummy lived {age:.1f} s")


def real_limit(prober: Prober) -> None:
    """W-22: at most 200 real blobs; the store beyond succeeds, the answer stays bounded."""
    number, sent = stranger(), set()
    for _ in range(26):
        blobs = [some_blob() for _ in range(8)]
        equal(prober.store(number, *blobs).status, 201, "status")
        sent |= {blob.to_text(b) for b in blobs}
    lines = prober.lines(number)
    expect(len(lines) <= 256, f"{len(lines)} blobs in one answer")
    expect(150 <= len(sent & set(lines)) <= 200, f"{len(sent & set(lines))} real ones")


def answer_limit(prober: Prober) -> None:
    """W-22: 1.5 MiB of encoded body, even if every blob is a large one."""
    number = stranger()
    for _ in range(10):
        blobs = [some_blob(blob.S2, 2) for _ in range(8)]
        equal(prober.store(number, *blobs).status, 201, "status")
    answer = prober.request("GET", f"/cps/{number}/ppts", Accept=PASSPORT)
    expect(len(answer.body) <= 3 * 512 * 1024, f"{len(answer.body)} octets")


def many_clients(prober: Prober) -> None:
    """A fresh connection per request, as different strangers would come."""
    digests = set()
    for _ in range(20):
        other = Prober(prober.arena, str(prober.base))
        lines = other.lines(stranger())
        digests.add(hashlib.sha256("".join(lines).encode()).digest())
    equal(len(digests), 20, "different answers")


MAILBOX = (
    ("dummies present", dummies_present),
    ("dummies genuine", dummies_genuine),
    ("dummies tell nothing", dummies_tell_nothing),
    ("dummies stable", dummies_stable),
    ("answers shuffled", shuffled),
    ("limit of real blobs", real_limit),
    ("limit of an answer", answer_limit),
    ("many clients", many_clients),
)


def run(harness: Harness, arena: Arena) -> None:
    prober = Prober(arena)
    for name, action in MAILBOX:
        harness.case(f"probe: {name}", action, prober)

    def short_life(action: Callable[[Prober, int], None]) -> None:
        with Serving(arena.command, arena.folder, SHORT_TTL) as short:
            action(Prober(arena, short.base), SHORT_TTL)

    harness.case("probe: lifetimes", short_life, ageing)
    harness.case("probe: served suites", short_life, served_suites)
