# SPDX-License-Identifier: GPL-3.0-or-later
"""Which wires of a satisfied constraint system are determined by its inputs.

A wire is determined when some constraint, with all other wires of it determined, is linear in it with a
coefficient that is not 0; bits are, when a determined sum has them at distinct powers of two. What is left
over is a free hint, or determined by a reason this search does not know.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from zkmargin.circuits.r1cs import MODULUS, ConstraintSystem

_MAX_BITS = 253


class Search:
    """Propagation over one witness; `assume` adds wires taken to be determined."""

    def __init__(self, system: ConstraintSystem, witness: list[int]) -> None:
        header = system.header
        self.system, self.witness = system, witness
        self.constraints = [
            tuple(system.combination(i, part) for part in range(3)) for i in range(len(system))
        ]
        self.uses: list[list[int]] = [[] for _ in range(header.wires)]
        for number, parts in enumerate(self.constraints):
            for wire in set().union(*parts):
                self.uses[wire].append(number)
        self.boolean = {wire for parts in self.constraints for wire in _boolean(parts)}
        inputs = header.public_outputs + header.public_inputs + header.private_inputs
        self.known = [wire <= inputs for wire in range(header.wires)]
        self._queue = deque(range(len(self.constraints)))
        self._queued = [True] * len(self.constraints)
        self._run()

    @property
    def unknown(self) -> list[int]:
        """Wires not yet determined."""
        return [wire for wire, known in enumerate(self.known) if not known]

    def assume(self, wires: Iterable[int]) -> None:
        """Take wires as determined and go on."""
        for wire in wires:
            self._mark(wire)
        self._run()

    def _mark(self, wire: int) -> None:
        if not self.known[wire]:
            self.known[wire] = True
            for number in self.uses[wire]:
                if not self._queued[number]:
                    self._queued[number] = True
                    self._queue.append(number)

    def _run(self) -> None:
        while self._queue:
            number = self._queue.popleft()
            self._queued[number] = False
            terms = self._linear(*self.constraints[number])
            if len(terms) == 1 or (
                terms and all(w in self.boolean for w in terms) and _binary(terms.values())
            ):
                for wire in terms:
                    self._mark(wire)

    def _linear(self, a: dict[int, int], b: dict[int, int], c: dict[int, int]) -> dict[int, int]:
        """Coefficients of the undetermined wires of a constraint that is linear in them, else nothing."""
        open_a, open_b = (any(not self.known[wire] for wire in part) for part in (a, b))
        if open_a and open_b:
            return {}
        terms: dict[int, int] = {}
        for part, factor in ((a, b), (b, a)):
            if any(not self.known[wire] for wire in part):
                value = sum(k * self.witness[wire] for wire, k in factor.items())
                terms = {wire: k * value for wire, k in part.items() if not self.known[wire]}
        for wire, k in c.items():
            if not self.known[wire]:
                terms[wire] = terms.get(wire, 0) - k
        return {wire: k % MODULUS for wire, k in terms.items() if k % MODULUS}


def _boolean(parts: tuple[dict[int, int], ...]) -> Iterable[int]:
    """The wire w of a constraint w * (w - 1) = 0."""
    a, b, c = parts
    for one, other in ((a, b), (b, a)):
        if not c and len(one) == 1 and len(other) == 2 and 0 in other:
            (wire,) = one
            if wire in other and other[wire] + other[0] == 0:
                yield wire


def _binary(coefficients: Iterable[int]) -> bool:
    """Whether coefficients are distinct powers of two, up to signs that are all alike and a common factor."""
    values = list(coefficients)
    for base in (min(values), MODULUS - max(values)):
        inverse = pow(base, -1, MODULUS)
        ratios = [min(r, MODULUS - r) for r in (v * inverse % MODULUS for v in values)]
        if len(set(ratios)) == len(ratios) and all(
            r & (r - 1) == 0 and r.bit_length() <= _MAX_BITS for r in ratios
        ):
            return len({v * inverse % MODULUS <= MODULUS // 2 for v in values}) == 1
    return False
