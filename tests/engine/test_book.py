# SPDX-License-Identifier: GPL-3.0-or-later
"""The vectorised book decides as exact integers do, also at the ends of every range and at zero."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.books import thrown_book
from support.random_ops import RandomWorld
from support.world import World
from zkmargin.engine import book as book_module
from zkmargin.engine.book import EQUITY, FREE_INITIAL, HEALTH, Book, Functional
from zkmargin.engine.due import unhealthy
from zkmargin.engine.margin import risk
from zkmargin.protocol.constants import HOLDINGS, load
from zkmargin.protocol.model import Account, Holding, InstrumentTick, Tick

RATIO = Functional(equity=10, maintenance=-11)
ALL = (HEALTH, EQUITY, FREE_INITIAL, RATIO)
PRICE, SIZE, BALANCE = (1 << 64) - 1, (1 << 48) - 1, (1 << 120) - 1


@pytest.fixture(scope="module", params=["native", "numpy"], autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everything here holds with the native kernel and without."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "numpy":
            patch.setattr(book_module, "kernel", None)
        elif book_module.kernel is None:
            pytest.skip("the native kernel is not built or switched off")
        yield


def near(*anchors: int) -> st.SearchStrategy[int]:
    """Integers at and beside the anchors."""
    return st.builds(lambda a, d: a + d, st.sampled_from(anchors), st.integers(-2, 2))


signed_unit = st.one_of(near(0, PRICE, -PRICE, 1 << 53, -(1 << 53)), st.integers(-2 * PRICE, 2 * PRICE))
charge = st.one_of(near(2, PRICE - 2, 1 << 53), st.integers(0, PRICE)).map(lambda v: max(0, min(v, PRICE)))
sizes = st.one_of(near(3, SIZE - 2, 1 << 47), st.integers(1, SIZE))


@st.composite
def rows(draw: st.DrawFn) -> InstrumentTick:
    return InstrumentTick(
        flags=1,
        mark=PRICE,
        equity=draw(signed_unit),
        worst_long=draw(signed_unit),
        worst_short=draw(signed_unit),
        maintenance=tuple(draw(charge) for _ in range(4)),
        initial=tuple(draw(charge) for _ in range(4)),
    )


@st.composite
def accounts(draw: st.DrawFn, instruments: int) -> Account:
    """An account with any holdings; half of the time its balance makes some functional 0, 1 or -1."""
    slots: list[Holding | None] = [None] * HOLDINGS
    for j, instrument in enumerate(
        draw(st.lists(st.integers(1, instruments - 1), unique=True, max_size=HOLDINGS))
    ):
        slots[j] = Holding(instrument, draw(st.integers(0, 3)), draw(st.integers(0, 1)), draw(sizes))
    return Account(id=20, balance=draw(near(0, BALANCE - 2, 2 - BALANCE)), slots=tuple(slots))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_decisions_are_exact(data: st.DataObject) -> None:
    table = [InstrumentTick(), *(data.draw(rows()) for _ in range(15))]
    tick = Tick(1, 60, 0, 0, 0, tuple(table))
    people = [data.draw(accounts(16)) for _ in range(3)]
    for functional in ALL:
        for person in list(people):
            # The same holdings with a balance that brings the functional to the edge.
            weight = functional.equity + functional.worst
            edge = -functional.of(risk(person.with_(balance=0), tick)) // weight
            people += [
                person.with_(balance=edge + step) for step in (-1, 0, 1) if abs(edge + step) < 1 << 120
            ]
    book = Book(people)
    for functional in ALL:
        exact = [functional.of(risk(person, tick)) for person in people]
        assert list(book.negative(tick, functional)) == [value < 0 for value in exact]
        value, error = book.estimate(tick, functional)
        for row, true in enumerate(exact):
            assert abs(int(value[row]) - true) <= int(error[row]) + int(error[row] > 0)
    for row, person in enumerate(people):
        assert book.risk(tick, row) == risk(person, tick)


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_the_search(seed: int) -> None:
    world = RandomWorld(load().profile("small"), seed)
    world.advance()
    thrown_book(world, random.Random(seed), 30)
    book = Book.of(world.ledger.accounts())
    assert book.unhealthy(world.tick) == unhealthy(world.ledger, world.tick)
    poor = Account(id=999, balance=-1)
    book.put(3, poor)
    assert 999 in book.unhealthy(world.tick)
    assert book.risk(world.tick, 3) == risk(poor, world.tick)


def test_empty() -> None:
    world = World(load().profile("small"))
    assert Book([]).unhealthy(world.tick) == []
    assert Book([Account.empty()] * 3).unhealthy(world.tick) == []


@pytest.mark.slow
def test_a_million_accounts_within_a_second() -> None:
    world = World(load().profile("main"))
    rng = np.random.default_rng(1)
    instruments = rng.permuted(np.tile([*world.perpetuals, *world.collaterals][:HOLDINGS], (1000, 1)), axis=1)
    drawn = [
        Account(
            id=64 + k,
            balance=int(rng.integers(-(1 << 62), 1 << 62)) << 40,
            slots=tuple(Holding(int(i), 0, k & 1, int(rng.integers(1, 1 << 40))) for i in line),
        )
        for k, line in enumerate(instruments)
    ]
    book = Book(drawn * 1000)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        found = book.negative(world.tick, HEALTH)
        seconds.append(time.perf_counter() - started)
    assert list(found[:1000]) == [risk(account, world.tick).health < 0 for account in drawn]
    assert found.any()
    assert not found.all()
    assert min(seconds) < 1
