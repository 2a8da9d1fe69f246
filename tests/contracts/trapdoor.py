# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying keys whose secret scalars are known, and sound proofs for any signals under them.

Whoever knows alpha, beta, gamma and delta can prove anything; a real setup forgets them. Tests of the
ledger's own rules use it so that the real verifier, on chain and off, decides without a circuit. The
contracts' tests have the same key (contracts/test/support/Trapdoor.sol). What circuits accept is tested with
their real keys.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from py_ecc import optimized_bn128 as curve

from zkmargin.protocol.constants import P
from zkmargin.proving.proof import Proof

ALPHA, BETA, GAMMA, B = 5, 7, 11, 3
IC = (19, 23, 29, 31)
SETTLE_DELTA, TICK_DELTA, SWEEP_DELTA, COVERAGE_DELTA, REGROUP_DELTA, CARRY_DELTA = 13, 17, 37, 41, 43, 47
DELTAS = {
    "settle": SETTLE_DELTA,
    "tick": TICK_DELTA,
    "sweep": SWEEP_DELTA,
    "coverage": COVERAGE_DELTA,
    "regroup": REGROUP_DELTA,
    "carry": CARRY_DELTA,
}


@cache
def g1(factor: int) -> tuple[int, int]:
    """`factor` times the generator of G1, affine."""
    x, y = curve.normalize(curve.multiply(curve.G1, factor))
    return int(x), int(y)


@cache
def g2(factor: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """`factor` times the generator of G2, affine, real parts first."""
    x, y = curve.normalize(curve.multiply(curve.G2, factor))
    (x0, x1), (y0, y1) = (tuple(int(part) for part in coordinate.coeffs) for coordinate in (x, y))
    return (x0, x1), (y0, y1)


def verifying_key(delta: int) -> dict[str, Any]:
    """The key in snarkjs's JSON form, for three public signals."""
    return {
        "protocol": "groth16",
        "curve": "bn128",
        "nPublic": 3,
        "vk_alpha_1": _g1_json(ALPHA),
        "vk_beta_2": _g2_json(BETA),
        "vk_gamma_2": _g2_json(GAMMA),
        "vk_delta_2": _g2_json(delta),
        "IC": [_g1_json(factor) for factor in IC],
    }


def prove(circuit: str, signals: tuple[int, int, int]) -> Proof:
    """A proof of `signals` for a circuit, the same each time."""
    delta = DELTAS[circuit]
    a = int.from_bytes(hashlib.sha512(repr(signals).encode()).digest(), "big") % P
    total = IC[0] + sum(signal * factor for signal, factor in zip(signals, IC[1:], strict=True))
    c = (a * B - ALPHA * BETA - total * GAMMA) * pow(delta, -1, P) % P
    return Proof(g1(a), g2(B), g1(c), signals)


def _g1_json(factor: int) -> list[str]:
    return [*map(str, g1(factor)), "1"]


def _g2_json(factor: int) -> list[list[str]]:
    return [*(list(map(str, coordinate)) for coordinate in g2(factor)), ["1", "0"]]


KEYS = {circuit: verifying_key(delta) for circuit, delta in DELTAS.items()}
