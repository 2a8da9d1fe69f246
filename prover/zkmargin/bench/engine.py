# SPDX-License-Identifier: GPL-3.0-or-later
"""From mark prices to the list of unhealthy accounts, a million accounts of twelve holdings."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from zkmargin.bench.measure import in_turns
from zkmargin.bench.rows import Row
from zkmargin.bench.venue import account, make_params
from zkmargin.engine.book import Book
from zkmargin.engine.ticks import genesis_tick, next_tick
from zkmargin.protocol.constants import load
from zkmargin.protocol.eddsa import keypair
from zkmargin.toolchain import Report

ACCOUNTS, SAMPLES = 1_000_000, 200
DIFFERENT = 4096  # accounts; the book repeats them
FAR, CLOSE = 40.0, 0.05  # moves from the edge; one in a hundred is close to it
STEP = 0.006


def rows(report: Report | None = None, accounts: int = ACCOUNTS, samples: int = SAMPLES) -> Iterator[Row]:
    """Median and 99th percentile, against reading the same numbers once from memory, in turns."""
    profile = load().profile("main")
    params = make_params(profile, [keypair(b"engine")])
    opening = genesis_tick(params, 1)
    prices = [0, *((k + 1) << 40 for k in range(1, profile.instruments))]
    rates = [0] * profile.instruments
    before = next_tick(params, opening, 2, [(prices, rates)]).tick
    if report:
        report(f"filling a book of {accounts:,} accounts")
    kinds = [account(profile, before, n, FAR if n % 100 else CLOSE) for n in range(min(DIFFERENT, accounts))]
    first = profile.instruments
    book = Book([kinds[n % len(kinds)].with_(id=first + n) for n in range(accounts)])
    words = [array.reshape(-1).view(np.uint64) for array in book.arrays()]
    walk = random.Random(1)

    def decide() -> list[int]:
        marks = [int(price * (1 + walk.uniform(-STEP, STEP))) for price in prices]
        return book.unhealthy(next_tick(params, before, 3, [(marks, rates)]).tick)

    def read() -> None:
        for array in words:
            np.bitwise_or.reduce(array)

    took = in_turns(samples, {"decide": decide, "read": read})
    engine, memory = took["decide"], took["read"]
    for name, part in (("engine_ms", 50), ("engine_ms_p99", 99)):
        one, read_s = engine.percentile(part), memory.percentile(part)
        yield Row(
            name, 1000 * one, f"ms p{part}, {accounts:,} accounts", f"one read, {1000 * read_s:.1f} ms",
            one / read_s, engine.cpu_s, engine.wall_s, samples,
        )  # fmt: skip
