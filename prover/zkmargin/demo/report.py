# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo shows: a progress bar on a terminal, plain lines elsewhere, and the closing tables."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.table import Table

from zkmargin.sequencer.journal import BatchRow

_EVERY = 8.0  # seconds between plain lines about the same step
_WIDTH = 30
_MARKS_SHOWN = 2


class Progress:
    """Tells how far the demo is. On a terminal the step under way is redrawn in place.

    Within a `with` block it is never silent for much longer than `_EVERY`: it says what is under way.
    """

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()
        self._began = self._said = time.monotonic()
        self._planned = self._proved = 0
        self._bar = "starting"
        self._lock = threading.RLock()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        with self._lock:
            self._clear()

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            with self._lock:
                if self.live:
                    self._draw()
                elif self._bar and time.monotonic() - self._said > _EVERY:
                    self.line(f"... {self._bar}", self._bar)

    def line(self, text: str, doing: str = "") -> None:
        """Print a line with the time since the start; `doing`: what is under way after it, if not that."""
        with self._lock:
            self._clear()
            self._said = time.monotonic()
            self._bar = doing or text
            print(f"[{self._said - self._began:6.1f} s] {text}", flush=True)

    def rest(self) -> None:
        """Nothing is under way: say nothing till there is."""
        with self._lock:
            self._bar = ""

    @contextmanager
    def silent(self) -> Iterator[None]:
        """While something else is printed."""
        with self._lock:
            self._clear()
            yield
            self._said = time.monotonic()

    def step(self, what: str, done: int, of: int) -> None:
        """Say that `done` of so many parts of a step are done: a bar, or a plain line now and then."""
        with self._lock:
            self._bar = f"{what}: {done}/{of}"
            if self.live:
                filled = _WIDTH * done // max(of, 1)
                self._bar = f"[{'#' * filled}{'-' * (_WIDTH - filled)}] {self._bar}"
                self._draw()
            elif done == of or time.monotonic() - self._said > _EVERY:
                self.line(self._bar, self._bar)

    def tick(self, figures: dict[str, Any], count: int, planned: int) -> None:
        """Say what a tick made due; `planned` batches are to be proved by now."""
        self._planned = planned
        due = figures["liquidations"]
        limited = f", limited: {' '.join(figures['limited'])}" if figures["limited"] else ""
        symbol, mark = next(iter(figures["marks"].items()))
        self.line(
            f"tick {figures['n']:2}/{count} slot {figures['slot']}: {symbol} {mark}, "
            f"{figures['health']['below_maintenance']} below maintenance, liquidated {due['partial']} partly "
            f"{due['full']} fully, {due['absorbed']} absorbed{limited}",
            doing=f"proving what tick {figures['n']} took",
        )

    def batch(self, event: str, row: BatchRow, reason: str) -> None:
        """Say how many batches are proved, what a tick's transaction took, and lateness always."""
        if event == "late":
            self.line(f"slot {row.slot} is not covered, and the next slot has begun: {reason}")
        if event == "covered_late":
            self.line(f"slot {row.slot} was covered after the next slot had begun: {reason}")
        if event == "proved":
            self._proved += 1
            self.step("batches proved", self._proved, max(self._planned, row.number))
        if event == "confirmed" and row.circuit == "coverage" and row.receipt:
            made, gas = row.receipt["batches"], row.receipt["gas"] * row.receipt["batches"]
            self.line(
                f"slot {row.slot} is covered: {made} batches in its transaction, {gas:,} gas", "going on"
            )

    def _draw(self) -> None:
        print(f"\r\x1b[2K[{time.monotonic() - self._began:6.1f} s] {self._bar}  ", end="", flush=True)

    def _clear(self) -> None:
        if self.live:
            print("\r\x1b[2K", end="", flush=True)


def show_table(summary: dict[str, Any], refusals: list[dict[str, Any]]) -> None:
    """The closing tables."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    ticks = Table(
        title=f"{summary['episode']}: {summary['accounts']} accounts, {summary['instruments']} instruments"
    )
    shown = [symbol for symbol in summary["ticks"][0]["marks"] if symbol.endswith("-PERP")][:_MARKS_SHOWN]
    for name in (
        "tick",
        *(symbol.removesuffix("-PERP") for symbol in shown),
        "limited",
        "< maint.",
        "< 1.1",
        "< 1.5",
        "partly",
        "fully",
        "absorbed",
        "fund, USDC",
        "swept",
        "covered",
    ):
        ticks.add_column(name, justify="left" if name == "limited" else "right")
    for row in summary["ticks"]:
        health, due = row["health"], row["liquidations"]
        ticks.add_row(
            str(row["n"]),
            *(row["marks"][symbol] for symbol in shown),
            str(len(row["limited"]) or ""),
            *(str(health[key]) for key in ("below_maintenance", "lt_1_1", "lt_1_5")),
            *(str(due[key]) for key in ("partial", "full", "absorbed")),
            f"{(int(row['insurance_fund']) - int(row['deficit'])) / 1e6:,.0f}",
            str(row["pages_swept"] or ""),
            "yes" if row["covered"] else "NO",
        )
    console.print(ticks)
    proofs = Table(title=f"proofs ({summary['backend']})")
    for name in ("circuit", "proofs", "seconds each", "verify, ms", "gas each"):
        proofs.add_column(name, justify="right")
    for circuit in sorted({row["circuit"] for row in summary["proofs"]}):
        rows = [row for row in summary["proofs"] if row["circuit"] == circuit]
        mean = {key: sum(row[key] for row in rows) / len(rows) for key in ("prove_s", "verify_s", "gas")}
        proofs.add_row(
            circuit,
            str(len(rows)),
            f"{mean['prove_s']:.2f}",
            f"{1000 * mean['verify_s']:.1f}",
            f"{mean['gas']:,.0f}",
        )
    console.print(proofs)
    for refusal in refusals:
        console.print(f"refused at slot {refusal['slot']}: {refusal['reason']}")
    audit = summary["audit"]
    verdict = "valid" if audit["ok"] else "INVALID"
    console.print(
        f"audit: {verdict}, {len(audit['checks'])} checks, batch {audit['last_batch']}, root {audit['root']}"
    )
    console.print(f"{summary['wall_s']} s in all")
