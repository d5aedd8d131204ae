"""The endpoint: publish keys, place a call, ring, answer."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import blob, certs, content, jws, passport, statement
from .client import Client
from .errors import Refusal
from .lab import Lab
from .urls import BaseUrl
from .verdict import Call, Decision, Outcome, check_token, decide

MAX_KEYS = 8  # W-17
MAX_BLOBS = 256  # PRV-10
RING_POLLS = (0.0, 1.0, 2.5)  # W-32
AWAIT_FIRST, AWAIT_NEXT = 0.5, 1.0


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)


def _wait_until(moment: float) -> None:
    remaining = moment - time.monotonic()
    if remaining > 0:
        time.sleep(remaining)


@dataclass
class Parcel:
    """One content on its way to every key in `statements`, under one number.

    `members` are those of `content.serialise`; `cps` and `ksd` are set per copy unless given.
    `sealer` can be replaced by tests that build what a correct sender never sends.
    """

    number: str
    statements: list[statement.Statement]
    members: dict
    base: BaseUrl | None = None
    size_class: int = 1
    sealer: Callable[..., bytes] = blob.seal

    def copies(self) -> dict[BaseUrl, list[bytes]]:
        """The sealed copies per service, fillers included (W-17, W-18)."""
        targets = [(s, key) for s in self.statements for key in s.sealed_keys()]
        result: dict[BaseUrl, list[bytes]] = {}
        for source, key in targets[:MAX_KEYS]:
            base = self.base or BaseUrl.parse(source.cps[0])
            members = {"cps": base.authority, "ksd": source.digest} | self.members
            octets = content.serialise(**members)
            sealed = self.sealer(key.suite, key.public, self.number, octets, self.size_class)
            result.setdefault(base, []).append(sealed)
        for copies in result.values():
            size = next(n for n in (1, 2, 4, 8) if n >= len(copies))
            suites = [key.suite for _, key in targets]
            copies += [
                blob.filler(random.choice(suites), self.size_class)
                for _ in range(size - len(copies))
            ]
            random.shuffle(copies)
        return result

    def store(self, client: Client) -> None:
        copies = self.copies()
        if not copies:
            raise Refusal("no_usable_key")
        for base, blobs in copies.items():
            client.store(base, self.number, [blob.to_text(b) for b in blobs])


@dataclass
class Opened:
    """What a mailbox gave so far. Blobs are opened once, however often they are polled."""

    received: set[bytes] = field(default_factory=set)
    contents: list[content.Content] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    count: int = 0


@dataclass
class Result:
    """A verdict with everything the command line prints about it."""

    verdict: str
    reasons: list[str]
    orig: str | None
    dest: str | None
    started: float
    opened: Opened
    evidence: Outcome | None = None
    finished: float = field(default_factory=time.monotonic)

    def report(self) -> dict:
        return {
            "verdict": self.verdict,
            "reasons": self.reasons,
            "checks": self.evidence.checks if self.evidence else [],
            "orig": self.orig,
            "dest": self.dest,
            "blobs": {"received": len(self.opened.received), "opened": self.opened.count},
            "elapsed_ms": round((self.finished - self.started) * 1000),
        }


class Endpoint:
    """One number's endpoint, working on a lab folder."""

    def __init__(self, lab: Lab, number: str, base: str | None = None):
        self.lab = lab
        self.number = number
        self.base = BaseUrl.parse(base or lab.base_url())
        self.client = Client(str(lab.tls_root), allow_loopback=True)
        self.credential = lab.credential(number)
        self.state = lab.state(number)
        self.x5c = certs.to_x5c(self.credential.chain)

    # Keys

    def publish(self, suites: list[str], lifetime: int = statement.DEFAULT_LIFETIME) -> str:
        """Generates one key per suite and publishes them. Returns the directory's encoding."""
        values, now = self.state.values, int(time.time())
        keys = [statement.key_object(suite, self.state.add_key(suite)) for suite in suites]
        seq = max(values["seq"] + 1, now)
        leaf_end = int(self.credential.chain[0].not_valid_after_utc.timestamp())
        claims = statement.payload(
            self.number, keys, [str(self.base)], seq, now, min(now + lifetime, leaf_end)
        )
        if values["digests"]:
            claims["prev"] = values["digests"][-1]
        x5u, key = self.credential.x5u, self.credential.key
        directory = jws.sign(statement.header(x5u, self.x5c), claims, key)
        values["seq"], values["cps"] = seq, claims["cps"]
        values["inline"] = jws.sign(statement.header(x5u), claims, key)
        values["digests"].append(statement.digest_of(directory))
        self.state.save()  # before anyone can seal to the new keys
        self.client.publish(self.base, self.number, directory)
        return directory

    def lookup(self, number: str) -> tuple[list[statement.Statement], list[str]]:
        """The accepted statements of a number, newest first, and why others were refused."""
        accepted, reasons = [], []
        for text in self.client.lookup(self.base, number):
            try:
                found = statement.verify(text, self.lab.anchors, int(time.time()), number)
                self._remember(number, found)
            except Refusal as refusal:
                reasons += ["statement_refused", refusal.reason]
            else:
                accepted.append(found)
        self.state.save()
        return sorted(accepted, key=lambda s: -s.iat), reasons

    def _remember(self, number: str, found: statement.Statement) -> None:
        """PRV-37: no way back, and one payload per sequence number."""
        name = f"{number}/{found.signer.hex()}"
        seq, digest = self.state.values["seen"].get(name, (0, ""))
        if found.seq < seq:
            raise Refusal("sequence_rollback")
        if found.seq == seq and digest != found.digest:
            raise Refusal("equivocation")
        self.state.values["seen"][name] = [found.seq, found.digest]

    # Opening

    def collect(self, opened: Opened) -> list[content.Content]:
        """Polls the own mailbox once; returns the contents not seen before."""
        fresh = []
        for line in self.client.retrieve(self.base, self.number)[:MAX_BLOBS]:
            octets = line.encode("ascii")
            if octets in opened.received:
                continue
            opened.received.add(octets)
            plain = self._open(line)
            if plain is None:
                continue
            opened.count += 1
            try:
                fresh.append(content.parse(plain))
            except Refusal as refusal:
                opened.malformed.append(refusal.reason)
        opened.contents += fresh
        return fresh

    def _open(self, line: str) -> bytes | None:
        try:
            sealed = blob.from_text(line)
            suite, _ = blob.inspect(sealed)
        except Refusal:
            return None
        plain = None
        for private in self.state.private_keys(suite.name) if suite.name in blob.SEALED else []:
            try:
                plain = blob.open_with(sealed, private, self.number)
            except Refusal:
                continue  # for somebody else, a dummy, or damaged: all the same (PRV-8)
        return plain

    def call(self, orig: str, dest: str, answer_to: int | None = None) -> Call:
        used = self.state.values["used"]
        return Call(orig, dest, int(time.time()), self.lab.anchors, used, answer_to)

    def mark_used(self, outcome: Outcome) -> None:
        self.state.values["used"][outcome.replay_key] = outcome.passport.iat
        self.state.save()

    # The caller

    def place(self, to: str, ask_answer: bool = True) -> "Placement":
        """Looks the keys up and prepares everything; nothing is stored yet."""
        try:
            statements, reasons = self.lookup(to)
        except Refusal as refusal:  # the call may still be dialled (W-37)
            statements, reasons = [], [refusal.reason]
        return Placement(self, to, statements, reasons, ask_answer)

    # The callee

    def ring(self, caller: str | None, deadline: float = 2.5) -> "Ringing":
        """Polls on the schedule until a verdict decides or the deadline is near."""
        ringing = Ringing(self, caller)
        for moment in RING_POLLS:
            due = ringing.started + _jittered(moment)
            if due > ringing.started + deadline:
                break
            _wait_until(due)
            ringing.poll()
            if ringing.result.verdict in ("verified", "refused", "conflicting"):
                break
        return ringing


class Placement:
    """One call attempt of the caller. Fields may be changed until `store`."""

    def __init__(self, endpoint: Endpoint, to: str, statements, reasons, ask_answer: bool):
        self.endpoint, self.to, self.statements = endpoint, to, statements
        self.reasons = reasons
        self.started = time.monotonic()
        self.nonce = content.new_nonce()
        self.iat = int(time.time())
        self.header = passport.header(endpoint.credential.x5u)
        self.payload = passport.payload(endpoint.number, to, self.iat)
        self.key = endpoint.credential.key
        self.tokens: list[str] | None = None
        self.options: dict = {}
        self.members: dict = {"nonce": self.nonce, "x5c": endpoint.x5c}
        values = endpoint.state.values
        if ask_answer and values["inline"]:
            self.members["rsp"] = {
                "to": values["cps"][0], "want": True, "eks": values["inline"],
            }  # fmt: skip

    def token(self) -> str:
        return jws.sign(self.header, self.payload, self.key)

    def parcel(self) -> Parcel:
        members = {"ppts": self.tokens or [self.token()]} | self.members
        return Parcel(self.to, self.statements, members, **self.options)

    def store(self) -> Result:
        """Stores every copy: `stored`, or `unprotected` with the reason (W-37)."""
        verdict, reasons = "stored", list(self.reasons)
        try:
            self.parcel().store(self.endpoint.client)
        except Refusal as refusal:
            verdict = "unprotected"
            reasons.append(refusal.reason)
        return Result(verdict, reasons, self.endpoint.number, self.to, self.started, Opened())

    def report_state(self, state: str) -> None:
        """W-8: `gone` or `answered`, sealed to every key that got the PASSporT."""
        members = {"nonce": self.nonce, "st": {"s": state, "t": content.now_ms()}}
        Parcel(self.to, self.statements, members).store(self.endpoint.client)

    def await_answer(self, seconds: float) -> Result:
        """Polls the own mailbox for an rsp that belongs to this call attempt."""
        opened, outcomes, notices = Opened(), [], []
        end = time.monotonic() + seconds
        due = time.monotonic() + _jittered(AWAIT_FIRST)
        decision = Decision("no_record", [])
        while due <= end:
            _wait_until(due)
            due = time.monotonic() + _jittered(AWAIT_NEXT)
            for found in self.endpoint.collect(opened):
                if not found.ppts:
                    continue
                if found.nonce != self.nonce:
                    notices.append("call_nonce_mismatch")
                    continue
                outcomes += self._check(found)
            decision = decide(outcomes, set())
            if decision.verdict == "verified":
                self.endpoint.mark_used(decision.evidence)
                break
        reasons = list(dict.fromkeys(decision.reasons + notices + opened.malformed))
        return Result(
            decision.verdict, reasons, self.endpoint.number, self.to, self.started, opened,
            decision.evidence,
        )  # fmt: skip

    def _check(self, found: content.Content) -> list[Outcome]:
        call = self.endpoint.call(self.endpoint.number, self.to, self.iat)
        try:
            bag = found.bag()
        except Refusal as refusal:
            return [Outcome(found.nonce, named=True, reasons=[refusal.reason])]
        return [check_token(text, bag, found.nonce, call) for text in found.ppts]


class Ringing:
    """One alerting call of the callee."""

    def __init__(self, endpoint: Endpoint, caller: str | None):
        self.endpoint, self.caller = endpoint, caller
        self.started = time.monotonic()
        self.opened = Opened()
        self.outcomes: list[Outcome] = []
        self.by_outcome: dict[int, content.Content] = {}
        self.gone: set[str] = set()
        self.marked: str | None = None
        self.result = self._result(Decision("no_record", []))

    def _result(self, decision: Decision, extra: list[str] = ()) -> Result:
        reasons = list(dict.fromkeys([*decision.reasons, *self.opened.malformed, *extra]))
        return Result(
            decision.verdict, reasons, self.caller, self.endpoint.number, self.started,
            self.opened, decision.evidence,
        )  # fmt: skip

    def poll(self) -> Result:
        """Asks the mailbox once and brings the verdict up to date."""
        try:
            fresh = self.endpoint.collect(self.opened)
        except Refusal as refusal:
            if self.result.verdict in ("no_record", "unavailable"):
                self.result = self._result(Decision("unavailable", [refusal.reason]))
            return self.result
        if self.caller is None:
            self.result = self._result(Decision("no_record", ["caller_withheld"]))
            return self.result
        for found in fresh:
            self._take(found)
        decision = decide(self.outcomes, self.gone)
        self.result = self._result(decision, self._notices(decision))
        if decision.verdict == "verified" and self.marked is None:
            self.marked = decision.evidence.replay_key
            self.endpoint.mark_used(decision.evidence)
        return self.result

    def _take(self, found: content.Content) -> None:
        if found.state == "gone":
            self.gone.add(found.nonce)
        call = self.endpoint.call(self.caller, self.endpoint.number)
        if self.marked:
            call = Call(**{**vars(call), "used": set(call.used) - {self.marked}})
        try:
            bag, failure = found.bag(), None
        except Refusal as refusal:
            bag, failure = [], refusal.reason
        for text in found.ppts:
            outcome = check_token(text, bag, found.nonce, call)
            if failure and outcome.reasons == ["credential_unavailable"]:
                outcome.reasons = [failure]
            self.outcomes.append(outcome)
            self.by_outcome[id(outcome)] = found

    def _notices(self, decision: Decision) -> list[str]:
        """W-34: odd, but no change of the verdict."""
        if decision.verdict != "verified":
            return []
        found = self.evidence_content(decision.evidence)
        notices = []
        if found.cps is not None and found.cps != self.endpoint.base.authority:
            notices.append("cps_mismatch")
        if found.ksd is not None and found.ksd not in self.endpoint.state.values["digests"]:
            notices.append("ksd_unknown")
        return notices

    def evidence_content(self, outcome: Outcome | None = None) -> content.Content:
        return self.by_outcome[id(outcome or self.result.evidence)]

    def finish(self, deadline: float) -> None:
        """PRV-48: the polls still due look the same whatever was found."""
        for moment in RING_POLLS:
            due = self.started + _jittered(moment)
            if time.monotonic() < due <= self.started + deadline:
                _wait_until(due)
                self.poll()

    # The answer

    def reply_to(self) -> tuple[BaseUrl, statement.Statement]:
        """The caller's mailbox and keys, when the announcement may be answered (W-5)."""
        if self.result.verdict not in ("verified", "confirmed"):
            raise Refusal("not_verified")
        found = self.evidence_content()
        wish = found.rsp
        if not wish or wish.get("want") is not True or not isinstance(wish.get("eks"), str):
            raise Refusal("rsp_not_requested")
        keys = statement.verify(
            wish["eks"], self.endpoint.lab.anchors, int(time.time()), self.caller, found.bag()
        )
        base = BaseUrl.parse(wish.get("to"))
        if base not in [BaseUrl.parse(url) for url in keys.cps]:
            raise Refusal("rsp_service_not_allowed")
        return base, keys

    def reply(self, state: str = "answered") -> Parcel:
        """The signed answer, ready to be stored."""
        base, keys = self.reply_to()
        own, found = self.endpoint, self.evidence_content()
        claims = self.result.evidence.passport.jws.payload
        token = jws.sign(
            passport.header(own.credential.x5u, "rsp"),
            {"dest": claims["dest"], "iat": int(time.time()), "orig": claims["orig"]},
            own.credential.key,
        )
        members = {
            "nonce": found.nonce, "ppts": [token], "x5c": own.x5c,
            "st": {"s": state, "t": content.now_ms()},
        }  # fmt: skip
        return Parcel(self.caller, [keys], members, base)

    def answer(self) -> None:
        """Sends the answer; a refusal to do so becomes a reason and changes no verdict."""
        try:
            self.reply().store(self.endpoint.client)
        except Refusal as refusal:
            self.result.reasons.append(refusal.reason)
        self.poll_at_answer()

    def poll_at_answer(self) -> None:
        reasons = self.result.reasons
        self.poll()
        self.result.reasons = list(dict.fromkeys(self.result.reasons + reasons))
