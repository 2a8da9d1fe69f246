# SPDX-License-Identifier: GPL-3.0-or-later
"""The vectors that the contracts' tests read are what Python computes now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.posted_vectors import vectors
from zkmargin.protocol.constants import CIRCUIT_IDS

PATH = Path(__file__).parents[1] / "vectors" / "posted.json"


@pytest.mark.parametrize("part", ["batches", "entries", "touches"])
def test_vectors_are_current(part: str) -> None:
    stored = json.loads(PATH.read_text())
    assert stored[part] == vectors()[part], f"stale: run tests/contracts/posted_vectors.py > {PATH.name}"


def test_sizes_of_the_profile() -> None:
    """The small profile's word counts stand in the vectors, so the contracts meet them as they are."""
    batches = {case["name"]: case for case in json.loads(PATH.read_text())["batches"]}
    counts = {
        "settle": 8 + 4 * 16,
        "tick": 9 + 16,
        "sweep": 9 + 1,
        "regroup": 9 + 5 * 2,
        "carry": 9,
        "coverage": 7,
    }
    assert {name: len(batches[f"{name}, profile small"]["words"]) for name in CIRCUIT_IDS} == counts
