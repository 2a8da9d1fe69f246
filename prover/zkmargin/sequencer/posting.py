# SPDX-License-Identifier: GPL-3.0-or-later
"""The poster: proves planned batches side by side, posts them in order, what belongs to a tick together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from zkmargin.chain.client import Batch
from zkmargin.chain.transactions import broadcast, is_known, sign, wait
from zkmargin.errors import ChainRejected, InternalError, RootMismatch
from zkmargin.protocol.constants import Op
from zkmargin.proving.pool import Job, Pool
from zkmargin.proving.proof import Proof
from zkmargin.proving.prove import Proved
from zkmargin.sequencer.codec import decode_touch
from zkmargin.sequencer.failpoints import reach
from zkmargin.sequencer.following import BATCH_EVENTS, OPEN, accepted, follow, receipt_record
from zkmargin.sequencer.grouping import next_group, transaction_room
from zkmargin.sequencer.journal import Accepted, BatchHead, BatchRow, BatchState
from zkmargin.sequencer.lateness import Lateness, work_of
from zkmargin.sequencer.service import Sequencer

Told = Callable[[str, BatchRow, str], None]
"""Hears of an event: its name, the batch, and for `late` and `covered_late` the reason."""


@dataclass(frozen=True)
class _Job:
    """A batch at the provers, and since when (`time.monotonic`)."""

    future: Future[Proved]
    begun: float


class Poster:
    """Proves planned batches side by side and posts them in order; every step is journalled first.

    What belongs to one tick goes out in one transaction, as far as it fits. Anybody may post to the contract:
    a batch of others that leaves root and tick as they were is of no consequence, one that is an open batch
    word for word confirms it, and any other ends the run (`RootMismatch`, code `foreign_batch`).
    """

    def __init__(
        self,
        sequencer: Sequencer,
        keys: dict[str, Any],
        pool: Pool,
        before_send: Callable[[BatchRow], None] | None = None,
        told: Told | None = None,
    ) -> None:
        """`told` hears what becomes of a batch: `proving`, `proved`, `confirmed`.

        Of a tick that is not covered when the next slot begins it hears `late`, with what holds it up; of the
        coverage that completes it after that, `covered_late`, with what the tick took.
        """
        self.journal, self.client = sequencer.journal, sequencer.client
        self.setup = sequencer.setup
        self.profile = sequencer.profile
        self.key = sequencer.setup.poster_key
        self.keys, self.pool = keys, pool
        self.before_send, self.told = before_send or (lambda row: None), told or (lambda *_: None)
        self.lateness = Lateness(
            self.journal,
            self.client,
            sequencer.params.slot_seconds,
            lambda row, reason: self.told("late", row, reason),
        )
        self._running: dict[int, _Job] = {}

    def run(self, until_idle: bool = True) -> None:
        """Prove and post till all is confirmed; with `until_idle` False what makes up whole ticks by now."""
        first, room = True, transaction_room(self.client.latest().gas_limit)
        self.look(at_once=True)
        while True:
            heads = self.journal.heads(*OPEN)
            if not heads:
                return
            if first and self._unsent(heads[0]) and self._follow(heads[0]):
                continue
            first = False
            self._begin(heads)
            self.look()
            group = next_group(self.journal.heads(*OPEN), until_idle, room, self.profile)
            if group:
                self._post_next(group)
            elif not until_idle:
                return
            else:
                time.sleep(0.02)

    def look(self, at_once: bool = False) -> None:
        """Tell which ticks are late by now; to be called where `run` is not, when a slot begins."""
        begun = {number: job.begun for number, job in self._running.items()}
        self.lateness.look(self.journal.heads(*OPEN), begun, at_once)

    # ---------------------------------------------------------------- proving

    def _begin(self, heads: list[BatchHead]) -> None:
        """Give the pool what is to be proved next, and take what is proved.

        One job waits for each worker, so that none idles till the next look. A cluster may grow: its size is
        asked for each time there is more to prove.
        """
        planned = [head for head in heads if head.state is BatchState.PLANNED]
        more = [head for head in planned if head.number not in self._running]
        room = 2 * self.pool.workers - len(self._running) if more else 0
        for head in more[: max(room, 0)]:
            row = self.journal.batch(head.number)
            future = self.pool.submit(Job(self.keys[row.circuit], row.inputs))
            self._running[row.number] = _Job(future, time.monotonic())
            self.told("proving", row, "")
        for head in planned:
            job = self._running.get(head.number)
            if job is not None and job.future.done():
                del self._running[head.number]  # one that failed is begun anew by the next run
                self._proved(self.journal.batch(head.number), job.future.result())

    def _proved(self, row: BatchRow, proved: Proved) -> None:
        public = [int(value) for value in row.body["public"]]
        if list(proved.proof.public) != public:
            raise InternalError(
                f"the proof of batch {row.number} is of other public signals", code="wrong_public"
            )
        record = {
            **proved.proof.as_json(row.circuit, self.profile.name),
            "backend": proved.backend,
            "prove_s": proved.prove_s,
            "witness_s": proved.witness_s,
            "verify_s": proved.verify_s,
        }
        reach("before_proved")
        self.journal.advance(row.number, BatchState.PROVED, proof=json.dumps(record))
        reach("proved")
        self.told("proved", row, "")

    # ---------------------------------------------------------------- posting

    def _post_next(self, group: list[BatchHead]) -> None:
        """Take the batches of the next transaction one state further."""
        try:
            self._post([self.journal.batch(head.number) for head in group])
        except ChainRejected:
            if not self._follow(self.journal.head(group[0].number)):
                raise

    def _post(self, rows: list[BatchRow]) -> None:
        web3, first, numbers = self.client.web3, rows[0], [row.number for row in rows]
        if first.state is BatchState.PROVED:
            self._before(rows)
            signed = sign(web3, self.client.post_call([posted_batch(row) for row in rows]), self.key)
            self.journal.sign(numbers, signed.raw, signed.hash)
            reach("signed")
            return
        assert first.tx_hash is not None
        assert first.raw_tx is not None
        if first.state is BatchState.SIGNED:
            self._before(rows)
            broadcast(web3, first.raw_tx)
            reach("after_send")
            self.journal.sent(numbers)
            reach("sent")
        else:
            broadcast(web3, first.raw_tx)
            found = wait(web3, first.tx_hash, meanwhile=self.look)
            events = [event for event in self.client.decode_logs(found.logs) if event.name in BATCH_EVENTS]
            self.journal.confirm(
                [
                    Accepted(number, event.args["batch"], receipt_record(found, event.tx_hash, len(rows)))
                    for number, event in zip(numbers, events, strict=True)
                ]
            )
            reach("confirmed")
            self._confirmed(numbers)

    def _confirmed(self, numbers: Sequence[int]) -> None:
        """Tell that the chain took these batches, and whether one of them covers a tick late."""
        for number in numbers:
            row = self.journal.batch(number)
            self.told("confirmed", row, "")
            covers = row.circuit == "coverage" and row.receipt
            if covers and self.lateness.is_late(row.slot, covers["time"]):
                self.told("covered_late", row, work_of(self.journal, row.slot))

    def _before(self, rows: Sequence[BatchRow]) -> None:
        for row in rows:
            self.before_send(row)

    # ---------------------------------------------------------------- batches of others

    def _unsent(self, head: BatchHead) -> bool:
        """Whether no transaction of the batch can be in the chain yet."""
        if head.state is not BatchState.SIGNED:
            return head.state is not BatchState.SENT
        tx_hash = self.journal.batch(head.number).tx_hash
        return tx_hash is None or not is_known(self.client.web3, tx_hash)

    def _follow(self, first: BatchHead) -> bool:
        """Enter which open batches (`first` is the first) others have posted; says whether there are any."""
        others = accepted(self.journal, self.client, self.setup.from_block, self.client.last_batch())
        if first.state in (BatchState.SIGNED, BatchState.SENT):
            tx_hash = self.journal.batch(first.number).tx_hash
            if any(event.tx_hash == tx_hash for event in others):
                return False  # it is our own, accepted: its receipt says so
        found = follow(self.journal, self.client, others)
        if (foreign := found.foreign) is not None:
            raise RootMismatch(
                f"batch {foreign.args['batch']} on the chain (block {foreign.block}, transaction "
                f"{foreign.tx_hash}) changes the ledger and is not this sequencer's",
                hint="its later batches can't be posted any more: end it, and have it go on from the chain's "
                f"state by `zkmargin adopt --home {self.setup.home}`",
                code="foreign_batch",
            )
        if not found.taken:
            return False
        for taken in found.taken:
            job = self._running.pop(taken.number, None)
            if job is not None:
                job.future.cancel()
        reach("before_taken")
        self.journal.confirm(found.taken)
        reach("taken")
        self._confirmed([taken.number for taken in found.taken])
        return True


def posted_batch(row: BatchRow) -> Batch:
    """A proved batch as the contract takes it."""
    assert row.proof is not None
    touches = [decode_touch(raw) for raw in row.body.get("touches", ())]
    entries = [touch.entry for touch in touches if touch.op == Op.DEPOSIT and touch.entry]
    words = [int(word) for word in row.body["words"]]
    return Batch(row.circuit, words, int(row.body["commitment"]), Proof.from_json(row.proof), entries)
