# SPDX-License-Identifier: GPL-3.0-or-later
"""The root of rebuilt books: plain recomputation of the pages that changed."""

from __future__ import annotations

from zkmargin.auditor.rules import Books
from zkmargin.protocol.constants import ARITY, PAGE_SIZE, Profile
from zkmargin.protocol.hashes import EMPTY_LEAF, block_hash, header_hash, leaf_hash, ledger_root, node_hash
from zkmargin.protocol.model import Account


class Roots:
    """Roots of one ledger; pages that did not change are remembered."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._pages: dict[int, tuple[tuple[tuple[int, Account], ...], int]] = {}
        self._bare = self._fold([EMPTY_LEAF] * PAGE_SIZE)[0]

    @staticmethod
    def _fold(row: list[int]) -> list[int]:
        while len(row) > 1:
            row = [node_hash(row[i : i + ARITY]) for i in range(0, len(row), ARITY)]
        return row

    def _page(self, page: int, accounts: dict[int, Account]) -> int:
        content = tuple(sorted(accounts.items()))
        known = self._pages.get(page)
        if known is None or known[0] != content:
            leaves = [leaf_hash(accounts[i]) if i in accounts else EMPTY_LEAF for i in range(PAGE_SIZE)]
            known = content, self._fold(leaves)[0]
            self._pages[page] = known
        return known[1]

    def root(self, books: Books) -> int:
        """The ledger root of the books as they are."""
        pages: dict[int, dict[int, Account]] = {}
        for leaf, account in books.leaves.items():
            pages.setdefault(leaf // PAGE_SIZE, {})[leaf % PAGE_SIZE] = account
        nodes = {
            page: header_hash(
                self._page(page, pages[page]) if page in pages else self._bare,
                *books.headers.get(page, (0, 0)),
            )
            for page in pages.keys() | books.headers.keys()
        }
        default = header_hash(self._bare, 0, 0)
        nodes, default = _climb(nodes, default, self._profile.block_levels)
        blocks = {
            block: block_hash(nodes.get(block, default), *books.blocks.get(block, (0, 0)))
            for block in nodes.keys() | books.blocks.keys()
        }
        nodes, default = _climb(blocks, block_hash(default, 0, 0), self._profile.top_levels)
        return ledger_root(nodes.get(0, default), books.reserve, books.next_id, books.consumed)


def _climb(nodes: dict[int, int], default: int, levels: int) -> tuple[dict[int, int], int]:
    """The nodes so many levels higher up that differ from the default there, and that default."""
    for _ in range(levels):
        parents = {index // ARITY for index in nodes}
        nodes = {p: node_hash([nodes.get(p * ARITY + i, default) for i in range(ARITY)]) for p in parents}
        default = node_hash([default] * ARITY)
    return nodes, default
