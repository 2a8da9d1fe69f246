# SPDX-License-Identifier: GPL-3.0-or-later
"""Constraint systems as the compiler writes them (.r1cs): read, counted, and evaluated on a witness.

Constraint i says <A_i, w> * <B_i, w> = <C_i, w> modulo the field, over wires w with w_0 = 1. Evaluation is by
exact integers: this is what decides whether a hand-built witness is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import mul
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import P

MODULUS = P
FIELD_BYTES = 32
_TERM_WORDS = 1 + FIELD_BYTES // 4
_MAGIC = b"r1cs"
_HEADER, _CONSTRAINTS, _LABELS = 1, 2, 3

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Header:
    """Counts of a constraint system; `wires` includes the constant wire 0."""

    wires: int
    public_outputs: int
    public_inputs: int
    private_inputs: int
    labels: int
    constraints: int


def _sections(file: BinaryIO, path: Path) -> dict[int, tuple[int, int]]:
    """Section kind -> (start, size)."""
    start = file.read(12)
    if len(start) < 12 or start[:4] != _MAGIC:
        raise BadInput(f"{path} is not an .r1cs file", hint="compile the circuit again")
    found: dict[int, tuple[int, int]] = {}
    for _ in range(struct.unpack_from("<I", start, 8)[0]):
        kind, size = struct.unpack("<IQ", file.read(12))
        found[kind] = (file.tell(), size)
        file.seek(size, 1)
    return found


def _parse_header(data: bytes, path: Path) -> Header:
    (size,) = struct.unpack_from("<I", data)
    if size != FIELD_BYTES or int.from_bytes(data[4 : 4 + size], "little") != MODULUS:
        raise BadInput(f"{path} is over another field than BN254's", hint="compile with --prime bn128")
    return Header(*struct.unpack_from("<IIIIQI", data, 4 + size))


def read_header(path: Path) -> Header:
    """The header of an .r1cs file, without reading the constraints."""
    with path.open("rb") as file:
        start, size = _sections(file, path)[_HEADER]
        file.seek(start)
        return _parse_header(file.read(size), path)


class ConstraintSystem:
    """An .r1cs file in memory.

    Terms of all linear combinations stand one after another in `wire` (int64) and `coefficient` (index into
    `values`, the distinct coefficients as ints in -p/2 .. p/2). Combination 3*i + k is A, B or C (k = 0, 1,
    2) of constraint i and has the terms `bounds[3*i+k] .. bounds[3*i+k+1]`.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            sections = _sections(file, path)
            parts = {}
            for kind, (start, size) in sections.items():
                file.seek(start)
                parts[kind] = file.read(size)
        self.header = _parse_header(parts[_HEADER], path)
        self.bounds, self.wire, self.coefficient, self.values = _parse_terms(
            parts[_CONSTRAINTS], 3 * self.header.constraints
        )
        self.label: IntArray = np.frombuffer(parts[_LABELS], dtype="<u8").astype(np.int64)

    def __len__(self) -> int:
        return self.header.constraints

    @cached_property
    def _lists(self) -> tuple[list[int], list[int], list[int]]:
        """Bounds, wires and coefficients as Python lists, for exact evaluation."""
        values = self.values
        return self.bounds.tolist(), self.wire.tolist(), [values[i] for i in self.coefficient.tolist()]

    @cached_property
    def _uses(self) -> tuple[IntArray, IntArray]:
        """Constraint numbers grouped by the wire they contain, and the groups' bounds."""
        owner = np.repeat(np.arange(len(self.bounds) - 1) // 3, np.diff(self.bounds))
        order = np.argsort(self.wire, kind="stable")
        groups = np.searchsorted(self.wire[order], np.arange(self.header.wires + 1))
        return owner[order], groups

    def constraints_of(self, wire: int) -> list[int]:
        """Numbers of the constraints in which `wire` occurs, rising."""
        owners, groups = self._uses
        return [int(number) for number in np.unique(owners[groups[wire] : groups[wire + 1]])]

    def combination(self, constraint: int, part: int) -> dict[int, int]:
        """Wire -> coefficient of A (part 0), B (1) or C (2) of a constraint; coefficients in -p/2 .. p/2."""
        start, end = self.bounds[3 * constraint + part], self.bounds[3 * constraint + part + 1]
        pairs = zip(self.wire[start:end].tolist(), self.coefficient[start:end].tolist(), strict=True)
        return {wire: self.values[index] for wire, index in pairs}

    def check(self, witness: bytes | Sequence[int], constraints: Iterable[int] | None = None) -> list[int]:
        """Numbers of the constraints (all, or those given) that `witness` does not satisfy.

        `witness` is one field element per wire, as 32-byte little-endian integers or as ints. Raises BadInput
        for one of the wrong length or with an element that is not below the modulus.
        """
        wires = self.elements(witness)
        if wires[0] != 1:
            raise BadInput(f"wire 0 of a witness is 1, here {wires[0]}")
        return self._failed(wires, range(len(self)) if constraints is None else constraints)

    def check_changed(self, witness: list[int], changes: Mapping[int, int]) -> list[int]:
        """Constraints touched by `changes` (wire -> value) that fail once these are made to `witness`.

        Those are all that fail if `witness` itself satisfies the system. Costs time only for what is touched:
        made for many changes in a row. `witness` comes from `elements`, is changed meanwhile and restored.
        """
        touched = sorted({number for wire in changes for number in self.constraints_of(wire)})
        before = {wire: witness[wire] for wire in changes}
        try:
            for wire, value in changes.items():
                witness[wire] = value % MODULUS
            return self._failed(witness, touched)
        finally:
            for wire, value in before.items():
                witness[wire] = value

    def _failed(self, wires: Sequence[int], constraints: Iterable[int]) -> list[int]:
        bounds, wire, coefficient = self._lists
        value = wires.__getitem__
        failed = []
        for number in constraints:
            a, b, c, end = bounds[3 * number : 3 * number + 4]
            left = sum(map(mul, coefficient[a:b], map(value, wire[a:b])))
            right = sum(map(mul, coefficient[b:c], map(value, wire[b:c])))
            if (left * right - sum(map(mul, coefficient[c:end], map(value, wire[c:end])))) % MODULUS:
                failed.append(number)
        return failed

    def elements(self, witness: bytes | Sequence[int]) -> list[int]:
        """The witness as a list of ints, checked for length and range."""
        if isinstance(witness, (bytes, bytearray, memoryview)):
            if len(witness) != FIELD_BYTES * self.header.wires:
                raise BadInput(
                    f"the witness has {len(witness)} bytes, the circuit {self.header.wires} wires of 32"
                )
            data = bytes(witness)
            witness = [
                int.from_bytes(data[i : i + FIELD_BYTES], "little") for i in range(0, len(data), FIELD_BYTES)
            ]
        if len(witness) != self.header.wires:
            raise BadInput(f"the witness has {len(witness)} elements, the circuit {self.header.wires} wires")
        if not all(0 <= element < MODULUS for element in witness):
            raise BadInput("the witness has an element outside the field")
        return list(witness)


def _parse_terms(data: bytes, combinations: int) -> tuple[IntArray, IntArray, IntArray, list[int]]:
    """Bounds, wires, coefficient indices and distinct coefficients of all linear combinations."""
    words = np.frombuffer(data, dtype="<u4")
    view = memoryview(data).cast("I")
    counts = [0] * combinations
    position = 0
    for number in range(combinations):
        counts[number] = view[position]
        position += 1 + _TERM_WORDS * counts[number]
    if position != len(words):
        raise BadInput(
            "the constraint section of the .r1cs file has a wrong length", hint="compile the circuit again"
        )
    bounds = np.concatenate(([0], np.cumsum(counts)))
    total = int(bounds[-1])
    # A term's place in words: the terms before it, and one length word for each combination up to its own.
    lengths_before = np.repeat(np.arange(1, combinations + 1), counts)
    start = np.arange(total) * _TERM_WORDS + lengths_before
    wire = words[start].astype(np.int64)
    keys = (
        np.ascontiguousarray(words[start[:, None] + np.arange(1, _TERM_WORDS)])
        .view(f"V{FIELD_BYTES}")
        .ravel()
    )
    index: dict[bytes, int] = {}
    coefficient = np.fromiter(
        (index.setdefault(key, len(index)) for key in keys.tolist()), dtype=np.int64, count=total
    )
    half = MODULUS // 2
    numbers = (int.from_bytes(key, "little") for key in index)
    return bounds, wire, coefficient, [n - MODULUS if n > half else n for n in numbers]


class SignalNames:
    """Names of wires, from a .sym file; a wire may have several names, of which the first is its own."""

    def __init__(self, path: Path) -> None:
        self.wire_of: dict[str, int] = {}
        self._name_of: dict[int, str] = {}
        with path.open() as lines:
            for line in lines:
                _, wire, _, name = line.rstrip("\n").split(",", 3)
                self.wire_of[name] = int(wire)
                if int(wire) >= 0:
                    self._name_of.setdefault(int(wire), name)

    def name(self, wire: int) -> str:
        """The name of a wire, such as `main.touch[3].size`."""
        return "one" if wire == 0 else self._name_of.get(wire, f"wire {wire}")

    def describe(self, system: ConstraintSystem, constraint: int) -> str:
        """A constraint in words: (A) * (B) = (C) with signal names."""

        def part(k: int) -> str:
            terms = system.combination(constraint, k).items()
            return " + ".join(f"{factor}*{self.name(wire)}" for wire, factor in terms) or "0"

        return f"({part(0)}) * ({part(1)}) = ({part(2)})"
