# SPDX-License-Identifier: GPL-3.0-or-later
"""The sequencer: takes the queue, submitted operations and oracle reports; decides, proves and posts batches.

Deciding runs ahead of proving, and proving ahead of posting; the journal holds everything in between (see
`journal.py`). The state file is written after the journal: on a restart the journal's later batches
are replayed on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zkmargin.chain.client import LedgerClient, QueueFeed
from zkmargin.engine.due import Bid, Settling
from zkmargin.engine.placement import Regrouping
from zkmargin.engine.ticks import genesis_tick
from zkmargin.engine.transition import CLEAR, Effect, apply
from zkmargin.errors import BadInput, InternalError, Refused
from zkmargin.oracle.reports import Board, Report
from zkmargin.protocol.constants import Op, load
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Params, Tick, Touch
from zkmargin.protocol.words import domain_word
from zkmargin.sequencer.codec import decode_touch, encode, encode_tick
from zkmargin.sequencer.covering import (
    Carried,
    CarryBatch,
    CoverageBatch,
    Displacements,
    RegroupBatch,
    SweepBatch,
    carries,
    make_carry,
    make_coverage,
    make_regroup,
    make_sweep,
    pages_to_sweep,
    regroup,
    regroupings,
    survey,
    sweeps,
)
from zkmargin.sequencer.drafting import Draft, write_effect
from zkmargin.sequencer.failpoints import reach
from zkmargin.sequencer.home import check_chain, check_files, write_setup
from zkmargin.sequencer.journal import ADOPTED, QUEUE_BLOCK, BatchHead, BatchRow, Journal
from zkmargin.sequencer.requests import (
    check_bid,
    deposit_touches,
    placed,
    read_request,
    signed_digest,
    standing_bid,
)
from zkmargin.sequencer.snapshot import last_state, ticks_in
from zkmargin.sequencer.standing import Standing
from zkmargin.sequencer.ticking import make_tick_batch
from zkmargin.state.ledger import Ledger
from zkmargin.state.store import Store


@dataclass(frozen=True)
class Setup:
    """What a sequencer is told: where its files are, the chain, the venue's parameters, the poster's key."""

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


@dataclass
class Coverage:
    """What covering a tick took: `effects` of what was still due, pages swept and regrouped, blocks whose
    headers were carried, proofs."""

    effects: list[Effect] = field(default_factory=list)
    swept: int = 0
    regrouped: int = 0
    carried: int = 0
    proofs: int = 0


class Sequencer:
    """One ledger's sequencer. `keys` of the proving pool belong to the profile's circuits."""

    def __init__(self, setup: Setup, client: LedgerClient) -> None:
        self.setup, self.client = setup, client
        check_files(setup.home)
        check_chain(setup, client)
        write_setup(setup)
        self.params = setup.params
        self.profile = load().profile(setup.profile)
        self.domain = domain_word(setup.chain_id, setup.ledger)
        self.journal = Journal(setup.home / "journal.sqlite")
        self.store = Store(setup.home / "state.sqlite", self.profile)
        self._queue = QueueFeed(client, int(self.journal.get(QUEUE_BLOCK) or setup.from_block))
        self._draft: Draft | None = None
        self._draft_operations: list[int] = []
        self._draft_refusals: list[tuple[int, str]] = []  # judged against the draft, so durable only with it
        self._recover()
        self._standing = Standing(self.ledger)

    # ---------------------------------------------------------------- recovery

    def _recover(self) -> None:
        """Load the last state and replay journalled batches that it lacks."""
        genesis = genesis_tick(self.params, self.setup.genesis_slot)
        ledger, tick, at = last_state(self.journal, self.store, self.profile, genesis)
        self.ledger: Ledger = ledger
        self.tick: Tick = tick
        if self.store.batch != at:
            self.store.save(self.ledger, at)
        heads = self.journal.heads()
        for head in heads:
            if head.number <= at:
                continue
            row = self.journal.batch(head.number)
            if row.circuit == "tick":
                (self.tick,) = ticks_in(row)
            elif row.circuit == "settle":
                self._replay(row)
            elif row.circuit == "sweep":
                for page in row.body["pages"]:
                    self.ledger.set_header(page, tick_hash(self.tick), row.body["radius"])
                self._check_replayed(row)
            elif row.circuit == "regroup":
                regroup(self.ledger, row.body["pages"], row.body["origins"], row.body["radius"])
                self._check_replayed(row)
            elif row.circuit == "carry":
                for block, anchor, radius in row.body["blocks"]:
                    self.ledger.set_block_header(block, int(anchor), radius)
                self._check_replayed(row)
            self.store.save(self.ledger, row.number)
        self._ticks = self._anchored(heads)

    def _anchored(self, heads: Sequence[BatchHead]) -> dict[int, Tick]:
        """The ticks that headers name, by their hash: looked for backwards in the journal."""
        genesis = genesis_tick(self.params, self.setup.genesis_slot)  # stands in no journal
        found, wanted = {tick_hash(genesis): genesis}, self._anchors() - {tick_hash(genesis)}
        for head in reversed(heads):
            if not wanted:
                break
            if head.circuit in ("tick", ADOPTED):
                for tick in ticks_in(self.journal.batch(head.number)):
                    if (digest := tick_hash(tick)) in wanted:
                        found[digest] = tick
                        wanted.remove(digest)
        return found

    def _replay(self, row: BatchRow) -> None:
        pending = CLEAR
        for raw in row.body["touches"]:
            effect = apply(self.ledger, pending, decode_touch(raw), self.tick, self.domain)
            write_effect(self.ledger, effect)
            pending = effect.pending
        self._check_replayed(row)

    def _check_replayed(self, row: BatchRow) -> None:
        if str(self.ledger.root()) != row.body["new_root"]:
            raise InternalError(f"replaying batch {row.number} gives another root", code="journal_replay")

    # ---------------------------------------------------------------- deciding

    def submit(self, request: Any) -> int:
        """Take a signed operation (see `requests.py`) into the journal; raises `Refused` or `BadInput`.

        It is tried against the present state, so that a bad one is refused at once; it may still be refused
        when its turn comes.
        """
        kind, touches = read_request(request)
        if kind != "bid":
            draft = Draft(self.ledger, self.tick, self.domain)
            savepoint = self.ledger.savepoint()
            try:
                draft.add([placed(touch, self.ledger) for touch in touches])
            finally:
                self.ledger.rollback(savepoint)
            signers = [self.ledger.account(touch.account_id) for touch in touches]
        else:
            signers = [check_bid(touches[0], self.ledger, self.tick, self.domain)]
        return self.journal.submit(signed_digest(touches, signers, self.domain), request)

    def decide_tick(self, reports: Iterable[Report], slot: int) -> Tick:
        """Plan the tick of `slot` from the oracles' reports, after closing the draft.

        The contract takes no tick before the last is covered: that is planned first where it is still to be.
        Raises `Refused` for a bad report or no quorum, `BadInput` for a slot there can't be; then nothing has
        changed.
        """
        board = Board(self.domain, self.params, self.profile.quorum, slot, self.tick.slot)
        for report in reports:
            board.add(report)
        batch = make_tick_batch(
            self.setup.chain_id, self.domain, self.params, self.profile, self.tick, board.quorate()
        )
        self.close_draft()
        if not self._tick_covered():
            self.decide_coverage()
        number = self.journal.last_batch() + 1
        body = {"tick": encode_tick(batch.tick), **_posting(batch.posting)}
        reach("before_plan")
        self.journal.plan(number, "tick", slot, body, batch.inputs, [])
        reach("planned")
        self.tick = batch.tick
        self.store.save(self.ledger, number)
        return batch.tick

    def decide_due(self, bids: Sequence[Touch], nonces: Sequence[int]) -> Outcome:
        """Plan what the tick makes due: liquidations, deleveraging, absorption, till all are healthy.

        Takers are the `bids` given, with the nonces they are signed for, and those submitted: a submitted bid
        waits until it is filled, or refused when its time or nonce has passed.
        """
        outcome = Outcome()
        submitted = self._submitted_bids(outcome)
        standing: list[Bid] = [standing_bid(touch, nonce) for touch, nonce in zip(bids, nonces, strict=True)]
        standing += [bid for _, bid in submitted]
        waiting = {(bid.account_id, bid.nonce, bid.instrument): number for number, bid in submitted}

        def attempt(operation: Sequence[Touch]) -> bool:
            self._make_room(len(operation))
            try:
                effects = self._add(operation)
            except Refused:
                return False
            outcome.effects += effects
            for effect in effects:
                taken = (effect.before.id, effect.before.nonce, effect.touch.instrument)
                if effect.touch.op == Op.TAKE_BID and taken in waiting:
                    self._draft_operations.append(waiting.pop(taken))
            return True

        for _ in Settling(self.ledger, self.tick, standing, attempt, self.unhealthy).settle_all():
            pass
        return outcome

    def _submitted_bids(self, outcome: Outcome) -> list[tuple[int, Bid]]:
        """(operation, bid) of the bids that wait; those that nobody can take any more are refused."""
        decided = {*self._draft_operations, *(operation for operation, _ in self._draft_refusals)}
        found = []
        for row in self.journal.operations("waiting"):
            if row.id in decided:
                continue
            try:
                kind, touches = read_request(row.body)
                if kind == "bid":
                    signer = check_bid(touches[0], self.ledger, self.tick, self.domain)
                    found.append((row.id, standing_bid(touches[0], signer.nonce)))
            except (Refused, BadInput) as error:
                self._refuse(row.id, str(error))
                outcome.refused.append((row.id, str(error)))
        return found

    def decide_queue(self) -> Outcome:
        """Plan every deposit that stands in the contract's queue, in order."""
        outcome = Outcome()
        self._queue.refresh()
        while (entry := self._queue.entry(self.ledger.consumed)) is not None:
            self._make_room(1)
            performed, refusal = deposit_touches(self.ledger, entry)
            try:
                outcome.effects += self._add([performed])
            except Refused:
                outcome.effects += self._add([refusal])
        return outcome

    def decide_submitted(self) -> Outcome:
        """Plan waiting withdrawals and trades in the order they came; refuse what no longer holds.

        A refusal becomes durable together with the batch it was judged against, at once if nothing is in
        the draft.
        """
        outcome = Outcome()
        decided = {*self._draft_operations, *(operation for operation, _ in self._draft_refusals)}
        for row in self.journal.operations("waiting"):
            try:
                kind, touches = read_request(row.body)
            except BadInput as error:  # taken in by another version; no state makes it good
                self.journal.refuse(row.id, str(error))
                outcome.refused.append((row.id, str(error)))
                continue
            if kind == "bid" or row.id in decided:
                continue
            self._make_room(len(touches))
            try:
                outcome.effects += self._add([placed(touch, self.ledger) for touch in touches], row.id)
            except (Refused, BadInput) as error:  # BadInput: an account that there is not in this state
                self._refuse(row.id, str(error))
                outcome.refused.append((row.id, str(error)))
        return outcome

    def _refuse(self, operation: int, reason: str) -> None:
        if self._draft is None or not self._draft.steps:
            self.journal.refuse(operation, reason)
        else:
            self._draft_refusals.append((operation, reason))

    def _make_room(self, touches: int) -> None:
        """Close the draft if it is too full. Apart from `_add`: its errors are no refusals."""
        if self._draft is not None and self._draft.room < touches:
            self.close_draft()

    def _add(self, operation: Sequence[Touch], identity: int | None = None) -> list[Effect]:
        if self._draft is None:
            self._draft = Draft(self.ledger, self.tick, self.domain, self._anchor())
        effects = self._draft.add(operation)
        if identity is not None:
            self._draft_operations.append(identity)
        return effects

    def _anchor(self) -> Tick | None:
        """The tick that most pages are anchored at whose radius prices have not outgrown."""
        moved = Displacements(self._ticks, self.tick)
        held = Counter(
            anchor
            for anchor, radius in self.ledger.headers().values()
            if (d := moved.of(anchor)) is not None and d <= radius
        )
        return moved.tick(held.most_common(1)[0][0]) if held else None

    def close_draft(self) -> None:
        """Plan the settle batch that has been collected so far, if there is one with anything in it.

        If that fails the ledger goes back to the last planned batch, and what was in the draft waits again.
        """
        draft, operations, refusals = self._draft, self._draft_operations, self._draft_refusals
        self._draft, self._draft_operations, self._draft_refusals = None, [], []
        if draft is None or not draft.steps:
            return
        number = self.journal.last_batch() + 1
        try:
            batch = draft.finish(self.setup.chain_id)
            body = {
                "touches": [encode(touch) for touch in batch.touches],
                "new_root": str(batch.new_root),
                **_posting(batch.posting),
            }
            reach("before_plan")
            self.journal.plan(number, "settle", self.tick.slot, body, batch.inputs, operations, refusals)
        except BaseException:
            if self.journal.last_batch() < number:
                draft.abandon()
            raise
        reach("planned")
        self.store.save(
            self.ledger, number
        )  # the journal has the batch: if this fails, the next save makes up for it
        self._queue.forget(self.ledger.consumed)
        self.journal.put(QUEUE_BLOCK, str(self._queue.resume_block))

    def decide_coverage(self) -> Coverage:
        """Plan what the tick's coverage needs, and the coverage of the whole ledger, after closing the draft.

        A trade at a limited mark may have left an account below maintenance that was below initial margin:
        what is due is decided once more, without bids.
        """
        found = Coverage()
        if self.unhealthy():
            found.effects += self.decide_due([], []).effects
        self.close_draft()
        last = next(self.journal.heads_back(), None)
        if last is not None and self._covers(last, "covered"):  # and nothing has changed since
            return found
        moved = Displacements(self._ticks, self.tick)
        outgrown = pages_to_sweep(self.ledger, moved, survey(self.ledger, moved))
        for plan in regroupings(self.ledger, self.tick, outgrown):
            self._plan_regroup(plan)
            found.proofs += 1
            found.regrouped += len(plan.pages)
        left = survey(self.ledger, moved)
        for radius, pages in sweeps(self.ledger, self.tick, pages_to_sweep(self.ledger, moved, left)):
            self._plan_sweep(radius, pages)
            found.swept += len(set(pages))
            found.proofs += 1
        for blocks in list(carries(self.ledger, moved, left)):
            self._plan_carry(moved, blocks)
            found.carried += len({made.block for made in blocks})
            found.proofs += 1
        near = (anchor for anchor in self._anchors() if moved.of(anchor) is not None)
        self._ticks = {anchor: moved.tick(anchor) for anchor in near}
        self._plan_coverage(moved)
        found.proofs += 1
        return found

    def _anchors(self) -> set[int]:
        """The ticks that headers of pages and blocks are anchored at, by their hashes."""
        headers = (*self.ledger.headers().values(), *self.ledger.block_headers().values())
        return {anchor for anchor, _ in headers if anchor}

    def _tick_covered(self) -> bool:
        """Whether coverage of the present tick is planned; the genesis tick needs none."""
        last = self.journal.last_of("tick", "coverage", ADOPTED)
        return last is None or self._covers(last, "tick_covered")

    def _covers(self, head: BatchHead, what: str) -> bool:
        """Whether a batch is coverage, or a state adopted from the chain of which `what` is so there."""
        if head.circuit == ADOPTED:
            return bool(self.journal.batch(head.number).body[what])
        return head.circuit == "coverage"

    @contextmanager
    def _planning(self) -> Iterator[None]:
        """What is done to the ledger inside stays only if it ends with a batch in the journal."""
        number, savepoint = self.journal.last_batch() + 1, self.ledger.savepoint()
        try:
            yield
        except BaseException:
            if self.journal.last_batch() < number:
                self.ledger.rollback(savepoint)
            raise
        reach("planned")
        self.store.save(self.ledger, number)

    def _plan(
        self, circuit: str, batch: SweepBatch | RegroupBatch | CarryBatch | CoverageBatch, **body: Any
    ) -> None:
        """Journal a batch of the present tick, with `body` beside its posting."""
        number, posting = self.journal.last_batch() + 1, _posting(batch.posting)
        reach("before_plan")
        self.journal.plan(number, circuit, self.tick.slot, {**body, **posting}, batch.inputs, [])

    def _plan_sweep(self, radius: int, pages: Sequence[int]) -> None:
        with self._planning():
            batch = make_sweep(self.ledger, self.tick, self.domain, self.setup.chain_id, radius, pages)
            root, swept = str(batch.new_root), sorted(set(pages))
            self._plan("sweep", batch, pages=swept, radius=radius, new_root=root)

    def _plan_regroup(self, plan: Regrouping) -> None:
        with self._planning():
            batch = make_regroup(
                self.ledger, self.tick, self.domain, self.setup.chain_id, plan.pages, plan.origins
            )
            root, pages, origins = str(batch.new_root), list(batch.pages), list(batch.origins)
            self._plan("regroup", batch, pages=pages, origins=origins, radius=batch.radius, new_root=root)

    def _plan_carry(self, moved: Displacements, blocks: Sequence[Carried]) -> None:
        with self._planning():
            batch = make_carry(self.ledger, moved, self.domain, self.setup.chain_id, blocks)
            written = [[made.block, str(made.anchor), made.radius] for made in batch.blocks]
            self._plan("carry", batch, blocks=written, new_root=str(batch.new_root))

    def _plan_coverage(self, moved: Displacements) -> None:
        with self._planning():
            self._plan("coverage", make_coverage(self.ledger, moved, self.domain, self.setup.chain_id))

    def unhealthy(self) -> list[int]:
        """Accounts below maintenance margin at the present tick."""
        return self._standing.unhealthy(self.tick)

    def close(self) -> None:
        """Close the files."""
        self.store.close()
        self.journal.close()


def _posting(posting: Any) -> dict[str, Any]:
    return {
        "words": [str(word) for word in posting.words],
        "commitment": str(posting.commitment),
        "public": [str(posting.commitment), str(posting.challenge), str(posting.evaluation)],
    }
