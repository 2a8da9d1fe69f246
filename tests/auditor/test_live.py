# SPDX-License-Identifier: GPL-3.0-or-later
"""Audits of a ledger on a chain that goes on meanwhile, and of deposits that wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.answers import Answers, topic
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


# ------------------------------------------------------------------- deposits that wait


@pytest.fixture
def waiting(story: Story, tmp_path: Path) -> Answers:
    recorder = Recorder(Node(story.bench.deployment.rpc))
    assert _audit(story, recorder).ok
    recorder.save(tmp_path, story.bench.deployment.ledger)
    return Answers(tmp_path)


@pytest.mark.parametrize("word", range(5))
def test_a_deposit_that_waits_as_another(waiting: Answers, word: int) -> None:
    """Kind, asset, amount, target, owner: no proof has spoken of them yet."""
    log = waiting.named("Requested")[0]
    data = bytearray.fromhex(log["data"][2:])
    data[32 * word + 31] ^= 1
    log["data"] = "0x" + data.hex()
    assert "queue" in {check.name for check in waiting.audit().findings.failed()}


def test_a_depositor_that_waits_as_another(waiting: Answers) -> None:
    waiting.named("Requested")[0]["topics"][2] = "0x" + "00" * 12 + "66" * 20
    assert {check.name for check in waiting.audit().findings.failed()} == {"queue"}


@pytest.mark.parametrize("view", ["queue(uint64)", "consumed()", "requested()"])
def test_the_contracts_queue(waiting: Answers, view: str) -> None:
    row = waiting.view(view)
    row["answer"] = f"0x{int(row['answer'], 16) ^ 1:064x}"
    assert {check.name for check in waiting.audit().findings.failed()} == {"queue"}
