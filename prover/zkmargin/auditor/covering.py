# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps, regroups, carries and coverage re-checked from SPEC section 8, apart from how they are made.

A coverage is judged twice: as the statement has it, by the headers of blocks; and by what it is to mean,
the health of every account at the tick.
"""

from __future__ import annotations

from collections.abc import Iterator

from zkmargin.auditor.rules import CLEARED, Books, Header, require, sums
from zkmargin.protocol.constants import PAGE_SIZE
from zkmargin.protocol.model import Account, InstrumentTick, Tick
from zkmargin.protocol.posted import CarryWords, CoverageWords, RegroupWords, SweepWords

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


def _moved(then: Tick, now: Tick) -> int | None:
    """How many moves of its instrument, times 2^16 and rounded up, the class has lost that lost most.

    None where no number is enough: an instrument without a move has lost, or a charge has vanished.
    """
    most = 0
    for before, after in zip(then.instruments, now.instruments, strict=True):
        worst = max(_losses(before, after))
        vanished = before.maintenance[0] > 0 == after.maintenance[0]
        if vanished or (worst > 0 and before.move == 0):
            return None
        if worst > 0:
            most = max(most, -(-SCALE * worst // before.move))
    return most


def within(then: Tick, now: Tick, radius: int) -> bool:
    """Whether no class has lost more than radius / 2^16 moves of its instrument, and no charge vanished."""
    moved = _moved(then, now)
    return moved is not None and moved <= radius


def _slack(then: Tick, now: Tick, radius: int) -> int:
    """The largest radius at `now` that follows from one at `then`: below 0 where that is outgrown."""
    moved, ratio = _moved(then, now), 2 * SCALE - 1
    for before, after in zip(then.instruments, now.instruments, strict=True):
        if after.move:
            ratio = min(ratio, SCALE * before.move // after.move)
    return -1 if moved is None else (radius - moved) * ratio // SCALE


def check_kept(books: Books, leaf: int, account: Account, ticks: dict[int, Tick]) -> None:
    """Raises `Broken` where a page kept its header and the account written is not as safe as it says."""
    anchor, radius = books.headers.get(leaf // PAGE_SIZE, CLEARED)
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
        books.put_header(page, (tick_hash, posted.radius))


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
    headers = [books.headers.get(page, CLEARED) for page in pages]
    for page in pages:
        books.put_header(page, CLEARED)
    if posted.radius is None:
        return
    anchors = {anchor for anchor, _ in headers}
    require(len(anchors) == 1 and 0 not in anchors, "pages without one anchor kept their headers")
    require(posted.radius <= min(radius for _, radius in headers), "a page had less radius than is kept")
    for page in pages:
        books.put_header(page, (anchors.copy().pop(), posted.radius))


def _pages(books: Books, block: int) -> Iterator[int]:
    """The pages of a block that are not empty with a cleared header."""
    size = books.profile.block_pages
    for page in range(block * size, (block + 1) * size):
        if page in books.headers or next(accounts_of(books, page), None) is not None:
            yield page


def _covers(header: Header, tick: Tick, ticks: dict[int, Tick]) -> bool:
    anchor, radius = header
    return anchor in ticks and within(ticks[anchor], tick, radius)


def replay_carry(
    books: Books, posted: CarryWords, tick: Tick, tick_hash: int, ticks: dict[int, Tick]
) -> None:
    """Apply a carry to the headers of blocks; raises `Broken` where they don't follow from those of pages."""
    for word in posted.blocks:
        require(word.index < books.profile.blocks, f"block {word.index} is outside the ledger")
        headers = []
        for page in _pages(books, word.index):
            headers.append(books.headers.get(page, CLEARED))
            require(_covers(headers[-1], tick, ticks), f"page {page} is not covered by its header")
        anchors = {anchor for anchor, _ in headers}
        require(bool(word.now) or len(anchors) == 1, f"the pages of block {word.index} have not one anchor")
        anchor = tick_hash if word.now else anchors.pop()
        for there, radius in headers:
            left = radius if there == anchor else _slack(ticks[there], tick, radius)
            require(word.radius <= left, f"a page of block {word.index} has less radius")
        require(word.radius < LIMIT, "the radius is out of range")
        books.blocks[word.index] = (anchor, word.radius)


def check_coverage(books: Books, posted: CoverageWords, tick: Tick, ticks: dict[int, Tick]) -> None:
    """Raises `Broken` where a block is not covered, an account unhealthy, or a deficit is not told."""
    require(posted.solvent == (books.reserve >= 0), "it tells another sign of the reserve")
    for account in books.leaves.values():
        total = sums(account, tick)
        require(total.E >= total.M, f"account {account.id} is below maintenance margin")
    size = books.profile.block_pages
    occupied = {leaf // PAGE_SIZE // size for leaf in books.leaves} | {page // size for page in books.headers}
    for block in sorted(occupied | set(books.blocks)):
        covered = _covers(books.blocks.get(block, CLEARED), tick, ticks)
        require(covered, f"block {block} is not covered by its header")
