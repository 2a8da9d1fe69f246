# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts count as near the edge, and that regrouping them gathers and never loses anybody."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from zkmargin.engine.placement import FAR, NEAR, gather, near_leaves, plan, spared
from zkmargin.protocol.constants import PAGE_SIZE

leaves = st.frozensets(st.integers(0, PAGE_SIZE - 1), max_size=20)


def test_near_is_below_its_bound() -> None:
    assert near_leaves([NEAR - 1, NEAR, None, 0, FAR]) == {0, 3}
    assert near_leaves([None] * 4) == frozenset()


def test_an_account_in_a_page_of_near_ones_stays_until_it_is_far() -> None:
    """Between the bounds nothing changes on either side, so an account there does not bounce."""
    between = (NEAR + FAR) // 2
    assert near_leaves([0, 0, between, FAR]) == {0, 1}  # half are near: not a page of near ones yet
    assert near_leaves([0, 0, 0, between, FAR]) == {0, 1, 2, 3}
    assert near_leaves([0, 0, 0, FAR - 1, FAR]) == {0, 1, 2, 3}


@given(st.dictionaries(st.integers(0, 999), leaves, min_size=1, max_size=6))
def test_gathering_is_an_exchange_of_places(near: dict[int, frozenset[int]]) -> None:
    made = gather(near)
    assert made.pages == tuple(sorted(near))
    assert sorted(made.origins) == list(range(PAGE_SIZE * len(near)))
    assert all(made.origins[origin] == place for place, origin in enumerate(made.origins))


@given(st.dictionaries(st.integers(0, 999), leaves, min_size=1, max_size=6))
def test_near_accounts_fill_as_few_pages_as_hold_them(near: dict[int, frozenset[int]]) -> None:
    made = gather(near)
    close = {PAGE_SIZE * made.pages.index(page) + leaf for page, row in near.items() for leaf in row}
    where = {place // PAGE_SIZE for place, origin in enumerate(made.origins) if origin in close}
    assert len(where) == -(-len(close) // PAGE_SIZE)
    assert spared([len(row) for row in near.values()]) == sum(map(bool, near.values())) - len(where)


def test_nobody_moves_where_nothing_is_spared() -> None:
    assert plan({0: frozenset({1}), 1: frozenset()}, 2) == []
    assert plan({0: frozenset(range(60)), 1: frozenset(range(60))}, 2) == []
    assert plan({0: frozenset({1}), 1: frozenset({2})}, 4) == []  # and no pages to fill up with


def test_a_scattered_ledger_gathers_in_a_few_rounds() -> None:
    """One in a hundred of 65,536 accounts, at random: few pages more than hold them."""
    rng, pages = random.Random(3), 1024
    near = {page: set[int]() for page in range(pages)}
    for place in rng.sample(range(pages * PAGE_SIZE), pages * PAGE_SIZE // 100):
        near[place // PAGE_SIZE].add(place % PAGE_SIZE)
    total = sum(map(len, near.values()))
    for _ in range(4):
        for made in plan({page: frozenset(row) for page, row in near.items()}, 8):
            close = {
                PAGE_SIZE * number + leaf for number, page in enumerate(made.pages) for leaf in near[page]
            }
            for page in made.pages:
                near[page] = set()
            for place, origin in enumerate(made.origins):
                if origin in close:
                    near[made.pages[place // PAGE_SIZE]].add(place % PAGE_SIZE)
        assert sum(map(len, near.values())) == total
    assert sum(map(bool, near.values())) <= 1.2 * total / PAGE_SIZE + 2
