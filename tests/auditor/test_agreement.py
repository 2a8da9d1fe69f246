# SPDX-License-Identifier: GPL-3.0-or-later
"""The auditor's rules, written a second time, against the engine: random operations, allowed and not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from auditor.rebuilt import books_of
from support.broken_ops import broken
from support.random_ops import RandomWorld
from zkmargin.auditor.rules import Books, Broken
from zkmargin.errors import BadInput
from zkmargin.protocol.constants import Op, load
from zkmargin.protocol.model import Touch
from zkmargin.protocol.posted import read_settle
from zkmargin.protocol.words import settle_words

PROFILE = load().profile("small")
# Not in the words, or not in those of one touch: what a signature was over is for the proof, the place in the
# queue for the comparison with the contract's events.
UNPOSTED = {
    "signature",
    "expired",
    "nonce",
    "counterparty",
    "bid_size",
    "bid_price",
    "bid_reward",
    "queue_order",
}
UNSEEN = {"not_exhausted: bid_not_used_up"}  # what a bid was for is not posted


def _as_posted(world: RandomWorld, touches: Sequence[Touch]) -> list[Touch]:
    """The touches as they are read back from their words."""
    noop = Touch(Op.NOOP, 0, world.ledger.account_at(0).id)
    padded = [*touches, *[noop] * (PROFILE.touches - len(touches))]
    words = settle_words(world.domain, 1, 1, 1, padded, [0] * len(padded), PROFILE)
    return list(read_settle(words, world.ledger.consumed).touches[: len(touches)])


def _verdict(books: Books, world: RandomWorld, touches: Sequence[Touch]) -> str:
    """'' if the auditor accepts an operation, else why not."""
    try:
        for touch in _as_posted(world, touches):
            books.touch(touch, world.tick)
    except (Broken, BadInput, LookupError) as error:
        return str(error) or type(error).__name__
    return "a leg is left open" if books.leg else ""


@pytest.mark.parametrize("seed", range(2))
def test_allowed_operations_end_alike(seed: int) -> None:
    world, kinds = RandomWorld(PROFILE, seed), Counter[str]()
    for number in range(120):
        case = world.valid()
        books = books_of(world.ledger)
        assert _verdict(books, world, case.touches) == "", f"operation {number}: {case}"
        world.run(case.touches)
        assert books == books_of(world.ledger), f"operation {number}: {case}"
        kinds.update(Op(touch.op).name for touch in case.touches)
        if number % 12 == 11:
            world.advance()
    assert {"DEPOSIT", "WITHDRAW", "TRADE", "TRADE_MATCH"} <= set(kinds)


def test_every_kind_is_met() -> None:
    kinds = Counter[str]()
    for seed in range(6, 9):
        world = RandomWorld(PROFILE, seed)
        for number in range(250):
            case = world.valid()
            books = books_of(world.ledger)
            assert _verdict(books, world, case.touches) == "", f"seed {seed}, operation {number}: {case}"
            world.run(case.touches)
            kinds.update(Op(touch.op).name for touch in case.touches)
            if number % 12 == 11:
                world.advance()
    assert set(kinds) == {op.name for op in Op}


@pytest.mark.parametrize("seed", range(3))
def test_refused_operations_are_refused(seed: int) -> None:
    world, codes = RandomWorld(PROFILE, 100 + seed), Counter[str]()
    for number in range(120):
        world.run(world.valid().touches)
        if number % 12 == 11:
            world.advance()
        case = broken(world)
        if case is None or case.code in UNPOSTED or case.kind in UNSEEN:
            continue
        assert _verdict(books_of(world.ledger), world, case.touches), f"{case.code}: {case}"
        codes[case.code] += 1
    assert len(codes) > 10


def test_legs_that_differ() -> None:
    """Second legs changed in each posted term."""
    world = RandomWorld(PROFILE, 1)
    done = 0
    while done < 20:
        case = world.valid()
        if len(case.touches) == 2:
            first, second = case.touches
            for changed in (
                replace(second, size=second.size + 1),
                replace(second, price=second.price + 1),
                replace(second, side=1 - second.side),
                replace(second, instrument=second.instrument % 3 + 1 if second.instrument != 1 else 2),
                replace(second, leaf_index=first.leaf_index, account_id=first.account_id),
            ):
                assert _verdict(books_of(world.ledger), world, (first, changed)), f"{changed}"
            done += 1
        world.run(case.touches)
        if done % 5 == 4:
            world.advance()
