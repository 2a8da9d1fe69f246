# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages that keep their header through a touch, the account being as safe as it says; and others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from circuits.coverage.scenes import carry, coverage, swept, traded
from circuits.judge import Judge
from circuits.settle.conftest import TOUCHES
from circuits.settle.forge import Forgery
from circuits.settle.world import BTC, CHAIN, ETH, GOLD, World
from zkmargin.circuits.settle_inputs import challenge_weights
from zkmargin.engine.coverage import exposure, safe_radius
from zkmargin.engine.margin import risk
from zkmargin.engine.ticks import genesis_tick, next_tick
from zkmargin.protocol.constants import FINE, RADIUS_ONE, Op, P
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Tick, Touch
from zkmargin.sequencer.drafting import Draft

MILLION = 1_000_000
RANGE = "template Num2Bits"


@pytest.fixture
def anchored(world: World) -> tuple[World, Tick]:
    """Alice, Bob and Carol in a page swept, and a block carried, a while ago; prices have moved a little."""
    traded(world)
    anchor = swept(world, 0)
    carry(world)
    world.prices({BTC: 59_900_000, ETH: 30_050_000})
    return world, anchor


def _drafted(world: World, anchor: Tick, *operations: list[Touch]) -> Any:
    """A batch of operations; the ledger is left changed."""
    profile = world.ledger.profile
    world.ledger.profile = replace(world.profile, touches=TOUCHES)
    draft = Draft(world.ledger, world.tick, world.domain, anchor)
    for operation in operations:
        draft.add(operation)
    made = draft.finish(CHAIN)
    world.ledger.profile = profile
    return made


def _forged(
    world: World, anchor: Tick, *touches: Touch, kept: tuple[int, ...] = (0, 1), **after: Any
) -> dict[str, Any]:
    """A batch whose touches of these numbers keep their page's header, allowed or not."""
    forged = Forgery(world, TOUCHES, anchor)
    for number, touch in enumerate(touches):
        forged.add(replace(touch, kept=int(number in kept)), **(after if number == 0 else {}))
    return forged.inputs()


def _spare(world: World, anchor: Tick) -> int:
    """The most quote base units that Alice, the least safe of the page, can take out and leave it covered."""
    alice, radius = world.ledger.account(16), world.ledger.header(0)[1]
    assert safe_radius(alice, anchor) == radius
    return (risk(alice, anchor).health - -(-radius * exposure(alice, anchor) // RADIUS_ONE)) // FINE


# ---------------------------------------------------------------- honest


def test_a_page_keeps_its_header(anchored: tuple[World, Tick], judge: Judge) -> None:
    """More quote for Alice, a trade between the others: the page is covered as it was, with no sweep."""
    world, anchor = anchored
    header = world.ledger.header(0)
    deposit = world.deposit(world.entry(2, 0, 5 * MILLION, 16))
    made = _drafted(world, anchor, [deposit], world.trade(17, 18, ETH, 5, world.mark(ETH)))
    judge.accepts(made.inputs)
    assert [touch.kept for touch in made.touches[:3]] == [1, 1, 1]
    assert [touch.kept for touch in made.touches[3:]] == [0] * (TOUCHES - 3)
    assert world.ledger.header(0) == world.ledger.block_header(0) == header
    coverage(world, anchor)


def test_a_new_account_keeps_its_page(anchored: tuple[World, Tick], judge: Judge) -> None:
    world, anchor = anchored
    made = _drafted(world, anchor, [world.deposit(world.entry(1, 0, 5, 0, 99))])
    judge.accepts(made.inputs)
    assert made.touches[0].kept == 1


def test_the_least_safe_account_clears_it(anchored: tuple[World, Tick], judge: Judge) -> None:
    world, anchor = anchored
    made = _drafted(world, anchor, [world.withdraw(16, _spare(world, anchor) + 1)])
    judge.accepts(made.inputs)
    assert made.touches[0].kept == 0
    assert world.ledger.header(0) == world.ledger.block_header(0) == (0, 0)


def test_another_anchor_clears_it(anchored: tuple[World, Tick], judge: Judge) -> None:
    world, _ = anchored
    made = _drafted(world, world.tick, [world.deposit(world.entry(2, 0, 5 * MILLION, 16))])
    judge.accepts(made.inputs)
    assert made.touches[0].kept == 0


def test_pages_of_two_anchors(anchored: tuple[World, Tick], judge: Judge) -> None:
    world, anchor = anchored
    for number in range(60):
        world.open(b"other%d" % number, MILLION)
    swept(world, 0)
    later = world.tick
    world.prices({BTC: 59_800_000})
    far = max(leaf for leaf, _ in world.ledger.accounts())
    assert far > 64
    deposits = [world.deposit(world.entry(2, 0, 5 * MILLION, 16))]
    made = _drafted(world, later, deposits)
    judge.accepts(made.inputs)
    assert made.touches[0].kept == 1
    assert tick_hash(later) != tick_hash(anchor)


# ---------------------------------------------------------------- attacks


def test_one_unit_too_poor(anchored: tuple[World, Tick], judge: Judge) -> None:
    """Alice, whose radius is the page's, takes out as much as leaves her that; and a unit more."""
    world, anchor = anchored
    spare = _spare(world, anchor)
    judge.accepts(_forged(world, anchor, world.withdraw(16, spare)))
    more = world.withdraw(16, spare + 1)
    judge.accepts(_forged(world, anchor, more, kept=()))
    judge.refuses(_forged(world, anchor, more), RANGE)


def test_a_larger_position(anchored: tuple[World, Tick], judge: Judge) -> None:
    """Health as before, to the unit of a price move, but more exposure."""
    world, anchor = anchored
    legs = world.trade(16, 17, BTC, 5, anchor.instruments[BTC].mark)
    judge.accepts(_forged(world, anchor, *legs, kept=()))
    judge.refuses(_forged(world, anchor, *legs, kept=(0, 1)), RANGE)


def test_a_header_of_another_anchor(anchored: tuple[World, Tick], judge: Judge) -> None:
    """Tables of the present tick, at which the account is safe enough, for a page anchored earlier."""
    world, _ = anchored
    deposit = world.deposit(world.entry(2, 0, 5 * MILLION, 16))
    judge.refuses(_forged(world, world.tick, deposit), "kept * (anchor[0] - anchorTick)")


def test_a_cleared_page(world: World, judge: Judge) -> None:
    traded(world)
    deposit = world.deposit(world.entry(2, 0, 5 * MILLION, 16))
    judge.refuses(_forged(world, world.tick, deposit), "kept * (anchor[0] - anchorTick)")


def test_tables_of_ones_own(anchored: tuple[World, Tick], judge: Judge) -> None:
    """The anchor is a hash: kinder moves or prices have another."""
    world, anchor = anchored
    touch = world.withdraw(16, _spare(world, anchor) + 1)
    for field, value in (
        ("move", 1),
        ("equity", anchor.instruments[BTC].equity * 2),
        ("maintenance", (0,) * 4),
    ):
        rows = list(anchor.instruments)
        rows[BTC] = replace(rows[BTC], **{field: value})
        kind = replace(anchor, instruments=tuple(rows))
        judge.refuses(_forged(world, kind, touch), "kept * (anchor[0] - anchorTick)")


def _reclaimed(world: World, anchor: Tick, inputs: dict[str, Any], at: int, change: int) -> dict[str, Any]:
    """Another claim of the first touch, and the weights that follow from it."""
    claims = [list(row) for row in inputs["claim"]]
    claims[0][at] = (claims[0][at] + change) % P
    forged = Forgery(world, TOUCHES, anchor)
    forged.add(replace(world.withdraw(16, _spare(world, anchor) + 1), kept=1))
    while len(forged.steps) < TOUCHES:
        forged.add(Touch(Op.NOOP, 0, world.ledger.account_at(0).id))
    rows = [(step.opening.account, row) for step, row in zip(forged.steps, claims, strict=True)]
    weights = challenge_weights(
        forged.root, tick_hash(world.tick), tick_hash(anchor), rows, world.profile.classes
    )
    world.ledger.rollback()
    return {**inputs, "claim": claims, "weights": weights}


@pytest.mark.parametrize(("at", "change"), [(4, FINE), (5, -(1 << 60)), (5, -(1 << 40))])
def test_claims_that_are_not_the_accounts(
    anchored: tuple[World, Tick], judge: Judge, at: int, change: int
) -> None:
    """More health or less exposure at the anchor: the table check fails, and it alone."""
    world, anchor = anchored
    inputs = _forged(world, anchor, world.withdraw(16, _spare(world, anchor) + 1))
    judge.refuses(_reclaimed(world, anchor, inputs, at, change), "horner[T] === sum[0]")


def test_a_short_of_what_was_unpriced_at_the_anchor(judge: Judge) -> None:
    """Displacements leave that class out, so its losses would go unseen for ever."""
    world = World()
    prices = [0] * world.profile.instruments
    prices[BTC], prices[GOLD] = 60_000_000 * FINE, 2_000_000 * FINE
    world.tick = next_tick(
        world.params, genesis_tick(world.params, 100), 101, [(prices, [0] * len(prices))]
    ).tick
    alice, bob = world.open(b"alice", 90_000 * MILLION), world.open(b"bob", 90_000 * MILLION)
    anchor = swept(world, 0)
    world.prices({ETH: 30_000_000})
    legs = world.trade(alice, bob, ETH, 3, world.mark(ETH))
    judge.accepts(_forged(world, anchor, *legs, kept=(0,)))
    judge.refuses(_forged(world, anchor, *legs, kept=(0, 1)), "keep * short")
    made = _drafted(world, anchor, legs)
    assert [touch.kept for touch in made.touches[:2]] == [1, 0]


def test_a_page_kept_through_no_operation_and_marked(anchored: tuple[World, Tick], judge: Judge) -> None:
    world, anchor = anchored
    noop = Touch(Op.NOOP, 0, 0)
    judge.accepts(_forged(world, anchor, noop, kept=()))
    judge.refuses(_forged(world, anchor, noop), "noop * kept")
    inputs = _forged(world, anchor, world.deposit(world.entry(2, 0, 5 * MILLION, 16)))
    for value in (2, P - 1):
        judge.refuses({**inputs, "kept": [value, *inputs["kept"][1:]]}, "kept * (kept - 1)")


def test_posted_otherwise_than_done(anchored: tuple[World, Tick], judge: Judge) -> None:
    """A header kept and posted as cleared, or the other way round: whoever rebuilds the state is misled."""
    world, anchor = anchored
    deposit = world.deposit(world.entry(2, 0, 5 * MILLION, 16))
    kept, cleared = _forged(world, anchor, deposit), _forged(world, anchor, deposit, kept=())
    judge.accepts(kept)
    judge.accepts(cleared)
    for name in ("C", "r", "y"):
        kept[name] = cleared[name]
    judge.refuses(kept, "sponge.out === C|sum[0] === y")
