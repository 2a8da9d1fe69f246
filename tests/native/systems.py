# SPDX-License-Identifier: GPL-3.0-or-later
"""Constraint systems made up for tests, with their witness, in the file formats of circom and snarkjs."""

import random
import struct
from dataclasses import dataclass
from pathlib import Path

from zkmargin.protocol.poseidon import MODULUS, to_words

Combination = dict[int, int]


@dataclass
class System:
    """Wire 0 is 1, then `public` signals, then private ones; a constraint is <A,w><B,w> = <C,w>."""

    public: int
    constraints: list[tuple[Combination, Combination, Combination]]
    witness: list[int]

    def holds(self) -> bool:
        def value(terms: Combination) -> int:
            return sum(c * self.witness[w] for w, c in terms.items()) % MODULUS

        return all(value(a) * value(b) % MODULUS == value(c) for a, b, c in self.constraints)

    def witness_bytes(self) -> bytes:
        return to_words(self.witness)

    def signals(self) -> list[int]:
        return self.witness[1 : self.public + 1]

    def r1cs(self) -> bytes:
        header = struct.pack("<I", 32) + to_words([MODULUS])
        header += struct.pack(
            "<IIIIQI", len(self.witness), self.public, 0, 0, len(self.witness), len(self.constraints)
        )
        body = b"".join(
            struct.pack("<I", len(terms))
            + b"".join(struct.pack("<I", w) + to_words([c]) for w, c in terms.items())
            for constraint in self.constraints
            for terms in constraint
        )
        labels = b"".join(struct.pack("<Q", i) for i in range(len(self.witness)))
        return container(b"r1cs", {1: header, 2: body, 3: labels})

    def wtns(self) -> bytes:
        header = struct.pack("<I", 32) + to_words([MODULUS]) + struct.pack("<I", len(self.witness))
        return container(b"wtns", {1: header, 2: self.witness_bytes()}, version=2)

    def write(self, folder: Path, name: str = "circuit") -> Path:
        path = folder / f"{name}.r1cs"
        path.write_bytes(self.r1cs())
        path.with_suffix(".wtns").write_bytes(self.wtns())
        return path


def container(magic: bytes, sections: dict[int, bytes], version: int = 1) -> bytes:
    head = magic + struct.pack("<II", version, len(sections))
    return head + b"".join(struct.pack("<IQ", kind, len(data)) + data for kind, data in sections.items())


def random_system(seed: int, constraints: int, public: int = 2, terms: int = 3) -> System:
    """Products of random combinations, mixed with bits, equal columns, wires never used and range ends.

    Every constraint defines a new wire by its product, so any choice of the free wires gives a witness.
    """
    source = random.Random(seed)
    ends = [0, 1, 2, MODULUS - 1, MODULUS - 2, 2**253, 2**64, 2**128 - 1]
    free = max(4, constraints // 4)
    witness = [
        1,
        *(source.choice([0, 0, 1, 1, *ends, source.randrange(MODULUS)]) for _ in range(public + free)),
    ]
    rows: list[tuple[Combination, Combination, Combination]] = []

    def value(combination: Combination) -> int:
        return sum(c * witness[w] for w, c in combination.items()) % MODULUS

    def combination() -> Combination:
        wires = source.sample(range(len(witness)), min(terms, len(witness)))
        return {w: source.choice([1, 1, MODULUS - 1, *ends[2:], source.randrange(MODULUS)]) for w in wires}

    for _ in range(constraints):
        match source.randrange(4):
            case 0:  # a bit: b * (b - 1) = 0
                rows.append(({len(witness): 1}, {len(witness): 1, 0: MODULUS - 1}, {}))
                witness.append(source.randrange(2))
            case 1:  # two wires with the same column: new points of the key coincide
                a = combination()
                rows.append(({len(witness): 1, len(witness) + 1: 1}, {0: 1}, a))
                low = source.randrange(MODULUS)
                witness += [low, (value(a) - low) % MODULUS]
            case _:
                a, b = combination(), combination()
                rows.append((a, b, {len(witness): 1}))
                witness.append(value(a) * value(b) % MODULUS)
    witness += [0, 1, 5]  # wires of no constraint
    return System(public, rows, witness)
