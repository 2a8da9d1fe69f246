# SPDX-License-Identifier: GPL-3.0-or-later
"""What anybody may do to a ledger, by real proofs or none: its audit stays valid."""

from __future__ import annotations

import pytest

from auditor.answers import verify_once
from auditor.conftest import BTC, ETHER, Story, new_story
from auditor.forms import displaced, trailing
from contracts.ledger import GENESIS
from zkmargin.auditor import audit
from zkmargin.auditor.source import Node
from zkmargin.proving.prove import prove
from zkmargin.sequencer.covering import make_sweep

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("audit")]


def _failed(story: Story) -> list[str]:
    result = audit(Node(story.bench.deployment.rpc), story.bench.deployment.ledger, verify=verify_once)
    assert result.last_batch == story.batch
    return [f"{check.name} {check.batch}: {check.detail}" for check in result.findings.failed()]


def test_a_sweep_before_the_first_tick_and_posts_copied_in_another_form() -> None:
    with new_story() as story:
        first = story.last
        swept = make_sweep(story.ledger, first, story.domain, story.chain_id, (1 << 24) - 1, (0,))
        story.post(("sweep", swept.posting, prove(story.keys["sweep"], swept.inputs, "native").proof))
        story.ledger.checkpoint()
        story.batch += 1
        assert _failed(story) == []
        story.form = trailing  # the tick is minutes later: the chain's clock goes on during an audit
        story.tick(GENESIS.slot + 20, {BTC: 60_000, ETHER: 3_000})
        story.ticks.append(first)  # what page 0 is anchored at
        story.form = displaced
        story.cover()
        assert story.bench.client.is_covered(10**9)
        assert _failed(story) == []
