# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger against a plain model hashed from scratch; openings; savepoints; refusals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import naive
from protocol.samples import SMALL
from state.machine import LEAVES, Change, Plain, agree, apply, changes
from zkmargin.errors import BadInput, InternalError
from zkmargin.protocol.constants import P, load
from zkmargin.protocol.hashes import block_hash, header_hash, leaf_hash
from zkmargin.protocol.model import Account, Holding
from zkmargin.state.ledger import Ledger

ALICE = Account(16, 3, 0xA11CE, 99, -5, (Holding(2, 1, 1, 40), *(None,) * 11))


def climb(ledger: Ledger, leaf: int) -> int:
    """The pages root that an opening leads to, as the circuit computes it."""
    opening = ledger.opening(leaf)
    assert opening.leaf_index == leaf
    value, place = leaf_hash(opening.account), leaf
    for level, children in enumerate([*opening.page_path, *opening.ledger_path]):
        if level == len(opening.page_path):
            value = header_hash(value, *opening.header)
        if level == len(opening.page_path) + ledger.profile.block_levels:
            value = block_hash(value, *opening.block_header)
        assert children[place % 8] == value
        value, place = naive.poseidon(*children), place // 8
    return value


def test_genesis() -> None:
    ledger, plain = Ledger.genesis(SMALL), Plain()
    agree(ledger, plain)
    assert ledger.root() == plain.root()
    assert [account.id for _, account in ledger.accounts()] == list(range(1, 16))
    assert ledger.account_at(0).is_empty
    assert ledger.free_index() == 16


@settings(max_examples=25)
@given(changes)
def test_roots_are_those_of_a_tree_from_scratch(steps: list[Change]) -> None:
    ledger, plain = Ledger.genesis(SMALL), Plain()
    for step in steps:
        apply(step, ledger, plain)
    agree(ledger, plain)
    assert ledger.root() == plain.root()
    assert {climb(ledger, leaf) for leaf in LEAVES} == {ledger.pages_root}
    again = Ledger.of(SMALL, plain.accounts, plain.headers, plain.blocks, plain.scalars)
    agree(again, plain)
    assert again.root() == ledger.root()


@given(st.lists(changes, min_size=1, max_size=4), st.data())
def test_rollback_goes_back_to_any_savepoint(parts: list[list[Change]], data: st.DataObject) -> None:
    ledger, plain = Ledger.genesis(SMALL), Plain()
    for step in parts[0]:
        apply(step, ledger, plain)
    ledger.checkpoint()
    states = [(ledger.savepoint(), plain.copy(), ledger.root())]
    for part in parts[1:]:
        for step in part:
            apply(step, ledger, plain)
        states.append((ledger.savepoint(), plain.copy(), ledger.root()))
    kept = data.draw(st.integers(0, len(states) - 1))
    savepoint, expected, root = states[kept]
    expected = expected.copy()
    ledger.rollback(savepoint)
    agree(ledger, expected)
    assert ledger.root() == root
    for step in parts[-1]:
        apply(step, ledger, expected)
    ledger.rollback()
    agree(ledger, states[0][1])
    assert ledger.root() == states[0][2]


def test_a_moved_account_and_back() -> None:
    ledger = Ledger.genesis(SMALL)
    ledger.write(16, ALICE)
    ledger.checkpoint()
    root = ledger.root()
    ledger.write(16, Account.empty())
    ledger.write(300, ALICE)
    assert ledger.index_of(16) == 300
    assert ledger.free_index() == 16
    ledger.rollback()
    assert ledger.index_of(16) == 16
    assert ledger.root() == root


def test_a_write_clears_its_page_and_no_other() -> None:
    ledger = Ledger.genesis(SMALL)
    ledger.set_header(0, 5, 6)
    ledger.set_header(1, 7, 8)
    ledger.write(64, ledger.account_at(64), keep_header=True)
    ledger.write(16, ALICE)
    assert ledger.headers() == {1: (7, 8)}
    ledger.write(64, ledger.account_at(64))
    assert ledger.headers() == {}


def test_unsaved_survives_checkpoints_and_rollbacks() -> None:
    ledger = Ledger.genesis(SMALL)
    ledger.mark_saved()
    ledger.write(16, ALICE)
    ledger.checkpoint()
    ledger.write(17, ALICE.with_(id=17))
    ledger.rollback()
    ledger.set_header(2, 1, 1)
    ledger.set_block_header(1, 2, 2)
    assert ledger.unsaved() == ({16: ALICE, 17: Account.empty()}, {2: (1, 1)}, {1: (2, 2)})
    ledger.mark_saved()
    assert ledger.unsaved() == ({}, {}, {})


REFUSED: dict[str, tuple[Callable[[Ledger], object], type[Exception], str]] = {
    "a leaf outside": (lambda x: x.write(4096, ALICE), BadInput, "there is no leaf 4096"),
    "a negative leaf": (lambda x: x.account_at(-1), BadInput, "there is no leaf -1"),
    "an opening outside": (lambda x: x.opening(4096), BadInput, "there is no leaf 4096"),
    "an account out of range": (lambda x: x.write(16, ALICE.with_(owner=P)), BadInput, "owner"),
    "an id at two leaves": (lambda x: x.write(17, Account(id=3)), InternalError, "already stands at leaf 3"),
    "a radius of 25 bits": (lambda x: x.set_header(0, 0, 1 << 24), BadInput, "no page header"),
    "an anchor of p": (lambda x: x.set_header(0, P, 0), BadInput, "no page header"),
    "a page outside": (lambda x: x.set_header(64, 0, 0), BadInput, "no page header"),
    "a block outside": (lambda x: x.set_block_header(8, 0, 0), BadInput, "no block header"),
    "an unknown account": (lambda x: x.account(16), BadInput, "there is no account 16"),
    "account 0": (lambda x: x.index_of(0), BadInput, "there is no account 0"),
}


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_the_fault_and_change_nothing(
    call: Callable[[Ledger], object], kind: type[Exception], message: str
) -> None:
    ledger = Ledger.genesis(SMALL)
    root, savepoint = ledger.root(), ledger.savepoint()
    with pytest.raises(kind, match=message):
        call(ledger)
    assert (ledger.root(), ledger.savepoint()) == (root, savepoint)
    agree(ledger, Plain())


def test_two_accounts_of_one_id_are_not_loaded() -> None:
    with pytest.raises(BadInput, match="two leaves"):
        Ledger.of(SMALL, {16: ALICE, 17: ALICE}, {}, {}, (0, 17, 0))


def test_a_savepoint_of_the_past_is_refused() -> None:
    ledger = Ledger.genesis(SMALL)
    ledger.write(16, ALICE)
    late = ledger.savepoint()
    ledger.rollback()
    with pytest.raises(InternalError, match="savepoint"):
        ledger.rollback(late)


def test_a_full_ledger_says_so() -> None:
    everyone = {leaf: Account(id=leaf) for leaf in range(1, 4096)}
    ledger = Ledger.of(SMALL, everyone, {}, {}, (0, 4096, 0))
    with pytest.raises(BadInput, match="full") as caught:
        ledger.free_index()
    assert caught.value.code == "ledger_full"
    ledger.write(100, Account.empty())
    assert ledger.free_index() == 100


def test_the_largest_profile_holds_few_accounts_cheaply() -> None:
    main = load().profile("main")
    ledger = Ledger.genesis(main)
    ledger.write(main.capacity - 1, ALICE.with_(id=64))
    assert climb(ledger, main.capacity - 1) == climb(ledger, 1) == climb(ledger, 70_000) == ledger.pages_root
    assert ledger.capacity == 2_097_152


def test_accounts_change_places_between_pages() -> None:
    """Also while an account stands at two leaves for a moment; and back again."""
    ledger = Ledger.genesis(SMALL)
    ledger.write(70, ALICE)
    ledger.set_header(1, 5, 6)
    ledger.checkpoint()
    root, before = ledger.root(), dict(ledger.accounts())
    pages = [ledger.page(page).accounts for page in (0, 1)]
    for page, accounts in ((0, pages[1]), (1, pages[0])):
        ledger.rearrange(page, accounts, (9, page))
    ledger.reindex((0, 1))
    moved = {(leaf + 64) % 128: account for leaf, account in before.items()}
    assert dict(ledger.accounts()) == dict(sorted(moved.items()))
    assert all(ledger.index_of(account.id) == leaf for leaf, account in moved.items())
    again = Ledger.of(SMALL, moved, {0: (9, 0), 1: (9, 1)}, {}, ledger.scalars())
    assert again.root() == ledger.root() != root
    assert ledger.free_index() == again.free_index()
    assert {climb(ledger, leaf) for leaf in LEAVES} == {ledger.pages_root}
    ledger.rollback()
    assert (ledger.root(), dict(ledger.accounts())) == (root, before)
    assert all(ledger.index_of(account.id) == leaf for leaf, account in before.items())
