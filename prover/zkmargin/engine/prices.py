# SPDX-License-Identifier: GPL-3.0-or-later
"""At what mark of one instrument an account is liquidated, or bankrupt, all other prices unchanged."""

from __future__ import annotations

from collections.abc import Callable

from zkmargin.engine.margin import risk
from zkmargin.engine.ticks import unit_values
from zkmargin.protocol.constants import BITS, MIN_PRICE
from zkmargin.protocol.model import Account, Params, Tick

MAX_PRICE = (1 << BITS["price"]) - 1


def liquidation_price(account: Account, tick: Tick, params: Params, instrument: int) -> int | None:
    """The mark (fine units per step) at which health falls below 0.

    For a long holding the highest mark with health below 0, for a short one the lowest: the account is to be
    liquidated there and beyond. None when the instrument is not held, or no mark from 2^20 to 2^64 - 1
    changes the sign. Exact: unit values are rounded as a tick at that mark would round them; the funding
    index and the holding's tier (fixed when the size last changed) stay.
    """
    return _crossing(account, tick, params, instrument, maintained=True)


def bankruptcy_price(account: Account, tick: Tick, params: Params, instrument: int) -> int | None:
    """The mark at which equity falls below 0; otherwise as `liquidation_price`."""
    return _crossing(account, tick, params, instrument, maintained=False)


def _crossing(account: Account, tick: Tick, params: Params, instrument: int, maintained: bool) -> int | None:
    held = account.holding(instrument)
    if held is None:
        return None
    others = risk(account.with_slot(account.slots.index(held), None), tick)
    rest = others.health if maintained else others.equity
    funding = tick.instruments[instrument].funding
    row_params = params.instruments[instrument]

    def below(mark: int) -> bool:
        row = unit_values(row_params, mark, mark, funding)
        charge = row.maintenance[held.tier] if maintained else 0
        return rest + held.signed * row.equity - held.size * charge < 0

    if held.side:
        return _first(below)
    above = _first(lambda mark: not below(mark))
    return None if above is None else above - 1


def _first(holds: Callable[[int], bool]) -> int | None:
    """The lowest mark of a condition that stays true once it is; None if it is true everywhere or nowhere."""
    low, high = MIN_PRICE, MAX_PRICE
    if holds(low) or not holds(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
