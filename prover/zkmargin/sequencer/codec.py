# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol records as JSON and back: integers as strings, tuples as lists."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from zkmargin.errors import BadInput
from zkmargin.protocol.model import Auth, InstrumentTick, QueueEntry, Signature, Tick, Touch

_RECORDS: dict[str, type[Any]] = {
    "entry": QueueEntry, "auth": Auth, "signature": Signature, "instruments": InstrumentTick,
}


def encode(value: Any) -> Any:
    """A record, tuple, list or integer as a JSON value."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    return {field.name: encode(getattr(value, field.name)) for field in fields(value)}


def decode(kind: type[Any], raw: Any) -> Any:
    """The record of type `kind` that `encode` wrote; raises `BadInput` for anything else."""
    try:
        return kind(**{field.name: _value(field.name, raw[field.name]) for field in fields(kind) if field.name in raw})
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"malformed {kind.__name__}: {error!r}") from error


def _value(name: str, raw: Any) -> Any:
    if raw is None:
        return None
    if name in _RECORDS:
        kind = _RECORDS[name]
        return tuple(decode(kind, row) for row in raw) if isinstance(raw, list) else decode(kind, raw)
    if isinstance(raw, list):
        return tuple(_value("", item) for item in raw)
    return int(raw)


def encode_tick(tick: Tick) -> Any:
    return encode(tick)


def decode_tick(raw: Any) -> Tick:
    tick: Tick = decode(Tick, raw)
    return tick


def decode_touch(raw: Any) -> Touch:
    touch: Touch = decode(Touch, raw)
    return touch
