# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of others on the contract, while the sequencer's own are on their way: real proofs, a real node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.ledger import GENESIS, OPERATOR, SLOT_SECONDS, Bench, params
from sequencer.world import (
    FIRST,
    PROFILE,
    STRANGER,
    foreign_call,
    foreign_tick_call,
    ledger_with_deposits,
    opened,
    post_foreign,
    reports,
    run_script,
    slot_comes,
    start,
)
from zkmargin.auditor.audit import audit
from zkmargin.auditor.source import Node
from zkmargin.chain.transactions import account_of, broadcast, send, sign
from zkmargin.engine.ticks import genesis_tick
from zkmargin.errors import RootMismatch
from zkmargin.proving.pool import ProvingPool
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.codec import decode_tick
from zkmargin.sequencer.journal import BatchRow, BatchState, Journal
from zkmargin.sequencer.requests import deposit_touches
from zkmargin.sequencer.service import Poster, Sequencer
from zkmargin.state.ledger import Ledger

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]


@pytest.fixture
def bench() -> Iterator[Bench]:
    keys = {name: key.verification_key for name, key in profile_keys(PROFILE.name).items()}
    with ledger_with_deposits(keys) as made:
        yield made


def _rows(home: Path) -> list[tuple[int, int, BatchState]]:
    """(place, the contract's number, state) of every batch."""
    journal = Journal(home / "journal.sqlite")
    try:
        return [(head.number, head.chain_number, head.state) for head in journal.heads()]
    finally:
        journal.close()


def _ended_well(bench: Bench, home: Path, batches: int) -> None:
    sequencer = start(bench.deployment, home)
    state = bench.client.state()
    assert (state.batch, state.root, state.consumed) == (batches, sequencer.ledger.root(), 2)
    sequencer.close()
    result = audit(Node(bench.deployment.rpc), bench.deployment.ledger)
    assert result.ok, result.findings.failed()


def test_killed_while_others_post(bench: Bench, tmp_path: Path) -> None:
    home, record, said = tmp_path / "home", tmp_path / "deployment.json", tmp_path / "said.txt"
    bench.deployment.write(record)
    planned, signed, confirmed = BatchState.PLANNED, BatchState.SIGNED, BatchState.CONFIRMED
    poster = account_of(OPERATOR).address
    before = bench.node.web3.eth.get_transaction_count(poster)

    def live(failpoint: str | None) -> bool:
        return run_script("post_run.py", [str(record), str(home)], failpoint, said)

    assert live("signed")
    assert _rows(home)[0] == (1, 1, signed)
    opening = genesis_tick(params(PROFILE), GENESIS.slot)
    post_foreign(bench, opening)
    assert bench.client.last_batch() == 1

    assert live("before_rebased")
    assert _rows(home)[0] == (1, 1, signed)
    assert live("rebased")
    assert _rows(home) == [(1, 2, planned), (2, 3, planned)]
    assert live("after_send")
    assert _rows(home)[0] == (1, 2, signed)
    journal = Journal(home / "journal.sqlite")
    tick = decode_tick(journal.batch(1).body["tick"])
    journal.close()
    assert tick.slot > opening.slot
    post_foreign(bench, tick)

    assert not live(None)
    assert _rows(home) == [(1, 2, confirmed), (2, 4, confirmed)]
    assert bench.node.web3.eth.get_transaction_count(poster) == before + 2  # what was void was never sent
    _ended_well(bench, home, 4)


def test_others_post_at_every_step(bench: Bench, tmp_path: Path) -> None:
    sequencer = opened(start(bench.deployment, tmp_path / "home"))
    second = sequencer.decide_tick(reports(sequencer, FIRST + 1), FIRST + 1)
    assert second.slot == FIRST + 1
    first = decode_tick(sequencer.journal.batch(1).body["tick"])
    time_comes, done = slot_comes(sequencer.client), set[int]()

    def before_send(row: BatchRow) -> None:
        time_comes(row)
        if row.number in done:
            return
        if row.number == 1:  # proved, not yet signed
            post_foreign(bench, genesis_tick(sequencer.params, GENESIS.slot))
        elif row.state is not BatchState.SIGNED:
            return
        elif row.number == 2:  # signed: the stranger's comes before it in one block
            call = foreign_call(bench, first)
            bench.node.automine(False)
            broadcast(bench.node.web3, sign(bench.node.web3, call, STRANGER).raw)
            bench.node.call("evm_setIntervalMining", 1)
        else:  # our own batch, sent by somebody else
            send(bench.node.web3, poster._call(row), STRANGER)
            bench.node.call("evm_setIntervalMining", 0)
            bench.node.automine(True)
        done.add(row.number)

    asked: list[str] = []
    sequencer.journal._db.set_trace_callback(asked.append)
    with ProvingPool("native", 1) as pool:
        poster = Poster(sequencer, profile_keys(PROFILE.name), pool, before_send)
        poster.run()
    assert done == {1, 2, 3}
    whole = [statement for statement in asked if "SELECT" in statement and "inputs" in statement]
    assert len(whole) < 60 < len(asked)  # read when a step is made, not at each look
    chain_numbers = [
        (head.number, head.chain_number) for head in sequencer.journal.heads(BatchState.CONFIRMED)
    ]
    assert chain_numbers == [(1, 2), (2, 4), (3, 5)]
    receipts = [row.receipt for row in sequencer.journal.batches()]
    events = list(bench.client.events(0, names=("Settled", "Ticked")))
    assert [receipt["tx"] for receipt in receipts if receipt] == [
        events[at - 1].tx_hash for _, at in chain_numbers
    ]
    assert [bool(receipt and receipt.get("foreign")) for receipt in receipts] == [False, False, True]
    sequencer.close()
    _ended_well(bench, sequencer.setup.home, 5)


@pytest.mark.parametrize("circuit", ["settle", "tick"])
def test_foreign_batch_that_changes_the_ledger(bench: Bench, tmp_path: Path, circuit: str) -> None:
    home = tmp_path / "home"
    sequencer: Sequencer = opened(start(bench.deployment, home))
    start_tick = genesis_tick(sequencer.params, GENESIS.slot)
    post_foreign(bench, start_tick)
    if circuit == "settle":
        entry = bench.client.queued(0)[0]
        receipt = post_foreign(bench, start_tick, [deposit_touches(Ledger.genesis(PROFILE), entry)[0]])
    else:
        bench.node.advance_to(FIRST * SLOT_SECONDS + 1)
        receipt = send(bench.node.web3, foreign_tick_call(bench, sequencer, start_tick), STRANGER)
    before = _rows(home)
    for _ in range(2):
        with ProvingPool("native", 1) as pool, pytest.raises(RootMismatch) as caught:
            Poster(sequencer, profile_keys(PROFILE.name), pool).run()
        assert caught.value.code == "foreign_batch"
        assert (
            f"batch 2 on the chain (block {receipt.block}, transaction {receipt.hash})"
            in caught.value.message
        )
        assert _rows(home) == before
        sequencer.close()
        sequencer = start(bench.deployment, home)  # the same after a restart
    sequencer.close()
