# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain model of the ledger, and random writes to apply to both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from protocol import naive
from protocol.samples import SMALL
from protocol.strategies import accounts, below, bits, elements
from zkmargin.protocol.constants import PAGE_SIZE
from zkmargin.protocol.model import Account
from zkmargin.state.ledger import Ledger

LEAVES = [0, 1, 15, 16, 63, 64, 200, 511, 512, 4095]


@dataclass
class Plain:
    """Accounts by leaf, headers by page and block, scalars: no tree, no index."""

    accounts: dict[int, Account] = field(default_factory=lambda: {k: Account(id=k) for k in range(1, 16)})
    headers: dict[int, tuple[int, int]] = field(default_factory=dict)
    blocks: dict[int, tuple[int, int]] = field(default_factory=dict)
    scalars: tuple[int, int, int] = (0, 16, 0)

    def copy(self) -> Plain:
        return Plain(dict(self.accounts), dict(self.headers), dict(self.blocks), self.scalars)

    def root(self) -> int:
        return naive.root(SMALL, self.accounts, self.headers, self.blocks, self.scalars)


Change = tuple[Any, ...]
identities = st.integers(16, 25)
writes = st.tuples(
    st.just("write"),
    st.sampled_from(LEAVES),
    st.just(Account.empty()) | identities.flatmap(lambda identity: accounts(SMALL, identity)),
    st.booleans(),
)
headers = st.tuples(st.just("header"), st.sampled_from([0, 1, 3, 7, 8, 63]), elements, bits(24))
block_headers = st.tuples(st.just("block"), st.sampled_from([0, 1, 7]), elements, bits(24))
scalars = st.tuples(st.just("scalars"), below(1 << 120), bits(32), bits(64))
changes = st.lists(writes | headers | block_headers | scalars, max_size=6)


def apply(change: Change, ledger: Ledger, plain: Plain) -> None:
    """Do one change to both; a write of an account that stands elsewhere is left out."""
    kind, *rest = change
    if kind == "write":
        leaf, account, keep = rest
        if any(other.id == account.id and place != leaf for place, other in plain.accounts.items()):
            return
        ledger.write(leaf, account, keep_header=keep)
        plain.accounts[leaf] = account
        if account.is_empty:
            del plain.accounts[leaf]
        if not keep:
            plain.headers.pop(leaf // PAGE_SIZE, None)
            plain.blocks.pop(leaf // PAGE_SIZE // 8, None)
    elif kind == "header":
        page, anchor, radius = rest
        ledger.set_header(page, anchor, radius)
        plain.headers[page] = (anchor, radius)
        plain.blocks.pop(page // 8, None)
    elif kind == "block":
        block, anchor, radius = rest
        ledger.set_block_header(block, anchor, radius)
        plain.blocks[block] = (anchor, radius)
    else:
        ledger.reserve, ledger.next_id, ledger.consumed = plain.scalars = tuple(rest)  # type: ignore[assignment]


def agree(ledger: Ledger, plain: Plain) -> None:
    """Everything readable is the same; the root is checked where the caller can afford it."""
    assert dict(ledger.accounts()) == plain.accounts
    assert ledger.headers() == {page: header for page, header in plain.headers.items() if header != (0, 0)}
    assert ledger.block_headers() == {k: header for k, header in plain.blocks.items() if header != (0, 0)}
    assert ledger.scalars() == plain.scalars
    for leaf, account in plain.accounts.items():
        assert ledger.index_of(account.id) == leaf
        assert ledger.account(account.id) == account
    free = next((leaf for leaf in range(1, 4096) if leaf not in plain.accounts), None)
    assert ledger.free_index() == free
