# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sweep costs in constraints: compiled counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from zkmargin.bench.rows import Row
from zkmargin.circuits.circuit import Circuit
from zkmargin.circuits.compile import constraint_count
from zkmargin.circuits.registry import circuit
from zkmargin.protocol.codegen import circom_constants
from zkmargin.protocol.constants import PAGE_SIZE, TIERS, load
from zkmargin.toolchain import Report


def _sweep(pages: int, instruments: int, tiers: int = TIERS) -> Circuit:
    """Profile main's sweep of some pages, with another number of instruments, or of tiers of each."""
    made = circuit("sweep", "main", pages * PAGE_SIZE)
    _, _, *levels = made.arguments
    return replace(
        made,
        profile=f"main-{instruments}-{tiers}",
        arguments=(pages, instruments, *levels),
        generated={"constants.circom": circom_constants({"TIERS": tiers})},
    )


def each_and_fixed(instruments: int, tiers: int, report: Report | None) -> tuple[float, int]:
    """Constraints of a sweep: an account, and beside the accounts."""
    two, one = (constraint_count(_sweep(pages, instruments, tiers), report) for pages in (2, 1))
    return (two - one) / PAGE_SIZE, 2 * one - two


def rows(report: Report | None = None) -> Iterator[Row]:
    """Constraints an account of a sweep, at 64 and 256 instruments; its fixed part with and without tiers."""
    instruments = load().profile("main").instruments
    each, fixed = each_and_fixed(instruments, TIERS, report)
    _, tierless = each_and_fixed(instruments, 1, report)
    wide, _ = each_and_fixed(256, TIERS, report)
    yield Row("sweep_constraints_per_account", each, "constraints", bar="at most 1090")
    yield Row("sweep_constraints_fixed", fixed, f"constraints, {TIERS} tiers")
    yield Row("sweep_constraints_fixed_tierless", tierless, "constraints, one tier", bar="at most 20000")
    yield Row(
        "sweep_constraints_256_instruments",
        wide,
        "constraints",
        "64 instruments",
        wide / each,
        bar="at most 1.03",
    )
