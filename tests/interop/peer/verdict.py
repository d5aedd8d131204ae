"""The decision: which PASSporT, if any, speaks for this call.

The order is RFC 8816 section 8.2: supported type, `orig`, credential, freshness, signature; with
the called number, the certificate's validity at `iat` and replay after it.
"""

import hashlib
from dataclasses import dataclass, field

from . import certs
from .errors import Refusal
from .passport import SUPPORTED, Passport

WINDOW_BACK = 60  # W-24
WINDOW_AHEAD = 10
RSP_SLACK = 5  # an rsp may be this much older than the call, clocks differ

STEPS = (
    "ppt_supported", "orig_matches", "well_formed", "signature", "credential", "number_authority",
    "fresh", "dest_matches", "not_replayed",
)  # fmt: skip


@dataclass
class Outcome:
    """What became of one token."""

    nonce: str
    passport: Passport | None = None
    named: bool = False
    reasons: list[str] = field(default_factory=list)
    checks: list[dict] = field(default_factory=list)
    replay_key: str = ""
    signer: bytes = b""
    candidate: tuple = ()
    path: certs.Path | None = None

    @property
    def verified(self) -> bool:
        return self.named and not self.reasons

    @property
    def used(self) -> bool:
        return self.reasons == ["replayed"]


@dataclass(frozen=True)
class Call:
    """The call a token has to speak for. `answer_to` is the iat that an rsp answers."""

    orig: str
    dest: str
    now: int
    anchors: list
    used: dict
    answer_to: int | None = None


def replay_key(passport: Passport, signer: bytes) -> str:
    """W-7: (orig, dest, iat, signer), not the signature octets and not `n`."""
    payload = passport.jws.payload
    parts = (payload["orig"], payload["dest"], payload["iat"], signer.hex())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def check_token(text: str, bag: list, nonce: str, call: Call) -> Outcome:
    """Runs the steps until one fails; the failing one names the reason."""
    outcome = Outcome(nonce)
    try:
        outcome.passport = Passport.parse(text)
    except Refusal:
        outcome.reasons.append("malformed_token")
        return outcome
    for step in STEPS:
        try:
            _run(step, outcome, bag, call)
        except Refusal as refusal:
            outcome.reasons.append(refusal.reason)
            outcome.checks.append({"check": step, "result": "failed"})
            break
        outcome.checks.append({"check": step, "result": "passed"})
    return outcome


def _run(step: str, outcome: Outcome, bag: list, call: Call) -> None:
    passport = outcome.passport
    if step == "ppt_supported":
        if passport.ppt not in SUPPORTED:
            raise Refusal("ppt_unsupported")
        if (passport.ppt == "rsp") != (call.answer_to is not None):
            raise Refusal("unexpected_rsp")
    elif step == "orig_matches":
        if passport.orig != call.orig:
            raise Refusal("orig_mismatch")
        outcome.named = True
    elif step == "well_formed":
        passport.check_form()
    elif step == "signature":
        if "x5c" in passport.jws.header:
            bag = certs.from_x5c(passport.jws.header["x5c"])
        signer = certs.find_signer(passport.jws, bag)
        outcome.signer = certs.spki_digest(signer)
        outcome.replay_key = replay_key(passport, outcome.signer)
        outcome.candidate = (signer, bag)
    elif step == "credential":
        outcome.path = certs.verify_path(*outcome.candidate, call.anchors, call.now)
    elif step == "number_authority":
        # A PASSporT vouches for orig; an rsp for dest (RSP-3).
        outcome.path.check_covers(call.orig if call.answer_to is None else call.dest)
    elif step == "fresh":
        _check_time(passport.iat, call)
        if not outcome.path.valid_at(passport.iat):
            raise Refusal("iat_outside_certificate")
    elif step == "dest_matches":
        if call.dest not in passport.dest.get("tn", []):
            raise Refusal("dest_mismatch")
    elif step == "not_replayed" and outcome.replay_key in call.used:
        raise Refusal("replayed")


def _check_time(iat: int, call: Call) -> None:
    if call.answer_to is not None and iat < call.answer_to - RSP_SLACK:
        raise Refusal("rsp_before_call")
    if iat < call.now - WINDOW_BACK:
        raise Refusal("iat_stale")
    if iat > call.now + WINDOW_AHEAD:
        raise Refusal("iat_in_future")


@dataclass
class Decision:
    verdict: str
    reasons: list[str]
    evidence: Outcome | None = None

    @property
    def final(self) -> bool:
        """W-32: whether this verdict ends the wait."""
        return self.verdict in ("verified", "refused", "conflicting")


def decide(outcomes: list[Outcome], gone: set[str]) -> Decision:
    """W-7, W-8, W-9 and W-27 over everything that was opened so far."""
    other = [reason for o in outcomes if not o.named for reason in o.reasons]
    other = [reason for reason in other if reason != "orig_mismatch"]
    failed = [reason for o in outcomes if o.named for reason in o.reasons]
    good = [o for o in outcomes if o.verified]
    live = [o for o in good if o.nonce not in gone]
    if live:
        evidence = max(live, key=lambda o: o.passport.iat)
        return Decision("verified", _unique(failed + other), evidence)
    if good:
        return Decision("conflicting", _unique(["caller_gone", *failed, *other]), good[-1])
    named = [o for o in outcomes if o.named]
    if named:
        return Decision("refused", _unique(failed + other), named[-1])
    return Decision("no_record", _unique(other))


def _unique(reasons: list[str]) -> list[str]:
    return list(dict.fromkeys(reasons))
