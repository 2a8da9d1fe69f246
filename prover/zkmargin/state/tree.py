# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse 8-ary Poseidon trees: only nodes that differ from their level's default are stored."""

from __future__ import annotations

from collections.abc import Mapping

from zkmargin.protocol.constants import ARITY
from zkmargin.protocol.hashes import node_hash, node_hashes


class Forest:
    """`count` trees side by side, each with `levels` levels above its leaves; the leaves count through.

    `default` is the value of every leaf nobody has set. An empty subtree takes no memory and no time.
    """

    def __init__(self, levels: int, default: int, count: int = 1) -> None:
        self.levels = levels
        self.count = count
        self.defaults = [default]
        for _ in range(levels):
            self.defaults.append(node_hash([self.defaults[-1]] * ARITY))
        self._nodes: list[dict[int, int]] = [{} for _ in range(levels + 1)]

    @property
    def size(self) -> int:
        """Number of leaves of all trees."""
        return int(self.count * ARITY**self.levels)

    @property
    def stored(self) -> int:
        """Number of nodes in memory."""
        return sum(len(nodes) for nodes in self._nodes)

    def root(self, tree: int = 0) -> int:
        """The root of a tree."""
        return self.node(self.levels, tree)

    def node(self, level: int, index: int) -> int:
        """The value of a node; level 0 are the leaves."""
        return self._nodes[level].get(index, self.defaults[level])

    def children(self, level: int, index: int) -> list[int]:
        """The 8 values below node `index` of `level` (1 .. levels)."""
        below, default = self._nodes[level - 1], self.defaults[level - 1]
        return [below.get(child, default) for child in range(index * ARITY, index * ARITY + ARITY)]

    def path(self, leaf: int) -> list[list[int]]:
        """For each level upwards the 8 children of which the path's node is number `leaf // 8^level % 8`."""
        return [self.children(level + 1, leaf // ARITY ** (level + 1)) for level in range(self.levels)]

    def update(self, leaves: Mapping[int, int]) -> None:
        """Set leaves; every node above them is hashed once, level by level in batches.

        Raises `IndexError` for a leaf outside the forest, and then changes nothing.
        """
        for leaf in leaves:
            if not 0 <= leaf < self.size:
                raise IndexError(f"leaf {leaf} of {self.size}")
        self._store(0, leaves)
        changed = list(leaves)
        for level in range(1, self.levels + 1):
            changed = sorted({index // ARITY for index in changed})
            below = [value for index in changed for value in self.children(level, index)]
            self._store(level, dict(zip(changed, node_hashes(below), strict=True)))

    def _store(self, level: int, values: Mapping[int, int]) -> None:
        nodes, default = self._nodes[level], self.defaults[level]
        for index, value in values.items():
            if value == default:
                nodes.pop(index, None)
            else:
                nodes[index] = value
