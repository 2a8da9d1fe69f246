# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed operations and deposits that break one rule: the constraint system refuses each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.settle.world import BTC, ETH, GOLD, LEDGER, LONG, SHORT
from zkmargin.engine.margin import risk
from zkmargin.protocol.constants import FINE, EntryKind, Op
from zkmargin.protocol.eddsa import SUBGROUP_ORDER, keypair
from zkmargin.protocol.hashes import owner_hash
from zkmargin.protocol.model import Account, Auth, Holding, Signature
from zkmargin.protocol.words import domain_word

MILLION = 10**6
NOT_BOUND = "sum[0] === y"
RANGE = "template Num2Bits"
SIGNATURE = "lib/eddsa|lib/base_mul|lib/challenge_mul|lib/curve|lib/atmost|lib/canonical"


@pytest.fixture
def alice(world):
    return world.open(b"alice", 1000 * MILLION)


@pytest.fixture
def bob(world):
    return world.open(b"bob", 1000 * MILLION, depositor=0xB0)


# ---------------------------------------------------------------- deposits


def test_a_valid_deposit_is_not_refused(world, refuse, alice):
    entry = world.entry(EntryKind.ACCOUNT, 0, 5, alice)
    refuse([world.deposit(entry, ok=False)], "deposit * (flag")
    entry = world.entry(EntryKind.OPEN, 0, 5, 0, 7)
    refuse([world.deposit(entry, ok=False)], "deposit * (flag")
    refuse([world.deposit(world.entry(EntryKind.FUND, 0, 5), ok=False)], "deposit * (flag")


def test_a_valid_deposit_is_not_refused_by_opening_another_leaf(world, refuse, alice, bob):
    entry = world.entry(EntryKind.ACCOUNT, GOLD, 5, alice)
    refuse([world.deposit(entry, ok=False, leaf=world.ledger.index_of(bob))], "credits * (id - target)")
    entry = world.entry(EntryKind.OPEN, 0, 5, 0, 7)
    refuse([world.deposit(entry, ok=False, leaf=world.ledger.index_of(bob))], "opens * (leaf - EMPTY_LEAF())")


@pytest.mark.parametrize(
    ("kind", "asset", "target", "owner", "depositor"),
    [
        (EntryKind.FUND, GOLD, 0, 0, 0xD0),
        (EntryKind.OPEN, 0, 0, 0, 0xD0),
        (EntryKind.OPEN, BTC, 0, 7, 0xD0),
        (EntryKind.ACCOUNT, BTC, 16, 0, 0xD0),
        (EntryKind.ACCOUNT, GOLD, 16, 0, 0xD1),
        (EntryKind.ACCOUNT, GOLD, GOLD, 0, 0),
    ],
)
def test_an_invalid_deposit_is_not_credited(world, refuse, alice, kind, asset, target, owner, depositor):
    refuse([world.deposit(world.entry(kind, asset, 5, target, owner, depositor))], "deposit * (flag")


def test_a_new_account_does_not_overwrite_another(world, refuse, alice, bob):
    leaf = world.ledger.index_of(bob)
    touch = world.deposit(world.entry(EntryKind.OPEN, 0, 5, 0, 7), leaf=leaf)
    refuse([touch], "opens * (leaf - EMPTY_LEAF())")


def test_deposits_credit_what_the_queue_says(world, refuse, alice, bob):
    entry = world.entry(EntryKind.ACCOUNT, 0, 5, alice)
    refuse([replace(world.deposit(entry), size=6)], NOT_BOUND)
    refuse([replace(world.deposit(entry), instrument=GOLD)], NOT_BOUND)
    refuse([world.deposit(entry, leaf=world.ledger.index_of(bob))], "credits * (id - target)")
    touch = world.deposit(world.entry(EntryKind.OPEN, 0, 5, 0, 7))
    refuse([touch], "rootBefore|newRootHalves", owner=8)
    refuse([touch], "rootBefore|newRootHalves", address=8)
    refuse([touch], "rootBefore|newRootHalves", balance=6 * FINE)


def test_the_queue_is_not_skipped(world, judge, alice):
    from circuits.settle.forge import Forgery

    forged = Forgery(world, 3)
    forged.add(world.deposit(world.entry(EntryKind.ACCOUNT, 0, 5, alice)))
    world.ledger.consumed -= 1
    judge.refuses(forged.inputs(), "newRootHalves")
    forged = Forgery(world, 3)
    forged.add(world.deposit(world.entry(EntryKind.ACCOUNT, 0, 5, alice)))
    world.ledger.consumed += 1
    judge.refuses(forged.inputs(), "newRootHalves")


def test_a_deposit_does_not_fill_the_fund_or_a_holding(world, refuse, alice):
    world.ledger.reserve = (1 << 119) - 5 * FINE
    refuse([world.deposit(world.entry(EntryKind.FUND, 0, 5))], "deposit * (flag")
    world.credit(alice, 5, GOLD)
    refuse([world.deposit(world.entry(EntryKind.ACCOUNT, GOLD, 2**48 - 5, alice))], "deposit * (flag")


# ---------------------------------------------------------------- withdrawals


def test_withdrawing_too_much(world, refuse, alice, bob):
    refuse([world.withdraw(alice, 1000 * MILLION + 1)], "(1 - enough) === 0")
    world.run(*world.trade(alice, bob, BTC, 100, world.mark(BTC)))
    free = risk(world.ledger.account(alice), world.tick).free_initial // FINE
    world.run(world.withdraw(alice, free))
    refuse([world.withdraw(alice, 1)], "(1 - enough) === 0")


def test_withdrawing_collateral_that_is_not_there(world, refuse, alice):
    world.credit(alice, 50, GOLD)
    refuse([world.withdraw(alice, 51, GOLD)], "collateral * newSide === 0", "(1 - position.falls)")


def test_withdrawing_collateral_that_is_needed(world, refuse, alice, bob):
    world.credit(alice, 50, GOLD)
    world.run(*world.trade(alice, bob, BTC, 100, world.mark(BTC)))
    world.run(world.withdraw(alice, risk(world.ledger.account(alice), world.tick).free_initial // FINE))
    refuse([world.withdraw(alice, 1, GOLD)], "(1 - enough) === 0")


def test_withdrawing_a_perpetual(world, refuse, alice, bob):
    world.run(*world.trade(alice, bob, BTC, 10, world.mark(BTC)))
    refuse([world.withdraw(alice, 5, BTC)], "withdraw * (1 - isQuote - row.collateral)")


def test_withdrawing_while_there_is_a_deficit(world, refuse, alice):
    world.ledger.reserve = -1
    refuse([world.withdraw(alice, 5)], "(withdraw + bid) * (1 - sound)")


def test_withdrawing_nothing_and_on_the_wrong_side(world, refuse, alice):
    refuse([world.withdraw(alice, 0)], "noSize === 0")
    touch = world.withdraw(alice, 5)
    refuse([world.signed(replace(touch, side=LONG))], "withdraw * (1 - side)")


def test_a_withdrawal_from_a_flat_account_in_debt(world, refuse, alice):
    world.ledger.write(world.ledger.index_of(alice), world.ledger.account(alice).with_(balance=-5 * FINE))
    refuse([world.withdraw(alice, 1)], "(1 - enough) === 0")


def test_paid_to_somebody_else(world, judge, alice):
    from circuits.settle.forge import Forgery

    forged = Forgery(world, 3)
    forged.add(world.withdraw(alice, 5))
    forged.paid[0] = 0xBAD
    judge.refuses(forged.inputs(), NOT_BOUND)
    forged = Forgery(world, 3)
    forged.add(world.withdraw(alice, 5))
    forged.paid[0] = 0xBAD
    judge.refuses(forged.inputs() | {"l1Address": [0xBAD, 0, 0]}, "withdraw * (l1Address - addr)")


# ---------------------------------------------------------------- signatures


def test_replayed_and_early_nonces(world, refuse, alice):
    touch = world.withdraw(alice, 5)
    refuse([touch, touch], SIGNATURE)
    refuse([world.signed(touch, nonce_ahead=1)], SIGNATURE)


def test_the_last_nonce_is_not_used(world, refuse, alice):
    index = world.ledger.index_of(alice)
    world.ledger.write(index, world.ledger.account(alice).with_(nonce=2**32 - 1))
    refuse(
        [world.withdraw(alice, 5)],
        "signed * exhausted",
        nonce=0,
        address=world.ledger.account(alice).address + 1,
    )


def test_an_expired_signature(world, refuse, alice):
    refuse([world.signed(world.withdraw(alice, 5), last_slot=world.tick.slot - 1)], RANGE)


def test_somebody_elses_key(world, refuse, alice, bob):
    world.keys[alice] = world.keys[bob]
    refuse([world.withdraw(alice, 5)], "signed * (key.out - owner)")


def test_a_changed_message(world, refuse, alice):
    touch = world.withdraw(alice, 5)
    refuse([replace(touch, size=6)], SIGNATURE)
    refuse([replace(touch, auth=replace(touch.auth, last_slot=touch.auth.last_slot + 1))], SIGNATURE)


def test_another_ledger_or_chain(world, refuse, alice):
    domain = world.domain
    for other in (domain_word(1, LEDGER), domain_word(31337, LEDGER + 1)):
        world.domain = other
        touch = world.withdraw(alice, 5)
        world.domain = domain
        refuse([touch], SIGNATURE)


def test_a_message_of_another_kind(world, refuse, alice, bob):
    world.credit(alice, 50, GOLD)
    sold = world.trade(bob, alice, GOLD, 5, 0)[1]
    bid = world.signed(replace(world.bid(alice, GOLD, SHORT, 5, 5), counterparty=0))
    withdrawal = world.withdraw(alice, 5, GOLD)
    for auth in (sold.auth, bid.auth):
        refuse([replace(withdrawal, auth=auth)], SIGNATURE)


def test_a_second_form_of_a_signature(world, refuse, alice):
    touch = world.withdraw(alice, 5)
    given = touch.auth.signature
    again = replace(touch.auth, signature=replace(given, s=given.s + SUBGROUP_ORDER))
    refuse([replace(touch, auth=again)], SIGNATURE)


def test_keys_of_small_order_and_points_off_the_curve(world, refuse, alice):
    neutral = Auth(world.tick.slot, 0, 1, Signature(0, 1, 0))
    index = world.ledger.index_of(alice)
    for auth in (neutral, replace(neutral, ax=5, ay=7), replace(neutral, signature=Signature(5, 7, 0))):
        world.ledger.write(index, world.ledger.account(alice).with_(owner=owner_hash(auth.ax, auth.ay)))
        refuse([replace(world.withdraw(alice, 5), auth=auth)], SIGNATURE)


def test_a_backstop_signs_nothing(world, refuse, alice):
    key = keypair(b"operator")
    world.credit(BTC, 100)
    world.ledger.write(BTC, world.ledger.account(BTC).with_(owner=owner_hash(key.ax, key.ay)))
    world.keys[BTC] = key
    refuse([world.withdraw(BTC, 5)], "signed * isBackstop")


def test_no_signature_at_all(world, refuse, alice):
    refuse([replace(world.withdraw(alice, 5), auth=None)], "signed * (key.out - owner)", SIGNATURE)


# ---------------------------------------------------------------- trades


def test_trading_below_initial_margin(world, refuse, alice, bob):
    refuse(world.trade(alice, bob, BTC, 1000, world.mark(BTC)), "trade * unfit")
    price = world.mark(BTC) * 2
    refuse(world.trade(alice, bob, BTC, 100, price), "trade * unfit")  # a gift to bob
    refuse(world.trade(alice, bob, BTC, 100, 0), "trade * unfit")  # a gift to alice


def pair(world, first, second, **change):
    """Both legs, with fields of the second changed and signed."""
    legs = world.trade(first, second, BTC, 10, world.mark(BTC))
    legs[1] = world.signed(replace(legs[1], **change))
    return legs


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"side": LONG}, "(side + lastSide - 1)"),
        ({"size": 11}, "leg * (size - lastSize)"),
        ({"price": 1 << 60}, "leg * (price - lastPrice)"),
        ({"instrument": ETH}, "(instrument - lastInstrument)"),
        ({"counterparty": 18}, "op[OP_TRADE_MATCH()] * (counterparty - lastId)"),
    ],
)
def test_legs_of_different_terms(world, refuse, alice, bob, change, line):
    refuse(pair(world, alice, bob, **change), line)


def test_a_match_on_another_account(world, refuse, alice, bob):
    carol = world.open(b"carol", 1000 * MILLION)
    first = world.trade(alice, bob, BTC, 10, world.mark(BTC))[0]
    second = world.trade(alice, carol, BTC, 10, world.mark(BTC))[1]
    refuse([first, second], "op[OP_TRADE_MATCH()] * (id - lastCounterparty)")


def test_both_legs_on_one_account(world, refuse, alice):
    legs = world.trade(alice, alice, BTC, 10, world.mark(BTC))
    legs[1] = world.signed(legs[1], nonce_ahead=1)
    refuse(legs, "* same === 0")


def test_single_legs(world, refuse, alice, bob):
    first, second = world.trade(alice, bob, BTC, 10, world.mark(BTC))
    refuse([first], "opened[0] ===")
    refuse([second], "opened[0] ===")
    noop = world.touch(Op.NOOP, BTC)
    refuse([noop, noop, first], "touch[T - 1].opens[i] === 0")


def test_new_risk_at_a_limited_mark(world, refuse, accept, alice, bob):
    world.run(*world.trade(alice, bob, BTC, 50, world.mark(BTC)))
    world.prices({BTC: 90_000_000})
    assert world.tick.instruments[BTC].flags == 5
    refuse(world.trade(alice, bob, BTC, 1, world.mark(BTC)), "(1 - position.falls)")
    refuse(world.trade(bob, alice, BTC, 51, world.mark(BTC)), "(1 - position.falls)")
    accept(world.trade(bob, alice, BTC, 50, world.mark(BTC)))


def test_easing_that_is_none(world, refuse, accept, alice):
    bob = world.open(b"rich", 100_000 * MILLION)
    world.run(*world.trade(alice, bob, BTC, 800, world.mark(BTC)))
    world.prices({BTC: 59_400_000})
    mark = world.mark(BTC)
    accept(world.trade(bob, alice, BTC, 10, mark))
    refuse(world.trade(alice, bob, BTC, 10, mark), "trade * unfit")  # rises
    refuse(world.trade(bob, alice, BTC, 10, mark * 9 // 10), "trade * unfit")  # E/M falls
    refuse(world.trade(bob, alice, BTC, 1600, mark), "trade * unfit")  # flips


def test_easing_where_equity_is_negative(world, refuse, accept, alice):
    bob = world.open(b"rich", 100_000 * MILLION)
    world.run(*world.trade(alice, bob, BTC, 800, world.mark(BTC)))
    world.prices({BTC: 58_000_000})
    assert risk(world.ledger.account(alice), world.tick).equity < 0
    mark = world.mark(BTC)
    refuse(world.trade(bob, alice, BTC, 10, mark - 1), "trade * unfit")
    refuse(world.trade(bob, alice, BTC, 10, mark), "trade * unfit")  # E/M falls when E < 0 and M falls
    accept(world.trade(bob, alice, BTC, 10, mark * 11 // 10))


@pytest.mark.parametrize(("money", "price"), [(1000, 48_310_000), (1400, 48_500_000)])
def test_equity_given_away_at_a_limited_mark(world, refuse, accept, money, price):
    """The raw price is 48, the mark 54: by worst-of values a sale above 48 is a gain, by the mark a gift.

    Alice would end in debt with the first price; with the second, solvent at every price, below maintenance.
    """
    alice, bob = world.open(b"poor", money * MILLION), world.open(b"rich", 20_000 * MILLION)
    world.run(*world.trade(alice, bob, BTC, 100, world.mark(BTC)))
    world.run(*world.trade(alice, bob, ETH, 1000, world.mark(ETH)))
    world.prices({BTC: 48_000_000})
    mark = world.mark(BTC)
    was = risk(world.ledger.account(alice), world.tick)
    assert was.free_initial < 0 <= was.health
    eth = world.ledger.account(alice).holding(ETH).size * world.tick.instruments[ETH].maintenance[0]
    gain, gift = 100 * (price - 48_000_000) * FINE, 100 * (mark - price * FINE)
    assert (was.worst + gain) * was.maintenance >= was.worst * eth  # the ratio of W does not fall
    assert was.worst + gain >= min(was.worst, 0)
    assert was.equity - gift < eth
    refuse(world.trade(bob, alice, BTC, 100, price * FINE), "trade * unfit")
    refuse(world.trade(bob, alice, BTC, 10, mark - 1), "trade * unfit")
    accept(world.trade(bob, alice, BTC, 10, mark))
    accept(world.trade(bob, alice, BTC, 100, mark + 1))


def test_a_flat_account_in_debt_has_no_exception(world, refuse, alice, bob):
    world.ledger.write(world.ledger.index_of(alice), world.ledger.account(alice).with_(balance=-5 * FINE))
    refuse(world.trade(alice, bob, BTC, 1, world.mark(BTC)), "trade * unfit")


def test_sizes_that_wrap(world, refuse, alice, bob):
    refuse(world.trade(alice, bob, BTC, 2**48, world.mark(BTC)), RANGE)
    refuse(world.trade(alice, bob, BTC, 0, world.mark(BTC)), "noSize === 0")


def test_short_collateral_and_unlisted(world, refuse, alice, bob):
    refuse(world.trade(alice, bob, GOLD, 5, world.mark(GOLD)), "collateral * newSide === 0")
    refuse(world.trade(alice, bob, 9, 5, 0), "(1 - row.perpetual - row.collateral)")


def test_a_thirteenth_instrument(world, judge, alice, bob):
    """No slot is free: nothing is written, so the trade must fail, not vanish."""
    from circuits.settle.forge import Forgery

    full = tuple(Holding(4 + j, 0, LONG, 1) for j in range(12))
    world.ledger.write(world.ledger.index_of(alice), world.ledger.account(alice).with_(slots=full))
    touch = world.trade(alice, bob, BTC, 5, world.mark(BTC))[0]

    class Vanishing(Forgery):
        def _effect(self, account: Account, touch):
            cash = -touch.size * (touch.price - self.tick.instruments[BTC].funding)
            if touch.op == Op.NOOP:
                return account
            return account.with_(nonce=account.nonce + 1, balance=account.balance + cash)

    forged = Vanishing(world, 3)
    forged.add(touch)
    judge.refuses(forged.inputs(), "(1 - place.usable)")
