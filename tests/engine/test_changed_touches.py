# SPDX-License-Identifier: GPL-3.0-or-later
"""An allowed operation with one field changed: refused, by name; and nothing but a refusal is ever raised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from support.random_ops import Case, RandomWorld
from zkmargin.engine.totals import brought, plus, totals
from zkmargin.engine.transition import REFUSALS
from zkmargin.errors import Refused
from zkmargin.protocol.constants import Op, P, load
from zkmargin.protocol.model import Touch

FIELDS = (
    "leaf_index",
    "account_id",
    "instrument",
    "side",
    "size",
    "price",
    "flag",
    "counterparty",
    "max_size",
    "min_reward",
    "limit_price",
)
EDGES = (-1, 0, 1, 1 << 31, 1 << 32, (1 << 48) - 1, 1 << 48, (1 << 64) - 1, 1 << 64, 1 << 160, P)


def changed(world: RandomWorld, touch: Touch) -> Iterator[tuple[str, Touch]]:
    """The touch with one field a little off, or at an edge of some range."""
    for name in FIELDS:
        value: Any = getattr(touch, name)
        edges = world.rng.sample(EDGES, 2)
        for other in {value + 1, value - 1, *edges} - {value}:
            yield name, replace(touch, **{name: other})
    for op in world.rng.sample(sorted(set(Op) - {touch.op}), 2):
        yield "op", replace(touch, op=op)
    yield "op", replace(touch, op=12)
    if touch.auth:
        auth, signature = touch.auth, touch.auth.signature
        yield "auth", replace(touch, auth=None)
        for name in ("last_slot", "ax", "ay"):
            value = getattr(auth, name)
            for other in (value + 1, value - 1, P - value, value + P, -1):
                yield name, replace(touch, auth=replace(auth, **{name: other}))
        for name in ("r8x", "r8y", "s"):
            value = getattr(signature, name)
            for other in (value + 1, value + P, P - value, -value):
                yield name, replace(touch, auth=replace(auth, signature=replace(signature, **{name: other})))
    if touch.entry:
        for name in ("index", "kind", "asset", "amount"):
            value = getattr(touch.entry, name)
            for other in (value + 1, value - 1, value + (1 << 64)):
                yield f"entry {name}", replace(touch, entry=replace(touch.entry, **{name: other}))


def harmless(case: Case, number: int, name: str) -> bool:
    """Changes that leave an operation as it was, or make another one that is allowed.

    A bid taken as a whole may be called exhausted or not, as may a size that restores the account exactly; a
    refused deposit without a target, or one to the fund, may open any leaf, and a no-op any; instead of an
    absorption, which posts nothing else, a no-op may stand, and the other way round.
    """
    touch = case.touches[number]
    if name == "flag":
        return touch.op in {Op.LIQUIDATE, Op.DELEVERAGE}
    if touch.op == Op.ABSORB:
        return name == "op"
    if touch.op == Op.DEPOSIT:
        return name in {"leaf_index", "entry kind", "entry asset"}
    return touch.op == Op.NOOP and name in {"leaf_index", "op"}


def test_one_field_changed() -> None:
    world = RandomWorld(load().profile("small"), 2)
    tried = refused = 0
    for number in range(110):
        case = world.valid()
        if number > 50 or len(case.touches) > 1:
            for at, touch in enumerate(case.touches):
                for name, other in changed(world, touch):
                    touches = [*case.touches[:at], other, *case.touches[at + 1 :]]
                    tried += 1
                    code = run_and_undo(world, touches)
                    assert code in REFUSALS or harmless(case, at, name), (name, case, other)
                    refused += bool(code)
        world.run(case.touches)
        if number % 10 == 9:
            world.ledger.checkpoint()
            world.advance()
    assert tried > 1000
    assert refused > 0.97 * tried


def run_and_undo(world: RandomWorld, touches: list[Touch]) -> str:
    """The code of an operation's refusal, or "" after seeing that it conserves value; nothing is changed."""
    savepoint = world.ledger.savepoint()
    before = totals(world.accounts(), world.ledger.reserve)
    try:
        effects = world.run(touches)
    except Refused as refusal:
        return refusal.code
    assert totals(world.accounts(), world.ledger.reserve) == plus(before, brought(effects))
    world.ledger.rollback(savepoint)
    return ""
