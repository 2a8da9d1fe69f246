# SPDX-License-Identifier: GPL-3.0-or-later
"""EdDSA-Poseidon: the curve, what is signed and refused, and agreement with circomlib's verifier and ours."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.strategies import elements
from zkmargin.circuits.circuit import Circuit
from zkmargin.circuits.compile import compile_circuit
from zkmargin.errors import BadInput, WitnessError
from zkmargin.protocol.constants import P
from zkmargin.protocol.eddsa import (
    BASE8,
    SUBGROUP_ORDER,
    A,
    D,
    KeyPair,
    Point,
    is_key,
    keypair,
    on_curve,
    sign,
    verify,
)
from zkmargin.protocol.model import Signature
from zkmargin.protocol.poseidon import poseidon
from zkmargin.proving.witness import WitnessGenerator
from zkmargin.toolchain import circomlib, home

KEY = keypair(b"a trader")
MESSAGE = 2**200 + 5


def plus(p: Point, q: Point) -> Point:
    """The addition law of a twisted Edwards curve as the paper has it."""
    (x1, y1), (x2, y2) = p, q
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + y1 * x2) * pow(1 + product, -1, P)
    y = (y1 * y2 - A * x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def times(point: Point, scalar: int) -> Point:
    result = (0, 1)
    for digit in bin(scalar)[2:]:
        result = plus(result, result)
        if digit == "1":
            result = plus(result, point)
    return result


def test_the_generator_has_the_subgroup_order() -> None:
    assert on_curve(BASE8)
    assert times(BASE8, SUBGROUP_ORDER) == (0, 1)
    assert pow(2, SUBGROUP_ORDER - 1, SUBGROUP_ORDER) == 1
    assert is_key(BASE8)


@settings(max_examples=20)
@given(st.binary(max_size=40))
def test_keys_are_points_of_the_subgroup(seed: bytes) -> None:
    key = keypair(seed)
    assert (key.ax, key.ay) == times(BASE8, key.scalar)
    assert is_key((key.ax, key.ay))
    assert keypair(seed) == key


def test_secrets_are_not_printed() -> None:
    assert str(KEY.scalar) not in repr(KEY)
    assert KEY.prefix.hex() not in repr(KEY)
    assert "prefix" not in repr(KEY)


@settings(max_examples=20)
@given(elements, st.binary(max_size=8))
def test_signatures_verify_for_their_key_and_message_alone(message: int, seed: bytes) -> None:
    key = keypair(seed)
    signature = sign(key, message)
    assert signature == sign(key, message), "the nonce is deterministic"
    assert verify(key.ax, key.ay, message, signature)
    assert not verify(key.ax, key.ay, (message + 1) % P, signature)
    other = keypair(seed + b"!")
    assert not verify(other.ax, other.ay, message, signature)


def test_the_verification_equation() -> None:
    signature = sign(KEY, MESSAGE)
    r8, key = (signature.r8x, signature.r8y), (KEY.ax, KEY.ay)
    challenge = poseidon([*r8, *key, MESSAGE])
    assert times(BASE8, signature.s) == plus(r8, times(times(key, 8), challenge))


def test_nonces_differ_between_messages_and_keys() -> None:
    points = {sign(key, m).r8x for key in (KEY, keypair(b"another")) for m in range(20)}
    assert len(points) == 40


def _small_order_signature(key: Point) -> tuple[int, int, int, Signature]:
    """A forgery that an unchecked key of small order would let pass: S * B8 = R8, whatever the message."""
    return *key, MESSAGE, Signature(*times(BASE8, 7), 7)


GOOD = sign(KEY, MESSAGE)
FORGERIES: dict[str, tuple[int, int, int, Signature]] = {
    "S plus the order": (KEY.ax, KEY.ay, MESSAGE, replace(GOOD, s=GOOD.s + SUBGROUP_ORDER)),
    "S of the order": (KEY.ax, KEY.ay, MESSAGE, replace(GOOD, s=SUBGROUP_ORDER)),
    "negative S": (KEY.ax, KEY.ay, MESSAGE, replace(GOOD, s=GOOD.s - SUBGROUP_ORDER)),
    "message plus p": (KEY.ax, KEY.ay, MESSAGE + P, GOOD),
    "key plus p": (KEY.ax + P, KEY.ay, MESSAGE, GOOD),
    "R8 plus p": (KEY.ax, KEY.ay, MESSAGE, replace(GOOD, r8x=GOOD.r8x + P)),
    "R8 negated": (KEY.ax, KEY.ay, MESSAGE, replace(GOOD, r8x=P - GOOD.r8x)),
    "R8 off the curve": (KEY.ax, KEY.ay, MESSAGE, replace(GOOD, r8y=(GOOD.r8y + 1) % P)),
    "the key off the curve": (KEY.ax, (KEY.ay + 1) % P, MESSAGE, GOOD),
    "the null signature": (KEY.ax, KEY.ay, MESSAGE, Signature(0, 1, 0)),
    "a key of order 1": _small_order_signature((0, 1)),
    "a key of order 2": _small_order_signature((0, P - 1)),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_forgeries_are_refused_without_an_error(forgery: tuple[int, int, int, Signature]) -> None:
    assert verify(KEY.ax, KEY.ay, MESSAGE, GOOD)
    assert not verify(*forgery)


def test_only_field_elements_are_signed() -> None:
    for message in (-1, P):
        with pytest.raises(BadInput, match="field element"):
            sign(KEY, message)


CIRCOMLIB = Circuit(
    "circomlib-eddsa", "test", "eddsaposeidon.circom", "EdDSAPoseidonVerifier", (), (), search=(circomlib(),)
)
OURS = Circuit(
    "eddsa", "test", "lib/eddsa.circom", "EdDSAVerify", (), (), search=(home() / "circuits", circomlib())
)


def _circomlib(key: Point, message: int, s: Signature) -> dict[str, int]:
    return {"enabled": 1, "Ax": key[0], "Ay": key[1], "M": message, "R8x": s.r8x, "R8y": s.r8y, "S": s.s}


def _ours(key: Point, message: int, s: Signature) -> dict[str, int]:
    return {"enabled": 1, "ax": key[0], "ay": key[1], "msg": message, "r8x": s.r8x, "r8y": s.r8y, "s": s.s}


@pytest.mark.parametrize(
    ("circuit", "inputs"), [(CIRCOMLIB, _circomlib), (OURS, _ours)], ids=["circomlib", "ours"]
)
def test_the_circuits_agree(
    circuit: Circuit, inputs: Callable[[Point, int, Signature], dict[str, int]]
) -> None:
    generator = WitnessGenerator(compile_circuit(circuit))
    source = random.Random(3)
    for message in [0, 1, P - 1, *(source.randrange(P) for _ in range(5))]:
        key: KeyPair = keypair(source.randbytes(8))
        point, signature = (key.ax, key.ay), sign(key, message)
        generator.compute(inputs(point, message, signature))
        for wrong in (
            inputs(point, (message + 1) % P, signature),
            inputs(point, message, replace(signature, s=(signature.s + 1) % SUBGROUP_ORDER)),
            inputs(point, message, replace(signature, s=signature.s + SUBGROUP_ORDER)),
            inputs((P - point[0], point[1]), message, signature),
            inputs((0, 1), message, Signature(*times(BASE8, 7), 7)),
        ):
            with pytest.raises(WitnessError):
                generator.compute(wrong)
