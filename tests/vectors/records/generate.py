"""Writes sealed-records-v1.json: state records as docs/protocol.md section 12.6 says, made without the Rust code.

Python 3.11 or newer, standard library and the package `cryptography` (tried with 48.0.0).
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def seal(host_key, name, value):
    names = mac(host_key, b"RingTrue record names v1")
    nonces = mac(host_key, b"RingTrue record nonces v1")
    values = mac(host_key, b"RingTrue record values v1")
    hashed = mac(names, name.encode())
    size = 4096
    while size < len(value) + 4:
        size *= 2
    content = struct.pack(">I", len(value)) + value
    content += bytes(size - len(content))
    nonce = mac(nonces, hashed + content)[:12]
    aad = b"\x01" + hashed
    return hashed, nonce, b"\x01" + nonce + ChaCha20Poly1305(values).encrypt(nonce, content, aad)


HOST_KEY = hashlib.sha256(b"RingTrue sealed records vector").digest()


def name_of(kind, *parts):
    """The name that a session uses."""
    digest = hashlib.sha256(b"RingTrue record v1\0" + kind.encode())
    for part in parts:
        digest.update(struct.pack(">I", len(part)) + part)
    return kind + "." + b64(digest.digest())


RECORDS = [
    (name_of("keys"), b""),
    (name_of("statements", b"12025550199"), b'{"v":1,"statements":[],"seen":[]}'),
    (name_of("credential"), bytes(range(256)) * 15 + bytes(252)),
    (name_of("credential"), bytes(range(256)) * 15 + bytes(253)),
]

records = []
for name, value in RECORDS:
    hashed, nonce, sealed = seal(HOST_KEY, name, value)
    records.append(
        {
            "record": name,
            "value": b64(value),
            "host_name": b64(hashed),
            "nonce": b64(nonce),
            "length": len(sealed),
            "sealed": b64(sealed),
        }
    )

text = json.dumps(
    {
        "source": "docs/protocol.md section 12.6; written by generate.py",
        "licence": "as the project",
        "host_key": b64(HOST_KEY),
        "records": records,
    },
    indent=1,
)
pathlib.Path(__file__).with_name("sealed-records-v1.json").write_text(text + "\n")
