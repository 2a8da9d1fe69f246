# SPDX-License-Identifier: GPL-3.0-or-later
"""Every backend, threads and processes, a round each."""

from __future__ import annotations

import os

import pytest

from zkmargin.bench import proving
from zkmargin.proving.backends import best_backend
from zkmargin.proving.backends.native import THREADS

NAMES = {
    "prove_cpu_vs_groth16py",
    "prove_cpu_vs_snarkjs",
    "accounts_per_core_second",
    "prove_threads",
    "prove_processes",
}


@pytest.mark.slow
def test_all_rows_have_their_costs_and_nothing_stays_set(monkeypatch: pytest.MonkeyPatch) -> None:
    if best_backend() != "native":
        pytest.skip("the native kernel is not built")
    monkeypatch.setattr(proving, "ROUNDS", 1)
    monkeypatch.delenv(THREADS, raising=False)
    rows = {row.name: row for row in proving.rows()}
    assert set(rows) == NAMES
    for row in rows.values():
        assert row.runs == 1
        assert row.ratio is not None
        assert min(row.cpu_s or 0, row.wall_s or 0) > 0
    ratio = {name: row.ratio or 0 for name, row in rows.items()}
    assert ratio["prove_cpu_vs_snarkjs"] > ratio["prove_cpu_vs_groth16py"] > 1
    assert THREADS not in os.environ
