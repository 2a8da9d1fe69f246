# SPDX-License-Identifier: GPL-3.0-or-later
"""The bound behind coverage: a safe radius of at least the displacement keeps one healthy (SPEC 8)."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.market import Market, market_params
from support.random_ops import RandomWorld
from zkmargin.engine.coverage import MAX_RADIUS, displacement, exposure, keeps, safe_radius
from zkmargin.engine.margin import holding_of, risk
from zkmargin.protocol.constants import RADIUS_ONE, load
from zkmargin.protocol.model import Account, InstrumentTick, Tick

SMALL = load().profile("small")


def _people(world: RandomWorld) -> list[Account]:
    """The world's accounts, and each with its balance drawn in until it has little to spare."""
    found = []
    for account in world.accounts():
        spare = risk(account, world.tick).health
        found.append(account)
        if spare > 0:
            for part in (2, 50, 5000):
                found.append(account.with_(balance=account.balance - spare + spare // part))
            found.append(account.with_(balance=account.balance - spare))
    return found


def _covered_cases(seed: int, ticks: int) -> tuple[int, int]:
    """(covered, close): cases that the bound covers, and those with d of at least r / 2."""
    world = RandomWorld(SMALL, seed)
    for _ in range(60):
        world.run(world.valid().touches)
    people, path = _people(world), [world.tick]
    for _ in range(ticks):
        path.append(world.advance())
    covered = close = 0
    for first, last in combinations(range(len(path)), 2):
        then, now = path[first], path[last]
        d = displacement(then, now)
        if d is None:
            continue
        for account in people:
            radius = safe_radius(account, then)
            if radius is not None and d <= radius:
                assert risk(account, now).health >= 0, (seed, first, last, account)
                covered += 1
                close += 2 * d >= radius
    return covered, close


@pytest.mark.parametrize("seed", range(2))
def test_the_bound_on_books_that_operations_made(seed: int) -> None:
    """Other books, and parameters, are in tests/sequencer/test_random_coverage.py."""
    covered, close = _covered_cases(seed, 24)
    assert covered > 5000
    assert close > 0


def _kept_cases(seed: int, ticks: int) -> int:
    """Cases of accounts that came to stand as they do after the anchor, and keep a page of that anchor."""
    world = RandomWorld(SMALL, seed)
    path, people = [world.tick], [list[Account]()]
    for _ in range(ticks):
        for _ in range(12):
            world.run(world.valid().touches)
        people[-1] = _people(world)
        path.append(world.advance())
        people.append([])
    kept = 0
    for first, middle, last in combinations(range(ticks + 1), 3):
        then, now = path[first], path[last]
        d = displacement(then, now)
        for account in people[middle] if d is not None else ():
            radius = safe_radius(account, then)
            if radius is not None and d <= radius and keeps(account, then, radius):
                assert risk(account, now).health >= 0, (seed, first, middle, last, account)
                kept += 1
    return kept


@pytest.mark.parametrize("seed", range(2))
def test_accounts_that_keep_a_page_they_joined_later(seed: int) -> None:
    assert _kept_cases(seed, 12) > 2000


def test_a_short_of_what_was_unpriced_then_keeps_nothing() -> None:
    """By radius and displacement it would look safe for ever."""
    params = market_params(SMALL)
    now = Market(params, random.Random(1)).tick
    rows = list(now.instruments)
    rows[1] = InstrumentTick()
    then = replace(now, instruments=tuple(rows))
    short = Account(id=9).with_slot(0, holding_of(now.instruments[1], 1, -5))
    assert risk(short, now).health < 0
    assert (displacement(then, now), safe_radius(short, then)) == (0, MAX_RADIUS)
    assert not keeps(short, then, 0)


@settings(max_examples=300, deadline=None)
@given(
    size=st.integers(-(1 << 48) + 1, (1 << 48) - 1),
    equity=st.tuples(*[st.integers(-(1 << 65), 1 << 65)] * 2),
    charges=st.tuples(*[st.tuples(*[st.integers(0, 1 << 64)] * 4)] * 2),
    move=st.integers(0, 1 << 64),
    balance=st.integers(-(1 << 120), (1 << 120) - 1),
)
def test_the_bound_at_the_ends_of_ranges(size, equity, charges, move, balance) -> None:
    """Any two rows at all, whether prices could make them or not."""
    rows = [
        InstrumentTick(flags=1, mark=1 << 40, equity=e, maintenance=m, move=move)
        for e, m in zip(equity, charges, strict=True)
    ]
    then, now = (Tick(1, 60, 0, 0, 0, (InstrumentTick(), row)) for row in rows)
    if size < 0 and charges[0][0] == 0:
        return  # nobody is short of what had no charge
    account = Account(id=9, balance=balance).with_slot(0, holding_of(rows[0], 1, size))
    radius, d = safe_radius(account, then), displacement(then, now)
    if radius is not None and d is not None and d <= radius:
        assert risk(account, now).health >= 0


def test_the_radius_is_the_largest_and_the_displacement_the_least() -> None:
    world = RandomWorld(SMALL, 9)
    for _ in range(60):
        world.run(world.valid().touches)
    then = world.tick
    for account in _people(world):
        radius, spread = safe_radius(account, then), exposure(account, then)
        health = risk(account, then).health
        assert (radius is None) == (health < 0)
        if radius is not None:
            assert RADIUS_ONE * health >= radius * spread
            assert radius == MAX_RADIUS or RADIUS_ONE * health < (radius + 1) * spread
    assert displacement(then, then) == 0


def test_what_is_listed_later_costs_nothing() -> None:
    """Unpriced at the anchor, so held by nobody; but once priced, a fall of it counts."""
    params = market_params(SMALL)
    first = Market(params, random.Random(1)).tick
    rows = list(first.instruments)
    rows[1] = InstrumentTick()
    unlisted = replace(first, instruments=tuple(rows))
    assert displacement(unlisted, first) == 0
    assert displacement(first, unlisted) is None or displacement(first, unlisted) > 0
