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

from collections import defaultdict, deque
from collections.abc import Iterable

from zkmargin.circuits.r1cs import MODULUS, ConstraintSystem

_Part = dict[int, int]


def _constant(part: _Part) -> int | None:
    """The value of a combination of wire 0 alone, else None."""
    if not part:
        return 0
    return part[0] if part.keys() == {0} else None


class Propagation:
    """Uniqueness propagation over one system; `skipping` leaves out some constraints, as if deleted."""

    def __init__(self, system: ConstraintSystem, skipping: Iterable[int] = ()) -> None:
        self.system = system
        self._skip = set(skipping)
        self._parts: list[tuple[_Part, _Part, _Part]] = [
            (system.combination(i, 0), system.combination(i, 1), system.combination(i, 2))
            for i in range(len(system))
        ]
        self.range: dict[int, int] = {}  # wire -> bits
        self.known: set[int] = {0}

    def inputs(self) -> range:
        """Wires of the circuit's own inputs, public and private."""
        header = self.system.header
        start = 1 + header.public_outputs
        return range(start, start + header.public_inputs + header.private_inputs)

    def undetermined(self, given: Iterable[int]) -> list[int]:
        """Wires that stay open when those `given` are fixed."""
        self.known = {0, *given}
        self._ranges()
        zero_tests = self._zero_tests()
        queue = deque(i for i in range(len(self._parts)) if i not in self._skip)
        waiting: dict[int, list[int]] = defaultdict(list)
        for i in queue:
            for part in self._parts[i]:
                for wire in part:
                    waiting[wire].append(i)
        queued = set(queue)
        while queue:
            i = queue.popleft()
            queued.discard(i)
            for wire in self._determines(i) | {
                v for v in zero_tests.get(i, ()) if self._all_known(self._parts[i][0])
            }:
                if wire not in self.known:
                    self.known.add(wire)
                    for j in waiting[wire]:
                        if j not in queued:
                            queued.add(j)
                            queue.append(j)
        return [wire for wire in range(self.system.header.wires) if wire not in self.known]

    def _all_known(self, part: _Part) -> bool:
        return all(wire in self.known for wire in part)

    def _linear(self, i: int) -> _Part | None:
        """The constraint as a combination that is 0, if one factor is constant or known up to a constant."""
        a, b, c = self._parts[i]
        for factor, other in ((a, b), (b, a)):
            value = _constant(factor)
            if value is not None:
                total = {wire: value * coefficient for wire, coefficient in other.items()}
                for wire, coefficient in c.items():
                    total[wire] = total.get(wire, 0) - coefficient
                return {
                    wire: coefficient % MODULUS
                    for wire, coefficient in total.items()
                    if coefficient % MODULUS
                }
        return None

    def _ranges(self) -> None:
        """Booleans, and wires that are sums of booleans with rising powers of two."""
        self.range = {}
        for i, (a, b, c) in enumerate(self._parts):
            if i in self._skip or c:
                continue
            for one, other in ((a, b), (b, a)):
                plain = [wire for wire in one if wire]
                if len(plain) == 1 and len(one) == 1 and other.keys() == {0, plain[0]}:
                    scale = one[plain[0]], other[plain[0]]
                    if all(scale) and (other[0] + other[plain[0]]) % MODULUS == 0:
                        self.range[plain[0]] = 1
        for i in range(len(self._parts)):
            total = None if i in self._skip else self._linear(i)
            if not total or 0 in total:
                continue
            wide = [wire for wire in total if wire not in self.range]
            if len(wide) != 1:
                continue
            inverse = pow(-total[wide[0]], -1, MODULUS)
            weights = [
                (total[wire] * inverse % MODULUS, self.range[wire]) for wire in total if wire != wide[0]
            ]
            bits = _packed_bits(weights)
            if bits is not None and all(weight & (weight - 1) == 0 for weight, _ in weights):
                self.range[wide[0]] = bits

    def _zero_tests(self) -> dict[int, set[int]]:
        """Constraint L*u = 1 - v -> {v}, where a constraint L*v = 0 stands beside it."""
        annulled: dict[tuple[tuple[int, int], ...], set[int]] = defaultdict(set)
        for i, (a, b, c) in enumerate(self._parts):
            if i in self._skip or c:
                continue
            for one, other in ((a, b), (b, a)):
                if len(other) == 1 and 0 not in other:
                    annulled[_normal(one)].update(other)
        found: dict[int, set[int]] = {}
        for i, (a, b, c) in enumerate(self._parts):
            if i in self._skip or c.keys() & {0} != {0} or len(c) != 2:
                continue
            v = next(wire for wire in c if wire)
            if (c[0] + c[v]) % MODULUS:
                continue
            for one in (a, b):
                if v in annulled.get(_normal(one), ()) and one is a:
                    found[i] = {v}
        return found

    def _determines(self, i: int) -> set[int]:
        a, b, c = self._parts[i]
        total = self._linear(i)
        if total is not None:
            return self._of_linear(total)
        known_a, known_b = self._all_known(a), self._all_known(b)
        if known_a and known_b:
            unknown = [wire for wire in c if wire not in self.known]
            if len(unknown) == 1:
                return set(unknown)
            return self._of_linear({wire: c[wire] % MODULUS for wire in unknown})
        value = _constant(c)
        if value and (known_a or known_b):
            unknown = [wire for wire in (b if known_a else a) if wire not in self.known]
            return set(unknown) if len(unknown) == 1 else set()
        return set()

    def _of_linear(self, total: _Part) -> set[int]:
        unknown = [wire for wire in total if wire not in self.known]
        if len(unknown) == 1:
            return set(unknown)
        if unknown and all(wire in self.range for wire in unknown):
            first = min(unknown, key=lambda wire: min(total[wire], MODULUS - total[wire]))
            scale = pow(total[first], -1, MODULUS)
            weights = []
            for wire in unknown:
                weight = total[wire] * scale % MODULUS
                weights.append((min(weight, MODULUS - weight), self.range[wire]))
            if _packed_bits(weights) is not None:
                return set(unknown)
        return set()


def _normal(part: _Part) -> tuple[tuple[int, int], ...]:
    """A combination up to a constant factor."""
    if not part:
        return ()
    first = min(part)
    scale = pow(part[first], -1, MODULUS)
    return tuple(sorted((wire, coefficient * scale % MODULUS) for wire, coefficient in part.items()))


def _packed_bits(weights: list[tuple[int, int]]) -> int | None:
    """Bits of a sum of ranged wires with these weights if one value has one reading, else None."""
    reach = 0  # the largest value of the terms so far
    for weight, bits in sorted(weights):
        if weight <= reach:
            return None
        reach += weight * ((1 << bits) - 1)
        if 2 * reach >= MODULUS:
            return None
    return reach.bit_length()
