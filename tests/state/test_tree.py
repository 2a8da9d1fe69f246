# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse trees against trees with every leaf written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import naive
from protocol.strategies import elements
from zkmargin.protocol.constants import load
from zkmargin.state.tree import Forest

DEFAULT = 77
changes = st.lists(st.dictionaries(st.integers(0, 127), elements | st.just(DEFAULT), max_size=8), max_size=5)


def root_of_path(path: list[list[int]], leaf: int, value: int) -> int:
    """What a circuit does with a path: put the value in its place, hash, go up."""
    for children in path:
        assert children[leaf % 8] == value
        value, leaf = naive.poseidon(*children), leaf // 8
    return value


@given(changes)
def test_roots_and_paths_are_those_of_the_full_trees(batches: list[dict[int, int]]) -> None:
    forest, leaves = Forest(2, DEFAULT, 2), [DEFAULT] * 128
    for batch in batches:
        forest.update(batch)
        for leaf, value in batch.items():
            leaves[leaf] = value
    assert [forest.root(0), forest.root(1)] == [naive.tree(leaves[:64]), naive.tree(leaves[64:])]
    for leaf in {0, 64, 127, *(leaf for batch in batches for leaf in batch)}:
        assert root_of_path(forest.path(leaf), leaf % 64, leaves[leaf]) == forest.root(leaf // 64)


@given(changes)
def test_one_by_one_is_as_all_at_once(batches: list[dict[int, int]]) -> None:
    together, single = Forest(3, DEFAULT), Forest(3, DEFAULT)
    for batch in batches:
        together.update(batch)
        for leaf, value in batch.items():
            single.update({leaf: value})
    assert together.root() == single.root()
    assert together.stored == single.stored


def test_what_is_put_back_to_the_default_is_not_stored() -> None:
    forest = Forest(5, DEFAULT)
    empty = forest.root()
    forest.update(dict.fromkeys(range(0, 32768, 1000), 1))
    assert forest.stored > 33
    assert forest.root() != empty
    forest.update(dict.fromkeys(range(0, 32768, 1000), DEFAULT))
    assert (forest.root(), forest.stored) == (empty, 0)


def test_the_largest_profile_costs_nothing_while_empty() -> None:
    main = load().profile("main")
    forest = Forest(2, 0, main.pages)
    assert forest.size == main.capacity == 2_097_152
    forest.update({main.capacity - 1: 5})
    assert forest.stored == 3
    assert root_of_path(forest.path(main.capacity - 1), 63, 5) == forest.root(main.pages - 1)


@pytest.mark.parametrize("leaf", [-1, 64])
def test_leaves_outside_are_refused_and_nothing_changes(leaf: int) -> None:
    forest = Forest(2, DEFAULT)
    before = forest.root()
    with pytest.raises(IndexError, match=rf"leaf {leaf} of 64"):
        forest.update({3: 1, leaf: 1})
    assert (forest.root(), forest.stored) == (before, 0)
