# SPDX-License-Identifier: GPL-3.0-or-later
"""A small real ledger audits as valid, from the node and from its bundle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import zkmargin
from auditor.answers import Answers, Kept
from zkmargin.auditor.findings import NAMES
from zkmargin.errors import ExitStatus

BATCHES = 11  # twice tick, settle, sweep, coverage; tick, coverage, settle
pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("audit")]


def test_node_says_valid(kept: Kept) -> None:
    result = kept.first
    assert result.findings.failed() == []
    assert (result.ok, result.exit, result.last_batch) == (True, ExitStatus.VALID, BATCHES)


def test_every_kind_of_check_was_made(kept: Kept) -> None:
    made = {(check.name, check.batch) for check in kept.first.findings.checks}
    assert {name for name, _ in made} == set(NAMES)
    for batch in range(1, BATCHES + 1):
        names = {n for n, b in made if b == batch}
        assert {"proof", "binding", "order"} <= names
        assert {"reexec", "root"} <= names or "coverage" in names


def test_bundle_says_the_same(kept: Kept) -> None:
    again = Answers(kept.folder).audit()
    assert again.as_json() == kept.first.as_json()


def test_without_the_native_kernel(kept: Kept) -> None:
    """The same verdict where not even hashing shares code with the prover."""
    code = "import sys; from zkmargin.cli.main import run; sys.exit(run(sys.argv[1:]))"
    made = subprocess.run(
        [sys.executable, "-c", code, "audit", "--bundle", str(kept.folder), "--json"],
        check=True,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "ZKMARGIN_KERNEL": "off",
            "PYTHONPATH": str(Path(zkmargin.__file__).parent.parent),
        },
    )
    assert json.loads(made.stdout) == kept.first.as_json()


def test_the_rebuilt_books(kept: Kept) -> None:
    """What the story did, in figures: a refused deposit, a partial liquidation, withdrawals."""
    books = kept.first.replay.books
    accounts = {account.id: account for account in books.leaves.values()}
    anne, bert = accounts[16], accounts[17]
    long, short = (next(h for h in a.slots if h and h.instrument == 1) for a in (anne, bert))
    assert 0 < long.size == short.size < 100
    assert (long.side, short.side) == (0, 1)
    assert next(h for h in bert.slots if h and h.instrument == 9).size == 691
    assert books.consumed == 5
    assert books.reserve >= 1_000 << 32
