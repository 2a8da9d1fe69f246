# SPDX-License-Identifier: GPL-3.0-or-later
"""Trades below initial margin: what two accounts of one owner can't do to the fund with them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.operation_cases import positions, price, put
from support.world import World
from zkmargin.engine.margin import is_limited, risk
from zkmargin.errors import Refused
from zkmargin.protocol.constants import load

SMALL = load().profile("small")


def least_price(world: World, seller: int, buyer: int, size: int) -> int:
    """The lowest price at which a trade of instrument 1 is allowed, below twice the mark."""
    low, high = 0, 2 * world.mark(1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (middle, high) if world.code(world.trade(buyer, seller, 1, size, middle)) else (low, middle)
        )
    return high


@pytest.mark.parametrize("share", [0.5, 1.5, 2.5])
def test_a_pair_at_a_limited_mark(share: float) -> None:
    """Mark 10% down, raw price 20%: whatever is held besides, the mark is the least price for a few steps."""
    world = World(SMALL, 3)
    long, short = positions(world, 1, 1000, 1_000_000)
    world.run(world.trade(long, short, 4, 4000))
    price(world, {1: 0.8})
    assert is_limited(world.row(1))
    assert not is_limited(world.row(4))
    put(world, long, equity=int(risk(world.account(long), world.tick).maintenance * share))
    was = risk(world.account(long), world.tick)
    assert was.free_initial < 0
    least = least_price(world, long, short, 100)
    assert least == world.mark(1)
    world.run(world.trade(short, long, 1, 100, least))
    assert risk(world.account(long), world.tick).equity == was.equity


@given(
    st.integers(0, 2**32),
    st.integers(-100, 300),
    st.sampled_from([Fraction(part, 8) for part in range(-4, 12)]),
    st.sampled_from([1, 100, 500, 990, 1000]),
    st.sampled_from([1, 4]),
)
@settings(max_examples=150, deadline=None)
def test_no_trade_makes_or_deepens_a_debt(
    seed: int, hundredths: int, offered: Fraction, size: int, instrument: int
) -> None:
    """A holder of a limited instrument and another one, in any state, trades either of them.

    The price is the mark, off by a part of what keeps mark and raw price of the limited one apart.
    """
    world = World(SMALL, seed)
    long, short = positions(world, 1, 1000, 1_000_000)
    world.run(world.trade(long, short, 4, 4000))
    price(world, {1: world.rng.uniform(0.7, 1.3)})
    put(world, long, equity=risk(world.account(long), world.tick).maintenance * hundredths // 100)
    was = risk(world.account(long), world.tick)
    apart = Fraction(world.row(1).raw, world.mark(1)) - 1
    at = int(world.mark(instrument) * (1 + apart * offered))
    try:
        world.run(world.trade(short, long, instrument, size, at))
    except Refused:
        return
    now = risk(world.account(long), world.tick)
    assert now.equity >= min(was.equity, 0)
    assert now.worst >= min(was.worst, 0)
    assert was.health < 0 or now.health >= 0
    if now.free_initial < 0 < was.equity:
        assert now.equity * was.maintenance >= was.equity * now.maintenance
