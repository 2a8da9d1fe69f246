# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/vectors/{ticks,margins,closings,operations,refusals}.json.

PYTHONPATH=prover:tests python -m support.make_vectors [NAME ...]

Cases are pinned: write a file again only when the protocol changes, and read the difference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

from support.broken_ops import MAKERS
from support.margin_cases import margin_accounts, margin_ticks
from support.market import market_params
from support.operation_cases import CASES
from support.random_ops import RandomWorld
from support.tick_cases import tick_cases
from support.vectors import (
    Json,
    encode_account,
    encode_ledger,
    encode_params,
    encode_tick,
    encode_touch,
    outcome,
    write,
)
from support.world import World
from zkmargin.engine.liquidation import close, lowest_holding, minimal_close
from zkmargin.engine.margin import risk
from zkmargin.engine.prices import bankruptcy_price, liquidation_price
from zkmargin.engine.ticks import next_tick
from zkmargin.protocol.constants import load
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Account, Params, Tick, Touch

PROFILE = load().profile("small")


class Ticks:
    """Ticks by name, each written once to a file."""

    def __init__(self) -> None:
        self.by_name: dict[str, Json] = {}

    def name(self, tick: Tick) -> str:
        raw = encode_tick(tick)
        for name, known in self.by_name.items():
            if known == raw:
                return name
        name = f"tick {len(self.by_name) + 1}"
        self.by_name[name] = raw
        return name


def ticks() -> Json:
    """Next ticks."""
    params, known, cases = market_params(PROFILE), Ticks(), []
    for case in tick_cases(PROFILE):
        made = next_tick(params, case.before, case.slot, case.reports)
        cases.append(
            {
                "name": case.name,
                "before": known.name(case.before),
                "slot": str(case.slot),
                "reports": [{"prices": _texts(p), "rates": _texts(r)} for p, r in case.reports],
                "raw": _texts(made.raw),
                "rates": _texts(made.rates),
                "tick": encode_tick(made.tick),
                "hash": str(tick_hash(made.tick)),
            }
        )
    return {"params": encode_params(params), "ticks": known.by_name, "cases": cases}


def _texts(values: Sequence[int]) -> list[str]:
    return [str(value) for value in values]


def margins() -> Json:
    """E, M, W, I and crossing prices of accounts."""
    world, named = margin_ticks(PROFILE)
    cases = []
    for tick_name, tick in named.items():
        for name, account in margin_accounts(world, tick).items():
            if abs(account.balance) >= 1 << 120:
                continue
            now = risk(account, tick)
            cases.append(
                {
                    "name": f"{name}, {tick_name}",
                    "tick": tick_name,
                    "account": encode_account(account),
                    "equity": str(now.equity),
                    "maintenance": str(now.maintenance),
                    "worst": str(now.worst),
                    "initial": str(now.initial),
                    "health": str(now.health),
                    "free_initial": str(now.free_initial),
                    "prices": _prices(account, tick, world.params),
                }
            )
    ticks_by_name = {name: encode_tick(tick) for name, tick in named.items()}
    return {"params": encode_params(world.params), "ticks": ticks_by_name, "cases": cases}


def _prices(account: Account, tick: Tick, params: Params) -> Json:
    found = {}
    for held in account.slots:
        if held:
            prices = (
                f(account, tick, params, held.instrument) for f in (liquidation_price, bankruptcy_price)
            )
            found[str(held.instrument)] = [None if price is None else str(price) for price in prices]
    return found


def closings() -> Json:
    """Minimal sizes of accounts below maintenance, and the steps beside them."""
    world, named = margin_ticks(PROFILE)
    cases = []
    for tick_name, tick in named.items():
        for name, account in margin_accounts(world, tick).items():
            for share in (90, 5, -20):
                found = _closing(account, tick, share)
                if found:
                    cases.append(
                        {"name": f"{name}, {tick_name}, {share}% of maintenance", "tick": tick_name, **found}
                    )
    return {"ticks": {name: encode_tick(tick) for name, tick in named.items()}, "cases": cases}


def _closing(account: Account, tick: Tick, share: int) -> Json | None:
    """The account with this share of its maintenance as equity; None where nothing is to close."""
    held = lowest_holding(account)
    if held is None:
        return None
    now = risk(account, tick)
    equity = (
        now.maintenance * share // 100 if now.maintenance else -(abs(now.equity) * (100 - share) // 1000) - 1
    )
    account = account.with_(balance=account.balance + equity - now.equity)
    before = risk(account, tick)
    if before.health >= 0 or abs(account.balance) >= 1 << 120:
        return None
    price = tick.instruments[held.instrument].mark
    least = minimal_close(tick, account, held, price)
    sizes = sorted({max(least.size - 1, 0), least.size, min(least.size + 1, held.size), held.size})
    rows = [close(tick, before, held, size, price) for size in sizes]
    return {
        "account": encode_account(account),
        "instrument": str(held.instrument),
        "price": str(price),
        "minimal": str(least.size),
        "closings": [
            {
                "size": str(row.size),
                "equity": str(row.equity),
                "maintenance": str(row.maintenance),
                "penalty": str(row.penalty),
                "cash": str(row.cash),
                "reached": row.reached,
            }
            for row in rows
        ],
    }


def _operation(name: str, world: World, touches: Sequence[Touch], refused: str, known: Ticks) -> Json:
    leaves = {touch.leaf_index for touch in touches if touch.leaf_index < world.ledger.capacity}
    before = encode_ledger(world.ledger, leaves)
    found = outcome(before, PROFILE.name, touches, world.tick, world.domain)
    assert found.get("refused", "") == refused, (name, found)
    return {
        "name": name,
        "tick": known.name(world.tick),
        "domain": str(world.domain),
        "before": before,
        "touches": [encode_touch(touch) for touch in touches],
        **found,
    }


def operations() -> Json:
    """Hand-built operations."""
    known, cases = Ticks(), []
    for case in CASES:
        world = World(PROFILE)
        touches = case.build(world)
        cases.append(_operation(case.name.replace("_", " "), world, touches, case.refused, known))
    return {"profile": PROFILE.name, "ticks": known.by_name, "cases": cases}


def refusals() -> Json:
    """An operation for each way to break a rule, from a random ledger."""
    known, cases = Ticks(), {}
    for world in _random_worlds():
        for code, makers in MAKERS.items():
            for maker in makers:
                name = f"{code}: {maker.__name__.strip('_').replace('_', ' ')}"
                touches = None if name in cases else maker(world)
                if touches and world.code(touches) == code:
                    cases[name] = _operation(name, world, touches, code, known)
        if len(cases) == sum(map(len, MAKERS.values())):
            return {"profile": PROFILE.name, "ticks": known.by_name, "cases": list(cases.values())}
    raise AssertionError


def _random_worlds() -> Iterator[RandomWorld]:
    """Ledgers with history, every dozen operations."""
    for seed in range(100):
        world = RandomWorld(PROFILE, seed)
        for number in range(400):
            world.run(world.valid().touches)
            if number % 12 == 11:
                world.advance()
                world.ledger.checkpoint()
                yield world


FILES: dict[str, Callable[[], Json]] = {
    "ticks": ticks,
    "margins": margins,
    "closings": closings,
    "operations": operations,
    "refusals": refusals,
}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or FILES:
        write(wanted, FILES[wanted]())
