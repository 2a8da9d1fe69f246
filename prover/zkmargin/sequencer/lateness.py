# SPDX-License-Identifier: GPL-3.0-or-later
"""Ticks that are not covered in time: said once when the time is up, with the reason.

A tick is to be covered before the next slot begins, by the chain's clock: the time of its latest block.
Whether it is covered is asked of the contract, so that a coverage that others posted counts too.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from zkmargin.chain.client import LedgerClient
from zkmargin.sequencer.journal import ADOPTED, BatchHead, BatchRow, BatchState, Journal

LOOK_SECONDS = 1.0  # how often the chain is asked while batches are under way
_NAMED = 8  # batches at the provers that a reason names
_UNSENT = (BatchState.PLANNED, BatchState.PROVED)

Late = Callable[[BatchRow, str], None]
"""Hears of a late tick, its batch, and the reason."""


class Lateness:
    """Watches the ticks in the journal against the chain's clock."""

    def __init__(self, journal: Journal, client: LedgerClient, slot_seconds: int, late: Late) -> None:
        self._journal, self._client, self._slot_seconds, self._late = journal, client, slot_seconds, late
        self._refusal = (0, "")  # slot, reason
        self._told = 0  # the last slot told of
        self._seen: dict[int, float] = {}  # when an open batch was met first
        self._looked = float("-inf")

    def refused(self, slot: int, reason: str) -> None:
        """Keep why no coverage of the tick of `slot` can be planned, in case its time runs out."""
        self._refusal = (slot, reason)

    def is_late(self, slot: int, seconds: int) -> bool:
        """Whether it is too late at `seconds` since 1970 to cover the tick of `slot`."""
        return seconds >= (slot + 1) * self._slot_seconds

    def look(self, heads: Sequence[BatchHead], proving: Mapping[int, float], at_once: bool = False) -> None:
        """Tell of the ticks that are late by now; asks the chain once in `LOOK_SECONDS`, or `at_once`.

        `heads`: the open batches. `proving`: those at the provers, and since when by `time.monotonic`.
        """
        now = time.monotonic()
        self._seen = {head.number: self._seen.get(head.number, now) for head in heads}
        if not at_once and now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        last = self._journal.last_batch()
        if not last:
            return
        slots = {head.slot for head in heads} | {self._journal.head(last).slot}
        slots = {slot for slot in slots if slot > self._told}
        seconds = self._client.latest().time if slots else 0
        late = sorted(slot for slot in slots if self.is_late(slot, seconds))
        covered = self._client.covered_slot() if late else 0
        for slot in late:
            self._told = slot
            if slot > covered:
                reason = self._refusal[1] if self._refusal[0] == slot else ""
                waits = {number: now - since for number, since in (self._seen | dict(proving)).items()}
                self._late(_tick_of(self._journal, slot), reason or open_work(heads, slot, proving, waits))


def open_work(
    heads: Sequence[BatchHead], slot: int, proving: Mapping[int, float], waits: Mapping[int, float]
) -> str:
    """What the coverage of the tick of `slot` waits for, in words.

    `heads`: open batches. `waits`: for how many seconds each has been where it is: at the provers if it is
    in `proving`, else open.
    """
    ends = [place for place, head in enumerate(heads, 1) if (head.circuit, head.slot) == ("coverage", slot)]
    before = heads[: ends[-1]] if ends else [head for head in heads if head.slot <= slot]
    parts = [] if ends else ["its coverage is not planned"]
    busy = [head for head in before if head.number in proving]
    if busy:
        named = [f"{head.circuit} {head.number} for {waits[head.number]:.0f} s" for head in busy[:_NAMED]]
        more = [f"{len(busy) - _NAMED} more"] if len(busy) > _NAMED else []
        parts.append(f"at the provers: {', '.join(named + more)}")
    idle = [head for head in before if head.state is BatchState.PLANNED and head.number not in proving]
    counted = (
        (idle, "waiting for a prover"),
        ([head for head in before if head.state is BatchState.PROVED], "proved and not yet sent"),
        ([head for head in before if head.state not in _UNSENT], "sent and in no block yet"),
    )
    for some, what in counted:
        if some:
            longest = max(waits[head.number] for head in some)
            parts.append(f"{len(some)} {what}, open for up to {longest:.0f} s")
    return "; ".join(parts)


def work_of(journal: Journal, slot: int) -> str:
    """What the tick of a slot took to prove, for whoever asks why its coverage was late."""
    proofs: Counter[str] = Counter()
    seconds = 0.0
    for head in journal.heads_back():
        if head.slot < slot:
            break
        proof = journal.batch(head.number).proof if head.slot == slot else None
        if proof is not None:
            proofs[head.circuit] += 1
            seconds += proof["prove_s"] + proof["witness_s"]
    counted = ", ".join(f"{count} {circuit}" for circuit, count in sorted(proofs.items()))
    return f"slot {slot} took {seconds:.1f} s of proving: {counted}"


def _tick_of(journal: Journal, slot: int) -> BatchRow:
    """The batch that brought the tick of a slot, or the state it was adopted with."""
    number = next(
        head.number
        for head in journal.heads_back()
        if head.slot == slot and head.circuit in ("tick", ADOPTED)
    )
    return journal.batch(number)
