# SPDX-License-Identifier: GPL-3.0-or-later
"""Who should stand together: accounts near the edge in few pages, so that few pages outgrow their radius.

A page's radius is the least of its accounts', so one account near the edge makes its whole page be swept
again at every larger move. Distance is the safe radius: health over exposure, in the usual moves of the
instruments held, whatever their prices and volatilities.

Hysteresis keeps accounts from bouncing: one is near below `NEAR` moves, and in a page where most are near it
counts as near until it is `FAR` moves away. Where an account stands is no matter of soundness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zkmargin.engine.coverage import safe_radius
from zkmargin.protocol.constants import PAGE_SIZE, RADIUS_ONE
from zkmargin.protocol.model import Account, Tick

NEAR = 3 * RADIUS_ONE
FAR = 6 * RADIUS_ONE


@dataclass(frozen=True)
class Regrouping:
    """Leaf `i` of `pages`, counted through, gets what stood at `origins[i]`; pages ascend."""

    pages: tuple[int, ...]
    origins: tuple[int, ...]


def near_leaves(radii: Sequence[int | None]) -> frozenset[int]:
    """Leaves of a page whose accounts are near the edge, by their safe radii (None for an empty leaf)."""
    held = [leaf for leaf, radius in enumerate(radii) if radius is not None]
    within = frozenset(leaf for leaf in held if (radii[leaf] or 0) < FAR)
    close = frozenset(leaf for leaf in held if (radii[leaf] or 0) < NEAR)
    return within if 2 * len(close) > len(held) else close


def page_radii(accounts: Sequence[Account], tick: Tick) -> list[int | None]:
    """Safe radius of each leaf of a page, 0 for an account below maintenance, None for an empty leaf."""
    return [None if account.is_empty else safe_radius(account, tick) or 0 for account in accounts]


def gather(near: Mapping[int, frozenset[int]]) -> Regrouping:
    """Move near accounts of these pages into as few of them as hold them, by exchanges of two leaves.

    `near`: by page, the leaves of accounts near the edge. The lowest pages get the others', so that near
    accounts end in few blocks as well.
    """
    pages = tuple(sorted(near))
    first = {page: PAGE_SIZE * number for number, page in enumerate(pages)}
    origins = list(range(PAGE_SIZE * len(pages)))
    total = sum(len(leaves) for leaves in near.values())
    targets = pages[: -(-total // PAGE_SIZE)]
    room = [first[page] + leaf for page in targets for leaf in range(PAGE_SIZE) if leaf not in near[page]]
    others = [first[page] + leaf for page in pages[len(targets) :] for leaf in sorted(near[page])]
    for place, origin in zip(room, others, strict=False):
        origins[place], origins[origin] = origin, place
    return Regrouping(pages, tuple(origins))


def spared(near: Sequence[int]) -> int:
    """How many pages fewer have near accounts once those of these pages, so many in each, stand together."""
    return sum(count > 0 for count in near) - -(-sum(near) // PAGE_SIZE)


def plan(near: Mapping[int, frozenset[int]], width: int) -> list[Regrouping]:
    """Regroupings of `width` pages each that spare pages; pages without near accounts fill up.

    Each page is in one of them at most. Pages from all over the ledger go together, so that accounts move
    towards its beginning; run again on the result, they gather further.
    """
    some = sorted(page for page in near if 0 < len(near[page]) < PAGE_SIZE)
    idle = sorted((page for page in near if not near[page]), reverse=True)
    count = -(-len(some) // width)
    found = []
    for start in range(count):
        group = some[start::count]
        missing = width - len(group)
        if len(idle) < missing or spared([len(near[page]) for page in group]) < 1:
            continue
        group += [idle.pop() for _ in range(missing)]
        found.append(gather({page: near[page] for page in group}))
    return found
