# SPDX-License-Identifier: GPL-3.0-or-later
"""The sequencer's book finds below maintenance whom a look at every account finds, whatever was written."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from support.books import thrown_book
from support.random_ops import RandomWorld
from zkmargin.engine.due import unhealthy
from zkmargin.protocol.constants import PAGE_SIZE, load
from zkmargin.sequencer.covering import regroup
from zkmargin.sequencer.standing import Standing
from zkmargin.state.ledger import Ledger, Savepoint

SMALL = load().profile("small")


@dataclass
class Life:
    """A ledger that is written, rearranged and rolled back at random, and its book."""

    world: RandomWorld
    standing: Standing
    savepoints: list[Savepoint] = field(default_factory=list)
    found: int = 0

    def check(self) -> None:
        below = self.standing.unhealthy(self.world.tick)
        assert below == unhealthy(self.world.ledger, self.world.tick)
        self.found += len(below)

    def operation(self) -> None:
        self.world.run(self.world.valid().touches)

    def keep(self) -> None:
        self.savepoints.append(self.world.ledger.savepoint())

    def go_back(self) -> None:
        if self.savepoints:
            self.world.ledger.rollback(self.savepoints.pop())

    def scatter(self) -> None:
        """Everybody to any leaf of four pages."""
        origins = list(range(4 * PAGE_SIZE))
        self.world.rng.shuffle(origins)
        regroup(self.world.ledger, sorted(self.world.rng.sample(range(SMALL.pages), 4)), origins, None)

    def tick(self) -> None:
        self.world.advance()

    def crash(self) -> None:
        factor = self.world.rng.choice((0.5, 2))
        self.world.market.to([int(price * factor) for price in self.world.market.prices])


@pytest.mark.parametrize("seed", range(6))
def test_both_find_the_same(seed: int) -> None:
    world = RandomWorld(SMALL, seed)
    world.advance()
    thrown_book(world, random.Random(seed), 40)
    life = Life(world, Standing(world.ledger))
    steps = [life.operation] * 8 + [life.keep] * 2 + [life.go_back, life.scatter, life.tick, life.crash]
    life.check()
    for step in world.rng.choices(steps, k=80):
        step()
        life.check()
    assert life.found > 40


def test_a_ledger_with_nobody_in_it() -> None:
    world = RandomWorld(SMALL, 1)
    assert Standing(Ledger(SMALL)).unhealthy(world.tick) == []
