# SPDX-License-Identifier: GPL-3.0-or-later
"""Honest touches of every operation are accepted; the circuit computes the ledger that the engine does."""

from __future__ import annotations

import pytest

from circuits.settle.scenes import MILLION, backstop_takes, backstop_with, crash, leg
from circuits.settle.world import BTC, ETH, GOLD, LONG
from zkmargin.engine.liquidation import minimal_close
from zkmargin.engine.margin import risk
from zkmargin.protocol.constants import FINE, EntryKind, Op
from zkmargin.protocol.eddsa import keypair
from zkmargin.protocol.hashes import owner_hash
from zkmargin.protocol.model import Holding, Touch


def owner() -> int:
    key = keypair(b"newcomer")
    return owner_hash(key.ax, key.ay)


def test_no_operation(accept):
    accept()


@pytest.mark.parametrize("asset", [0, GOLD])
def test_deposits_that_are_valid(world, accept, asset):
    alice = world.open(b"alice", 1000)
    accept([world.deposit(world.entry(EntryKind.OPEN, asset, 500, 0, owner()))])
    accept([world.deposit(world.entry(EntryKind.ACCOUNT, asset, 500, alice))])
    if asset == 0:
        accept([world.deposit(world.entry(EntryKind.FUND, 0, 500))])
        accept([world.deposit(world.entry(EntryKind.ACCOUNT, 0, 500, BTC))])


@pytest.mark.parametrize(
    ("kind", "asset", "amount", "target", "has_owner", "depositor"),
    [
        (EntryKind.FUND, GOLD, 5, 0, False, 0xD0),  # the fund takes quote only
        (EntryKind.OPEN, 0, 5, 0, False, 0xD0),  # no owner
        (EntryKind.OPEN, BTC, 5, 0, True, 0xD0),  # not collateral
        (EntryKind.OPEN, 9, 5, 0, True, 0xD0),  # unlisted
        (EntryKind.ACCOUNT, 0, 5, 0, False, 0xD0),  # no target
        (EntryKind.ACCOUNT, 0, 5, 999, False, 0xD0),  # unknown target
        (EntryKind.ACCOUNT, BTC, 5, 16, False, 0xD0),
        (EntryKind.ACCOUNT, GOLD, 5, 16, False, 0xD1),  # somebody else's slots
        (EntryKind.ACCOUNT, GOLD, 5, GOLD, False, 0),  # a backstop's
        (EntryKind.ACCOUNT, GOLD, 2**48 - 1, 17, False, 0xD0),  # over the largest holding
        (EntryKind.ACCOUNT, GOLD, 2**64 - 1, 16, False, 0xD0),
        (EntryKind.ACCOUNT, 0, 2**64 - 1, 16, False, 0xD0),
    ],
)
def test_deposits_that_are_refused(world, accept, kind, asset, amount, target, has_owner, depositor):
    world.open(b"alice", 1000)
    world.open(b"bob", 1000, GOLD)
    account = world.ledger.account(16)
    if amount == 2**64 - 1 and asset == 0:
        world.ledger.write(world.ledger.index_of(16), account.with_(balance=(1 << 119) - amount * FINE))
    accept(
        [
            world.deposit(
                world.entry(kind, asset, amount, target, owner() if has_owner else 0, depositor), ok=False
            )
        ]
    )


def test_a_full_fund_and_a_full_ledger(world, accept):
    world.ledger.reserve = (1 << 119) - 5 * FINE
    accept([world.deposit(world.entry(EntryKind.FUND, 0, 5), ok=False)])
    accept([world.deposit(world.entry(EntryKind.FUND, 0, 4))])
    world.ledger.next_id = world.ledger.capacity
    accept([world.deposit(world.entry(EntryKind.OPEN, 0, 5, 0, owner()), ok=False)])


def test_no_free_slot(world, accept):
    alice = world.open(b"alice", 1000)
    account = world.ledger.account(alice)
    full = account.with_(slots=tuple(Holding(4 + j, 0, LONG, 1 + j) for j in range(12)))
    world.ledger.write(world.ledger.index_of(alice), full)
    accept([world.deposit(world.entry(EntryKind.ACCOUNT, GOLD, 5, alice), ok=False)])
    accept([world.deposit(world.entry(EntryKind.ACCOUNT, 0, 5, alice))])


def test_withdrawals(world, accept):
    alice = world.open(b"alice", 1000)
    world.credit(alice, 50, GOLD)
    accept([world.withdraw(alice, 1000)])
    accept([world.withdraw(alice, 20, GOLD)], [world.deposit(world.entry(EntryKind.ACCOUNT, GOLD, 5, alice))])
    accept([world.withdraw(alice, 50, GOLD)])


def test_trades(world, accept):
    alice, bob = world.open(b"alice", 9000 * MILLION), world.open(b"bob", 9000 * MILLION)
    price = world.mark(BTC)
    accept(world.trade(alice, bob, BTC, 100, price))
    world.run(*world.trade(alice, bob, BTC, 100, price))
    accept(world.trade(bob, alice, BTC, 40, price - 3))  # both fall
    accept(world.trade(bob, alice, BTC, 130, price + 12345))  # both flip
    accept(world.trade(bob, alice, BTC, 100, price))  # both close
    accept(world.trade(bob, alice, ETH, 7, world.mark(ETH)))
    world.prices({BTC: 61_000_000}, {BTC: 1 << 20})  # funding
    accept(world.trade(alice, bob, BTC, 1100, world.mark(BTC)))  # another tier


def test_collateral_is_traded(world, accept):
    alice, bob = world.open(b"alice", 1000 * MILLION), world.open(b"bob", 0x10, GOLD)
    accept(world.trade(alice, bob, GOLD, 10, world.mark(GOLD)))


def test_easing_below_initial_margin(world, accept):
    alice, bob = world.open(b"alice", 1000 * MILLION), world.open(b"bob", 100_000 * MILLION)
    world.run(*world.trade(alice, bob, BTC, 800, world.mark(BTC)))
    world.prices({BTC: 59_400_000})
    account = risk(world.ledger.account(alice), world.tick)
    assert account.free_initial < 0 <= account.health
    accept(world.trade(bob, alice, BTC, 10, world.mark(BTC)))


def test_liquidation_to_a_bid(world, accept):
    scene = crash(world)
    alice, _bob, carol, size = scene.alice, scene.bob, scene.carol, scene.least
    assert 1 < size < 800
    accept([leg(world, Op.LIQUIDATE, alice, size), world.bid(carol, BTC, LONG, size + 10, size)])
    accept([leg(world, Op.LIQUIDATE, alice, size), world.bid(carol, BTC, LONG, size, size, 1)])
    accept([leg(world, Op.LIQUIDATE, alice, 5, 1), world.bid(carol, BTC, LONG, 5, 5)])


def test_liquidation_of_all_that_is_held(world, accept):
    scene = crash(world, price=58_000_000)  # equity below 0: no penalty, all is closed
    alice, _bob, carol, size = scene.alice, scene.bob, scene.carol, scene.least
    assert risk(world.ledger.account(alice), world.tick).equity < 0
    assert size == 800
    accept([leg(world, Op.LIQUIDATE, alice, size), world.bid(carol, BTC, LONG, size, size)])


def test_liquidation_to_the_backstop(world, accept):
    scene = crash(world)
    alice, _bob, _carol, size = scene.alice, scene.bob, scene.carol, scene.least
    world.credit(BTC, 100_000 * MILLION)
    accept([leg(world, Op.LIQUIDATE, alice, size), leg(world, Op.TAKE_BACKSTOP, BTC, size, side=LONG)])


def test_liquidation_exhausts_the_backstop(world, accept):
    scene = crash(world)
    alice, _bob, _carol, size = scene.alice, scene.bob, scene.carol, scene.least
    world.credit(BTC, 20 * MILLION)
    size = backstop_takes(world, alice)
    accept([leg(world, Op.LIQUIDATE, alice, size, 1), leg(world, Op.TAKE_BACKSTOP, BTC, size, side=LONG)])


def test_deleveraging(world, accept):
    scene = crash(world)
    alice, bob, _carol, size = scene.alice, scene.bob, scene.carol, scene.least
    accept(
        [
            leg(world, Op.REFUSE, BTC, 0, side=LONG),
            leg(world, Op.DELEVERAGE, alice, size),
            leg(world, Op.OFFSET, bob, size, side=LONG),
        ]
    )


def test_deleveraging_exhausts_the_other_side(world, accept):
    scene = crash(world)
    alice, bob, carol, _size = scene.alice, scene.bob, scene.carol, scene.least
    world.run(*world.trade(bob, carol, BTC, 797, world.mark(BTC)))  # bob is left short 3
    accept(
        [
            leg(world, Op.REFUSE, BTC, 0, side=LONG),
            leg(world, Op.DELEVERAGE, alice, 3, 1),
            leg(world, Op.OFFSET, bob, 3, side=LONG),
        ]
    )


def test_a_backstop_is_deleveraged(world, accept):
    scene = crash(world)
    alice, bob, _carol, size = scene.alice, scene.bob, scene.carol, scene.least
    world.credit(BTC, 400 * MILLION)
    world.run(leg(world, Op.LIQUIDATE, alice, size), leg(world, Op.TAKE_BACKSTOP, BTC, size, side=LONG))
    world.prices({BTC: 58_000_000})
    backstop = world.ledger.account(BTC)
    assert risk(backstop, world.tick).health < 0
    least = minimal_close(world.tick, backstop, backstop.holding(BTC), world.mark(BTC)).size
    accept([leg(world, Op.DELEVERAGE, BTC, least), leg(world, Op.OFFSET, bob, least, side=LONG)])


def test_collateral_goes_to_its_backstop_and_debt_to_the_reserve(world, accept):
    scene = crash(world, price=58_000_000)
    alice, _bob, carol, _size = scene.alice, scene.bob, scene.carol, scene.least
    world.credit(alice, 200, GOLD)
    world.run(leg(world, Op.LIQUIDATE, alice, 800), world.bid(carol, BTC, LONG, 800, 800))
    account = world.ledger.account(alice)
    assert risk(account, world.tick).equity < 0
    price = world.tick.instruments[GOLD].equity
    least = minimal_close(world.tick, account, account.holding(GOLD), price).size
    assert least == 200
    operation = [
        leg(world, Op.REFUSE, GOLD, 0, side=LONG, instrument=GOLD),
        leg(world, Op.DELEVERAGE, alice, least, instrument=GOLD, price=price),
        leg(world, Op.OFFSET, GOLD, least, side=LONG, instrument=GOLD, price=price),
    ]
    accept(operation)
    world.run(*operation)
    accept([world.touch(Op.ABSORB, alice)])


def test_absorbing(world, accept):
    scene = crash(world, price=58_000_000)
    alice, _bob, carol, _size = scene.alice, scene.bob, scene.carol, scene.least
    world.run(leg(world, Op.LIQUIDATE, alice, 800), world.bid(carol, BTC, LONG, 800, 800))
    assert risk(world.ledger.account(alice), world.tick).equity < 0
    accept([world.touch(Op.ABSORB, alice)])
    world.run(world.touch(Op.ABSORB, alice))
    assert world.ledger.reserve < 0
    accept([world.deposit(world.entry(EntryKind.FUND, 0, 500))])


@pytest.mark.parametrize(("instrument", "size"), [(GOLD, 100), (GOLD, 0), (BTC, 0)])
@pytest.mark.parametrize("equity", [1, 5 * FINE - 1, 5 * FINE, 5 * FINE + 1, 1000 * MILLION * FINE])
def test_a_backstop_makes_up_a_deficit(world, accept, instrument, size, equity):
    backstop_with(world, instrument, size, equity)
    world.ledger.reserve = -5 * FINE
    touch = world.touch(Op.ABSORB, instrument)
    accept([touch])
    world.run(touch)
    assert world.ledger.reserve == min(equity - 5 * FINE, 0)
    assert risk(world.ledger.account(instrument), world.tick).equity == max(equity - 5 * FINE, 0)


def test_a_backstop_gives_what_it_is_worth_at_the_raw_price(world, accept):
    world.prices({GOLD: 1_500_000})  # the mark: 1.8
    backstop_with(world, GOLD, 100, 100 * MILLION * FINE)
    world.ledger.reserve = -1000 * MILLION * FINE
    now = risk(world.ledger.account(GOLD), world.tick)
    assert 0 < now.worst < now.equity
    accept([world.touch(Op.ABSORB, GOLD)])
    world.run(world.touch(Op.ABSORB, GOLD))
    assert world.ledger.reserve == now.worst - 1000 * MILLION * FINE


def test_several_operations_on_one_page_and_a_kept_header(world, accept):
    alice, bob = world.open(b"alice", 1000 * MILLION), world.open(b"bob", 1000 * MILLION)
    accept(
        world.trade(alice, bob, BTC, 100, world.mark(BTC)),
        [world.deposit(world.entry(EntryKind.ACCOUNT, 0, 5, bob))],
    )
    index = world.ledger.index_of(alice)
    world.ledger.write(index, world.ledger.account(alice))
    accept([Touch(Op.NOOP, index, alice)], [Touch(Op.NOOP, 500, 0)])
