# SPDX-License-Identifier: GPL-3.0-or-later
"""Honest sweeps, carries and coverage, from a healthy ledger to one that outgrew its radius."""

from __future__ import annotations

import pytest

from circuits.coverage.scenes import carry, coverage, sweep, swept, traded
from circuits.settle.world import BTC, ETH, GOLD
from zkmargin.engine.coverage import displacement, page_radius, safe_radius
from zkmargin.errors import Refused
from zkmargin.protocol.constants import FINE
from zkmargin.protocol.hashes import tick_hash


def test_an_empty_ledger(world, sweep_judge, carry_judge, coverage_judge):
    sweep_judge.accepts(sweep(world).inputs)
    (carried,) = carry(world)
    carry_judge.accepts(carried.inputs)
    coverage_judge.accepts(coverage(world).inputs)


def test_a_traded_page_and_its_header(world, sweep_judge, carry_judge, coverage_judge):
    traded(world)
    batch = sweep(world)
    sweep_judge.accepts(batch.inputs)
    header = (tick_hash(world.tick), batch.radius)
    assert world.ledger.header(0) == header
    assert batch.radius == page_radius(world.ledger.page(0).accounts, world.tick)
    (carried,) = carry(world)
    carry_judge.accepts(carried.inputs)
    assert world.ledger.block_header(0) == header
    coverage_judge.accepts(coverage(world).inputs)


def test_the_largest_radius_and_one_more(world, sweep_judge):
    traded(world)
    radius = page_radius(world.ledger.page(0).accounts, world.tick)
    sweep_judge.accepts(sweep(world, radius=radius).inputs)
    sweep_judge.refuses(sweep(world, radius=radius + 1).inputs, "template Num2Bits")


def test_prices_move_within_the_radius_and_beyond(world, carry_judge, coverage_judge):
    """Coverage reads the block's header alone for as long as its radius lasts."""
    traded(world)
    anchor = swept(world, 0)
    carry(world)
    world.prices({BTC: 59_700_000, ETH: 30_100_000, GOLD: 1_990_000})
    d = displacement(anchor, world.tick)
    assert d is not None
    assert 0 < d <= world.ledger.block_header(0)[1]
    assert carry(world, anchor) == []
    coverage_judge.accepts(coverage(world, anchor).inputs)
    world.prices({BTC: 56_000_000})
    world.prices({BTC: 52_500_000})
    with pytest.raises(Refused):
        sweep(world)


def test_a_block_carried_later_than_its_pages_were_swept(world, carry_judge, coverage_judge):
    traded(world)
    anchor = swept(world, 0)
    world.prices({BTC: 59_700_000})
    (carried,) = carry(world, anchor)
    carry_judge.accepts(carried.inputs)
    header = (tick_hash(anchor), carried.blocks[0].radius)
    assert world.ledger.block_header(0) == world.ledger.header(0) == header
    coverage_judge.accepts(coverage(world, anchor).inputs)


def test_pages_of_three_anchors(world, carry_judge, coverage_judge):
    """They have no anchor in common but the present tick, with the radius that follows at it."""
    traded(world, others=130)
    anchors = []
    for page in range(3):
        anchors.append(swept(world, page))
        world.prices({BTC: 60_000_000 - 10_000 * page})
    swept(world, 0)
    (carried,) = carry(world, *anchors)
    carry_judge.accepts(carried.inputs)
    anchor, radius = world.ledger.block_header(0)
    assert anchor == tick_hash(world.tick)
    assert 0 < radius == carried.blocks[0].radius
    for _, account in world.ledger.accounts():
        assert (safe_radius(account, world.tick) or 0) >= radius
    coverage_judge.accepts(coverage(world, *anchors).inputs)


def test_blocks_of_three_anchors(world, coverage_judge):
    """Each account in a block of its own, swept and carried at ticks of their own."""
    alice, bob, carol = traded(world)
    ledger = world.ledger
    for block, identity in enumerate((alice, bob, carol)):
        account, leaf = ledger.account(identity), ledger.index_of(identity)
        ledger.write(leaf, account.empty())
        ledger.write(512 * (block + 1), account)
    anchors = []
    for page in (0, 8, 16, 24):
        anchors.append(swept(world, page))
        carry(world, *anchors)
        if page not in (0, 24):  # pages 0 and 8 share a tick
            world.prices({BTC: 60_000_000 - 10_000 * page})
    coverage_judge.accepts(coverage(world, *anchors).inputs)
    assert len({anchor for anchor, _ in ledger.block_headers().values()}) == 3


def test_a_deficit_is_told(world, coverage_judge):
    sweep(world)
    for reserve, solvent in ((0, 1), (-1, 0), (5 * FINE, 1), (-(1 << 120), 0), ((1 << 120) - 1, 1)):
        world.ledger.reserve = reserve
        batch = coverage(world)
        coverage_judge.accepts(batch.inputs)
        assert batch.posting.words[-1] == solvent
