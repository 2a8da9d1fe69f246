# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches as they were posted: event, calldata, commitment and challenge bound to one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zkmargin.auditor.chain import Chain, Event, Posted
from zkmargin.auditor.findings import Findings
from zkmargin.errors import BadInput
from zkmargin.protocol.constants import CIRCUIT_IDS, Op, load
from zkmargin.protocol.model import QueueEntry
from zkmargin.protocol.words import challenge, commitment, evaluate, header_word


class Postings:
    """Reads the batches of a ledger, in their order; what does not fit is a failure of `binding`."""

    def __init__(self, chain: Chain, found: Findings, domain: int) -> None:
        self.chain, self.found, self.domain = chain, found, domain
        self._calldata: dict[str, list[tuple[Any, ...]] | None] = {}  # of the transaction under way

    def read(self, event: Event, circuit: str, waiting: Sequence[QueueEntry]) -> Posted:
        """The batch of an event, with its calldata compared; `waiting`: deposits not consumed before it."""
        words, proof = tuple(event.values[-2]), tuple(event.values[-1])
        number, c = event.values[0], event.values[-3]
        sent: tuple[Any, ...] | None = None
        with self.found.checking("binding", number):
            if event.tx not in self._calldata:
                self._calldata = {event.tx: self.chain.calldata(event)}
            batches = self._calldata[event.tx]  # they stand in the order of their events
            if batches is not None:
                sent = batches.pop(0) if batches else (0, (), (), 0, ())
        if sent is not None:
            given, posted, entries, commitment_, proof_ = sent
            held = (
                given == CIRCUIT_IDS[circuit]
                and tuple(proof_) == proof
                and commitment_ == c
                and _blanked(circuit, words) == tuple(posted)
                and list(words[:2]) == [header_word(circuit, len(words)), self.domain]
            )
            want = [_entry_row(entry) for entry in waiting[: len(entries)]]
            self.found.require("binding", number, held and list(entries) == want, "calldata and event differ")
        return Posted(event, number, circuit, event.values, c, words, proof, sent)

    def public(self, batch: Posted) -> tuple[int, int, int]:
        """C, r, y recomputed; binding fails where C is another."""
        try:
            c = commitment(batch.words)
        except BadInput as error:  # a word that is no field element
            self.found.add("binding", batch.number, f"the posted words have no hash: {error.message}")
            return batch.commitment, 0, 0
        self.found.require(
            "binding", batch.number, c == batch.commitment, "C is not the hash of the posted words"
        )
        r = challenge(self.chain.chain_id, self.chain.ledger, c, batch.words)
        return c, r, evaluate(batch.words, r)


def _entry_row(entry: QueueEntry) -> tuple[str, int, int, int, int, bytes]:
    return (
        f"0x{entry.depositor:040x}",
        entry.kind,
        entry.asset,
        entry.amount,
        entry.target,
        entry.owner.to_bytes(32, "big"),
    )


def _blanked(circuit: str, words: tuple[int, ...]) -> tuple[int, ...]:
    """The words with those the contract writes set to 0, as they stand in calldata."""
    layout = load().words[circuit]
    blank = {i for i, name in enumerate(layout.fixed) if name in layout.contract_written}
    if circuit == "settle":
        step, start = len(layout.repeated), len(layout.fixed)
        for i in range(start, len(words), step):
            if words[i] & 0xFF == Op.DEPOSIT:
                blank |= {i + 1, i + 2, i + 3}
    return tuple(0 if i in blank else word for i, word in enumerate(words))
