# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger state of SPEC section 3: accounts in pages in blocks, their headers, and the root's scalars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from zkmargin.errors import BadInput, InternalError
from zkmargin.protocol.checks import check_account
from zkmargin.protocol.constants import BITS, PAGE_LEVELS, PAGE_SIZE, P, Profile
from zkmargin.protocol.hashes import (
    EMPTY_LEAF,
    block_hash,
    block_hashes,
    header_hash,
    header_hashes,
    leaf_hashes,
    ledger_root,
)
from zkmargin.protocol.model import Account
from zkmargin.state.tree import Forest

Header = tuple[int, int]  # anchor, radius
Scalars = tuple[int, int, int]  # reserve, next_id, consumed
Follower = Callable[[Mapping[int, Account]], None]  # hears of accounts by leaf

_EMPTY = Account.empty()
_CLEARED: Header = (0, 0)


@dataclass(frozen=True)
class Opening:
    """What a circuit needs to open a leaf: the children met on the way up, and the headers there.

    `page_path`: for each level inside the page the 8 children; `ledger_path`: likewise over page headers up
    to the block's root, then over block headers.
    """

    leaf_index: int
    account: Account
    page_path: list[list[int]]
    header: Header
    block_header: Header
    ledger_path: list[list[int]]


@dataclass(frozen=True)
class PageOpening:
    """A whole page with its header, its block's, and the children met on the way to the pages root."""

    page: int
    accounts: list[Account]
    page_root: int
    header: Header
    block_header: Header
    ledger_path: list[list[int]]


@dataclass(frozen=True)
class BlockOpening:
    """A block with the headers of its pages, its own, and the children met on the way to the pages root."""

    number: int
    page_roots: list[int]
    headers: list[Header]
    block_header: Header
    top_path: list[list[int]]

    @property
    def anchors(self) -> set[int]:
        """The ticks that its pages are anchored at, by their hashes."""
        return {anchor for anchor, _ in self.anchored}

    @property
    def anchored(self) -> list[Header]:
        """The headers that are not cleared."""
        return [header for header in self.headers if header[0]]


@dataclass(frozen=True)
class Savepoint:
    """A state of a ledger since its checkpoint: how many writes, and (reserve, next_id, consumed)."""

    writes: int
    scalars: Scalars


@dataclass(frozen=True)
class _Undo:
    """What a write replaced; `leaf` None if it was headers alone, `page` None if only the block's."""

    leaf: int | None
    before: Account
    page: int | None
    header: Header
    block: int
    block_header: Header


class Ledger:
    """Accounts by leaf index, with the tree kept up to date.

    The scalars `reserve`, `next_id` and `consumed` are set directly. Writes since the last `checkpoint` can
    be undone by `rollback`. What changed since it was last stored is listed by `unsaved`, whatever happened
    to checkpoints in between. Memory grows with the accounts there are, not with the capacity.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.reserve = 0
        self.next_id = profile.instruments
        self.consumed = 0
        self._accounts: dict[int, Account] = {}
        self._index_of: dict[int, int] = {}
        self._headers: dict[int, Header] = {}
        self._block_headers: dict[int, Header] = {}
        self._pages = Forest(PAGE_LEVELS, EMPTY_LEAF, profile.pages)
        self._blocks = Forest(
            profile.block_levels, header_hash(self._pages.defaults[-1], *_CLEARED), profile.blocks
        )
        self._top = Forest(profile.top_levels, block_hash(self._blocks.defaults[-1], *_CLEARED))
        self._lowest_free = 1
        self._undo: list[_Undo] = []
        self._followers: list[Follower] = []
        self._unsaved_leaves: set[int] = set()
        self._unsaved_pages: set[int] = set()
        self._unsaved_blocks: set[int] = set()
        self._scalars = self.scalars()

    @staticmethod
    def genesis(profile: Profile) -> Ledger:
        """The first state: one backstop account an instrument (1 and up), everything else empty."""
        backstops = {number: Account(id=number) for number in range(1, profile.instruments)}
        return Ledger.of(profile, backstops, {}, {}, (0, profile.instruments, 0))

    @staticmethod
    def of(
        profile: Profile,
        accounts: Mapping[int, Account],
        headers: Mapping[int, Header],
        block_headers: Mapping[int, Header],
        scalars: Scalars,
    ) -> Ledger:
        """The ledger with these accounts by leaf and headers by page and by block, every node hashed once.

        Raises `BadInput` for an account out of range, outside the ledger or with an id another has.
        """
        ledger = Ledger(profile)
        occupied = {leaf: account for leaf, account in accounts.items() if not account.is_empty}
        seen: set[int] = set()
        for leaf, account in occupied.items():
            ledger.account_at(leaf)
            check_account(account, profile)
            if account.id in seen:
                raise BadInput(f"account {account.id} stands at two leaves", code="bad_account")
            seen.add(account.id)
        for page, header in headers.items():
            _check_header("page", page, profile.pages, header)
        for block, header in block_headers.items():
            _check_header("block", block, profile.blocks, header)
        ledger._apply(occupied, headers, block_headers)
        ledger.reserve, ledger.next_id, ledger.consumed = scalars
        ledger.checkpoint()
        return ledger

    # ---------------------------------------------------------------- reading

    @property
    def capacity(self) -> int:
        """Number of leaves."""
        return self.profile.capacity

    def scalars(self) -> Scalars:
        """(reserve, next_id, consumed)."""
        return self.reserve, self.next_id, self.consumed

    def root(self) -> int:
        """The ledger root, as the contract stores it."""
        return ledger_root(self.pages_root, *self.scalars())

    @property
    def pages_root(self) -> int:
        """The root of the tree over block headers."""
        return self._top.root()

    def account_at(self, leaf_index: int) -> Account:
        """The account of a leaf, the empty one if nobody has it; `BadInput` outside the ledger."""
        if not 0 <= leaf_index < self.capacity:
            raise BadInput(
                f"there is no leaf {leaf_index}",
                hint=f"leaves run from 0 to {self.capacity - 1}",
                code="unknown_leaf",
            )
        return self._accounts.get(leaf_index, _EMPTY)

    def accounts(self) -> Iterator[tuple[int, Account]]:
        """(leaf index, account) of every occupied leaf, in order of leaf index."""
        for index in sorted(self._accounts):
            yield index, self._accounts[index]

    def index_of(self, account_id: int) -> int:
        """The leaf of an account; `BadInput` with code `unknown_account` if there is none of that id."""
        try:
            return self._index_of[account_id]
        except KeyError:
            raise BadInput(
                f"there is no account {account_id}",
                hint=f"ids run from 1 to {self.next_id - 1}",
                code="unknown_account",
            ) from None

    def account(self, account_id: int) -> Account:
        """The account of that id; raises like `index_of`."""
        return self._accounts[self.index_of(account_id)]

    def free_index(self) -> int:
        """The lowest empty leaf from 1 on; `BadInput` with code `ledger_full` if there is none."""
        while self._lowest_free in self._accounts:
            self._lowest_free += 1
        if self._lowest_free >= self.capacity:
            raise BadInput(
                f"the ledger is full: all {self.capacity - 1} accounts are taken",
                hint="use a profile with more ledger levels",
                code="ledger_full",
            )
        return self._lowest_free

    def header(self, page: int) -> Header:
        """(anchor, radius) of a page."""
        return self._headers.get(page, _CLEARED)

    def headers(self) -> dict[int, Header]:
        """The headers that are not cleared, by page."""
        return dict(self._headers)

    def block_header(self, block: int) -> Header:
        """(anchor, radius) of a block."""
        return self._block_headers.get(block, _CLEARED)

    def block_headers(self) -> dict[int, Header]:
        """The headers that are not cleared, by block."""
        return dict(self._block_headers)

    def block_of(self, page: int) -> int:
        """The block that a page stands in."""
        return page // self.profile.block_pages

    def _way(self, page: int) -> tuple[Header, Header, list[list[int]]]:
        """A page's header, its block's, and the children met on the way from it to the pages root."""
        block = self.block_of(page)
        path = self._blocks.path(page) + self._top.path(block)
        return self.header(page), self.block_header(block), path

    def opening(self, leaf_index: int) -> Opening:
        """The leaf with its path to the pages root."""
        account, page = self.account_at(leaf_index), leaf_index // PAGE_SIZE
        return Opening(leaf_index, account, self._pages.path(leaf_index), *self._way(page))

    def page(self, page: int) -> PageOpening:
        """A whole page, opened."""
        first = page * PAGE_SIZE
        accounts = [self.account_at(leaf) for leaf in range(first, first + PAGE_SIZE)]
        return PageOpening(page, accounts, self._pages.root(page), *self._way(page))

    def is_clear(self, page: int) -> bool:
        """Whether a page is empty and its header cleared: covered as it is."""
        return self._pages.root(page) == self._pages.defaults[-1] and self.header(page) == _CLEARED

    def is_empty_block(self, block: int) -> bool:
        """Whether all pages of a block are empty, and its header and theirs cleared: covered as it is."""
        return self._blocks.root(block) == self._blocks.defaults[-1] and self.block_header(block) == _CLEARED

    def block(self, number: int) -> BlockOpening:
        """A block of 8^block_levels pages, opened."""
        size = self.profile.block_pages
        pages = range(number * size, (number + 1) * size)
        return BlockOpening(
            number,
            [self._pages.root(page) for page in pages],
            [self.header(page) for page in pages],
            self.block_header(number),
            self._top.path(number),
        )

    def block_roots(self) -> list[int]:
        """The root over the page headers of every block."""
        return [self._blocks.root(block) for block in range(self.profile.blocks)]

    # ---------------------------------------------------------------- writing

    def write(self, leaf_index: int, account: Account, keep_header: bool = False) -> None:
        """Set a leaf; the headers of its page and block are cleared unless `keep_header`.

        Raises `BadInput` for an account no operation makes and `InternalError` if its id stands at another
        leaf; nothing is changed then.
        """
        before, page = self.account_at(leaf_index), leaf_index // PAGE_SIZE
        check_account(account, self.profile)
        if self._index_of.get(account.id, leaf_index) != leaf_index:
            raise InternalError(f"account {account.id} already stands at leaf {self._index_of[account.id]}")
        self._remember(leaf_index, before, page)
        self._apply(
            {} if account == before else {leaf_index: account},
            {} if keep_header else {page: _CLEARED},
            {} if keep_header else {self.block_of(page): _CLEARED},
        )

    def set_header(self, page: int, anchor: int, radius: int) -> None:
        """Set the header of a page, and clear its block's; `BadInput` if it is out of range."""
        _check_header("page", page, self.profile.pages, (anchor, radius))
        self._remember(None, _EMPTY, page)
        self._apply({}, {page: (anchor, radius)}, {self.block_of(page): _CLEARED})

    def set_block_header(self, block: int, anchor: int, radius: int) -> None:
        """Set the header of a block; `BadInput` if it is out of range."""
        _check_header("block", block, self.profile.blocks, (anchor, radius))
        self._undo.append(_Undo(None, _EMPTY, None, _CLEARED, block, self.block_header(block)))
        self._apply({}, {}, {block: (anchor, radius)})

    def _remember(self, leaf: int | None, before: Account, page: int) -> None:
        block = self.block_of(page)
        self._undo.append(_Undo(leaf, before, page, self.header(page), block, self.block_header(block)))

    def rearrange(self, page: int, accounts: Sequence[Account], header: Header) -> None:
        """Set all leaves of a page, and its header, as one step of a rearrangement of several pages.

        Its block's header is cleared.

        Between the steps an account may stand at two leaves or none: call `reindex` after the last.
        """
        _check_header("page", page, self.profile.pages, header)
        first = page * PAGE_SIZE
        changed = {
            first + place: account
            for place, account in enumerate(accounts)
            if account != self.account_at(first + place)
        }
        for leaf in changed:
            self._remember(leaf, self.account_at(leaf), page)
        self._remember(None, _EMPTY, page)
        self._apply(changed, {page: header}, {self.block_of(page): _CLEARED})

    def reindex(self, pages: Iterable[int]) -> None:
        """Find again where the accounts of these pages stand."""
        for page in pages:
            for leaf in range(page * PAGE_SIZE, (page + 1) * PAGE_SIZE):
                if leaf in self._accounts:
                    self._index_of[self._accounts[leaf].id] = leaf

    def _apply(
        self,
        accounts: Mapping[int, Account],
        headers: Mapping[int, Header],
        block_headers: Mapping[int, Header],
    ) -> None:
        """Set leaves and headers, already checked, and hash what changed."""
        for leaf in accounts:
            self._index_of.pop(self._accounts.pop(leaf, _EMPTY).id, None)
        for leaf, account in accounts.items():
            if account.is_empty:
                self._lowest_free = min(self._lowest_free, max(leaf, 1))
            else:
                self._accounts[leaf] = account
                self._index_of[account.id] = leaf
        changed = _put(self._headers, headers)
        changed_blocks = _put(self._block_headers, block_headers)
        for wrote in self._followers:
            wrote(accounts)
        self._pages.update(dict(zip(accounts, leaf_hashes(accounts.values()), strict=True)))
        self._unsaved_leaves.update(accounts)
        self._unsaved_pages |= changed
        self._unsaved_blocks |= changed_blocks
        changed |= {leaf // PAGE_SIZE for leaf in accounts}
        hashes = header_hashes((self._pages.root(page), *self.header(page)) for page in changed)
        self._blocks.update(dict(zip(changed, hashes, strict=True)))
        changed_blocks |= {self.block_of(page) for page in changed}
        blocks = ((self._blocks.root(block), *self.block_header(block)) for block in changed_blocks)
        hashes = block_hashes(blocks)
        self._top.update(dict(zip(changed_blocks, hashes, strict=True)))

    def follow(self, wrote: Follower) -> None:
        """Have `wrote` told of every leaf that is set from now on, by writing or by going back."""
        self._followers.append(wrote)

    # ------------------------------------------------- going back, and storing

    def checkpoint(self) -> None:
        """Make everything so far the state that `rollback` returns to."""
        self._undo.clear()
        self._scalars = self.scalars()

    def savepoint(self) -> Savepoint:
        """The present state, to `rollback` to; good until the next checkpoint."""
        return Savepoint(len(self._undo), self.scalars())

    def rollback(self, to: Savepoint | None = None) -> None:
        """Undo everything since the savepoint, or since the checkpoint."""
        target = to or Savepoint(0, self._scalars)
        if target.writes > len(self._undo):
            raise InternalError("the savepoint is from before the last checkpoint or already undone")
        undone = self._undo[target.writes :]
        del self._undo[target.writes :]
        undone.reverse()  # the oldest comes last and so decides
        self._apply(
            {u.leaf: u.before for u in undone if u.leaf is not None},
            {u.page: u.header for u in undone if u.page is not None},
            {u.block: u.block_header for u in undone},
        )
        self.reserve, self.next_id, self.consumed = target.scalars

    def unsaved(self) -> tuple[dict[int, Account], dict[int, Header], dict[int, Header]]:
        """Accounts by leaf, headers by page and by block that may differ from what was last stored."""
        return (
            {leaf: self.account_at(leaf) for leaf in sorted(self._unsaved_leaves)},
            {page: self.header(page) for page in sorted(self._unsaved_pages)},
            {block: self.block_header(block) for block in sorted(self._unsaved_blocks)},
        )

    def mark_saved(self) -> None:
        """The present state is stored."""
        self._unsaved_leaves.clear()
        self._unsaved_pages.clear()
        self._unsaved_blocks.clear()


def _check_header(kind: str, number: int, count: int, header: Header) -> None:
    anchor, radius = header
    if not 0 <= number < count or not 0 <= anchor < P or not 0 <= radius < 1 << BITS["radius"]:
        raise BadInput(
            f"{kind} {number}, anchor {anchor}, radius {radius} make no {kind} header", code="bad_header"
        )


def _put(held: dict[int, Header], headers: Mapping[int, Header]) -> set[int]:
    """Enter headers among those that are not cleared; which of them changed."""
    changed = {number for number, header in headers.items() if header != held.get(number, _CLEARED)}
    for number in changed:
        if headers[number] == _CLEARED:
            held.pop(number, None)
        else:
            held[number] = headers[number]
    return changed
