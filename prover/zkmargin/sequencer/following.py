# SPDX-License-Identifier: GPL-3.0-or-later
"""What the chain took that the journal does not know of: batches of its own, and those of others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from zkmargin.chain.client import LedgerClient, LedgerEvent
from zkmargin.chain.transactions import Receipt
from zkmargin.chain.transactions import receipt as receipt_of
from zkmargin.errors import MissingData
from zkmargin.sequencer.journal import Accepted, BatchRow, BatchState, Journal

OPEN = tuple(state for state in BatchState if state is not BatchState.CONFIRMED)
BATCH_EVENTS = ("Settled", "Ticked", "Swept", "Regrouped", "Carried", "CoverageProved")


@dataclass(frozen=True)
class Followed:
    """Open batches that the chain took in the journal's order, up to `foreign`: the first batch of others
    that changes the ledger, if there is one."""

    taken: list[Accepted]
    foreign: LedgerEvent | None


def accepted(journal: Journal, client: LedgerClient, from_block: int, last: int) -> list[LedgerEvent]:
    """Batches on the chain after the last one known to be confirmed, up to its batch `last`, in order.

    Raises `MissingData` if the node does not give them all.
    """
    known, block, number = journal.last_confirmed(), from_block, 0
    if known is not None:
        receipt, number = journal.batch(known.number).receipt, known.chain_number
        block = receipt["block"] if receipt else block
    if last <= number:
        return []
    events = client.events(block, names=BATCH_EVENTS)
    found = [event for event in events if number < event.args["batch"] <= last]
    if [event.args["batch"] for event in found] != list(range(number + 1, last + 1)):
        raise MissingData(
            f"the node does not give the events of batches {number + 1} to {last}",
            hint="use a node that has the ledger's whole history, then run again",
            code="no_events",
        )
    return found


def follow(journal: Journal, client: LedgerClient, events: Iterable[LedgerEvent]) -> Followed:
    """Compare accepted batches with the open ones.

    A batch of others that leaves root and tick as they were is of no consequence.
    """
    waiting, taken = journal.heads(*OPEN), list[Accepted]()
    for event in events:
        row = journal.batch(waiting[0].number) if waiting else None
        if row is not None and is_of(row, event):
            taken.append(accepted_by(client, row, event))
            waiting = waiting[1:]
        elif not _changes_nothing(event):
            return Followed(taken, event)
    return Followed(taken, None)


def is_of(row: BatchRow, event: LedgerEvent) -> bool:
    """Whether an event tells of this batch, word for word, whoever posted it."""
    return bool(int(row.body["commitment"]) == event.args["commitment"])


def accepted_by(client: LedgerClient, row: BatchRow, event: LedgerEvent) -> Accepted:
    """That the chain took a batch, as an event says."""
    lost = Receipt(event.tx_hash, event.block, 0, 0, None, [])  # by a node that forgets
    found = receipt_of(client.web3, event.tx_hash) or lost
    shared = sum(log.name in BATCH_EVENTS for log in client.decode_logs(found.logs)) or 1
    record = receipt_record(found, event.tx_hash, shared)
    by_others = {} if event.tx_hash == row.tx_hash else {"foreign": True}
    return Accepted(row.number, event.args["batch"], {**record, **by_others})


def receipt_record(found: Receipt, tx_hash: str, shared: int) -> dict[str, Any]:
    """What is kept of a transaction; its gas is told in equal parts."""
    gas = found.gas_used // shared
    return {"block": found.block, "time": found.timestamp, "gas": gas, "tx": tx_hash, "batches": shared}


def _changes_nothing(event: LedgerEvent) -> bool:
    """Whether an accepted batch left root and tick as they were: no tick does, every coverage does."""
    if event.name == "CoverageProved":
        return True
    return "newRoot" in event.args and event.args["previousRoot"] == event.args["newRoot"]
