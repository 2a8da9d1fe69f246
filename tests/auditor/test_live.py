# SPDX-License-Identifier: GPL-3.0-or-later
"""Audits of a ledger on a chain that goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.answers import topic
from auditor.conftest import Story, new_story
from contracts.ledger import ALICE, QUOTE
from zkmargin.auditor import Audit, audit, chain
from zkmargin.auditor.source import Bundle, Node, Recorder, Source
from zkmargin.errors import MissingData, StaleData
from zkmargin.protocol.constants import EntryKind

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("audit")]


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with new_story() as made:
        _deposit(made)
        yield made


def _deposit(story: Story) -> None:
    story.bench.client.deposit(ALICE, EntryKind.OPEN, QUOTE, 500_000, owner=7)


class Watched:
    """A node on which something happens at the first question that `when` holds of."""

    altered = ""

    def __init__(self, node: Source, when: Callable[[str, list[Any]], bool], act: Callable[[], None]) -> None:
        self.node, self.when, self.act = node, when, act
        self.asked: list[tuple[str, list[Any]]] = []
        self.done = False

    def ask(self, method: str, parameters: list[Any]) -> Any:
        self.asked.append((method, parameters))
        if not self.done and self.when(method, parameters):
            self.done = True
            self.act()
        return self.node.ask(method, parameters)


def _audit(story: Story, source: Source | None = None, from_block: int = 0) -> Audit:
    where = story.bench.deployment
    return audit(source or Node(where.rpc), where.ledger, from_block=from_block)


@pytest.mark.parametrize("view", ["protocolHash()", "requested()", "balanceOf(address)"])
def test_a_deposit_made_meanwhile(story: Story, view: str) -> None:
    """It is of a later block than the audit."""

    def asks(method: str, parameters: list[Any]) -> bool:
        return method == "eth_call" and parameters[0]["data"].startswith(topic(view)[:10])

    source = Watched(Node(story.bench.deployment.rpc), asks, lambda: _deposit(story))
    before = story.bench.client.web3.eth.block_number
    result = _audit(story, source)
    assert source.done
    assert result.findings.failed() == []
    assert result.as_json()["block"] == before < story.bench.client.web3.eth.block_number
    assert _audit(story).ok


def test_a_block_that_was_replaced(story: Story) -> None:
    node = story.bench.node
    snapshot = node.snapshot()
    _deposit(story)

    def replaced() -> None:
        node.revert(snapshot)
        node.mine()

    source = Watched(Node(story.bench.deployment.rpc), lambda *asked: asked[1][0] != "latest", replaced)
    source.when = lambda method, parameters: method == "eth_getBlockByNumber" and parameters[0] != "latest"
    with pytest.raises(StaleData) as caught:
        _audit(story, source)
    assert caught.value.retryable


def test_logs_by_pages(story: Story, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(chain, "BLOCKS_A_QUERY", 3)
    where = story.bench.deployment
    first = where.from_block
    for start in (0, first):
        recorder = Recorder(Node(where.rpc))
        source = Watched(recorder, lambda *_: False, lambda: None)
        result = _audit(story, source, start)
        assert result.findings.failed() == []
        head = result.as_json()["block"]
        pages = [
            (int(q[0]["fromBlock"], 16), int(q[0]["toBlock"], 16))
            for m, q in source.asked
            if m == "eth_getLogs"
        ]
        assert pages == [(at, min(at + 2, head)) for at in range(start, head + 1, 3)]
        recorder.save(tmp_path, where.ledger, start)
        kept = Bundle(tmp_path)
        assert audit(kept, kept.ledger, from_block=kept.from_block).as_json() == result.as_json()
    with pytest.raises(MissingData, match="no Genesis event"):
        _audit(story, from_block=first + 1)
