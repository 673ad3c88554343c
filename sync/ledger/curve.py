"""Whether a point of edwards25519 is one of the prime order's: what libraries do not say and signatures rely on.

The curve has 8 L points. A key with a part of the eight (a torsion point added to an honest key) signs what one
verifier takes and another refuses, as each multiplies by the cofactor or does not (RFC 8032, 5.1.7, allows both); one
of the eight alone signs anything for anybody. Neither can be a device's or a center's. Plain arithmetic, some
milliseconds for a point; nothing here is secret, so it need not take the same time for all.
"""

from __future__ import annotations

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, P) % P
_ROOT = pow(2, (P - 1) // 4, P)
"""A square root of -1."""

Point = tuple[int, int, int, int]
"""Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x y = T/Z."""
IDENTITY: Point = (0, 1, 1, 0)


def decode(data: bytes) -> Point | None:
    """The point that 32 bytes encode; None when they encode none, or not in its one form."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def encode(point: Point) -> bytes:
    """The 32 bytes of a point."""
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(one: Point, other: Point) -> Point:
    """The sum of two points, which may be the same."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * _D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(count: int, point: Point) -> Point:
    """`count` times a point, for a count of zero or more."""
    total = IDENTITY
    while count:
        if count & 1:
            total = add(total, point)
        point = add(point, point)
        count >>= 1
    return total


def is_of_prime_order(data: bytes) -> bool:
    """Whether 32 bytes are a point of order L: in its one encoding, not the identity, without a part of the eight."""
    point = decode(data)
    if point is None or _is_identity(point):
        return False
    return _is_identity(times(L, point))


def _is_identity(point: Point) -> bool:
    x, y, z, _ = point
    return x % P == 0 and (y - z) % P == 0
