# SPDX-License-Identifier: GPL-3.0-or-later
"""Minimal sizes against brute force, penalties that never make an account worse, ratios that never fall."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from support.world import World
from zkmargin.engine.liquidation import close, health_with, lowest_holding, minimal_close, penalty_share
from zkmargin.engine.margin import Risk, holding_of, risk
from zkmargin.protocol.constants import RATE_ONE, load
from zkmargin.protocol.model import Account, Tick

WORLD = World(load().profile("small"), 11)
PERPETUALS, COLLATERALS = WORLD.perpetuals, WORLD.collaterals


def victim(rng: random.Random, instrument: int, size: int) -> Account:
    """An account below maintenance that holds the instrument, perhaps others after it."""
    account = Account(id=30)
    others = [k for k in [*PERPETUALS, *COLLATERALS] if k > instrument]
    held = {instrument: size * (-1 if instrument in PERPETUALS and rng.random() < 0.5 else 1)}
    held |= {k: rng.randrange(1, 300) for k in rng.sample(others, min(len(others), rng.randrange(3)))}
    for slot, (k, signed) in enumerate(held.items()):
        account = account.with_slot(slot, holding_of(WORLD.row(k), k, signed))
    now = risk(account, WORLD.tick)
    spread = now.maintenance + 1
    equity = min(rng.choice([0, -1, rng.randrange(-spread, spread)]), now.maintenance - 1)
    return account.with_(balance=equity - now.equity)


@given(st.integers(0, 1 << 32), st.integers(1, 400), st.sampled_from([*PERPETUALS, *COLLATERALS]))
@settings(max_examples=150, deadline=None)
def test_minimal_size_by_brute_force(seed: int, size: int, instrument: int) -> None:
    rng = random.Random(seed)
    tick = replace(
        WORLD.tick, tau=rng.randrange(RATE_ONE + (1 << 30) + 1, 2 * RATE_ONE), penalty_rate=1 << 30
    )
    account = victim(rng, instrument, size)
    held = lowest_holding(account)
    assert held is not None
    assert held.instrument == instrument
    before = risk(account, tick)
    prices = [WORLD.mark(instrument), WORLD.row(instrument).equity]
    for price in prices if instrument in COLLATERALS else prices[:1]:
        closings = [close(tick, before, held, n, price) for n in range(held.size + 1)]
        reached = [closing.reached for closing in closings]
        assert reached == sorted(reached)  # once reached, reached for every larger size
        wanted = next((n for n in range(1, held.size + 1) if reached[n]), held.size)
        assert minimal_close(tick, account, held, price) == closings[wanted]
        for closing in closings[1:]:
            check_closing(tick, account, before, closing.size, price)


def check_closing(tick: Tick, account: Account, before: Risk, size: int, price: int) -> None:
    """The closed account, built from its slots, is worth what `close` says, and is no worse off."""
    held = lowest_holding(account)
    assert held is not None
    closing = close(tick, before, held, size, price)
    signed = held.signed + (size if held.side else -size)
    slot = account.slots.index(held)
    after = account.with_slot(slot, holding_of(tick.instruments[held.instrument], held.instrument, signed))
    now = risk(after.with_(balance=account.balance + closing.cash), tick)
    assert (now.equity, now.maintenance) == (closing.equity, closing.maintenance)
    assert closing.reached == (Fraction(now.equity) >= Fraction(tick.tau, RATE_ONE) * now.maintenance)
    released = before.maintenance - now.maintenance
    assert 0 <= closing.penalty <= Fraction(tick.penalty_rate, RATE_ONE) * released
    if before.equity >= 0:
        assert now.equity >= 0
        assert now.equity * before.maintenance >= before.equity * now.maintenance
    else:
        assert closing.penalty == 0
        assert now.equity >= before.equity
    if closing.reached:
        assert now.health >= 0


@given(st.integers(-(1 << 80), 1 << 80), st.integers(0, 1 << 80), st.integers(0, RATE_ONE))
def test_penalty_share(equity: int, maintenance: int, rate: int) -> None:
    rho = penalty_share(replace(WORLD.tick, penalty_rate=rate), Risk(equity, maintenance, 0, 0))
    if maintenance == 0 or equity <= 0:
        assert rho == 0
    else:
        assert rho == min(rate, equity * RATE_ONE // maintenance)


@given(st.integers(0, 1 << 32), st.integers(-500, 500))
@settings(deadline=None)
def test_health_with_more_steps(seed: int, delta: int) -> None:
    rng = random.Random(seed)
    for instrument in (rng.choice(PERPETUALS), rng.choice(COLLATERALS)):
        row = WORLD.row(instrument)
        signed = rng.randrange(500, 1000)
        account = Account(id=instrument, balance=rng.randrange(1 << 70))
        account = account.with_slot(0, holding_of(row, instrument, signed))
        after = account.with_slot(0, holding_of(row, instrument, signed + delta))
        after = after.with_(balance=account.balance - delta * (row.mark - row.funding))
        now = risk(account, WORLD.tick)
        assert health_with(now, row, account.slots[0], delta) == risk(after, WORLD.tick).health
