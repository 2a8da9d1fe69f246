# SPDX-License-Identifier: GPL-3.0-or-later
"""Liquidation, deleveraging and absorbing that break one rule: the constraint system refuses each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.settle.forge import Forgery
from circuits.settle.scenes import MILLION, backstop_takes, backstop_with, crash, leg
from circuits.settle.world import BTC, ETH, GOLD, LONG, SHORT
from zkmargin.engine.liquidation import minimal_close
from zkmargin.engine.margin import holding_of, risk
from zkmargin.protocol.constants import FINE, Op
from zkmargin.protocol.model import Touch

NOT_BOUND = "sum[0] === y"


@pytest.fixture
def scene(world):
    return crash(world)


def liquidation(world, scene, size=None, most=None, flag=0, min_reward=0, limit=None, **change):
    """A liquidation to Carol's bid."""
    size = scene.least if size is None else size
    bid = world.bid(scene.carol, BTC, LONG, size if most is None else most, size, min_reward, limit)
    return [replace(leg(world, Op.LIQUIDATE, scene.alice, size, flag), **change), bid]


# ---------------------------------------------------------------- liquidate


def test_a_healthy_account(world, refuse, scene):
    size = 5
    bid = world.bid(scene.carol, BTC, SHORT, size, size)
    refuse([leg(world, Op.LIQUIDATE, scene.bob, size, 1, side=LONG), bid], "victim * sound")


def test_health_of_exactly_nothing(world, refuse, scene):
    index = world.ledger.index_of(scene.alice)
    account = world.ledger.account(scene.alice)
    short = risk(account, world.tick).health
    world.ledger.write(index, account.with_(balance=account.balance - short))
    refuse(liquidation(world, scene, 1, 1, 1), "victim * sound")


def test_more_or_less_than_needed(world, refuse, accept, scene):
    accept(liquidation(world, scene))
    refuse(liquidation(world, scene, scene.least + 1), "victim * sooner")
    refuse(liquidation(world, scene, scene.least - 1), "victim * unexplained")
    refuse(liquidation(world, scene, 800), "victim * sooner")
    refuse(liquidation(world, scene, 0), "noSize === 0")


def test_more_than_is_held_or_the_wrong_way(world, refuse, scene):
    refuse(liquidation(world, scene, 801), "(1 - position.falls)")
    refuse(liquidation(world, scene, 1601), "(1 - position.falls)")
    wrong = [leg(world, Op.LIQUIDATE, scene.alice, 5, 1, side=LONG), world.bid(scene.carol, BTC, SHORT, 5, 5)]
    refuse(wrong, "(1 - position.falls)")


def test_exhausted_takers_that_are_not(world, refuse, scene):
    refuse(liquidation(world, scene, 5, 6, 1), "bidExhausted * (maxSize - size)")
    world.credit(BTC, 20 * MILLION)
    size = backstop_takes(world, scene.alice)
    legs = [
        leg(world, Op.LIQUIDATE, scene.alice, size - 1, 1),
        leg(world, Op.TAKE_BACKSTOP, BTC, size - 1, side=LONG),
    ]
    refuse(legs, "backstop * couldMore")


def test_another_price(world, refuse, scene):
    price = world.mark(BTC) - FINE
    legs = liquidation(world, scene)
    legs = [replace(legs[0], price=price), world.signed(replace(legs[1], price=price))]
    refuse(legs, "liquidate * (price - row.mark)")


def test_a_mark_past_the_limit_of_the_bid(world, refuse, accept, scene):
    mark = world.mark(BTC)
    accept(liquidation(world, scene, limit=mark))
    accept(liquidation(world, scene, limit=(1 << 64) - 1))
    refuse(liquidation(world, scene, limit=mark - 1), "bid * (third")
    refuse(liquidation(world, scene, limit=0), "bid * (third")


def test_a_limit_that_is_not_what_was_signed(world, refuse, scene):
    legs = liquidation(world, scene, limit=world.mark(BTC) - 1)
    refuse([legs[0], replace(legs[1], limit_price=world.mark(BTC))], "eddsa.circom")


def test_a_limit_is_only_for_bids(world, refuse, scene):
    refuse([replace(world.touch(Op.NOOP, scene.bob), limit_price=1)], "(1 - bid) * limitPrice")


def test_another_order(world, refuse, scene):
    """ETH is not sold while BTC is held; BTC, the lower number, is."""
    dave = world.open(b"dave", 1000 * MILLION)
    world.run(*world.trade(dave, scene.bob, ETH, 600, world.mark(ETH)))
    world.run(*world.trade(dave, scene.bob, BTC, 300, world.mark(BTC)))
    world.prices({ETH: 28_500_000})
    assert risk(world.ledger.account(dave), world.tick).health < 0
    bid = world.bid(scene.carol, ETH, LONG, 5, 5)
    refuse([leg(world, Op.LIQUIDATE, dave, 5, 1, instrument=ETH), bid], "template Num2Bits")


def test_an_instrument_that_is_not_held(world, refuse, scene):
    bid = world.bid(scene.carol, ETH, LONG, 5, 5)
    refuse([leg(world, Op.LIQUIDATE, scene.alice, 5, 1, instrument=ETH), bid], "(1 - position.falls)")


@pytest.mark.parametrize("change", [{"balance": 1}, {"balance": -1}])
def test_another_penalty(world, judge, scene, change):
    """The victim pays one fine unit more or less than the rule says."""
    forged = Forgery(world, 3)
    legs = liquidation(world, scene)
    honest = Forgery(world, 3)
    honest.add(legs[0])
    balance = world.ledger.account(scene.alice).balance
    world.ledger.rollback()
    forged.add(legs[0], balance=balance + change["balance"])
    forged.add(legs[1])
    judge.refuses(forged.inputs(), "rootBefore|newRootHalves")


# ---------------------------------------------------------------- takers


def test_a_bid_beyond_its_terms(world, refuse, scene):
    refuse(liquidation(world, scene, most=scene.least - 1), "bid * (third[0]")
    reward = 10**9
    refuse(liquidation(world, scene, min_reward=reward), "(withdraw + bid) * (1 - sound)")
    legs = liquidation(world, scene)
    other = world.bid(scene.carol, ETH, LONG, scene.least, scene.least)
    refuse([legs[0], replace(other, price=world.mark(BTC))], "(instrument - lastInstrument)")
    refuse([legs[0], replace(legs[1], max_size=legs[1].max_size + 1)], "lib/")
    refuse(
        [legs[0], world.signed(replace(legs[1], size=scene.least + 1, max_size=900))],
        "leg * (size - lastSize)",
    )


def test_a_bidder_without_initial_margin(world, refuse, scene):
    poor = world.open(b"poor", 5 * MILLION)
    bid = world.bid(poor, BTC, LONG, scene.least, scene.least)
    refuse([leg(world, Op.LIQUIDATE, scene.alice, scene.least), bid], "(1 - enough)")


def test_the_victim_takes_its_own_position(world, refuse, scene):
    bid = world.signed(world.bid(scene.alice, BTC, LONG, scene.least, scene.least))
    refuse([leg(world, Op.LIQUIDATE, scene.alice, scene.least), bid], "* same === 0")


def test_victim_without_taker_and_taker_without_victim(world, refuse, scene):
    legs = liquidation(world, scene)
    refuse([legs[0]], "opened[1] ===")
    refuse([legs[1]], "opened[1] ===")
    world.credit(BTC, 10_000 * MILLION)
    refuse([leg(world, Op.TAKE_BACKSTOP, BTC, 5, side=LONG)], "opened[1] ===")


def test_a_reward_from_nowhere(world, judge, scene):
    forged = Forgery(world, 3)
    legs = liquidation(world, scene)
    forged.add(legs[0])
    forged.reward += 1
    forged.add(legs[1])
    judge.refuses(forged.inputs(), "rootBefore|newRootHalves")


def test_the_wrong_backstop(world, refuse, scene):
    world.credit(ETH, 10_000 * MILLION)
    legs = [
        leg(world, Op.LIQUIDATE, scene.alice, scene.least),
        leg(world, Op.TAKE_BACKSTOP, ETH, scene.least, side=LONG),
    ]
    refuse(legs, "(backstop + refuse) * (id - instrument)")
    legs[1] = leg(world, Op.TAKE_BACKSTOP, scene.bob, scene.least, side=LONG)
    refuse(legs, "(backstop + refuse) * (id - instrument)")


def test_a_backstop_that_would_be_unhealthy(world, refuse, scene):
    legs = [
        leg(world, Op.LIQUIDATE, scene.alice, scene.least),
        leg(world, Op.TAKE_BACKSTOP, BTC, scene.least, side=LONG),
    ]
    refuse(legs, "(1 - enough)")


# ---------------------------------------------------------------- refuse, deleverage, offset


def deleveraging(world, scene, size=None, flag=0):
    size = scene.least if size is None else size
    return [
        leg(world, Op.REFUSE, BTC, 0, side=LONG),
        leg(world, Op.DELEVERAGE, scene.alice, size, flag),
        leg(world, Op.OFFSET, scene.bob, size, side=LONG),
    ]


def test_a_backstop_that_could_take_it(world, refuse, scene):
    world.credit(BTC, 10_000 * MILLION)
    refuse(deleveraging(world, scene), "refuse * able")


def test_a_backstop_at_the_largest_size_can_refuse(world, accept, refuse, scene):
    """One step more would be 2^48, which no holding can be: however healthy it is, there is a way on."""
    for size, judge in (((1 << 48) - 1, accept), ((1 << 48) - 2, lambda legs: refuse(legs, "refuse * able"))):
        rich = world.ledger.account(BTC).with_slot(0, holding_of(world.tick.instruments[BTC], BTC, size))
        world.ledger.write(world.ledger.index_of(BTC), rich)
        assert risk(rich, world.tick).health > 0
        judge(deleveraging(world, scene))


def test_deleveraging_without_a_refusal(world, refuse, scene):
    refuse(deleveraging(world, scene)[1:], "alone * (id - instrument)")


def test_a_refusal_of_something_else(world, refuse, scene):
    legs = deleveraging(world, scene)
    refuse([leg(world, Op.REFUSE, BTC, 0), *legs[1:]], "(side + lastSide - 1)")
    refuse(
        [leg(world, Op.REFUSE, ETH, 0, side=LONG, instrument=ETH), *legs[1:]], "(instrument - lastInstrument)"
    )
    refuse([leg(world, Op.REFUSE, BTC, 0, side=LONG, price=1), *legs[1:]], "refuse * (price - row.mark)")
    refuse([leg(world, Op.REFUSE, ETH, 0, side=LONG), *legs[1:]], "(backstop + refuse) * (id - instrument)")
    refuse([legs[0], Touch(Op.NOOP, 0, 0), Touch(Op.NOOP, 0, 0)], "opened[2] *")


def test_deleveraging_to_the_wrong_size(world, refuse, scene):
    refuse(deleveraging(world, scene, scene.least + 1), "victim * sooner")
    refuse(deleveraging(world, scene, scene.least - 1), "victim * unexplained")
    refuse(deleveraging(world, scene, scene.least - 1, 1), "offsetPerpetual * remains")


def test_deleveraging_a_healthy_account(world, refuse, scene):
    legs = [
        leg(world, Op.REFUSE, BTC, 0),
        leg(world, Op.DELEVERAGE, scene.bob, 5, 1, side=LONG),
        leg(world, Op.OFFSET, scene.alice, 5),
    ]
    refuse(legs, "victim * sound")


def test_offset_by_who_does_not_hold_the_other_side(world, refuse, scene):
    legs = deleveraging(world, scene)
    refuse([*legs[:2], leg(world, Op.OFFSET, scene.carol, scene.least, side=LONG)], "(1 - position.falls)")
    world.run(*world.trade(scene.bob, scene.carol, BTC, 800 - scene.least + 1, world.mark(BTC)))
    refuse(legs, "(1 - position.falls)")


def test_collateral_is_deleveraged_at_its_equity_value_to_its_backstop(world, refuse, accept):
    scene = crash(world, price=58_000_000)
    world.credit(scene.alice, 200, GOLD)
    size, equity = 200, world.tick.instruments[GOLD].equity
    world.run(leg(world, Op.LIQUIDATE, scene.alice, 800), world.bid(scene.carol, BTC, LONG, 800, 800))

    def legs(price, taker, flag=0):
        return [
            leg(world, Op.REFUSE, GOLD, 0, side=LONG, instrument=GOLD),
            leg(world, Op.DELEVERAGE, scene.alice, size, flag, instrument=GOLD, price=price),
            leg(world, Op.OFFSET, taker, size, side=LONG, instrument=GOLD, price=price),
        ]

    accept(legs(equity, GOLD))
    refuse(legs(world.mark(GOLD), GOLD), "deleverage * (price")
    refuse(legs(equity, scene.carol), "offsetCollateral * (id - instrument)")
    refuse(legs(equity, GOLD, 1), "offsetCollateral * last[7]")


# ---------------------------------------------------------------- absorb, no-op


def test_absorbing_what_is_owed_to_an_account(world, refuse, scene):
    refuse([world.touch(Op.ABSORB, scene.carol)], "solvent * (1 - gives)")
    world.ledger.reserve = -5 * FINE
    refuse([world.touch(Op.ABSORB, scene.carol)], "solvent * (1 - gives)")
    refuse([Touch(Op.ABSORB, 0, 0)], "solvent * (1 - gives)")  # an empty leaf


@pytest.mark.parametrize("reserve", [0, 1, 1000 * MILLION * FINE])
def test_a_surplus_without_a_deficit(world, refuse, reserve):
    """Nothing is taken from a backstop, nor given to it out of the reserve."""
    world.credit(BTC, 50 * MILLION)
    backstop_with(world, GOLD, 100, 50 * MILLION * FINE)
    world.ledger.reserve = reserve
    for identity in (BTC, GOLD):
        refuse([world.touch(Op.ABSORB, identity)], "solvent * (1 - gives)")


def test_a_surplus_of_a_backstop_with_a_position(world, refuse):
    backstop_with(world, BTC, 10, 5000 * MILLION * FINE)
    world.ledger.reserve = -5 * FINE
    refuse([world.touch(Op.ABSORB, BTC)], "solvent * (1 - gives)", "absorb * holds")


def test_a_surplus_that_a_limited_mark_makes_up(world, refuse, accept):
    """Gold's mark is held back above a raw price at which its backstop is worth nothing, or 1 fine unit."""
    world.prices({GOLD: 1_000_000})
    for worst, judge in ((1, accept), (0, lambda legs: refuse(legs, "solvent * (1 - gives)"))):
        before = backstop_with(world, GOLD, 100, 0)
        now = risk(before, world.tick)
        assert now.worst < 0 == now.equity
        world.ledger.write(GOLD, before.with_(balance=before.balance + worst - now.worst))
        world.ledger.reserve = -5 * FINE
        judge([world.touch(Op.ABSORB, GOLD)])


@pytest.mark.parametrize("equity", [3 * FINE, 9 * FINE])
@pytest.mark.parametrize("change", [1, -1])
def test_another_part_of_a_surplus(world, refuse, equity, change):
    before = backstop_with(world, GOLD, 100, equity)
    world.ledger.reserve = -5 * FINE
    balance = before.balance - min(equity, 5 * FINE) + change
    refuse([world.touch(Op.ABSORB, GOLD)], "rootBefore|newRootHalves", balance=balance)


def test_absorbing_while_something_can_be_sold(world, refuse):
    scene = crash(world, price=58_000_000)
    assert risk(world.ledger.account(scene.alice), world.tick).equity < 0
    refuse([world.touch(Op.ABSORB, scene.alice)], "absorb * holds")


def test_absorbing_more_than_is_owed(world, refuse):
    scene = crash(world, price=58_000_000)
    world.run(leg(world, Op.LIQUIDATE, scene.alice, 800), world.bid(scene.carol, BTC, LONG, 800, 800))
    refuse([world.touch(Op.ABSORB, scene.alice)], "rootBefore|newRootHalves", balance=5 * FINE)


def test_a_no_op_changes_nothing(world, refuse, scene):
    balance = world.ledger.account(scene.bob).balance
    refuse([world.touch(Op.NOOP, scene.bob)], "rootBefore|newRootHalves", balance=balance + 1)
    refuse([replace(world.touch(Op.NOOP, scene.bob), size=1)], "* size === 0")
    refuse([replace(world.touch(Op.NOOP, scene.bob), instrument=1)], "(noop + absorb) * (1 - isQuote)")
    refuse([replace(world.touch(Op.NOOP, scene.bob), account_id=7)], NOT_BOUND)


def test_a_page_that_was_touched_is_not_kept_covered(world, judge, scene):
    page = world.ledger.index_of(scene.carol) // 64
    world.ledger.set_header(page, 12345, 678)
    forged = Forgery(world, 3)
    forged.add(world.withdraw(scene.carol, 5))
    world.ledger.set_header(page, 12345, 678)
    judge.refuses(forged.inputs(), "rootBefore|newRootHalves")


def test_minimal_means_minimal(world, accept, scene):
    """The size that the engine finds is the only one the circuit takes."""
    account = world.ledger.account(scene.alice)
    held = account.holding(BTC)
    assert minimal_close(world.tick, account, held, world.mark(BTC)).size == scene.least
    accept(liquidation(world, scene))
