# SPDX-License-Identifier: GPL-3.0-or-later
"""Every wire is determined by the inputs, once each free hint (`<--`) is named with a reason."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from functools import cache

import pytest

from zkmargin.circuits.compile import compile_circuit
from zkmargin.circuits.determinism import Propagation
from zkmargin.circuits.r1cs import ConstraintSystem, SignalNames
from zkmargin.circuits.registry import circuit
from zkmargin.toolchain import home

_DIVISION = (
    "a quotient whose divisor is never 0 (argued above the template): times the divisor it is the dividend"
)
# Source file: signal name -> why it has one value.
HINTS = {
    "lib/onehot.circom": {"hot": "0 or 1, sum 1, and the index is their weighted sum"},
    "lib/shift.circom": {"out": "in bits, with the remainder below 2^32", "r": "in 32 bits"},
    "lib/quotient.circom": {"out": "ranged, with 0 <= remainder < divisor"},
    "lib/atmost.circom": {"ratio": "free only where nothing is seen, and then multiplied by 0"},
    "lib/base_mul.circom": {"e": "+1 or -1, and their weighted sum is the scalar", "slope": _DIVISION},
    "lib/challenge_mul.circom": {
        "part": "bits of the quotient by the order, with a remainder in range",
        "even": "a bit of the same sum",
        "digit": "+v or -v as the bits of the sum have it",
        "slope1": _DIVISION,
        "slope2": _DIVISION,
    },
    "lib/curve.circom": dict.fromkeys(("x", "y", "xOut", "yOut", "u", "v", "slope"), _DIVISION),
    "settle/position.circom": {
        "newSide": "the other side would make the magnitude negative, out of its range; 0 for 0"
    },
    "settle/row.circom": dict.fromkeys(("perpetual", "collateral", "limited"), "bits of the flags"),
    "settle/table.circom": dict.fromkeys(("fraction", "pole"), _DIVISION),
    "sweep/check.circom": dict.fromkeys(("fraction", "pole"), _DIVISION),
    "settle/touch.circom": {"ownerUpper": "the upper half of ownerHi: both halves are ranged"},
}
# Free by design: the inverse in circomlib's IsZero where the input is 0; nothing else uses it.
LIBRARY = {"inv": "circomlib's IsZero: free only where the input is 0, and then multiplied by 0"}
# Names of a hint that the compiler merged with a copy: ToEdwards' x and y where EdwardsAdd takes them.
MERGED = {"x1": "lib/curve.circom x", "y1": "lib/curve.circom y"}


@cache
def _loaded(name: str) -> tuple[ConstraintSystem, SignalNames]:
    artifacts = compile_circuit(circuit(name, "small", 1 if name == "settle" else None))
    return ConstraintSystem(artifacts.r1cs), SignalNames(artifacts.sym)


def _hinted(names: SignalNames) -> set[int]:
    """Wires that one of their names calls a hint; the compiler merges a signal with those it is copied to."""
    known = {signal for row in HINTS.values() for signal in row} | LIBRARY.keys() | MERGED.keys()
    last = re.compile(r"(?:^|\.)(\w+)(?:\[\d+\])*$")
    return {wire for name, wire in names.wire_of.items() if wire > 0 and last.search(name)[1] in known}  # type: ignore[index]


def test_every_hint_in_the_sources_is_named() -> None:
    found: dict[str, set[str]] = {}
    for path in sorted((home() / "circuits").rglob("*.circom")):
        for line in path.read_text().splitlines():
            code = line.split("//")[0]
            for signal in re.findall(r"(\w+)(?:\[[^\]]*\])*\s*<--", code):
                found.setdefault(str(path.relative_to(home() / "circuits")), set()).add(signal)
    assert found == {name: set(row) for name, row in HINTS.items()}


@pytest.mark.parametrize("name", ["settle", "tick", "sweep", "coverage", "regroup", "carry"])
def test_all_other_wires_follow(name: str) -> None:
    system, names = _loaded(name)
    spread = Propagation(system)
    hints = _hinted(names)
    left = spread.undetermined([*spread.inputs(), *hints])
    assert [names.name(wire) for wire in left] == []


# Templates small enough to ask the question once a deletion: source, template, arguments.
TEMPLATES = (
    ("tick/instrument.circom", "NextInstrument", ()),
    ("tick/median.circom", "LowerMedian", (4, 64)),
    ("lib/merkle.circom", "Level", ()),
    ("lib/shift.circom", "MulShift", (117,)),
    ("lib/sign.circom", "NonNegative", (122,)),
    ("settle/position.circom", "OneStep", ()),
    ("settle/deposit.circom", "Deposit", (512,)),
    ("settle/place.circom", "Place", ()),
    ("coverage/displacement.circom", "Displacement", (4,)),
    ("lib/merkle.circom", "Climb", (1,)),
    ("coverage/headers.circom", "Headers", (1, 2, 7, 9)),
    ("carry/ratio.circom", "MoveRatio", (4,)),
    ("settle/keep.circom", "Keep", (4,)),
    ("regroup/permutation.circom", "Permutation", (1, 16)),
)
NAMES = [row[1] for row in TEMPLATES]
SAMPLES = 60  # a template, or all that there are


@pytest.mark.parametrize(("source", "template", "arguments"), TEMPLATES, ids=NAMES)
def test_a_deleted_definition_is_noticed(source: str, template: str, arguments: tuple[int, ...]) -> None:
    """Delete sampled constraints, one at a time: a wire that one gave its value is no longer determined."""
    _delete(source, template, arguments, SAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize(("source", "template", "arguments"), TEMPLATES, ids=NAMES)
def test_any_deleted_definition_is_noticed(source: str, template: str, arguments: tuple[int, ...]) -> None:
    _delete(source, template, arguments, 1 << 30)


def _delete(source: str, template: str, arguments: tuple[int, ...], samples: int) -> None:
    made = replace(
        circuit("settle", "small", 1),
        name=template.lower(),
        source=source,
        template=template,
        arguments=arguments,
        public_signals=(),
    )
    artifacts = compile_circuit(made)
    system, names = ConstraintSystem(artifacts.r1cs), SignalNames(artifacts.sym)
    whole = Propagation(system)
    inverses = [wire for name, wire in names.wire_of.items() if wire > 0 and name.endswith(".inv")]
    given = [*whole.inputs(), *inverses]
    if whole.undetermined(given):  # else quotients and remainders follow from their ranges
        given = [*given, *_hinted(names)]
    assert whole.undetermined(given) == []
    # What a constraint defines: a wire that stands in it for the first time.
    seen = {0, *given}
    defining = []
    for number in range(len(system)):
        wires = {wire for part in range(3) for wire in system.combination(number, part)}
        if wires - seen:
            defining.append(number)
        seen |= wires
    rng = random.Random(7)
    for number in rng.sample(defining, min(samples, len(defining))):
        assert Propagation(system, skipping=[number]).undetermined(given), names.describe(system, number)
