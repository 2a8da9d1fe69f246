# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 around a planned regroup: on the restart everybody stands where the chain will have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.ledger import ALICE, OPERATOR, QUOTE, SLOT_SECONDS, Bench
from sequencer.world import (
    ANNE,
    BTC,
    DEPOSIT,
    FIRST,
    KEYS,
    PRICE,
    PROFILE,
    ledger_with_deposits,
    opened,
    run_script,
    start,
)
from zkmargin.auditor.audit import audit
from zkmargin.auditor.source import Node
from zkmargin.chain.transactions import account_of
from zkmargin.protocol.constants import PAGE_SIZE, EntryKind
from zkmargin.protocol.eddsa import keypair
from zkmargin.protocol.hashes import owner_hash
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.journal import Journal
from zkmargin.sequencer.requests import request_json, sign_touch, trade_legs
from zkmargin.state.store import Store

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]
LAST = PAGE_SIZE + 1  # an account of the second page
LAST_KEY = keypair(b"last")
LEVERED = 130  # steps that bring both sides near the edge
DECIDED = ["tick", *["settle"] * 5]  # four of deposits, one of the trade
EVENTS = ("Settled", "Ticked", "Swept", "Regrouped", "CoverageProved")


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """People in two pages."""
    keys = {name: key.verification_key for name, key in profile_keys(PROFILE.name).items()}
    with ledger_with_deposits(keys) as made:
        owner = owner_hash(LAST_KEY.ax, LAST_KEY.ay)
        for _ in range(ANNE + 2, LAST + 1):
            made.client.deposit(ALICE, EntryKind.OPEN, QUOTE, DEPOSIT, owner=owner)
        yield made


def _decide(bench: Bench, home: Path) -> None:
    """Anne, of the first page, trades with the last account, of the second: both are near the edge."""
    sequencer = opened(start(bench.deployment, home))
    signed = [
        sign_touch(leg, sequencer.ledger.account(leg.account_id), key, FIRST + 9, sequencer.domain)
        for leg, key in zip(trade_legs(ANNE, LAST, BTC, LEVERED, PRICE), (KEYS[ANNE], LAST_KEY), strict=True)
    ]
    sequencer.submit(request_json("trade", signed))
    assert len(sequencer.decide_submitted().effects) == 2
    sequencer.close_draft()
    sequencer.close()


def _left(home: Path) -> tuple[list[str], int | None]:
    """Circuits of the journalled batches, and the last batch that the state file has."""
    journal = Journal(home / "journal.sqlite")
    try:
        circuits = [head.circuit for head in journal.heads()]
    finally:
        journal.close()
    with Store(home / "state.sqlite", PROFILE) as store:
        return circuits, store.batch


def test_killed_around_a_planned_regroup(bench: Bench, tmp_path: Path) -> None:
    home, record, said = tmp_path / "home", tmp_path / "deployment.json", tmp_path / "said.txt"
    bench.deployment.write(record)
    _decide(bench, home)
    decided = len(DECIDED)
    poster = account_of(OPERATOR).address
    before = bench.node.web3.eth.get_transaction_count(poster)

    def killed(failpoint: str) -> bool:
        return run_script("cover_run.py", [str(record), str(home)], failpoint, said)

    planned = [*DECIDED, "regroup"]
    assert killed("before_plan")
    assert _left(home) == (DECIDED, decided)
    assert killed("planned")
    assert _left(home) == (planned, decided)  # in the journal, and not yet in the state
    assert killed("before_plan")  # of the first sweep: the regroup is replayed, and not planned again
    assert _left(home) == (planned, decided + 1)
    assert killed("signed")
    assert not run_script("cover_run.py", [str(record), str(home)], None, said)

    events = [event.name for event in bench.client.events(0, names=EVENTS)]
    assert events == ["Ticked", *["Settled"] * 5, "Regrouped", "Swept", "Swept", "CoverageProved"]
    assert bench.node.web3.eth.get_transaction_count(poster) == before + 1
    sequencer = start(bench.deployment, home)
    ledger = sequencer.ledger
    assert bench.client.state().root == ledger.root()
    assert ledger.index_of(ANNE) // PAGE_SIZE == ledger.index_of(LAST) // PAGE_SIZE
    assert sorted(account.id for _, account in ledger.accounts()) == list(range(1, LAST + 1))
    sequencer.close()
    assert bench.client.is_covered(SLOT_SECONDS)
    result = audit(Node(bench.deployment.rpc), bench.deployment.ledger)
    assert result.ok, result.findings.failed()
