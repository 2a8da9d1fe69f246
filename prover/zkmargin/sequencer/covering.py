# SPDX-License-Identifier: GPL-3.0-or-later
"""What covers a tick: which blocks and pages no header covers any more, and the proofs that mend it.

Pages that prices outgrew are swept, after accounts near the edge have been regrouped among them; blocks with
such pages get their headers carried up anew; coverage reads the headers of all blocks.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from zkmargin.circuits.coverage_inputs import carry_inputs, coverage_inputs, regroup_inputs, sweep_inputs
from zkmargin.circuits.settle_inputs import Before, Posting
from zkmargin.engine.coverage import displacement, page_radius, radius_at
from zkmargin.engine.placement import Regrouping, near_leaves, page_radii, plan
from zkmargin.errors import Refused
from zkmargin.protocol.constants import PAGE_SIZE
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Tick
from zkmargin.protocol.words import carry_words, coverage_words, regroup_words, sweep_words
from zkmargin.sequencer.drafting import bind
from zkmargin.state.ledger import Header, Ledger, PageOpening


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
class Carried:
    """What the header of a block becomes."""

    block: int
    anchor: int
    radius: int


@dataclass(frozen=True)
class CarryBatch:
    """A finished carry batch: block headers it writes, all that is posted, and the witness inputs."""

    blocks: tuple[Carried, ...]
    new_root: int
    posting: Posting
    inputs: dict[str, object]


@dataclass(frozen=True)
class CoverageBatch:
    """A finished coverage batch: all that is posted, and the witness inputs."""

    posting: Posting
    inputs: dict[str, object]


@dataclass(frozen=True)
class Survey:
    """What the headers of blocks leave to do: `anchors` are the older ticks that coverage is to open, at most
    as many as the profile says; `blocks` those that no header covers at these or the present tick."""

    anchors: tuple[int, ...]
    blocks: tuple[int, ...]


class Displacements:
    """How far `now` is from the ticks that pages are anchored at; `ticks` by their hash."""

    def __init__(self, ticks: Mapping[int, Tick], now: Tick) -> None:
        self._ticks, self.now, self.now_hash = ticks, now, tick_hash(now)
        self._known: dict[int, int | None] = {self.now_hash: 0}

    def tick(self, anchor: int) -> Tick:
        """The tick of an anchor."""
        return self.now if anchor == self.now_hash else self._ticks[anchor]

    def of(self, anchor: int) -> int | None:
        """The displacement since an anchor; None where none is small enough, or the tick is not known."""
        if anchor not in self._known:
            then = self._ticks.get(anchor)
            self._known[anchor] = displacement(then, self.now) if then else None
        return self._known[anchor]

    def covers(self, header: Header) -> bool:
        """Whether a header covers the present tick: anchored, with a radius that prices have not outgrown."""
        anchor, radius = header
        d = self.of(anchor) if anchor else None
        return d is not None and d <= radius

    def radius_now(self, header: Header) -> int:
        """The radius at the present tick that follows from a header that covers it."""
        anchor, radius = header
        if anchor == self.now_hash:
            return radius
        d = self.of(anchor)
        assert d is not None
        return radius_at(self._ticks[anchor], self.now, radius, d)

    def opened(self, anchors: Iterable[int]) -> list[tuple[Tick, int]]:
        """The older ones of these anchors, as a proof opens them, with their displacements.

        Raises `Refused` for one that is too far from now.
        """
        found = []
        for anchor in sorted(set(anchors) - {self.now_hash}):
            d = self.of(anchor)
            if d is None:
                raise Refused("a header is anchored too far from the present tick", code="uncovered")
            found.append((self.tick(anchor), d))
        return found


def survey(ledger: Ledger, moved: Displacements) -> Survey:
    """The blocks whose headers don't cover the present tick, and the older ticks that coverage opens.

    Those are the ticks that most blocks are anchored at; a block anchored at any other has to be carried
    again, at the present tick.
    """
    covered = {block: header for block, header in ledger.block_headers().items() if moved.covers(header)}
    ranked = Counter(anchor for anchor, _ in covered.values() if anchor != moved.now_hash).most_common()
    anchors = tuple(anchor for anchor, _ in ranked[: ledger.profile.anchors])
    opened = {moved.now_hash, *anchors}
    blocks = (
        block
        for block in range(ledger.profile.blocks)
        if not ledger.is_empty_block(block) and covered.get(block, (0, 0))[0] not in opened
    )
    return Survey(anchors, tuple(blocks))


def pages_to_sweep(ledger: Ledger, moved: Displacements, found: Survey) -> list[int]:
    """Pages of the survey's blocks that no header covers, or anchored at more ticks than a carry opens.

    Of a block's older anchors those stay that cover most pages.
    """
    size, chosen = ledger.profile.block_pages, []
    for block in found.blocks:
        members = [page for page in range(block * size, (block + 1) * size) if not ledger.is_clear(page)]
        stale = {page for page in members if not moved.covers(ledger.header(page))}
        kept = Counter(ledger.header(page)[0] for page in members if page not in stale)
        del kept[moved.now_hash]
        dropped = {anchor for anchor, _ in kept.most_common()[ledger.profile.anchors :]}
        chosen += [page for page in members if page in stale or ledger.header(page)[0] in dropped]
    return chosen


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
    size = ledger.profile.block_pages
    blocks = sorted({page // size for page in pages})  # their headers are void already
    beside = (page for block in blocks for page in range(block * size, (block + 1) * size))
    others = (page for page in range(ledger.profile.pages) if page // size not in blocks)
    spare = (page for page in itertools.chain(beside, others) if ledger.is_clear(page))
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


def carries(ledger: Ledger, moved: Displacements, survey: Survey) -> Iterator[tuple[Carried, ...]]:
    """What each carry proof is to write, once the survey's pages are swept: blocks whose pages share anchors.

    A block whose pages all have one anchor gets that, with the least of their radii, unless coverage would
    have to open too many older ticks; any other is anchored at the present tick, with the least radius that
    follows at it.
    """
    opened, most, width = set(survey.anchors), ledger.profile.anchors, ledger.profile.carry_blocks
    groups: list[tuple[set[int], list[Carried]]] = []
    for block in survey.blocks:
        opening = ledger.block(block)
        older = opening.anchors - {moved.now_hash}
        least = {a: min(radius for at, radius in opening.anchored if at == a) for a in opening.anchors}
        if len(least) == 1 and (older <= opened or len(opened) < most):
            opened |= older
            made = Carried(block, *least.popitem())
        else:
            made = Carried(block, moved.now_hash, min(map(moved.radius_now, least.items()), default=0))
        fitting = (group for group in groups if len(group[1]) < width and len(group[0] | older) <= most)
        anchors, members = next(fitting, (set[int](), list[Carried]()))
        if not members:
            groups.append((anchors, members))
        anchors |= older
        members.append(made)
    for _, members in groups:
        yield tuple(members + [members[0]] * (width - len(members)))


def make_carry(
    ledger: Ledger, moved: Displacements, domain: int, chain_id: int, blocks: Sequence[Carried]
) -> CarryBatch:
    """Write the headers of `blocks` into the ledger, and the batch that proves them."""
    root, before = ledger.root(), Before(ledger.pages_root, *ledger.scalars())
    openings, digest = [], moved.now_hash
    for made in blocks:
        openings.append((ledger.block(made.block), (made.anchor, made.radius)))
        ledger.set_block_header(made.block, made.anchor, made.radius)
    new_root = ledger.root()
    words = carry_words(
        domain, root, digest, new_root,
        [(made.block, made.radius, made.anchor == digest) for made in blocks], ledger.profile,
    )  # fmt: skip
    posting = bind(words, chain_id, domain)
    anchors = moved.opened({anchor for opening, _ in openings for anchor in opening.anchors})
    inputs = carry_inputs(
        ledger.profile, moved.now, domain, root, new_root, before, anchors, openings, posting
    )
    return CarryBatch(tuple(blocks), new_root, posting, inputs)


def make_coverage(ledger: Ledger, moved: Displacements, domain: int, chain_id: int) -> CoverageBatch:
    """The batch that proves every account of the ledger healthy at the present tick."""
    profile, root = ledger.profile, ledger.root()
    before, headers = Before(ledger.pages_root, *ledger.scalars()), ledger.block_headers()
    rows = [headers.get(block, (0, 0)) for block in range(profile.blocks)]
    words = coverage_words(domain, root, moved.now_hash, ledger.reserve >= 0, profile)
    posting = bind(words, chain_id, domain)
    anchors = moved.opened({anchor for anchor, _ in rows if anchor})
    inputs = coverage_inputs(
        profile, moved.now, domain, root, before, anchors, ledger.block_roots(), rows, posting
    )
    return CoverageBatch(posting, inputs)
