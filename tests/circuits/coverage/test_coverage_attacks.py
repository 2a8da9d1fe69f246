# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage that hides a block whose accounts may be unhealthy: each is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.coverage.scenes import carry, changed, forged_coverage, moved_since, sweep, swept, traded
from circuits.judge import Judge
from circuits.settle.world import BTC, ETH, World
from zkmargin.engine.coverage import displacement
from zkmargin.protocol.constants import P
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Tick
from zkmargin.protocol.packing import split
from zkmargin.sequencer.covering import survey

ROOT = "pagesRoot === headers.root"
RANGE = "template Num2Bits"


@pytest.fixture
def ready(world: World) -> World:
    """A traded page, swept and carried at the present tick."""
    traded(world)
    swept(world, 0)
    carry(world)
    return world


@pytest.fixture
def moved(ready: World) -> tuple[World, Tick, int]:
    """Prices have moved since; the anchor, and by how much."""
    anchor = ready.tick
    ready.prices({BTC: 59_000_000, ETH: 30_200_000})
    d = displacement(anchor, ready.tick)
    assert d
    return ready, anchor, d


def test_a_block_that_was_not_carried(ready: World, coverage_judge: Judge) -> None:
    whole = forged_coverage(ready)
    coverage_judge.accepts(whole)
    sweep(ready)  # a page's header is written: the block's is cleared
    cleared = forged_coverage(ready)
    coverage_judge.refuses(cleared, ROOT)
    coverage_judge.refuses({**cleared, "at": whole["at"]}, ROOT)


def test_a_touch_clears_the_block(ready: World, coverage_judge: Judge) -> None:
    ready.run(*ready.trade(17, 16, BTC, 1, ready.mark(BTC)))
    assert ready.ledger.block_header(0) == (0, 0)
    coverage_judge.refuses(forged_coverage(ready), ROOT)


def test_a_displacement_one_too_small(moved: tuple[World, Tick, int], coverage_judge: Judge) -> None:
    world, anchor, d = moved
    coverage_judge.accepts(forged_coverage(world, [(anchor, d)]))
    coverage_judge.accepts(forged_coverage(world, [(anchor, d + 1)]))
    for claimed in (d - 1, 0, -1 % P, P - d):
        coverage_judge.refuses(forged_coverage(world, [(anchor, claimed)]), RANGE)


def test_a_rise_that_is_too_small(ready: World, coverage_judge: Judge) -> None:
    anchor = ready.tick
    ready.prices({BTC: 61_000_000})
    inputs = forged_coverage(ready, [(anchor, displacement(anchor, ready.tick) or 0)])
    lower = (inputs["rise"][0][BTC] - 1) % P
    coverage_judge.refuses(changed(inputs, "rise", lower, 0, BTC), RANGE)


def test_a_radius_that_was_outgrown(crashed: World, coverage_judge: Judge) -> None:
    first = World().tick
    d = displacement(first, crashed.tick)
    assert d is not None
    assert d > crashed.ledger.block_header(0)[1]
    inputs = forged_coverage(crashed, [(first, d)])
    coverage_judge.refuses(inputs, RANGE)
    coverage_judge.refuses(changed(inputs, "radius", d, 0), ROOT)


@pytest.mark.parametrize("radius", [-1, 1 << 24, P - 5])
def test_a_radius_no_header_holds(ready: World, coverage_judge: Judge, radius: int) -> None:
    coverage_judge.refuses(changed(forged_coverage(ready), "radius", radius % P, 0), ROOT)


def test_a_block_said_to_be_empty(crashed: World, coverage_judge: Judge) -> None:
    coverage_judge.refuses(forged_coverage(crashed, [(World().tick, 0)], at=[[0, 0, 0]] * 8), ROOT)


def test_an_empty_block_that_was_touched(world: World, coverage_judge: Judge) -> None:
    """An account in a block where nobody was: its header is not the empty one any more."""
    traded(world)
    swept(world, 0)
    carry(world)
    account = world.ledger.account(16)
    world.ledger.write(world.ledger.index_of(16), account.empty())
    world.ledger.write(512 * 5, account)
    swept(world, 0)
    moved = moved_since(world)
    for block in survey(world.ledger, moved).blocks:
        if block != 5:
            anchor, radius = world.ledger.header(0)
            world.ledger.set_block_header(block, anchor, radius)
    assert world.ledger.block_header(5) == (0, 0)
    coverage_judge.refuses(forged_coverage(world), ROOT)


@pytest.mark.parametrize("at", [[1, 1, 0], [2, 0, 0], [0, 2, P - 1]])
def test_a_block_at_two_anchors_at_once(ready: World, coverage_judge: Judge, at: list[int]) -> None:
    inputs = changed(forged_coverage(ready), "at", at, 0)
    coverage_judge.refuses(inputs, "some * (some - 1)|at[i][a] * (at[i][a] - 1)")


def test_an_anchor_that_is_not_the_blocks(crashed: World, coverage_judge: Judge) -> None:
    """The block said to be anchored at the present tick, from which nothing has moved."""
    inputs = forged_coverage(crashed, [(World().tick, 0)], at=[[1, 0, 0], *[[0, 0, 0]] * 7])
    coverage_judge.refuses(inputs, ROOT)


def test_an_anchor_with_tables_of_ones_own(ready: World, coverage_judge: Judge) -> None:
    """The header's anchor is a hash: another table has another."""
    anchor = ready.tick
    ready.prices({BTC: 56_000_000})
    rows = list(anchor.instruments)
    rows[BTC] = replace(rows[BTC], move=rows[BTC].move * 1000)
    kind = replace(anchor, instruments=tuple(rows))
    inputs = forged_coverage(ready, [(anchor, displacement(kind, ready.tick) or 0)])
    coverage_judge.refuses(changed(inputs, "moves", rows[BTC].move, 1, BTC), ROOT)


def test_two_blocks_that_change_places(ready: World, coverage_judge: Judge) -> None:
    """Every block is the leaf at its place: none is counted twice, none is missing."""
    inputs = forged_coverage(ready)
    for name in ("blockRoot", "radius", "at"):
        row = list(inputs[name])
        row[0], row[1] = row[1], row[0]
        inputs[name] = row
    coverage_judge.refuses(inputs, ROOT)


def test_a_page_header_for_a_block_header(ready: World, coverage_judge: Judge) -> None:
    """Both have an anchor and a radius; their tags differ."""
    root = ready.ledger.page(0).page_root
    coverage_judge.refuses(changed(forged_coverage(ready), "blockRoot", root, 0), ROOT)


def test_another_root_or_tick(ready: World, coverage_judge: Judge) -> None:
    inputs = forged_coverage(ready)
    ready.open(b"newcomer", 5_000_000)
    swept(ready, 0)
    carry(ready)
    other = forged_coverage(ready)
    coverage_judge.accepts(other)
    coverage_judge.refuses({**inputs, "rootHalves": other["rootHalves"]}, "rootHalves")
    ready.prices({BTC: 60_100_000})
    now = list(split(tick_hash(ready.tick)))
    coverage_judge.refuses({**inputs, "tickHalves": now}, "tickHalves")
    coverage_judge.refuses(changed(inputs, "clock", ready.tick.slot, 0), "tickHalves")


@pytest.mark.parametrize("reserve", [-1, 0, -(1 << 120), 7])
def test_a_deficit_told_wrong(ready: World, coverage_judge: Judge, reserve: int) -> None:
    ready.ledger.reserve = reserve
    coverage_judge.accepts(forged_coverage(ready))
    inputs = forged_coverage(ready, solvent=reserve < 0)
    coverage_judge.refuses(inputs, "sponge.out === C|sum[0] === y")


def test_a_reserve_out_of_range(ready: World, coverage_judge: Judge) -> None:
    """No settle writes one; the sign of one would be free."""
    for reserve in (1 << 120, -(1 << 120) - 1):
        ready.ledger.reserve = reserve
        coverage_judge.refuses(forged_coverage(ready), RANGE)


def test_words_that_differ(ready: World, coverage_judge: Judge) -> None:
    inputs = forged_coverage(ready)
    for name in ("C", "r", "y"):
        coverage_judge.refuses({**inputs, name: (inputs[name] + 1) % P}, "sponge.out === C|sum[0] === y")
