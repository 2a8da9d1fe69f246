# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of an unhealthy account is closed, and what it pays for that (SPEC section 4, `liquidate`)."""

from __future__ import annotations

from dataclasses import dataclass

from zkmargin.engine.margin import Risk, equity_of, holding_of, maintenance_of, risk
from zkmargin.protocol.constants import RATE_ONE
from zkmargin.protocol.model import Account, Holding, InstrumentTick, Tick


@dataclass(frozen=True)
class Closing:
    """Closing `size` steps of a holding at `price`: what the account is worth after, and what it pays."""

    size: int
    equity: int
    maintenance: int
    penalty: int
    cash: int  # change of the balance, penalty included
    reached: bool


def penalty_share(tick: Tick, before: Risk) -> int:
    """rho: the penalty as a share (times 2^32) of released maintenance; at most E/M, so E/M never falls."""
    if before.maintenance == 0:
        return 0
    return min(tick.penalty_rate, RATE_ONE * max(before.equity, 0) // before.maintenance)


def lowest_holding(account: Account) -> Holding | None:
    """What is liquidated first: the lowest-numbered instrument held."""
    return min((held for held in account.slots if held), key=lambda held: held.instrument, default=None)


def close(tick: Tick, before: Risk, held: Holding, size: int, price: int) -> Closing:
    """The effect of closing `size` (0 .. held.size) steps at `price` fine units per step."""
    row = tick.instruments[held.instrument]
    delta = size if held.side else -size
    after = holding_of(row, held.instrument, held.signed + delta)
    maintenance = before.maintenance - maintenance_of(row, held) + maintenance_of(row, after)
    penalty = penalty_share(tick, before) * (before.maintenance - maintenance) // RATE_ONE
    cash = -delta * (price - row.funding) - penalty
    equity = before.equity + cash + equity_of(row, delta)
    return Closing(size, equity, maintenance, penalty, cash, RATE_ONE * equity >= tick.tau * maintenance)


def minimal_close(tick: Tick, account: Account, held: Holding, price: int) -> Closing:
    """The least size that reaches the target, or the whole holding where none does.

    Bisection is exact because `reached` is monotone in the size. Let phi = 2^32*E - tau*M after closing.
    A perpetual closes at the mark, so a step changes E by the penalty alone. It releases r >= 1 of M: the
    tier only falls, charges rise with the tier, and the least is at least 1 (mark >= 2^20, its rate > 0). The
    penalty floor(rho*R/2^32) grows by less than rho*r/2^32 + 1, so phi grows by more than
    (tau - rho)*r - 2^32 >= 0, as rho <= penalty_rate < tau - 2^32. Collateral carries no margin: a step
    changes phi by 2^32*(price - e), at least 0 both at the mark and at e.
    """
    before = risk(account, tick)
    low, high = 1, held.size
    if not close(tick, before, held, high, price).reached:
        return close(tick, before, held, high, price)
    while low < high:
        middle = (low + high) // 2
        if close(tick, before, held, middle, price).reached:
            high = middle
        else:
            low = middle + 1
    return close(tick, before, held, low, price)


def health_with(now: Risk, row: InstrumentTick, held: Holding | None, delta: int) -> int:
    """Health H of an account that takes `delta` signed steps more at the mark; `held` is what it has now."""
    instrument = held.instrument if held else 0
    after = holding_of(row, instrument, (held.signed if held else 0) + delta)
    equity = now.equity - delta * (row.mark - row.funding) + equity_of(row, delta)
    return equity - now.maintenance + maintenance_of(row, held) - maintenance_of(row, after)
