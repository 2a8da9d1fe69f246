# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature circuit: what satisfies its constraints, what no hint can make satisfy them, and its size."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from zkmargin.circuits.circuit import Circuit
from zkmargin.circuits.compile import Artifacts, compile_circuit
from zkmargin.circuits.r1cs import ConstraintSystem, SignalNames
from zkmargin.errors import WitnessError
from zkmargin.protocol.constants import P
from zkmargin.protocol.eddsa import (
    BASE8,
    SUBGROUP_ORDER,
    A,
    D,
    Point,
    keypair,
    on_curve,
    sign,
    verify,
)
from zkmargin.protocol.model import Signature
from zkmargin.protocol.poseidon import poseidon
from zkmargin.proving.witness import WitnessGenerator, element
from zkmargin.toolchain import circomlib, home

CONSTRAINTS = 2823
KEY = keypair(b"a trader")
POINT = (KEY.ax, KEY.ay)
MESSAGE = 2**200 + 5
GOOD = sign(KEY, MESSAGE)
Inputs = dict[str, int]


def _circuit(
    source: str, template: str, arguments: tuple[int, ...] = (), first: Path | None = None
) -> Circuit:
    search = (*([first] if first else []), home() / "circuits", circomlib())
    return Circuit(template.lower(), "test", source, template, arguments, (), search=search)


@cache
def compiled(
    source: str, template: str, arguments: tuple[int, ...] = ()
) -> tuple[Artifacts, ConstraintSystem]:
    artifacts = compile_circuit(_circuit(source, template, arguments))
    return artifacts, ConstraintSystem(artifacts.r1cs)


def signature_circuit() -> tuple[Artifacts, ConstraintSystem]:
    return compiled("lib/eddsa.circom", "EdDSAVerify")


def inputs(key: Point, message: int, s: Signature, enabled: int = 1) -> Inputs:
    point = {"ax": key[0], "ay": key[1], "r8x": s.r8x, "r8y": s.r8y}
    return {"enabled": enabled, "msg": message, "s": s.s} | point


def failures(values: Inputs) -> list[str]:
    """The constraints that the witness of honest hints does not meet, in words."""
    artifacts, system = signature_circuit()
    witness = WitnessGenerator(artifacts, checked=False).compute(values)
    names = SignalNames(artifacts.sym)
    return [names.describe(system, number) for number in system.check(witness)]


def add(p: Point, q: Point) -> Point:
    (x1, y1), (x2, y2) = p, q
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + y1 * x2) * pow(1 + product, -1, P)
    return x % P, (y1 * y2 - A * x1 * x2) * pow(1 - product, -1, P) % P


def times(point: Point, scalar: int) -> Point:
    result = (0, 1)
    for digit in bin(scalar)[2:]:
        result = add(result, result)
        if digit == "1":
            result = add(result, point)
    return result


@cache
def torsion() -> Point:
    """A point of order 8: ORDER times any point of the curve that has the full order."""
    for x in range(1, 1000):
        square = (1 - A * x * x) * pow(1 - D * x * x, -1, P) % P
        root = _root(square)
        if root is not None:
            point = times((x, root), SUBGROUP_ORDER)
            if times(point, 4) != (0, 1):
                return point
    raise AssertionError("no point of order 8 found")


def _root(square: int) -> int | None:
    """A square root modulo P (Tonelli and Shanks), None for no square."""
    if pow(square, (P - 1) // 2, P) != 1:
        return None
    odd, power = P - 1, 0
    while odd % 2 == 0:
        odd, power = odd // 2, power + 1
    c, t, r = pow(5, odd, P), pow(square, odd, P), pow(square, (odd + 1) // 2, P)
    while t != 1:
        i, u = 0, t
        while u != 1:
            u, i = u * u % P, i + 1
        b = pow(c, 1 << (power - i - 1), P)
        power, c, t, r = i, b * b % P, t * b * b % P, r * b % P
    return r


def test_the_size() -> None:
    artifacts, _ = signature_circuit()
    assert artifacts.constraints == CONSTRAINTS


def test_signatures_satisfy_it_and_circomlibs_verifier() -> None:
    artifacts, system = signature_circuit()
    ours = WitnessGenerator(artifacts)
    theirs_artifacts, theirs_system = compiled("eddsaposeidon.circom", "EdDSAPoseidonVerifier")
    theirs = WitnessGenerator(theirs_artifacts)
    source = random.Random(11)
    for message in [0, 1, P - 1, *(source.randrange(P) for _ in range(21))]:
        key = keypair(source.randbytes(8))
        s = sign(key, message)
        assert system.check(ours.compute(inputs((key.ax, key.ay), message, s))) == []
        same = {"enabled": 1, "Ax": key.ax, "Ay": key.ay, "M": message, "R8x": s.r8x, "R8y": s.r8y, "S": s.s}
        assert theirs_system.check(theirs.compute(same)) == []
        for wrong in (same | {"M": (message + 1) % P}, same | {"S": (s.s + 1) % SUBGROUP_ORDER}):
            with pytest.raises(WitnessError):
                theirs.compute(wrong)
            renamed = {name.lower() if name != "M" else "msg": value for name, value in wrong.items()}
            with pytest.raises(WitnessError):
                ours.compute(renamed)


def test_a_key_with_a_part_of_small_order_counts_as_the_equation_has_it() -> None:
    """8A is what enters, as in circomlib's verifier: the part of small order changes only the hash."""
    key = add(POINT, torsion())
    nonce = 12345
    r8 = times(BASE8, nonce)
    h = poseidon([*r8, *key, MESSAGE])
    s = Signature(*r8, (nonce + h * 8 * KEY.scalar) % SUBGROUP_ORDER)
    assert verify(*key, MESSAGE, s)
    assert failures(inputs(key, MESSAGE, s)) == []


OTHER = keypair(b"another")
REFUSED: dict[str, Callable[[], tuple[Point, int, Signature]]] = {
    "another message": lambda: (POINT, MESSAGE + 1, GOOD),
    "another key": lambda: ((OTHER.ax, OTHER.ay), MESSAGE, GOOD),
    "the key negated": lambda: ((P - KEY.ax, KEY.ay), MESSAGE, GOOD),
    "S plus one": lambda: (POINT, MESSAGE, replace(GOOD, s=GOOD.s + 1)),
    "S plus the order": lambda: (POINT, MESSAGE, replace(GOOD, s=GOOD.s + SUBGROUP_ORDER)),
    "S plus twice the order": lambda: (POINT, MESSAGE, replace(GOOD, s=GOOD.s + 2 * SUBGROUP_ORDER)),
    "S minus the order": lambda: (POINT, MESSAGE, replace(GOOD, s=GOOD.s - SUBGROUP_ORDER)),
    "R8 of another message": lambda: (POINT, MESSAGE, replace(sign(KEY, MESSAGE + 1), s=GOOD.s)),
    "R8 negated": lambda: (POINT, MESSAGE, replace(GOOD, r8x=P - GOOD.r8x)),
    "R8 with a part of small order": lambda: (POINT, MESSAGE, Signature(*add(_r8(), torsion()), GOOD.s)),
    "R8 off the curve": lambda: (POINT, MESSAGE, replace(GOOD, r8y=(GOOD.r8y + 1) % P)),
    "the key off the curve": lambda: ((KEY.ax, (KEY.ay + 1) % P), MESSAGE, GOOD),
    "the key (0, 0)": lambda: ((0, 0), MESSAGE, GOOD),
    "the null signature": lambda: (POINT, MESSAGE, Signature(0, 1, 0)),
    "the null signature of the dummy key": lambda: (BASE8, MESSAGE, Signature(0, 1, 0)),
}


def _r8() -> Point:
    return GOOD.r8x, GOOD.r8y


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_refused_where_enabled_and_nothing_claimed_where_not(
    make: Callable[[], tuple[Point, int, Signature]],
) -> None:
    key, message, s = make()
    assert not verify(*key, message, s)
    assert failures(inputs(key, message, s))
    assert failures(inputs(key, message, s, enabled=0)) == []


def test_a_null_signature_stands_where_none_is_wanted() -> None:
    for message in (0, 1, MESSAGE, P - 1):
        assert failures(inputs(BASE8, message, Signature(0, 1, 0), enabled=0)) == []


@pytest.mark.parametrize("multiple", range(8))
def test_keys_of_small_order_sign_nothing(multiple: int) -> None:
    """S B8 = R8 would hold for each message; only 8A being neutral is in the way."""
    key = times(torsion(), multiple)
    assert on_curve(key)
    failed = failures(inputs(key, MESSAGE, Signature(*times(BASE8, 7), 7)))
    assert any("challenged.q." in words for words in failed)


def test_off_the_curve_is_refused_by_the_curve_equation() -> None:
    for values, part in (
        (inputs((KEY.ax, KEY.ay + 1), MESSAGE, GOOD), "key"),
        (inputs(POINT, MESSAGE, replace(GOOD, r8x=GOOD.r8x + 1)), "nonce"),
    ):
        assert any(f"{part}OnCurve" in words for words in failures(values))


def test_s_plus_the_order_is_refused_by_the_comparison_alone() -> None:
    """With S + ORDER below 2^251 all else holds, so that the comparison is what stops a second form."""
    message = next(m for m in range(1000) if sign(KEY, m).s + SUBGROUP_ORDER < 2**251)
    s = sign(KEY, message)
    failed = failures(inputs(POINT, message, replace(s, s=s.s + SUBGROUP_ORDER)))
    assert failed
    assert all("left.below" in words for words in failed)


@pytest.mark.parametrize(
    ("over", "alias", "comparison"), [(8, P, "belowModulus"), (0, -P, "notNegative")], ids=["h + p", "h - p"]
)
def test_the_hash_has_no_second_form(over: int, alias: int, comparison: str, tmp_path: Path) -> None:
    """A prover who multiplies by h + p or h - p, with all hints to fit, meets all but the comparison."""
    source = (home() / "circuits/lib/challenge_mul.circom").read_text()
    start = source.index("var over = ")
    (tmp_path / "lib").mkdir()
    changed = source[:start] + f"var over = {over}" + source[source.index(";", start) :]
    (tmp_path / "lib/challenge_mul.circom").write_text(changed)
    artifacts = compile_circuit(_circuit("lib/eddsa.circom", "EdDSAVerify", first=tmp_path))
    honest, system = signature_circuit()
    assert artifacts.r1cs.read_bytes() == honest.r1cs.read_bytes()

    for nonce in range(1, 1000):
        r8 = times(BASE8, nonce)
        h = poseidon([*r8, *POINT, MESSAGE])
        rest = h + alias - (over - 1) * SUBGROUP_ORDER - 2**250
        if 0 <= rest < 2**251:
            break
    s = Signature(*r8, (nonce + (h + alias) * 8 * KEY.scalar) % SUBGROUP_ORDER)
    assert not verify(*POINT, MESSAGE, s)
    witness = WitnessGenerator(artifacts, checked=False).compute(inputs(POINT, MESSAGE, s))
    names = SignalNames(artifacts.sym)
    failed = [names.describe(system, number) for number in system.check(witness)]
    assert failed
    assert all(f"challenged.{comparison}" in words for words in failed)


def test_no_wire_can_be_changed_alone() -> None:
    """But for the comparisons' ratios where nothing is seen or missing: those say nothing there."""
    artifacts, system = signature_circuit()
    witness = system.elements(WitnessGenerator(artifacts).compute(inputs(POINT, MESSAGE, GOOD)))
    names = SignalNames(artifacts.sym)
    free = []
    for wire in range(1, system.header.wires):
        others = {(witness[wire] + 1) % P, -witness[wire] % P} - {witness[wire]}
        if not all(system.check_changed(witness, {wire: other}) for other in others):
            free.append(names.name(wire))
    assert all(".ratio[" in name for name in free), free
    assert len(free) < 10


@pytest.mark.parametrize("flip", [0, 1])
@pytest.mark.parametrize("bound", [0, 1, 0b0111, 0b10110100, 0b01001011, 254, 255])
def test_at_most_all_numbers_of_eight_bits(bound: int, flip: int) -> None:
    artifacts, system = compiled("lib/atmost.circom", "AtMost", (8, bound, flip))
    generator = WitnessGenerator(artifacts, checked=False)
    names = SignalNames(artifacts.sym)
    ratios = [w for w in range(1, system.header.wires) if ".ratio[" in names.name(w)]
    source = random.Random(bound)
    for unit in (1, source.randrange(1, P)):
        for slack in (0, 3):
            for number in range(256):
                digits = [unit if number >> i & 1 else -unit for i in range(8)]
                witness = system.elements(
                    generator.compute({"digit": digits, "unit": unit, "slack": slack * unit % P})
                )
                holds = (255 - number if flip else number) <= bound or slack != 0
                assert (system.check(witness) == []) == holds
                if not holds:  # nor does another hint help
                    for wire in ratios:
                        witness[wire] = source.randrange(P)
                    assert system.check(witness)


def test_multiples_of_the_base_at_the_edges() -> None:
    artifacts, system = compiled("lib/base_mul.circom", "BaseMul")
    generator = WitnessGenerator(artifacts)
    edges = [0, 1, 2, 3, 2**249, 2**250 - 1, 2**250, 2**250 + 1, SUBGROUP_ORDER - 1]
    edges += [SUBGROUP_ORDER // 2, SUBGROUP_ORDER // 2 + 1, int("01" * 125, 2), int("10" * 125, 2)]
    for scalar in edges:
        witness = generator.compute({"s": scalar})
        assert (element(witness, 1), element(witness, 2)) == times(BASE8, scalar)
        assert system.check(witness) == []
    for scalar in (SUBGROUP_ORDER, SUBGROUP_ORDER + 1, 2**251 - 1, 2**251, P - 1):
        with pytest.raises(WitnessError):
            generator.compute({"s": scalar})


def test_multiples_of_a_point_at_the_edges() -> None:
    """h = 0 and -1 modulo the order are the only hashes it can't take; no one knows a preimage of those."""
    artifacts, system = compiled("lib/challenge_mul.circom", "ChallengeMul")
    generator = WitnessGenerator(artifacts)
    source = random.Random(5)
    point = times(POINT, 8)
    least = SUBGROUP_ORDER - 2**250
    edges = [1, 2, 3, 2**249, 2**250 - 1, 2**250, 2**250 + 1, 2**251 - 1]
    edges += [least - 1, least, least + 1, P - 2, P - 1]
    for k in range(1, 8):
        start = k * SUBGROUP_ORDER
        edges += [start + 1, start - 2, start + 2**250 - 1, start + 2**250, start + 3 * 2**250 - 1]
    edges += [6 * SUBGROUP_ORDER + 3 * 2**250 + d for d in (-1, 0, 1)]
    edges = [h for h in edges if h < P] + [source.randrange(P) for _ in range(10)]
    for h in edges:
        witness = generator.compute({"h": h, "x": point[0], "y": point[1]})
        assert (element(witness, 1), element(witness, 2)) == times(point, h % SUBGROUP_ORDER), h
        assert system.check(witness) == []
    untaken = [k * SUBGROUP_ORDER - d for k in range(9) for d in (0, 1) if 0 <= k * SUBGROUP_ORDER - d < P]
    assert len(untaken) == 15
    for h in untaken:
        with pytest.raises(WitnessError):
            generator.compute({"h": h, "x": point[0], "y": point[1]})


def test_the_bounds_that_keep_slopes_from_being_free() -> None:
    assert 2**250 < SUBGROUP_ORDER < 2**251
    assert SUBGROUP_ORDER - 1 > 3 * 2**249
    assert 6 * SUBGROUP_ORDER + 3 * 2**250 < P < 8 * SUBGROUP_ORDER
    assert pow(A, (P - 1) // 2, P) == 1
    assert pow(D, (P - 1) // 2, P) == P - 1
    assert pow(168698 - 2, (P - 1) // 2, P) == P - 1  # v^2 at u = -1
