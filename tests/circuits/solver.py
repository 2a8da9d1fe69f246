# SPDX-License-Identifier: GPL-3.0-or-later
"""Other witnesses of a constraint system: some wires are set freely, others follow, what fails is told.

The system is taken apart into *free* wires (inputs, and hints that no single constraint gives a value),
*definitions* (constraints that give further wires their values, in an order) and *checks* (all other
constraints). A point of the solver is a witness that meets all definitions that could be solved.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from zkmargin.circuits.r1cs import MODULUS, ConstraintSystem
from zkmargin.circuits.rules import Rules

Part = list[tuple[int, int]]
_Apart = tuple[tuple[int, Part], tuple[int, Part], tuple[int, Part], int | None]


@dataclass
class Point:
    """A witness and the constraints it does not satisfy."""

    wires: list[int]
    failed: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _Definition:
    """How a constraint gives wires values: "one", digits of a "packed" sum, or a "zero" test's (v, u)."""

    constraint: int
    kind: str
    wires: tuple[int, ...]


class Solver:
    """Free wires, definitions and checks; `hints` are freed a group at a time where all is stuck."""

    def __init__(
        self,
        system: ConstraintSystem,
        witness: list[int],
        inputs: Iterable[int],
        hints: Iterable[Collection[int]],
    ) -> None:
        self.system = system
        self.parts: list[tuple[Part, Part, Part]] = [
            tuple(list(system.combination(i, k).items()) for k in range(3))  # type: ignore[misc]
            for i in range(len(system))
        ]
        self.wires_of = [tuple({w for part in row for w, _ in part if w}) for row in self.parts]
        self._rules = Rules(system)
        self._aparts: dict[int, _Apart] = {}  # of definitions of one wire
        self.inputs = set(inputs)
        self.free: set[int] = set()
        self.order: dict[int, int] = {}  # constraint -> place among the definitions
        self.definition: dict[int, _Definition] = {}  # constraint -> what it defines
        self.definer: dict[int, int] = {}  # wire -> constraint
        self._take_apart(witness, hints)
        self.readers: dict[int, list[int]] = defaultdict(list)  # wire -> constraints it stands in
        for i, wires in enumerate(self.wires_of):
            for wire in wires:
                self.readers[wire].append(i)
        self.checks = [i for i in range(len(system)) if i not in self.definition]

    # ------------------------------------------------------------------ taking apart

    def _take_apart(self, witness: list[int], hints: Iterable[Collection[int]]) -> None:
        known = {0, *self.inputs}
        self.free |= known - {0}
        waiting: dict[int, list[int]] = defaultdict(list)
        open_wires = []
        for i, wires in enumerate(self.wires_of):
            for wire in wires:
                waiting[wire].append(i)
            open_wires.append(set(wires) - known)
        queue = list(range(len(self.parts)))
        heapq.heapify(queue)
        groups = [*hints, range(1, self.system.header.wires)]

        def learn(wires: Iterable[int]) -> None:
            for wire in wires:
                if wire not in known:
                    known.add(wire)
                    for j in waiting[wire]:
                        open_wires[j].discard(wire)
                        if open_wires[j]:
                            heapq.heappush(queue, j)

        while True:
            while queue:
                i = heapq.heappop(queue)
                made = self._defines(i, open_wires[i], witness) if open_wires[i] else None
                if made is not None and i not in self.definition:
                    self.definition[i] = made
                    self.order[i] = len(self.order)
                    for wire in made.wires:
                        self.definer[wire] = i
                    learn(made.wires)
            rest = next((left for group in groups if (left := [w for w in group if w not in known])), None)
            if rest is None:
                return
            self.free.update(rest)
            learn(rest)

    def _defines(self, i: int, unknown: set[int], witness: list[int]) -> _Definition | None:
        test = self._rules.tests.get(i)
        if test is not None:
            v, u = test
            if unknown <= {v, u} and v in unknown:
                return _Definition(i, "zero", (v, u))
            return None
        if len(unknown) == 1:
            (wire,) = unknown
            return _Definition(i, "one", (wire,)) if self._slope(i, wire, witness) else None
        if all(wire in self._rules.range for wire in unknown) and self._packs(i, unknown):
            return _Definition(i, "packed", tuple(sorted(unknown)))
        return None

    def _packs(self, i: int, unknown: set[int]) -> bool:
        total = self._rules.linear(i)
        return total is not None and self._rules.packs(total, unknown)

    def _slope(self, i: int, wire: int, witness: list[int]) -> int:
        """The coefficient of a wire in a constraint that is linear in it; 0 where it is not."""
        a, b, c = self.parts[i]
        in_a, in_b = dict(a).get(wire, 0), dict(b).get(wire, 0)
        if in_a and in_b:
            return 0
        rest_a = sum(k * witness[w] for w, k in a if w != wire)
        rest_b = sum(k * witness[w] for w, k in b if w != wire)
        return (in_a * rest_b + in_b * rest_a - dict(c).get(wire, 0)) % MODULUS

    def is_boolean(self, wire: int, without: int) -> bool:
        """Whether some constraint but one makes a wire 0 or 1."""
        return bool(self._rules.ranged_by.get(wire, set()) - {without})

    def squares(self, i: int) -> bool:
        """Whether a constraint says that something is a square."""
        a, b, _ = self.parts[i]
        return bool(a) and a == b

    # ------------------------------------------------------------------ evaluating

    def residual(self, i: int, wires: list[int]) -> int:
        """A*B - C of a constraint."""
        a, b, c = self.parts[i]
        left = 0
        for w, k in a:
            left += k * wires[w]
        right = 0
        for w, k in b:
            right += k * wires[w]
        out = 0
        for w, k in c:
            out += k * wires[w]
        return (left * right - out) % MODULUS

    def point(self, wires: list[int]) -> Point:
        """A witness as it stands."""
        return Point(wires, {i for i in range(len(self.parts)) if self.residual(i, wires)})

    def moved(self, start: Point, changes: Mapping[int, int], without: int | None = None) -> Point:
        """The point after free wires (or those that the constraint `without` defines) get other values.

        Follows the definitions but that one, those that failed among them; one that can't be solved counts
        as failed.
        """
        wires = start.wires.copy()
        touched: set[int] = set()
        queue: list[tuple[int, int]] = []
        queued: set[int] = set()

        def spread(wire: int) -> None:
            for j in self.readers[wire]:
                touched.add(j)
                if j in self.order and j != without and j not in queued:
                    queued.add(j)
                    heapq.heappush(queue, (self.order[j], j))

        for j in start.failed:
            if j in self.order and j != without:
                touched.add(j)
                queued.add(j)
                heapq.heappush(queue, (self.order[j], j))
        for wire, value in changes.items():
            if wires[wire] != value:
                wires[wire] = value
                spread(wire)
        solved: set[int] = set()
        while queue:
            _, i = heapq.heappop(queue)
            queued.discard(i)
            made = self.definition[i]
            values = self._solved(made, wires)
            for wire, value in values:
                if wires[wire] != value and wire not in changes:
                    wires[wire] = value
                    spread(wire)
            if values and made.kind == "one" and made.wires[0] not in changes:
                solved.add(i)
        failed = start.failed - touched
        failed.update(i for i in touched - solved if self.residual(i, wires))
        return Point(wires, failed)

    def follows(self, wire: int, most: int) -> int:
        """How many definitions follow from a wire, counted up to `most`."""
        seen: set[int] = set()
        stack = [wire]
        while stack and len(seen) < most:
            for i in self.readers[stack.pop()]:
                if i in self.definition and i not in seen:
                    seen.add(i)
                    stack.extend(self.definition[i].wires)
        return len(seen)

    def _solved(self, made: _Definition, wires: list[int]) -> list[tuple[int, int]]:
        i = made.constraint
        if made.kind == "zero":
            v, u = made.wires
            value = sum(k * wires[w] for w, k in self._rules.tested(i).items()) % MODULUS
            # L*u = 1 - v up to a factor on L
            return [(v, int(value == 0)), (u, self._inverse_hint(i, u, v, wires) if value else 0)]
        if made.kind == "one":
            return self._single(i, made.wires[0], wires)
        return self._digits(made, wires)

    def _single(self, i: int, wire: int, wires: list[int]) -> list[tuple[int, int]]:
        """A*B = C for a wire in which it is linear; nothing where its coefficient is 0."""
        (in_a, a), (in_b, b), (in_c, c), inverse = self._apart(i, wire)
        rest_a = rest_b = rest_c = 0
        for w, k in a:
            rest_a += k * wires[w]
        for w, k in b:
            rest_b += k * wires[w]
        for w, k in c:
            rest_c += k * wires[w]
        if inverse is None:
            slope = (in_a * rest_b + in_b * rest_a - in_c) % MODULUS
            if not slope:
                return []
            inverse = pow(slope, -1, MODULUS)
        return [(wire, (rest_c - rest_a * rest_b) * inverse % MODULUS)]

    def _apart(self, i: int, wire: int) -> _Apart:
        """A constraint's parts without a wire, with the wire's coefficients; 1/slope if that is constant."""
        if i not in self._aparts:
            row = [
                (dict(part).get(wire, 0), [(w, k) for w, k in part if w != wire]) for part in self.parts[i]
            ]
            constant = not row[0][0] and not row[1][0]
            inverse = pow(-row[2][0], -1, MODULUS) if constant else None
            self._aparts[i] = row[0], row[1], row[2], inverse
        return self._aparts[i]

    def _inverse_hint(self, i: int, u: int, v: int, wires: list[int]) -> int:
        before = wires[v]
        wires[v] = 0
        try:
            slope = self._slope(i, u, wires)
            return (wires[u] - self.residual(i, wires) * pow(slope, -1, MODULUS)) % MODULUS
        finally:
            wires[v] = before

    def packed_value(self, made: _Definition, wires: list[int]) -> tuple[int, list[tuple[int, int, int]]]:
        """What the digits must add up to, and (weight, bits, wire) rising; weights are positive."""
        total = self._rules.linear(made.constraint) or {}
        first = min(made.wires, key=lambda wire: min(total[wire], MODULUS - total[wire]))
        scale = pow(total[first], -1, MODULUS)
        value = -sum(k * wires[w] for w, k in total.items() if w not in made.wires) * scale
        digits = []
        for wire in made.wires:
            weight, bits = total[wire] * scale % MODULUS, self._rules.range[wire]
            if weight > MODULUS // 2:  # a negative digit x is its largest value less another
                weight = MODULUS - weight
                value += weight * ((1 << bits) - 1)
                digits.append((weight, -bits, wire))
            else:
                digits.append((weight, bits, wire))
        return value % MODULUS, sorted(digits)

    def _digits(self, made: _Definition, wires: list[int]) -> list[tuple[int, int]]:
        value, digits = self.packed_value(made, wires)
        found = []
        for weight, bits, wire in reversed(digits):
            top = (1 << abs(bits)) - 1
            digit = min(value // weight, top)
            value -= digit * weight
            found.append((wire, digit if bits > 0 else top - digit))
        return found
