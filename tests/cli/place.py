# SPDX-License-Identifier: GPL-3.0-or-later
"""A sequencer's folder on a deployed ledger, and what people sign for it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contracts.ledger import (
    ALICE,
    BOB,
    GENESIS,
    OPERATOR,
    QUOTE,
    Bench,
    ledger_bench,
    oracles,
    params,
)
from zkmargin.chain.anvil import LOCAL_CHAIN_ID
from zkmargin.chain.client import LedgerClient
from zkmargin.chain.deploy import Genesis
from zkmargin.cli.main import run
from zkmargin.engine.ticks import genesis_tick
from zkmargin.oracle.reports import Report, make_report
from zkmargin.protocol.constants import CIRCUIT_IDS, EntryKind, load
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.hashes import owner_hash, tick_hash
from zkmargin.protocol.model import Account, Touch
from zkmargin.protocol.vkeys import load_vkey
from zkmargin.sequencer.requests import bid_touch, request_json, sign_touch, trade_legs, withdrawal
from zkmargin.sequencer.service import Sequencer, Setup
from zkmargin.state.ledger import Ledger

PROFILE = load().profile("small")
SLOT = GENESIS.slot + 1
BTC, PRICE = 1, 60_000 << 32
UNLISTED = 15
ANNE, BERT = PROFILE.instruments, PROFILE.instruments + 1  # account ids
KEYS: dict[int, KeyPair] = {ANNE: keypair(b"anne"), BERT: keypair(b"bert")}
DEPOSIT = 500_000
FILES = ("journal.sqlite", "state.sqlite")


@contextmanager
def ledger_with_deposits(chain_id: int = LOCAL_CHAIN_ID) -> Iterator[Bench]:
    """A ledger in whose queue Anne's and Bert's deposits stand."""
    first = genesis_tick(params(PROFILE), GENESIS.slot)
    genesis = Genesis(Ledger.genesis(PROFILE).root(), tick_hash(first), GENESIS.slot)
    installed = {name: load_vkey(name, PROFILE.name) for name in CIRCUIT_IDS}
    with ledger_bench(genesis=genesis, chain_id=chain_id, verifying_keys=installed) as bench:
        for key, account in ((ALICE, ANNE), (BOB, BERT)):
            owner = owner_hash(KEYS[account].ax, KEYS[account].ay)
            bench.client.deposit(key, EntryKind.OPEN, QUOTE, DEPOSIT, owner=owner)
        yield bench


def start(bench: Bench, home: Path) -> Sequencer:
    """A sequencer with its files in `home`."""
    where = bench.deployment
    setup = Setup(
        home,
        where.chain_id,
        where.ledger,
        where.from_block,
        PROFILE.name,
        params(PROFILE),
        GENESIS.slot,
        OPERATOR,
        where.rpc,
    )
    return Sequencer(setup, LedgerClient.at(where.rpc, where.ledger))


def reports(sequencer: Sequencer, slot: int, signers: Sequence[int], price: int = PRICE) -> list[Report]:
    """What these oracles say of a slot."""
    row = [price if number == BTC else 0 for number in range(PROFILE.instruments)]
    rates = [0] * PROFILE.instruments
    keys = oracles(PROFILE)
    last = sequencer.tick.slot
    return [
        make_report(keys[at], at, sequencer.domain, sequencer.params, slot, last, row, rates)
        for at in signers
    ]


def dump(home: Path) -> dict[str, list[str]]:
    """Every row of journal and state."""
    rows = {}
    for name in FILES:
        with closing(sqlite3.connect(home / name)) as base:
            rows[name] = list(base.iterdump())
    return rows


@dataclass
class Place:
    """A sequencer's folder, with two open accounts at the tick of `SLOT`."""

    bench: Bench
    home: Path
    domain: int
    accounts: dict[int, Account]

    def copied(self, home: Path) -> Place:
        """The same in a folder of its own."""
        shutil.copytree(self.home, home)
        return Place(self.bench, home, self.domain, dict(self.accounts))

    def signed(
        self,
        touch: Touch,
        *,
        key: KeyPair | None = None,
        last_slot: int = SLOT + 9,
        domain: int | None = None,
        ahead: int = 0,
    ) -> Touch:
        """A touch as its account's owner signs it, or as somebody else does."""
        account = self.accounts.get(touch.account_id, Account(id=touch.account_id))
        pair = key or KEYS.get(touch.account_id, KEYS[ANNE])
        nonce = account.nonce + ahead
        return sign_touch(touch, account, pair, last_slot, self.domain if domain is None else domain, nonce)

    def withdraw(
        self, amount: int = 1_000, account: int = ANNE, asset: int = QUOTE, **how: Any
    ) -> dict[str, Any]:
        """A request to withdraw."""
        return request_json("withdraw", [self.signed(withdrawal(account, asset, amount), **how)])

    def trade(self, size: int = 1, price: int = PRICE, instrument: int = BTC, **how: Any) -> dict[str, Any]:
        """A request of Anne to buy from Bert."""
        legs = trade_legs(ANNE, BERT, instrument, size, price)
        return request_json("trade", [self.signed(leg, **how) for leg in legs])

    def bid(self, size: int = 1, instrument: int = BTC, **how: Any) -> dict[str, Any]:
        """A bid of Bert's."""
        return request_json("bid", [self.signed(bid_touch(BERT, instrument, 0, size, PRICE), **how)])


def make_place(bench: Bench, home: Path) -> Place:
    """Decide the first tick and the deposits."""
    sequencer = start(bench, home)
    sequencer.decide_tick(reports(sequencer, SLOT, range(PROFILE.quorum)), SLOT)
    sequencer.decide_queue()
    sequencer.close_draft()
    accounts = {number: sequencer.ledger.account(number) for number in KEYS}
    place = Place(bench, home, sequencer.domain, accounts)
    sequencer.close()
    return place


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> dict[str, Any]:
        """The one error on standard error, with nothing beside it."""
        assert self.out == ""
        record = json.loads(self.err)
        assert list(record) == ["error"]
        error = dict(record["error"])
        assert list(error) == ["code", "message", "hint", "retryable"]
        assert error["message"]
        assert "\n" not in error["message"] + error["hint"]
        return error


def command(capfd: pytest.CaptureFixture[str], name: str, *arguments: object) -> Said:
    """Run a command of `zkmargin` with `--json` and these arguments."""
    capfd.readouterr()
    status = run([name, "--json", *map(str, arguments)])
    captured = capfd.readouterr()
    return Said(status, captured.out, captured.err)


def program(*arguments: object) -> Said:
    """Run `zkmargin` as a program of its own."""
    name = Path(sys.executable).with_name("zkmargin")
    done = subprocess.run([name, *map(str, arguments)], capture_output=True, text=True, check=False)
    return Said(done.returncode, done.stdout, done.stderr)
