# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal of a sequencer: one row a batch, one row a submitted operation, in SQLite.

A batch moves through the states of `BatchState` in order, each move one durable transaction. What a state
needs in order to go on stands in the row before the state is entered: the witness inputs before proving, the
proof before signing, the signed transaction before it is sent. So a process killed at any point finds, on
restart, either the work undone or its result; and a transaction is only ever sent again as the same bytes
(same account nonce), which a chain can't include twice.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from zkmargin.errors import InternalError

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
    number     INTEGER PRIMARY KEY,
    circuit    TEXT NOT NULL,
    state      TEXT NOT NULL,
    slot       INTEGER NOT NULL,
    body       BLOB NOT NULL,      -- what was decided: touches or tick, words, public signals (JSON, deflated)
    inputs     BLOB,               -- witness inputs (JSON, deflated), dropped once the proof stands
    proof      TEXT,
    raw_tx     BLOB,
    tx_hash    TEXT,
    receipt    TEXT
);
CREATE TABLE IF NOT EXISTS operations (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    digest  TEXT NOT NULL UNIQUE,  -- the signed message: one submission counts once
    body    TEXT NOT NULL,
    state   TEXT NOT NULL,         -- waiting, planned, refused
    batch   INTEGER,
    reason  TEXT
);
"""


class BatchState(StrEnum):
    """How far a batch has come."""

    PLANNED = "planned"
    PROVED = "proved"
    SIGNED = "signed"
    SENT = "sent"
    CONFIRMED = "confirmed"


ORDER = list(BatchState)


@dataclass(frozen=True)
class BatchRow:
    """A journalled batch. `body` and `inputs` are JSON values; `proof` snarkjs's form; `raw_tx` signed bytes."""

    number: int
    circuit: str
    state: BatchState
    slot: int
    body: dict[str, Any]
    inputs: dict[str, Any] | None
    proof: dict[str, Any] | None
    raw_tx: bytes | None
    tx_hash: str | None
    receipt: dict[str, Any] | None


@dataclass(frozen=True)
class OperationRow:
    """A submitted operation and what became of it."""

    id: int
    digest: str
    body: dict[str, Any]
    state: str
    batch: int | None
    reason: str | None


def _deflate(value: Any) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)


def _inflate(blob: bytes | None) -> Any:
    return None if blob is None else json.loads(zlib.decompress(blob))


class Journal:
    """The journal in `path`; safe against a kill at any instruction (WAL, full synchronisation)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        known = self.get("schema")
        if known is None:
            self.put("schema", str(SCHEMA_VERSION))
        elif int(known) != SCHEMA_VERSION:
            raise InternalError(
                f"{path} has journal schema {known}, this version reads {SCHEMA_VERSION}",
                hint="use the version of zkmargin that wrote it", code="journal_schema",
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside become durable together or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def get(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # ---------------------------------------------------------------- batches

    def plan(self, number: int, circuit: str, slot: int, body: dict[str, Any], inputs: dict[str, Any],
             operations: list[int]) -> None:
        """Enter batch `number` as planned and mark its operations so, in one transaction."""
        with self.transaction():
            self._db.execute(
                "INSERT INTO batches (number, circuit, state, slot, body, inputs) VALUES (?, ?, ?, ?, ?, ?)",
                (number, circuit, BatchState.PLANNED, slot, _deflate(body), _deflate(inputs)),
            )
            for operation in operations:
                self._db.execute("UPDATE operations SET state = 'planned', batch = ? WHERE id = ?", (number, operation))

    def advance(self, number: int, state: BatchState, **columns: Any) -> None:
        """Move a batch to `state`, the one after its present state, with the columns that state stands for."""
        present = self.batch(number).state
        if ORDER.index(state) != ORDER.index(present) + 1:
            raise InternalError(f"batch {number} is {present} and can't become {state}", code="journal_order")
        assignments = "".join(f", {name} = ?" for name in columns)
        if state is BatchState.PROVED:
            assignments += ", inputs = NULL"
        self._db.execute(f"UPDATE batches SET state = ?{assignments} WHERE number = ?",
                         (state, *columns.values(), number))

    def _row(self, row: tuple[Any, ...]) -> BatchRow:
        number, circuit, state, slot, body, inputs, proof, raw_tx, tx_hash, receipt = row
        return BatchRow(number, circuit, BatchState(state), slot, _inflate(body), _inflate(inputs),
                        json.loads(proof) if proof else None, raw_tx, tx_hash, json.loads(receipt) if receipt else None)

    def batch(self, number: int) -> BatchRow:
        row = self._db.execute("SELECT * FROM batches WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise InternalError(f"batch {number} is not in the journal", code="journal_batch")
        return self._row(row)

    def batches(self, *states: BatchState) -> Iterator[BatchRow]:
        """Batches in any of `states` (all when none is named), in order of their numbers."""
        wanted = states or tuple(BatchState)
        marks = ",".join("?" * len(wanted))
        numbers = self._db.execute(f"SELECT number FROM batches WHERE state IN ({marks}) ORDER BY number", wanted)
        for (number,) in numbers.fetchall():
            yield self.batch(number)

    def last_batch(self) -> int:
        """The highest batch number planned so far, 0 when there is none."""
        return int(self._db.execute("SELECT COALESCE(MAX(number), 0) FROM batches").fetchone()[0])

    # ------------------------------------------------------------- operations

    def submit(self, digest: str, body: dict[str, Any]) -> int:
        """Enter an operation; the same signed message again returns the first one's id."""
        with self.transaction():
            self._db.execute("INSERT OR IGNORE INTO operations (digest, body, state) VALUES (?, ?, 'waiting')",
                             (digest, json.dumps(body)))
            return int(self._db.execute("SELECT id FROM operations WHERE digest = ?", (digest,)).fetchone()[0])

    def refuse(self, operation: int, reason: str) -> None:
        self._db.execute("UPDATE operations SET state = 'refused', reason = ? WHERE id = ?", (reason, operation))

    def operations(self, state: str) -> list[OperationRow]:
        rows = self._db.execute("SELECT id, digest, body, state, batch, reason FROM operations WHERE state = ? ORDER BY id",
                                (state,)).fetchall()
        return [OperationRow(i, digest, json.loads(body), st, batch, reason) for i, digest, body, st, batch, reason in rows]

    def close(self) -> None:
        self._db.close()
