"""Calls between the two implementations, in both directions, with every mix of suites."""

import sys
from pathlib import Path

from .arena import Arena, ring_until_decided
from .command import Command
from .harness import Harness, equal, expect

BOTH = {"verified", "confirmed"}
SUITES = (("S1",), ("S2",), ("S1", "S2"))
AWAIT = 15


def command_calls_peer(arena: Arena, suites: tuple[str, ...]) -> None:
    """The command places, the peer rings and answers, the command tells who answered."""
    caller, callee = arena.published(), arena.endpoint(*suites)
    placing = arena.start_place(caller, callee.number, AWAIT)
    try:
        ringing = ring_until_decided(callee, caller)
        equal(ringing.result.verdict, "verified", f"peer's verdict {ringing.result.reasons}")
        equal(ringing.result.reasons, [], "peer's reasons")
        equal(ringing.opened.count, len(suites), "copies opened")
        ringing.answer()
        equal(ringing.result.reasons, [], "peer's reasons after its answer")
        verdict = placing.finish()
    finally:
        placing.abandon()
    verdict.expect(BOTH)
    equal((verdict.report["orig"], verdict.report["dest"]), (caller, callee.number), "numbers")


def peer_calls_command(arena: Arena, suites: tuple[str, ...]) -> None:
    """The peer places, the command rings and answers, the peer tells who answered."""
    caller, callee = arena.endpoint(*suites), arena.published()
    placement = caller.place(callee)
    stored = placement.store()
    equal((stored.verdict, stored.reasons), ("stored", []), "placement")
    verdict = arena.ring(caller.number, callee, answer=True)
    verdict.expect(BOTH)
    equal((verdict.report["orig"], verdict.report["dest"]), (caller.number, callee), "numbers")
    expect(verdict.report["blobs"]["opened"] >= 1, "a blob was opened")
    answered = placement.await_answer(AWAIT)
    equal(answered.verdict, "verified", f"peer's verdict {answered.reasons}")
    equal(answered.reasons, [], "peer's reasons")


def peer_calls_peer(arena: Arena, suites: tuple[str, ...]) -> None:
    """Both ends are the peer, the service is not."""
    caller, callee = arena.endpoint(*suites), arena.endpoint(*suites)
    placement = caller.place(callee.number)
    equal(placement.store().verdict, "stored", "placement")
    ringing = callee.ring(caller.number)
    equal(ringing.result.verdict, "verified", f"callee {ringing.result.reasons}")
    ringing.answer()
    answered = placement.await_answer(AWAIT)
    equal(answered.verdict, "verified", f"caller {answered.reasons}")


def command_calls_command(arena: Arena) -> None:
    """Both ends are the command, the service is the peer's."""
    caller, callee = arena.published(), arena.published()
    placing = arena.start_place(caller, callee, AWAIT)
    try:
        ring = arena.command.ring_until_decided
        ring(arena.folder, arena.base, caller, callee, answer=True).expect(BOTH)
        placing.finish().expect(BOTH)
    finally:
        placing.abandon()


def by_command_line(arena: Arena) -> None:
    """The peer's own command line speaks the same JSON contract."""
    script = Path(__file__).resolve().parent.parent / "peer_command.py"
    peer = Command([sys.executable, str(script)])
    caller, callee = arena.number(), arena.published()
    peer.publish(arena.folder, caller, arena.base)
    placing = peer.start_place(arena.folder, arena.base, caller, callee, AWAIT)
    try:
        ring = arena.command.ring_until_decided
        ring(arena.folder, arena.base, caller, callee, answer=True).expect(BOTH)
        placing.finish().expect(BOTH)
    finally:
        placing.abandon()


def stored_only(arena: Arena) -> None:
    """`place` without `--await-answer` ends as soon as the blobs are stored."""
    caller, callee = arena.published(), arena.endpoint("S1", "S2")
    arena.place(caller, callee.number).expect({"stored"})
    ringing = callee.ring(caller)
    equal(ringing.result.verdict, "verified", f"peer's verdict {ringing.result.reasons}")


def renewed_keys(arena: Arena) -> None:
    """After a second `publish`, a call sealed to the keys of the first one still opens."""
    callee, caller = arena.published(), arena.endpoint()
    placement = caller.place(callee, ask_answer=False)
    arena.command.publish(arena.folder, callee, arena.base)
    found = caller.client.lookup(caller.base, callee)
    equal(len(found), 1, "statements after the second publish")
    equal(placement.store().verdict, "stored", "placement to the old keys")
    arena.ring(caller.number, callee).expect(BOTH)


def signalled_with_plus(arena: Arena) -> None:
    """Signalling writes numbers with `+`; both ends compare canonical numbers."""
    caller, callee = arena.endpoint(), arena.published()
    equal(caller.place(callee, ask_answer=False).store().verdict, "stored", "placement")
    arena.ring(f"+{caller.number}", f"+{callee}").expect(BOTH)


def nobody_calls(arena: Arena) -> None:
    """No call, no record; the service's dummies are received and none opens."""
    verdict = arena.ring(arena.number(), arena.published())
    verdict.expect({"no_record"})
    equal(verdict.report["blobs"]["opened"], 0, "blobs opened")
    expect(verdict.report["blobs"]["received"] >= 2, "dummies received")


def withheld(arena: Arena) -> None:
    """W-38: without a calling number there is nothing to compare."""
    arena.ring(None, arena.published()).expect({"no_record"}, {"caller_withheld"})


def unknown_callee(arena: Arena) -> None:
    """W-37: nobody has published keys, the call may still be dialled."""
    arena.place(arena.published(), arena.number()).expect({"unprotected"}, {"no_usable_key"})


def run(harness: Harness, where: str, arena: Arena) -> None:
    for suites in SUITES:
        named = "+".join(suites)
        for name, action in (
            ("command calls peer", command_calls_peer),
            ("peer calls command", peer_calls_command),
            ("peer calls peer", peer_calls_peer),
        ):
            harness.case(f"{where}: {name}, {named}", action, arena, suites)
    for name, action in (
        ("command calls command", command_calls_command),
        ("peer's command line calls command", by_command_line),
        ("place without waiting", stored_only),
        ("ring after the keys were renewed", renewed_keys),
        ("numbers signalled with plus", signalled_with_plus),
        ("nobody calls", nobody_calls),
        ("calling number withheld", withheld),
        ("callee without keys", unknown_callee),
    ):
        harness.case(f"{where}: {name}", action, arena)
