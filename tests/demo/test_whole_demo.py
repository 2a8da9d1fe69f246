# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole demo, as `make demo` runs it: the book, the crash and the figures that it promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.schema import Summary
from zkmargin.demo.run import run_demo

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    folder: Path = tmp_path_factory.mktemp("demo") / "out"
    run_demo(folder)
    return Summary.model_validate_json((folder / "summary.json").read_text())


def test_it_is_large_enough(summary: Summary) -> None:
    assert summary.accounts >= 200
    assert summary.instruments >= 3
    assert len(summary.ticks) >= 24
    assert all(row.oracles_differ_on == summary.instruments for row in summary.ticks)


def test_the_crash_comes(summary: Summary) -> None:
    due = [row.liquidations for row in summary.ticks]
    assert sum(row.partial for row in due) >= 20
    assert sum(row.full for row in due) >= 3
    assert sum(row.absorbed for row in due) >= 1
    assert any(row.limited for row in summary.ticks)
    assert float(summary.ticks[-1].marks["BTC-PERP"]) < float(summary.ticks[0].marks["BTC-PERP"])


def test_every_kind_of_operation_is_there(summary: Summary) -> None:
    assert {"deposit", "withdraw", "trade", "liquidate", "absorb"} <= set(summary.operations)
    assert {"deposit", "withdraw", "trade", "liquidation", "absorb"} <= set(summary.gas_per_op)
    assert any("initial margin" in row.reason or "withdraw" in row.reason for row in summary.refused)


def test_every_tick_is_covered_and_everybody_healthy(summary: Summary) -> None:
    assert all(row.covered for row in summary.ticks)
    assert all(row.unhealthy_after == 0 for row in summary.ticks)
    assert all(row.health.accounts <= summary.accounts for row in summary.ticks)


def test_every_batch_is_proved_posted_and_audited(summary: Summary) -> None:
    assert [row.batch for row in summary.proofs] == list(range(1, summary.audit.last_batch + 1))
    assert all(row.gas > 0 for row in summary.proofs)
    assert (summary.audit.ok, summary.audit.exit) == (True, 0)
