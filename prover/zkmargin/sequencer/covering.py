# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweep and coverage batches: which pages must be swept at a tick, and the proofs that all are healthy."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from zkmargin.circuits.coverage_inputs import coverage_inputs, regroup_inputs, sweep_inputs
from zkmargin.circuits.settle_inputs import Before, Posting
from zkmargin.engine.coverage import displacement, page_radius
from zkmargin.engine.placement import Regrouping, near_leaves, page_radii, plan
from zkmargin.errors import Refused
from zkmargin.protocol.constants import PAGE_SIZE
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Tick
from zkmargin.protocol.words import coverage_words, regroup_words, sweep_words
from zkmargin.sequencer.drafting import bind
from zkmargin.state.ledger import Ledger, PageOpening


@dataclass(frozen=True)
class SweepBatch:
    """A finished sweep batch: pages whose headers it writes, all that is posted, and the witness inputs."""

    pages: tuple[int, ...]
    radius: int
    new_root: int
    posting: Posting
    inputs: dict[str, object]


@dataclass(frozen=True)
class RegroupBatch:
    """A finished regroup batch: pages, origins, radius kept, all that is posted, and the witness inputs."""

    pages: tuple[int, ...]
    origins: tuple[int, ...]
    radius: int | None
    new_root: int
    posting: Posting
    inputs: dict[str, object]


@dataclass(frozen=True)
class CoverageBatch:
    """A finished coverage batch over pages `first` .. `until` - 1."""

    first: int
    until: int
    posting: Posting
    inputs: dict[str, object]


class Displacements:
    """How far `now` is from the ticks that pages are anchored at; `ticks` by their hash."""

    def __init__(self, ticks: Mapping[int, Tick], now: Tick) -> None:
        self._ticks, self.now, self._hash = ticks, now, tick_hash(now)
        self._known: dict[int, int | None] = {self._hash: 0}

    def tick(self, anchor: int) -> Tick:
        """The tick of an anchor."""
        return self.now if anchor == self._hash else self._ticks[anchor]

    def of(self, anchor: int) -> int | None:
        """The displacement since an anchor; None where none is small enough, or the tick is not known."""
        if anchor not in self._known:
            then = self._ticks.get(anchor)
            self._known[anchor] = displacement(then, self.now) if then else None
        return self._known[anchor]


def _outgrown(ledger: Ledger, page: int, moved: Displacements) -> bool:
    anchor, radius = ledger.header(page)
    d = moved.of(anchor) if anchor else None
    return d is None or d > radius


def pages_to_sweep(ledger: Ledger, moved: Displacements) -> list[int]:
    """Pages that no header covers any more, and those anchored at more ticks than a coverage proof opens.

    Of a block's older anchors those stay that cover most pages.
    """
    size, found = ledger.profile.block_pages, []
    pages = sorted({leaf // PAGE_SIZE for leaf, _ in ledger.accounts()} | set(ledger.headers()))
    blocks: dict[int, list[int]] = {}
    for page in pages:
        blocks.setdefault(page // size, []).append(page)
    now = tick_hash(moved.now)
    for members in blocks.values():
        stale = {page for page in members if not ledger.is_clear(page) and _outgrown(ledger, page, moved)}
        kept = Counter(ledger.header(page)[0] for page in members if page not in stale)
        ranked = sorted((anchor for anchor in kept if anchor not in (0, now)), key=lambda a: -kept[a])
        dropped = set(ranked[ledger.profile.anchors :])
        found += [page for page in members if page in stale or ledger.header(page)[0] in dropped]
    return found


def sweeps(ledger: Ledger, tick: Tick, pages: Sequence[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """(radius, pages) of each sweep proof: pages of like radius together, the last filled up.

    Raises `Refused` naming the first page with an account below maintenance margin.
    """
    radii = {}
    for page in pages:
        radius = page_radius(ledger.page(page).accounts, tick)
        if radius is None:
            raise Refused(f"page {page} holds an account below maintenance margin", code="uncovered")
        radii[page] = radius
    ranked, width = sorted(pages, key=lambda page: (radii[page], page)), ledger.profile.sweep_pages
    for start in range(0, len(ranked), width):
        group = ranked[start : start + width]
        yield min(radii[page] for page in group), tuple(group + [group[0]] * (width - len(group)))


def make_sweep(
    ledger: Ledger, tick: Tick, domain: int, chain_id: int, radius: int, pages: Sequence[int]
) -> SweepBatch:
    """Write the headers of `pages` into the ledger, and the batch that proves it."""
    root, before = ledger.root(), Before(ledger.pages_root, *ledger.scalars())
    digest, openings = tick_hash(tick), []
    for page in pages:
        openings.append(ledger.page(page))
        ledger.set_header(page, digest, radius)
    new_root = ledger.root()
    words = sweep_words(domain, root, digest, new_root, radius, pages, ledger.profile)
    posting = bind(words, chain_id, domain)
    inputs = sweep_inputs(ledger.profile, tick, domain, root, new_root, before, radius, openings, posting)
    return SweepBatch(tuple(pages), radius, new_root, posting, inputs)


def regroupings(ledger: Ledger, tick: Tick, pages: Sequence[int]) -> list[Regrouping]:
    """Regroupings among `pages`, which are to be swept anyway, and empty ones: clearing them is free."""
    spare = (page for page in range(ledger.profile.pages) if ledger.is_clear(page))
    among = {*pages, *itertools.islice(spare, ledger.profile.regroup_pages)}
    near = {page: near_leaves(page_radii(ledger.page(page).accounts, tick)) for page in among}
    return plan(near, ledger.profile.regroup_pages)


def make_regroup(
    ledger: Ledger, tick: Tick, domain: int, chain_id: int, pages: Sequence[int], origins: Sequence[int]
) -> RegroupBatch:
    """Rearrange the accounts of `pages`, which ascend, in the ledger, and the batch that proves it.

    Headers keep their anchor, if it is one, with the least radius of all; else they are cleared.
    """
    root, before = ledger.root(), Before(ledger.pages_root, *ledger.scalars())
    headers = [ledger.header(page) for page in pages]
    anchor = headers[0][0]
    radius = min(radius for _, radius in headers) if anchor and {a for a, _ in headers} == {anchor} else None
    openings = regroup(ledger, pages, origins, radius)
    new_root, digest = ledger.root(), tick_hash(tick)
    words = regroup_words(domain, root, digest, new_root, radius, pages, origins, ledger.profile)
    posting = bind(words, chain_id, domain)
    inputs = regroup_inputs(
        ledger.profile, digest, domain, root, new_root, before, radius, openings, origins, posting
    )
    return RegroupBatch(tuple(pages), tuple(origins), radius, new_root, posting, inputs)


def regroup(
    ledger: Ledger, pages: Sequence[int], origins: Sequence[int], radius: int | None
) -> list[PageOpening]:
    """Rearrange the accounts of `pages`; each page as it stood when its turn came."""
    accounts = [account for page in pages for account in ledger.page(page).accounts]
    moved = [accounts[origin] for origin in origins]
    header = (0, 0) if radius is None else (ledger.header(pages[0])[0], radius)
    openings = []
    for number, page in enumerate(pages):
        openings.append(ledger.page(page))
        ledger.rearrange(page, moved[number * PAGE_SIZE : (number + 1) * PAGE_SIZE], header)
    ledger.reindex(pages)
    return openings


def blocks_to_cover(ledger: Ledger) -> Iterator[tuple[int, bool]]:
    """(block, rest) of the coverage proofs that together cover the ledger, from the left."""
    for number in range(ledger.profile.pages // ledger.profile.block_pages):
        rest = ledger.block(number).rest_empty
        yield number, rest
        if rest:
            return


def make_coverage(
    ledger: Ledger, moved: Displacements, domain: int, chain_id: int, block: int, rest: bool
) -> CoverageBatch:
    """The batch that proves a block of pages healthy at the present tick."""
    opening, profile = ledger.block(block), ledger.profile
    anchors = []
    for anchor in sorted(set(opening.anchors) - {0, tick_hash(moved.now)}):
        d = moved.of(anchor)
        if d is None:
            raise Refused(f"block {block} has a page that is not swept", code="uncovered")
        anchors.append((moved.tick(anchor), d))
    size = profile.block_pages
    first, until = block * size, profile.pages if rest else (block + 1) * size
    root, before = ledger.root(), Before(ledger.pages_root, *ledger.scalars())
    words = coverage_words(domain, root, tick_hash(moved.now), first, until, profile)
    posting = bind(words, chain_id, domain)
    inputs = coverage_inputs(profile, moved.now, domain, root, before, anchors, opening, rest, posting)
    return CoverageBatch(first, until, posting, inputs)
