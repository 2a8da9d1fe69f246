# SPDX-License-Identifier: GPL-3.0-or-later
"""What completeness costs in constraints: compiled counts, and what they add up to for a large ledger."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from zkmargin.bench.constraints import each_and_fixed
from zkmargin.bench.rows import Row
from zkmargin.circuits.compile import constraint_count
from zkmargin.circuits.registry import circuit
from zkmargin.engine.placement import plan
from zkmargin.protocol.constants import PAGE_SIZE, TIERS, Profile, load
from zkmargin.toolchain import Report

ACCOUNTS = 1_000_000
GROUPED, SCATTERED = ACCOUNTS // 1000, ACCOUNTS // 100  # accounts near the edge


@dataclass(frozen=True)
class _Costs:
    """Constraints of whole proofs of a profile; pages and blocks fill them up."""

    profile: Profile
    sweep: float
    carry: int
    coverage: int

    def tick(self, pages: int, blocks: int) -> float:
        """To cover a tick at which so many pages are swept, in so many blocks."""
        sweeps = math.ceil(pages / self.profile.sweep_pages) * self.sweep
        return self.coverage + sweeps + math.ceil(blocks / self.profile.carry_blocks) * self.carry


def rows(report: Report | None = None) -> Iterator[Row]:
    """A million accounts at a tick that only those near the edge outgrow, against sweeping all of them."""
    profile = load().profile("main")
    each, fixed = each_and_fixed(profile.instruments, TIERS, report)
    carry, coverage, regroup = (
        constraint_count(circuit(name, "main"), report) for name in ("carry", "coverage", "regroup")
    )
    costs = _Costs(profile, fixed + each * PAGE_SIZE * profile.sweep_pages, carry, coverage)
    pages = math.ceil(ACCOUNTS / PAGE_SIZE)
    blocks = math.ceil(pages / profile.block_pages)
    everything = math.ceil(pages / profile.sweep_pages) * costs.sweep

    def row(name: str, swept: int, carried: int, bar: str = "") -> Row:
        needed = costs.tick(swept, carried)
        unit = f"constraints, {swept:,} pages swept in {carried} blocks"
        return Row(name, needed, unit, "sweeping all", everything / needed, bar=bar)

    near = math.ceil(GROUPED / PAGE_SIZE)
    yield row("coverage_ratio_grouped", near, math.ceil(near / profile.block_pages), "at least 100")
    touched = round(pages * (1 - (1 - SCATTERED / ACCOUNTS) ** PAGE_SIZE))
    yield row("coverage_ratio_scattered_before", touched, blocks)
    proofs, left = regrouped(pages, SCATTERED, profile.regroup_pages)
    cost = proofs * regroup
    yield Row("regroup_cost", cost, f"constraints, {proofs} proofs, once", "sweeping all", cost / everything)
    held = len({page // profile.block_pages for page in left})
    yield row("coverage_ratio_scattered", len(left), held, "at least 40")


def regrouped(pages: int, near: int, width: int) -> tuple[int, set[int]]:
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
    return proofs, {page for page, leaves in held.items() if leaves}
