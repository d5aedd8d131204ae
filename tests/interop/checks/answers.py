"""Answers: by the wrong party or for another call, and where an answer may be sent at all."""

import json
import time
from collections.abc import Callable

from peer import certs, content, jws, passport, statement
from peer.encoding import b64u, b64u_decode
from peer.endpoint import Parcel, Placement, Ringing

from .arena import Arena, ring_until_decided
from .attacks import GOOD, NOTHING, REFUSED
from .harness import Harness, equal

# The command under test is the caller


class Reply:
    """An answer to be changed before it is stored."""

    def __init__(self, ringing: Ringing):
        self.ringing, self.endpoint = ringing, ringing.endpoint
        self.parcel: Parcel = ringing.reply()
        self.header = passport.header(self.endpoint.credential.x5u, "rsp")
        self.claims = dict(ringing.result.evidence.passport.jws.payload)
        self.claims = {name: self.claims[name] for name in ("dest", "orig")}
        self.claims["iat"] = int(time.time())
        self.key = self.endpoint.credential.key

    def sign(self) -> None:
        self.parcel.members["ppts"] = [jws.sign(self.header, self.claims, self.key)]

    def store(self) -> None:
        self.parcel.store(self.endpoint.client)


def rsp_by_wrong_party(arena: Arena, reply: Reply) -> None:
    other = arena.lab.credential(arena.number())
    reply.key = other.key
    reply.parcel.members["x5c"] = certs.to_x5c(other.chain)


def rsp_by_caller(arena: Arena, reply: Reply) -> None:
    """Covering `orig` is not enough: an rsp vouches for `dest`."""
    other = arena.lab.credential(reply.ringing.caller)
    reply.key = other.key
    reply.parcel.members["x5c"] = certs.to_x5c(other.chain)


def rsp_other_nonce(arena: Arena, reply: Reply) -> None:
    reply.parcel.members["nonce"] = content.new_nonce()


def rsp_other_dest(arena: Arena, reply: Reply) -> None:
    other = arena.number()
    credential = arena.lab.credential(other)
    reply.claims["dest"], reply.key = {"tn": [other]}, credential.key
    reply.parcel.members["x5c"] = certs.to_x5c(credential.chain)


def rsp_other_orig(arena: Arena, reply: Reply) -> None:
    reply.claims["orig"] = {"tn": arena.number()}


def rsp_stale(arena: Arena, reply: Reply) -> None:
    reply.claims["iat"] -= 120


def rsp_in_future(arena: Arena, reply: Reply) -> None:
    reply.claims["iat"] += 60


def rsp_without_type(arena: Arena, reply: Reply) -> None:
    del reply.header["ppt"]


def rsp_is_the_announcement(arena: Arena, reply: Reply) -> None:
    """The caller's own PASSporT comes back."""
    found = reply.ringing.evidence_content()
    reply.parcel.members |= {"ppts": found.ppts, "x5c": found.x5c}
    reply.sign = lambda: None


def rsp_damaged(arena: Arena, reply: Reply) -> None:
    reply.sign()
    head, signature = reply.parcel.members["ppts"][0].rsplit(".", 1)
    octets = bytearray(b64u_decode(signature))
    octets[5] ^= 1
    reply.parcel.members["ppts"] = [f"{head}.{b64u(bytes(octets))}"]
    reply.sign = lambda: None


def rsp_wrong_algorithm(arena: Arena, reply: Reply) -> None:
    reply.header["alg"] = "ES384"


UNNAMED = REFUSED | NOTHING
ANSWERS = (
    ("by a certificate for another number", rsp_by_wrong_party, REFUSED, {"number_not_covered"}),
    ("by the caller's own certificate", rsp_by_caller, REFUSED, {"number_not_covered"}),
    ("under another call nonce", rsp_other_nonce, UNNAMED, set()),
    ("for another dest", rsp_other_dest, REFUSED, {"dest_mismatch", "number_not_covered"}),
    ("for another orig", rsp_other_orig, UNNAMED, set()),
    ("two minutes old", rsp_stale, REFUSED, {"rsp_before_call", "iat_stale"}),
    ("from the future", rsp_in_future, REFUSED, {"iat_in_future"}),
    ("without ppt", rsp_without_type, UNNAMED, {"unexpected_rsp"}),
    ("that is the announcement itself", rsp_is_the_announcement, UNNAMED, {"unexpected_rsp"}),
    ("with a damaged signature", rsp_damaged, REFUSED, {"signature_invalid"}),
    ("with alg ES384", rsp_wrong_algorithm, REFUSED, {"algorithm_not_allowed"}),
)  # fmt: skip


def one_answer(arena: Arena, change: Callable, verdicts: set[str], reasons: set[str]) -> None:
    caller, callee = arena.published(), arena.endpoint("S1")
    placing = arena.start_place(caller, callee.number, 4)
    try:
        ringing = ring_until_decided(callee, caller)
        equal(ringing.result.verdict, "verified", f"peer's verdict {ringing.result.reasons}")
        reply = Reply(ringing)
        change(arena, reply)
        reply.sign()
        reply.store()
        placing.finish().expect(verdicts, reasons)
    finally:
        placing.abandon()


def no_answer(arena: Arena) -> None:
    placing = arena.start_place(arena.published(), arena.endpoint("S1").number, 2)
    placing.finish().expect(NOTHING)


def bad_then_good_answer(arena: Arena) -> None:
    """A stranger's answer beside the true one does no harm: one good token is enough."""
    caller, callee = arena.published(), arena.endpoint("S1")
    placing = arena.start_place(caller, callee.number, 8)
    try:
        ringing = ring_until_decided(callee, caller)
        equal(ringing.result.verdict, "verified", f"peer's verdict {ringing.result.reasons}")
        reply = Reply(ringing)
        reply.sign()
        good = reply.parcel.members["ppts"]
        rsp_damaged(arena, reply)
        reply.parcel.members["ppts"] += good
        reply.store()
        placing.finish().expect(GOOD)
    finally:
        placing.abandon()


# Where an answer may go; the command under test is the callee


def eks_of_another_number(arena: Arena, placement: Placement) -> None:
    other = arena.endpoint("S1")
    placement.members["rsp"]["eks"] = other.state.values["inline"]
    placement.members["x5c"] += other.x5c[:1]
    placement.options["size_class"] = 2


def answer_elsewhere(arena: Arena, placement: Placement) -> None:
    placement.members["rsp"]["to"] = "https://cps.example.com"


def answer_to_private_address(arena: Arena, placement: Placement) -> None:
    """The statement itself names an address of a private network."""
    caller = placement.endpoint
    claims = json.loads(b64u_decode(caller.state.values["inline"].split(".")[1]))
    claims |= {"cps": ["https://192.168.7.7"], "seq": claims["seq"] + 1}
    header = statement.header(caller.credential.x5u)
    placement.members["rsp"] = {
        "to": "https://192.168.7.7", "want": True,
        "eks": jws.sign(header, claims, caller.credential.key),
    }  # fmt: skip


def eks_expired(arena: Arena, placement: Placement) -> None:
    caller, now = placement.endpoint, int(time.time())
    claims = json.loads(b64u_decode(caller.state.values["inline"].split(".")[1]))
    claims |= {"iat": now - 100, "exp": now - 10}
    header = statement.header(caller.credential.x5u)
    placement.members["rsp"]["eks"] = jws.sign(header, claims, caller.credential.key)


def eks_is_garbage(arena: Arena, placement: Placement) -> None:
    placement.members["rsp"]["eks"] = "a.b.c"


def not_wanted(arena: Arena, placement: Placement) -> None:
    placement.members["rsp"]["want"] = False


RETURN_PATHS = (
    ("statement of another number", eks_of_another_number,
     {"statement_refused", "statement_number_missing", "number_not_covered",
      "rsp_service_not_allowed"}),
    ("address outside the statement", answer_elsewhere, {"rsp_service_not_allowed"}),
    ("private address", answer_to_private_address,
     {"address_not_allowed", "rsp_service_not_allowed"}),
    ("statement expired", eks_expired, {"statement_refused", "statement_expired"}),
    ("statement is garbage", eks_is_garbage,
     {"statement_refused", "malformed_statement", "malformed_token"}),
    ("answer not wanted", not_wanted, set()),
)  # fmt: skip


def one_return_path(arena: Arena, change: Callable, reasons: set[str]) -> None:
    """The call is verified all the same; no answer is sent and the reason is reported."""
    caller = arena.endpoint("S1", "S2")
    placement = caller.place(arena.published())
    change(arena, placement)
    placement.store()
    verdict = arena.ring(caller.number, placement.to, answer=True)
    verdict.expect(GOOD, reasons)
    equal(placement.await_answer(1.2).verdict, "no_record", "peer's verdict without an answer")


def run(harness: Harness, arena: Arena) -> None:
    for name, change, verdicts, reasons in ANSWERS:
        harness.case(f"answer: {name}", one_answer, arena, change, verdicts, reasons)
    harness.case("answer: none", no_answer, arena)
    harness.case("answer: a bad one beside the good one", bad_then_good_answer, arena)
    for name, change, reasons in RETURN_PATHS:
        harness.case(f"return path: {name}", one_return_path, arena, change, reasons)
