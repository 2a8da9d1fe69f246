# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-built operations of tests/vectors/operations.json: every operation, and the edges of its rule.

A case is a function of a fresh world that returns the touches; its name is the case's, `refused` the code of
the refusal. Amounts in dollars of 10^6 quote base units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from support.world import World, address, owner
from zkmargin.engine.liquidation import health_with, lowest_holding, minimal_close
from zkmargin.engine.margin import holding_of, risk
from zkmargin.protocol.constants import FINE, EntryKind, Op
from zkmargin.protocol.model import Account, Touch

DOLLAR = 10**6
Build = Callable[[World], Sequence[Touch]]


@dataclass(frozen=True)
class Built:
    """A case: how to build it, and the code it is refused with, "" when it is allowed."""

    name: str
    build: Build
    refused: str


CASES: list[Built] = []


def case(build: Build) -> Build:
    CASES.append(Built(build.__name__, build, ""))
    return build


def refused(code: str) -> Callable[[Build], Build]:
    def note(build: Build) -> Build:
        CASES.append(Built(build.__name__, build, code))
        return build

    return note


# ------------------------------------------------------------------ situations


def price(world: World, change: dict[int, float], slots: int = 1) -> None:
    """Move true prices by factors, all others as they are; funding stands still."""
    prices = [p * round(change.get(k, 1) * 10_000) // 10_000 for k, p in enumerate(world.market.prices)]
    world.market.prices = prices
    world.market.to(prices, slots=slots)


def positions(
    world: World, instrument: int, size: int, dollars: int, rich: int = 10_000_000
) -> tuple[int, int]:
    """(long, short): one with `dollars`, one with plenty, `size` steps between them."""
    long, short = world.new_account(dollars * DOLLAR), world.new_account(rich * DOLLAR)
    world.run(world.trade(long, short, instrument, size))
    return long, short


def put(
    world: World, identity: int, health: int | None = None, equity: int | None = None, **sizes: int
) -> Account:
    """Set an account's holdings (i1=signed size), then its balance by the health or equity it shall have."""
    account = world.account(identity)
    for j, (name, signed) in enumerate(sizes.items()):
        instrument = int(name[1:])
        account = account.with_slot(j, holding_of(world.row(instrument), instrument, signed))
    now = risk(account, world.tick)
    if health is not None:
        account = account.with_(balance=account.balance + health - now.health)
    if equity is not None:
        account = account.with_(balance=account.balance + equity - now.equity)
    world.ledger.write(world.ledger.index_of(identity), account)
    return account


def wanted(world: World, identity: int, at: int | None = None) -> int:
    """The minimal size that restores an account."""
    account = world.account(identity)
    held = lowest_holding(account)
    assert held
    return minimal_close(world.tick, account, held, world.mark(held.instrument) if at is None else at).size


def to_bid(world: World, victim: int, size: int, most: int | None = None, flag: int = 0) -> list[Touch]:
    """Liquidated to a bid of a rich newcomer."""
    bidder = world.new_account(50_000_000 * DOLLAR)
    first = world.first_leg(Op.LIQUIDATE, victim, size, flag=flag)
    return [first, world.bid_leg(bidder, first, size if most is None else most)]


def to_backstop(world: World, victim: int, size: int, flag: int = 0) -> list[Touch]:
    first = world.first_leg(Op.LIQUIDATE, victim, size, flag=flag)
    return [first, world.second_leg(Op.TAKE_BACKSTOP, first.instrument, first)]


def deleveraged(
    world: World, victim: int, other: int, size: int, at: int | None = None, flag: int = 0
) -> list[Touch]:
    first = world.first_leg(Op.DELEVERAGE, victim, size, at, flag)
    refusal = world.refusal(first.instrument, 1 - first.side)
    return [refusal, first, world.second_leg(Op.OFFSET, other, first)]


# ------------------------------------------------------------------------ noop


@case
def noop_on_the_empty_leaf(world: World) -> Sequence[Touch]:
    return [Touch(Op.NOOP, 0, 0)]


@case
def noop_on_an_account(world: World) -> Sequence[Touch]:
    return [world.touch(Op.NOOP, positions(world, 1, 5, 100)[0])]


# -------------------------------------------------------------------- deposits


@case
def deposit_to_the_fund(world: World) -> Sequence[Touch]:
    return [world.fund(7 * DOLLAR)]


@case
def deposit_to_the_fund_repays_a_deficit(world: World) -> Sequence[Touch]:
    world.ledger.reserve = -5
    return [world.fund(1)]


@case
def deposit_opens_an_account(world: World) -> Sequence[Touch]:
    return [world.open(100 * DOLLAR)]


@case
def deposit_opens_an_account_with_collateral(world: World) -> Sequence[Touch]:
    return [world.open(1234, world.collaterals[1])]


@case
def deposit_of_the_largest_amount(world: World) -> Sequence[Touch]:
    return [world.open((1 << 64) - 1)]


@case
def deposit_by_anybody_of_quote(world: World) -> Sequence[Touch]:
    target = world.new_account(DOLLAR)
    return [world.deposit(world.entry(EntryKind.ACCOUNT, 0, 5, target=target, depositor=address(99)))]


@case
def deposit_to_a_backstop(world: World) -> Sequence[Touch]:
    return [world.credit(2, 1000 * DOLLAR)]


@case
def deposit_of_collateral_fills_the_slot_to_its_end(world: World) -> Sequence[Touch]:
    asset = world.collaterals[0]
    target = world.new_account(2, asset)
    return [world.credit(target, (1 << 48) - 3, asset)]


def _refused_entry(world: World, kind: EntryKind, asset: int, amount: int, **fields: int) -> Sequence[Touch]:
    return [world.deposit(world.entry(kind, asset, amount, **fields), ok=False)]


@case
def deposit_refused_fund_in_collateral(world: World) -> Sequence[Touch]:
    return _refused_entry(world, EntryKind.FUND, world.collaterals[0], 5)


@case
def deposit_refused_fund_full(world: World) -> Sequence[Touch]:
    world.ledger.reserve = (1 << 119) - 5 * FINE
    return _refused_entry(world, EntryKind.FUND, 0, 5)


@case
def deposit_fund_just_not_full(world: World) -> Sequence[Touch]:
    world.ledger.reserve = (1 << 119) - 5 * FINE - 1
    return [world.fund(5)]


@case
def deposit_refused_open_without_owner(world: World) -> Sequence[Touch]:
    return _refused_entry(world, EntryKind.OPEN, 0, 5, depositor=address(1))


@case
def deposit_refused_open_in_a_full_ledger(world: World) -> Sequence[Touch]:
    world.ledger.next_id = world.ledger.capacity
    return _refused_entry(world, EntryKind.OPEN, 0, 5, owner=owner(3), depositor=address(3))


@case
def deposit_refused_open_with_a_perpetual(world: World) -> Sequence[Touch]:
    return _refused_entry(world, EntryKind.OPEN, 1, 5, owner=owner(3), depositor=address(3))


@case
def deposit_refused_open_with_an_unlisted_asset(world: World) -> Sequence[Touch]:
    return _refused_entry(world, EntryKind.OPEN, 10, 5, owner=owner(3), depositor=address(3))


@case
def deposit_refused_unknown_account(world: World) -> Sequence[Touch]:
    return _refused_entry(world, EntryKind.ACCOUNT, 0, 5, target=world.ledger.next_id)


@case
def deposit_refused_account_zero(world: World) -> Sequence[Touch]:
    return _refused_entry(world, EntryKind.ACCOUNT, 0, 5, target=0)


@case
def deposit_refused_collateral_to_a_backstop(world: World) -> Sequence[Touch]:
    asset = world.collaterals[0]
    return _refused_entry(world, EntryKind.ACCOUNT, asset, 5, target=asset)


@case
def deposit_refused_collateral_by_a_stranger(world: World) -> Sequence[Touch]:
    target = world.new_account(DOLLAR)
    return _refused_entry(
        world, EntryKind.ACCOUNT, world.collaterals[0], 5, target=target, depositor=address(99)
    )


@case
def deposit_refused_collateral_beyond_the_slot(world: World) -> Sequence[Touch]:
    asset = world.collaterals[0]
    target = world.new_account(2, asset)
    depositor = world.account(target).address
    return _refused_entry(world, EntryKind.ACCOUNT, asset, (1 << 48) - 2, target=target, depositor=depositor)


@case
def deposit_refused_balance_full(world: World) -> Sequence[Touch]:
    target = world.new_account(DOLLAR)
    put(world, target, equity=(1 << 119) - 5 * FINE)
    return _refused_entry(world, EntryKind.ACCOUNT, 0, 5, target=target)


def packed(world: World) -> int:
    """An account whose twelve slots are full; one perpetual and one collateral are left."""
    held = [*world.perpetuals[:-1], *world.collaterals[:-1]]
    assert len(held) == 12
    target = world.new_account(100_000_000 * DOLLAR)
    put(world, target, equity=10**9 * DOLLAR * FINE, **{f"i{k}": 3 for k in held})
    return target


@case
def deposit_refused_no_free_slot(world: World) -> Sequence[Touch]:
    target = packed(world)
    depositor = world.account(target).address
    return _refused_entry(
        world, EntryKind.ACCOUNT, world.collaterals[-1], 5, target=target, depositor=depositor
    )


@case
def deposit_of_a_held_collateral_to_full_slots(world: World) -> Sequence[Touch]:
    return [world.credit(packed(world), 5, world.collaterals[0])]


# ----------------------------------------------------------------- withdrawals


@case
def withdraw_all_that_is_free(world: World) -> Sequence[Touch]:
    long, _ = positions(world, 1, 1000, 500)
    return [world.withdraw(long, world.free_initial(world.account(long)) // FINE)]


@case
def withdraw_quote_against_collateral(world: World) -> Sequence[Touch]:
    """The balance goes below 0: collateral covers it."""
    holder = world.new_account(10_000, world.collaterals[1])
    return [world.withdraw(holder, world.free_initial(world.account(holder)) // FINE)]


@case
def withdraw_all_collateral(world: World) -> Sequence[Touch]:
    asset = world.collaterals[4]
    holder = world.new_account(10_000, asset)
    return [world.withdraw(holder, 10_000, asset)]


@case
def withdraw_with_the_last_nonce(world: World) -> Sequence[Touch]:
    holder = world.new_account(10)
    last = world.account(holder).with_(nonce=(1 << 32) - 2)
    world.ledger.write(world.ledger.index_of(holder), last)
    return [world.withdraw(holder, 1)]


@refused("nonce")
def withdraw_beyond_the_last_nonce(world: World) -> Sequence[Touch]:
    holder = world.new_account(10)
    last = world.account(holder).with_(nonce=(1 << 32) - 1)
    world.ledger.write(world.ledger.index_of(holder), last)
    return [world.withdraw(holder, 1)]


@case
def withdraw_signed_for_this_slot_only(world: World) -> Sequence[Touch]:
    return [world.withdraw(world.new_account(10), 10, last_slot=world.tick.slot)]


@refused("withdraw_too_much")
def withdraw_from_a_debtor(world: World) -> Sequence[Touch]:
    """Flat, with a negative balance: nothing is free."""
    holder = world.new_account(10)
    put(world, holder, equity=-1)
    return [world.withdraw(holder, 1)]


@refused("withdraw_too_much")
def withdraw_at_a_limited_mark(world: World) -> Sequence[Touch]:
    """What the limited mark would leave free is not free at the true price."""
    holder = world.new_account(10_000, world.collaterals[1])
    price(world, {world.collaterals[1]: 0.5})
    now = risk(world.account(holder), world.tick)
    return [world.withdraw(holder, (now.equity - now.maintenance) // FINE)]


# ---------------------------------------------------------------------- trades


@case
def trade_opens_both_sides(world: World) -> Sequence[Touch]:
    buyer, seller = (world.new_account(1000 * DOLLAR) for _ in range(2))
    return world.trade(buyer, seller, 1, 100)


@case
def trade_flips_both_sides(world: World) -> Sequence[Touch]:
    long, short = positions(world, 2, 7, 10_000)
    return world.trade(short, long, 2, 10)


@case
def trade_closes_both_sides(world: World) -> Sequence[Touch]:
    long, short = positions(world, 2, 7, 10_000)
    return world.trade(short, long, 2, 7)


@case
def trade_reaches_a_tier_bound(world: World) -> Sequence[Touch]:
    long, short = positions(world, 1, 4_999, 10_000_000)
    return world.trade(long, short, 1, 1)


@case
def trade_passes_a_tier_bound(world: World) -> Sequence[Touch]:
    long, short = positions(world, 1, 4_999, 10_000_000)
    return world.trade(long, short, 1, 2)


@case
def trade_enters_the_highest_tier(world: World) -> Sequence[Touch]:
    buyer, seller = (world.new_account(10**9 * DOLLAR) for _ in range(2))
    return world.trade(buyer, seller, 1, 500_001)


@case
def trade_off_the_mark(world: World) -> Sequence[Touch]:
    buyer, seller = (world.new_account(1000 * DOLLAR) for _ in range(2))
    return world.trade(buyer, seller, 1, 3, 2 * world.mark(1))


@case
def trade_for_nothing(world: World) -> Sequence[Touch]:
    buyer, seller = (world.new_account(1000 * DOLLAR) for _ in range(2))
    return world.trade(buyer, seller, 1, 3, 0)


@case
def trade_of_collateral(world: World) -> Sequence[Touch]:
    buyer, seller = world.new_account(10_000 * DOLLAR), world.new_account(500, world.collaterals[1])
    return world.trade(buyer, seller, world.collaterals[1], 500)


@case
def trade_uses_the_first_empty_slot(world: World) -> Sequence[Touch]:
    long, short = positions(world, 1, 5, 10_000)
    world.run(world.trade(long, short, 2, 5))
    world.run(world.trade(short, long, 1, 5))
    return world.trade(long, short, 3, 5)


@case
def trade_to_exactly_no_free_initial_margin(world: World) -> Sequence[Touch]:
    buyer, seller = world.new_account(DOLLAR), world.new_account(1000 * DOLLAR)
    put(world, buyer, equity=100 * world.row(1).initial[0])
    return world.trade(buyer, seller, 1, 100)


@refused("below_initial_margin")
def trade_to_one_unit_less_than_initial_margin(world: World) -> Sequence[Touch]:
    buyer, seller = world.new_account(DOLLAR), world.new_account(1000 * DOLLAR)
    put(world, buyer, equity=100 * world.row(1).initial[0] - 1)
    return world.trade(buyer, seller, 1, 100)


def _strained(world: World, equity: int) -> tuple[int, int]:
    """A long below initial margin, with this equity in hundredths of maintenance, and a rich other side."""
    long, short = positions(world, 1, 1000, 10_000)
    now = risk(world.account(long), world.tick)
    put(world, long, equity=now.maintenance * equity // 100)
    return long, short


@case
def trade_eases_an_account_below_initial_margin(world: World) -> Sequence[Touch]:
    long, short = _strained(world, 150)
    return world.trade(short, long, 1, 400)


@case
def trade_eases_an_unhealthy_account(world: World) -> Sequence[Touch]:
    long, short = _strained(world, 80)
    return world.trade(short, long, 1, 999)


@refused("below_initial_margin")
def trade_of_an_insolvent_account_at_the_mark(world: World) -> Sequence[Touch]:
    """Less margin for the same debt is a worse ratio."""
    long, short = _strained(world, -10)
    return world.trade(short, long, 1, 500)


@case
def trade_gives_an_insolvent_account_its_debt(world: World) -> Sequence[Touch]:
    """The other side pays so much more than the mark that nothing is owed after all is closed."""
    long, short = _strained(world, -10)
    debt = -risk(world.account(long), world.tick).equity
    return world.trade(short, long, 1, 1000, world.mark(1) + debt // 1000 + 1)


@case
def trade_takes_an_insolvent_account_half_way(world: World) -> Sequence[Touch]:
    """Half of the position closed for half of the debt: the ratio stays."""
    long, short = _strained(world, -10)
    debt = -risk(world.account(long), world.tick).equity
    return world.trade(short, long, 1, 500, world.mark(1) + debt // 1000 + 1)


@refused("below_initial_margin")
def trade_eases_but_costs_the_ratio(world: World) -> Sequence[Touch]:
    """Half of the position at a price that takes more than half of the equity."""
    long, short = _strained(world, 80)
    loss = risk(world.account(long), world.tick).equity // 500 // 2 + 1
    return world.trade(short, long, 1, 500, world.mark(1) - loss)


@refused("below_initial_margin")
def trade_of_a_debtor_that_flips(world: World) -> Sequence[Touch]:
    long, short = _strained(world, 150)
    return world.trade(short, long, 1, 2500)


@refused("below_initial_margin")
def trade_of_a_debtor_without_maintenance(world: World) -> Sequence[Touch]:
    """The exception needs a position with margin: a debtor with collateral alone is liquidated instead."""
    asset = world.collaterals[1]
    debtor, buyer = world.new_account(500, asset), world.new_account(10_000 * DOLLAR)
    put(world, debtor, equity=-world.mark(asset))
    return world.trade(buyer, debtor, asset, 1)


@case
def trade_reduces_both_at_a_limited_mark(world: World) -> Sequence[Touch]:
    long, short = positions(world, 1, 1000, 10_000)
    price(world, {1: 0.8})
    return world.trade(short, long, 1, 600)


def _held_back(world: World) -> tuple[int, int]:
    """A long below initial margin, solvent also at the raw price that the mark did not reach, and a short."""
    long, short = positions(world, 1, 1000, 10_000)
    price(world, {1: 0.8})
    put(world, long, equity=6 * risk(world.account(long), world.tick).maintenance)
    assert risk(world.account(long), world.tick).worst > 0 > world.free_initial(world.account(long))
    return long, short


@case
def trade_eases_at_a_limited_mark(world: World) -> Sequence[Touch]:
    long, short = _held_back(world)
    return world.trade(short, long, 1, 100)


@refused("below_initial_margin")
def trade_gives_equity_away_at_a_limited_mark(world: World) -> Sequence[Touch]:
    """A gain at the raw price; at the mark, a loss that the other side could withdraw."""
    long, short = _held_back(world)
    return world.trade(short, long, 1, 100, world.mark(1) - 1)


@case
def trade_restores_initial_margin_under_a_limited_mark(world: World) -> Sequence[Touch]:
    """At the raw price, but of so much that initial margin is covered."""
    long, short = _held_back(world)
    return world.trade(short, long, 1, 900, world.row(1).raw)


@refused("limited")
def trade_reduces_one_and_opens_another_at_a_limited_mark(world: World) -> Sequence[Touch]:
    long, _ = positions(world, 1, 1000, 10_000)
    price(world, {1: 0.8})
    return world.trade(world.new_account(10_000 * DOLLAR), long, 1, 600)


@refused("no_free_slot")
def trade_with_full_slots(world: World) -> Sequence[Touch]:
    return world.trade(packed(world), world.new_account(10**6 * DOLLAR), world.perpetuals[-1], 1)


@refused("balance_range")
def trade_beyond_the_balance_range(world: World) -> Sequence[Touch]:
    buyer, seller = world.new_account(1000 * DOLLAR), world.new_account(DOLLAR)
    put(world, seller, equity=(1 << 120) - 1)
    return world.trade(buyer, seller, 1, 1, 2 * world.mark(1))


# ---------------------------------------------------------------- liquidations


@case
def liquidate_minimally_to_a_bid(world: World) -> Sequence[Touch]:
    long, _ = _strained(world, 90)
    return to_bid(world, long, wanted(world, long))


@case
def liquidate_at_health_minus_one(world: World) -> Sequence[Touch]:
    long, _ = positions(world, 1, 1000, 10_000)
    put(world, long, health=-1)
    return to_bid(world, long, wanted(world, long))


@refused("healthy_account")
def liquidate_at_health_zero(world: World) -> Sequence[Touch]:
    long, _ = positions(world, 1, 1000, 10_000)
    put(world, long, health=0)
    return to_bid(world, long, 1)


@case
def liquidate_a_short(world: World) -> Sequence[Touch]:
    _long, short = positions(world, 2, 90, 10_000_000)
    put(world, short, health=-(1 << 50))
    return to_bid(world, short, wanted(world, short))


@case
def liquidate_across_a_tier_bound(world: World) -> Sequence[Touch]:
    """One step over the bound frees the margin of the whole position's higher tier."""
    long, _ = positions(world, 2, 101, 10_000_000)
    put(world, long, health=-1)
    assert wanted(world, long) == 1
    return to_bid(world, long, 1)


@case
def liquidate_with_the_full_penalty(world: World) -> Sequence[Touch]:
    long, _ = _strained(world, 99)
    return to_bid(world, long, wanted(world, long))


@case
def liquidate_with_a_penalty_of_all_equity(world: World) -> Sequence[Touch]:
    """Equity is a twentieth of maintenance, less than the penalty rate: closing all of it leaves 0."""
    long, _ = _strained(world, 5)
    return to_bid(world, long, 1000)


@case
def liquidate_without_penalty_below_zero(world: World) -> Sequence[Touch]:
    long, _ = _strained(world, -5)
    return to_bid(world, long, 1000)


@case
def liquidate_to_an_exhausted_bid(world: World) -> Sequence[Touch]:
    long, _ = _strained(world, 50)
    return to_bid(world, long, 10, flag=1)


@case
def liquidate_to_a_larger_bid(world: World) -> Sequence[Touch]:
    long, _ = _strained(world, 50)
    size = wanted(world, long)
    return to_bid(world, long, size, most=size + 1000)


@case
def liquidate_to_a_bid_that_closes_its_own_position(world: World) -> Sequence[Touch]:
    long, short = _strained(world, 50)
    first = world.first_leg(Op.LIQUIDATE, long, wanted(world, long))
    return [first, world.bid_leg(short, first, first.size)]


@case
def liquidate_the_first_of_two(world: World) -> Sequence[Touch]:
    long, short = positions(world, 1, 1000, 100_000)
    world.run(world.trade(long, short, 2, 50))
    put(world, long, health=-(1 << 60))
    return to_bid(world, long, wanted(world, long))


@case
def liquidate_collateral(world: World) -> Sequence[Touch]:
    """Sold at the mark, the haircut comes back: just enough is sold."""
    holder = world.new_account(1000, world.collaterals[1])
    put(world, holder, equity=-(1 << 50))
    size = wanted(world, holder)
    assert 1 < size < 1000
    return to_bid(world, holder, size)


@refused("not_minimal")
def liquidate_one_step_of_collateral_too_many(world: World) -> Sequence[Touch]:
    holder = world.new_account(1000, world.collaterals[1])
    put(world, holder, equity=-(1 << 50))
    return to_bid(world, holder, wanted(world, holder) + 1)


@case
def liquidate_to_the_backstop(world: World) -> Sequence[Touch]:
    world.run([world.credit(1, 1_000_000 * DOLLAR)])
    long, _ = _strained(world, 90)
    return to_backstop(world, long, wanted(world, long))


@case
def liquidate_to_an_exhausted_backstop(world: World) -> Sequence[Touch]:
    long, _ = _strained(world, -5)
    put(world, 1, equity=world.row(1).maintenance[0] * 10)
    return to_backstop(world, long, 10, flag=1)


@refused("not_exhausted")
def liquidate_to_a_backstop_with_room_for_one_more(world: World) -> Sequence[Touch]:
    long, _ = _strained(world, -5)
    put(world, 1, equity=world.row(1).maintenance[0] * 10)
    return to_backstop(world, long, 9, flag=1)


@refused("backstop_full")
def liquidate_to_a_backstop_one_step_too_many(world: World) -> Sequence[Touch]:
    long, _ = _strained(world, -5)
    put(world, 1, equity=world.row(1).maintenance[0] * 10)
    return to_backstop(world, long, 11, flag=1)


@case
def liquidate_to_a_backstop_that_the_reward_saves(world: World) -> Sequence[Touch]:
    """It lacks one fine unit of margin for all of it."""
    long, _ = _strained(world, 99)
    size = wanted(world, long)
    first = world.first_leg(Op.LIQUIDATE, long, size)
    row = world.row(1)
    put(world, 1, equity=row.maintenance[0] * size - 1)
    return [first, world.second_leg(Op.TAKE_BACKSTOP, 1, first)]


@case
def liquidate_collateral_to_its_backstop(world: World) -> Sequence[Touch]:
    asset = world.collaterals[1]
    world.run([world.credit(asset, 1_000_000 * DOLLAR)])
    holder = world.new_account(1000, asset)
    put(world, holder, equity=-(1 << 50))
    return to_backstop(world, holder, wanted(world, holder))


@case
def liquidate_a_backstop(world: World) -> Sequence[Touch]:
    _long, short = positions(world, 1, 1000, 10_000)
    put(world, 1, health=-(1 << 50), i1=500)
    put(world, short, i1=-1500)
    return to_bid(world, 1, wanted(world, 1))


@refused("wrong_order")
def liquidate_collateral_before_a_perpetual(world: World) -> Sequence[Touch]:
    asset = world.collaterals[1]
    long, _ = _strained(world, 50)
    world.run([world.credit(long, 10, asset)])
    put(world, long, health=-(1 << 55))
    terms = {"instrument": asset, "side": 1, "size": 1, "price": world.mark(asset)}
    return [world.touch(Op.LIQUIDATE, long, flag=1, **terms)]


# ---------------------------------------------------------------- deleveraging


@case
def deleverage_after_a_refusal(world: World) -> Sequence[Touch]:
    long, short = _strained(world, 90)
    return deleveraged(world, long, short, wanted(world, long))


@case
def deleverage_with_an_exhausted_other_side(world: World) -> Sequence[Touch]:
    long, short = _strained(world, -90)
    other = world.new_account(10_000 * DOLLAR)
    put(world, other, i1=-10)
    put(world, short, i1=-990)
    return deleveraged(world, long, other, 10, flag=1)


@refused("not_exhausted")
def deleverage_with_an_other_side_that_could_more(world: World) -> Sequence[Touch]:
    long, short = _strained(world, -90)
    return deleveraged(world, long, short, 10, flag=1)


@case
def deleverage_a_backstop(world: World) -> Sequence[Touch]:
    _long, short = positions(world, 1, 1000, 10_000)
    put(world, 1, health=-(1 << 50), i1=500)
    put(world, short, i1=-1500)
    first = world.first_leg(Op.DELEVERAGE, 1, wanted(world, 1))
    return [first, world.second_leg(Op.OFFSET, short, first)]


@case
def deleverage_against_the_backstop_itself(world: World) -> Sequence[Touch]:
    """The backstop is insolvent and refuses, but it holds the other side, which falls."""
    long, short = _strained(world, 50)
    put(world, short, i1=-500)
    put(world, 1, equity=-(1 << 70), i1=-500)
    return deleveraged(world, long, 1, min(wanted(world, long), 500), flag=int(wanted(world, long) > 500))


@case
def deleverage_collateral_at_its_haircut_value(world: World) -> Sequence[Touch]:
    asset = world.collaterals[1]
    holder = world.new_account(1000, asset)
    put(world, holder, equity=-(1 << 50))
    put(world, asset, equity=-5)
    return deleveraged(world, holder, asset, 1000, world.row(asset).equity)


@refused("target_missed")
def deleverage_part_of_a_collateral(world: World) -> Sequence[Touch]:
    asset = world.collaterals[1]
    holder = world.new_account(1000, asset)
    put(world, holder, equity=-(1 << 50))
    put(world, asset, equity=-5)
    return deleveraged(world, holder, asset, 999, world.row(asset).equity)


@refused("price")
def deleverage_collateral_at_the_mark(world: World) -> Sequence[Touch]:
    asset = world.collaterals[1]
    holder = world.new_account(1000, asset)
    put(world, holder, equity=-(1 << 50))
    put(world, asset, equity=-5)
    return deleveraged(world, holder, asset, 1000)


@case
def refuse_at_exactly_one_unit_short(world: World) -> Sequence[Touch]:
    long, short = _strained(world, 90)
    put(world, 1, equity=world.row(1).maintenance[0] - 1)
    return deleveraged(world, long, short, wanted(world, long))


@refused("backstop_able")
def refuse_with_margin_for_one_step(world: World) -> Sequence[Touch]:
    long, short = _strained(world, 90)
    put(world, 1, equity=world.row(1).maintenance[0])
    return deleveraged(world, long, short, wanted(world, long))


@case
def refuse_at_a_tier_bound(world: World) -> Sequence[Touch]:
    """The backstop is well off, but the next step would charge its whole position more."""
    long, short = _strained(world, 90)
    put(world, short, i1=-6000)
    put(world, 1, equity=0, i1=5000)
    now = risk(world.account(1), world.tick)
    put(world, 1, equity=now.maintenance + 5 * world.row(1).maintenance[0])
    assert health_with(risk(world.account(1), world.tick), world.row(1), world.account(1).holding(1), 1) < 0
    return deleveraged(world, long, short, wanted(world, long))


# ---------------------------------------------------------------------- absorb


@case
def absorb_a_flat_debtor(world: World) -> Sequence[Touch]:
    debtor = world.new_account(10)
    put(world, debtor, equity=-12345)
    return [world.touch(Op.ABSORB, debtor)]


@case
def absorb_a_debt_of_one_fine_unit(world: World) -> Sequence[Touch]:
    debtor = world.new_account(10)
    put(world, debtor, equity=-1)
    return [world.touch(Op.ABSORB, debtor)]


@refused("solvent")
def absorb_nothing(world: World) -> Sequence[Touch]:
    debtor = world.new_account(10)
    put(world, debtor, equity=0)
    return [world.touch(Op.ABSORB, debtor)]


@case
def absorb_a_flat_backstop(world: World) -> Sequence[Touch]:
    put(world, 1, equity=-5)
    return [world.touch(Op.ABSORB, 1)]


@case
def absorb_a_backstop_with_collateral(world: World) -> Sequence[Touch]:
    asset = world.collaterals[1]
    put(world, asset, equity=-5, **{f"i{asset}": 100})
    return [world.touch(Op.ABSORB, asset)]


@case
def absorb_a_surplus_up_to_the_deficit(world: World) -> Sequence[Touch]:
    asset = world.collaterals[1]
    put(world, asset, equity=100, **{f"i{asset}": 100})
    world.ledger.reserve = -99
    return [world.touch(Op.ABSORB, asset)]


@case
def absorb_a_surplus_smaller_than_the_deficit(world: World) -> Sequence[Touch]:
    put(world, 1, equity=100)
    world.ledger.reserve = -101
    return [world.touch(Op.ABSORB, 1)]


@case
def absorb_a_surplus_at_a_limited_mark(world: World) -> Sequence[Touch]:
    """What the backstop is worth at the raw price is given, not what the mark makes it."""
    asset = world.collaterals[1]
    price(world, {asset: 0.8})
    put(world, asset, equity=0, **{f"i{asset}": 100})
    put(world, asset, equity=7 - risk(world.account(asset), world.tick).worst)
    world.ledger.reserve = -(1 << 60)
    return [world.touch(Op.ABSORB, asset)]


@refused("solvent")
def absorb_a_surplus_that_the_limited_mark_makes(world: World) -> Sequence[Touch]:
    asset = world.collaterals[1]
    price(world, {asset: 0.8})
    put(world, asset, equity=0, **{f"i{asset}": 100})
    put(world, asset, equity=-risk(world.account(asset), world.tick).worst)
    world.ledger.reserve = -(1 << 60)
    return [world.touch(Op.ABSORB, asset)]


@refused("solvent")
def absorb_a_surplus_without_a_deficit(world: World) -> Sequence[Touch]:
    put(world, 1, equity=100)
    return [world.touch(Op.ABSORB, 1)]


@refused("solvent")
def absorb_a_surplus_into_a_fund(world: World) -> Sequence[Touch]:
    put(world, 1, equity=100)
    world.ledger.reserve = 5
    return [world.touch(Op.ABSORB, 1)]


@refused("solvent")
def absorb_a_surplus_of_nothing(world: World) -> Sequence[Touch]:
    world.ledger.reserve = -5
    return [world.touch(Op.ABSORB, 1)]


@refused("solvent")
def absorb_a_surplus_of_a_trader(world: World) -> Sequence[Touch]:
    trader = world.new_account(10)
    world.ledger.reserve = -5
    return [world.touch(Op.ABSORB, trader)]


@refused("solvent")
def absorb_a_surplus_behind_a_position(world: World) -> Sequence[Touch]:
    put(world, 1, equity=10_000_000 * DOLLAR * FINE, i1=100)
    world.ledger.reserve = -5
    return [world.touch(Op.ABSORB, 1)]


@refused("not_flat")
def absorb_a_backstop_with_a_perpetual(world: World) -> Sequence[Touch]:
    put(world, 1, equity=-5, i1=100)
    return [world.touch(Op.ABSORB, 1)]


@refused("not_flat")
def absorb_a_trader_with_collateral(world: World) -> Sequence[Touch]:
    holder = world.new_account(1000, world.collaterals[1])
    put(world, holder, equity=-5)
    return [world.touch(Op.ABSORB, holder)]


# -------------------------------------------------------------------- the form


@refused("malformed")
def form_refusal_with_a_size(world: World) -> Sequence[Touch]:
    long, short = _strained(world, 90)
    legs = deleveraged(world, long, short, wanted(world, long))
    return [replace(legs[0], size=1), *legs[1:]]


@refused("malformed")
def form_offset_with_a_flag(world: World) -> Sequence[Touch]:
    long, short = _strained(world, 90)
    legs = deleveraged(world, long, short, wanted(world, long))
    return [*legs[:2], replace(legs[2], flag=1)]


@refused("malformed")
def form_withdrawal_with_a_counterparty(world: World) -> Sequence[Touch]:
    holder = world.new_account(10)
    return [world.sign(replace(world.withdraw(holder, 1), counterparty=5))]


@refused("malformed")
def form_backstop_leg_with_a_bid(world: World) -> Sequence[Touch]:
    world.run([world.credit(1, 1_000_000 * DOLLAR)])
    long, _ = _strained(world, 90)
    legs = to_backstop(world, long, wanted(world, long))
    return [legs[0], replace(legs[1], max_size=5)]
