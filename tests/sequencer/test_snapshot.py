# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain's state as the journal keeps it, and the journal around it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contracts.ledger import GENESIS, params
from zkmargin.engine.ticks import genesis_tick
from zkmargin.errors import InternalError
from zkmargin.protocol.constants import HOLDINGS, load
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Account, Holding, Tick
from zkmargin.sequencer.journal import QUEUE_BLOCK, Accepted, BatchState, Journal
from zkmargin.sequencer.snapshot import Snapshot, decode_snapshot, encode_snapshot, last_state, ticks_in
from zkmargin.state.ledger import Ledger
from zkmargin.state.store import Store

PROFILE = load().profile("small")
START = genesis_tick(params(PROFILE), GENESIS.slot)
LATER = Tick(START.slot + 1, START.time + 60, 1, 2, 3, START.instruments)


def _ledger() -> Ledger:
    """Backstops, a person with two holdings, headers of pages and blocks, a deficit."""
    held: list[Holding | None] = [None] * HOLDINGS
    held[2], held[5] = Holding(1, 3, 1, (1 << 48) - 1), Holding(2, 0, 0, 7)
    ledger = Ledger.genesis(PROFILE)
    ledger.write(70, Account(PROFILE.instruments, 9, 1 << 159, 1 << 250, -(1 << 100), tuple(held)))
    ledger.set_header(0, tick_hash(LATER), 0)
    ledger.set_header(1, tick_hash(START), (1 << 24) - 1)
    ledger.set_block_header(0, tick_hash(LATER), 5)
    ledger.reserve, ledger.next_id, ledger.consumed = -12, PROFILE.instruments + 1, 3
    return ledger


def _snapshot() -> Snapshot:
    return Snapshot(_ledger(), LATER, (START, LATER), True, False)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A confirmed tick, and a settle of an operation that is on its way."""
    with closing(Journal(tmp_path / "journal.sqlite")) as made:
        made.submit("asked", {})
        made.plan(1, "tick", 1, {"tick": None}, {}, [])
        made.confirm([Accepted(1, 1, {"block": 1})])
        made.plan(2, "settle", 1, {}, {}, [1])
        made.plan(3, "coverage", 1, {}, {}, [])
        made.put(QUEUE_BLOCK, "70")
        yield made


def _dump(tmp_path: Path) -> list[str]:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as base:
        return list(base.iterdump())


def _adopt(journal: Journal, **body: Any) -> int:
    state = Accepted(journal.last_batch() + 1, 8, {"block": 40})
    return journal.adopt(LATER.slot, encode_snapshot(_snapshot()) | body, state, [])


def test_there_and_back(journal: Journal) -> None:
    assert _adopt(journal) == 1
    row = journal.batch(4)
    made = decode_snapshot(row, PROFILE)
    assert made.ledger.root() == _ledger().root()
    assert dict(made.ledger.accounts()) == dict(_ledger().accounts())
    assert made.ledger.scalars() == (-12, PROFILE.instruments + 1, 3)
    assert (made.tick, made.anchors, made.tick_covered, made.covered) == (LATER, (START, LATER), True, False)
    assert ticks_in(row) == [LATER, START, LATER]


@pytest.mark.parametrize(
    "body", [{"scalars": ["0", "17", "3"]}, {"headers": []}, {"blocks": [[0, "5", 5]]}, {"new_root": "1"}]
)
def test_a_state_of_another_root(journal: Journal, body: dict[str, Any]) -> None:
    _adopt(journal, **body)
    with pytest.raises(InternalError, match="the state in batch 4 has another root"):
        decode_snapshot(journal.batch(4), PROFILE)


def test_the_journal_goes_on_after_the_numbers_of_dropped_batches(journal: Journal) -> None:
    _adopt(journal)
    assert [head.number for head in journal.heads_back()] == [4, 1]
    assert journal.heads(*(state for state in BatchState if state is not BatchState.CONFIRMED)) == []
    assert [row.id for row in journal.operations("waiting")] == [1]
    assert journal.get(QUEUE_BLOCK) is None  # deposits of dropped batches are to be found again
    last = journal.last_confirmed()
    assert last is not None
    assert (last.number, last.chain_number, last.slot) == (4, 8, LATER.slot)
    journal.plan(5, "settle", LATER.slot, {}, {}, [1])
    assert [head.number for head in journal.heads_back()] == [5, 4, 1]


def test_all_or_nothing(journal: Journal, tmp_path: Path) -> None:
    before = _dump(tmp_path)
    state = Accepted(4, 8, {"block": 40})
    with pytest.raises(InternalError, match="batch 1 is confirmed already"):
        journal.adopt(LATER.slot, {}, state, [Accepted(2, 2, {}), Accepted(1, 3, {})])
    assert _dump(tmp_path) == before
    with pytest.raises(InternalError, match="batch 3 is not the next one"):  # one was planned meanwhile
        journal.adopt(LATER.slot, {}, Accepted(3, 8, {}), [])
    assert _dump(tmp_path) == before


def test_the_last_state_is_the_stored_one_or_what_was_adopted_later(journal: Journal, tmp_path: Path) -> None:
    with Store(tmp_path / "state.sqlite", PROFILE) as store:
        genesis = Ledger.genesis(PROFILE)
        store.save(genesis, 3)  # after a batch that is dropped
        _adopt(journal)
        ledger, tick, at = last_state(journal, store, PROFILE, START)
        assert (ledger.root(), tick, at) == (_ledger().root(), LATER, 4)
        ledger.reserve = 5
        store.save(ledger, 4)
        again, tick, at = last_state(journal, store, PROFILE, START)
        assert (again.root(), tick, at) == (ledger.root(), LATER, 4)
