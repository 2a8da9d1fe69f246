# SPDX-License-Identifier: GPL-3.0-or-later
"""Witness inputs of the sweep, regroup, carry and coverage circuits: signal names to field elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zkmargin.circuits.settle_inputs import Before, Posting, class_bits, margin_table
from zkmargin.engine.coverage import exposure, move_ratio, rise
from zkmargin.engine.margin import risk
from zkmargin.errors import InternalError
from zkmargin.protocol.constants import BITS, PAGE_SIZE, RADIUS_ONE, P, Profile
from zkmargin.protocol.hashes import leaf_hash, sponge, tick_hash
from zkmargin.protocol.model import Account, Tick
from zkmargin.protocol.packing import split
from zkmargin.state.ledger import BlockOpening, Header, PageOpening

Value = Any  # an integer or nested lists of them


def _bits(number: int, levels: int) -> list[list[int]]:
    return [[number >> (3 * level + bit) & 1 for bit in range(3)] for level in range(levels)]


def _bound(
    posting: Posting, domain: int, root: int, tick: int, before: Before, new_root: int | None = None
) -> dict[str, Value]:
    """What every one of these circuits is bound to: public signals, roots, tick, the ledger's scalars."""
    moved = {} if new_root is None else {"newRootHalves": list(split(new_root))}
    return {
        **posting.signals(),
        "domain": domain,
        "rootHalves": list(split(root)),
        "tickHalves": list(split(tick)),
        **moved,
        "pagesRoot": before.pages_root,
        "reserve": before.reserve % P,
        "nextId": before.next_id,
        "consumed": before.consumed,
    }


def _headers(pages: Sequence[PageOpening]) -> dict[str, Value]:
    return {
        "anchor": [page.header[0] for page in pages],
        "lastRadius": [page.header[1] for page in pages],
        "blockAnchor": [page.block_header[0] for page in pages],
        "blockRadius": [page.block_header[1] for page in pages],
    }


def safety_claim(account: Account, tick: Tick, radius: int) -> int:
    """2^16*H - radius*G: 0 or more exactly where the account is safe to that radius."""
    return RADIUS_ONE * risk(account, tick).health - radius * exposure(account, tick)


def sweep_weights(
    tick: int, radius: int, pages: Sequence[PageOpening], claims: Sequence[Sequence[int]], classes: int
) -> list[int]:
    """The weights W_t of the sparse table check over all accounts of the pages."""
    items = [tick, radius, *(page.page_root for page in pages)]
    items += [claim % P for row in claims for claim in row]
    challenge = sponge("lambda", items)
    weights, power = [0] * classes, 1
    for page in reversed(pages):
        for account in reversed(page.accounts):
            for held in account.slots:
                if held:
                    weights[held.class_id] = (weights[held.class_id] + power * held.size) % P
            power = power * challenge % P
    return weights


def sweep_inputs(
    profile: Profile,
    tick: Tick,
    domain: int,
    root: int,
    new_root: int,
    before: Before,
    radius: int,
    pages: Sequence[PageOpening],
    posting: Posting,
) -> dict[str, Value]:
    """All inputs of a sweep proof; each page as it stands before its header is written."""
    digest = tick_hash(tick)
    claims = [[safety_claim(account, tick, radius) for account in page.accounts] for page in pages]
    return {
        **_bound(posting, domain, root, digest, before, new_root),
        "radius": radius,
        **margin_table(tick),
        "pageBits": [_bits(page.page, profile.ledger_levels) for page in pages],
        "children": [page.ledger_path for page in pages],
        **_headers(pages),
        "owner": [[account.owner for account in page.accounts] for page in pages],
        "meta": [[account.meta for account in page.accounts] for page in pages],
        "balance": [[account.balance % P for account in page.accounts] for page in pages],
        "classBits": [[class_bits(account) for account in page.accounts] for page in pages],
        "x": [
            [[held.size if held else 0 for held in account.slots] for account in page.accounts]
            for page in pages
        ],
        "claim": [[claim % P for claim in row] for row in claims],
        "weights": sweep_weights(digest, radius, pages, claims, profile.classes),
    }


def regroup_inputs(
    profile: Profile,
    tick: int,
    domain: int,
    root: int,
    new_root: int,
    before: Before,
    radius: int | None,
    pages: Sequence[PageOpening],
    origins: Sequence[int],
    posting: Posting,
) -> dict[str, Value]:
    """All inputs of a regroup proof at the tick of that hash; each page as it stands when its turn comes."""
    leaves = [leaf_hash(account) for page in pages for account in page.accounts]
    moved = [leaves[origin] for origin in origins]
    return {
        **_bound(posting, domain, root, tick, before, new_root),
        "pageBits": [_bits(page.page, profile.ledger_levels) for page in pages],
        "children": [page.ledger_path for page in pages],
        **_headers(pages),
        "leaf": _by_page(leaves),
        "newLeaf": _by_page(moved),
        "originBits": _by_page([[origin >> bit & 1 for bit in range(BITS["origin"])] for origin in origins]),
        "keep": int(radius is not None),
        "radius": radius or 0,
    }


def _by_page(values: Sequence[Value]) -> list[list[Value]]:
    return [list(values[start : start + PAGE_SIZE]) for start in range(0, len(values), PAGE_SIZE)]


class _Anchors:
    """The ticks that a carry or coverage opens: the present one, then at most `profile.anchors` older."""

    def __init__(self, profile: Profile, tick: Tick, anchors: Sequence[tuple[Tick, int]]) -> None:
        if len(anchors) > profile.anchors:
            raise InternalError(f"a proof opens {profile.anchors} older ticks, not {len(anchors)}")
        self._older = [*anchors, *[(tick, 0)] * (profile.anchors - len(anchors))]
        self._tick, self._count = tick, profile.anchors + 1
        self._place = {tick_hash(anchor): number for number, (anchor, _) in enumerate(anchors, 1)}
        self._place[tick_hash(tick)] = 0

    def signals(self) -> dict[str, Value]:
        """The tables of all ticks, and how far the older ones are displaced."""
        tables = [margin_table(self._tick), *(margin_table(anchor) for anchor, _ in self._older)]
        return {
            **{name: [table[name] for table in tables] for name in tables[0]},
            "displacement": [moved for _, moved in self._older],
            "rise": [
                [rise(*rows) % P for rows in zip(anchor.instruments, self._tick.instruments, strict=True)]
                for anchor, _ in self._older
            ],
        }

    def ratios(self) -> list[int]:
        """How the moves of the older ticks compare with those of the present one."""
        return [move_ratio(anchor, self._tick) for anchor, _ in self._older]

    def place(self, anchor: int) -> list[int]:
        """Which of the ticks an anchor is, one-hot; all 0 for anchor 0."""
        if anchor and anchor not in self._place:
            raise InternalError("a header is anchored at a tick that the proof does not open")
        return [int(bool(anchor) and self._place[anchor] == number) for number in range(self._count)]


def carry_inputs(
    profile: Profile,
    tick: Tick,
    domain: int,
    root: int,
    new_root: int,
    before: Before,
    anchors: Sequence[tuple[Tick, int]],
    blocks: Sequence[tuple[BlockOpening, Header]],
    posting: Posting,
) -> dict[str, Value]:
    """All inputs of a carry proof: each block as it stands before its header is written, and that header.

    `anchors`: older ticks with their displacements.
    """
    opened, levels = _Anchors(profile, tick, anchors), profile.top_levels
    return {
        **_bound(posting, domain, root, tick_hash(tick), before, new_root),
        **opened.signals(),
        "blockBits": [_bits(block.number, levels) for block, _ in blocks],
        "children": [block.top_path for block, _ in blocks],
        "anchor": [block.block_header[0] for block, _ in blocks],
        "lastRadius": [block.block_header[1] for block, _ in blocks],
        "pageRoot": [block.page_roots for block, _ in blocks],
        "radius": [[radius for _, radius in block.headers] for block, _ in blocks],
        "at": [[opened.place(anchor) for anchor, _ in block.headers] for block, _ in blocks],
        "ratio": opened.ratios(),
        "pick": [opened.place(anchor) for _, (anchor, _) in blocks],
        "newRadius": [radius for _, (_, radius) in blocks],
    }


def coverage_inputs(
    profile: Profile,
    tick: Tick,
    domain: int,
    root: int,
    before: Before,
    anchors: Sequence[tuple[Tick, int]],
    roots: Sequence[int],
    headers: Sequence[Header],
    posting: Posting,
) -> dict[str, Value]:
    """All inputs of a coverage proof: roots and headers of all blocks; `anchors` as in a carry."""
    opened = _Anchors(profile, tick, anchors)
    return {
        **_bound(posting, domain, root, tick_hash(tick), before),
        **opened.signals(),
        "blockRoot": list(roots),
        "radius": [radius for _, radius in headers],
        "at": [opened.place(anchor) for anchor, _ in headers],
    }
