# SPDX-License-Identifier: GPL-3.0-or-later
"""How far an account is from the edge, and how far a tick has moved: the bound behind coverage.

(SPEC section 8.) With unit value v = +-e - m of each class, w the instrument's move, h = B + sum x*v the
health of an account and G = sum x*w its exposure, all at one tick: if no class's v has fallen by more than
d*w / 2^16 since, and 2^16*h >= d*G, the account is healthy still:
h_now = h - sum x*(v - v_now) >= h - d*G / 2^16 >= 0.
"""

from __future__ import annotations

from collections.abc import Iterable

from zkmargin.engine.margin import risk
from zkmargin.protocol.constants import BITS, RADIUS_ONE
from zkmargin.protocol.model import Account, InstrumentTick, Tick

MAX_RADIUS = (1 << BITS["radius"]) - 1


def exposure(account: Account, tick: Tick) -> int:
    """G: the sum over holdings of magnitude times the instrument's move, in fine units."""
    return sum(held.size * tick.instruments[held.instrument].move for held in account.slots if held)


def safe_radius(account: Account, tick: Tick) -> int | None:
    """The largest radius (times 2^16, to `MAX_RADIUS`) with 2^16*h >= radius*G; None below maintenance."""
    health, spread = risk(account, tick).health, exposure(account, tick)
    if health < 0:
        return None
    return min(MAX_RADIUS, RADIUS_ONE * health // spread) if spread else MAX_RADIUS


def keeps(account: Account, anchor: Tick, radius: int) -> bool:
    """Whether an account has this safe radius at a page's anchor, and so leaves true what the header says.

    A short of what had no maintenance charge then does not: displacements leave that class out.
    """
    unmargined = any(
        held.side and not anchor.instruments[held.instrument].maintenance[0] for held in account.slots if held
    )
    safe = RADIUS_ONE * risk(account, anchor).health >= radius * exposure(account, anchor)
    return safe and not unmargined


def page_radius(accounts: Iterable[Account], tick: Tick) -> int | None:
    """The least safe radius of accounts; None if one is below maintenance."""
    least = MAX_RADIUS
    for account in accounts:
        radius = safe_radius(account, tick)
        if radius is None:
            return None
        least = min(least, radius)
    return least


def rise(then: InstrumentTick, now: InstrumentTick) -> int:
    """How much the maintenance charge has grown, of the tier where it has grown most; may be negative."""
    return max(after - before for before, after in zip(then.maintenance, now.maintenance, strict=True))


def displacement(then: Tick, now: Tick) -> int | None:
    """d: the least number (times 2^16) with d*w >= 2^16*(v_then - v_now) for every class.

    None above `MAX_RADIUS`, and where a maintenance charge has vanished since.
    Shorts of an instrument that had no maintenance charge then (collateral, or unpriced) are left out: there
    were none. Rounded up.
    """
    most = 0
    for before, after in zip(then.instruments, now.instruments, strict=True):
        grown = rise(before, after)
        loss = before.equity - after.equity + grown
        if before.maintenance[0]:
            if not after.maintenance[0]:
                return None
            loss = max(loss, after.equity - before.equity + grown)
        if loss > 0:
            if before.move == 0:
                return None
            most = max(most, -(-RADIUS_ONE * loss // before.move))
    return most if most <= MAX_RADIUS else None


def move_ratio(then: Tick, now: Tick) -> int:
    """q: the largest number (times 2^16, below 2) with q*w_now <= 2^16*w_then for every instrument."""
    ratio = 2 * RADIUS_ONE - 1
    for before, after in zip(then.instruments, now.instruments, strict=True):
        if after.move:
            ratio = min(ratio, RADIUS_ONE * before.move // after.move)
    return ratio


def radius_at(then: Tick, now: Tick, radius: int, displaced: int) -> int:
    """The radius at `now` that follows from one at `then`, `displaced` by now: floor(q*(radius - d)).

    2^16*h_now >= (radius - d)*G_then by the bound, and 2^16*G_then >= q*G_now.
    """
    return move_ratio(then, now) * (radius - displaced) // RADIUS_ONE
