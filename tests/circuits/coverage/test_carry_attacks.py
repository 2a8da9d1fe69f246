# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries that say more of a block than its pages do, or hide one of them: each is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.coverage.scenes import carry, changed, forged_carry, sweep, swept, traded
from circuits.judge import Judge
from circuits.settle.world import BTC, GOLD, World
from zkmargin.engine.coverage import displacement, move_ratio, radius_at
from zkmargin.protocol.constants import P
from zkmargin.protocol.model import Tick

RANGE = "template Num2Bits"
LIMIT = (1 << 24) - 1


@pytest.fixture
def one(world: World) -> World:
    """Two pages of accounts, swept just now at one tick, with different radii."""
    traded(world, others=80)
    swept(world, 0, 1)
    return world


@pytest.fixture
def two(one: World) -> tuple[World, Tick, int]:
    """The first page swept at an older tick than the second; that tick and how far it is."""
    anchor = one.tick
    one.prices({BTC: 60_010_000})
    swept(one, 1)
    d = displacement(anchor, one.tick)
    assert d
    return one, anchor, d


def _least(world: World) -> int:
    return min(world.ledger.header(page)[1] for page in (0, 1))


def test_the_least_radius_and_one_more(one: World, carry_judge: Judge) -> None:
    least = _least(one)
    carry_judge.accepts(forged_carry(one, (one.tick, least)))
    carry_judge.accepts(forged_carry(one, (one.tick, least - 1)))  # less is true too
    carry_judge.accepts(forged_carry(one, (one.tick, 0)))
    for radius in (least + 1, LIMIT):
        carry_judge.refuses(forged_carry(one, (one.tick, radius)), RANGE)


@pytest.mark.parametrize("radius", [-1, -(1 << 33), 1 << 24, P // 2])
def test_a_radius_out_of_range(one: World, carry_judge: Judge, radius: int) -> None:
    """A negative radius is below every page's; the words say 0."""
    inputs = forged_carry(one, (one.tick, 0))
    carry_judge.refuses(changed(inputs, "newRadius", radius % P, 0), RANGE)


def test_pages_of_two_anchors(two: tuple[World, Tick, int], carry_judge: Judge) -> None:
    """They have the present tick in common, with the radius that follows at it, and nothing else."""
    world, anchor, d = two
    older = [(anchor, d)]
    left = radius_at(anchor, world.tick, world.ledger.header(0)[1], d)
    assert 0 < left < world.ledger.header(1)[1]
    carry_judge.accepts(forged_carry(world, (world.tick, 0), older))
    carry_judge.accepts(forged_carry(world, (world.tick, left), older))
    carry_judge.refuses(forged_carry(world, (world.tick, left + 1), older), RANGE)
    carry_judge.refuses(forged_carry(world, (anchor, 0), older), "elsewhere * (1 - now)")
    carry_judge.refuses(forged_carry(world, (anchor, 5), older), "elsewhere * (1 - now)")


def test_the_present_tick_for_an_older_one(one: World, carry_judge: Judge) -> None:
    """All pages are within their radius of now, but at now they have less."""
    anchor, least = one.tick, _least(one)
    one.prices({BTC: 60_010_000})
    d = displacement(anchor, one.tick) or 0
    left = radius_at(anchor, one.tick, least, d)
    carry_judge.accepts(forged_carry(one, (anchor, least), [(anchor, d)]))
    carry_judge.accepts(forged_carry(one, (one.tick, left), [(anchor, d)]))
    carry_judge.refuses(forged_carry(one, (one.tick, left + 1), [(anchor, d)]), RANGE)
    carry_judge.refuses(forged_carry(one, (one.tick, left), [(anchor, d + (1 << 16))]), RANGE)


@pytest.mark.parametrize("price", [60_010_000, 59_990_000])
def test_a_ratio_one_too_large(one: World, carry_judge: Judge, price: int) -> None:
    """Dearer instruments move more: a radius of then is less now."""
    anchor = one.tick
    one.prices({BTC: price})
    older = [(anchor, displacement(anchor, one.tick) or 0)]
    inputs = forged_carry(one, (one.tick, 0), older)
    right = move_ratio(anchor, one.tick)
    assert inputs["ratio"][0] == right
    carry_judge.accepts(changed(inputs, "ratio", right - 1, 0))
    for ratio in (right + 1, 1 << 17, -1 % P):
        carry_judge.refuses(changed(inputs, "ratio", ratio, 0), RANGE)


def test_an_instrument_that_had_no_move(one: World, carry_judge: Judge) -> None:
    """Its holders' exposure then says nothing of it: no radius follows."""
    anchor, rows = one.tick, list(one.tick.instruments)
    rows[GOLD] = replace(rows[GOLD], move=0)
    bare = replace(anchor, instruments=tuple(rows))
    assert move_ratio(bare, anchor) == 0
    assert radius_at(bare, anchor, LIMIT, 0) == 0


def test_the_anchor_is_posted(one: World, carry_judge: Judge) -> None:
    """Whoever replays the words must find the header that was written."""
    anchor = one.tick
    one.prices({BTC: 60_010_000})
    older = [(anchor, displacement(anchor, one.tick) or 0)]
    for header, now in (((anchor, 0), True), ((one.tick, 0), False)):
        carry_judge.refuses(forged_carry(one, header, older, now=now), "sponge.out === C|sum[0] === y")


def test_an_anchor_for_a_block_without_pages(one: World, carry_judge: Judge) -> None:
    """The present tick is true of nobody, and told by the words; an older one would be told by no page."""
    anchor = one.tick
    one.prices({BTC: 60_010_000})
    older = [(anchor, displacement(anchor, one.tick) or 0)]
    carry_judge.accepts(forged_carry(one, (one.tick, 7), older, block=3))
    carry_judge.refuses(forged_carry(one, (anchor, 7), older, block=3), "bare * (1 - now)")


def test_a_page_that_was_not_swept(one: World, carry_judge: Judge) -> None:
    one.run(*one.trade(17, 16, BTC, 1, one.mark(BTC)))  # its touches clear the first page
    assert one.ledger.header(0) == (0, 0)
    inputs = forged_carry(one, (one.tick, 0))
    carry_judge.refuses(inputs, "found === child")
    carry_judge.refuses(changed(inputs, "at", [1, 0, 0], 0, 0), "found === child")


def test_a_page_that_prices_outgrew(crashed: World, carry_judge: Judge) -> None:
    """Alice is below maintenance: a displacement that is right fails, a smaller one too."""
    first = World().tick
    d = displacement(first, crashed.tick)
    assert d is not None
    assert d > crashed.ledger.header(0)[1]
    for claimed in (d, 0):
        carry_judge.refuses(forged_carry(crashed, (crashed.tick, 0), [(first, claimed)]), RANGE)
        carry_judge.refuses(forged_carry(crashed, (first, 0), [(first, claimed)]), RANGE)


def test_a_page_said_to_be_empty(crashed: World, carry_judge: Judge) -> None:
    inputs = forged_carry(crashed, (crashed.tick, 0), [(World().tick, 0)])
    carry_judge.refuses({**inputs, "at": [[[0, 0, 0]] * 8]}, "found === child")


def test_an_anchor_that_is_not_the_pages(crashed: World, carry_judge: Judge) -> None:
    """A page said to be anchored at the present tick, from which nothing has moved."""
    inputs = forged_carry(crashed, (crashed.tick, 0), [(World().tick, 0)])
    carry_judge.refuses({**inputs, "at": [[[1, 0, 0], *[[0, 0, 0]] * 7]]}, "found === child")


@pytest.mark.parametrize("at", [[1, 1, 0], [2, 0, 0], [0, 2, P - 1]])
def test_a_page_at_two_anchors_at_once(one: World, carry_judge: Judge, at: list[int]) -> None:
    inputs = forged_carry(one, (one.tick, 0))
    carry_judge.refuses(changed(inputs, "at", at, 0, 0), "some * (some - 1)|at[i][a] * (at[i][a] - 1)")


@pytest.mark.parametrize("pick", [[0, 0, 0], [1, 1, 0], [2, 0, P - 1]])
def test_no_anchor_or_two(one: World, carry_judge: Judge, pick: list[int]) -> None:
    inputs = forged_carry(one, (one.tick, 0))
    carry_judge.refuses(changed(inputs, "pick", pick, 0), "one === 1|pick[a] * (pick[a] - 1)")


def test_tables_of_ones_own(one: World, carry_judge: Judge) -> None:
    """Larger moves make every displacement small: the page's anchor is another hash."""
    anchor = one.tick
    one.prices({BTC: 56_000_000})
    rows = list(anchor.instruments)
    rows[BTC] = replace(rows[BTC], move=rows[BTC].move * 1000)
    kind = replace(anchor, instruments=tuple(rows))
    inputs = forged_carry(one, (anchor, 0), [(anchor, displacement(kind, one.tick) or 0)])
    carry_judge.refuses(changed(inputs, "moves", rows[BTC].move, 1, BTC), "found === child")


@pytest.mark.parametrize("name", ["pageRoot", "radius", "anchor", "lastRadius", "pagesRoot", "reserve"])
def test_another_ledger(one: World, carry_judge: Judge, name: str) -> None:
    carry(one)
    inputs = forged_carry(one, (one.tick, 0))
    path = {"pageRoot": (0, 0), "radius": (0, 0), "anchor": (0,), "lastRadius": (0,)}.get(name, ())
    carry_judge.refuses(changed(inputs, name, 987, *path), "found === child|rootHalves|rootBefore")


def test_another_block_than_posted(one: World, carry_judge: Judge) -> None:
    inputs = forged_carry(one, (one.tick, 0), block=3)
    for name in ("C", "r", "y"):
        carry_judge.refuses({**inputs, name: (inputs[name] + 1) % P}, "sponge.out === C|sum[0] === y")
    carry_judge.refuses(changed(inputs, "blockBits", 0, 0, 0, 0))
    carry_judge.refuses(changed(inputs, "blockBits", 2, 0, 0, 0), "bits[l][b] * (bits[l][b] - 1)")


def test_another_root_or_tick(one: World, carry_judge: Judge) -> None:
    inputs = forged_carry(one, (one.tick, 0))
    sweep(one, 1, radius=0)
    other = forged_carry(one, (one.tick, 0))
    for name in ("rootHalves", "newRootHalves"):
        carry_judge.refuses({**inputs, name: other[name]}, name)
    one.prices({BTC: 60_010_000})
    late = forged_carry(one, (one.tick, 0), [(World().tick, 0)])
    carry_judge.refuses({**inputs, "tickHalves": late["tickHalves"]}, "tickHalves")


def test_a_charge_that_vanished(one: World, carry_judge: Judge) -> None:
    """At a tick without the charge displacements would leave its shorts out: nothing is anchored there."""
    anchor, rows = one.tick, list(one.tick.instruments)
    rows[BTC] = replace(rows[BTC], maintenance=(0,) * 4)
    one.tick = replace(anchor, instruments=tuple(rows))
    assert displacement(anchor, one.tick) is None
    inputs = forged_carry(one, (one.tick, 0), [(anchor, LIMIT)])
    carry_judge.refuses(inputs, "(1 - unmargined[k]) * vanished[k] === 0")
