# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts: classes, packed slots, and the rules every leaf keeps."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.strategies import accounts
from zkmargin.errors import BadInput
from zkmargin.protocol.checks import check_account
from zkmargin.protocol.constants import BITS, HOLDINGS, P, load
from zkmargin.protocol.model import LONG, SHORT, Account, Holding, class_id, signed
from zkmargin.protocol.packing import unpack

SMALL, MAIN = load().profile("small"), load().profile("main")
FULL = tuple(Holding(k, 3, SHORT, (1 << 48) - 1) for k in range(1, HOLDINGS + 1))
LARGEST = Account((1 << 32) - 1, (1 << 32) - 1, (1 << 160) - 1, P - 1, (1 << 120) - 1, FULL)


def test_classes_are_distinct_and_ordered() -> None:
    ids = [class_id(k, t, s) for k in range(MAIN.instruments) for t in range(4) for s in (LONG, SHORT)]
    assert ids == list(range(MAIN.classes))
    assert Holding(3, 2, SHORT, 5).class_id == 29


def test_signed_sizes() -> None:
    assert Holding(1, 0, LONG, 7).signed == 7
    assert Holding(1, 0, SHORT, 7).signed == -7
    assert [signed(x) for x in (0, 1, P - 1, P // 2, P // 2 + 1)] == [0, 1, -1, P // 2, -(P // 2)]


@given(accounts(SMALL))
def test_packed_fields_read_back(account: Account) -> None:
    assert unpack("meta", account.meta) == {
        "account_id": account.id, "nonce": account.nonce, "address": account.address
    }  # fmt: skip
    classes = [account.packed_slots >> (BITS["class_id"] * j) & 0xFFF for j in range(HOLDINGS)]
    assert classes == [held.class_id if held else 0 for held in account.slots]
    assert account.packed_slots < 1 << (BITS["class_id"] * HOLDINGS)
    check_account(account, SMALL)


def test_slots_of_an_instrument() -> None:
    account = Account(1).with_slot(4, Holding(9, 0, LONG, 1)).with_slot(0, Holding(2, 0, SHORT, 3))
    assert account.slot_for(9) == 4
    assert account.slot_for(2) == 0
    assert account.slot_for(7) == 1
    assert account.holding(2) == Holding(2, 0, SHORT, 3)
    assert account.holding(7) is None
    assert LARGEST.slot_for(15) is None
    assert account.with_slot(4, None).with_slot(0, None) == Account(1)


def test_the_empty_account() -> None:
    assert Account.empty().is_empty
    assert not Account(1).is_empty
    assert not Account(0, balance=-1).is_empty
    assert Account.empty().meta == Account.empty().packed_slots == 0
    check_account(Account.empty(), SMALL)


def test_the_largest_account_is_in_range() -> None:
    check_account(LARGEST, SMALL)
    check_account(replace(LARGEST, balance=-LARGEST.balance), SMALL)
    assert pickle.loads(pickle.dumps(LARGEST)) == LARGEST


BROKEN = {
    "id": {"id": 1 << 32},
    "nonce": {"nonce": 1 << 32},
    "address": {"address": 1 << 160},
    "owner": {"owner": P},
    "negative nonce": {"nonce": -1},
    "balance": {"balance": 1 << 120},
    "negative balance": {"balance": -(1 << 120)},
    "slots missing": {"slots": (None,) * 11},
    "slots too many": {"slots": (None,) * 13},
    "quote held": {"slots": (Holding(0, 0, 0, 1), *FULL[1:])},
    "instrument beyond the table": {"slots": (Holding(16, 0, 0, 1), *FULL[1:])},
    "tier": {"slots": (Holding(1, 4, 0, 1), *FULL[1:])},
    "side": {"slots": (Holding(1, 0, 2, 1), *FULL[1:])},
    "nothing held": {"slots": (Holding(1, 0, 0, 0), *FULL[1:])},
    "negative size": {"slots": (Holding(1, 0, 0, -1), *FULL[1:])},
    "size": {"slots": (Holding(1, 0, 0, 1 << 48), *FULL[1:])},
    "one instrument twice": {"slots": (Holding(2, 0, 0, 1), *FULL[1:])},
    "id 0": {"id": 0},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_an_account_out_of_range_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadInput) as caught:
        check_account(replace(LARGEST, **change), SMALL)
    assert caught.value.code == "bad_account"


@given(accounts(SMALL), st.sampled_from(["id", "nonce", "address", "owner", "balance", "slots"]))
def test_accounts_are_immutable(account: Account, field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(account, field, 1)
