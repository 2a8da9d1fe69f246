# SPDX-License-Identifier: GPL-3.0-or-later
"""No wire of an honest witness can be changed alone, in any circuit: some constraint fails each time.

One wire in so many, of all kinds: added to, negated, moved by a multiple of 2^32. (The tick's are in
tests/circuits/tick/test_tick.py.) The few that are free are named with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from circuits.coverage.scenes import carry, coverage, forged_regroup, swept, traded
from circuits.coverage.scenes import sweep as sweep_of
from circuits.judge import judge_of
from circuits.settle.scenes import crash, leg
from circuits.settle.world import BTC, LONG, World
from zkmargin.protocol.constants import Op, P

STRIDE = 17


def _settle() -> dict[str, Any]:
    """A liquidation filled by a bid, and a withdrawal."""
    world = World()
    scene = crash(world)
    bid = world.bid(scene.carol, BTC, LONG, scene.least + 3, scene.least, 1)
    operations = [[leg(world, Op.LIQUIDATE, scene.alice, scene.least), bid], [world.withdraw(scene.bob, 5)]]
    return world.batch(*operations, touches=3).inputs


def _sweep() -> dict[str, Any]:
    world = World()
    traded(world, others=40)
    made: dict[str, Any] = sweep_of(world).inputs
    return made


def _regroup() -> dict[str, Any]:
    """Two pages of one anchor, which keep it."""
    world = World()
    traded(world, others=80)
    swept(world, 0, 1)
    radius = min(world.ledger.header(page)[1] for page in (0, 1))
    return forged_regroup(world, list(range(128))[::-1], radius)


def _scattered() -> tuple[World, list[Any]]:
    """Three pages of a block swept at three ticks, two of them before the present one."""
    world, anchors = World(), []
    traded(world, others=130)
    for page in range(3):
        anchors.append(swept(world, page))
        world.prices({BTC: 60_000_000 - 10_000 * page})
    swept(world, 0)
    return world, anchors


def _carry() -> dict[str, Any]:
    world, anchors = _scattered()
    (made,) = carry(world, *anchors)
    inputs: dict[str, Any] = made.inputs
    return inputs


def _coverage() -> dict[str, Any]:
    world, anchors = _scattered()
    carry(world, *anchors)
    anchors.append(world.tick)
    world.prices({BTC: 59_990_000})
    inputs: dict[str, Any] = coverage(world, *anchors).inputs
    return inputs


WITNESSES: dict[str, tuple[Callable[[], dict[str, Any]], int | None]] = {
    "settle": (_settle, 3),
    "sweep": (_sweep, None),
    "regroup": (_regroup, None),
    "carry": (_carry, None),
    "coverage": (_coverage, None),
}

INVERSE = "circomlib's IsZero: free where its input is 0, and then multiplied by 0"
EMPTY = "the radius of a page or block that is said to be empty: its header is a constant, without one"
FREE: dict[str, dict[str, str]] = {
    "settle": {".inv": INVERSE, ".ratio[": "AtMost: free where nothing is seen, and then multiplied by 0"},
    "sweep": {".inv": INVERSE},
    "regroup": {".inv": INVERSE},
    "carry": {".inv": INVERSE, "main.radius[": EMPTY},
    "coverage": {".inv": INVERSE, "main.radius[": EMPTY},
}


@pytest.mark.parametrize("name", WITNESSES)
def test_no_wire_can_be_changed_alone(name: str) -> None:
    make, units = WITNESSES[name]
    judge = judge_of(name, "small", units)
    witness = judge.accepts(make())
    wires = range(1, judge.system.header.wires, STRIDE)
    for wire in wires:
        value = witness[wire]
        others = {(value + 1) % P, -value % P, (value + (1 << 32)) % P} - {value}
        if all(judge.system.check_changed(witness, {wire: other}) for other in others):
            continue
        told = judge.names.name(wire)
        assert value == 0, f"{told} is free and not 0"
        assert any(part in told for part in FREE[name]), f"{told} is free"
