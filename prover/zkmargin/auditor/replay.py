# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger rebuilt in one pass over its events: each is judged where it stands in the chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from zkmargin.auditor.chain import Chain, Event, Posted, entry_of
from zkmargin.auditor.covering import check_coverage, check_kept, replay_carry, replay_regroup, replay_sweep
from zkmargin.auditor.findings import WHOLE, Findings
from zkmargin.auditor.opening import Opening
from zkmargin.auditor.posting import Postings
from zkmargin.auditor.rules import Books, Broken, replay_tick, require
from zkmargin.auditor.tree import Roots
from zkmargin.protocol.constants import Op
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import QueueEntry, Tick
from zkmargin.protocol.posted import (
    CarryWords,
    RegroupWords,
    SweepWords,
    read_carry,
    read_coverage,
    read_regroup,
    read_settle,
    read_sweep,
    read_tick,
)

_CIRCUITS = {
    "Settled": "settle",
    "Ticked": "tick",
    "Swept": "sweep",
    "Regrouped": "regroup",
    "Carried": "carry",
    "CoverageProved": "coverage",
}  # by event
_HeaderWords = SweepWords | RegroupWords | CarryWords


class Replay:
    """The ledger after the events so far.

    `payable`, `pending`: what addresses can withdraw of an asset, now and once the ledger is covered without a
    deficit; `credited`, `paid`: of an asset, in all. `batches`: with the public signals of their proofs.
    `ticks`: by hash, what headers can be anchored at.
    """

    def __init__(self, chain: Chain, found: Findings, opening: Opening) -> None:
        self.found, self.opening = found, opening
        self.books = Books.genesis(opening.profile)
        self.roots = Roots(opening.profile)
        self.postings = Postings(chain, found, opening.domain)
        self.root, self.tick, self.tick_hash, self.batch = opening.root, opening.tick, opening.tick_hash, 0
        self.ticks: dict[int, Tick] = {opening.tick_hash: opening.tick}
        self.entries: list[QueueEntry] = []
        self.payable: Counter[tuple[int, int]] = Counter()  # (address, asset) -> posted units
        self.pending: Counter[tuple[int, int]] = Counter()
        self.credited: Counter[int] = Counter()
        self.paid: Counter[int] = Counter()
        self.covered: list[tuple[int, int, int, int]] = []  # slot, tick, root, batch
        self.solvent = 0  # the last batch that covered a ledger without a deficit
        self.batches: list[tuple[Posted, tuple[int, int, int]]] = []
        self._said: list[Event] = []  # Credited since the last batch
        self._unsaid: Event | None = None  # the coverage that Covered has to follow

    def run(self, events: Sequence[Event], progress: Callable[[str, int, int], None]) -> None:
        """Go through all events of the ledger, in chain order."""
        for index, event in enumerate(events):
            self._step(event)
            progress("re-executing events", index + 1, len(events))
        self._expect(None)
        alone = sum(batch.calldata is None for batch, _ in self.batches)
        if alone:
            self.found.notes.append(
                f"the calldata of {alone} batches is not compared with their events: they were posted "
                "through another contract, or in another form than the canonical one"
            )

    def _step(self, event: Event) -> None:
        self._expect(event)
        if event.name in _CIRCUITS:
            batch = self.postings.read(event, _CIRCUITS[event.name], self.entries[self.books.consumed :])
            self.batches.append((batch, self.postings.public(batch)))
            {
                "settle": self._settle,
                "tick": self._tick,
                "sweep": self._sweep,
                "regroup": self._regroup,
                "carry": self._carry,
                "coverage": self._cover,
            }[batch.circuit](batch)
            self._said.clear()
        elif event.name == "Requested":
            self._requested(event)
        elif event.name == "Credited":
            self._said.append(event)
        elif event.name == "Withdrawn":
            self._withdrawn(event)

    # ---------------------------------------------------------------- events between batches

    def _expect(self, event: Event | None) -> None:
        """queue, coverage: what the last event must be followed by; None for the end of all events."""
        name, tx = ("", "") if event is None else (event.name, event.tx)
        if self._said and (name not in {"Credited", "Settled"} or tx != self._said[0].tx):
            self.found.add("queue", WHOLE, "accounts are credited by no batch")
            self._said.clear()
        coverage, self._unsaid = self._unsaid, None
        if coverage is not None or name == "Covered":
            said = None if event is None or name != "Covered" else (event.tx, event.values)
            due = None if coverage is None else (coverage.tx, self.covered[-1])
            self.found.require(
                "coverage", self.batch, said == due, "Covered is said of other than what was just covered"
            )

    def _requested(self, event: Event) -> None:
        entry = entry_of(event)
        if entry.index != len(self.entries):
            self.found.add("queue", WHOLE, f"deposit {entry.index} stands in place {len(self.entries)}")
        self.entries.append(entry)

    def _withdrawn(self, event: Event) -> None:
        address, asset, amount = int(event.values[0], 16), event.values[1], event.values[2]
        if amount > self.payable[address, asset]:
            self.found.add(
                "queue",
                WHOLE,
                f"{event.values[0]} withdraws {amount} of asset {asset} after batch {self.batch}, "
                f"payable is {self.payable[address, asset]}",
            )
        self.payable[address, asset] -= amount
        self.paid[asset] += amount

    def _credit(self, number: int, due: list[tuple[int, int, int, int, int]]) -> None:
        """queue: the credits of a batch, as proved: address, asset, batch, amount, touch."""
        for address, asset, _, amount, _ in due:
            self.pending[address, asset] += amount
            self.credited[asset] += amount
        said = [(int(event.values[0], 16), *event.values[1:]) for event in self._said]
        self.found.require("queue", number, said == due, "credited amounts are not those proved")

    # ---------------------------------------------------------------- batches

    def _order(self, batch: Posted, previous: int, was: int, what: str) -> None:
        self.batch += 1
        held = batch.number == self.batch and previous == was
        self.found.require(
            "order",
            batch.number,
            held,
            f"batch {batch.number} does not follow {what} of batch {self.batch - 1}",
        )

    def _settle(self, batch: Posted) -> None:
        _, previous, new, tick, consumed = batch.values[:5]
        self._order(batch, previous, self.root, "the root")
        due: list[tuple[int, int, int, int, int]] = []
        with self.found.checking("binding", batch.number):
            posted = read_settle(batch.words, self.books.consumed)
            require(
                (posted.domain, posted.root, posted.tick, posted.new_root)
                == (self.opening.domain, previous, tick, new),
                "the words and the event's fields differ",
            )
            require(tick == self.tick_hash, "it was settled at another tick")
        with self.found.checking("reexec", batch.number):
            posted = read_settle(batch.words, self.books.consumed)
            for number, (touch, recipient) in enumerate(zip(posted.touches, posted.recipients, strict=True)):
                entry = touch.entry
                if entry is not None and self.entries[entry.index : entry.index + 1] != [entry]:
                    raise Broken(f"touch {number}: queue entry {entry.index} is not what was requested")
                account = self.books.touch(touch, self.tick)
                if touch.kept:
                    check_kept(self.books, touch.leaf_index, account, self.ticks)
                if touch.op == Op.WITHDRAW:
                    require(
                        recipient == account.address,
                        f"touch {number}: paid to another address than the account's",
                    )
                    due.append((recipient, touch.instrument, batch.number, touch.size, number))
                if entry is not None and not touch.flag:
                    due.append((entry.depositor, entry.asset, batch.number, entry.amount, number))
            require(self.books.leg is None, "an operation is left half done")
        self._credit(batch.number, due)
        self.found.require(
            "queue", batch.number, self.books.consumed == consumed, "the queue's pointer is another"
        )
        with self.found.checking("root", batch.number):
            root = self.roots.root(self.books)
            require(root == new, f"the new root should be {root}")
        self.root = new

    def _tick(self, batch: Posted) -> None:
        _, slot, previous, new = batch.values[:4]
        self._order(batch, previous, self.tick_hash, "the tick")
        with self.found.checking("binding", batch.number):
            posted = read_tick(batch.words)
            require(
                (posted.domain, posted.previous, posted.params, posted.new, posted.slot)
                == (self.opening.domain, previous, self.opening.params_hash, new, slot),
                "the words and the event's fields differ",
            )
        with self.found.checking("reexec", batch.number):
            self.tick = replay_tick(
                self.opening.params, self.tick, read_tick(batch.words), self.opening.profile
            )
        self.found.require("root", batch.number, tick_hash(self.tick) == new, "the tick's hash is another")
        self.found.require(
            "coverage",
            batch.number,
            previous == (self.covered[-1][1] if self.covered else self.opening.tick_hash),
            "the tick before it was never covered",
        )
        self.tick_hash = new
        self.ticks[new] = self.tick

    def _sweep(self, batch: Posted) -> None:
        self._headers(
            batch, read_sweep, lambda posted: replay_sweep(self.books, posted, self.tick, self.tick_hash)
        )

    def _regroup(self, batch: Posted) -> None:
        self._headers(batch, read_regroup, lambda posted: replay_regroup(self.books, posted))

    def _carry(self, batch: Posted) -> None:
        self._headers(
            batch,
            read_carry,
            lambda posted: replay_carry(self.books, posted, self.tick, self.tick_hash, self.ticks),
        )

    def _headers(
        self, batch: Posted, read: Callable[[Sequence[int]], _HeaderWords], replay: Callable[[Any], None]
    ) -> None:
        """A batch that changes headers, or places, and nothing an account has."""
        _, previous, new, tick = batch.values[:4]
        self._order(batch, previous, self.root, "the root")
        with self.found.checking("binding", batch.number):
            posted = read(batch.words)
            require(
                (posted.domain, posted.root, posted.tick, posted.new_root)
                == (self.opening.domain, previous, tick, new),
                "the words and the event's fields differ",
            )
            require(tick == self.tick_hash, "it was made for another tick")
        with self.found.checking("reexec", batch.number):
            replay(read(batch.words))
        with self.found.checking("root", batch.number):
            root = self.roots.root(self.books)
            require(root == new, f"the new root should be {root}")
        self.root = new

    def _cover(self, batch: Posted) -> None:
        _, root, tick = batch.values[:3]
        self._order(batch, root, self.root, "the root")
        with self.found.checking("binding", batch.number):
            posted = read_coverage(batch.words)
            require(
                (posted.domain, posted.root, posted.tick) == (self.opening.domain, root, tick),
                "the words and the event's fields differ",
            )
            require(tick == self.tick_hash, "it was covered at another tick")
        with self.found.checking("coverage", batch.number):
            check_coverage(self.books, read_coverage(batch.words), self.tick, self.ticks)
        self.covered.append((self.tick.slot, tick, root, batch.number))
        self._unsaid = batch.event
        if self.books.reserve >= 0:
            self.solvent = batch.number
            for claim, amount in self.pending.items():
                self.payable[claim] += amount
            self.pending.clear()
