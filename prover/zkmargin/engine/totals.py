# SPDX-License-Identifier: GPL-3.0-or-later
"""What no operation may change by itself: sums over a whole book (SPEC section 1).

Money: the balances of all accounts and the reserve sum to what was deposited less what was withdrawn.
Positions: the signed sizes of a perpetual sum to 0; those of a collateral to deposits less withdrawals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zkmargin.engine.touching import Effect
from zkmargin.protocol.constants import FINE, EntryKind, Op
from zkmargin.protocol.model import Account


@dataclass(frozen=True)
class Totals:
    """`money` in fine units (balances and reserve); `sizes`: signed steps by instrument, zeros left out."""

    money: int
    sizes: dict[int, int]


def totals(accounts: Iterable[Account], reserve: int) -> Totals:
    """The sums over a book."""
    money, sizes = reserve, dict[int, int]()
    for account in accounts:
        money += account.balance
        for held in account.slots:
            if held:
                sizes[held.instrument] = sizes.get(held.instrument, 0) + held.signed
    return Totals(money, {k: size for k, size in sorted(sizes.items()) if size})


def brought(effects: Iterable[Effect]) -> Totals:
    """What deposits brought in and withdrawals took out."""
    money, sizes = 0, dict[int, int]()
    for effect in effects:
        touch, entry = effect.touch, effect.touch.entry
        if entry and touch.flag:
            amount = entry.amount
        elif touch.op == Op.WITHDRAW:
            amount = -touch.size
        else:
            continue
        if (entry and entry.kind == EntryKind.FUND) or touch.instrument == 0:
            money += amount * FINE
        else:
            sizes[touch.instrument] = sizes.get(touch.instrument, 0) + amount
    return Totals(money, {k: size for k, size in sorted(sizes.items()) if size})


def plus(first: Totals, second: Totals) -> Totals:
    """The sum of two totals."""
    keys = sorted({*first.sizes, *second.sizes})
    sizes = {k: first.sizes.get(k, 0) + second.sizes.get(k, 0) for k in keys}
    return Totals(first.money + second.money, {k: size for k, size in sizes.items() if size})
