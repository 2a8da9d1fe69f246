# SPDX-License-Identifier: GPL-3.0-or-later
"""A demo's sequencer after the replay: takes what is submitted, at the last prices, till interrupted."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from zkmargin.demo.report import Progress
from zkmargin.protocol.constants import Op
from zkmargin.sequencer.posting import Poster
from zkmargin.sequencer.service import Sequencer

_EVERY = 0.5  # seconds between looks at journal and queue


def serve(sequencer: Sequencer, poster: Poster, folder: Path, progress: Progress) -> None:
    """Decide, prove, post and cover whatever comes, till an interrupt at the keyboard.

    No tick comes any more: trades and withdrawals are judged at the last one, bids wait.
    """
    progress.line(
        f"node and sequencer keep running at the last prices: submit operations with --home "
        f"{folder / 'sequencer'}; Ctrl-C ends them"
    )
    progress.rest()
    try:
        while True:
            take_round(sequencer, poster, progress)
            time.sleep(_EVERY)
    except KeyboardInterrupt:
        progress.line("node and sequencer end")


def take_round(sequencer: Sequencer, poster: Poster, progress: Progress) -> None:
    """Decide what came since the last round, queue and operations, and its coverage; then post that."""
    decided, done = sequencer.journal.last_batch(), sequencer.decide_queue()
    submitted = sequencer.decide_submitted()
    sequencer.decide_coverage()
    for number, reason in submitted.refused:
        progress.line(f"operation {number} is refused: {reason}")
        progress.rest()
    effects = [*done.effects, *submitted.effects]
    if sequencer.journal.last_batch() == decided:
        return
    counts = Counter(Op(effect.touch.op).name.lower() for effect in effects)
    taken = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    progress.line(f"proving {taken}")
    poster.run()
    last = sequencer.journal.head(sequencer.journal.last_batch())
    progress.line(f"{taken} posted and covered, batch {last.chain_number}")
    progress.rest()
