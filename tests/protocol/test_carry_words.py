# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a carry and of a coverage, there and back, and what could not have been posted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.strategies import bits, elements
from zkmargin.errors import BadInput
from zkmargin.protocol.constants import load
from zkmargin.protocol.posted import BlockWord, read_carry, read_coverage
from zkmargin.protocol.words import carry_words, coverage_words, word_count

PROFILE = load().profile("main")  # several blocks a carry
blocks = st.tuples(bits(32), bits(24), st.booleans())


@given(st.lists(blocks, min_size=8, max_size=8), elements, elements, elements)
def test_a_carry_there_and_back(posted: list[tuple[int, int, bool]], root: int, tick: int, new: int) -> None:
    words = carry_words(5, root, tick, new, posted, PROFILE)
    assert len(words) == word_count("carry", PROFILE) == 8 + PROFILE.carry_blocks
    assert all(0 <= word < 1 << 248 for word in words)
    read = read_carry(words)
    assert (read.domain, read.root, read.tick, read.new_root) == (5, root, tick, new)
    assert read.blocks == tuple(BlockWord(block, radius, int(now)) for block, radius, now in posted)


@given(elements, elements, st.booleans())
def test_a_coverage_there_and_back(root: int, tick: int, solvent: bool) -> None:
    words = coverage_words(5, root, tick, solvent, PROFILE)
    assert len(words) == word_count("coverage", PROFILE)
    read = read_coverage(words)
    assert (read.domain, read.root, read.tick, read.solvent) == (5, root, tick, int(solvent))


def test_the_order_of_their_words() -> None:
    small, version = load().profile("small"), 1 << 32
    halves = [1 << 72, 0, 1 << 73, 0]
    words = carry_words(5, 1 << 200, 1 << 201, 3, [(7, 9, True)], small)
    assert words == [9 + (6 << 16) + version, 5, *halves, 0, 3, 7 + (9 << 32) + (1 << 56)]
    for solvent in (0, 1):
        words = coverage_words(5, 1 << 200, 1 << 201, bool(solvent), small)
        assert words == [7 + (4 << 16) + version, 5, *halves, solvent]


def _refused(read: object, words: list[int], index: int, value: int) -> None:
    assert callable(read)
    with pytest.raises(BadInput):
        read([*words[:index], value, *words[index + 1 :]])


def test_what_could_not_have_been_posted() -> None:
    carry = carry_words(5, 1, 2, 3, [(block, 9, False) for block in range(8)], PROFILE)
    coverage = coverage_words(5, 1, 2, True, PROFILE)
    read_carry(carry)
    read_coverage(coverage)
    _refused(read_carry, carry, 9, 1 << 57)  # above a block's word
    _refused(read_carry, carry, 7, 1 << 128)
    _refused(read_carry, carry, 0, coverage[0])
    _refused(read_coverage, coverage, 6, 2)  # above the head
    _refused(read_coverage, coverage, 0, carry[0])
    for read, words in ((read_carry, carry), (read_coverage, coverage)):
        for other in (words[:-1], [*words, 0]):
            with pytest.raises(BadInput):
                read(other)


def test_arguments_out_of_range() -> None:
    for count in (7, 9):
        with pytest.raises(BadInput, match=f"8 blocks, not {count}"):
            carry_words(5, 1, 2, 3, [(0, 0, True)] * count, PROFILE)
    for block, radius in ((1 << 32, 0), (0, 1 << 24), (0, -1)):
        with pytest.raises(BadInput):
            carry_words(5, 1, 2, 3, [(block, radius, True)] * 8, PROFILE)
