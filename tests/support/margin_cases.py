# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of tests/vectors/margins.json, and the ticks they are looked at."""

from __future__ import annotations

from dataclasses import replace

from support.world import World
from zkmargin.engine.margin import holding_of, risk
from zkmargin.protocol.constants import HOLDINGS, Profile
from zkmargin.protocol.model import Account, Holding, Tick

MAX_SIZE, MAX_BALANCE = (1 << 48) - 1, (1 << 120) - 1


def margin_ticks(profile: Profile) -> tuple[World, dict[str, Tick]]:
    """A world, and ticks by name: calm, limited both ways, extreme."""
    world = World(profile, 21)
    ticks = {"calm": world.tick}
    first = list(world.market.prices)
    ticks["limited down"] = world.market.to([price // 2 for price in first])
    ticks["limited up"] = world.market.to([price * 3 for price in first])
    top = [(1 << 64) - 1 if price else 0 for price in first]
    rates = [-(1 << 38)] * len(first)
    for _ in range(3):
        world.market.to(top, rates, slots=65535)
    ticks["extreme"] = world.tick
    return world, ticks


def margin_accounts(world: World, tick: Tick) -> dict[str, Account]:
    """Accounts by name, with health and other values at and beside 0."""
    perpetuals, collaterals = world.perpetuals, world.collaterals

    def of(balance: int, **sizes: int) -> Account:
        account = Account(id=77, nonce=5, address=9, owner=11, balance=balance)
        for j, (name, signed) in enumerate(sizes.items()):
            k = int(name[1:])
            account = account.with_slot(j, holding_of(tick.instruments[k], k, signed))
        return account

    def with_health(account: Account, health: int) -> Account:
        return account.with_(balance=account.balance + health - risk(account, tick).health)

    def with_free(account: Account, free: int) -> Account:
        return account.with_(balance=account.balance + free - risk(account, tick).free_initial)

    both = of(1 << 64, i1=100, i2=-50)
    asset = collaterals[1]
    mixed = of(-(1 << 60), i1=5_001, i3=-(1 << 30), **{f"i{asset}": 12_345})
    held = [*perpetuals, *collaterals][:HOLDINGS]
    full = of(0, **{f"i{k}": (-1 if k in perpetuals and k % 2 else 1) * (1000 + k) for k in held})
    huge = replace(full, slots=tuple(h and Holding(h.instrument, 3, h.side, MAX_SIZE) for h in full.slots))
    stale = of(1 << 64).with_slot(4, Holding(1, 3, 0, 10))  # a tier that the size would not have now
    bounds = world.row(1).bounds
    return {
        "empty": Account.empty(),
        "balance alone": of(5),
        "debt alone": of(-5),
        "one long": of(1 << 64, i1=1),
        "one short": of(1 << 64, i1=-1),
        "long and short": both,
        "collateral alone": of(-(1 << 50), **{f"i{asset}": 7}),
        "perpetuals and collateral": mixed,
        "twelve holdings": full,
        "twelve holdings of the largest size": huge,
        "twelve holdings of the largest size and balance": huge.with_(balance=MAX_BALANCE),
        "largest debt": of(-MAX_BALANCE),
        "size at a tier bound": of(0, i1=bounds[0]),
        "size above a tier bound": of(0, i1=bounds[0] + 1),
        "size in the highest tier": of(0, i1=-(bounds[2] + 1)),
        "tier kept from another size": stale,
        "health 0": with_health(both, 0),
        "health -1": with_health(both, -1),
        "health 1": with_health(both, 1),
        "free initial 0": with_free(mixed, 0),
        "free initial -1": with_free(mixed, -1),
        "twelve holdings at health 0": with_health(full, 0),
        "twelve largest holdings at health -1": with_health(huge, -1),
    }
