# SPDX-License-Identifier: GPL-3.0-or-later
"""The median by counting: for small numbers, every claim that could be made."""

from __future__ import annotations

import itertools
import random

import pytest

from circuits.tick.parts import part
from zkmargin.engine.ticks import lower_median
from zkmargin.protocol.constants import P

BITS = 3
TOP = 1 << BITS


@pytest.mark.parametrize("oracles", [1, 2, 4, 5])
def test_one_value_is_the_median(oracles: int) -> None:
    """Of all values in and just out of range; what stands in an absent oracle's place counts for nothing."""
    made = part("tick/median.circom", "LowerMedian", oracles, BITS)
    source = random.Random(oracles)
    subsets = [s for s in itertools.product((0, 1), repeat=oracles) if any(s)]
    for values in ([source.randrange(TOP) for _ in range(oracles)] for _ in range(6)):
        for present in subsets:
            rows = [value for value, there in zip(values, present, strict=True) if there]
            claim = {"values": values, "present": list(present), "k": (len(rows) - 1) // 2}
            holds = {
                median
                for median in (*range(TOP + 2), P - 1, P - TOP)
                if not made.system.check(made.witness(claim | {"median": median}))
            }
            assert holds == {lower_median(rows)}


def test_any_rank_has_one_value() -> None:
    """The counts fix the value of rank k for each k, and none for a rank nobody has."""
    made = part("tick/median.circom", "LowerMedian", 4, BITS)
    for values in ([3, 3, 3, 3], [0, 7, 0, 7], [1, 2, 3, 4], [5, 1, 5, 0]):
        for k in range(6):
            claim = {"values": values, "present": [1, 1, 1, 1], "k": k}
            holds = [m for m in range(TOP) if not made.system.check(made.witness(claim | {"median": m}))]
            assert holds == sorted(values)[k : k + 1]


@pytest.mark.parametrize("bits", [40, 64])
def test_the_ends_of_the_range(bits: int) -> None:
    made = part("tick/median.circom", "LowerMedian", 4, bits)
    top = (1 << bits) - 1
    for values in ([0, 0, top, top], [0, top, top, top], [0, 0, 0, 0], [top] * 4, [0, 1, top - 1, top]):
        right = lower_median(values)
        claim = {"values": values, "present": [1] * 4, "k": 1}
        for median in {0, 1, top, top - 1, right, right + 1, right - 1}:
            failed = made.system.check(made.witness(claim | {"median": median}))
            assert bool(failed) == (median != right)


def test_no_wire_can_be_changed_alone() -> None:
    made = part("tick/median.circom", "LowerMedian", 4, 64)
    claim = {"values": [9, 5, 9, 2], "present": [1, 1, 0, 1], "k": 1, "median": 5}
    witness = made.witness(claim)
    assert made.system.check(witness) == []
    free = set()
    for wire in made.wires():
        others = {(witness[wire] + 1) % P, -witness[wire] % P} - {witness[wire]}
        if not all(made.system.check_changed(witness, {wire: other}) for other in others):
            free.add(made.names.name(wire).removeprefix("main."))
    # Free: whether a value above the median counts (the caller's input), and the inverse of 0 in an IsZero.
    assert free <= {"present[0]", "present[2]", "equal[1].isz.inv"}
