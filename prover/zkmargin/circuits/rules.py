# SPDX-License-Identifier: GPL-3.0-or-later
"""What one constraint says of a wire when others are known: the rules of uniqueness propagation.

See determinism.py for the rules in words. A rule may rest on further constraints: ranges on those that make
wires booleans, a zero test on its other half. `deleted` takes these with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from zkmargin.circuits.r1cs import MODULUS, ConstraintSystem

Part = dict[int, int]
Normal = tuple[tuple[int, int], ...]


def _constant(part: Part) -> int | None:
    """The value of a combination of wire 0 alone, else None."""
    if not part:
        return 0
    return part[0] if part.keys() == {0} else None


class Rules:
    """The rules over one system and a set of known wires; `skipping` leaves out some constraints."""

    def __init__(self, system: ConstraintSystem, skipping: Iterable[int] = ()) -> None:
        self.system = system
        self.skip = set(skipping)
        self.known: set[int] = {0}
        self.parts: list[tuple[Part, Part, Part]] = [
            (system.combination(i, 0), system.combination(i, 1), system.combination(i, 2))
            for i in range(len(system))
        ]
        self.standing: dict[int, set[int]] = defaultdict(set)  # wire -> the constraints it stands in
        for i, parts in enumerate(self.parts):
            for part in parts:
                for wire in part:
                    self.standing[wire].add(i)
        self.range: dict[int, int] = {}  # wire -> bits
        self.ranged_by: dict[int, set[int]] = defaultdict(set)  # boolean -> what says so
        # wire -> constraint that makes it a sum of booleans -> its width in bits, and the booleans
        self._sums: dict[int, dict[int, tuple[int, set[int]]]] = defaultdict(dict)
        self._sums_of: dict[int, set[int]] = defaultdict(set)  # constraint -> the wire it makes a sum
        self._sums_with: dict[int, set[int]] = defaultdict(set)  # boolean -> the sums it is a term of
        self._ranges()
        self.tests: dict[int, tuple[int, int]] = {}  # L*u = 1 - v -> (v, u), where L*v = 0 stands beside it
        self._test_rests_on: dict[int, set[int]] = {}  # ... -> the constraints L*v = 0
        self._tests_with: dict[int, set[int]] = defaultdict(set)  # a constraint L*v = 0 -> ...
        self._zero_tests()

    def determines(self, i: int) -> set[int]:
        """Wires, known or not, that constraint i leaves one value, by those known; empty if none is open."""
        a, b, c = self.parts[i]
        if i in self.tests and self._all_known(self.tested(i)):
            return {self.tests[i][0]} | self._of_product(a, b, c)
        total = self.linear(i)
        if total is not None:
            return self._of_linear(total)
        return self._of_product(a, b, c)

    def tested(self, i: int) -> Part:
        """The combination L of a zero test L*u = 1 - v."""
        a, b, _ = self.parts[i]
        return a if b.keys() == {self.tests[i][1]} else b

    def linear(self, i: int) -> Part | None:
        """Constraint i as a combination that is 0, if one of its factors is constant."""
        a, b, c = self.parts[i]
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

    def packs(self, total: Part, wires: Iterable[int]) -> bool:
        """Whether one value of the part of a sum over these wires has one reading, by their ranges."""
        wires = list(wires)
        if not wires or any(wire not in self.range for wire in wires):
            return False
        first = min(wires, key=lambda wire: min(total[wire], MODULUS - total[wire]))
        scale = pow(total[first], -1, MODULUS)
        weights = []
        for wire in wires:
            weight = total[wire] * scale % MODULUS
            weights.append((min(weight, MODULUS - weight), self.range[wire]))
        return _packed_bits(weights) is not None

    @contextmanager
    def deleted(self, constraint: int) -> Iterator[tuple[set[int], set[int]]]:
        """The rules without a constraint; wires that lose their range with it, and zero tests that fall."""
        lost = {wire for wire in self.parts[constraint][0] if self.ranged_by.get(wire) == {constraint}}
        ranges = {wire: self.range.pop(wire) for wire in lost}
        for wire in {w for bit in lost for w in self._sums_with[bit]} | self._sums_of[constraint]:
            ranges[wire] = self.range.pop(wire)
            left = [
                width for i, (width, bits) in self._sums[wire].items() if i != constraint and not bits & lost
            ]
            if left:
                self.range[wire] = min(left)
        untested = {i for i in self._tests_with.get(constraint, ()) if self._test_rests_on[i] == {constraint}}
        tests = {i: self.tests.pop(i) for i in untested}
        self.skip.add(constraint)
        try:
            yield set(ranges), untested
        finally:
            self.skip.discard(constraint)
            self.range |= ranges
            self.tests |= tests

    # ------------------------------------------------------------------ one constraint

    def _all_known(self, part: Part) -> bool:
        return all(wire in self.known for wire in part)

    def _of_product(self, a: Part, b: Part, c: Part) -> set[int]:
        known_a, known_b = self._all_known(a), self._all_known(b)
        if known_a and known_b:
            unknown = [wire for wire in c if wire not in self.known]
            return self._of_linear({wire: c[wire] % MODULUS for wire in unknown})
        value = _constant(c)
        if value and (known_a or known_b):
            unknown = [wire for wire in (b if known_a else a) if wire not in self.known]
            return set(unknown) if len(unknown) == 1 else set()
        return set()

    def _of_linear(self, total: Part) -> set[int]:
        unknown = [wire for wire in total if wire not in self.known]
        if len(unknown) == 1 or self.packs(total, unknown):
            return set(unknown)
        return set()

    # ------------------------------------------------------------------ what rules rest on

    def _ranges(self) -> None:
        """Booleans, and wires that are sums of booleans with rising powers of two."""
        for i, (a, b, c) in enumerate(self.parts):
            if i in self.skip or c:
                continue
            for one, other in ((a, b), (b, a)):
                plain = [wire for wire in one if wire]
                if len(plain) == 1 and len(one) == 1 and other.keys() == {0, plain[0]}:
                    scale = one[plain[0]], other[plain[0]]
                    if all(scale) and (other[0] + other[plain[0]]) % MODULUS == 0:
                        self.range[plain[0]] = 1
                        self.ranged_by[plain[0]].add(i)
        for i in range(len(self.parts)):
            total = None if i in self.skip else self.linear(i)
            if not total or 0 in total:
                continue
            wide = [wire for wire in total if wire not in self.ranged_by]
            if len(wide) != 1:
                continue
            inverse = pow(-total[wide[0]], -1, MODULUS)
            weights = [(total[wire] * inverse % MODULUS, 1) for wire in total if wire != wide[0]]
            width = _packed_bits(weights)
            if width is not None and all(weight & (weight - 1) == 0 for weight, _ in weights):
                self._sums[wide[0]][i] = width, total.keys() - set(wide)
                self._sums_of[i].add(wide[0])
        for wire, sums in self._sums.items():
            self.range[wire] = min(width for width, _ in sums.values())
            for _, booleans in sums.values():
                for boolean in booleans:
                    self._sums_with[boolean].add(wire)

    def _zero_tests(self) -> None:
        annulled: dict[Normal, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for i, (a, b, c) in enumerate(self.parts):
            if i in self.skip or c:
                continue
            for one, other in ((a, b), (b, a)):
                if len(other) == 1 and 0 not in other:
                    annulled[_normal(one)][next(iter(other))].add(i)
        for i, (a, b, c) in enumerate(self.parts):
            if i in self.skip or c.keys() & {0} != {0} or len(c) != 2:
                continue
            v = next(wire for wire in c if wire)
            if (c[0] + c[v]) % MODULUS:
                continue
            for one, other in ((a, b), (b, a)):
                beside = annulled.get(_normal(one), {}).get(v)
                if beside and len(other) == 1 and 0 not in other:
                    self.tests[i] = v, next(iter(other))
                    self._test_rests_on[i] = beside
                    for j in beside:
                        self._tests_with[j].add(i)
                    break


def _normal(part: Part) -> Normal:
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
