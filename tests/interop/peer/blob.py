"""Blob v1: a sealed content object of fixed size (suites S1 and S2 sealed, S3 and S4 by form)."""

from dataclasses import dataclass

from . import hpke
from .encoding import b64u, b64u_decode
from .errors import Refusal

VERSION = 1
CLASS_LEN = {1: 4096, 2: 16384, 3: 8192}
TAG_LEN = 16
HEADER_LEN = 8


@dataclass(frozen=True)
class Suite:
    name: str
    kem: int
    aead: int
    enc_len: int
    classes: tuple[int, ...]

    def header(self, size_class: int) -> bytes:
        ids = (self.kem, hpke.HKDF_SHA256, self.aead)
        return bytes([VERSION]) + b"".join(i.to_bytes(2, "big") for i in ids) + bytes([size_class])

    def capacity(self, size_class: int) -> int:
        """How many octets of content fit."""
        return CLASS_LEN[size_class] - HEADER_LEN - self.enc_len - TAG_LEN - 2


S1 = Suite("S1", hpke.P256, hpke.AES_128_GCM, 65, (1, 2))
S2 = Suite("S2", hpke.X25519, hpke.CHACHA20_POLY1305, 32, (1, 2))
S3 = Suite("S3", 0x647A, hpke.CHACHA20_POLY1305, 1120, (3,))
S4 = Suite("S4", 0x0050, hpke.AES_128_GCM, 1153, (3,))
KNOWN = {suite.name: suite for suite in (S1, S2, S3, S4)}
SEALED = {"S1": S1, "S2": S2}


def inspect(blob: bytes) -> tuple[Suite, int]:
    """Suite and size class of a blob; everything a service checks (W-19)."""
    for suite in KNOWN.values():
        for size_class in suite.classes:
            if blob[:HEADER_LEN] == suite.header(size_class) and (
                len(blob) == CLASS_LEN[size_class]
            ):
                return suite, size_class
    raise Refusal("malformed_blob")


def info_for(number: str) -> bytes:
    """HPKE `info`: the blob is bound to one called number (PRV-6)."""
    octets = number.encode("ascii")
    return b"STIR-OOB blob v1\0\x01" + len(octets).to_bytes(2, "big") + octets


def pad(content: bytes, suite: Suite, size_class: int) -> bytes:
    """The plaintext that fills a class exactly."""
    if len(content) > suite.capacity(size_class):
        raise Refusal("content_too_long")
    return len(content).to_bytes(2, "big") + content.ljust(suite.capacity(size_class), b"\0")


def unpad(plaintext: bytes) -> bytes:
    """The content of a plaintext; the filler has to be all zero."""
    length = int.from_bytes(plaintext[:2], "big")
    content, filler = plaintext[2 : 2 + length], plaintext[2 + length :]
    if len(content) != length or any(filler):
        raise Refusal("malformed_content", "padding")
    return content


def seal(
    suite: Suite,
    recipient: bytes,
    number: str,
    content: bytes,
    size_class: int = 1,
    ephemeral=None,
) -> bytes:
    """Seals one content for one recipient key and one called number."""
    return seal_plaintext(
        suite, recipient, info_for(number), pad(content, suite, size_class), size_class, ephemeral
    )


def seal_plaintext(
    suite: Suite, recipient: bytes, info: bytes, plaintext: bytes, size_class=1, ephemeral=None
) -> bytes:
    """Seals a plaintext that is already padded."""
    header = suite.header(size_class)
    enc, context = hpke.setup_sender(suite.kem, suite.aead, recipient, info, ephemeral)
    return header + enc + context.seal(plaintext, header)


def open_with(blob: bytes, private, number: str) -> bytes:
    """Opens a blob with one private key of its suite."""
    suite, _ = inspect(blob)
    end = HEADER_LEN + suite.enc_len
    header, enc, ciphertext = blob[:HEADER_LEN], blob[HEADER_LEN:end], blob[end:]
    context = hpke.setup_receiver(suite.kem, suite.aead, enc, private, info_for(number))
    return unpad(context.open(ciphertext, header))


def filler(suite: Suite, size_class: int = 1) -> bytes:
    """A blob for nobody: the ordinary path to a throw-away key (W-18, PRV-14)."""
    recipient = hpke.public_octets(hpke.generate(suite.kem))
    return seal(suite, recipient, "0", b"", size_class)


def to_text(blob: bytes) -> str:
    return b64u(blob)


def from_text(line: str) -> bytes:
    return b64u_decode(line, "malformed_blob")
