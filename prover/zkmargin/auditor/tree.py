# SPDX-License-Identifier: GPL-3.0-or-later
"""The root of rebuilt books: plain recomputation of the pages that changed."""

from __future__ import annotations

from zkmargin.auditor.rules import Books
from zkmargin.protocol.constants import ARITY, PAGE_SIZE
from zkmargin.protocol.hashes import EMPTY_LEAF, header_hash, leaf_hash, ledger_root, node_hash
from zkmargin.protocol.model import Account


class Roots:
    """Roots of one ledger; pages that did not change are remembered. No page is covered: every touch clears it."""

    def __init__(self, levels: int) -> None:
        self._levels = levels
        self._pages: dict[int, tuple[tuple[tuple[int, Account], ...], int]] = {}
        self._empty = header_hash(self._fold([EMPTY_LEAF] * PAGE_SIZE)[0], 0, 0)

    @staticmethod
    def _fold(row: list[int]) -> list[int]:
        while len(row) > 1:
            row = [node_hash(row[i : i + ARITY]) for i in range(0, len(row), ARITY)]
        return row

    def _header(self, page: int, accounts: dict[int, Account]) -> int:
        content = tuple(sorted(accounts.items()))
        known = self._pages.get(page)
        if known is None or known[0] != content:
            leaves = [leaf_hash(accounts[i]) if i in accounts else EMPTY_LEAF for i in range(PAGE_SIZE)]
            known = content, header_hash(self._fold(leaves)[0], 0, 0)
            self._pages[page] = known
        return known[1]

    def root(self, books: Books) -> int:
        pages: dict[int, dict[int, Account]] = {}
        for leaf, account in books.leaves.items():
            pages.setdefault(leaf // PAGE_SIZE, {})[leaf % PAGE_SIZE] = account
        nodes = {page: self._header(page, accounts) for page, accounts in pages.items()}
        default = self._empty
        for _ in range(self._levels):
            parents = {index // ARITY for index in nodes}
            nodes = {p: node_hash([nodes.get(p * ARITY + i, default) for i in range(ARITY)]) for p in parents}
            default = node_hash([default] * ARITY)
        return ledger_root(nodes.get(0, default), books.reserve, books.next_id, books.consumed)
