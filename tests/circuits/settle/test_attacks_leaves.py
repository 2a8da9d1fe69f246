# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaves with two slots of an instrument, or a balance out of range: no operation writes one.

What opens a leaf relies on that (settle/place.circom, sweep/check.circom).
"""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest

from circuits.settle.forge import Forgery
from circuits.settle.scenes import leg
from circuits.settle.world import BTC, LONG, SHORT
from zkmargin.protocol.constants import BITS, EntryKind, Op, P
from zkmargin.protocol.model import Account, Holding

MILLION = 10**6
RANGE = "template Num2Bits"
WRITTEN = "rootBefore|newRootHalves"
EDGE = 1 << BITS["balance"]


def stands(world, account: Account) -> None:
    """The account in its leaf, whether an operation could have made it or not."""
    with mock.patch("zkmargin.state.ledger.check_account"):
        world.ledger.write(world.ledger.index_of(account.id), account)


@pytest.fixture
def pair(world):
    """Alice is long 5 BTC at the mark against Bob."""
    alice, bob = world.open(b"alice", 1000 * MILLION), world.open(b"bob", 1000 * MILLION)
    world.run(*world.trade(alice, bob, BTC, 5, world.mark(BTC)))
    return alice, bob


# ---------------------------------------------------------------- one instrument in two slots


@pytest.mark.parametrize(("held", "other"), [(0, 1), (3, 0), (3, 11), (11, 0)])
def test_a_second_slot_for_an_instrument_held(world, accept, refuse, pair, held, other):
    """Two slots of one instrument could each be in a lower tier; the new size goes where the old one is."""
    account = world.ledger.account(pair[0])
    moved = account.with_slot(0, None).with_slot(held, account.slots[0])
    stands(world, moved)
    legs = world.trade(*pair, BTC, 7, world.mark(BTC))
    accept(legs)
    refuse(legs, WRITTEN, slots=moved.with_slot(other, Holding(BTC, 0, LONG, 7)).slots)


def test_the_first_slot_of_another_instrument(world, refuse, pair):
    """A holding overwritten by one of another instrument."""
    account = world.ledger.account(pair[0])
    legs = world.trade(*pair, 2, 7, world.mark(2))
    refuse(legs, WRITTEN, slots=account.with_slot(0, Holding(2, 0, LONG, 7)).slots)


@pytest.mark.parametrize("other", [1, 3, 11])
def test_a_leaf_that_holds_an_instrument_twice_is_not_opened(world, refuse, pair, other):
    """No operation writes one; were one there, its two slots would pass for one in use."""
    account = world.ledger.account(pair[0])
    stands(world, account.with_slot(other, account.slots[0]))
    refuse(world.trade(*pair, BTC, 7, world.mark(BTC)), "held * (held - 1)")


# ---------------------------------------------------------------- balances out of range


def test_a_balance_written_above_the_range(world, judge, pair):
    """What a sale brings takes the seller to the last balance there is, and one unit beyond."""
    seller, cash = world.ledger.account(pair[0]), 5 * world.mark(BTC)
    for balance, fits in ((EDGE - 1 - cash, True), (EDGE - cash, False), (EDGE - 1, False)):
        stands(world, seller.with_(balance=balance))
        forged = Forgery(world, 3)
        for touch in world.trade(pair[1], pair[0], BTC, 5, world.mark(BTC)):
            forged.add(touch)
        (judge.accepts if fits else lambda made: judge.refuses(made, RANGE))(forged.inputs())


def test_a_balance_written_below_the_range(world, judge, pair):
    """A short closed at the mark, by one in debt without end."""
    carol = world.open(b"carol", 90_000 * MILLION)
    cost, short = 5 * world.mark(BTC), world.ledger.account(pair[1])
    for balance, fits in ((cost - EDGE, True), (cost - EDGE - 1, False), (-EDGE, False)):
        stands(world, short.with_(balance=balance))
        forged = Forgery(world, 3)
        forged.add(leg(world, Op.LIQUIDATE, pair[1], 5, side=LONG))
        forged.add(world.bid(carol, BTC, SHORT, 5, 5))
        (judge.accepts if fits else lambda made: judge.refuses(made, RANGE))(forged.inputs())


WRAPPED = {
    "above": 2 * EDGE,
    "below": -2 * EDGE,
    "half the field": P // 2,
    "a fraction that a sweep takes for 5": 5 * pow(1 << 16, -1, P) % P,
}


@pytest.mark.parametrize("balance", WRAPPED.values(), ids=WRAPPED)
def test_a_wrapped_balance_that_stood_there(world, refuse, pair, balance):
    """Nothing that is out of range is written over one. A sweep by itself would not tell the last of these
    (coverage/test_sweep_attacks.py), so it matters that none is ever written."""
    stands(world, world.ledger.account(pair[0]).with_(balance=balance))
    refuse([world.deposit(world.entry(EntryKind.ACCOUNT, 0, 5, pair[0]))], RANGE)
    refuse([world.withdraw(pair[0], 5)], RANGE)
    legs = world.trade(*pair, BTC, 1, world.mark(BTC))
    refuse([replace(touch, kept=0) for touch in legs], RANGE)
