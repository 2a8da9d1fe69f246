# SPDX-License-Identifier: GPL-3.0-or-later
"""The auditor's own judgement of sweeps and coverage, where the proof is left out of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.rebuilt import books_of
from circuits.coverage.scenes import carry, coverage, sweep, swept, traded
from circuits.settle.world import BTC, CHAIN, ETH, World
from zkmargin.auditor.covering import (
    check_coverage,
    check_kept,
    keeps,
    replay_carry,
    replay_regroup,
    replay_sweep,
    within,
)
from zkmargin.auditor.rules import Books, Broken
from zkmargin.engine.coverage import displacement, page_radius, radius_at, safe_radius
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import InstrumentTick, Tick
from zkmargin.protocol.posted import read_carry, read_coverage, read_regroup, read_sweep
from zkmargin.protocol.words import carry_words, coverage_words, regroup_words
from zkmargin.sequencer.covering import make_regroup


@pytest.fixture
def world() -> World:
    made = World()
    traded(made)
    return made


def test_honest_sweeps_carries_and_coverage(world):
    books, now = books_of(world.ledger), tick_hash(world.tick)
    posted = read_sweep(sweep(world).posting.words)
    replay_sweep(books, posted, world.tick, now)
    (carried,) = carry(world)
    replay_carry(books, read_carry(carried.posting.words), world.tick, now, {now: world.tick})
    assert books.headers == world.ledger.headers()
    assert books.blocks == world.ledger.block_headers()
    check_coverage(books, read_coverage(coverage(world).posting.words), world.tick, {now: world.tick})


def test_a_radius_one_too_large(world):
    radius = page_radius(world.ledger.page(0).accounts, world.tick)
    posted = read_sweep(sweep(world).posting.words)
    assert posted.radius == radius
    with pytest.raises(Broken, match="not safe"):
        replay_sweep(books_of(world.ledger), replace(posted, radius=radius + 1), world.tick, 1)


def _carried(books: Books, world: World, ticks: dict[int, Tick], *word: int) -> tuple[int, int]:
    """The header that a carry with this word of block 0 gives it."""
    posted = read_carry(carry_words(1, 2, 3, 4, [(0, word[0], bool(word[1]))], world.profile))
    replay_carry(books, posted, world.tick, tick_hash(world.tick), ticks)
    return books.blocks[0]


def test_carries_that_promise_more_than_pages_hold(world):
    anchor = swept(world, 0)
    then, radius = world.ledger.header(0)
    world.prices({BTC: 60_010_000})
    ticks, now = {then: anchor, tick_hash(world.tick): world.tick}, tick_hash(world.tick)
    assert _carried(books_of(world.ledger), world, ticks, radius, 0) == (then, radius)
    assert _carried(books_of(world.ledger), world, ticks, 0, 1) == (now, 0)
    left = radius_at(anchor, world.tick, radius, displacement(anchor, world.tick))
    assert 0 < left < radius
    assert _carried(books_of(world.ledger), world, ticks, left, 1) == (now, left)
    for word in ((radius + 1, 0), (left + 1, 1)):
        with pytest.raises(Broken, match="less radius"):
            _carried(books_of(world.ledger), world, ticks, *word)
    with pytest.raises(Broken, match="not covered by its header"):
        _carried(books_of(world.ledger), world, {now: world.tick}, 0, 1)
    books = books_of(world.ledger)
    books.put_header(5, (now, 3))
    assert _carried(books, world, ticks, 0, 1) == (now, 0)
    with pytest.raises(Broken, match="not one anchor"):
        _carried(books, world, ticks, 0, 0)
    posted = read_carry(carry_words(1, 2, 3, 4, [(world.profile.blocks, 0, True)], world.profile))
    with pytest.raises(Broken, match="outside"):
        replay_carry(books, posted, world.tick, now, ticks)
    empty = Books(world.profile)
    assert _carried(empty, world, ticks, 9, 1) == (now, 9)
    with pytest.raises(Broken, match="not one anchor"):
        _carried(empty, world, ticks, 9, 0)


def test_a_page_that_keeps_no_anchor_is_empty_or_uncovered(world):
    """Cleared headers are no headers: an empty page is covered as it is, another is not."""
    books = books_of(world.ledger)
    books.put_header(6, (0, 0))
    assert 6 not in books.headers
    with pytest.raises(Broken, match="page 0 is not covered"):
        _carried(books, world, {tick_hash(world.tick): world.tick}, 0, 1)


def test_a_block_that_is_not_carried_or_of_a_tick_nobody_knows(world):
    known, posted = {tick_hash(world.tick): world.tick}, read_coverage(coverage_of(world))
    sweep(world)
    with pytest.raises(Broken, match="block 0 is not covered"):
        check_coverage(books_of(world.ledger), posted, world.tick, known)
    carry(world)
    check_coverage(books_of(world.ledger), posted, world.tick, known)
    with pytest.raises(Broken, match="block 0 is not covered"):
        check_coverage(books_of(world.ledger), posted, world.tick, {})


def test_an_account_below_maintenance_in_a_block_that_claims_enough(world):
    """Even where header and displacement agree, the account itself is looked at."""
    anchor = swept(world, 0)
    posted = read_coverage(coverage_of(world))
    world.prices({BTC: 55_000_000})
    world.prices({BTC: 52_000_000})
    books = books_of(world.ledger)
    books.blocks[0] = (tick_hash(anchor), (1 << 24) - 1)
    with pytest.raises(Broken, match="below maintenance"):
        check_coverage(books, posted, world.tick, {tick_hash(anchor): anchor})


def test_prices_that_outgrew_the_radius_though_all_are_healthy(world):
    anchor = swept(world, 0)
    posted = read_coverage(coverage_of(world))
    world.prices({ETH: 32_000_000, BTC: 60_100_000})
    books = books_of(world.ledger)
    d = displacement(anchor, world.tick)
    for radius, held in ((d, True), (d - 1, False)):
        books.blocks[0] = (tick_hash(anchor), radius)
        assert within(anchor, world.tick, radius) is held
        if not held:
            with pytest.raises(Broken, match="not covered"):
                check_coverage(books, posted, world.tick, {tick_hash(anchor): anchor})


def test_a_deficit_that_is_not_told(world):
    sweep(world)
    carry(world)
    known, posted = {tick_hash(world.tick): world.tick}, read_coverage(coverage_of(world))
    books = books_of(world.ledger)
    books.reserve = -1
    with pytest.raises(Broken, match="sign of the reserve"):
        check_coverage(books, posted, world.tick, known)
    check_coverage(books, replace(posted, solvent=0), world.tick, known)


def test_both_find_the_same_radius(world):
    for _, account in world.ledger.accounts():
        radius = safe_radius(account, world.tick)
        assert keeps(account, world.tick, radius)
        assert radius == (1 << 24) - 1 or not keeps(account, world.tick, radius + 1)


def coverage_of(world: World) -> list[int]:
    """The words of a coverage, whether the ledger is covered or not."""
    return coverage_words(world.domain, world.ledger.root(), tick_hash(world.tick), True, world.profile)


def test_an_honest_regroup(world):
    sweep(world)
    books, origins = books_of(world.ledger), [*range(3, 128), 0, 1, 2]
    batch = make_regroup(world.ledger, world.tick, world.domain, CHAIN, (0, 1), origins)
    replay_regroup(books, read_regroup(batch.posting.words))
    assert books.leaves == dict(world.ledger.accounts())
    assert books.headers == world.ledger.headers()


def test_regroups_that_lose_or_promise(world):
    posted = read_regroup(regroup_words(1, 2, 3, 4, 5, (0, 1), range(128), world.profile))
    for origins in ([0] * 128, [*range(127), 128], [1, *range(1, 128)]):
        with pytest.raises(Broken, match="lost or doubled"):
            replay_regroup(books_of(world.ledger), replace(posted, origins=tuple(origins)))
    for pages in ((1, 0), (1, 1), (0, world.profile.pages)):
        with pytest.raises(Broken, match="ascend"):
            replay_regroup(books_of(world.ledger), replace(posted, pages=pages))
    books = books_of(world.ledger)
    books.headers = {0: (7, 9), 1: (8, 9)}
    with pytest.raises(Broken, match="without one anchor"):
        replay_regroup(books, posted)
    books = books_of(world.ledger)
    books.headers = {0: (0, 9), 1: (0, 9)}
    with pytest.raises(Broken, match="without one anchor"):
        replay_regroup(books, posted)
    books = books_of(world.ledger)
    books.headers = {0: (7, 9), 1: (7, 4)}
    with pytest.raises(Broken, match="less radius"):
        replay_regroup(books, posted)
    books = books_of(world.ledger)
    books.headers = {0: (7, 9), 1: (7, 5)}
    replay_regroup(books, posted)
    assert books.headers == {0: (7, 5), 1: (7, 5)}


def test_a_regroup_that_keeps_cleared_headers(world):
    """Anybody may post it; the pages stay without a header, and the empty ones covered."""
    sweep(world)
    pages = world.profile.pages - 2, world.profile.pages - 1
    posted = read_regroup(regroup_words(1, 2, 3, 4, 0, pages, range(128), world.profile))
    books = books_of(world)
    replay_regroup(books, posted)
    assert books.headers == world.ledger.headers()
    known = {tick_hash(world.tick): world.tick}
    covered = read_coverage(coverage_of(world))
    check_coverage(books, covered, world.tick, known)
    books.headers[pages[0]] = (0, 0)
    check_coverage(books, covered, world.tick, known)
    books.headers[0] = (0, 0)  # accounts stand there
    with pytest.raises(Broken, match="not anchored"):
        check_coverage(books, covered, world.tick, known)


def test_a_page_that_keeps_its_header(world):
    """By the account as it was written, at the page's own anchor."""
    anchor = swept(world, 0)
    books, ticks = books_of(world.ledger), {tick_hash(anchor): anchor}
    alice = world.ledger.account(16)
    leaf = world.ledger.index_of(16)
    check_kept(books, leaf, alice, ticks)
    with pytest.raises(Broken, match="not safe"):
        check_kept(books, leaf, alice.with_(balance=alice.balance - (1 << 70)), ticks)
    with pytest.raises(Broken, match="anchored at no tick"):
        check_kept(books, leaf, alice, {})
    books.headers.clear()
    with pytest.raises(Broken, match="anchored at no tick"):
        check_kept(books, leaf, alice, ticks)


def test_a_short_of_what_had_no_charge_keeps_no_page(world):
    anchor = swept(world, 0)
    rows = list(anchor.instruments)
    rows[ETH] = InstrumentTick()
    then = replace(anchor, instruments=tuple(rows))
    books = books_of(world.ledger)
    books.headers[0] = (tick_hash(then), 0)
    carol = world.ledger.account(18)
    assert any(held and held.side and held.instrument == ETH for held in carol.slots)
    with pytest.raises(Broken, match="no charge at the anchor"):
        check_kept(books, world.ledger.index_of(18), carol, {tick_hash(then): then})
