# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole books at once: decisions for every account in float64, certified, and exact where there is a doubt.

A functional is a sum of an account's E, M, W, I with small integer weights: a balance times a weight, and
over 12 holdings a size times a unit value of the holding's class. It is computed in float64 with an error
bound, by the native kernel where it is built; accounts whose sign the bound leaves open are computed again in
Python integers. So every decision is that of `margin.risk`, whatever the numbers.

Error bound. Sizes are below 2^48, exact in float64. Balance and unit values are integers rounded once
(relative error at most u = 2^-53), a product once more, a sum at each of at most 12 additions, in whatever
order: with S the sum of the absolute values of all 13 terms, the error is below 15u/(1 - 15u) * S, and the S
computed is at least (1 - 15u) of the true one. `_DOUBT` = 2^-48 = 32u covers both. Nothing overflows (values
stay below 2^126) or underflows (terms are 0 or at least 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zkmargin.engine.margin import Risk, risk
from zkmargin.protocol.constants import HOLDINGS
from zkmargin.protocol.kernel import kernel
from zkmargin.protocol.model import INSTRUMENT_STEP, SHORT, TIER_STEP, Account, Holding, Tick

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

_DOUBT = 2.0**-48
_CHUNK = 1 << 14
_NEGATIVE, _UNSURE = 1, 2


@dataclass(frozen=True)
class Functional:
    """Weights of E, M, W, I; each below 2^5 in size, so that values stay below 2^126."""

    equity: int = 0
    maintenance: int = 0
    worst: int = 0
    initial: int = 0

    def __post_init__(self) -> None:
        assert all(abs(weight) < 32 for weight in self.weights)

    @property
    def weights(self) -> tuple[int, int, int, int]:
        """In the order of `Risk`."""
        return self.equity, self.maintenance, self.worst, self.initial

    def of(self, now: Risk) -> int:
        """The value for an account, exact."""
        values = (now.equity, now.maintenance, now.worst, now.initial)
        return sum(weight * value for weight, value in zip(self.weights, values, strict=True))


HEALTH = Functional(equity=1, maintenance=-1)
EQUITY = Functional(equity=1)
FREE_INITIAL = Functional(worst=1, initial=-1)


def unit_table(tick: Tick, functional: Functional) -> Floats:
    """The functional's unit value of every class, each an exact integer rounded once; class 0 is 0."""
    equity, maintenance, worst, initial = functional.weights
    values = [0.0] * (INSTRUMENT_STEP * len(tick.instruments))
    for k, row in enumerate(tick.instruments):
        for offset in range(INSTRUMENT_STEP):
            tier, side = divmod(offset, TIER_STEP)
            short = side == SHORT
            values[k * INSTRUMENT_STEP + offset] = float(
                equity * (-row.equity if short else row.equity)
                + maintenance * row.maintenance[tier]
                + worst * (row.worst_short if short else row.worst_long)
                + initial * row.initial[tier]
            )
    return np.array(values)


class Book:
    """Accounts by row. `ids` int64 (n); inside, a column a slot, so that a pass over a slot is contiguous."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        count = len(accounts)
        self.ids = np.array([account.id for account in accounts], dtype=np.int64)
        self._balances: list[int] = [account.balance for account in accounts]
        self._balance = np.array([float(balance) for balance in self._balances])
        self._classes = np.zeros((HOLDINGS, count), dtype=np.uint16)
        self._sizes = np.zeros((HOLDINGS, count))
        for row, account in enumerate(accounts):
            self._write_slots(row, account)

    def __len__(self) -> int:
        return len(self.ids)

    @staticmethod
    def of(accounts: Iterable[tuple[int, Account]]) -> Book:
        """The book of a ledger's (leaf index, account) pairs, in their order."""
        return Book([account for _, account in accounts])

    def reserve(self, rows: int) -> None:
        """Have at least so many rows. New ones hold empty accounts, and are half as many as there were."""
        if rows <= len(self):
            return
        more = max(rows - len(self), len(self) // 2)
        self.ids = np.pad(self.ids, (0, more))
        self._balances += [0] * more
        self._balance = np.pad(self._balance, (0, more))
        self._classes = np.pad(self._classes, ((0, 0), (0, more)))
        self._sizes = np.pad(self._sizes, ((0, 0), (0, more)))

    def put(self, row: int, account: Account) -> None:
        """Replace the account of a row."""
        self.ids[row] = account.id
        self._balances[row] = account.balance
        self._balance[row] = float(account.balance)
        self._write_slots(row, account)

    def _write_slots(self, row: int, account: Account) -> None:
        for j, held in enumerate(account.slots):
            self._classes[j, row] = held.class_id if held else 0
            self._sizes[j, row] = held.size if held else 0

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """What a pass over the book reads: balances, class ids, sizes."""
        return self._balance, self._classes, self._sizes

    def estimate(self, tick: Tick, functional: Functional) -> tuple[Floats, Floats]:
        """(value, error) for every account in fine units: the truth is no further off than the error."""
        value, scale = np.empty(len(self)), np.empty(len(self))
        units = unit_table(tick, functional)
        weight = float(functional.equity + functional.worst)
        for start in range(0, len(self), _CHUNK):
            part = slice(start, start + _CHUNK)
            total = self._balance[part] * weight
            bound = np.abs(total)
            for j in range(HOLDINGS):
                term = units.take(self._classes[j, part])
                term *= self._sizes[j, part]
                total += term
                bound += np.abs(term, out=term)
            value[part], scale[part] = total, bound
        return value, scale * _DOUBT

    def _signs(self, tick: Tick, functional: Functional) -> Bytes:
        """By row: 0 where the functional is certainly not below 0, 1 where it certainly is, else 2."""
        if kernel is not None:
            units, weight = unit_table(tick, functional), float(functional.equity + functional.worst)
            found = kernel.book_signs(self._balance, self._classes, self._sizes, units, weight)
            return np.frombuffer(found, dtype=np.uint8)
        value, error = self.estimate(tick, functional)
        signs = (value < 0).astype(np.uint8)
        # Where the error is 0 all terms are 0, and so is the value.
        signs[(np.abs(value) <= error) & (error > 0)] = _UNSURE
        return signs

    def negative(self, tick: Tick, functional: Functional) -> Flags:
        """Whether the functional is below 0, for every account; exact."""
        signs = self._signs(tick, functional)
        below: Flags = signs == _NEGATIVE
        for row in np.flatnonzero(signs == _UNSURE):
            below[row] = functional.of(self.risk(tick, int(row))) < 0
        return below

    def unhealthy(self, tick: Tick) -> list[int]:
        """Ids of the accounts below maintenance margin, backstops last, as `due.unhealthy` gives them."""
        found = [int(identity) for identity in self.ids[self.negative(tick, HEALTH)]]
        return sorted(found, key=lambda identity: (identity < len(tick.instruments), identity))

    def risk(self, tick: Tick, row: int) -> Risk:
        """E, M, W, I of a row's account, exact."""
        return risk(self._account(row), tick)

    def _account(self, row: int) -> Account:
        slots: list[Holding | None] = [None] * HOLDINGS
        for j in range(HOLDINGS):
            size = int(self._sizes[j, row])
            if size:
                instrument, rest = divmod(int(self._classes[j, row]), INSTRUMENT_STEP)
                slots[j] = Holding(instrument, rest // TIER_STEP, rest % TIER_STEP, size)
        return Account(id=int(self.ids[row]), balance=self._balances[row], slots=tuple(slots))
