# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever prices do, every account ends at or above maintenance, and value is conserved to the unit."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.books import thrown_book
from support.random_ops import RandomWorld
from support.world import World
from zkmargin.engine.due import Bid, Settling, unhealthy
from zkmargin.engine.margin import risk
from zkmargin.engine.totals import totals
from zkmargin.errors import Refused
from zkmargin.protocol.constants import FINE, Op, load
from zkmargin.protocol.model import Touch

SMALL = load().profile("small")


def settle(world: World, bids: Sequence[Bid] = ()) -> Counter[str]:
    """Everything that is due; the kinds of operations it took."""
    kinds = Counter[str]()

    def attempt(operation: Sequence[Touch]) -> bool:
        assert len(operation) <= 3
        try:
            world.run(operation)
        except Refused:
            return False
        kinds["+".join(Op(touch.op).name.lower() for touch in operation)] += 1
        return True

    harmed = {account.id for account in world.accounts() if risk(account, world.tick).health >= 0}
    before = totals(world.accounts(), world.ledger.reserve)
    for _ in Settling(world.ledger, world.tick, bids, attempt).settle_all():
        pass
    assert totals(world.accounts(), world.ledger.reserve) == before
    assert unhealthy(world.ledger, world.tick) == []
    assert all(risk(world.account(identity), world.tick).health >= 0 for identity in harmed)
    if world.ledger.reserve < 0:  # then no backstop could help, unless with what is behind a position
        backstops = [risk(world.account(k), world.tick) for k in range(1, SMALL.instruments)]
        assert all(now.maintenance or now.worst <= 0 for now in backstops)
    return kinds


@given(st.integers(0, 2**32), st.integers(2, 10), st.booleans())
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_balanced_book_can_be_settled(seed: int, traders: int, limited: bool) -> None:
    rng = random.Random(seed)
    world = RandomWorld(SMALL, seed)
    if limited:
        world.market.to([int(price * rng.uniform(0.5, 1.7)) for price in world.market.prices])
    thrown_book(world, rng, traders)
    due = unhealthy(world.ledger, world.tick)
    bids = world.bids(world.account(rng.choice(due))) if due and rng.random() < 0.3 else []
    settle(world, bids)


def _leveraged(world: World, pairs: int) -> None:
    """Pairs of traders, long and short in two perpetuals as far as deposits allow; poor backstops."""
    for k in range(pairs):
        buyer, seller = world.new_account(10_000_000_000), world.new_account(10_000_000_000)
        if k % 3 == 0:
            world.run([world.credit(buyer, 1_000, world.collaterals[1])])
        for instrument in world.perpetuals[:2]:
            unit = world.row(instrument).initial[1] * 3
            size = min(world.free_initial(world.account(i)) for i in (buyer, seller)) // unit
            world.run(world.trade(buyer, seller, instrument, max(size, 1)))
    for instrument in world.perpetuals[:2]:
        world.run([world.credit(instrument, 2_000_000_000)])
    world.run([world.fund(1_000_000)])


@pytest.mark.parametrize("direction", [-1, 1])
def test_crash_drains_backstops_and_fund(direction: int) -> None:
    """Six slots pass without a tick, so that the jump limit lets the mark fall or rise by half at once."""
    world = World(SMALL, 5)
    _leveraged(world, 12)
    brought = totals(world.accounts(), world.ledger.reserve)
    factor = 0.5 if direction < 0 else 1.55
    world.market.to([int(price * factor) for price in world.market.prices], slots=6)
    kinds = settle(world)
    assert {"liquidate+take_backstop", "refuse+deleverage+offset", "absorb"} <= set(kinds)
    assert kinds["absorb"] >= 3
    assert world.ledger.reserve < 0  # the deficit is on record
    for instrument in world.perpetuals[:2]:
        assert 0 <= risk(world.account(instrument), world.tick).health < 500_000_000 * FINE
    assert totals(world.accounts(), world.ledger.reserve) == brought
    winner = max(world.traders(), key=world.free_initial)
    assert world.code([world.withdraw(winner.id, 1)]) == "deficit"
    world.run([world.fund(-world.ledger.reserve // FINE + 1)])
    world.run([world.withdraw(winner.id, 1)])


def test_crash_over_many_limited_ticks() -> None:
    """The same fall in steps of the jump limit: every tick ends with a healthy book."""
    world = World(SMALL, 6)
    _leveraged(world, 6)
    brought = totals(world.accounts(), world.ledger.reserve)
    world.market.prices = [price // 4 for price in world.market.prices]
    kinds = Counter[str]()
    while any(row.flags & 4 for row in world.market.to(world.market.prices).instruments):
        kinds += settle(world)
    assert kinds["liquidate+take_backstop"]
    assert totals(world.accounts(), world.ledger.reserve) == brought
