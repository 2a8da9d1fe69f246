# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal of a sequencer: one row a batch, one row a submitted operation, in SQLite.

A batch moves through the states of `BatchState` in order, each move one durable transaction. What a state
needs in order to go on stands in the row before the state is entered: the witness inputs before proving, the
proof before signing, the signed transaction before it is sent. So a process killed at any point finds, on
restart, either the work undone or its result; and a transaction is only ever sent again as the same bytes
(same account nonce), which a chain can't include twice.

`number` is a batch's place in the journal and never changes. `chain_number` is the contract's batch number it
is bound to: the two differ once others have posted batches; `rebase` moves open batches to later numbers.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from zkmargin.errors import InternalError

SCHEMA_VERSION = 2
_UPGRADES = 1  # the oldest schema that is brought up to date when opened
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
    number     INTEGER PRIMARY KEY,
    circuit    TEXT NOT NULL,
    state      TEXT NOT NULL,
    slot       INTEGER NOT NULL,
    chain_number INTEGER NOT NULL DEFAULT 0, -- the contract's batch number that the public signals are for
    body       BLOB NOT NULL,      -- what was decided: touches or tick, words, signals (JSON, deflated)
    inputs     BLOB,               -- witness inputs (JSON, deflated), dropped once confirmed
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
_INDEX = "CREATE INDEX IF NOT EXISTS batches_by_state ON batches (state, number)"
_COLUMNS = "number, circuit, state, slot, chain_number, body, inputs, proof, raw_tx, tx_hash, receipt"


class BatchState(StrEnum):
    """How far a batch has come."""

    PLANNED = "planned"
    PROVED = "proved"
    SIGNED = "signed"
    SENT = "sent"
    CONFIRMED = "confirmed"


ORDER = list(BatchState)


@dataclass(frozen=True)
class BatchHead:
    """The part of a batch that is cheap to read."""

    number: int
    circuit: str
    state: BatchState
    slot: int
    chain_number: int


@dataclass(frozen=True)
class BatchRow:
    """A journalled batch. `body`, `inputs` are JSON values; `proof` snarkjs's form; `raw_tx` signed bytes."""

    number: int
    circuit: str
    state: BatchState
    slot: int
    chain_number: int
    body: dict[str, Any]
    inputs: dict[str, Any] | None
    proof: dict[str, Any] | None
    raw_tx: bytes | None
    tx_hash: str | None
    receipt: dict[str, Any] | None


@dataclass(frozen=True)
class Rebased:
    """An open batch bound to another chain number: to be proved anew or, with a receipt, posted by others."""

    number: int
    chain_number: int
    body: dict[str, Any]
    inputs: dict[str, Any] | None
    receipt: dict[str, Any] | None = None


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


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _inflate(blob: bytes | None) -> Any:
    return None if blob is None else json.loads(zlib.decompress(blob))


class Journal:
    """The journal in `path`; safe against a kill at any instruction (WAL, full synchronisation)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._open(path)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise InternalError(
                f"the journal {path} can't be opened: {error}",
                hint="check that the disk has room; a damaged journal must come back from a copy",
                code="journal_damaged",
            ) from error
        except BaseException:
            self._db.close()
            raise

    def _open(self, path: Path) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        found = self.get("schema")
        known = SCHEMA_VERSION if found is None else int(found)
        if known not in range(_UPGRADES, SCHEMA_VERSION + 1):
            raise InternalError(
                f"{path} has journal schema {known}, this version reads {SCHEMA_VERSION}",
                hint="use the version of zkmargin that wrote it",
                code="journal_schema",
            )
        if found != str(SCHEMA_VERSION):
            with self.transaction():
                self._upgrade()

    def _upgrade(self) -> None:
        if "chain_number" not in {row[1] for row in self._db.execute("PRAGMA table_info(batches)")}:
            self._db.execute("ALTER TABLE batches ADD COLUMN chain_number INTEGER NOT NULL DEFAULT 0")
            self._db.execute("UPDATE batches SET chain_number = number")
        self._db.execute(_INDEX)
        self.put("schema", str(SCHEMA_VERSION))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside become durable together or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def get(self, key: str) -> str | None:
        """A note kept under `key`."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        """Keep a note."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # ---------------------------------------------------------------- batches

    def plan(
        self,
        number: int,
        circuit: str,
        slot: int,
        body: dict[str, Any],
        inputs: dict[str, Any],
        operations: Sequence[int],
        refusals: Sequence[tuple[int, str]] = (),
        chain_number: int | None = None,
    ) -> None:
        """Enter batch `number` as planned, its operations as planned too, and others as refused.

        One transaction. `refusals`: (operation, reason), judged against this batch's state. `chain_number`:
        the contract's number the batch is bound to, `number` if not given.
        """
        bound = number if chain_number is None else chain_number
        with self.transaction():
            if (number, bound) != (self.last_batch() + 1, self.next_chain_number()):
                raise InternalError(
                    f"batch {number} ({bound} on the chain) is not the next one", code="journal_order"
                )
            self._db.execute(
                "INSERT INTO batches (number, circuit, state, slot, chain_number, body, inputs) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, circuit, BatchState.PLANNED, slot, bound, _deflate(body), _deflate(inputs)),
            )
            for operation in operations:
                self._db.execute(
                    "UPDATE operations SET state = 'planned', batch = ? WHERE id = ?", (number, operation)
                )
            for operation, reason in refusals:
                self.refuse(operation, reason)

    def advance(self, number: int, state: BatchState, **columns: Any) -> None:
        """Move a batch to `state`, the one after its present one, with the columns that state stands for."""
        present = self.head(number).state
        if ORDER.index(state) != ORDER.index(present) + 1:
            raise InternalError(f"batch {number} is {present} and can't become {state}", code="journal_order")
        assignments = "".join(f", {name} = ?" for name in columns)
        if state is BatchState.CONFIRMED:
            assignments += ", inputs = NULL"
        self._db.execute(
            f"UPDATE batches SET state = ?{assignments} WHERE number = ?", (state, *columns.values(), number)
        )

    def rebase(self, rows: Sequence[Rebased]) -> None:
        """Bind open batches to other chain numbers, in one transaction.

        Those with a receipt become confirmed; the others are planned again, without proof or transaction.
        """
        with self.transaction():
            for row in rows:
                if self.head(row.number).state is BatchState.CONFIRMED:
                    raise InternalError(
                        f"batch {row.number} is confirmed and can't be renumbered", code="journal_order"
                    )
                if row.receipt is not None:
                    self._db.execute(
                        "UPDATE batches SET state = ?, proof = CASE WHEN chain_number = ? THEN proof END, "
                        "chain_number = ?, body = ?, inputs = NULL, raw_tx = NULL, tx_hash = NULL, "
                        "receipt = ? WHERE number = ?",
                        (
                            BatchState.CONFIRMED,
                            row.chain_number,
                            row.chain_number,
                            _deflate(row.body),
                            json.dumps(row.receipt),
                            row.number,
                        ),
                    )
                else:
                    self._db.execute(
                        "UPDATE batches SET state = ?, chain_number = ?, body = ?, inputs = ?, proof = NULL, "
                        "raw_tx = NULL, tx_hash = NULL WHERE number = ?",
                        (
                            BatchState.PLANNED,
                            row.chain_number,
                            _deflate(row.body),
                            _deflate(row.inputs),
                            row.number,
                        ),
                    )

    def _row(self, row: tuple[Any, ...]) -> BatchRow:
        number, circuit, state, slot, chain_number, body, inputs, proof, raw_tx, tx_hash, receipt = row
        return BatchRow(
            number,
            circuit,
            BatchState(state),
            slot,
            chain_number,
            _inflate(body),
            _inflate(inputs),
            json.loads(proof) if proof else None,
            raw_tx,
            tx_hash,
            json.loads(receipt) if receipt else None,
        )

    def batch(self, number: int) -> BatchRow:
        """The whole row of a batch."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM batches WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise InternalError(f"batch {number} is not in the journal", code="journal_batch")
        return self._row(row)

    def batches(self, *states: BatchState) -> Iterator[BatchRow]:
        """Batches in any of `states` (all when none is named), in order of their numbers."""
        for head in self.heads(*states):
            yield self.batch(head.number)

    def head(self, number: int) -> BatchHead:
        """A batch without what it holds."""
        row = self._db.execute(
            "SELECT number, circuit, state, slot, chain_number FROM batches WHERE number = ?", (number,)
        ).fetchone()
        if row is None:
            raise InternalError(f"batch {number} is not in the journal", code="journal_batch")
        return BatchHead(row[0], row[1], BatchState(row[2]), row[3], row[4])

    def heads(self, *states: BatchState) -> list[BatchHead]:
        """As `batches`, without reading what the batches hold."""
        wanted = states or tuple(BatchState)
        rows = self._db.execute(
            "SELECT number, circuit, state, slot, chain_number FROM batches "
            f"WHERE state IN ({_marks(wanted)}) ORDER BY number",
            wanted,
        )
        return [
            BatchHead(number, circuit, BatchState(state), *rest) for number, circuit, state, *rest in rows
        ]

    def last_confirmed(self) -> BatchHead | None:
        """The last batch the chain is known to have accepted."""
        number = self._db.execute(
            "SELECT MAX(number) FROM batches WHERE state = ?", (BatchState.CONFIRMED,)
        ).fetchone()[0]
        return None if number is None else self.head(int(number))

    def next_chain_number(self) -> int:
        """The contract's batch number that the next planned batch is bound to."""
        last = self.last_batch()
        return self.head(last).chain_number + 1 if last else 1

    def last_batch(self) -> int:
        """The highest batch number planned so far, 0 when there is none."""
        return int(self._db.execute("SELECT COALESCE(MAX(number), 0) FROM batches").fetchone()[0])

    # ------------------------------------------------------------- operations

    def submit(self, digest: str, body: dict[str, Any]) -> int:
        """Enter an operation; the same signed message again returns the first one's id.

        One that was refused waits again: the state it was judged against has passed.
        """
        with self.transaction():
            self._db.execute(
                "INSERT INTO operations (digest, body, state) VALUES (?, ?, 'waiting') ON CONFLICT (digest) "
                "DO UPDATE SET state = 'waiting', reason = NULL, body = excluded.body "
                "WHERE operations.state = 'refused'",
                (digest, json.dumps(body)),
            )
            return int(
                self._db.execute("SELECT id FROM operations WHERE digest = ?", (digest,)).fetchone()[0]
            )

    def refuse(self, operation: int, reason: str) -> None:
        """Enter an operation as refused, one that was judged against a durable state (else see `plan`)."""
        self._db.execute(
            "UPDATE operations SET state = 'refused', reason = ? WHERE id = ?", (reason, operation)
        )

    def operations(self, state: str) -> list[OperationRow]:
        """Operations in `state`, in the order they came."""
        rows = self._db.execute(
            "SELECT id, digest, body, state, batch, reason FROM operations WHERE state = ? ORDER BY id",
            (state,),
        ).fetchall()
        return [
            OperationRow(i, digest, json.loads(body), st, batch, reason)
            for i, digest, body, st, batch, reason in rows
        ]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
