# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a batch as they go into calldata: those the contract writes left 0."""

from __future__ import annotations

from collections.abc import Sequence

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import Op, load
from zkmargin.protocol.packing import unpack

_DEPOSIT_WORDS = ("l1", "target", "owner_lo")


def blank_settle_words(words: Sequence[int]) -> list[int]:
    """Words of a settle with the contract's own set to 0: the leading ones and those of deposits."""
    layout = load().words["settle"]
    blank = blank_words("settle", words)
    per = layout.repeated
    for start in range(len(layout.fixed), len(words), len(per)):
        if unpack("touch", words[start + per.index("touch")])["op"] == Op.DEPOSIT:
            for name in _DEPOSIT_WORDS:
                blank[start + per.index(name)] = 0
    return blank


def blank_words(circuit: str, words: Sequence[int]) -> list[int]:
    """Words of a batch with the leading ones, which the contract writes, set to 0."""
    layout = load().words[circuit]
    repeated = len(words) - len(layout.fixed)
    per = len(layout.repeated)
    if (repeated % per or repeated < 1) if per else repeated:
        raise BadInput(f"{len(words)} words are not those of a batch", hint="use the words of the proof")
    blank = [int(word) for word in words]
    for name in layout.contract_written:
        blank[layout.fixed.index(name)] = 0
    return blank
