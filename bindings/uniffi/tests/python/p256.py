"""P-256 in plain Python: what a phone's key store does, for tests.

Neither quick nor safe: the time it takes depends on the key. The standard library has no elliptic
curves, and the test of a binding should need no other package.
"""

import base64
import secrets

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def _double(point):
    """Jacobian, for a = -3."""
    x, y, z = point
    delta = z * z % P
    gamma = y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    z3 = ((y + z) * (y + z) - gamma - delta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, z3


def _add(left, right):
    """Jacobian plus affine. Equal points do not occur below the group order."""
    x1, y1, z1 = left
    if z1 == 0:
        return right[0], right[1], 1
    zz = z1 * z1 % P
    h = (right[0] * zz - x1) % P
    r = (right[1] * z1 * zz - y1) % P
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P


def multiply(scalar, point):
    """`scalar` (1 to N - 1) times an affine point, affine."""
    result = (0, 1, 0)
    for bit in bin(scalar)[2:]:
        result = _double(result)
        if bit == "1":
            result = _add(result, point)
    x, y, z = result
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def generate():
    """A private key."""
    return secrets.randbelow(N - 1) + 1


def public_key(scalar):
    """The uncompressed point, 65 octets."""
    x, y = multiply(scalar, G)
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def agree(scalar, peer):
    """Plain ECDH with an uncompressed point: the X coordinate, 32 octets."""
    x, y = int.from_bytes(peer[1:33], "big"), int.from_bytes(peer[33:], "big")
    if len(peer) != 65 or peer[0] != 4 or (y * y - x * x * x + 3 * x - B) % P != 0:
        raise ValueError("not a point of the curve")
    return multiply(scalar, (x, y))[0].to_bytes(32, "big")


def sign(scalar, digest):
    """ECDSA over a SHA-256 digest: r and s."""
    while True:
        nonce = generate()
        r = multiply(nonce, G)[0] % N
        s = pow(nonce, -1, N) * (int.from_bytes(digest, "big") + r * scalar) % N
        if r and s:
            return r, s


def raw(signature):
    """r then s, 32 octets each."""
    r, s = signature
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def der(signature):
    """DER ECDSA-Sig-Value."""

    def integer(value):
        octets = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return bytes([2, len(octets)]) + octets

    content = integer(signature[0]) + integer(signature[1])
    return bytes([0x30, len(content)]) + content


def scalar_from_pem(text):
    """The private key in a PKCS#8 PEM block: PrivateKeyInfo (RFC 5208) around ECPrivateKey (RFC 5915)."""
    lines = [line for line in text.splitlines() if line and not line.startswith("-----")]
    info = _items(_items(base64.b64decode("".join(lines)))[0][1])
    ec_private_key = _items(_items(info[2][1])[0][1])
    return int.from_bytes(ec_private_key[1][1], "big")


def _items(der_octets):
    """The DER values in a row, as pairs of tag and content."""
    items, at = [], 0
    while at < len(der_octets):
        tag, length = der_octets[at], der_octets[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(der_octets[at : at + size], "big")
            at += size
        items.append((tag, der_octets[at : at + length]))
        at += length
    return items


def public_pem(scalar):
    """The public half as a PEM block."""
    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    text = base64.encodebytes(prefix + public_key(scalar)).decode()
    return "-----BEGIN PUBLIC KEY-----\n%s-----END PUBLIC KEY-----\n" % text
