# SPDX-License-Identifier: GPL-3.0-or-later
"""Constraint systems: what is read, and that evaluation tells true witnesses from false ones."""

from __future__ import annotations

import pytest

from proving.example import example_inputs
from zkmargin.circuits.r1cs import MODULUS, ConstraintSystem, SignalNames, read_header
from zkmargin.errors import BadInput
from zkmargin.proving.witness import WitnessGenerator


@pytest.fixture(scope="module")
def system(artifacts):
    return ConstraintSystem(artifacts.r1cs)


@pytest.fixture(scope="module")
def names(artifacts):
    return SignalNames(artifacts.sym)


@pytest.fixture(scope="module")
def witness(artifacts):
    return WitnessGenerator(artifacts).compute(example_inputs())


def test_header(artifacts, system):
    header = read_header(artifacts.r1cs)
    assert (header.public_outputs, header.public_inputs, header.private_inputs) == (1, 2, 7)
    assert header.constraints == len(system) == artifacts.constraints
    assert len(system.label) == header.wires


def test_a_true_witness_satisfies(system, witness):
    assert system.check(witness) == []
    assert system.check(system.elements(witness)) == []


def test_every_changed_wire_is_noticed(system, names, witness):
    elements = system.elements(witness)
    for wire in range(1, system.header.wires):
        broken = system.check_changed(elements, {wire: elements[wire] + 1})
        assert broken, names.name(wire)
        changed = list(elements)
        changed[wire] = (changed[wire] + 1) % MODULUS
        assert broken == system.check(changed)
    assert elements == system.elements(witness)


def test_an_independent_evaluation_agrees(system, witness):
    elements = system.elements(witness)
    elements[4] = 12345

    def value(constraint, part):
        terms = system.combination(constraint, part).items()
        return sum(factor * elements[wire] for wire, factor in terms) % MODULUS

    wrong = [i for i in range(len(system)) if (value(i, 0) * value(i, 1) - value(i, 2)) % MODULUS]
    assert wrong
    assert system.check(elements) == wrong


def test_constraints_are_told_with_names(system, names, witness):
    elements = system.elements(witness)
    broken = system.check_changed(elements, {names.wire_of["main.inverse"]: 5})
    assert len(broken) == 1
    text = names.describe(system, broken[0])
    assert "main.inverse" in text
    assert "main.root" in text


def test_constraints_of_a_wire(system, names):
    wire = names.wire_of["main.root"]
    expected = [
        number
        for number in range(len(system))
        if any(wire in system.combination(number, part) for part in range(3))
    ]
    assert system.constraints_of(wire) == expected
    assert expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[:-32], "wires of 32"),
        (lambda w: w[32:64] + w[32:], "wire 0 of a witness is 1"),
        (lambda w: w[:-32] + b"\xff" * 32, "outside the field"),
    ],
)
def test_malformed_witnesses(system, witness, change, message):
    with pytest.raises(BadInput, match=message):
        system.check(change(witness))


def test_not_an_r1cs_file(tmp_path):
    path = tmp_path / "x.r1cs"
    path.write_bytes(b"not one at all")
    with pytest.raises(BadInput, match=r"not an \.r1cs file"):
        ConstraintSystem(path)
