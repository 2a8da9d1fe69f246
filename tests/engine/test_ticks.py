# SPDX-License-Identifier: GPL-3.0-or-later
"""Ticks: median, jump limit, funding, unit values; each also against the words of the specification."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.market import collateral, perpetual, rates
from zkmargin.engine.ticks import (
    MAX_FUNDING,
    genesis_tick,
    limited_mark,
    lower_median,
    next_tick,
    unit_values,
)
from zkmargin.errors import BadInput
from zkmargin.protocol.constants import LIMITED, MIN_PRICE, RATE_ONE
from zkmargin.protocol.model import InstrumentParams, Params, Tick

PRICE = (1 << 64) - 1
CAP = 1 << 38
PERP = perpetual(
    "P", (10, 100, 1000), rates("0.01", "0.02", "0.03", "0.04"), rates("0.02", "0.04", "0.06", "0.08")
)
prices = st.one_of(st.integers(MIN_PRICE, PRICE), st.sampled_from([MIN_PRICE, MIN_PRICE + 1, PRICE]))
raws = st.one_of(st.integers(0, PRICE), st.sampled_from([0, 1, MIN_PRICE - 1, MIN_PRICE, PRICE]))


def table(*rows: InstrumentParams) -> Params:
    return Params(5 << 30, 1 << 29, 1 << 31, 60, (), (InstrumentParams(), *rows))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=9))
def test_lower_median_by_counting(values: list[int]) -> None:
    """The one m of the values with #(p < m) <= k and #(p <= m) >= k + 1."""
    k = (len(values) - 1) // 2
    counted = {m for m in values if sum(p < m for p in values) <= k and sum(p <= m for p in values) >= k + 1}
    assert counted == {lower_median(values)}


@given(prices, raws, st.integers(1 << 12, RATE_ONE), st.integers(1, (1 << 16) - 1))
def test_mark_moves_no_further_than_the_limit(mark: int, raw: int, jump: int, gap: int) -> None:
    new = limited_mark(mark, raw, jump, gap)
    move = Fraction(mark) * jump * gap / RATE_ONE
    assert abs(new - mark) <= move
    assert MIN_PRICE <= new <= PRICE
    if abs(raw - mark) <= floor(move) and raw >= MIN_PRICE:
        assert new == raw
    elif raw >= MIN_PRICE:
        assert abs(new - mark) == floor(move)
        assert (new > mark) == (raw > mark)


@given(raws)
def test_first_price(raw: int) -> None:
    assert limited_mark(0, raw, 1 << 28, 1) == (raw if raw >= MIN_PRICE else 0)


@given(prices, raws, st.integers(-MAX_FUNDING, MAX_FUNDING), st.sampled_from(["0", "0.1", "1"]))
def test_unit_values_round_against_the_account(mark: int, raw: int, funding: int, haircut: str) -> None:
    for params in (PERP, collateral("C", haircut)):
        row = unit_values(params, mark, raw, funding)
        keep = 1 - Fraction(params.haircut, RATE_ONE)
        low, high = min(mark, raw), max(mark, raw)
        assert row.equity == floor(mark * keep) - funding
        assert row.worst_long == floor(low * keep) - funding
        assert row.worst_short == funding - high
        assert row.maintenance == tuple(ceil(Fraction(mark * mmr, RATE_ONE)) for mmr in params.mmr)
        assert row.initial == tuple(ceil(Fraction(high * imr, RATE_ONE)) for imr in params.imr)
        assert row.worst_long <= row.equity
        if params is PERP:
            assert row.worst_short <= -row.equity
        assert (row.flags == params.flags + LIMITED) == (mark != raw)


def step(before: Tick, params: Params, price: int, funding: int, gap: int = 1) -> Tick:
    size = len(params.instruments)
    report = ([0] + [price] * (size - 1), [0] + [funding] * (size - 1))
    return next_tick(params, before, before.slot + gap, [report]).tick


def test_funding_accrues_and_saturates_for_both_sides() -> None:
    params = table(InstrumentParams(**{**_fields(PERP), "funding_cap": CAP}))
    tick = step(genesis_tick(params, 5), params, 1 << 40, 1 << 20)
    assert tick.instruments[1].funding == (1 << 40) * (1 << 20) >> 32
    tick = step(tick, params, 1 << 40, -3)
    assert tick.instruments[1].funding == (1 << 28) - 3 * 256
    capped = step(tick, params, 1 << 40, CAP + 5, gap=7)
    assert capped.instruments[1].funding == tick.instruments[1].funding + ((1 << 40) * CAP * 7 >> 32)
    for sign in (1, -1):
        full = step(tick, params, 1 << 40, sign * CAP, gap=65535)
        for _ in range(4):
            full = step(full, params, PRICE, sign * CAP, gap=65535)
        assert full.instruments[1].funding == sign * MAX_FUNDING


def test_negative_funding_rounds_down() -> None:
    params = table(PERP)
    tick = step(genesis_tick(params, 5), params, MIN_PRICE, 0)
    assert step(tick, params, MIN_PRICE, -1).instruments[1].funding == -1


def _fields(row: InstrumentParams) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def test_unpriced_and_unlisted_rows_are_zero() -> None:
    params = table(PERP, InstrumentParams(), collateral("C", "0.5"))
    tick = genesis_tick(params, 5)
    assert (tick.slot, tick.time) == (5, 300)
    low = step(tick, params, MIN_PRICE - 1, 1 << 30)
    assert all(
        row.mark == row.flags == row.funding == 0 and row.bounds == (0, 0, 0) for row in low.instruments
    )
    priced = step(low, params, MIN_PRICE, 0)
    assert [row.mark for row in priced.instruments] == [0, MIN_PRICE, 0, MIN_PRICE]
    assert [row.flags for row in priced.instruments] == [0, 1, 0, 2]


def test_worthless_stays_at_the_least_price_and_limited() -> None:
    params = table(PERP)
    tick = step(genesis_tick(params, 5), params, MIN_PRICE * 2, 0)
    for _ in range(20):
        tick = step(tick, params, 0, 0)
    row = tick.instruments[1]
    assert (row.mark, row.flags) == (MIN_PRICE, 1 + LIMITED)
    assert row.worst_long == -row.funding


@pytest.mark.parametrize("slot", [5, 4, 1 << 32])
def test_slots_that_cant_follow(slot: int) -> None:
    params = table(PERP)
    with pytest.raises(BadInput, match="can't follow"):
        next_tick(params, genesis_tick(params, 5), slot, [([0, 5], [0, 0])])


def test_no_reports() -> None:
    params = table(PERP)
    with pytest.raises(BadInput, match="no oracle"):
        next_tick(params, genesis_tick(params, 5), 6, [])


def test_median_of_rates_before_the_cap() -> None:
    """Rates are clamped after the median is taken."""
    params = table(PERP)
    before = step(genesis_tick(params, 5), params, 1 << 40, 0)
    reports = [([0, 1 << 40], [0, value]) for value in (1 << 37, 5, -(1 << 37), 9)]
    made = next_tick(params, before, before.slot + 1, reports)
    assert made.rates[1] == 5
