# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring: turns are taken in order, processors are counted wherever they work, settings are put back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from zkmargin.bench.measure import Cost, Costs, cost, in_turns, prover_threads
from zkmargin.proving.backends.native import THREADS


def busy(seconds: float) -> None:
    """So much CPU time, however long the machine takes to grant it."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_ways_take_turns() -> None:
    seen: list[str] = []
    ways = {name: lambda name=name: seen.append(name) or name.upper() for name in "ab"}
    checked: list[tuple[str, str]] = []
    took = in_turns(3, ways, lambda name, done: checked.append((name, done)))
    assert "".join(seen) == "ababab"
    assert checked == [("a", "A"), ("b", "B")] * 3
    assert {name: len(costs.runs) for name, costs in took.items()} == {"a": 3, "b": 3}


def test_medians_and_percentiles() -> None:
    costs = Costs(tuple(Cost(10.0 * n, float(n)) for n in range(101)))
    assert (costs.cpu_s, costs.wall_s, costs.percentile(90), costs.percentile(99)) == (500, 50, 90, 99)


def test_work_of_this_process_of_one_that_ends_and_of_a_running_worker_counts() -> None:
    work = "import time\nwhile time.process_time() < 0.3: pass"
    _, here = cost(lambda: busy(0.3))
    _, ended = cost(lambda: subprocess.run([sys.executable, "-c", work], check=True))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(busy, 0.0).result()
        _, running = cost(lambda: pool.submit(busy, 0.3).result())
        _, idle = cost(lambda: None)
    for took in (here, ended, running):
        assert took.cpu_s >= 0.28  # a worker's is told in hundredths of a second
    assert idle.cpu_s < 0.28


@pytest.mark.parametrize("before", [None, "7"])
def test_the_number_of_threads_is_put_back(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(THREADS, raising=False)
    if before:
        monkeypatch.setenv(THREADS, before)

    def fail() -> None:
        with prover_threads(1):
            raise KeyError(os.environ[THREADS])

    with pytest.raises(KeyError, match="1"):
        fail()
    assert os.environ.get(THREADS) == before
