# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed reports and the board of a slot: what counts, and what is refused with which words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.market import GENESIS_SLOT, first_prices, market_params, oracle_key
from zkmargin.errors import BadInput, Refused
from zkmargin.oracle.reports import Board, Report, make_report
from zkmargin.protocol.constants import load
from zkmargin.protocol.eddsa import SUBGROUP_ORDER
from zkmargin.protocol.model import Signature
from zkmargin.protocol.words import domain_word

PROFILE = load().profile("small")
PARAMS = market_params(PROFILE)
DOMAIN = domain_word(31337, 0xABCD)
SLOT = GENESIS_SLOT + 2
LAST = GENESIS_SLOT


def report(
    signer: int = 0, slot: int = SLOT, last: int = LAST, key: int | None = None, domain: int = DOMAIN
) -> Report:
    prices = [price + signer for price in first_prices(PARAMS)]
    made_with = oracle_key(signer if key is None else key)
    return make_report(made_with, signer, domain, PARAMS, slot, last, prices, [signer - 1] * len(prices))


@pytest.fixture
def board() -> Board:
    return Board(DOMAIN, PARAMS, PROFILE.quorum, SLOT, LAST)


def test_reports_of_a_quorum_count_in_order_of_their_signers(board: Board) -> None:
    for signer in (3, 0, 2):
        board.add(report(signer))
    assert list(board.quorate()) == [0, 2, 3]


def test_a_quorum_minus_one_is_not_enough_yet(board: Board) -> None:
    for signer in range(PROFILE.quorum - 1):
        board.add(report(signer))
    with pytest.raises(Refused, match=r"2 oracles reported slot 1002, 3 are needed") as caught:
        board.quorate()
    assert caught.value.code == "no_quorum"
    assert caught.value.retryable
    board.add(report(3))
    assert len(board.quorate()) == PROFILE.quorum


_GOOD = report(1)
_OTHER = report(2)
REFUSED: dict[str, tuple[Report, str]] = {
    "of an earlier slot": (report(slot=SLOT - 1), "stale_price"),
    "of a later slot": (report(slot=SLOT + 1), "future_price"),
    "that follows another slot": (report(last=LAST - 1), "wrong_previous_slot"),
    "of a signer beyond the table": (replace(_GOOD, signer=PROFILE.oracles), "unknown_signer"),
    "of signer -1": (replace(_GOOD, signer=-1), "unknown_signer"),
    "signed with another oracle's key": (report(1, key=2), "signature"),
    "signed with a stranger's key": (report(1, key=99), "signature"),
    "of another ledger": (report(1, domain=domain_word(31337, 0xABCE)), "signature"),
    "of another chain": (report(1, domain=domain_word(1, 0xABCD)), "signature"),
    "with the slot changed to the one due": (replace(report(slot=SLOT - 1), slot=SLOT), "signature"),
    "with a price changed": (replace(_GOOD, prices=(_GOOD.prices[0], 7, *_GOOD.prices[2:])), "signature"),
    "with a rate changed": (replace(_GOOD, rates=(*_GOOD.rates[:-1], 5)), "signature"),
    "with another's signature": (replace(_GOOD, signature=_OTHER.signature), "signature"),
    "with S plus the order": (
        replace(_GOOD, signature=replace(_GOOD.signature, s=_GOOD.signature.s + SUBGROUP_ORDER)),
        "signature",
    ),
    "with the null signature": (replace(_GOOD, signature=Signature(0, 1, 0)), "signature"),
    "of a shorter table": (replace(_GOOD, prices=_GOOD.prices[:-2], rates=_GOOD.rates[:-2]), "wrong_table"),
    "with a rate too few": (replace(_GOOD, rates=_GOOD.rates[:-1]), "wrong_table"),
}


@pytest.mark.parametrize(("made", "code"), REFUSED.values(), ids=REFUSED)
def test_refused(board: Board, made: Report, code: str) -> None:
    with pytest.raises(Refused) as caught:
        board.add(made)
    assert caught.value.code == code
    assert not board.reports


def test_a_signer_counts_once(board: Board) -> None:
    board.add(_GOOD)
    for again in (_GOOD, replace(_GOOD, prices=_OTHER.prices)):
        with pytest.raises(Refused, match="oracle 1 has reported slot 1002 already") as caught:
            board.add(again)
        assert caught.value.code == "signed_twice"
    assert board.reports == {1: _GOOD}


def test_another_set_of_instruments_is_another_report(board: Board) -> None:
    """The parameters are signed: a report made for other listings counts nowhere else."""
    table = list(PARAMS.instruments)
    table[1] = replace(table[1], jump=table[1].jump + 1)
    other = replace(PARAMS, instruments=tuple(table))
    made = make_report(oracle_key(0), 0, DOMAIN, other, SLOT, LAST, _GOOD.prices, _GOOD.rates)
    with pytest.raises(Refused, match="signature of oracle 0") as caught:
        board.add(made)
    assert caught.value.code == "signature"


@pytest.mark.parametrize("price", [-1, 1 << 64])
def test_prices_no_report_can_carry(price: int) -> None:
    size = len(PARAMS.instruments)
    with pytest.raises(BadInput, match=f"price {price} does not fit"):
        make_report(oracle_key(0), 0, DOMAIN, PARAMS, SLOT, LAST, [0, price] + [0] * (size - 2), [0] * size)


@pytest.mark.parametrize("rate", [-(1 << 39) - 1, 1 << 39])
def test_rates_no_report_can_carry(rate: int) -> None:
    size = len(PARAMS.instruments)
    with pytest.raises(BadInput, match=f"funding rate {rate} does not fit"):
        make_report(oracle_key(0), 0, DOMAIN, PARAMS, SLOT, LAST, [0] * size, [rate] + [0] * (size - 1))


def test_the_ends_of_the_ranges_can_be_reported(board: Board) -> None:
    size = len(PARAMS.instruments)
    for signer, (price, rate) in enumerate([(0, -(1 << 39)), ((1 << 64) - 1, (1 << 39) - 1), (1, 0)]):
        prices, rates = [price] * size, [rate] * size
        board.add(make_report(oracle_key(signer), signer, DOMAIN, PARAMS, SLOT, LAST, prices, rates))
    assert len(board.quorate()) == 3
