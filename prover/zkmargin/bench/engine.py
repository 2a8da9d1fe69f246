# SPDX-License-Identifier: GPL-3.0-or-later
"""From a mark price to the list of unhealthy accounts, a million accounts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from zkmargin.bench.proving import full_page
from zkmargin.bench.rows import Row, median
from zkmargin.engine.book import Book
from zkmargin.protocol.model import Account
from zkmargin.toolchain import Report

ACCOUNTS = 1_000_000
RUNS = 15


def rows(report: Report | None = None) -> Iterator[Row]:
    """Median and 99th percentile, against reading the same numbers once from memory."""
    ledger, tick = full_page()
    pattern = [account for _, account in ledger.accounts() if account.owner]
    if report:
        report(f"filling a book of {ACCOUNTS:,} accounts")
    book = Book([_of(pattern[k % len(pattern)], k) for k in range(ACCOUNTS)])
    seconds, reading = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        book.unhealthy(tick)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        for array in book.arrays():
            np.add.reduce(array, axis=None)
        reading.append(time.perf_counter() - start)
    p50, p99 = median(seconds), float(np.percentile(seconds, 99))
    yield Row(
        "engine_ms", 1000 * p50, f"ms, p99 {1000 * p99:.0f}", f"one read, {1000 * median(reading):.0f} ms",
        p50 / median(reading), wall_s=p50, runs=RUNS,
    )  # fmt: skip


def _of(account: Account, number: int) -> Account:
    return account.with_(id=number + 1)
