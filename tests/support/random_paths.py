# SPDX-License-Identifier: GPL-3.0-or-later
"""Small random markets: parameters, a path of ticks, and accounts that stand at the edge somewhere on it.

Prices, funding, rates and tier bounds take any values a table may hold, their ends now and then.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from zkmargin.engine.ticks import MAX_FUNDING, genesis_tick, next_tick
from zkmargin.protocol.constants import BITS, COLLATERAL, MIN_PRICE, PERPETUAL, RATE_ONE, TIERS
from zkmargin.protocol.model import Account, Holding, InstrumentParams, InstrumentTick, Params, Tick

MAX_PRICE = (1 << BITS["price"]) - 1
MAX_SIZE = (1 << BITS["magnitude"]) - 1
LEAST_JUMP = 1 << 12
FIRST_SLOT = 1000
_UNLISTED = InstrumentParams.unlisted()


def _between(rng: random.Random, low: int, high: int) -> int:
    """A whole number, its order of magnitude drawn first; the ends one time in ten."""
    draw = rng.random()
    if draw < 0.1:
        return low if draw < 0.05 else high
    bits = low.bit_length() + int(rng.random() * (high.bit_length() - low.bit_length() + 1))
    return min(max(low, int((0.5 + rng.random() / 2) * (1 << bits))), high)


def _rows(rng: random.Random, low: int) -> tuple[int, ...]:
    """Maintenance rates of the tiers, rising, or one for all."""
    if rng.random() < 0.3:
        return (_between(rng, low, RATE_ONE),) * TIERS
    return tuple(sorted(_between(rng, low, RATE_ONE) for _ in range(TIERS)))


def instrument(rng: random.Random, kind: int) -> InstrumentParams:
    """Random terms of an instrument of that kind."""
    jump = (
        _between(rng, LEAST_JUMP, RATE_ONE) if rng.random() < 0.3 else int(rng.uniform(0.01, 0.3) * RATE_ONE)
    )
    if kind == COLLATERAL:
        return InstrumentParams("", COLLATERAL, _between(rng, 0, RATE_ONE), jump)
    if kind == PERPETUAL:
        mmr = _rows(rng, 1)
        imr = tuple(min(RATE_ONE, 2 * rate) for rate in mmr)
        bounds = tuple(sorted(_between(rng, 0, MAX_SIZE) for _ in range(TIERS - 1)))
        return InstrumentParams("", PERPETUAL, 0, jump, _between(rng, 0, RATE_ONE), mmr, imr, bounds)
    return _UNLISTED


def parameters(rng: random.Random) -> Params:
    """Terms of one to four instruments beside the quote asset, perpetuals first. Nobody signs here."""
    kinds = sorted(rng.choice((PERPETUAL, PERPETUAL, COLLATERAL)) for _ in range(1 + int(rng.random() * 4)))
    rows = (_UNLISTED, *(instrument(rng, kind) for kind in kinds))
    return Params(RATE_ONE + 1, 0, 0, 60, (), rows)


def _quote(rng: random.Random, terms: InstrumentParams, row: InstrumentTick, moves: float) -> int:
    """What oracles report of an instrument: so many jump limits away, or any price at all."""
    draw = rng.random()
    if not row.mark:
        return 0 if draw < 0.25 else _between(rng, MIN_PRICE, MAX_PRICE)
    if draw < 0.05:
        return rng.choice((0, MIN_PRICE, row.mark, row.mark + 1, MAX_PRICE))
    moved = row.mark * (1 + rng.gauss(0, moves) * terms.jump / RATE_ONE)
    return min(max(int(moved), 0), MAX_PRICE)


def _changed(rng: random.Random, params: Params) -> Params:
    """Other terms of one instrument; now and then it is no longer listed, or listed again."""
    rows = list(params.instruments)
    k = 1 + int(rng.random() * (len(rows) - 1))
    kind = rows[k].flags
    if kind != COLLATERAL and rng.random() < 0.6:
        kind = PERPETUAL - kind  # listed or not
    rows[k] = instrument(rng, kind)
    return replace(params, instruments=tuple(rows))


def path(rng: random.Random, params: Params, ticks: int) -> list[Tick]:
    """The genesis tick and `ticks` more, calm or wild. On one path in four parameters change now and then.

    A contract's parameters stay; the bound has to hold all the same.
    """
    found, moves = [genesis_tick(params, FIRST_SLOT)], rng.choice((0.05, 0.3, 1.0))
    change = rng.choice((0, 0, 0, 0.5))
    for _ in range(ticks):
        if rng.random() < change:
            params = _changed(rng, params)
        last = found[-1]
        listed = zip(params.instruments, last.instruments, strict=True)
        prices = [_quote(rng, terms, row, moves) for terms, row in listed]
        most = rng.choice((0, 1 << 20, 1 << 20, MAX_FUNDING))
        funding = [int(rng.uniform(-most, most)) for _ in prices]
        slots = 1 if rng.random() < 0.7 else _between(rng, 2, 1 << 17)
        found.append(next_tick(params, last, last.slot + slots, [(prices, funding)]).tick)
    return found


def health(account: Account, tick: Tick) -> int:
    """H of an account, told again from SPEC section 2: balance and unit values, less maintenance."""
    total = account.balance
    for held in account.slots:
        if held:
            row = tick.instruments[held.instrument]
            value = -row.equity if held.side else row.equity
            total += held.size * (value - row.maintenance[held.tier])
    return total


@dataclass(frozen=True)
class Trader:
    """Draws accounts: what they hold, and at which tick of a path they are at the edge."""

    rng: random.Random
    path: list[Tick]

    def _holdings(self) -> tuple[Holding | None, ...]:
        rng, size = self.rng, len(self.path[0].instruments)
        count = 1 if rng.random() < 0.6 else int(rng.random() * size)
        chosen = rng.sample(range(1, size), min(count, size - 1))
        scale = rng.choice((1, 1000, MAX_SIZE))
        return tuple(
            Holding(k, int(rng.random() * TIERS), int(rng.random() * 2), _between(rng, 1, scale))
            for k in chosen
        )

    def account(self, number: int) -> Account:
        """A new account, its balance as `balanced` has it."""
        return self.balanced(Account(id=number, slots=self._holdings()), 0)

    def balanced(self, account: Account, now: int) -> Account:
        """The account with a balance that puts its health near 0 at a tick of the path, `now` or later."""
        rng = self.rng
        at = now + int(rng.random() * (len(self.path) - now))
        draw, spare = rng.random(), 0
        if draw < 0.5:
            spare = int(draw * 6) - 1  # from -1 to 1
        elif draw < 0.75:
            spare = int(rng.uniform(-0.1, 1) * sum(
                held.size * self.path[at].instruments[held.instrument].move for held in account.slots if held
            ))  # fmt: skip
        else:
            spare = _between(rng, 0, 1 << (BITS["balance"] - 1))
        balance = account.balance + spare - health(account, self.path[at])
        limit = 1 << BITS["balance"]
        return account.with_(balance=min(max(balance, -limit), limit - 1))
