# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters: their JSON form and the rules the circuits rely on."""

from __future__ import annotations

from typing import Any

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import BITS, COLLATERAL, MIN_PRICE, PERPETUAL, RATE_ONE, TIERS
from zkmargin.protocol.model import InstrumentParams, Params

_RATES = ("tau", "penalty_rate", "bidder_share")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise BadInput(message, hint="correct the parameter file", code="bad_params")


def _check_instrument(number: int, row: InstrumentParams) -> None:
    name = f"instrument {number} ({row.symbol or 'unlisted'})"
    rates = {"haircut": row.haircut, "jump": row.jump, "funding_cap": row.funding_cap}
    for label, rate in [*rates.items(), *(("mmr", r) for r in row.mmr), *(("imr", r) for r in row.imr)]:
        _require(0 <= rate <= RATE_ONE, f"{name}: {label} {rate} is not a rate between 0 and 2^32")
    _require(len(row.mmr) == len(row.imr) == TIERS, f"{name}: mmr and imr need {TIERS} tiers each")
    _require(len(row.bounds) == TIERS - 1, f"{name}: needs {TIERS - 1} tier bounds")
    _require(all(0 <= b < 1 << BITS["magnitude"] for b in row.bounds), f"{name}: a tier bound is not below 2^48")
    _require(list(row.bounds) == sorted(row.bounds), f"{name}: tier bounds must ascend")
    _require(list(row.mmr) == sorted(row.mmr), f"{name}: maintenance rates must not fall from tier to tier")
    _require(list(row.imr) == sorted(row.imr), f"{name}: initial rates must not fall from tier to tier")
    if row.flags == PERPETUAL:
        _require(row.haircut == 0, f"{name}: a perpetual has no haircut")
        _require(row.mmr[0] > 0, f"{name}: a perpetual needs a maintenance rate above 0")
        _require(all(m <= i for m, i in zip(row.mmr, row.imr, strict=True)), f"{name}: initial below maintenance rate")
    elif row.flags == COLLATERAL:
        _require(not any(row.mmr + row.imr) and row.funding_cap == 0, f"{name}: collateral has a haircut, no margin rates")
    else:
        _require(row.flags == 0, f"{name}: flags {row.flags} are neither perpetual nor collateral")
        _require(row == InstrumentParams(symbol=row.symbol, step=row.step), f"{name}: unlisted, so all rates must be 0")
    if row.flags:
        least = -(-RATE_ONE // MIN_PRICE)
        _require(row.jump >= least, f"{name}: a jump limit below {least} could never move the lowest mark")


def check_params(params: Params) -> None:
    """Raise `BadInput` naming the first rule that is broken."""
    for label in _RATES:
        _require(0 <= getattr(params, label) < 1 << 33, f"{label} is out of range")
    _require(params.tau > RATE_ONE, "tau must be above 1")
    _require(params.penalty_rate < params.tau - RATE_ONE, "penalty_rate must be below tau - 1")
    _require(params.bidder_share <= RATE_ONE, "bidder_share must be at most 1")
    _require(1 <= params.slot_seconds < 1 << 24, "slot_seconds is out of range")
    _require(bool(params.oracle_keys) and len(set(params.oracle_keys)) == len(params.oracle_keys),
             "oracle keys must be there and differ")
    _require(params.instruments[0].flags == 0, "instrument 0 is the quote asset and can't be listed")
    for number, row in enumerate(params.instruments):
        _check_instrument(number, row)
    perpetuals = [k for k, row in enumerate(params.instruments) if row.flags == PERPETUAL]
    collaterals = [k for k, row in enumerate(params.instruments) if row.flags == COLLATERAL]
    _require(not perpetuals or not collaterals or max(perpetuals) < min(collaterals),
             "every perpetual must have a lower number than every collateral: the number is the liquidation order")


def params_to_json(params: Params) -> dict[str, Any]:
    """JSON with integers as strings; unlisted rows are left out."""
    return {
        **{label: str(getattr(params, label)) for label in (*_RATES, "slot_seconds")},
        "oracle_keys": [[str(x), str(y)] for x, y in params.oracle_keys],
        "table_size": len(params.instruments),
        "instruments": {
            str(k): {
                "symbol": row.symbol, "step": row.step, "flags": row.flags,
                "haircut": str(row.haircut), "jump": str(row.jump), "funding_cap": str(row.funding_cap),
                "mmr": [str(r) for r in row.mmr], "imr": [str(r) for r in row.imr],
                "bounds": [str(b) for b in row.bounds],
            }
            for k, row in enumerate(params.instruments) if row.flags
        },
    }


def params_from_json(raw: dict[str, Any]) -> Params:
    """The reverse; raises `BadInput` naming what is missing or malformed."""
    try:
        table = [InstrumentParams.unlisted()] * int(raw["table_size"])
        for key, row in raw["instruments"].items():
            table[int(key)] = InstrumentParams(
                symbol=row["symbol"], step=row["step"], flags=int(row["flags"]), haircut=int(row["haircut"]),
                jump=int(row["jump"]), funding_cap=int(row["funding_cap"]), mmr=tuple(int(r) for r in row["mmr"]),
                imr=tuple(int(r) for r in row["imr"]), bounds=tuple(int(b) for b in row["bounds"]),
            )
        params = Params(
            tau=int(raw["tau"]), penalty_rate=int(raw["penalty_rate"]), bidder_share=int(raw["bidder_share"]),
            slot_seconds=int(raw["slot_seconds"]), oracle_keys=tuple((int(x), int(y)) for x, y in raw["oracle_keys"]),
            instruments=tuple(table),
        )
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise BadInput(f"parameters are malformed: {error!r}", hint="they are what Params.to_json wrote") from error
    params.validate()
    return params
