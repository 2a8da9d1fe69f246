# SPDX-License-Identifier: GPL-3.0-or-later
"""The vectors of tests/vectors, from their JSON alone."""

from __future__ import annotations

from typing import Any

import pytest

from support import vectors
from support.broken_ops import MAKERS
from support.operation_cases import CASES
from zkmargin.engine.liquidation import close, lowest_holding, minimal_close
from zkmargin.engine.margin import risk
from zkmargin.engine.prices import bankruptcy_price, liquidation_price
from zkmargin.engine.ticks import next_tick
from zkmargin.engine.transition import REFUSALS
from zkmargin.protocol.constants import Op
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Tick

TICKS, MARGINS, CLOSINGS = (vectors.read(name) for name in ("ticks", "margins", "closings"))
OPERATIONS = {name: vectors.read(name) for name in ("operations", "refusals")}


def by_name(file: vectors.Json) -> Any:
    return pytest.mark.parametrize("case", file["cases"], ids=lambda case: case["name"])


def tick_of(file: vectors.Json, name: str) -> Tick:
    return vectors.decode_tick(file["ticks"][name])


def numbers(values: list[str]) -> list[int]:
    return [int(value) for value in values]


@by_name(TICKS)
def test_tick(case: vectors.Json) -> None:
    params = vectors.decode_params(TICKS["params"])
    reports = [(numbers(report["prices"]), numbers(report["rates"])) for report in case["reports"]]
    made = next_tick(params, tick_of(TICKS, case["before"]), int(case["slot"]), reports)
    assert vectors.encode_tick(made.tick) == case["tick"]
    assert list(made.raw) == numbers(case["raw"])
    assert list(made.rates) == numbers(case["rates"])
    assert str(tick_hash(made.tick)) == case["hash"]


@by_name(MARGINS)
def test_margin(case: vectors.Json) -> None:
    tick, params = tick_of(MARGINS, case["tick"]), vectors.decode_params(MARGINS["params"])
    account = vectors.decode_account(case["account"])
    now = risk(account, tick)
    for name in ("equity", "maintenance", "worst", "initial", "health", "free_initial"):
        assert getattr(now, name) == int(case[name]), name
    for instrument, prices in case["prices"].items():
        found = [f(account, tick, params, int(instrument)) for f in (liquidation_price, bankruptcy_price)]
        assert found == [price and int(price) for price in prices]


@by_name(CLOSINGS)
def test_closing(case: vectors.Json) -> None:
    tick, account = tick_of(CLOSINGS, case["tick"]), vectors.decode_account(case["account"])
    held, price = lowest_holding(account), int(case["price"])
    assert held is not None
    assert held.instrument == int(case["instrument"])
    assert minimal_close(tick, account, held, price).size == int(case["minimal"])
    for row in case["closings"]:
        found = close(tick, risk(account, tick), held, int(row["size"]), price)
        for name, value in row.items():
            assert getattr(found, name) == (value if name == "reached" else int(value)), name


@pytest.mark.parametrize(
    ("file", "case"),
    [(name, case) for name, file in OPERATIONS.items() for case in file["cases"]],
    ids=lambda value: value if isinstance(value, str) else value["name"],
)
def test_operation(file: str, case: vectors.Json) -> None:
    profile = OPERATIONS[file]["profile"]
    touches = [vectors.decode_touch(raw) for raw in case["touches"]]
    assert [vectors.encode_touch(touch) for touch in touches] == case["touches"]
    tick = tick_of(OPERATIONS[file], case["tick"])
    found = vectors.outcome(case["before"], profile, touches, tick, int(case["domain"]))
    assert found == {name: case[name] for name in ("root", "refused", "after", "effects") if name in case}


def test_vectors_cover_the_protocol() -> None:
    """Every operation is there allowed; every refusal there is, is there; every builder has its case."""
    cases = [case for file in OPERATIONS.values() for case in file["cases"]]
    allowed = {touch["op"] for case in cases if "refused" not in case for touch in case["touches"]}
    assert allowed == {op.name.lower() for op in Op}
    assert {case["refused"] for case in cases if "refused" in case} == set(REFUSALS)
    assert [case["name"] for case in OPERATIONS["operations"]["cases"]] == [
        c.name.replace("_", " ") for c in CASES
    ]
    assert len(OPERATIONS["refusals"]["cases"]) == sum(len(makers) for makers in MAKERS.values())
