"""HPKE base mode (RFC 9180) by hand: DHKEM over P-256 and X25519, HKDF-SHA256, two AEADs.

The library's own HPKE takes no associated data, which the blob needs; the check in
`checks/vectors.py` compares this code with it wherever both can do the job.
"""

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from .errors import Refusal

P256, X25519 = 0x0010, 0x0020
HKDF_SHA256 = 0x0001
AES_128_GCM, CHACHA20_POLY1305 = 0x0001, 0x0003
ENC_LEN = {P256: 65, X25519: 32}
_KEY_LEN = {AES_128_GCM: 16, CHACHA20_POLY1305: 32}
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    okm, block = b"", b""
    for counter in range(1, (length + 31) // 32 + 1):
        block = hmac.digest(prk, block + info + bytes([counter]), "sha256")
        okm += block
    return okm[:length]


def _kem_suite(kem: int) -> bytes:
    return b"KEM" + kem.to_bytes(2, "big")


def generate(kem: int):
    """A fresh private key."""
    if kem == P256:
        return ec.generate_private_key(ec.SECP256R1())
    return x25519.X25519PrivateKey.generate()


def private_from_octets(kem: int, octets: bytes):
    """A private key from its 32 octets."""
    if kem == P256:
        return ec.derive_private_key(int.from_bytes(octets, "big"), ec.SECP256R1())
    return x25519.X25519PrivateKey.from_private_bytes(octets)


def private_octets(private) -> bytes:
    """The 32 octets of a private key."""
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.private_numbers().private_value.to_bytes(32, "big")
    return private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def derive_key_pair(kem: int, ikm: bytes):
    """DeriveKeyPair of RFC 9180 section 7.1.3."""
    suite = _kem_suite(kem)
    prk = _extract(suite, b"", b"dkp_prk", ikm)
    if kem == X25519:
        return private_from_octets(kem, _expand(suite, prk, b"sk", b"", 32))
    for counter in range(256):
        octets = _expand(suite, prk, b"candidate", bytes([counter]), 32)
        if 0 < int.from_bytes(octets, "big") < _P256_ORDER:
            return private_from_octets(kem, octets)
    raise Refusal("internal", "no candidate")


def public_octets(private) -> bytes:
    """The raw public key: an uncompressed point, or 32 octets."""
    public = private.public_key()
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return public.public_bytes_raw()


def parse_public(kem: int, octets: bytes):
    """A validated public key. P-256: uncompressed and on the curve. X25519: of no low order."""
    if len(octets) != ENC_LEN[kem] or (kem == P256 and octets[0] != 4):
        raise Refusal("malformed_key", "form")
    try:
        if kem == P256:
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets)
        public = x25519.X25519PublicKey.from_public_bytes(octets)
        x25519.X25519PrivateKey.generate().exchange(public)  # all-zero result: low order
        return public
    except ValueError:
        raise Refusal("malformed_key", "not a point of the curve") from None


def _dh(private, public) -> bytes:
    try:
        if isinstance(private, ec.EllipticCurvePrivateKey):
            return private.exchange(ec.ECDH(), public)
        return private.exchange(public)
    except ValueError:
        raise Refusal("malformed_key", "all-zero result") from None


def _shared_secret(kem: int, dh: bytes, enc: bytes, recipient: bytes) -> bytes:
    suite = _kem_suite(kem)
    prk = _extract(suite, b"", b"eae_prk", dh)
    return _expand(suite, prk, b"shared_secret", enc + recipient, 32)


@dataclass(frozen=True)
class Context:
    """The result of the key schedule. Single messages use sequence number 0."""

    aead: int
    suite: bytes
    key: bytes
    base_nonce: bytes
    exporter_secret: bytes
    shared_secret: bytes

    def _cipher(self):
        return (AESGCM if self.aead == AES_128_GCM else ChaCha20Poly1305)(self.key)

    def nonce(self, sequence: int = 0) -> bytes:
        return bytes(a ^ b for a, b in zip(self.base_nonce, sequence.to_bytes(12, "big")))

    def seal(self, plaintext: bytes, aad: bytes, sequence: int = 0) -> bytes:
        return self._cipher().encrypt(self.nonce(sequence), plaintext, aad)

    def open(self, ciphertext: bytes, aad: bytes, sequence: int = 0) -> bytes:
        try:
            return self._cipher().decrypt(self.nonce(sequence), ciphertext, aad)
        except InvalidTag:
            raise Refusal("malformed_blob", "does not open") from None

    def export(self, context: bytes, length: int) -> bytes:
        return _expand(self.suite, self.exporter_secret, b"sec", context, length)


def key_schedule(kem: int, aead: int, shared_secret: bytes, info: bytes) -> Context:
    """Base mode: no pre-shared key."""
    suite = b"HPKE" + b"".join(part.to_bytes(2, "big") for part in (kem, HKDF_SHA256, aead))
    context = (
        b"\0" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    )
    secret = _extract(suite, shared_secret, b"secret", b"")
    return Context(
        aead=aead,
        suite=suite,
        key=_expand(suite, secret, b"key", context, _KEY_LEN[aead]),
        base_nonce=_expand(suite, secret, b"base_nonce", context, 12),
        exporter_secret=_expand(suite, secret, b"exp", context, 32),
        shared_secret=shared_secret,
    )


def setup_sender(kem: int, aead: int, recipient: bytes, info: bytes, ephemeral=None):
    """Returns `enc` and the context. `ephemeral` is for vectors only."""
    ephemeral = ephemeral or generate(kem)
    enc = public_octets(ephemeral)
    dh = _dh(ephemeral, parse_public(kem, recipient))
    return enc, key_schedule(kem, aead, _shared_secret(kem, dh, enc, recipient), info)


def setup_receiver(kem: int, aead: int, enc: bytes, private, info: bytes) -> Context:
    dh = _dh(private, parse_public(kem, enc))
    secret = _shared_secret(kem, dh, enc, public_octets(private))
    return key_schedule(kem, aead, secret, info)
