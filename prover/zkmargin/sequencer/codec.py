# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol records as JSON and back: integers as strings, tuples as lists.

Reading is strict: integers are decimal strings or JSON integers within their bits, unknown and missing fields
are refused. Every refusal names the field by its path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import BITS, LIMITED, PACKING, SIDES, TIERS, P
from zkmargin.protocol.model import Account, Auth, Holding, InstrumentTick, QueueEntry, Signature, Tick, Touch

Reader = Callable[[Any, str], Any]

_DECIMAL = re.compile("-?[0-9]{1,100}")
_SHOWN = 40


def encode(value: Any) -> Any:
    """A record, tuple, list or integer as a JSON value."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    return {field.name: encode(getattr(value, field.name)) for field in fields(value)}


def show(value: Any) -> str:
    """A JSON value as an error message shows it: not longer than a line has room for."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > 4 * _SHOWN:
        return f"an integer of {value.bit_length()} bits"  # in decimal it would take time squared in them
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def integer(value: Any, path: str, low: int, limit: int) -> int:
    """The integer in a JSON value, `low` to `limit` - 1; `BadInput` names `path` for anything else."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise BadInput(
            f"{path} is {show(value)}, not an integer",
            hint='write integers as decimal strings, such as "1000000"',
        )
    if not low <= number < limit:
        raise BadInput(f"{path} is out of range: {show(number)}", hint=_allowed(low, limit))
    return number


def _allowed(low: int, limit: int) -> str:
    def text(bound: int) -> str:
        size = abs(bound)
        sign = "-" if bound < 0 else ""
        if limit == P and bound == P:
            return "the field's modulus"
        return f"{sign}2^{size.bit_length() - 1}" if size > 1 << 16 and size.bit_count() == 1 else str(bound)

    return f"it is at least {text(low)} and below {text(limit)}"


def _unsigned(bits: int) -> Reader:
    return lambda value, path: integer(value, path, 0, 1 << bits)


def _signed(bits: int) -> Reader:
    return lambda value, path: integer(value, path, 1 - (1 << bits), 1 << bits)


def _below(limit: int) -> Reader:
    return lambda value, path: integer(value, path, 0, limit)


_element = _below(P)


def _each(reader: Reader) -> Reader:
    def read(value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise BadInput(f"{path} is {show(value)}, not a list", hint="write it in brackets")
        return tuple(reader(item, f"{path}[{index}]") for index, item in enumerate(value))

    return read


def _record(kind: type[Any], *, optional: bool = False) -> Reader:
    def read(value: Any, path: str) -> Any:
        return None if optional and value is None else decode(kind, value, path)

    return read


_TERMS, _TOUCH, _L1 = PACKING["terms"], PACKING["touch"], PACKING["l1"]
_VALUE = _signed(BITS["balance"])  # of a tick's row: derived, and far below this
_READERS: Mapping[type[Any], Mapping[str, Reader]] = {
    Touch: {
        "op": _unsigned(_TOUCH["op"]),
        "leaf_index": _unsigned(BITS["leaf_index"]),
        "account_id": _unsigned(BITS["account_id"]),
        "instrument": _unsigned(_TERMS["instrument"]),
        "side": _unsigned(_TERMS["side"]),
        "size": _unsigned(_TERMS["size"]),
        "price": _unsigned(BITS["price"]),
        "flag": _unsigned(_TOUCH["flag"]),
        "entry": _record(QueueEntry, optional=True),
        "counterparty": _unsigned(BITS["account_id"]),
        "max_size": _unsigned(_TERMS["size"]),
        "min_reward": _unsigned(_TERMS["min_reward"]),
        "limit_price": _unsigned(BITS["price"]),
        "auth": _record(Auth, optional=True),
        "kept": _unsigned(_TOUCH["kept"]),
    },
    Auth: {
        "last_slot": _unsigned(BITS["slot"]),
        "ax": _element,
        "ay": _element,
        "signature": _record(Signature),
    },
    Signature: {"r8x": _element, "r8y": _element, "s": _element},
    QueueEntry: {
        "index": _unsigned(64),  # the contract's type
        "depositor": _unsigned(BITS["address"]),
        "kind": _unsigned(_L1["kind"]),
        "asset": _unsigned(_L1["asset"]),
        "amount": _unsigned(BITS["amount"]),
        "target": _unsigned(BITS["account_id"]),
        "owner": _element,
    },
    Tick: {
        "slot": _unsigned(BITS["slot"]),
        "time": _unsigned(BITS["time"]),
        "tau": _unsigned(BITS["rate"] + 1),
        "penalty_rate": _unsigned(BITS["rate"] + 1),
        "bidder_share": _unsigned(BITS["rate"] + 1),
        "instruments": _each(_record(InstrumentTick)),
    },
    InstrumentTick: {
        "flags": _below(2 * LIMITED),
        "mark": _unsigned(BITS["price"]),
        "funding": _signed(BITS["funding"]),
        "bounds": _each(_unsigned(BITS["magnitude"])),
        "equity": _VALUE,
        "worst_long": _VALUE,
        "worst_short": _VALUE,
        "maintenance": _each(_VALUE),
        "initial": _each(_VALUE),
        "move": _VALUE,
        "raw": _unsigned(BITS["price"]),
    },
    Account: {
        "id": _unsigned(BITS["account_id"]),
        "nonce": _unsigned(BITS["nonce"]),
        "address": _unsigned(BITS["address"]),
        "owner": _element,
        "balance": _signed(BITS["balance"]),
        "slots": _each(_record(Holding, optional=True)),
    },
    Holding: {
        "instrument": _unsigned(_TERMS["instrument"]),
        "tier": _below(TIERS),
        "side": _below(SIDES),
        "size": _unsigned(BITS["magnitude"]),
    },
}


def known_fields(raw: Any, path: str, known: Mapping[str, bool]) -> dict[str, Any]:
    """`raw` as an object with no field but those of `known`, which says of each whether it must be there."""
    if not isinstance(raw, dict):
        raise BadInput(f"{path} is {show(raw)}, not a JSON object", hint=f"its fields are {', '.join(known)}")
    unknown = [name for name in raw if name not in known]
    if unknown:
        raise BadInput(
            f"{path} has an unknown field {show(unknown[0])}", hint=f"its fields are {', '.join(known)}"
        )
    missing = [name for name, needed in known.items() if needed and name not in raw]
    if missing:
        raise BadInput(f"{path} lacks {missing[0]}", hint=f"its fields are {', '.join(known)}")
    return raw


def decode(kind: type[Any], raw: Any, path: str = "") -> Any:
    """The record of type `kind` that `encode` wrote; `BadInput` names what is wrong with anything else."""
    path = path or f"the {kind.__name__.lower()}"
    needed = {field.name: field.default is MISSING for field in fields(kind)}
    values = known_fields(raw, path, needed)
    readers = _READERS[kind]
    return kind(**{name: readers[name](value, f"{path}.{name}") for name, value in values.items()})


def encode_tick(tick: Tick) -> Any:
    """A tick as a JSON value."""
    return encode(tick)


def decode_tick(raw: Any) -> Tick:
    """The tick that `encode_tick` wrote; raises `BadInput` for anything else."""
    tick: Tick = decode(Tick, raw)
    return tick


def decode_touch(raw: Any, path: str = "") -> Touch:
    """The touch that `encode` wrote; raises `BadInput` for anything else."""
    touch: Touch = decode(Touch, raw, path)
    return touch
