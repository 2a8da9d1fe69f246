# SPDX-License-Identifier: GPL-3.0-or-later
"""Witnesses: values, files, errors that name the input or assertion, witnesses of false statements."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from proving.example import example_inputs
from zkmargin.circuits.r1cs import MODULUS, ConstraintSystem, SignalNames
from zkmargin.errors import BadInput, WitnessError
from zkmargin.proving.witness import WitnessGenerator, element, public_signals, read_wtns, write_wtns
from zkmargin.toolchain import node, snarkjs


@pytest.fixture(scope="module")
def generator(artifacts):
    return WitnessGenerator(artifacts)


def test_values_by_name(artifacts, generator):
    witness = generator.compute(example_inputs())
    names = SignalNames(artifacts.sym)
    value = {name: element(witness, wire) for name, wire in names.wire_of.items() if wire >= 0}
    assert value["main.factors[1][0]"] == 8
    assert value["main.products[2]"] == 16
    assert value["main.inverse"] * 10 % MODULUS == 1
    assert public_signals(artifacts, witness) == (170, 100, 7)


def test_a_warm_instance_gives_the_same_bytes(artifacts, generator):
    once = generator.compute(example_inputs())
    generator.compute(example_inputs(label=9))
    assert (
        generator.compute(example_inputs()) == once == WitnessGenerator(artifacts).compute(example_inputs())
    )


def test_the_file_is_the_one_snarkjs_makes(artifacts, generator, tmp_path):
    write_wtns(tmp_path / "ours.wtns", generator.compute(example_inputs()))
    (tmp_path / "input.json").write_text(json.dumps(example_inputs()))
    command = [node(), snarkjs(), "wtns", "calculate", artifacts.wasm]
    subprocess.run(
        [*command, tmp_path / "input.json", tmp_path / "theirs.wtns"], check=True, capture_output=True
    )
    assert (tmp_path / "ours.wtns").read_bytes() == (tmp_path / "theirs.wtns").read_bytes()
    assert read_wtns(tmp_path / "ours.wtns") == generator.compute(example_inputs())


def test_negative_numbers_and_numpy_integers(generator):
    plain = generator.compute(example_inputs(factors=[[-4, -5], [8, 8], [2, 8]]))
    other = generator.compute(
        example_inputs(
            factors=[[MODULUS - 4, MODULUS - 5], (np.int64(8), np.uint8(8)), [2, 8]], root=np.int64(10)
        )
    )
    assert plain == other


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"wrong": 1}, "unknown: wrong"),
        ({"factors": [[1, 2], [3, 4]]}, "input factors .* has 3 elements, given: 2"),
        ({"factors": [[1, 2], [3, 4], [5]]}, r"input factors\[2\] .* has 2 elements, given: 1"),
        ({"factors": 5}, "input factors .* has 3 elements, given: a single number"),
        ({"root": [10]}, "input root .* is one number, not list"),
        ({"root": 10.0}, "input root .* is one number, not float"),
        ({"root": "10"}, "input root .* is one number, not str"),
        ({"factors": [[1, 2], [3, 4], [5, MODULUS]]}, r"input factors\[2\]\[1\] .* outside the field"),
    ],
)
def test_bad_inputs_are_named(generator, changed, message):
    with pytest.raises(BadInput, match=message):
        generator.compute(example_inputs(**changed))


def test_missing_inputs_are_named(generator):
    with pytest.raises(BadInput, match="missing: factors, label, root"):
        generator.compute({"total": 1})


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"total": 101}, r"template Example, example\.circom:16 `square\.out === total;`"),
        ({"factors": [[1, 1]] * 3}, r"example\.circom:24 `sum === total;`"),
        (
            {"root": 3, "total": 9},
            r"part\.circom:8 `assert\(in != 3\);`; template Example, example\.circom:15",
        ),
    ],
)
def test_a_failed_assertion_is_named(generator, changed, place):
    with pytest.raises(WitnessError, match=place):
        generator.compute(example_inputs(**changed))
    generator.compute(example_inputs())  # and the generator still works


def test_witness_of_a_false_statement(artifacts):
    free = WitnessGenerator(artifacts, checked=False)
    system = ConstraintSystem(artifacts.r1cs)
    witness = free.compute(example_inputs(total=101))
    assert [failure.text for failure in free.failures] == ["square.out === total;", "sum === total;"]
    assert len(system.check(witness)) == 2

    # an assertion alone is no constraint: with root = 3 only the products' sum is wrong
    witness = free.compute(example_inputs(root=3, total=9))
    assert [failure.text for failure in free.failures] == ["assert(in != 3);", "sum === total;"]
    assert len(system.check(witness)) == 1

    assert system.check(free.compute(example_inputs())) == []
    assert free.failures == []
