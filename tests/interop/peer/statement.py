"""Encryption key statements: made in two encodings, verified the same way by everyone."""

import hashlib
from dataclasses import dataclass, field

from . import blob, certs, hpke, jws
from .encoding import b64u, b64u_decode, is_integer
from .errors import Refusal
from .numbers import is_canonical
from .urls import BaseUrl

TYPE = "stir-eks+jwt"
MAX_LIFETIME = 7 * 86400
DEFAULT_LIFETIME = 86400
MAX_AHEAD = 60  # W-14
# What a directory answers with 403; any other refusal of this module is one of form: 400 (W-14).
UNTRUSTED = {
    "chain_incomplete", "no_path_to_anchor", "certificate_expired", "certificate_not_yet_valid", "signature_invalid",
    "issuer_not_ca", "path_too_long", "key_usage_missing", "number_not_covered",
    "authority_by_spc", "encompass_unknown", "scope_not_encompassed", "signer_is_ca",
    "tn_auth_list_missing", "unsupported_critical_extension", "unsupported_certificate_key",
    "statement_expired", "statement_not_yet_valid", "statement_outlives_certificate",
    "statement_number_missing",
}  # fmt: skip


@dataclass(frozen=True)
class RecipientKey:
    suite: blob.Suite
    public: bytes


@dataclass(frozen=True)
class Statement:
    """A verified statement."""

    text: str = field(repr=False)
    digest: str
    numbers: list[str]
    keys: list[RecipientKey]
    cps: list[str]
    seq: int
    iat: int
    exp: int
    signer: bytes

    def sealed_keys(self) -> list[RecipientKey]:
        """The keys of suites this implementation can seal to."""
        return [key for key in self.keys if key.suite.name in blob.SEALED]


def key_id(suite: str, public: bytes) -> str:
    """W-12."""
    return b64u(hashlib.sha256(suite.encode("ascii") + public).digest()[:8])


def key_object(suite: str, public: bytes) -> dict:
    return {"kid": key_id(suite, public), "pub": b64u(public), "suite": suite}


def digest_of(token: str) -> str:
    """W-13: over the payload octets, so that both encodings agree."""
    return b64u(hashlib.sha256(b64u_decode(token.split(".")[1])).digest())


def header(x5u: str | None = None, x5c: list[str] | None = None) -> dict:
    fields = {"alg": "ES256", "typ": TYPE}
    return fields | ({"x5u": x5u} if x5u else {}) | ({"x5c": x5c} if x5c else {})


def payload(number: str, keys: list[dict], cps: list[str], seq: int, iat: int, exp: int) -> dict:
    return {
        "cps": cps, "exp": exp, "iat": iat, "keys": keys, "seq": seq, "sub": {"tn": [number]},
    }  # fmt: skip


def _malformed(detail: str) -> Refusal:
    return Refusal("malformed_statement", detail)


def _parse_keys(values: object) -> list[RecipientKey]:
    if not isinstance(values, list) or not 1 <= len(values) <= 8:
        raise _malformed("keys")
    keys, seen = [], set()
    for value in values:
        if not isinstance(value, dict) or not isinstance(value.get("suite"), str):
            raise _malformed("key")
        public = b64u_decode(value.get("pub"), "malformed_key")
        if (value["suite"], public) in seen:
            raise Refusal("malformed_key", "repeated")
        seen.add((value["suite"], public))
        suite = blob.KNOWN.get(value["suite"])
        if suite is None:
            continue
        if suite.name in blob.SEALED:
            hpke.parse_public(suite.kem, public)
        elif len(public) != {"S3": 1216, "S4": 1249}[suite.name]:
            raise Refusal("malformed_key", "length")
        keys.append(RecipientKey(suite, public))
    return keys


def _check_form(token: jws.Jws) -> list[RecipientKey]:
    claims = token.payload
    if token.header.get("typ") != TYPE:
        raise Refusal("type_mismatch")
    if token.header.get("alg") != "ES256":
        raise Refusal("algorithm_not_allowed")
    token.check_signature_form()
    for name in ("iat", "exp", "seq"):
        if not is_integer(claims.get(name)) or claims[name] < 0:
            raise _malformed(name)
    if not 0 < claims["exp"] - claims["iat"] <= MAX_LIFETIME:
        raise _malformed("lifetime")
    sub = claims.get("sub")
    if not isinstance(sub, dict) or not sub or not set(sub) <= {"tn", "uri"}:
        raise _malformed("sub")
    if not all(
        isinstance(v, list) and v and all(isinstance(e, str) for e in v) for v in sub.values()
    ):
        raise _malformed("sub")
    if not all(is_canonical(number) for number in sub.get("tn", [])):
        raise _malformed("sub")
    cps = claims.get("cps")
    if not isinstance(cps, list) or not 1 <= len(cps) <= 4:
        raise _malformed("cps")
    for url in cps:
        BaseUrl.parse(url)
    return _parse_keys(claims.get("keys"))


def verify(text: str, anchors, now: int, number: str, bag=None) -> Statement:
    """Every check a reader makes (PRV-36, W-14).

    `bag` holds the certificates that came with an inline statement, whose header has `x5u` only;
    without it the header needs `x5c`.
    """
    if len(text) > jws.MAX_TOKEN_LEN:
        raise Refusal("too_long")
    token = jws.parse(text, "malformed_statement")
    keys = _check_form(token)
    claims, tn = token.payload, token.payload["sub"].get("tn", [])
    if "x5c" in token.header:
        bag = certs.from_x5c(token.header["x5c"])
    elif bag is None or not isinstance(token.header.get("x5u"), str):
        raise _malformed("no certificates")
    signer = certs.find_signer(token, bag)
    path = certs.verify_path(signer, bag, anchors, now)
    if number not in tn:
        raise Refusal("statement_number_missing")
    for covered in tn:
        path.check_covers(covered)
    if claims["sub"].get("uri"):
        raise Refusal("number_not_covered", "a URI is not covered by a TNAuthList")
    if claims["iat"] > now + MAX_AHEAD:
        raise Refusal("statement_not_yet_valid")
    if claims["exp"] <= now:
        raise Refusal("statement_expired")
    if claims["exp"] > path.not_after():
        raise Refusal("statement_outlives_certificate")
    return Statement(
        text=text,
        digest=digest_of(text),
        numbers=tn,
        keys=keys,
        cps=claims["cps"],
        seq=claims["seq"],
        iat=claims["iat"],
        exp=claims["exp"],
        signer=certs.spki_digest(signer),
    )
