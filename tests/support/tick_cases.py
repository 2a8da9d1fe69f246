# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of tests/vectors/ticks.json: a previous tick, reports, and the tick that follows."""

from __future__ import annotations

from dataclasses import dataclass

from support.market import first_prices, market_params
from zkmargin.engine.ticks import MAX_FUNDING, genesis_tick, next_tick
from zkmargin.protocol.constants import MIN_PRICE, Profile
from zkmargin.protocol.model import Params, Tick

MAX_PRICE = (1 << 64) - 1
Report = tuple[list[int], list[int]]


@dataclass(frozen=True)
class TickCase:
    """Reports that give a tick after `before`."""

    name: str
    before: Tick
    slot: int
    reports: tuple[Report, ...]


def _reports(params: Params, prices: list[list[int]], rates: list[list[int]]) -> tuple[Report, ...]:
    """A report a row; unlisted instruments report 0."""
    listed = [k for k, row in enumerate(params.instruments) if row.flags]

    def full(values: list[int]) -> list[int]:
        row = [0] * len(params.instruments)
        for k, value in zip(listed, values, strict=True):
            row[k] = value
        return row

    return tuple((full(price), full(rate)) for price, rate in zip(prices, rates, strict=True))


def tick_cases(profile: Profile) -> list[TickCase]:
    """Every rule of the next tick, and the ends of the ranges; all listed instruments move alike."""
    params = market_params(profile)
    first = [price for price in first_prices(params) if price]
    count = len(first)
    genesis = genesis_tick(params, 1000)
    still = [0] * count

    def report(*columns: list[int]) -> tuple[Report, ...]:
        return _reports(params, list(columns), [still] * len(columns))

    def scaled(numerator: int, denominator: int) -> list[int]:
        return [price * numerator // denominator for price in first]

    def then(before: Tick, reports: tuple[Report, ...], gap: int = 1) -> Tick:
        return next_tick(params, before, before.slot + gap, reports).tick

    priced = then(genesis, report(first))
    limits = [row.jump for row in params.instruments if row.flags]
    edge = [price + (price * jump >> 32) for price, jump in zip(first, limits, strict=True)]
    low_edge = [price - (price * jump >> 32) for price, jump in zip(first, limits, strict=True)]
    worthless = then(genesis, report([MIN_PRICE] * count))
    limited = then(priced, report(scaled(1, 2)))
    rates = [[(j + 1) * (-1) ** k * 1_000_003 for k in range(count)] for j in range(4)]
    most = [[1 << 38] * count] * 3
    least = [[-(1 << 38)] * count] * 3
    dear = then(genesis, report([MAX_PRICE] * count))
    full_up = dear
    full_down = dear
    for _ in range(1000):
        full_up = then(full_up, _reports(params, [[MAX_PRICE] * count] * 3, most), 65535)
        full_down = then(full_down, _reports(params, [[MAX_PRICE] * count] * 3, least), 65535)
        if full_up.instruments[1].funding == MAX_FUNDING:
            break
    top = [[MAX_PRICE] * count]
    up, down = _reports(params, top, [[1 << 38] * count]), _reports(params, top, [[-(1 << 38)] * count])
    just_negative = _reports(params, [[MIN_PRICE] * count], [[-1] * count])
    four = (scaled(104, 100), first, scaled(101, 100), scaled(99, 100))
    cases = [
        ("first prices", genesis, 1, report(first)),
        ("first prices below the least are none", genesis, 1, report([MIN_PRICE - 1] * count)),
        ("first prices at the least", genesis, 1, report([MIN_PRICE] * count)),
        ("first prices at the most", genesis, 1, report(*top)),
        ("unchanged", priced, 1, report(first)),
        ("median of three", priced, 1, report(scaled(98, 100), scaled(103, 100), scaled(101, 100))),
        ("lower median of four", priced, 1, report(*four)),
        ("median of four, three alike", priced, 1, report(first, first, scaled(9, 10), first)),
        ("at the upper limit", priced, 1, report(edge)),
        ("one above the upper limit", priced, 1, report([price + 1 for price in edge])),
        ("at the lower limit", priced, 1, report(low_edge)),
        ("one below the lower limit", priced, 1, report([price - 1 for price in low_edge])),
        ("crash beyond the limit", priced, 1, report(scaled(1, 2))),
        ("crash over a gap of three slots", priced, 3, report(scaled(3, 4))),
        ("crash to nothing over the largest gap", priced, 65535, report([0] * count)),
        ("rally to the top over the largest gap", priced, 65535, report(*top)),
        ("a longer silence counts as the largest gap", priced, 65536, report([0] * count)),
        ("the last slot there is", priced, (1 << 32) - 1 - priced.slot, report(*top)),
        ("limited twice", limited, 1, report(scaled(1, 2))),
        ("no longer limited", limited, 1, report(scaled(9, 10))),
        ("worthless stays at the least price", worthless, 1, report([0] * count)),
        ("the least price moves by one limit", worthless, 1, report(first)),
        ("funding by the lower median of rates", priced, 1, _reports(params, [first] * 4, rates)),
        ("funding over a gap", priced, 7, _reports(params, [first] * 4, rates)),
        ("funding at the caps", priced, 1, _reports(params, [first] * 3, most)),
        ("funding at the negative caps", priced, 1, _reports(params, [first] * 3, least)),
        ("funding of a small negative rate rounds down", worthless, 1, just_negative),
        ("funding saturated", full_up, 1, up),
        ("funding saturated below", full_down, 1, down),
        ("funding leaves saturation", full_up, 1, down),
    ]
    return [TickCase(name, before, before.slot + gap, reports) for name, before, gap, reports in cases]
