# SPDX-License-Identifier: GPL-3.0-or-later
"""Random operations: value conserved, nobody healthy harmed, every broken rule refused by name."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from support.broken_ops import MAKERS, broken
from support.random_ops import Case, RandomWorld
from zkmargin.engine.margin import kind_of, risk, tier_of
from zkmargin.engine.totals import Totals, brought, plus, totals
from zkmargin.engine.transition import REFUSALS, Effect
from zkmargin.protocol.checks import check_account
from zkmargin.protocol.constants import PERPETUAL, EntryKind, Op, load
from zkmargin.protocol.model import Tick

BATCH = 12
UNREACHED = {
    "no_free_slot",  # needs twelve holdings: a vector
    "nonce",  # needs 2^32 operations
    "balance_range",  # needs more money than can be deposited
}


def check_effect(effect: Effect, tick: Tick, instruments: int) -> None:
    """What holds of every touch by itself."""
    before, after = effect.before, effect.after
    op, was, now = effect.touch.op, effect.risk_before, effect.risk_after
    assert was == risk(before, tick)
    assert now == risk(after, tick)
    assert now.worst <= now.equity
    assert now.initial >= now.maintenance
    changed = [j for j, pair in enumerate(zip(before.slots, after.slots, strict=True)) if pair[0] != pair[1]]
    assert changed in ([], [effect.slot])
    signed = op in {Op.WITHDRAW, Op.TRADE, Op.TRADE_MATCH, Op.TAKE_BID}
    assert after.nonce == before.nonce + signed
    if not before.is_empty:
        assert (after.id, after.owner, after.address) == (before.id, before.owner, before.address)
    for held in after.slots:
        if held:
            row = tick.instruments[held.instrument]
            assert held.tier == tier_of(row, held.size)
            assert held.side == 0 or kind_of(row) == PERPETUAL
    if op in {Op.LIQUIDATE, Op.DELEVERAGE}:
        assert was.health < 0
        assert effect.penalty <= max(was.equity, 0)
        assert now.equity >= min(was.equity, 0)
        if was.equity >= 0:
            assert now.equity * was.maintenance >= was.equity * now.maintenance  # E/M never falls
    elif was.health >= 0:
        assert now.health >= 0  # no operation makes a healthy account unhealthy
    if op in {Op.WITHDRAW, Op.TAKE_BID}:
        assert now.free_initial >= 0
    if op in {Op.TRADE, Op.TRADE_MATCH}:  # no debt is made or deepened, at marks or at worst-of prices
        assert now.equity >= min(was.equity, 0)
        assert now.worst >= min(was.worst, 0)
    if after.id < instruments:
        assert {h.instrument for h in after.slots if h} <= {after.id}


def check_book(world: RandomWorld, expected: Totals) -> None:
    """What holds of the whole ledger."""
    accounts = world.accounts()
    now = totals(accounts, world.ledger.reserve)
    assert now == expected
    assert not set(now.sizes) & set(world.perpetuals)  # open interest balances
    assert sorted(account.id for account in accounts) == list(range(1, world.ledger.next_id))
    for account in accounts:
        check_account(account, world.profile)


@pytest.mark.parametrize(
    ("profile", "seed", "count"), [("small", 1, 700), ("small", 2, 700), ("main", 3, 600)]
)
def test_random_operations(profile: str, seed: int, count: int) -> None:
    world = RandomWorld(load().profile(profile), seed)
    expected, kinds, codes = Totals(0, {}), Counter[str](), Counter[str]()
    rare = itertools.cycle(MAKERS)
    for number in range(count):
        case = world.valid()
        refused = broken(world, next(rare)) or broken(world)
        if refused:
            codes[refused.kind] += 1
        effects = world.run(case.touches)
        for effect in effects:
            check_effect(effect, world.tick, world.profile.instruments)
        expected = plus(expected, brought(effects))
        kinds[name(case)] += 1
        if number % BATCH == BATCH - 1:
            check_book(world, expected)
            world.ledger.checkpoint()
            world.advance()
    assert set(kinds) >= {
        "noop", "deposit", "deposit refused", "withdraw", "trade+trade_match", "liquidate+take_bid",
        "liquidate+take_backstop", "refuse+deleverage+offset", "absorb",
    }  # fmt: skip
    assert sum(codes.values()) > 0.9 * count
    assert len(codes) > 50


def name(case: Case) -> str:
    touch = case.touches[0]
    return f"{case.kind} refused" if touch.entry and not touch.flag else case.kind


def test_every_refusal_is_reached() -> None:
    """The generators know a way to break every rule there is."""
    assert set(MAKERS) | UNREACHED == set(REFUSALS)


def test_same_seed_same_operations() -> None:
    def draw() -> list[Case]:
        world = RandomWorld(load().profile("small"), 7)
        cases = []
        for _ in range(30):
            cases.append(world.valid())
            world.run(cases[-1].touches)
        return cases

    first = draw()
    assert first == draw()
    assert any(c.touches[0].entry and c.touches[0].entry.kind == EntryKind.OPEN for c in first)
