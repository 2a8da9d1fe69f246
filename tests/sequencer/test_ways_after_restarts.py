# SPDX-License-Identifier: GPL-3.0-or-later
"""A sequencer that is started again at any point finds its way to coverage of every tick.

Deposits stand in the queue of a ledger on a real node; ticks, what is due, requests and coverage are decided
as the loop decides them, and nothing is proved. Whatever the journal then holds is replayed by the auditor's
rules from the words that would be posted. Some restarts find no state file, or one behind the journal.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from contracts.ledger import ALICE, BOB, ETHER, GENESIS, QUOTE, Bench, oracles, params
from sequencer.world import BTC, PROFILE, ledger_with_deposits, start
from zkmargin.auditor.covering import (
    check_coverage,
    check_kept,
    replay_carry,
    replay_regroup,
    replay_sweep,
)
from zkmargin.auditor.rules import Books
from zkmargin.engine.margin import risk
from zkmargin.engine.ticks import genesis_tick
from zkmargin.errors import Refused
from zkmargin.oracle.reports import Report, make_report
from zkmargin.protocol.constants import EntryKind, Op
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.hashes import owner_hash, tick_hash
from zkmargin.protocol.model import Touch
from zkmargin.protocol.posted import read_carry, read_coverage, read_regroup, read_settle, read_sweep
from zkmargin.sequencer.codec import decode_tick
from zkmargin.sequencer.journal import BatchRow
from zkmargin.sequencer.requests import request_json, sign_touch, trade_legs, withdrawal

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]
FIRST_PERSON = PROFILE.instruments + 2  # after Anne and Bert
PEOPLE = 10
TICKS = 8
PRICES = {BTC: 1 << 48, ETHER: 1 << 44}


def _key(account: int) -> KeyPair:
    return keypair(b"person %d" % account)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """People with quote, or with a collateral that is not priced before the first tick; credits; a fund."""
    with ledger_with_deposits() as made:
        for number in range(PEOPLE):
            key, account = (ALICE, BOB)[number % 2], FIRST_PERSON + number
            asset, amount = (ETHER, 3_000_000) if number % 4 == 3 else (QUOTE, 400_000 << number % 3)
            owner = owner_hash(_key(account).ax, _key(account).ay)
            made.client.deposit(key, EntryKind.OPEN, asset, amount, owner=owner)
        made.client.deposit(ALICE, EntryKind.FUND, QUOTE, 5)
        yield made


class Auditor:
    """The journal's batches replayed from their words alone."""

    def __init__(self) -> None:
        self.books = Books.genesis(PROFILE)
        self.tick = genesis_tick(params(PROFILE), GENESIS.slot)
        self.ticks = {tick_hash(self.tick): self.tick}
        self.seen: Counter[str] = Counter()

    def read(self, row: BatchRow) -> None:
        self.seen[row.circuit] += 1
        words, now = [int(word) for word in row.body["words"]], tick_hash(self.tick)
        if row.circuit == "tick":
            self.tick = decode_tick(row.body["tick"])
            self.ticks[tick_hash(self.tick)] = self.tick
        elif row.circuit == "settle":
            for touch in read_settle(words, self.books.consumed).touches:
                account = self.books.touch(touch, self.tick)
                if touch.kept:
                    check_kept(self.books, touch.leaf_index, account, self.ticks)
                self.seen[Op(touch.op).name] += 1
        elif row.circuit == "sweep":
            replay_sweep(self.books, read_sweep(words), self.tick, now)
        elif row.circuit == "regroup":
            replay_regroup(self.books, read_regroup(words))
        elif row.circuit == "carry":
            replay_carry(self.books, read_carry(words), self.tick, now, self.ticks)
        else:
            check_coverage(self.books, read_coverage(words), self.tick, self.ticks)


class Venue:
    """A sequencer with its files, people who trade, and an auditor who follows the journal."""

    def __init__(self, bench: Bench, folder: Path, seed: int) -> None:
        self.bench, self.folder, self.rng = bench, folder, random.Random(seed)
        self.prices, self.auditor, self.read, self.restarts = dict(PRICES), Auditor(), 0, 0
        self.sequencer = start(bench.deployment, folder / "home")

    def perhaps_restart(self, chance: float = 0.3) -> None:
        """Go on from the files, what is in the draft lost; the state file may be gone, or an old one."""
        if self.rng.random() >= chance:
            return
        home, old = self.sequencer.setup.home, self.folder / "old"
        self.sequencer.close()
        draw = self.rng.random()
        if draw < 0.25:
            (home / "state.sqlite").unlink()
        elif draw < 0.5 and old.exists():
            shutil.copy(old, home / "state.sqlite")
        elif draw > 0.75:
            shutil.copy(home / "state.sqlite", old)
        self.sequencer = start(self.bench.deployment, home)
        self.restarts += 1

    def reports(self, slot: int) -> list[Report]:
        sequencer = self.sequencer
        row = [self.prices.get(number, 0) for number in range(PROFILE.instruments)]
        signed = (sequencer.domain, sequencer.params, slot, sequencer.tick.slot, row, [0] * len(row))
        keys = oracles(PROFILE)[: PROFILE.quorum]
        return [make_report(key, signer, *signed) for signer, key in enumerate(keys)]

    def _people(self) -> None:
        """A few trades near what their parties may, and withdrawals."""
        sequencer, rng = self.sequencer, self.rng
        people = [FIRST_PERSON + number for number in range(PEOPLE)]
        mark = sequencer.tick.instruments[BTC].mark
        for _ in range(3):
            buyer, seller = rng.sample(people, 2)
            accounts = (sequencer.ledger.account(who) for who in (buyer, seller))
            free = min(risk(account, sequencer.tick).free_initial for account in accounts)
            size = int(16 * free / mark * rng.uniform(0.3, 0.98))
            if size < 1:
                continue
            self._submit("trade", trade_legs(buyer, seller, BTC, size, mark))
        touch = withdrawal(rng.choice(people), QUOTE, rng.randrange(1, 50_000))
        self._submit("withdraw", [touch])

    def _submit(self, kind: str, touches: Sequence[Touch]) -> None:
        """Signed and handed in; it may ask more than there is."""
        sequencer, until = self.sequencer, self.sequencer.tick.slot + 3
        signed = []
        for touch in touches:
            account = sequencer.ledger.account(touch.account_id)
            signed.append(sign_touch(touch, account, _key(account.id), until, sequencer.domain))
        with suppress(Refused):
            sequencer.submit(request_json(kind, signed))

    def run_tick(self) -> None:
        """One tick as the loop decides it, started again between any two steps."""
        move = self.rng.choice((0, 0.002, -0.01, 0.05, -0.06, 0.15, -0.15))
        self.prices = {number: int(price * (1 + move)) for number, price in self.prices.items()}
        slot = self.sequencer.tick.slot + self.rng.choice((1, 1, 2))
        self.sequencer.decide_tick(self.reports(slot), slot)
        self.perhaps_restart()
        self.sequencer.decide_due([], [])
        self.perhaps_restart()
        self.sequencer.decide_queue()
        self.perhaps_restart()
        if self.sequencer.ledger.consumed:
            self._people()
        self.sequencer.decide_submitted()
        self.perhaps_restart()
        self.cover()
        self.perhaps_restart()

    def cover(self) -> None:
        """Coverage, found and planned; what the journal holds is as the auditor has it."""
        self.sequencer.decide_coverage()
        journal = self.sequencer.journal
        for number in range(self.read + 1, journal.last_batch() + 1):
            self.auditor.read(journal.batch(number))
        self.read = journal.last_batch()
        assert journal.head(self.read).circuit == "coverage"
        ledger, books = self.sequencer.ledger, self.auditor.books
        stand = (dict(ledger.accounts()), ledger.headers(), ledger.block_headers(), ledger.scalars())
        scalars = (books.reserve, books.next_id, books.consumed)
        assert (books.leaves, books.headers, books.blocks, scalars) == stand


def _run(bench: Bench, folder: Path, seed: int, ticks: int) -> Counter[str]:
    venue = Venue(bench, folder, seed)
    try:
        if seed % 2:  # pages swept at the genesis tick, which stands in no journal
            venue.cover()
            assert venue.auditor.seen["sweep"] == 1
            venue.perhaps_restart(1)
            assert venue.sequencer.ledger.headers()
        for _ in range(ticks):
            venue.run_tick()
    finally:
        venue.sequencer.close()
    seen = venue.auditor.seen
    seen["restarts"] = venue.restarts
    assert seen["coverage"] == ticks + seed % 2
    return seen


def test_a_page_swept_at_genesis_stays_covered_after_a_restart(bench: Bench, tmp_path: Path) -> None:
    venue = Venue(bench, tmp_path, 1)
    try:
        venue.cover()
        venue.perhaps_restart(1)
        slot = venue.sequencer.tick.slot + 1
        venue.sequencer.decide_tick(venue.reports(slot), slot)
        venue.cover()
        assert venue.auditor.seen["sweep"] == 1
        assert venue.auditor.seen["coverage"] == 2
    finally:
        venue.sequencer.close()


@pytest.mark.parametrize("seed", range(6))
def test_every_tick_is_covered(bench: Bench, tmp_path: Path, seed: int) -> None:
    seen = _run(bench, tmp_path, seed, TICKS)
    assert seen["restarts"] > 2
    assert seen["settle"] > 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_every_tick_of_many_is_covered(bench: Bench, tmp_path: Path, seed: int) -> None:
    _run(bench, tmp_path, seed, 20)
