# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo shows: a progress bar on a terminal, plain lines elsewhere, and the closing tables."""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from zkmargin.sequencer.journal import BatchRow

_EVERY = 10.0  # seconds between plain lines about batches


class Progress:
    """Tells how far the demo is. On a terminal the batch count is redrawn in place."""

    def __init__(self) -> None:
        self.console = Console(stderr=False, soft_wrap=True)
        self.live = sys.stdout.isatty()
        self._began = self._said = time.monotonic()
        self._planned = self._confirmed = 0

    def line(self, text: str) -> None:
        """Print a line with the time since the start."""
        self._clear()
        print(f"[{time.monotonic() - self._began:6.1f} s] {text}", flush=True)

    def tick(self, figures: dict[str, Any], count: int, planned: int) -> None:
        """Say what a tick made due."""
        self._planned = planned
        due = figures["liquidations"]
        limited = f", limited: {' '.join(figures['limited'])}" if figures["limited"] else ""
        self.line(
            f"tick {figures['n']:2}/{count} slot {figures['slot']}: BTC {figures['marks']['BTC-PERP']}, "
            f"{figures['health']['below_maintenance']} below maintenance, liquidated {due['partial']} partly "
            f"{due['full']} fully, {due['absorbed']} absorbed{limited}"
        )

    def batch(self, event: str, row: BatchRow, reason: str) -> None:
        """Say that a batch was accepted; elsewhere than on a terminal now and then only. Lateness always."""
        if event == "late":
            self.line(f"slot {row.slot} is not covered, and the next slot has begun: {reason}")
        if event == "covered_late":
            self.line(f"slot {row.slot} was covered after the next slot had begun: {reason}")
        if event != "confirmed":
            return
        self._confirmed = row.number
        gas = row.receipt["gas"] if row.receipt else 0
        text = f"batch {row.number}/{self._planned} ({row.circuit}) accepted, {gas:,} gas"
        if self.live:
            width, done = 30, int(30 * row.number / max(self._planned, 1))
            bar = "#" * done + "-" * (width - done)
            print(f"\r[{time.monotonic() - self._began:6.1f} s] [{bar}] {text}  ", end="", flush=True)
        elif time.monotonic() - self._said > _EVERY or row.number == self._planned:
            self._said = time.monotonic()
            self.line(text)

    def _clear(self) -> None:
        if self.live:
            print("\r\x1b[2K", end="")


def show_table(summary: dict[str, Any], refusals: list[dict[str, str]]) -> None:
    """The closing tables."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    ticks = Table(
        title=f"{summary['episode']}: {summary['accounts']} accounts, {summary['instruments']} instruments"
    )
    for name in (
        "tick",
        "BTC",
        "ETH",
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
            row["marks"]["BTC-PERP"],
            row["marks"]["ETH-PERP"],
            str(len(row["limited"]) or ""),
            *(str(health[key]) for key in ("below_maintenance", "lt_1_1", "lt_1_5")),
            *(str(due[key]) for key in ("partial", "full", "absorbed")),
            f"{int(row['insurance_fund']) / 1e6:,.0f}",
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
