# SPDX-License-Identifier: GPL-3.0-or-later
"""What completeness costs in constraints: compiled counts, and what they add up to for large ledgers."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace

from zkmargin.bench.rows import Row
from zkmargin.circuits.circuit import Circuit
from zkmargin.circuits.compile import constraint_count
from zkmargin.circuits.registry import circuit
from zkmargin.engine.placement import plan
from zkmargin.protocol.codegen import circom_constants
from zkmargin.protocol.constants import PAGE_SIZE, TIERS, load
from zkmargin.toolchain import Report

ACCOUNTS = 1_000_000


def _count(made: Circuit, report: Report | None) -> int:
    return constraint_count(made, report)


def _sweep(pages: int, instruments: int, tiers: int = TIERS) -> Circuit:
    """Profile main's sweep of some pages, with another number of instruments, or of tiers of each."""
    made = circuit("sweep", "main", pages * PAGE_SIZE)
    levels = load().profile("main").ledger_levels
    return replace(
        made,
        profile=f"main-{instruments}-{tiers}",
        arguments=(pages, instruments, levels),
        generated={"constants.circom": circom_constants({"TIERS": tiers})},
    )


def _each_and_fixed(instruments: int, tiers: int, report: Report | None) -> tuple[float, int]:
    """Constraints of a sweep: an account, and beside the accounts."""
    two, one = (_count(_sweep(pages, instruments, tiers), report) for pages in (2, 1))
    return (two - one) / PAGE_SIZE, 2 * one - two


def rows(report: Report | None = None) -> Iterator[Row]:
    """Constraints an account of a sweep, and of a covered ledger against one swept whole."""
    instruments = load().profile("main").instruments
    each, fixed = _each_and_fixed(instruments, TIERS, report)
    _, tierless = _each_and_fixed(instruments, 1, report)
    wide, _ = _each_and_fixed(256, TIERS, report)
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
    profile = load().profile("main")
    whole = _count(circuit("coverage", "main"), report)
    pages = math.ceil(ACCOUNTS / PAGE_SIZE)
    sweep_all = math.ceil(pages / profile.sweep_pages) * _sweep_size(each, fixed, profile.sweep_pages)
    cover = math.ceil(pages / profile.block_pages) * whole
    near = math.ceil(ACCOUNTS / 1000 / PAGE_SIZE)
    grouped = cover + math.ceil(near / profile.sweep_pages) * _sweep_size(each, fixed, profile.sweep_pages)
    yield Row(
        "coverage_ratio_grouped",
        grouped,
        "constraints",
        "sweeping all",
        sweep_all / grouped,
        bar="at least 100",
    )
    touched = pages * (1 - 0.99**PAGE_SIZE)  # pages with at least one of the 1% that are near the edge
    swept = math.ceil(touched / profile.sweep_pages) * _sweep_size(each, fixed, profile.sweep_pages)
    scattered = cover + swept
    yield Row(
        "coverage_ratio_scattered_before", scattered, "constraints", "sweeping all", sweep_all / scattered
    )
    regroups, left = regrouped(pages, ACCOUNTS // 100, profile.regroup_pages)
    cost = regroups * _count(circuit("regroup", "main"), report)
    yield Row("regroup_cost", cost, f"constraints, {regroups} proofs, once", "sweeping all", cost / sweep_all)
    after = cover + math.ceil(left / profile.sweep_pages) * _sweep_size(each, fixed, profile.sweep_pages)
    yield Row(
        "coverage_ratio_scattered", after, f"constraints, {left} pages near the edge", "sweeping all",
        sweep_all / after, bar="at least 40",
    )  # fmt: skip


def regrouped(pages: int, near: int, width: int) -> tuple[int, int]:
    """(regroup proofs, pages with near accounts left) when so many near accounts, placed at random, gather.

    The placement policy's own rounds, until none spares a page.
    """
    rng = random.Random(1)
    held: dict[int, set[int]] = {page: set() for page in range(pages)}
    for place in rng.sample(range(pages * PAGE_SIZE), near):
        held[place // PAGE_SIZE].add(place % PAGE_SIZE)
    proofs = 0
    while made := plan({page: frozenset(leaves) for page, leaves in held.items()}, width):
        proofs += len(made)
        for regrouping in made:
            close = {
                number * PAGE_SIZE + leaf
                for number, page in enumerate(regrouping.pages)
                for leaf in held[page]
            }
            for page in regrouping.pages:
                held[page] = set()
            for place, origin in enumerate(regrouping.origins):
                if origin in close:
                    held[regrouping.pages[place // PAGE_SIZE]].add(place % PAGE_SIZE)
    return proofs, sum(bool(leaves) for leaves in held.values())


def _sweep_size(each: float, fixed: float, pages: int) -> float:
    return fixed + each * PAGE_SIZE * pages
