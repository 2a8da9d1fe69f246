# SPDX-License-Identifier: GPL-3.0-or-later
"""The contracts as this installation compiled them (`build/forge`), to compare with what stands on a chain.

The metadata at the end of a contract's code, a hash of its sources with their comments, is left out of every
comparison: no instruction reaches it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from zkmargin.errors import MissingData
from zkmargin.protocol.home import build_folder


@dataclass(frozen=True)
class Compiled:
    """A contract: the code that makes it, and its own. `immutables`: for each, where its value stands."""

    creation: bytes
    runtime: bytes
    immutables: tuple[tuple[int, ...], ...]

    @staticmethod
    def load(name: str) -> Compiled:
        """The contract `name`; MissingData when it is not built."""
        path = build_folder() / "forge" / f"{name}.sol" / f"{name}.json"
        if not path.exists():
            raise MissingData(f"contract {name} is not compiled", hint="run `make build`")
        try:
            raw = json.loads(path.read_text())
            own = raw["deployedBytecode"]
            places = sorted(own["immutableReferences"].items(), key=lambda item: int(item[0]))
            return Compiled(
                _code(raw["bytecode"]),
                _code(own),
                tuple(tuple(int(row["start"]) for row in rows) for _, rows in places),
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise MissingData(
                f"the compiled contract in {path} is damaged",
                hint=f"delete {path.parent.parent} and run `make build`",
            ) from error

    @property
    def metadata(self) -> int:
        """Length of the metadata, 0 if there is none: a CBOR map, then its length in two bytes."""
        length = int.from_bytes(self.runtime[-2:], "big") + 2
        held = length <= len(self.runtime) and self.runtime[-length] >> 4 == 0xA
        return length if held else 0

    def immutable(self, number: int, code: bytes) -> bytes:
        """The value in `code` of an immutable, counted as declared: 32 bytes."""
        start = self.immutables[number][0]
        return code[start : start + 32]

    def difference(self, code: bytes) -> str:
        """'' if `code` is this contract's, whatever its immutables, each of one value; else what differs."""
        if len(code) != len(self.runtime):
            return f"it has {len(code)} bytes, not {len(self.runtime)}"
        theirs, end = bytearray(code), len(code) - self.metadata
        for places in self.immutables:
            if len({code[start : start + 32] for start in places}) > 1:
                return f"one immutable has several values, the first at byte {places[0]}"
            for start in places:
                theirs[start : start + 32] = self.runtime[start : start + 32]
        at = next((i for i in range(end) if theirs[i] != self.runtime[i]), None)
        return "" if at is None else f"it differs at byte {at}"

    def arguments(self, sent: bytes) -> bytes | None:
        """What follows the creation code in the data of a transaction; None if it is other code."""
        length = len(self.creation)
        end = length - self.metadata
        return sent[length:] if len(sent) >= length and sent[:end] == self.creation[:end] else None


def _code(raw: dict[str, Any]) -> bytes:
    return bytes.fromhex(raw["object"].removeprefix("0x"))
