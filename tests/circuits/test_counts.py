# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact constraint counts of every circuit, against tests/circuits/counts.json.

A compiled circuit is the same everywhere, so a difference is a change of the circuit. To accept one, write
the new counts with

    PYTHONPATH=prover:tests python -m circuits.test_counts > tests/circuits/counts.json

and say in the commit why they changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from zkmargin.circuits.circuit import Circuit
from zkmargin.circuits.compile import constraint_count
from zkmargin.circuits.registry import circuit, names, profiles

FILE = Path(__file__).parent / "counts.json"
# Units of main that compile in seconds.
ONE = {"settle": 1, "tick": 5, "sweep": 64, "coverage": 8, "regroup": 64, "carry": 64}


def measured() -> dict[str, Circuit]:
    """All circuits as they are used, and those of profile main with few units."""
    found = {f"{name} {profile}": circuit(name, profile) for profile in profiles() for name in names()}
    return found | {f"{name} main, {units}": circuit(name, "main", units) for name, units in ONE.items()}


QUICK = [label for label in measured() if not label.endswith(" main") and label != "tick main, 5"]


def _agrees(label: str) -> None:
    count = constraint_count(measured()[label])
    assert {label: count} == {label: json.loads(FILE.read_text())[label]}, "see the top of this file"


def test_every_circuit_is_counted() -> None:
    assert set(json.loads(FILE.read_text())) == set(measured())


@pytest.mark.parametrize("label", QUICK)
def test_counts_are_as_recorded(label: str) -> None:
    _agrees(label)


@pytest.mark.slow
@pytest.mark.parametrize("label", sorted(set(measured()) - set(QUICK)))
def test_counts_of_main_are_as_recorded(label: str) -> None:
    _agrees(label)


if __name__ == "__main__":
    counts = {label: constraint_count(item, sys.stderr.write) for label, item in measured().items()}
    print(json.dumps(counts, indent=1))
