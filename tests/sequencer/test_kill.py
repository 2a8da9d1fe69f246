# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every journalled state: a restart finishes, nothing is lost or posted twice, the audit holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from zkmargin.auditor.audit import audit
from zkmargin.auditor.source import Node
from zkmargin.chain.anvil import anvil, development_key
from zkmargin.chain.client import LedgerClient
from zkmargin.chain.transactions import account_of
from zkmargin.demo.episode import load_episode
from zkmargin.demo.market import open_market
from zkmargin.demo.population import Person
from zkmargin.demo.venue import Venue, deploy_venue, holder_of
from zkmargin.protocol.constants import EntryKind, load
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.failpoints import ENVIRONMENT
from zkmargin.state.store import Store

# In the order of a batch's life; each run is killed at one of them and the next goes on.
FAILPOINTS = (
    "before_plan",
    "planned",
    "before_plan:2",
    "before_proved",
    "proved",
    "signed",
    "after_send",
    "sent",
    "confirmed",
)

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]


def _run(deployment: Path, home: Path, failpoint: str | None) -> int:
    environment = {**os.environ, "ZKMARGIN_PROVER_THREADS": "2"}
    environment.pop(ENVIRONMENT, None)
    if failpoint:
        environment[ENVIRONMENT] = failpoint
    script = Path(__file__).with_name("crash_run.py")
    said = home.parent / "said.txt"
    with said.open("w") as output:  # a file, not a pipe: children of a killed process would hold a pipe open
        done = subprocess.run(
            [sys.executable, str(script), str(deployment), str(home)],
            env=environment,
            timeout=300,
            stdout=output,
            stderr=output,
            check=False,
        )
    assert done.returncode in (0, -signal.SIGKILL), said.read_text()
    return done.returncode


def test_killed_at_every_state(tmp_path: Path) -> None:
    episode = load_episode()
    params = episode.params(open_market(episode).keys())
    with anvil(timestamp=episode.genesis_slot * episode.slot_seconds) as node:
        deployment = deploy_venue(node, episode, params, profile_keys(episode.profile))
        record, home = tmp_path / "deployment.json", tmp_path / "home"
        deployment.write(record)
        venue = Venue(node, deployment, episode)
        people = [holder_of(Person(f"p{i}", b"p%d" % i, maker=False)) for i in range(3)]
        for person in people:
            venue.deposit(person, 0, venue.amount(0, Fraction(1000)), EntryKind.OPEN)
        venue.settled()
        poster = account_of(development_key(0)).address
        before = node.web3.eth.get_transaction_count(poster)

        killed = [_run(record, home, name) for name in FAILPOINTS]
        assert killed == [-signal.SIGKILL] * len(FAILPOINTS)
        assert _run(record, home, None) == 0

        client = LedgerClient(node.web3, deployment.ledger)
        names = ("Settled", "Ticked", "Swept", "Carried", "CoverageProved")
        batches = [(event.name, event.args["batch"]) for event in client.events(0, names=names)]
        posted = ("Ticked", "Settled", "Swept", "Carried", "CoverageProved", "Ticked")
        assert batches == [(name, number) for number, name in enumerate(posted, 1)]
        # A tick with all that belongs to it is one transaction, and none was sent twice.
        assert node.web3.eth.get_transaction_count(poster) == before + 2
        with Store(home / "state.sqlite", load().profile(episode.profile)) as store:
            ledger = store.load()
        state = client.state()
        assert (state.root, state.batch, state.consumed) == (ledger.root(), 6, 3)
        result = audit(Node(node.url), deployment.ledger)
        assert result.ok, result.findings.failed()
