"""Telephone numbers: the canonical form and the two ways to reach it."""

import re
from urllib.parse import unquote_to_bytes

from .errors import Refusal

_CANONICAL = re.compile(r"[0-9*#]{1,15}", re.ASCII)


def is_canonical(text: object) -> bool:
    """PPT-10: 1 to 15 characters out of `0-9 * #`."""
    return isinstance(text, str) and _CANONICAL.fullmatch(text) is not None


def canonical_number(text: str) -> str:
    """What a person or signalling gives: separators and one leading `+` are removed."""
    number = re.sub(r"[ .()\-]", "", text)
    number = number.removeprefix("+")
    if not is_canonical(number):
        raise Refusal("malformed_number")
    return number


def number_from_path(segment: str) -> str:
    """W-23: a path segment; only one leading `+`, `.` and `-` are removed, blanks are refused."""
    try:
        text = unquote_to_bytes(segment).decode("ascii")
    except ValueError:
        raise Refusal("malformed_number") from None
    number = text.removeprefix("+").replace(".", "").replace("-", "")
    if not is_canonical(number):
        raise Refusal("malformed_number")
    return number


def number_in_path(number: str) -> str:
    """The canonical number as a path segment."""
    return number.replace("#", "%23")
