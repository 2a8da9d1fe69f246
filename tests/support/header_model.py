# SPDX-License-Identifier: GPL-3.0-or-later
"""Headers of pages and blocks without hashes, so that a million ledgers can be driven over their ticks.

A tick is named by its slot. What the circuits check of a sweep, regroup, carry and kept touch stands here
(SPEC section 8); what the sequencer makes of a ledger is `sequencer/covering.py` itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from support.random_paths import Trader, health, parameters, path
from zkmargin.engine import coverage as bound
from zkmargin.errors import Refused
from zkmargin.protocol.model import Account, Tick
from zkmargin.sequencer import covering
from zkmargin.state.ledger import BlockOpening, Header, PageOpening

_CLEARED: Header = (0, 0)


class Uncovered(AssertionError):
    """A tick, or a block of one, would be called covered while somebody is below maintenance margin."""


class Moved(covering.Displacements):
    """Displacements with slots in place of hashes."""

    def __init__(self, ticks: Mapping[int, Tick], now: Tick) -> None:
        self._ticks, self.now, self.now_hash = ticks, now, now.slot
        self._known: dict[int, int | None] = {now.slot: 0}


@dataclass(frozen=True)
class Shape:
    """Sizes of a ledger, named as in a profile."""

    blocks: int
    block_pages: int
    sweep_pages: int
    carry_blocks: int
    anchors: int


class Headers:
    """What covering reads and writes of a ledger: accounts by page, headers of pages and blocks."""

    def __init__(self, shape: Shape, accounts: list[list[Account]]) -> None:
        self.profile, self.accounts = shape, accounts
        self._pages = [_CLEARED] * len(accounts)
        self._blocks = [_CLEARED] * shape.blocks

    def header(self, page: int) -> Header:
        return self._pages[page]

    def block_headers(self) -> dict[int, Header]:
        return {block: header for block, header in enumerate(self._blocks) if header != _CLEARED}

    def pages_of(self, block: int) -> range:
        return range(block * self.profile.block_pages, (block + 1) * self.profile.block_pages)

    def is_clear(self, page: int) -> bool:
        return not self.accounts[page] and self._pages[page] == _CLEARED

    def is_empty_block(self, block: int) -> bool:
        return self._blocks[block] == _CLEARED and all(map(self.is_clear, self.pages_of(block)))

    def page(self, page: int) -> PageOpening:
        return PageOpening(page, self.accounts[page], 0, self._pages[page], _CLEARED, [])

    def block(self, number: int) -> BlockOpening:
        headers = [self._pages[page] for page in self.pages_of(number)]
        return BlockOpening(number, [], headers, self._blocks[number], [])

    def set_header(self, page: int, header: Header) -> None:
        self._pages[page] = header
        self._blocks[page // self.profile.block_pages] = _CLEARED

    def set_block_header(self, block: int, header: Header) -> None:
        self._blocks[block] = header

    # ---------------------------------------------------------------- what the circuits accept

    def sweep(self, page: int, tick: Tick, radius: int) -> None:
        """Anchor a page if all its accounts have the radius and none is short without a charge."""
        if all(bound.keeps(account, tick, radius) for account in self.accounts[page]):
            self.set_header(page, (tick.slot, radius))

    def touch(self, page: int, place: int, account: Account, ticks: Mapping[int, Tick]) -> bool:
        """Write an account; whether its page keeps its header."""
        self.accounts[page][place] = account
        anchor, radius = self._pages[page]
        if anchor and bound.keeps(account, ticks[anchor], radius):
            return True
        self.set_header(page, _CLEARED)
        return False

    def can_carry(self, block: int, moved: Moved) -> bool:
        """Whether every page of a block is clear or covered at the present tick."""
        return all(self.is_clear(page) or moved.covers(self._pages[page]) for page in self.pages_of(block))


@dataclass
class Seen:
    """What became of a case: ticks covered, those by a header of an older tick, touches that kept a page, and
    accounts that two fine units less would have made unhealthy at a covered tick."""

    covered: int = 0
    older: int = 0
    kept: int = 0
    edge: int = 0


class Case:
    """One random ledger driven over one random path, by the sequencer's choices and by worse ones."""

    def __init__(self, number: int) -> None:
        self.number, self.rng, self.seen = number, random.Random(number), Seen()
        rng = self.rng
        self.path = path(rng, parameters(rng), 4 + int(rng.random() * 5))
        self.trader = Trader(rng, self.path)
        shape = Shape(*(1 + int(rng.random() * 2) for _ in range(5)))
        accounts: list[list[Account]] = [[] for _ in range(shape.blocks * shape.block_pages)]
        for identity in range(1, 2 + int(rng.random() * 5)):
            rng.choice(accounts).append(self.trader.account(identity))
        self.headers, self.ticks = Headers(shape, accounts), dict[int, Tick]()

    def run(self) -> Seen:
        """All ticks; raises `Uncovered` where a header covers somebody below maintenance."""
        steps = (self._touch, self._regroup, self._sweep, self._carry, self._cover)
        weights = self.rng.choice(((2, 1, 2, 2, 4), (1, 1, 1, 6, 12)))
        for at, tick in enumerate(self.path):
            self.at, self.ticks[tick.slot] = at, tick
            self.moved = Moved(self.ticks, tick)
            self._judge()
            for step in self.rng.choices(steps, weights, k=3):
                step()
            self._judge()
        return self.seen

    def _judge(self) -> None:
        covered, older, tick = True, False, self.moved.now
        headers = self.headers.block_headers()
        for block in range(self.headers.profile.blocks):
            if self.headers.is_empty_block(block):
                continue
            header = headers.get(block, _CLEARED)
            if not self.moved.covers(header):
                covered = False
                continue
            older |= header[0] != tick.slot
            for page in self.headers.pages_of(block):
                for account in self.headers.accounts[page]:
                    spare = health(account, tick)
                    if spare < 0:
                        raise Uncovered(
                            f"case {self.number}, tick {self.at}, block {block}: {account}, {spare}"
                        )
                    self.seen.edge += spare <= 1
        self.seen.covered += covered
        self.seen.older += covered and older

    def _occupied(self) -> list[int]:
        return [page for page, accounts in enumerate(self.headers.accounts) if accounts]

    def _less(self, radius: int) -> int:
        """The radius, or any smaller one."""
        return radius if self.rng.random() < 0.7 else int(self.rng.random() * radius)

    # ---------------------------------------------------------------- steps

    def _touch(self) -> None:
        """Another account in place of one, or its balance drawn anew."""
        page = self.rng.choice(self._occupied())
        accounts = self.headers.accounts[page]
        place = int(self.rng.random() * len(accounts))
        account = accounts[place]
        if self.rng.random() < 0.5:
            account = self.trader.account(account.id)
        account = self.trader.balanced(account, self.at)
        self.seen.kept += self.headers.touch(page, place, account, self.ticks)

    def _regroup(self) -> None:
        """Accounts of two pages in another order; headers stay where both have one anchor, or are cleared."""
        if len(self.headers.accounts) < 2:
            return
        pages = self.rng.sample(range(len(self.headers.accounts)), 2)
        (anchor, radius), (other, radius_b) = (self.headers.header(page) for page in pages)
        accounts = [account for page in pages for account in self.headers.accounts[page]]
        self.rng.shuffle(accounts)
        split = int(self.rng.random() * (len(accounts) + 1))
        keeps = anchor and anchor == other and self.rng.random() < 0.8
        for page, held in zip(pages, (accounts[:split], accounts[split:]), strict=True):
            self.headers.accounts[page] = held
            self.headers.set_header(page, (anchor, self._less(min(radius, radius_b))) if keeps else _CLEARED)

    def _sweep(self) -> None:
        """Any pages, with any radius they have."""
        for page in range(len(self.headers.accounts)):
            if self.rng.random() < 0.5:
                radius = covering.page_radius(self.headers.accounts[page], self.moved.now)
                if radius is not None:
                    self.headers.sweep(page, self.moved.now, self._less(radius))

    def _carry(self) -> None:
        """Any blocks that may be, to the present tick or to the one anchor of their pages."""
        for block in range(self.headers.profile.blocks):
            if self.rng.random() < 0.6 and self.headers.can_carry(block, self.moved):
                opening = self.headers.block(block)
                anchor = self.moved.now_hash
                radii = [self.moved.radius_now(header) for header in opening.anchored]
                if len(opening.anchors) == 1 and self.rng.random() < 0.5:
                    (anchor,) = opening.anchors
                    radii = [radius for _, radius in opening.anchored]
                self.headers.set_block_header(block, (anchor, self._less(min(radii, default=0))))

    def _cover(self) -> None:
        """As the sequencer covers a tick, once those below maintenance margin have been helped."""
        for page, place, account in list(self._unhealthy()):
            self.headers.touch(page, place, self._helped(account), self.ticks)
        headers, moved = self.headers, self.moved
        found = covering.survey(headers, moved)  # type: ignore[arg-type]
        pages = covering.pages_to_sweep(headers, moved, found)  # type: ignore[arg-type]
        try:
            for radius, group in covering.sweeps(headers, moved.now, pages):  # type: ignore[arg-type]
                for page in group:
                    headers.sweep(page, moved.now, radius)
        except Refused:
            return
        if not all(headers.can_carry(block, moved) for block in found.blocks):
            return  # somebody is short where there is no charge
        for blocks in list(covering.carries(headers, moved, found)):  # type: ignore[arg-type]
            for made in blocks:
                headers.set_block_header(made.block, (made.anchor, made.radius))

    def _unhealthy(self) -> Iterator[tuple[int, int, Account]]:
        for page, accounts in enumerate(self.headers.accounts):
            for place, account in enumerate(accounts):
                if health(account, self.moved.now) < 0:
                    yield page, place, account

    def _helped(self, account: Account) -> Account:
        """The account with what it lacks now, or what keeps it healthy to some later tick."""
        account = self.trader.balanced(account, self.at)
        lack = health(account, self.moved.now)
        return account if lack >= 0 else account.with_(balance=account.balance - lack)
