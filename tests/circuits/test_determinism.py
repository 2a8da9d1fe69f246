# SPDX-License-Identifier: GPL-3.0-or-later
"""Every wire of every template is determined by its inputs, once each argued hint is named with a reason."""

from __future__ import annotations

import random

import pytest

from circuits.deletion import undetermined
from circuits.hints import ARGUED, COPIED, FOLLOW, OPEN, argued, hints_of, left_open, ours
from circuits.templates import LARGE, SMALL, template
from zkmargin.circuits.compile import compile_circuit
from zkmargin.circuits.determinism import Propagation
from zkmargin.circuits.r1cs import ConstraintSystem, SignalNames
from zkmargin.circuits.registry import circuit, names

SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in LARGE]


def test_every_template_is_listed_once() -> None:
    assert sorted([*SMALL, *LARGE]) == sorted(ours())
    assert {name: source for name, (source, _) in (SMALL | LARGE).items()} == ours()


def test_every_hint_in_the_sources_is_named_once() -> None:
    sources = {(name, hint) for name in ours() for hint in hints_of(name)}
    tables = [ARGUED, OPEN, FOLLOW]
    named = [(name, hint) for table in tables for name in table for hint in table[name]]
    assert len(named) == len(set(named))
    assert {pair for pair in named if pair[0] in ours()} == sources
    assert all(hint in hints_of(name) for name, hint in named)


def test_copies_are_copies_of_argued_hints() -> None:
    for copies in COPIED.values():
        for hint in copies.values():
            name, _, signal = hint.partition(".")
            assert signal in ARGUED[name]


@pytest.mark.parametrize("name", [*SMALL, *SLOW])
def test_all_other_wires_follow(name: str) -> None:
    _, left = undetermined(name)
    assert left == []


@pytest.mark.parametrize("name", names())
def test_all_other_wires_of_a_circuit_follow(name: str) -> None:
    artifacts = compile_circuit(circuit(name, "small", 1 if name == "settle" else None))
    wires = SignalNames(artifacts.sym)
    spread = Propagation(ConstraintSystem(artifacts.r1cs))
    left = set(spread.undetermined([*spread.inputs(), *argued(wires)])) - left_open(wires)
    assert [wires.name(wire) for wire in sorted(left)] == []


@pytest.mark.parametrize("name", ["OneStep", "Position", "Place", "Deposit", "FloorDivide", "Level"])
def test_a_deletion_is_told_as_by_a_propagation_without_it(name: str) -> None:
    made = template(name)
    spread, _ = undetermined(name)
    known = [*made.inputs(), *argued(made.names)]
    whole = set(spread.undetermined(known))
    numbers = range(len(made.system))
    for number in random.Random(7).sample(numbers, min(40, len(numbers))):
        without = Propagation(made.system, skipping=[number])
        left = set(without.undetermined(known))
        assert spread.loosens(number) == (left != whole), made.names.describe(made.system, number)
