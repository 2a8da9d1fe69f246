# SPDX-License-Identifier: GPL-3.0-or-later
"""From whatever random operations and crashes leave there is a way to coverage, and it is found.

What is planned (liquidations, regroups, sweeps, coverage) is judged by the auditor's own rules on the words
that would be posted; touches keep their pages where they may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from auditor.rebuilt import books_of
from support.covering import cover
from support.random_ops import RandomWorld
from zkmargin.auditor.covering import (
    check_coverage,
    check_kept,
    replay_carry,
    replay_regroup,
    replay_sweep,
)
from zkmargin.auditor.rules import Books
from zkmargin.engine.due import Settling
from zkmargin.errors import Refused
from zkmargin.protocol.constants import load
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Tick, Touch
from zkmargin.protocol.posted import read_carry, read_coverage, read_regroup, read_sweep
from zkmargin.sequencer.covering import (
    Displacements,
    make_regroup,
    pages_to_sweep,
    regroupings,
    survey,
)
from zkmargin.sequencer.drafting import Draft

SMALL = load().profile("small")
CHAIN = 31337


@dataclass
class Venue:
    """A random world with the ticks that its pages are anchored at, as a sequencer keeps them."""

    world: RandomWorld
    ticks: dict[int, Tick] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def agrees(self, books: Books) -> bool:
        """Whether books that replayed the posted words stand as the ledger does."""
        ledger = self.world.ledger
        stand = (dict(ledger.accounts()), ledger.headers(), ledger.block_headers())
        return (books.leaves, books.headers, books.blocks) == stand

    def run(self, operation: Sequence[Touch]) -> bool:
        """An operation in a draft of its own, at the anchor that most pages have."""
        world, ledger = self.world, self.world.ledger
        anchors = [anchor for anchor, _ in ledger.headers().values()]
        common = max(set(anchors), key=anchors.count) if anchors else 0
        draft = Draft(ledger, world.tick, world.domain, self.ticks.get(common))
        books = books_of(self.world.ledger)
        try:
            effects = draft.add(operation)
        except Refused:
            return False
        for effect in effects:
            account = books.touch(effect.touch, world.tick)
            if effect.touch.kept:
                check_kept(books, effect.touch.leaf_index, account, self.ticks)
                self.counts["kept"] += 1
        assert self.agrees(books)
        ledger.checkpoint()
        return True

    def scatter(self) -> None:
        """Accounts of two pages in any order."""
        world, ledger, books = self.world, self.world.ledger, books_of(self.world.ledger)
        origins = list(range(128))
        world.rng.shuffle(origins)
        made = make_regroup(ledger, world.tick, world.domain, CHAIN, (0, 1), origins)
        replay_regroup(books, read_regroup(made.posting.words))
        assert self.agrees(books)
        ledger.checkpoint()

    def cover(self) -> None:
        """What is due, then what covers the ledger."""
        world, ledger, place = self.world, self.world.ledger, (self.world.domain, CHAIN)
        for _ in Settling(ledger, world.tick, [], self.run).settle_all():
            pass
        now = tick_hash(world.tick)
        self.ticks[now] = world.tick
        moved, books = Displacements(self.ticks, world.tick), books_of(ledger)
        outgrown = pages_to_sweep(ledger, moved, survey(ledger, moved))
        for found in regroupings(ledger, world.tick, outgrown):
            made = make_regroup(ledger, world.tick, *place, found.pages, found.origins)
            replay_regroup(books, read_regroup(made.posting.words))
            self.counts["regroup"] += 1
        for circuit, made in cover(ledger, moved, *place):
            words = made.posting.words
            self.counts[circuit] += 1
            if circuit == "sweep":
                replay_sweep(books, read_sweep(words), world.tick, now)
            elif circuit == "carry":
                replay_carry(books, read_carry(words), world.tick, now, self.ticks)
            else:
                assert self.agrees(books)
                check_coverage(books, read_coverage(words), world.tick, self.ticks)
        ledger.checkpoint()


@pytest.mark.parametrize("seed", range(4))
def test_every_tick_is_covered(seed: int) -> None:
    venue = Venue(RandomWorld(SMALL, seed))
    for tick in range(11):
        for _ in range(25):
            venue.run(venue.world.valid().touches)
        if tick % 5 == 4:  # a crash
            world = venue.world
            world.market.to([int(price * (0.6 if seed % 2 else 1.5)) for price in world.market.prices])
        else:
            venue.world.advance()
        if tick % 4 == 1:
            venue.scatter()
        venue.cover()
    assert venue.counts["kept"] > 20
    assert venue.counts["sweep"] >= 11
    assert venue.counts["regroup"] > 0
