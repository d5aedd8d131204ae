"""TNAuthList (RFC 8226 section 9): strict DER both ways, and the arithmetic of number scopes."""

from dataclasses import dataclass

from .errors import Refusal
from .numbers import is_canonical

OID = "1.3.6.1.5.5.7.1.26"
_SEQUENCE, _INTEGER, _IA5 = 0x30, 0x02, 0x16
_SPC, _RANGE, _ONE = 0xA0, 0xA1, 0xA2


def _malformed(detail: str) -> Refusal:
    return Refusal("malformed_tn_auth_list", detail)


def _element(octets: bytes) -> tuple[int, bytes, bytes]:
    """One DER element: tag, contents, rest. Lengths must be minimal (CRT-2)."""
    if len(octets) < 2:
        raise _malformed("cut short")
    tag, length, start = octets[0], octets[1], 2
    if length & 0x80:
        width = length & 0x7F
        field = octets[2 : 2 + width]
        if not 1 <= width <= 4 or len(field) != width or field[0] == 0:
            raise _malformed("length")
        length, start = int.from_bytes(field, "big"), 2 + width
        if length < 0x80:
            raise _malformed("length is not minimal")
    end = start + length
    if end > len(octets):
        raise _malformed("cut short")
    return tag, octets[start:end], octets[end:]


def _only(octets: bytes, tag: int) -> bytes:
    found, contents, rest = _element(octets)
    if found != tag or rest:
        raise _malformed("unexpected element")
    return contents


def _text(octets: bytes) -> str:
    try:
        return octets.decode("ascii")
    except ValueError:
        raise _malformed("not IA5") from None


@dataclass(frozen=True)
class Entry:
    """`kind` is `spc`, `range` or `one`; `count` is 1 except for a range."""

    kind: str
    value: str
    count: int = 1

    def interval(self) -> tuple[int, int, int] | None:
        """(digits, first, last) when the entry is one or more plain digit numbers."""
        if self.kind == "spc" or not self.value.isdigit():
            return None
        first = int(self.value)
        return len(self.value), first, first + self.count - 1


def _entry(tag: int, contents: bytes) -> Entry:
    if tag == _SPC:
        spc = _text(_only(contents, _IA5))
        if not spc:
            raise _malformed("empty service provider code")
        return Entry("spc", spc)
    if tag == _ONE:
        number = _text(_only(contents, _IA5))
        if not is_canonical(number):
            raise _malformed("number")
        return Entry("one", number)
    if tag == _RANGE:
        inner = _only(contents, _SEQUENCE)
        start_tag, start_octets, inner = _element(inner)
        count_tag, count_octets, inner = _element(inner)
        if start_tag != _IA5 or count_tag != _INTEGER or not count_octets:
            raise _malformed("range members")
        while inner:  # additions behind the extension marker grant nothing (CRT-5)
            _, _, inner = _element(inner)
        start = _text(start_octets)
        if len(count_octets) > 1 and (
            (count_octets[0] == 0 and count_octets[1] < 0x80)
            or (count_octets[0] == 0xFF and count_octets[1] >= 0x80)
        ):
            raise _malformed("count is not minimal")
        count = int.from_bytes(count_octets, "big", signed=True)
        if not is_canonical(start) or not start.isdigit() or count < 2:
            raise _malformed("range")
        if int(start) + count >= 10 ** len(start):  # CRT-3
            raise _malformed("range leaves its number of digits")
        return Entry("range", start, count)
    raise _malformed("no such choice")


def decode(octets: bytes) -> list[Entry]:
    """Decodes the extension's octets; at least one entry, nothing behind the list."""
    rest = _only(octets, _SEQUENCE)
    entries = []
    while rest:
        tag, contents, rest = _element(rest)
        entries.append(_entry(tag, contents))
    if not entries:
        raise _malformed("empty")
    return entries


def _tlv(tag: int, contents: bytes) -> bytes:
    length = len(contents)
    if length < 0x80:
        return bytes([tag, length]) + contents
    field = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(field)]) + field + contents


def encode(entries: list[Entry]) -> bytes:
    """The inverse of `decode`."""
    parts = []
    for entry in entries:
        text = _tlv(_IA5, entry.value.encode("ascii"))
        if entry.kind == "range":
            count = entry.count.to_bytes(entry.count.bit_length() // 8 + 1, "big")
            parts.append(_tlv(_RANGE, _tlv(_SEQUENCE, text + _tlv(_INTEGER, count))))
        else:
            parts.append(_tlv(_SPC if entry.kind == "spc" else _ONE, text))
    return _tlv(_SEQUENCE, b"".join(parts))


def covers(entries: list[Entry], number: str) -> bool:
    """Whether the union of the entries holds the number (CRT-4, CRT-6)."""
    return encompasses(entries, [Entry("one", number)])


def _merged(entries: list[Entry]) -> list[tuple[int, int, int]]:
    merged: list[tuple[int, int, int]] = []
    for digits, first, last in sorted(filter(None, (entry.interval() for entry in entries))):
        if merged and merged[-1][0] == digits and first <= merged[-1][2] + 1:
            merged[-1] = (digits, merged[-1][1], max(last, merged[-1][2]))
        else:
            merged.append((digits, first, last))
    return merged


def encompasses(parent: list[Entry], child: list[Entry]) -> bool:
    """Whether every entry of `child` lies inside the union of `parent` (CRT-31)."""
    scope = _merged(parent)
    for entry in child:
        interval = entry.interval()
        if interval is None:
            if not any(p.kind == entry.kind and p.value == entry.value for p in parent):
                return False
        elif not any(
            digits == interval[0] and first <= interval[1] and interval[2] <= last
            for digits, first, last in scope
        ):
            return False
    return True
