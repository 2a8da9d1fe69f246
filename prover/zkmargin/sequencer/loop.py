# SPDX-License-Identifier: GPL-3.0-or-later
"""The sequencer's loop: what it does at every tick, from the oracles' reports to what is posted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from zkmargin.errors import Refused
from zkmargin.oracle.reports import Report
from zkmargin.protocol.model import Tick, Touch
from zkmargin.sequencer.posting import Poster
from zkmargin.sequencer.service import Coverage, Outcome, Sequencer

Bids = tuple[Sequence[Touch], Sequence[int]]
"""Signed bids, and the nonce each is signed for."""


@dataclass
class TickRun:
    """What a tick brought. `coverage` is None where `uncovered` says why none can be planned."""

    tick: Tick
    due: Outcome = field(default_factory=Outcome)
    queue: Outcome = field(default_factory=Outcome)
    submitted: Outcome = field(default_factory=Outcome)
    coverage: Coverage | None = None
    uncovered: str = ""


def _no_bids(_: Tick) -> Bids:
    return [], []


def _nothing(_: TickRun) -> None:
    pass


def run_tick(
    sequencer: Sequencer,
    poster: Poster,
    reports: Iterable[Report],
    slot: int,
    *,
    bids: Callable[[Tick], Bids] = _no_bids,
    people: Callable[[TickRun], None] = _nothing,
    decided: Callable[[TickRun], None] = _nothing,
    until_idle: bool = True,
) -> TickRun:
    """Run the tick of `slot`: the tick, what is due, the queue, what was submitted, coverage; then post.

    What is due comes first, so that nobody withdraws or trades ahead of a liquidation. `bids` are asked for
    at the tick, besides those submitted; `people` submit operations after the queue is served; `decided`
    hears of all before it is proved and posted: till all is confirmed or, without `until_idle`, what is
    ready. The poster tells which ticks are late, and why. Where no coverage can be planned, that is why, and
    the rest goes out all the same.

    Raises `Refused` or `BadInput` if there can be no such tick; then nothing has changed, unless coverage of
    the last tick was still to be planned: that is tried first.
    """
    poster.look(at_once=True)
    with _kept(sequencer, poster):
        made = TickRun(sequencer.decide_tick(reports, slot))
    made.due = sequencer.decide_due(*bids(made.tick))
    made.queue = sequencer.decide_queue()
    people(made)
    made.submitted = sequencer.decide_submitted()
    try:
        with _kept(sequencer, poster):
            made.coverage = sequencer.decide_coverage()
    except Refused as refused:
        made.uncovered = refused.message
    decided(made)
    poster.run(until_idle)
    return made


@contextmanager
def _kept(sequencer: Sequencer, poster: Poster) -> Iterator[None]:
    """Let the poster know why the present tick can't be covered, should it ask."""
    try:
        yield
    except Refused as refused:
        if refused.code == "uncovered":
            poster.lateness.refused(sequencer.tick.slot, refused.message)
        raise
