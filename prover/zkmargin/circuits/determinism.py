# SPDX-License-Identifier: GPL-3.0-or-later
"""Is every wire of a constraint system determined by its inputs? Uniqueness propagation.

Starting from wires that are given, a wire becomes determined when some constraint leaves it one value:

linear     the constraint is linear in unknown wires and has one of them, with a constant coefficient
packed     it is linear, and its unknown wires are ranged (booleans, or sums of booleans) with coefficients
           so far apart that one value of the sum has one reading: bits, quotient and remainder by 2^n
product    A*B = c for a constant c other than 0, one side known: the other is c/A (inverses)
zero test  L*u = 1 - v and L*v = 0 with L known: v is 1 where L = 0 and 0 elsewhere. (u is free where L = 0;
           nothing else may use it.)
select     x*(x - 1) = 0 makes x boolean; a boolean alone is no value

What is left is a hint whose uniqueness needs an argument of its own; the tests name each with its reason.
Propagation is sound, not complete: it never calls a wire determined that isn't.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from zkmargin.circuits.r1cs import ConstraintSystem
from zkmargin.circuits.rules import Rules


class Propagation(Rules):
    """Uniqueness propagation over one system; `skipping` leaves out some constraints, as if deleted."""

    def __init__(self, system: ConstraintSystem, skipping: Iterable[int] = ()) -> None:
        super().__init__(system, skipping)
        self._given_by: dict[int, set[int]] = {}  # constraint -> wires it determined

    def inputs(self) -> list[int]:
        """Wires of the circuit's own inputs, public and private.

        Fewer than the header counts where the compiler dropped an unused input or knows it by another name:
        so by their labels, in which outputs come first and inputs follow.
        """
        header = self.system.header
        start = 1 + header.public_outputs
        end = start + header.public_inputs + header.private_inputs
        return [wire for wire, label in enumerate(self.system.label.tolist()) if start <= label < end]

    def undetermined(self, given: Iterable[int]) -> list[int]:
        """Wires that stay open when those `given` are fixed."""
        self.known = {0, *given}
        self._given_by = {}
        for wire, i in self._spread(i for i in range(len(self.parts)) if i not in self.skip):
            self._given_by.setdefault(i, set()).add(wire)
        return [wire for wire in range(self.system.header.wires) if wire not in self.known]

    def _spread(self, constraints: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Let what is known reach all that follows, from these constraints on: (wire, constraint) each."""
        queue = deque(constraints)
        queued = set(queue)
        while queue:
            i = queue.popleft()
            queued.discard(i)
            for wire in self.determines(i) - self.known:
                self.known.add(wire)
                yield wire, i
                for j in self.standing[wire]:
                    if j not in queued and j not in self.skip:
                        queued.add(j)
                        queue.append(j)

    def loosens(self, constraint: int) -> bool:
        """Whether some wire is no longer determined without this constraint; asked after `undetermined`.

        The same answer as of a propagation that skips it, but only what depends on it is asked again.
        """
        with self.deleted(constraint) as (unranged, untested):
            orphans = set(self._given_by.get(constraint, ()))  # all it had a direct part in determining
            for wire in unranged:
                for i in self.standing[wire]:
                    if wire in self._given_by.get(i, ()) and len(self._given_by[i]) > 1:
                        orphans |= self._given_by[i]
            for i in untested:
                orphans |= self._given_by.get(i, set())
            if any(self._stands_alone(wire) for wire in orphans):
                return True
            lost = self._following(orphans)
            self.known -= lost
            for _ in self._spread(sorted({i for wire in lost for i in self.standing[wire]} - self.skip)):
                pass
            fallen = not lost <= self.known
            self.known |= lost
            return fallen

    def _stands_alone(self, wire: int) -> bool:
        """Whether nothing determines a wire even if all others are known."""
        self.known.discard(wire)
        try:
            return not any(wire in self.determines(i) for i in self.standing[wire] if i not in self.skip)
        finally:
            self.known.add(wire)

    def _following(self, wires: set[int]) -> set[int]:
        """These wires and all that were determined by means of them."""
        found, queue = set(wires), deque(wires)
        while queue:
            for i in self.standing[queue.popleft()]:
                new = self._given_by.get(i, set()) - found
                found |= new
                queue.extend(new)
        return found
