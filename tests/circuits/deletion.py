# SPDX-License-Identifier: GPL-3.0-or-later
"""Does every constraint do work? Deletions, and witnesses that satisfy all constraints but one.

Found by search: from a witness that satisfies all, some free wires get other values, all others follow
(solver.py), and what then fails besides the constraint in question is mended by further free wires, each
changed to the value at which the failing constraint holds. Where the search finds a witness, deleting the
constraint would let it pass; where it finds none, nothing is shown.

A deletion counts as noticed where a wire is no longer determined, or where such a witness is known.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence

from circuits.hints import argued, given, inner_wires, left_open
from circuits.solver import Point, Solver
from circuits.templates import Template, template
from circuits.witnesses import inputs_of
from zkmargin.circuits.determinism import Propagation
from zkmargin.circuits.r1cs import MODULUS

_CONE = 200  # free wires nearest to a constraint that are tried
_TRIED = 12  # wires tried for one mend
_MENDS = 24  # wires changed to mend what failed, at most
_LOST = 12  # failures at which an attempt is given up
_BROKEN = 4  # failures of a start that is repaired, at most
_REPAIRS = 12  # tries to mend one failure of a start
_LIGHT = 300  # definitions that may follow from a wire for it to be light
_SEEN = 4000  # wires looked at for them
_OWN = 0.7  # how often, of a definition, what it defines is changed: without it that is free
_INDEX = re.compile(r"\[\d+\]")
_POOL = 40  # witnesses kept to start from


class Search:
    """The search over one system; `shown`: constraint -> a witness that fails it alone."""

    def __init__(self, solver: Solver, starts: Iterable[list[int]], seed: int) -> None:
        self.solver = solver
        self.random = random.Random(seed)
        self.shown: dict[int, list[int]] = {}  # constraint -> a witness that fails it alone
        self.pool: list[Point] = []
        self._cones: dict[int, list[int]] = {}
        self._weights: dict[int, bool] = {}
        points = [solver.point(wires) for wires in starts]
        for point in points:
            self._note(point)
        for point in points:
            settled = solver.moved(point, {})
            self._note(settled)
            if 0 < len(settled.failed) <= _BROKEN:
                for spared in (-1, *settled.failed):
                    self._repair(settled, spared)

    def show(self, constraint: int, attempts: int) -> bool:
        """Whether a witness that fails this constraint alone is known, or found in so many attempts."""
        for _ in range(attempts):
            if constraint in self.shown:
                return True
            self._attempt(constraint)
        return constraint in self.shown

    def _repair(self, point: Point, spared: int) -> None:
        """Make a witness that satisfies all but what is spared out of one that does not, if that is easy."""
        frozen: dict[int, int] = {}
        while rest := point.failed - {spared}:
            first = min(rest, key=self._place)
            tries = (self._mend(point, first, frozen, None, spared) for _ in range(_REPAIRS))
            mended = next((found for found in tries if found), None)
            if mended is None:
                return
            wire, point = mended
            frozen[wire] = point.wires[wire]
            self._note(point)

    def _note(self, point: Point) -> None:
        if not point.failed and len(self.pool) < _POOL:
            self.pool.append(point)
        elif not point.failed:
            self.pool[self.random.randrange(1, _POOL)] = point
        elif len(point.failed) == 1:
            self.shown.setdefault(next(iter(point.failed)), point.wires)

    def _attempt(self, target: int) -> None:
        point = self.random.choice(self.pool)
        own = self.solver.definition.get(target)
        near = self._cone(target)
        if not near and own is None:
            return
        without = target if own else None
        frozen: dict[int, int] = {}
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3))):
            if own is not None and (not near or self.random.random() < _OWN):
                wire = self.random.choice(own.wires)
            else:
                wire = near[int(self.random.expovariate(max(0.15, 3 / len(near)))) % len(near)]
            frozen[wire] = self._other(point, wire, target)
            point = self.solver.moved(point, {wire: frozen[wire]}, without)
            self._note(point)
            if target in point.failed:
                break
        for _ in range(_MENDS):
            rest = point.failed - {target}
            if not rest or len(rest) > _LOST:
                return
            mended = self._mend(point, min(rest, key=self._place), frozen, without, target)
            if mended is None:
                return
            wire, point = mended
            frozen[wire] = point.wires[wire]
            self._note(point)

    def _place(self, constraint: int) -> int:
        return self.solver.order.get(constraint, max(self._cone_places(constraint), default=0))

    def _cone_places(self, constraint: int) -> list[int]:
        definer, order = self.solver.definer, self.solver.order
        return [order[definer[wire]] for wire in self.solver.wires_of[constraint] if wire in definer]

    def _mend(
        self, point: Point, failing: int, frozen: dict[int, int], without: int | None, target: int
    ) -> tuple[int, Point] | None:
        """A free wire and its value at which the failing constraint holds, if it depends on one in a line."""
        near = [wire for wire in self._cone(failing) if wire not in frozen]
        if self.random.random() < 0.5:
            self.random.shuffle(near)
            near.sort(key=self._heavy)
        best = None
        for wire in near[:_TRIED]:
            value = self._solving(point, failing, wire, without)
            if value is None or (value > 1 and self.solver.is_boolean(wire, target)):
                continue
            moved = self.solver.moved(point, {wire: value}, without)
            self._note(moved)
            if failing in moved.failed:
                continue
            if target in point.failed and target not in moved.failed:
                continue
            if best is None or len(moved.failed) < len(best[1].failed):
                best = wire, moved
            if len(moved.failed) < len(point.failed) or self.random.random() < 0.3:
                break
        return best

    def _solving(self, point: Point, failing: int, wire: int, without: int | None) -> int | None:
        made = self.solver.definition.get(failing)
        if made is not None and made.kind == "one":
            return None  # the divisor is 0: no line to follow

        a, b, c = self.solver.parts[failing]
        factor = None if c else self.random.choice((a, b))  # a product that is to be 0

        def miss(at: Point) -> int:
            if factor is not None:
                return sum(k * at.wires[w] for w, k in factor) % MODULUS
            if made is None:
                return self.solver.residual(failing, at.wires)
            value, digits = self.solver.packed_value(made, at.wires)
            top = sum(weight * ((1 << abs(bits)) - 1) for weight, bits, _ in digits)
            aim = (0, top, int(part * min(top, 1 << 60)))[kind]  # an end of what the digits reach, or between
            return (value - aim) % MODULUS

        kind, part = self.random.choice((0, 0, 1, 2)), self.random.random()
        before = miss(point)
        step = self.solver.moved(point, {wire: (point.wires[wire] + 1) % MODULUS}, without)
        slope = (miss(step) - before) % MODULUS
        if not slope:
            return None
        return (point.wires[wire] - before * pow(slope, -1, MODULUS)) % MODULUS

    def _other(self, point: Point, wire: int, target: int) -> int:
        """Another value of a wire; of a boolean the other, but where the target is what makes it one."""
        now = point.wires[wire]
        if now in (0, 1) and self.solver.is_boolean(wire, target):
            return 1 - now
        values = [0, 1, 2, now + 1, now - 1, -now, 1 - now, MODULUS - 1, self.random.randrange(MODULUS)]
        values.append(self.random.choice(self.pool).wires[wire])
        values.append(1 << self.random.randrange(250))
        values.append(now + (1 << self.random.randrange(250)))
        return self.random.choice([value % MODULUS for value in values if value % MODULUS != now])

    def _cone(self, constraint: int) -> list[int]:
        """Free wires that a constraint depends on: light ones first, then nearest, then inputs before hints.

        Not those behind a square (so behind a hash), on which nothing depends in a line, if there are others.
        """
        if constraint not in self._cones:
            found = self._reached(constraint, False) or self._reached(constraint, True)
            self._cones[constraint] = sorted(found, key=self._heavy)
        return self._cones[constraint]

    def _heavy(self, wire: int) -> bool:
        """Whether much follows from a wire, as where it is hashed: trying other values of it takes time."""
        if wire not in self._weights:
            self._weights[wire] = self.solver.follows(wire, _LIGHT) >= _LIGHT
        return self._weights[wire]

    def _reached(self, constraint: int, through_squares: bool) -> list[int]:
        solver = self.solver
        level = list(solver.wires_of[constraint])
        seen, found = set(level), list[int]()
        while level and len(found) < _CONE and len(seen) < _SEEN:
            free = [wire for wire in level if wire in solver.free]
            found += sorted(free, key=lambda wire: wire not in solver.inputs)
            definers = {solver.definer[wire] for wire in level if wire not in solver.free}
            if not through_squares:
                definers = {i for i in definers if not solver.squares(i)}
            above = {wire for i in definers for wire in solver.wires_of[i]} - seen
            seen |= above
            level = sorted(above)
        return found


def undetermined(name: str) -> tuple[Propagation, list[str]]:
    """A template's propagation from inputs and argued hints, and the wires that stay open but should not."""
    made = template(name)
    spread = Propagation(made.system)
    still_open = set(spread.undetermined([*made.inputs(), *argued(made.names)])) - left_open(made.names)
    return spread, [made.names.name(wire) for wire in sorted(still_open)]


def solver(made: Template, witness: list[int]) -> Solver:
    """A template taken apart; inputs that a constraint settles follow from the others."""
    settled = made.settled()
    groups = [*given(made.names), *([wire] for wire in sorted(settled))]
    return Solver(made.system, witness, set(made.inputs()) - settled, groups)


def unnoticed(
    name: str, attempts: int, sample: int | None = None, members: int | None = None, seed: int = 7
) -> list[str]:
    """What of a template's constraints, or a sample of them, can be deleted without notice.

    A constraint that is a component's is left to the component's own template. `members`: of constraints that
    are alike but for indices (one line of a loop) witnesses are searched for so many.
    """
    made = template(name)
    spread, left = undetermined(name)
    assert left == []
    chance = random.Random(seed)
    numbers: Sequence[int] = range(len(made.system))
    if sample is not None and sample < len(numbers):
        numbers = chance.sample(numbers, sample)
    quiet = [number for number in numbers if not spread.loosens(number)]
    inner = inner_wires(name, made.names)
    own = [number for number in quiet if not any(inner.intersection(part) for part in made.parts(number))]
    if members is not None:
        own = [number for alike in _kinds(made, own) for number in _some(chance, alike, members)]
    if not own:
        return []
    starts = [made.system.elements(made.generator.compute(inputs)) for inputs in inputs_of(name)]
    search = Search(solver(made, starts[0]), starts, seed)
    hidden = [number for number in own if not search.show(number, attempts)]
    for number, wires in search.shown.items():
        assert made.system.check(wires) == [number]
    return [made.names.describe(made.system, number) for number in hidden if number not in search.shown]


def _some(chance: random.Random, numbers: list[int], most: int) -> list[int]:
    return numbers if len(numbers) <= most else chance.sample(numbers, most)


def _kinds(made: Template, numbers: Iterable[int]) -> list[list[int]]:
    """Constraints, those together that name the same signals but for indices."""
    kinds: dict[tuple[tuple[str, ...], ...], list[int]] = {}
    for number in numbers:
        kind = tuple(
            tuple(sorted({_INDEX.sub("[]", made.names.name(wire)) for wire in part}))
            for part in made.parts(number)
        )
        kinds.setdefault(kind, []).append(number)
    return list(kinds.values())
