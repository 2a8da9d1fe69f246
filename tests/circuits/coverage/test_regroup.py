# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts change places and nothing else: honest regroups, and those that lose, double or promise."""

from __future__ import annotations

import random
from typing import Any

import pytest

from circuits.coverage.scenes import carry, changed, coverage, forged_regroup, sweep, swept, traded
from circuits.judge import Judge
from circuits.settle.world import BTC, CHAIN, World
from zkmargin.protocol.constants import P
from zkmargin.protocol.hashes import leaf_hash, tick_hash
from zkmargin.sequencer.covering import make_regroup

SAME = list(range(128))
PERMUTATION = "was[pages*A] === is[pages*A]"


@pytest.fixture
def full(world: World) -> World:
    """Two pages with accounts, both swept at one tick, with different radii."""
    traded(world, others=80)
    swept(world, 0, 1)
    return world


def _exchanged(*pairs: tuple[int, int]) -> list[int]:
    origins = list(SAME)
    for one, other in pairs:
        origins[one], origins[other] = origins[other], origins[one]
    return origins


def _shuffled(seed: int) -> list[int]:
    origins = list(SAME)
    random.Random(seed).shuffle(origins)
    return origins


# ---------------------------------------------------------------- honest


@pytest.mark.parametrize("origins", [SAME, _exchanged((3, 70)), _shuffled(1), SAME[::-1]], ids=str)
def test_any_order(full: World, regroup_judge: Judge, origins: list[int]) -> None:
    before = dict(full.ledger.accounts())
    batch = make_regroup(full.ledger, full.tick, full.domain, CHAIN, (0, 1), origins)
    regroup_judge.accepts(batch.inputs)
    after = dict(full.ledger.accounts())
    assert {leaf: before[origin] for leaf, origin in enumerate(origins) if origin in before} == after
    for leaf, account in after.items():
        assert full.ledger.index_of(account.id) == leaf


def test_headers_keep_one_anchor_and_the_least_radius(full: World, regroup_judge: Judge) -> None:
    radii = [full.ledger.header(page)[1] for page in (0, 1)]
    assert radii[0] != radii[1]
    batch = make_regroup(full.ledger, full.tick, full.domain, CHAIN, (0, 1), _shuffled(2))
    regroup_judge.accepts(batch.inputs)
    assert batch.radius == min(radii)
    assert [full.ledger.header(page) for page in (0, 1)] == [(tick_hash(full.tick), min(radii))] * 2
    coverage(full)  # without a sweep


def test_headers_of_two_anchors_are_cleared(full: World, regroup_judge: Judge) -> None:
    full.prices({BTC: 60_010_000})
    sweep(full, 1)
    batch = make_regroup(full.ledger, full.tick, full.domain, CHAIN, (0, 1), _shuffled(3))
    regroup_judge.accepts(batch.inputs)
    assert batch.radius is None
    assert [full.ledger.header(page) for page in (0, 1)] == [(0, 0)] * 2


def test_a_full_page_and_an_empty_one(full: World, regroup_judge: Judge) -> None:
    batch = make_regroup(full.ledger, full.tick, full.domain, CHAIN, (1, 7), _exchanged((2, 64), (3, 99)))
    regroup_judge.accepts(batch.inputs)
    full.ledger.rollback()
    assert full.ledger.header(1)[0] == tick_hash(full.tick)
    assert full.ledger.is_clear(7)


def test_the_blocks_header_is_cleared(full: World, regroup_judge: Judge) -> None:
    """Also where the pages keep theirs: an account may come from another block."""
    carry(full)
    assert full.ledger.block_header(0) != (0, 0)
    batch = make_regroup(full.ledger, full.tick, full.domain, CHAIN, (0, 1), SAME)
    assert batch.radius is not None
    regroup_judge.accepts(batch.inputs)
    assert full.ledger.block_header(0) == (0, 0)


# ---------------------------------------------------------------- attacks


def test_an_account_lost(full: World, regroup_judge: Judge) -> None:
    """An empty leaf in an account's place, posted as if nothing had moved."""
    stands = [127 if place == 17 else place for place in SAME]  # 127 is empty
    assert full.ledger.account_at(127).is_empty
    assert not full.ledger.account_at(17).is_empty
    regroup_judge.refuses(forged_regroup(full, SAME, stands=stands), PERMUTATION)
    regroup_judge.refuses(forged_regroup(full, stands), PERMUTATION)  # posted as it is


def test_an_account_doubled(full: World, regroup_judge: Judge) -> None:
    stands = [17 if place == 127 else place for place in SAME]
    regroup_judge.refuses(forged_regroup(full, SAME, stands=stands), PERMUTATION)
    regroup_judge.refuses(forged_regroup(full, stands), PERMUTATION)


def test_two_accounts_for_two_others(full: World, regroup_judge: Judge) -> None:
    """One lost, another doubled: sums of leaves would differ, numbers of leaves don't."""
    stands = [18 if place == 17 else place for place in SAME]
    regroup_judge.refuses(forged_regroup(full, SAME, stands=stands), PERMUTATION)


def test_an_account_made(full: World, regroup_judge: Judge) -> None:
    """A leaf of one's own, its page root with it, in the words too."""
    inputs = forged_regroup(full, SAME)
    rich = leaf_hash(full.ledger.account(17)) + 1
    regroup_judge.refuses(changed(inputs, "newLeaf", rich, 1, 63), PERMUTATION)


def test_another_order_than_posted(full: World, regroup_judge: Judge) -> None:
    """A rebuilt state would have accounts elsewhere."""
    stands = _exchanged((3, 70))
    regroup_judge.refuses(forged_regroup(full, SAME, stands=stands), PERMUTATION)
    inputs = forged_regroup(full, stands, stands=SAME)
    regroup_judge.refuses(inputs, PERMUTATION)


def test_origins_that_are_no_bits(full: World, regroup_judge: Judge) -> None:
    inputs = forged_regroup(full, SAME)
    for value in (2, P - 1):
        regroup_judge.refuses(changed(inputs, "originBits", value, 0, 5, 0), "originBits[i][a][b] - 1")


def test_an_origin_outside(full: World, regroup_judge: Judge) -> None:
    origins = [200 if place == 3 else place for place in SAME]
    inputs = forged_regroup(full, origins, stands=SAME)
    regroup_judge.refuses(inputs, PERMUTATION)


def test_a_page_twice(full: World, regroup_judge: Judge) -> None:
    """The second time it is read as the first time left it."""
    ledger = full.ledger
    for pages in ((0, 0), (1, 0)):
        inputs = forged_regroup(full, SAME, pages=pages, stands=None)
        regroup_judge.refuses(inputs, "template Num2Bits")
        ledger.rollback()


def test_more_radius_than_a_page_had(full: World, regroup_judge: Judge) -> None:
    least = min(full.ledger.header(page)[1] for page in (0, 1))
    regroup_judge.accepts(forged_regroup(full, _shuffled(4), radius=least))
    regroup_judge.accepts(forged_regroup(full, _shuffled(4), radius=least - 1))  # less is true too
    for radius in (least + 1, (1 << 24) - 1):
        regroup_judge.refuses(forged_regroup(full, _shuffled(4), radius=radius), "template Num2Bits")


def test_a_radius_out_of_range(full: World, regroup_judge: Judge) -> None:
    """A negative radius is below every page's."""
    inputs = forged_regroup(full, SAME, radius=0)
    for radius in (-1 % P, 1 << 24):
        regroup_judge.refuses({**inputs, "radius": radius}, "template Num2Bits")


def test_an_anchor_kept_though_there_are_two(full: World, regroup_judge: Judge) -> None:
    """A page swept just now lends its anchor to one that prices have outgrown."""
    full.prices({BTC: 60_010_000})
    sweep(full, 0)
    full.ledger.checkpoint()
    inputs = forged_regroup(full, SAME, radius=0)
    regroup_judge.refuses(inputs, "anchor[i] - anchor[0]")


def test_a_header_kept_where_there_is_none(full: World, regroup_judge: Judge) -> None:
    """Empty pages have no anchor to keep, so that kept always means anchored."""
    inputs = forged_regroup(full, SAME, radius=0, pages=(6, 7))
    regroup_judge.refuses(inputs, "keep * loose === 0")
    regroup_judge.accepts(forged_regroup(full, SAME, pages=(6, 7)))


def test_a_header_written_though_none_is_kept(full: World, regroup_judge: Judge) -> None:
    header = (tick_hash(full.tick), 9)
    for claimed in ({}, {"radius": 9}, {"keep": 1}, {"keep": 2, "radius": 9}):
        inputs: dict[str, Any] = forged_regroup(full, SAME, header=header)
        regroup_judge.refuses(inputs | claimed)


def test_another_root_than_posted(full: World, regroup_judge: Judge) -> None:
    inputs, other = forged_regroup(full, SAME), forged_regroup(full, _exchanged((3, 70)))
    regroup_judge.refuses({**inputs, "newRootHalves": other["newRootHalves"]}, "newRootHalves")
    regroup_judge.refuses({**inputs, "rootHalves": other["newRootHalves"]}, "rootHalves")
    for name in ("C", "r", "y"):
        regroup_judge.refuses({**inputs, name: (inputs[name] + 1) % P}, "sponge.out === C|sum[0] === y")


def test_the_tick_is_the_posted_one(full: World, regroup_judge: Judge) -> None:
    inputs = forged_regroup(full, SAME)
    regroup_judge.refuses(changed(inputs, "tickHalves", 5, 0), "sponge.out === C|sum[0] === y")
