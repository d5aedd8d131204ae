"""PASSporT: the claims a token must have and the three types this endpoint speaks."""

import uuid
from dataclasses import dataclass

from . import jws
from .encoding import is_integer
from .errors import Refusal
from .numbers import is_canonical

SUPPORTED = (None, "shaken", "rsp")


@dataclass(frozen=True)
class Passport:
    """A parsed PASSporT; `check_form` says whether it is one."""

    jws: jws.Jws

    @classmethod
    def parse(cls, text: str) -> "Passport":
        if isinstance(text, str) and text.startswith("..") and text.count(".") == 2:
            raise Refusal("compact_form_not_allowed")
        return cls(jws.parse(text))

    @property
    def ppt(self) -> object:
        return self.jws.header.get("ppt")

    @property
    def orig(self) -> str | None:
        """The calling number, when `orig` is a telephone number."""
        orig = self.jws.payload.get("orig")
        if isinstance(orig, dict) and set(orig) == {"tn"} and is_canonical(orig["tn"]):
            return orig["tn"]
        return None

    @property
    def dest(self) -> dict:
        return self.jws.payload.get("dest")

    @property
    def iat(self) -> int:
        return self.jws.payload.get("iat")

    def check_form(self) -> None:
        """PPT-2 to PPT-10, PPT-13, PPT-40: everything that needs no key."""
        header, payload = self.jws.header, self.jws.payload
        if header.get("typ") != "passport":
            raise Refusal("type_mismatch")
        if header.get("alg") != "ES256":
            raise Refusal("algorithm_not_allowed")
        x5u = header.get("x5u")
        if not isinstance(x5u, str) or not x5u or len(x5u) > jws.MAX_X5U_LEN:
            raise Refusal("x5u_missing")
        if "iat" not in payload:
            raise Refusal("iat_missing")
        if not is_integer(payload["iat"]):
            raise Refusal("iat_not_number")
        _check_claims(payload)
        if self.ppt == "shaken":
            _check_shaken(payload)
        if not self.jws.is_canonical():
            raise Refusal("not_canonical")
        self.jws.check_signature_form()


def _check_claims(payload: dict) -> None:
    orig, dest = payload.get("orig"), payload.get("dest")
    good = isinstance(orig, dict) and len(orig) == 1
    good = good and next(iter(orig)) in ("tn", "uri")
    good = good and all(isinstance(value, str) for value in orig.values())
    if not good:
        raise Refusal("malformed_orig")
    if "dest" not in payload:
        raise Refusal("dest_missing")
    good = isinstance(dest, dict) and dest and set(dest) <= {"tn", "uri"}
    good = good and all(
        isinstance(values, list) and values and all(isinstance(v, str) for v in values)
        for values in dest.values()
    )
    if not good:
        raise Refusal("malformed_dest")
    good = is_canonical(orig.get("tn", "0"))
    good = good and all(is_canonical(number) for number in dest.get("tn", []))
    if not good:
        raise Refusal("malformed_number")


def _check_shaken(payload: dict) -> None:
    if payload.get("attest") not in ("A", "B", "C"):
        raise Refusal("attest_not_allowed")
    origid = payload.get("origid")
    try:
        uuid.UUID(origid)
        good = len(origid) == 36
    except (ValueError, TypeError, AttributeError):
        good = False
    if not good:
        raise Refusal("malformed_origid")


def header(x5u: str, ppt: str | None = None) -> dict:
    """The header of a new token."""
    fields = {"alg": "ES256", "typ": "passport", "x5u": x5u}
    return fields | ({"ppt": ppt} if ppt else {})


def payload(orig: str, dest: str, iat: int) -> dict:
    """The claims of a new base token."""
    return {"dest": {"tn": [dest]}, "iat": iat, "orig": {"tn": orig}}
