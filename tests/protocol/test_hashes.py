# SPDX-License-Identifier: GPL-3.0-or-later
"""Hashes: against vectors, against the specification written out naively, and what they must tell apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import naive, samples
from protocol.hash_vectors import vectors
from protocol.strategies import accounts, elements, ticks
from zkmargin.errors import BadInput
from zkmargin.protocol import hashes
from zkmargin.protocol.constants import MIN_PRICE, PACKING, PAGE_LEVELS, P, load
from zkmargin.protocol.model import Account, Tick

SMALL = samples.SMALL
FILE = Path(__file__).parent.parent / "vectors/hashes.json"


def test_the_vectors_are_current() -> None:
    assert json.loads(FILE.read_text()) == vectors()


@given(st.lists(elements, max_size=50))
def test_the_sponge_is_that_of_the_specification(items: list[int]) -> None:
    assert hashes.sponge("data", items) == naive.sponge("data", items)


def test_the_sponge_tells_lengths_and_tags_apart() -> None:
    seen = {hashes.sponge(name, [0] * n) for name in ("data", "report") for n in (0, 1, 14, 15, 16, 30, 31)}
    assert len(seen) == 14


@given(accounts(SMALL))
def test_leaves_are_those_of_the_specification(account: Account) -> None:
    assert hashes.leaf_hash(account) == naive.leaf(account)
    assert hashes.leaf_hash(account) != hashes.leaf_hash(replace(account, balance=account.balance + 1))


def test_batches_equal_single_hashes() -> None:
    everyone = list(samples.ACCOUNTS.values())
    assert hashes.leaf_hashes(everyone) == [hashes.leaf_hash(account) for account in everyone]
    assert hashes.leaf_hashes([]) == hashes.node_hashes([]) == hashes.header_hashes([]) == []
    assert hashes.block_hashes([]) == []
    children = list(range(16))
    assert hashes.node_hashes(children) == [hashes.node_hash(children[:8]), hashes.node_hash(children[8:])]
    rows = [(1, 2, 3), (P - 1, 0, 0)]
    assert hashes.header_hashes(rows) == [hashes.header_hash(*row) for row in rows]
    assert hashes.block_hashes(rows) == [hashes.block_hash(*row) for row in rows]


def test_the_empty_leaf_is_the_hash_of_zeros() -> None:
    assert hashes.EMPTY_LEAF == naive.poseidon(*[0] * 16) == hashes.leaf_hash(Account.empty())


def test_the_empty_headers_are_those_of_empty_trees() -> None:
    node = naive.poseidon(*[0] * 16)
    for _ in range(PAGE_LEVELS):
        node = naive.poseidon(*[node] * 8)
    node = naive.poseidon(naive.tag("page"), node, 0, 0)
    assert node == hashes.EMPTY_PAGE
    for empty in hashes.EMPTY_BLOCKS:
        assert empty == naive.poseidon(naive.tag("block"), node, 0, 0)
        node = naive.poseidon(*[node] * 8)
    assert max(profile.block_levels for profile in load().profiles.values()) < len(hashes.EMPTY_BLOCKS)


@settings(max_examples=20)
@given(ticks(SMALL))
def test_ticks_are_those_of_the_specification(tick: Tick) -> None:
    assert hashes.tick_hash(tick) == naive.tick(tick)


def test_every_field_of_a_tick_counts_but_raw() -> None:
    tick = samples.tick()
    base, changed = hashes.tick_hash(tick), []
    for name in ("slot", "time", "tau", "penalty_rate", "bidder_share"):
        changed.append(replace(tick, **{name: getattr(tick, name) + 1}))
    first, rest = tick.instruments[0], tick.instruments[1:]
    for name in ("flags", "mark", "funding", "equity", "worst_long", "worst_short", "move"):
        changed.append(replace(tick, instruments=(replace(first, **{name: getattr(first, name) + 1}), *rest)))
    for name in ("bounds", "maintenance", "initial"):
        for k in range(len(getattr(first, name))):
            row = tuple(value + (i == k) for i, value in enumerate(getattr(first, name)))
            changed.append(replace(tick, instruments=(replace(first, **{name: row}), *rest)))
    found = [hashes.tick_hash(other) for other in changed]
    assert len({base, *found}) == len(changed) + 1
    assert hashes.tick_hash(replace(tick, instruments=(replace(first, raw=first.raw + 1), *rest))) == base


def test_params_are_those_of_the_specification() -> None:
    params = samples.params()
    assert hashes.params_hash(params) == naive.params(params)
    others = [
        replace(params, slot_seconds=params.slot_seconds + 1),
        replace(params, oracle_keys=params.oracle_keys[::-1]),
        replace(params, instruments=params.instruments[::-1]),
    ]
    assert len({hashes.params_hash(other) for other in [params, *others]}) == 4


def test_owner_headers_ledger_and_operations() -> None:
    assert hashes.owner_hash(5, 6) == naive.poseidon(naive.tag("owner"), 5, 6)
    assert hashes.header_hash(5, 6, 7) == naive.poseidon(naive.tag("page"), 5, 6, 7)
    assert hashes.block_hash(5, 6, 7) == naive.poseidon(naive.tag("block"), 5, 6, 7)
    assert hashes.block_hash(5, 6, 7) != hashes.header_hash(5, 6, 7)
    assert hashes.ledger_root(5, -6, 7, 8) == naive.poseidon(naive.tag("ledger"), 5, P - 6, 7, 8, 0, 0, 0)
    kinds = {hashes.operation_message(kind, 1, 2, 3) for kind in ("withdraw", "trade", "bid")}
    assert len(kinds) == 3
    assert hashes.operation_message("bid", 1, 2, 3) == naive.poseidon(naive.tag("bid"), 1, 2, 3)


def test_reports_bind_every_price_and_rate() -> None:
    size = SMALL.instruments
    prices, rates = [MIN_PRICE + k for k in range(size)], [5 * k - 20 for k in range(size)]
    pairs = [
        prices[k] + ((rates[k] + 2**39) << 64) + (prices[k + 1] << 104) + ((rates[k + 1] + 2**39) << 168)
        for k in range(0, size, 2)
    ]
    base = hashes.report_message(1, 2, 9, 8, prices, rates)
    assert base == naive.sponge("report", [1, 2, 9 + 8 * 2**32, *pairs])
    seen = {base}
    for k in range(size):
        other = [value + (i == k) for i, value in enumerate(prices)]
        seen.add(hashes.report_message(1, 2, 9, 8, other, rates))
        other = [value - (i == k) for i, value in enumerate(rates)]
        seen.add(hashes.report_message(1, 2, 9, 8, prices, other))
    assert len(seen) == 2 * size + 1


@pytest.mark.parametrize(
    ("prices", "rates"),
    [
        ([1], [1]),
        ([1, 2], [1]),
        ([1 << 64, 0], [0, 0]),
        ([0, 0], [1 << 39, 0]),
        ([0, 0], [0, -(1 << 39) - 1]),
    ],
    ids=["odd", "counts differ", "price too large", "rate too large", "rate too low"],
)
def test_malformed_reports_are_refused(prices: list[int], rates: list[int]) -> None:
    with pytest.raises(BadInput):
        hashes.report_message(1, 2, 9, 8, prices, rates)


def test_the_ends_of_the_rates_can_be_reported() -> None:
    assert PACKING["report_pair"]["rate_a"] == 40
    for rate in (1 - (1 << 39), (1 << 39) - 1):
        hashes.report_message(1, 2, 9, 8, [0, 0], [rate, rate])
