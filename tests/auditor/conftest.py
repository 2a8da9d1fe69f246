# SPDX-License-Identifier: GPL-3.0-or-later
"""A small real ledger: batches of every circuit, proved, posted, paid out, kept as a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from auditor.answers import Kept
from contracts.ledger import (
    ALICE,
    BOB,
    ETHER,
    GENESIS,
    OPERATOR,
    QUOTE,
    SLOT_SECONDS,
    Bench,
    address_of,
    ledger_bench,
    oracles,
    params,
)
from support.covering import cover
from zkmargin.auditor import audit
from zkmargin.auditor.source import Node, Recorder
from zkmargin.chain.anvil import LOCAL_CHAIN_ID
from zkmargin.chain.client import Batch
from zkmargin.chain.deploy import Genesis
from zkmargin.chain.transactions import send
from zkmargin.circuits.settle_inputs import Posting
from zkmargin.engine.liquidation import lowest_holding, minimal_close
from zkmargin.engine.ticks import genesis_tick
from zkmargin.oracle.reports import Board, make_report
from zkmargin.protocol.constants import EntryKind, Op, load
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.hashes import owner_hash, tick_hash
from zkmargin.protocol.model import Params, QueueEntry, Tick, Touch
from zkmargin.protocol.words import domain_word
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.proof import Proof
from zkmargin.proving.prove import prove
from zkmargin.sequencer.covering import (
    Displacements,
    make_regroup,
)
from zkmargin.sequencer.drafting import Draft
from zkmargin.sequencer.requests import (
    bid_touch,
    deposit_touches,
    placed,
    sign_touch,
    trade_legs,
    withdrawal,
)
from zkmargin.sequencer.ticking import make_tick_batch
from zkmargin.state.ledger import Ledger

PROFILE = load().profile("small")
BTC = 1


class Story:
    """Proves and posts one batch after the other."""

    def __init__(self, bench: Bench, first: Tick, ledger: Ledger) -> None:
        self.bench, self.ledger, self.last = bench, ledger, first
        self.keys = profile_keys(PROFILE.name)
        self.chain_id = bench.node.chain_id
        self.domain = domain_word(self.chain_id, bench.client.address)
        self.batch = 0
        self.ticks: list[Tick] = []
        self.form: Callable[[bytes], bytes] = lambda data: data  # what becomes of calldata on its way

    def tick(self, slot: int, prices: dict[int, int]) -> None:
        terms = params(PROFILE)
        board = Board(self.domain, terms, PROFILE.quorum, slot, self.last.slot)
        row = [prices.get(k, 0) << 32 for k in range(PROFILE.instruments)]
        for signer, key in enumerate(oracles(PROFILE)[: PROFILE.quorum]):
            rates = [0] * PROFILE.instruments
            board.add(make_report(key, signer, self.domain, terms, slot, self.last.slot, row, rates))
        self.batch += 1
        made = make_tick_batch(self.chain_id, self.domain, terms, PROFILE, self.last, board.quorate())
        self.bench.node.advance_to(slot * SLOT_SECONDS + 1)
        proof = prove(self.keys["tick"], made.inputs, "native").proof
        self.post(("tick", made.posting, proof))
        self.last = made.tick
        self.ticks.append(made.tick)

    def settle(
        self, entries: list[QueueEntry], *operations: list[Touch], anchor: Tick | None = None
    ) -> tuple[Touch, ...]:
        """Post a settle batch; its touches."""
        draft = Draft(self.ledger, self.last, self.domain, anchor)
        for entry in entries:
            performed, refused = deposit_touches(self.ledger, entry)
            draft.add([refused if entry.target == 9999 else performed])
        for operation in operations:
            draft.add([self.signed(touch) for touch in operation])
        self.batch += 1
        made = draft.finish(self.chain_id)
        proof = prove(self.keys["settle"], made.inputs, "native").proof
        self.post(("settle", made.posting, proof), entries=entries)
        self.ledger.checkpoint()
        return made.touches

    def cover(self, *before: tuple[str, Any]) -> list[str]:
        """Sweep and carry what needs it and cover the ledger, after batches `before`, in one transaction.

        The circuits of its batches.
        """
        moved = Displacements({tick_hash(tick): tick for tick in self.ticks}, self.last)
        made = list(before)
        made += cover(self.ledger, moved, self.domain, self.chain_id)
        self.ledger.checkpoint()
        self.batch += len(made)
        self.post(
            *(
                (name, batch.posting, prove(self.keys[name], batch.inputs, "native").proof)
                for name, batch in made
            )
        )
        return [name for name, _ in made]

    def regroup(self, *pages: int) -> tuple[str, Any]:
        """Two pages with their first leaves exchanged."""
        origins = [64, *range(1, 64), 0, *range(65, 128)]
        place = (self.domain, self.chain_id)
        return "regroup", make_regroup(self.ledger, self.last, *place, pages, origins)

    def post(self, *batches: tuple[str, Posting, Proof], entries: Sequence[QueueEntry] = ()) -> None:
        """Post batches in one transaction."""
        made = [Batch(name, posting.words, posting.commitment, proof) for name, posting, proof in batches]
        call = self.bench.client.post_call([replace(batch, entries=entries) for batch in made])
        send(self.bench.client.web3, replace(call, data=self.form(call.data)), OPERATOR)

    def signed(self, touch: Touch) -> Touch:
        key = PEOPLE.get(touch.account_id)
        touch = placed(touch, self.ledger)
        if key is None or touch.op == Op.LIQUIDATE:
            return touch
        return sign_touch(touch, self.ledger.account(touch.account_id), key, self.last.slot + 9, self.domain)


ANNE, BERT = PROFILE.instruments, PROFILE.instruments + 1  # account ids
PEOPLE: dict[int, KeyPair] = {ANNE: keypair(b"anne"), BERT: keypair(b"bert")}


def _owner(person: int) -> int:
    return owner_hash(PEOPLE[person].ax, PEOPLE[person].ay)


def _tell(story: Story) -> None:
    client = story.bench.client
    entries = [
        client.deposit(ALICE, EntryKind.OPEN, QUOTE, 500_000, owner=_owner(ANNE))[0],
        client.deposit(BOB, EntryKind.OPEN, QUOTE, 5_000_000, owner=_owner(BERT))[0],
        client.deposit(BOB, EntryKind.ACCOUNT, ETHER, 700, target=BERT)[0],
        client.deposit(BOB, EntryKind.ACCOUNT, QUOTE, 77, target=9999)[0],  # nobody's: refused
        client.deposit(ALICE, EntryKind.FUND, QUOTE, 1_000)[0],
    ]
    story.tick(GENESIS.slot + 20, {BTC: 60_000, ETHER: 3_000})
    story.settle(entries, list(trade_legs(ANNE, BERT, BTC, 100, 60_000 << 32)))
    assert story.cover() == ["sweep", "carry", "coverage"]
    story.tick(GENESIS.slot + 40, {BTC: 56_400, ETHER: 2_950})
    anne, mark = story.ledger.account(ANNE), story.last.instruments[BTC].mark
    held = lowest_holding(anne)
    assert held is not None
    size = minimal_close(story.last, anne, held, mark).size
    story.settle(
        [],
        [
            Touch(Op.LIQUIDATE, 0, ANNE, BTC, 1, size, mark),
            replace(bid_touch(BERT, BTC, 0, 1_000, mark), size=size, price=mark),
        ],
        [withdrawal(BERT, QUOTE, 2_000_000)],
        [withdrawal(BERT, ETHER, 9)],
    )
    story.cover()
    again = story.last
    story.tick(GENESIS.slot + 60, {BTC: 56_500, ETHER: 2_951})
    assert story.cover() == ["coverage"]  # within the radius: nothing is swept or carried
    client.withdraw(BOB, QUOTE)
    more = client.deposit(ALICE, EntryKind.ACCOUNT, QUOTE, 900, target=ANNE)[0]
    assert story.settle([more], anchor=again)[0].kept  # the account is as safe as its page's header says
    assert story.cover(story.regroup(0, 1)) == ["regroup", "sweep", "carry", "coverage"]
    story.settle([], [withdrawal(BERT, QUOTE, 5)])  # not payable yet


def _with_steps() -> Params:
    """The parameters, with what a step of the collateral is in coins: its unit, of 18 decimals."""
    terms = params(PROFILE)
    table = list(terms.instruments)
    table[ETHER] = replace(table[ETHER], step="0.000001")
    return replace(terms, instruments=tuple(table))


@contextmanager
def new_story(chain_id: int = LOCAL_CHAIN_ID) -> Iterator[Story]:
    """A ledger at its genesis, on a node of its own."""
    ledger, first = Ledger.genesis(PROFILE), genesis_tick(params(PROFILE), GENESIS.slot)
    verifying = {name: key.verification_key for name, key in profile_keys(PROFILE.name).items()}
    genesis = Genesis(ledger.root(), tick_hash(first), GENESIS.slot)
    with ledger_bench(
        genesis=genesis, verifying_keys=verifying, chain_id=chain_id, terms=_with_steps()
    ) as bench:
        yield Story(bench, first, ledger)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("audit") / "bundle"
    with new_story() as story:
        bench = story.bench
        assert address_of(ALICE) != address_of(BOB)
        _tell(story)
        recorder = Recorder(Node(bench.deployment.rpc))
        result = audit(recorder, bench.deployment.ledger)
        recorder.save(folder, bench.deployment.ledger)
    return Kept(folder, bench.deployment.ledger, result)
