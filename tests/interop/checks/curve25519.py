"""Whether 32 octets could be an honest X25519 public key, with plain integers.

An honestly made key has its top bit clear, is on the curve and lies in the subgroup of prime order;
random octets pass with probability 1/32 (PRV-14).
"""

_P = 2**255 - 19
_A = 486662
_ORDER = 2**252 + 27742317777372353535851937790883648493


def _ladder(scalar: int, u: int) -> tuple[int, int]:
    """The projective u coordinate (X, Z) of scalar times the point."""
    x2, z2, x3, z3 = 1, 0, u, 1
    for position in reversed(range(scalar.bit_length())):
        bit = scalar >> position & 1
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        plus, minus = (x2 + z2) ** 2 % _P, (x2 - z2) ** 2 % _P
        cross, other = (x3 - z3) * (x2 + z2) % _P, (x3 + z3) * (x2 - z2) % _P
        x3, z3 = (cross + other) ** 2 % _P, u * (cross - other) ** 2 % _P
        step = plus - minus
        x2, z2 = plus * minus % _P, step * (minus + (_A + 2) // 4 * step) % _P
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return x2, z2


def plausible(octets: bytes) -> bool:
    u = int.from_bytes(octets, "little")
    if u >= _P:
        return False
    if pow((u * u * u + _A * u * u + u) % _P, (_P - 1) // 2, _P) != 1:
        return False  # on the twist, or of order two
    return _ladder(_ORDER, u)[1] % _P == 0
