# SPDX-License-Identifier: GPL-3.0-or-later
"""Honest sweeps and coverage, from a healthy ledger to one that outgrew its radius."""

from __future__ import annotations

import pytest

from circuits.coverage.scenes import coverage, sweep, swept, traded
from circuits.settle.world import BTC, ETH, GOLD
from zkmargin.engine.coverage import displacement, page_radius
from zkmargin.errors import Refused
from zkmargin.protocol.hashes import tick_hash


def test_an_empty_ledger(world, sweep_judge, coverage_judge):
    sweep_judge.accepts(sweep(world).inputs)
    coverage_judge.accepts(coverage(world).inputs)


def test_a_traded_page_and_its_header(world, sweep_judge, coverage_judge):
    traded(world)
    batch = sweep(world)
    sweep_judge.accepts(batch.inputs)
    assert world.ledger.header(0) == (tick_hash(world.tick), batch.radius)
    assert batch.radius == page_radius(world.ledger.page(0).accounts, world.tick)
    coverage_judge.accepts(coverage(world).inputs)


def test_the_largest_radius_and_one_more(world, sweep_judge):
    traded(world)
    radius = page_radius(world.ledger.page(0).accounts, world.tick)
    sweep_judge.accepts(sweep(world, radius=radius).inputs)
    sweep_judge.refuses(sweep(world, radius=radius + 1).inputs, "template Num2Bits")


def test_prices_move_within_the_radius_and_beyond(world, sweep_judge, coverage_judge):
    traded(world)
    anchor = swept(world, 0)
    world.prices({BTC: 59_700_000, ETH: 30_100_000, GOLD: 1_990_000})
    d = displacement(anchor, world.tick)
    assert d is not None
    assert 0 < d <= world.ledger.header(0)[1]
    coverage_judge.accepts(coverage(world, anchor).inputs)
    world.prices({BTC: 56_000_000})
    world.prices({BTC: 52_500_000})
    with pytest.raises(Refused):
        sweep(world)


def test_three_pages_of_three_anchors(world, coverage_judge):
    traded(world, others=130)
    anchors = []
    for page in range(3):
        anchors.append(swept(world, page))
        world.prices({BTC: 60_000_000 - 10_000 * page})
    swept(world, 0)
    coverage_judge.accepts(coverage(world, *anchors).inputs)
