# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of a bundle where one byte can be changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from auditor.answers import Answers
from zkmargin.auditor.chain import event_name
from zkmargin.chain.artifacts import artifact

_WORD = 32


@dataclass(frozen=True)
class Flip:
    """One byte of `holder[key]`, hexadecimal text, that is to be xored with `mask`."""

    what: str
    row: int
    path: tuple[Any, ...]
    byte: int
    mask: int

    def apply(self, answers: Answers) -> Answers:
        """A changed copy."""
        changed = answers.copy()
        holder = changed.rows[self.row]
        for step in self.path[:-1]:
            holder = holder[step]
        data = bytearray.fromhex(holder[self.path[-1]][2:])
        data[self.byte] ^= self.mask
        holder[self.path[-1]] = "0x" + data.hex()
        return changed


def _each_word(
    rng: random.Random,
    what: str,
    row: int,
    path: tuple[Any, ...],
    text: str,
    start: int = 0,
    end: int | None = None,
    step: int = 1,
) -> Iterator[Flip]:
    for number, at in enumerate(range(start, len(text) // 2 - 1 if end is None else end, _WORD * step)):
        yield Flip(f"{what}, word {number}", row, path, at + rng.randrange(_WORD), 1 << rng.randrange(8))


def _log_flips(rng: random.Random, row: int, logs: list[dict[str, Any]]) -> Iterator[Flip]:
    for number, log in enumerate(logs):
        name = event_name(log["topics"][0])
        for place, topic in enumerate(log["topics"]):
            yield from _each_word(
                rng, f"{name} {number} topic {place}", row, ("answer", number, "topics", place), topic
            )
        yield from _each_word(rng, f"{name} {number}", row, ("answer", number, "data"), log["data"])


def all_flips(answers: Answers, seed: int = 0) -> list[Flip]:
    """One flip in every word of event, calldata and view, at places that follow from the seed.

    Of code every 16th word, and not the metadata at its end.
    """
    rng = random.Random(seed)
    creation = len(artifact("Ledger").bytecode)
    found: list[Flip] = []
    for number, row in enumerate(answers.rows):
        method, answer = row["question"][0], row["answer"]
        if method == "eth_getLogs":
            found += _log_flips(rng, number, answer)
        elif method == "eth_getTransactionByHash":
            text = answer["input"]
            path = ("answer", "input")
            if answer["to"] is None:
                found += _each_word(rng, "creation", number, path, text, 0, creation - 2 * _WORD, 16)
                found += _each_word(rng, "configuration", number, path, text, creation)
                continue
            found.append(Flip("selector", number, path, rng.randrange(4), 1 << rng.randrange(8)))
            found += _each_word(rng, f"calldata {number}", number, path, text, 4)
        elif method == "eth_call":
            found += _each_word(
                rng, f"view {row['question'][1][0]['data'][:10]}", number, ("answer",), answer
            )
        elif method == "eth_getCode":
            end = len(answer) // 2 - 3 * _WORD
            found += _each_word(rng, "code", number, ("answer",), answer, 0, end, 16)
        elif method == "eth_chainId":
            found.append(Flip("chain id", number, ("answer",), 1, 1 << rng.randrange(7)))
    return found
