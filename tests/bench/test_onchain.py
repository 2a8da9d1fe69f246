# SPDX-License-Identifier: GPL-3.0-or-later
"""A small ledger covered on a node: time, gas, and the same accounts checked by the reference contract."""

from __future__ import annotations

import os

import pytest

from zkmargin.bench.onchain import SAMPLE, timed
from zkmargin.proving.backends.native import THREADS


@pytest.mark.chain
def test_a_covered_ledger_of_two_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "3")
    said: list[str] = []
    rows = {row.name: row for row in timed(100, 2, "few_", said.append, "small")}
    assert list(rows) == [
        "few_tick_to_covered_s_first",
        "few_tick_to_covered_s",
        "few_tick_to_covered_s_p90",
        "few_tick_to_covered_s_gas",
        "few_onchain_reference",
        "few_gas_vs_onchain",
    ]
    half, most = rows["few_tick_to_covered_s"], rows["few_tick_to_covered_s_p90"]
    assert 0 < half.value <= most.value
    assert half.runs == 2
    assert (half.cpu_s or 0) > 0.1  # of the proving processes
    gas, each = rows["few_tick_to_covered_s_gas"].value, rows["few_onchain_reference"].value
    # Five words of storage, each read for the first time in its transaction.
    assert 5 * 2100 < each < 10 * 5 * 2100
    assert rows["few_gas_vs_onchain"].value == gas / 100
    assert rows["few_gas_vs_onchain"].ratio == pytest.approx(100 * each / gas)
    assert f"{SAMPLE} of them" in rows["few_onchain_reference"].unit
    assert any("tick 2 of 2" in line for line in said)
    assert os.environ[THREADS] == "3"
