# SPDX-License-Identifier: GPL-3.0-or-later
"""Equity, margins and health of one account at a tick (SPEC section 2). All values in fine units, exact."""

from __future__ import annotations

from dataclasses import dataclass

from zkmargin.protocol.constants import LIMITED
from zkmargin.protocol.model import SHORT, Account, Holding, InstrumentTick, Tick


@dataclass(frozen=True)
class Risk:
    """The four functionals of an account: equity E, maintenance M, worst-of equity W, initial I."""

    equity: int
    maintenance: int
    worst: int
    initial: int

    @property
    def health(self) -> int:
        """H = E - M; the account is liquidatable below 0."""
        return self.equity - self.maintenance

    @property
    def free_initial(self) -> int:
        """J = W - I; what may be withdrawn or risked."""
        return self.worst - self.initial


def tier_of(row: InstrumentTick, size: int) -> int:
    """Number of tier bounds that `size` exceeds."""
    return sum(size > bound for bound in row.bounds)


def equity_of(row: InstrumentTick, signed: int) -> int:
    """Equity value of a signed size: linear, long +e and short -e."""
    return signed * row.equity


def worst_of(row: InstrumentTick, signed: int) -> int:
    """Worst-of equity value of a signed size where the mark is limited."""
    return signed * row.worst_long if signed >= 0 else -signed * row.worst_short


def maintenance_of(row: InstrumentTick, held: Holding | None) -> int:
    """Maintenance margin of a holding, by its stored tier."""
    return held.size * row.maintenance[held.tier] if held else 0


def initial_of(row: InstrumentTick, held: Holding | None) -> int:
    """Initial margin of a holding, by its stored tier."""
    return held.size * row.initial[held.tier] if held else 0


def holding_of(row: InstrumentTick, instrument: int, signed: int) -> Holding | None:
    """The holding a signed size makes, tier fixed by the bounds of this tick; None for 0."""
    if signed == 0:
        return None
    return Holding(instrument, tier_of(row, abs(signed)), SHORT if signed < 0 else 0, abs(signed))


def risk(account: Account, tick: Tick) -> Risk:
    """The four functionals of an account at a tick."""
    equity = worst = account.balance
    maintenance = initial = 0
    for held in account.slots:
        if held:
            row = tick.instruments[held.instrument]
            equity += equity_of(row, held.signed)
            worst += worst_of(row, held.signed)
            maintenance += maintenance_of(row, held)
            initial += initial_of(row, held)
    return Risk(equity, maintenance, worst, initial)


def kind_of(row: InstrumentTick) -> int:
    """Flags of an instrument without the limited bit."""
    return row.flags & ~LIMITED


def is_limited(row: InstrumentTick) -> bool:
    """Whether the mark was held back by the jump limit."""
    return bool(row.flags & LIMITED)
