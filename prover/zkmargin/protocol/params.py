# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters: their JSON form and the rules the circuits rely on."""

from __future__ import annotations

from typing import Any

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import (
    BITS,
    CLASS_LIMIT,
    COLLATERAL,
    MIN_PRICE,
    PERPETUAL,
    RATE_ONE,
    TIERS,
    Profile,
)
from zkmargin.protocol.eddsa import is_key
from zkmargin.protocol.model import INSTRUMENT_STEP, InstrumentParams, Params

_RISK = ("tau", "penalty_rate", "bidder_share")
_RATES = ("haircut", "jump", "funding_cap")
_TABLES = ("mmr", "imr", "bounds")
_LEAST_JUMP = -(-RATE_ONE // MIN_PRICE)
MAX_INSTRUMENTS = CLASS_LIMIT // INSTRUMENT_STEP


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise BadInput(message, hint="correct the parameters", code="bad_params")


def _ascending(row: tuple[int, ...]) -> bool:
    return list(row) == sorted(row)


def _check_instrument(name: str, row: InstrumentParams) -> None:
    _require(
        len(row.mmr) == len(row.imr) == TIERS and len(row.bounds) == TIERS - 1,
        f"{name}: needs {TIERS} maintenance rates, {TIERS} initial rates and {TIERS - 1} tier bounds",
    )
    rates = [(label, getattr(row, label)) for label in _RATES]
    rates += [("mmr", rate) for rate in row.mmr] + [("imr", rate) for rate in row.imr]
    for label, rate in rates:
        _require(0 <= rate <= RATE_ONE, f"{name}: {label} {rate} is not a rate between 0 and 2^32")
    _require(
        all(0 <= bound < 1 << BITS["magnitude"] for bound in row.bounds),
        f"{name}: a tier bound is not below 2^48",
    )
    _require(_ascending(row.bounds), f"{name}: tier bounds must ascend")
    _require(_ascending(row.mmr), f"{name}: maintenance rates must not fall from tier to tier")
    _require(_ascending(row.imr), f"{name}: initial rates must not fall from tier to tier")
    if row.flags == PERPETUAL:
        _require(row.haircut == 0, f"{name}: a perpetual has no haircut")
        _require(row.mmr[0] > 0, f"{name}: a perpetual needs a maintenance rate above 0")
        _require(
            all(m <= i for m, i in zip(row.mmr, row.imr, strict=True)),
            f"{name}: an initial rate is below its maintenance rate",
        )
    elif row.flags == COLLATERAL:
        _require(
            not any(row.mmr + row.imr) and row.funding_cap == 0,
            f"{name}: collateral has a haircut, and neither margin rates nor funding",
        )
    else:
        _require(row.flags == 0, f"{name}: flags {row.flags} are neither perpetual nor collateral")
        _require(
            row == InstrumentParams(symbol=row.symbol, step=row.step),
            f"{name}: unlisted, so all its rates must be 0",
        )
    if row.flags:
        _require(
            row.jump >= _LEAST_JUMP,
            f"{name}: with a jump limit below {_LEAST_JUMP} the lowest mark can't move",
        )


def _check_table(params: Params) -> None:
    table = params.instruments
    _require(2 <= len(table) <= MAX_INSTRUMENTS, f"{len(table)} instruments are not 2 to {MAX_INSTRUMENTS}")
    _require(table[0].flags == 0, "instrument 0 is the quote asset and can't be listed")
    for number, row in enumerate(table):
        _check_instrument(f"instrument {number} ({row.symbol or 'unlisted'})", row)
    perpetuals = [k for k, row in enumerate(table) if row.flags == PERPETUAL]
    collaterals = [k for k, row in enumerate(table) if row.flags == COLLATERAL]
    _require(
        not perpetuals or not collaterals or max(perpetuals) < min(collaterals),
        "every perpetual must have a lower number than every collateral: the number is the liquidation order",
    )
    symbols = [row.symbol for row in table if row.flags and row.symbol]
    _require(len(set(symbols)) == len(symbols), "two listed instruments have one symbol")


def check_params(params: Params, profile: Profile | None = None) -> None:
    """Raise `BadInput` naming the first rule that is broken; with a profile, also its sizes."""
    for label in _RISK:
        _require(0 <= getattr(params, label) < 2 * RATE_ONE, f"{label} is out of range")
    _require(params.tau > RATE_ONE, "tau must be above 1 (2^32)")
    _require(params.penalty_rate < params.tau - RATE_ONE, "penalty_rate must be below tau - 1")
    _require(params.bidder_share <= RATE_ONE, "bidder_share must be at most 1 (2^32)")
    _require(1 <= params.slot_seconds < 1 << 24, "slot_seconds is out of range")
    keys = params.oracle_keys
    _require(bool(keys), "there is no oracle key")
    _require(len(set(keys)) == len(keys), "two oracles have one key")
    for position, key in enumerate(keys):
        _require(is_key(key), f"the key of oracle {position} is not a point of Baby Jubjub's prime subgroup")
    _check_table(params)
    if profile is not None:
        _require(
            len(params.instruments) == profile.instruments and len(keys) == profile.oracles,
            f"profile {profile.name} has {profile.instruments} instruments and {profile.oracles} oracles, "
            f"not {len(params.instruments)} and {len(keys)}",
        )


def params_to_json(params: Params) -> dict[str, Any]:
    """JSON with integers as strings; unlisted rows are left out."""
    return {
        **{label: str(getattr(params, label)) for label in (*_RISK, "slot_seconds")},
        "oracle_keys": [[str(x), str(y)] for x, y in params.oracle_keys],
        "table_size": len(params.instruments),
        "instruments": {
            str(number): {
                "symbol": row.symbol,
                "step": row.step,
                "flags": row.flags,
                **{label: str(getattr(row, label)) for label in _RATES},
                **{label: [str(value) for value in getattr(row, label)] for label in _TABLES},
            }
            for number, row in enumerate(params.instruments)
            if row.flags
        },
    }


def _integer(value: Any) -> int:
    """An integer or its decimal string, nothing else: a float would be rounded silently."""
    if isinstance(value, str) and value.lstrip("-").isdecimal() and value.isascii() and len(value) < 100:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not an integer")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def _instrument(row: dict[str, Any]) -> InstrumentParams:
    return InstrumentParams(
        symbol=_text(row["symbol"]),
        step=_text(row["step"]),
        flags=_integer(row["flags"]),
        haircut=_integer(row["haircut"]),
        jump=_integer(row["jump"]),
        funding_cap=_integer(row["funding_cap"]),
        mmr=tuple(_integer(value) for value in row["mmr"]),
        imr=tuple(_integer(value) for value in row["imr"]),
        bounds=tuple(_integer(value) for value in row["bounds"]),
    )


def params_from_json(raw: Any) -> Params:
    """The reverse; raises `BadInput` naming what is missing, malformed or against the rules."""
    try:
        size = _integer(raw["table_size"])
        rows = {_integer(number): _instrument(row) for number, row in raw["instruments"].items()}
        if not 2 <= size <= MAX_INSTRUMENTS or not all(0 <= number < size for number in rows):
            raise ValueError(f"instruments {sorted(rows)} do not fit a table of {size}")
        params = Params(
            **{label: _integer(raw[label]) for label in (*_RISK, "slot_seconds")},
            oracle_keys=tuple((_integer(x), _integer(y)) for x, y in raw["oracle_keys"]),
            instruments=tuple(rows.get(number, InstrumentParams.unlisted()) for number in range(size)),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(
            f"parameters are malformed: {error!r}",
            hint="they are what Params.to_json wrote",
            code="bad_params",
        ) from error
    params.validate()
    return params
