# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a regroup, there and back, and what could not have been posted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import PAGE_SIZE, load
from zkmargin.protocol.posted import read_regroup
from zkmargin.protocol.words import regroup_words, word_count

PROFILE = load().profile("small")
LEAVES = PROFILE.regroup_pages * PAGE_SIZE
radii = st.none() | st.integers(0, (1 << 24) - 1)


@given(st.permutations(range(LEAVES)), radii)
def test_there_and_back(origins: list[int], radius: int | None) -> None:
    words = regroup_words(5, 1 << 200, 1 << 201, 3, radius, (2, 6), origins, PROFILE)
    assert len(words) == word_count("regroup", PROFILE)
    read = read_regroup(words)
    assert (read.domain, read.root, read.tick, read.new_root) == (5, 1 << 200, 1 << 201, 3)
    assert (read.radius, read.pages, read.origins) == (radius, (2, 6), tuple(origins))


def test_what_could_not_have_been_posted() -> None:
    words = regroup_words(5, 1, 2, 3, None, (2, 6), range(LEAVES), PROFILE)
    for place, change in ((8, 7), (8, 1 << 25), (9, 1 << 32), (10, 1 << 192), (13, 1 << 247)):
        wrong = list(words)
        wrong[place] |= change
        with pytest.raises(BadInput):
            read_regroup(wrong)
    with pytest.raises(BadInput):
        read_regroup(words[:-1])


def test_arguments_out_of_range() -> None:
    for pages, origins in (((2,), range(LEAVES)), ((2, 6), range(LEAVES - 1)), ((2, 6), [4096] * LEAVES)):
        with pytest.raises(BadInput):
            regroup_words(5, 1, 2, 3, None, pages, origins, PROFILE)
    with pytest.raises(BadInput):
        regroup_words(5, 1, 2, 3, 1 << 24, (2, 6), range(LEAVES), PROFILE)
