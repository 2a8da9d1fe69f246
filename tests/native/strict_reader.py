# SPDX-License-Identifier: GPL-3.0-or-later
"""What a well-formed .zkey or .r1cs file is, written a second time and plainly: the kernel must agree.

`read_key` and `read_system` raise Refused for exactly the files that the kernel has to refuse.
"""

import struct
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from py_ecc import optimized_bn128 as curve

from native.systems import Combination, System
from zkmargin.protocol.poseidon import MODULUS as SCALARS

BASE = int(curve.field_modulus)
R = 2**256
MOST_SECTIONS = 64
_TWIST = tuple(int(c) * R**3 % BASE for c in curve.b2.coeffs)

Sections = dict[int, bytes]
Matrix = dict[int, Counter[int]]
"""Row -> wire -> coefficient."""


class Refused(Exception):
    """The file is not well formed."""


def require(condition: bool, what: str) -> None:
    if not condition:
        raise Refused(what)


def read_sections(data: bytes, magic: bytes) -> Sections:
    require(data[:4] == magic and len(data) >= 12, "magic")
    version, count = struct.unpack_from("<II", data, 4)
    require(version == 1, "version")
    require(count <= MOST_SECTIONS, "number of sections")
    sections: Sections = {}
    at = 12
    for _ in range(count):
        require(at + 12 <= len(data), "section head")
        kind, size = struct.unpack_from("<IQ", data, at)
        at += 12 + size
        require(at <= len(data), "section size")
        require(kind not in sections, "section twice")
        sections[kind] = data[at - size : at]
    require(at == len(data), "bytes after the last section")
    return sections


def section(sections: Sections, kind: int, size: int) -> bytes:
    require(kind in sections, f"section {kind} is missing")
    require(len(sections[kind]) == size, f"size of section {kind}")
    return sections[kind]


def word(data: bytes, at: int = 0) -> int:
    return int.from_bytes(data[at : at + 32], "little")


@lru_cache(None)
def valid_point(raw: bytes) -> bool:
    """Coordinates below the modulus, on the curve, in Montgomery form: y^2 R = x^3 + b R^3; or infinity."""
    values = [word(raw, at) for at in range(0, len(raw), 32)]
    if max(values) >= BASE:
        return False
    if not any(values):
        return True
    if len(raw) == 64:
        x, y = values
        return (y * y * R - x**3 - 3 * R**3) % BASE == 0
    fq2 = curve.FQ2
    left = fq2(values[2:]) ** 2 * R - fq2(values[:2]) ** 3
    return tuple(int(c) for c in left.coeffs) == _TWIST


def points(raw: bytes, size: int) -> list[bytes]:
    found = [raw[at : at + size] for at in range(0, len(raw), size)]
    require(all(valid_point(point) for point in found), "point off the curve")
    return found


@dataclass
class Key:
    """What the prover takes from a key; `header` is alpha1, beta1, beta2, gamma2, delta1, delta2."""

    wires: int
    public: int
    domain: int
    header: list[bytes]
    bases: dict[int, list[bytes]]
    matrices: tuple[Matrix, Matrix]

    def effect(self, witness: list[int]) -> object:
        """Everything of the key that a proof of `witness` depends on: equal effects, equally good proofs.

        Section 6, beta1 and delta1 are for another way of blinding; the prover checks and leaves them.
        """
        rows = [
            {
                row: value
                for row, terms in matrix.items()
                if (value := sum(c * witness[w] for w, c in terms.items()) % SCALARS)
            }
            for matrix in self.matrices
        ]
        used: list[Counter[bytes]] = []  # by section: how often each point is taken
        for kind, first in {5: 0, 7: 0, 8: self.public + 1}.items():
            times: Counter[bytes] = Counter()
            for wire, point in enumerate(self.bases[kind], first):
                times[point] += witness[wire]
            used.append(Counter({p: n % SCALARS for p, n in times.items() if n % SCALARS and any(p)}))
        alpha1, _, beta2, _, _, delta2 = self.header
        return (self.domain, rows, used, self.bases[9], alpha1, beta2, delta2)


def read_key(data: bytes) -> Key:
    sections = read_sections(data, b"zkey")
    require(section(sections, 1, 4) == b"\1\0\0\0", "proof system")
    head = section(sections, 2, 84 + 3 * 64 + 3 * 128)
    require(struct.unpack_from("<I", head)[0] == struct.unpack_from("<I", head, 36)[0] == 32, "word size")
    require((word(head, 4), word(head, 40)) == (BASE, SCALARS), "moduli")
    wires, public, domain = struct.unpack_from("<III", head, 72)
    require(public < wires < 2**31, "wires")
    require(domain.bit_count() == 1 and domain <= 2**27, "domain")
    header, at = [], 84
    for size in (64, 64, 128, 128, 64, 128):
        header += points(head[at : at + size], size)
        at += size
    require(all(any(point) for point in header), "infinity in the header")
    counts = {3: (public + 1, 64), 5: (wires, 64), 6: (wires, 64), 7: (wires, 128)}
    counts |= {8: (wires - public - 1, 64), 9: (domain, 64)}
    bases = {kind: points(section(sections, kind, n * size), size) for kind, (n, size) in counts.items()}
    return Key(wires, public, domain, header, bases, _matrices(sections, wires, domain))


def _matrices(sections: Sections, wires: int, domain: int) -> tuple[Matrix, Matrix]:
    require(len(sections.get(4, b"")) >= 4, "no coefficients")
    (count,) = struct.unpack_from("<I", sections[4])
    entries = section(sections, 4, 4 + 44 * count)
    matrices: tuple[Matrix, Matrix] = ({}, {})
    for which, row, wire, raw in struct.iter_unpack("<III32s", entries[4:]):
        require(which < 2 and row < domain and wire < wires, "cell")
        require(word(raw) < SCALARS, "coefficient")
        matrices[which].setdefault(row, Counter())[wire] += word(raw)
    return matrices


def read_system(data: bytes, witness: list[int]) -> System:
    """The system with a witness of the right length: `witness` cut or filled up with zeros."""
    sections = read_sections(data, b"r1cs")
    require(not sections.keys() & {4, 5}, "custom gates")
    head = section(sections, 1, 64)
    size, modulus, wires, outputs, inputs, private, _, rows = struct.unpack("<I32sIIIIQI", head)
    require(size == 32 and word(modulus) == SCALARS, "field")
    require(outputs + inputs + private < wires, "signals")
    section(sections, 3, 8 * wires)
    require(2 in sections, "no constraints")
    body, at = sections[2], 0
    require(12 * rows <= len(body), "constraints")
    constraints = []
    for _ in range(rows):
        combinations: list[Combination] = []
        for _ in range(3):
            require(at + 4 <= len(body), "terms")
            (count,) = struct.unpack_from("<I", body, at)
            require(at + 4 + 36 * count <= len(body), "terms")
            combination: Counter[int] = Counter()
            for wire, raw in struct.iter_unpack("<I32s", body[at + 4 : at + 4 + 36 * count]):
                require(wire < wires and word(raw) < SCALARS, "term")
                combination[wire] += word(raw)
            combinations.append(dict(combination))
            at += 4 + 36 * count
        constraints.append((combinations[0], combinations[1], combinations[2]))
    require(at == len(body), "bytes after the last constraint")
    values = (witness + [0] * wires)[:wires]
    return System(outputs + inputs, constraints, values)
