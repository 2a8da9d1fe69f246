# SPDX-License-Identifier: GPL-3.0-or-later
"""A sparse 8-ary Poseidon tree: only nodes that differ from their level's default are stored."""

from __future__ import annotations

from zkmargin.protocol.constants import ARITY
from zkmargin.protocol.hashes import node_hash


class Tree:
    """`levels` levels above the leaves; `default` is the value of every leaf nobody has set.

    `nodes[0]` holds leaves by index, `nodes[levels]` the root at index 0.
    """

    def __init__(self, levels: int, default: int) -> None:
        self.levels = levels
        self.defaults = [default]
        for _ in range(levels):
            self.defaults.append(node_hash([self.defaults[-1]] * ARITY))
        self.nodes: list[dict[int, int]] = [{} for _ in range(levels + 1)]

    @property
    def size(self) -> int:
        """Number of leaves."""
        return ARITY**self.levels

    @property
    def root(self) -> int:
        return self.node(self.levels, 0)

    def node(self, level: int, index: int) -> int:
        """The value of a node; level 0 are the leaves."""
        return self.nodes[level].get(index, self.defaults[level])

    def children(self, level: int, index: int) -> list[int]:
        """The 8 values below node `index` of `level` (1 .. levels)."""
        return [self.node(level - 1, index * ARITY + k) for k in range(ARITY)]

    def path(self, leaf: int) -> list[list[int]]:
        """For each level upwards the 8 children among which the path's node stands, at digit `leaf // 8^level % 8`."""
        return [self.children(level + 1, leaf // ARITY ** (level + 1)) for level in range(self.levels)]

    def set(self, leaf: int, value: int) -> None:
        """Set a leaf and the nodes above it."""
        self.update({leaf: value})

    def update(self, leaves: dict[int, int]) -> None:
        """Set many leaves; every node above them is hashed once."""
        for leaf, value in leaves.items():
            if not 0 <= leaf < self.size:
                raise IndexError(f"leaf {leaf} of a tree of {self.size}")
            self.nodes[0][leaf] = value
        changed = set(leaves)
        for level in range(1, self.levels + 1):
            changed = {index // ARITY for index in changed}
            for index in changed:
                self.nodes[level][index] = node_hash(self.children(level, index))
