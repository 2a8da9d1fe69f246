# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal of a sequencer: one row a batch, one row a submitted operation, in SQLite.

A batch moves through the states of `BatchState` in order, each move one durable transaction. What a state
needs in order to go on stands in the row before the state is entered: the witness inputs before proving, the
proof before signing, the signed transaction before it is sent. So a process killed at any point finds, on
restart, either the work undone or its result; and a transaction is only ever sent again as the same bytes
(same account nonce), which a chain can't include twice.

Batches that go out in one transaction are signed, sent and confirmed together. `number` is a batch's place in
the journal; `chain_number` the contract's number for it, known once it is confirmed: the two differ where
others have posted batches. Where others' batches changed the ledger, the chain's state is adopted: a row of
the kind `ADOPTED` takes the place of the open batches, whose numbers are not used again.
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

from zkmargin.errors import InternalError, StaleData

SCHEMA_VERSION = 3
ADOPTED = "adopted"  # in the place of a circuit: the chain's state after its batch `chain_number`
QUEUE_BLOCK = "queue_block"  # a note: no deposit before this block is still to be consumed
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
    number     INTEGER PRIMARY KEY,
    circuit    TEXT NOT NULL,
    state      TEXT NOT NULL,
    slot       INTEGER NOT NULL,
    chain_number INTEGER NOT NULL DEFAULT 0, -- the contract's number for it, once confirmed
    body       BLOB NOT NULL,      -- what was decided: touches or tick, words, signals (JSON, deflated)
    inputs     BLOB,               -- witness inputs (JSON, deflated), dropped once confirmed
    proof      TEXT,
    raw_tx     BLOB,               -- of the first batch of a transaction; its others have the hash alone
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
_INDICES = (
    "CREATE INDEX IF NOT EXISTS batches_by_state ON batches (state, number)",
    "CREATE INDEX IF NOT EXISTS batches_by_circuit ON batches (circuit, number)",
)
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
class Accepted:
    """That the chain took a batch: the contract's number for it, and the record of its transaction."""

    number: int
    chain_number: int
    receipt: dict[str, Any]


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
        if found not in (None, str(SCHEMA_VERSION)):
            raise InternalError(
                f"{path} has journal schema {found}, this version reads {SCHEMA_VERSION}",
                hint="use the version of zkmargin that wrote it",
                code="journal_schema",
            )
        for index in _INDICES:
            self._db.execute(index)
        self.put("schema", str(SCHEMA_VERSION))
        self._adopted = self.last_of(ADOPTED)

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
    ) -> None:
        """Enter batch `number` as planned, its operations as planned too, and others as refused.

        One transaction. `refusals`: (operation, reason), judged against this batch's state. Raises
        `StaleData` if the chain's state was adopted since the journal was opened: the plan is not of that.
        """
        with self.transaction():
            if self.last_of(ADOPTED) != self._adopted:
                raise StaleData(
                    "the chain's state was adopted while this sequencer ran",
                    hint="start it again",
                    code="adopted_meanwhile",
                    retryable=False,
                )
            if number != self.last_batch() + 1:
                raise InternalError(f"batch {number} is not the next one", code="journal_order")
            self._db.execute(
                "INSERT INTO batches (number, circuit, state, slot, body, inputs) VALUES (?, ?, ?, ?, ?, ?)",
                (number, circuit, BatchState.PLANNED, slot, _deflate(body), _deflate(inputs)),
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
        self._db.execute(
            f"UPDATE batches SET state = ?{assignments} WHERE number = ?", (state, *columns.values(), number)
        )

    def sign(self, numbers: Sequence[int], raw_tx: bytes, tx_hash: str) -> None:
        """Enter the signed transaction that posts these batches."""
        with self.transaction():
            for number in numbers:
                kept = raw_tx if number == numbers[0] else None
                self.advance(number, BatchState.SIGNED, raw_tx=kept, tx_hash=tx_hash)

    def sent(self, numbers: Sequence[int]) -> None:
        """Enter that the transaction of these batches has been sent."""
        with self.transaction():
            for number in numbers:
                self.advance(number, BatchState.SENT)

    def confirm(self, rows: Sequence[Accepted]) -> None:
        """Enter that the chain took these batches; others that were to go with them are to be signed anew."""
        with self.transaction():
            self._confirm(rows)
            self._db.execute(
                "UPDATE batches SET state = ?, raw_tx = NULL, tx_hash = NULL WHERE state IN (?, ?)",
                (BatchState.PROVED, BatchState.SIGNED, BatchState.SENT),
            )

    def _confirm(self, rows: Sequence[Accepted]) -> None:
        for row in rows:
            if self.head(row.number).state is BatchState.CONFIRMED:
                raise InternalError(f"batch {row.number} is confirmed already", code="journal_order")
            self._db.execute(
                "UPDATE batches SET state = ?, chain_number = ?, receipt = ?, inputs = NULL, "
                "raw_tx = NULL WHERE number = ?",
                (BatchState.CONFIRMED, row.chain_number, json.dumps(row.receipt), row.number),
            )

    def adopt(self, slot: int, body: dict[str, Any], state: Accepted, taken: Sequence[Accepted]) -> int:
        """Enter the chain's state, `body` at the tick of `slot`, in the place of open batches but `taken`.

        One transaction. What the dropped batches held of submitted operations waits again; returns how many
        those are. `state.number` is the row's own, the next one. The queue is to be read from the start
        again: what the dropped batches consumed may still be to be consumed.
        """
        with self.transaction():
            if state.number != self.last_batch() + 1:
                raise InternalError(f"batch {state.number} is not the next one", code="journal_order")
            self._confirm(taken)
            again = self._db.execute(
                "UPDATE operations SET state = 'waiting', batch = NULL WHERE state = 'planned' "
                "AND batch IN (SELECT number FROM batches WHERE state != ?)",
                (BatchState.CONFIRMED,),
            ).rowcount
            self._db.execute("DELETE FROM batches WHERE state != ?", (BatchState.CONFIRMED,))
            self._db.execute(
                "INSERT INTO batches (number, circuit, state, slot, chain_number, body, receipt) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    state.number,
                    ADOPTED,
                    BatchState.CONFIRMED,
                    slot,
                    state.chain_number,
                    _deflate(body),
                    json.dumps(state.receipt),
                ),
            )
            self._db.execute("DELETE FROM meta WHERE key = ?", (QUEUE_BLOCK,))
        self._adopted = self.head(state.number)
        return again

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

    def heads_back(self) -> Iterator[BatchHead]:
        """All batches from the last to the first, read as they are asked for."""
        number = self.last_batch()
        while number:
            yield self.head(number)
            number = self._highest("number < ?", number) or 0

    def last_confirmed(self) -> BatchHead | None:
        """The last batch the chain is known to have accepted."""
        number = self._highest("state = ?", BatchState.CONFIRMED)
        return None if number is None else self.head(number)

    def last_of(self, *circuits: str, until: int | None = None) -> BatchHead | None:
        """The last batch of any of `circuits`, up to batch `until` if that is given."""
        last = self.last_batch() if until is None else until
        number = self._highest(f"circuit IN ({_marks(circuits)}) AND number <= ?", *circuits, last)
        return None if number is None else self.head(number)

    def last_batch(self) -> int:
        """The highest batch number planned so far, 0 when there is none."""
        return self._highest("TRUE") or 0

    def _highest(self, which: str, *values: Any) -> int | None:
        number = self._db.execute(f"SELECT MAX(number) FROM batches WHERE {which}", values).fetchone()[0]
        return None if number is None else int(number)

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
