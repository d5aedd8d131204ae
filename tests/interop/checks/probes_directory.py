"""The key directory, one request at a time (W-11, W-14 to W-16)."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from peer import certs, hpke, jws, pki, statement
from peer.encoding import b64u, b64u_decode
from peer.lab import Credential

from .arena import Arena
from .harness import Harness, equal, expect
from .prober import JOSE, JSON, PASSPORT, Prober, problem, stranger


class Holder:
    """A number with a credential, making statements by hand."""

    def __init__(self, arena: Arena, number: str | None = None, credential=None):
        self.arena = arena
        self.number = number or arena.number()
        self.credential: Credential = credential or arena.lab.credential(self.number)
        self.now = int(time.time())
        public = hpke.public_octets(hpke.generate(hpke.P256))
        self.claims = statement.payload(
            self.number, [statement.key_object("S1", public)], [arena.base], 5, self.now,
            self.now + 3600,
        )  # fmt: skip
        self.header = statement.header(self.credential.x5u, certs.to_x5c(self.credential.chain))

    def text(self, header: dict | None = None, **claims) -> str:
        payload = {k: v for k, v in (self.claims | claims).items() if v is not None}
        return jws.sign(self.header | (header or {}), payload, self.credential.key)


def directory_unknown(prober: Prober) -> None:
    answer = prober.request("GET", f"/keys/{stranger()}")
    equal((answer.status, answer.media_type), (200, JSON), "status and media type")
    equal(len(answer.body), 8192, "size")
    value = answer.json()
    equal(value["statements"], [], "statements")
    equal(set(value["pad"]), {"0"}, "padding")


def directory_put_get(prober: Prober) -> None:
    holder = Holder(prober.arena)
    text = holder.text()
    answer = prober.put(holder.number, text)
    equal((answer.status, answer.body), (204, b""), "PUT")
    answer = prober.request("GET", f"/keys/{holder.number}")
    equal(len(answer.body), 8192, "size")
    equal(answer.json()["statements"], [text], "statements")
    for form in (f"+{holder.number}", f"%2B{holder.number}"):
        equal(prober.statements(form), [text], f"statements under {form!r}")


def directory_forms(prober: Prober) -> None:
    """A trailing LF, parameters, a header with x5c alone, and a payload that is not canonical."""
    holder = Holder(prober.arena)
    equal(prober.put(holder.number, holder.text() + "\n").status, 204, "trailing LF")
    equal(prober.put(holder.number, holder.text(seq=6), f"{JOSE}; a=b").status, 204, "parameters")
    header = statement.header(None, holder.header["x5c"])
    text = jws.sign(header, holder.claims | {"seq": 7}, holder.credential.key)
    equal(prober.put(holder.number, text).status, 204, "x5c alone")
    payload = json.dumps(holder.claims | {"seq": 8}, indent=1)
    text = jws.sign_texts(json.dumps(holder.header), payload, holder.credential.key)
    equal(prober.put(holder.number, text).status, 204, "not canonical")
    text = holder.text(seq=9, later={"a": 1}, prev=statement.digest_of(text), tok="issuer.example")
    equal(prober.put(holder.number, text).status, 204, "prev, tok and unknown members")
    equal(prober.statements(holder.number), [text], "statements")


def directory_sequence(prober: Prober) -> None:
    holder = Holder(prober.arena)
    first, again = holder.text(), holder.text()
    expect(first != again, "two signatures over one payload")
    equal(prober.put(holder.number, first).status, 204, "first")
    equal(prober.put(holder.number, first).status, 204, "the same again")
    equal(prober.put(holder.number, again).status, 204, "the same payload again")
    equal(prober.statements(holder.number), [first], "the first stays")
    for claims in ({"seq": 4}, {"seq": 0}, {"exp": holder.claims["exp"] - 1}):
        answer = prober.put(holder.number, holder.text(**claims))
        problem(answer, 409, "superseded-statement")
    newer = holder.text(seq=6)
    equal(prober.put(holder.number, newer).status, 204, "newer")
    equal(prober.statements(holder.number), [newer], "one live statement per signer")
    problem(prober.put(holder.number, first), 409, "superseded-statement")


def directory_signers(prober: Prober) -> None:
    """Several signers, newest first; not more than eight."""
    arena, texts = prober.arena, []
    number = arena.number()
    for age in range(10):
        holder = Holder(arena, number, arena.authority.credential(number))
        text = holder.text(iat=holder.now - 100 + age)
        equal(prober.put(number, text).status, 204, "PUT")
        texts.insert(0, text)
    answer = prober.request("GET", f"/keys/{number}")
    expect(len(answer.body) in (8192, 16384), f"size {len(answer.body)}")
    found = answer.json()["statements"]
    equal(found, texts[: len(found)], "the newest, newest first")
    expect(3 <= len(found) <= 8, f"{len(found)} statements")


def directory_large(prober: Prober) -> None:
    """One statement that does not fit 8192 octets makes the answer 16384."""
    holder = Holder(prober.arena)
    text = holder.text(later="x" * 5200)
    expect(8192 < len(text) < 16000, f"a statement of {len(text)} characters")
    equal(prober.put(holder.number, text).status, 204, "PUT")
    answer = prober.request("GET", f"/keys/{holder.number}")
    equal(len(answer.body), 16384, "size")
    equal(answer.json()["statements"], [text], "statements")


def directory_too_large(prober: Prober) -> None:
    holder = Holder(prober.arena)
    text = holder.text(later="x" * 12500)
    expect(len(text) > 16384, "a statement above the limit")
    problem(prober.put(holder.number, text), 413, "body-too-large")


def directory_expiry(prober: Prober) -> None:
    """A statement dies at `exp`, without anybody's help."""
    holder = Holder(prober.arena)
    # Time enough for a busy machine to see it alive.
    text = holder.text(exp=holder.now + 8)
    equal(prober.put(holder.number, text).status, 204, "PUT")
    equal(prober.statements(holder.number), [text], "before")
    while prober.statements(holder.number):
        expect(time.time() < holder.now + 120, "a dead statement is still there")
    expect(time.time() >= holder.now + 7.9, "it lived until its exp")
    answer = prober.put(holder.number, holder.text(seq=4))
    problem(answer, 409, "superseded-statement")  # W-11: the sequence number is remembered


def directory_one_number(prober: Prober) -> None:
    """W-15: a statement for two numbers is stored under the path's number only."""
    arena = prober.arena
    first, second = sorted((arena.number(), arena.number()))
    numbers = pki.one(first) + pki.one(second)
    holder = Holder(arena, first, arena.authority.credential(first, numbers=numbers))
    text = holder.text(sub={"tn": [first, second]})
    equal(prober.put(second, text).status, 204, "PUT")
    equal(prober.statements(second), [text], "under the path's number")
    equal(prober.statements(first), [], "not under the other one")


def directory_wrong_number(prober: Prober) -> None:
    arena = prober.arena
    holder, other = Holder(arena), arena.number()
    problem(prober.put(other, holder.text()), 403, "untrusted-statement")
    for sub in ([other], sorted([other, holder.number])):
        answer = prober.put(other, holder.text(sub={"tn": sub}))
        problem(answer, 403, "untrusted-statement")
    equal(prober.statements(other), [], "nothing was stored")


def directory_media_type(prober: Prober) -> None:
    holder = Holder(prober.arena)
    for kind in ("text/plain", JSON, PASSPORT):
        answer = prober.put(holder.number, holder.text(), kind)
        problem(answer, 415, "unsupported-media-type")


def directory_authority(prober: Prober) -> None:
    """Chains that do not hold: 403."""
    arena, now = prober.arena, datetime.now(timezone.utc)
    number, day = arena.number(), timedelta(days=1)
    foreign = pki.Authority.root("Somebody's root").sub_authority("CA", pki.one(number))
    narrow = arena.authority.sub_authority("Narrow CA", pki.one(arena.number()))
    outside = narrow.credential(number)
    outside = Credential([*outside.chain, arena.authority.certificate], outside.key, outside.x5u)
    credentials = {
        "unknown root": foreign.credential(number),
        "expired": arena.authority.credential(number, start=now - 3 * day, end=now - day),
        "not yet valid": arena.authority.credential(number, start=now + day),
        "no list": arena.authority.credential(number, numbers=None),
        "outside its issuer": outside,
        "CA": Credential([arena.authority.certificate], arena.authority.key, outside.x5u),
        "outlived": arena.authority.credential(number, end=now + timedelta(minutes=30)),
    }
    for name, credential in credentials.items():
        answer = prober.put(number, Holder(arena, number, credential).text())
        try:
            problem(answer, 403, "untrusted-statement")
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None
    equal(prober.statements(number), [], "nothing was stored")


def _key(suite: str, public: bytes) -> list[dict]:
    return [statement.key_object(suite, public)]


def _der(holder: Holder) -> str:
    head = holder.text().rsplit(".", 1)[0]
    return f"{head}.{b64u(holder.credential.key.sign(head.encode(), jws.ES256))}"


def _damaged(holder: Holder) -> str:
    head, signature = holder.text().rsplit(".", 1)
    octets = bytearray(b64u_decode(signature))
    octets[3] ^= 1
    return f"{head}.{b64u(bytes(octets))}"


def _repeated(holder: Holder) -> str:
    payload = json.dumps(holder.claims)
    payload = payload[:-1] + ', "seq": 6}'
    return jws.sign_texts(json.dumps(holder.header), payload, holder.credential.key)


def _x5u_only(holder: Holder) -> str:
    header = statement.header(holder.credential.x5u)
    return jws.sign(header, holder.claims, holder.credential.key)


def _off_curve() -> bytes:
    octets = bytearray(hpke.public_octets(hpke.generate(hpke.P256)))
    octets[-1] ^= 1
    return bytes(octets)


def _nine_keys() -> list[dict]:
    return [_key("S1", hpke.public_octets(hpke.generate(hpke.P256)))[0] for _ in range(9)]


FORMS = (
    ("not a token", lambda h: "this is no statement"),
    ("empty", lambda h: ""),
    ("two lines", lambda h: h.text() + "\n" + h.text()),
    ("typ passport", lambda h: h.text({"typ": "passport"})),
    ("typ missing", lambda h: jws.sign(
        {k: v for k, v in h.header.items() if k != "typ"}, h.claims, h.credential.key)),
    ("alg ES384", lambda h: h.text({"alg": "ES384"})),
    ("alg none", lambda h: h.text({"alg": "none"})),
    ("signature as DER", _der),
    ("repeated member", _repeated),
    ("x5u only", _x5u_only),
    ("x5c is not base64", lambda h: h.text({"x5c": ["%%%"]})),
    ("no iat", lambda h: h.text(iat=None)),
    ("no exp", lambda h: h.text(exp=None)),
    ("no seq", lambda h: h.text(seq=None)),
    ("no sub", lambda h: h.text(sub=None)),
    ("no cps", lambda h: h.text(cps=None)),
    ("no keys", lambda h: h.text(keys=None)),
    ("seq quoted", lambda h: h.text(seq="7")),
    ("seq negative", lambda h: h.text(seq=-1)),
    ("sub not an array", lambda h: h.text(sub={"tn": h.number})),
    ("sub with plus", lambda h: h.text(sub={"tn": [f"+{h.number}"]})),
    ("cps empty", lambda h: h.text(cps=[])),
    ("cps of five", lambda h: h.text(cps=[f"https://c{n}.example" for n in range(5)])),
    ("cps not https", lambda h: h.text(cps=["http://cps.example.com"])),
    ("keys empty", lambda h: h.text(keys=[])),
    ("nine keys", lambda h: h.text(keys=_nine_keys())),
    ("key repeated", lambda h: h.text(keys=h.claims["keys"] * 2)),
    ("key off the curve", lambda h: h.text(keys=_key("S1", _off_curve()))),
    ("key compressed", lambda h: h.text(keys=_key("S1", b"\2" + _off_curve()[1:33]))),
    ("key of low order", lambda h: h.text(keys=_key("S2", bytes(32)))),
    ("key of low order 1", lambda h: h.text(keys=_key("S2", b"\1" + bytes(31)))),
    ("key too short", lambda h: h.text(keys=_key("S2", b"\t" * 31))),
    ("lifetime over 7 days", lambda h: h.text(exp=h.now + 7 * 86400 + 1)),
)  # fmt: skip

TRUST = (
    ("signature damaged", _damaged),
    ("expired", lambda h: h.text(iat=h.now - 900, exp=h.now - 1)),
    ("from the future", lambda h: h.text(iat=h.now + 120)),
    ("signed by another key", lambda h: jws.sign(h.header, h.claims, pki.new_key())),
)


def statement_refused(prober: Prober, make: Callable[[Holder], str], status: int, name: str):
    holder = Holder(prober.arena)
    problem(prober.put(holder.number, make(holder)), status, name)
    equal(prober.statements(holder.number), [], "nothing was stored")


DIRECTORY = (
    ("directory: unknown number", directory_unknown),
    ("directory: put and get", directory_put_get),
    ("directory: accepted forms", directory_forms),
    ("directory: sequence", directory_sequence),
    ("directory: several signers", directory_signers),
    ("directory: large statement", directory_large),
    ("directory: statement too large", directory_too_large),
    ("directory: expiry", directory_expiry),
    ("directory: one number of two", directory_one_number),
    ("directory: wrong number", directory_wrong_number),
    ("directory: media type", directory_media_type),
    ("directory: authority", directory_authority),
)


def run(harness: Harness, arena: Arena) -> None:
    prober = Prober(arena)
    for name, action in DIRECTORY:
        harness.case(f"probe: {name}", action, prober)
    for name, make in FORMS:
        harness.case(
            f"probe: statement malformed: {name}",
            statement_refused, prober, make, 400, "malformed-statement",
        )  # fmt: skip
    for name, make in TRUST:
        harness.case(
            f"probe: statement untrusted: {name}",
            statement_refused, prober, make, 403, "untrusted-statement",
        )  # fmt: skip
