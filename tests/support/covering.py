# SPDX-License-Identifier: GPL-3.0-or-later
"""What covers a ledger at a tick, as the sequencer finds it."""

from __future__ import annotations

from collections.abc import Iterator

from zkmargin.sequencer.covering import (
    CarryBatch,
    CoverageBatch,
    Displacements,
    SweepBatch,
    carries,
    make_carry,
    make_coverage,
    make_sweep,
    pages_to_sweep,
    survey,
    sweeps,
)
from zkmargin.state.ledger import Ledger


def cover(
    ledger: Ledger, moved: Displacements, domain: int, chain_id: int
) -> Iterator[tuple[str, SweepBatch | CarryBatch | CoverageBatch]]:
    """(circuit, batch) of what needs a sweep or a carry, and of the coverage; written into the ledger."""
    place, found = (domain, chain_id), survey(ledger, moved)
    for radius, pages in sweeps(ledger, moved.now, pages_to_sweep(ledger, moved, found)):
        yield "sweep", make_sweep(ledger, moved.now, *place, radius, pages)
    for blocks in list(carries(ledger, moved, found)):
        yield "carry", make_carry(ledger, moved, *place, blocks)
    yield "coverage", make_coverage(ledger, moved, *place)
