"""Strict base64url and strict JSON, the two encodings that every object here is made of."""

import base64
import json
import re
from typing import Any

from .errors import Refusal

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
MAX_DEPTH = 8  # PPT-22
MAX_ARRAY = 64  # PPT-22


def b64u(octets: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def b64u_decode(text: str, reason: str = "malformed_token") -> bytes:
    """Decodes unpadded base64url; padding, foreign characters and unused bits are refused."""
    if not isinstance(text, str) or not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise Refusal(reason, "not unpadded base64url")
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64u(octets) != text:
        raise Refusal(reason, "unused bits are not zero")
    return octets


def canonical(value: Any) -> str:
    """The deterministic serialisation of RFC 8225 section 9 (PPT-11)."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def compact(value: Any) -> str:
    """JSON without white space that keeps the member order of `value`."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Refusal("duplicate_member")
    return result


def _no_constant(name: str) -> Any:
    raise Refusal("malformed_json", f"{name} is not JSON")


def _check_depth(value: Any, depth: int = 1) -> None:
    if depth > MAX_DEPTH:
        raise Refusal("too_deep")
    if isinstance(value, dict):
        for member in value.values():
            _check_depth(member, depth + 1)
    elif isinstance(value, list):
        if len(value) > MAX_ARRAY:
            raise Refusal("too_deep", "array too long")
        for member in value:
            _check_depth(member, depth + 1)


def parse_json(octets: bytes | str) -> Any:
    """Parses JSON; repeated members, NaN and deep nesting are refused."""
    try:
        text = octets.decode("utf-8") if isinstance(octets, bytes) else octets
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal("malformed_json", str(error)) from None
    _check_depth(value)
    return value


def parse_object(octets: bytes | str, reason: str = "malformed_json") -> dict[str, Any]:
    """Parses JSON that has to be an object."""
    value = parse_json(octets)
    if not isinstance(value, dict):
        raise Refusal(reason, "not a JSON object")
    return value


def is_integer(value: Any) -> bool:
    """Whether a parsed JSON value is an integer number (a boolean is not)."""
    return isinstance(value, int) and not isinstance(value, bool)
