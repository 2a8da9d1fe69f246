# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger state of SPEC section 3: accounts in pages, page headers, and the scalars of the root."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zkmargin.errors import BadInput, InternalError
from zkmargin.protocol.constants import PAGE_LEVELS, PAGE_SIZE, Profile
from zkmargin.protocol.hashes import EMPTY_LEAF, header_hash, leaf_hash, ledger_root
from zkmargin.protocol.model import Account
from zkmargin.state.tree import Tree

_EMPTY = Account.empty()


@dataclass(frozen=True)
class Opening:
    """What a circuit needs to open a leaf: the children met on the way up, and the page's header.

    `page_path`: for each level inside the page the 8 children; `ledger_path`: likewise over page headers.
    """

    leaf_index: int
    account: Account
    page_path: list[list[int]]
    anchor: int
    radius: int
    ledger_path: list[list[int]]


@dataclass(frozen=True)
class Savepoint:
    """A state of a ledger since its checkpoint: how many writes, and (reserve, next_id, consumed)."""

    writes: int
    scalars: tuple[int, int, int]


class Ledger:
    """Accounts by leaf index, with the tree kept up to date.

    Writes since the last `checkpoint` can be undone by `rollback` and are listed by `dirty`.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.reserve = 0
        self.next_id = profile.instruments
        self.consumed = 0
        self._accounts: dict[int, Account] = {}
        self._index_of: dict[int, int] = {}
        self._headers: dict[int, tuple[int, int]] = {}
        self._pages: dict[int, Tree] = {}
        self._empty_page = Tree(PAGE_LEVELS, EMPTY_LEAF)
        self._top = Tree(profile.ledger_levels, header_hash(self._empty_page.root, 0, 0))
        self._lowest_free = 1
        self._undo: list[tuple[int, Account, tuple[int, int]]] = []
        self._scalars = self.scalars()

    @staticmethod
    def genesis(profile: Profile) -> Ledger:
        """The first state: one backstop account an instrument (1 and up), everything else empty."""
        ledger = Ledger(profile)
        for instrument in range(1, profile.instruments):
            ledger.write(instrument, Account(id=instrument))
        ledger.checkpoint()
        return ledger

    # ---------------------------------------------------------------- reading

    @property
    def capacity(self) -> int:
        return self.profile.capacity

    def scalars(self) -> tuple[int, int, int]:
        """(reserve, next_id, consumed)."""
        return self.reserve, self.next_id, self.consumed

    def root(self) -> int:
        return ledger_root(self._top.root, self.reserve, self.next_id, self.consumed)

    @property
    def pages_root(self) -> int:
        return self._top.root

    def account_at(self, leaf_index: int) -> Account:
        if not 0 <= leaf_index < self.capacity:
            raise BadInput(f"leaf {leaf_index} is outside the ledger of {self.capacity}")
        return self._accounts.get(leaf_index, _EMPTY)

    def accounts(self) -> Iterator[tuple[int, Account]]:
        """(leaf index, account) of every occupied leaf, in order of leaf index."""
        for index in sorted(self._accounts):
            yield index, self._accounts[index]

    def index_of(self, account_id: int) -> int:
        """The leaf of an account; raises `BadInput` for an unknown id."""
        try:
            return self._index_of[account_id]
        except KeyError:
            raise BadInput(f"there is no account {account_id}", hint=f"ids run from 1 to {self.next_id - 1}",
                           code="unknown_account") from None

    def account(self, account_id: int) -> Account:
        return self._accounts[self.index_of(account_id)]

    def free_index(self) -> int:
        """The lowest empty leaf from 1 on; raises `BadInput` when the ledger is full."""
        while self._lowest_free in self._accounts:
            self._lowest_free += 1
        if self._lowest_free >= self.capacity:
            raise BadInput(f"the ledger is full ({self.capacity} accounts)", code="ledger_full")
        return self._lowest_free

    def header(self, page: int) -> tuple[int, int]:
        """(anchor, radius) of a page."""
        return self._headers.get(page, (0, 0))

    def opening(self, leaf_index: int) -> Opening:
        page, inside = divmod(leaf_index, PAGE_SIZE)
        anchor, radius = self.header(page)
        tree = self._pages.get(page, self._empty_page)
        return Opening(leaf_index, self.account_at(leaf_index), tree.path(inside), anchor, radius, self._top.path(page))

    # ---------------------------------------------------------------- writing

    def write(self, leaf_index: int, account: Account, keep_header: bool = False) -> None:
        """Set a leaf; its page's anchor and radius are cleared unless `keep_header`."""
        before = self.account_at(leaf_index)
        page, inside = divmod(leaf_index, PAGE_SIZE)
        header = self.header(page)
        self._undo.append((leaf_index, before, header))
        self._set(leaf_index, account, header if keep_header else (0, 0))

    def _set(self, leaf_index: int, account: Account, header: tuple[int, int]) -> None:
        before = self.account_at(leaf_index)
        page, inside = divmod(leaf_index, PAGE_SIZE)
        if before.id != account.id:
            if account.id in self._index_of:
                raise InternalError(f"account {account.id} already stands at leaf {self._index_of[account.id]}")
            self._index_of.pop(before.id, None)
        if account.is_empty:
            self._accounts.pop(leaf_index, None)
            self._lowest_free = min(self._lowest_free, max(leaf_index, 1))
        else:
            self._accounts[leaf_index] = account
            self._index_of[account.id] = leaf_index
        if header == (0, 0):
            self._headers.pop(page, None)
        else:
            self._headers[page] = header
        tree = self._pages.setdefault(page, Tree(PAGE_LEVELS, EMPTY_LEAF))
        if account != before:
            tree.set(inside, leaf_hash(account))
        self._top.set(page, header_hash(tree.root, *header))

    def dirty(self) -> tuple[dict[int, Account], dict[int, tuple[int, int]]]:
        """What changed since the checkpoint: accounts by leaf, headers by page."""
        leaves = {index: self.account_at(index) for index, _, _ in self._undo}
        return leaves, {index // PAGE_SIZE: self.header(index // PAGE_SIZE) for index in leaves}

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
        while len(self._undo) > target.writes:
            leaf_index, before, header = self._undo.pop()
            self._set(leaf_index, before, header)
        self.reserve, self.next_id, self.consumed = target.scalars

    def load(self, accounts: dict[int, Account], headers: dict[int, tuple[int, int]],
             scalars: tuple[int, int, int]) -> None:
        """Replace the whole state, hashing every node once."""
        self._accounts = {i: a for i, a in accounts.items() if not a.is_empty}
        self._index_of = {a.id: i for i, a in self._accounts.items()}
        self._headers = {page: header for page, header in headers.items() if header != (0, 0)}
        self._pages, self._lowest_free = {}, 1
        leaves: dict[int, dict[int, int]] = {}
        for index, account in self._accounts.items():
            leaves.setdefault(index // PAGE_SIZE, {})[index % PAGE_SIZE] = leaf_hash(account)
        self._top = Tree(self.profile.ledger_levels, header_hash(self._empty_page.root, 0, 0))
        for page, hashes in leaves.items():
            tree = self._pages.setdefault(page, Tree(PAGE_LEVELS, EMPTY_LEAF))
            tree.update(hashes)
        touched = set(leaves) | set(self._headers)
        self._top.update({p: header_hash(self._pages.get(p, self._empty_page).root, *self.header(p)) for p in touched})
        self.reserve, self.next_id, self.consumed = scalars
        self.checkpoint()
