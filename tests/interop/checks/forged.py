"""Announcements that no correct caller sends: one function per thing that is wrong."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from peer import blob, certs, jws, pki, statement, tnauthlist
from peer.encoding import b64u, b64u_decode, canonical
from peer.endpoint import Endpoint, Placement
from peer.lab import Credential

from .arena import Arena
from .harness import equal, expect


class Call:
    """An attacker's placement, to be changed before it is stored."""

    def __init__(self, arena: Arena, caller: Endpoint, victim: str):
        self.arena, self.caller, self.victim = arena, caller, victim
        self.number = caller.number  # what signalling will show
        self.placement: Placement = caller.place(victim, ask_answer=False)
        expect(self.placement.statements, f"no statement of the victim {self.placement.reasons}")

    def store(self) -> None:
        result = self.placement.store()
        equal((result.verdict, result.reasons), ("stored", []), "the service stores it")

    def signed_by(self, credential: Credential, bag: list | None = None) -> None:
        self.placement.key = credential.key
        self.placement.members["x5c"] = certs.to_x5c(bag or credential.chain)

    def sealed(self, sealer: Callable[..., bytes]) -> None:
        self.placement.options["sealer"] = sealer

    def raw_token(self, header: str, payload: str) -> None:
        self.placement.tokens = [jws.sign_texts(header, payload, self.placement.key)]

    def header_text(self) -> str:
        return canonical(self.placement.header)

    def payload_text(self) -> str:
        return canonical(self.placement.payload)


# Blobs that do not open, or open to nothing usable


def flipped_ciphertext(call: Call) -> None:
    def seal(*arguments):
        octets = bytearray(blob.seal(*arguments))
        octets[-1] ^= 1
        return bytes(octets)

    call.sealed(seal)


def invalid_share(call: Call) -> None:
    """A P-256 share off the curve, an X25519 share of low order."""

    def seal(suite, *arguments):
        octets = bytearray(blob.seal(suite, *arguments))
        end = blob.HEADER_LEN + suite.enc_len
        if suite is blob.S1:
            octets[end - 1] ^= 1
        else:
            octets[blob.HEADER_LEN : end] = bytes(suite.enc_len)
        return bytes(octets)

    call.sealed(seal)


def bound_to_another_number(call: Call) -> None:
    call.sealed(lambda suite, key, number, *rest: blob.seal(suite, key, number + "0", *rest))


def without_info(call: Call) -> None:
    call.sealed(
        lambda suite, key, number, octets, size_class: blob.seal_plaintext(
            suite, key, b"", blob.pad(octets, suite, size_class), size_class
        )
    )


def _with_plaintext(call: Call, change: Callable[[bytearray], None]) -> None:
    def seal(suite, key, number, octets, size_class):
        plaintext = bytearray(blob.pad(octets, suite, size_class))
        change(plaintext)
        info = blob.info_for(number)
        return blob.seal_plaintext(suite, key, info, bytes(plaintext), size_class)

    call.sealed(seal)


def filler_not_zero(call: Call) -> None:
    _with_plaintext(call, lambda plaintext: plaintext.__setitem__(-1, 1))


def length_beyond_blob(call: Call) -> None:
    _with_plaintext(call, lambda plaintext: plaintext.__setitem__(slice(0, 2), b"\xff\xff"))


def not_json(call: Call) -> None:
    _with_plaintext(call, lambda plaintext: plaintext.__setitem__(2, 0x20 ^ 0xFF))


def content_version(call: Call) -> None:
    call.placement.members["v"] = 2


def short_nonce(call: Call) -> None:
    call.placement.members["nonce"] = b64u(bytes(8))


# The token's form


def wrong_algorithm(call: Call) -> None:
    call.placement.header["alg"] = "ES384"


def no_algorithm(call: Call) -> None:
    call.placement.header["alg"] = "none"


def wrong_type(call: Call) -> None:
    call.placement.header["typ"] = statement.TYPE


def no_x5u(call: Call) -> None:
    del call.placement.header["x5u"]


def quoted_iat(call: Call) -> None:
    call.placement.payload["iat"] = str(call.placement.payload["iat"])


def fractional_iat(call: Call) -> None:
    call.placement.payload["iat"] += 0.5


def no_dest(call: Call) -> None:
    del call.placement.payload["dest"]


def bare_dest(call: Call) -> None:
    call.placement.payload["dest"] = {"tn": call.victim}


def white_space(call: Call) -> None:
    call.raw_token(call.header_text(), json.dumps(call.placement.payload, sort_keys=True))


def member_order(call: Call) -> None:
    backwards = dict(reversed(sorted(call.placement.payload.items())))
    call.raw_token(call.header_text(), json.dumps(backwards, separators=(",", ":")))


def repeated_member(call: Call) -> None:
    text = call.payload_text()
    call.raw_token(call.header_text(), text[:-1] + "," + text.split(",")[0][1:] + "}")


def der_signature(call: Call) -> None:
    token = call.placement.token()
    head = token.rsplit(".", 1)[0]
    octets = call.placement.key.sign(head.encode(), jws.ES256)
    call.placement.tokens = [f"{head}.{b64u(octets)}"]


def not_a_token(call: Call) -> None:
    call.placement.tokens = ["this is not a token"]


def shaken_without_attest(call: Call) -> None:
    call.placement.header["ppt"] = "shaken"


# The signer


def damaged_signature(call: Call) -> None:
    head, signature = call.placement.token().rsplit(".", 1)
    octets = bytearray(b64u_decode(signature))
    octets[40] ^= 1
    call.placement.tokens = [f"{head}.{b64u(bytes(octets))}"]


def another_payload(call: Call) -> None:
    """A good signature under claims that were changed afterwards."""
    head, _, signature = call.placement.token().split(".")
    call.placement.payload["iat"] += 1
    changed = b64u(call.payload_text().encode())
    call.placement.tokens = [f"{head}.{changed}.{signature}"]


def somebody_elses_number(call: Call) -> None:
    call.signed_by(call.arena.lab.credential(call.arena.number()))


def own_authority(call: Call) -> None:
    """A complete path to a root that nobody configured."""
    root = pki.Authority.root("Somebody's root")
    issuer = root.sub_authority("Somebody's CA", pki.one(call.caller.number))
    call.signed_by(issuer.credential(call.caller.number))


def self_signed(call: Call) -> None:
    root = pki.Authority.root("Somebody")
    call.signed_by(Credential([root.certificate], root.key, ""))


def same_name_as_authority(call: Call) -> None:
    """The issuer carries the true CA's name, not its key."""
    impostor = pki.Authority(call.arena.authority.certificate, pki.new_key())
    call.signed_by(impostor.credential(call.caller.number))


def issued(call: Call, **options) -> None:
    call.signed_by(call.arena.authority.credential(call.caller.number, **options))


def expired(call: Call) -> None:
    now = datetime.now(timezone.utc)
    issued(call, start=now - timedelta(days=9), end=now - timedelta(hours=1))


def not_yet_valid(call: Call) -> None:
    now = datetime.now(timezone.utc)
    issued(call, start=now + timedelta(hours=1), end=now + timedelta(days=9))


def valid_after_iat(call: Call) -> None:
    """The certificate is younger than the token it signs."""
    call.placement.payload["iat"] -= 40
    issued(call, start=datetime.now(timezone.utc) - timedelta(seconds=5))


def outside_its_issuer(call: Call) -> None:
    """The CA signs for a number that its own list does not hold."""
    call.number = "12135550100"
    call.placement.payload["orig"] = {"tn": call.number}
    call.signed_by(call.arena.authority.credential(call.number))


def no_list(call: Call) -> None:
    issued(call, numbers=None)


def malformed_list(call: Call) -> None:
    issued(call, numbers=bytes.fromhex("300613043632324b"))


def code_only(call: Call) -> None:
    issued(call, numbers=[tnauthlist.Entry("spc", "1234")])


def critical_extension(call: Call) -> None:
    issued(call, critical=True)


def authority_as_signer(call: Call) -> None:
    authority = call.arena.authority
    call.signed_by(Credential([authority.certificate], authority.key, ""))


def leaf_as_issuer(call: Call) -> None:
    """An end-entity certificate issues another one for the attacker's number."""
    own = call.caller.credential
    issuer = pki.Authority(own.chain[0], own.key)
    credential = issuer.credential(call.caller.number)
    call.signed_by(credential, [*credential.chain, *own.chain[1:]])


def no_certificates(call: Call) -> None:
    del call.placement.members["x5c"]


def nine_certificates(call: Call) -> None:
    chain = call.caller.credential.chain
    call.signed_by(call.caller.credential, chain[:1] * 8 + chain[1:])
    call.placement.options["size_class"] = 2


def issuer_missing(call: Call) -> None:
    call.signed_by(call.caller.credential, call.caller.credential.chain[:1])


# The call


def stale(call: Call) -> None:
    call.placement.payload["iat"] -= 65


def stale_by_days(call: Call) -> None:
    call.placement.payload["iat"] -= 2 * 3600


def in_future(call: Call) -> None:
    call.placement.payload["iat"] += 30


def wrong_dest(call: Call) -> None:
    call.placement.payload["dest"] = {"tn": [call.arena.number()]}


def another_caller(call: Call) -> None:
    """A true announcement of somebody else does not speak for this call."""
    other = call.arena.lab.credential(call.arena.number())
    call.signed_by(other)
    covered = tnauthlist.decode(_list_of(other.chain[0]))[0].value
    call.placement.payload["orig"] = {"tn": covered}


def _list_of(certificate) -> bytes:
    oid = tnauthlist.OID
    return next(e.value.value for e in certificate.extensions if e.oid.dotted_string == oid)


def an_answer(call: Call) -> None:
    call.placement.header["ppt"] = "rsp"


def unsupported_type(call: Call) -> None:
    call.placement.header["ppt"] = "example"
