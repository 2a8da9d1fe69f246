# SPDX-License-Identifier: GPL-3.0-or-later
"""EdDSA over Baby Jubjub with Poseidon, as circomlib's verifier checks it.

In circomlib's form: S * B8 = R8 + H(R8, A, m) * 8 A, B8 the generator of the prime subgroup.
The nonce is deterministic (blake2b of the key's prefix and the message), so a signer never draws randomness.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import P
from zkmargin.protocol.model import Signature
from zkmargin.protocol.poseidon import poseidon

A = 168700
D = 168696
SUBGROUP_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041
BASE8 = (
    5299619240641551281634865583518297030282874472190772894086521144482721001553,
    16950150798460657717958625567821834550301663161624707787222815936182638968203,
)

Point = tuple[int, int]
_Extended = tuple[int, int, int, int]
_NEUTRAL: _Extended = (0, 1, 1, 0)


def _extend(point: Point) -> _Extended:
    return point[0], point[1], 1, point[0] * point[1] % P


def _add(p: _Extended, q: _Extended) -> _Extended:
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a, b, c, d = x1 * x2 % P, y1 * y2 % P, D * t1 * t2 % P, z1 * z2 % P
    e = ((x1 + y1) * (x2 + y2) - a - b) % P
    f, g, h = d - c, d + c, b - A * a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _affine(point: _Extended) -> Point:
    inverse = pow(point[2], -1, P)
    return point[0] * inverse % P, point[1] * inverse % P


def _times(point: Point, scalar: int) -> _Extended:
    result, power = _NEUTRAL, _extend(point)
    while scalar:
        if scalar & 1:
            result = _add(result, power)
        power = _add(power, power)
        scalar >>= 1
    return result


def on_curve(point: Point) -> bool:
    """Whether a point is on Baby Jubjub."""
    x2, y2 = point[0] * point[0] % P, point[1] * point[1] % P
    return (A * x2 + y2 - 1 - D * x2 * y2) % P == 0


def is_key(point: Point) -> bool:
    """Whether a point can be a signing key: canonical, in the prime subgroup, not the neutral point."""
    if not all(0 <= value < P for value in point) or not on_curve(point) or point == (0, 1):
        return False
    return _affine(_times(point, SUBGROUP_ORDER)) == (0, 1)


@dataclass(frozen=True)
class KeyPair:
    """A signing key: (ax, ay) is public; `scalar` and `prefix` are secret and never printed."""

    ax: int
    ay: int
    scalar: int = field(repr=False)
    prefix: bytes = field(repr=False)


def keypair(seed: bytes) -> KeyPair:
    """The key of a secret seed of any length, derived as circomlibjs does (blake2b stands for blake512)."""
    digest = hashlib.blake2b(b"zkmargin.key" + seed).digest()
    raw = bytearray(digest[:32])
    raw[0] &= 0xF8
    raw[31] = (raw[31] & 0x7F) | 0x40
    scalar = (int.from_bytes(raw, "little") >> 3) % SUBGROUP_ORDER
    ax, ay = _affine(_times(BASE8, scalar))
    return KeyPair(ax, ay, scalar, digest[32:])


def sign(key: KeyPair, message: int) -> Signature:
    """Sign a field element; `BadInput` for an integer outside 0..p-1."""
    if not 0 <= message < P:
        raise BadInput(f"{message} is no field element", hint="sign a hash of the protocol")
    digest = hashlib.blake2b(key.prefix + message.to_bytes(32, "little")).digest()
    nonce = int.from_bytes(digest, "little") % SUBGROUP_ORDER
    r8x, r8y = _affine(_times(BASE8, nonce))
    challenge = poseidon([r8x, r8y, key.ax, key.ay, message])
    return Signature(r8x, r8y, (nonce + challenge * 8 * key.scalar) % SUBGROUP_ORDER)


def verify(ax: int, ay: int, message: int, signature: Signature) -> bool:
    """Whether the circuits accept: S below the subgroup order, A and R8 on the curve, 8A not neutral.

    Never raises: values out of range are just no signature.
    """
    r8 = (signature.r8x, signature.r8y)
    if not all(0 <= value < P for value in (ax, ay, *r8, message)) or not 0 <= signature.s < SUBGROUP_ORDER:
        return False
    if not on_curve((ax, ay)) or not on_curve(r8):
        return False
    eight_a = _affine(_times((ax, ay), 8))
    if eight_a[0] == 0:
        return False
    challenge = poseidon([*r8, ax, ay, message])
    right = _add(_extend(r8), _times(eight_a, challenge))
    return _affine(_times(BASE8, signature.s)) == _affine(right)
