# SPDX-License-Identifier: GPL-3.0-or-later
"""What Circom and Solidity need of `protocol.toml`, generated from it.

    python -m zkmargin.protocol.codegen           writes both files
    python -m zkmargin.protocol.codegen --check   exits 1, naming the file, when the committed one is stale

Circom gets functions `NAME()`, one a constant, in `build/generated/constants.circom` (the compiler is handed
the same text directly, see `zkmargin.circuits.registry`). Field `F` of packing `A` is `A_F()`, its bit
offset, and `A_F_BITS()`, its width. Solidity gets the library `contracts/src/generated/Protocol.sol`: shift
and bits of every packed field the contract handles, and the positions of words.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from zkmargin.protocol.constants import (
    ARITY,
    BITS,
    CHALLENGE_DOMAIN,
    CIRCUIT_IDS,
    COLLATERAL,
    FUNDING_OFFSET,
    HOLDINGS,
    LIMITED,
    PACKING,
    PAGE_LEVELS,
    PERPETUAL,
    PROTOCOL_HASH,
    RATE_OFFSET,
    SCALE,
    TAGS,
    TIERS,
    VERSION,
    EntryKind,
    Op,
    P,
    load,
    tag,
)
from zkmargin.protocol.hashes import EMPTY_BLOCKS, EMPTY_LEAF, EMPTY_PAGE
from zkmargin.protocol.home import build_folder, home

SOLIDITY = "contracts/src/generated/Protocol.sol"
CIRCOM = "generated/constants.circom"
_CONTRACT_BITS = ("magnitude", "amount", "word")
_CONTRACT_PACKINGS = ("header", "domain", "touch", "l1", "target", "tick_head", "cover_head")
_UNITS = {"settle": "touch", "tick": "instrument", "sweep": "page", "regroup": "page", "carry": "block"}


def fields(packing: str) -> Iterator[tuple[str, int, int]]:
    """(field, bit offset, bits) of a packing, least significant first."""
    offset = 0
    for name, bits in PACKING[packing].items():
        yield name, offset, bits
        offset += bits


def circom_rows() -> dict[str, int]:
    """The constants of the circuits by name; raises if two have one name."""
    rows = [
        ("VERSION", VERSION),
        ("ARITY", ARITY),
        ("PAGE_LEVELS", PAGE_LEVELS),
        ("HOLDINGS", HOLDINGS),
        ("TIERS", TIERS),
        ("EMPTY_LEAF", EMPTY_LEAF),
        ("EMPTY_PAGE", EMPTY_PAGE),
        *((f"EMPTY_BLOCK_{levels}", value) for levels, value in enumerate(EMPTY_BLOCKS)),
        ("FLAG_PERPETUAL", PERPETUAL),
        ("FLAG_COLLATERAL", COLLATERAL),
        ("FLAG_LIMITED", LIMITED),
        ("FUNDING_OFFSET", FUNDING_OFFSET),
        ("RATE_OFFSET", RATE_OFFSET),
    ]
    rows += [(f"SCALE_{name.upper()}", bits) for name, bits in SCALE.items()]
    rows += [(f"TAG_{name.upper()}", tag(name)) for name in TAGS]
    rows += [(f"OP_{op.name}", int(op)) for op in Op]
    rows += [(f"ENTRY_{kind.name}", int(kind)) for kind in EntryKind]
    rows += [(f"CIRCUIT_{name.upper()}", number) for name, number in CIRCUIT_IDS.items()]
    rows += [(f"BITS_{name.upper()}", bits) for name, bits in BITS.items()]
    for packing in PACKING:
        for field, offset, bits in fields(packing):
            name = f"{packing}_{field}".upper()
            rows += [(name, offset), (f"{name}_BITS", bits)]
    for circuit, words in load().words.items():
        rows.append((f"{circuit.upper()}_FIXED_WORDS", len(words.fixed)))
        rows.append((f"{circuit.upper()}_REPEATED_WORDS", len(words.repeated)))
        rows += [(f"WORD_{circuit.upper()}_{name.upper()}", index) for index, name in enumerate(words.fixed)]
    named = dict(rows)
    assert len(named) == len(rows), "two constants have one name"
    return named


def circom_constants(instead: Mapping[str, int] | None = None) -> str:
    """Text of constants.circom. It depends on values alone: a changed comment makes no key stale.

    `instead` gives some constants other values, for a circuit that is only counted.
    """
    rows, changed = circom_rows(), dict(instead or {})
    assert changed.keys() <= rows.keys(), f"no such constants: {changed.keys() - rows.keys()}"
    lines = [
        "// SPDX-License-Identifier: GPL-3.0-or-later",
        "// Generated from protocol.toml; do not edit.",
        "pragma circom 2.1.6;",
        "",
    ]
    lines += [f"function {name}() {{ return {value}; }}" for name, value in (rows | changed).items()]
    return "\n".join(lines) + "\n"


def _solidity_groups() -> Iterator[list[str]]:
    def constant(name: str, value: object, kind: str = "uint256") -> str:
        return f"    {kind} internal constant {name.upper()} = {value};"

    yield [
        constant("version", VERSION),
        constant("protocol_hash", f"0x{PROTOCOL_HASH}", "bytes32"),
        constant("field_modulus", P),
        constant("challenge_domain", f'keccak256("{CHALLENGE_DOMAIN}")', "bytes32"),
    ]
    yield [constant(f"bits_{name}", BITS[name]) for name in _CONTRACT_BITS]
    yield [
        *(constant(f"circuit_{name}", number) for name, number in CIRCUIT_IDS.items()),
        constant("circuits", len(CIRCUIT_IDS)),
    ]
    yield [constant(f"op_{op.name}", int(op)) for op in Op]
    yield [constant(f"entry_{kind.name}", int(kind)) for kind in EntryKind]
    for packing in _CONTRACT_PACKINGS:
        group = []
        for field, offset, bits in fields(packing):
            group += [
                constant(f"{packing}_{field}_shift", offset),
                constant(f"{packing}_{field}_bits", bits),
            ]
        yield group
    for circuit, words in load().words.items():
        written = len(words.contract_written)
        assert words.contract_written == words.fixed[:written], "the contract writes the first words"
        yield [
            *(constant(f"{circuit}_word_{name}", index) for index, name in enumerate(words.fixed)),
            constant(f"{circuit}_fixed", len(words.fixed)),
            constant(f"{circuit}_written", written),
            *(constant(f"{circuit}_at_{name}", index) for index, name in enumerate(words.repeated)),
            *([constant(f"{circuit}_per_{_UNITS[circuit]}", len(words.repeated))] if words.repeated else []),
        ]


def solidity_library() -> str:
    """Text of Protocol.sol; PROTOCOL_HASH is the sha256 of the data file."""
    head = [
        "// SPDX-License-Identifier: GPL-3.0-or-later",
        "// Generated from protocol.toml; do not edit.",
        "pragma solidity ^0.8.30;",
        "",
        "/// @notice Constants of the protocol: field, opcodes, packings (shift and bits, least significant "
        "first), order of words.",
        "library Protocol {",
    ]
    body = "\n\n".join("\n".join(group) for group in _solidity_groups())
    return "\n".join(head) + "\n" + body + "\n}\n"


def stale(folder: Path) -> list[str]:
    """Committed generated files below `folder` that differ from what the data file says."""
    path = folder / SOLIDITY
    current = path.read_text() if path.is_file() else None
    return [] if current == solidity_library() else [SOLIDITY]


def main(arguments: list[str]) -> int:
    """Write or check; the exit status."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    if arguments:
        old = stale(home())
        for name in old:
            print(f"{name} is stale: run python -m zkmargin.protocol.codegen", file=sys.stderr)
        return 1 if old else 0
    texts = {home() / SOLIDITY: solidity_library(), build_folder() / CIRCOM: circom_constants()}
    for path, text in texts.items():
        if not path.is_file() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
