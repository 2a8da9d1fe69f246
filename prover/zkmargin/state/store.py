# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger state in SQLite: one transaction a batch, so that a restart finds the state after a whole batch."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from zkmargin.errors import InternalError, MissingData
from zkmargin.protocol.constants import HOLDINGS, Profile
from zkmargin.protocol.model import Account, Holding
from zkmargin.state.ledger import Ledger

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
    leaf     INTEGER PRIMARY KEY,
    id       INTEGER NOT NULL UNIQUE,
    nonce    INTEGER NOT NULL,
    address  TEXT NOT NULL,     -- 0x and 40 hex digits
    owner    TEXT NOT NULL,     -- decimal: these exceed 64 bits
    balance  TEXT NOT NULL,     -- decimal, fine units
    holdings TEXT NOT NULL      -- JSON: {"slot": [instrument, tier, side, size]}
);
CREATE TABLE IF NOT EXISTS headers (page INTEGER PRIMARY KEY, anchor TEXT NOT NULL, radius TEXT NOT NULL);
"""


def _row(leaf: int, account: Account) -> tuple[int, int, int, str, str, str, str]:
    held = {j: [h.instrument, h.tier, h.side, h.size] for j, h in enumerate(account.slots) if h}
    return (leaf, account.id, account.nonce, f"0x{account.address:040x}", str(account.owner), str(account.balance),
            json.dumps(held))


def _account(row: tuple[int, int, int, str, str, str, str]) -> tuple[int, Account]:
    leaf, identity, nonce, address, owner, balance, holdings = row
    slots: list[Holding | None] = [None] * HOLDINGS
    for j, fields in json.loads(holdings).items():
        slots[int(j)] = Holding(*fields)
    return leaf, Account(identity, nonce, int(address, 16), int(owner), int(balance), tuple(slots))


class Store:
    """A ledger's state in the file `path`."""

    def __init__(self, path: Path, profile: Profile) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._profile = profile
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        known = self._get("schema")
        if known not in (None, str(SCHEMA_VERSION)):
            raise InternalError(f"{path} has state schema {known}, this version reads {SCHEMA_VERSION}",
                                hint="use the version of zkmargin that wrote it", code="state_schema")
        stored = self._get("profile")
        if stored not in (None, profile.name):
            raise MissingData(f"{path} holds a ledger of profile {stored}, not {profile.name}",
                              hint="name another home folder", code="wrong_profile")

    def _get(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    @property
    def batch(self) -> int | None:
        """The last batch whose effects are stored; None before genesis is."""
        value = self._get("batch")
        return None if value is None else int(value)

    def save(self, ledger: Ledger, batch: int) -> None:
        """Store what changed since the ledger's checkpoint as the state after `batch`, and set the checkpoint."""
        accounts, headers = dict(ledger.accounts()), None
        if self.batch is not None:
            accounts, headers = ledger.dirty()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for leaf, account in accounts.items():
                self._db.execute("DELETE FROM accounts WHERE leaf = ?", (leaf,))
                if not account.is_empty:
                    self._db.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?)", _row(leaf, account))
            for page, (anchor, radius) in (headers or {}).items():
                self._db.execute("INSERT OR REPLACE INTO headers VALUES (?, ?, ?)", (page, str(anchor), str(radius)))
            values = {"schema": SCHEMA_VERSION, "profile": self._profile.name, "batch": batch, "root": ledger.root(),
                      "reserve": ledger.reserve, "next_id": ledger.next_id, "consumed": ledger.consumed}
            for key, value in values.items():
                self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, str(value)))
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        ledger.checkpoint()

    def load(self) -> Ledger:
        """The stored ledger, or the genesis one when nothing is stored; raises if its root is not the stored one."""
        if self.batch is None:
            return Ledger.genesis(self._profile)
        accounts = dict(_account(row) for row in self._db.execute("SELECT * FROM accounts"))
        headers = {page: (int(anchor), int(radius)) for page, anchor, radius in self._db.execute("SELECT * FROM headers")}
        ledger = Ledger(self._profile)
        scalars = tuple(int(self._get(key) or 0) for key in ("reserve", "next_id", "consumed"))
        ledger.load(accounts, headers, scalars)  # type: ignore[arg-type]
        if str(ledger.root()) != self._get("root"):
            raise InternalError("the stored accounts do not hash to the stored root",
                                hint="the state file is damaged: remove it and rebuild from the journal",
                                code="state_damaged")
        return ledger

    def close(self) -> None:
        self._db.close()
