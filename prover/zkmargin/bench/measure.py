# SPDX-License-Identifier: GPL-3.0-or-later
"""How things are measured against each other: in turns, so that a busy moment meets all of them alike."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from zkmargin.bench.rows import median
from zkmargin.proving.backends.native import THREADS

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """Seconds of one run: of processors, child processes included, and on the clock."""

    cpu_s: float
    wall_s: float


@dataclass(frozen=True)
class Costs:
    """The runs of one way of doing something."""

    runs: tuple[Cost, ...]

    @property
    def cpu_s(self) -> float:
        """Median CPU seconds of a run."""
        return median([run.cpu_s for run in self.runs])

    @property
    def wall_s(self) -> float:
        """Median seconds of a run."""
        return self.percentile(50)

    def percentile(self, part: float) -> float:
        """Seconds that so many per cent of the runs took at most, to microseconds."""
        return round(float(np.percentile([run.wall_s for run in self.runs], part)), 6)


def cpu_seconds() -> float:
    """CPU seconds so far of this process, of children that have ended, and of its running workers."""
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    for child in multiprocessing.active_children():
        try:
            # After the command in parentheses; the 12th and 13th are user and system time.
            fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended since, or the system has no /proc
        used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def cost(work: Callable[[], T]) -> tuple[T, Cost]:
    """What `work` gives, and what it took."""
    before, start = cpu_seconds(), time.perf_counter()
    done = work()
    wall = time.perf_counter() - start
    return done, Cost(cpu_seconds() - before, wall)


def in_turns(
    rounds: int,
    ways: Mapping[str, Callable[[], T]],
    check: Callable[[str, T], object] = lambda name, done: None,
) -> dict[str, Costs]:
    """Each way once a round; `check` sees what it gave, outside of the time."""
    runs: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            done, took = cost(way)
            check(name, done)
            runs[name].append(took)
    return {name: Costs(tuple(made)) for name, made in runs.items()}


@contextmanager
def prover_threads(count: int) -> Iterator[None]:
    """Native provers begun within, in this process and in those it starts, use so many threads a proof."""
    before = os.environ.get(THREADS)
    os.environ[THREADS] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ[THREADS]
        else:
            os.environ[THREADS] = before
