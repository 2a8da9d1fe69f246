# SPDX-License-Identifier: GPL-3.0-or-later
"""Witness inputs of the tick circuit: signal names to field elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zkmargin.circuits.settle_inputs import Posting
from zkmargin.protocol.constants import BITS, P
from zkmargin.protocol.hashes import params_hash, risk_hash, tick_hash, tick_sections
from zkmargin.protocol.model import InstrumentParams, InstrumentTick, Params, Signature, Tick
from zkmargin.protocol.packing import split

RATE_OFFSET = 1 << (BITS["report_rate"] - 1)


@dataclass(frozen=True)
class SignedReport:
    """Prices (fine units per step) and funding rates (signed, times 2^32) of the whole table, signed."""

    prices: Sequence[int]
    rates: Sequence[int]
    signature: Signature


def _terms(row: InstrumentParams) -> list[int]:
    return [row.flags, row.haircut, row.jump, row.funding_cap, *row.mmr, *row.imr, *row.bounds]


def _trading(row: InstrumentTick) -> list[int]:
    return [row.flags, row.mark, row.funding % P, *row.bounds]


def tick_inputs(
    params: Params,
    previous: Tick,
    new: Tick,
    domain: int,
    reports: Mapping[int, SignedReport],
    raw: Sequence[int],
    median_rates: Sequence[int],
    posting: Posting,
) -> dict[str, Any]:
    """All inputs of a tick proof. `reports` by oracle position; `median_rates` before they are clamped."""
    size, oracles = len(params.instruments), len(params.oracle_keys)
    absent = SignedReport([0] * size, [0] * size, Signature(0, 1, 0))
    rows = [reports.get(position, absent) for position in range(oracles)]
    sections = tick_sections(previous)
    return {
        **posting.signals(),
        "domain": domain,
        "previousHalves": list(split(tick_hash(previous))),
        "paramsHalves": list(split(params_hash(params))),
        "tickHalves": list(split(tick_hash(new))),
        "tau": params.tau,
        "penaltyRate": params.penalty_rate,
        "bidderShare": params.bidder_share,
        "slotSeconds": params.slot_seconds,
        "keys": [list(key) for key in params.oracle_keys],
        "terms": [_terms(row) for row in params.instruments],
        "previousSlot": previous.slot,
        "previousTime": previous.time,
        "previousRisk": risk_hash(previous),
        "previousSections": [sections[name] for name in ("prices", "maintenance", "initial", "moves")],
        "previousTrading": [_trading(row) for row in previous.instruments],
        "slot": new.slot,
        "present": [int(position in reports) for position in range(oracles)],
        "prices": [list(row.prices) for row in rows],
        "rates": [[rate + RATE_OFFSET for rate in row.rates] for row in rows],
        "r8x": [row.signature.r8x for row in rows],
        "r8y": [row.signature.r8y for row in rows],
        "s": [row.signature.s for row in rows],
        "half": (len(reports) - 1) // 2,
        "raw": list(raw),
        "rate": [rate + RATE_OFFSET for rate in median_rates],
    }
