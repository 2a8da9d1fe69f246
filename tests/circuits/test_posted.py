# SPDX-License-Identifier: GPL-3.0-or-later
"""Binding of posted words: C and y as the protocol computes them, and nothing else."""

from __future__ import annotations

import random

import pytest

from circuits.tick.parts import part
from zkmargin.protocol.constants import P
from zkmargin.protocol.words import commitment, evaluate


def claim(words: list[int], r: int) -> dict[str, object]:
    return {"words": words, "C": commitment(words), "r": r, "y": evaluate(words, r)}


@pytest.mark.parametrize("count", [2, 15, 16, 31])
def test_binds_every_word(count: int) -> None:
    made = part("lib/posted.circom", "Posted", count)
    source = random.Random(count)
    words = [source.randrange(1 << 248) for _ in range(count)]
    words[source.randrange(count)] = 0
    words[source.randrange(count)] = (1 << 248) - 1
    for r in (0, 1, P - 1, source.randrange(P)):
        assert made.system.check(made.witness(claim(words, r))) == []
    honest = claim(words, r)
    for name in ("C", "r", "y"):
        changed = honest | {name: (int(str(honest[name])) + 1) % P}
        assert made.system.check(made.witness(changed)), name
    for place in range(count):
        other = words.copy()
        other[place] = (other[place] + 1) % P
        for kept in (honest | {"words": other}, claim(other, r) | {"y": honest["y"]}):
            assert made.system.check(made.witness(kept))


def test_words_in_another_order_or_number_have_another_commitment() -> None:
    """The sponge's first input says how many: a trailing zero is not the padding."""
    words = [5, 7, 0]
    assert len({commitment(row) for row in ([5, 7], words, [*words, 0], [7, 5, 0], [0, 5, 7])}) == 5
    made = part("lib/posted.circom", "Posted", 2)
    assert made.system.check(made.witness(claim([5, 7], 9) | {"C": commitment(words)}))


def test_no_wire_can_be_changed_alone() -> None:
    made = part("lib/posted.circom", "Posted", 16)
    witness = made.witness(claim(list(range(100, 116)), 12345))
    for wire in made.wires():
        for other in {(witness[wire] + 1) % P, -witness[wire] % P} - {witness[wire]}:
            assert made.system.check_changed(witness, {wire: other}), made.names.name(wire)
