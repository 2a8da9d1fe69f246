# SPDX-License-Identifier: GPL-3.0-or-later
"""Packed integers of the data file: fields side by side, least significant first."""

from __future__ import annotations

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import PACKING


def pack(name: str, **fields: int) -> int:
    """Pack the fields of `packing.name`; fields left out are 0.

    Raises `BadInput` for an unknown field or a value outside its bits.
    """
    layout = PACKING[name]
    unknown = fields.keys() - layout.keys()
    if unknown:
        raise BadInput(
            f"packing {name} has no field {', '.join(sorted(unknown))}", hint=f"it has {', '.join(layout)}"
        )
    value, shift = 0, 0
    for field, bits in layout.items():
        part = int(fields.get(field, 0))
        if not 0 <= part < 1 << bits:
            raise BadInput(f"{name}.{field} = {part} does not fit {bits} bits", hint="give a value in range")
        value |= part << shift
        shift += bits
    return value


def unpack(name: str, value: int) -> dict[str, int]:
    """The fields of a packed integer; raises `BadInput` when bits above the last field are set."""
    rest, fields = value, {}
    for field, bits in PACKING[name].items():
        fields[field] = rest & ((1 << bits) - 1)
        rest >>= bits
    if rest:
        raise BadInput(
            f"{name} word {value:#x} has bits above its last field", hint="it was not packed by this protocol"
        )
    return fields


def split(value: int) -> tuple[int, int]:
    """A field element as (hi, lo) with value = hi * 2^128 + lo."""
    return value >> 128, value & ((1 << 128) - 1)
