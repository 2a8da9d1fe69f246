# SPDX-License-Identifier: GPL-3.0-or-later
"""A deficit ends when backstops are worth it, and no sooner; nobody empties a backstop otherwise."""

from __future__ import annotations

import pytest

from support.operation_cases import DOLLAR, price, put
from support.world import World
from zkmargin.engine.due import Settling
from zkmargin.engine.margin import risk
from zkmargin.engine.totals import totals
from zkmargin.errors import Refused
from zkmargin.protocol.constants import FINE, Op, load
from zkmargin.protocol.model import Touch


@pytest.fixture
def world() -> World:
    return World(load().profile("small"), 8)


def settle(world: World) -> list[int]:
    """Everything that is due; the accounts absorbed, in order."""
    absorbed = []

    def attempt(operation: list[Touch]) -> bool:
        try:
            world.run(operation)
        except Refused:
            return False
        absorbed.extend(touch.account_id for touch in operation if touch.op == Op.ABSORB)
        return True

    for _ in Settling(world.ledger, world.tick, [], attempt).settle_all():
        pass
    return absorbed


def test_a_collateral_falls_and_rises(world: World) -> None:
    """Its backstop's loss is a deficit while it lasts: withdrawals wait, and go on when the price is back."""
    asset = world.collaterals[0]
    saver = world.new_account(1000 * DOLLAR)
    put(world, asset, equity=0, **{f"i{asset}": 10_000})
    book = totals(world.accounts(), world.ledger.reserve)
    for factor, waits in ((0.95, True), (1.02, True), (0.95, True), (1.2, False), (1.05, False)):
        price(world, {asset: factor}, slots=3)
        settle(world)
        assert totals(world.accounts(), world.ledger.reserve) == book
        assert (world.ledger.reserve < 0) == waits
        assert world.code([world.withdraw(saver, 1)]) == ("deficit" if waits else "")
    assert world.ledger.reserve == 0
    assert risk(world.account(asset), world.tick).equity > 0  # what is beyond the deficit stays


def test_a_surplus_by_a_mark_held_back_is_none(world: World) -> None:
    """Worth something at the mark and nothing at the raw price, which the mark is on its way to."""
    asset = world.collaterals[1]
    put(world, asset, equity=-(DOLLAR * FINE), **{f"i{asset}": 10_000})
    assert settle(world) == [asset]
    price(world, {asset: 0.5})
    put(world, asset, equity=1, **{f"i{asset}": 10_000})
    assert settle(world) == []
    assert world.ledger.reserve == -DOLLAR * FINE


def test_collateral_backstops_come_first(world: World) -> None:
    """They need no equity to take collateral; a perpetual's backstop gives what is wanted after them."""
    first, second, asset = 1, 2, world.collaterals[0]
    for identity, dollars in ((first, 100), (second, 100), (asset, 40)):
        put(world, identity, equity=dollars * DOLLAR * FINE)
    world.ledger.reserve = -90 * DOLLAR * FINE
    assert settle(world) == [asset, first]
    worth = [risk(world.account(k), world.tick).equity // (DOLLAR * FINE) for k in (first, second, asset)]
    assert worth == [50, 100, 0]
    assert world.ledger.reserve == 0
    assert settle(world) == []


def test_what_stands_behind_a_position_stays(world: World) -> None:
    put(world, 1, equity=10**9 * DOLLAR * FINE, i1=100)
    world.ledger.reserve = -DOLLAR * FINE
    assert settle(world) == []
    assert world.ledger.reserve == -DOLLAR * FINE
