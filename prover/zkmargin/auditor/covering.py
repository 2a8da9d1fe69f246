# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps and coverage re-checked from the statements of SPEC section 8, apart from how they are made.

A coverage is judged twice: as the statement has it, by radius and displacement; and by what it is to mean,
the health of every account of its pages at the tick.
"""

from __future__ import annotations

from collections.abc import Iterator

from zkmargin.auditor.rules import Books, require, sums
from zkmargin.protocol.constants import PAGE_SIZE
from zkmargin.protocol.model import Account, InstrumentTick, Tick
from zkmargin.protocol.posted import CoverageWords, RegroupWords, SweepWords

SCALE = 1 << 16
LIMIT = 1 << 24


def accounts_of(books: Books, page: int) -> Iterator[Account]:
    """The accounts that stand in a page."""
    for leaf in range(page * PAGE_SIZE, (page + 1) * PAGE_SIZE):
        if leaf in books.leaves:
            yield books.leaves[leaf]


def keeps(account: Account, tick: Tick, radius: int) -> bool:
    """Whether 2^16 * (E - M) covers radius times the account's exposure to moves."""
    total = sums(account, tick)
    spread = sum(
        held.size * tick.instruments[held.instrument].move for held in account.slots if held is not None
    )
    return radius * spread <= SCALE * (total.E - total.M)


def _losses(then: InstrumentTick, now: InstrumentTick) -> Iterator[int]:
    """How much a step of each class that could be held then has lost of its health."""
    for was, charge in zip(then.maintenance, now.maintenance, strict=True):
        yield (then.equity - was) - (now.equity - charge)
        if then.maintenance[0] > 0:
            yield (-then.equity - was) - (-now.equity - charge)


def within(then: Tick, now: Tick, radius: int) -> bool:
    """Whether no class has lost more than radius / 2^16 moves of its instrument."""
    return all(
        radius * before.move >= SCALE * loss
        for before, after in zip(then.instruments, now.instruments, strict=True)
        for loss in _losses(before, after)
    )


def check_kept(books: Books, leaf: int, account: Account, ticks: dict[int, Tick]) -> None:
    """Raises `Broken` where a page kept its header and the account written is not as safe as it says."""
    anchor, radius = books.headers.get(leaf // PAGE_SIZE, (0, 0))
    require(anchor in ticks, "a header is kept that is anchored at no tick of this ledger")
    then = ticks[anchor]
    require(keeps(account, then, radius), f"account {account.id} is not safe to the radius its page keeps")
    for held in account.slots:
        if held is not None and held.side:
            charged = then.instruments[held.instrument].maintenance[0] > 0
            require(charged, "a short of what had no charge at the anchor keeps its page")


def replay_sweep(books: Books, posted: SweepWords, tick: Tick, tick_hash: int) -> None:
    """Apply a sweep to the headers; raises `Broken` where an account is not as safe as it says."""
    require(posted.radius < LIMIT, "the radius is out of range")
    for page in posted.pages:
        require(page < books.profile.pages, f"page {page} is outside the ledger")
        for account in accounts_of(books, page):
            require(keeps(account, tick, posted.radius), f"account {account.id} is not safe to the radius")
        books.headers[page] = (tick_hash, posted.radius)


def replay_regroup(books: Books, posted: RegroupWords) -> None:
    """Move accounts as a regroup says; raises `Broken` if more than places change, or headers say more."""
    pages = posted.pages
    require(
        all(page < books.profile.pages for page in pages) and list(pages) == sorted(set(pages)),
        "its pages do not ascend within the ledger",
    )
    places = [page * PAGE_SIZE + leaf for page in pages for leaf in range(PAGE_SIZE)]
    require(sorted(posted.origins) == list(range(len(places))), "an account is lost or doubled")
    held = [books.leaves.pop(place, None) for place in places]
    for place, origin in zip(places, posted.origins, strict=True):
        account = held[origin]
        if account is not None:
            books.leaves[place] = account
    headers = [books.headers.pop(page, (0, 0)) for page in pages]
    if posted.radius is None:
        return
    anchors = {anchor for anchor, _ in headers}
    require(len(anchors) == 1, "pages of several anchors kept their headers")
    require(posted.radius <= min(radius for _, radius in headers), "a page had less radius than is kept")
    anchor = headers[0][0]
    if anchor == 0:  # cleared headers are kept cleared
        return
    for page in pages:
        books.headers[page] = (anchor, posted.radius)


def check_coverage(books: Books, posted: CoverageWords, tick: Tick, ticks: dict[int, Tick]) -> None:
    """Raises `Broken` where a page of the range is not covered, or an account in it unhealthy."""
    require(posted.first < posted.until <= books.profile.pages, "the range is outside the ledger")
    occupied = {leaf // PAGE_SIZE for leaf in books.leaves}
    for page in sorted(occupied | set(books.headers)):
        if not posted.first <= page < posted.until:
            continue
        for account in accounts_of(books, page):
            total = sums(account, tick)
            require(total.E >= total.M, f"account {account.id} is below maintenance margin")
        anchor, radius = books.headers.get(page, (0, 0))
        if (anchor, radius) == (0, 0) and page not in occupied:
            continue
        require(anchor in ticks, f"page {page} is not anchored at any tick of this ledger")
        require(within(ticks[anchor], tick, radius), f"prices outgrew the radius of page {page}")
