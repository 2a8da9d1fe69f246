# SPDX-License-Identifier: GPL-3.0-or-later
"""The vectors that the contracts' tests read are what Python computes now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.posted_vectors import vectors

PATH = Path(__file__).parents[1] / "vectors" / "posted.json"


@pytest.mark.parametrize("part", ["batches", "entries", "touches"])
def test_vectors_are_current(part: str) -> None:
    stored = json.loads(PATH.read_text())
    assert stored[part] == vectors()[part], f"stale: run tests/contracts/posted_vectors.py > {PATH.name}"


def test_sizes_of_the_profile() -> None:
    """The small profile's word counts stand in the vectors, so the contracts meet them as they are."""
    batches = {case["name"]: case for case in json.loads(PATH.read_text())["batches"]}
    assert len(batches["settle, profile small"]["words"]) == 8 + 4 * 16
    assert len(batches["tick, profile small"]["words"]) == 9 + 16
