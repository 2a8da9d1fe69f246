# SPDX-License-Identifier: GPL-3.0-or-later
"""What deciding leaves behind when something is refused, fails, or the process is killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from contracts.ledger import ALICE, QUOTE, Bench
from sequencer.world import (
    ANNE,
    BERT,
    DEPOSIT,
    FIRST,
    ledger_with_deposits,
    opened,
    reports,
    run_script,
    start,
    withdraws,
)
from zkmargin.chain.client import LedgerClient, LedgerEvent, QueueFeed
from zkmargin.engine.placement import Regrouping
from zkmargin.errors import BadInput, InternalError, Refused
from zkmargin.protocol.constants import EntryKind
from zkmargin.sequencer import drafting
from zkmargin.sequencer.journal import BatchState, Journal
from zkmargin.sequencer.service import Sequencer

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with ledger_with_deposits() as made:
        yield made


@pytest.fixture
def sequencer(bench: Bench, tmp_path: Path) -> Iterator[Sequencer]:
    made = opened(start(bench.deployment, tmp_path / "home"))
    yield made
    made.close()


def _states(home: Path) -> dict[str, list[int]]:
    journal = Journal(home / "journal.sqlite")
    try:
        return {
            state: [row.id for row in journal.operations(state)]
            for state in ("waiting", "planned", "refused")
        }
    finally:
        journal.close()


def _rivals(sequencer: Sequencer) -> None:
    """Two withdrawals of one nonce, each good by itself."""
    for amount in (1000, 2000):
        sequencer.submit(withdraws(sequencer, ANNE, amount))


# ---------------------------------------------------------------- refusals


def test_refusal_is_durable_with_its_batch(sequencer: Sequencer) -> None:
    _rivals(sequencer)
    outcome = sequencer.decide_submitted()
    assert [operation for operation, _ in outcome.refused] == [2]
    home = sequencer.setup.home
    assert _states(home) == {"waiting": [1, 2], "planned": [], "refused": []}
    assert sequencer.decide_submitted().refused == []  # once decided, not again
    sequencer.close_draft()
    assert _states(home) == {"waiting": [], "planned": [1], "refused": [2]}


def test_killed_between_refusal_and_plan(bench: Bench, sequencer: Sequencer, tmp_path: Path) -> None:
    _rivals(sequencer)
    sequencer.close()
    home, record, said = sequencer.setup.home, tmp_path / "deployment.json", tmp_path / "said.txt"
    bench.deployment.write(record)
    arguments = [str(record), str(home)]
    assert run_script("refusal_run.py", arguments, "before_plan", said)
    assert _states(home) == {"waiting": [1, 2], "planned": [], "refused": []}
    assert run_script("refusal_run.py", arguments, "planned", said)
    assert _states(home) == {"waiting": [], "planned": [1], "refused": [2]}
    assert not run_script("refusal_run.py", arguments, None, said)
    again = start(bench.deployment, home)
    assert (again.journal.last_batch(), again.store.batch) == (3, 3)
    assert again.ledger.account(ANNE).nonce == 1
    again.close()


def test_refusal_against_the_durable_state(sequencer: Sequencer) -> None:
    _rivals(sequencer)
    with sequencer.journal.transaction():  # the first one is taken away, then what the second needs
        sequencer.journal.refuse(1, "withdrawn")
    request = withdraws(sequencer, ANNE, DEPOSIT)
    sequencer.submit(request)
    sequencer.decide_submitted()
    sequencer.close_draft()
    assert _states(sequencer.setup.home)["planned"] == [2]
    assert _states(sequencer.setup.home)["refused"] == [1, 3]

    stale = withdraws(sequencer, ANNE, 5)
    sequencer.submit(stale)
    sequencer.submit(withdraws(sequencer, ANNE, 6))
    sequencer.decide_submitted()
    sequencer.close_draft()  # 4 planned, 5 refused with it
    sequencer.journal._db.execute("UPDATE operations SET state = 'waiting', reason = NULL WHERE id = 5")
    assert [operation for operation, _ in sequencer.decide_submitted().refused] == [5]
    assert _states(sequencer.setup.home)["refused"] == [1, 3, 5]  # nothing in the draft: at once


def test_account_that_is_gone_refuses_only_its_own(sequencer: Sequencer) -> None:
    request = withdraws(sequencer, ANNE, 1)
    request["touches"][0]["account_id"] = "4000"
    sequencer.journal.submit("of-another-time", request)  # it was there when it was submitted
    sequencer.submit(withdraws(sequencer, BERT, 1))
    outcome = sequencer.decide_submitted()
    sequencer.close_draft()
    assert [operation for operation, _ in outcome.refused] == [1]
    assert _states(sequencer.setup.home) == {"waiting": [], "planned": [2], "refused": [1]}


def test_malformed_row_stops_nobody(sequencer: Sequencer) -> None:
    sequencer.journal.submit("of-another-version", {"kind": "lottery"})
    sequencer.submit(withdraws(sequencer, BERT, 1))
    assert [operation for operation, _ in sequencer.decide_submitted().refused] == [1]
    sequencer.close_draft()
    assert _states(sequencer.setup.home) == {"waiting": [], "planned": [2], "refused": [1]}


# ---------------------------------------------------------------- ticks


@pytest.mark.parametrize("wrong", ["quorum", "stale", "twice", "forged", "slot"])
def test_refused_tick_changes_nothing(sequencer: Sequencer, wrong: str) -> None:
    sequencer.submit(withdraws(sequencer, ANNE, 1000))
    sequencer.decide_submitted()
    before = (sequencer.journal.last_batch(), sequencer.store.batch, sequencer.tick, sequencer.ledger.root())
    slot = FIRST if wrong == "slot" else FIRST + 1
    given = reports(sequencer, slot)
    if wrong == "quorum":
        given = given[1:]
    elif wrong == "stale":
        given += reports(sequencer, FIRST)[:1]
    elif wrong == "twice":
        given += given[:1]
    elif wrong == "forged":
        given[0] = type(given[0])(*[*given[0].__dict__.values()][:-1], given[1].signature)
    with pytest.raises((Refused, BadInput)):
        sequencer.decide_tick(given, slot)
    after = (sequencer.journal.last_batch(), sequencer.store.batch, sequencer.tick, sequencer.ledger.root())
    assert after == before
    assert _states(sequencer.setup.home)["waiting"] == [1]

    sequencer.decide_tick(
        reports(sequencer, FIRST + 1), FIRST + 1
    )  # a good one closes the draft, covers the last tick and follows it
    rows = sequencer.journal.heads()
    assert [row.circuit for row in rows] == ["tick", "settle", "settle", "sweep", "carry", "coverage", "tick"]
    assert _states(sequencer.setup.home)["planned"] == [1]


# ---------------------------------------------------------------- failing plans


def _fails_then_works(sequencer: Sequencer, root: int) -> None:
    """After a failed close: ledger as last planned, operations waiting; and the next close is right."""
    assert sequencer.ledger.root() == root
    assert sequencer.journal.last_batch() == 2
    assert _states(sequencer.setup.home) == {"waiting": [1, 2], "planned": [], "refused": []}
    sequencer.close_draft()  # nothing is left in it
    assert sequencer.journal.last_batch() == 2
    outcome = sequencer.decide_submitted()
    assert (len(outcome.effects), [operation for operation, _ in outcome.refused]) == (1, [2])
    sequencer.close_draft()
    assert _states(sequencer.setup.home) == {"waiting": [], "planned": [1], "refused": [2]}
    assert sequencer.journal.batch(3).body["new_root"] == str(sequencer.ledger.root()) != str(root)


def test_plan_that_fails_loses_nothing(sequencer: Sequencer) -> None:
    root = sequencer.ledger.root()
    _rivals(sequencer)
    sequencer.decide_submitted()
    sequencer.journal._db.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(sequencer.setup.home / "journal.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # a real lock: the plan can't be written
    with pytest.raises(sqlite3.OperationalError):
        sequencer.close_draft()
    other.execute("ROLLBACK")
    other.close()
    _fails_then_works(sequencer, root)


def test_finish_that_fails_loses_nothing(sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch) -> None:
    root = sequencer.ledger.root()
    _rivals(sequencer)
    sequencer.decide_submitted()

    def fails(*_: object) -> None:
        raise InternalError("no inputs today")

    with monkeypatch.context() as patch:
        patch.setattr(drafting, "settle_inputs", fails)
        with pytest.raises(InternalError, match="no inputs today"):
            sequencer.close_draft()
    _fails_then_works(sequencer, root)


MOVED = Regrouping((0, 1), (*range(8, 128), *range(8)))


def test_regroup_that_fails_loses_nothing(sequencer: Sequencer) -> None:
    before, root = dict(sequencer.ledger.accounts()), sequencer.ledger.root()
    sequencer.journal._db.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(sequencer.setup.home / "journal.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError):
        sequencer._plan_regroup(MOVED)
    other.execute("ROLLBACK")
    other.close()
    assert (dict(sequencer.ledger.accounts()), sequencer.ledger.root()) == (before, root)
    assert all(sequencer.ledger.index_of(account.id) == leaf for leaf, account in before.items())
    assert sequencer.journal.last_batch() == 2


def test_regroup_is_replayed_from_the_journal(
    bench: Bench, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state file lacks it after a kill; everybody is found where the chain will have them."""
    with monkeypatch.context() as patch:
        patch.setattr(sequencer.store, "save", lambda *_: None)
        sequencer._plan_regroup(MOVED)
    root, accounts = sequencer.ledger.root(), dict(sequencer.ledger.accounts())
    sequencer.close()
    again = start(bench.deployment, sequencer.setup.home)
    assert again.store.batch == 3
    assert (again.ledger.root(), dict(again.ledger.accounts())) == (root, accounts)
    assert again.ledger.index_of(ANNE) == sequencer.ledger.index_of(ANNE) != ANNE
    again.submit(withdraws(again, ANNE, 1000))
    assert len(again.decide_submitted().effects) == 1
    again.decide_tick(reports(again, FIRST + 1), FIRST + 1)
    again.close()


def test_state_file_that_fails_catches_up(bench: Bench, sequencer: Sequencer) -> None:
    """The journal has the batch, the state file does not: the next failure must not undo both."""
    sequencer.submit(withdraws(sequencer, ANNE, 1000))
    sequencer.decide_submitted()
    sequencer.store._db.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(sequencer.setup.home / "state.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(InternalError):
        sequencer.close_draft()
    other.execute("ROLLBACK")
    other.close()
    planned = sequencer.ledger.root()
    assert sequencer.journal.batch(3).body["new_root"] == str(planned)

    sequencer.submit(withdraws(sequencer, BERT, 1000))
    sequencer.decide_submitted()
    assert sequencer._draft is not None
    sequencer._draft.abandon()
    assert sequencer.ledger.root() == planned
    sequencer._draft, sequencer._draft_operations = None, []
    sequencer.decide_submitted()
    sequencer.close_draft()
    root = sequencer.ledger.root()
    again = start(bench.deployment, sequencer.setup.home)
    assert (again.ledger.root(), again.store.batch) == (root, 4)
    again.close()


# ---------------------------------------------------------------- the queue


def test_queue_is_read_once(bench: Bench, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    events = LedgerClient.events

    def counted(client: LedgerClient, start: int, end: int, names: Sequence[str]) -> Iterator[LedgerEvent]:
        asked.append((start, end))
        return events(client, start, end, names)

    monkeypatch.setattr(LedgerClient, "events", counted)
    bench.node.mine(40)
    assert sequencer.decide_queue().effects == []
    bench.node.mine(40)
    entry = bench.client.deposit(ALICE, EntryKind.ACCOUNT, QUOTE, 77, target=ANNE)[0]
    head = bench.node.web3.eth.block_number
    effects = sequencer.decide_queue().effects
    assert [effect.touch.entry for effect in effects] == [entry]
    sequencer.close_draft()
    assert sequencer._queue.entry(entry.index) is None
    assert asked[-1] == (head - 41 + 1 - 16, head)  # 41 blocks since, and sixteen read again

    bench.node.mine(40)
    asked.clear()
    again = start(bench.deployment, sequencer.setup.home)
    assert again.decide_queue().effects == []
    assert asked == [(head + 1 - 16, head + 40)]  # a restart begins where nothing before is left to consume
    again.close()


def test_entry_not_yet_consumed_is_met_again(bench: Bench, sequencer: Sequencer) -> None:
    """A draft that is lost in a crash costs no deposit, however many blocks go by."""
    entry = bench.client.deposit(ALICE, EntryKind.ACCOUNT, QUOTE, 78, target=ANNE)[0]
    consumed = sequencer.ledger.consumed
    assert sequencer.decide_queue().effects
    bench.node.mine(60)
    again = start(bench.deployment, sequencer.setup.home)
    assert again.ledger.consumed == consumed
    assert [effect.touch.entry for effect in again.decide_queue().effects][-1] == entry
    again.close()


def test_entry_of_a_replaced_block(bench: Bench) -> None:
    """A chain that takes its last blocks back and has another deposit in their place."""
    feed = QueueFeed(bench.client, bench.deployment.from_block)
    before = bench.node.snapshot()
    first = bench.client.deposit(ALICE, EntryKind.ACCOUNT, QUOTE, 1, target=ANNE)[0]
    feed.refresh()
    assert feed.entry(first.index) == first
    bench.node.revert(before)
    second = bench.client.deposit(ALICE, EntryKind.ACCOUNT, QUOTE, 2, target=ANNE)[0]
    assert second.index == first.index
    feed.refresh()
    assert feed.entry(first.index) == second
    assert feed.entry(first.index + 1) is None


# ---------------------------------------------------------------- the journal


def test_heads_do_not_read_bodies(sequencer: Sequencer) -> None:
    journal = sequencer.journal
    journal._db.execute("UPDATE batches SET body = x'00', inputs = x'00'")  # nothing could be inflated
    assert [head.state for head in journal.heads(BatchState.PLANNED)] == [BatchState.PLANNED] * 2
    journal.advance(1, BatchState.PROVED, proof="{}")
    assert journal.head(1).state is BatchState.PROVED
    assert journal._db.execute("SELECT inputs IS NULL FROM batches WHERE number = 1").fetchone() == (0,)


def test_other_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.put("schema", "9")
    journal.close()
    with pytest.raises(InternalError, match="schema 9"):
        Journal(path)
