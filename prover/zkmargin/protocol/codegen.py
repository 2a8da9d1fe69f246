# SPDX-License-Identifier: GPL-3.0-or-later
"""What Circom needs of `protocol.toml`, as functions: tags, opcodes, bit widths, word positions, packing offsets."""

from __future__ import annotations

from zkmargin.protocol.constants import (
    ARITY,
    BITS,
    CIRCUIT_IDS,
    HOLDINGS,
    PACKING,
    PAGE_LEVELS,
    PROTOCOL_HASH,
    TAGS,
    TIERS,
    VERSION,
    Op,
    load,
    tag,
)
from zkmargin.protocol.hashes import EMPTY_LEAF


def _constants() -> list[tuple[str, int]]:
    rows: list[tuple[str, int]] = [
        ("VERSION", VERSION), ("ARITY", ARITY), ("PAGE_LEVELS", PAGE_LEVELS), ("HOLDINGS", HOLDINGS), ("TIERS", TIERS),
        ("EMPTY_LEAF", EMPTY_LEAF),
    ]
    rows += [(f"TAG_{name.upper()}", tag(name)) for name in TAGS]
    rows += [(f"OP_{op.name}", int(op)) for op in Op]
    rows += [(f"CIRCUIT_{name.upper()}", number) for name, number in CIRCUIT_IDS.items()]
    rows += [(f"BITS_{name.upper()}", bits) for name, bits in BITS.items()]
    for packing, layout in PACKING.items():
        offset = 0
        for name, bits in layout.items():
            rows.append((f"{packing.upper()}_{name.upper()}", offset))
            offset += bits
    for circuit, words in load().words.items():
        rows.append((f"{circuit.upper()}_FIXED_WORDS", len(words.fixed)))
        rows.append((f"{circuit.upper()}_REPEATED_WORDS", len(words.repeated)))
        rows += [(f"WORD_{circuit.upper()}_{name.upper()}", index) for index, name in enumerate(words.fixed)]
    return rows


def circom_constants() -> str:
    """Text of constants.circom: one function a constant; packing constants are bit offsets."""
    lines = [f"// Generated from protocol.toml ({PROTOCOL_HASH[:16]}); do not edit.", "pragma circom 2.1.6;", ""]
    lines += [f"function {name}() {{ return {value}; }}" for name, value in _constants()]
    return "\n".join(lines) + "\n"
