# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger state in SQLite: one transaction a batch, so that a restart finds the state after a whole batch.

A write-ahead log with full synchronisation: a process or machine that dies inside `save` leaves the previous
batch. Integers that may exceed 64 bits are decimal text, so that people and other programs can read the rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from zkmargin.errors import BadInput, InternalError, MissingData
from zkmargin.protocol.constants import HOLDINGS, Profile
from zkmargin.protocol.model import Account, Holding
from zkmargin.state.ledger import Header, Ledger, Scalars

SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
    leaf     INTEGER PRIMARY KEY,
    id       INTEGER NOT NULL UNIQUE,
    nonce    INTEGER NOT NULL,
    address  TEXT NOT NULL,     -- 0x and 40 hex digits
    owner    TEXT NOT NULL,     -- decimal
    balance  TEXT NOT NULL,     -- decimal, fine units
    holdings TEXT NOT NULL      -- JSON: {"slot": [instrument, tier, side, size]}
);
CREATE TABLE IF NOT EXISTS headers (page INTEGER PRIMARY KEY, anchor TEXT NOT NULL, radius TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS blocks (block INTEGER PRIMARY KEY, anchor TEXT NOT NULL, radius TEXT NOT NULL);
"""
_SCALARS = ("reserve", "next_id", "consumed")
_REBUILD = "move the file away: the state can be rebuilt from the chain"

_Row = tuple[int, int, int, str, str, str, str]


def _row(leaf: int, account: Account) -> _Row:
    held = {j: [h.instrument, h.tier, h.side, h.size] for j, h in enumerate(account.slots) if h}
    address = f"0x{account.address:040x}"
    return (
        leaf,
        account.id,
        account.nonce,
        address,
        str(account.owner),
        str(account.balance),
        json.dumps(held),
    )


def _marked(headers: Mapping[int, Header]) -> list[tuple[int, str, str]]:
    return [
        (number, str(anchor), str(radius)) for number, (anchor, radius) in headers.items() if anchor or radius
    ]


def _account(row: _Row) -> tuple[int, Account]:
    leaf, identity, nonce, address, owner, balance, holdings = row
    slots: list[Holding | None] = [None] * HOLDINGS
    for j, (instrument, tier, side, size) in json.loads(holdings).items():
        slots[int(j)] = Holding(instrument, tier, side, size)
    return leaf, Account(identity, nonce, int(address, 16), int(owner), int(balance), tuple(slots))


class Store:
    """A ledger's state in the file `path`, which is made if it is not there. One process uses it at a time.

    Raises `MissingData` for a file of another profile, `InternalError` for one of another schema or no
    database at all.
    """

    def __init__(self, path: Path, profile: Profile) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._profile = profile
        self._ledger: Ledger | None = None  # the ledger whose unsaved part is all that differs from the file
        with self._guarded("opened"):
            self._db = sqlite3.connect(path, isolation_level=None)
        try:
            with self._guarded("opened"):
                self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        known, stored = self._get("schema"), self._get("profile")
        if known not in (None, str(SCHEMA_VERSION)):
            raise InternalError(
                f"{self.path} has state schema {known}, this version reads {SCHEMA_VERSION}",
                hint="use the version of zkmargin that wrote it",
                code="state_schema",
            )
        if stored not in (None, self._profile.name):
            raise MissingData(
                f"{self.path} holds a ledger of profile {stored}, not {self._profile.name}",
                hint="name another file or that profile",
                code="wrong_profile",
            )

    @contextmanager
    def _guarded(self, action: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise InternalError(
                f"{self.path} can't be {action}: {error}",
                hint="check that the disk has room and no other process uses the file",
                code="state_unavailable",
                retryable=True,
            ) from error
        except sqlite3.DatabaseError as error:
            raise InternalError(
                f"{self.path} can't be {action}: {error}", hint=_REBUILD, code="state_damaged"
            ) from error

    def _get(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    @property
    def batch(self) -> int | None:
        """The last batch whose effects are stored; None before anything is."""
        with self._guarded("read"):
            value = self._get("batch")
        return None if value is None else int(value)

    def save(self, ledger: Ledger, batch: int) -> None:
        """Store the ledger as the state after `batch`, in one transaction, and set its checkpoint.

        Only what is unsaved is written if the ledger is the one last loaded or saved here. Saving one batch
        twice is harmless; a batch below the stored one raises `InternalError`.
        """
        stored = self.batch
        if stored is not None and batch < stored:
            raise InternalError(f"the state after batch {stored} is stored, {batch} comes before it")
        with self._guarded("written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._write(ledger, batch)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        self._ledger = ledger
        ledger.mark_saved()
        ledger.checkpoint()

    def _write(self, ledger: Ledger, batch: int) -> None:
        if ledger is self._ledger:
            accounts, headers, blocks = ledger.unsaved()
        else:
            accounts, headers, blocks = dict(ledger.accounts()), ledger.headers(), ledger.block_headers()
            for table in ("accounts", "headers", "blocks"):
                self._db.execute(f"DELETE FROM {table}")
        rows = [_row(leaf, account) for leaf, account in accounts.items() if not account.is_empty]
        values = {
            "schema": SCHEMA_VERSION,
            "profile": self._profile.name,
            "batch": batch,
            "root": ledger.root(),
        }
        values |= zip(_SCALARS, ledger.scalars(), strict=True)
        self._db.executemany("DELETE FROM accounts WHERE leaf = ?", [(leaf,) for leaf in accounts])
        self._db.executemany("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._db.executemany("DELETE FROM headers WHERE page = ?", [(page,) for page in headers])
        self._db.executemany("INSERT INTO headers VALUES (?, ?, ?)", _marked(headers))
        self._db.executemany("DELETE FROM blocks WHERE block = ?", [(block,) for block in blocks])
        self._db.executemany("INSERT INTO blocks VALUES (?, ?, ?)", _marked(blocks))
        self._db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, str(value)) for key, value in values.items()]
        )

    def load(self) -> Ledger:
        """The stored ledger, or the genesis one when nothing is stored.

        Raises `InternalError` with code `state_damaged` if the rows don't make the stored root.
        """
        if self.batch is None:
            return Ledger.genesis(self._profile)
        try:
            with self._guarded("read"):
                accounts, headers, blocks, scalars, root = self._read()
            ledger = Ledger.of(self._profile, accounts, headers, blocks, scalars)
        except (ValueError, TypeError, IndexError, AttributeError, BadInput) as error:
            raise InternalError(
                f"{self.path} holds a malformed row: {error}", hint=_REBUILD, code="state_damaged"
            ) from error
        if str(ledger.root()) != root:
            raise InternalError(
                f"the accounts in {self.path} do not hash to the stored root",
                hint=_REBUILD,
                code="state_damaged",
            )
        ledger.mark_saved()
        self._ledger = ledger
        return ledger

    def _read(
        self,
    ) -> tuple[dict[int, Account], dict[int, Header], dict[int, Header], Scalars, str | None]:
        accounts = dict(_account(row) for row in self._db.execute("SELECT * FROM accounts ORDER BY leaf"))
        headers, blocks = (
            {number: (int(anchor), int(radius)) for number, anchor, radius in self._db.execute(query)}
            for query in ("SELECT * FROM headers", "SELECT * FROM blocks")
        )
        reserve, next_id, consumed = (int(str(self._get(key))) for key in _SCALARS)
        return accounts, headers, blocks, (reserve, next_id, consumed), self._get("root")

    def close(self) -> None:
        """Close the file; nothing is lost, every save is already on disk."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
