# SPDX-License-Identifier: GPL-3.0-or-later
"""The sequencer: takes the queue, submitted operations and oracle reports; decides batches; proves and posts them.

Deciding runs ahead of proving, and proving ahead of posting; the journal holds everything in between (see
`journal.py`). The state file is written after the journal: on a restart the journal's later batches are replayed on it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zkmargin.chain.client import LedgerClient
from zkmargin.chain.transactions import broadcast, sign, wait
from zkmargin.engine.due import Bid, Settling, unhealthy
from zkmargin.engine.ticks import genesis_tick
from zkmargin.engine.transition import CLEAR, Effect, apply
from zkmargin.errors import InternalError, Refused
from zkmargin.oracle.reports import Board, Report
from zkmargin.protocol.constants import Op, load
from zkmargin.protocol.model import Params, QueueEntry, Tick, Touch
from zkmargin.protocol.words import domain_word
from zkmargin.proving.pool import Job, ProvingPool
from zkmargin.proving.proof import Proof
from zkmargin.proving.prove import Proved
from zkmargin.sequencer.codec import decode_tick, decode_touch, encode, encode_tick
from zkmargin.sequencer.drafting import Draft, write_effect
from zkmargin.sequencer.failpoints import reach
from zkmargin.sequencer.home import write_setup
from zkmargin.sequencer.journal import BatchRow, BatchState, Journal
from zkmargin.sequencer.requests import deposit_touches, placed, read_request, standing_bid
from zkmargin.sequencer.ticking import make_tick_batch
from zkmargin.state.ledger import Ledger
from zkmargin.state.store import Store

AHEAD = 4  # proofs begun but not yet posted


@dataclass(frozen=True)
class Setup:
    """What a sequencer is told: where its files are, the chain, the venue's parameters, keys to prove and to post with."""

    home: Path
    chain_id: int
    ledger: str
    from_block: int
    profile: str
    params: Params
    genesis_slot: int
    poster_key: str
    rpc: str = ""


@dataclass
class Outcome:
    """What deciding a tick or a round of operations did."""

    effects: list[Effect] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)  # (operation id, reason)


class Sequencer:
    """One ledger's sequencer. `keys` of the proving pool belong to the profile's circuits."""

    def __init__(self, setup: Setup, client: LedgerClient) -> None:
        self.setup, self.client = setup, client
        write_setup(setup)
        self.params = setup.params
        self.profile = load().profile(setup.profile)
        self.domain = domain_word(setup.chain_id, setup.ledger)
        self.journal = Journal(setup.home / "journal.sqlite")
        self.store = Store(setup.home / "state.sqlite", self.profile)
        self._queue: dict[int, QueueEntry] = {}
        self._draft: Draft | None = None
        self._draft_operations: list[int] = []
        self._recover()

    # ---------------------------------------------------------------- recovery

    def _recover(self) -> None:
        """Load the state and replay journalled batches that it lacks."""
        self.ledger: Ledger = self.store.load()
        self.tick: Tick = genesis_tick(self.params, self.setup.genesis_slot)
        if self.store.batch is None:
            self.store.save(self.ledger, 0)
        stored = self.store.batch or 0
        for row in self.journal.batches():
            if row.circuit == "tick":
                self.tick = decode_tick(row.body["tick"])
            if row.number <= stored:
                continue
            if row.circuit == "settle":
                self._replay(row)
            self.store.save(self.ledger, row.number)

    def _replay(self, row: BatchRow) -> None:
        pending = CLEAR
        for raw in row.body["touches"]:
            effect = apply(self.ledger, pending, decode_touch(raw), self.tick, self.domain)
            write_effect(self.ledger, effect)
            pending = effect.pending
        if str(self.ledger.root()) != row.body["new_root"]:
            raise InternalError(f"replaying batch {row.number} gives another root", code="journal_replay")

    # ---------------------------------------------------------------- deciding

    def submit(self, request: Any) -> int:
        """Take a signed operation (see `requests.py`) into the journal; raises `Refused` or `BadInput` if it can't stand.

        It is tried against the present state, so that a bad one is refused at once; it may still be refused when
        its turn comes.
        """
        kind, touches = read_request(request)
        if kind != "bid":
            draft = Draft(self.ledger, self.tick, self.domain)
            savepoint = self.ledger.savepoint()
            try:
                draft.add([placed(touch, self.ledger) for touch in touches])
            finally:
                self.ledger.rollback(savepoint)
        else:
            placed(touches[0], self.ledger)
        digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        return self.journal.submit(digest, request)

    def decide_tick(self, reports: Iterable[Report], slot: int) -> Tick:
        """Plan the tick of `slot` from the oracles' reports; raises `Refused` for a bad report or no quorum."""
        self.close_draft()
        board = Board(self.domain, self.params, self.profile.quorum, slot, self.tick.slot)
        for report in reports:
            board.add(report)
        number = self.journal.last_batch() + 1
        batch = make_tick_batch(number, self.setup.chain_id, self.domain, self.params, self.profile, self.tick,
                                board.quorate())
        body = {"tick": encode_tick(batch.tick), **_posting(batch.posting)}
        reach("before_plan")
        self.journal.plan(number, "tick", slot, body, batch.inputs, [])
        reach("planned")
        self.tick = batch.tick
        self.store.save(self.ledger, number)
        return batch.tick

    def decide_due(self, bids: Sequence[Touch], nonces: Sequence[int]) -> Outcome:
        """Plan what the tick makes due: liquidations, deleveraging, absorption, until every account is healthy."""
        outcome = Outcome()

        def attempt(operation: Sequence[Touch]) -> bool:
            try:
                outcome.effects += self._add(operation)
            except Refused:
                return False
            return True

        standing: list[Bid] = [standing_bid(touch, nonce) for touch, nonce in zip(bids, nonces, strict=True)]
        for _ in Settling(self.ledger, self.tick, standing, attempt).settle_all():
            pass
        return outcome

    def decide_queue(self) -> Outcome:
        """Plan every deposit that stands in the contract's queue, in order."""
        outcome = Outcome()
        for entry in self.client.queued(self.setup.from_block):
            self._queue[entry.index] = entry
        while (entry := self._queue.get(self.ledger.consumed)) is not None:
            performed, refusal = deposit_touches(self.ledger, entry)
            try:
                outcome.effects += self._add([performed])
            except Refused:
                outcome.effects += self._add([refusal])
        return outcome

    def decide_submitted(self) -> Outcome:
        """Plan waiting withdrawals and trades in the order they came; what no longer holds is refused with its reason."""
        outcome = Outcome()
        for row in self.journal.operations("waiting"):
            kind, touches = read_request(row.body)
            if kind == "bid" or row.id in self._draft_operations:
                continue
            try:
                effects = self._add([placed(touch, self.ledger) for touch in touches], row.id)
                outcome.effects += effects
            except Refused as error:
                self.journal.refuse(row.id, str(error))
                outcome.refused.append((row.id, str(error)))
        return outcome

    def _add(self, operation: Sequence[Touch], identity: int | None = None) -> list[Effect]:
        if self._draft is not None and self._draft.room < len(operation):
            self.close_draft()
        if self._draft is None:
            self._draft = Draft(self.ledger, self.tick, self.domain)
        effects = self._draft.add(operation)
        if identity is not None:
            self._draft_operations.append(identity)
        return effects

    def close_draft(self) -> None:
        """Plan the settle batch that has been collected so far, if there is one with anything in it."""
        draft, self._draft = self._draft, None
        if draft is None or not draft.steps:
            return
        number = self.journal.last_batch() + 1
        batch = draft.finish(number, self.setup.chain_id)
        body = {
            "touches": [encode(touch) for touch in batch.touches], "new_root": str(batch.new_root),
            **_posting(batch.posting),
        }
        reach("before_plan")
        self.journal.plan(number, "settle", self.tick.slot, body, batch.inputs, self._draft_operations)
        reach("planned")
        self._draft_operations = []
        self.store.save(self.ledger, number)

    def unhealthy(self) -> list[int]:
        """Accounts below maintenance margin at the present tick."""
        return unhealthy(self.ledger, self.tick)

    def close(self) -> None:
        """Close the files."""
        self.store.close()
        self.journal.close()


def _posting(posting: Any) -> dict[str, Any]:
    return {"words": [str(word) for word in posting.words], "commitment": str(posting.commitment),
            "public": [str(posting.commitment), str(posting.challenge), str(posting.evaluation)]}


class Poster:
    """Proves planned batches side by side and posts them in order; every step is journalled first."""

    def __init__(self, sequencer: Sequencer, keys: dict[str, Any], pool: ProvingPool,
                 before_send: Callable[[BatchRow], None] | None = None,
                 told: Callable[[str, BatchRow], None] | None = None) -> None:
        self.journal, self.client = sequencer.journal, sequencer.client
        self.key = sequencer.setup.poster_key
        self.keys, self.pool = keys, pool
        self.before_send, self.told = before_send or (lambda row: None), told or (lambda event, row: None)
        self._running: dict[int, Future[Proved]] = {}

    def run(self, until_idle: bool = True) -> None:
        """Prove and post; returns when all planned batches are confirmed, or with `until_idle` False as soon as nothing is ready."""
        while True:
            open_rows = list(self.journal.batches(*[s for s in BatchState if s is not BatchState.CONFIRMED]))
            if not open_rows:
                return
            self._begin(open_rows)
            if self._post_ready(open_rows[0]):
                continue
            if not until_idle:
                return
            time.sleep(0.02)

    def _begin(self, rows: list[BatchRow]) -> None:
        for row in rows[:AHEAD]:
            if row.state is BatchState.PLANNED and row.number not in self._running:
                self._running[row.number] = self.pool.submit(Job(self.keys[row.circuit], row.inputs))
                self.told("proving", row)
        for row in rows[:AHEAD]:
            future = self._running.get(row.number)
            if row.state is BatchState.PLANNED and future is not None and future.done():
                self._proved(row, future.result())

    def _proved(self, row: BatchRow, proved: Proved) -> None:
        public = [int(value) for value in row.body["public"]]
        if list(proved.proof.public) != public:
            raise InternalError(f"the proof of batch {row.number} is of other public signals", code="wrong_public")
        record = {**proved.proof.as_json(row.circuit), "backend": proved.backend, "prove_s": proved.prove_s,
                  "witness_s": proved.witness_s, "verify_s": proved.verify_s}
        reach("before_proved")
        self.journal.advance(row.number, BatchState.PROVED, proof=json.dumps(record))
        reach("proved")
        self._running.pop(row.number, None)
        self.told("proved", row)

    def _post_ready(self, row: BatchRow) -> bool:
        """Take the first open batch one state further, if it is proved; says whether it did."""
        row = self.journal.batch(row.number)
        if row.state is BatchState.PLANNED:
            return False
        if row.state is BatchState.PROVED:
            self.before_send(row)
            signed = sign(self.client.web3, self._call(row), self.key)
            self.journal.advance(row.number, BatchState.SIGNED, raw_tx=signed.raw, tx_hash=signed.hash)
            reach("signed")
        elif row.state is BatchState.SIGNED:
            assert row.raw_tx is not None
            self.before_send(row)
            broadcast(self.client.web3, row.raw_tx)
            reach("after_send")
            self.journal.advance(row.number, BatchState.SENT)
            reach("sent")
        else:
            assert row.tx_hash is not None and row.raw_tx is not None
            broadcast(self.client.web3, row.raw_tx)
            receipt = wait(self.client.web3, row.tx_hash)
            record = {"block": receipt.block, "gas": receipt.gas_used, "tx": receipt.hash}
            self.journal.advance(row.number, BatchState.CONFIRMED, receipt=json.dumps(record))
            reach("confirmed")
            self.told("confirmed", self.journal.batch(row.number))
        return True

    def _call(self, row: BatchRow) -> Any:
        assert row.proof is not None
        words = [int(word) for word in row.body["words"]]
        proof = Proof.from_json(row.proof)
        commitment = int(row.body["commitment"])
        if row.circuit == "tick":
            return self.client.tick_call(words, commitment, proof)
        touches = [decode_touch(raw) for raw in row.body["touches"]]
        entries = [touch.entry for touch in touches if touch.op == Op.DEPOSIT and touch.entry]
        return self.client.settle_call(words, entries, commitment, proof)
