"""Compact JWS with ES256: what PASSporTs and key statements have in common."""

from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from .encoding import b64u, b64u_decode, canonical, parse_object
from .errors import Refusal

MAX_TOKEN_LEN = 16 * 1024  # PPT-22, key statements likewise
MAX_X5U_LEN = 2 * 1024  # PPT-22
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ES256 = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True)
class Jws:
    """A parsed token. Nothing about it has been verified."""

    text: str
    header: dict[str, Any]
    header_octets: bytes
    payload: dict[str, Any]
    payload_octets: bytes
    signature: bytes

    @property
    def signing_input(self) -> bytes:
        return self.text.rsplit(".", 1)[0].encode("ascii")

    def is_canonical(self) -> bool:
        """PPT-13: re-serialising gives the received octets."""
        try:
            return (
                canonical(self.header).encode() == self.header_octets
                and canonical(self.payload).encode() == self.payload_octets
            )
        except ValueError:
            return False

    def check_signature_form(self) -> None:
        """PPT-3: 64 octets, r and s in 1 to n-1. DER is refused, high s is not (PRV-23)."""
        r, s = (int.from_bytes(self.signature[i : i + 32], "big") for i in (0, 32))
        if len(self.signature) != 64 or not 0 < r < _ORDER or not 0 < s < _ORDER:
            raise Refusal("malformed_signature")

    def verifies_with(self, public) -> bool:
        """Whether this P-256 key made the signature over the octets received (PPT-12)."""
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
            return False
        if len(self.signature) != 64:
            return False
        r, s = (int.from_bytes(self.signature[i : i + 32], "big") for i in (0, 32))
        try:
            public.verify(encode_dss_signature(r, s), self.signing_input, ES256)
        except (InvalidSignature, ValueError):
            return False
        return True


def parse(text: str, form_reason: str = "malformed_token") -> Jws:
    """Splits, decodes and parses; no claim and no signature is checked here."""
    if not isinstance(text, str):
        raise Refusal(form_reason)
    if len(text) > MAX_TOKEN_LEN:
        raise Refusal("too_long")
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        raise Refusal(form_reason, "not three parts")
    header_octets, payload_octets, signature = (b64u_decode(p, form_reason) for p in parts)
    return Jws(
        text=text,
        header=parse_object(header_octets),
        header_octets=header_octets,
        payload=parse_object(payload_octets),
        payload_octets=payload_octets,
        signature=signature,
    )


def raw_signature(key, message: bytes) -> bytes:
    """ES256 as 64 octets r then s."""
    r, s = decode_dss_signature(key.sign(message, ES256))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign_texts(header: str, payload: str, key) -> str:
    """Signs the two JSON texts exactly as given."""
    signing_input = f"{b64u(header.encode())}.{b64u(payload.encode())}"
    return f"{signing_input}.{b64u(raw_signature(key, signing_input.encode('ascii')))}"


def sign(header: dict[str, Any], payload: dict[str, Any], key) -> str:
    """Signs header and payload in canonical JSON."""
    return sign_texts(canonical(header), canonical(payload), key)


def mirrored(token: str) -> str:
    """The other valid signature of the same token: s becomes n - s."""
    head, signature = token.rsplit(".", 1)
    octets = b64u_decode(signature)
    s = _ORDER - int.from_bytes(octets[32:], "big")
    return f"{head}.{b64u(octets[:32] + s.to_bytes(32, 'big'))}"
