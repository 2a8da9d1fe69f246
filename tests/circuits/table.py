# SPDX-License-Identifier: GPL-3.0-or-later
"""The two lines of a sparse table check (SPEC section 4) in plain arithmetic, for whoever attacks them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zkmargin.protocol.constants import P
from zkmargin.protocol.hashes import sponge
from zkmargin.protocol.model import Account
from zkmargin.protocol.poseidon import poseidon


@dataclass(frozen=True)
class Lines:
    """Each line as a difference, 0 where it holds: lambda, the rows, their combined claims, unit values."""

    challenge: int
    accounts: Sequence[Account]
    claims: Sequence[int]
    unit: Callable[[int], int]  # of a class

    def beta(self, weights: Sequence[int]) -> int:
        """The challenge that these weights get."""
        return poseidon([self.challenge, sponge("weights", weights)])

    def _horner(self, values: Sequence[int]) -> int:
        total = 0
        for value in values:
            total = (total * self.challenge + value) % P
        return total

    def first(self, weights: Sequence[int]) -> int:
        """Claims less weights times unit values; the quote asset's classes have none."""
        told = sum(weight * self.unit(t) for t, weight in enumerate(weights) if weight)
        return (self._horner(self.claims) - told) % P

    def second(self, weights: Sequence[int], beta: int) -> int:
        """Fractions of the holdings less those of the weights."""
        rows = [
            sum(held.size * pow(beta - held.class_id, -1, P) for held in account.slots if held)
            for account in self.accounts
        ]
        return (self._horner(rows) - sum(w * pow(beta - t, -1, P) for t, w in enumerate(weights))) % P


def solved(lines: Lines, weights: Sequence[int], s: int, t: int) -> list[int]:
    """Weights that differ at classes s and t and fit both lines, at the beta of the weights given."""
    beta = lines.beta(weights)
    share = (beta - t) * pow(beta - s, -1, P)  # a at s and -a*share at t leave the second line as it is
    a = lines.first(weights) * pow(lines.unit(s) - share * lines.unit(t), -1, P)
    moved = list(weights)
    moved[s], moved[t] = (weights[s] + a) % P, (weights[t] - a * share) % P
    assert lines.first(moved) == lines.second(moved, beta) == 0
    return moved
