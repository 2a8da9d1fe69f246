# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of others on the contract, while the sequencer's own are on their way: real proofs, a real node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from zkmargin.sequencer.journal import BatchRow, BatchState, Journal
from zkmargin.sequencer.posting import Poster, posted_batch
from zkmargin.sequencer.requests import deposit_touches
from zkmargin.sequencer.service import Sequencer
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


def _lives(bench: Bench, tmp_path: Path) -> tuple[Path, Callable[[str | None], bool]]:
    """The sequencer's home, and a life of it, killed at a failpoint: whether it was."""
    home, record, said = tmp_path / "home", tmp_path / "deployment.json", tmp_path / "said.txt"
    bench.deployment.write(record)
    return home, lambda failpoint: run_script("post_run.py", [str(record), str(home)], failpoint, said)


def test_killed_while_others_post_what_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    """What is signed stays good: no proof is for a batch number."""
    home, live = _lives(bench, tmp_path)
    signed, confirmed = BatchState.SIGNED, BatchState.CONFIRMED
    poster = account_of(OPERATOR).address
    before = bench.node.web3.eth.get_transaction_count(poster)
    assert live("signed")
    assert _rows(home) == [(1, 0, signed), (2, 0, signed)]
    post_foreign(bench, genesis_tick(params(PROFILE), GENESIS.slot))
    assert live("after_send")
    assert _rows(home) == [(1, 0, signed), (2, 0, signed)]
    assert not live(None)
    assert _rows(home) == [(1, 2, confirmed), (2, 3, confirmed)]
    assert bench.node.web3.eth.get_transaction_count(poster) == before + 1
    _ended_well(bench, home, 3)


def test_killed_while_others_post_a_part_of_it(bench: Bench, tmp_path: Path) -> None:
    """The first of two batches, taken from the signed transaction and posted: the other goes out alone."""
    home, live = _lives(bench, tmp_path)
    signed, proved, confirmed = BatchState.SIGNED, BatchState.PROVED, BatchState.CONFIRMED
    assert live("signed")
    journal = Journal(home / "journal.sqlite")
    first = posted_batch(journal.batch(1))
    journal.close()
    bench.node.advance_to(FIRST * SLOT_SECONDS + 1)
    bench.client.post(STRANGER, first)
    assert live("before_taken")
    assert _rows(home) == [(1, 0, signed), (2, 0, signed)]
    assert live("taken")
    assert _rows(home) == [(1, 1, confirmed), (2, 0, proved)]
    assert not live(None)
    assert _rows(home) == [(1, 1, confirmed), (2, 2, confirmed)]
    _ended_well(bench, home, 2)


def test_others_post_at_every_step(bench: Bench, tmp_path: Path) -> None:
    sequencer = opened(start(bench.deployment, tmp_path / "home"))
    second = sequencer.decide_tick(reports(sequencer, FIRST + 1), FIRST + 1)
    assert second.slot == FIRST + 1
    assert [head.circuit for head in sequencer.journal.heads()] == [
        "tick",
        "settle",
        "sweep",
        "carry",
        "coverage",
        "tick",
    ]
    opening = genesis_tick(sequencer.params, GENESIS.slot)
    time_comes, done = slot_comes(sequencer.client), set[tuple[int, BatchState]]()

    def before_send(row: BatchRow) -> None:
        time_comes(row)
        step = (row.number, row.state)
        if step in done or row.number not in (1, 6):
            return
        if step == (1, BatchState.PROVED):  # not yet signed
            post_foreign(bench, opening)
        elif step == (1, BatchState.SIGNED):  # the stranger's comes before it in one block
            call = foreign_call(bench, opening)
            bench.node.automine(False)
            broadcast(bench.node.web3, sign(bench.node.web3, call, STRANGER).raw)
            bench.node.call("evm_setIntervalMining", 1)
        elif step == (6, BatchState.SIGNED):  # our own batch, sent by somebody else
            bench.client.post(STRANGER, posted_batch(row))
            bench.node.call("evm_setIntervalMining", 0)
            bench.node.automine(True)
        done.add(step)

    asked: list[str] = []
    sequencer.journal._db.set_trace_callback(asked.append)
    with ProvingPool("native", 1) as pool:
        Poster(sequencer, profile_keys(PROFILE.name), pool, before_send).run()
    assert len(done) == 4
    whole = [statement for statement in asked if "SELECT" in statement and "inputs" in statement]
    assert len(whole) < 100 < len(asked)  # read when a step is made, not at each look
    sequencer.journal._db.set_trace_callback(None)
    assert _rows(sequencer.setup.home) == [
        (number, number + 2, BatchState.CONFIRMED) for number in range(1, 7)
    ]
    receipts = [row.receipt or {} for row in sequencer.journal.batches()]
    assert len({receipt["tx"] for receipt in receipts[:5]}) == 1
    assert [receipt["batches"] for receipt in receipts] == [5, 5, 5, 5, 5, 1]
    assert [bool(receipt.get("foreign")) for receipt in receipts] == [False] * 5 + [True]
    sequencer.close()
    _ended_well(bench, sequencer.setup.home, 8)


@pytest.mark.parametrize("circuit", ["settle", "tick"])
def test_foreign_batch_that_changes_the_ledger(bench: Bench, tmp_path: Path, circuit: str) -> None:
    home = tmp_path / "home"
    sequencer: Sequencer = opened(start(bench.deployment, home))
    start_tick = genesis_tick(sequencer.params, GENESIS.slot)
    bench.node.advance_to(FIRST * SLOT_SECONDS + 1)  # before any proof: the node's clock goes on meanwhile
    post_foreign(bench, start_tick)
    if circuit == "settle":
        entry = bench.client.queued(0)[0]
        receipt = post_foreign(bench, start_tick, [deposit_touches(Ledger.genesis(PROFILE), entry)[0]])
    else:
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
