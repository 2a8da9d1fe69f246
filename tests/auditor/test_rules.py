# SPDX-License-Identifier: GPL-3.0-or-later
"""The auditor's rules on figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zkmargin.auditor.rules import ONE, Books, Broken, replay_instrument, shrinks, sums, with_position
from zkmargin.protocol.constants import COLLATERAL, LIMITED, PERPETUAL, Op, load
from zkmargin.protocol.model import Account, Holding, InstrumentParams, InstrumentTick, Params, Tick, Touch
from zkmargin.protocol.posted import InstrumentWord

PROFILE = load().profile("small")
TENTH = ONE // 10
BTC = InstrumentParams(
    "BTC", PERPETUAL, 0, TENTH, ONE // 1000, (ONE // 32,) * 4, (ONE // 16,) * 4, (10, 20, 30), "1"
)
ETH = InstrumentParams("ETH", COLLATERAL, ONE // 4, TENTH, step="1")
PARAMS = Params(5 * ONE // 4, ONE // 8, ONE // 2, 60, (), (InstrumentParams.unlisted(), BTC, ETH))


def _row(
    k: int, last: InstrumentTick, raw: int, mark: int, limited: int = 0, funding: int = 0
) -> InstrumentTick:
    return replay_instrument(PARAMS, k, last, InstrumentWord(raw, mark, funding, limited), 1)


FIRST = InstrumentTick()
BTC_ROW = _row(1, FIRST, 3200 * ONE, 3200 * ONE)
ETH_ROW = _row(2, FIRST, 400 * ONE, 400 * ONE)
TICK = Tick(
    1,
    60,
    PARAMS.tau,
    PARAMS.penalty_rate,
    PARAMS.bidder_share,
    (InstrumentTick(), BTC_ROW, ETH_ROW, *[InstrumentTick()] * 13),
)


def test_row_of_a_perpetual() -> None:
    """3200 at 1/32 and 1/16: 100 and 200 a step; no haircut."""
    assert BTC_ROW.maintenance == (100 * ONE,) * 4
    assert BTC_ROW.initial == (200 * ONE,) * 4
    assert (BTC_ROW.equity, BTC_ROW.worst_long, BTC_ROW.worst_short) == (3200 * ONE, 3200 * ONE, -3200 * ONE)


def test_row_of_collateral() -> None:
    assert (ETH_ROW.equity, ETH_ROW.worst_long) == (300 * ONE, 300 * ONE)
    assert ETH_ROW.maintenance == (0,) * 4


def test_jump_is_limited() -> None:
    """From 3200, a tenth (rounded down) is as far as a slot reaches."""
    reach = 3200 * ONE * TENTH // ONE
    row = _row(1, BTC_ROW, 2000 * ONE, 3200 * ONE - reach, 1)
    assert row.flags == PERPETUAL | LIMITED
    assert row.worst_long == 2000 * ONE  # the raw price is the worse for a long position
    for mark, limited in ((3200 * ONE - reach, 0), (3200 * ONE - reach + 1, 1), (2000 * ONE, 0)):
        with pytest.raises(Broken):
            _row(1, BTC_ROW, 2000 * ONE, mark, limited)


def test_funding_is_capped() -> None:
    step = 3200 * ONE * (ONE // 1000) // ONE + 1
    assert _row(1, BTC_ROW, 3200 * ONE, 3200 * ONE, funding=step).equity == 3200 * ONE - step
    for funding in (step + 1, -step - 1):
        with pytest.raises(Broken, match="funding"):
            _row(1, BTC_ROW, 3200 * ONE, 3200 * ONE, funding=funding)


def test_sums() -> None:
    """-10000 in cash, 5 steps long at 3200, 2 of collateral at 300: E = W = 6600, M = 500, I = 1000."""
    slots = (Holding(1, 0, 0, 5), Holding(2, 0, 0, 2), *[None] * 10)
    total = sums(Account(id=20, balance=-10_000 * ONE, slots=slots), TICK)
    assert (total.E, total.M, total.W, total.I) == (6600 * ONE, 500 * ONE, 6600 * ONE, 1000 * ONE)


def test_tiers_and_slots() -> None:
    account = with_position(Account(id=20), 1, -21, BTC_ROW)
    assert account.slots[0] == Holding(1, 2, 1, 21)
    assert with_position(account, 1, 0, BTC_ROW) == Account(id=20)
    full = Account(id=20, slots=tuple(Holding(k + 2, 0, 0, 1) for k in range(12)))
    with pytest.raises(Broken, match="slot"):
        with_position(full, 1, 1, BTC_ROW)


@pytest.mark.parametrize(
    ("before", "after", "held"), [(5, 4, 1), (5, 0, 1), (5, -1, 0), (-5, -4, 1), (5, 5, 0), (0, 1, 0)]
)
def test_shrinks(before: int, after: int, held: int) -> None:
    assert shrinks(before, after) == bool(held)


def _books(balance: int) -> Books:
    books = Books.genesis(PROFILE)
    books.leaves[20] = Account(
        id=16, address=7, owner=9, balance=balance * ONE, slots=(Holding(1, 0, 0, 8), *[None] * 11)
    )
    books.leaves[21] = Account(id=17, address=8, owner=9, balance=90_000 * ONE)
    books.next_id = 18
    return books


def _liquidation(size: int, price: int = 3200 * ONE) -> list[Touch]:
    return [Touch(Op.LIQUIDATE, 20, 16, 1, 1, size, price), Touch(Op.TAKE_BID, 21, 17, 1, 0, size, price)]


def test_liquidation_by_hand() -> None:
    """E = 600, M = 800, rho = min(1/8, 600/800) = 1/8; a step frees 100 of M and costs 12.5.

    Target E' >= 1.25 M': 4 steps leave 550 against 500, 3 leave 562.5 against 625. Half of 50 goes to
    the bidder.
    """
    books = _books(-25_000)
    for touch in _liquidation(4):
        books.touch(touch, TICK)
    assert books.leaves[20].balance == (-25_000 + 4 * 3200 - 50) * ONE
    assert books.leaves[20].slots[0] == Holding(1, 0, 0, 4)
    assert books.leaves[21].balance == (90_000 - 4 * 3200 + 25) * ONE
    assert books.leaves[21].nonce == 1
    assert books.reserve == 25 * ONE
    assert books.leg is None


@pytest.mark.parametrize("size", [0, 3, 5, 8, 9])
def test_liquidation_of_another_size(size: int) -> None:
    with pytest.raises(Broken):
        _books(-25_000).touch(_liquidation(size)[0], TICK)


def test_liquidation_off_the_mark_or_of_the_healthy() -> None:
    with pytest.raises(Broken, match="price"):
        _books(-25_000).touch(_liquidation(4, 3200 * ONE - 1)[0], TICK)
    with pytest.raises(Broken, match="healthy"):
        _books(-24_800).touch(_liquidation(4)[0], TICK)  # E = M = 800


def test_withdrawal_by_hand() -> None:
    """E = 2600 and I = 1600: 1000 can go."""
    pay = Touch(Op.WITHDRAW, 20, 16, 0, 1, 1000)
    assert _books(-23_000).touch(pay, TICK).balance == -24_000 * ONE
    with pytest.raises(Broken, match="initial"):
        _books(-23_000).touch(replace(pay, size=1001), TICK)
    poor = _books(-23_000)
    poor.reserve = -1
    with pytest.raises(Broken, match="deficit"):
        poor.touch(pay, TICK)


@pytest.mark.parametrize(
    ("balance", "reserve", "paid"),
    [
        (-900, 0, -300),  # a debt
        (-900, -50, -300),
        (-500, -50, 50),  # a surplus of 100, and what it is used for
        (-500, -150, 100),
        (-600, -50, None),  # neither
        (-500, 0, None),  # no deficit
        (-500, 50, None),
    ],
)
def test_absorbing_a_backstop(balance: int, reserve: int, paid: int | None) -> None:
    """Two steps of collateral count for 600."""
    books = Books.genesis(PROFILE)
    books.reserve = reserve * ONE
    books.leaves[2] = Account(id=2, balance=balance * ONE, slots=(Holding(2, 0, 0, 2), *[None] * 11))
    touch = Touch(Op.ABSORB, 2, 2)
    if paid is None:
        with pytest.raises(Broken, match="solvent"):
            books.touch(touch, TICK)
    else:
        assert books.touch(touch, TICK).balance == (balance - paid) * ONE
        assert books.reserve == (reserve + paid) * ONE


def test_a_surplus_is_that_at_the_raw_price() -> None:
    """Mark 360 and a fraction, raw 200: two steps count for 540, at worst for 300."""
    row = _row(2, ETH_ROW, 200 * ONE, 400 * ONE - 400 * ONE * TENTH // ONE, 1)
    tick = replace(TICK, instruments=(*TICK.instruments[:2], row, *TICK.instruments[3:]))
    for balance, paid in ((-299, 1), (-300, 0)):
        books = Books.genesis(PROFILE)
        books.reserve = -50 * ONE
        books.leaves[2] = Account(id=2, balance=balance * ONE, slots=(Holding(2, 0, 0, 2), *[None] * 11))
        if paid:
            books.touch(Touch(Op.ABSORB, 2, 2), tick)
            assert books.reserve == -49 * ONE
        else:
            with pytest.raises(Broken, match="solvent"):
                books.touch(Touch(Op.ABSORB, 2, 2), tick)


def test_a_surplus_is_a_backstops_without_positions() -> None:
    books = _books(0)
    books.reserve = -50 * ONE
    books.leaves[1] = Account(id=1, balance=9000 * ONE, slots=(Holding(1, 0, 0, 2), *[None] * 11))
    for touch in (Touch(Op.ABSORB, 21, 17), Touch(Op.ABSORB, 1, 1)):
        with pytest.raises(Broken, match="solvent"):
            books.touch(touch, TICK)
    books.leaves[1] = replace(books.leaves[1], slots=(None,) * 12)
    assert books.touch(Touch(Op.ABSORB, 1, 1), TICK).balance == 8950 * ONE
    assert books.reserve == 0


@pytest.mark.parametrize(("price", "held"), [(2880, 1), (2879, 0), (2000, 0), (2900, 1)])
def test_easing_at_a_limited_mark(price: int, held: int) -> None:
    """8 long, raw 2000, mark 2880 and a fraction: W = 100, I = 1440, E = 7140, M = 720.

    A step sold at 2879 makes W 979 and I 1260, and takes 1 from E.
    """
    row = _row(1, BTC_ROW, 2000 * ONE, 3200 * ONE - 3200 * ONE * TENTH // ONE, 1)
    tick = replace(TICK, instruments=(TICK.instruments[0], row, *TICK.instruments[2:]))
    books = _books(100 - 8 * 2000)
    assert 0 < sums(books.leaves[20], tick).W < sums(books.leaves[20], tick).I
    sale = Touch(Op.TRADE, 20, 16, 1, 1, 1, price * ONE + row.mark % ONE)
    if held:
        assert books.touch(sale, tick).slots[0] == Holding(1, 0, 0, 7)
    else:
        with pytest.raises(Broken, match="initial"):
            books.touch(sale, tick)
