# SPDX-License-Identifier: GPL-3.0-or-later
"""A market after a fall: who is below maintenance margin, and who could take what they hold."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.settle.world import BTC, LONG, SHORT, World
from zkmargin.engine.liquidation import minimal_close
from zkmargin.engine.margin import holding_of, risk
from zkmargin.errors import Refused
from zkmargin.protocol.constants import Op
from zkmargin.protocol.model import Account, Touch

MILLION = 10**6


@dataclass(frozen=True)
class Crash:
    """Alice is long BTC and unhealthy, Bob short; Carol has money. `least` restores Alice."""

    alice: int
    bob: int
    carol: int
    least: int


def crash(world: World, size: int = 800, price: int = 59_000_000) -> Crash:
    """The price falls from 60 to `price` per step under a long of `size` steps with 1000 of balance."""
    alice, bob = world.open(b"alice", 1000 * MILLION), world.open(b"bob", 100_000 * MILLION)
    carol = world.open(b"carol", 100_000 * MILLION)
    world.run(*world.trade(alice, bob, BTC, size, world.mark(BTC)))
    world.prices({BTC: price})
    account = world.ledger.account(alice)
    assert risk(account, world.tick).health < 0
    held = account.holding(BTC)
    assert held
    return Crash(alice, bob, carol, minimal_close(world.tick, account, held, world.mark(BTC)).size)


def leg(
    world: World,
    op: Op,
    account: int,
    size: int,
    flag: int = 0,
    side: int = SHORT,
    instrument: int = BTC,
    price: int | None = None,
) -> Touch:
    """An unsigned leg, at the mark if no price is given. SHORT closes a long, LONG takes it."""
    price = world.mark(instrument) if price is None else price
    return world.touch(op, account, instrument=instrument, side=side, size=size, price=price, flag=flag)


def backstop_with(world: World, instrument: int, size: int, equity: int) -> Account:
    """The backstop of an instrument, given a holding of `size` steps and an equity in fine units."""
    held = holding_of(world.tick.instruments[instrument], instrument, size)
    account = world.ledger.account(instrument).with_slot(0, held)
    account = account.with_(balance=account.balance + equity - risk(account, world.tick).equity)
    world.ledger.write(world.ledger.index_of(instrument), account)
    return account


def backstop_takes(world: World, alice: int) -> int:
    """The size at which the backstop of BTC is exhausted by alice's long."""
    for size in range(1, 800):
        legs = [leg(world, Op.LIQUIDATE, alice, size, 1), leg(world, Op.TAKE_BACKSTOP, BTC, size, side=LONG)]
        try:
            world.batch(legs, touches=2)
        except Refused as refused:
            if refused.code == "not_exhausted":
                continue
            raise
        return size
    raise AssertionError("the backstop takes everything")
